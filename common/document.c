/* A document is bytes in memory, or a sealed memfd, or both: text that goes out as a memfd is
 * copied into one once, and what came in as one is mapped only if somebody reads it. The counter
 * is atomic, the rest belongs to one thread at a time. */

#include "common/document.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

/* What must hold of a memfd, so that its text is the same whenever it is looked at. */
#define REQUIRED_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

struct document {
        atomic_uint n_refs;
        char *text; /* malloc'ed, or the mapping; NULL: not mapped yet */
        size_t size;
        size_t map_size; /* 0: text is malloc'ed */
        int fd;          /* the memfd; -1: none */
};

static struct document *document_alloc(size_t size) {
        struct document *d = malloc(sizeof(*d));

        if (d) {
                *d = (struct document){ .size = size, .fd = -1 };
                atomic_init(&d->n_refs, 1);
        }
        return d;
}

int document_new(struct document **ret, char *text, size_t size, struct vss_error *reterr) {
        _cleanup_(freep) char *owned = text;
        _cleanup_(document_unrefp) struct document *d = NULL;
        char *grown;

        if (size > DOCUMENT_MAX)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The document has %zu bytes; %u are the most", size,
                                     DOCUMENT_MAX);
        d = document_alloc(size);
        grown = d ? realloc(owned, size + 1) : NULL; /* whoever made it counted no 0, perhaps */
        if (!grown)
                return vss_error_from_errno(reterr, -ENOMEM, "The document");
        (void)TAKE_PTR(owned);
        grown[size] = '\0';
        d->text = grown;
        *ret = TAKE_PTR(d);
        return 0;
}

struct document *document_ref(struct document *d) {
        if (d)
                (void)atomic_fetch_add_explicit(&d->n_refs, 1, memory_order_relaxed);
        return d;
}

struct document *document_unref(struct document *d) {
        if (!d || atomic_fetch_sub_explicit(&d->n_refs, 1, memory_order_acq_rel) != 1)
                return NULL;
        document_unmap(d);
        free(d->text);
        (void)safe_close(d->fd);
        free(d);
        return NULL;
}

size_t document_size(const struct document *d) {
        return d->size;
}

/* One anonymous byte more than the file, so that there is room for the final 0 also when the text
 * ends with its page. The mapping is private: the 0 is ours alone, and what its sender left behind
 * the end of the file is not looked at. */
static char *map_text(int fd, size_t size, size_t *ret_map_size) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t map_size = (size + 1 + page - 1) / page * page;
        char *at;

        at = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
                return NULL;
        if (mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) {
                (void)munmap(at, map_size); /* our own mapping */
                return NULL;
        }
        at[size] = '\0';
        /* Who locks memory (mlockall) would else be given a copy of every page that is writable. */
        if (mprotect(at, map_size, PROT_READ) < 0) {
                (void)munmap(at, map_size); /* our own mapping */
                return NULL;
        }
        *ret_map_size = map_size;
        return at;
}

const char *document_text(struct document *d) {
        if (!d->text)
                d->text = map_text(d->fd, d->size, &d->map_size);
        return d->text;
}

void document_unmap(struct document *d) {
        if (d->map_size == 0)
                return;
        (void)munmap(d->text, d->map_size); /* our own mapping */
        d->text = NULL;
        d->map_size = 0;
}

