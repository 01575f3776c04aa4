/* The provider for LVM's thin volumes: snapshots inside the pool, as `lvcreate -s` makes them, but
 * at the window's instant. Afterwards they are ordinary thin volumes of LVM, which it does not
 * activate by itself. Here are the question whether it can, and the steps around the window; the
 * others are in the files lvm-thin-*.c. */

#include "daemon/providers/lvm-thin.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/lvm-breaking.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-probe.h"
#include "daemon/providers/lvm-thin-pool.h"
#include "daemon/providers/lvm-transport.h"
#include "daemon/providers/thin-reserve.h"
#include "daemon/window/dm-request.h"
#include <inttypes.h>
#include <libdevmapper.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#define METADATA_BLOCK 4096 /* of a pool: dm-thin counts in these */

#define SECTOR_SIZE 512

static int check_pool(const struct volume *v, const char *params, struct vss_error *reterr) {
        _cleanup_(thin_pool_done) struct thin_pool pool = { 0 };
        _cleanup_(freep) char *reason = NULL;
        struct thin_volume thin;
        const char *unfit;
        int r;

        r = thin_volume_parse(&thin, params);
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->name);
        r = thin_pool_read(&pool, thin.pool, reterr);
        if (r < 0)
                return r;
        unfit = thin_pool_unfit(&pool);
        if (!unfit)
                return 0;
        if (str_format(&reason, "lies in a thin pool (%s) that %s", pool.name, unfit) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, v->name);
        return lvm_probe_refuse(reterr, v, reason);
}

static int thin_probe(const struct volume *v, LONG context, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table blocks = { 0 };
        bool has_thick_copies;
        int r;

        if (!v->vg)
                return lvm_probe_other_kind(reterr, v, "is not a logical volume of LVM");
        r = lvm_probe_read_blocks(v, &blocks, &has_thick_copies, reterr);
        if (r < 0)
                return r;
        if (blocks.n != 1 || !streq(blocks.targets[0].type, "thin"))
                return lvm_probe_other_kind(reterr, v, "is not a thin logical volume");
        r = lvm_probe_context(v, context, reterr);
        if (r < 0)
                return r;
        if (has_thick_copies)
                return lvm_probe_refuse(reterr, v,
                                        "is thin, but has snapshots of the thick kind, which would "
                                        "lie between it and its copies; remove these ('lvs -o "
                                        "name,origin,layout' shows them)");
        r = check_pool(v, blocks.targets[0].params, reterr);
        return r < 0 ? r : lvm_probe_shared(v, reterr);
}

/* The origin is suspended then: a snapshot of a pool is of one moment only if nothing of it is
 * under way. Messages to one pool may come from several threads; the kernel takes them in turn. */
static int add_row(const struct thin_member *m, struct window *window, struct vss_error *reterr) {
        struct dm_request **commits = calloc(1, sizeof(struct dm_request *));
        char message[64];
        int r;

        if (!commits)
                return vss_error_from_errno(reterr, -ENOMEM, m->volume);
        (void)snprintf(message, sizeof(message), "create_snap %" PRIu32 " %" PRIu32, m->id,
                       m->thin.id);
        r = dm_request_new_message(commits, m->thin.pool, 0, message);
        if (r < 0)
                (void)vss_error_from_errno(reterr, r, m->volume);
        else
                r = window_add_row(window,
                                   &(struct window_row){
                                           .volume = m->volume,
                                           .origin = m->origin,
                                           .commits = commits,
                                           .n_commits = 1,
                                   },
                                   reterr);
        if (r < 0) {
                dm_request_free(commits[0]);
                free(commits);
        }
        return r;
}

static int thin_add_window_rows(struct provider_set *set, struct window *window,
                                struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = add_row(&set->members[i], window, reterr);
        return r;
}

/* LVM would take a second for each, and udev would be told that these are volumes like others. */
static int finish_copy(const struct thin_member *m, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        const char *external = m->thin.external;
        struct mapper_info info;
        char params[96];
        int r;

        (void)snprintf(params, sizeof(params), "%u:%u %" PRIu32 "%s%s", major(m->thin.pool),
                       minor(m->thin.pool), m->id, *external ? " " : "", external);
        r = mapper_table_add(&table, 0, m->sectors, "thin", params);
        if (r < 0)
                return vss_error_from_errno(reterr, r, m->volume);
        /* Writable until it is sealed: its file system recovers, its writers may change it. */
        r = mapper_create(m->copy.copy_device, m->copy.copy_dm_uuid, &table, false, reterr);
        if (r >= 0)
                r = mapper_find_name(m->copy.copy_device, &info, reterr);
        if (r >= 0)
                r = mapper_announce(&info, MAPPER_UDEV_COPY, reterr);
        return r < 0 ? r : copy_link_make(m->link, &info, reterr);
}

