/* Rules, sorted by directory. */

#include "libvssclient/files/file-rules.h"

#include "libvssclient/files/wildcard.h"

struct file_rule {
        char *directory, *spec;
        bool recursive;
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

static int compare(const void *a, const void *b) {
        return strcmp(((const struct file_rule *)a)->directory,
                      ((const struct file_rule *)b)->directory);
}

void file_rules_seal(struct file_rules *r) {
        if (r->n > 0)
                qsort(r->rules, r->n, sizeof(*r->rules), compare);
        r->sealed = true;
}

/* The first rule whose directory is not before the first n bytes of path. */
static size_t lower_bound(const struct file_rules *r, const char *path, size_t n) {
        size_t low = 0, high = r->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strncmp(r->rules[middle].directory, path, n) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* name NULL: only rules that take everything below count. */
static bool match_at(const struct file_rules *r, const char *path, size_t n, bool is_parent,
                     const char *name) {
        for (size_t i = lower_bound(r, path, n); i < r->n; i++) {
                const struct file_rule *rule = &r->rules[i];

                if (strncmp(rule->directory, path, n) != 0 || rule->directory[n] != '\0')
                        return false; /* those of exactly this directory come first */
                if (is_parent && !rule->recursive)
                        continue;
                if (name ? wildcard_match(rule->spec, name)
                         : rule->recursive && wildcard_is_everything(rule->spec))
                        return true;
        }
        return false;
}

static bool match(const struct file_rules *r, const char *directory, const char *name) {
        size_t n = strlen(directory);

        if (!r || r->n == 0)
                return false;
        assert(r->sealed);
        if (match_at(r, directory, n, false, name))
                return true;
        while (n > 0) {
                while (directory[n - 1] != '/')
                        n--;
                n--;
                if (match_at(r, directory, n, true, name))
                        return true;
        }
        return false;
}

bool file_rules_match(const struct file_rules *r, const char *directory, const char *name) {
        return match(r, directory, name);
}

bool file_rules_match_tree(const struct file_rules *r, const char *directory) {
        return match(r, directory, NULL);
}
