#pragma once

/* One prepared device-mapper ioctl. Everything it needs is allocated and filled when it is made;
 * running it is one ioctl on an open control node and nothing else (dm_task_run() of libdevmapper
 * allocates on every run and may touch nodes under /dev). It can be run any number of times, by
 * one thread at a time.
 *
 * A device is named by its number. The events that a request causes carry no cookie: nobody waits
 * for udev. */

#include "common/util.h"
#include "daemon/window/dm-kernel.h"
#include <sys/types.h>

struct dm_request;

/* All: 0 or -ENOMEM; a message that is too long: -ENAMETOOLONG. */
/* Freezes the file system on the device, drains what is under way, holds what comes. */
int dm_request_new_suspend(struct dm_request **ret, dev_t device);
/* Makes the inactive table, if there is one, the live one; lets writes pass; thaws. */
int dm_request_new_resume(struct dm_request **ret, dev_t device);
/* The same, and tells udev what the device is: DM_UDEV_... flags of libdevmapper.h. */
int dm_request_new_announce(struct dm_request **ret, dev_t device, uint16_t udev_flags);
/* Drops the inactive table. */
int dm_request_new_clear(struct dm_request **ret, dev_t device);
int dm_request_new_status(struct dm_request **ret, dev_t device);
/* Reads the status of the device's first target, and fails with -ESTALE unless one of its words is
 * `word`: a last look at something that must not have changed. */
int dm_request_new_check(struct dm_request **ret, dev_t device, const char *word);
/* To the target at `sector`, e.g. "create_snap 5 3" to a thin pool. */
int dm_request_new_message(struct dm_request **ret, dev_t device, uint64_t sector,
                           const char *message);
struct dm_request *dm_request_free(struct dm_request *r);
DEFINE_CLEANUP(struct dm_request, dm_request_free);

/* "suspend", "resume" and so on: a static string. */
const char *dm_request_verb(const struct dm_request *r);

/* 0 or -errno. A signal that interrupts it starts it anew. Allocates nothing. */
int dm_request_run(struct dm_request *r, const struct dm_kernel *kernel, int control_fd);
/* Brings into memory what a run will touch, without one. */
void dm_request_touch(struct dm_request *r);

/* What the kernel said in the last successful run. */
bool dm_request_saw_suspended(const struct dm_request *r);
bool dm_request_saw_live_table(const struct dm_request *r);
bool dm_request_saw_inactive_table(const struct dm_request *r);
const char *dm_request_saw_uuid(const struct dm_request *r);
