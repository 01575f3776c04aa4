#pragma once

/* Which writers a backup is told to leave out: class ids, instance ids or names, as people write
 * them. Names are looked up among the registered writers, because the API knows ids only. */

#include "common/util.h"
#include <vss/vsslinux.h>

/* Disables the writers named by exclude. One that is not there is a warning: it cannot be in the
 * way. S_OK or the failing call's result. */
HRESULT writer_selection_apply(IVssBackupComponents *backup, char *const *exclude);
