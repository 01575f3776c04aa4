/* The selection of a backup that was made: what its documents say that it has. */

#include "common/backup-document.h"
#include "common/vss-id.h"
#include "libvssclient/component-selection.h"
#include "libvssclient/last-error.h"
#include "libvssclient/writer-components.h"

/* Where each component of the document is, in the document's order. */
struct places {
        struct selection_place *items;
        size_t n;
};

static void places_done(struct places *p) {
        free(p->items);
}

static void releasep(VssSelection **s) {
        VssSelection_Release(*s);
}

static void release_components(IVssWriterComponents **c) {
        (void)IVssWriterComponentsExt_Release(*c);
}

/* Better is what is nearer: the instance that was backed up, another that is called like it, any of
 * the class. 0: not of this class. */
static unsigned likeness(const struct backup_writer_info *info,
                         const struct writer_metadata_identity *id) {
        if (!vss_id_equal(info->writer_id, id->writer_id))
                return 0;
        if (vss_id_equal(info->instance_id, id->instance_id))
                return 3;
        return streq(str_or_empty(info->instance_name), str_or_empty(id->instance_name)) ? 2 : 1;
}

static bool find(const VssSelection *s, const struct backup_writer_info *info,
                 const struct backup_component *c, struct selection_place *ret) {
        unsigned best = 0;

        for (size_t i = 0; i < s->n_documents; i++) {
                const struct writer_metadata *m = selection_metadata(s, i);
                unsigned how = likeness(info, writer_metadata_identity(m));
                size_t component;

                if (how <= best)
                        continue;
                component = writer_metadata_find_component(m, backup_component_logical_path(c),
                                                           backup_component_name(c));
                if (component == SIZE_MAX)
                        continue;
                best = how;
                *ret = (struct selection_place){ .writer = i, .component = component };
        }
        return best > 0;
}

static int refuse(const struct backup_writer_info *info, const struct backup_component *c,
                  struct vss_error *reterr) {
        const char *path = backup_component_logical_path(c);
        char text[VSS_ID_TEXT_MAX];

        return vss_error_set(
                reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                "The document has the component '%s%s%s' of the writer %s, which is in "
                "none of the writers' metadata that was given with it",
                str_or_empty(path), str_empty(path) ? "" : "\\", backup_component_name(c),
                vss_id_format(info->writer_id, text));
}

static int find_all(const VssSelection *s, const struct backup_document *d, struct places *ret,
                    struct vss_error *reterr) {
        size_t n = 0;

        for (size_t i = 0; i < backup_document_n_writers(d); i++)
                n += backup_writer_n_components(backup_document_writer(d, i));
        ret->items = calloc(n + 1, sizeof(*ret->items));
        if (!ret->items)
                return vss_error_from_errno(reterr, -ENOMEM, "The components of the document");
        for (size_t i = 0; i < backup_document_n_writers(d); i++) {
                struct backup_writer *w = backup_document_writer(d, i);
                struct backup_writer_info info;

                backup_writer_info(w, &info);
                for (size_t k = 0; k < backup_writer_n_components(w); k++) {
                        const struct backup_component *c = backup_writer_component(w, k);

                        if (!find(s, &info, c, &ret->items[ret->n]))
                                return refuse(&info, c, reterr);
                        ret->n++;
                }
        }
        return 0;
}

static int compare(const void *a, const void *b) {
        const VSS_SELECTED_COMPONENT *x = a, *y = b;

        if (x->writer != y->writer)
                return x->writer < y->writer ? -1 : 1;
        return x->position < y->position ? -1 : x->position > y->position;
}

/* Where the state of a component is kept. */
static IVssComponent **state_of(VssSelection *s, struct selection_place p) {
        const VSS_SELECTED_COMPONENT key = {
                .writer = (UINT)p.writer,
                .position = (UINT)p.component,
        };
        const VSS_SELECTED_COMPONENT *found =
                bsearch(&key, s->components, s->n_components, sizeof(key), compare);

        assert(found); /* it was chosen */
        return &s->states[found - s->components];
}

/* Takes the components of the document along: the objects that they are hold it. */
static int keep_states(VssSelection *s, const struct places *places, const char *text,
                       struct vss_error *reterr) {
        _cleanup_(release_components) IVssWriterComponents *all = NULL;
        _cleanup_(generation_unrefp) struct generation *g = NULL;
        int r;

        s->states = calloc(s->n_components + (size_t)1, sizeof(*s->states));
        if (!s->states || generation_new(&g) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "The components of the document");
        r = writer_components_new_for_requester(&all, g, false, GUID_NULL, GUID_NULL, text,
                                                strlen(text), reterr);
        for (size_t i = 0; r >= 0 && i < places->n; i++) {
                IVssComponent **state = state_of(s, places->items[i]);

                if (!*state && FAILED(IVssWriterComponents_GetComponent(all, (UINT)i, state)))
                        r = vss_error_from_errno(reterr, -ENOMEM, "The components of the document");
        }
        return r;
}

static int choose_all(VssSelection *s, const char *text, struct vss_error *reterr) {
        _cleanup_(backup_document_freep) struct backup_document *d = NULL;
        _cleanup_(places_done) struct places places = { 0 };
        int r;

        r = backup_document_parse(&d, text, strlen(text), reterr);
        if (r >= 0)
                r = find_all(s, d, &places, reterr);
        if (r < 0)
                return r;
        for (unsigned pass = 0; pass < 2; pass++) /* one may be below another */
                for (size_t i = 0; i < places.n; i++)
                        selection_choose_exactly(s->selection, places.items[i]);
        selection_complete_exactly(s->selection);
        s->type = backup_document_state(d)->backup_type;
        if (selection_make_lists(s) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "The components of the document");
        return keep_states(s, &places, text, reterr);
}

HRESULT VssSelection_CreateForDocument(LPCWSTR wszDocument,
                                       IVssExamineWriterMetadata *const *writers, UINT count,
                                       VssSelection **selection) {
        _cleanup_(releasep) VssSelection *s = NULL;
        struct vss_error error = { 0 };
        HRESULT hr;

        if (!selection)
                return last_error_argument(__func__, "selection is NULL");
        *selection = NULL;
        if (str_empty(wszDocument))
                return last_error_argument(__func__, "wszDocument is NULL or empty");
        hr = VssSelection_Create(writers, count, &s);
        if (FAILED(hr))
                return hr;
        if (choose_all(s, wszDocument, &error) < 0)
                return last_error_raise(&error);
        *selection = TAKE_PTR(s);
        return S_OK;
}
