#pragma once

/* The diff areas of volumes: where the stores of their copies are, how much they take and may take;
 * and setting that down. An area is automatic (it is there while a copy
 * has a store in it) or explicit (an administrator has set down its maximum, and it stays). */

#include "daemon/providers/provider.h"
#include "daemon/session/session.h"
#include "daemon/store/area-record.h"

#define AREA_NO_MAXIMUM INT64_C(-1)

struct area_row {
        char *volume, *store;
        int64_t maximum, allocated, used; /* bytes */
        bool set_down, for_this_boot;     /* explicit; and its maximum ends with the boot */
};
struct area_list_result {
        const struct area_row *rows;
        size_t n;
};
/* What is wanted: all of them that are given. volume, store: NULL or empty: any. snapshot
 * GUID_NULL: any; else those of the volume that it is of. */
struct area_filter {
        const char *volume, *store;
        VSS_ID snapshot;
};
/* result: struct area_list_result */
int manager_list_areas(struct session_manager *m, const struct area_filter *filter,
                       session_done_fn done, void *userdata, struct vss_error *reterr);
/* Where the stores of a volume's copies could be; result: struct provider_places */
int manager_list_area_stores(struct session_manager *m, const char *volume, session_done_fn done,
                             void *userdata, struct vss_error *reterr);

struct area_change {
        const char *volume, *store;
        int64_t maximum;    /* AREA_NO_MAXIMUM; 0: the area is not set down any more */
        bool add;           /* it must not be there yet */
        bool for_this_boot; /* the maximum ends with it */
};
/* result: NULL */
int manager_change_area(struct session_manager *m, const struct area_change *change,
                        session_done_fn done, void *userdata, struct vss_error *reterr);

/* The least that a maximum can be, of any volume. */
uint64_t area_minimum(void);
/* What the stores of a copy's volume may take, by what was set down; otherwise fallback. boot: this
 * one's id; NULL: not known. */
uint64_t area_maximum_of(const struct area_record *areas, size_t n, const struct snapshot_record *r,
                         const char *boot, uint64_t fallback);
