/* From what was chosen to what a backup has: files/selection.c as an object of the public API. */

#include "libvssclient/component-selection.h"

#include "libvssclient/examine-metadata.h"
#include "libvssclient/last-error.h"

_Static_assert((int)VSS_SR_CHOSEN == SELECTION_CHOSEN &&
                       (int)VSS_SR_MANDATORY == SELECTION_MANDATORY &&
                       (int)VSS_SR_DEPENDENCY == SELECTION_DEPENDENCY &&
                       (int)VSS_SR_SUBCOMPONENT == SELECTION_SUBCOMPONENT,
               "one set of reasons");

#define NO_OBJECT "the VssSelection is NULL"

const struct writer_metadata *selection_metadata(const VssSelection *s, size_t writer) {
        return wm_document_get(s->documents[writer]);
}

static HRESULT refuse_state(const char *function, const char *why) {
        struct vss_error error = { 0 };

        (void)vss_error_set(&error, VSS_E_BAD_STATE, 0, "%s: %s", function, why);
        return last_error_raise(&error);
}

static HRESULT out_of_memory(const char *function) {
        struct vss_error error = { 0 };

        (void)vss_error_from_errno(&error, -ENOMEM, function);
        return last_error_raise(&error);
}

HRESULT selection_enter(const VssSelection *s, const char *function) {
        if (!s)
                return last_error_argument(function, NO_OBJECT);
        if (!s->components)
                return refuse_state(function, "the selection is not complete yet; call "
                                              "VssSelection_Complete first");
        return S_OK;
}

void VssSelection_Release(VssSelection *s) {
        if (!s)
                return;
        for (size_t i = 0; i < s->n_documents; i++) {
                wm_document_unref(s->documents[i]);
                file_rules_free(s->rules[i].excludes);
                file_rules_free(s->rules[i].blanks);
        }
        for (UINT i = 0; s->states && i < s->n_components; i++)
                (void)IVssComponent_Release(s->states[i]);
        free(s->states);
        free(s->documents);
        free(s->rules);
        selection_free(s->selection);
        free(s->components);
        free(s->missing);
        mount_table_free(s->mounts);
        file_rules_free(s->machine_excludes);
        file_rules_free(s->machine_blanks);
        free(s);
}

static void selection_releasep(VssSelection **s) {
        VssSelection_Release(*s);
}

HRESULT VssSelection_Create(IVssExamineWriterMetadata *const *writers, UINT count,
                            VssSelection **selection) {
        _cleanup_(selection_releasep) VssSelection *s = NULL;
        _cleanup_(freep) const struct writer_metadata **metadata = NULL;
        struct vss_error error = { 0 };

        if (!selection)
                return last_error_argument(__func__, "selection is NULL");
        *selection = NULL;
        if (!writers && count > 0)
                return last_error_argument(__func__, "writers is NULL");
        for (UINT i = 0; i < count; i++)
                if (!writers[i])
                        return last_error_argument(__func__, "one of the writers is NULL");

        s = calloc(1, sizeof(*s));
        metadata = calloc(count + (size_t)1, sizeof(*metadata));
        if (!s || !metadata)
                return out_of_memory(__func__);
        s->documents = calloc(count + (size_t)1, sizeof(*s->documents));
        s->rules = calloc(count + (size_t)1, sizeof(*s->rules));
        if (!s->documents || !s->rules)
                return out_of_memory(__func__);
        for (; s->n_documents < count; s->n_documents++) {
                s->documents[s->n_documents] = examine_metadata_ref(writers[s->n_documents]);
                metadata[s->n_documents] = selection_metadata(s, s->n_documents);
        }
        if (selection_new(&s->selection, metadata, count, &error) < 0)
                return last_error_raise(&error);
        *selection = TAKE_PTR(s);
        return S_OK;
}

struct gathered {
        IVssExamineWriterMetadata **list;
        UINT n;
};

static void gathered_done(struct gathered *g) {
        for (UINT i = 0; i < g->n; i++)
                IVssExamineWriterMetadata_Release(g->list[i]);
        free(g->list);
}

HRESULT VssSelection_CreateForBackup(IVssBackupComponents *backup, VssSelection **selection) {
        _cleanup_(gathered_done) struct gathered g = { 0 };
        HRESULT hr;
        UINT n;

        if (!selection)
                return last_error_argument(__func__, "selection is NULL");
        *selection = NULL;
        hr = IVssBackupComponents_GetWriterMetadataCount(backup, &n);
        if (FAILED(hr))
                return hr;
        g.list = calloc(n + (size_t)1, sizeof(*g.list));
        if (!g.list)
                return out_of_memory(__func__);
        for (; g.n < n; g.n++) {
                VSS_ID instance;

                hr = IVssBackupComponents_GetWriterMetadata(backup, g.n, &instance, &g.list[g.n]);
                if (FAILED(hr))
                        return hr;
        }
        return VssSelection_Create(g.list, g.n, selection);
}

