#pragma once

/* Reverts that are under way, of the whole machine: what is known of them, who waits for their end,
 * and the look at them each second until they are over. Owned by the session manager. */

#include "daemon/providers/provider.h"
#include "daemon/session/async.h"
#include "daemon/session/revert-note.h"
#include "daemon/session/session.h"

struct reverts;

int reverts_new(struct reverts **ret, struct session_manager *m);
struct reverts *reverts_free(struct reverts *r);
/* The note becomes theirs on success. A revert that they have (by its intent) is not taken again:
 * 0, and the note stays the caller's. */
int reverts_add(struct reverts *r, struct revert_note *note, VSS_ID set_id, int64_t intent,
                const struct revert_progress *progress);
/* Those whose intents are open; for the start, when these have been gone through. */
void reverts_load(struct reverts *r);
/* Nothing more is begun: the service ends. */
void reverts_stop(struct reverts *r);
/* Whether the state of the service becomes what it was, with the next boot: what is begun until
 * then is not known afterwards. */
bool reverts_take_state_back(const struct reverts *r);
/* One that only a running service brings to its end. */
bool reverts_are_needed(const struct reverts *r);

/* Ends with the revert of that volume, by whatever it is called: VSS_E_OBJECT_NOT_FOUND if none is
 * under way. */
int reverts_wait(struct reverts *r, const char *volume, struct async **ret,
                 struct vss_error *reterr);

/* The rows of all, oldest first; borrowed until the next turn. 0, -ENOMEM. */
int reverts_list(struct reverts *r, struct revert_row **ret, size_t *ret_n);
