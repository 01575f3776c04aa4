#pragma once

/* XML from elsewhere, before and while libxml2 reads it. It is hostile: no document type, so no
 * entities; nothing is fetched; depth, attributes of an element, size and number of nodes are
 * bounded before the parser sees them; the first error ends it. UTF-8 and UTF-16 are read, with or
 * without a byte order mark, whatever the XML declaration says. */

#include "common/vss-error.h"
#include <libxml/parser.h>

#define XML_INPUT_DEPTH_MAX 64u
#define XML_INPUT_ATTRIBUTES_MAX 256u /* of one element: libxml2 compares each with each */

struct xml_input {
        const char *what; /* names the document in messages; static */
        const char *text; /* UTF-8; borrowed, or converted */
        size_t size;
        char *converted;
        size_t n_nodes; /* elements and attributes */
};

/* size_max: in bytes as UTF-8. VSS_E_INVALID_XML_DOCUMENT, E_OUTOFMEMORY. text must live as long as
 * the input. */
int xml_input_init(struct xml_input *input, const char *what, const char *text, size_t size,
                   size_t size_max, size_t n_nodes_max, struct vss_error *reterr);
void xml_input_done(struct xml_input *input);

bool xml_is_blank(const char *text, size_t size);

/* Feeds the handler, whose serror is set here. Its functions get a struct xml_parse, and end the
 * parsing with xml_parse_stop(). ret_tree (NULL allowed): what SAX2's functions made. */
struct xml_parse {
        xmlParserCtxt *context;
        const char *what;
        void *user;
        struct vss_error *reterr;
        int r;                     /* the first failure */
        endDocumentSAXFunc on_end; /* the handler's */
        bool ended;                /* the text was read, well or not */
};
int xml_input_parse(const struct xml_input *input, const xmlSAXHandler *handler, void *user,
                    xmlDoc **ret_tree, struct vss_error *reterr);
/* Of what SAX functions are given (libxml2's own want the context itself). */
struct xml_parse *xml_parse_of(void *context);
/* VSS_E_INVALID_XML_DOCUMENT with the line and the sentence, which says what is wrong there. */
void xml_parse_refuse(struct xml_parse *parse, const char *format, ...) _printf_(2, 3);
void xml_parse_stop(struct xml_parse *parse, int r);
