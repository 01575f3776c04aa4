#pragma once

/* What was done when for a set: the steps that the client took, and in the place of DoSnapshotSet
 * the phases that the service gives. */

#include "cli/output-json.h"
#include <vss/vsslinux.h>

struct timeline_phase {
        char *name;
        uint64_t begin_usec, end_usec; /* since the timeline's begin */
};

struct timeline {
        uint64_t begin_usec;
        struct timeline_phase *phases;
        size_t n_phases;
        uint64_t writes_held_usec; /* 0: not known */
};

void timeline_begin(struct timeline *t);
/* The phase is now `name`; nothing if it was that already. Lack of memory loses a row, no more. */
void timeline_enter(struct timeline *t, const char *name);
void timeline_end(struct timeline *t);
/* Puts what the service says of the last phase in its place. */
void timeline_expand(struct timeline *t, const VSS_SET_TIMELINE *service);
void timeline_done(struct timeline *t);

void timeline_print(const struct timeline *t, FILE *stream);
/* "timeline" and "writes_held_usec", members of the open object. */
void timeline_json(const struct timeline *t, struct json *j);
