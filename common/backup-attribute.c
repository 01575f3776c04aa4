/* Attributes of the tree of a Backup Components Document: read as plain text, written in the
 * format's order, so that equal states print equally whatever the order of the calls. */

#include "common/backup-document-tree.h"
#include "common/vss-id.h"
#include <stdio.h>

const char *const backup_root_order[] = {
        "version",
        "bootableSystemStateBackup",
        "selectComponents",
        "backupType",
        "partialFileSupport",
        "snapshotSetId",
        "restoreType",
        NULL,
};

const char *const backup_writer_order[] = {
        "instanceId", "writerId", "instanceName", "backupSchema", NULL,
};

const char *const backup_component_order[] = {
        "logicalPath",
        "componentName",
        "componentType",
        "backupStamp",
        "previousBackupStamp",
        "backupSucceeded",
        "backupOptions",
        "selectedForRestore",
        "selectedForRestoreInstanceId",
        "additionalRestores",
        "restoreOptions",
        "restoreTarget",
        "filesRestored",
        "authoritativeRestore",
        "rollForward",
        "rollForwardPoint",
        "restoreName",
        "prepareForBackupFailureMsg",
        "postSnapshotFailureMsg",
        "preRestoreFailureMsg",
        "postRestoreFailureMsg",
        "hr",
        "hrApplication",
        "applicationMessage",
        NULL,
};

static const char *const backup_type_names[] = {
        [VSS_BT_FULL] = "full",
        [VSS_BT_INCREMENTAL] = "incremental",
        [VSS_BT_DIFFERENTIAL] = "differential",
        [VSS_BT_LOG] = "log",
        [VSS_BT_COPY] = "copy",
        [VSS_BT_OTHER] = "other",
};

static const char *const restore_type_names[] = {
        [VSS_RTYPE_BY_COPY] = "byCopy",
        [VSS_RTYPE_IMPORT] = "import",
        [VSS_RTYPE_OTHER] = "other",
};

static const struct xml_tokens backup_types = XML_TOKENS(backup_type_names);
static const struct xml_tokens restore_types = XML_TOKENS(restore_type_names);

int backup_out_of_memory(struct vss_error *reterr) {
        return vss_error_from_errno(reterr, -ENOMEM, "The backup components document");
}

int32_t backup_token_value(const struct xml_tokens *tokens, const char *text, int32_t fallback) {
        int token = text ? xml_token_find(tokens, text, strlen(text)) : -1;

        return token < 0 ? fallback : token;
}

/* The parser makes one text of each value (entities are replaced), as do we. */
static const char *text_of(const xmlAttr *attribute) {
        const xmlNode *text = attribute ? attribute->children : NULL;

        return text && text->type == XML_TEXT_NODE && !str_empty((const char *)text->content)
                       ? (const char *)text->content
                       : NULL;
}

const char *backup_attribute(const xmlNode *node, const char *name) {
        return text_of(xmlHasProp((xmlNode *)node, BAD_CAST name));
}

bool backup_attribute_yes(const xmlNode *node, const char *name) {
        const char *text = backup_attribute(node, name);

        return text && streq(text, "yes");
}

int backup_charge(struct backup_document *d, size_t n_nodes, size_t n_bytes) {
        if (n_nodes > d->n_nodes_max || d->n_nodes > d->n_nodes_max - n_nodes ||
            n_bytes > d->n_bytes_max || d->n_bytes > d->n_bytes_max - n_bytes)
                return -ENOMEM;
        d->n_nodes += n_nodes;
        d->n_bytes += n_bytes;
        return 0;
}

/* What the attribute prints as, at most. */
static size_t printed_size(const char *name, const char *value) {
        size_t n = strlen(name) + strlen(value) + 4;

        for (const char *p = value; (p = strpbrk(p, "\"&<>\n\r\t")); p++)
                n += 5;
        return n;
}

static size_t rank(const char *const *order, const char *name) {
        size_t i = 0;

        while (order[i] && !streq(order[i], name))
                i++;
        return i;
}

/* libxml2 appends: moves the last attribute before at (NULL: it stays). */
static void move_last_before(xmlNode *node, xmlAttr *last, xmlAttr *at) {
        if (!at || at == last)
                return;
        last->prev->next = NULL; /* at comes before it, so there is one */
        last->next = at;
        last->prev = at->prev;
        if (at->prev)
                at->prev->next = last;
        else
                node->properties = last;
        at->prev = last;
}

/* The first that comes after name; unknown ones come last. */
static xmlAttr *successor(xmlNode *node, const char *const *order, const char *name) {
        size_t own = rank(order, name);
        xmlAttr *at = node->properties;

        while (at && rank(order, (const char *)at->name) <= own)
                at = at->next;
        return at;
}

