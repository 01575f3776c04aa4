#pragma once

/* What the writers of a set reached on each of its volumes: whose files are there, and who of them
 * failed. */

#include "common/vss-error.h"
#include <stddef.h>

struct document;
struct participants;
struct set_writers;
struct volume;

/* Those that took part, as they stand now. */
int set_writers_new(struct set_writers **ret, const struct participants *participants);
struct set_writers *set_writers_free(struct set_writers *w);
DEFINE_CLEANUP(struct set_writers, set_writers_free);

/* Reads their metadata: for workers. w NULL: there are none. -ENOMEM */
int set_writers_locate(struct set_writers *w, const struct volume *const *volumes, size_t n);
/* After that: are there writers with files on volume i, and did none of them fail? */
bool set_writers_are_consistent(const struct set_writers *w, size_t i);
/* A line for each of them, the failed first: "WRITER-ID INSTANCE-ID 0xHRESULT NAME". *ret is NULL
 * without any. */
int set_writers_describe(const struct set_writers *w, size_t i, char **ret);
