/* A backup program: saves the files of all components of all writers, as they were at one instant,
 * and the documents that a restore needs.
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
#define TRY(call)              \
        if (FAILED(hr = call)) \
        return hr

/* Begins an operation and waits for its end. */
static HRESULT run(HRESULT (*begin)(IVssBackupComponents *, IVssAsync **)) {
        HRESULT hr, result = S_OK;
        IVssAsync *async = NULL;

        if (SUCCEEDED(hr = begin(backup, &async)) &&
            SUCCEEDED(hr = IVssAsync_Wait(async, INFINITE)))
                hr = IVssAsync_QueryStatus(async, &result, NULL);
        return IVssAsync_Release(async), FAILED(hr) ? hr : result;
}

/* A writer's veto fails no call: it is read here. */
static HRESULT look_at_writers(void) {
        VSS_WRITER_STATE state;
        VSS_ID instance, writer;
        HRESULT hr, failure;
        BSTR name;

        TRY(run(IVssBackupComponents_GatherWriterStatus));
        for (UINT i = 0; IVssBackupComponents_GetWriterStatus(backup, i, &instance, &writer, &name,
                                                              &state, &failure) == S_OK;
             i++, SysFreeString(name))
                if (FAILED(failure))
                        fprintf(stderr, "%s: %s\n", name, VssHresultMessage(failure));
        return IVssBackupComponents_FreeWriterStatus(backup);
}

/* From its directory, which is open: no link that appears meanwhile leads elsewhere. */
static bool copy(const VSS_FILE *file, const char *to) {
        int in = openat(file->directory, file->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ssize_t n = 1;

        while (n > 0)
                n = sendfile(out, in, NULL, 1 << 20);
        close(in);
        n |= fsync(out);
        return close(out) == 0 && n == 0;
}

/* To files/PATH, with the directories above it. user: is all well so far? */
static HRESULT on_file(void *user, const VSS_FILE *file) {
        char to[8192], link[4096] = "";
        mode_t type = file->status->st_mode & S_IFMT;

        snprintf(to, sizeof(to), "files%s", file->path);
        for (char *c = to; (c = strchr(c, '/')) != NULL; *c++ = '/') {
                *c = '\0';
                (void)mkdir(to, 0700); /* what fails here, fails below */
        }
        if ((type == S_IFREG && !copy(file, to)) ||
            (type == S_IFDIR && mkdir(to, 0700) < 0 && errno != EEXIST) ||
            (type == S_IFLNK &&
             (readlinkat(file->directory, file->name, link, 4095) < 0 || symlink(link, to) < 0)))
                *(bool *)user = (perror(file->path), false);
        return S_OK;
}

/* A component, and those that it stands for. */
static HRESULT save(UINT i, const VSS_SELECTED_COMPONENT *c) {
        bool ok = true;
        VSS_FILE_REQUEST request = {
                sizeof(request), VSS_BT_FULL, false, NULL, &ok, on_file, NULL
        };

        if (FAILED(VssSelection_ListFiles(selection, i, &request)))
                ok = (fprintf(stderr, "%s: %s\n", c->name, VssLastErrorMessage()), false);
        return IVssBackupComponents_SetBackupSucceeded(backup, c->instance_id, c->writer_id,
                                                       c->type, c->logical_path, c->name, ok);
}

static HRESULT save_text(const char *name, BSTR text) {
        FILE *f = fopen(name, "we");
        bool ok = f && fputs(text, f) >= 0 && fclose(f) == 0;

        return SysFreeString(text), ok ? S_OK : (perror(name), E_FAIL);
}

static HRESULT back_up(void) {
        const VSS_SELECTED_COMPONENT *c;
        IVssExamineWriterMetadata *metadata;
        char **volumes, name[32];
        VSS_ID id, set;
        HRESULT hr;
        BSTR text;

        TRY(CreateVssBackupComponents(&backup));
        TRY(IVssBackupComponents_InitializeForBackup(backup, NULL));
        TRY(IVssBackupComponents_SetBackupState(backup, true, false, VSS_BT_FULL, false));
        TRY(run(IVssBackupComponents_GatherWriterMetadata));
        TRY(VssSelection_CreateForBackup(backup, &selection));
        TRY(VssSelection_Choose(selection, GUID_NULL, NULL, NULL)); /* everything */
        TRY(VssSelection_Complete(selection, NULL, NULL));
        TRY(VssSelection_AddComponents(selection, backup));
        TRY(IVssBackupComponents_StartSnapshotSet(backup, &set));
        TRY(VssSelection_ListVolumes(selection, VSS_BT_FULL, &volumes));
        for (char **v = volumes; *v; v++)
                TRY(IVssBackupComponents_AddToSnapshotSet(backup, *v, GUID_NULL, &id));
        VssFreeStrings(volumes);
        TRY(run(IVssBackupComponents_PrepareForBackup));
        TRY(look_at_writers());
        TRY(run(IVssBackupComponents_DoSnapshotSet));
        TRY(look_at_writers());
        TRY(VssSelection_SetSource(selection, set));
        for (UINT i = 0; (c = VssSelection_GetComponent(selection, i)) != NULL; i++)
                if (c->is_explicit)
                        TRY(save(i, c));
        TRY(run(IVssBackupComponents_BackupComplete));
        TRY(IVssBackupComponents_SaveAsXML(backup, &text));
        TRY(save_text("BCDocument.xml", text));
        for (UINT i = 0; IVssBackupComponents_GetWriterMetadata(backup, i, &id, &metadata) == S_OK;
             i++, IVssExamineWriterMetadata_Release(metadata)) {
                TRY(IVssExamineWriterMetadata_SaveAsXML(metadata, &text));
                snprintf(name, sizeof(name), "WM%u.xml", i);
                TRY(save_text(name, text));
        }
        return S_OK;
}

int main(int argc, char *argv[]) {
        HRESULT hr;

        if (argc != 2 || chdir(argv[1]) < 0)
                return perror(argc == 2 ? argv[1] : "name a directory"), 2;
        if (FAILED(hr = back_up()))
                fprintf(stderr, "%s\n", VssLastErrorMessage());
        VssSelection_Release(selection);
        return IVssBackupComponents_Release(backup) != 0 || FAILED(hr); /* the copies go */
}
