#pragma once

/* A copy on write in creation: device-mapper's part of staging, its part in the window, and the
 * look at what came of it. What staging leaves:
 *
 *      ORIGIN   snapshot-origin over REAL      in its inactive slot (first copy only)
 *      REAL     the origin's own table         live; for RAID and caches in its inactive slot
 *      COPY     snapshot of REAL               in its inactive slot
 *      STORE    where the store's blocks are   live
 *
 * The window resumes COPY and ORIGIN. The way back is in snapshot-devices.h. */

#include "daemon/providers/snapshot-devices.h"

struct window;

struct snapshot_making {
        /* Given. */
        const struct snapshot_devices *devices;
        const char *volume; /* for messages */
        dev_t origin;
        /* Which target type the origin's own blocks must not have; NULL: all are fine. */
        const char *(*unfit_target)(const struct mapper_table *table);

        /* From staging on. */
        struct mapper_table real_table;
        dev_t real_device, copy_device;
        bool read_only;      /* the origin's device is */
        bool makes_real;     /* the first copy of this origin */
        bool real_in_window; /* its blocks must not be mapped twice at a time (RAID, caches) */
};

void snapshot_making_done(struct snapshot_making *m);
/* store: where its blocks are; its head is wiped. */
int snapshot_making_stage(struct snapshot_making *m, const struct mapper_table *store,
                          struct vss_error *reterr);
int snapshot_making_add_row(const struct snapshot_making *m, struct window *window,
                            struct vss_error *reterr);
/* After the window: the copy lives and has not overflowed already; udev is told of it, and its link
 * made. remedy: what to do if it has overflowed. */
int snapshot_making_finish(const struct snapshot_making *m, const char *link, const char *remedy,
                           struct vss_error *reterr);
