/* A thick copy after its set was committed: see lvm-life.h; how full its store is, and what
 * is in it. */

#include "daemon/providers/cow-delta.h"
#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/lvm-transport.h"

int thick_remove(struct store *store, const struct snapshot_record *r, bool force,
                 struct vss_error *reterr) {
        return lvm_transport_remove(&thick_kind, store, r, 1, force, reterr);
}

int thick_remove_all(struct store *store, const struct snapshot_record *records, size_t n,
                     bool force, struct vss_error *reterr) {
        return lvm_transport_remove(&thick_kind, store, records, n, force, reterr);
}

int thick_origins(const struct intent_record *intent, char ***uuids, char ***names,
                  struct vss_error *reterr) {
        return streq(intent->kind, LVM_INTENT_IMPORT)
                       ? lvm_import_origins(&thick_kind, intent, uuids, names, reterr)
                       : lvm_life_origins(&thick_kind, intent, uuids, names, reterr);
}

int thick_rescue(const struct intent_record *intent, const char *uuid, struct vss_error *reterr) {
        if (streq(intent->kind, LVM_INTENT_IMPORT)) /* it suspends nothing */
                return 0;
        return streq(intent->kind, LVM_INTENT_GROW)
                       ? thick_grow_rescue(intent, uuid, reterr)
                       : lvm_life_rescue(&thick_kind, intent, uuid, reterr);
}

int thick_recover(struct store *store, const struct intent_record *intent,
                  struct vss_error *reterr) {
        if (streq(intent->kind, LVM_INTENT_IMPORT))
                return lvm_import_recover(&thick_kind, store, intent, reterr);
        return streq(intent->kind, LVM_INTENT_GROW)
                       ? thick_grow_recover(store, intent, reterr)
                       : lvm_life_recover(&thick_kind, store, intent, reterr);
}

int thick_import(struct store *store, struct snapshot_record *r, int64_t *ret_intent,
                 struct vss_error *reterr) {
        return lvm_import(&thick_kind, store, r, ret_intent, reterr);
}

int thick_activate(const struct snapshot_record *r, struct vss_error *reterr) {
        return lvm_life_activate(&thick_kind, r, reterr);
}

int thick_usage(const struct snapshot_record *record, uint64_t *ret_used, uint64_t *ret_max,
                bool *ret_overflowed, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = lvm_life_find(record, &info, reterr);
        return r < 0 ? r
                     : snapshot_devices_usage(info.name, ret_used, ret_max, ret_overflowed, reterr);
}

int thick_delta(struct delta_map *ret, struct store *store _unused_,
                const struct snapshot_record *older, const struct snapshot_record *younger,
                struct vss_error *reterr) {
        struct mapper_info copy, other = { 0 };
        int r;

        r = lvm_life_find(older, &copy, reterr);
        if (r >= 0 && younger)
                r = lvm_life_find(younger, &other, reterr);
        return r < 0 ? r : cow_delta_read(ret, copy.name, younger ? other.name : NULL, reterr);
}