static void uncharge(struct backup_document *d, size_t n_bytes) {
        d->n_nodes -= d->n_nodes > 0;
        d->n_bytes -= n_bytes < d->n_bytes ? n_bytes : d->n_bytes;
}

static void uncharge_attribute(struct backup_document *d, const xmlAttr *attribute) {
        uncharge(d, printed_size((const char *)attribute->name, str_or_empty(text_of(attribute))));
}

int backup_set_attribute(struct backup_document *d, xmlNode *node, const char *const *order,
                         const char *name, const char *value) {
        xmlAttr *old = xmlHasProp(node, BAD_CAST name);

        if (!str_empty(value)) {
                xmlAttr *at = old ? old : successor(node, order, name), *new;

                if (backup_charge(d, 1, printed_size(name, value)) < 0)
                        return -ENOMEM;
                /* Not xmlSetProp: when memory runs out it has lost the old value. */
                new = xmlNewProp(node, BAD_CAST name, BAD_CAST value);
                if (!new)
                        return -ENOMEM;
                if (!new->name || !new->children || !new->children->content) {
                        (void)xmlRemoveProp(new); /* it is the node's own */
                        return -ENOMEM;
                }
                move_last_before(node, new, at);
        }
        if (old) {
                uncharge_attribute(d, old);
                (void)xmlRemoveProp(old); /* it is the node's own */
        }
        return 0;
}

bool backup_prepare_tree(struct backup_document *d) {
        const xmlNs *ns = xmlNewNs(d->root, BAD_CAST BACKUP_NAMESPACE, NULL);

        if (d->tree->encoding)
                xmlFree((xmlChar *)d->tree->encoding);
        d->tree->encoding = xmlStrdup(BAD_CAST "UTF-8"); /* or each character becomes a number */
        return ns && ns->href && d->tree->encoding;
}

xmlNode *backup_new_element(struct backup_document *d, const char *name) {
        xmlNode *node = xmlNewDocNode(d->tree, NULL, BAD_CAST name, NULL);

        if (node && !node->name) {
                xmlFreeNode(node);
                node = NULL;
        }
        return node;
}

void backup_remove_element(struct backup_document *d, xmlNode *node) {
        for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
                uncharge_attribute(d, attribute);
        uncharge(d, strlen((const char *)node->name) + 3);
        xmlUnlinkNode(node);
        xmlFreeNode(node);
}

int backup_set_state_attributes(struct backup_document *d,
                                const struct backup_document_state *state) {
        char id[VSS_ID_TEXT_MAX];
        const struct {
                const char *name, *value;
        } attributes[] = {
                { "bootableSystemStateBackup", xml_yes_no(state->bootable_system_state) },
                { "selectComponents", xml_yes_no(state->select_components) },
                { "backupType", xml_token(&backup_types, (int32_t)state->backup_type) },
                { "partialFileSupport", xml_yes_no(state->partial_files) },
                { "snapshotSetId",
                  vss_id_is_null(state->set_id) ? NULL : vss_id_format(state->set_id, id) },
                { "restoreType", xml_token(&restore_types, (int32_t)state->restore_type) },
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(attributes); i++)
                r = backup_set_attribute(d, d->root, backup_root_order, attributes[i].name,
                                         attributes[i].value);
        return r;
}

int backup_read_state_attributes(const xmlNode *root, struct backup_document_state *ret) {
        *ret = (struct backup_document_state){
                .bootable_system_state = backup_attribute_yes(root, "bootableSystemStateBackup"),
                .select_components = backup_attribute_yes(root, "selectComponents"),
                .partial_files = backup_attribute_yes(root, "partialFileSupport"),
                .backup_type = (VSS_BACKUP_TYPE)backup_token_value(
                        &backup_types, backup_attribute(root, "backupType"), VSS_BT_UNDEFINED),
                .restore_type = (VSS_RESTORE_TYPE)backup_token_value(
                        &restore_types, backup_attribute(root, "restoreType"), VSS_RTYPE_UNDEFINED),
        };
        return vss_id_parse(&ret->set_id, backup_attribute(root, "snapshotSetId"));
}

int backup_set_writer_attributes(struct backup_document *d, xmlNode *node,
                                 const struct backup_writer_info *info) {
        char instance_id[VSS_ID_TEXT_MAX], writer_id[VSS_ID_TEXT_MAX], schema[16];
        const struct {
                const char *name, *value;
        } attributes[] = {
                { "instanceId", vss_id_format(info->instance_id, instance_id) },
                { "writerId", vss_id_format(info->writer_id, writer_id) },
                { "instanceName", info->instance_name },
                { "backupSchema", schema },
        };
        int r = 0;

        (void)snprintf(schema, sizeof(schema), "%u", info->schema);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(attributes); i++)
                r = backup_set_attribute(d, node, backup_writer_order, attributes[i].name,
                                         attributes[i].value);
        return r;
}
