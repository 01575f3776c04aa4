/* The Writer Metadata Document as a libxml2 tree. Attributes are written in the order of the
 * format's description, because readers of the real documents see them so. */

#include "common/writer-metadata.h"
#include "common/base64.h"
#include "common/vss-id.h"
#include "common/xml-text.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>

#define COMPONENT_FLAGS \
        (VSS_CF_BACKUP_RECOVERY | VSS_CF_APP_ROLLBACK_RECOVERY | VSS_CF_NOT_SYSTEM_STATE)
#define BACKUP_TYPES                                                     \
        (VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED | \
         VSS_FSBT_CREATED_DURING_BACKUP)

struct writer_metadata {
        xmlDoc *document;
        xmlNode *locations; /* BACKUP_LOCATIONS */
        xmlNode *restore;   /* RESTORE_METHOD; NULL: none yet */
};

static const char *const usage_names[] = {
        [VSS_UT_UNDEFINED] = "UNDEFINED",
        [VSS_UT_BOOTABLESYSTEMSTATE] = "BOOTABLE_SYSTEM_STATE",
        [VSS_UT_SYSTEMSERVICE] = "SYSTEM_SERVICE",
        [VSS_UT_USERDATA] = "USER_DATA",
        [VSS_UT_OTHER] = "OTHER",
};

static const char *const source_names[] = {
        [VSS_ST_UNDEFINED] = "UNDEFINED",
        [VSS_ST_TRANSACTEDDB] = "TRANSACTION_DB",
        [VSS_ST_NONTRANSACTEDDB] = "NONTRANSACTION_DB",
        [VSS_ST_OTHER] = "OTHER",
};

static const char *const component_names[] = {
        [VSS_CT_DATABASE] = "DATABASE",
        [VSS_CT_FILEGROUP] = "FILE_GROUP",
};

/* Not the enumeration's names: real documents have these. */
static const char *const method_names[] = {
        [VSS_RME_RESTORE_IF_NOT_THERE] = "RESTORE_IF_NOT_THERE",
        [VSS_RME_RESTORE_IF_CAN_REPLACE] = "RESTORE_IF_CAN_BE_REPLACED",
        [VSS_RME_STOP_RESTORE_START] = "STOP_RESTORE_START",
        [VSS_RME_RESTORE_TO_ALTERNATE_LOCATION] = "RESTORE_TO_ALTERNATE_LOCATION",
        [VSS_RME_RESTORE_AT_REBOOT] = "REPLACE_AT_REBOOT",
        [VSS_RME_RESTORE_AT_REBOOT_IF_CANNOT_REPLACE] = "REPLACE_AT_REBOOT_IF_CANNOT_REPLACE",
        [VSS_RME_CUSTOM] = "CUSTOM",
        [VSS_RME_RESTORE_STOP_START] = "RESTORE_STOP_START",
};

static const char *const writer_restore_names[] = {
        [VSS_WRE_NEVER] = "never",
        [VSS_WRE_IF_REPLACE_FAILS] = "ifReplaceFails",
        [VSS_WRE_ALWAYS] = "always",
};

#define NAME_OF(names, value) \
        ((size_t)(value) < ARRAY_SIZE(names) ? (names)[(size_t)(value)] : NULL)

static int out_of_memory(struct vss_error *reterr) {
        return vss_error_from_errno(reterr, -ENOMEM, "The writer's metadata");
}

/* Attributes are collected on a node that is not in the tree yet, so that a failure half-way
 * leaves the document as it was. Once one failed the rest does nothing. libxml2 does not say when
 * memory runs out for an attribute's name or value: they are looked at. */
static void set_text(xmlNode **node, const char *name, const char *value) {
        const xmlAttr *attribute;

        if (!*node)
                return;
        attribute = xmlNewProp(*node, BAD_CAST name, BAD_CAST value);
        if (!attribute || !attribute->name || !attribute->children ||
            !attribute->children->content) {
                xmlFreeNode(*node);
                *node = NULL;
        }
}

