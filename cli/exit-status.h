#pragma once

/* How vssctl ends. Scripts rely on these; vssctl(8) documents them. */

#include <vss/vss.h>

enum exit_status {
        EXIT_DONE = 0,
        EXIT_USAGE = 1,         /* wrong usage; nothing was tried */
        EXIT_FAILED = 2,        /* it failed; of a set in the making nothing is left */
        EXIT_NO_RESOURCES = 3,  /* ... because memory, space or a limit was exhausted */
        EXIT_ACCESS_DENIED = 4, /* ... because the caller may not */
        EXIT_PARTIAL = 5,       /* done, but a writer, an id or a file among several failed */
        EXIT_COMMAND = 10,      /* run: 10 + the command's own status, ... */
        EXIT_COMMAND_MAX = 99,  /* ... at most 99, which also stands for death by a signal */
        EXIT_SIGNAL = 128,      /* + the signal that ended vssctl's work: 130 for SIGINT */
};

int exit_status_from_hresult(HRESULT hr);
/* wait_status as waitpid() gives it. */
int exit_status_from_command(int wait_status);
