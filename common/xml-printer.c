/* libxml2 collects and escapes; what it has collected comes in blocks to on_write(). */

#include "common/xml-printer.h"

static int on_write(void *context, const char *bytes, int n) {
        struct xml_printer *p = context;
        size_t wanted = p->size + (size_t)n + 1;

        if (wanted > p->n_allocated) {
                size_t more = wanted > 2 * p->n_allocated ? wanted : 2 * p->n_allocated;
                char *text = realloc(p->text, more);

                if (!text) {
                        p->failed = true;
                        return -1;
                }
                p->text = text;
                p->n_allocated = more;
        }
        memcpy(p->text + p->size, bytes, (size_t)n);
        p->size += (size_t)n;
        return n;
}

void xml_printer_init(struct xml_printer *p) {
        *p = (struct xml_printer){ 0 };
        xmlInitParser(); /* once; documents are printed on several threads */
        p->output = xmlOutputBufferCreateIO(on_write, NULL, p, NULL);
        p->failed = !p->output;
}

void xml_printer_markup(struct xml_printer *p, const char *markup) {
        if (!p->failed && xmlOutputBufferWriteString(p->output, markup) < 0)
                p->failed = true;
}

static const char *const escapes[256] = {
        ['"'] = "&quot;", ['&'] = "&amp;",  ['<'] = "&lt;",  ['>'] = "&gt;",
        ['\n'] = "&#10;", ['\r'] = "&#13;", ['\t'] = "&#9;",
};

/* As libxml2 escapes the attributes of a tree, for which it has no door of this kind: takes what
 * fits, says how much it took and made. */
static int escape_attribute(unsigned char *out, int *out_size, const unsigned char *in,
                            int *in_size) {
        int taken = 0, made = 0;

        while (taken < *in_size && made < *out_size) {
                const char *escape = escapes[in[taken]];
                int n = escape ? (int)strlen(escape) : 1;

                if (n > *out_size - made)
                        break;
                if (escape)
                        memcpy(out + made, escape, (size_t)n);
                else
                        out[made] = in[taken];
                made += n;
                taken++;
        }
        *out_size = made;
        *in_size = taken;
        return made;
}

/* Of an empty text libxml2 says that it failed. */
static void write_escaped(struct xml_printer *p, const char *text,
                          xmlCharEncodingOutputFunc escape) {
        if (!p->failed && *text != '\0' &&
            xmlOutputBufferWriteEscape(p->output, BAD_CAST text, escape) < 0)
                p->failed = true;
}

void xml_printer_escaped(struct xml_printer *p, const char *value) {
        write_escaped(p, value, escape_attribute);
}

void xml_printer_text(struct xml_printer *p, const char *text) {
        write_escaped(p, text, NULL);
}

void xml_printer_value(struct xml_printer *p, const char *name, const char *value) {
        xml_printer_markup(p, name);
        xml_printer_markup(p, "=\"");
        xml_printer_escaped(p, value);
        xml_printer_markup(p, "\"");
}

void xml_printer_attribute(struct xml_printer *p, const char *name, const char *value) {
        xml_printer_markup(p, " ");
        xml_printer_value(p, name, value);
}

void xml_printer_tree(struct xml_printer *p, xmlDoc *document, xmlNode *node) {
        if (!p->failed)
                xmlNodeDumpOutput(p->output, document, node, 0, 0, "UTF-8");
}

int xml_printer_finish(struct xml_printer *p, const char *what, char **ret, size_t *ret_size,
                       struct vss_error *reterr) {
        char *text;

        if (p->output && (p->output->error != 0 || xmlOutputBufferFlush(p->output) < 0))
                p->failed = true;
        if (p->output)
                (void)xmlOutputBufferClose(p->output); /* it has nothing left to write */
        text = p->failed ? NULL : realloc(p->text, p->size + 1);
        if (!text) {
                free(p->text);
                *p = (struct xml_printer){ 0 };
                return vss_error_from_errno(reterr, -ENOMEM, what);
        }
        text[p->size] = '\0';
        *ret = text;
        if (ret_size)
                *ret_size = p->size;
        *p = (struct xml_printer){ 0 };
        return 0;
}
