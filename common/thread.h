#pragma once

/* Threads that do a piece of work beside whoever starts them. Signals are the event loop's: such a
 * thread takes none. */

#include "common/util.h"
#include <pthread.h>

/* What a thread needs that parses, or asks for the name of a user. The window locks all memory of
 * the process, stacks included: the default of 8 MiB would be too much. */
#define THREAD_STACK_BYTES ((size_t)512 * 1024)
/* And one that does no more than a few system calls. */
#define THREAD_SMALL_STACK_BYTES ((size_t)64 * 1024)

/* The caller joins or detaches it. A size of the stack that the system refuses leaves the default:
 * larger, and as good. */
int thread_start(pthread_t *ret, size_t stack_bytes, void *(*run)(void *), void *userdata);
/* Nobody waits for it. */
int thread_start_detached(size_t stack_bytes, void *(*run)(void *), void *userdata);
