/* What libxml2 tells goes to the printer at once; no tree is made. Default namespaces are written
 * for the root, and for elements that nobody here knows: those of known elements do not matter. */

#include "common/writer-metadata-verbatim.h"
#include "common/xml-printer.h"
#include <limits.h>

struct echo {
        struct xml_printer printer;
        bool in_start; /* a start tag has no '>' yet */
        char *text;    /* of which libxml2 tells in pieces */
        size_t text_size, n_allocated;
        size_t depth, unknown_depth; /* unknown_depth: of the outermost unknown element, or 0 */
};

static struct echo *echo_of(void *context) {
        return xml_parse_of(context)->user;
}

/* The printer takes 0-terminated texts. */
static void print_piece(struct xml_printer *p, const char *text, size_t size,
                        void (*print)(struct xml_printer *p, const char *text)) {
        _cleanup_(freep) char *copy = strndup(text, size);

        if (copy)
                print(p, copy);
        else
                p->failed = true;
}

/* Before any other markup: the '>' that is due, and the text so far, unless it is blank. */
static void flush(struct echo *e, bool ends_element) {
        bool has_text = !xml_is_blank(e->text, e->text_size);

        if (e->in_start && (has_text || !ends_element)) {
                xml_printer_markup(&e->printer, ">");
                e->in_start = false;
        }
        if (has_text)
                print_piece(&e->printer, e->text, e->text_size, xml_printer_text);
        e->text_size = 0;
}

static void print_name(struct xml_printer *p, const xmlChar *prefix, const xmlChar *name) {
        if (prefix) {
                xml_printer_markup(p, (const char *)prefix);
                xml_printer_markup(p, ":");
        }
        xml_printer_markup(p, (const char *)name);
}

static void print_namespace(struct xml_printer *p, const xmlChar *prefix, const xmlChar *uri) {
        xml_printer_markup(p, prefix ? " xmlns:" : " xmlns");
        if (prefix)
                xml_printer_markup(p, (const char *)prefix);
        xml_printer_markup(p, "=\"");
        xml_printer_escaped(p, str_or_empty((const char *)uri));
        xml_printer_markup(p, "\"");
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes) {
        struct echo *e = echo_of(context);
        struct xml_printer *p = &e->printer;

        (void)uri;
        (void)n_defaulted;
        flush(e, false);
        e->in_start = true;
        e->depth++;
        if (e->unknown_depth == 0 && !metadata_is_element((const char *)name))
                e->unknown_depth = e->depth;
        xml_printer_markup(p, "<");
        print_name(p, prefix, name);
        if (e->depth == 1)
                print_namespace(p, NULL, BAD_CAST WRITER_METADATA_NAMESPACE);
        for (int i = 0; i < n_namespaces; i++)
                if (namespaces[2 * i] || e->unknown_depth > 0)
                        print_namespace(p, namespaces[2 * i], namespaces[2 * i + 1]);
        for (int i = 0; i < n_attributes; i++, attributes += 5) {
                xml_printer_markup(p, " ");
                print_name(p, attributes[1], attributes[0]);
                xml_printer_markup(p, "=\"");
                print_piece(p, (const char *)attributes[3], (size_t)(attributes[4] - attributes[3]),
                            xml_printer_escaped);
                xml_printer_markup(p, "\"");
        }
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
        struct echo *e = echo_of(context);

        (void)uri;
        flush(e, true);
        if (e->in_start)
                xml_printer_markup(&e->printer, "/>");
        else {
                xml_printer_markup(&e->printer, "</");
                print_name(&e->printer, prefix, name);
                xml_printer_markup(&e->printer, ">");
        }
        e->in_start = false;
        if (e->unknown_depth == e->depth)
                e->unknown_depth = 0;
        e->depth--;
}

static void on_characters(void *context, const xmlChar *characters, int n) {
        struct echo *e = echo_of(context);
        size_t wanted = e->text_size + (size_t)n;

        if (wanted > e->n_allocated) {
                size_t more = wanted > 2 * e->n_allocated ? wanted : 2 * e->n_allocated;
                char *grown = realloc(e->text, more);

                if (!grown) {
                        e->printer.failed = true;
                        return;
                }
                e->text = grown;
                e->n_allocated = more;
        }
        memcpy(e->text + e->text_size, characters, (size_t)n);
        e->text_size = wanted;
}

static void on_comment(void *context, const xmlChar *text) {
        struct echo *e = echo_of(context);

        if (e->depth == 0)
                return;
        flush(e, false);
        xml_printer_markup(&e->printer, "<!--");
        xml_printer_markup(&e->printer, str_or_empty((const char *)text));
        xml_printer_markup(&e->printer, "-->");
}

static void on_instruction(void *context, const xmlChar *target, const xmlChar *text) {
        struct echo *e = echo_of(context);

        if (e->depth == 0)
                return;
        flush(e, false);
        xml_printer_markup(&e->printer, "<?");
        xml_printer_markup(&e->printer, (const char *)target);
        if (text) {
                xml_printer_markup(&e->printer, " ");
                xml_printer_markup(&e->printer, (const char *)text);
        }
        xml_printer_markup(&e->printer, "?>");
}

static const xmlSAXHandler handler = {
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_characters,
        .ignorableWhitespace = on_characters,
        .cdataBlock = on_characters,
        .comment = on_comment,
        .processingInstruction = on_instruction,
};

int metadata_read_verbatim(struct writer_metadata *m, const struct xml_input *input,
                           struct vss_error *reterr) {
        _cleanup_(freep) char *text = NULL;
        struct echo echo = { 0 };
        int r, k;

        xml_printer_init(&echo.printer);
        r = xml_input_parse(input, &handler, &echo, NULL, reterr);
        k = xml_printer_finish(&echo.printer, WRITER_METADATA_WHAT, &text, NULL, reterr);
        free(echo.text);
        if (r < 0 || k < 0)
                return r < 0 ? r : k;
        m->verbatim = TAKE_PTR(text);
        return 0;
}
