/* See lvm-extend.h. Stateless. */

#include "daemon/providers/lvm-extend.h"
#include "daemon/providers/lvm-segments.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/vg-lock.h"
#include <inttypes.h>
#include <stdio.h>
#include <vss/vss.h>

#define SECTOR_SIZE 512
#define MIB (UINT64_C(1024) * 1024)

/* The volume as LVM has it. */
struct found {
        struct mapper_table table;
        uint64_t extent_sectors, n_free;
};

static void found_done(struct found *f) {
        mapper_table_done(&f->table);
}

static bool parse_linear(const struct mapper_target *t, unsigned *major, unsigned *minor,
                         uint64_t *from) {
        int end = 0;

        return streq(t->type, "linear") &&
               sscanf(t->params, "%u:%u %" SCNu64 "%n", major, minor, from, &end) == 3 &&
               t->params[end] == '\0';
}

static bool is_within(const struct mapper_target *t, const struct mapper_target *outer) {
        unsigned major, minor, outer_major, outer_minor;
        uint64_t from, outer_from;

        return t->start >= outer->start && t->start + t->length <= outer->start + outer->length &&
               parse_linear(t, &major, &minor, &from) &&
               parse_linear(outer, &outer_major, &outer_minor, &outer_from) &&
               major == outer_major && minor == outer_minor &&
               from - outer_from == t->start - outer->start;
}

bool lvm_extend_keeps(const struct mapper_table *live, const struct mapper_table *longer) {
        if (live->n == 0 || mapper_table_length(longer) < mapper_table_length(live))
                return false;
        for (size_t i = 0; i < live->n; i++) {
                bool found = false;

                for (size_t k = 0; !found && k < longer->n; k++)
                        found = is_within(&live->targets[i], &longer->targets[k]);
                if (!found)
                        return false;
        }
        return true;
}

/* Also where it is not one piece after the other, which is another's business with it: a pvmove. */
static int look(struct lvm *l, const struct lvm_extend *e, struct found *ret,
                struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report report = { 0 };
        _cleanup_(found_done) struct found found = { 0 };
        int r;

        r = lvm_report_ask(&report, l, LVM_SEGMENT_FIELDS, reterr,
                           "pvs --segments " LVM_REPORT_OPTIONS
                           " --nolocking -o " LVM_SEGMENT_COLUMNS " -S %s",
                           e->select);
        if (r < 0)
                return r;
        if (report.n == 0)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the logical volume %s/%s is gone", e->vg, e->lv);
        for (size_t i = 0; r >= 0 && i < report.n; i++)
                r = lvm_segments_add(&found.table, report.rows[i].fields);
        if (r >= 0)
                r = lvm_number(report.rows[0].fields[LVM_SEGMENT_EXTENT], &found.extent_sectors);
        if (r >= 0)
                r = lvm_number(report.rows[0].fields[LVM_SEGMENT_FREE], &found.n_free);
        if (r >= 0 && found.extent_sectors == 0)
                r = -EBADMSG;
        if (r < 0)
                return vss_error_from_errno(reterr, r, "lvm's report");
        (void)lvm_segments_sort(&found.table, 0); /* for the order; the live table tells the rest */
        *ret = found;
        found = (struct found){ 0 };
        return 0;
}

/* *f is as it is afterwards. */
static int extend_metadata(struct lvm *l, const struct lvm_extend *e, struct found *f,
                           uint64_t bytes, struct vss_error *reterr) {
        uint64_t now = mapper_table_length(&f->table) / f->extent_sectors;
        uint64_t extent_bytes = f->extent_sectors * SECTOR_SIZE;
        uint64_t wanted = bytes / extent_bytes + (bytes % extent_bytes != 0);
        struct found after;
        int r;

        if (wanted <= now)
                return 0;
        if (f->n_free == 0)
                return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                                     "the volume group %s is full; add a physical volume "
                                     "(vgextend) or delete old copies (vssctl list)",
                                     e->vg);
        if (wanted - now > f->n_free)
                wanted = now + f->n_free;
        r = lvm_tell(l, reterr,
                     "lvextend --nolocking --config global/notify_dbus=0 --driverloaded n -y -l "
                     "%" PRIu64 " %s/%s",
                     wanted, e->vg, e->lv);
        if (r < 0)
                return r;
        {
                _cleanup_(freep) char *words = strdup(lvm_complaint(l));

                r = look(l, e, &after, reterr);
                if (r < 0)
                        return r;
                found_done(f);
                *f = after;
                if (mapper_table_length(&f->table) / f->extent_sectors > now)
                        return 0;
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                     "LVM did not extend %s/%s: %s", e->vg, e->lv,
                                     str_empty(words) ? "it gave no reason" : words);
        }
}

/* What a crash before the resume has left: the group is locked, so that it is no other's. */
static int settle(const struct lvm_extend *e, const struct mapper_info *info,
                  struct vss_error *reterr) {
        int r = 0;

        if (info->inactive_table)
                r = mapper_clear(e->device, reterr);
        if (r >= 0 && info->suspended)
                r = mapper_resume(info, reterr);
        return r;
}

static int reload(const struct lvm_extend *e, const struct mapper_table *table, uint64_t *ret_bytes,
                  struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 };
        struct mapper_info info;
        int r;

        r = mapper_find_name(e->device, &info, reterr);
        if (r >= 0 && (!info.exists || !info.live_table))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the device %s is gone", e->device);
        if (r >= 0)
                r = mapper_read_table(e->device, &live, reterr);
        if (r < 0)
                return r;
        if (!lvm_extend_keeps(&live, table))
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "the blocks of %s/%s are being moved, or are not where LVM "
                                     "has them; try again when pvmove has ended",
                                     e->vg, e->lv);
        if (mapper_table_length(table) > mapper_table_length(&live)) {
                r = mapper_load(e->device, table, info.read_only, reterr);
                if (r >= 0)
                        r = mapper_resume(&info, reterr);
                if (r < 0) {
                        (void)mapper_clear(e->device, NULL); /* the first failure is the one */
                        return r;
                }
        } else {
                r = settle(e, &info, reterr);
                if (r < 0)
                        return r;
        }
        *ret_bytes = mapper_table_length(table) * SECTOR_SIZE;
        return 0;
}

int lvm_extend(const struct lvm_extend *e, uint64_t bytes, uint64_t *ret_bytes,
               struct vss_error *reterr) {
        _cleanup_(vg_locks_drop) struct vg_locks locks = { 0 };
        _cleanup_(found_done) struct found found = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        const char *group = e->vg;
        int r;

        r = vg_locks_take(&locks, &group, 1, GUID_NULL, reterr);
        if (r >= 0)
                r = lvm_open(&l, reterr);
        if (r >= 0)
                r = look(l, e, &found, reterr);
        if (r >= 0)
                r = extend_metadata(l, e, &found, bytes, reterr);
        return r < 0 ? r : reload(e, &found.table, ret_bytes, reterr);
}