static void set_optional(xmlNode **node, const char *name, const char *value) {
        if (!str_empty(value))
                set_text(node, name, value);
}

static void set_bool(xmlNode **node, const char *name, bool value) {
        set_text(node, name, value ? "yes" : "no");
}

static void set_number(xmlNode **node, const char *name, uint32_t value) {
        char buf[16];

        (void)snprintf(buf, sizeof(buf), "%u", value);
        set_text(node, name, buf);
}

static void set_id(xmlNode **node, const char *name, VSS_ID id) {
        char buf[VSS_ID_TEXT_MAX];

        set_text(node, name, vss_id_format(id, buf));
}

static xmlNode *new_node(const char *name) {
        xmlNode *node = xmlNewNode(NULL, BAD_CAST name);

        if (node && !node->name) {
                xmlFreeNode(node);
                node = NULL;
        }
        return node;
}

/* Hands node (NULL: memory ran out) over to parent. */
static int attach(xmlNode *parent, xmlNode *node, struct vss_error *reterr) {
        if (!node)
                return out_of_memory(reterr);
        if (!xmlAddChild(parent, node)) {
                xmlFreeNode(node);
                return out_of_memory(reterr);
        }
        return 0;
}

struct writer_metadata *writer_metadata_free(struct writer_metadata *m) {
        if (m)
                xmlFreeDoc(m->document);
        free(m);
        return NULL;
}

static int add_identification(xmlNode *root, const struct writer_metadata_identity *id,
                              struct vss_error *reterr) {
        xmlNode *node = new_node("IDENTIFICATION");

        set_id(&node, "writerId", id->writer_id);
        set_id(&node, "instanceId", id->instance_id);
        set_optional(&node, "instanceName", id->instance_name);
        set_text(&node, "friendlyName", id->name);
        set_text(&node, "usage", NAME_OF(usage_names, id->usage));
        set_text(&node, "dataSource", NAME_OF(source_names, id->source));
        set_number(&node, "majorVersion", id->major_version);
        set_number(&node, "minorVersion", id->minor_version);
        return attach(root, node, reterr);
}

int writer_metadata_new(struct writer_metadata **ret, const struct writer_metadata_identity *id,
                        struct vss_error *reterr) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL;
        xmlNode *root;
        int r;

        if (!NAME_OF(usage_names, id->usage) || !NAME_OF(source_names, id->source))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The writer's usage or source type is not one of the "
                                     "documented values");
        r = xml_text_require(id->name, "The writer's name", reterr);
        if (r >= 0)
                r = xml_text_check(id->instance_name, "The writer's instance name", reterr);
        if (r < 0)
                return r;
        m = calloc(1, sizeof(*m));
        if (!m)
                return out_of_memory(reterr);
        xmlInitParser(); /* once; writers may run on several threads */
        m->document = xmlNewDoc(BAD_CAST "1.0");
        root = new_node("WRITER_METADATA");
        if (!m->document) {
                xmlFreeNode(root);
                return out_of_memory(reterr);
        }
        set_text(&root, "xmlns", "x-schema:#VssWriterMetadataInfo");
        set_text(&root, "version", "1.2");
        if (!root)
                return out_of_memory(reterr);
        (void)xmlDocSetRootElement(m->document, root); /* gives back the old root: none */
        r = add_identification(root, id, reterr);
        if (r >= 0) {
                m->locations = new_node("BACKUP_LOCATIONS");
                r = attach(root, m->locations, reterr);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

static bool attribute_is(xmlNode *node, const char *name, const char *value) {
        const xmlAttr *attribute = xmlHasProp(node, BAD_CAST name);

        return streq(attribute ? (const char *)attribute->children->content : "",
                     str_or_empty(value));
}

static xmlNode *find_component(const struct writer_metadata *m, const char *logical_path,
                               const char *name) {
        for (xmlNode *node = m->locations->children; node; node = node->next)
                if ((xmlStrEqual(node->name, BAD_CAST "FILE_GROUP") ||
                     xmlStrEqual(node->name, BAD_CAST "DATABASE")) &&
                    attribute_is(node, "logicalPath", logical_path) &&
                    attribute_is(node, "componentName", name))
                        return node;
        return NULL;
}

/* Parts are separated by '\'; an empty part would name nothing. */
static int check_logical_path(const char *path, struct vss_error *reterr) {
        int r;

        if (str_empty(path))
                return 0;
        r = xml_text_check(path, "The logical path", reterr);
        if (r < 0)
                return r;
        if (path[0] == '\\' || path[strlen(path) - 1] == '\\' || strstr(path, "\\\\"))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The logical path '%s' has an empty part: write parts "
                                     "separated by one '\\'",
                                     path);
        return 0;
}

