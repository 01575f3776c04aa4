#pragma once

/* The phases of a set's making as the client saw them: each begins when it is first seen and ends
 * with the next. What is shorter than the client's look at it (5 ms) can be missing. */

#include "cli/output-json.h"

struct timeline_phase {
        char *name;
        uint64_t begin_usec, end_usec; /* since the timeline's begin */
};

struct timeline {
        uint64_t begin_usec;
        struct timeline_phase *phases;
        size_t n_phases;
};

void timeline_begin(struct timeline *t);
/* The phase is now `name`; nothing if it was that already. Lack of memory loses a row, no more. */
void timeline_enter(struct timeline *t, const char *name);
void timeline_end(struct timeline *t);
void timeline_done(struct timeline *t);

void timeline_print(const struct timeline *t, FILE *stream);
void timeline_json(const struct timeline *t, struct json *j, const char *key);
