#pragma once

/* Storage that is not there: volumes that exist by name only, and a provider whose copies are rows
 * in the store. For the test daemon, on machines without device-mapper.
 *
 * Volumes: /srv/data, /srv/mail and /srv/db (ext4, mounted), /srv/vN for N from 1 to 99 likewise,
 * /dev/fake/raw (a block device without a file system), /srv/plain (exists, no provider takes it).
 * Whatever else is absolute does not exist; a path below a volume is refused.
 *
 * Knobs are files in $VSSD_FAKE_DIR, looked at each time, so that a test can turn them while the
 * daemon runs: "fail" holds the name of the step that fails, "slow" a step and milliseconds, "busy"
 * lets copies be deleted by force only. Steps append their names to "journal". */

#include "daemon/coordinator/storage.h"
#include "daemon/providers/provider.h"

extern const struct storage fake_storage;
extern const struct provider fake_provider;

/* From the step's worker: notes it in the journal, waits or fails if the knobs say so. */
int fake_step(const char *step, const char *what, HRESULT hr, struct vss_error *reterr);
/* Is the file there? */
bool fake_knob(const char *name);
