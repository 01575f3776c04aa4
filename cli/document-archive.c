/* What goes in, and the file's replacement as a whole. */

#include "cli/document-archive.h"

#include "cli/document-manifest.h"
#include "cli/exit-status.h"
#include "cli/message.h"
#include "cli/tar-archive.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Failures of the stream show when it is closed. */
static HRESULT add_all(FILE *f, const struct backup_set *s) {
        _cleanup_(freep) char *manifest = document_manifest(s);
        BSTR text = NULL;
        HRESULT hr;

        if (!manifest)
                return E_OUTOFMEMORY;
        tar_archive_add(f, "Manifest.xml", manifest);
        hr = IVssBackupComponents_SaveAsXML(s->components, &text);
        if (SUCCEEDED(hr))
                tar_archive_add(f, "BCDocument.xml", text);
        for (UINT i = 0; SUCCEEDED(hr) && i < s->writers.n; i++) {
                char name[32];

                SysFreeString(TAKE_PTR(text));
                hr = IVssExamineWriterMetadata_SaveAsXML(s->writers.list[i].metadata, &text);
                if (FAILED(hr))
                        break;
                (void)snprintf(name, sizeof(name), "WM%u.xml", i);
                tar_archive_add(f, name, text);
        }
        SysFreeString(text);
        tar_archive_end(f);
        return hr;
}

static int refuse(const char *path, int error) {
        message(MESSAGE_ERROR, "cannot write the documents to %s: %s", path, strerror(error));
        return EXIT_FAILED;
}

/* Opens a new file beside path, for what is to become it. */
static int make_temporary(char **ret, int *ret_fd, const char *path) {
        _cleanup_(freep) char *temporary = NULL;
        int fd;

        if (str_format(&temporary, "%s.XXXXXX", path) < 0)
                return message_out_of_memory();
        fd = mkostemp(temporary, O_CLOEXEC); /* 0600: metadata may hold what is nobody's business */
        if (fd < 0)
                return refuse(path, errno);
        *ret = TAKE_PTR(temporary);
        *ret_fd = fd;
        return EXIT_DONE;
}

void document_archive_discard(char **path) {
        if (*path)
                (void)unlink(*path); /* what is left is useless, not harmful */
        free(*path);
}

int document_archive_check(const char *path) {
        _cleanup_(document_archive_discard) char *temporary = NULL;
        struct stat st;
        int fd, r;

        /* A device, or the link to one, would be replaced, too; a directory cannot be. */
        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
                message(MESSAGE_ERROR, "cannot write the documents to %s: it is no ordinary file",
                        path);
                return EXIT_FAILED;
        }
        r = make_temporary(&temporary, &fd, path);
        if (r == EXIT_DONE)
                (void)safe_close(fd);
        return r;
}

/* Writes a file beside path, down to the disk. */
static int save(char **ret, const char *path, const struct backup_set *s) {
        _cleanup_(document_archive_discard) char *temporary = NULL;
        int fd = -1, error, r;
        bool written;
        HRESULT hr;
        FILE *f;

        r = make_temporary(&temporary, &fd, path);
        if (r != EXIT_DONE)
                return r;
        f = fdopen(fd, "w");
        if (!f) {
                error = errno;
                (void)safe_close(fd);
                return refuse(path, error);
        }
        hr = add_all(f, s);
        written = fflush(f) == 0 && !ferror(f) && fsync(fd) == 0;
        error = errno;
        if (fclose(f) != 0 && written) {
                written = false;
                error = errno;
        }
        if (FAILED(hr))
                return message_hresult(hr, "cannot save the documents");
        if (!written)
                return refuse(path, error);
        *ret = TAKE_PTR(temporary);
        return EXIT_DONE;
}

/* The saved file becomes path. */
static int publish(char **saved, const char *path) {
        if (rename(*saved, path) < 0)
                return refuse(path, errno);
        free(TAKE_PTR(*saved));
        return EXIT_DONE;
}

int document_archive_write(const char *path, const struct backup_set *s) {
        _cleanup_(document_archive_discard) char *saved = NULL;
        int r;

        r = save(&saved, path, s);
        return r == EXIT_DONE ? publish(&saved, path) : r;
}

int document_archive_conclude(const char *path, struct backup_set *s) {
        _cleanup_(document_archive_discard) char *before = NULL, *after = NULL;
        int r, q;

        if (!path)
                return backup_set_complete(s);
        r = save(&before, path, s);
        if (r == EXIT_DONE)
                r = backup_set_complete(s);
        if (r != EXIT_DONE && r != EXIT_PARTIAL)
                return r;
        /* Failing that, a restore needs the former all the more. */
        if (save(&after, path, s) != EXIT_DONE) {
                message(MESSAGE_NOTICE,
                        "%s is as it was before the writers were told that the "
                        "backup is complete",
                        path);
                r = EXIT_PARTIAL;
        }
        q = publish(after ? &after : &before, path);
        return q == EXIT_DONE ? r : q;
}
