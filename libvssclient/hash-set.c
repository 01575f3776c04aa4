/* Open addressing, at most three quarters full. */

#include "libvssclient/hash-set.h"

/* The slot of hash: its own, or the free one where it belongs. There is one that is free. */
static uint64_t *find_slot(uint64_t *slots, size_t n_slots, uint64_t hash) {
        size_t i = (size_t)hash & (n_slots - 1);

        while (slots[i] != 0 && slots[i] != hash)
                i = (i + 1) & (n_slots - 1);
        return &slots[i];
}

/* 0 means free. */
static uint64_t stored(uint64_t hash) {
        return hash ? hash : 1;
}

void hash_set_done(struct hash_set *s) {
        free(s->slots);
        *s = (struct hash_set){ 0 };
}

bool hash_set_has(const struct hash_set *s, uint64_t hash) {
        return s->n_slots > 0 && *find_slot(s->slots, s->n_slots, stored(hash)) != 0;
}

int hash_set_reserve(struct hash_set *s) {
        size_t n_slots = s->n_slots ? 2 * s->n_slots : 16;
        uint64_t *slots;

        if (4 * (s->n + 1) <= 3 * s->n_slots)
                return 0;
        slots = calloc(n_slots, sizeof(*slots));
        if (!slots)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_slots; i++)
                if (s->slots[i] != 0)
                        *find_slot(slots, n_slots, s->slots[i]) = s->slots[i];
        free(s->slots);
        s->slots = slots;
        s->n_slots = n_slots;
        return 0;
}

void hash_set_add(struct hash_set *s, uint64_t hash) {
        uint64_t *slot;

        assert(s->n < s->n_slots);
        slot = find_slot(s->slots, s->n_slots, stored(hash));
        if (*slot == 0)
                s->n++;
        *slot = stored(hash);
}
