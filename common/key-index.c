/* Open addressing, at most two thirds full. The hash is SipHash-1-3. */

#include "common/key-index.h"
#include <sys/auxv.h>

static uint64_t rotate(uint64_t x, unsigned n) {
        return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[static 4]) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
}

uint64_t key_hash(uint64_t before, const void *bytes, size_t n) {
        /* 16 bytes that the kernel chose at random for this process. */
        const void *secret = (const void *)getauxval(AT_RANDOM);
        const uint8_t *p = bytes;
        uint64_t key[2] = { 0 }, v[4], word;

        if (secret)
                memcpy(key, secret, sizeof(key));
        v[0] = key[0] ^ before ^ UINT64_C(0x736f6d6570736575);
        v[1] = key[1] ^ UINT64_C(0x646f72616e646f6d);
        v[2] = key[0] ^ before ^ UINT64_C(0x6c7967656e657261);
        v[3] = key[1] ^ UINT64_C(0x7465646279746573);
        for (size_t left = n;; left -= sizeof(word), p += sizeof(word)) {
                bool last = left < sizeof(word);

                word = last ? (uint64_t)n << 56 : 0;
                if (!last)
                        memcpy(&word, p, sizeof(word));
                for (size_t i = 0; last && i < left; i++)
                        word |= (uint64_t)p[i] << (8 * i);
                v[3] ^= word;
                sip_round(v);
                v[0] ^= word;
                if (last)
                        break;
        }
        v[2] ^= 0xff;
        for (unsigned i = 0; i < 3; i++)
                sip_round(v);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t key_hash_text(uint64_t before, const char *s) {
        return key_hash(before, str_or_empty(s), strlen(str_or_empty(s)));
}

void *key_index_find(const struct key_index *index, uint64_t hash, key_index_match match,
                     const void *key) {
        if (index->n_slots == 0)
                return NULL;
        for (size_t i = hash & (index->n_slots - 1);; i = (i + 1) & (index->n_slots - 1)) {
                const struct key_index_slot *slot = &index->slots[i];

                if (!slot->item)
                        return NULL;
                if (slot->hash == hash && match(slot->item, key))
                        return slot->item;
        }
}

static void put(struct key_index_slot *slots, size_t n_slots, uint64_t hash, void *item) {
        size_t i = hash & (n_slots - 1);

        while (slots[i].item)
                i = (i + 1) & (n_slots - 1);
        slots[i] = (struct key_index_slot){ .hash = hash, .item = item };
}

int key_index_reserve(struct key_index *index) {
        size_t n_slots = index->n_slots > 0 ? 2 * index->n_slots : 16;
        struct key_index_slot *slots;

        if (index->n + 1 <= index->n_slots / 3 * 2)
                return 0;
        slots = calloc(n_slots, sizeof(*slots));
        if (!slots)
                return -ENOMEM;
        for (size_t i = 0; i < index->n_slots; i++)
                if (index->slots[i].item)
                        put(slots, n_slots, index->slots[i].hash, index->slots[i].item);
        free(index->slots);
        index->slots = slots;
        index->n_slots = n_slots;
        return 0;
}

void key_index_add(struct key_index *index, uint64_t hash, void *item) {
        assert(item);
        assert(index->n < index->n_slots);

        put(index->slots, index->n_slots, hash, item);
        index->n++;
}

void key_index_replace(struct key_index *index, uint64_t hash, const void *item, void *by) {
        size_t i = hash & (index->n_slots - 1);

        while (index->slots[i].item != item)
                i = (i + 1) & (index->n_slots - 1);
        index->slots[i].item = by;
}

void key_index_done(struct key_index *index) {
        free(index->slots);
        *index = (struct key_index){ 0 };
}
