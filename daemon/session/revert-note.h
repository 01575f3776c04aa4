#pragma once

/* What is noted of a revert before anything is changed: the data of its intent, which stays open
 * until the revert is over, over restarts of the service and of the machine. It says all that the
 * next start needs, with no row of the snapshot: the state itself may have been reverted.
 *
 *      revert ID TOTAL BOOT now|boot|boot-with-state
 *      provider NAME
 *      origin UUID
 *      volume NAME
 *      device NAME                 the copy's node
 *      name NAME                   any number: what else the volume is called
 *      mount ...                   any number: origin-mounts.h
 *      data ...                    to the end: the provider's own text
 *
 * Names have no blanks or control characters that are not escaped as in mountinfo (proc(5)). */

#include "common/vss-error.h"
#include "daemon/store/store.h"

struct revert_note {
        VSS_ID id;      /* the snapshot's */
        uint64_t total; /* bytes to be copied back at the beginning; 0: not known */
        char *boot;     /* in which it was begun */
        bool at_boot;   /* it begins with the next one */
        bool has_state; /* and takes the state of the service along */
        char *provider, *origin_uuid, *volume, *device, *data;
        char **names;
        char *mounts; /* to be made again; "": it was not mounted, or is by now */
};
void revert_note_done(struct revert_note *n);
int revert_note_format(const struct revert_note *n, char **ret);
/* -EBADMSG: not such a text. */
int revert_note_parse(struct revert_note *ret, const char *data);
/* As the provider wants it; borrows the note's strings. */
struct snapshot_record revert_note_record(const struct revert_note *n, VSS_ID set_id);

bool revert_has_intent(const struct intent_record *intent);
int revert_note_open(const struct revert_note *n, struct store *store, VSS_ID set_id, int64_t *ret,
                     struct vss_error *reterr);
