#pragma once

/* What a writer said of one backup of a component: file sets of which only what was modified since
 * some time has to be kept. */

#include "libvssclient/files/file-set.h"

struct differenced_set {
        char *path; /* normalised (files/file-path.h) */
        char *spec;
        bool recursive;
        uint64_t time;    /* a FILETIME; 0: the requester is to find out */
        bool is_existing; /* it equals a file set of the component */
        char *crossed;    /* a set that it shares names with and does not equal; NULL: none */
};

struct differenced_files {
        struct differenced_set *sets;
        size_t n;
};

void differenced_files_done(struct differenced_files *d);
/* E_INVALIDARG: the path or the spec cannot be used. */
int differenced_files_add(struct differenced_files *d, const char *path, const char *spec,
                          bool recursive, uint64_t time, struct vss_error *reterr);
/* After the last addition, before the first question. */
void differenced_files_seal(struct differenced_files *d);
/* path: normalised. NULL: none. */
struct differenced_set *differenced_files_find(const struct differenced_files *d, const char *path,
                                               const char *spec, bool recursive);
/* A file set of the component. -ENOMEM. After the seal. */
int differenced_files_see_set(struct differenced_files *d, const struct file_set *set);
/* Is it in one of the sets? 1, 0, -ENOMEM. */
int differenced_files_name(const struct differenced_files *d, const char *directory,
                           const char *name);
