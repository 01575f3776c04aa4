#pragma once

/* What LVM says of the groups and origins of a set, asked under the groups' locks: all volumes of
 * all groups, the group's own facts in each row. Each provider asks for more columns of its own. */

#include "daemon/providers/lvm-copy.h"
#include "daemon/providers/lvm.h"

enum {
        FACT_VG_NAME,
        FACT_VG_LOCK_TYPE,
        FACT_VG_MISSING,
        FACT_VG_EXPORTED,
        FACT_LV_NAME,
        FACT_LV_UUID,
        FACT_LV_ATTR,
        LVM_FACTS /* the first of the provider's own */
};
#define LVM_FACTS_COLUMNS \
        "vg_name,vg_lock_type,vg_missing_pv_count,vg_exported,lv_name,lv_uuid,lv_attr"

int lvm_facts_ask(struct lvm_report *ret, struct lvm *l, const char *columns, size_t n_fields,
                  const char *const *groups, size_t n_groups, struct vss_error *reterr);
/* After a report about the group: it is not active here while it is another host's by its system
 * ID. By LVM's own words, because the host's ID and those that it may use besides are configured in
 * many ways. */
int lvm_facts_check_foreign(const struct lvm *l, const char *group, struct vss_error *reterr);
/* A row of the group, in which copies can be made: it is this host's alone, and whole. */
int lvm_facts_find_group(const struct lvm_report *f, const struct lvm *l, const char *name,
                         char *const **ret_fields, struct vss_error *reterr);
/* The row of the copy's origin, which is what it was and not busy; and nobody has the copy's name.
 * volume: for messages. */
int lvm_facts_find_origin(const struct lvm_report *f, const struct lvm_copy *c, const char *volume,
                          char *const **ret_fields, struct vss_error *reterr);
/* "NAME REASON", as VSS_E_VOLUME_NOT_SUPPORTED and -EOPNOTSUPP. */
int lvm_facts_refuse(struct vss_error *reterr, const char *name, const char *reason);
