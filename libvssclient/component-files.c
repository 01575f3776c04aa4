/* The files of a component: its file sets, as this type of backup and what the writer said of this
 * backup change them, each walked in turn. */

#include "libvssclient/component-listing.h"
#include "libvssclient/component-source.h"
#include "libvssclient/last-error.h"

static const enum writer_metadata_list lists[] = {
        WRITER_METADATA_FILES,
        WRITER_METADATA_DATABASE_FILES,
        WRITER_METADATA_DATABASE_LOG_FILES,
};

static void listing_done(struct listing *l) {
        component_changes_done(&l->changes);
        listed_files_free(l->listed);
        vss_error_done(&l->error);
}

static int on_file(void *userdata, const VSS_FILE *file) {
        struct listing *l = userdata;

        l->end = l->request->OnFile(l->request->user, file);
        return FAILED(l->end) ? -ECANCELED : 0;
}

int listing_problem(void *listing, const VSS_FILE_PROBLEM *problem) {
        struct listing *l = listing;

        l->problems = true;
        if (!l->request->OnProblem)
                return vss_error_set(&l->error, problem->code, ECANCELED, "%s", problem->message);
        l->end = l->request->OnProblem(l->request->user, problem);
        return FAILED(l->end) ? -ECANCELED : 0;
}

int listing_tell(void *listing, const char *path, struct vss_error *e) {
        struct listing *l = listing;
        int r;

        if (e->hr == E_OUTOFMEMORY) {
                vss_error_move(&l->error, e);
                return -ENOMEM;
        }
        r = listing_problem(l, &(const VSS_FILE_PROBLEM){
                                       .path = str_or_empty(path),
                                       .code = e->hr,
                                       .message = str_or_empty(e->message),
                               });
        vss_error_done(e);
        return r;
}

/* A file set of a component, as it stands in the metadata. */
struct stated_set {
        enum writer_metadata_list list;
        struct writer_metadata_files files;
};

typedef int (*set_fn)(struct listing *l, const struct stated_set *set);

static int for_each_set(struct listing *l, const VSS_SELECTED_COMPONENT *c, set_fn fn) {
        int r = 0;

        for (size_t k = 0; r >= 0 && k < ARRAY_SIZE(lists); k++) {
                struct stated_set set = { .list = lists[k] };

                for (size_t i = 0; r >= 0 && writer_metadata_get_files(l->metadata, set.list,
                                                                       c->position, i, &set.files);
                     i++)
                        r = fn(l, &set);
        }
        return r;
}

static bool is_in_backup(const struct listing *l, const struct stated_set *set) {
        return file_set_is_in_backup(set->list, set->files.backup_type_mask, l->type);
}

/* 1; 0: it is not usable, and that is told elsewhere; -ENOMEM. */
static int use_set(const struct listing *l, const struct stated_set *stated, struct file_set *ret) {
        struct vss_error error = { 0 };
        int r = file_set_init(ret, &stated->files, l->type, &error);

        vss_error_done(&error);
        return r == -ENOMEM ? r : r >= 0;
}

/* What the writer said of this backup, it said of the component set as a whole. */
static int show_to_changes(struct listing *l, const struct stated_set *stated) {
        struct file_set set;
        int r = use_set(l, stated, &set);

        if (r <= 0)
                return r;
        r = component_changes_see_set(&l->changes, &set);
        file_set_done(&set);
        return r;
}

static const struct differenced_set *find_limit(const struct listing *l,
                                                const struct file_set *set) {
        return differenced_files_find(&l->changes.differenced, set->path, set->spec,
                                      set->recursive);
}

static int note_set(struct listing *l, const struct stated_set *stated) {
        struct file_set set;
        int r = use_set(l, stated, &set);

        if (r <= 0)
                return r;
        if (is_in_backup(l, stated) || find_limit(l, &set))
                r = listed_files_add_set(l->listed, &set, &l->error);
        file_set_done(&set);
        return r;
}

static int walk_set(struct listing *l, const struct stated_set *stated) {
        const struct differenced_set *limit;
        struct vss_error error = { 0 };
        struct file_set set;
        int r = 0;

        if (file_set_init(&set, &stated->files, l->type, &error) < 0) {
                /* What is not in this backup need not be usable. */
                if (is_in_backup(l, stated))
                        return listing_tell(l, stated->files.path, &error);
                vss_error_done(&error);
                return 0;
        }
        limit = find_limit(l, &set);
        if (limit)
                file_set_limit(&set, limit->time);
        if (limit || is_in_backup(l, stated))
                r = file_walk_set(&l->walk, &set);
        file_set_done(&set);
        return r;
}

/* A set that the writer added for this backup. It must be read from the copy: it says when its
 * files changed. */
static struct file_set added_set(const struct differenced_set *d) {
        struct file_set set = {
                .path = d->path,
                .source = d->path,
                .spec = d->spec,
                .recursive = d->recursive,
                .copy_required = true,
        };

