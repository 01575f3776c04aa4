/* device-mapper's part of staging, under LVM's own names and UUIDs:
 *
 *      ORIGIN        snapshot-origin over ORIGIN-real    in its inactive slot (first copy only)
 *      ORIGIN-real   the origin's own table              live; for RAID in its inactive slot
 *      COPY          snapshot of ORIGIN-real             in its inactive slot
 *      COPY-cow      the store's own blocks              live
 *
 * The window resumes COPY and ORIGIN, and LVM finds what it would have made itself. */

#include "daemon/providers/lvm-thick-size.h"
#include "daemon/providers/lvm-thick.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SECTOR_SIZE 512
#define CHUNK_BYTES ((size_t)THICK_CHUNK_KIB * 1024)

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

/* A device that is in use from now on: a layer below volumes. */
static int make_layer(const char *name, const char *uuid, const struct mapper_table *table,
                      bool read_only, struct mapper_info *ret, struct vss_error *reterr) {
        int r;

        r = mapper_create(name, uuid, table, read_only, reterr);
        if (r >= 0)
                r = mapper_find_name(name, ret, reterr);
        return r < 0 ? r : mapper_resume(ret, reterr);
}

static int make_store_device(const struct lvm_copy *c, const struct mapper_table *table,
                             struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = make_layer(c->store_device, c->store_dm_uuid, table, false, &info, reterr);
        return r < 0 ? r : wipe_head(c->store_device, info.devno, reterr);
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
static int make_real_device(struct thick_member *m, struct vss_error *reterr) {
        const struct lvm_copy *c = &m->copy;
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
                return mapper_create(c->real_device, c->real_dm_uuid, &m->real_table, m->read_only,
                                     reterr);
        return make_layer(c->real_device, c->real_dm_uuid, &m->real_table, m->read_only, &info,
                          reterr);
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
        r = mapper_create(m->copy.copy_device, m->copy.copy_dm_uuid, &copy, false, reterr);
        if (r >= 0)
                r = device_number(m->copy.copy_device, &m->copy_device, own, reterr);
        if (r >= 0 && m->makes_real)
                r = mapper_load(m->copy.origin_device, &origin, m->read_only, reterr);
        return r;
}

int thick_make_devices(struct provider_set *set, const struct mapper_table *stores,
                       struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++) {
                struct thick_member *m = &set->members[i];

                r = make_store_device(&m->copy, &stores[i], reterr);
                if (r >= 0)
                        r = make_real_device(m, reterr);
                if (r >= 0)
                        r = make_copy_device(m, reterr);
        }
        return r;
}
