#pragma once

/* Which sets of files a Writer Metadata Document has, of which components: for whoever asks often,
 * since there may be a million. Made once, of a document that does not change any more. */

#include "common/writer-metadata.h"

struct file_set_index;

/* -ENOMEM. */
int file_set_index_new(struct file_set_index **ret, const struct writer_metadata *m);
struct file_set_index *file_set_index_free(struct file_set_index *x);
DEFINE_CLEANUP(struct file_set_index, file_set_index_free);

struct file_set_key {
        const char *path; /* with or without a separator at its end */
        const char *filespec;
        bool recursive;
};
/* Has the component, or one below it, these files? */
bool file_set_index_has(const struct file_set_index *x, const char *logical_path, const char *name,
                        const struct file_set_key *key);
/* Has the writer an alternate location for them? */
bool file_set_index_maps(const struct file_set_index *x, const struct file_set_key *key);
