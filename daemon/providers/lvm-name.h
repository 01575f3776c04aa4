#pragma once

/* How LVM names what it makes: in device-mapper names the parts are joined by hyphens and the
 * hyphens inside them doubled ("my-vg", "root" -> "my--vg-root"); the device-mapper UUIDs are
 * "LVM-" and the UUIDs of VG and LV without their hyphens, with a suffix for hidden layers. */

#include "common/util.h"

/* Our copies are called vss_ShadowCopyN; those that other hosts are to find, each of which counts
 * by itself, vss_ShadowCopyN_XXXXXXXX, by the first digits of the snapshot's id. */
#define LVM_COPY_PREFIX "vss_ShadowCopy"

/* The stores of copies of volumes that are not LVM's are called vss_storeN. */
#define LVM_STORE_PREFIX "vss_store"

#define LVM_UUID_PREFIX "LVM-"
#define LVM_UUID_LENGTH 32 /* of one, without hyphens */

bool lvm_name_is_valid(const char *name);
/* A name that LVM keeps for what it makes of its volumes: legs of RAIDs and mirrors, logs, caches,
 * what pvmove needs. Their device-mapper UUIDs do not tell them from volumes. */
bool lvm_name_is_internal(const char *lv);
/* layer: "real", "cow"; NULL: the visible device. */
int lvm_name_join(char **ret, const char *vg, const char *lv, const char *layer);
/* -EINVAL for a name that is not of this shape. *ret_layer is NULL for a visible device. */
int lvm_name_split(const char *dm_name, char **ret_vg, char **ret_lv, char **ret_layer);

/* The device-mapper UUID from LVM's own spelling of the two ("TIYC0Q-gPeB-..."). -EINVAL. */
int lvm_uuid_join(char **ret, const char *vg_uuid, const char *lv_uuid, const char *layer);
/* True for the UUID of a visible LV; false for hidden layers and for what is not LVM's. */
bool lvm_uuid_is_visible(const char *dm_uuid);
