#pragma once

/* What vss-hook-writer says: lines on stderr, with the priority in front that journald reads.
 *
 * While an application is frozen lines wait in memory: journald may itself be waiting for a volume
 * that is being copied, its pipe then fills, and whoever logs would hang with it - between a Freeze
 * and the Thaw that has to follow. May be called from any thread. */

#include "common/util.h"
#include <syslog.h>

void hook_log(int priority, const char *format, ...) _printf_(2, 3);
/* Each line of text, with prefix in front. */
void hook_log_lines(int priority, const char *prefix, const char *text);

/* Between these nothing is written. They nest, over all threads. */
void hook_log_hold(void);
void hook_log_release(void);
