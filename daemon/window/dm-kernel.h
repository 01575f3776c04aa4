#pragma once

/* The way to the kernel: all that the window asks of it. There is one of these; a unit test puts
 * its own in its place and sees, delays or fails every request. */

struct dm_ioctl;

struct dm_kernel {
        /* A descriptor of the control node, O_CLOEXEC; -errno. */
        int (*open_control)(void);
        /* One ioctl; 0 or -errno. The only one of these that is called inside the window. */
        int (*ioctl)(int control_fd, unsigned long command, struct dm_ioctl *arg);
        /* Every page of the process into memory, for now and for the future; 0 or -errno. Again
         * after a fork: until then its pages are shared with the child, and copied by a fault. As
         * often as that, unlock. */
        int (*lock_memory)(void);
        void (*unlock_memory)(void);
};

extern const struct dm_kernel dm_kernel;
