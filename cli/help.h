#pragma once

/* What `vssctl help` says, from the tables that the command line is read with. */

#include "cli/verb.h"

void help_print(const struct verb *verbs, const struct option_spec *globals);
void help_print_verb(const struct verb *verb);
