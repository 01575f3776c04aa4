/* The files of a component: its file sets, as this type of backup and what the writer said of this
 * backup change them, each walked in turn. */

#include "libvssclient/component-source.h"
#include "libvssclient/differenced-files.h"
#include "libvssclient/files/file-path.h"
#include "libvssclient/files/file-walk.h"
#include "libvssclient/last-error.h"
#include <dirent.h>

#define NOT_TO_BACKUP "/etc/vss/files-not-to-backup.d"
#define NOT_TO_SNAPSHOT "/etc/vss/files-not-to-snapshot.d"

static const enum writer_metadata_list lists[] = {
        WRITER_METADATA_FILES,
        WRITER_METADATA_DATABASE_FILES,
        WRITER_METADATA_DATABASE_LOG_FILES,
};

/* One call of VssSelection_ListFiles. */
struct listing {
        VssSelection *selection;
        const VSS_SELECTED_COMPONENT *component;
        const struct writer_metadata *metadata;
        const VSS_FILE_REQUEST *request;
        VSS_BACKUP_TYPE type;
        struct differenced_files differenced;
        struct partial_files *partials; /* NULL: none */
        struct file_walk walk;
        bool problems;
        HRESULT end;            /* what a handler ended it with */
        struct vss_error error; /* the problem that ended it */
};

static void listing_done(struct listing *l) {
        differenced_files_done(&l->differenced);
        partial_files_free(l->partials);
        vss_error_done(&l->error);
}

static int on_file(void *userdata, const VSS_FILE *file) {
        struct listing *l = userdata;

        l->end = l->request->OnFile(l->request->user, file);
        return FAILED(l->end) ? -ECANCELED : 0;
}

static int on_problem(void *userdata, const VSS_FILE_PROBLEM *problem) {
        struct listing *l = userdata;

        l->problems = true;
        if (!l->request->OnProblem)
                return vss_error_set(&l->error, problem->code, ECANCELED, "%s", problem->message);
        l->end = l->request->OnProblem(l->request->user, problem);
        return FAILED(l->end) ? -ECANCELED : 0;
}

/* A part that cannot be used is a problem of its own; the rest goes on. Drops e. */
static int tell(struct listing *l, const char *path, struct vss_error *e) {
        int r;

        if (e->hr == E_OUTOFMEMORY) {
                vss_error_move(&l->error, e);
                return -ENOMEM;
        }
        r = on_problem(l, &(const VSS_FILE_PROBLEM){
                                  .path = str_or_empty(path),
                                  .code = e->hr,
                                  .message = str_or_empty(e->message),
                          });
        vss_error_done(e);
        return r;
}

/* A list of the writer's, as rules. */
static int read_rules(struct listing *l, enum writer_metadata_list list, struct file_rules **ret) {
        _cleanup_(file_rules_freep) struct file_rules *rules = NULL;
        struct writer_metadata_files files;
        int r;

        if (*ret)
                return 0;
        r = file_rules_new(&rules, &l->error);
        for (size_t i = 0; r >= 0 && writer_metadata_get_files(l->metadata, list, 0, i, &files);
             i++) {
                struct vss_error error = { 0 };
                struct file_set set;

                if (file_set_init(&set, &files, l->type, &error) < 0) {
                        r = tell(l, files.path, &error);
                        continue;
                }
                r = file_rules_add(rules, set.path, set.spec, set.recursive, &l->error);
                file_set_done(&set);
        }
        if (r < 0)
                return r;
        file_rules_seal(rules);
        *ret = TAKE_PTR(rules);
        return 0;
}

struct list_problem {
        struct listing *listing;
        const char *directory;
        int result;
};

static void on_list_problem(void *userdata, const char *sentence) {
        struct list_problem *p = userdata;

        if (p->result >= 0)
                p->result = on_problem(p->listing, &(const VSS_FILE_PROBLEM){
                                                           .path = p->directory,
                                                           .code = E_INVALIDARG,
                                                           .message = sentence,
                                                   });
}

/* Local ones, as "$AllVolumes$" means. */
static int list_volumes(const struct mount_table *mounts, char ***ret) {
        const struct mount *m;
        int r = 0;

        for (size_t i = 0; r >= 0 && (m = mount_table_get(mounts, i)) != NULL; i++)
                if (m->kind == MOUNT_LOCAL)
                        r = strv_append(ret, m->path);
        return r;
}

