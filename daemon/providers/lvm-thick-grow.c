/* A thick copy's store becomes larger. What LVM calls the copy is the store, and device-mapper's
 * device of its blocks is told of the new ones; the kernel asks that for its size whenever it
 * copies something out, so that the copy's own device needs no new table. See lvm-extend.h for why
 * LVM does not do it by itself. */

#include "common/time-util.h"
#include "daemon/providers/lvm-extend.h"
#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/snapshot-size.h"

#define SECTOR_SIZE 512
/* As long as lvm itself may take for what it was told. */
#define ORPHANS_TIMEOUT_USEC (180 * USEC_PER_SEC)

static int extend(const struct lvm_copy *c, uint64_t bytes, uint64_t *ret_bytes,
                  struct vss_error *reterr) {
        _cleanup_(freep) char *select = NULL;

        if (str_format(&select, "vg_uuid=%s&&lv_uuid=%s", c->vg_uuid, c->lv_uuid) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, c->lv);
        return lvm_extend(
                &(const struct lvm_extend){
                        .vg = c->vg, .lv = c->lv, .select = select, .device = c->store_device },
                bytes, ret_bytes, reterr);
}

int thick_grow(struct store *store, const struct snapshot_record *record, uint64_t bytes,
               uint64_t *ret_bytes, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table origin = { 0 }, blocks = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        struct lvm_copy *only = &c;
        struct mapper_info info;
        uint64_t enough;
        int64_t intent;
        int r;

        r = lvm_life_find(record, &info, reterr);
        if (r < 0)
                return r;
        r = lvm_copy_parse(&c, record->provider_data); /* it was understood just now */
        if (r < 0)
                return vss_error_from_errno(reterr, r, str_or_empty(record->device));
        r = lvm_refresh_names(&c, reterr);
        if (r >= 0)
                r = mapper_read_table(info.name, &origin, reterr);
        if (r >= 0)
                r = mapper_read_table(c.store_device, &blocks, reterr);
        if (r < 0)
                return r;
        enough = snapshot_size_enough(mapper_table_length(&origin) * SECTOR_SIZE, 1);
        *ret_bytes = mapper_table_length(&blocks) * SECTOR_SIZE;
        if (bytes > enough)
                bytes = enough;
        if (*ret_bytes >= bytes)
                return 0;
        r = lvm_intent_open(
                store, THICK_NAME, LVM_INTENT_GROW,
                &(struct lvm_intent_subject){ .set_id = record->set_id, .copies = &only, .n = 1 },
                &intent, reterr);
        if (r < 0)
                return r;
        r = extend(&c, bytes, ret_bytes, reterr);
        /* What is half done is no harm, and the next growth ends it: the intent is for crashes. */
        (void)store_intent_close(store, intent, NULL);
        return r;
}

/* Nothing but a device's longer table can be left, in its inactive slot. */
static int rescue(const struct lvm_copy *c, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        if (!c->store_dm_uuid)
                return 0;
        r = mapper_find_uuid(c->store_dm_uuid, &info, reterr);
        if (r >= 0 && info.exists && info.inactive_table)
                r = mapper_clear(info.name, reterr);
        if (r >= 0 && info.exists && info.suspended)
                r = mapper_resume(&info, reterr);
        return r;
}

int thick_grow_rescue(const struct intent_record *record, const char *uuid,
                      struct vss_error *reterr) {
        _cleanup_(lvm_intent_done) struct lvm_intent i = { 0 };
        int r;

        r = lvm_intent_parse(&i, THICK_NAME, record->data);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the intent of an interrupted growth");
        for (size_t k = 0; k < i.n; k++) {
                int one = 0;

                if (streq(uuid, str_or_empty(i.copies[k].origin_dm_uuid)))
                        one = rescue(&i.copies[k], reterr);
                if (one < 0)
                        r = one;
        }
        return r;
}

/* LVM's metadata may have more than the device. */
static int finish(struct lvm_copy *c, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct mapper_info info = { 0 };
        uint64_t bytes;
        int r;

        r = c->store_dm_uuid ? mapper_find_uuid(c->store_dm_uuid, &info, reterr) : 0;
        if (r < 0 || !info.exists)
                return r; /* it is deleted, or activated later, as the metadata have it */
        r = lvm_refresh_names(c, reterr);
        if (r < 0)
                return r;
        r = extend(c, 0, &bytes, &error);
        if (r < 0 && error.hr != VSS_E_OBJECT_NOT_FOUND) {
                vss_error_move(reterr, &error);
                return r;
        }
        return 0;
}

int thick_grow_recover(struct store *store, const struct intent_record *record,
                       struct vss_error *reterr) {
        _cleanup_(lvm_intent_done) struct lvm_intent i = { 0 };
        int r;

        /* No rescue: the start has done it; lvm_extend() does, with the group locked. */
        r = lvm_await_orphans(ORPHANS_TIMEOUT_USEC, reterr);
        if (r < 0)
                return r;
        r = lvm_intent_parse(&i, THICK_NAME, record->data);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the intent of an interrupted growth");
        for (size_t k = 0; r >= 0 && k < i.n; k++)
                r = finish(&i.copies[k], reterr);
        return r < 0 ? r : store_intent_close(store, record->id, reterr);
}
