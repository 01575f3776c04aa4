/* Blocks double in size, so that a small document costs little and a large one few calls. */

#include "common/text-arena.h"

#define BLOCK_MIN ((size_t)1024)
#define BLOCK_MAX ((size_t)1024 * 1024)

struct text_block {
        struct text_block *next;
        size_t size;
        char bytes[];
};

static int add_block(struct text_arena *arena, size_t wanted) {
        size_t size = arena->blocks ? 2 * arena->blocks->size : BLOCK_MIN;
        struct text_block *block;

        if (size > BLOCK_MAX)
                size = BLOCK_MAX;
        if (size < wanted)
                size = wanted;
        block = malloc(sizeof(*block) + size);
        if (!block)
                return -ENOMEM;
        block->size = size;
        block->next = arena->blocks;
        arena->blocks = block;
        arena->at = block->bytes;
        arena->left = size;
        return 0;
}

const char *text_arena_add(struct text_arena *arena, const char *text, size_t size) {
        char *copy;

        if (size >= arena->left && add_block(arena, size + 1) < 0)
                return NULL;
        copy = arena->at;
        memcpy(copy, text, size);
        copy[size] = '\0';
        arena->at += size + 1;
        arena->left -= size + 1;
        return copy;
}

const char *text_arena_add_again(struct text_arena *arena, const char *before, const char *text,
                                 size_t size) {
        if (before && strncmp(before, text, size) == 0 && before[size] == '\0')
                return before;
        return text_arena_add(arena, text, size);
}

void text_arena_done(struct text_arena *arena) {
        while (arena->blocks) {
                struct text_block *next = arena->blocks->next;

                free(arena->blocks);
                arena->blocks = next;
        }
        *arena = (struct text_arena){ 0 };
}
