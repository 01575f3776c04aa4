#pragma once

/* Where the bytes of a block device come from that sysfs shows nothing below: of a loop device from
 * a file, of a network block device from a process. A volume on such a device must not be held at
 * one time with what its bytes are written to. */

#include "common/util.h"
#include <linux/loop.h>
#include <sys/types.h>

struct image_base {
        bool is_image; /* a loop device */
        dev_t *below;  /* block devices; none: memory, or another machine */
        size_t n;
        char *unknown; /* who stands between and does not tell: "FILE, on a FUSE..."; NULL: nobody
                        */
};

/* What the kernel says of a loop device's file, whatever has become of its name; a test has
 * another. Negative errno. */
extern int (*image_loop_status)(dev_t devno, struct loop_info64 *ret);

int image_base_read(struct image_base *ret, dev_t devno);
void image_base_done(struct image_base *b);