static int thin_finish(struct provider_set *set, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = finish_copy(&set->members[i], reterr);
        if (r >= 0)
                lvm_set_unlock(&set->base);
        return r;
}

static int thin_seal(struct provider_set *set, struct vss_error *reterr) {
        return lvm_set_seal(&set->base, reterr);
}

static int thin_abort(struct provider_set *set, struct vss_error *reterr) {
        return lvm_set_abort(&set->base, reterr);
}

static size_t thin_intents(struct provider_set *set, const int64_t **ret_ids) {
        return lvm_set_intents(&set->base, ret_ids);
}

static void thin_release(struct provider_set *set) {
        thin_set_free(set);
}

static int thin_remove(struct store *store, const struct snapshot_record *r, bool force,
                       struct vss_error *reterr) {
        return lvm_transport_remove(&thin_kind, store, r, 1, force, reterr);
}

static int thin_remove_all(struct store *store, const struct snapshot_record *records, size_t n,
                           bool force, struct vss_error *reterr) {
        return lvm_transport_remove(&thin_kind, store, records, n, force, reterr);
}

/* A metadata snapshot is its pool's. */
static int thin_origins(const struct intent_record *intent, char ***uuids, char ***names,
                        struct vss_error *reterr) {
        int r;

        if (streq(str_or_empty(intent->kind), LVM_INTENT_BREAK))
                return thin_break_origins(intent, uuids, names, reterr);
        if (streq(str_or_empty(intent->kind), LVM_INTENT_IMPORT))
                return lvm_import_origins(&thin_kind, intent, uuids, names, reterr);
        if (!streq(str_or_empty(intent->kind), THIN_RESERVE_INTENT))
                return lvm_life_origins(&thin_kind, intent, uuids, names, reterr);
        r = strv_append(uuids, str_or_empty(intent->data));
        if (r >= 0)
                r = strv_append(names, str_or_empty(intent->data));
        return r < 0 ? vss_error_from_errno(reterr, r, "the intent of a question") : 0;
}

/* Neither a metadata snapshot nor breaking off nor an import suspends anything. */
static int thin_rescue(const struct intent_record *intent, const char *uuid,
                       struct vss_error *reterr) {
        if (streq(str_or_empty(intent->kind), THIN_RESERVE_INTENT) ||
            streq(str_or_empty(intent->kind), LVM_INTENT_BREAK) ||
            streq(str_or_empty(intent->kind), LVM_INTENT_IMPORT))
                return 0;
        return lvm_life_rescue(&thin_kind, intent, uuid, reterr);
}

static int thin_recover(struct store *store, const struct intent_record *intent,
                        struct vss_error *reterr) {
        if (streq(str_or_empty(intent->kind), THIN_RESERVE_INTENT))
                return thin_reserve_recover(&thin_reserve_system, store, intent, reterr);
        if (streq(str_or_empty(intent->kind), LVM_INTENT_BREAK))
                return thin_break_recover(store, intent, reterr);
        if (streq(str_or_empty(intent->kind), LVM_INTENT_IMPORT))
                return lvm_import_recover(&thin_kind, store, intent, reterr);
        return lvm_life_recover(&thin_kind, store, intent, reterr);
}

static int thin_import(struct store *store, struct snapshot_record *r, int64_t *ret_intent,
                       struct vss_error *reterr) {
        return lvm_import(&thin_kind, store, r, ret_intent, reterr);
}

static int thin_activate(const struct snapshot_record *r, struct vss_error *reterr) {
        return lvm_life_activate(&thin_kind, r, reterr);
}

/* What the copy has blocks for, shared ones included: nobody keeps count of its own. It is lost
 * when its pool is. */
static int thin_usage(const struct snapshot_record *record, uint64_t *ret_used, uint64_t *ret_max,
                      bool *ret_overflowed, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        struct mapper_info info;
        uint64_t mapped = 0;
        int r;

        r = lvm_life_find(record, &info, reterr);
        if (r >= 0)
                r = mapper_read_status(info.name, &status, reterr);
        if (r < 0)
                return r;
        if (status.n != 1 || !streq(status.targets[0].type, "thin"))
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                     "the device %s is no thin volume", info.name);
        *ret_overflowed = sscanf(status.targets[0].params, "%" SCNu64, &mapped) != 1;
        *ret_used = mapped * SECTOR_SIZE;
        *ret_max = *ret_overflowed ? 0 : mapper_table_length(&status) * SECTOR_SIZE;
        return 0;
}

