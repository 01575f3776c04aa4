/* See writer-volumes.h. */

#include "daemon/coordinator/writer-volumes.h"

#include "common/document.h"
#include "common/path-variables.h"
#include "common/writer-metadata.h"
#include "daemon/log/log.h"
#include "daemon/providers/mount-table.h"
#include "daemon/providers/volume.h"

#include <sys/sysmacros.h>

struct mounted {
        char *path; /* without a separator at the end; "" for the root */
        dev_t devno;
};

struct volume_map {
        struct mounted *volumes; /* path NULL: not mounted */
        size_t n;
        struct mounted *mounts; /* of the host, the volumes' among them */
        size_t n_mounts;
};

static void mounted_free(struct mounted *m, size_t n) {
        for (size_t i = 0; m && i < n; i++)
                free(m[i].path);
        free(m);
}

struct volume_map *volume_map_free(struct volume_map *m) {
        if (!m)
                return NULL;
        mounted_free(m->volumes, m->n);
        mounted_free(m->mounts, m->n_mounts);
        free(m);
        return NULL;
}

/* "/srv//data/" -> "/srv/data", "/" -> "". In place. */
static void path_tidy(char *path) {
        char *to = path;

        for (const char *from = path; *from; from++)
                if (*from != '/' || from[1] != '/')
                        *to++ = *from;
        *to = '\0';
        if (to > path && to[-1] == '/')
                to[-1] = '\0';
}

static int mounted_set(struct mounted *m, const char *path, dev_t devno) {
        m->path = strdup(path);
        if (!m->path)
                return -ENOMEM;
        path_tidy(m->path);
        m->devno = devno;
        return 0;
}

