#pragma once

/* Numbers as people read them. */

#include <stddef.h>
#include <stdint.h>

#define TEXT_SHORT_MAX 32

/* "1.5 GiB", "512 B". Returns buf. */
char *text_size(uint64_t bytes, char buf[static TEXT_SHORT_MAX]);
/* "3 min ago", "in 2 d", "just now": the coarsest unit, from two points in seconds. */
char *text_relative_time(int64_t then_sec, int64_t now_sec, char buf[static TEXT_SHORT_MAX]);
/* "0.4 ms", "12 ms", "3.2 s", "2 min 5 s". */
char *text_duration(uint64_t usec, char buf[static TEXT_SHORT_MAX]);
/* "2026-01-31T12:00:00Z", as JSON carries times; "" if it cannot be expressed. */
char *text_rfc3339(int64_t unix_sec, char buf[static TEXT_SHORT_MAX]);

#define TEXT_SIZE(bytes) text_size((bytes), (char[TEXT_SHORT_MAX]){ 0 })
#define TEXT_RELATIVE_TIME(then, now) text_relative_time((then), (now), (char[TEXT_SHORT_MAX]){ 0 })
#define TEXT_DURATION(usec) text_duration((usec), (char[TEXT_SHORT_MAX]){ 0 })
#define TEXT_RFC3339(sec) text_rfc3339((sec), (char[TEXT_SHORT_MAX]){ 0 })
