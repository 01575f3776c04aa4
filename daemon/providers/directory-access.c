/* See directory-access.h. Stateless. */

#include "daemon/providers/directory-access.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define ACL "system.posix_acl_access"
#define ALL (ACL_READ | ACL_WRITE | ACL_EXECUTE)

#define NOBODY UINT32_MAX /* of an entry that names nobody */
#define MODEL_ENTRIES 512

/* As the kernel hands it out: the entries in the order of their tags. */
struct acl {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[MODEL_ENTRIES + 2]; /* an owner and a mask more */
};

struct directory_access {
        gid_t gid;
        size_t n;
        struct acl acl;
};

struct directory_access *directory_access_free(struct directory_access *a) {
        free(a);
        return NULL;
}

static struct posix_acl_xattr_entry entry_of(unsigned tag, unsigned perm, uint32_t id) {
        return (struct posix_acl_xattr_entry){
                .e_tag = htole16((uint16_t)tag),
                .e_perm = htole16((uint16_t)perm),
                .e_id = htole32(id),
        };
}

static void add(struct acl *acl, size_t *n, unsigned tag, unsigned perm, uint32_t id) {
        acl->entries[(*n)++] = entry_of(tag, perm, id);
}

static unsigned tag_of(const struct posix_acl_xattr_entry *e) {
        return le16toh(e->e_tag);
}

/* Its list, or what its mode would be as one. */
static int read_acl(const char *path, const struct stat *st, struct acl *ret, size_t *ret_n) {
        ssize_t size;

        *ret_n = 0;
        size = lgetxattr(path, ACL, ret, offsetof(struct acl, entries[MODEL_ENTRIES]));
        if (size < 0 && errno != ENODATA && errno != EOPNOTSUPP)
                return -errno;
        if (size < 0) {
                add(ret, ret_n, ACL_USER_OBJ, st->st_mode >> 6 & ALL, NOBODY);
                add(ret, ret_n, ACL_GROUP_OBJ, st->st_mode >> 3 & ALL, NOBODY);
                add(ret, ret_n, ACL_OTHER, st->st_mode & ALL, NOBODY);
                return 0;
        }
        if ((size_t)size < sizeof(ret->header) ||
            le32toh(ret->header.a_version) != POSIX_ACL_XATTR_VERSION)
                return -EBADMSG;
        *ret_n = ((size_t)size - sizeof(ret->header)) / sizeof(ret->entries[0]);
        return 0;
}

/* Those who may enter may list it as well: what is in it are times, and names that the mount table
 * shows everybody. */
static unsigned view(unsigned perm) {
        return perm & ACL_EXECUTE ? ACL_READ | ACL_EXECUTE : 0;
}

/* The same for a directory that is root's: its owner becomes one of the named users, and what the
 * mask took from the others they do not have. */
static void translate(const struct acl *model, size_t n_model, uid_t owner, struct acl *ret,
                      size_t *ret_n) {
        unsigned mask = ALL;
        bool extended = false;

        for (size_t i = 0; i < n_model; i++)
                if (tag_of(&model->entries[i]) == ACL_MASK)
                        mask = le16toh(model->entries[i].e_perm);
        for (size_t i = 0; i < n_model; i++) {
                const struct posix_acl_xattr_entry *e = &model->entries[i];
                unsigned tag = tag_of(e), perm = le16toh(e->e_perm);
                uint32_t id = le32toh(e->e_id);

                switch (tag) {
                case ACL_USER_OBJ:
                        add(ret, ret_n, tag, ALL, NOBODY);
                        if (owner != 0)
                                add(ret, ret_n, ACL_USER, view(perm), owner);
                        extended = extended || owner != 0;
                        break;
                case ACL_USER:
                        if (id != owner) /* whom the entry of the owner is for */
                                add(ret, ret_n, tag, view(perm & mask), id);
                        extended = true;
                        break;
                case ACL_GROUP_OBJ: add(ret, ret_n, tag, view(perm & mask), id); break;
                case ACL_GROUP:
                        add(ret, ret_n, tag, view(perm & mask), id);
                        extended = true;
                        break;
                case ACL_OTHER:
                        if (extended)
                                add(ret, ret_n, ACL_MASK, view(ALL), NOBODY);
                        add(ret, ret_n, tag, view(perm), NOBODY);
                        break;
                }
        }
}

int directory_access_read(struct directory_access **ret, const char *path) {
        _cleanup_(directory_access_freep) struct directory_access *a = calloc(1, sizeof(*a));
        _cleanup_(freep) struct acl *model = calloc(1, sizeof(*model));
        struct stat st;
        size_t n;
        int r;

        if (!a || !model)
                return -ENOMEM;
        if (lstat(path, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode))
                return -ENOTDIR;
        r = read_acl(path, &st, model, &n);
        if (r < 0)
                return r;
        a->gid = st.st_gid;
        a->acl.header.a_version = htole32(POSIX_ACL_XATTR_VERSION);
        translate(model, n, st.st_uid, &a->acl, &a->n);
        *ret = TAKE_PTR(a);
        return 0;
}

static int give(const struct directory_access *a, int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        /* What one group may is not the next one's. */
        if ((st.st_uid != 0 || st.st_gid != a->gid) &&
            (fchmod(fd, 0700) < 0 || fchown(fd, 0, a->gid) < 0))
                return -errno;
        if (fsetxattr(fd, ACL, &a->acl, offsetof(struct acl, entries[a->n]), 0) < 0)
                return -errno;
        return 0;
}

int directory_access_give(const struct directory_access *a, int fd) {
        int r = a ? give(a, fd) : -ENOENT;

        if (r >= 0)
                return 0;
        return fchmod(fd, 0700) < 0 ? -errno : 0;
}
