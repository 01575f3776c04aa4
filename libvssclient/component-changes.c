/* The writer's words, read and held against each other. */

#include "libvssclient/component-changes.h"

#include "libvssclient/files/wildcard.h"

void component_changes_done(struct component_changes *c) {
        partial_files_free(c->partials);
        differenced_files_done(&c->differenced);
        *c = (struct component_changes){ 0 };
}

static int read_partial(struct component_changes *c, IVssComponent *state, UINT i,
                        component_changes_tell tell, void *userdata, HRESULT *ret_hr) {
        _cleanup_(freep) char *path = NULL, *name = NULL, *ranges = NULL, *metadata = NULL;
        struct vss_error error = { 0 };

        *ret_hr = IVssComponent_GetPartialFile(state, i, &path, &name, &ranges, &metadata);
        if (FAILED(*ret_hr))
                return -ECANCELED;
        if (partial_files_add(c->partials, path, name, ranges, metadata, &error) < 0)
                return tell(userdata, path, &error);
        return 0;
}

static int read_differenced(struct component_changes *c, IVssComponent *state, UINT i,
                            component_changes_tell tell, void *userdata, HRESULT *ret_hr) {
        _cleanup_(freep) char *path = NULL, *spec = NULL, *lsn = NULL;
        struct vss_error error = { 0 };
        FILETIME time;
        BOOL recursive;

        *ret_hr = IVssComponent_GetDifferencedFile(state, i, &path, &spec, &recursive, &lsn, &time);
        if (FAILED(*ret_hr))
                return -ECANCELED;
        if (differenced_files_add(&c->differenced, path, spec, recursive,
                                  (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime,
                                  &error) < 0)
                return tell(userdata, path, &error);
        return 0;
}

int component_changes_read(struct component_changes *c, IVssComponent *state,
                           component_changes_tell tell, void *userdata, HRESULT *ret_hr,
                           struct vss_error *reterr) {
        UINT partials = 0, differenced = 0;
        int r;

        if (!state)
                return 0;
        *ret_hr = IVssComponent_GetPartialFileCount(state, &partials);
        if (SUCCEEDED(*ret_hr))
                *ret_hr = IVssComponent_GetDifferencedFilesCount(state, &differenced);
        if (FAILED(*ret_hr))
                return -ECANCELED;
        r = partial_files_new(&c->partials, reterr);
        for (UINT i = 0; r >= 0 && i < partials; i++)
                r = read_partial(c, state, i, tell, userdata, ret_hr);
        for (UINT i = 0; r >= 0 && i < differenced; i++)
                r = read_differenced(c, state, i, tell, userdata, ret_hr);
        if (r < 0)
                return r;
        partial_files_seal(c->partials);
        differenced_files_seal(&c->differenced);
        return 0;
}

bool component_changes_any(const struct component_changes *c) {
        return partial_files_get(c->partials, 0) || c->differenced.n > 0;
}

int component_changes_see_set(struct component_changes *c, const struct file_set *set) {
        int r = partial_files_see_set(c->partials, set);

        return r < 0 ? r : differenced_files_see_set(&c->differenced, set);
}

/* It names files of a set, and is not that set. */
static int check_differenced(const struct differenced_set *d, component_changes_tell tell,
                             void *userdata) {
        struct vss_error error = { 0 };

        if (d->is_existing || !d->crossed)
                return 0;
        (void)vss_error_set(
                &error, E_INVALIDARG, 0,
                "The writer wants '%s' in %s%s backed up by when it was modified, which "
                "has files of its file set %s but is not that set; all of the set is "
                "listed",
                d->spec, *d->path == '\0' ? "/" : d->path, d->recursive ? " and below it" : "",
                d->crossed);
        return tell(userdata, d->path, &error);
}

static int check_partial(struct component_changes *c, size_t i, component_changes_tell tell,
                         void *userdata) {
        const struct partial_file *p = partial_files_get(c->partials, i);
        int both = differenced_files_name(&c->differenced, p->directory, p->name);
        struct vss_error error = { 0 };

        if (both < 0)
                return both;
        if (both) {
                partial_files_drop(c->partials, i);
                (void)vss_error_set(&error, E_INVALIDARG, 0,
                                    "The writer wants ranges of %s/%s backed up, and all of it if "
                                    "it was modified; all of it counts",
                                    p->directory, p->name);
        } else if (!p->is_below)
                (void)vss_error_set(&error, E_INVALIDARG, 0,
                                    "The writer wants ranges of %s/%s backed up, which lies below "
                                    "none of the component's file sets; it is listed all the same",
                                    p->directory, p->name);
        else
                return 0;
        return tell(userdata, p->directory, &error);
}

int component_changes_check(struct component_changes *c, component_changes_tell tell,
                            void *userdata) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < c->differenced.n; i++)
                r = check_differenced(&c->differenced.sets[i], tell, userdata);
        for (size_t i = 0; r >= 0 && partial_files_get(c->partials, i); i++)
                r = check_partial(c, i, tell, userdata);
        return r;
}
