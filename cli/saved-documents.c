/* Whatever else is in the archive is passed over. */

#include "cli/saved-documents.h"

#include "cli/exit-status.h"
#include "cli/message.h"
#include "cli/tar-archive.h"

#include <fcntl.h>
#include <sys/stat.h>

#define COMPONENTS "BCDocument.xml"
/* Of one document, as the service takes them. */
#define SIZE_MAX_READ ((uint64_t)256 * 1024 * 1024)
#define WRITERS_MAX 65536

void saved_documents_done(struct saved_documents *d) {
        free(d->components);
        strv_free(d->metadata);
        *d = (struct saved_documents){ 0 };
}

/* What there is on the way to that: metadata by number, with holes. */
struct reading {
        char *components;
        char **metadata;
        size_t n;
};

static void reading_done(struct reading *r) {
        free(r->components);
        for (size_t i = 0; i < r->n; i++)
                free(r->metadata[i]);
        free(r->metadata);
}

/* Where a member of this name belongs; NULL: nowhere, or (with -ENOMEM) no memory. */
static char **place_of(struct reading *r, const char *name, int *ret_error) {
        char again[TAR_ARCHIVE_NAME_MAX];
        unsigned i;

        *ret_error = 0;
        if (streq(name, COMPONENTS))
                return &r->components;
        if (sscanf(name, "WM%5u.xml", &i) != 1 || i >= WRITERS_MAX)
                return NULL;
        (void)snprintf(again, sizeof(again), "WM%u.xml", i);
        if (!streq(name, again))
                return NULL;
        if (i >= r->n) {
                char **grown = reallocarray(r->metadata, i + (size_t)1, sizeof(*grown));

                if (!grown) {
                        *ret_error = -ENOMEM;
                        return NULL;
                }
                r->metadata = grown;
                while (r->n <= i)
                        r->metadata[r->n++] = NULL;
        }
        return &r->metadata[i];
}

/* Of two members of one name the later counts, as it does when they are unpacked. */
static int take(struct reading *r, FILE *f, const char *name, uint64_t size) {
        char **place, *text;
        int error;

        place = place_of(r, name, &error);
        if (error < 0)
                return error;
        if (!place)
                return tar_archive_skip(f, size);
        if (size > SIZE_MAX_READ)
                return -EFBIG;
        error = tar_archive_read(f, size, &text);
        if (error < 0)
                return error;
        free(*place);
        *place = text;
        return 0;
}

static int read_archive(struct reading *r, FILE *f) {
        char name[TAR_ARCHIVE_NAME_MAX];
        uint64_t size;
        int q;

        while ((q = tar_archive_next(f, name, &size)) > 0) {
                q = take(r, f, name, size);
                if (q < 0)
                        break;
        }
        return q;
}

/* -ENOENT: there is none of this name. */
static int read_file(char **ret, int directory, const char *name) {
        _cleanup_(fclosep) FILE *f = NULL;
        struct stat st;
        int fd;

        fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        f = fd < 0 ? NULL : fdopen(fd, "r");
        if (!f) {
                int error = -errno;

                (void)safe_close(fd);
                return error;
        }
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        if ((uint64_t)st.st_size > SIZE_MAX_READ)
                return -EFBIG;
        return tar_archive_read_text(f, (uint64_t)st.st_size, ret);
}

static int read_directory(struct reading *r, int fd) {
        int q = read_file(&r->components, fd, COMPONENTS);

        if (q == -ENOENT) /* settle() says so: the directory is there */
                q = 0;
        for (unsigned i = 0; q >= 0 && i < WRITERS_MAX; i++) {
                char name[32], **place;

                (void)snprintf(name, sizeof(name), "WM%u.xml", i);
                if (faccessat(fd, name, F_OK, 0) < 0)
                        break;
                place = place_of(r, name, &q);
                if (place)
                        q = read_file(place, fd, name);
        }
        return q;
}

static int refuse(const char *path, int error) {
        if (error == -ENOMEM)
                return message_out_of_memory();
        if (error == -EBADMSG)
                message(MESSAGE_ERROR,
                        "%s: this is no directory and no tar archive with " COMPONENTS
                        " and WM0.xml, ... in it, in UTF-8, or it is damaged",
                        path);
        else
                message(MESSAGE_ERROR, "%s: %s", path, strerror(-error));
        return EXIT_FAILED;
}

static int settle(struct saved_documents *ret, struct reading *r, const char *path) {
        if (!r->components) {
                message(MESSAGE_ERROR, "%s: there is no " COMPONENTS " in it", path);
                return EXIT_FAILED;
        }
        for (size_t i = 0; i < r->n; i++)
                if (!r->metadata[i]) {
                        message(MESSAGE_ERROR, "%s: WM%zu.xml is missing", path, i);
                        return EXIT_FAILED;
                }
        ret->metadata = calloc(r->n + 1, sizeof(*ret->metadata));
        if (!ret->metadata)
                return message_out_of_memory();
        for (size_t i = 0; i < r->n; i++)
                ret->metadata[i] = TAKE_PTR(r->metadata[i]);
        ret->components = TAKE_PTR(r->components);
        return EXIT_DONE;
}

int saved_documents_read(struct saved_documents *ret, const char *path) {
        _cleanup_(reading_done) struct reading r = { 0 };
        _cleanup_(fclosep) FILE *f = fopen(path, "re");
        struct stat st;
        int q;

        *ret = (struct saved_documents){ 0 };
        if (!f || fstat(fileno(f), &st) < 0)
                return refuse(path, -errno);
        q = S_ISDIR(st.st_mode) ? read_directory(&r, fileno(f)) : read_archive(&r, f);
        return q < 0 ? refuse(path, q) : settle(ret, &r, path);
}
