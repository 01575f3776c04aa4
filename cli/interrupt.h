#pragma once

/* Being told to stop: SIGINT, SIGTERM and SIGHUP are remembered, so that what is under way can be
 * taken back in order. A second one while that lasts ends the process at once; the service then
 * cleans up after the lost connection. */

#include <stdbool.h>

void interrupt_install(void);
/* The signal that came, 0 if none did. */
int interrupt_pending(void);

enum hold_end {
        HOLD_SIGNAL, /* interrupt_pending() says which */
        HOLD_EOF,    /* the other end of stdin is gone, or Ctrl-D */
        HOLD_TICK,   /* the time is up */
};
/* Waits for a signal, the end of stdin, or timeout_ms. Only a terminal, a pipe or a socket can
 * come to an end that means something: /dev/null, which services and background jobs have, is
 * at its end from the start and is not listened to. */
enum hold_end interrupt_hold(int timeout_ms);
