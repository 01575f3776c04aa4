/* See cow-delta.h. Stateless. */

#include "daemon/providers/cow-delta.h"
#include "daemon/providers/block.h"
#include "daemon/providers/cow-store.h"
#include "daemon/providers/snapshot-devices.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#define SECTOR_SIZE 512
#define HEADER_CHUNKS 1

int cow_copy_parse(struct cow_copy *ret, const struct mapper_table *table) {
        unsigned origin_major, origin_minor, store_major, store_minor;
        uint32_t chunk_sectors;
        char kind[8];

        if (table->n != 1 || !streq(table->targets[0].type, "snapshot") ||
            sscanf(table->targets[0].params, "%u:%u %u:%u %7s %" SCNu32, &origin_major,
                   &origin_minor, &store_major, &store_minor, kind, &chunk_sectors) != 6)
                return -EBADMSG;
        if (kind[0] != 'P')
                return -EOPNOTSUPP;
        *ret = (struct cow_copy){
                .origin = makedev(origin_major, origin_minor),
                .store = makedev(store_major, store_minor),
                .bytes = table->targets[0].length * SECTOR_SIZE,
                .chunk_bytes = (uint64_t)chunk_sectors * SECTOR_SIZE,
        };
        return 0;
}

int cow_copy_parse_status(const struct cow_copy *c, const struct mapper_table *status,
                          uint64_t *ret_full_areas) {
        uint64_t used, total, metadata, chunks;

        if (status->n != 1 || !streq(status->targets[0].type, "snapshot"))
                return -EBADMSG;
        /* "Invalid", "Overflow", "Merge failed". The areas are counted with the header and with the
         * one that is being filled. */
        if (sscanf(status->targets[0].params, "%" SCNu64 "/%" SCNu64 " %" SCNu64, &used, &total,
                   &metadata) != 3)
                return -ENODATA;
        chunks = c->chunk_bytes > 0 ? metadata / (c->chunk_bytes / SECTOR_SIZE) : 0;
        *ret_full_areas = chunks > HEADER_CHUNKS ? chunks - HEADER_CHUNKS - 1 : 0;
        return 0;
}

static int find_copy(struct cow_copy *ret, const char *device, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        int r;

        r = mapper_read_table(device, &table, reterr);
        if (r < 0)
                return r;
        r = cow_copy_parse(ret, &table);
        if (r == -EOPNOTSUPP)
                return vss_error_set(reterr, VSS_E_NOT_SUPPORTED, EOPNOTSUPP,
                                     "the store of %s is kept in memory, and cannot be read",
                                     device);
        return r < 0 ? vss_error_set(reterr, VSS_E_BAD_STATE, EBADMSG,
                                     "the device %s is no copy of anything (any more)", device)
                     : 0;
}

static int read_status(const struct cow_copy *c, const char *device, uint64_t *ret_full_areas,
                       struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        int r;

        r = mapper_read_status(device, &status, reterr);
        if (r < 0)
                return r;
        r = cow_copy_parse_status(c, &status, ret_full_areas);
        return r < 0 ? vss_error_set(reterr, VSS_E_BAD_STATE, -r,
                                     "the copy %s was lost: its store overflowed or could not be "
                                     "written ('%s')",
                                     device, status.n > 0 ? status.targets[0].params : "")
                     : 0;
}

static int read_device(void *userdata, void *buffer, size_t n, uint64_t offset) {
        const int *fd = userdata;
        size_t done = 0;

        while (done < n) {
                ssize_t l = pread(*fd, (char *)buffer + done, n - done, (off_t)(offset + done));

                if (l < 0 && errno != EINTR)
                        return -errno;
                if (l == 0)
                        return -ENODATA;
                if (l > 0)
                        done += (size_t)l;
        }
        return 0;
}

struct addition {
        struct delta_map *map;
        uint64_t chunk_bytes;
};

static void add_chunk(void *userdata, uint64_t chunk) {
        const struct addition *a = userdata;

        delta_map_add(a->map, chunk * a->chunk_bytes, a->chunk_bytes);
}

static int read_store(const struct cow_copy *c, uint64_t full_areas, struct delta_map *map,
                      struct vss_error *reterr) {
        struct addition addition = { .map = map, .chunk_bytes = c->chunk_bytes };
        _cleanup_(closep) int fd = -1;
        char node[64];
        uint64_t bytes;
        int r;

        /* The kernel writes it past its own cache, so it must be read past that, too. */
        (void)snprintf(node, sizeof(node), "/dev/dm-%u", minor(c->store));
        r = block_open(node, c->store, O_RDONLY | O_DIRECT, &fd);
        if (r >= 0 && ioctl(fd, BLKGETSIZE64, &bytes) < 0)
                r = -errno;
        if (r < 0)
                return vss_error_from_errno(reterr, r, node);
        return cow_store_read(
                &(struct cow_source){
                        .name = node, .bytes = bytes, .read = read_device, .userdata = &fd },
                &(struct cow_store){ .chunk_bytes = c->chunk_bytes,
                                     .origin_bytes = c->bytes,
                                     .full_areas = full_areas },
                add_chunk, &addition, reterr);
}

/* It may be lost while it is read: what was found until then need not be all. */
static int add_copy(struct delta_map *map, const struct cow_copy *c, const char *device,
                    struct vss_error *reterr) {
        uint64_t full_areas, later;
        int r;

        r = read_status(c, device, &full_areas, reterr);
        if (r >= 0) {
                snapshot_devices_hold_stores();
                r = read_store(c, full_areas, map, reterr);
                snapshot_devices_release_stores();
        }
        return r < 0 ? r : read_status(c, device, &later, reterr);
}

int cow_delta_read(struct delta_map *ret, const char *older, const char *younger,
                   struct vss_error *reterr) {
        _cleanup_(delta_map_done) struct delta_map map = { 0 };
        struct cow_copy copy, other;
        int r;

        r = find_copy(&copy, older, reterr);
        if (r >= 0 && younger)
                r = find_copy(&other, younger, reterr);
        if (r < 0)
                return r;
        if (younger && (other.origin != copy.origin || other.bytes != copy.bytes))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "%s and %s are not copies of the same volume", older, younger);
        r = delta_map_init(&map, copy.bytes, copy.chunk_bytes);
        if (r < 0)
                return vss_error_from_errno(reterr, r, older);
        r = add_copy(&map, &copy, older, reterr);
        if (r >= 0 && younger)
                r = add_copy(&map, &other, younger, reterr);
        if (r < 0)
                return r;
        map.exact = !younger;
        *ret = map;
        map = (struct delta_map){ 0 };
        return 0;
}
