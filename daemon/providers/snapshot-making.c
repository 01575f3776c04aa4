/* See snapshot-making.h. Owned by a provider's set; used by one thread at a time. */

#include "daemon/providers/snapshot-making.h"
#include "daemon/providers/block.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/origin-health.h"
#include "daemon/providers/snapshot-size.h"
#include "daemon/window/dm-request.h"
#include "daemon/window/window.h"
#include <fcntl.h>
#include <libdevmapper.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <vss/vss.h>

#define SECTOR_SIZE 512
#define CHUNK_BYTES ((size_t)SNAPSHOT_CHUNK_KIB * 1024)
#define COMMITS_MAX 3

void snapshot_making_done(struct snapshot_making *m) {
        mapper_table_done(&m->real_table);
}

/* The kernel reads the first chunk as the store's head: zeroes mean an empty one. */
static int wipe_head(const char *device, dev_t devno, struct vss_error *reterr) {
        _cleanup_(freep) char *zeroes = calloc(1, CHUNK_BYTES);
        _cleanup_(closep) int fd = -1;
        char node[64];
        size_t done = 0;
        int r;

        if (!zeroes)
                return vss_error_from_errno(reterr, -ENOMEM, device);
        /* The kernel's own node: udev need not have come by yet. */
        (void)snprintf(node, sizeof(node), "/dev/dm-%u", minor(devno));
        r = block_open(node, devno, O_WRONLY | O_SYNC, &fd);
        if (r < 0)
                return vss_error_from_errno(reterr, r, node);
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

static int make_store_device(const struct snapshot_devices *d, const struct mapper_table *table,
                             struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = make_layer(d->store, d->store_uuid, table, false, &info, reterr);
        return r < 0 ? r : wipe_head(d->store, info.devno, reterr);
}

/* The origin's own blocks: the device below it that it has, or gets now. */
static int make_real_device(struct snapshot_making *m, struct vss_error *reterr) {
        const struct snapshot_devices *d = m->devices;
        _cleanup_(mapper_table_done) struct mapper_table live = { 0 };
        struct mapper_info info;
        const char *unfit;
        int r;

        r = snapshot_devices_find_origin(d, &info, reterr);
        if (r < 0)
                return r;
        if (!info.exists || info.devno != m->origin || !info.live_table)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                                     "%s was deactivated meanwhile", m->volume);
        m->read_only = info.read_only;
        r = mapper_read_table(d->origin, &live, reterr);
        if (r < 0)
                return r;
        m->makes_real = !(live.n == 1 && streq(live.targets[0].type, "snapshot-origin"));
        if (!m->makes_real)
                return mapper_read_table(d->real, &m->real_table, reterr);

        unfit = m->unfit_target(&live);
        if (unfit)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                     "%s has blocks of the kind '%s', which cannot be copied",
                                     m->volume, unfit);
        m->real_table = live;
        live = (struct mapper_table){ 0 };
        /* LVM, too, lets the second wait until the first is suspended. */
        m->real_in_window = snapshot_devices_is_stateful(&m->real_table);
        if (m->real_in_window)
                return mapper_create(d->real, d->real_uuid, &m->real_table, m->read_only, reterr);
        return make_layer(d->real, d->real_uuid, &m->real_table, m->read_only, &info, reterr);
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
static int make_copy_device(struct snapshot_making *m, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table copy = { 0 }, origin = { 0 };
        uint64_t length = mapper_table_length(&m->real_table);
        char real[32], store[32], own[32], params[128];
        dev_t store_device;
        int r;

        r = device_number(m->devices->real, &m->real_device, real, reterr);
        if (r >= 0)
                r = device_number(m->devices->store, &store_device, store, reterr);
        if (r < 0)
                return r;
        (void)snprintf(params, sizeof(params), "%s %s P %d", real, store,
                       SNAPSHOT_CHUNK_KIB * 1024 / SECTOR_SIZE);
        r = mapper_table_add(&copy, 0, length, "snapshot", params);
        if (r >= 0)
                r = mapper_table_add(&origin, 0, length, "snapshot-origin", real);
        if (r < 0)
                return vss_error_from_errno(reterr, r, m->volume);

        /* Writable until it is sealed: its file system recovers, its writers may change it. */
        r = mapper_create(m->devices->copy, m->devices->copy_uuid, &copy, false, reterr);
        if (r >= 0)
                r = device_number(m->devices->copy, &m->copy_device, own, reterr);
        if (r >= 0 && m->makes_real)
                r = mapper_load(m->devices->origin, &origin, m->read_only, reterr);
        return r;
}

