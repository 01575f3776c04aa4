#pragma once

/* Where the file system on a volume is mounted, and how: ended before the volume is rolled back to
 * a copy, and begun again afterwards. What it was is a text, for the intent: a line for each mount,
 * in the order in which they were made:
 *
 *      mount TARGET TYPE ROOT OPTIONS
 *
 * with blanks and control characters as in mountinfo (proc(5)). Never lazily: a file system that is
 * still there for those who have it open would write to what is another one by then. */

#include "common/vss-error.h"
#include <sys/types.h>

struct origin_mounts {
        char *text;   /* "": nowhere */
        char **names; /* what the volume is called: where it is mounted, its nodes */
        bool at_boot; /* the system runs from it, so that it cannot be ended before the next boot */
};
void origin_mounts_done(struct origin_mounts *m);
/* VSS_E_VOLUME_IN_USE: in a way that could not be brought back. VSS_E_OBJECT_NOT_FOUND: the volume
 * is not active. */
int origin_mounts_read(const char *dm_uuid, struct origin_mounts *ret, struct vss_error *reterr);
/* Ends them, or brings those back that it has ended. force: programs that are in the way are ended,
 * first in good order (SIGTERM). VSS_E_VOLUME_IN_USE names some of them. */
int origin_mounts_end(const char *dm_uuid, const char *text, bool force, struct vss_error *reterr);
/* What is mounted already is fine. The last failure, with all tried. */
int origin_mounts_again(const char *dm_uuid, const char *text, struct vss_error *reterr);

/* Whether the state of the service is in its file system. */
struct store;
int origin_has_state(const char *dm_uuid, struct store *store, bool *ret, struct vss_error *reterr);

/* For its test. */
struct origin_mount {
        char *target, *type, *root, *options;
};
struct origin_mount_list {
        struct origin_mount *items;
        size_t n;
};
void origin_mount_list_done(struct origin_mount_list *l);
/* -EBADMSG: not such a text. */
int origin_mounts_parse(const char *text, struct origin_mount_list *ret);
/* Of the file systems with that number. */
int origin_mounts_collect(dev_t devno, struct origin_mounts *ret, struct vss_error *reterr);
/* Whether who unmounts there unmounts the file system with that number. VSS_E_VOLUME_IN_USE:
 * another one is mounted over it. */
int origin_mounts_check_top(const char *target, dev_t devno, bool *ret, struct vss_error *reterr);
