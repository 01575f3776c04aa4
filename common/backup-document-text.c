/* From text to the document and back. The tree keeps what nobody here knows. Default namespaces of
 * elements that are known are dropped, because real documents repeat and empty them at will; the
 * root's is written. Blanks between elements are dropped, too: one line comes out. */

#include "common/backup-document-tree.h"
#include "common/vss-id.h"
#include "common/xml-input.h"
#include "common/xml-printer.h"
#include <errno.h>
#include <libxml/SAX2.h>
#include <limits.h>

#define WHAT "The backup components document"

static bool is_known(const char *name) {
        return streq(name, "BACKUP_COMPONENTS") || streq(name, "WRITER_COMPONENTS") ||
               streq(name, "COMPONENT") || streq(name, "SNAPSHOT_SET_DESCRIPTION") ||
               streq(name, "SNAPSHOT_DESCRIPTION") || streq(name, "BACKUP_METADATA") ||
               streq(name, "RESTORE_METADATA") || backup_list_of_element(name) != _BACKUP_LIST_MAX;
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes) {
        if (!prefix && is_known((const char *)name)) {
                int n = 0;

                uri = NULL;
                for (int i = 0; i < n_namespaces; i++)
                        if (namespaces[2 * i]) { /* one with a prefix */
                                namespaces[2 * n] = namespaces[2 * i];
                                namespaces[2 * n + 1] = namespaces[2 * i + 1];
                                n++;
                        }
                n_namespaces = n;
        }
        xmlSAX2StartElementNs(context, name, prefix, uri, n_namespaces, namespaces, n_attributes,
                              n_defaulted, attributes);
}

static xmlNode *next_in_document(const xmlNode *node) {
        if (node->children && node->type == XML_ELEMENT_NODE)
                return node->children;
        while (node && !node->next)
                node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
        return node ? node->next : NULL;
}

/* Whole texts are looked at: libxml2 tells of one in pieces. */
static void drop_blanks(xmlNode *root) {
        for (xmlNode *node = root, *next; node; node = next) {
                const char *text = (const char *)node->content;

                next = next_in_document(node);
                if (node->type == XML_TEXT_NODE && xml_is_blank(text, strlen(text))) {
                        xmlUnlinkNode(node);
                        xmlFreeNode(node);
                }
        }
}

static int invalid(struct vss_error *reterr, const xmlNode *node, const char *why) {
        return vss_error_set(reterr, VSS_E_INVALID_XML_DOCUMENT, 0, WHAT ", line %ld: %s %s",
                             xmlGetLineNo((xmlNode *)node), (const char *)node->name, why);
}

static bool is_element(const xmlNode *node, const char *name) {
        return node->type == XML_ELEMENT_NODE && streq((const char *)node->name, name);
}

static bool has_default_namespace(const xmlNode *node) {
        for (const xmlNs *ns = node->nsDef; ns; ns = ns->next)
                if (!ns->prefix)
                        return true;
        return false;
}

static int read_component(struct backup_writer *w, xmlNode *node, struct vss_error *reterr) {
        const struct backup_component_key key = {
                .instance_id = w->info.instance_id,
                .writer_id = w->info.writer_id,
                .type = (VSS_COMPONENT_TYPE)backup_token_value(
                        &backup_component_types, backup_attribute(node, "componentType"),
                        VSS_CT_UNDEFINED),
                .logical_path = backup_attribute(node, "logicalPath"),
                .name = backup_attribute(node, "componentName"),
        };
        struct backup_component *c;
        VSS_ID selected;

        if (!key.name)
                return invalid(reterr, node, "has no componentName");
        if (vss_id_parse(&selected, backup_attribute(node, "selectedForRestoreInstanceId")) < 0)
                return invalid(reterr, node, "has a selectedForRestoreInstanceId that is no id");
        if (backup_writer_adopt_component(w, node, &key, &c) < 0)
                return backup_out_of_memory(reterr);
        for (xmlNode *child = node->children; c && child; child = child->next) {
                enum backup_list list = _BACKUP_LIST_MAX;

                if (child->type == XML_ELEMENT_NODE)
                        list = backup_list_of_element((const char *)child->name);
                if (list != _BACKUP_LIST_MAX && backup_component_append(c, list, child) < 0)
                        return backup_out_of_memory(reterr);
        }
        return 0;
}

