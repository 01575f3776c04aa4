/* LVM's part of staging: the stores as plain LVs first, as snapshots then, both with its driver
 * told to be absent, so that it touches no device. What was done is read back from its reports. */

#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/snapshot-size.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define SECTOR_SIZE 512

enum {
        SEG_VG,
        SEG_LV,
        SEG_LV_UUID,
        SEG_MAJOR,
        SEG_MINOR,
        SEG_PE_START,
        SEG_FIRST,
        SEG_COUNT,
        SEG_START,
        SEG_FIELDS
};
#define SEG_COLUMNS \
        "vg_name,lv_name,lv_uuid,pv_major,pv_minor,pe_start,pvseg_start,pvseg_size,seg_start"

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
        struct thick_member *m = find_member(set, f[SEG_VG], f[SEG_LV]);
        uint64_t number[SEG_FIELDS] = { 0 }, extent_sectors;
        char params[64];
        int r = 0;

        if (!m)
                return 0; /* of an older copy */
        for (size_t i = SEG_MAJOR; r >= 0 && i < SEG_FIELDS; i++)
                r = lvm_number(f[i], &number[i]);
        if (r >= 0 && !m->copy.lv_uuid)
                r = lvm_copy_set_lv_uuid(&m->copy, f[SEG_LV_UUID]);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "lvm's report");
        extent_sectors = m->group->extent_bytes / SECTOR_SIZE;
        (void)snprintf(params, sizeof(params), "%" PRIu64 ":%" PRIu64 " %" PRIu64,
                       number[SEG_MAJOR], number[SEG_MINOR],
                       number[SEG_PE_START] + number[SEG_FIRST] * extent_sectors);
        r = mapper_table_add(&stores[m - set->members], number[SEG_START],
                             number[SEG_COUNT] * extent_sectors, "linear", params);
        return r < 0 ? vss_error_from_errno(reterr, r, m->volume) : 0;
}

static int compare_targets(const void *a, const void *b) {
        const struct mapper_target *left = a, *right = b;

        return (left->start > right->start) - (left->start < right->start);
}

/* Sorted and without a gap, over the whole store. */
static bool is_whole(struct mapper_table *table, uint64_t sectors) {
        uint64_t end = 0;

        if (table->n > 0)
                qsort(table->targets, table->n, sizeof(*table->targets), compare_targets);
        for (size_t i = 0; i < table->n; i++) {
                if (table->targets[i].start != end)
                        return false;
                end += table->targets[i].length;
        }
        return end == sectors;
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
                                              " --nolocking -o " SEG_COLUMNS " " OURS);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_run(set->base.lvm, commands, &report, reterr);
        if (r < 0)
                return r;
        r = lvm_report_parse(report, SEG_FIELDS, &rows, &n);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "lvm's report");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = take_segment(set, rows[i].fields, stores, reterr);
        lvm_rows_free(rows, n);
        for (size_t i = 0; r >= 0 && i < set->base.n; i++) {
                const struct thick_member *m = &set->members[i];

                if (!is_whole(&stores[i], m->cow_extents * (m->group->extent_bytes / SECTOR_SIZE)))
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
