/* See delta-compare.h. */

#include "cli/delta-compare.h"

#include "common/util.h"

#include <fcntl.h>

#define PIECE_BYTES ((size_t)1024 * 1024)
#define ALIGNMENT ((size_t)4096)

struct side {
        const char *device;
        int fd;
        char *piece;
};

static int side_open(struct side *s) {
        s->fd = open(s->device, O_RDONLY | O_CLOEXEC | O_DIRECT);
        if (s->fd < 0)
                return -errno;
        s->piece = aligned_alloc(ALIGNMENT, PIECE_BYTES);
        return s->piece ? 0 : -ENOMEM;
}

static void side_done(struct side *s) {
        s->fd = safe_close(s->fd);
        free(s->piece);
        s->piece = NULL;
}

/* *ret is less than n where the device ends. */
static int side_read(const struct side *s, size_t n, uint64_t offset, size_t *ret) {
        size_t done = 0;

        while (done < n) {
                ssize_t l = pread(s->fd, s->piece + done, n - done, (off_t)(offset + done));

                if (l < 0 && errno != EINTR)
                        return -errno;
                if (l == 0)
                        break;
                if (l > 0)
                        done += (size_t)l;
        }
        *ret = done;
        return 0;
}

/* 1: equal; 0: not. A volume that has grown has bytes that the other has not. */
static int is_equal(const struct side *a, const struct side *b, uint64_t offset, uint64_t end,
                    const char **ret_device) {
        while (offset < end) {
                size_t n = end - offset < PIECE_BYTES ? (size_t)(end - offset) : PIECE_BYTES;
                size_t n_a, n_b;
                int r;

                *ret_device = a->device;
                r = side_read(a, n, offset, &n_a);
                if (r >= 0) {
                        *ret_device = b->device;
                        r = side_read(b, n, offset, &n_b);
                }
                if (r < 0)
                        return r;
                if (n_a != n || n_b != n || memcmp(a->piece, b->piece, n) != 0)
                        return 0;
                offset += n;
        }
        return 1;
}

static int compare(VSS_SNAPSHOT_DELTA *d, const struct side *a, const struct side *b,
                   const char **ret_device) {
        for (uint64_t i = 0; i < d->block_count; i++) {
                uint64_t offset = i * d->block_size;
                uint64_t end = d->volume_size - offset < d->block_size ? d->volume_size
                                                                       : offset + d->block_size;
                int r;

                if (i % 8 == 0 && d->bitmap[i / 8] == 0) {
                        i += 7;
                        continue;
                }
                if (!((d->bitmap[i / 8] >> (i % 8)) & 1))
                        continue;
                r = is_equal(a, b, offset, end, ret_device);
                if (r < 0)
                        return r;
                if (r > 0) {
                        d->bitmap[i / 8] &= (BYTE) ~(1u << (i % 8));
                        d->changed_count--;
                }
        }
        d->exact = true;
        return 0;
}

int delta_compare(VSS_SNAPSHOT_DELTA *delta, const char *older, const char *younger,
                  const char **ret_device) {
        _cleanup_(side_done) struct side a = { .device = older, .fd = -1 };
        _cleanup_(side_done) struct side b = { .device = younger, .fd = -1 };
        int r;

        *ret_device = older;
        r = side_open(&a);
        if (r < 0)
                return r;
        *ret_device = younger;
        r = side_open(&b);
        return r < 0 ? r : compare(delta, &a, &b, ret_device);
}
