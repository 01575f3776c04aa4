/* Staging: everything that can be done while writes still flow. LVM's metadata first (the stores
 * as plain LVs, then as snapshots, with its driver told to be absent so that it touches no
 * device), the devices by libdevmapper in between and after it:
 *
 *      ORIGIN        snapshot-origin over ORIGIN-real    in its inactive slot (first copy only)
 *      ORIGIN-real   the origin's own table              live; for RAID in its inactive slot
 *      COPY          snapshot of ORIGIN-real             in its inactive slot
 *      COPY-cow      the store's own blocks              live
 *
 * The window resumes COPY and ORIGIN, and LVM finds what it would have made itself. */

#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm-thick-size.h"
#include "daemon/providers/lvm-thick.h"
#include <fcntl.h>
#include <inttypes.h>
#include <libdevmapper.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SECTOR_SIZE 512
#define CHUNK_BYTES ((size_t)THICK_CHUNK_KIB * 1024)

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

enum { DONE_VG, DONE_LV, DONE_ROLE, DONE_ORIGIN, DONE_FIELDS };
#define DONE_COLUMNS "vg_name,lv_name,lv_role,origin"

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
        for (size_t i = 0; i < set->n; i++)
                if (streq(set->members[i].copy.vg, vg) && streq(set->members[i].copy.cow, cow))
                        return &set->members[i];
        return NULL;
}

/* An LV is not as it should be by now: lvm has said why. */
static int say_refused(struct provider_set *set, const struct thick_member *m,
                       struct vss_error *reterr) {
        const char *words = lvm_complaint(set->lvm);
        bool full = strstr(words, "nsufficient") != NULL;

        return vss_error_set(
                reterr, full ? VSS_E_INSUFFICIENT_STORAGE : VSS_E_UNEXPECTED_PROVIDER_ERROR,
                full ? ENOSPC : EIO, "LVM did not make a copy of %s (%s/%s): %s%s", m->volume,
                m->copy.vg, m->copy.cow, *words ? words : "it gave no reason",
                full ? "; add a physical volume (vgextend) or delete old copies "
                       "(vssctl list)"
                     : "");
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
        if (r >= 0 && !m->copy.cow_uuid)
                r = thick_copy_set_cow_uuid(&m->copy, f[SEG_LV_UUID]);
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

/* The stores, as plain LVs that nobody has activated; and where they are. They are read-only to
 * LVM, as the copies shall be after a reboot. */
static int make_stores(struct provider_set *set, struct mapper_table *stores,
                       struct vss_error *reterr) {
        _cleanup_(strv_freep) char **commands = NULL;
        _cleanup_(freep) char *report = NULL;
        struct lvm_row *rows = NULL;
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->n; i++)
                r = append_command(
                        &commands,
                        "lvcreate --nolocking -y --type linear -an -pr -Zn -Wn -l %" PRIu64
                        " -n %s %s",
                        set->members[i].cow_extents, set->members[i].copy.cow,
                        set->members[i].copy.vg);
        if (r >= 0)
                r = append_command(&commands, "pvs --segments " LVM_REPORT_OPTIONS
                                              " --nolocking -o " SEG_COLUMNS " " OURS);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_run(set->lvm, commands, &report, reterr);
        if (r < 0)
                return r;
        r = lvm_report_parse(report, SEG_FIELDS, &rows, &n);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "lvm's report");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = take_segment(set, rows[i].fields, stores, reterr);
        lvm_rows_free(rows, n);
        for (size_t i = 0; r >= 0 && i < set->n; i++) {
                const struct thick_member *m = &set->members[i];

                if (!is_whole(&stores[i], m->cow_extents * (m->group->extent_bytes / SECTOR_SIZE)))
                        r = say_refused(set, m, reterr);
        }
        return r;
}

