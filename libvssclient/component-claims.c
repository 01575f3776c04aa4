/* The claim is put among the file sets as it will be when files are listed, with the same code. */

#include "libvssclient/component-claims.h"
#include "common/document.h"
#include "common/writer-metadata.h"
#include "libvssclient/component-changes.h"
#include "libvssclient/files/file-path.h"
#include "libvssclient/volume-path.h"
#include <sys/stat.h>

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

/* Is it the component, or one that can come with it? */
static bool is_in_set(const struct writer_metadata_component *info, const char *path,
                      const char *name) {
        const char *at = str_or_empty(info->logical_path);
        size_t n = strlen(path), m = strlen(name);

        if (streq(at, path) && streq(info->name, name))
                return true;
        if (n > 0) {
                if (strncmp(at, path, n) != 0 || at[n] != '\\')
                        return false;
                at += n + 1;
        }
        return strncmp(at, name, m) == 0 && (at[m] == '\0' || at[m] == '\\');
}

static int show_sets(const struct writer_metadata *m, size_t component,
                     struct component_changes *claim, struct vss_error *reterr) {
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
                        r = component_changes_see_set(claim, &set);
                        file_set_done(&set);
                        if (r < 0)
                                return out_of_memory(reterr);
                }
        return 0;
}

/* 1; 0: the file sets are not known. */
static int place(const IVssComponent *c, struct component_changes *claim,
                 struct vss_error *reterr) {
        const char *path = str_or_empty(backup_component_logical_path(c->component));
        const char *name = backup_component_name(c->component);
        const struct writer_metadata *m;
        int r = read_metadata(c->view, reterr);

        if (r <= 0)
                return r;
        m = c->view->metadata;
        if (writer_metadata_find_component(m, path, name) == SIZE_MAX)
                return 0;
        for (size_t i = 0; r >= 0 && i < writer_metadata_n_components(m); i++)
                if (is_in_set(writer_metadata_component(m, i), path, name))
                        r = show_sets(m, i, claim, reterr);
        return r < 0 ? r : 1;
}

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

static int add_partial(struct component_changes *claim, const struct backup_entry *e,
                       struct vss_error *reterr) {
        int r = claim->partials ? 0 : partial_files_new(&claim->partials, reterr);

        return r < 0 ? r
                     : partial_files_add(claim->partials, e->texts[0], e->texts[1], e->texts[2],
                                         NULL, reterr);
}

static int add_differenced(struct component_changes *claim, const struct backup_entry *e,
                           struct vss_error *reterr) {
        return differenced_files_add(&claim->differenced, e->texts[0], e->texts[1], e->flag,
                                     e->time, reterr);
}

static int seal(struct component_changes *claim, struct vss_error *reterr) {
        if (!claim->partials) {
                int r = partial_files_new(&claim->partials, reterr);

                if (r < 0)
                        return r;
        }
        partial_files_seal(claim->partials);
        differenced_files_seal(&claim->differenced);
        return 0;
}

int component_check_partial_file(const IVssComponent *c, const struct backup_entry *e,
                                 struct vss_error *reterr) {
        _cleanup_(component_changes_done) struct component_changes claim = { 0 };
        _cleanup_(freep) char *path = NULL;
        const struct partial_file *p;
        struct backup_entry other;
        int r, known;

        r = add_partial(&claim, e, reterr);
        for (size_t i = 0;
             r >= 0 &&
             backup_component_entry(c->component, BACKUP_LIST_DIFFERENCED_FILES, i, &other);
             i++)
                r = add_differenced(&claim, &other, reterr);
        if (r >= 0)
                r = seal(&claim, reterr);
        if (r < 0)
                return r;
        p = partial_files_get(claim.partials, 0);
        r = differenced_files_name(&claim.differenced, p->directory, p->name);
        if (r < 0)
                return out_of_memory(reterr);
        if (r > 0)
                return vss_error_set(
                        reterr, E_INVALIDARG, 0,
                        "%s/%s is among the files that are backed up by when they were "
                        "modified: it cannot be partial as well",
                        p->directory, p->name);
        known = place(c, &claim, reterr);
        if (known <= 0)
                return known;
        if (!p->is_below)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s/%s lies neither in nor below the path of a file set of "
                                     "the component",
                                     p->directory, p->name);
        if (file_path_join(&path, p->directory, p->name) < 0)
                return out_of_memory(reterr);
        if (!p->has_set && !may_be_on_volumes(c, path))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s is new to the component, and on no volume of the snapshot "
                                     "set",
                                     path);
        return 0;
}

int component_check_differenced_files(const IVssComponent *c, const struct backup_entry *e,
                                      struct vss_error *reterr) {
        _cleanup_(component_changes_done) struct component_changes claim = { 0 };
        const struct differenced_set *d;
        const struct partial_file *p;
        struct backup_entry other;
        int r, known;

        r = add_differenced(&claim, e, reterr);
        for (size_t i = 0;
             r >= 0 && backup_component_entry(c->component, BACKUP_LIST_PARTIAL_FILE, i, &other);
             i++)
                r = add_partial(&claim, &other, reterr);
        if (r >= 0)
                r = seal(&claim, reterr);
        if (r < 0)
                return r;
        d = &claim.differenced.sets[0];
        for (size_t i = 0; (p = partial_files_get(claim.partials, i)) != NULL; i++) {
                r = differenced_files_name(&claim.differenced, p->directory, p->name);
                if (r < 0)
                        return out_of_memory(reterr);
                if (r > 0)
                        return vss_error_set(reterr, E_INVALIDARG, 0,
                                             "'%s' in %s names %s/%s, of which ranges are backed "
                                             "up: it cannot be both",
                                             d->spec, *d->path == '\0' ? "/" : d->path,
                                             p->directory, p->name);
        }
        known = place(c, &claim, reterr);
        if (known <= 0 || d->is_existing)
                return known < 0 ? known : 0;
        if (d->crossed)
                return vss_error_set(
                        reterr, E_INVALIDARG, 0,
                        "'%s' in %s%s has files of the component's file set %s, but is "
                        "not that set: name the set as it is in the metadata, or other "
                        "files",
                        d->spec, *d->path == '\0' ? "/" : d->path,
                        d->recursive ? " and below it" : "", d->crossed);
        if (!may_be_on_volumes(c, d->path))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s is new to the component, and on no volume of the snapshot "
                                     "set",
                                     *d->path == '\0' ? "/" : d->path);
        return 0;
}

int component_check_directed_source(const IVssComponent *c, const struct backup_entry *e,
                                    struct vss_error *reterr) {
        _cleanup_(component_changes_done) struct component_changes claim = { 0 };
        const struct partial_file *p;
        int r, known;

        r = add_partial(&claim, e, reterr);
        if (r >= 0)
                r = seal(&claim, reterr);
        if (r < 0)
                return r;
        known = place(c, &claim, reterr);
        if (known <= 0)
                return known;
        p = partial_files_get(claim.partials, 0);
        if (p->is_below)
                return 0;
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "The source %s/%s lies neither in nor below the path of a file set of "
                             "the component",
                             p->directory, p->name);
}
