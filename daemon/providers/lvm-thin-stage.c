/* Staging: everything that can be done while writes still flow. LVM makes each copy as it always
 * does, so that its metadata and the pool's agree; then the pool alone is told to forget it again.
 * What is left for the window is one message, the copy's making. */

#include "daemon/providers/lvm-facts.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm-thin.h"
#include <inttypes.h>
#include <stdio.h>

enum { MADE_VG, MADE_LV, MADE_LV_UUID, MADE_THIN_ID, MADE_FIELDS };
#define MADE_COLUMNS "vg_name,lv_name,lv_uuid,thin_id"

/* lvm has said why. */
static int say_refused(const struct provider_set *set, size_t i, struct vss_error *reterr) {
        const char *words = lvm_complaint(set->base.lvm);
        /* "Free space in pool tank/pool is above threshold, new volumes are not allowed." */
        bool full = strstr(words, "threshold") || strstr(words, "nsufficient");

        /* "device-mapper: suspend ioctl on  (253:7) failed: Device or resource busy", before Linux
         * 6.7; as the window says it of other volumes. */
        if (strstr(words, "suspend ioctl") && strstr(words, strerror(EBUSY)))
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EBUSY,
                                     "%s is frozen by another program; 'fsfreeze --unfreeze' on "
                                     "its mount point lets it go",
                                     set->members[i].volume);
        return lvm_set_say_refused(&set->base, i, full,
                                   "extend the pool (lvextend) or delete old copies (vssctl list)",
                                   reterr);
}

static int take_made(struct provider_set *set, size_t i, const struct lvm_report *made,
                     struct vss_error *reterr) {
        struct thin_member *m = &set->members[i];

        for (size_t k = 0; k < made->n; k++) {
                char *const *f = made->rows[k].fields;
                uint64_t id;
                int r;

                if (!streq(f[MADE_VG], m->copy.vg) || !streq(f[MADE_LV], m->copy.lv))
                        continue;
                r = lvm_number(f[MADE_THIN_ID], &id);
                if (r >= 0 && (id > UINT32_MAX || id == m->thin.id))
                        r = -EBADMSG;
                if (r >= 0)
                        r = lvm_copy_set_lv_uuid(&m->copy, f[MADE_LV_UUID]);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, "lvm's report");
                m->id = (uint32_t)id;
                return 0;
        }
        return say_refused(set, i, reterr);
}

/* The first keeps the metadata as it was before, the last that of the end, and tells who wants to
 * know. Nobody activates a copy by accident (-ky), and nobody waits for udev, which has to do with
 * the origins only; dmeventd goes on watching the pool. */
static int make_copy(struct provider_set *set, size_t i, struct vss_error *reterr) {
        const struct lvm_copy *c = set->base.copies[i];
        bool last = i + 1 == set->base.n, between = i > 0 && !last;
        int r;

        /* lvm makes snapshots under its own locks only (--nolocking is refused). Those of the
         * groups are ours already, so it is shown another directory. */
        r = lvm_tell(set->base.lvm, reterr,
                     "lvcreate --config 'global/locking_dir=%s%s' -y -s -an -ky -pr --noudevsync "
                     "--ignoremonitoring%s -n %s %s/%s",
                     lvm_lock_directory, last ? "" : " global/notify_dbus=0", between ? " -An" : "",
                     c->lv, c->vg, c->origin);
        if (r < 0)
                return r;
        return lvm_said(set->base.lvm, " created.") > 0 ? 0 : say_refused(set, i, reterr);
}

/* What lvm has made of them. */
static int read_made(struct provider_set *set, struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report made = { 0 };
        int r;

        r = lvm_report_ask(&made, set->base.lvm, MADE_FIELDS, reterr,
                           "lvs " LVM_REPORT_OPTIONS " --nolocking -o " MADE_COLUMNS
                           " -S lv_name=~^" LVM_COPY_PREFIX);
        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = take_made(set, i, &made, reterr);
        return r;
}

/* The place of the copy in its pool is free for the one that the window makes. */
static int clear_places(struct provider_set *set, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++) {
                char message[32];

                (void)snprintf(message, sizeof(message), "delete %" PRIu32, set->members[i].id);
                r = mapper_message(set->members[i].pool, message, reterr);
        }
        return r;
}

static int make_all(struct provider_set *set, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = make_copy(set, i, reterr);
        if (r >= 0)
                r = read_made(set, reterr);
        if (r >= 0)
                r = clear_places(set, reterr);
        if (r >= 0)
                mapper_let_udev_finish();
        return r;
}

int thin_stage(struct provider_set **ret, struct store *store, const struct volume *const *volumes,
               struct snapshot_record *records, size_t n, struct vss_error *reterr) {
        static const struct lvm_set_steps steps = {
                .read_facts = thin_set_read_facts,
                .make = make_all,
        };
        _cleanup_(thin_set_freep) struct provider_set *set = NULL;
        int r;

        r = thin_set_new(&set, store, volumes, records, n, reterr);
        if (r >= 0)
                r = lvm_set_stage(&set->base, set, &steps, volumes, records, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(set);
        return 0;
}
