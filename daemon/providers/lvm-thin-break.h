#pragma once

/* Breaking thin copies off, between its two files and nobody else: what LVM says of a copy, and
 * what the copies are to become. */

#include "daemon/providers/lvm-breaking.h"
#include "daemon/providers/lvm.h"

enum { FOUND_VG, FOUND_LV, FOUND_ORIGIN, FOUND_ATTR, FOUND_FIELDS };

/* Places in LVM's lv_attr (lvs(8)). */
enum { ATTR_PERMISSION = 1, ATTR_SKIP = 9, ATTR_LENGTH = 10 };

/* One row of these fields; the attributes are as long as they should be. VSS_E_OBJECT_NOT_FOUND:
 * LVM does not have it. */
int thin_break_find(struct lvm_report *ret, struct lvm *l, const struct lvm_copy *c,
                    struct vss_error *reterr);
/* Fills in what each is to become, and names, the volumes' paths. Changes nothing, but that a copy
 * which was not active is. */
int thin_break_decide(struct lvm_breaking *b, struct lvm *l, const struct snapshot_record *records,
                      char **names, struct vss_error *reterr);
