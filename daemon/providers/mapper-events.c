/* See mapper-events.h. Stateless. */

#include "daemon/providers/mapper-events.h"
#include "common/util.h"
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>

#define CONTROL "/dev/mapper/control"

int mapper_events_arm(int fd) {
        struct dm_ioctl arm = {
                .version = { DM_VERSION_MAJOR, 0, 0 },
                .data_size = sizeof(arm),
        };

        return ioctl(fd, DM_DEV_ARM_POLL, &arm) < 0 ? -errno : 0;
}

int mapper_events_open(int *ret_fd) {
        _cleanup_(closep) int fd = -1;
        int r;

        fd = open(CONTROL, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = mapper_events_arm(fd);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        return 0;
}
