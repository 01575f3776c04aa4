#pragma once

/* Which applications are frozen just now, on the tmpfs of /run: written before a Freeze command
 * starts, removed when its Thaw has run. Should this process be killed in between, the next start
 * finds the record and thaws. */

#include "common/util.h"

/* Where the records are; made if missing. Called once, before the others. */
int hook_record_open(const char *directory);
/* file: the name of the ini file, which has no '/'. */
int hook_record_set(const char *file);
int hook_record_clear(const char *file);
/* The files that have a record. */
int hook_record_list(char ***ret);
