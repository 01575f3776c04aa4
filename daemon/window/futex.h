#pragma once

/* Waiting on a word in memory, with a deadline on the monotonic clock: what glibc's barriers lack.
 * No allocation, one system call, also between processes that share the word. */

#include "common/time-util.h"
#include "common/util.h"
#include <stdatomic.h>

typedef _Atomic uint32_t futex_word;

/* Sleeps while *word is `value`, at most until the deadline (USEC_INFINITY: none). 0, also when
 * woken for nothing; -ETIMEDOUT. */
int futex_wait(futex_word *word, uint32_t value, uint64_t deadline_usec);
void futex_wake_all(futex_word *word);
