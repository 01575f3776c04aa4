/* The claim is put among the file sets as it will be when files are listed. */

#include "libvssclient/component-claims.h"
#include "common/document.h"
#include "common/key-index.h"
#include "common/writer-metadata.h"
#include "libvssclient/differenced-files.h"
#include "libvssclient/files/file-path.h"
#include "libvssclient/files/partial-files.h"
#include "libvssclient/files/set-table.h"
#include "libvssclient/volume-path.h"
#include <sys/stat.h>

enum said {
        SAID_PARTIAL,
        SAID_DIFFERENCED,
        _SAID_MAX,
};

struct said_files {
        struct set_table table;
        size_t n_read; /* entries of the document that are in it */
};

/* What is known of the files of one component. */
struct component_files {
        const struct backup_component *component;
        bool has_asked, is_known; /* what the metadata say: */
        struct set_table sets;
        struct said_files said[_SAID_MAX];
};

struct placed_component {
        const char *path; /* logical; the metadata's */
        size_t index;
};

struct component_claims {
        struct key_index by_component; /* struct component_files */
        struct placed_component *components;
        size_t n;
};

static const enum writer_metadata_list lists[] = {
        WRITER_METADATA_FILES,
        WRITER_METADATA_DATABASE_FILES,
        WRITER_METADATA_DATABASE_LOG_FILES,
};

static int out_of_memory(struct vss_error *reterr) {
        return vss_error_from_errno(reterr, -ENOMEM, "The component's files");
}

/* Read when it is first asked for. 0: it is not known. */
static int read_metadata(struct component_view *v, struct vss_error *reterr) {
        const char *text;
        int r;

        if (v->metadata || !v->identity)
                return v->metadata != NULL;
        text = document_text(v->identity);
        if (!text)
                return out_of_memory(reterr);
        r = writer_metadata_parse(&v->metadata, text, document_size(v->identity), reterr);
        return r < 0 ? r : 1;
}

/* --- the file sets of a component and of those that can come with it --- */

static int add_sets(struct set_table *sets, const struct writer_metadata *m, size_t component,
                    struct vss_error *reterr) {
        struct writer_metadata_files files;

        for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
                for (size_t i = 0; writer_metadata_get_files(m, lists[k], component, i, &files);
                     i++) {
                        struct vss_error unusable = { 0 };
                        struct file_set set;
                        int r = file_set_init(&set, &files, VSS_BT_FULL, &unusable);

                        vss_error_done(&unusable);
                        if (r == -ENOMEM)
                                return out_of_memory(reterr);
                        if (r < 0)
                                continue;
                        r = set_table_add(sets, &(struct set_table_item){ set.path, set.spec,
                                                                          set.recursive });
                        file_set_done(&set);
                        if (r < 0)
                                return out_of_memory(reterr);
                }
        return 0;
}

static int compare_paths(const void *a, const void *b) {
        const struct placed_component *x = a, *y = b;

        return strcmp(x->path, y->path);
}

/* By logical path, so that those below a component are two runs. */
static int sort_components(struct component_claims *claims, const struct writer_metadata *m,
                           struct vss_error *reterr) {
        size_t n = writer_metadata_n_components(m);

        if (claims->components || n == 0)
                return 0;
        claims->components = calloc(n, sizeof(*claims->components));
        if (!claims->components)
                return out_of_memory(reterr);
        for (; claims->n < n; claims->n++) {
                const struct writer_metadata_component *info =
                        writer_metadata_component(m, claims->n);

                claims->components[claims->n] = (struct placed_component){
                        .path = str_or_empty(info->logical_path),
                        .index = claims->n,
                };
        }
        qsort(claims->components, n, sizeof(*claims->components), compare_paths);
        return 0;
}

/* Of those whose logical path begins with the first size bytes of path. */
static int add_run(const struct component_claims *claims, struct set_table *sets,
                   const struct writer_metadata *m, const char *path, size_t size,
                   struct vss_error *reterr) {
        size_t low = 0, high = claims->n;
        int r = 0;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strncmp(claims->components[middle].path, path, size) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        for (; r >= 0 && low < claims->n && strncmp(claims->components[low].path, path, size) == 0;
             low++)
                r = add_sets(sets, m, claims->components[low].index, reterr);
        return r;
}

/* 1; 0: they are not known. */
static int read_sets(const IVssComponent *c, struct set_table *sets, struct vss_error *reterr) {
        const char *path = str_or_empty(backup_component_logical_path(c->component));
        const char *name = backup_component_name(c->component);
        const struct component_claims *claims = c->view->claims;
        _cleanup_(freep) char *below = NULL;
        const struct writer_metadata *m;
        size_t own, n;
        int r = read_metadata(c->view, reterr);

        if (r <= 0)
                return r;
        m = c->view->metadata;
        own = writer_metadata_find_component(m, path, name);
        if (own == SIZE_MAX)
                return 0;
        r = sort_components(c->view->claims, m, reterr);
        if (r < 0)
                return r;
        if (str_format(&below, "%s%s%s\\", path, *path == '\0' ? "" : "\\", name) < 0)
                return out_of_memory(reterr);
        n = strlen(below);
        r = add_sets(sets, m, own, reterr);
        if (r >= 0)
                r = add_run(claims, sets, m, below, n, reterr);
        below[n - 1] = '\0'; /* and those right below it, whose path ends where its name does */
        if (r >= 0)
                r = add_run(claims, sets, m, below, n, reterr);
        return r < 0 ? r : 1;
}

