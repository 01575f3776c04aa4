#pragma once

/* IVssWriterComponents: one writer's components in a Backup Components Document, as an object of
 * the public API. It owns the document; the IVssComponent that it hands out hold on to it. Two
 * roles: a requester reads the state of a session's document as it was when it was fetched, until
 * its generation is over; a writer reads and writes during one event. */

#include "common/backup-document.h"
#include "common/document.h"
#include "libvssclient/generation.h"

/* For IVssBackupComponents::GetWriterComponents. text: a document with the components of one writer
 * (the first counts); instance_id, writer_id: what GetWriterInfo says. restore: the session is a
 * restore. The caller gets the one reference. */
int writer_components_new_for_requester(IVssWriterComponents **ret, struct generation *g,
                                        bool restore, VSS_ID instance_id, VSS_ID writer_id,
                                        const char *text, size_t size, struct vss_error *reterr);

/* For a handler. text: the components of the event. The caller gets the one reference. */
int writer_components_new_for_writer(IVssWriterComponents **ret, enum backup_phase phase,
                                     const char *text, size_t size, struct vss_error *reterr);
/* What else is known to it: what the writer said in Identify (NULL: not kept), which is referenced,
 * and the volumes of the set (NULL: not known), which have to hold until finish. */
void writer_components_know(IVssWriterComponents *components, struct document *identity,
                            char **volumes);
/* Was one of them marked by SetFailure with a failure? */
bool writer_components_any_failed(const IVssWriterComponents *components);
/* The handler has returned: the document as it left it (malloc'ed), or NULL if it is unchanged.
 * From now on the object, and what came from it, answers VSS_E_BAD_STATE, also if this fails. The
 * caller still has to drop its reference: IVssWriterComponentsExt_Release(). */
int writer_components_finish(IVssWriterComponents *components, char **ret_xml, size_t *ret_size,
                             struct vss_error *reterr);