static int check_component(const struct writer_metadata_component *c, struct vss_error *reterr) {
        int r;

        if (!NAME_OF(component_names, c->type))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "A component is of type VSS_CT_DATABASE or VSS_CT_FILEGROUP, "
                                     "not %u",
                                     (unsigned)c->type);
        r = check_logical_path(c->logical_path, reterr);
        if (r >= 0)
                r = xml_text_require(c->name, "The component's name", reterr);
        if (r >= 0)
                r = xml_text_check(c->caption, "The component's caption", reterr);
        if (r < 0)
                return r;
        if (strchr(c->name, '\\'))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The component's name '%s' has a '\\': parts belong into the "
                                     "logical path",
                                     c->name);
        if (c->flags & ~(uint32_t)COMPONENT_FLAGS)
                return vss_error_set(reterr, E_INVALIDARG, 0, "Component '%s': unknown flags 0x%x",
                                     c->name, c->flags);
        if (!c->icon != (c->icon_size == 0))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Component '%s': an icon needs both its bytes and their "
                                     "number",
                                     c->name);
        return 0;
}

int writer_metadata_add_component(struct writer_metadata *m,
                                  const struct writer_metadata_component *c,
                                  struct vss_error *reterr) {
        _cleanup_(freep) char *icon = NULL;
        xmlNode *node;
        int r;

        r = check_component(c, reterr);
        if (r < 0)
                return r;
        if (find_component(m, c->logical_path, c->name))
                return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, 0,
                                     "Component '%s' with logical path '%s' was added before",
                                     c->name, str_or_empty(c->logical_path));
        if (c->icon && base64_encode(&icon, c->icon, c->icon_size) < 0)
                return out_of_memory(reterr);
        node = new_node(NAME_OF(component_names, c->type));
        set_optional(&node, "logicalPath", c->logical_path);
        set_text(&node, "componentName", c->name);
        set_optional(&node, "caption", c->caption);
        set_bool(&node, "restoreMetadata", c->restore_metadata);
        set_bool(&node, "notifyOnBackupComplete", c->notify_on_backup_complete);
        set_bool(&node, "selectable", c->selectable);
        set_bool(&node, "selectableForRestore", c->selectable_for_restore);
        set_number(&node, "componentFlags", c->flags);
        set_optional(&node, "icon", icon);
        return attach(m->locations, node, reterr);
}

static int check_files(const struct writer_metadata_files *f, struct vss_error *reterr) {
        int r;

        r = xml_text_require(f->path, "The path of a file set", reterr);
        if (r >= 0)
                r = xml_text_require(f->filespec, "The file specification", reterr);
        if (r >= 0)
                r = xml_text_check(f->alternate_path, "The alternate location", reterr);
        if (r < 0)
                return r;
        if (strpbrk(f->path, "*?"))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The path '%s' has a wildcard: only the file specification "
                                     "may",
                                     f->path);
        if (strchr(f->filespec, '/'))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The file specification '%s' has a '/': directories belong "
                                     "into the path",
                                     f->filespec);
        if (f->backup_type_mask & ~(uint32_t)BACKUP_TYPES)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Files '%s' in '%s': unknown backup types 0x%x", f->filespec,
                                     f->path, f->backup_type_mask);
        return 0;
}

