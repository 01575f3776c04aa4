/* Saves the files of all components of all writers, of one instant, and what a restore needs.
 *      cc requester.c $(pkg-config --cflags --libs libvssclient) && ./a.out /mnt/backup/today */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vss/vsslinux.h>

static IVssBackupComponents *backup;
static VssSelection *selection;
static bool complete = true; /* cleared by what fails no call */
static HRESULT hr;
#define TRY(call)              \
        if (FAILED(hr = call)) \
        return hr

static HRESULT run(HRESULT (*begin)(IVssBackupComponents *, IVssAsync **)) {
        HRESULT result = S_OK;
        IVssAsync *async = NULL;

        if (SUCCEEDED(hr = begin(backup, &async)) &&
            SUCCEEDED(hr = IVssAsync_Wait(async, INFINITE)))
                hr = IVssAsync_QueryStatus(async, &result, NULL);
        return IVssAsync_Release(async), FAILED(hr) ? hr : result;
}

/* From its directory, which is open: no link that appears meanwhile leads elsewhere. */
static bool copy(const VSS_FILE *file, const char *to) {
        int in = openat(file->directory, file->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ssize_t n = out < 0 ? -1 : 1;

        while (n > 0)
                n = sendfile(out, in, NULL, 1 << 20);
        if (out >= 0)
                n |= fsync(out) | close(out);
        if (in >= 0)
                close(in);
        return n == 0;
}

/* To files/PATH, with the directories above it. user: is all well so far? */
static HRESULT on_file(void *user, const VSS_FILE *file) {
        char to[8192], link[4096] = "";
        mode_t type = file->status->st_mode & S_IFMT;

        snprintf(to, sizeof(to), "files%s", file->path);
        for (char *c = to; (c = strchr(c, '/')) != NULL; *c++ = '/')
                *c = '\0', (void)mkdir(to, 0700); /* what fails here, fails below */
        if ((type == S_IFREG && !copy(file, to)) ||
            (type == S_IFDIR && mkdir(to, 0700) < 0 && errno != EEXIST) ||
            (type == S_IFLNK &&
             (readlinkat(file->directory, file->name, link, 4095) < 0 || symlink(link, to) < 0)))
                *(bool *)user = (perror(file->path), false);
        return S_OK;
}

/* Each with those that it stands for. That a writer failed fails no call: it is read here. */
static HRESULT save_components(void) {
        bool ok;
        VSS_FILE_REQUEST how = { sizeof(how), VSS_BT_FULL, .user = &ok, .OnFile = on_file };
        const VSS_SELECTED_COMPONENT *c;
        VSS_WRITER_STATE state;
        VSS_ID instance, id;
        BSTR name, said;
        HRESULT code;

        TRY(run(IVssBackupComponents_GatherWriterStatus));
        for (UINT i = 0;
             IVssBackupComponentsEx3_GetWriterStatusEx(backup, i, &instance, &id, &name, &state,
                                                       &code, NULL, &said) == S_OK;
             i++, SysFreeString(name), SysFreeString(said)) {
                complete &= SUCCEEDED(code);
                if (FAILED(code))
                        fprintf(stderr, "%s: %s\n", name, said ? said : VssHresultMessage(code));
                for (UINT k = 0; (c = VssSelection_GetComponent(selection, k)) != NULL; k++) {
                        if (!c->is_explicit || memcmp(&c->instance_id, &instance, sizeof(id)) != 0)
                                continue;
                        ok = SUCCEEDED(code);
                        if (FAILED(VssSelection_ListFiles(selection, k, &how)))
                                ok = (fprintf(stderr, "%s: %s\n", c->name, VssLastErrorMessage()),
                                      false);
                        complete &= ok;
                        TRY(IVssBackupComponents_SetBackupSucceeded(backup, instance, id, c->type,
                                                                    c->logical_path, c->name, ok));
                }
        }
        return S_OK;
}

static void save_text(const char *name, BSTR text) {
        FILE *f = fopen(name, "we");

        if (!f || fputs(text, f) < 0 || fclose(f) != 0)
                complete = (perror(name), false);
        SysFreeString(text);
}

static HRESULT back_up(void) {
        IVssExamineWriterMetadata *metadata;
        char **volumes, name[32];
        VSS_ID id, set;
        BSTR text;
        UINT n;

        TRY(CreateVssBackupComponents(&backup));
        TRY(IVssBackupComponents_InitializeForBackup(backup, NULL));
        TRY(IVssBackupComponents_SetBackupState(backup, true, false, VSS_BT_FULL, false));
        TRY(run(IVssBackupComponents_GatherWriterMetadata));
        TRY(VssSelection_CreateForBackup(backup, &selection));
        TRY(VssSelection_Choose(selection, GUID_NULL, NULL, NULL)); /* everything */
        TRY(VssSelection_Complete(selection, &n, NULL));
        if (n == 0)
                return fputs("no writer has anything to save\n", stderr), S_FALSE;
        TRY(VssSelection_AddComponents(selection, backup));
        TRY(IVssBackupComponents_StartSnapshotSet(backup, &set));
        TRY(VssSelection_ListVolumes(selection, VSS_BT_FULL, &volumes));
        for (n = 0; volumes[n]; n++)
                TRY(IVssBackupComponents_AddToSnapshotSet(backup, volumes[n], GUID_NULL, &id));
        VssFreeStrings(volumes);
        TRY(run(IVssBackupComponents_PrepareForBackup));
        if (n > 0) /* else every file may be read where it is */
                TRY(run(IVssBackupComponents_DoSnapshotSet));
        TRY(VssSelection_SetSource(selection, n > 0 ? set : GUID_NULL));
        TRY(save_components());
        TRY(run(IVssBackupComponents_BackupComplete));
        TRY(IVssBackupComponents_SaveAsXML(backup, &text));
        save_text("BCDocument.xml", text);
        for (UINT i = 0; IVssBackupComponents_GetWriterMetadata(backup, i, &id, &metadata) == S_OK;
             i++, IVssExamineWriterMetadata_Release(metadata)) {
                TRY(IVssExamineWriterMetadata_SaveAsXML(metadata, &text));
                snprintf(name, sizeof(name), "WM%u.xml", i);
                save_text(name, text);
        }
        return S_OK;
}

int main(int argc, char *argv[]) {
        if (argc != 2 || chdir(argv[1]) < 0)
                return argc == 2 ? perror(argv[1]) : (void)fputs("name a directory\n", stderr), 2;
        if (FAILED(hr = back_up()))
                fprintf(stderr, "%s\n", VssLastErrorMessage());
        VssSelection_Release(selection);
        return IVssBackupComponents_Release(backup) != 0 || hr != S_OK || !complete; /* copies go */
}
