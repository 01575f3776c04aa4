/* See express-file.h. A file is written under a name of its own, synced, and then renamed to where
 * no file may be; so what is found under a writer's name is whole. */

#include "daemon/writers/express-file.h"

#include "common/document.h"
#include "common/express-rules.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define SUFFIX ".xml"
#define UNFINISHED_PREFIX ".new-"

void express_document_done(struct express_document *d) {
        writer_metadata_free(d->metadata);
        document_unref(d->text);
        *d = (struct express_document){ 0 };
}

void express_documents_free(struct express_document *documents, size_t n) {
        for (size_t i = 0; i < n; i++)
                express_document_done(&documents[i]);
        free(documents);
}

static int check_identity(const struct writer_metadata_identity *id, struct vss_error *reterr) {
        if (vss_id_is_null(id->writer_id) || str_empty(id->name))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "An express writer needs a writer id and a name");
        return 0;
}

int express_document_read(struct express_document *ret, struct document *text,
                          struct vss_error *reterr) {
        struct express_document d = { 0 };
        const char *xml;
        int r;

        if (document_size(text) > EXPRESS_DOCUMENT_MAX)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The metadata of an express writer may have %zu bytes, and "
                                     "this has %zu",
                                     EXPRESS_DOCUMENT_MAX, document_size(text));
        xml = document_text(text);
        if (!xml)
                return vss_error_from_errno(reterr, -ENOMEM, "Reading an express writer");
        r = writer_metadata_parse(&d.metadata, xml, document_size(text), reterr);
        if (r >= 0)
                r = check_identity(writer_metadata_identity(d.metadata), reterr);
        if (r >= 0)
                r = express_rules_check_document(d.metadata, reterr);
        if (r < 0) {
                express_document_done(&d);
                return r;
        }
        d.text = document_ref(text);
        *ret = d;
        return 0;
}

static int open_directory(const char *directory, bool make, struct vss_error *reterr) {
        char buf[128];
        int fd;

        if (make && mkdir(directory, 0700) < 0 && errno != EEXIST)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, errno, "Cannot make %s: %s",
                                     directory, strerror_r(errno, buf, sizeof(buf)));
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, errno, "Cannot open %s: %s",
                                     directory, strerror_r(errno, buf, sizeof(buf)));
        return fd;
}

static void file_name(char buf[static VSS_ID_TEXT_MAX + sizeof(SUFFIX)], VSS_ID id) {
        char text[VSS_ID_TEXT_MAX];

        (void)snprintf(buf, VSS_ID_TEXT_MAX + sizeof(SUFFIX), "%s%s", vss_id_format(id, text),
                       SUFFIX);
}

/* Only what nobody but us, or root, can have written. */
static int read_file(int directory_fd, const char *name, struct document **ret,
                     struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        _cleanup_(freep) char *text = NULL;
        size_t size, at = 0;
        struct stat st;

        fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return vss_error_from_errno(reterr, -errno, name);
        if (!S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0) ||
            (st.st_mode & (S_IWGRP | S_IWOTH)))
                return vss_error_set(reterr, E_ACCESSDENIED, EPERM,
                                     "%s is no regular file that only its owner can write", name);
        if (st.st_size <= 0 || (uint64_t)st.st_size > EXPRESS_DOCUMENT_MAX)
                return vss_error_set(reterr, E_INVALIDARG, EFBIG, "%s has %lld bytes", name,
                                     (long long)st.st_size);
        size = (size_t)st.st_size;
        text = malloc(size + 1);
        if (!text)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        while (at < size) {
                ssize_t n = read(fd, text + at, size - at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return vss_error_from_errno(reterr, -errno, name);
                if (n == 0)
                        break;
                at += (size_t)n;
        }
        return document_new(ret, TAKE_PTR(text), at, reterr);
}

static int load_file(int directory_fd, const char *name, struct express_document *ret,
                     struct vss_error *reterr) {
        _cleanup_(document_unrefp) struct document *text = NULL;
        char expected[VSS_ID_TEXT_MAX + sizeof(SUFFIX)];
        struct express_document d = { 0 };
        int r;

        r = read_file(directory_fd, name, &text, reterr);
        if (r >= 0)
                r = express_document_read(&d, text, reterr);
        if (r < 0)
                return r;
        file_name(expected, writer_metadata_identity(d.metadata)->writer_id);
        if (!streq(name, expected)) {
                express_document_done(&d);
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s has the metadata of the writer that belongs in %s", name,
                                     expected);
        }
        *ret = d;
        return 0;
}

