#pragma once

/* Reverting, LVM's part of it, the same for both kinds of copies: what its metadata say of a copy
 * and its volume. They have one fact that outlives everything: that a copy is merged back. LVM
 * acts by it whenever it activates the volume, in the initramfs, too; nothing undoes it. */

#include "daemon/providers/lvm-copy.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/provider.h"

enum lvm_merge {
        LVM_MERGE_COPY,   /* a copy like others */
        LVM_MERGE_MARKED, /* it is merged back, or will be */
        LVM_MERGE_GONE,   /* the volume is there, the copy is not: it was merged, or deleted */
        LVM_MERGE_LOST,   /* the volume is not there */
};

/* Names are LVM's own of now. */
struct lvm_merge_state {
        enum lvm_merge state;
        char *vg, *origin, *lv, *lv_uuid;
        bool linked; /* LVM knows whose copy it is: it merges no other */
};
void lvm_merge_state_done(struct lvm_merge_state *s);
/* From lvm's report of all that is in the group; a copy whose UUID is not known goes by its name.
 */
int lvm_merge_parse(struct lvm_merge_state *ret, const struct lvm_copy *c,
                    const struct lvm_report *report);
int lvm_merge_ask(struct lvm_merge_state *ret, struct lvm *l, const struct lvm_copy *c,
                  struct vss_error *reterr);
#define LVM_MERGE_COLUMNS "vg_name,lv_name,lv_uuid,lv_attr,origin_uuid"
enum {
        LVM_MERGE_VG,
        LVM_MERGE_LV,
        LVM_MERGE_UUID,
        LVM_MERGE_ATTR,
        LVM_MERGE_ORIGIN_UUID,
        LVM_MERGE_FIELDS,
};

/* The copy of a record, its names as they are now. */
int lvm_revert_parse(struct lvm_copy *ret, const struct snapshot_record *r,
                     struct vss_error *reterr);
/* An lvm, once what an earlier run has left of its own has ended: that may just be about to write
 * what is asked for here. */
int lvm_revert_open(struct lvm **ret, struct vss_error *reterr);
/* The volume's device, held so that nobody can mount it, and LVM sees that it is open. -EBUSY with
 * VSS_E_VOLUME_IN_USE: somebody has it. */
int lvm_revert_claim(const struct lvm_copy *c, int *ret_fd, struct vss_error *reterr);
/* Of revert_look(), where the kernel has nothing to say of it. */
void lvm_revert_state(enum lvm_merge state, struct revert_progress *ret);
/* See struct provider. */
int lvm_revert_find(const char *provider, const struct intent_record *intent,
                    struct snapshot_record *ret, struct vss_error *reterr);