/* The kernel reads the first chunk as the store's head: zeroes mean an empty one. */
static int wipe_head(const char *device, dev_t devno, struct vss_error *reterr) {
        _cleanup_(freep) char *zeroes = calloc(1, CHUNK_BYTES);
        _cleanup_(closep) int fd = -1;
        char node[64];
        size_t done = 0;
        struct stat st;

        if (!zeroes)
                return vss_error_from_errno(reterr, -ENOMEM, device);
        /* The kernel's own node: udev need not have come by yet. */
        (void)snprintf(node, sizeof(node), "/dev/dm-%u", minor(devno));
        fd = open(node, O_WRONLY | O_SYNC | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return vss_error_from_errno(reterr, -errno, node);
        if (!S_ISBLK(st.st_mode) || st.st_rdev != devno)
                return vss_error_from_errno(reterr, -ESTALE, node);
        while (done < CHUNK_BYTES) {
                ssize_t l = write(fd, zeroes + done, CHUNK_BYTES - done);

                if (l < 0 && errno == EINTR)
                        continue;
                if (l < 0)
                        return vss_error_from_errno(reterr, -errno, node);
                done += (size_t)l;
        }
        return 0;
}

static int make_store_device(const struct thick_copy *c, const struct mapper_table *table,
                             uint32_t *cookie, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = mapper_create(c->store_device, c->store_dm_uuid, table, false, MAPPER_UDEV_HIDDEN,
                          cookie, reterr);
        if (r >= 0)
                r = mapper_find_name(c->store_device, &info, reterr);
        return r < 0 ? r : wipe_head(c->store_device, info.devno, reterr);
}

/* LVM's metadata says snapshot from now on. */
static int make_snapshots(struct provider_set *set, struct vss_error *reterr) {
        _cleanup_(strv_freep) char **commands = NULL;
        _cleanup_(freep) char *report = NULL;
        struct lvm_row *rows = NULL;
        size_t n = 0, n_done = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->n; i++) {
                const struct thick_copy *c = &set->members[i].copy;

                r = append_command(&commands,
                                   "lvconvert --nolocking --driverloaded n -y -Zn --type snapshot "
                                   "-c %dk %s/%s %s/%s",
                                   THICK_CHUNK_KIB, c->vg, c->origin, c->vg, c->cow);
        }
        if (r >= 0)
                r = append_command(&commands, "lvs " LVM_REPORT_OPTIONS
                                              " --nolocking -o " DONE_COLUMNS " " OURS);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot ask lvm");
        r = lvm_run(set->lvm, commands, &report, reterr);
        if (r < 0)
                return r;
        r = lvm_report_parse(report, DONE_FIELDS, &rows, &n);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "lvm's report");
        for (size_t i = 0; i < n; i++) {
                char *const *f = rows[i].fields;
                const struct thick_member *m = find_member(set, f[DONE_VG], f[DONE_LV]);

                if (m && strstr(f[DONE_ROLE], "snapshot") && streq(f[DONE_ORIGIN], m->copy.origin))
                        n_done++;
        }
        lvm_rows_free(rows, n);
        if (n_done == set->n)
                return 0;
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "LVM made %zu of %zu snapshots: %s", n_done, set->n,
                             *lvm_complaint(set->lvm) ? lvm_complaint(set->lvm)
                                                      : "it gave no reason");
}

const char *thick_unfit_target(const struct mapper_table *table) {
        static const char *const fit[] = { "linear", "striped", "raid" };

        for (size_t i = 0; i < table->n; i++) {
                bool known = false;

                for (size_t k = 0; k < ARRAY_SIZE(fit); k++)
                        known = known || streq(table->targets[i].type, fit[k]);
                if (!known)
                        return table->targets[i].type;
        }
        return NULL;
}

static bool is_simple(const struct mapper_table *table) {
        for (size_t i = 0; i < table->n; i++)
                if (streq(table->targets[i].type, "raid"))
                        return false;
        return true;
}

/* The origin's own blocks: the device below it that it has, or gets now. */
static int make_real_device(struct thick_member *m, uint32_t *cookie, struct vss_error *reterr) {
        const struct thick_copy *c = &m->copy;
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 };
        struct mapper_info info;
        const char *unfit;
        int r;

        r = mapper_find_uuid(c->origin_dm_uuid, &info, reterr);
        if (r < 0)
                return r;
        if (!info.exists || info.devno != m->origin || !info.live_table)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                                     "%s was deactivated meanwhile", m->volume);
        m->read_only = info.read_only;
        r = mapper_read_table(c->origin_device, &live, reterr);
        if (r < 0)
                return r;
        m->makes_real = !(live.n == 1 && streq(live.targets[0].type, "snapshot-origin"));
        if (!m->makes_real)
                return mapper_read_table(c->real_device, &m->real_table, reterr);

        unfit = thick_unfit_target(&live);
        if (unfit)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                     "%s has blocks of the kind '%s', which cannot be copied",
                                     m->volume, unfit);
        m->real_table = live;
        live = (struct mapper_table){ 0 };
        /* A RAID that is active twice writes its own metadata twice; LVM, too, lets the second
         * wait until the first is suspended. */
        m->real_in_window = !is_simple(&m->real_table);
        if (m->real_in_window)
                return mapper_create_inactive(c->real_device, c->real_dm_uuid, &m->real_table,
                                              m->read_only, reterr);
        return mapper_create(c->real_device, c->real_dm_uuid, &m->real_table, m->read_only,
                             MAPPER_UDEV_HIDDEN, cookie, reterr);
}

static int device_number(const char *name, dev_t *ret, char text[static 32],
                         struct vss_error *reterr) {
        struct mapper_info info;
        int r = mapper_find_name(name, &info, reterr);

        if (r < 0)
                return r;
        if (!info.exists)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, ENXIO,
                                     "the device %s has gone", name);
        *ret = info.devno;
        (void)snprintf(text, 32, "%u:%u", major(info.devno), minor(info.devno));
        return 0;
}

