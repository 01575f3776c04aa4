/* Sorted by what makes them equal. */

#include "libvssclient/differenced-files.h"

#include "libvssclient/files/file-path.h"
#include "libvssclient/files/wildcard.h"

static void set_done(struct differenced_set *s) {
        free(s->path);
        free(s->spec);
        free(s->crossed);
}

void differenced_files_done(struct differenced_files *d) {
        for (size_t i = 0; i < d->n; i++)
                set_done(&d->sets[i]);
        free(d->sets);
        *d = (struct differenced_files){ 0 };
}

int differenced_files_add(struct differenced_files *d, const char *path, const char *spec,
                          bool recursive, uint64_t time, struct vss_error *reterr) {
        struct differenced_set s = { .recursive = recursive, .time = time }, *grown;
        int r;

        if (str_empty(spec) || strchr(spec, '/'))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "'%s' in '%s' is no specification of differenced files: it "
                                     "is one name, with '*' and '?', without '/'",
                                     str_or_empty(spec), str_or_empty(path));
        r = file_path_expand(&s.path, str_or_empty(path), reterr);
        if (r < 0)
                return r;
        grown = reallocarray(d->sets, d->n + 1, sizeof(*grown));
        if (grown)
                d->sets = grown;
        if (!grown || str_replace(&s.spec, str_or_empty(spec)) < 0) {
                set_done(&s);
                return vss_error_from_errno(reterr, -ENOMEM, path);
        }
        d->sets[d->n++] = s;
        return 0;
}

static int compare(const void *a, const void *b) {
        const struct differenced_set *x = a, *y = b;
        int order = strcmp(x->path, y->path);

        if (order == 0)
                order = strcmp(x->spec, y->spec);
        return order != 0 ? order : (int)x->recursive - (int)y->recursive;
}

void differenced_files_seal(struct differenced_files *d) {
        if (d->n > 0)
                qsort(d->sets, d->n, sizeof(*d->sets), compare);
}

struct differenced_set *differenced_files_find(const struct differenced_files *d, const char *path,
                                               const char *spec, bool recursive) {
        struct differenced_set key = {
                .path = (char *)path,
                .spec = (char *)spec,
                .recursive = recursive,
        };

        return d->n == 0 ? NULL : bsearch(&key, d->sets, d->n, sizeof(key), compare);
}

static int see(struct differenced_set *d, const struct file_set *set) {
        bool is_at = streq(d->path, set->path);

        if (is_at && d->recursive == set->recursive && streq(d->spec, set->spec)) {
                d->is_existing = true;
                return 0;
        }
        if (d->crossed || !wildcard_share(d->spec, set->spec))
                return 0;
        return str_format(&d->crossed, "'%s' in %s%s", set->spec,
                          *set->path == '\0' ? "/" : set->path,
                          set->recursive ? " and below it" : "");
}

/* Those at exactly path, which are looked at if all is true, or if they are recursive. */
static int see_at(struct differenced_files *d, const char *path, bool all,
                  const struct file_set *set) {
        size_t i, end;
        int r = 0;

        file_path_range(d->sets, d->n, sizeof(*d->sets), path, false, &i, &end);
        for (; r >= 0 && i < end; i++)
                if (all || d->sets[i].recursive)
                        r = see(&d->sets[i], set);
        return r;
}

int differenced_files_see_set(struct differenced_files *d, const struct file_set *set) {
        _cleanup_(freep) char *path = NULL;
        char *slash;
        int r;

        if (d->n == 0)
                return 0;
        path = strdup(set->path);
        if (!path)
                return -ENOMEM;
        r = see_at(d, path, true, set);
        /* Above, those that reach down; below, if the set does. */
        while (r >= 0 && (slash = strrchr(path, '/')) != NULL) {
                *slash = '\0';
                r = see_at(d, path, false, set);
        }
        if (r >= 0 && set->recursive) {
                size_t i, end;

                file_path_range(d->sets, d->n, sizeof(*d->sets), set->path, true, &i, &end);
                for (; r >= 0 && i < end; i++)
                        r = see(&d->sets[i], set);
        }
        return r;
}

static bool name_at(const struct differenced_files *d, const char *path, bool all,
                    const char *name) {
        size_t i, end;

        file_path_range(d->sets, d->n, sizeof(*d->sets), path, false, &i, &end);
        for (; i < end; i++)
                if ((all || d->sets[i].recursive) && wildcard_match(d->sets[i].spec, name))
                        return true;
        return false;
}

int differenced_files_name(const struct differenced_files *d, const char *directory,
                           const char *name) {
        _cleanup_(freep) char *path = NULL;
        bool is_named;
        char *slash;

        if (d->n == 0)
                return 0;
        path = strdup(directory);
        if (!path)
                return -ENOMEM;
        is_named = name_at(d, path, true, name);
        while (!is_named && (slash = strrchr(path, '/')) != NULL) {
                *slash = '\0';
                is_named = name_at(d, path, false, name);
        }
        return is_named;
}
