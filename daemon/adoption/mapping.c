/* See mapping.h. */

#include "daemon/adoption/mapping.h"
#include "common/time-util.h"
#include "daemon/adoption/unit-name.h"
#include "daemon/providers/block.h"
#include "daemon/providers/multipath.h"
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#define SECTOR_SIZE 512
#define DEPTH_MAX 8
#define LINKS_TIMEOUT_USEC (30 * USEC_PER_SEC)
#define LINKS_POLL_NSEC (20L * 1000 * 1000)
#define TARGET "linear"

const char *mapping_dev = "/dev";

static int differs(const struct adopted *a, const struct identity *i, const char *what,
                   const char *wanted, const char *found, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, ESTALE,
                             "%s is not what was adopted as %s: its %s is %s, not %s; if that is "
                             "meant to be so, release it and adopt it anew",
                             i->device, a->name, what, found ? found : "missing", wanted);
}

int mapping_check_identity(const struct adopted *a, const struct identity *i,
                           struct vss_error *reterr) {
        if (a->partuuid && !streq(a->partuuid, str_or_empty(i->partuuid)))
                return differs(a, i, "PARTUUID", a->partuuid, i->partuuid, reterr);
        if (!streq(a->uuid, str_or_empty(i->uuid)))
                return differs(a, i, "file system's UUID", a->uuid, i->uuid, reterr);
        if (!streq(a->type, str_or_empty(i->type)))
                return differs(a, i, "file system", a->type, i->type, reterr);
        /* One of the paths has the same file system, and must not be mapped past the others. */
        if (!streq(str_or_empty(a->map), str_or_empty(i->map)))
                return differs(a, i, "multipath map", a->map ? a->map : "none", i->map, reterr);
        return 0;
}

int mapping_partition(dev_t devno, dev_t *ret) {
        for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
                _cleanup_(freep) char *uuid = NULL;
                _cleanup_(freep) dev_t *below = NULL;
                size_t n = 0;
                int r;

                r = block_attribute(devno, "dm/uuid", &uuid);
                if (r == -ENOENT || (r >= 0 && multipath_look(uuid) != MULTIPATH_NONE)) {
                        *ret = devno;
                        return 0;
                }
                if (r < 0)
                        return r;
                if (depth == 0 &&
                    strncmp(uuid, ADOPTED_UUID_PREFIX, strlen(ADOPTED_UUID_PREFIX)) != 0)
                        return -EMEDIUMTYPE;
                r = block_relatives(devno, "slaves", &below, &n);
                if (r < 0)
                        return r;
                if (n != 1)
                        return -ENXIO;
                devno = below[0];
        }
        return -ELOOP;
}

static int device_of_link(const char *directory, const char *id, dev_t *ret) {
        _cleanup_(freep) char *path = NULL;
        struct stat st;

        if (!id)
                return -ENOENT;
        if (str_format(&path, "%s/disk/%s/%s", mapping_dev, directory, id) < 0)
                return -ENOMEM;
        if (stat(path, &st) < 0)
                return -errno;
        return S_ISBLK(st.st_mode) ? mapping_partition(st.st_rdev, ret) : -ENOTBLK;
}

static int take_identity(const struct adopted *a, dev_t devno, struct identity *ret,
                         struct vss_error *reterr) {
        _cleanup_(identity_done) struct identity i = { 0 };
        int r;

        r = identity_read(&i, devno, reterr);
        if (r >= 0)
                r = mapping_check_identity(a, &i, reterr);
        if (r < 0)
                return r;
        *ret = i;
        i = (struct identity){ 0 };
        return 0;
}

/* The links may be a path's still. */
static int find_map(const struct adopted *a, struct identity *ret, struct vss_error *reterr) {
        struct mapper_info device;
        int r;

        r = mapper_find_uuid(a->map, &device, reterr);
        if (r < 0)
                return r;
        if (!device.exists || !device.live_table)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                                     "the multipath map %s that was adopted as %s is not there",
                                     a->map, a->name);
        return take_identity(a, device.devno, ret, reterr);
}

