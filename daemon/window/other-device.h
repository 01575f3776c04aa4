#pragma once

/* The other device of a window's row: over the same blocks as the origin, and its target keeps
 * state of its own (a cache, a RAID), so that only one of the two may ever work. Owned by the row,
 * and by the guard's; what is run allocates nothing.
 *
 *      made:     it is brought to life by the commits, and the origin's new table lies on it
 *      unmade:   it works, the commits suspend it, and the origin's new table replaces it
 *
 * Once it has worked there is no way back to the origin's old table: dm-cache reads its mappings
 * when it is resumed for the first time and never again, so that the origin would go by those of
 * before, and what the other has moved since would be lost. A RAID reads what its legs lack, and
 * its second instance would bring them in line beside the writes of the first. Then the way back is
 * forward: the origin gets its new table, over the other, and what is on it is undone afterwards.
 */

#include "common/util.h"
#include "daemon/window/dm-kernel.h"
#include <sys/types.h>

struct other_device;

/* works: it is to be unmade. */
int other_device_new(struct other_device **ret, dev_t device, bool works);
struct other_device *other_device_free(struct other_device *o);
DEFINE_CLEANUP(struct other_device, other_device_free);

/* On the way back, before the origin is resumed: 0 if that keeps its live table; 1 if it gets its
 * new one; -EAGAIN if somebody is just bringing the other to life, or has tried and failed (what
 * does not try any more may take it for 0); or what device-mapper said. From here on nobody can
 * begin to bring it to life. */
int other_device_go_back(struct other_device *o, const struct dm_kernel *kernel, int control_fd);
/* 1: it is to work on the way back, and does not; 0; or what device-mapper said. */
int other_device_is_asleep(struct other_device *o, const struct dm_kernel *kernel, int control_fd);
/* Brings into memory what that will touch, without doing it. */
void other_device_touch(struct other_device *o);

/* How many threads of this process wait for the end of a -EAGAIN, each for an origin that it is
 * going to resume then: as long as it is not 0, who else meets such an origin leaves it alone. */
void other_device_await_begin(void);
void other_device_await_end(void);
unsigned other_device_n_awaited(void);
