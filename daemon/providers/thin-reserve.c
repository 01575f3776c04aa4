/* See thin-reserve.h. Stateless. */

#include "daemon/providers/thin-reserve.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm.h"
#include <stdio.h>

#define RESERVE "reserve_metadata_snap"
#define RELEASE "release_metadata_snap"

int thin_reserve_parse_status(const char *status, bool *ret_held) {
        char held[32], mode[32];

        /* "2 113/1024 290/3200 - rw ..." */
        if (sscanf(status, "%*u %*u/%*u %*u/%*u %31s %31s", held, mode) != 2)
                return -EBADMSG;
        *ret_held = !streq(held, "-");
        return 0;
}

static int is_held(const char *name, bool *ret, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        int r;

        r = mapper_peek_status(name, &status, reterr); /* what is held is no figure */
        if (r < 0)
                return r;
        if (status.n != 1 || !streq(status.targets[0].type, "thin-pool") ||
            thin_reserve_parse_status(status.targets[0].params, ret) < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EBADMSG,
                                     "what the kernel says of the thin pool %s cannot be "
                                     "understood: '%s'",
                                     name, status.n > 0 ? status.targets[0].params : "");
        return 0;
}

enum { FOUND_VG_UUID, FOUND_LV_UUID, FOUND_FIELDS };

static int ask_lvm(const char *uuid, struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report report = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        bool has_group = false;
        int r;

        r = lvm_open(&l, reterr);
        if (r >= 0)
                r = lvm_report_ask(&report, l, FOUND_FIELDS, reterr,
                                   "vgs " LVM_REPORT_OPTIONS " --nolocking -o vg_uuid,lv_uuid");
        for (size_t i = 0; r >= 0 && i < report.n; i++) {
                _cleanup_(freep) char *group = NULL, *pool = NULL;
                char *const *f = report.rows[i].fields;

                /* Its first half is the group. */
                if (lvm_uuid_join(&group, f[FOUND_VG_UUID], f[FOUND_VG_UUID], NULL) < 0 ||
                    strncmp(uuid, group, strlen(LVM_UUID_PREFIX) + LVM_UUID_LENGTH) != 0)
                        continue;
                has_group = true;
                /* Of a group without volumes the second is empty. */
                if (lvm_uuid_join(&pool, f[FOUND_VG_UUID], f[FOUND_LV_UUID], "tpool") >= 0 &&
                    streq(pool, uuid))
                        return 1;
        }
        if (r < 0)
                return r;
        return has_group ? 0 : -ENODEV;
}

const struct thin_reserve_pools thin_reserve_system = {
        .find = mapper_find_uuid,
        .is_held = is_held,
        .message = mapper_message,
        .ask = ask_lvm,
};

static int release(const struct thin_reserve_pools *pools, struct store *store, const char *name,
                   int64_t intent, struct vss_error *reterr) {
        bool held = false;
        int r;

        r = pools->is_held(name, &held, reterr);
        if (r >= 0 && held)
                r = pools->message(name, RELEASE, reterr);
        return r < 0 ? r : store_intent_close(store, intent, reterr);
}

/* What an earlier one left of this pool. */
static int settle(const struct thin_reserve_pools *pools, struct store *store,
                  const struct mapper_info *pool, struct vss_error *reterr) {
        struct intent_record *intents = NULL;
        size_t n = 0;
        int r;

        r = store_intent_list(store, &intents, &n, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (streq(str_or_empty(intents[i].kind), THIN_RESERVE_INTENT) &&
                    streq(str_or_empty(intents[i].data), pool->uuid))
                        r = release(pools, store, pool->name, intents[i].id, reterr);
        intent_records_free(intents, n);
        return r;
}

int thin_reserve_take(struct thin_reserve *ret, const struct thin_reserve_pools *pools,
                      struct store *store, const char *provider, const struct mapper_info *pool,
                      struct vss_error *reterr) {
        const struct intent_record intent = {
                .provider = (char *)provider,
                .kind = (char *)THIN_RESERVE_INTENT,
                .data = (char *)pool->uuid,
        };
        struct thin_reserve t = { .pools = pools, .store = store };
        bool held = false;
        int r;

        (void)snprintf(t.pool, sizeof(t.pool), "%s", pool->name); /* of the same size */
        r = settle(pools, store, pool, reterr);
        if (r >= 0)
                r = pools->is_held(pool->name, &held, reterr);
        if (r < 0)
                return r;
        if (held)
                return vss_error_set(reterr, VSS_E_BAD_STATE, EBUSY,
                                     "another program reads the metadata of the thin pool %s; let "
                                     "it end, or if none does: dmsetup message %s 0 " RELEASE,
                                     pool->name, pool->name);
        r = store_intent_open(store, &intent, &t.intent, reterr);
        if (r < 0)
                return r;
        t.taken = true;
        r = pools->message(pool->name, RESERVE, reterr);
        if (r < 0) {
                /* Whether the kernel did it all the same is seen by looking. */
                (void)thin_reserve_release(&t, NULL);
                return r;
        }
        *ret = t;
        return 0;
}

int thin_reserve_release(struct thin_reserve *r, struct vss_error *reterr) {
        if (!r->taken)
                return 0;
        r->taken = false;
        return release(r->pools, r->store, r->pool, r->intent, reterr);
}

int thin_reserve_recover(const struct thin_reserve_pools *pools, struct store *store,
                         const struct intent_record *intent, struct vss_error *reterr) {
        const char *uuid = str_or_empty(intent->data);
        struct mapper_info pool;
        int r;

        r = pools->find(uuid, &pool, reterr);
        if (r < 0)
                return r;
        if (pool.exists)
                return release(pools, store, pool.name, intent->id, reterr);
        r = pools->ask(uuid, reterr);
        if (r == 0)
                return store_intent_close(store, intent->id, reterr);
        return r < 0 && r != -ENODEV
                       ? r
                       : vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                                       "the thin pool %s is not active; its metadata snapshot is "
                                       "released when it is",
                                       uuid);
}