int mapping_find_partition(const struct adopted *a, struct identity *ret,
                           struct vss_error *reterr) {
        const struct {
                const char *directory, *id;
        } links[] = {
                { .directory = "by-partuuid", .id = a->partuuid },
                { .directory = "by-uuid", .id = a->uuid },
        };
        _cleanup_(vss_error_done) struct vss_error why = { 0 };

        if (a->map)
                return find_map(a, ret, reterr);
        for (size_t k = 0; k < ARRAY_SIZE(links); k++) {
                dev_t devno;

                if (device_of_link(links[k].directory, links[k].id, &devno) >= 0 &&
                    take_identity(a, devno, ret, &why) >= 0)
                        return 0;
        }
        if (why.hr != S_OK) {
                int r = why.cause ? -why.cause : -EIO;

                vss_error_move(reterr, &why);
                return r;
        }
        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                             "the partition that was adopted as %s is not there", a->name);
}

/* Sleeps until the path leads to the device, or until it does not. */
static bool await(const char *path, dev_t devno, bool wanted, uint64_t end_usec) {
        const struct timespec pause = { .tv_nsec = LINKS_POLL_NSEC };
        bool there;

        while ((there = block_of_path(path) == devno) != wanted && now_monotonic_usec() < end_usec)
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        return there == wanted;
}

bool mapping_await(const char *path, dev_t devno) {
        return await(path, devno, true, now_monotonic_usec() + LINKS_TIMEOUT_USEC);
}

int mapping_link(char **ret, const struct adopted *a) {
        return str_format(ret, "%s/disk/by-uuid/%s", mapping_dev, a->uuid);
}

static int make_table(struct mapper_table *ret, const struct identity *i) {
        char params[64];

        (void)snprintf(params, sizeof(params), "%u:%u 0", major(i->devno), minor(i->devno));
        return mapper_table_add(ret, 0, i->size / SECTOR_SIZE, TARGET, params);
}

/* The mapping is there. 1: good. 0: it is of another device, and nobody uses it. */
static int look_at(const struct adopted *a, const struct identity *i, const char *name,
                   const struct mapper_info *device, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table now = { 0 }, wanted = { 0 };
        _cleanup_(freep) char *uuid = NULL;
        dev_t below;
        int r;

        if (adopted_mapping_uuid(&uuid, a) < 0 || make_table(&wanted, i) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        if (!streq(device->uuid, uuid))
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EEXIST,
                                     "/dev/mapper/%s is there and is not vssd's", name);
        if (!device->live_table && !device->suspended)
                return 0; /* half made, by somebody who was interrupted */
        r = mapping_partition(device->devno, &below);
        if (r < 0 || below != i->devno) {
                if (device->open_count == 0)
                        return 0;
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "/dev/mapper/%s is in use, and lies on another device than %s",
                                     name, i->device);
        }
        r = mapper_read_table(name, &now, reterr);
        if (r < 0)
                return r;
        /* With snapshots it cannot grow; and to be cut off below a file system is nothing that may
         * happen quietly. */
        if (now.n != 1 || !streq(now.targets[0].type, TARGET) ||
            now.targets[0].length == wanted.targets[0].length)
                return 1;
        if (now.targets[0].length > wanted.targets[0].length && device->open_count > 0)
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "%s is smaller than /dev/mapper/%s, which is in use",
                                     i->device, name);
        r = mapper_load(name, &wanted, i->read_only, reterr);
        if (r >= 0)
                r = mapper_resume(device, reterr);
        return r < 0 ? r : 1;
}

static int create(const struct adopted *a, const struct identity *i, const char *name,
                  struct mapper_info *ret, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        _cleanup_(vss_error_done) struct vss_error why = { 0 };
        _cleanup_(freep) char *uuid = NULL;
        int r;

        if (adopted_mapping_uuid(&uuid, a) < 0 || make_table(&table, i) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        r = mapper_create(name, uuid, &table, i->read_only, &why);
        if (r == -EBUSY)
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "%s is in use as it is: mounted, or held by something else; "
                                     "the mapping can be made when it is free",
                                     i->device);
        if (r < 0) {
                vss_error_move(reterr, &why);
                return r;
        }
        r = mapper_find_name(name, ret, reterr);
        if (r >= 0)
                r = mapper_announce(ret, 0, reterr);
        if (r < 0)
                (void)mapper_remove(name, false, NULL); /* r says why */
        return r;
}

