/* See delta-map.h. Pure. */

#include "daemon/providers/delta-map.h"

static uint64_t divide_up(uint64_t a, uint64_t b) {
        return a / b + (a % b != 0);
}

int delta_map_init(struct delta_map *ret, uint64_t volume_bytes, uint64_t unit_bytes) {
        struct delta_map m = { .volume_bytes = volume_bytes };

        if (volume_bytes == 0 || unit_bytes == 0)
                return -EINVAL;
        while (unit_bytes <= UINT32_MAX && divide_up(volume_bytes, unit_bytes) > DELTA_MAP_BITS_MAX)
                unit_bytes *= 2;
        if (unit_bytes > UINT32_MAX)
                return -EFBIG;
        m.block_bytes = (uint32_t)unit_bytes;
        m.n_blocks = divide_up(volume_bytes, unit_bytes);
        m.bits = calloc(1, delta_map_size(&m) + 1);
        if (!m.bits)
                return -ENOMEM;
        *ret = m;
        return 0;
}

void delta_map_done(struct delta_map *m) {
        free(m->bits);
        *m = (struct delta_map){ 0 };
}

size_t delta_map_size(const struct delta_map *m) {
        return (size_t)divide_up(m->n_blocks, 8);
}

void delta_map_add(struct delta_map *m, uint64_t offset, uint64_t bytes) {
        uint64_t first, last;

        if (bytes == 0 || offset >= m->volume_bytes)
                return;
        if (bytes > m->volume_bytes - offset)
                bytes = m->volume_bytes - offset;
        first = offset / m->block_bytes;
        last = (offset + bytes - 1) / m->block_bytes;
        for (uint64_t i = first; i <= last;) {
                if (i % 8 == 0 && last - i >= 7) {
                        m->bits[i / 8] = 0xff;
                        i += 8;
                } else {
                        m->bits[i / 8] |= (uint8_t)(1u << (i % 8));
                        i++;
                }
        }
}
