#pragma once

/* Sets of files, for the question with which of them another one shares files. A question costs
 * the depth of the path times the logarithm of the number of sets, and beyond that looks only at
 * the patterns in the directories on the way; if it is recursive, at the sets below, too. A single
 * file is a set whose spec is its name. */

#include "common/text-arena.h"

struct set_table_item {
        const char *directory; /* normalised (file-path.h) */
        const char *spec;
        bool recursive;
};

/* Begins as { 0 }. */
struct set_table {
        struct set_table_item *items;
        size_t n, allocated, settled; /* settled: so many are sorted */
        struct text_arena texts;
};

void set_table_done(struct set_table *t);
/* Copies. -ENOMEM. */
int set_table_add(struct set_table *t, const struct set_table_item *item);
/* After additions, before the next question. One more is cheap, however many there are. */
void set_table_settle(struct set_table *t);

/* Is there this very set? */
bool set_table_has(const struct set_table *t, const struct set_table_item *item);
/* One that shares files with it; NULL: none. */
const struct set_table_item *set_table_share(const struct set_table *t,
                                             const struct set_table_item *item);
/* Is there a set in this directory, or in one above it? */
bool set_table_has_above(const struct set_table *t, const char *directory);
