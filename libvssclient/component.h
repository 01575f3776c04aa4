#pragma once

/* Inside IVssWriterComponents and IVssComponent only: the view that both are of. */

#include "libvssclient/writer-components.h"
#include <stdatomic.h>

enum component_role {
        COMPONENT_ROLE_REQUESTER_BACKUP,
        COMPONENT_ROLE_REQUESTER_RESTORE,
        COMPONENT_ROLE_WRITER,
};

/* A document, and until when and what for it may be used. Counted. */
struct component_view {
        atomic_uint refs;
        struct backup_document *document;
        enum component_role role;

        struct generation *generation; /* the requester's */
        unsigned made_at;              /* its value when this was made */

        enum backup_phase phase; /* the writer's */
        bool changed;
        bool over; /* the handler has returned */
};

struct component_view *component_view_ref(struct component_view *v);
struct component_view *component_view_unref(struct component_view *v); /* NULL is allowed */
/* VSS_E_BAD_STATE when the view no longer holds. */
int component_view_check(const struct component_view *v, struct vss_error *reterr);
bool component_view_is_restore(const struct component_view *v);

struct IVssComponent {
        atomic_uint refs;
        struct component_view *view;
        struct backup_component *component;
        const struct backup_writer *writer;
};

/* The way into every method: the object is there and holds. */
HRESULT component_enter(const IVssComponent *component, const char *function);
int component_new(IVssComponent **ret, struct component_view *view, struct backup_writer *writer,
                  struct backup_component *component, struct vss_error *reterr);
