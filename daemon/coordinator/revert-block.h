#pragma once

/* ShouldBlockRevert: does a volume hold files of a writer whose restore a revert would get in the
 * way of? The administrator names such writers, a class id per line, in
 * /etc/vss/revert-block.d (files *.conf); which files they have is asked of them. Advice only:
 * nothing here keeps anybody from reverting. */

#include "daemon/writers/participant.h"

#define REVERT_BLOCK_DIRECTORY "/etc/vss/revert-block.d"

/* Class ids from the directory's files; a line that is none is left out with a warning, "#" begins
 * a comment. No directory: none. For workers. */
int revert_block_read(const char *directory, VSS_ID **ret, size_t *ret_n, struct vss_error *reterr);

/* r < 0: error says why. Otherwise blocked is the answer. */
typedef void (*revert_block_done_fn)(void *userdata, int r, bool blocked, struct vss_error *error);
struct revert_block_request {
        sd_event *event;
        struct writer_registry *writers;
        const char *volume;    /* as the caller names it; copied */
        const char *directory; /* NULL: REVERT_BLOCK_DIRECTORY; static */
        uint64_t timeout_usec; /* for the writers' Identify */
};
/* done() comes from the loop, once, if the call returned 0. VSS_E_OBJECT_NOT_FOUND (no such
 * volume), E_INVALIDARG. */
int revert_block_ask(const struct revert_block_request *request, revert_block_done_fn done,
                     void *userdata, struct vss_error *reterr);
