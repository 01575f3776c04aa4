#pragma once

/* A copy that LVM holds, after its set was committed: finding it again, deleting it; and what a
 * crash left of one. The same for all kinds. */

#include "common/time-util.h"
#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-undo.h"
#include "daemon/store/store.h"

/* As long as lvm itself may take for what it was told. */
#define LVM_ORPHANS_TIMEOUT_USEC (180 * USEC_PER_SEC)

/* See struct provider. */
int lvm_life_remove(const struct lvm_kind *kind, struct store *store,
                    const struct snapshot_record *records, size_t n, bool force,
                    struct vss_error *reterr);
/* Of n copies: the device-mapper UUID and the name ("group/volume") of each one's origin. */
int lvm_origins(const struct lvm_copy *copies, size_t n, char ***uuids, char ***names,
                struct vss_error *reterr);
int lvm_life_origins(const struct lvm_kind *kind, const struct intent_record *intent, char ***uuids,
                     char ***names, struct vss_error *reterr);
int lvm_life_rescue(const struct lvm_kind *kind, const struct intent_record *intent,
                    const char *uuid, struct vss_error *reterr);
/* The nodes ("ShadowCopy7") that what is undone or deleted by the intent has on this host. */
int lvm_life_nodes(struct store *store, const struct lvm_intent *i, char ***ret,
                   struct vss_error *reterr);
int lvm_life_recover(const struct lvm_kind *kind, struct store *store,
                     const struct intent_record *intent, struct vss_error *reterr);
/* Does the udev rule make this link, and take it away? It calls it as the LV; what another host was
 * to find, or has made, has another link here, the service's own. */
bool lvm_life_has_udev_link(const struct lvm_copy *c, const char *link);
int lvm_life_activate(const struct lvm_kind *kind, const struct snapshot_record *record,
                      struct vss_error *reterr);
/* The copy's active device; -ENOENT. */
int lvm_life_find(const struct snapshot_record *record, struct mapper_info *ret,
                  struct vss_error *reterr);
/* See struct provider. */
int lvm_life_is_broken_off(const struct snapshot_record *record, struct vss_error *reterr);
