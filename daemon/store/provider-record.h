#pragma once

/* A provider of somebody else's that was registered: one row each, under /var/lib/vssd/. All of
 * this blocks on the disk and is for jobs and for the start. */

#include "daemon/store/store.h"

struct provider_record {
        VSS_ID id;          /* stable over its versions */
        char *name;         /* as Snapshot.Provider has it: "btrfs" */
        char *display_name; /* m_pwszProviderName */
        char *version;
        VSS_ID version_id;
        int32_t priority;
        char *bus_name; /* "com.example.Provider" */
        char *path;     /* of its object */
};
void provider_record_done(struct provider_record *r);
int provider_record_copy(struct provider_record *dst, const struct provider_record *src);

/* In the order of their names. */
int store_provider_list(struct store *s, struct provider_record **ret, size_t *ret_n,
                        struct vss_error *reterr);
void provider_records_free(struct provider_record *r, size_t n);
/* VSS_E_PROVIDER_ALREADY_REGISTERED: one with this id or name is there. */
int store_provider_add(struct store *s, const struct provider_record *r, struct vss_error *reterr);
/* VSS_E_PROVIDER_NOT_REGISTERED */
int store_provider_delete(struct store *s, VSS_ID id, struct vss_error *reterr);
