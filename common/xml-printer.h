#pragma once

/* XML as text, through libxml2's output: UTF-8, one line, no declaration. The text grows in one
 * block, so that no second copy of a large document exists. */

#include "common/vss-error.h"
#include <libxml/tree.h>
#include <libxml/xmlIO.h>

struct xml_printer {
        xmlOutputBuffer *output;
        char *text;
        size_t size, n_allocated;
        bool failed; /* memory ran out; the rest does nothing */
};

void xml_printer_init(struct xml_printer *p);
/* Markup, as it is. */
void xml_printer_markup(struct xml_printer *p, const char *markup);
/* The value of an attribute, and the text of an element. */
void xml_printer_escaped(struct xml_printer *p, const char *value);
void xml_printer_text(struct xml_printer *p, const char *text);
/* `name="value"`, the value escaped. */
void xml_printer_value(struct xml_printer *p, const char *name, const char *value);
/* The same after a blank. */
void xml_printer_attribute(struct xml_printer *p, const char *name, const char *value);
/* An element with all that is in it; its document's encoding must be UTF-8. */
void xml_printer_tree(struct xml_printer *p, xmlDoc *document, xmlNode *node);
/* The text, 0-terminated; p is empty then. E_OUTOFMEMORY; what: names the document. */
int xml_printer_finish(struct xml_printer *p, const char *what, char **ret, size_t *ret_size,
                       struct vss_error *reterr);
