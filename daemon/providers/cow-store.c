/* See cow-store.h. Stateless. */

#include "daemon/providers/cow-store.h"
#include <endian.h>
#include <inttypes.h>
#include <time.h>

#define MAGIC UINT32_C(0x70416e53) /* "SnAp" */
#define VERSION 1
#define SECTOR_SIZE 512
#define CHUNK_BYTES_MIN UINT64_C(4096)
#define CHUNK_BYTES_MAX (UINT64_C(1) << 30)
#define HEADER_CHUNKS 1

#define PIECE_BYTES ((size_t)64 * 1024)

/* A write that is under way is over by then, or it hangs; and then the origin's hangs with it. */
#define ATTEMPTS 8
#define ATTEMPT_PAUSE_NSEC (5L * 1000 * 1000)

struct header {
        uint32_t magic, valid, version, chunk_sectors;
};

struct pair {
        uint64_t origin_chunk, store_chunk;
};

struct reader {
        const struct cow_source *source;
        const struct cow_store *store;
        cow_store_fn found;
        void *userdata;

        struct pair *buffer;
        size_t piece_bytes;
        uint64_t per_area; /* pairs in an area, and chunks of data behind it */
        uint64_t store_chunks, origin_chunks;
        uint64_t n; /* found so far */
};

static int refuse(const struct reader *r, const char *why, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EBADMSG,
                             "the store %s of a copy cannot be understood: %s", r->source->name,
                             why);
}

static int read_at(const struct reader *r, size_t n, uint64_t offset, struct vss_error *reterr) {
        int k = r->source->read(r->source->userdata, r->buffer, n, offset);

        return k < 0 ? vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -k,
                                     "the store %s of a copy cannot be read: %s", r->source->name,
                                     strerror(-k))
                     : 0;
}

static int check_header(const struct reader *r, struct vss_error *reterr) {
        struct header h;
        int k;

        k = read_at(r, COW_STORE_ALIGNMENT, 0, reterr);
        if (k < 0)
                return k;
        memcpy(&h, r->buffer, sizeof(h));
        if (le32toh(h.magic) != MAGIC)
                return refuse(r, "it has no header of a persistent snapshot", reterr);
        if (le32toh(h.version) != VERSION)
                return refuse(r, "it is of a version that is not known", reterr);
        if (le32toh(h.valid) != 1)
                return vss_error_set(reterr, VSS_E_BAD_STATE, ENODATA,
                                     "the copy whose store is %s was lost: the store overflowed or "
                                     "could not be written",
                                     r->source->name);
        if ((uint64_t)le32toh(h.chunk_sectors) * SECTOR_SIZE != r->store->chunk_bytes)
                return refuse(r, "its chunks have another size than the kernel says", reterr);
        return 0;
}

/* Data lies in no header and in no area. */
static bool is_data_chunk(const struct reader *r, uint64_t chunk) {
        return chunk < r->store_chunks && chunk > HEADER_CHUNKS &&
               (chunk - HEADER_CHUNKS) % (r->per_area + 1) != 0;
}

/* How many pairs of the piece count, fewer than all if the end is among them; -EBADMSG. */
static int64_t check_piece(const struct reader *r, size_t n) {
        for (size_t i = 0; i < n; i++) {
                uint64_t store_chunk = le64toh(r->buffer[i].store_chunk);

                if (store_chunk == 0)
                        return (int64_t)i;
                if (!is_data_chunk(r, store_chunk) ||
                    le64toh(r->buffer[i].origin_chunk) >= r->origin_chunks)
                        return -EBADMSG;
        }
        return (int64_t)n;
}

/* 1: it is full; 0: the end is in it. */
static int read_piece(struct reader *r, uint64_t offset, struct vss_error *reterr) {
        static const struct timespec pause = { .tv_nsec = ATTEMPT_PAUSE_NSEC };
        size_t n = r->piece_bytes / sizeof(struct pair);
        int64_t good = -EBADMSG;

        for (unsigned attempt = 0; good < 0 && attempt < ATTEMPTS; attempt++) {
                int k;

                if (attempt > 0)
                        (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
                k = read_at(r, r->piece_bytes, offset, reterr);
                if (k < 0)
                        return k;
                good = check_piece(r, n);
        }
        if (good < 0)
                return refuse(r, "it names chunks that cannot be", reterr);
        r->n += (uint64_t)good;
        if (r->n > r->origin_chunks)
                return refuse(r, "it has more chunks than the origin", reterr);
        for (int64_t i = 0; i < good; i++)
                r->found(r->userdata, le64toh(r->buffer[i].origin_chunk));
        return (size_t)good == n;
}

static int read_areas(struct reader *r, struct vss_error *reterr) {
        uint64_t area = 0, chunk = HEADER_CHUNKS;
        int full = 1;

        /* One whose last area is full may end behind that area's data. */
        while (full > 0 && chunk < r->store_chunks) {
                for (uint64_t at = 0; full > 0 && at < r->store->chunk_bytes; at += r->piece_bytes)
                        full = read_piece(r, chunk * r->store->chunk_bytes + at, reterr);
                if (full < 0)
                        return full;
                area += (uint64_t)full;
                chunk += r->per_area + 1;
        }
        if (area < r->store->full_areas)
                return refuse(r, "it has less than the kernel says", reterr);
        return 0;
}

int cow_store_read(const struct cow_source *source, const struct cow_store *store,
                   cow_store_fn found, void *userdata, struct vss_error *reterr) {
        _cleanup_(freep) struct pair *buffer = NULL;
        struct reader r = {
                .source = source, .store = store, .found = found, .userdata = userdata
        };
        uint64_t chunk_bytes = store->chunk_bytes;
        int k;

        if (chunk_bytes < CHUNK_BYTES_MIN || chunk_bytes > CHUNK_BYTES_MAX ||
            (chunk_bytes & (chunk_bytes - 1)) != 0 || store->origin_bytes == 0)
                return refuse(&r, "its chunks have a size that cannot be", reterr);
        r.per_area = chunk_bytes / sizeof(struct pair);
        r.store_chunks = source->bytes / chunk_bytes;
        r.origin_chunks = (store->origin_bytes - 1) / chunk_bytes + 1;
        if (r.store_chunks <= HEADER_CHUNKS)
                return refuse(&r, "it is too small", reterr);
        r.piece_bytes = chunk_bytes < PIECE_BYTES ? (size_t)chunk_bytes : PIECE_BYTES;
        r.buffer = buffer = aligned_alloc(COW_STORE_ALIGNMENT, r.piece_bytes);
        if (!buffer)
                return vss_error_from_errno(reterr, -ENOMEM, source->name);
        k = check_header(&r, reterr);
        return k < 0 ? k : read_areas(&r, reterr);
}
