/* Taking in a copy that another host has handed over, or this one. In this order:
 *
 *      1. LVM is asked for it by its UUID, and what it says is compared with what was told: a
 *         document is a file from anywhere, and whoever has the copy imported may have it deleted
 *         later. The tag is what counts: who forges a document cannot set it;
 *      2. it gets a number of this host's, and an intent;
 *      3. LVM activates it;
 *      4. the kernel is asked whether it is what LVM said, and its file system's identity is read;
 *      5. the record and the end of the intent are the caller's.
 *
 * Nothing on the disks changes, neither LVM's metadata nor data: the name that the copy was made
 * with is no other's on any host. So what fails after the intent, now or before the next start,
 * is undone by having LVM deactivate a thin copy, and by taking the links. A thick one stays as
 * active as its origin. LVM's groups are of one host at a time. That the other one has let go of it
 * nobody can see from here, but where LVM itself keeps the owner: in a group that is exported, has
 * another host's system ID, or is shared. */

#include "common/vss-id.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm-thin-pool.h"
#include "daemon/providers/lvm-transport.h"
#include "daemon/providers/snapshot-devices.h"
#include "daemon/providers/snapshot-mount.h"
#include "daemon/providers/volume-hold.h"
#include <inttypes.h>

/* Places in LVM's lv_attr (lvs(8)). */
enum { ATTR_TYPE = 0 };

struct arrival {
        const struct lvm_kind *kind;
        struct snapshot_record *record;
        struct lvm_copy copy;
        struct lvm_transport told;
        struct lvm *lvm;
        struct lvm_report found;
};

static void arrival_done(struct arrival *a) {
        lvm_copy_done(&a->copy);
        lvm_transport_done(&a->told);
        lvm_report_done(&a->found);
        lvm_close(a->lvm);
}

static const char *volume_of(const struct arrival *a) {
        return str_or_empty(a->record->volume);
}

static int understand(struct arrival *a, struct vss_error *reterr) {
        const char *data = str_or_empty(a->record->provider_data);
        int r;

        r = lvm_copy_parse(&a->copy, data);
        if (r >= 0 && (!a->copy.lv_uuid ||
                       strncmp(a->copy.lv, LVM_COPY_PREFIX, strlen(LVM_COPY_PREFIX)) != 0))
                r = -EBADMSG;
        if (r >= 0)
                r = lvm_transport_parse(&a->told, data);
        if (r >= 0 && (a->told.pool != NULL) != a->kind->thin)
                r = -EBADMSG;
        if (r == -EBADMSG)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, EBADMSG,
                                     "What is said of the storage of the copy of %s cannot be "
                                     "understood",
                                     volume_of(a));
        if (r < 0)
                return vss_error_from_errno(reterr, r, volume_of(a));
        /* The start may just be undoing an import of it. */
        return volume_hold_check(a->copy.origin_dm_uuid, volume_of(a), reterr);
}

/* --- finding it --- */

enum { GROUP_NAME, GROUP_EXPORTED, GROUP_SHARED, GROUP_PARTIAL, GROUP_SYSTEM_ID, GROUP_FIELDS };
#define GROUP_COLUMNS "vg_name,vg_exported,vg_shared,vg_partial,vg_systemid"

/* Of a copy that LVM does not show, or may not be touched. */
static int judge_group(struct arrival *a, struct vss_error *reterr) {
        static const struct {
                unsigned field;
                const char *reason;
        } reasons[] = {
                { GROUP_EXPORTED, "is exported; take it in (vgimport), once the host that had it "
                                  "has let go of it" },
                { GROUP_SHARED, "is shared (lvmlockd): another host may use it at the same time" },
                { GROUP_PARTIAL, "lacks physical volumes ('pvs' shows which); attach all of its "
                                 "disks" },
        };
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        char *const *f;
        int r;

        r = lvm_report_ask(&found, a->lvm, GROUP_FIELDS, reterr,
                           "vgs --foreign " LVM_REPORT_OPTIONS " -o " GROUP_COLUMNS
                           " -S vg_uuid=%s",
                           a->copy.vg_uuid);
        if (r < 0)
                return r;
        if (found.n == 0)
                return vss_error_set(reterr, VSS_E_MISSING_DISK, ENODEV,
                                     "The copy of %s lies in the volume group %s (%s), of which "
                                     "this host sees no disk; attach them ('vgs' shows it then)",
                                     volume_of(a), a->copy.vg, a->copy.vg_uuid);
        f = found.rows[0].fields;
        for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
                if (*f[reasons[i].field])
                        return vss_error_set(reterr, VSS_E_MISSING_DISK, EBUSY,
                                             "The copy of %s lies in the volume group %s, which %s",
                                             volume_of(a), f[GROUP_NAME], reasons[i].reason);
        if (a->found.n > 0)
                return 0;
        if (*f[GROUP_SYSTEM_ID])
                return vss_error_set(reterr, VSS_E_MISSING_VOLUME, ENOENT,
                                     "The copy of %s is not seen: its volume group %s has the "
                                     "system ID '%s'. If that is another host's, have that let go "
                                     "of it (vgexport there, vgimport here)",
                                     volume_of(a), f[GROUP_NAME], f[GROUP_SYSTEM_ID]);
        return vss_error_set(reterr, VSS_E_MISSING_VOLUME, ENOENT,
                             "The copy of %s is not in the volume group %s any more: nothing there "
                             "has the UUID %s",
                             volume_of(a), f[GROUP_NAME], a->copy.lv_uuid);
}

