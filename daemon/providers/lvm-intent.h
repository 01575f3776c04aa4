#pragma once

/* What a provider whose copies are LVs notes before it changes anything: a line with its name and
 * a version, for a deletion the snapshots' ids, a line for each, and a line for each copy. */

#include "daemon/providers/lvm-copy.h"
#include "daemon/store/store.h"

#define LVM_INTENT_CREATE "create"
#define LVM_INTENT_DELETE "delete"
#define LVM_INTENT_GROW "grow" /* of thick copies' stores */

struct lvm_intent {
        VSS_ID *snapshots; /* LVM_INTENT_DELETE only */
        size_t n_snapshots;
        struct lvm_copy *copies;
        size_t n;
};

void lvm_intent_done(struct lvm_intent *i);
/* -EBADMSG: not such a text, or another provider's. */
int lvm_intent_parse(struct lvm_intent *ret, const char *provider, const char *data);

struct lvm_intent_subject {
        VSS_ID set_id;
        const VSS_ID *snapshots; /* n, or NULL: of a set in creation */
        struct lvm_copy *const *copies;
        size_t n;
};
int lvm_intent_format(const char *provider, const struct lvm_intent_subject *subject, char **ret);
int lvm_intent_open(struct store *store, const char *provider, const char *kind,
                    const struct lvm_intent_subject *subject, int64_t *ret_id,
                    struct vss_error *reterr);
