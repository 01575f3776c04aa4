/* The counted document. */

#include "libvssclient/wm-document.h"
#include <stdatomic.h>

struct wm_document {
        atomic_uint refs;
        struct writer_metadata *metadata;
};

int wm_document_new(struct wm_document **ret, struct writer_metadata *metadata,
                    struct vss_error *reterr) {
        struct wm_document *d = malloc(sizeof(*d));

        if (!d) {
                writer_metadata_free(metadata);
                return vss_error_from_errno(reterr, -ENOMEM, "A writer's metadata");
        }
        atomic_init(&d->refs, 1);
        d->metadata = metadata;
        *ret = d;
        return 0;
}

struct wm_document *wm_document_ref(struct wm_document *d) {
        atomic_fetch_add(&d->refs, 1);
        return d;
}

struct wm_document *wm_document_unref(struct wm_document *d) {
        if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
                return NULL;
        writer_metadata_free(d->metadata);
        free(d);
        return NULL;
}

const struct writer_metadata *wm_document_get(const struct wm_document *d) {
        return d->metadata;
}

bool wm_copy_text(const char *text, BSTR *ret) {
        *ret = str_empty(text) ? NULL : strdup(text);
        return *ret || str_empty(text);
}