static bool is_document(const char *name) {
        size_t n = strlen(name);

        return name[0] != '.' && n > strlen(SUFFIX) && streq(name + n - strlen(SUFFIX), SUFFIX);
}

int express_files_load(const char *directory, struct express_document **ret, size_t *ret_n,
                       struct vss_error *reterr) {
        struct express_document *found;
        struct dirent *entry;
        size_t n = 0;
        _cleanup_(closedirp) DIR *dir = NULL;
        int fd;

        fd = open_directory(directory, true, reterr);
        if (fd < 0)
                return fd;
        dir = fdopendir(fd);
        found = dir ? calloc(EXPRESS_WRITERS_MAX, sizeof(*found)) : NULL;
        if (!found) {
                if (!dir)
                        safe_close(fd);
                return vss_error_from_errno(reterr, -ENOMEM, directory);
        }
        while ((entry = readdir(dir)) && n < EXPRESS_WRITERS_MAX) {
                struct vss_error error = { 0 };

                if (strncmp(entry->d_name, UNFINISHED_PREFIX, strlen(UNFINISHED_PREFIX)) == 0)
                        (void)unlinkat(dirfd(dir), entry->d_name, 0); /* next time, then */
                if (!is_document(entry->d_name))
                        continue;
                if (load_file(dirfd(dir), entry->d_name, &found[n], &error) >= 0)
                        n++;
                else
                        log_warning("An express writer in %s is left out: %s", directory,
                                    str_or_empty(error.message));
                vss_error_done(&error);
        }
        *ret = found;
        *ret_n = n;
        return 0;
}

static int write_all(int fd, const char *text, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, text, size);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        text += n;
                        size -= (size_t)n;
                }
        }
        return fsync(fd) < 0 ? -errno : 0;
}

int express_file_write(const char *directory, VSS_ID writer_id, struct document *text,
                       struct vss_error *reterr) {
        char name[VSS_ID_TEXT_MAX + sizeof(SUFFIX)], unfinished[128];
        _cleanup_(closep) int directory_fd = -1, fd = -1;
        VSS_ID unique;
        int r;

        directory_fd = open_directory(directory, true, reterr);
        if (directory_fd < 0)
                return directory_fd;
        r = vss_id_random(&unique);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Registering an express writer");
        file_name(name, writer_id);
        (void)snprintf(unfinished, sizeof(unfinished), UNFINISHED_PREFIX "%s", VSS_ID_TEXT(unique));
        fd = openat(directory_fd, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600);
        if (fd < 0)
                return vss_error_from_errno(reterr, -errno, directory);
        r = write_all(fd, document_text(text), document_size(text));
        if (r >= 0 && renameat2(directory_fd, unfinished, directory_fd, name, RENAME_NOREPLACE) < 0)
                r = -errno;
        if (r >= 0)
                return fsync(directory_fd) < 0 ? vss_error_from_errno(reterr, -errno, directory)
                                               : 0;
        (void)unlinkat(directory_fd, unfinished, 0); /* else the next start takes it away */
        if (r == -EEXIST)
                return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EEXIST,
                                     "An express writer with the id %s is registered already; "
                                     "unregister it first",
                                     VSS_ID_TEXT(writer_id));
        return vss_error_from_errno(reterr, r, directory);
}

int express_file_remove(const char *directory, VSS_ID writer_id, struct vss_error *reterr) {
        char name[VSS_ID_TEXT_MAX + sizeof(SUFFIX)];
        _cleanup_(closep) int directory_fd = -1;

        directory_fd = open_directory(directory, true, reterr);
        if (directory_fd < 0)
                return directory_fd;
        file_name(name, writer_id);
        if (unlinkat(directory_fd, name, 0) < 0) {
                if (errno != ENOENT)
                        return vss_error_from_errno(reterr, -errno, directory);
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "There is no express writer with the id %s",
                                     VSS_ID_TEXT(writer_id));
        }
        return fsync(directory_fd) < 0 ? vss_error_from_errno(reterr, -errno, directory) : 0;
}
