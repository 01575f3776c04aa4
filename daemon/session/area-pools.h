#pragma once

/* The thin pools that copies are in: how full each is, and which of its copies is the oldest. A
 * full pool hurts its volumes, not the copies alone. */

#include "daemon/providers/provider.h"

struct area_pool {
        struct provider_room room;
        struct snapshot_record oldest; /* of the copies in it */

        unsigned told; /* per cent; 0: nothing yet */
        bool told_trouble;
};
struct area_pools {
        struct area_pool *items;
        size_t n;
};
void area_pools_done(struct area_pools *p);

/* Is the copy in one? */
bool area_pools_concern(const struct snapshot_record *r);
/* Blocking, for a worker. before: of the last look, and emptied. */
int area_pools_look(struct area_pools *ret, struct area_pools *before, struct store *store,
                    struct vss_error *reterr);
/* Of data or metadata, the fuller one. */
unsigned area_pool_per_cent(const struct area_pool *p);
/* The step to be told of now, in per cent; 0: there is nothing new. */
unsigned area_pool_news(struct area_pool *p);
/* A copy has to go, or its volumes may be hurt. */
bool area_pool_is_narrow(const struct area_pool *p);
