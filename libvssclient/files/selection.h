#pragma once

/* Which components of which writers a backup has: what was chosen,
 * what must not be missing beside it, and what is part of something that is in. Linear in the
 * number of components and dependencies. The metadata is borrowed. */

#include "common/writer-metadata.h"

enum selection_reason {
        SELECTION_NONE, /* not in the backup */
        SELECTION_CHOSEN,
        SELECTION_MANDATORY,
        SELECTION_DEPENDENCY,
        SELECTION_SUBCOMPONENT,
        _SELECTION_REASON_MAX,
};

/* A component: of which writer, and its index there. */
struct selection_place {
        size_t writer, component;
};

struct selection_entry {
        enum selection_reason reason;
        bool is_explicit;               /* false: part of carrier */
        struct selection_place because; /* what needs it, or has it; itself if it was chosen */
        struct selection_place carrier; /* the explicit one; itself if it is */
};

/* A dependency that nothing fulfils. */
struct selection_missing {
        struct selection_place because;
        struct writer_metadata_dependency on; /* borrowed from the metadata */
        bool remote;
};

struct selection;

int selection_new(struct selection **ret, const struct writer_metadata *const *writers, size_t n,
                  struct vss_error *reterr);
struct selection *selection_free(struct selection *s);
DEFINE_CLEANUP(struct selection, selection_free);

/* writer: an instance id, a class id, or GUID_NULL: any. name NULL: all of it. E_INVALIDARG: it is
 * part of another and not to be chosen alone; VSS_E_OBJECT_NOT_FOUND; VSS_E_BAD_STATE: completed.
 */
int selection_choose(struct selection *s, VSS_ID writer, const char *logical_path, const char *name,
                     struct vss_error *reterr);
/* Adds what belongs to what was chosen. Once. */
int selection_complete(struct selection *s, struct vss_error *reterr);
/* What is known to be in, as a document has it: this component, explicitly, and what is below it;
 * nothing else comes with it. Once more for all of them, if one may be below another. */
void selection_choose_exactly(struct selection *s, struct selection_place p);
void selection_complete_exactly(struct selection *s);
bool selection_is_complete(const struct selection *s);

/* Of any component; NULL out of range. */
const struct selection_entry *selection_entry(const struct selection *s, size_t writer,
                                              size_t component);
size_t selection_n_missing(const struct selection *s);
const struct selection_missing *selection_missing(const struct selection *s, size_t i);

/* The nearest selectable component whose full name the logical path begins with; SIZE_MAX: none.
 * 0, -ENOMEM. */
int component_ancestor(const struct writer_metadata *m, size_t component, size_t *ret);
