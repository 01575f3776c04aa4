#pragma once

/* The insides of the lvm-thin provider, shared by its files and nobody else. */

#include "daemon/providers/lvm-set.h"
#include "daemon/providers/lvm-thin-pool.h"
#include "daemon/providers/provider.h"

#define THIN_NAME "lvm-thin"

/* One volume of a set. */
struct thin_member {
        char *volume; /* for messages */
        char *link;   /* "/dev/vss/ShadowCopyN" */
        struct lvm_copy copy;
        dev_t origin;
        uint64_t sectors;
        struct thin_volume thin; /* the origin's */
        char *pool;              /* the name of its pool's device */
        uint32_t id;             /* the copy's in the pool; from staging on */
};

struct provider_set {
        struct lvm_set base;
        struct thin_member *members;
};

/* lvm-thin-set.c */
int thin_set_new(struct provider_set **ret, struct store *store,
                 const struct volume *const *volumes, const struct snapshot_record *records,
                 size_t n, struct vss_error *reterr);
struct provider_set *thin_set_free(struct provider_set *set);
DEFINE_CLEANUP(struct provider_set, thin_set_free);

/* lvm-thin-facts.c: what LVM and the kernel say, and whether we can go on with it. Fills in what
 * the members have of the origin and of the pool. */
int thin_set_read_facts(struct provider_set *set, struct vss_error *reterr);

/* lvm-thin-stage.c */
int thin_stage(struct provider_set **ret, struct store *store, const struct volume *const *volumes,
               struct snapshot_record *records, size_t n, struct vss_error *reterr);

/* lvm-thin-delta.c; see struct provider. */
int thin_delta(struct delta_map *ret, struct store *store, const struct snapshot_record *older,
               const struct snapshot_record *younger, struct vss_error *reterr);

/* lvm-thin-break.c; see struct provider. */
int thin_break_off(struct store *store, const struct snapshot_record *records, size_t n,
                   uint32_t flags, char **names, struct vss_error *reterr);
int thin_break_origins(const struct intent_record *intent, char ***uuids, char ***names,
                       struct vss_error *reterr);
int thin_break_recover(struct store *store, const struct intent_record *intent,
                       struct vss_error *reterr);

/* lvm-thin-revert.c; see struct provider. */
int thin_revert(const struct snapshot_record *record, bool at_boot, struct vss_error *reterr);
int thin_revert_check(const struct snapshot_record *record, bool at_boot, struct vss_error *reterr);
int thin_revert_look(const struct snapshot_record *record, struct revert_progress *ret,
                     struct vss_error *reterr);
int thin_revert_back(const struct snapshot_record *record, struct vss_error *reterr);
int thin_revert_end(const struct snapshot_record *record, struct vss_error *reterr);

/* lvm-thin-undo.c */
extern const struct lvm_kind thin_kind;
