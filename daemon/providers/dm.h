#pragma once

/* The insides of the provider dm, shared by its files and nobody else. */

#include "daemon/providers/dm-store.h"
#include "daemon/providers/provider.h"
#include "daemon/providers/snapshot-making.h"

#define DM_NAME "dm"

/* One volume of a set. */
struct dm_member {
        char *volume; /* for messages */
        char *link;   /* "/dev/vss/ShadowCopyN" */
        struct dm_place place;
        struct dm_copy copy;
        struct snapshot_devices devices;
        struct snapshot_making making;
};

struct provider_set {
        struct store *store;
        VSS_ID id;
        struct dm_member *members;
        size_t n;
        int64_t intent;
        bool has_intent, changed; /* changed: there is something to undo */
        bool has_turn;            /* dm-turn.h */
};

/* dm-probe.c */
int dm_probe(const struct volume *v, LONG context, struct vss_error *reterr);
/* The first target type that an origin's own blocks must not have. NULL: all are fine. */
const char *dm_unfit_target(const struct mapper_table *table);
/* Where the parameters of a target of type crypt name a key in a keyring: its type and description.
 * 1: they do; 0: the key is among them; -EBADMSG: neither. */
int dm_crypt_key(const char *params, char **ret_type, char **ret_description);

/* dm-stage.c */
int dm_stage(struct provider_set **ret, struct store *store, const struct volume *const *volumes,
             struct snapshot_record *records, size_t n, const struct volume *const *all,
             size_t n_all, struct vss_error *reterr);
/* Nothing if it has none. */
void dm_set_give_turn(struct provider_set *set);
struct provider_set *dm_set_free(struct provider_set *set);
DEFINE_CLEANUP(struct provider_set, dm_set_free);

/* dm-undo.c: the way back from any step, by what is there. What is gone is as good as undone. */
struct dm_undo {
        VSS_ID set_id; /* of a set in creation that may hold volume groups; otherwise zeroes */
        bool force;
};
int dm_undo(struct dm_copy *const *copies, size_t n, const struct dm_undo *options,
            struct vss_error *reterr);
int dm_set_abort(struct provider_set *set, struct vss_error *reterr);

/* dm-life.c: a finished copy, and what a crash left of one. */
#define DM_INTENT_CREATE "create"
#define DM_INTENT_DELETE "delete"
#define DM_INTENT_GROW "grow"
int dm_intent_open(struct store *store, const char *kind, VSS_ID set_id,
                   struct dm_copy *const *copies, size_t n, int64_t *ret_id,
                   struct vss_error *reterr);
int dm_remove(struct store *store, const struct snapshot_record *r, bool force,
              struct vss_error *reterr);
int dm_remove_all(struct store *store, const struct snapshot_record *records, size_t n, bool force,
                  struct vss_error *reterr);
int dm_rescue(const struct intent_record *intent, const char *uuid, struct vss_error *reterr);
int dm_origins(const struct intent_record *intent, char ***uuids, char ***names,
               struct vss_error *reterr);
int dm_recover(struct store *store, const struct intent_record *intent, struct vss_error *reterr);
int dm_activate(const struct snapshot_record *r, struct vss_error *reterr);
/* The copy that is noted there, and its device. -ENOENT: it is gone. */
int dm_find(const struct snapshot_record *r, struct dm_copy *ret, struct mapper_info *ret_device,
            struct vss_error *reterr);
int dm_usage(const struct snapshot_record *r, uint64_t *ret_used, uint64_t *ret_max,
             bool *ret_overflowed, struct vss_error *reterr);
int dm_delta(struct delta_map *ret, struct store *store, const struct snapshot_record *older,
             const struct snapshot_record *younger, struct vss_error *reterr);

/* dm-grow.c */
int dm_grow(struct store *store, const struct snapshot_record *r, uint64_t bytes,
            uint64_t *ret_bytes, struct vss_error *reterr);
/* What a crash left of a growth that cannot wait; there is nothing else. */
int dm_grow_rescue(const struct dm_copy *copy, struct vss_error *reterr);
int dm_list_places(const struct volume *v, struct provider_places *ret, struct vss_error *reterr);
int dm_place_of(const struct snapshot_record *r, char **ret, struct vss_error *reterr);
