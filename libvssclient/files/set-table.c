/* Sorted by directory; in each the names, sorted, then the patterns. */

#include "libvssclient/files/set-table.h"

#include "libvssclient/files/file-path.h"
#include "libvssclient/files/wildcard.h"

void set_table_done(struct set_table *t) {
        free(t->items);
        text_arena_done(&t->texts);
        *t = (struct set_table){ 0 };
}

int set_table_add(struct set_table *t, const struct set_table_item *item) {
        struct set_table_item copy = { .recursive = item->recursive };

        if (t->n == t->allocated) {
                size_t more = t->allocated ? 2 * t->allocated : 16;
                struct set_table_item *grown = reallocarray(t->items, more, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                t->items = grown;
                t->allocated = more;
        }
        copy.directory =
                text_arena_add_again(&t->texts, t->n > 0 ? t->items[t->n - 1].directory : NULL,
                                     item->directory, strlen(item->directory));
        copy.spec = text_arena_add_again(&t->texts, t->n > 0 ? t->items[t->n - 1].spec : NULL,
                                         item->spec, strlen(item->spec));
        if (!copy.directory || !copy.spec)
                return -ENOMEM;
        t->items[t->n++] = copy;
        return 0;
}

static int compare_specs(const char *a, const char *b) {
        bool a_pattern = wildcard_is_pattern(a), b_pattern = wildcard_is_pattern(b);

        return a_pattern != b_pattern ? (int)a_pattern - (int)b_pattern : strcmp(a, b);
}

static int compare(const void *a, const void *b) {
        const struct set_table_item *x = a, *y = b;
        int order = strcmp(x->directory, y->directory);

        if (order == 0)
                order = compare_specs(x->spec, y->spec);
        return order != 0 ? order : (int)x->recursive - (int)y->recursive;
}

/* Where it goes among the first that are settled. */
static size_t place_of(const struct set_table *t, const struct set_table_item *item) {
        size_t low = 0, high = t->settled;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (compare(&t->items[middle], item) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* What few are new are put in their places: a move of memory each, and none if they come in order.
 */
void set_table_settle(struct set_table *t) {
        if ((t->n - t->settled) * 16 > t->settled) {
                qsort(t->items, t->n, sizeof(*t->items), compare);
                t->settled = t->n;
        }
        for (; t->settled < t->n; t->settled++) {
                struct set_table_item item = t->items[t->settled];
                size_t at = place_of(t, &item);

                memmove(&t->items[at + 1], &t->items[at], (t->settled - at) * sizeof(item));
                t->items[at] = item;
        }
}

bool set_table_has(const struct set_table *t, const struct set_table_item *item) {
        size_t i;

        assert(t->settled == t->n);
        i = place_of(t, item);
        return i < t->n && compare(&t->items[i], item) == 0;
}

/* Where an item stands: before, in, or behind the directory that is the first n bytes of path. */
static int compare_directory(const struct set_table_item *item, const char *path, size_t n) {
        int order = strncmp(item->directory, path, n);

        return order != 0 ? order : (int)(unsigned char)item->directory[n];
}

static bool is_in(const struct set_table *t, size_t i, const char *path, size_t n) {
        return i < t->n && compare_directory(&t->items[i], path, n) == 0;
}

/* The first item that is not before the directory's names, or patterns, from spec on. */
static size_t find(const struct set_table *t, const char *path, size_t n, bool pattern,
                   const char *spec) {
        size_t low = 0, high = t->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const struct set_table_item *item = &t->items[middle];
                int order = compare_directory(item, path, n);

                if (order == 0)
                        order = (int)wildcard_is_pattern(item->spec) - (int)pattern;
                if (order == 0)
                        order = strcmp(item->spec, spec);
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* In the directory that is the first n bytes of the item's. */
static const struct set_table_item *share_in(const struct set_table *t, size_t n,
                                             const struct set_table_item *item) {
        const char *path = item->directory;
        bool is_above = path[n] != '\0', is_pattern = wildcard_is_pattern(item->spec);
        size_t i;

        /* Of the names, only this one can be shared. */
        if (!is_pattern)
                for (i = find(t, path, n, false, item->spec);
                     is_in(t, i, path, n) && streq(t->items[i].spec, item->spec); i++)
                        if (!is_above || t->items[i].recursive)
                                return &t->items[i];
        for (i = find(t, path, n, !is_pattern, ""); is_in(t, i, path, n); i++)
                if ((!is_above || t->items[i].recursive) &&
                    wildcard_share(item->spec, t->items[i].spec))
                        return &t->items[i];
        return NULL;
}

static const struct set_table_item *share_below(const struct set_table *t,
                                                const struct set_table_item *item) {
        size_t begin, end;

        file_path_range(t->items, t->n, sizeof(*t->items), item->directory, true, &begin, &end);
        for (size_t i = begin; i < end; i++) {
                /* Many directories have the same. */
                if (i > begin && streq(t->items[i].spec, t->items[i - 1].spec))
                        continue;
                if (wildcard_share(item->spec, t->items[i].spec))
                        return &t->items[i];
        }
        return NULL;
}

/* The length of the parent of the directory that is the first n bytes of path. */
static size_t parent_of(const char *path, size_t n) {
        while (path[--n] != '/')
                ;
        return n;
}

const struct set_table_item *set_table_share(const struct set_table *t,
                                             const struct set_table_item *item) {
        size_t n = strlen(item->directory);
        const struct set_table_item *own;

        assert(t->settled == t->n);
        if (t->n == 0)
                return NULL;
        own = share_in(t, n, item);
        while (!own && n > 0) {
                n = parent_of(item->directory, n);
                own = share_in(t, n, item);
        }
        return own || !item->recursive ? own : share_below(t, item);
}

bool set_table_has_above(const struct set_table *t, const char *directory) {
        assert(t->settled == t->n);
        for (size_t n = strlen(directory);; n = parent_of(directory, n)) {
                if (is_in(t, find(t, directory, n, false, ""), directory, n))
                        return true;
                if (n == 0)
                        return false;
        }
}
