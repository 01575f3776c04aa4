#pragma once

/* The store of a persistent dm-snapshot as it lies on its device (Linux: drivers/md/
 * dm-snap-persistent.c), read for the chunks that it has: those of the origin that were copied out
 * of it before they were overwritten, and those that were written into the copy itself.
 *
 *      chunk 0         magic, valid, version, sectors of a chunk: 32 bits each
 *      chunk 1         area 0: pairs of 64 bits (chunk of the origin, chunk of the store), as many
 *                      as a chunk has room for; the first whose second is 0 is the end
 *      chunks 2..      as many chunks of data
 *      then            area 1, its data, and so on
 *
 * All numbers are little-endian. Nothing in it is trusted, nor followed: which chunk holds the data
 * is looked at only for being one that can. What is read is bounded by the device's size, and
 * memory by a buffer of 64 KiB.
 *
 * The kernel may be writing it. It appends pairs in their order and rewrites those before as they
 * were, writes an area of zeroes before the area in front of it is full, and lets a write of the
 * origin go on only when its pair is on the disk. So what is found, piece by piece, is complete for
 * all that was written before the reading began. A piece in the middle of being written can look
 * damaged: it is read again before that is believed. */

#include "common/vss-error.h"

#define COW_STORE_ALIGNMENT 4096

struct cow_source {
        const char *name; /* for messages */
        uint64_t bytes;   /* of the device */
        /* n bytes from offset on, both and the buffer multiples of COW_STORE_ALIGNMENT. 0, or a
         * negative errno also where there are fewer. */
        int (*read)(void *userdata, void *buffer, size_t n, uint64_t offset);
        void *userdata;
};

/* What the kernel says of it. */
struct cow_store {
        uint64_t chunk_bytes;  /* a power of two, from 4 KiB to 1 GiB */
        uint64_t origin_bytes; /* of what it is a copy of */
        uint64_t full_areas;   /* it must have at least; 0: not known */
};

/* A chunk that it has. */
typedef void (*cow_store_fn)(void *userdata, uint64_t chunk);

/* VSS_E_BAD_STATE: the kernel has marked it as not valid. VSS_E_UNEXPECTED_PROVIDER_ERROR: it is
 * none, or damaged, or cannot be read. On failure found() may have been called. */
int cow_store_read(const struct cow_source *source, const struct cow_store *store,
                   cow_store_fn found, void *userdata, struct vss_error *reterr);
