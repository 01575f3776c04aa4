#pragma once

/* The documents of an event: the components that its handler is given, and what it said itself in
 * Identify. Made before or while the handler runs, gone when the event is. */

#include "libvssclient/writer-event.h"

/* Makes e->components of what the service sent, if it sent some and the phase has them. */
int writer_event_open_components(struct writer_event *e, struct vss_error *reterr);
/* The handler has returned: the document as it left it; NULL if it is unchanged. */
int writer_event_close_components(struct writer_event *e, struct document **ret,
                                  struct vss_error *reterr);
/* GetIdentifyInformation: made when it is first asked for; borrowed. */
int writer_event_examine(struct writer_event *e, struct IVssExamineWriterMetadata **ret,
                         struct vss_error *reterr);
void writer_event_drop_documents(struct writer_event *e);
