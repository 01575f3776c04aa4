#pragma once

/* The stack that a thread or process is going to need, brought into memory beforehand: inside the
 * window there may be none to be had, or only from a device that is suspended. */

#include <stddef.h>

/* As much as anything in the window can need; a whole stack of the window is 64 KiB. */
#define STACK_TOUCHED 16384

static inline void stack_touch(void) {
        volatile char page[STACK_TOUCHED];

        for (size_t i = 0; i < sizeof(page); i += 1024)
                page[i] = 0;
        (void)page[0];
}
