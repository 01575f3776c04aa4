/* Components are ranked by their full names, so that a component and those below it are two runs of
 * ranks; sets of files are sorted by hash, and of one hash by the rank of their component. Of a set
 * its hash alone is kept, which nobody can guess (key-index.h). */

#include "common/file-set-index.h"
#include "common/key-index.h"

#define RANK_MAPPINGS                                                              \
        UINT32_MAX /* of the writer's alternate locations, which have no component \
                    */

struct entry {
        uint64_t hash;
        uint32_t rank;
};

/* Its parts, one after the other, are the name. */
#define PARTS 4
struct full_name {
        const char *parts[PARTS];
};

struct file_set_index {
        struct full_name *names; /* by rank; borrowed from the document */
        size_t n_names;
        struct entry *entries;
        size_t n_entries;
};

static struct full_name full_name(const char *logical_path, const char *name, const char *suffix) {
        return (struct full_name){ { str_or_empty(logical_path),
                                     str_empty(logical_path) ? "" : "\\", name, suffix } };
}

static int next_byte(const struct full_name *n, unsigned *part, const char **at) {
        while (**at == '\0')
                if (++*part == PARTS)
                        return -1;
                else
                        *at = n->parts[*part];
        return (uint8_t) * (*at)++;
}

static int compare_names(const struct full_name *a, const struct full_name *b) {
        const char *at_a = a->parts[0], *at_b = b->parts[0];
        unsigned part_a = 0, part_b = 0;
        int byte_a, byte_b;

        do {
                byte_a = next_byte(a, &part_a, &at_a);
                byte_b = next_byte(b, &part_b, &at_b);
        } while (byte_a == byte_b && byte_a >= 0);
        return byte_a - byte_b;
}

static uint64_t hash_of(const struct file_set_key *key) {
        size_t n = strlen(key->path);
        uint64_t hash;

        while (n > 1 && (key->path[n - 1] == '/' || key->path[n - 1] == '\\'))
                n--;
        hash = key_hash(key_hash(0, key->path, n), "", 1); /* the NUL ends the path */
        return key_hash(key_hash_text(hash, key->filespec), key->recursive ? "r" : "", 1);
}

/* --- making it --- */

struct ranked {
        struct full_name name;
        size_t component;
};

static int compare_ranked(const void *a, const void *b) {
        const struct ranked *x = a, *y = b;

        return compare_names(&x->name, &y->name);
}

static int compare_entries(const void *a, const void *b) {
        const struct entry *x = a, *y = b;

        if (x->hash != y->hash)
                return x->hash < y->hash ? -1 : 1;
        return (x->rank > y->rank) - (x->rank < y->rank);
}

static const enum writer_metadata_list component_lists[] = {
        WRITER_METADATA_FILES,
        WRITER_METADATA_DATABASE_FILES,
        WRITER_METADATA_DATABASE_LOG_FILES,
};

static size_t count_entries(const struct writer_metadata *m) {
        size_t n = writer_metadata_n_files(m, WRITER_METADATA_MAPPINGS, 0);

        for (size_t i = 0; i < writer_metadata_n_components(m); i++)
                for (size_t k = 0; k < ARRAY_SIZE(component_lists); k++)
                        n += writer_metadata_n_files(m, component_lists[k], i);
        return n;
}

static void add_list(struct file_set_index *x, const struct writer_metadata *m,
                     enum writer_metadata_list list, size_t component, uint32_t rank) {
        struct writer_metadata_files f;

        for (size_t i = 0; writer_metadata_get_files(m, list, component, i, &f); i++) {
                const struct file_set_key key = { f.path, f.filespec, f.recursive };

                x->entries[x->n_entries++] = (struct entry){ hash_of(&key), rank };
        }
}

static struct ranked *rank_components(const struct writer_metadata *m, size_t n) {
        struct ranked *ranked = calloc(n > 0 ? n : 1, sizeof(*ranked));

        if (!ranked)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                const struct writer_metadata_component *c = writer_metadata_component(m, i);

                ranked[i] = (struct ranked){ full_name(c->logical_path, c->name, ""), i };
        }
        qsort(ranked, n, sizeof(*ranked), compare_ranked);
        return ranked;
}

int file_set_index_new(struct file_set_index **ret, const struct writer_metadata *m) {
        _cleanup_(file_set_index_freep) struct file_set_index *x = calloc(1, sizeof(*x));
        size_t n = writer_metadata_n_components(m), n_entries = count_entries(m);
        _cleanup_(freep) struct ranked *ranked = rank_components(m, n);

        if (!x || !ranked)
                return -ENOMEM;
        x->names = calloc(n > 0 ? n : 1, sizeof(*x->names));
        x->entries = calloc(n_entries > 0 ? n_entries : 1, sizeof(*x->entries));
        if (!x->names || !x->entries)
                return -ENOMEM;
        x->n_names = n;
        for (size_t i = 0; i < n; i++) {
                x->names[i] = ranked[i].name;
                for (size_t k = 0; k < ARRAY_SIZE(component_lists); k++)
                        add_list(x, m, component_lists[k], ranked[i].component, (uint32_t)i);
        }
        add_list(x, m, WRITER_METADATA_MAPPINGS, 0, RANK_MAPPINGS);
        qsort(x->entries, x->n_entries, sizeof(*x->entries), compare_entries);
        *ret = TAKE_PTR(x);
        return 0;
}

struct file_set_index *file_set_index_free(struct file_set_index *x) {
        if (!x)
                return NULL;
        free(x->names);
        free(x->entries);
        free(x);
        return NULL;
}

/* --- asking it --- */

/* The first rank whose name is not less. */
static uint32_t lower_rank(const struct file_set_index *x, const struct full_name *name) {
        size_t low = 0, high = x->n_names;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (compare_names(&x->names[middle], name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return (uint32_t)low;
}

/* Is there an entry of this hash with a rank from begin on, before end? */
static bool has_between(const struct file_set_index *x, uint64_t hash, uint32_t begin,
                        uint32_t end) {
        const struct entry wanted = { hash, begin };
        size_t low = 0, high = x->n_entries;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (compare_entries(&x->entries[middle], &wanted) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < x->n_entries && x->entries[low].hash == hash && x->entries[low].rank < end;
}

bool file_set_index_has(const struct file_set_index *x, const char *logical_path, const char *name,
                        const struct file_set_key *key) {
        const struct full_name own = full_name(logical_path, name, ""),
                               below = full_name(logical_path, name, "\\"),
                               behind = full_name(logical_path, name, "]"); /* the next byte */
        uint32_t rank = lower_rank(x, &own);
        uint64_t hash = hash_of(key);

        if (rank < x->n_names && compare_names(&x->names[rank], &own) == 0 &&
            has_between(x, hash, rank, rank + 1))
                return true;
        return has_between(x, hash, lower_rank(x, &below), lower_rank(x, &behind));
}

bool file_set_index_maps(const struct file_set_index *x, const struct file_set_key *key) {
        uint64_t hash = hash_of(key);
        const struct entry *last;
        size_t low = 0, high = x->n_entries;

        /* The last of this hash has the highest rank. */
        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (x->entries[middle].hash <= hash)
                        low = middle + 1;
                else
                        high = middle;
        }
        last = low > 0 ? &x->entries[low - 1] : NULL;
        return last && last->hash == hash && last->rank == RANK_MAPPINGS;
}