/* 1; 0: the file sets are not known. Once for a component. */
static int know_sets(const IVssComponent *c, struct component_files *files,
                     struct vss_error *reterr) {
        if (!files->has_asked) {
                int r = read_sets(c, &files->sets, reterr);

                if (r < 0) {
                        set_table_done(&files->sets);
                        return r;
                }
                set_table_settle(&files->sets);
                files->has_asked = true;
                files->is_known = r > 0;
        }
        return files->is_known;
}

/* --- what is kept for a component --- */

static struct component_files *files_free(struct component_files *files) {
        if (!files)
                return NULL;
        set_table_done(&files->sets);
        for (size_t k = 0; k < ARRAY_SIZE(files->said); k++)
                set_table_done(&files->said[k].table);
        free(files);
        return NULL;
}

struct component_claims *component_claims_free(struct component_claims *claims) {
        if (!claims)
                return NULL;
        for (size_t i = 0; i < claims->by_component.n_slots; i++)
                files_free(claims->by_component.slots[i].item);
        key_index_done(&claims->by_component);
        free(claims->components);
        free(claims);
        return NULL;
}

static bool is_of(const void *item, const void *key) {
        const struct component_files *files = item;

        return files->component == key;
}

static int get_files(const IVssComponent *c, struct component_files **ret,
                     struct vss_error *reterr) {
        uint64_t hash = key_hash(0, &c->component, sizeof(c->component));
        struct component_claims *claims = c->view->claims;

        if (!claims)
                claims = c->view->claims = calloc(1, sizeof(*claims));
        if (!claims)
                return out_of_memory(reterr);
        *ret = key_index_find(&claims->by_component, hash, is_of, c->component);
        if (*ret)
                return 0;
        if (key_index_reserve(&claims->by_component) < 0)
                return out_of_memory(reterr);
        *ret = calloc(1, sizeof(**ret));
        if (!*ret)
                return out_of_memory(reterr);
        (*ret)->component = c->component;
        key_index_add(&claims->by_component, hash, *ret);
        return 0;
}

/* --- what is said of files --- */

/* False only if it is known to be on none. */
static bool may_be_on_volumes(const IVssComponent *c, const char *path) {
        if (!c->view->volumes)
                return true;
        STRV_FOREACH (volume, c->view->volumes) {
                struct stat st;

                if (stat(*volume, &st) < 0)
                        return true;
        }
        return volume_path_is_on(*path == '\0' ? "/" : path, c->view->volumes);
}

