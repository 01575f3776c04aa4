#pragma once

/* The legal snapshot contexts: six bases and their modifiers, as data. */

#include "common/vss-error.h"

/* The base bits of a context, modifiers masked off. VSS_CTX_ALL stays itself. */
LONG vss_context_base(LONG context);
/* 0, or -EINVAL with E_INVALIDARG and a sentence saying which bits do not go together. */
int vss_context_validate(LONG context, struct vss_error *reterr);
/* "backup", "file-share", "nas-rollback", "app-rollback", "client", "client-writers", "all". */
const char *vss_context_to_string(LONG base);
/* -EINVAL for an unknown name. */
int vss_context_from_string(LONG *ret, const char *name);

static inline bool vss_context_has_writers(LONG context) {
        return !(context & VSS_VOLSNAP_ATTR_NO_WRITERS);
}
static inline bool vss_context_auto_release(LONG context) {
        return !(context & VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE);
}
