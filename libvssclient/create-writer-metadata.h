#pragma once

/* IVssCreateWriterMetadata: the document that OnIdentify fills, and what is checked beyond what
 * the document itself checks: names that differ in case, paths and their variables, what belongs
 * together. Lives while the handler runs. An express writer's document has one inside. */

#include "common/writer-metadata.h"
#include "libvssclient/hash-set.h"
#include <vss/vsmetadata.h>

struct IVssCreateWriterMetadata {
        struct writer_metadata *document;
        struct hash_set names; /* of components, the case of letters aside */
        struct hash_set sets;  /* of files of components: path, filespec, recursive; only once */
        bool has_sets;         /* somebody has asked, since there may be millions */
        bool has_log_files;
};

int create_metadata_new(IVssCreateWriterMetadata **ret,
                        const struct writer_metadata_identity *identity, struct vss_error *reterr);
IVssCreateWriterMetadata *create_metadata_free(IVssCreateWriterMetadata *m);
DEFINE_CLEANUP(IVssCreateWriterMetadata, create_metadata_free);
/* The handler has returned: is the document whole? If so, its text (malloc'ed). E_INVALIDARG. */
int create_metadata_finish(const IVssCreateWriterMetadata *m, char **ret_xml,
                           struct vss_error *reterr);
