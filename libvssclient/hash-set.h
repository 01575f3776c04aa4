#pragma once

/* A set of 64-bit hashes that stand for what was hashed: for asking "was this seen before?" of what
 * need not be found again. Two things with one hash are taken for one; among a million that happens
 * to one program in thirty million. Nothing is removed. */

#include "common/util.h"

struct hash_set {
        uint64_t *slots; /* 0: free */
        size_t n_slots;  /* a power of 2, or 0 */
        size_t n;
};

void hash_set_done(struct hash_set *s);
bool hash_set_has(const struct hash_set *s, uint64_t hash);
/* Makes room for one more, so that the next hash_set_add() cannot fail. -ENOMEM. */
int hash_set_reserve(struct hash_set *s);
/* After a reserve; what is there already stays. */
void hash_set_add(struct hash_set *s, uint64_t hash);
