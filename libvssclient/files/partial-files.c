/* Sorted by directory and name. */

#include "libvssclient/files/partial-files.h"

#include "libvssclient/files/file-path.h"
#include "libvssclient/files/wildcard.h"
#include "libvssclient/range-list.h"

struct partial_files {
        struct partial_file *files;
        size_t n;
};

int partial_files_new(struct partial_files **ret, struct vss_error *reterr) {
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : vss_error_from_errno(reterr, -ENOMEM, "The partial files");
}

static void file_done(struct partial_file *f) {
        free(f->directory);
        free(f->name);
        free(f->ranges);
        free(f->metadata);
}

struct partial_files *partial_files_free(struct partial_files *p) {
        if (!p)
                return NULL;
        for (size_t i = 0; i < p->n; i++)
                file_done(&p->files[i]);
        free(p->files);
        free(p);
        return NULL;
}

int partial_files_add(struct partial_files *p, const char *path, const char *name,
                      const char *ranges, const char *metadata, struct vss_error *reterr) {
        struct partial_file f = { 0 }, *grown;
        int r;

        if (str_empty(name) || strchr(name, '/') || wildcard_is_pattern(name) || str_empty(ranges))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The partial file '%s' in '%s' needs a name without wildcards "
                                     "and '/', and ranges",
                                     str_or_empty(name), str_or_empty(path));
        r = file_path_expand(&f.directory, str_or_empty(path), reterr);
        if (r < 0)
                return r;
        grown = reallocarray(p->files, p->n + 1, sizeof(*grown));
        if (grown)
                p->files = grown;
        if (!grown || str_replace(&f.name, name) < 0 || str_replace(&f.ranges, ranges) < 0 ||
            str_replace(&f.metadata, str_empty(metadata) ? NULL : metadata) < 0) {
                file_done(&f);
                return vss_error_from_errno(reterr, -ENOMEM, path);
        }
        p->files[p->n++] = f;
        return 0;
}

static int compare(const void *a, const void *b) {
        const struct partial_file *x = a, *y = b;
        int order = strcmp(x->directory, y->directory);

        return order != 0 ? order : strcmp(x->name, y->name);
}

void partial_files_seal(struct partial_files *p) {
        size_t kept = 0;

        if (p->n > 0)
                qsort(p->files, p->n, sizeof(*p->files), compare);
        for (size_t i = 0; i < p->n; i++) {
                if (kept > 0 && compare(&p->files[kept - 1], &p->files[i]) == 0)
                        file_done(&p->files[i]);
                else
                        p->files[kept++] = p->files[i];
        }
        p->n = kept;
}

const struct partial_file *partial_files_find(const struct partial_files *p, const char *directory,
                                              const char *name) {
        struct partial_file key = { .directory = (char *)directory, .name = (char *)name };

        return p && p->n > 0 ? bsearch(&key, p->files, p->n, sizeof(key), compare) : NULL;
}

const struct partial_file *partial_files_get(const struct partial_files *p, size_t i) {
        return p && i < p->n ? &p->files[i] : NULL;
}

const char *partial_file_ranges_path(const struct partial_file *f) {
        if (range_list_is(f->ranges))
                return NULL;
        return strncmp(f->ranges, "File=", 5) == 0 ? f->ranges + 5 : f->ranges;
}
