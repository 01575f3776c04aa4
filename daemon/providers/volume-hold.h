#pragma once

/* Volumes on which the start has not yet put right what an earlier run left, because their storage
 * takes its time or does not answer. Meanwhile nobody makes a copy of one or changes one that is
 * there: whoever is about to asks here. A volume is known by its device-mapper UUID, "" or NULL for
 * those that have none, which are held as one; so are those of one volume group, which LVM locks
 * and changes as one. One list for the process, thread-safe. */

#include "common/vss-error.h"

/* Whether the two are held as one. */
bool volume_hold_is_same(const char *dm_uuid, const char *other);
/* 0, -ENOMEM. */
int volume_hold_add(const char *dm_uuid);
void volume_hold_remove(const char *dm_uuid); /* as often as it was added */
bool volume_is_held(const char *dm_uuid);
/* -EBUSY with VSS_E_PROVIDER_VETO: it is held. name: for the message. */
int volume_hold_check(const char *dm_uuid, const char *name, struct vss_error *reterr);
