/* The device-mapper of the test daemon: every device is what it was told to be last. A commit takes
 * as long as the knob "slow" says of the step "commit". */

#include "daemon/window/dm-kernel.h"
#include "tests/bus/fake-storage.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <time.h>

static atomic_bool suspended[256]; /* by the number of the volume, below fake-storage.h's major */

static int fake_open_control(void) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int fake_ioctl(int control_fd _unused_, unsigned long command, struct dm_ioctl *arg) {
        atomic_bool *state = &suspended[arg->dev & 0xff];
        bool copy = arg->dev >> 8 == FAKE_COPY_MAJOR;

        if (copy) {
                unsigned milliseconds = fake_slowness("commit");
                struct timespec t = { .tv_sec = milliseconds / 1000,
                                      .tv_nsec = (long)(milliseconds % 1000) * 1000000 };

                (void)nanosleep(&t, NULL); /* no signal reaches a thread of the window */
                return 0;
        }
        if (command == DM_DEV_SUSPEND)
                atomic_store(state, (arg->flags & DM_SUSPEND_FLAG) != 0);
        arg->flags = atomic_load(state) ? DM_SUSPEND_FLAG : 0;
        return 0;
}

/* The test's machine is not to be held in memory. */
static int fake_lock_memory(void) {
        return 0;
}

static void fake_unlock_memory(void) {}

const struct dm_kernel fake_kernel = {
        .open_control = fake_open_control,
        .ioctl = fake_ioctl,
        .lock_memory = fake_lock_memory,
        .unlock_memory = fake_unlock_memory,
};