static int make_memfd(const char *text, size_t size) {
        _cleanup_(closep) int fd = memfd_create("vss-document", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0)
                return -errno;
        while (size > 0) {
                ssize_t n = write(fd, text, size);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        text += n;
                        size -= (size_t)n;
                }
        }
        if (fcntl(fd, F_ADD_SEALS, REQUIRED_SEALS | F_SEAL_SEAL) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* libdbus takes no other text for a string: UTF-16, for one, goes as a memfd whatever its size. */
static bool goes_inline(const struct document *d) {
        return d->fd < 0 && d->size <= DOCUMENT_INLINE_MAX && strlen(d->text) == d->size &&
               dbus_validate_utf8(d->text, NULL);
}

int document_prepare(struct document *d) {
        int fd;

        if (goes_inline(d) || d->fd >= 0)
                return 0;
        fd = make_memfd(d->text, d->size);
        if (fd < 0)
                return fd;
        d->fd = fd;
        return 0;
}

static int append_value(DBusMessageIter *iter, int type, const char *signature, const void *value) {
        DBusMessageIter variant = DBUS_MESSAGE_ITER_INIT_CLOSED;

        if (!dbus_message_iter_open_container(iter, DBUS_TYPE_VARIANT, signature, &variant))
                return -ENOMEM;
        if (!dbus_message_iter_append_basic(&variant, type, value)) {
                dbus_message_iter_abandon_container(iter, &variant);
                return -ENOMEM;
        }
        return dbus_message_iter_close_container(iter, &variant) ? 0 : -ENOMEM;
}

int document_append(DBusMessageIter *iter, struct document *d) {
        const char *text = d ? d->text : "";
        int r;

        if (!d || goes_inline(d))
                return append_value(iter, DBUS_TYPE_STRING, DBUS_TYPE_STRING_AS_STRING, &text);
        r = document_prepare(d);
        if (r < 0)
                return r;
        return append_value(iter, DBUS_TYPE_UNIX_FD, DBUS_TYPE_UNIX_FD_AS_STRING, &d->fd);
}

static int refuse_size(const char *what, size_t size, size_t max, struct vss_error *reterr) {
        return vss_error_set(reterr, E_INVALIDARG, 0, "%s has %zu bytes; %zu are the most", what,
                             size, max);
}

static int read_string(DBusMessageIter *iter, const char *what, size_t max, struct document **ret,
                       struct vss_error *reterr) {
        const char *text;
        size_t size;
        char *copy;

        dbus_message_iter_get_basic(iter, &text);
        size = strlen(text);
        if (size > max)
                return refuse_size(what, size, max, reterr);
        if (size == 0) {
                *ret = NULL;
                return 0;
        }
        copy = malloc(size + 1);
        if (!copy)
                return vss_error_from_errno(reterr, -ENOMEM, what);
        memcpy(copy, text, size + 1);
        return document_new(ret, copy, size, reterr);
}

/* Nothing that can change, block, or fail when it is read: a memfd of ordinary pages, all of them
 * there. A hole would be NULs, which no text has, and costs its sender nothing. */
static int check_fd(int fd, const char *what, size_t max, size_t *ret_size,
                    struct vss_error *reterr) {
        struct statfs file_system;
        struct stat status;
        char buf[128];
        int seals;

        if (fstat(fd, &status) < 0 || fstatfs(fd, &file_system) < 0)
                return vss_error_set(reterr, E_INVALIDARG, errno, "%s cannot be read: %s", what,
                                     strerror_r(errno, buf, sizeof(buf)));
        seals = S_ISREG(status.st_mode) && file_system.f_type == TMPFS_MAGIC
                        ? fcntl(fd, F_GET_SEALS)
                        : -1;
        if (seals < 0 || (seals & REQUIRED_SEALS) != REQUIRED_SEALS)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s must be a memfd sealed with F_SEAL_WRITE, F_SEAL_SHRINK "
                                     "and F_SEAL_GROW",
                                     what);
        if ((uint64_t)status.st_size > max)
                return refuse_size(what, (size_t)status.st_size, max, reterr);
        if (status.st_size > 0 && lseek(fd, 0, SEEK_HOLE) != status.st_size)
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s has a hole where text should be",
                                     what);
        *ret_size = (size_t)status.st_size;
        return 0;
}

static int read_fd(DBusMessageIter *iter, const char *what, size_t max, struct document **ret,
                   struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        struct document *d = NULL;
        size_t size = 0;
        int r;

        dbus_message_iter_get_basic(iter, &fd); /* a duplicate of the message's */
        r = check_fd(fd, what, max, &size, reterr);
        if (r < 0)
                return r;
        if (size > 0) {
                d = document_alloc(size);
                if (!d)
                        return vss_error_from_errno(reterr, -ENOMEM, what);
                d->fd = TAKE_FD(fd);
        }
        *ret = d;
        return 0;
}

int document_read(DBusMessageIter *iter, const char *what, size_t max, struct document **ret,
                  struct vss_error *reterr) {
        DBusMessageIter value;
        int type = DBUS_TYPE_INVALID;

        if (dbus_message_iter_get_arg_type(iter) == DBUS_TYPE_VARIANT) {
                dbus_message_iter_recurse(iter, &value);
                type = dbus_message_iter_get_arg_type(&value);
        }
        if (type == DBUS_TYPE_STRING)
                return read_string(&value, what, max, ret, reterr);
        if (type == DBUS_TYPE_UNIX_FD)
                return read_fd(&value, what, max, ret, reterr);
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "%s must be a variant that holds a string or a file descriptor", what);
}
