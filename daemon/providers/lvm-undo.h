#pragma once

/* The way back from any step of the life of a copy that LVM holds, by what is there and not by what
 * should be: the same for a stage that failed, an abort, a deletion, and what a crash left. In this
 * order:
 *
 *      1. origins that are suspended are resumed, inactive tables dropped; for a deletion that is
 *         when the groups are locked, so that no set in creation has its window in one of them;
 *      2. what device-mapper has of the copies goes: the kind of copy knows how;
 *      3. LVM's metadata forgets the copies.
 *
 * Where an origin of a set in creation cannot be resumed, the others are undone all the same.
 * What is gone already is as good as undone. */

#include "daemon/providers/lvm-copy.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/mapper.h"
#include <vss/vss.h>

struct lvm_undo {
        struct lvm *lvm; /* NULL: it starts its own */
        VSS_ID set_id;   /* of a set in creation that may hold the groups; otherwise zeroes */
        bool force;
};

/* A kind of copies, and what its provider does differently. */
struct lvm_kind {
        const char *provider;   /* its name */
        const char *activation; /* options of lvchange, beside -ay */
        bool thin;              /* in a pool, and nothing of its origin's */
        /* Steps 2 and 3; the groups are locked. */
        int (*undo_devices)(struct lvm *l, struct lvm_copy *const *copies, size_t n,
                            const struct lvm_undo *options, struct vss_error *reterr);
        int (*forget)(struct lvm *l, struct lvm_copy *const *copies, size_t n,
                      struct vss_error *reterr);
};

/* The part of it that cannot wait: every origin that is suspended is resumed. */
int lvm_rescue(struct lvm_copy *const *copies, size_t n, struct vss_error *reterr);
int lvm_undo(const struct lvm_kind *kind, struct lvm_copy *const *copies, size_t n,
             const struct lvm_undo *options, struct vss_error *reterr);

/* The names that the devices have now, if somebody has renamed group or volume. */
int lvm_refresh_names(struct lvm_copy *c, struct vss_error *reterr);

/* What LVM tells of a copy, in n_columns columns; no row: it does not have it. By the UUIDs of both
 * volume and group: one that was cloned (vgimportclone(8)) has volumes of the same UUIDs. */
int lvm_copy_ask(struct lvm_report *ret, struct lvm *l, const struct lvm_copy *c,
                 const char *columns, size_t n_columns, struct vss_error *reterr);

/* For the kinds: lvremove with some options, and a look at whether it did. */
int lvm_undo_forget(struct lvm *l, const char *options, struct lvm_copy *const *copies, size_t n,
                    struct vss_error *reterr);
/* An expression of LVM's that selects exactly these copies. */
int lvm_undo_select(struct lvm_copy *const *copies, size_t n, char **ret);