/* Makes the copy, and loads what the window will bring to life. */
static int make_copy_device(struct thick_member *m, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table copy = { 0 }, origin = { 0 };
        uint64_t length = mapper_table_length(&m->real_table);
        char real[32], store[32], own[32], params[128];
        dev_t store_device;
        int r;

        r = device_number(m->copy.real_device, &m->real_device, real, reterr);
        if (r >= 0)
                r = device_number(m->copy.store_device, &store_device, store, reterr);
        if (r < 0)
                return r;
        (void)snprintf(params, sizeof(params), "%s %s P %d", real, store,
                       THICK_CHUNK_KIB * 1024 / SECTOR_SIZE);
        r = mapper_table_add(&copy, 0, length, "snapshot", params);
        if (r >= 0)
                r = mapper_table_add(&origin, 0, length, "snapshot-origin", real);
        if (r < 0)
                return vss_error_from_errno(reterr, r, m->volume);

        /* Writable until it is sealed: its file system recovers, its writers may change it. */
        r = mapper_create_inactive(m->copy.copy_device, m->copy.copy_dm_uuid, &copy, false, reterr);
        if (r >= 0)
                r = device_number(m->copy.copy_device, &m->copy_device, own, reterr);
        if (r >= 0 && m->makes_real)
                r = mapper_load(m->copy.origin_device, &origin, m->read_only, reterr);
        return r;
}

/* udev works off what this announces while lvm goes on; the cookie is waited for at the end. */
static int make_devices(struct provider_set *set, const struct mapper_table *stores,
                        uint32_t *cookie, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->n; i++) {
                struct thick_member *m = &set->members[i];

                r = make_store_device(&m->copy, &stores[i], cookie, reterr);
                if (r >= 0)
                        r = make_real_device(m, cookie, reterr);
                if (r >= 0)
                        r = make_copy_device(m, reterr);
        }
        return r;
}

static int open_intent(struct provider_set *set, VSS_ID set_id, struct vss_error *reterr) {
        _cleanup_(freep) struct thick_copy **copies = calloc(set->n, sizeof(*copies));
        _cleanup_(freep) char *data = NULL;
        int r;

        if (!copies)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot note the intent");
        for (size_t i = 0; i < set->n; i++)
                copies[i] = &set->members[i].copy;
        r = thick_intent_format((VSS_ID){ 0 }, copies, set->n, &data);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot note the intent");
        r = store_intent_open(set->store,
                              &(struct intent_record){
                                      .set_id = set_id,
                                      .provider = (char *)THICK_NAME,
                                      .kind = (char *)THICK_INTENT_CREATE,
                                      .data = data,
                              },
                              &set->intent, reterr);
        if (r >= 0)
                set->has_intent = true;
        return r;
}

static int make_all(struct provider_set *set, struct vss_error *reterr) {
        struct mapper_table *stores = calloc(set->n, sizeof(*stores));
        uint32_t cookie = 0;
        int r;

        if (!stores)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot stage the set");
        set->changed = true;
        r = make_stores(set, stores, reterr);
        if (r >= 0)
                r = make_devices(set, stores, &cookie, reterr);
        if (r >= 0)
                r = make_snapshots(set, reterr);
        /* Late is no failure: these nodes are for people who look. */
        (void)mapper_cookie_wait(&cookie);
        for (size_t i = 0; i < set->n; i++)
                mapper_table_done(&stores[i]);
        free(stores);
        return r;
}

/* Says the first error, undoes what there is, closes the intent if that succeeded. */
static int give_up(struct provider_set *set, int r) {
        set->lvm = lvm_close(set->lvm); /* it may be what failed */
        if (set->changed && provider_lvm_thick.abort(set, NULL) < 0)
                return r; /* the intent stays: the next start tries again */
        if (set->has_intent)
                (void)store_intent_close(set->store, set->intent, NULL); /* harmless if it stays */
        return r;
}

static int fill_record(struct snapshot_record *record, const struct thick_member *m,
                       const struct volume *v) {
        _cleanup_(freep) char *data = NULL;

        if (thick_copy_format(&m->copy, &data) < 0 ||
            str_replace(&record->provider_data, data) < 0 ||
            str_replace(&record->fs_type, v->fs_type) < 0 ||
            str_replace(&record->origin_uuid, v->dm_uuid) < 0)
                return -ENOMEM;
        record->attributes |= VSS_VOLSNAP_ATTR_DIFFERENTIAL;
        return 0;
}

int thick_stage(struct provider_set **ret, struct store *store, const struct volume *const *volumes,
                struct snapshot_record *records, size_t n, struct vss_error *reterr) {
        _cleanup_(thick_set_freep) struct provider_set *set = NULL;
        int r;

        r = volumes_check_nesting(volumes, n, reterr);
        if (r >= 0)
                r = thick_set_new(&set, store, volumes, records, n, reterr);
        if (r >= 0)
                r = lvm_open(&set->lvm, reterr);
        if (r >= 0)
                r = thick_set_lock(set, reterr);
        if (r >= 0)
                r = thick_set_read_facts(set, reterr);
        if (r >= 0)
                r = open_intent(set, records[0].set_id, reterr);
        if (r < 0)
                return r;

        r = make_all(set, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = fill_record(&records[i], &set->members[i], volumes[i]);
                if (r < 0)
                        (void)vss_error_from_errno(reterr, r, volumes[i]->name);
        }
        if (r < 0)
                return give_up(set, r);
        *ret = TAKE_PTR(set);
        return 0;
}
