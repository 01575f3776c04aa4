#pragma once

/* Inside IVssWriterComponents and IVssComponent only: the view that both are of, and what all
 * methods of IVssComponent are made of. */

#include "libvssclient/writer-components.h"
#include <stdatomic.h>

enum component_role {
        COMPONENT_ROLE_REQUESTER,
        COMPONENT_ROLE_WRITER,
};

struct component_claims;
struct document;
struct writer_metadata;

/* A document, and until when and what for it may be used. Counted. */
struct component_view {
        atomic_uint refs;
        struct backup_document *document;
        enum component_role role;
        bool restore;

        struct generation *generation; /* the requester's */
        unsigned made_at;              /* its value when this was made */

        enum backup_phase phase; /* the writer's */
        bool changed;            /* by it */
        bool over;               /* its handler has returned */

        struct document *identity;        /* what it said in Identify; NULL: not known */
        struct writer_metadata *metadata; /* of that, once it was needed */
        struct component_claims *claims;  /* held against them; once it was needed */
        char **volumes;                   /* of the set; the event's; NULL: not known yet */
};

struct component_view *component_view_ref(struct component_view *v);
struct component_view *component_view_unref(struct component_view *v); /* NULL is allowed */
DEFINE_CLEANUP(struct component_view, component_view_unref);
/* VSS_E_BAD_STATE when the view no longer holds. */
int component_view_check(const struct component_view *v, struct vss_error *reterr);

struct IVssComponent {
        atomic_uint refs;
        struct component_view *view;
        struct backup_writer *writer;
        struct backup_component *component;
};

/* The ways into a method: S_OK, or the failure that it returns. The object is there and its view
 * holds. */
HRESULT component_enter(const IVssComponent *c, const char *function);
/* And the session is a restore. */
HRESULT component_enter_restore(const IVssComponent *c, const char *function);
/* And it is a writer's, in a phase in which it may do this. */
HRESULT component_enter_writer(const IVssComponent *c, const char *function, bool allowed);

/* Whole methods. Outputs are cleared first; S_FALSE if there is none. */
HRESULT component_get_text(const IVssComponent *c, const char *function, enum backup_text what,
                           BSTR *ret);
HRESULT component_get_flag(const IVssComponent *c, const char *function, enum backup_flag what,
                           bool *ret);
HRESULT component_count(const IVssComponent *c, const char *function, enum backup_list list,
                        UINT *ret);
/* The text is required, and once: cannot be replaced. */
HRESULT component_set_text(IVssComponent *c, const char *function, enum backup_text what, bool once,
                           const char *text);

/* Sets the first n outputs to NULL; false if one of them is missing. */
bool component_clear_texts(BSTR *const texts[BACKUP_ENTRY_TEXTS], size_t n);
/* An entry of a list: its texts are copied to texts[i], NULL where it has none; NULL in texts: not
 * wanted. All are set, or none. */
HRESULT component_get_entry(const IVssComponent *c, const char *function, enum backup_list list,
                            UINT i, BSTR *const texts[BACKUP_ENTRY_TEXTS],
                            struct backup_entry *ret);
/* Of files that go elsewhere. */
HRESULT component_get_files(const IVssComponent *c, const char *function, enum backup_list list,
                            UINT i, IVssWMFiledesc **ret);
HRESULT component_add_entry(IVssComponent *c, enum backup_list list,
                            const struct backup_entry *entry);
