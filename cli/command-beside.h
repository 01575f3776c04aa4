#pragma once

/* A command that is run beside copies, and what it finds of them in its environment. */

#include "common/util.h"
#include <vss/vsslinux.h>

struct command_beside {
        VSS_ID set;
        const VSS_SNAPSHOT_INFO *const *copies;
        char *const *volumes; /* what each is called; NULL: as when it was made */
        size_t n;
        const char *document; /* NULL: none */
};

/* EXIT_DONE if the command succeeded; or how vssctl ends. Has said why it could not be run. */
int command_beside_run(const struct command_beside *c, char *const *command);
