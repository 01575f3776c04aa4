/* Sets of files out of a document. */

#include "libvssclient/last-error.h"
#include "libvssclient/wm-document.h"
#include "libvssclient/wm-filedesc.h"

HRESULT wm_document_files(struct wm_document *d, const char *function,
                          enum writer_metadata_list list, size_t component, UINT i,
                          IVssWMFiledesc **ret) {
        const struct writer_metadata *m = wm_document_get(d);
        struct writer_metadata_files files;
        struct vss_error error = { 0 };

        if (!writer_metadata_get_files(m, list, component, i, &files))
                (void)vss_error_set(&error, VSS_E_OBJECT_NOT_FOUND, 0,
                                    "%s: there is no set of files %u; there are %zu", function, i,
                                    writer_metadata_n_files(m, list, component));
        else if (filedesc_new(ret, &files, d, &error) >= 0)
                return S_OK;
        return last_error_raise(&error);
}
