/* mountinfo, sorted by path; of two mounts at one path the last hides the first. */

#include "libvssclient/files/mount-table.h"

#include "libvssclient/files/file-path.h"

struct mount_table {
        struct mount *mounts;
        size_t n;
        bool of_copies;
};

/* What is not here is local: a file system on a block device, an overlay, a tmpfs. */
static const struct {
        const char *fs_type;
        enum mount_kind kind;
} kinds[] = {
        { "9p", MOUNT_REMOTE },         { "afs", MOUNT_REMOTE },
        { "ceph", MOUNT_REMOTE },       { "cifs", MOUNT_REMOTE },
        { "coda", MOUNT_REMOTE },       { "fuse", MOUNT_REMOTE },
        { "gfs2", MOUNT_REMOTE },       { "glusterfs", MOUNT_REMOTE },
        { "lustre", MOUNT_REMOTE },     { "ncpfs", MOUNT_REMOTE },
        { "nfs", MOUNT_REMOTE },        { "nfs4", MOUNT_REMOTE },
        { "ocfs2", MOUNT_REMOTE },      { "orangefs", MOUNT_REMOTE },
        { "smb3", MOUNT_REMOTE },       { "smbfs", MOUNT_REMOTE },
        { "autofs", MOUNT_PSEUDO },     { "binfmt_misc", MOUNT_PSEUDO },
        { "bpf", MOUNT_PSEUDO },        { "cgroup", MOUNT_PSEUDO },
        { "cgroup2", MOUNT_PSEUDO },    { "configfs", MOUNT_PSEUDO },
        { "debugfs", MOUNT_PSEUDO },    { "devpts", MOUNT_PSEUDO },
        { "devtmpfs", MOUNT_PSEUDO },   { "efivarfs", MOUNT_PSEUDO },
        { "fusectl", MOUNT_PSEUDO },    { "hugetlbfs", MOUNT_PSEUDO },
        { "mqueue", MOUNT_PSEUDO },     { "nsfs", MOUNT_PSEUDO },
        { "proc", MOUNT_PSEUDO },       { "pstore", MOUNT_PSEUDO },
        { "rpc_pipefs", MOUNT_PSEUDO }, { "securityfs", MOUNT_PSEUDO },
        { "selinuxfs", MOUNT_PSEUDO },  { "sysfs", MOUNT_PSEUDO },
        { "tracefs", MOUNT_PSEUDO },
};

static const char *const kind_names[_MOUNT_KIND_MAX] = {
        [MOUNT_LOCAL] = "local",
        [MOUNT_REMOTE] = "remote",
        [MOUNT_PSEUDO] = "pseudo",
};

const char *mount_kind_to_string(enum mount_kind kind) {
        return (size_t)kind < _MOUNT_KIND_MAX ? kind_names[kind] : NULL;
}

static enum mount_kind kind_of(const char *fs_type) {
        /* "fuse.sshfs" is fuse; fuseblk (ntfs-3g) is on a block device, in user space. */
        if (strncmp(fs_type, "fuse.", 5) == 0 || streq(fs_type, "fuseblk"))
                return MOUNT_REMOTE;
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (streq(kinds[i].fs_type, fs_type))
                        return kinds[i].kind;
        return MOUNT_LOCAL;
}

static void mount_done(struct mount *m) {
        free(m->path);
        free(m->root);
        free(m->fs_type);
        free(m->copy);
}

struct mount_table *mount_table_free(struct mount_table *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n; i++)
                mount_done(&t->mounts[i]);
        free(t->mounts);
        free(t);
        return NULL;
}

/* "\040" and the like, in place. */
static void unescape(char *s) {
        char *to = s;

        while (*s != '\0') {
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
                    s[3] >= '0' && s[3] <= '7') {
                        *to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
                        s += 4;
                } else
                        *to++ = *s++;
        }
        *to = '\0';
}

/* The root of what is mounted is no path of files for every file system ("mnt:[4026531840]"). */
static int copy_path(char **ret, const char *path) {
        if (file_path_normalise(ret, path, NULL) >= 0)
                return 0;
        *ret = strdup(path);
        return *ret ? 0 : -ENOMEM;
}

/* 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue */
static int parse(struct mount *ret, char *line) {
        struct mount m = { 0 };
        char *field[5], *rest = line, *type;

        for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
                field[i] = strsep(&rest, " ");
                if (!rest)
                        return -EINVAL;
        }
        type = strstr(rest, " - ");
        if (!type || sscanf(field[2], "%u:%u", &m.major, &m.minor) != 2)
                return -EINVAL;
        type += 3;
        type[strcspn(type, " \n")] = '\0';
        unescape(field[3]);
        unescape(field[4]);
        m.kind = kind_of(type);
        m.fs_type = strdup(type);
        if (!m.fs_type || copy_path(&m.root, field[3]) < 0 || copy_path(&m.path, field[4]) < 0) {
                mount_done(&m);
                return -ENOMEM;
        }
        *ret = m;
        return 0;
}

/* Takes m over, on failure too. */
static int append(struct mount_table *t, struct mount *m) {
        struct mount *grown = reallocarray(t->mounts, t->n + 1, sizeof(*grown));

        if (!grown) {
                mount_done(m);
                return -ENOMEM;
        }
        t->mounts = grown;
        t->mounts[t->n++] = *m;
        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(((const struct mount *)a)->path, ((const struct mount *)b)->path);
}