/* The directories in that of the users' homes, and root's. */
static int list_profiles(char ***ret, struct vss_error *reterr) {
        _cleanup_(freep) char *homes = NULL;
        struct dirent *e;
        DIR *d;
        int r;

        r = file_path_expand(&homes, "${homedir}", reterr);
        if (r >= 0 && strv_append(ret, "/root") < 0)
                r = vss_error_from_errno(reterr, -ENOMEM, "The home directories");
        d = r >= 0 ? opendir(homes) : NULL;
        while (d && r >= 0 && (e = readdir(d)) != NULL) {
                _cleanup_(freep) char *home = NULL;

                if (e->d_name[0] == '.')
                        continue;
                if (file_path_join(&home, homes, e->d_name) < 0 || strv_append(ret, home) < 0)
                        r = vss_error_from_errno(reterr, -ENOMEM, "The home directories");
        }
        if (d)
                (void)closedir(d); /* it was only read */
        return r;
}

static int list_writers(const VssSelection *s, char ***ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n_documents; i++) {
                const struct writer_metadata *m = selection_metadata(s, i);

                r = strv_append(ret, str_or_empty(writer_metadata_identity(m)->name));
        }
        return r;
}

/* A list of the machine's. */
static int read_machine_rules(struct listing *l, const char *directory, struct file_rules **ret) {
        struct list_problem problem = { .listing = l, .directory = directory };
        _cleanup_(file_rules_freep) struct file_rules *rules = NULL;
        _cleanup_(strv_freep) char **volumes = NULL, **profiles = NULL, **writers = NULL;
        int r;

        if (*ret)
                return 0;
        if (list_volumes(l->selection->mounts, &volumes) < 0 ||
            list_writers(l->selection, &writers) < 0)
                return vss_error_from_errno(&l->error, -ENOMEM, directory);
        r = list_profiles(&profiles, &l->error);
        if (r >= 0)
                r = file_rules_new(&rules, &l->error);
        if (r >= 0)
                r = file_rules_read(rules, directory,
                                    &(const struct file_rules_places){
                                            .volumes = volumes,
                                            .profiles = profiles,
                                            .writers = writers,
                                    },
                                    on_list_problem, &problem, &l->error);
        if (r >= 0)
                r = problem.result;
        if (r < 0)
                return r;
        file_rules_seal(rules);
        *ret = TAKE_PTR(rules);
        return 0;
}

static int read_partial(struct listing *l, UINT i) {
        _cleanup_(freep) char *path = NULL, *name = NULL, *ranges = NULL, *metadata = NULL;
        struct vss_error error = { 0 };

        l->end = IVssComponent_GetPartialFile(l->request->state, i, &path, &name, &ranges,
                                              &metadata);
        if (FAILED(l->end))
                return -ECANCELED;
        if (partial_files_add(l->partials, path, name, ranges, metadata, &error) < 0)
                return tell(l, path, &error);
        return 0;
}

static int read_differenced(struct listing *l, UINT i) {
        _cleanup_(freep) char *path = NULL, *spec = NULL, *lsn = NULL;
        struct vss_error error = { 0 };
        FILETIME time;
        BOOL recursive;

        l->end = IVssComponent_GetDifferencedFile(l->request->state, i, &path, &spec, &recursive,
                                                  &lsn, &time);
        if (FAILED(l->end))
                return -ECANCELED;
        if (differenced_files_add(&l->differenced, path, spec, recursive,
                                  (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime,
                                  &error) < 0)
                return tell(l, path, &error);
        return 0;
}

/* What the writer said of this backup. */
static int read_state(struct listing *l) {
        UINT partials = 0, differenced = 0;
        int r;

        if (!l->request->state)
                return 0;
        l->end = IVssComponent_GetPartialFileCount(l->request->state, &partials);
        if (SUCCEEDED(l->end))
                l->end = IVssComponent_GetDifferencedFilesCount(l->request->state, &differenced);
        if (FAILED(l->end))
                return -ECANCELED;
        r = partial_files_new(&l->partials, &l->error);
        for (UINT i = 0; r >= 0 && i < partials; i++)
                r = read_partial(l, i);
        for (UINT i = 0; r >= 0 && i < differenced; i++)
                r = read_differenced(l, i);
        if (r < 0)
                return r;
        partial_files_seal(l->partials);
        differenced_files_seal(&l->differenced);
        return 0;
}

static int walk_set(struct listing *l, const struct writer_metadata_files *files) {
        const struct differenced_set *limit;
        struct vss_error error = { 0 };
        struct file_set set;
        int r = 0;

        if (file_set_init(&set, files, l->type, &error) < 0) {
                /* What is not in this backup need not be usable. */
                if (file_set_is_in_backup(files->backup_type_mask, l->type))
                        return tell(l, files->path, &error);
                vss_error_done(&error);
                return 0;
        }
        limit = differenced_files_find(&l->differenced, set.path, set.spec, set.recursive);
        if (limit)
                file_set_limit(&set, limit->time);
        if (limit || file_set_is_in_backup(files->backup_type_mask, l->type))
                r = file_walk_set(&l->walk, &set);
        file_set_done(&set);
        return r;
}

/* Which of the differenced sets are sets of the component, or of one below it? */
static int settle_differenced(struct listing *l) {
        if (l->differenced.n == 0)
                return 0;
        for (UINT i = 0; i < l->selection->n_components; i++) {
                const VSS_SELECTED_COMPONENT *c = &l->selection->components[i];

                if (c->writer != l->component->writer ||
                    &l->selection->components[c->carrier] != l->component)
                        continue;
                for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
                        struct writer_metadata_files files;

                        for (size_t j = 0; writer_metadata_get_files(l->metadata, lists[k],
                                                                     c->position, j, &files);
                             j++) {
                                struct differenced_set *d;
                                struct file_set set;

                                if (file_set_init(&set, &files, l->type, NULL) < 0)
                                        continue;
                                d = differenced_files_find(&l->differenced, set.path, set.spec,
                                                           set.recursive);
                                if (d)
                                        d->is_existing = true;
                                file_set_done(&set);
                        }
                }
        }
        return 0;
}