int writer_metadata_add_files(struct writer_metadata *m, const char *logical_path, const char *name,
                              const struct writer_metadata_files *f, struct vss_error *reterr) {
        xmlNode *component, *node;
        int r;

        r = xml_text_require(name, "The file group's name", reterr);
        if (r >= 0)
                r = check_files(f, reterr);
        if (r < 0)
                return r;
        component = find_component(m, logical_path, name);
        if (!component)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "There is no component '%s' with logical path '%s': add it "
                                     "before its files",
                                     name, str_or_empty(logical_path));
        if (!xmlStrEqual(component->name, BAD_CAST "FILE_GROUP"))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Component '%s' is a database, not a file group", name);
        node = new_node("FILE_LIST");
        set_text(&node, "path", f->path);
        set_text(&node, "filespec", f->filespec);
        if (f->recursive)
                set_bool(&node, "recursive", f->recursive);
        set_optional(&node, "alternatePath", f->alternate_path);
        set_number(&node, "filespecBackupType", f->backup_type_mask);
        return attach(component, node, reterr);
}

int writer_metadata_add_exclude(struct writer_metadata *m, const struct writer_metadata_files *f,
                                struct vss_error *reterr) {
        xmlNode *node;
        int r;

        r = check_files(f, reterr);
        if (r < 0)
                return r;
        node = new_node("EXCLUDE_FILES");
        set_text(&node, "path", f->path);
        set_text(&node, "filespec", f->filespec);
        set_bool(&node, "recursive", f->recursive);
        return attach(m->locations, node, reterr);
}

static int check_restore(const struct writer_metadata_restore *restore, struct vss_error *reterr) {
        bool wants_service = restore->method == VSS_RME_STOP_RESTORE_START ||
                             restore->method == VSS_RME_RESTORE_STOP_START;
        int r;

        if (!NAME_OF(method_names, restore->method) ||
            !NAME_OF(writer_restore_names, restore->writer_restore))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Restore method %u with writer restore %u: one of them is not "
                                     "a documented value",
                                     (unsigned)restore->method, (unsigned)restore->writer_restore);
        if (wants_service == str_empty(restore->service))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Restore method %s %s the name of a service",
                                     NAME_OF(method_names, restore->method),
                                     wants_service ? "needs" : "does not take");
        r = xml_text_check(restore->service, "The service's name", reterr);
        if (r >= 0)
                r = xml_text_check(restore->user_procedure, "The user procedure", reterr);
        return r;
}

int writer_metadata_set_restore_method(struct writer_metadata *m,
                                       const struct writer_metadata_restore *restore,
                                       struct vss_error *reterr) {
        xmlNode *node;
        int r;

        r = check_restore(restore, reterr);
        if (r < 0)
                return r;
        node = new_node("RESTORE_METHOD");
        set_text(&node, "method", NAME_OF(method_names, restore->method));
        set_optional(&node, "service", restore->service);
        set_optional(&node, "userProcedure", restore->user_procedure);
        set_text(&node, "writerRestore", NAME_OF(writer_restore_names, restore->writer_restore));
        set_bool(&node, "rebootRequired", restore->reboot_required);
        if (!node)
                return out_of_memory(reterr);
        /* Before BACKUP_LOCATIONS, where most real documents have it. */
        if (m->restore)
                xmlFreeNode(xmlReplaceNode(m->restore, node));
        else if (!xmlAddPrevSibling(m->locations, node)) {
                xmlFreeNode(node);
                return out_of_memory(reterr);
        }
        m->restore = node;
        return 0;
}

int writer_metadata_to_xml(const struct writer_metadata *m, char **ret, struct vss_error *reterr) {
        xmlBuffer *buffer = xmlBufferCreate();
        char *text = NULL;

        if (buffer &&
            xmlNodeDump(buffer, m->document, xmlDocGetRootElement(m->document), 0, 0) >= 0)
                text = strdup((const char *)xmlBufferContent(buffer));
        xmlBufferFree(buffer);
        if (!text)
                return out_of_memory(reterr);
        *ret = text;
        return 0;
}
