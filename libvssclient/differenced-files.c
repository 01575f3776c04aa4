/* Sorted by what makes them equal. */

#include "libvssclient/differenced-files.h"

#include "libvssclient/files/file-path.h"

static void set_done(struct differenced_set *s) {
        free(s->path);
        free(s->spec);
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
