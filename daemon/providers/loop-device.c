/* See loop-device.h. Stateless. */

#include "daemon/providers/loop-device.h"
#include "daemon/providers/block.h"
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* Others take loop devices, too: between the kernel's saying which is free and our having it. */
#define ATTEMPTS 64

static int say_failed(struct vss_error *reterr, const char *path, int r) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r,
                             "no loop device for %s: %s%s", path, strerror(-r),
                             r == -ENOENT || r == -ENODEV ? " (is the module loop there?)" : "");
}

/* 1: somebody else has it. */
static int try_attach(int control_fd, const struct loop_config *config, int *ret_fd) {
        _cleanup_(closep) int fd = -1;
        char node[32];
        int number;

        number = ioctl(control_fd, LOOP_CTL_GET_FREE);
        if (number < 0)
                return -errno;
        (void)snprintf(node, sizeof(node), "/dev/loop%d", number);
        fd = open(node, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (ioctl(fd, LOOP_CONFIGURE, config) < 0)
                return errno == EBUSY ? 1 : -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int loop_device_attach(int file_fd, const char *path, int *ret_fd, dev_t *ret_devno,
                       struct vss_error *reterr) {
        struct loop_config config = {
                .fd = (uint32_t)file_fd,
                /* Directly, where the file system can: what is written through the page cache could
                 * not be written back for want of the memory that it takes. */
                .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
        };
        _cleanup_(closep) int control_fd = -1, fd = -1;
        struct stat st;
        int r = 1;

        (void)snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s",
                       path); /* for people only; cut off if need be */
        control_fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        if (control_fd < 0)
                return say_failed(reterr, path, -errno);
        for (unsigned i = 0; r > 0 && i < ATTEMPTS; i++)
                r = try_attach(control_fd, &config, &fd);
        if (r > 0)
                r = -EBUSY;
        if (r >= 0 && fstat(fd, &st) < 0)
                r = -errno;
        if (r < 0)
                return say_failed(reterr, path, r);
        *ret_devno = st.st_rdev;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* By its number: the node is looked for. */
static int open_node(dev_t devno, int *ret_fd) {
        struct block b;
        int r;

        r = block_read(&b, devno);
        if (r < 0)
                return r;
        r = block_open(b.path, devno, O_RDWR | O_CLOEXEC, ret_fd);
        block_done(&b);
        return r;
}

int loop_device_check(dev_t devno, int file_fd, const char *path, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        struct loop_info64 info;
        struct stat st;
        int r;

        r = open_node(devno, &fd);
        if (r >= 0 && (fstat(file_fd, &st) < 0 || ioctl(fd, LOOP_GET_STATUS64, &info) < 0))
                r = -errno;
        if (r >= 0 && info.lo_inode != st.st_ino)
                r = -ESTALE;
        return r < 0 ? say_failed(reterr, path, r) : 0;
}

int loop_device_refresh(dev_t devno, const char *path, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        int r;

        r = open_node(devno, &fd);
        if (r >= 0 && ioctl(fd, LOOP_SET_CAPACITY) < 0)
                r = -errno;
        return r < 0 ? say_failed(reterr, path, r) : 0;
}