        file_set_limit(&set, d->time);
        return set;
}

/* What is told of at the explicit component, for all that comes with it. */
static int walk_additions(struct listing *l) {
        const struct differenced_files *d = &l->changes.differenced;
        const struct partial_file *partial;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < d->n; i++)
                if (!d->sets[i].is_existing) {
                        const struct file_set set = added_set(&d->sets[i]);

                        r = file_walk_set(&l->walk, &set);
                }
        for (size_t i = 0; r >= 0 && (partial = partial_files_get(l->changes.partials, i)) != NULL;
             i++) {
                if (partial->dropped)
                        continue;
                r = file_walk_partial(&l->walk, partial);
                if (r >= 0)
                        r = file_walk_ranges_file(&l->walk, partial);
        }
        return r;
}

static bool is_listed(const struct listing *l, UINT i) {
        const VSS_SELECTED_COMPONENT *all = l->selection->components;

        return &all[i] == l->component ||
               (!l->request->alone && &all[all[i].carrier] == l->component);
}

static bool is_carried(const struct listing *l, UINT i) {
        const VSS_SELECTED_COMPONENT *all = l->selection->components;

        return &all[all[i].carrier] == l->carrier;
}

static int for_each_component(struct listing *l, bool (*is_meant)(const struct listing *l, UINT i),
                              set_fn fn) {
        int r = 0;

        for (UINT i = 0; r >= 0 && i < l->selection->n_components; i++)
                if (is_meant(l, i))
                        r = for_each_set(l, &l->selection->components[i], fn);
        return r;
}

/* What the requester has of the writer's, or else what its document has. */
static IVssComponent *state_of(const struct listing *l) {
        if (l->request->state || !l->selection->states)
                return l->request->state;
        return l->selection->states[l->component->carrier];
}

/* Reads what the writer said, and tells where it contradicts the metadata. */
static int read_changes(struct listing *l) {
        int r;

        r = component_changes_read(&l->changes, state_of(l), listing_tell, l, &l->end, &l->error);
        if (r < 0 || !component_changes_any(&l->changes))
                return r;
        r = for_each_component(l, is_carried, show_to_changes);
        /* Once, with the component that it was said of. */
        if (r >= 0 && l->component == l->carrier)
                r = component_changes_check(&l->changes, listing_tell, l);
        return r;
}

static int note_sets(struct listing *l) {
        const struct differenced_files *d = &l->changes.differenced;
        int r;

        r = listed_files_new(&l->listed, &l->error);
        if (r >= 0)
                r = for_each_component(l, is_listed, note_set);
        for (size_t i = 0; r >= 0 && i < d->n; i++)
                if (!d->sets[i].is_existing) {
                        const struct file_set set = added_set(&d->sets[i]);

                        r = listed_files_add_set(l->listed, &set, &l->error);
                }
        if (r >= 0)
                listed_files_seal(l->listed);
        return r;
}

static int list_files(struct listing *l) {
        int r;

        r = selection_need_mounts(l->selection, &l->error);
        if (r >= 0)
                r = listing_read_rules(l);
        if (r >= 0)
                r = read_changes(l);
        if (r >= 0)
                r = note_sets(l);
        if (r < 0)
                return r;
        l->walk.mounts = l->selection->mounts;
        l->walk.partials = l->changes.partials;
        l->walk.listed = l->listed;
        l->walk.on_file = on_file;
        l->walk.on_problem = listing_problem;
        l->walk.userdata = l;
        r = for_each_component(l, is_listed, walk_set);
        return r < 0 || l->component != l->carrier ? r : walk_additions(l);
}

HRESULT VssSelection_ListFiles(VssSelection *selection, UINT component,
                               const VSS_FILE_REQUEST *request) {
        _cleanup_(listing_done) struct listing l = { .selection = selection, .request = request };
        HRESULT hr = selection_enter(selection, __func__);
        int r;

        if (FAILED(hr))
                return hr;
        if (component >= selection->n_components)
                return last_error_argument(__func__, "there is no component of this index");
        if (!request || request->size < sizeof(*request) || !request->OnFile)
                return last_error_argument(__func__, "request is NULL, or its size is not set, or "
                                                     "OnFile is NULL");
        l.component = &selection->components[component];
        l.carrier = &selection->components[l.component->carrier];
        l.metadata = selection_metadata(selection, l.component->writer);
        l.type = file_set_backup_type(writer_metadata_schema(l.metadata),
                                      request->type != VSS_BT_UNDEFINED ? request->type
                                                                        : selection->type);
        r = list_files(&l);
        if (r >= 0)
                return l.problems ? S_FALSE : S_OK;
        if (FAILED(l.end))
                return l.end;
        if (l.error.hr == S_OK)
                (void)vss_error_from_errno(&l.error, r, __func__);
        return last_error_raise(&l.error);
}
