/* The scan knows just enough of XML to count. Of a well-formed text it sees what libxml2 will see;
 * where a text is not, libxml2 finds the error, and stops there, before it comes to anything that
 * the scan may have counted wrongly. */

#include "common/xml-input.h"
#include "common/utf8.h"
#include <stdarg.h>
#include <stdio.h>

/* Whole and as they are: entities cannot be declared, and the limits are our own. */
#define PARSE_OPTIONS                                                             \
        (XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_HUGE | XML_PARSE_COMPACT | \
         XML_PARSE_IGNORE_ENC)

static int refuse(const struct xml_input *input, struct vss_error *reterr, const char *at,
                  const char *why) {
        size_t line = 1;

        for (const char *p = input->text; p < at; p++)
                line += *p == '\n';
        return vss_error_set(reterr, VSS_E_INVALID_XML_DOCUMENT, 0, "%s, line %zu: %s", input->what,
                             line, why);
}

static uint32_t unit_at(const char *p, bool big_endian) {
        uint32_t a = (uint8_t)p[0], b = (uint8_t)p[1];

        return big_endian ? a << 8 | b : b << 8 | a;
}

static int convert_utf16(struct xml_input *input, bool big_endian, size_t size_max,
                         struct vss_error *reterr) {
        const char *p = input->text, *end = input->text + input->size;
        char *out;

        if (input->size % 2 != 0)
                return vss_error_set(reterr, VSS_E_INVALID_XML_DOCUMENT, 0,
                                     "%s is UTF-16 with half a character at its end", input->what);
        if (input->size / 2 > size_max)
                return vss_error_set(reterr, VSS_E_INVALID_XML_DOCUMENT, 0,
                                     "%s has %zu characters; %zu bytes are the most", input->what,
                                     input->size / 2, size_max);
        /* Two bytes become three at most. */
        out = input->converted = malloc(input->size / 2 * 3 + 1);
        if (!out)
                return vss_error_from_errno(reterr, -ENOMEM, input->what);
        while (p < end) {
                uint32_t character = unit_at(p, big_endian), low;

                p += 2;
                if (character >= 0xd800 && character <= 0xdfff) {
                        low = p < end ? unit_at(p, big_endian) : 0;
                        if (character >= 0xdc00 || low < 0xdc00 || low > 0xdfff)
                                return vss_error_set(reterr, VSS_E_INVALID_XML_DOCUMENT, 0,
                                                     "%s is UTF-16 with half of a pair",
                                                     input->what);
                        character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00);
                        p += 2;
                }
                out += utf8_encode(character, out);
        }
        *out = '\0';
        input->text = input->converted;
        input->size = (size_t)(out - input->converted);
        return 0;
}

static bool begins_with(const struct xml_input *input, const char *bytes, size_t n) {
        return input->size >= n && memcmp(input->text, bytes, n) == 0;
}

static void skip(struct xml_input *input, size_t n) {
        input->text += n;
        input->size -= n;
}

/* A document begins with '<' or blanks, so that a first or second byte of 0 tells. */
static int decode(struct xml_input *input, size_t size_max, struct vss_error *reterr) {
        bool big_endian = begins_with(input, "\xfe\xff", 2);

        if (big_endian || begins_with(input, "\xff\xfe", 2)) {
                skip(input, 2);
                return convert_utf16(input, big_endian, size_max, reterr);
        }
        if (begins_with(input, "\0<", 2) || begins_with(input, "<\0", 2))
                return convert_utf16(input, input->text[0] == '\0', size_max, reterr);
        if (begins_with(input, "\xef\xbb\xbf", 3))
                skip(input, 3);
        return 0;
}

/* After the attributes of the start tag at p; *ret_empty: it ends itself. NULL: it does not end. */
static const char *scan_tag(const char *p, const char *end, size_t *n_attributes, bool *ret_empty) {
        for (; p < end; p++) {
                if (*p == '>') {
                        *ret_empty = p[-1] == '/';
                        return p + 1;
                }
                if (*p == '"' || *p == '\'') {
                        p = memchr(p + 1, *p, (size_t)(end - p) - 1);
                        if (!p)
                                return NULL;
                        (*n_attributes)++;
                }
        }
        return NULL;
}

static const char *after(const char *p, const char *end, const char *mark) {
        size_t n = strlen(mark);
        const char *at = memmem(p, (size_t)(end - p), mark, n);

        return at ? at + n : NULL;
}

/* p: at a '<'. Other markup than tags. NULL: it does not end. */
static const char *scan_other(const char *p, const char *end) {
        if (p[1] == '?')
                return after(p + 2, end, "?>");
        if (p[1] == '/')
                return after(p + 2, end, ">");
        return p[2] == '-' ? after(p + 4, end, "-->") : after(p + 9, end, "]]>");
}

static bool is_at(const char *p, const char *end, const char *mark) {
        size_t n = strlen(mark);

        return (size_t)(end - p) >= n && memcmp(p, mark, n) == 0;
}

static int scan(struct xml_input *input, size_t n_nodes_max, struct vss_error *reterr) {
        const char *p = input->text, *end = input->text + input->size;
        size_t depth = 0;

        while (p && (p = memchr(p, '<', (size_t)(end - p)))) {
                size_t n_attributes = 0;
                bool empty = false;

                if (p + 1 < end && p[1] == '!' && !is_at(p, end, "<!--") &&
                    !is_at(p, end, "<![CDATA["))
                        return refuse(input, reterr, p,
                                      "a document type or entity declaration is not accepted");
                if (p + 1 < end && strchr("?/!", p[1])) {
                        depth -= p[1] == '/' && depth > 0;
                        p = scan_other(p, end);
                        continue;
                }
                if (++depth > XML_INPUT_DEPTH_MAX)
                        return refuse(input, reterr, p, "elements are nested too deeply");
                p = scan_tag(p + 1, end, &n_attributes, &empty);
                if (n_attributes > XML_INPUT_ATTRIBUTES_MAX)
                        return refuse(input, reterr, p ? p : end,
                                      "an element has too many attributes");
                input->n_nodes += 1 + n_attributes;
                if (input->n_nodes > n_nodes_max)
                        return refuse(input, reterr, p ? p : end,
                                      "there are too many elements and attributes");
                depth -= empty;
        }
        return 0;
}

