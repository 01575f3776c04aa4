#pragma once

/* What a command is told of the event it is run for: VSS_... variables. */

#include "writers/hook/hook-config.h"

/* Asks writer, so it is for its handlers only. */
int hook_environment_new(char ***ret, CVssWriter *writer, const struct hook_config *config,
                         enum hook_event event, IVssWriterComponents *components);
