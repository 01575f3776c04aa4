#pragma once

/* Storage that is not there: volumes that exist by name only, and a provider whose copies are rows
 * in the store. For the test daemon, on machines without device-mapper.
 *
 * Volumes: /srv/data, /srv/mail and /srv/db (ext4, mounted), /srv/vN for N from 1 to 99 likewise,
 * /dev/fake/raw (a block device without a file system), /srv/plain (exists, no provider takes it),
 * /proc (mounted in truth, so that a path can lie on it). Whatever else is absolute does not exist;
 * a path below a volume is refused. Their numbers are 250:0 for /srv/data, 250:1 for /srv/mail and
 * so on.
 *
 * Knobs are files in $VSSD_FAKE_DIR, looked at each time, so that a test can turn them while the
 * daemon runs: "fail" holds the name of the step that fails, and with what code if not its own;
 * "slow" a step and milliseconds; "large" makes what is compared large; "busy" lets copies be
 * deleted by force only; "breakable" lets sets be broken off; "revertable" lets volumes be reverted
 * to their copies: a revert goes on until "reverted" is there, and "mounted-elsewhere" keeps a
 * volume in use that is not forced, "root" makes it the one that the system runs from; "filling"
 * lets the stores of copies be nearly full, and "full" lets them overflow; "narrow" leaves them no
 * room to grow (which they do at all only if there was a knob "areas" when the daemon began);
 * "boot" holds the boot's id, if it was there then; "adopted" makes /srv/plain an adopted volume;
 * "sys" is the directory that the daemon takes for /sys. Steps append their names to "journal".
 *
 * In the write-freeze window nothing is suspended, unless the step "commit" is slow: then all of
 * the set are, by a kernel of the fake's own (fake-kernel.c). */

#include "daemon/coordinator/storage.h"
#include "daemon/providers/provider.h"
#include "daemon/window/dm-kernel.h"

#include <sys/sysmacros.h>

/* What the kernel of the fake calls the copy of a volume. */
#define FAKE_COPY_MAJOR 251U
#define FAKE_COPY(devno) makedev(FAKE_COPY_MAJOR, minor(devno))

extern const struct storage fake_storage;
extern const struct provider fake_provider;
/* The same, with stores that can grow. */
const struct provider *fake_growing_provider(void);
/* Its copies share "tank/pool", of which three of four GiB are in use. */
const struct provider *fake_pooled_provider(void);
extern const struct dm_kernel fake_kernel;

/* Once, before the daemon runs. */
void fake_storage_init(void);

/* From the step's worker: notes it in the journal, waits or fails if the knobs say so. */
int fake_step(const char *step, const char *what, HRESULT hr, struct vss_error *reterr);
/* Only the failure, for what is asked too often for a journal. */
int fake_fault(const char *step, const char *what, HRESULT hr, struct vss_error *reterr);
/* How long the step takes, by the knob "slow". */
unsigned fake_slowness(const char *step);
/* Is the file there? */
bool fake_knob(const char *name);
/* Makes it, or takes it away: what the storage is to remember over the daemon's death. */
void fake_note(const char *name, bool there);
