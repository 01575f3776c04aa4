#pragma once

/* Volumes on which the start has not yet put right what an earlier run left, because their storage
 * takes its time or does not answer. Meanwhile nobody makes a copy of one or changes one that is
 * there: whoever is about to asks here. A volume is known by its device-mapper UUID, "" or NULL for
 * those that have none, which are held as one; so are those of one volume group, which LVM locks
 * and changes as one. One list for the process, thread-safe. */

#include "common/vss-error.h"
#include <vss/vss.h>

/* Whether the two are held as one. */
bool volume_hold_is_same(const char *dm_uuid, const char *other);
/* 0, -ENOMEM. */
int volume_hold_add(const char *dm_uuid);
void volume_hold_remove(const char *dm_uuid); /* as often as it was added */
bool volume_is_held(const char *dm_uuid);
/* Volumes that are being reverted to one of their copies: each alone, whatever group it is in. The
 * id is the copy's. Adding one that is there, and removing one that is not, is fine. */
int volume_revert_add(const char *dm_uuid, VSS_ID snapshot);
void volume_revert_remove(VSS_ID snapshot);
bool volume_is_reverting(const char *dm_uuid, VSS_ID *ret);
bool volume_any_is_reverting(void);

/* -EBUSY with VSS_E_PROVIDER_VETO: it is held, or being reverted. name: for the message. */
int volume_hold_check(const char *dm_uuid, const char *name, struct vss_error *reterr);