/* No name may lead to the partition any more, since that cannot be mounted: udev moves its links
 * one after the other. */
static int settle_link(const char *spec, dev_t partition, uint64_t end_usec,
                       struct vss_error *reterr) {
        _cleanup_(freep) char *link = NULL;

        if (unit_device_of_spec(&link, spec) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, spec);
        if (await(link, partition, false, end_usec))
                return 0;
        return vss_error_set(reterr, VSS_E_UNEXPECTED, ETIME,
                             "udev does not let %s lead to the mapping", link);
}

/* By UUID the mapping must be found. All this has less time than systemd gives the service: were
 * that ended in the middle, the mapping would stay and keep the partition from being mounted. */
static int settle_links(const struct adopted *a, const char *name, const struct identity *i,
                        const struct mapper_info *device, struct vss_error *reterr) {
        const struct {
                const char *tag, *value;
        } tags[] = {
                { .tag = "PARTUUID", .value = a->partuuid },
                { .tag = "PARTLABEL", .value = a->partlabel },
                { .tag = "LABEL", .value = a->label },
        };
        uint64_t end_usec = now_monotonic_usec() + LINKS_TIMEOUT_USEC;
        _cleanup_(freep) char *node = NULL, *link = NULL;
        int r = 0;

        if (str_format(&node, "%s/mapper/%s", mapping_dev, name) < 0 || mapping_link(&link, a) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        if (!await(node, device->devno, true, end_usec) ||
            !await(link, device->devno, true, end_usec))
                return vss_error_set(reterr, VSS_E_UNEXPECTED, ETIME,
                                     "udev does not let %s lead to %s", link, node);
        for (size_t k = 0; r >= 0 && k < ARRAY_SIZE(tags); k++) {
                _cleanup_(freep) char *spec = NULL;

                if (!tags[k].value)
                        continue;
                if (str_format(&spec, "%s=%s", tags[k].tag, tags[k].value) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, name);
                r = settle_link(spec, i->devno, end_usec, reterr);
        }
        STRV_FOREACH (source, a->sources)
                if (r >= 0)
                        r = settle_link(*source, i->devno, end_usec, reterr);
        return r;
}

int mapping_make(const struct adopted *a, const struct identity *i, bool links,
                 struct mapper_info *ret, struct vss_error *reterr) {
        _cleanup_(freep) char *name = NULL;
        struct mapper_info device;
        bool fresh = false;
        int r;

        if (adopted_mapping_name(&name, a) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, a->name);
        r = mapper_find_name(name, &device, reterr);
        if (r >= 0 && device.exists) {
                r = look_at(a, i, name, &device, reterr);
                if (r == 0) {
                        r = mapper_remove(name, false, reterr);
                        device.exists = false;
                }
        }
        if (r >= 0 && !device.exists) {
                fresh = true;
                r = create(a, i, name, &device, reterr);
        }
        if (r >= 0 && links) {
                r = settle_links(a, name, i, &device, reterr);
                if (r < 0 && fresh)
                        (void)mapper_remove(name, false, NULL); /* r says why */
        }
        if (r < 0)
                return r;
        *ret = device;
        return 0;
}

int mapping_remove(const char *name, struct vss_error *reterr) {
        struct mapper_info device;
        char node[256], target[64];
        int r;

        r = mapper_find_name(name, &device, reterr);
        if (r < 0)
                return r;
        if (!device.exists)
                return 1;
        r = mapper_remove(name, device.open_count > 0, reterr);
        if (r < 0)
                return r;
        r = mapper_find_name(name, &device, reterr);
        if (r < 0 || !device.exists)
                return r < 0 ? r : 1;
        /* libdevmapper has taken its node away at once; but somebody is there still. */
        (void)snprintf(node, sizeof(node), "%s/mapper/%s", mapping_dev, name);
        (void)snprintf(target, sizeof(target), "../dm-%u", minor(device.devno));
        (void)symlink(target, node); /* udev's is there as a rule */
        return 0;
}

int mapping_keep(const char *name, struct vss_error *reterr) {
        return mapper_message(name, "@cancel_deferred_remove", reterr);
}
