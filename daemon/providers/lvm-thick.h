#pragma once

/* The insides of the lvm-thick provider, shared by its files and nobody else. */

#include "daemon/providers/lvm-thick-copy.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/mapper.h"
#include "daemon/providers/provider.h"

#define THICK_NAME "lvm-thick"
#define THICK_INTENT_CREATE "create"
#define THICK_INTENT_DELETE "delete"

/* One volume group of a set, locked. */
struct thick_group {
        char *name, *uuid;
        uint64_t extent_bytes, free_extents;
        int lock_fd; /* -1: not held */
};

/* One volume of a set. */
struct thick_member {
        const struct thick_group *group;
        char *volume; /* for messages */
        char *link;   /* "/dev/vss/ShadowCopyN" */
        struct thick_copy copy;
        dev_t origin;
        uint64_t origin_bytes, cow_extents;
        bool read_only; /* the origin's device is */

        /* From staging on. */
        struct mapper_table real_table;
        dev_t real_device, copy_device;
        bool makes_real;     /* the first copy of this origin */
        bool real_in_window; /* its blocks must not be mapped twice at a time (RAID) */
};

struct provider_set {
        struct store *store;
        struct thick_member *members;
        size_t n;
        struct thick_group *groups; /* sorted by name: the order of locking */
        size_t n_groups;
        struct lvm *lvm;
        int64_t intent;
        bool has_intent, changed; /* changed: there is something to undo */
};

/* lvm-thick-set.c */
int thick_set_new(struct provider_set **ret, struct store *store,
                  const struct volume *const *volumes, const struct snapshot_record *records,
                  size_t n, struct vss_error *reterr);
struct provider_set *thick_set_free(struct provider_set *set);
DEFINE_CLEANUP(struct provider_set, thick_set_free);
int thick_set_lock(struct provider_set *set, struct vss_error *reterr);
void thick_set_unlock(struct provider_set *set);

/* lvm-thick-facts.c: what LVM says, and whether we can go on with it. Fills in groups and copies.
 */
int thick_set_read_facts(struct provider_set *set, struct vss_error *reterr);

/* lvm-thick-metadata.c: the stores, and where their blocks are (a table for each member); LVM's
 * snapshots. */
int thick_make_stores(struct provider_set *set, struct mapper_table *stores,
                      struct vss_error *reterr);
int thick_make_snapshots(struct provider_set *set, struct vss_error *reterr);

/* lvm-thick-devices.c */
int thick_make_devices(struct provider_set *set, const struct mapper_table *stores,
                       struct vss_error *reterr);
/* The first target type that an origin's own blocks must not have. NULL: all are fine. */
const char *thick_unfit_target(const struct mapper_table *table);

/* lvm-thick-stage.c */
int thick_stage(struct provider_set **ret, struct store *store, const struct volume *const *volumes,
                struct snapshot_record *records, size_t n, struct vss_error *reterr);
/* lvm-thick-undo.c: puts everything back to what it was without these copies, whatever is there
 * of them. Takes and drops the groups' locks unless locked. l: NULL, then it starts its own. */
struct thick_undo {
        struct lvm *lvm;
        bool locked, force;
};
int thick_undo(struct thick_copy *const *copies, size_t n, const struct thick_undo *options,
               struct vss_error *reterr);
/* The part of it that cannot wait: every origin that is suspended is resumed. */
int thick_rescue(struct thick_copy *const *copies, size_t n, struct vss_error *reterr);

/* lvm-thick-intent.c: the text of an intent. */
struct thick_intent {
        VSS_ID snapshot_id; /* "delete" only */
        struct thick_copy *copies;
        size_t n;
};
void thick_intent_done(struct thick_intent *i);
int thick_intent_parse(struct thick_intent *ret, const char *data);
int thick_intent_format(VSS_ID snapshot_id, struct thick_copy *const *copies, size_t n, char **ret);

/* lvm-thick-life.c: a finished copy. */
int thick_remove(struct store *store, const struct snapshot_record *r, bool force,
                 struct vss_error *reterr);
int thick_recover(struct store *store, const struct intent_record *intent,
                  struct vss_error *reterr);
int thick_activate(const struct snapshot_record *r, struct vss_error *reterr);
int thick_usage(const struct snapshot_record *r, uint64_t *ret_used, uint64_t *ret_max,
                bool *ret_overflowed, struct vss_error *reterr);

/* lvm-thick-link.c: the node by which a copy is found. */
int thick_link_make(const char *link, const struct mapper_info *device, struct vss_error *reterr);
void thick_link_remove(const char *link);
