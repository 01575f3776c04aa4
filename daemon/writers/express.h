#pragma once

/* Express writers: metadata without a process. What is registered is kept as files and reported
 * with the writers that run; it gets no events and cannot fail. Beside them, as long as there is
 * one, stands the writer whose component is these files, so that registrations are themselves saved
 * with the rest; after a restore of them it reads them again. */

#include "daemon/writers/writer.h"

struct express_writers;
struct document;

/* Reads what is registered; before anything is served. */
int express_writers_new(struct express_writers **ret, sd_event *event,
                        struct writer_registry *registry, const char *directory,
                        struct vss_error *reterr);
/* Nothing of it may be under way any more: see job_count(). */
struct express_writers *express_writers_free(struct express_writers *e);
DEFINE_CLEANUP(struct express_writers, express_writers_free);

/* done() comes from the loop, once, if the call returned 0. */
typedef void (*express_done_fn)(void *userdata, int r, struct vss_error *error);
/* E_INVALIDARG, VSS_E_INVALID_XML_DOCUMENT, VSS_E_NOT_SUPPORTED, VSS_E_OBJECT_ALREADY_EXISTS. */
int express_writers_register(struct express_writers *e, struct document *metadata,
                             express_done_fn done, void *userdata, struct vss_error *reterr);
/* VSS_E_OBJECT_NOT_FOUND */
int express_writers_unregister(struct express_writers *e, VSS_ID writer_id, express_done_fn done,
                               void *userdata, struct vss_error *reterr);
