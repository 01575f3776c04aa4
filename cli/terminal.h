#pragma once

/* What the two output streams are able to show; asked once at the start. */

#include "cli/output-table.h"

struct terminal {
        bool output; /* stdout is a terminal */
        bool errors; /* stderr is */
        struct table_format table;
};

void terminal_init(struct terminal *t, bool no_colour);
/* Not forbidden by the option, NO_COLOR or TERM=dumb. Whether the stream is a terminal is another
 * question. */
bool terminal_wants_colour(bool no_colour);
