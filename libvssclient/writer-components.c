/* The view of a document, and IVssWriterComponents, which lists what is in it. */

#include "common/vss-id.h"
#include "common/writer-metadata.h"
#include "libvssclient/component-claims.h"
#include "libvssclient/last-error.h"

/* Components of one writer may stand under several instances of it, in a restore. */
struct listed_component {
        struct backup_writer *writer;
        struct backup_component *component;
};

struct IVssWriterComponents {
        atomic_uint refs;
        struct component_view *view;
        VSS_ID instance_id, writer_id;
        struct listed_component *items;
        size_t n;
};

static int out_of_memory(struct vss_error *reterr) {
        return vss_error_from_errno(reterr, -ENOMEM, "The writer's components");
}

struct component_view *component_view_ref(struct component_view *v) {
        atomic_fetch_add(&v->refs, 1);
        return v;
}

struct component_view *component_view_unref(struct component_view *v) {
        if (!v || atomic_fetch_sub(&v->refs, 1) != 1)
                return NULL;
        backup_document_free(v->document);
        generation_unref(v->generation);
        document_unref(v->identity);
        writer_metadata_free(v->metadata);
        component_claims_free(v->claims);
        free(v);
        return NULL;
}

int component_view_check(const struct component_view *v, struct vss_error *reterr) {
        if (v->role == COMPONENT_ROLE_WRITER && v->over)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "A writer's components hold while the handler runs that was "
                                     "given them");
        if (v->role == COMPONENT_ROLE_REQUESTER && v->made_at != generation_current(v->generation))
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "The writers have had an event since these components were "
                                     "fetched: call GetWriterComponents again");
        return 0;
}