/* One that is for another host is not active; its origin is in the same pool. */
static int find_in_pool(const struct snapshot_record *record, struct mapper_info *ret,
                        struct vss_error *reterr) {
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        struct mapper_info info;
        int r;

        if (!snapshot_is_away(record))
                return lvm_life_find(record, ret, reterr);
        r = lvm_copy_parse(&c, str_or_empty(record->provider_data));
        if (r < 0)
                return vss_error_from_errno(reterr, r, str_or_empty(record->device));
        r = mapper_find_uuid(c.origin_dm_uuid, &info, reterr);
        if (r < 0)
                return r;
        if (!info.exists)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the volume %s/%s is not active", c.vg, c.origin);
        *ret = info;
        return 0;
}

static int thin_shared_room(const struct snapshot_record *record, struct provider_room *ret,
                            struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        _cleanup_(thin_pool_done) struct thin_pool pool = { 0 };
        struct thin_volume volume;
        struct mapper_info info;
        int r;

        r = find_in_pool(record, &info, reterr);
        if (r >= 0)
                r = mapper_read_table(info.name, &table, reterr);
        if (r < 0)
                return r;
        if (table.n != 1 || thin_volume_parse(&volume, table.targets[0].params) < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                     "the device %s is no thin volume", info.name);
        r = thin_pool_read(&pool, volume.pool, reterr);
        if (r < 0)
                return r;
        *ret = (struct provider_room){
                .used = pool.data_used * pool.block_bytes,
                .size = pool.data_total * pool.block_bytes,
                .metadata_used = pool.metadata_used * METADATA_BLOCK,
                .metadata_size = pool.metadata_total * METADATA_BLOCK,
                .trouble = thin_pool_unfit(&pool),
        };
        if (!ret->trouble && pool.out_of_space)
                ret->trouble = "is full: what is written to its volumes waits, or fails; extend it "
                               "(lvextend -L)";
        (void)snprintf(ret->name, sizeof(ret->name), "%s", pool.name);
        return 0;
}

/* The pool alone, which is all volumes'. */
static int thin_places(const struct volume *v, struct provider_places *ret,
                       struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table blocks = { 0 };
        _cleanup_(thin_pool_done) struct thin_pool pool = { 0 };
        struct thin_volume thin;
        bool has_thick_copies;
        int r;

        r = lvm_probe_read_blocks(v, &blocks, &has_thick_copies, reterr);
        if (r < 0)
                return r;
        if (blocks.n != 1 || thin_volume_parse(&thin, blocks.targets[0].params) < 0)
                return vss_error_from_errno(reterr, -EBADMSG, v->name);
        r = thin_pool_read(&pool, thin.pool, reterr);
        if (r >= 0 && provider_places_add(ret, pool.name,
                                          (pool.data_total - pool.data_used) * pool.block_bytes,
                                          pool.data_total * pool.block_bytes) < 0)
                r = vss_error_from_errno(reterr, -ENOMEM, v->name);
        return r;
}

const struct provider provider_lvm_thin = {
        .name = THIN_NAME,
        .display_name = "LVM thin shadow copies",
        .version = VSSD_VERSION,
        .id = { 0x5c7f0d34, 0x2a91, 0x4e6b, { 0x9d, 0x18, 0x63, 0xb2, 0xe4, 0x70, 0xaf, 0x52 } },
        .version_id = { 0xe1a40c9b,
                        0x7d36,
                        0x4f05,
                        { 0xa8, 0xc2, 0x1b, 0x94, 0x5e, 0xd7, 0x30, 0x6f } },
        .type = VSS_PROV_SYSTEM,
        .priority = 10,
        .probe = thin_probe,
        .stage = thin_stage,
        .add_window_rows = thin_add_window_rows,
        .finish = thin_finish,
        .seal = thin_seal,
        .abort = thin_abort,
        .intents = thin_intents,
        .release = thin_release,
        .remove = thin_remove,
        .remove_all = thin_remove_all,
        .origins = thin_origins,
        .break_off = thin_break_off,
        .is_broken_off = lvm_life_is_broken_off,
        .revert = thin_revert,
        .revert_check = thin_revert_check,
        .revert_check_known = lvm_transport_check_known,
        .revert_look = thin_revert_look,
        .revert_end = thin_revert_end,
        .revert_back = thin_revert_back,
        .no_revert_at_boot =
                "a thin volume is exchanged with its copy while it is not active, which "
                "the root always is; boot from another medium, and use lvconvert "
                "--merge there",
        .rescue = thin_rescue,
        .recover = thin_recover,
        .activate = thin_activate,
        .usage = thin_usage,
        .places = thin_places,
        .shared_room = thin_shared_room,
        .delta = thin_delta,
        .hand_over = lvm_hand_over,
        .import = thin_import,
};
