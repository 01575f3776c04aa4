#pragma once

/* The steps of the start, each of one intent or one snapshot; they block for as long as the storage
 * does. What cannot be put right is said in the log and keeps nothing else from it. -ETIMEDOUT: the
 * storage, or somebody else who works on it, did not answer, and the step is to be tried again. */

#include "daemon/session/manager-private.h"

/* After so long; a test wants less. */
extern uint64_t recovery_retry_usec;

/* As a provider's origins(): the volumes that it is about, none if that cannot be known. */
int recovery_intent_origins(struct store *store, const struct intent_record *intent, char ***uuids,
                            char ***names, struct vss_error *reterr);
/* The origin with this UUID, and this name for the log, is resumed. */
void recovery_rescue_intent(const struct intent_record *intent, const char *uuid, const char *name);
/* Undoes what it announces, and closes it. */
int recovery_undo_intent(struct store *store, const struct intent_record *intent);
/* Deletes what was not to outlive its requester or has expired, makes readable what was to stay. */
int recovery_settle_snapshot(struct store *store, const struct snapshot_record *r, bool *ret_gone);
