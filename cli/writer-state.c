/* The library's name of a state, made readable. */

#include "cli/writer-state.h"

#include "common/util.h"

#include <ctype.h>
#include <stdio.h>
#include <vss/vsslinux.h>

char *writer_state_text(VSS_WRITER_STATE state, char buf[static WRITER_STATE_TEXT_MAX]) {
        const char *name = VssWriterStateToString(state);

        if (name)
                snprintf(buf, WRITER_STATE_TEXT_MAX, "%s", name);
        else
                snprintf(buf, WRITER_STATE_TEXT_MAX, "state %d", (int)state);
        for (char *c = buf; *c != '\0'; c++)
                *c = *c == '_' ? ' ' : (char)tolower((unsigned char)*c);
        return buf;
}
