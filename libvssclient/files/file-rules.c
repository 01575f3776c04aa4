/* Rules, sorted by directory; in each the names, sorted, then the patterns. */

#include "libvssclient/files/file-rules.h"

#include "libvssclient/files/wildcard.h"

struct file_rule {
        char *directory, *spec;
        bool recursive;
        /* Of the first of a directory: where its names end, and all of it. */
        size_t names_end, end;
        size_t n_recursive;
};

struct file_rules {
        struct file_rule *rules;
        size_t n, allocated;
        bool sealed;
};

int file_rules_new(struct file_rules **ret, struct vss_error *reterr) {
        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : vss_error_from_errno(reterr, -ENOMEM, "The exclude lists");
}

struct file_rules *file_rules_free(struct file_rules *r) {
        if (!r)
                return NULL;
        for (size_t i = 0; i < r->n; i++) {
                free(r->rules[i].directory);
                free(r->rules[i].spec);
        }
        free(r->rules);
        free(r);
        return NULL;
}

int file_rules_add(struct file_rules *r, const char *directory, const char *spec, bool recursive,
                   struct vss_error *reterr) {
        _cleanup_(freep) char *directory_copy = strdup(directory), *spec_copy = strdup(spec);

        if (r->n == r->allocated) {
                size_t more = r->allocated ? 2 * r->allocated : 16;
                struct file_rule *grown = reallocarray(r->rules, more, sizeof(*grown));

                if (!grown)
                        return vss_error_from_errno(reterr, -ENOMEM, "The exclude lists");
                r->rules = grown;
                r->allocated = more;
        }
        if (!directory_copy || !spec_copy)
                return vss_error_from_errno(reterr, -ENOMEM, "The exclude lists");
        r->rules[r->n++] = (struct file_rule){
                .directory = TAKE_PTR(directory_copy),
                .spec = TAKE_PTR(spec_copy),
                .recursive = recursive,
        };
        r->sealed = false;
        return 0;
}

/* By directory, names before patterns. */
static int compare(const void *a, const void *b) {
        const struct file_rule *x = a, *y = b;
        bool x_pattern = wildcard_is_pattern(x->spec), y_pattern = wildcard_is_pattern(y->spec);
        int order = strcmp(x->directory, y->directory);

        if (order != 0)
                return order;
        if (x_pattern != y_pattern)
                return x_pattern ? 1 : -1;
        return strcmp(x->spec, y->spec);
}

void file_rules_seal(struct file_rules *r) {
        if (r->n > 0)
                qsort(r->rules, r->n, sizeof(*r->rules), compare);
        for (size_t i = 0, end; i < r->n; i = end) {
                struct file_rule *first = &r->rules[i];

                first->names_end = i;
                first->n_recursive = 0;
                for (end = i; end < r->n && streq(r->rules[end].directory, first->directory);
                     end++) {
                        if (!wildcard_is_pattern(r->rules[end].spec))
                                first->names_end = end + 1;
                        if (r->rules[end].recursive)
                                first->n_recursive++;
                }
                first->end = end;
        }
        r->sealed = true;
}

/* The first rule of the directory that is the first n bytes of path; NULL: there is none. */
static const struct file_rule *first_of(const struct file_rules *r, const char *path, size_t n) {
        size_t low = 0, high = r->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strncmp(r->rules[middle].directory, path, n) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        /* Those of exactly this directory come before those of longer ones. */
        if (low == r->n || strncmp(r->rules[low].directory, path, n) != 0 ||
            r->rules[low].directory[n] != '\0')
                return NULL;
        return &r->rules[low];
}

/* The first of the names from first on that is not before name. */
static size_t find_name(const struct file_rules *r, const struct file_rule *first,
                        const char *name) {
        size_t low = (size_t)(first - r->rules), high = first->names_end;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(r->rules[middle].spec, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* What is asked of the rules of one directory, at the end of the path or on the way to it. */
typedef size_t (*count_fn)(const struct file_rules *r, const struct file_rule *first,
                           bool is_parent, const char *name, size_t limit);

static size_t count_naming(const struct file_rules *r, const struct file_rule *first,
                           bool is_parent, const char *name, size_t limit) {
        size_t n = 0;

        for (size_t i = find_name(r, first, name);
             n < limit && i < first->names_end && streq(r->rules[i].spec, name); i++)
                n += !is_parent || r->rules[i].recursive;
        for (size_t i = first->names_end; n < limit && i < first->end; i++)
                n += (!is_parent || r->rules[i].recursive) &&
                     wildcard_match(r->rules[i].spec, name);
        return n;
}

static size_t count_everything(const struct file_rules *r, const struct file_rule *first,
                               bool is_parent _unused_, const char *name _unused_, size_t limit) {
        size_t n = 0;

        for (size_t i = first->names_end; n < limit && i < first->end; i++)
                n += r->rules[i].recursive && wildcard_is_everything(r->rules[i].spec);
        return n;
}

static size_t count_recursive(const struct file_rules *r _unused_, const struct file_rule *first,
                              bool is_parent _unused_, const char *name _unused_,
                              size_t limit _unused_) {
        return first->n_recursive;
}

/* Over the directory and all above it. */
static size_t count(const struct file_rules *r, const char *directory, const char *name,
                    size_t limit, count_fn count_in) {
        size_t n = strlen(directory), found = 0;
        bool is_parent = false;

        if (!r || r->n == 0)
                return 0;
        assert(r->sealed);
        for (;;) {
                const struct file_rule *first = first_of(r, directory, n);

                if (first)
                        found += count_in(r, first, is_parent, name, limit - found);
                if (n == 0 || found >= limit)
                        return found < limit ? found : limit;
                while (directory[n - 1] != '/')
                        n--;
                n--;
                is_parent = true;
        }
}

bool file_rules_match(const struct file_rules *r, const char *directory, const char *name) {
        return count(r, directory, name, 1, count_naming) > 0;
}

bool file_rules_match_tree(const struct file_rules *r, const char *directory) {
        return count(r, directory, NULL, 1, count_everything) > 0;
}

size_t file_rules_count(const struct file_rules *r, const char *directory, const char *name,
                        size_t limit) {
        return count(r, directory, name, limit, count_naming);
}

size_t file_rules_count_entering(const struct file_rules *r, const char *directory, size_t limit) {
        return count(r, directory, NULL, limit, count_recursive);
}
