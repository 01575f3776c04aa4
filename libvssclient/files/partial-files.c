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
        free(f->source);
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
        struct partial_file f = { .copy_required = true }, *grown;
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

/* One that lies at or below the set's path. */
static int see(struct partial_file *f, const struct file_set *set) {
        const char *rest;

        f->is_below = true;
        if (f->has_set || !file_set_reaches(set, f->directory) ||
            !wildcard_match(set->spec, f->name))
                return 0;
        f->has_set = true;
        f->copy_required = set->copy_required;
        (void)file_path_is_below(f->directory, set->path, &rest); /* it is */
        return str_format(&f->source, "%s%s", set->source, rest);
}

int partial_files_see_set(struct partial_files *p, const struct file_set *set) {
        size_t i, end;
        int r = 0;

        if (!p)
                return 0;
        file_path_range(p->files, p->n, sizeof(*p->files), set->path, false, &i, &end);
        for (; r >= 0 && i < end; i++)
                r = see(&p->files[i], set);
        file_path_range(p->files, p->n, sizeof(*p->files), set->path, true, &i, &end);
        for (; r >= 0 && i < end; i++)
                r = see(&p->files[i], set);
        return r;
}

void partial_files_drop(struct partial_files *p, size_t i) {
        assert(i < p->n);
        p->files[i].dropped = true;
}

const struct partial_file *partial_files_find(const struct partial_files *p, const char *directory,
                                              const char *name) {
        struct partial_file key = { .directory = (char *)directory, .name = (char *)name };
        const struct partial_file *found = NULL;

        if (p && p->n > 0)
                found = bsearch(&key, p->files, p->n, sizeof(key), compare);
        return found && !found->dropped ? found : NULL;
}

const struct partial_file *partial_files_get(const struct partial_files *p, size_t i) {
        return p && i < p->n ? &p->files[i] : NULL;
}

const char *partial_file_ranges_path(const struct partial_file *f) {
        if (range_list_is(f->ranges))
                return NULL;
        return strncmp(f->ranges, "File=", 5) == 0 ? f->ranges + 5 : f->ranges;
}
