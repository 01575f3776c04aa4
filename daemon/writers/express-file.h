#pragma once

/* The files of express writers: DIRECTORY/<writer id>.xml, each a Writer Metadata Document. Nothing
 * in them is trusted, not even what was written here. Everything here may block and runs on
 * workers, or before the service serves. */

#include "common/writer-metadata.h"

#define EXPRESS_WRITERS_MAX 256U
#define EXPRESS_DOCUMENT_MAX ((size_t)16 * 1024 * 1024)

struct document;

/* What was read of one. */
struct express_document {
        struct writer_metadata *metadata;
        struct document *text; /* the same, as it goes to requesters */
};
void express_document_done(struct express_document *d);

/* E_INVALIDARG, VSS_E_INVALID_XML_DOCUMENT; VSS_E_NOT_SUPPORTED for what an express writer cannot
 * have: anything that needs a process. */
int express_document_read(struct express_document *ret, struct document *text,
                          struct vss_error *reterr);

/* The directory is made if it is not there. Files that are not right are left out, with a warning;
 * what a crash left half written goes. */
int express_files_load(const char *directory, struct express_document **ret, size_t *ret_n,
                       struct vss_error *reterr);
void express_documents_free(struct express_document *documents, size_t n);
/* All of it, and safely on disk, or nothing. VSS_E_OBJECT_ALREADY_EXISTS. */
int express_file_write(const char *directory, VSS_ID writer_id, struct document *text,
                       struct vss_error *reterr);
/* VSS_E_OBJECT_NOT_FOUND */
int express_file_remove(const char *directory, VSS_ID writer_id, struct vss_error *reterr);
