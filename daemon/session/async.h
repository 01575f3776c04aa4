#pragma once

/* IVssAsync on the daemon's side: one operation under way for a session. It is created running,
 * moves once to finished, cancelled or failed, and then never changes. Reference-counted: the
 * session's operation and the bus object are two real owners. */

#include "common/vss-error.h"

struct async;

typedef void (*async_cancel_fn)(void *userdata);
/* what: ASYNC_PROGRESS (phase or progress changed) or ASYNC_COMPLETED. */
enum async_change { ASYNC_PROGRESS, ASYNC_COMPLETED };
typedef void (*async_observer_fn)(void *userdata, struct async *a, enum async_change change);

/* name: static, "DoSnapshotSet". cancel may be NULL: the operation cannot be cancelled. */
int async_new(struct async **ret, const char *name, async_cancel_fn cancel, void *userdata);
struct async *async_ref(struct async *a);
struct async *async_unref(struct async *a);
/* Whether somebody else has a reference, too. */
bool async_is_shared(const struct async *a);
DEFINE_CLEANUP(struct async, async_unref);
void async_set_observer(struct async *a, async_observer_fn fn, void *userdata);

const char *async_name(const struct async *a);
/* VSS_S_ASYNC_PENDING, _FINISHED, _CANCELLED or the operation's failure. */
HRESULT async_status(const struct async *a);
const char *async_message(const struct async *a); /* "" unless failed */
const char *async_phase(const struct async *a);   /* static string, "" at first */
unsigned async_progress(const struct async *a);   /* per cent */

void async_set_phase(struct async *a, const char *phase, unsigned progress);
/* error NULL or hr S_OK: finished. Keeps a copy of the message. Idempotent after the first. */
void async_complete(struct async *a, const struct vss_error *error);
/* IVssAsync::Cancel: S_OK accepted, VSS_S_ASYNC_CANCELLED already, VSS_S_ASYNC_FINISHED, or the
 * operation's error. */
HRESULT async_cancel(struct async *a);
/* The operation answers a cancel by completing so: status becomes VSS_S_ASYNC_CANCELLED. */
void async_complete_cancelled(struct async *a);
