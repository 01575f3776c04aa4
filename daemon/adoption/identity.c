/* See identity.h. Stateless. */

#include "daemon/adoption/identity.h"
#include "daemon/providers/block.h"
#include "daemon/providers/multipath.h"
#include <blkid/blkid.h>
#include <fcntl.h>

void identity_done(struct identity *i) {
        free(i->device);
        free(i->usage);
        free(i->type);
        free(i->uuid);
        free(i->label);
        free(i->partuuid);
        free(i->partlabel);
        free(i->parttype);
        free(i->map);
        *i = (struct identity){ 0 };
}

static void probe_freep(blkid_probe *p) {
        blkid_free_probe(*p);
}

static int take_values(blkid_probe probe, struct identity *i) {
        const struct {
                const char *name;
                char **field;
        } values[] = {
                { .name = "USAGE", .field = &i->usage },
                { .name = "TYPE", .field = &i->type },
                { .name = "UUID", .field = &i->uuid },
                { .name = "LABEL", .field = &i->label },
                { .name = "PART_ENTRY_UUID", .field = &i->partuuid },
                { .name = "PART_ENTRY_NAME", .field = &i->partlabel },
                { .name = "PART_ENTRY_TYPE", .field = &i->parttype },
        };

        for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
                const char *value;

                if (blkid_probe_lookup_value(probe, values[k].name, &value, NULL) == 0 && *value &&
                    str_replace(values[k].field, value) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Ambiguous signatures are none: nobody may guess which of them is meant. */
static int probe(struct identity *i, int fd) {
        _cleanup_(probe_freep) blkid_probe p = blkid_new_probe();

        if (!p)
                return -ENOMEM;
        (void)blkid_probe_enable_superblocks(p, 1); /* these have no way to fail */
        (void)blkid_probe_set_superblocks_flags(p, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
                                                           BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL);
        (void)blkid_probe_enable_partitions(p, 1);
        (void)blkid_probe_set_partitions_flags(p, BLKID_PARTS_ENTRY_DETAILS);
        if (blkid_probe_set_device(p, fd, 0, 0) != 0 || blkid_do_safeprobe(p) != 0)
                return 0;
        return take_values(p, i);
}

/* The page cache of a partition below a mapping lives as long as that does, and knows nothing of
 * what was written through it. (Not without a holder: a mounted file system keeps its own there.)
 */
static int forget_stale_pages(dev_t devno, int fd) {
        _cleanup_(freep) dev_t *holders = NULL;
        size_t n = 0;
        int r;

        r = block_relatives(devno, "holders", &holders, &n);
        return r < 0 || n == 0 ? r : -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

int identity_read(struct identity *ret, dev_t devno, struct vss_error *reterr) {
        _cleanup_(identity_done) struct identity i = { .devno = devno };
        _cleanup_(block_done) struct block b = { 0 };
        _cleanup_(closep) int fd = -1;
        int r;

        r = block_read(&b, devno);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "looking at a block device");
        i.size = b.size;
        i.read_only = b.read_only;
        i.device = TAKE_PTR(b.path);
        if (multipath_look(b.dm_uuid) != MULTIPATH_NONE)
                i.map = TAKE_PTR(b.dm_uuid);
        r = block_open(i.device, devno, O_RDONLY | O_NONBLOCK, &fd);
        if (r == -ESTALE)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                                     "%s is another device by now; try again", i.device);
        if (r < 0)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, -r,
                                     "%s cannot be read: %s", i.device, strerror(-r));
        r = forget_stale_pages(devno, fd);
        if (r >= 0)
                r = probe(&i, fd);
        if (r < 0)
                return vss_error_from_errno(reterr, r, i.device);
        *ret = i;
        i = (struct identity){ 0 };
        return 0;
}
