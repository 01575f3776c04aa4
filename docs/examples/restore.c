/* Puts back what requester.c saved, all of it or nothing; docs/restore.md has what else there is.
 *      cc restore.c $(pkg-config --cflags --libs libvssclient) && ./a.out /mnt/backup/today */
#define _GNU_SOURCE 1 /* nftw */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vss/vsslinux.h>

static IVssBackupComponents *restore;
static HRESULT hr;
#define TRY(call)              \
        if (FAILED(hr = call)) \
        return hr

static HRESULT run(HRESULT (*begin)(IVssBackupComponents *, IVssAsync **)) {
        HRESULT result = S_OK;
        IVssAsync *async = NULL;

        if (SUCCEEDED(hr = begin(restore, &async)) &&
            SUCCEEDED(hr = IVssAsync_Wait(async, INFINITE)))
                hr = IVssAsync_QueryStatus(async, &result, NULL);
        return IVssAsync_Release(async), FAILED(hr) ? hr : result;
}

/* S_FALSE: a writer vetoed, which fails no call. */
static HRESULT look_at_writers(void) {
        HRESULT code, all = S_OK;
        VSS_ID instance, writer;
        VSS_WRITER_STATE state;
        BSTR name, said;

        TRY(run(IVssBackupComponents_GatherWriterStatus));
        for (UINT i = 0;
             IVssBackupComponentsEx3_GetWriterStatusEx(restore, i, &instance, &writer, &name,
                                                       &state, &code, NULL, &said) == S_OK;
             i++, SysFreeString(name), SysFreeString(said))
                if (FAILED(code))
                        fprintf(stderr, "%s: %s\n", name, said ? said : VssHresultMessage(code)),
                                all = S_FALSE;
        return all;
}

static struct {
        IVssComponent *c;
        VSS_ID instance, id;
        VSS_COMPONENT_TYPE type;
        BSTR path, name;
} at; /* the component at hand */
#define THIS at.id, at.type, at.path, at.name

static HRESULT each(HRESULT (*what)(void)) {
        IVssWriterComponents *writer;

        for (UINT i = 0; IVssBackupComponents_GetWriterComponents(restore, i, &writer) == S_OK;
             i++, IVssWriterComponentsExt_Release(writer)) {
                TRY(IVssWriterComponents_GetWriterInfo(writer, &at.instance, &at.id));
                for (UINT k = 0; IVssWriterComponents_GetComponent(writer, k, &at.c) == S_OK; k++) {
                        TRY(IVssComponent_GetLogicalPath(at.c, &at.path));
                        TRY(IVssComponent_GetComponentName(at.c, &at.name));
                        TRY(IVssComponent_GetComponentType(at.c, &at.type));
                        TRY(what());
                        IVssComponent_Release(at.c), SysFreeString(at.path), SysFreeString(at.name);
                }
        }
        return S_OK;
}

/* Fails if its writer does not run, and so cannot be told. */
static HRESULT choose(void) {
        return IVssBackupComponents_SetSelectedForRestore(restore, THIS, true);
}

/* Its writer wants files elsewhere: that is more than this program knows. */
static HRESULT check(void) {
        VSS_RESTORE_TARGET target;

        TRY(IVssComponent_GetRestoreTarget(at.c, &target));
        return target == VSS_RT_ORIGINAL ? S_OK : (fputs("restore target?\n", stderr), E_NOTIMPL);
}

static VSS_FILE_RESTORE_STATUS status = VSS_RS_NONE; /* nothing was changed */

static HRESULT tell(void) {
        return IVssBackupComponents_SetFileRestoreStatus(restore, THIS, status);
}

static bool rehearsal = true; /* the first walk asks whether all can be replaced */

/* from is "files/srv/...", which belongs to "/srv/...". */
static int put(const char *from, const struct stat *st, int type, struct FTW *ftw) {
        const int flags = O_NOFOLLOW | O_CLOEXEC, make = rehearsal ? 0 : O_CREAT | O_TRUNC;
        const char *to = from + strlen("files");
        char link[4096] = "";
        ssize_t n = 0;

        (void)st, (void)ftw;
        if (type == FTW_F) {
                int in = open(from, flags), out = open(to, O_WRONLY | make | flags, 0600);

                n = in < 0 || (out < 0 && !(rehearsal && errno == ENOENT));
                while (!rehearsal && n == 0 && (n = sendfile(out, in, NULL, 1 << 20)) > 0)
                        n = 0;
                if (out >= 0)
                        n |= fsync(out), n |= close(out);
                n |= in >= 0 && close(in) < 0;
        } else if (!rehearsal && type == FTW_SL)
                n = readlink(from, link, sizeof(link) - 1) < 0 ||
                    (unlink(to) < 0 && errno != ENOENT) || symlink(link, to) < 0;
        else if (!rehearsal)
                n = *to != '\0' && mkdir(to, 0700) < 0 && errno != EEXIST;
        return n == 0 ? 0 : (perror(to), -1);
}

static HRESULT put_back(BSTR document) {
        TRY(CreateVssBackupComponents(&restore));
        TRY(IVssBackupComponents_InitializeForRestore(restore, document));
        TRY(run(IVssBackupComponents_GatherWriterMetadata));
        TRY(each(choose));
        TRY(run(IVssBackupComponents_PreRestore));
        TRY(look_at_writers());
        if (hr == S_OK && SUCCEEDED(each(check)) && nftw("files", put, 16, FTW_PHYS) == 0) {
                rehearsal = false;
                status = nftw("files", put, 16, FTW_PHYS) == 0 ? VSS_RS_ALL : VSS_RS_FAILED;
        }
        TRY(each(tell)); /* whatever became of it, the writers hear of it */
        TRY(run(IVssBackupComponents_PostRestore));
        TRY(look_at_writers());
        return hr == S_OK && status == VSS_RS_ALL ? S_OK : S_FALSE; /* it was told why */
}

int main(int argc, char *argv[]) {
        char *document = NULL;
        size_t size = 0;
        FILE *f;

        if (argc != 2 || chdir(argv[1]) < 0 || !(f = fopen("BCDocument.xml", "re")) ||
            getdelim(&document, &size, '\0', f) < 0)
                return argc == 2 ? perror(argv[1]) : (void)fputs("name a directory\n", stderr), 2;
        if (FAILED(hr = put_back(document)))
                fprintf(stderr, "not restored: %s\n", VssLastErrorMessage());
        fclose(f), free(document);
        return IVssBackupComponents_Release(restore) != 0 || hr != S_OK;
}