HRESULT VssSelection_Choose(VssSelection *selection, VSS_ID writer, LPCWSTR wszLogicalPath,
                            LPCWSTR wszComponentName) {
        struct vss_error error = { 0 };

        if (!selection)
                return last_error_argument(__func__, NO_OBJECT);
        if (wszComponentName && *wszComponentName == '\0')
                return last_error_argument(__func__, "wszComponentName is empty");
        if (selection_choose(selection->selection, writer, wszLogicalPath, wszComponentName,
                             &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

/* Which index each component of each writer has in the list. */
struct positions {
        UINT **of;
        size_t n;
};

static void positions_done(struct positions *p) {
        for (size_t i = 0; i < p->n; i++)
                free(p->of[i]);
        free(p->of);
}

static UINT position(const struct positions *p, struct selection_place place) {
        return p->of[place.writer][place.component];
}

static int number(const VssSelection *s, struct positions *ret, UINT *ret_n) {
        *ret_n = 0;
        ret->of = calloc(s->n_documents + 1, sizeof(*ret->of));
        if (!ret->of)
                return -ENOMEM;
        for (size_t w = 0; w < s->n_documents; w++) {
                size_t n = writer_metadata_n_components(selection_metadata(s, w));

                ret->of[w] = calloc(n + 1, sizeof(**ret->of));
                if (!ret->of[w])
                        return -ENOMEM;
                ret->n++;
                for (size_t c = 0; c < n; c++)
                        if (selection_entry(s->selection, w, c)->reason != SELECTION_NONE)
                                ret->of[w][c] = (*ret_n)++;
        }
        return 0;
}

static void describe(const VssSelection *s, size_t w, size_t c, const struct positions *positions,
                     VSS_SELECTED_COMPONENT *ret) {
        const struct selection_entry *e = selection_entry(s->selection, w, c);
        const struct writer_metadata *m = selection_metadata(s, w);
        const struct writer_metadata_identity *id = writer_metadata_identity(m);
        const struct writer_metadata_component *info = writer_metadata_component(m, c);

        *ret = (VSS_SELECTED_COMPONENT){
                .instance_id = id->instance_id,
                .writer_id = id->writer_id,
                .writer_name = str_or_empty(id->name),
                .type = info->type,
                .logical_path = str_empty(info->logical_path) ? NULL : info->logical_path,
                .name = info->name,
                .caption = str_empty(info->caption) ? NULL : info->caption,
                .is_explicit = e->is_explicit,
                .reason = (VSS_SELECTION_REASON)e->reason,
                .because = position(positions, e->because),
                .carrier = position(positions, e->carrier),
                .writer = (UINT)w,
                .position = (UINT)c,
        };
}

int selection_make_lists(VssSelection *s) {
        _cleanup_(positions_done) struct positions positions = { 0 };
        size_t n_missing = selection_n_missing(s->selection);
        UINT n, i = 0;

        if (number(s, &positions, &n) < 0)
                return -ENOMEM;
        s->missing = calloc(n_missing + 1, sizeof(*s->missing));
        s->components = calloc(n + (size_t)1, sizeof(*s->components));
        if (!s->missing || !s->components) {
                free(TAKE_PTR(s->missing));
                free(TAKE_PTR(s->components));
                return -ENOMEM;
        }
        for (size_t w = 0; w < s->n_documents; w++)
                for (size_t c = 0; selection_entry(s->selection, w, c); c++)
                        if (selection_entry(s->selection, w, c)->reason != SELECTION_NONE)
                                describe(s, w, c, &positions, &s->components[i++]);
        s->n_components = n;
        for (i = 0; i < n_missing; i++) {
                const struct selection_missing *m = selection_missing(s->selection, i);

                s->missing[i] = (VSS_MISSING_COMPONENT){
                        .because = position(&positions, m->because),
                        .writer_id = m->on.writer_id,
                        .logical_path = str_empty(m->on.logical_path) ? NULL : m->on.logical_path,
                        .name = m->on.name,
                        .remote = m->remote,
                };
        }
        s->n_missing = (UINT)n_missing;
        return 0;
}

HRESULT VssSelection_Complete(VssSelection *selection, UINT *components, UINT *missing) {
        struct vss_error error = { 0 };

        if (components)
                *components = 0;
        if (missing)
                *missing = 0;
        if (!selection)
                return last_error_argument(__func__, NO_OBJECT);
        if (selection_complete(selection->selection, &error) < 0)
                return last_error_raise(&error);
        if (selection_make_lists(selection) < 0)
                return out_of_memory(__func__);
        if (components)
                *components = selection->n_components;
        if (missing)
                *missing = selection->n_missing;
        return selection->n_missing > 0 ? S_FALSE : S_OK;
}

const VSS_SELECTED_COMPONENT *VssSelection_GetComponent(VssSelection *selection, UINT index) {
        return selection && index < selection->n_components ? &selection->components[index] : NULL;
}

const VSS_MISSING_COMPONENT *VssSelection_GetMissing(VssSelection *selection, UINT index) {
        return selection && index < selection->n_missing ? &selection->missing[index] : NULL;
}

HRESULT VssSelection_AddComponents(VssSelection *selection, IVssBackupComponents *backup) {
        HRESULT hr = selection_enter(selection, __func__);

        for (UINT i = 0; SUCCEEDED(hr) && i < selection->n_components; i++) {
                const VSS_SELECTED_COMPONENT *c = &selection->components[i];

                if (c->is_explicit)
                        hr = IVssBackupComponents_AddComponent(backup, c->instance_id, c->writer_id,
                                                               c->type, c->logical_path, c->name);
        }
        return hr;
}