int snapshot_making_stage(struct snapshot_making *m, const struct mapper_table *store,
                          struct vss_error *reterr) {
        int r;

        r = make_store_device(m->devices, store, reterr);
        if (r >= 0)
                r = make_real_device(m, reterr);
        return r < 0 ? r : make_copy_device(m, reterr);
}

static bool has_raid(const struct mapper_table *table) {
        for (size_t i = 0; i < table->n; i++)
                if (streq(table->targets[i].type, "raid"))
                        return true;
        return false;
}

static void commits_free(struct dm_request **commits, size_t n) {
        for (size_t i = 0; i < n; i++)
                dm_request_free(commits[i]);
        free(commits);
}

/* In order: a last look at a cache, and at a RAID's legs; its blocks; the copy. */
static int make_commits(const struct snapshot_making *m, struct dm_request **commits, size_t *n,
                        struct vss_error *reterr) {
        char health[256];
        int r;

        /* A cache may have failed since staging began. */
        if (m->real_in_window && snapshot_devices_is_cache(&m->real_table)) {
                r = origin_health_check(m->devices->origin, m->volume, &m->real_table, reterr);
                if (r < 0)
                        return r;
        }
        if (m->real_in_window && has_raid(&m->real_table)) {
                /* The table of its second instance has been loaded by now, with what its legs were:
                 * they must be fine, and the same when that instance takes over. */
                r = origin_health_check_raid(m->devices->origin, m->volume, health, reterr);
                if (r < 0)
                        return r;
                r = dm_request_new_check(&commits[*n], m->origin, health);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, m->volume);
                (*n)++;
        }
        if (m->real_in_window) {
                r = dm_request_new_resume(&commits[*n], m->real_device);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, m->volume);
                (*n)++;
        }
        r = dm_request_new_resume(&commits[*n], m->copy_device);
        if (r < 0)
                return vss_error_from_errno(reterr, r, m->volume);
        (*n)++;
        return 0;
}

int snapshot_making_add_row(const struct snapshot_making *m, struct window *window,
                            struct vss_error *reterr) {
        struct dm_request **commits = calloc(COMMITS_MAX, sizeof(struct dm_request *));
        size_t n = 0;
        int r;

        if (!commits)
                return vss_error_from_errno(reterr, -ENOMEM, m->volume);
        r = make_commits(m, commits, &n, reterr);
        if (r >= 0)
                r = window_add_row(window,
                                   &(struct window_row){
                                           .volume = m->volume,
                                           .origin = m->origin,
                                           .commits = commits,
                                           .n_commits = n,
                                           .clears_inactive_table = m->makes_real,
                                           .other = m->real_in_window ? m->real_device : 0,
                                   },
                                   reterr);
        if (r < 0)
                commits_free(commits, n);
        return r;
}

/* The copy is alive and has not overflowed already. */
static int check_copy(const struct snapshot_making *m, const char *remedy,
                      struct vss_error *reterr) {
        uint64_t used, max;
        bool overflowed;
        int r;

        r = snapshot_devices_usage(m->devices->copy, &used, &max, &overflowed, reterr);
        if (r < 0 || !overflowed)
                return r;
        return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                             "the copy of %s was lost at once: more was written than its store "
                             "holds. %s",
                             m->volume, remedy);
}

int snapshot_making_finish(const struct snapshot_making *m, const char *link, const char *remedy,
                           struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = check_copy(m, remedy, reterr);
        if (r >= 0)
                r = mapper_find_name(m->devices->copy, &info, reterr);
        /* In the window nobody had time to tell udev; its links come while we go on. */
        if (r >= 0)
                r = mapper_announce(&info, MAPPER_UDEV_COPY, reterr);
        return r < 0 ? r : copy_link_make(link, &info, reterr);
}
