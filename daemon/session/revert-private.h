#pragma once

/* A revert, between its files and nobody else. All of it blocks and is for workers. */

#include "daemon/session/reverts.h"

/* Before the next one nothing happens. */
bool revert_waits_for_boot(const struct revert_note *n);
/* How far it is, which progress had at the last look: what should have begun is, what is copied is
 * ended, and what is over is forgotten. With REVERT_NONE it is called off: the volume is as it was,
 * and the intent closed. If that fails progress is known all the same, or as it was.
 */
int revert_look(struct store *store, struct revert_note *n, VSS_ID set_id, int64_t intent,
                struct revert_progress *progress, struct vss_error *reterr);
/* Once it reads as the copy; before, what is written to it would be lost. That is tried once, and
 * is not done again when it has worked: somebody may end it. */
void revert_mount(struct store *store, struct revert_note *n, VSS_ID set_id, int64_t intent,
                  enum revert_state state);
/* Intent and row. */
int revert_forget(struct store *store, const struct revert_note *n, int64_t intent,
                  struct vss_error *reterr);
/* The volume is as it was before, in use where it was, and the intent is closed. */
int revert_undo(struct store *store, const struct revert_note *n, VSS_ID set_id, int64_t intent,
                struct vss_error *reterr);
