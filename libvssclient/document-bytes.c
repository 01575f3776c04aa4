/* A document from a file: whatever encoding XML from Windows comes in, as the text that the
 * functions of this library take. */

#include "common/document.h"
#include "common/wire.h"
#include "common/xml-input.h"
#include "libvssclient/last-error.h"
#include <vss/vsslinux.h>

HRESULT VssDocumentFromBytes(const void *bytes, size_t size, BSTR *document) {
        _cleanup_(xml_input_done) struct xml_input input = { 0 };
        _cleanup_(freep) char *text = NULL;
        struct vss_error error = { 0 };

        if (!document)
                return last_error_argument(__func__, "document is NULL");
        *document = NULL;
        if (!bytes || size == 0)
                return last_error_argument(__func__, "bytes is NULL, or size is 0");
        /* The nodes are bounded by who reads it, each as its kind of document has. */
        if (xml_input_init(&input, "The document", bytes, size, DOCUMENT_MAX, SIZE_MAX, &error) < 0)
                return last_error_raise(&error);
        text = strndup(input.text, input.size);
        if (!text)
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
        else if (!wire_is_utf8(text))
                (void)vss_error_set(&error, VSS_E_INVALID_XML_DOCUMENT, 0,
                                    "The document is neither UTF-8 nor UTF-16; convert it, as with "
                                    "iconv(1)");
        if (error.hr != S_OK)
                return last_error_raise(&error);
        *document = TAKE_PTR(text);
        return S_OK;
}
