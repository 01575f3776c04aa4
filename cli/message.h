#pragma once

/* What vssctl says on stderr: one line each, beginning with its name. */

#include "common/util.h"
#include <vss/vss.h>

enum message_level {
        MESSAGE_ERROR,   /* always shown */
        MESSAGE_WARNING, /* always shown */
        MESSAGE_NOTICE,  /* not with --quiet */
        MESSAGE_DETAIL,  /* with --verbose only */
};

void message_init(bool quiet, bool verbose, bool colour);

/* Text that came from elsewhere is cleaned: a message is always one line. */
void message(enum message_level level, const char *format, ...) _printf_(2, 3);
/* "what: <the call's message> (VSS_E_... 0x8004....)"; returns the exit status for hr. Call it
 * directly after the call that failed. what may be NULL. */
int message_hresult(HRESULT hr, const char *what, ...) _printf_(2, 3);
int message_out_of_memory(void);
/* "VSS_E_BAD_STATE 0x80042301", the form that can be searched for. */
char *message_code(HRESULT hr, char buf[static 96]);
#define MESSAGE_CODE(hr) message_code((hr), (char[96]){ 0 })