bool xml_is_blank(const char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n')
                        return false;
        return true;
}

int xml_input_init(struct xml_input *input, const char *what, const char *text, size_t size,
                   size_t size_max, size_t n_nodes_max, struct vss_error *reterr) {
        const char *nul;
        int r;

        *input = (struct xml_input){ .what = what, .text = text, .size = size };
        r = decode(input, size_max, reterr);
        if (r < 0)
                return r;
        if (input->size > size_max)
                return vss_error_set(reterr, VSS_E_INVALID_XML_DOCUMENT, 0,
                                     "%s has %zu bytes; %zu are the most", what, input->size,
                                     size_max);
        if (input->size == 0)
                return vss_error_set(reterr, VSS_E_INVALID_XML_DOCUMENT, 0, "%s is empty", what);
        /* Else libxml2 might guess at EBCDIC, of which the scan knows nothing. */
        if (*input->text != '<' && !xml_is_blank(input->text, 1))
                return refuse(input, reterr, input->text, "it does not begin with '<'");
        nul = memchr(input->text, '\0', input->size);
        if (nul)
                return refuse(input, reterr, nul, "a character is NUL");
        return scan(input, n_nodes_max, reterr);
}

void xml_input_done(struct xml_input *input) {
        free(input->converted);
        *input = (struct xml_input){ 0 };
}

struct xml_parse *xml_parse_of(void *context) {
        return ((xmlParserCtxt *)context)->_private;
}

void xml_parse_stop(struct xml_parse *parse, int r) {
        if (parse->r >= 0)
                parse->r = r;
        /* As xmlStopParser(), which also frees the text: the function that stops here may still
         * look at the attributes that it was given. */
        parse->context->disableSAX = 1;
        parse->context->instate = XML_PARSER_EOF;
}

void xml_parse_refuse(struct xml_parse *parse, const char *format, ...) {
        _cleanup_(freep) char *why = NULL;
        va_list args;
        int n;

        va_start(args, format);
        n = vasprintf(&why, format, args);
        va_end(args);
        if (n < 0)
                why = NULL;
        xml_parse_stop(parse, vss_error_set(parse->reterr, VSS_E_INVALID_XML_DOCUMENT, 0,
                                            "%s, line %d: %s", parse->what,
                                            xmlSAX2GetLineNumber(parse->context),
                                            why ? why : "not what it should be"));
}

/* libxml2 would go on looking for more errors, in a text of any size. What is not fatal is a matter
 * of namespaces, at which nobody looks. */
static void on_error(void *context, xmlError *error) {
        struct xml_parse *parse;
        int length;

        (void)context;
        if (error->level != XML_ERR_FATAL || !error->ctxt)
                return;
        parse = xml_parse_of(error->ctxt);
        if (error->code == XML_ERR_NO_MEMORY) {
                xml_parse_stop(parse, vss_error_from_errno(parse->reterr, -ENOMEM, parse->what));
                return;
        }
        length = (int)strcspn(str_or_empty(error->message), "\n");
        if (parse->r >= 0)
                xml_parse_refuse(parse, "%.*s", length, str_or_empty(error->message));
}

/* The scan has refused it already. */
static void on_document_type(void *context, const xmlChar *name, const xmlChar *public_id,
                             const xmlChar *system_id) {
        (void)name;
        (void)public_id;
        (void)system_id;
        xml_parse_refuse(xml_parse_of(context), "a document type declaration is not accepted");
}

static void on_end_document(void *context) {
        struct xml_parse *parse = xml_parse_of(context);

        parse->ended = true;
        if (parse->on_end)
                parse->on_end(context);
}

int xml_input_parse(const struct xml_input *input, const xmlSAXHandler *handler, void *user,
                    xmlDoc **ret_tree, struct vss_error *reterr) {
        struct xml_parse parse = { .what = input->what, .user = user, .reterr = reterr };
        bool well_formed;
        xmlDoc *tree;

        xmlInitParser(); /* once; documents are read on several threads */
        parse.context = xmlNewParserCtxt();
        if (!parse.context)
                return vss_error_from_errno(reterr, -ENOMEM, input->what);
        *parse.context->sax = *handler;
        parse.context->sax->initialized = XML_SAX2_MAGIC;
        parse.context->sax->serror = on_error;
        parse.context->sax->internalSubset = on_document_type;
        parse.on_end = handler->endDocument;
        parse.context->sax->endDocument = on_end_document;
        parse.context->_private = &parse;
        tree = xmlCtxtReadMemory(parse.context, input->text, (int)input->size, NULL, NULL,
                                 PARSE_OPTIONS);
        well_formed = parse.context->wellFormed;
        if (parse.context->errNo == XML_ERR_NO_MEMORY && parse.r >= 0)
                parse.r = vss_error_from_errno(reterr, -ENOMEM, input->what);
        /* libxml2 does not say it in each place. */
        if ((!well_formed || !parse.ended || (ret_tree && !tree)) && parse.r >= 0)
                parse.r = vss_error_from_errno(reterr, -ENOMEM, input->what);
        xmlFreeParserCtxt(parse.context);
        if (parse.r < 0 || !ret_tree) {
                xmlFreeDoc(tree);
                return parse.r;
        }
        *ret_tree = tree;
        return 0;
}