static int map_add_host(struct volume_map *m) {
        _cleanup_(mount_table_freep) struct libmnt_table *t = NULL;
        struct libmnt_iter *iter;
        struct libmnt_fs *fs;
        struct mounted *grown;
        int n, r = 0;

        if (mount_table_read(&t) < 0)
                return 0;
        n = mnt_table_get_nents(t);
        grown = reallocarray(m->mounts, m->n_mounts + (size_t)(n > 0 ? n : 0) + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        m->mounts = grown;
        iter = mnt_new_iter(MNT_ITER_FORWARD);
        if (!iter)
                return -ENOMEM;
        while (r >= 0 && mnt_table_next_fs(t, iter, &fs) == 0) {
                const char *target = mnt_fs_get_target(fs);

                if (!target || m->n_mounts >= m->n + (size_t)n)
                        continue;
                r = mounted_set(&m->mounts[m->n_mounts], target, mnt_fs_get_devno(fs));
                if (r >= 0)
                        m->n_mounts++;
        }
        mnt_free_iter(iter);
        return r;
}

int volume_map_new(struct volume_map **ret, const struct volume *const *volumes, size_t n) {
        _cleanup_(volume_map_freep) struct volume_map *m = NULL;
        int r;

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->volumes = calloc(n > 0 ? n : 1, sizeof(*m->volumes));
        m->mounts = calloc(n > 0 ? n : 1, sizeof(*m->mounts));
        if (!m->volumes || !m->mounts)
                return -ENOMEM;
        m->n = n;
        for (size_t i = 0; i < n; i++) {
                if (!volumes[i]->mount_point)
                        continue;
                r = mounted_set(&m->volumes[i], volumes[i]->mount_point, volumes[i]->devno);
                if (r >= 0)
                        r = mounted_set(&m->mounts[m->n_mounts], volumes[i]->mount_point,
                                        volumes[i]->devno);
                if (r < 0)
                        return r;
                m->n_mounts++;
        }
        r = map_add_host(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

/* Is path directory itself, or below it? */
static bool is_below(const char *path, const char *directory) {
        size_t n = strlen(directory);

        return strncmp(path, directory, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* What is mounted nearest above the path; of several in one place the last. */
static const struct mounted *mount_of(const struct volume_map *m, const char *path) {
        const struct mounted *best = NULL;

        for (size_t i = 0; i < m->n_mounts; i++)
                if (is_below(path, m->mounts[i].path) &&
                    (!best || strlen(m->mounts[i].path) >= strlen(best->path)))
                        best = &m->mounts[i];
        return best;
}

static bool same_volume(const struct mounted *a, const struct mounted *volume) {
        return streq(a->path, volume->path) || (volume->devno != 0 && a->devno == volume->devno);
}

/* mount: what the path lies on. */
static bool touches(const struct volume_map *m, size_t i, const char *path,
                    const struct mounted *mount, bool recursive) {
        const struct mounted *volume = &m->volumes[i];

        if (!volume->path)
                return false;
        if (recursive && is_below(volume->path, path))
                return true;
        return mount && same_volume(mount, volume);
}

/* Is it the mount of none of the volumes? */
static bool is_outside(const struct volume_map *m, const struct mounted *mount) {
        if (!mount)
                return false; /* without a mount table nobody knows */
        for (size_t i = 0; i < m->n; i++)
                if (m->volumes[i].path && same_volume(mount, &m->volumes[i]))
                        return false;
        return true;
}

bool volume_map_touches(const struct volume_map *m, size_t i, const char *path, bool recursive) {
        _cleanup_(freep) char *tidy = strdup(path);

        assert(i < m->n);

        if (!tidy)
                return true; /* it cannot be ruled out */
        path_tidy(tidy);
        return touches(m, i, tidy, mount_of(m, tidy), recursive);
}

struct search {
        const struct volume_map *map;
        bool *on;
        char *outside; /* the first directory on none of the volumes */
        bool any;      /* there was a file set */
        bool unsure;   /* and one in a place that is no path here */
        char *last;    /* the path before: many files lie in one directory */
        bool last_recursive;
};

static void search_path(struct search *s, const char *path, bool recursive) {
        _cleanup_(freep) char *expanded = NULL;
        const struct mounted *mount;
        struct vss_error error = { 0 };

        if (str_empty(path))
                return;
        if (s->last && streq(s->last, path) && (s->last_recursive || !recursive))
                return;
        s->any = true;
        if (path_variables_expand(&expanded, path, &error) < 0 || expanded[0] != '/') {
                vss_error_done(&error);
                s->unsure = true;
                return;
        }
        path_tidy(expanded);
        mount = mount_of(s->map, expanded);
        for (size_t i = 0; i < s->map->n; i++)
                if (!s->on[i])
                        s->on[i] = touches(s->map, i, expanded, mount, recursive);
        if (!s->outside && is_outside(s->map, mount))
                (void)str_replace(&s->outside, path); /* without memory the next one may */
        s->last_recursive = recursive;
        (void)str_replace(&s->last, path); /* without memory it is looked at again */
}

static void search_component(struct search *s, const struct writer_metadata *m, size_t component) {
        static const enum writer_metadata_list lists[] = { WRITER_METADATA_FILES,
                                                           WRITER_METADATA_DATABASE_FILES,
                                                           WRITER_METADATA_DATABASE_LOG_FILES };

        for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
                size_t n = writer_metadata_n_files(m, lists[l], component);
                struct writer_metadata_files f;

                for (size_t i = 0; i < n; i++) {
                        if (!writer_metadata_get_files(m, lists[l], component, i, &f))
                                break;
                        search_path(s, f.path, f.recursive);
                        search_path(s, f.alternate_path, f.recursive);
                }
        }
}

bool volume_map_find(const struct volume_map *m, struct document *metadata, bool *on,
                     char **ret_outside) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *model = NULL;
        const char *text = metadata ? document_text(metadata) : NULL;
        struct search search = { .map = m, .on = on };
        struct vss_error error = { 0 };

        memset(on, 0, m->n * sizeof(*on));
        if (ret_outside)
                *ret_outside = NULL;
        if (text && writer_metadata_parse(&model, text, document_size(metadata), &error) >= 0)
                for (size_t i = 0; i < writer_metadata_n_components(model); i++)
                        search_component(&search, model, i);
        vss_error_done(&error);
        free(search.last);
        if (search.any && !search.unsure) {
                if (ret_outside)
                        *ret_outside = TAKE_PTR(search.outside);
                free(search.outside);
                return true;
        }
        free(search.outside);
        for (size_t i = 0; i < m->n; i++)
                on[i] = true;
        return false;
}
