#pragma once

/* A Writer Metadata Document that several objects read. It does not change any more. Counted, by
 * any thread. */

#include "common/writer-metadata.h"
#include <vss/vsmetadata.h>

struct wm_document;

/* Takes metadata over, on failure too. */
int wm_document_new(struct wm_document **ret, struct writer_metadata *metadata,
                    struct vss_error *reterr);
struct wm_document *wm_document_ref(struct wm_document *d);
struct wm_document *wm_document_unref(struct wm_document *d); /* NULL is allowed; returns NULL */
DEFINE_CLEANUP(struct wm_document, wm_document_unref);
const struct writer_metadata *wm_document_get(const struct wm_document *d);

/* Hands out the file set i of a list (see writer_metadata_get_files): the whole of an exported
 * method behind its checks. VSS_E_OBJECT_NOT_FOUND. */
HRESULT wm_document_files(struct wm_document *d, const char *function,
                          enum writer_metadata_list list, size_t component, UINT i,
                          IVssWMFiledesc **ret);
/* A copy for the caller of a text that may be absent: NULL then. False: no memory. */
bool wm_copy_text(const char *text, BSTR *ret);
