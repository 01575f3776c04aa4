#pragma once

/* What a test writer is told to do: lines EVENT[*N]|VERB|ARGUMENT|..., from its command line or a
 * file. In an event its lines are carried out in order, those with *N in the first N of them only.
 * Every line is logged with what the library answered. */

#include "common/util.h"
#include <vss/vsslinux.h>

#define SCRIPT_ARGUMENTS_MAX 8
#define SCRIPT_LINES_MAX 1024

/* An event under way. */
struct turn {
        CVssWriter *writer;
        const char *event;
        IVssCreateWriterMetadata *metadata; /* Identify */
        IVssWriterComponents *components;   /* NULL: none */
        bool veto;
};

/* Takes the line; false: what is wrong with it was printed. */
bool script_add(const char *line);
bool script_add_file(const char *path);
/* Carries out the event's lines. Calls of handlers come one at a time. */
void script_run(struct turn *turn);
void script_done(void);

/* One line of the log, written at once. */
_printf_(1, 2) void log_line(const char *format, ...);
/* "S_OK"; a number in hexadecimal for what has no name. Static. */
const char *hresult_text(HRESULT hr);

/* log-event.c: one line for the event, and one for each component of it. */
void log_event(const struct turn *turn, const VSS_ID *set_id);
