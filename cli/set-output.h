#pragma once

/* How a set that was just made is shown. */

#include "cli/backup-set.h"
#include "cli/terminal.h"

/* 0 or -ENOMEM. */
int set_print(const struct backup_set *s, const struct terminal *terminal, bool timeline);
void set_print_json(const struct backup_set *s, FILE *stream, bool timeline);
