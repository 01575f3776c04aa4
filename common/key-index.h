#pragma once

/* A hash table from keys to things that their owner keeps and that hold their own keys. Keys come
 * from documents: the hash is keyed with a secret of the process, so that nobody can choose keys
 * that collide. Nothing is ever removed. */

#include "common/util.h"

struct key_index_slot {
        uint64_t hash;
        void *item; /* NULL: free */
};

struct key_index {
        struct key_index_slot *slots;
        size_t n_slots, n; /* n_slots: a power of 2, or 0 */
};

typedef bool (*key_index_match)(const void *item, const void *key);

/* Chains over the parts of a key: begin with 0. */
uint64_t key_hash(uint64_t before, const void *bytes, size_t n);
uint64_t key_hash_text(uint64_t before, const char *s); /* NULL: as "" */

void *key_index_find(const struct key_index *index, uint64_t hash, key_index_match match,
                     const void *key);
/* Makes room for one more, so that the next add cannot fail. -ENOMEM. */
int key_index_reserve(struct key_index *index);
/* After a reserve; the key must not be there. */
void key_index_add(struct key_index *index, uint64_t hash, void *item);
/* item: which is there under this hash. */
void key_index_replace(struct key_index *index, uint64_t hash, const void *item, void *by);
void key_index_done(struct key_index *index);
