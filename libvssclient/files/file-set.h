#pragma once

/* What a writer's file set means for one backup: is it in, must it be read from the copy, and with
 * paths that can be compared. A value; whoever made it is done with file_set_done(). */

#include "common/writer-metadata.h"

#include <time.h>

struct file_set {
        char *path;   /* where the files belong; normalised (file-path.h) */
        char *source; /* where they are; the same, or the alternate path */
        char *spec;
        bool recursive;
        bool copy_required; /* may not be read from the original */
        bool from_original; /* may not be read from a copy: it may be younger than that */
        bool may_be_absent; /* an explicit name need not be there (yet) */
        bool has_since;     /* only what was modified then or later: */
        struct timespec since;
};

/* The type that a writer of this schema does when a requester asks for this one (4.6). */
VSS_BACKUP_TYPE file_set_backup_type(uint32_t schema, VSS_BACKUP_TYPE asked);
/* type: as file_set_backup_type gives it. */
bool file_set_is_in_backup(enum writer_metadata_list list, uint32_t mask, VSS_BACKUP_TYPE type);
bool file_set_needs_copy(uint32_t mask, VSS_BACKUP_TYPE type);

/* E_INVALIDARG: the paths or the spec cannot be used. */
int file_set_init(struct file_set *ret, const struct writer_metadata_files *files,
                  VSS_BACKUP_TYPE type, struct vss_error *reterr);
void file_set_done(struct file_set *s);
/* filetime: 100 ns since 1601; 0: any. */
void file_set_limit(struct file_set *s, uint64_t filetime);

/* Does the set have files in this directory, or could it? */
bool file_set_reaches(const struct file_set *s, const char *directory);
