#pragma once

/* A Writer Metadata Document that has things which the model does not have is printed as it was
 * read, but on one line: unknown elements, attributes and words are kept. */

#include "common/writer-metadata-model.h"
#include "common/xml-input.h"

/* Is it the name of an element that is known somewhere? */
bool metadata_is_element(const char *name);

/* A second pass, for such documents alone. */
int metadata_read_verbatim(struct writer_metadata *m, const struct xml_input *input,
                           struct vss_error *reterr);
