#pragma once

/* Runs what the columns of a row say.
 *
 * Statements are divided by ';':
 *
 *      BM                        the recipe of that name (states.rows), whose statements are run
 *      SetContext(12)            a call of the section's interface, else of IVssBackupComponents,
 *                                else of the only one that has it; it must succeed, and what it
 *                                began is waited for
 *      IVssComponent.GetFile(0, &)   a call of that interface
 *      start DoSnapshotSet(&)    not waited for
 *      in OnFreeze               (first of all) the recipe "in OnFreeze" is run, and what follows,
 *                                the row's call included, when the writer is asked that
 *      other() self()            the calls after it go to a second set of objects, or back
 *      null()                    the call after it gets no object
 *      is(@name, value)          what an output was
 *      drop()                    the set of objects is released
 *      many(63)                  adds so many volumes
 *      fail("stage") fail("remove", E_FAIL) slow("stage", 500) busy() breakable() revertable()
 *      reverted() lose() stranger() veto("OnFreeze") mute("OnFreeze") muted() damaged("") nest()
 *      deep() block() leave()
 *                                what fixture.h can break
 *
 * All objects, variables and breakages of a row go with it. */

#include "tests/conformance/rows.h"
#include <vss/vswriter.h>

struct outcome {
        HRESULT hr;        /* of the row's call; of the operation that it began, if it began */
        char message[512]; /* what was said of it */
        char problem[512]; /* why there is no such code; "": there is */
        bool armed;        /* the allocation that was to fail came */
};

void machine_init(const struct rows *states);
/* Runs the recipe "documents", whose variables all rows have. A problem is printed. */
void machine_prepare(void);
/* setup, then the call, then after (NULL: nothing). fail_allocation: the n-th allocation of the
 * call fails, in the library (or, remote, in the service); 0: none. */
struct attempt {
        const char *section, *setup, *method, *arguments, *after;
        unsigned fail_allocation;
        bool remote;
};
void machine_perform(const struct attempt *a, struct outcome *ret);
/* As one session: setup first, then call by call. machine_end() ends it. */
bool machine_begin(const char *section, const char *setup, char problem[static 512]);
void machine_call(const char *section, const char *method, const char *arguments,
                  struct outcome *ret);
void machine_end(void);
/* From the writer's thread: makes the writer's document (the recipe "document"). */
bool machine_document(CVssWriter *writer, IVssCreateWriterMetadata *metadata);
/* From there: does what waits for this handler. object: of that slot's name, lent. */
void machine_handler(const char *handler, CVssWriter *writer, const char *slot, void *object);
