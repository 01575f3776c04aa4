#pragma once

/* The files of a component of which only ranges are backed up. Either a file
 * set of the component has such a file, which then says where and whence it is read; or the file is
 * new to the component, lies at or below the path of one, and must be in a copy. */

#include "libvssclient/files/file-set.h"

struct partial_file {
        char *directory, *name; /* normalised */
        char *ranges;
        char *metadata;     /* NULL: none */
        char *source;       /* the directory to read it in; NULL: its own */
        bool has_set;       /* a file set names it */
        bool is_below;      /* it lies at or below the path of one */
        bool copy_required; /* may not be read from the original */
        bool dropped;       /* not partial after all */
};

struct partial_files;

int partial_files_new(struct partial_files **ret, struct vss_error *reterr);
struct partial_files *partial_files_free(struct partial_files *p);
DEFINE_CLEANUP(struct partial_files, partial_files_free);

/* As AddPartialFile was given it. E_INVALIDARG: a path or a name that cannot be used. */
int partial_files_add(struct partial_files *p, const char *path, const char *name,
                      const char *ranges, const char *metadata, struct vss_error *reterr);
/* After the last addition, before the first question. Of two entries for one file the later goes.
 */
void partial_files_seal(struct partial_files *p);
/* A file set of the component, in this backup or not. -ENOMEM. After the seal. */
int partial_files_see_set(struct partial_files *p, const struct file_set *set);
/* It is backed up as if it were none. */
void partial_files_drop(struct partial_files *p, size_t i);
/* NULL: none; p NULL is allowed. */
const struct partial_file *partial_files_find(const struct partial_files *p, const char *directory,
                                              const char *name);
const struct partial_file *partial_files_get(const struct partial_files *p, size_t i);

/* The path of the file that its ranges are in; NULL: they are a list. */
const char *partial_file_ranges_path(const struct partial_file *f);
