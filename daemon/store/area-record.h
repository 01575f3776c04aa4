#pragma once

/* What an administrator has set down of a volume's diff area: one row each, under
 * /var/lib/vssd/. Reading answers from memory, writing blocks on the disk; as the rest of the store
 * (store.h). */

#include "daemon/store/store.h"

struct area_record {
        char *volume;      /* its name */
        char *origin_uuid; /* dm uuid; NULL: it has none */
        char *store;       /* where the stores are: a volume group, a directory, a block device */
        int64_t maximum;   /* bytes; -1: none */
        /* Another maximum for this boot only; NULL: there is none. */
        char *boot;
        int64_t boot_maximum;
};
void area_record_done(struct area_record *r);

int store_area_list(struct store *s, struct area_record **ret, size_t *ret_n,
                    struct vss_error *reterr);
void area_records_free(struct area_record *r, size_t n);
/* The one of a volume: by the dm uuid where both have one, else by name. NULL: it has none. */
const struct area_record *area_record_find(const struct area_record *areas, size_t n,
                                           const char *name, const char *uuid);
/* Inserts it, or takes the place of the one with the same volume. */
int store_area_put(struct store *s, const struct area_record *r, struct vss_error *reterr);
/* VSS_E_OBJECT_NOT_FOUND */
int store_area_delete(struct store *s, const char *volume, struct vss_error *reterr);