/* Stable, so that the last of those at one path is the last mounted. */
static void sort(struct mount_table *t) {
        size_t kept = 0;

        for (size_t i = 1; i < t->n; i++) {
                struct mount m = t->mounts[i];
                size_t j = i;

                for (; j > 0 && compare(&t->mounts[j - 1], &m) > 0; j--)
                        t->mounts[j] = t->mounts[j - 1];
                t->mounts[j] = m;
        }
        for (size_t i = 0; i < t->n; i++) {
                if (kept > 0 && streq(t->mounts[kept - 1].path, t->mounts[i].path))
                        mount_done(&t->mounts[--kept]);
                t->mounts[kept++] = t->mounts[i];
        }
        t->n = kept;
}

static void free_text(char **text) {
        free(*text);
}

int mount_table_new(struct mount_table **ret, FILE *mountinfo, struct vss_error *reterr) {
        _cleanup_(mount_table_freep) struct mount_table *t = calloc(1, sizeof(*t));
        _cleanup_(free_text) char *line = NULL;
        size_t size = 0;

        if (!t)
                return vss_error_from_errno(reterr, -ENOMEM, "The table of mounts");
        while (getline(&line, &size, mountinfo) >= 0) {
                struct mount m;
                int r = parse(&m, line);

                if (r >= 0)
                        r = append(t, &m);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, "The table of mounts");
        }
        if (ferror(mountinfo))
                return vss_error_from_errno(reterr, -EIO, "The table of mounts");
        sort(t);
        *ret = TAKE_PTR(t);
        return 0;
}

static struct mount *at(const struct mount_table *t, const char *path) {
        struct mount key = { .path = (char *)path };

        return t->n == 0 ? NULL : bsearch(&key, t->mounts, t->n, sizeof(key), compare);
}

const struct mount *mount_table_at(const struct mount_table *t, const char *path) {
        return at(t, path);
}

/* At the first n bytes of path. */
static const struct mount *at_prefix(const struct mount_table *t, const char *path, size_t n) {
        size_t low = 0, high = t->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const char *other = t->mounts[middle].path;
                int order = strncmp(other, path, n);

                if (order == 0 && other[n] == '\0')
                        return &t->mounts[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

const struct mount *mount_table_find(const struct mount_table *t, const char *path) {
        for (size_t n = strlen(path);; n--) {
                const struct mount *m = at_prefix(t, path, n);

                if (m || n == 0)
                        return m;
                while (path[n - 1] != '/')
                        n--;
        }
}

const struct mount *mount_table_get(const struct mount_table *t, size_t i) {
        return i < t->n ? &t->mounts[i] : NULL;
}

static bool is_same_file_system(const struct mount *a, const struct mount *b) {
        return a->major == b->major && a->minor == b->minor && (a->major != 0 || a->minor != 0);
}

void mount_table_set_of_copies(struct mount_table *t) {
        t->of_copies = true;
}

bool mount_table_is_of_copies(const struct mount_table *t) {
        return t->of_copies;
}

/* A volume that is not mounted there now. */
static int add_unmounted(struct mount_table *t, const char *path) {
        struct mount m = {
                .path = strdup(path),
                .root = strdup(""),
                .fs_type = strdup(""),
        };

        if (!m.path || !m.root || !m.fs_type) {
                mount_done(&m);
                return -ENOMEM;
        }
        return append(t, &m);
}

int mount_table_add_copy(struct mount_table *t, const char *volume, const char *copy,
                         struct vss_error *reterr) {
        _cleanup_(freep) char *path = NULL, *normal_copy = NULL;
        const struct mount *m;
        int r;

        r = file_path_normalise(&path, volume, reterr);
        if (r >= 0)
                r = file_path_normalise(&normal_copy, copy, reterr);
        if (r < 0)
                return r;
        if (!at(t, path)) {
                r = add_unmounted(t, path);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, volume);
                sort(t);
        }
        m = at(t, path);
        for (size_t i = 0; i < t->n; i++) {
                struct mount *other = &t->mounts[i];

                if (other != m && !is_same_file_system(other, m))
                        continue;
                if (str_replace(&other->copy, normal_copy) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, volume);
        }
        t->of_copies = true;
        return 0;
}

bool mount_table_is_reached_otherwise(const struct mount_table *t, const struct mount *m,
                                      const char *start) {
        for (size_t i = 0; i < t->n; i++) {
                const struct mount *other = &t->mounts[i];
                _cleanup_(freep) char *path = NULL;
                const char *rest;

                if (other == m || !is_same_file_system(other, m) ||
                    !file_path_is_below(m->root, other->root, &rest))
                        continue;
                if (rest[0] == '\0' && other > m)
                        continue; /* the same tree twice: the first is taken */
                /* Without memory it is taken twice, which is no error. */
                if (str_format(&path, "%s%s", other->path, rest) >= 0 &&
                    file_path_is_below(path, start, NULL) && mount_table_find(t, path) == other)
                        return true;
        }
        return false;
}

int mount_locate(char **ret, const struct mount *m, const char *path, bool in_copy) {
        const char *rest = path;
        bool is_below = file_path_is_below(path, m->path, &rest);

        assert(is_below);
        (void)is_below;
        if (!in_copy)
                return str_replace(ret, path);
        return str_format(ret, "%s%s%s", str_or_empty(m->copy), m->root, rest);
}
