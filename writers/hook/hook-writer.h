#pragma once

/* One application: a CVssWriter that answers the service's events with the commands of its ini
 * file. The library calls the handlers on a thread of the writer's own, one at a time; what other
 * threads may ask is said below.
 *
 * An application whose Freeze command was started is always thawed: by Thaw, else by Abort, else by
 * the library's own timer, which calls Abort; and if this process dies, by its next start. */

#include "writers/hook/hook-config.h"

struct hook_writer;

/* What all writers of the process share. */
struct hook_writer_host {
        int stop_fd; /* readable once the process is to end: commands that can be, are stopped */
        void (*idle)(
                void *userdata); /* from a writer's thread: hook_writer_is_busy() became false */
        void *userdata;
};

/* Takes over config, on success only. -ESRCH: there is no such user. host is borrowed. */
int hook_writer_new(struct hook_writer **ret, struct hook_config *config,
                    const struct hook_writer_host *host);
/* Leaves the service; waits for a handler that runs, and thaws what is frozen. */
struct hook_writer *hook_writer_free(struct hook_writer *w);
DEFINE_CLEANUP(struct hook_writer, hook_writer_free);

/* Registers with the service, waiting for it no longer than timeout_ms. */
HRESULT hook_writer_subscribe(struct hook_writer *w, unsigned timeout_ms);
bool hook_writer_is_subscribed(const struct hook_writer *w);
const struct hook_config *hook_writer_config(const struct hook_writer *w);
/* Between PrepareSnapshot and the end of PostSnapshot or Abort: not a moment to replace it. From
 * any thread. */
bool hook_writer_is_busy(const struct hook_writer *w);
/* Runs Thaw for an application that an earlier process left frozen. Before subscribing. */
void hook_writer_rescue(struct hook_writer *w);
