#pragma once

/* Origins that a window has left to a thread of its own: that hangs in the kernel, with the origin
 * suspended or about to be, and resumes it when it comes back. Until then nobody else in this
 * process may begin anything with one: his resume would hang as well, and his window be undone by
 * that thread. The table is the process's, its entries belong to who enters them. */

#include "common/util.h"
#include <sys/types.h>

struct held_origin {
        dev_t device;
        uint64_t since_usec; /* monotonic */
        struct held_origin *next;
};

void held_origin_add(struct held_origin *h, dev_t device);
void held_origin_remove(struct held_origin *h);
bool held_origin_find(dev_t device, uint64_t *ret_since_usec);