static int say_other(const struct arrival *a, const char *what, struct vss_error *reterr) {
        char *const *f = a->found.rows[0].fields;

        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                             "%s/%s is not the copy of %s that was handed over: %s",
                             f[TRANSPORT_VG], f[TRANSPORT_LV], volume_of(a), what);
}

/* What this host has handed over comes with its own row, and the number in it. */
static bool is_own(const struct arrival *a) {
        return a->record->number != 0;
}

/* A thin copy outlives its origin: it is what is left of that. So it does a revert of the origin,
 * after which LVM does not know any more whose copy it is; a document would then have the word on
 * it, and could name somebody else's volume. */
static int compare_origin(const struct arrival *a, struct vss_error *reterr) {
        const char *found = a->found.rows[0].fields[TRANSPORT_ORIGIN_UUID];
        _cleanup_(lvm_report_done) struct lvm_report other = { 0 };
        int r;

        if (streq(found, a->copy.origin_uuid))
                return 0;
        if (a->kind->thin && str_empty(found)) {
                if (is_own(a))
                        return 0;
                r = lvm_report_ask(&other, a->lvm, 1, reterr,
                                   "lvs -a " LVM_REPORT_OPTIONS
                                   " -o lv_uuid -S vg_uuid=%s&&lv_uuid=%s",
                                   a->copy.vg_uuid, a->copy.origin_uuid);
                if (r < 0 || other.n == 0)
                        return r;
        }
        return say_other(a, "it has another origin", reterr);
}

/* Every word that was told. */
static int compare(const struct arrival *a, struct vss_error *reterr) {
        char *const *f = a->found.rows[0].fields;
        const bool thin = a->kind->thin;
        const char *what = NULL;
        uint64_t number = 0;
        int r;

        if (!streq(f[TRANSPORT_VG_UUID], a->copy.vg_uuid))
                return say_other(a, "it is in another volume group", reterr);
        r = lvm_transport_is_copy(f, a->record, &what);
        if (r < 0)
                return vss_error_from_errno(reterr, r, volume_of(a));
        if (r == 0)
                return say_other(a, what, reterr);
        if (f[TRANSPORT_ATTR][ATTR_TYPE] != (thin ? 'V' : 's'))
                return say_other(a, "it is a volume of another kind, or an invalid snapshot",
                                 reterr);
        r = compare_origin(a, reterr);
        if (r < 0)
                return r;
        /* Of a thick one LVM tells the size of the store. */
        if (thin && (lvm_number(f[TRANSPORT_SIZE], &number) < 0 || number != a->told.sectors))
                return say_other(a, "its size is another", reterr);
        if (thin && (!streq(f[TRANSPORT_POOL_UUID], a->told.pool) ||
                     lvm_number(f[TRANSPORT_THIN_ID], &number) < 0 || number != a->told.thin_id))
                return say_other(a, "it is another volume of its pool, or in another pool", reterr);
        return 0;
}

static int find(struct arrival *a, struct vss_error *reterr) {
        int r;

        r = lvm_transport_find(&a->found, a->lvm, &a->copy, reterr);
        if (r >= 0)
                r = judge_group(a, reterr);
        return r < 0 ? r : compare(a, reterr);
}

/* --- what it is from here on --- */

/* By the names that it has now; of an origin that LVM does not name any would be a document's word,
 * if not our own. */
static int note_copy(struct arrival *a) {
        _cleanup_(lvm_copy_done) struct lvm_copy fresh = { 0 };
        _cleanup_(freep) char *line = NULL, *data = NULL;
        char *const *f = a->found.rows[0].fields;
        const char *origin = f[TRANSPORT_ORIGIN];
        int r;

        if (str_empty(origin))
                origin = is_own(a) ? a->copy.origin : "gone";
        r = lvm_copy_init(&fresh, f[TRANSPORT_VG], a->copy.vg_uuid, origin, a->copy.origin_uuid,
                          f[TRANSPORT_LV], a->copy.lv_uuid);
        if (r >= 0)
                r = lvm_copy_format(&fresh, &line);
        if (r >= 0)
                r = lvm_transport_format(&a->told, line, &data);
        if (r >= 0)
                r = str_replace(&a->record->origin_uuid, fresh.origin_dm_uuid);
        if (r < 0)
                return r;
        free(a->record->provider_data);
        a->record->provider_data = TAKE_PTR(data);
        a->record->attributes |= VSS_VOLSNAP_ATTR_DIFFERENTIAL;
        lvm_copy_done(&a->copy);
        a->copy = fresh;
        fresh = (struct lvm_copy){ 0 };
        return 0;
}

