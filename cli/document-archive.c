/* What goes in, and the file's replacement as a whole. */

#include "cli/document-archive.h"

#include "cli/document-manifest.h"
#include "cli/exit-status.h"
#include "cli/message.h"
#include "cli/tar-archive.h"

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

int document_archive_write(const char *path, const struct backup_set *s) {
        _cleanup_(freep) char *temporary = NULL;
        bool written;
        HRESULT hr;
        FILE *f;
        int fd, error;

        if (str_format(&temporary, "%s.XXXXXX", path) < 0)
                return message_out_of_memory();
        fd = mkstemp(temporary); /* mode 0600: metadata may hold what is nobody's business */
        f = fd < 0 ? NULL : fdopen(fd, "w");
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
        if (SUCCEEDED(hr) && written && rename(temporary, path) == 0)
                return EXIT_DONE;
        if (SUCCEEDED(hr) && written)
                error = errno;
        (void)unlink(temporary); /* what is left is useless, not harmful */
        return FAILED(hr) ? message_hresult(hr, "cannot save the documents") : refuse(path, error);
}
