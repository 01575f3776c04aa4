#pragma once

/* What a window may have suspended, noted where no volume is: in a directory on a tmpfs. With
 * daemon and guard both dead, the next start has nothing else to go by as long as the root is
 * suspended: the store lies on it, and even to open a file for writing waits for the resume. So
 * this is looked at before anything else is.
 *
 * Each window has a file of its own, written when it is prepared, under a name that no start goes
 * by, and renamed right before its first suspend: it counts for as long as this window can have
 * something suspended, so that a start resumes nothing that another program has suspended before or
 * afterwards. It is locked for as long as a thread of that window can be in the kernel (see
 * common/alive-lock.h), be its process dead otherwise. A line is one origin: its number, what the
 * way back of its row does, and its UUID, because a number may mean another device by then. */

#include "common/vss-error.h"
#include "daemon/window/dm-kernel.h"
#include <sys/types.h>

struct suspend_entry {
        dev_t origin;
        bool clears_inactive_table;
        dev_t other; /* as in a window's row */
        bool other_works;
        const char *uuid; /* as device-mapper has it, "" included */
};

struct suspend_list;

/* Written, and counting for nothing yet. */
int suspend_list_new(struct suspend_list **ret, const char *directory,
                     const struct suspend_entry *entries, size_t n, struct vss_error *reterr);
/* Takes it back: nothing of it is suspended any more. */
struct suspend_list *suspend_list_free(struct suspend_list *l);
DEFINE_CLEANUP(struct suspend_list, suspend_list_free);

/* It counts from here on. */
int suspend_list_arm(struct suspend_list *l, struct vss_error *reterr);
/* The file that counts: whoever has seen all of it resumed may unlink it. NULL for NULL. */
const char *suspend_list_path(const struct suspend_list *l);

/* At the start: resumes what the lists in the directory name and what is still suspended, all of
 * it at once, because a resume writes to its volume and one that hangs must not hold up the others.
 * Where a row had another device it is as on the way back of a window (other-device.h), and what is
 * just being brought to life by a thread of the earlier run is waited for, also past the timeout.
 * The number of origins that were suspended and are not any more; less than 0: some still are, or
 * may be, and reterr says which. Their lists stay; one that goes on later, when its storage
 * answers, takes its list away then, unless another origin of it cannot be resumed. */
int suspend_list_rescue(const char *directory, const struct dm_kernel *kernel,
                        uint64_t timeout_usec, struct vss_error *reterr);
