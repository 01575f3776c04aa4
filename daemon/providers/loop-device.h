#pragma once

/* A file as a block device. */

#include "common/vss-error.h"
#include <sys/types.h>

/* Attaches the open file to a free loop device, which lets go of it by itself when its last user
 * has closed it: until somebody else uses the device that is the descriptor returned. What the file
 * has cached of it is not the loop's. path: for the loop's own records and for messages. */
int loop_device_attach(int file_fd, const char *path, int *ret_fd, dev_t *ret_devno,
                       struct vss_error *reterr);
/* Whether it still is the device of that file. -ESTALE. */
int loop_device_check(dev_t devno, int file_fd, const char *path, struct vss_error *reterr);
/* The file has become larger, and so does the device. */
int loop_device_refresh(dev_t devno, const char *path, struct vss_error *reterr);