static int view_new(struct component_view **ret, enum component_role role, const char *text,
                    size_t size, struct vss_error *reterr) {
        _cleanup_(component_view_unrefp) struct component_view *v = calloc(1, sizeof(*v));
        int r;

        if (!v)
                return out_of_memory(reterr);
        atomic_init(&v->refs, 1);
        v->role = role;
        r = backup_document_parse(&v->document, text, size, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}

static IVssWriterComponents *writer_components_free(IVssWriterComponents *c) {
        if (!c)
                return NULL;
        component_view_unref(c->view);
        free(c->items);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(IVssWriterComponents, writer_components_free);

static int list_components(IVssWriterComponents *c, struct vss_error *reterr) {
        const struct backup_document *d = c->view->document;
        size_t n = 0;

        for (size_t i = 0; i < backup_document_n_writers(d); i++)
                n += backup_writer_n_components(backup_document_writer(d, i));
        if (n == 0)
                return 0;
        c->items = calloc(n, sizeof(*c->items));
        if (!c->items)
                return out_of_memory(reterr);
        for (size_t i = 0; i < backup_document_n_writers(d); i++) {
                struct backup_writer *writer = backup_document_writer(d, i);

                for (size_t j = 0; j < backup_writer_n_components(writer); j++)
                        c->items[c->n++] = (struct listed_component){
                                .writer = writer,
                                .component = backup_writer_component(writer, j),
                        };
        }
        return 0;
}

/* Takes view over, on failure too. */
static int components_new(IVssWriterComponents **ret, struct component_view *view,
                          struct vss_error *reterr) {
        _cleanup_(component_view_unrefp) struct component_view *owned = view;
        _cleanup_(writer_components_freep) IVssWriterComponents *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return out_of_memory(reterr);
        atomic_init(&c->refs, 1);
        c->view = TAKE_PTR(owned);
        r = list_components(c, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

int writer_components_new_for_requester(IVssWriterComponents **ret, struct generation *g,
                                        bool restore, VSS_ID instance_id, VSS_ID writer_id,
                                        const char *text, size_t size, struct vss_error *reterr) {
        struct component_view *view;
        IVssWriterComponents *c;
        int r;

        r = view_new(&view, COMPONENT_ROLE_REQUESTER, text, size, reterr);
        if (r < 0)
                return r;
        view->restore = restore;
        view->generation = generation_ref(g);
        view->made_at = generation_current(g);
        r = components_new(&c, view, reterr);
        if (r < 0)
                return r;
        c->instance_id = instance_id;
        c->writer_id = writer_id;
        *ret = c;
        return 0;
}

int writer_components_new_for_writer(IVssWriterComponents **ret, enum backup_phase phase,
                                     const char *text, size_t size, struct vss_error *reterr) {
        struct component_view *view;
        IVssWriterComponents *c;
        int r;

        r = view_new(&view, COMPONENT_ROLE_WRITER, text, size, reterr);
        if (r < 0)
                return r;
        view->phase = phase;
        view->restore = phase == BACKUP_PHASE_PRE_RESTORE || phase == BACKUP_PHASE_POST_RESTORE;
        r = components_new(&c, view, reterr);
        if (r < 0)
                return r;
        if (c->n > 0) {
                struct backup_writer_info info;

                backup_writer_info(c->items[0].writer, &info);
                c->instance_id = info.instance_id;
                c->writer_id = info.writer_id;
        }
        *ret = c;
        return 0;
}

void writer_components_know(IVssWriterComponents *components, struct document *identity,
                            char **volumes) {
        struct component_view *v = components->view;

        v->identity = identity ? document_ref(identity) : NULL;
        v->volumes = volumes;
}

bool writer_components_any_failed(const IVssWriterComponents *components) {
        for (size_t i = 0; i < components->n; i++)
                if (FAILED(backup_component_number(components->items[i].component,
                                                   BACKUP_NUMBER_FAILURE)))
                        return true;
        return false;
}

int writer_components_finish(IVssWriterComponents *components, char **ret_xml, size_t *ret_size,
                             struct vss_error *reterr) {
        struct component_view *v = components->view;

        v->over = true;
        v->volumes = NULL;
        *ret_xml = NULL;
        *ret_size = 0;
        return v->changed ? backup_document_to_xml(v->document, ret_xml, ret_size, reterr) : 0;
}

ULONG IVssWriterComponentsExt_AddRef(IVssWriterComponents *components) {
        return components ? atomic_fetch_add(&components->refs, 1) + 1 : 0;
}

ULONG IVssWriterComponentsExt_Release(IVssWriterComponents *components) {
        unsigned left;

        if (!components)
                return 0;
        left = atomic_fetch_sub(&components->refs, 1) - 1;
        if (left == 0)
                writer_components_free(components);
        return left;
}

static HRESULT enter(const IVssWriterComponents *components, const char *function) {
        struct vss_error error = { 0 };

        if (!components)
                return last_error_argument(function, "the IVssWriterComponents is NULL");
        if (component_view_check(components->view, &error) < 0)
                return last_error_raise(&error);
        return S_OK;
}

HRESULT IVssWriterComponents_GetComponentCount(IVssWriterComponents *components,
                                               UINT *pcComponents) {
        HRESULT hr;

        if (!pcComponents)
                return last_error_argument(__func__, "pcComponents is NULL");
        *pcComponents = 0;
        hr = enter(components, __func__);
        if (FAILED(hr))
                return hr;
        *pcComponents = (UINT)components->n;
        return S_OK;
}

HRESULT IVssWriterComponents_GetWriterInfo(IVssWriterComponents *components, VSS_ID *pidInstance,
                                           VSS_ID *pidWriter) {
        HRESULT hr;

        if (pidInstance)
                *pidInstance = GUID_NULL;
        if (pidWriter)
                *pidWriter = GUID_NULL;
        if (!pidInstance || !pidWriter)
                return last_error_argument(__func__, "an output is NULL");
        hr = enter(components, __func__);
        if (FAILED(hr))
                return hr;
        *pidInstance = components->instance_id;
        *pidWriter = components->writer_id;
        return S_OK;
}

HRESULT IVssWriterComponents_GetComponent(IVssWriterComponents *components, UINT iComponent,
                                          IVssComponent **ppComponent) {
        struct vss_error error = { 0 };
        IVssComponent *c;
        HRESULT hr;

        if (!ppComponent)
                return last_error_argument(__func__, "ppComponent is NULL");
        *ppComponent = NULL;
        hr = enter(components, __func__);
        if (FAILED(hr))
                return hr;
        if (iComponent >= components->n) {
                (void)vss_error_set(&error, VSS_E_OBJECT_NOT_FOUND, 0,
                                    "There is no component %u: the writer has %zu", iComponent,
                                    components->n);
                return last_error_raise(&error);
        }
        c = malloc(sizeof(*c));
        if (!c) {
                (void)out_of_memory(&error);
                return last_error_raise(&error);
        }
        atomic_init(&c->refs, 1);
        c->view = component_view_ref(components->view);
        c->writer = components->items[iComponent].writer;
        c->component = components->items[iComponent].component;
        *ppComponent = c;
        return S_OK;
}
