/* LVM's part of staging: the stores as plain LVs first, as snapshots then, both with its driver
 * told to be absent, so that it touches no device. What was done is read back from its reports. */

#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm-segments.h"
#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/snapshot-size.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define SECTOR_SIZE 512

/* Only ours, so that neither the report nor lvm's work grows with the host. */
#define OURS "-S lv_name=~^" LVM_COPY_PREFIX

static int append_command(char ***commands, const char *format, ...) _printf_(2, 3);

static int append_command(char ***commands, const char *format, ...) {
        _cleanup_(freep) char *command = NULL;
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&command, format, args);
        va_end(args);
        if (r < 0) {
                command = NULL;
                return -ENOMEM;
        }
        return strv_append(commands, command);
}

static struct thick_member *find_member(struct provider_set *set, const char *vg, const char *cow) {
        for (size_t i = 0; i < set->base.n; i++)
                if (streq(set->members[i].copy.vg, vg) && streq(set->members[i].copy.lv, cow))
                        return &set->members[i];
        return NULL;
}

/* An LV is not as it should be by now: lvm has said why. */
static int say_refused(const struct provider_set *set, size_t i, struct vss_error *reterr) {
        bool full = strstr(lvm_complaint(set->base.lvm), "nsufficient") != NULL;

        return lvm_set_say_refused(
                &set->base, i, full,
                "add a physical volume (vgextend) or delete old copies (vssctl list)", reterr);
}

static int take_segment(struct provider_set *set, char *const *f, struct mapper_table *stores,
                        struct vss_error *reterr) {
        struct thick_member *m = find_member(set, f[LVM_SEGMENT_VG], f[LVM_SEGMENT_LV]);
        int r = 0;

        if (!m)
                return 0; /* of an older copy */
        if (!m->copy.lv_uuid)
                r = lvm_copy_set_lv_uuid(&m->copy, f[LVM_SEGMENT_LV_UUID]);
        if (r >= 0)
                r = lvm_segments_add(&stores[m - set->members], f);
        return r < 0 ? vss_error_from_errno(reterr, r, "lvm's report") : 0;
}

static bool is_first_of_group(const struct provider_set *set, size_t i) {
        for (size_t k = 0; k < i; k++)
                if (set->members[k].group == set->members[i].group)
                        return false;
        return true;
}

/* The stores, as plain LVs that nobody has activated; and where they are. They are read-only to
 * LVM, as the copies shall be after a reboot. */
int thick_make_stores(struct provider_set *set, struct mapper_table *stores,
                      struct vss_error *reterr) {
        _cleanup_(strv_freep) char **commands = NULL;
        _cleanup_(freep) char *report = NULL;
        struct lvm_row *rows = NULL;
        size_t n = 0;
        int r = 0;

        /* The first keeps the metadata as it was before; that of the end is kept, and told to who
         * wants to know, by lvconvert. */
        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = append_command(&commands,
                                   "lvcreate --nolocking --config global/notify_dbus=0 -y --type "
                                   "linear -an -pr -Zn -Wn%s -l %" PRIu64 " -n %s %s",
                                   is_first_of_group(set, i) ? "" : " -An",
                                   set->members[i].cow_extents, set->members[i].copy.lv,
                                   set->members[i].copy.vg);
        if (r >= 0)
                r = append_command(&commands, "pvs --segments " LVM_REPORT_OPTIONS
                                              " --nolocking -o " LVM_SEGMENT_COLUMNS " " OURS);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_run(set->base.lvm, commands, &report, reterr);
        if (r < 0)
                return r;
        r = lvm_report_parse(report, LVM_SEGMENT_FIELDS, &rows, &n);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "lvm's report");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = take_segment(set, rows[i].fields, stores, reterr);
        lvm_rows_free(rows, n);
        for (size_t i = 0; r >= 0 && i < set->base.n; i++) {
                const struct thick_member *m = &set->members[i];

                if (!lvm_segments_sort(&stores[i],
                                       m->cow_extents * (m->group->extent_bytes / SECTOR_SIZE)))
                        r = say_refused(set, i, reterr);
        }
        return r;
}

/* LVM's metadata says snapshot from now on. */
int thick_make_snapshots(struct provider_set *set, struct vss_error *reterr) {
        _cleanup_(strv_freep) char **commands = NULL;
        size_t n_done;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++) {
                const struct lvm_copy *c = &set->members[i].copy;

                r = append_command(&commands,
                                   "lvconvert --nolocking --driverloaded n -y -Zn --type snapshot "
                                   "-c %dk %s/%s %s/%s",
                                   SNAPSHOT_CHUNK_KIB, c->vg, c->origin, c->vg, c->lv);
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_run(set->base.lvm, commands, NULL, reterr);
        if (r < 0)
                return r;
        n_done = lvm_said(set->base.lvm, "converted to snapshot");
        if (n_done == set->base.n)
                return 0;
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "LVM made %zu of %zu snapshots: %s", n_done, set->base.n,
                             *lvm_complaint(set->base.lvm) ? lvm_complaint(set->base.lvm)
                                                           : "it gave no reason");
}