static int read_partial(struct partial_files **ret, const struct backup_entry *e,
                        struct vss_error *reterr) {
        _cleanup_(partial_files_freep) struct partial_files *partials = NULL;
        int r = partial_files_new(&partials, reterr);

        if (r >= 0)
                r = partial_files_add(partials, e->texts[0], e->texts[1], e->texts[2], NULL,
                                      reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(partials);
        return 0;
}

static struct set_table_item partial_item(const struct partial_files *partials) {
        const struct partial_file *p = partial_files_get(partials, 0);

        return (struct set_table_item){ p->directory, p->name, false };
}

static int add_partial(struct set_table *said, const struct backup_entry *e,
                       struct vss_error *reterr) {
        _cleanup_(partial_files_freep) struct partial_files *partials = NULL;
        struct set_table_item item;
        int r = read_partial(&partials, e, reterr);

        if (r < 0)
                return r;
        item = partial_item(partials);
        return set_table_add(said, &item) < 0 ? out_of_memory(reterr) : 0;
}

static int read_differenced(struct differenced_files *ret, const struct backup_entry *e,
                            struct vss_error *reterr) {
        return differenced_files_add(ret, e->texts[0], e->texts[1], e->flag, e->time, reterr);
}

static struct set_table_item differenced_item(const struct differenced_files *d) {
        return (struct set_table_item){ d->sets[0].path, d->sets[0].spec, d->sets[0].recursive };
}

static int add_differenced(struct set_table *said, const struct backup_entry *e,
                           struct vss_error *reterr) {
        _cleanup_(differenced_files_done) struct differenced_files d = { 0 };
        struct set_table_item item;
        int r = read_differenced(&d, e, reterr);

        if (r < 0)
                return r;
        item = differenced_item(&d);
        return set_table_add(said, &item) < 0 ? out_of_memory(reterr) : 0;
}

static const struct {
        enum backup_list list;
        int (*add)(struct set_table *said, const struct backup_entry *e, struct vss_error *reterr);
} kinds[_SAID_MAX] = {
        [SAID_PARTIAL] = { BACKUP_LIST_PARTIAL_FILE, add_partial },
        [SAID_DIFFERENCED] = { BACKUP_LIST_DIFFERENCED_FILES, add_differenced },
};

/* What shares files with the item in what was said of this kind until now: of the document, which
 * only ever grows here, what is new is read. ret: NULL: nothing. */
static int find_said(const IVssComponent *c, struct component_files *files, enum said kind,
                     const struct set_table_item *item, const struct set_table_item **ret,
                     struct vss_error *reterr) {
        struct said_files *said = &files->said[kind];
        struct backup_entry e;

        for (; backup_component_entry(c->component, kinds[kind].list, said->n_read, &e);
             said->n_read++) {
                int r = kinds[kind].add(&said->table, &e, reterr);

                if (r < 0)
                        return r;
        }
        set_table_settle(&said->table);
        *ret = set_table_share(&said->table, item);
        return 0;
}

int component_check_partial_file(const IVssComponent *c, const struct backup_entry *e,
                                 struct vss_error *reterr) {
        _cleanup_(partial_files_freep) struct partial_files *partials = NULL;
        _cleanup_(freep) char *path = NULL;
        const struct set_table_item *both;
        struct component_files *files;
        struct set_table_item item;
        int r;

        r = read_partial(&partials, e, reterr);
        if (r < 0)
                return r;
        item = partial_item(partials);
        r = get_files(c, &files, reterr);
        if (r >= 0)
                r = find_said(c, files, SAID_DIFFERENCED, &item, &both, reterr);
        if (r < 0)
                return r;
        if (both)
                return vss_error_set(
                        reterr, E_INVALIDARG, 0,
                        "%s/%s is among the files that are backed up by when they were "
                        "modified: it cannot be partial as well",
                        item.directory, item.spec);
        r = know_sets(c, files, reterr);
        if (r <= 0)
                return r;
        if (!set_table_has_above(&files->sets, item.directory))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s/%s lies neither in nor below the path of a file set of "
                                     "the component",
                                     item.directory, item.spec);
        if (file_path_join(&path, item.directory, item.spec) < 0)
                return out_of_memory(reterr);
        if (!set_table_share(&files->sets, &item) && !may_be_on_volumes(c, path))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s is new to the component, and on no volume of the snapshot "
                                     "set",
                                     path);
        return 0;
}

static const char *path_of(const struct set_table_item *item) {
        return *item->directory == '\0' ? "/" : item->directory;
}

int component_check_differenced_files(const IVssComponent *c, const struct backup_entry *e,
                                      struct vss_error *reterr) {
        _cleanup_(differenced_files_done) struct differenced_files d = { 0 };
        const struct set_table_item *both, *crossed;
        struct component_files *files;
        struct set_table_item item;
        int r;

        r = read_differenced(&d, e, reterr);
        if (r < 0)
                return r;
        item = differenced_item(&d);
        r = get_files(c, &files, reterr);
        if (r >= 0)
                r = find_said(c, files, SAID_PARTIAL, &item, &both, reterr);
        if (r < 0)
                return r;
        if (both)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "'%s' in %s names %s/%s, of which ranges are backed "
                                     "up: it cannot be both",
                                     item.spec, path_of(&item), both->directory, both->spec);
        r = know_sets(c, files, reterr);
        if (r <= 0 || set_table_has(&files->sets, &item))
                return r < 0 ? r : 0;
        crossed = set_table_share(&files->sets, &item);
        if (crossed)
                return vss_error_set(
                        reterr, E_INVALIDARG, 0,
                        "'%s' in %s%s has files of the component's file set '%s' in %s%s, but is "
                        "not that set: name the set as it is in the metadata, or other "
                        "files",
                        item.spec, path_of(&item), item.recursive ? " and below it" : "",
                        crossed->spec, path_of(crossed), crossed->recursive ? " and below it" : "");
        if (!may_be_on_volumes(c, item.directory))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s is new to the component, and on no volume of the snapshot "
                                     "set",
                                     path_of(&item));
        return 0;
}

int component_check_directed_source(const IVssComponent *c, const struct backup_entry *e,
                                    struct vss_error *reterr) {
        _cleanup_(partial_files_freep) struct partial_files *partials = NULL;
        struct component_files *files;
        struct set_table_item item;
        int r;

        r = read_partial(&partials, e, reterr);
        if (r < 0)
                return r;
        item = partial_item(partials);
        r = get_files(c, &files, reterr);
        if (r >= 0)
                r = know_sets(c, files, reterr);
        if (r <= 0 || set_table_has_above(&files->sets, item.directory))
                return r < 0 ? r : 0;
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "The source %s/%s lies neither in nor below the path of a file set of "
                             "the component",
                             item.directory, item.spec);
}
