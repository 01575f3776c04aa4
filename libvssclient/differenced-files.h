#pragma once

/* What a writer said of one backup of a component: file sets of which only what was modified since
 * some time has to be kept (spec/writer.md, 4.14). */

#include "common/vss-error.h"

struct differenced_set {
        char *path; /* normalised (files/file-path.h) */
        char *spec;
        bool recursive;
        uint64_t time;    /* a FILETIME; 0: the requester is to find out */
        bool is_existing; /* it equals a file set of the component */
};

struct differenced_files {
        struct differenced_set *sets;
        size_t n;
};

void differenced_files_done(struct differenced_files *d);
/* E_INVALIDARG: the path cannot be used. */
int differenced_files_add(struct differenced_files *d, const char *path, const char *spec,
                          bool recursive, uint64_t time, struct vss_error *reterr);
/* After the last addition, before the first question. */
void differenced_files_seal(struct differenced_files *d);
/* path: normalised. NULL: none. */
struct differenced_set *differenced_files_find(const struct differenced_files *d, const char *path,
                                               const char *spec, bool recursive);