/* One that was handed over by this host has them already. */
static int note_number(struct snapshot_record *r, uint64_t number) {
        const bool mounted = r->device_object != NULL;

        free(TAKE_PTR(r->device));
        free(TAKE_PTR(r->device_object));
        r->number = number;
        if (str_format(&r->device, SNAPSHOT_DEVICE_ROOT "/" LVM_IMPORT_NODE "%" PRIu64, number) < 0)
                return -ENOMEM;
        if (!mounted)
                return str_replace(&r->device_object, r->device);
        return str_format(&r->device_object, SNAPSHOT_MOUNT_ROOT "/" LVM_IMPORT_NODE "%" PRIu64,
                          number);
}

static int note(struct arrival *a, struct store *store, struct vss_error *reterr) {
        uint64_t number;
        int r;

        r = note_copy(a);
        if (r >= 0 && !is_own(a)) {
                r = store_reserve_numbers(store, 1, &number, reterr);
                if (r < 0)
                        return r;
                r = note_number(a->record, number);
        }
        return r < 0 ? vss_error_from_errno(reterr, r, volume_of(a)) : 0;
}

static int open_intent(const struct arrival *a, struct store *store, int64_t *ret,
                       struct vss_error *reterr) {
        _cleanup_(freep) char *data = NULL;
        int r;

        r = lvm_import_intent_format(a->kind->provider, &a->copy, a->record, &data);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot note the intent");
        return store_intent_open(store,
                                 &(struct intent_record){
                                         .set_id = a->record->set_id,
                                         .provider = (char *)(uintptr_t)a->kind->provider,
                                         .kind = (char *)(uintptr_t)LVM_INTENT_IMPORT,
                                         .data = data,
                                 },
                                 ret, reterr);
}

/* --- there and back --- */

/* What the kernel has is what LVM said. */
static int check_device(const struct arrival *a, const struct mapper_info *info,
                        struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        const bool thin = a->kind->thin;
        uint64_t used, max;
        struct thin_volume volume;
        bool overflowed = false;
        int r;

        r = mapper_read_table(info->name, &table, reterr);
        if (r < 0)
                return r;
        if (table.n != 1 || !streq(table.targets[0].type, thin ? "thin" : "snapshot") ||
            mapper_table_length(&table) != a->told.sectors)
                return say_other(a, "its device is of another kind or size", reterr);
        if (thin)
                return thin_volume_parse(&volume, table.targets[0].params) >= 0 &&
                                       volume.id == a->told.thin_id
                               ? 0
                               : say_other(a, "its device is another of its pool's", reterr);
        r = snapshot_devices_usage(info->name, &used, &max, &overflowed, reterr);
        if (r >= 0 && overflowed)
                return say_other(a, "its store has overflowed, and it is lost", reterr);
        return r;
}