/* What is told of at the explicit component, for all that comes with it: partial files, and file
 * sets that the writer added for this backup. Both must be read from the copy: it says which of
 * their bytes changed. */
static int walk_additions(struct listing *l) {
        const struct partial_file *partial;
        int r = settle_differenced(l);

        for (size_t i = 0; r >= 0 && (partial = partial_files_get(l->partials, i)) != NULL; i++) {
                r = file_walk_partial(&l->walk, partial, true);
                if (r >= 0)
                        r = file_walk_ranges_file(&l->walk, partial, false);
        }
        for (size_t i = 0; r >= 0 && i < l->differenced.n; i++) {
                const struct differenced_set *d = &l->differenced.sets[i];
                struct file_set set = {
                        .path = d->path,
                        .source = d->path,
                        .spec = d->spec,
                        .recursive = d->recursive,
                        .copy_required = true,
                };

                if (d->is_existing)
                        continue;
                file_set_limit(&set, d->time);
                r = file_walk_set(&l->walk, &set);
        }
        return r;
}

static int walk_component(struct listing *l, const VSS_SELECTED_COMPONENT *c) {
        struct writer_metadata_files files;
        int r = 0;

        for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
                for (size_t i = 0; r >= 0 && writer_metadata_get_files(l->metadata, lists[k],
                                                                       c->position, i, &files);
                     i++)
                        r = walk_set(l, &files);
        return r;
}

static bool is_listed(const struct listing *l, UINT i) {
        const VSS_SELECTED_COMPONENT *all = l->selection->components;

        return &all[i] == l->component ||
               (!l->request->alone && &all[all[i].carrier] == l->component);
}

static int list_files(struct listing *l) {
        struct selected_writer_rules *rules = &l->selection->rules[l->component->writer];
        int r;

        r = selection_need_mounts(l->selection, &l->error);
        if (r >= 0)
                r = read_rules(l, WRITER_METADATA_EXCLUDES, &rules->excludes);
        if (r >= 0)
                r = read_rules(l, WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT, &rules->blanks);
        if (r >= 0)
                r = read_machine_rules(l, NOT_TO_BACKUP, &l->selection->machine_excludes);
        if (r >= 0)
                r = read_machine_rules(l, NOT_TO_SNAPSHOT, &l->selection->machine_blanks);
        if (r >= 0)
                r = read_state(l);
        if (r < 0)
                return r;
        l->walk = (struct file_walk){
                .mounts = l->selection->mounts,
                .excludes = rules->excludes,
                .machine_excludes = l->selection->machine_excludes,
                .blanks = rules->blanks,
                .machine_blanks = l->selection->machine_blanks,
                .partials = l->partials,
                .on_file = on_file,
                .on_problem = on_problem,
                .userdata = l,
        };
        for (UINT i = 0; r >= 0 && i < l->selection->n_components; i++)
                if (is_listed(l, i))
                        r = walk_component(l, &l->selection->components[i]);
        return r < 0 || !l->component->is_explicit ? r : walk_additions(l);
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
        l.metadata = selection_metadata(selection, l.component->writer);
        l.type = file_set_backup_type(writer_metadata_schema(l.metadata), request->type);
        r = list_files(&l);
        if (r >= 0)
                return l.problems ? S_FALSE : S_OK;
        if (FAILED(l.end))
                return l.end;
        if (l.error.hr == S_OK)
                (void)vss_error_from_errno(&l.error, r, __func__);
        return last_error_raise(&l.error);
}
