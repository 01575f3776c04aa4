/* The sets as rules, and a table of paths. Exact: a file that is taken for another is one that is
 * missing from a backup. */

#include "libvssclient/files/listed-files.h"

#include "common/key-index.h"
#include "common/text-arena.h"
#include "libvssclient/files/file-path.h"
#include "libvssclient/files/file-rules.h"

struct listed_files {
        struct file_rules *sets;
        struct key_index paths;
        struct text_arena texts;
};

int listed_files_new(struct listed_files **ret, struct vss_error *reterr) {
        _cleanup_(listed_files_freep) struct listed_files *l = calloc(1, sizeof(*l));
        int r;

        if (!l)
                return vss_error_from_errno(reterr, -ENOMEM, "The list of files");
        r = file_rules_new(&l->sets, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

struct listed_files *listed_files_free(struct listed_files *l) {
        if (!l)
                return NULL;
        file_rules_free(l->sets);
        key_index_done(&l->paths);
        text_arena_done(&l->texts);
        free(l);
        return NULL;
}

int listed_files_add_set(struct listed_files *l, const struct file_set *set,
                         struct vss_error *reterr) {
        return file_rules_add(l->sets, set->path, set->spec, set->recursive, reterr);
}

void listed_files_seal(struct listed_files *l) {
        file_rules_seal(l->sets);
}

static bool is_path(const void *item, const void *key) {
        return streq(item, key);
}

/* The table never changes what it is given. */
static int note(struct listed_files *l, const char *path) {
        uint64_t hash = key_hash_text(0, path);
        const char *copy;

        if (key_index_find(&l->paths, hash, is_path, path))
                return 0;
        if (key_index_reserve(&l->paths) < 0)
                return -ENOMEM;
        copy = text_arena_add(&l->texts, path, strlen(path));
        if (!copy)
                return -ENOMEM;
        key_index_add(&l->paths, hash, (void *)(uintptr_t)copy);
        return 1;
}

int listed_files_note(struct listed_files *l, const char *directory, const char *name) {
        _cleanup_(freep) char *path = NULL;

        if (!l || file_rules_count(l->sets, directory, name, 2) < 2)
                return 1;
        if (file_path_join(&path, directory, name) < 0)
                return -ENOMEM;
        return note(l, path);
}

int listed_files_note_directory(struct listed_files *l, const char *path) {
        if (!l || file_rules_count_entering(l->sets, path, 2) < 2)
                return 1;
        return note(l, path);
}
