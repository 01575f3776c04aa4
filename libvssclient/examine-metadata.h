#pragma once

/* IVssExamineWriterMetadata and what it hands out: objects that are made when they are asked for,
 * over one document that they share. */

#include "libvssclient/wm-document.h"
#include <vss/vsmetadata.h>

/* Takes document over, on failure too. The caller gets the one reference. */
int examine_metadata_new(IVssExamineWriterMetadata **ret, struct writer_metadata *document,
                         struct vss_error *reterr);
/* From its text. VSS_E_INVALID_XML_DOCUMENT. */
int examine_metadata_parse(IVssExamineWriterMetadata **ret, const char *text, size_t size,
                           struct vss_error *reterr);
/* The document that it reads now, a new reference. */
struct wm_document *examine_metadata_ref(IVssExamineWriterMetadata *metadata);
