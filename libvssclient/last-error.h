#pragma once

/* The sentence that the last failing call of a thread left (VssLastErrorMessage), and the way on
 * which every exported function leaves with a failure: its vss_error becomes that sentence and the
 * HRESULT that it returns. Belongs to the thread; freed when the thread ends. */

#include "common/vss-error.h"

/* Keeps e's message for this thread, releases e, returns its HRESULT. E_UNEXPECTED becomes
 * VSS_E_UNEXPECTED: one name for one thing. */
HRESULT last_error_raise(struct vss_error *e);
/* E_INVALIDARG with a sentence. */
HRESULT last_error_argument(const char *function, const char *problem);
/* Keeps a copy of message without raising anything: news that a success brings. */
void last_error_note(const char *message);
