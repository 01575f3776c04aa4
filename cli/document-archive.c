/* ustar, as POSIX has it: a header of 512 bytes per file, everything in blocks of that size. */

#include "cli/document-archive.h"

#include "cli/exit-status.h"
#include "cli/message.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define BLOCK 512

/* What a header has room for. */
#define SIZE_MAX_OCTAL 077777777777ull

struct header {
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
        char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155];
        char padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

static void add(FILE *f, const char *name, const char *text) {
        static const char zeroes[BLOCK];
        struct header h = { .type = '0', .magic = "ustar", .version = { '0', '0' } };
        unsigned long long size = strlen(text); /* documents have at most 256 MiB */
        unsigned sum = 0;

        (void)snprintf(h.name, sizeof(h.name), "%s", name);
        (void)snprintf(h.mode, sizeof(h.mode), "%07o", 0600u);
        (void)snprintf(h.uid, sizeof(h.uid), "%07o", 0u);
        (void)snprintf(h.gid, sizeof(h.gid), "%07o", 0u);
        (void)snprintf(h.size, sizeof(h.size), "%011llo", size & SIZE_MAX_OCTAL);
        (void)snprintf(h.mtime, sizeof(h.mtime), "%011llo",
                       (unsigned long long)time(NULL) & SIZE_MAX_OCTAL);
        memset(h.checksum, ' ', sizeof(h.checksum));
        for (size_t i = 0; i < sizeof(h); i++)
                sum += ((const unsigned char *)&h)[i];
        (void)snprintf(h.checksum, sizeof(h.checksum) - 1, "%06o", sum);
        fwrite(&h, 1, sizeof(h), f);
        fwrite(text, 1, (size_t)size, f);
        fwrite(zeroes, 1, (size_t)((BLOCK - size % BLOCK) % BLOCK), f);
}

/* Failures of the stream show when it is closed. */
static HRESULT add_all(FILE *f, const struct backup_set *s) {
        static const char end[2 * BLOCK];
        BSTR text = NULL;
        HRESULT hr;

        hr = IVssBackupComponents_SaveAsXML(s->components, &text);
        if (SUCCEEDED(hr))
                add(f, "BCDocument.xml", text);
        for (UINT i = 0; SUCCEEDED(hr) && i < s->writers.n; i++) {
                char name[32];

                SysFreeString(TAKE_PTR(text));
                hr = IVssExamineWriterMetadata_SaveAsXML(s->writers.list[i].metadata, &text);
                if (FAILED(hr))
                        break;
                (void)snprintf(name, sizeof(name), "WM%u.xml", i);
                add(f, name, text);
        }
        SysFreeString(text);
        fwrite(end, 1, sizeof(end), f);
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