/* A file system is mounted by the type that was told: it has to be the one that is there. */
static bool type_fits(const char *told, const char *found) {
        static const char *const related[][2] = {
                { "ext2", "ext3" }, { "ext2", "ext4" }, { "ext3", "ext4" },  { "ext3", "ext2" },
                { "ext4", "ext2" }, { "ext4", "ext3" }, { "msdos", "vfat" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(related); i++)
                if (streq(told, related[i][0]) && streq(found, related[i][1]))
                        return true;
        return streq(told, found);
}

static int check_content(const struct arrival *a, struct vss_error *reterr) {
        _cleanup_(volume_identity_done) struct volume_identity identity = { 0 };
        const struct snapshot_record *record = a->record;
        int r;

        r = volume_identity_read(&identity, record->device, reterr);
        if (r < 0)
                return r;
        if (!lvm_transport_has_identity(&a->told, &identity))
                return say_other(a, "its file system is another", reterr);
        if (!streq(record->device, record->device_object) &&
            !type_fits(str_or_empty(record->fs_type), str_or_empty(identity.type)))
                return say_other(a, "its file system is of another type", reterr);
        return 0;
}

static int bring_up(const struct arrival *a, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = lvm_life_activate(a->kind, a->record, reterr); /* and the link */
        if (r >= 0)
                r = lvm_life_find(a->record, &info, reterr);
        if (r >= 0)
                r = check_device(a, &info, reterr);
        if (r >= 0)
                r = copy_link_seal(a->record->device, volume_of(a), reterr);
        return r < 0 ? r : check_content(a, reterr);
}

/* LVM takes the pool's devices, too, that it brought up for this one. What it cannot do is said by
 * whoever looks next. */
static void deactivate(const struct lvm_copy *c) {
        _cleanup_(lvm_closep) struct lvm *l = NULL;

        if (lvm_open(&l, NULL) >= 0)
                (void)lvm_tell(l, NULL, "lvchange -y -an -S vg_uuid=%s&&lv_uuid=%s", c->vg_uuid,
                               c->lv_uuid);
}

static int put_down(const struct lvm_kind *kind, const struct lvm_import_intent *i,
                    struct vss_error *reterr) {
        _cleanup_(freep) char *link = NULL;
        struct mapper_info info;
        int r;

        if (str_format(&link, SNAPSHOT_DEVICE_ROOT "/%s", i->node) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, i->node);
        copy_link_release(i->node, false); /* what is mounted of it */
        r = mapper_find_uuid(i->copy.copy_dm_uuid, &info, reterr);
        if (r >= 0 && info.exists && kind->thin) {
                mapper_let_udev_finish(); /* it has it open after each event */
                deactivate(&i->copy);
                r = mapper_find_uuid(i->copy.copy_dm_uuid, &info, reterr);
                if (r >= 0 && info.exists)
                        r = mapper_remove(info.name, false, reterr);
        } else if (r >= 0 && info.exists)
                copy_link_drop(link, &info);
        if (r >= 0)
                copy_link_remove(link);
        return r;
}

/* It failed with what reterr says. */
static void give_up(const struct arrival *a, struct store *store, int64_t intent,
                    struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 }, first = { 0 };
        const struct lvm_import_intent i = {
                .node = strrchr(a->record->device, '/') + 1,
                .copy = a->copy,
        };

        if (put_down(a->kind, &i, &error) >= 0) {
                (void)store_intent_close(store, intent, NULL); /* finds nothing to do if it stays */
                return;
        }
        vss_error_move(&first, reterr);
        (void)vss_error_set(reterr, first.hr, first.cause,
                            "%s. Nor could it be undone (%s); the next start of the service tries "
                            "again",
                            str_or_empty(first.message), str_or_empty(error.message));
}

int lvm_import(const struct lvm_kind *kind, struct store *store, struct snapshot_record *record,
               int64_t *ret_intent, struct vss_error *reterr) {
        _cleanup_(arrival_done) struct arrival a = { .kind = kind, .record = record };
        int64_t intent;
        int r;

        r = understand(&a, reterr);
        if (r >= 0)
                r = lvm_open(&a.lvm, reterr);
        if (r >= 0)
                r = find(&a, reterr);
        if (r >= 0)
                r = note(&a, store, reterr);
        if (r >= 0)
                r = open_intent(&a, store, &intent, reterr);
        if (r < 0)
                return r;
        r = bring_up(&a, reterr);
        if (r < 0)
                give_up(&a, store, intent, reterr);
        else
                *ret_intent = intent;
        return r;
}

/* --- what a crash left --- */

int lvm_import_origins(const struct lvm_kind *kind, const struct intent_record *intent,
                       char ***uuids, char ***names, struct vss_error *reterr) {
        _cleanup_(lvm_import_intent_done) struct lvm_import_intent i = { 0 };
        int r;

        r = lvm_import_intent_parse(&i, kind->provider, str_or_empty(intent->data));
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the intent of an interrupted import");
        return lvm_origins(&i.copy, 1, uuids, names, reterr);
}

/* Whether its record was written before the intent could be closed. */
static int is_imported(struct store *store, VSS_ID id, struct vss_error *reterr) {
        _cleanup_(snapshot_record_done) struct snapshot_record record = { 0 };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int r;

        r = store_snapshot_get(store, id, &record, &error);
        if (r >= 0)
                return (record.attributes & VSS_VOLSNAP_ATTR_IMPORTED) != 0;
        if (error.hr == VSS_E_OBJECT_NOT_FOUND)
                return 0;
        vss_error_move(reterr, &error);
        return r;
}

int lvm_import_recover(const struct lvm_kind *kind, struct store *store,
                       const struct intent_record *intent, struct vss_error *reterr) {
        _cleanup_(lvm_import_intent_done) struct lvm_import_intent i = { 0 };
        int r;

        r = lvm_import_intent_parse(&i, kind->provider, str_or_empty(intent->data));
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the intent of an interrupted import");
        r = is_imported(store, i.snapshot, reterr);
        if (r == 0) {
                /* It may still be activating it. */
                r = lvm_await_orphans(LVM_ORPHANS_TIMEOUT_USEC, reterr);
                if (r >= 0)
                        r = put_down(kind, &i, reterr);
        }
        return r < 0 ? r : store_intent_close(store, intent->id, reterr);
}
