#pragma once

/* The insides of the lvm-thick provider, shared by its files and nobody else. */

#include "daemon/providers/lvm-copy.h"
#include "daemon/providers/lvm-set.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/mapper.h"
#include "daemon/providers/provider.h"
#include "daemon/providers/snapshot-making.h"

#define THICK_NAME "lvm-thick"

/* One volume group of a set. */
struct thick_group {
        char *name, *uuid;
        uint64_t extent_bytes, free_extents;
};

/* One volume of a set. */
struct thick_member {
        const struct thick_group *group;
        char *volume; /* for messages */
        char *link;   /* "/dev/vss/ShadowCopyN" */
        struct lvm_copy copy;
        uint64_t origin_bytes, cow_extents;

        /* From staging on, when LVM has said what the copy is called. */
        struct snapshot_devices devices;
        struct snapshot_making making;
};

struct provider_set {
        struct lvm_set base;
        struct thick_member *members;
        struct thick_group *groups;
        size_t n_groups;
};

/* lvm-thick-set.c */
int thick_set_new(struct provider_set **ret, struct store *store,
                  const struct volume *const *volumes, const struct snapshot_record *records,
                  size_t n, struct vss_error *reterr);
struct provider_set *thick_set_free(struct provider_set *set);
DEFINE_CLEANUP(struct provider_set, thick_set_free);

/* lvm-thick-facts.c: what LVM says, and whether we can go on with it. Fills in groups and copies.
 */
int thick_set_read_facts(struct provider_set *set, struct vss_error *reterr);

/* lvm-thick-metadata.c: the stores, and where their blocks are (a table for each member); LVM's
 * snapshots. */
int thick_make_stores(struct provider_set *set, struct mapper_table *stores,
                      struct vss_error *reterr);
int thick_make_snapshots(struct provider_set *set, struct vss_error *reterr);

/* lvm-thick.c */
/* The first target type that an origin's own blocks must not have. NULL: all are fine. */
const char *thick_unfit_target(const struct mapper_table *table);

/* lvm-thick-stage.c */
int thick_stage(struct provider_set **ret, struct store *store, const struct volume *const *volumes,
                struct snapshot_record *records, size_t n, struct vss_error *reterr);
/* lvm-thick-undo.c */
extern const struct lvm_kind thick_kind;

/* lvm-thick-life.c: a finished copy. */
int thick_remove(struct store *store, const struct snapshot_record *r, bool force,
                 struct vss_error *reterr);
int thick_remove_all(struct store *store, const struct snapshot_record *records, size_t n,
                     bool force, struct vss_error *reterr);
int thick_origins(const struct intent_record *intent, char ***uuids, char ***names,
                  struct vss_error *reterr);
int thick_rescue(const struct intent_record *intent, const char *uuid, struct vss_error *reterr);
int thick_recover(struct store *store, const struct intent_record *intent,
                  struct vss_error *reterr);
int thick_import(struct store *store, struct snapshot_record *r, int64_t *ret_intent,
                 struct vss_error *reterr);
int thick_activate(const struct snapshot_record *r, struct vss_error *reterr);
int thick_usage(const struct snapshot_record *r, uint64_t *ret_used, uint64_t *ret_max,
                bool *ret_overflowed, struct vss_error *reterr);
int thick_delta(struct delta_map *ret, struct store *store, const struct snapshot_record *older,
                const struct snapshot_record *younger, struct vss_error *reterr);

/* lvm-thick-grow.c */
int thick_grow(struct store *store, const struct snapshot_record *r, uint64_t bytes,
               uint64_t *ret_bytes, struct vss_error *reterr);
/* Of an intent to grow. */
int thick_grow_rescue(const struct intent_record *intent, const char *uuid,
                      struct vss_error *reterr);
int thick_grow_recover(struct store *store, const struct intent_record *intent,
                       struct vss_error *reterr);

/* lvm-thick-places.c */
int thick_places(const struct volume *v, struct provider_places *ret, struct vss_error *reterr);
int thick_place_of(const struct snapshot_record *r, char **ret, struct vss_error *reterr);

/* lvm-thick-revert.c; see struct provider. */
int thick_revert(const struct snapshot_record *record, bool at_boot, struct vss_error *reterr);
int thick_revert_check(const struct snapshot_record *record, bool at_boot,
                       struct vss_error *reterr);
int thick_revert_look(const struct snapshot_record *record, struct revert_progress *ret,
                      struct vss_error *reterr);
int thick_revert_end(const struct snapshot_record *record, struct vss_error *reterr);
int thick_revert_back(const struct snapshot_record *record, struct vss_error *reterr);
int thick_revert_rescue(const struct snapshot_record *record, struct vss_error *reterr);
int thick_find_reverting(const struct intent_record *intent, struct snapshot_record *ret,
                         struct vss_error *reterr);
