#pragma once

/* Many short texts in few blocks of memory, which stay where they are until all are freed. */

#include "common/util.h"

struct text_block;

struct text_arena {
        struct text_block *blocks; /* the newest first */
        char *at;
        size_t left;
};

/* A 0-terminated copy of size bytes; NULL: no memory. */
const char *text_arena_add(struct text_arena *arena, const char *text, size_t size);
/* If the copy before, which may be NULL, is the same, that: lists repeat themselves. */
const char *text_arena_add_again(struct text_arena *arena, const char *before, const char *text,
                                 size_t size);
void text_arena_done(struct text_arena *arena);
