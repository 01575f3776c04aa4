#pragma once

/* What the rows meet: a service, on a private bus with storage that is not there or a real one, and
 * a writer of this process (CVssWriter) that has components of all kinds. */

#include <vss/vss.h>

/* address NULL: the private bus; "system": the system bus. */
void fixture_start(const char *address);
void fixture_stop(void);
const char *fixture_address(void);
/* The service is the private one, so that things can be broken. */
bool fixture_is_private(void);

/* What a row may break; false: not possible here. All is mended by fixture_mend(). */
/* hr S_OK: with the code of its own. */
bool fixture_fail(const char *step, HRESULT hr);
bool fixture_slow(const char *step, unsigned milliseconds);
bool fixture_busy(void);
/* Copies can be broken off. */
bool fixture_breakable(void);
/* Volumes can be reverted; what is under way goes on until the row has ended, or .. */
bool fixture_revertable(void);
/* .. it ends by itself, with the step "revert-end". */
bool fixture_reverted(void);
/* The second volume lies on the first; in a disk image inside a disk image. */
bool fixture_nest(void);
bool fixture_deep(void);
/* The administrator lists the suite's writer as one that blocks reverts. */
bool fixture_block(void);
/* The service is killed. */
bool fixture_lose(void);
/* The calls after it are those of a user who has no rights. */
bool fixture_stranger(void);
/* Its n-th allocation from now fails; 0: none. */
bool fixture_remote_memory(unsigned n);
/* The writer answers this handler with false; never. */
bool fixture_veto(const char *handler);
bool fixture_mute(const char *handler);
/* Waits until that one was entered. */
bool fixture_muted(void);
/* There is another writer (@damaged_writer, @damaged_instance), whose answer to this event is no
 * answer; "": whose metadata is no document. */
bool fixture_damaged(const char *event);
/* From a handler: another thread ends the writer meanwhile. */
bool fixture_leave(void);
void fixture_mend(void);