static int read_writer(struct backup_document *d, xmlNode *node, struct vss_error *reterr) {
        const char *writer_id = backup_attribute(node, "writerId");
        const char *schema = backup_attribute(node, "backupSchema");
        struct backup_writer_info info = { 0 };
        struct backup_writer *w;
        int r = 0;

        if (!writer_id)
                return invalid(reterr, node, "has no writerId");
        if (vss_id_parse(&info.writer_id, writer_id) < 0)
                return invalid(reterr, node, "has a writerId that is no id");
        if (vss_id_parse(&info.instance_id, backup_attribute(node, "instanceId")) < 0)
                return invalid(reterr, node, "has an instanceId that is no id");
        if (schema && xml_parse_mask(&info.schema, schema, strlen(schema)) < 0)
                return invalid(reterr, node, "has a backupSchema that is no number");
        if (backup_document_adopt_writer(d, node, &info, &w) < 0)
                return backup_out_of_memory(reterr);
        if (w->first->info.schema != info.schema)
                return vss_error_set(reterr, VSS_E_CORRUPT_XML_DOCUMENT, 0,
                                     WHAT ", line %ld: writer %s has two backup schemas, %u and %u",
                                     xmlGetLineNo(node), writer_id, w->first->info.schema,
                                     info.schema);
        for (xmlNode *child = node->children; r >= 0 && child; child = child->next)
                if (is_element(child, "COMPONENT"))
                        r = read_component(w, child, reterr);
        return r;
}

static int read_root(struct backup_document *d, struct vss_error *reterr) {
        const char *version = backup_attribute(d->root, "version");
        int r = 0;

        if (!is_element(d->root, "BACKUP_COMPONENTS"))
                return invalid(reterr, d->root, "is not the root, BACKUP_COMPONENTS");
        if (version && !streq(version, "1") && strncmp(version, "1.", 2) != 0)
                return invalid(reterr, d->root, "has a version other than 1");
        if (backup_read_state_attributes(d->root, &d->state) < 0)
                return invalid(reterr, d->root, "has a snapshotSetId that is no id");
        for (xmlNode *child = d->root->children; r >= 0 && child; child = child->next)
                if (is_element(child, "WRITER_COMPONENTS"))
                        r = read_writer(d, child, reterr);
        return r;
}

static int parse_tree(struct backup_document *d, const struct xml_input *input,
                      struct vss_error *reterr) {
        xmlSAXHandler handler = { 0 };
        int r;

        (void)xmlSAXVersion(&handler, 2); /* fails for other versions only */
        handler.startElementNs = on_start;
        handler.ignorableWhitespace = handler.characters;
        r = xml_input_parse(input, &handler, NULL, &d->tree, reterr);
        if (r < 0)
                return r;
        d->root = xmlDocGetRootElement(d->tree);
        if (!d->root)
                return backup_out_of_memory(reterr);
        /* Another root has kept its namespace, beside which there is no place for ours. */
        if (!is_element(d->root, "BACKUP_COMPONENTS") || has_default_namespace(d->root))
                return invalid(reterr, d->root, "is not the root, BACKUP_COMPONENTS");
        if (!backup_prepare_tree(d))
                return backup_out_of_memory(reterr);
        drop_blanks(d->root);
        return 0;
}

int backup_document_parse(struct backup_document **ret, const char *text, size_t size,
                          struct vss_error *reterr) {
        _cleanup_(backup_document_freep) struct backup_document *d = backup_document_alloc();
        _cleanup_(xml_input_done) struct xml_input input = { 0 };
        int r;

        if (!d)
                return backup_out_of_memory(reterr);
        r = xml_input_init(&input, WHAT, text, size, BACKUP_DOCUMENT_MAX, BACKUP_NODES_MAX, reterr);
        if (r >= 0)
                r = parse_tree(d, &input, reterr);
        if (r < 0)
                return r;
        d->n_nodes = input.n_nodes;
        d->n_bytes = input.size;
        r = read_root(d, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

int backup_document_to_xml(const struct backup_document *d, char **ret, size_t *ret_size,
                           struct vss_error *reterr) {
        struct xml_printer printer;

        xml_printer_init(&printer);
        xml_printer_tree(&printer, d->tree, d->root);
        return xml_printer_finish(&printer, WHAT, ret, ret_size, reterr);
}
