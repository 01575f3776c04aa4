#pragma once

/* Where the store of a copy goes that has no volume group of its own: what the administrator has
 * set down in [Stores] of vssd.conf, and which of these places has room and is out of the way of
 * the set. A place is a directory, a block device, or a volume group. */

#include "daemon/providers/dm-copy.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/volume.h"

/* The lines of [Stores], "VOLUME=PLACE...", and the directory for volumes without one, which is
 * made when it is needed. Set once, before anything else runs. */
int dm_places_init(char *const *lines, const char *default_directory);
/* Could it be such a line? Nothing is looked at. E_INVALIDARG. */
int dm_places_check_line(const char *volume, const char *places, struct vss_error *reterr);
/* The places for a volume, in the order in which they are tried. Borrowed. */
const char *dm_places_of(const struct volume *v);
/* Those of them that are volume groups: appended to *groups. 0, -ENOMEM. */
int dm_places_add_groups(const struct volume *v, char ***groups);

bool dm_place_is_default(const char *place);

/* The choice for the volumes of one set, one after the other. */
struct dm_places {
        const struct volume *const *set; /* all of it, other providers' volumes included */
        size_t n;
        struct lvm *lvm; /* started when it is needed */
        struct dm_planned *planned;
        size_t n_planned;
};
void dm_places_done(struct dm_places *p);

struct dm_place {
        enum dm_store_kind kind;
        char *place;
        uint64_t bytes; /* the store's size */
};
/* first: that of its places which is tried before the others; NULL, or none of them: as they stand.
 * VSS_E_INSUFFICIENT_STORAGE: each place is named with what is against it. */
int dm_places_choose(struct dm_places *p, const struct volume *v, const char *first,
                     struct dm_place *ret, struct vss_error *reterr);

struct provider_places;
/* All places for the volume that can be used, in their order. */
int dm_places_list(struct dm_places *p, const struct volume *v, struct provider_places *ret,
                   struct vss_error *reterr);

/* Nothing of the set may lie below what a store lies on; nor may it be one of the set. 0, or
 * -EOPNOTSUPP and the reason. */
int dm_places_check_below(const struct volume *const *set, size_t n, dev_t devno, const char *name,
                          struct vss_error *reterr);
/* The free parts of a block device that is set aside for stores: it holds nothing, or our mark and
 * stores, and nobody else uses it. Sectors. */
struct dm_gap {
        uint64_t start, length;
};
int dm_place_find_gaps(const char *device, dev_t *ret_devno, struct dm_gap **ret, size_t *ret_n,
                       struct vss_error *reterr);
/* Says on the device that it is set aside, from its first store on. */
int dm_place_mark(const char *device, struct vss_error *reterr);
