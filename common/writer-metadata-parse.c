/* The document from text, in one pass: libxml2 tells of elements, and they go straight into the
 * model. Each element that is known has a row: where it may stand, its attributes, and who reads
 * it. What is not known is noted; the text is then kept for printing (writer-metadata-verbatim.c).
 * Namespaces are not looked at: real documents repeat and empty them at will. */

#include "common/base64.h"
#include "common/path-escape.h"
#include "common/vss-id.h"
#include "common/writer-metadata-verbatim.h"
#include <limits.h>

#define ATTRIBUTES_MAX 10
#define BACKUP_TYPE_DEFAULT (VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED)

enum element {
        ELEMENT_UNKNOWN, /* with everything in it */
        ELEMENT_DOCUMENT,
        ELEMENT_ROOT,
        ELEMENT_IDENTIFICATION,
        ELEMENT_RESTORE,
        ELEMENT_MAPPING,
        ELEMENT_LOCATIONS,
        ELEMENT_FILE_GROUP,
        ELEMENT_DATABASE,
        ELEMENT_FILES,
        ELEMENT_DATABASE_FILES,
        ELEMENT_DATABASE_LOG_FILES,
        ELEMENT_DEPENDENCY,
        ELEMENT_EXCLUDES,
        ELEMENT_EXCLUDES_FROM_SNAPSHOT,
        ELEMENT_ICON,
        _ELEMENT_MAX,
};

struct value {
        const char *text; /* not 0-terminated; NULL: absent */
        size_t size;
};

struct reading {
        struct xml_parse *parse;
        struct writer_metadata *m;
        struct metadata_component *component; /* that is open */
        enum element open[XML_INPUT_DEPTH_MAX + 1];
        size_t depth;
        bool has_identity;
        bool check_only; /* sets of files are looked at, and not kept */
        bool odd;        /* there is something that the model does not have */
        char *icon;      /* text of an ICON that is open */
        size_t icon_size;
};

struct row {
        const char *name;
        unsigned parents; /* a bit for each */
        const char *attributes[ATTRIBUTES_MAX + 1];
        /* values: in the order of attributes. False: as if it were unknown. */
        bool (*read)(struct reading *r, enum element element, const struct value *values);
};

static bool out_of_memory(struct reading *r) {
        xml_parse_stop(r->parse, metadata_out_of_memory(r->parse->reterr));
        return true;
}

static bool read_id(struct reading *r, const char *what, const struct value *value, VSS_ID *ret) {
        char buf[VSS_ID_TEXT_MAX + 2]; /* with braces */

        if (value->size >= sizeof(buf)) {
                xml_parse_refuse(r->parse, "%s is no id", what);
                return false;
        }
        memcpy(buf, str_or_empty(value->text), value->size);
        buf[value->size] = '\0';
        if (vss_id_parse(ret, buf) < 0) {
                xml_parse_refuse(r->parse, "%s is no id", what);
                return false;
        }
        return true;
}

static bool read_mask(struct reading *r, const char *what, const struct value *value,
                      uint32_t fallback, uint32_t *ret) {
        *ret = fallback;
        if (!value->text || xml_parse_mask(ret, value->text, value->size) >= 0)
                return true;
        xml_parse_refuse(r->parse, "%s is no number", what);
        return false;
}

static bool read_yes_no(struct reading *r, const struct value *value) {
        bool yes = value->size == 3 && memcmp(value->text, "yes", 3) == 0;

        if (value->text && !yes && (value->size != 2 || memcmp(value->text, "no", 2) != 0))
                r->odd = true;
        return yes;
}

/* A word that nobody knows is value 0, which means undefined in each enumeration here. */
static unsigned read_token(struct reading *r, const struct xml_tokens *tokens,
                           const struct value *value) {
        int token = value->text ? xml_token_find(tokens, value->text, value->size) : 0;

        if (token < 0)
                r->odd = true;
        return token < 0 ? 0 : (unsigned)token;
}

/* Into the arena at once. NULL: no memory, the parsing ends. */
static const char *read_text(struct reading *r, const struct value *value) {
        const char *text;

        if (value->size == 0)
                return "";
        text = text_arena_add(&r->m->texts, value->text, value->size);
        if (!text)
                (void)out_of_memory(r);
        return text;
}

static bool read_root(struct reading *r, enum element element, const struct value *values) {
        const struct value *version = &values[0];
        bool one = version->size >= 1 && version->text[0] == '1' &&
                   (version->size == 1 || version->text[1] == '.');

        (void)element;
        if (version->text && !one)
                xml_parse_refuse(r->parse, "the version is not 1");
        else if (version->text && (version->size != 3 || version->text[2] > '2'))
                r->odd = true;
        (void)read_mask(r, "backupSchema", &values[1], 0, &r->m->schema);
        r->odd = r->odd || (values[1].text && r->m->schema == 0); /* left out by us */
        return true;
}

static bool read_identification(struct reading *r, enum element element,
                                const struct value *values) {
        struct writer_metadata_identity id = { 0 };

        (void)element;
        if (r->has_identity)
                return false;
        r->has_identity = true;
        if (values[0].size == 0 || values[3].size == 0) {
                xml_parse_refuse(r->parse, "IDENTIFICATION has no %s",
                                 values[0].size == 0 ? "writerId" : "friendlyName");
                return true;
        }
        if (!read_id(r, "writerId", &values[0], &id.writer_id) ||
            !read_id(r, "instanceId", &values[1], &id.instance_id) ||
            !read_mask(r, "majorVersion", &values[6], 0, &id.major_version) ||
            !read_mask(r, "minorVersion", &values[7], 0, &id.minor_version))
                return true;
        id.instance_name = values[2].size > 0 ? read_text(r, &values[2]) : NULL;
        id.name = read_text(r, &values[3]);
        id.usage = (VSS_USAGE_TYPE)read_token(r, &metadata_usages, &values[4]);
        id.source = (VSS_SOURCE_TYPE)read_token(r, &metadata_sources, &values[5]);
        r->m->identity = id;
        return true;
}

/* Spelt so by one example. */
static const char *const replace_names[] = { "RESTORE_IF_CAN_REPLACE" };
static const struct xml_tokens replace = XML_TOKENS(replace_names);

static bool read_restore(struct reading *r, enum element element, const struct value *values) {
        struct writer_metadata_restore *restore = &r->m->restore;

        (void)element;
        if (r->m->has_restore)
                return false;
        r->m->has_restore = true;
        if (values[0].text && xml_token_find(&replace, values[0].text, values[0].size) >= 0)
                restore->method = VSS_RME_RESTORE_IF_CAN_REPLACE;
        else
                restore->method =
                        (VSS_RESTOREMETHOD_ENUM)read_token(r, &metadata_methods, &values[0]);
        restore->service = values[1].size > 0 ? read_text(r, &values[1]) : NULL;
        restore->user_procedure = values[2].size > 0 ? read_text(r, &values[2]) : NULL;
        restore->writer_restore =
                (VSS_WRITERRESTORE_ENUM)read_token(r, &metadata_writer_restores, &values[3]);
        restore->reboot_required = read_yes_no(r, &values[4]);
        return true;
}

static bool read_locations(struct reading *r, enum element element, const struct value *values) {
        (void)r;
        (void)element;
        (void)values;
        return true;
}

static int decode_icon(struct reading *r, const struct value *text) {
        _cleanup_(freep) uint8_t *icon = NULL;
        size_t size = 0;
        int k;

        k = base64_decode(&icon, &size, text->text, text->size);
        if (k == -EINVAL) {
                r->odd = true;
                return 0;
        }
        return k < 0 ? k : metadata_put_icon(r->component, icon, size);
}

static bool read_component(struct reading *r, enum element element, const struct value *values) {
        struct writer_metadata_component c = {
                .type = element == ELEMENT_DATABASE ? VSS_CT_DATABASE : VSS_CT_FILEGROUP,
                .restore_metadata = read_yes_no(r, &values[3]),
                .notify_on_backup_complete = read_yes_no(r, &values[4]),
                .selectable = read_yes_no(r, &values[5]),
                .selectable_for_restore = read_yes_no(r, &values[6]),
        };

        if (values[1].size == 0) {
                xml_parse_refuse(r->parse, "a component has no componentName");
                return true;
        }
        if (r->m->n_components >= WRITER_METADATA_COMPONENTS_MAX) {
                xml_parse_refuse(r->parse, "there are too many components");
                return true;
        }
        if (!read_mask(r, "componentFlags", &values[7], 0, &c.flags))
                return true;
        c.logical_path = read_text(r, &values[0]);
        c.name = read_text(r, &values[1]);
        c.caption = read_text(r, &values[2]);
        if (!c.logical_path || !c.name || !c.caption)
                return true;
        if (metadata_find(r->m, c.logical_path, c.name))
                return false; /* the first wins */
        if (metadata_put_component(r->m, &c, &r->component) < 0 ||
            (values[8].size > 0 && decode_icon(r, &values[8]) < 0))
                return out_of_memory(r);
        return true;
}

static const enum writer_metadata_list list_of_element[_ELEMENT_MAX] = {
        [ELEMENT_FILES] = WRITER_METADATA_FILES,
        [ELEMENT_DATABASE_FILES] = WRITER_METADATA_DATABASE_FILES,
        [ELEMENT_DATABASE_LOG_FILES] = WRITER_METADATA_DATABASE_LOG_FILES,
        [ELEMENT_EXCLUDES] = WRITER_METADATA_EXCLUDES,
        [ELEMENT_EXCLUDES_FROM_SNAPSHOT] = WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT,
        [ELEMENT_MAPPING] = WRITER_METADATA_MAPPINGS,
};

/* Names of files that are not UTF-8, whole: those of texts are freed with it. */
struct whole_names {
        char *names[3];
};

static void whole_names_done(struct whole_names *w) {
        for (size_t i = 0; i < ARRAY_SIZE(w->names); i++)
                free(w->names[i]);
}

/* Puts the whole name in the place of what is shown of it. False: no memory. */
static bool read_whole(struct reading *r, struct metadata_text *text, const struct value *escaped,
                       char **ret) {
        int q;

        if (!escaped->text)
                return true;
        q = path_unescape(str_or_empty(text->text), text->size, escaped->text, escaped->size, ret);
        if (q < 0)
                return false;
        if (q > 0)
                *text = (struct metadata_text){ *ret, strlen(*ret) };
        else
                r->odd = true; /* and what is shown counts */
        return true;
}

/* Attributes that an element's row does not name are never there. */
static bool read_files(struct reading *r, enum element element, const struct value *values) {
        enum writer_metadata_list list = list_of_element[element];
        struct metadata_component *c = list < METADATA_WRITER_LISTS ? r->component : NULL;
        _cleanup_(whole_names_done) struct whole_names whole = { 0 };
        struct metadata_text texts[3] = {
                { values[0].text, values[0].size },
                { values[1].text, values[1].size },
                { values[4].text, values[4].size },
        };
        uint32_t mask = 0;

        if (c && !read_mask(r, "filespecBackupType", &values[2], BACKUP_TYPE_DEFAULT, &mask))
                return true;
        /* Of this list we leave "no" out. */
        r->odd = r->odd ||
                 (list == WRITER_METADATA_FILES && values[3].text && !read_yes_no(r, &values[3]));
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (!read_whole(r, &texts[i], &values[5 + i], &whole.names[i]))
                        return out_of_memory(r);
        if (r->check_only)
                (void)read_yes_no(r, &values[3]); /* it cannot be refused */
        else if (metadata_put_set(r->m, c, list, texts, read_yes_no(r, &values[3]), mask) < 0)
                return out_of_memory(r);
        return true;
}

static bool read_dependency(struct reading *r, enum element element, const struct value *values) {
        const struct value *writer_id = values[0].text ? &values[0] : &values[3];
        struct writer_metadata_dependency on = { 0 };

        (void)element;
        if (writer_id->size == 0) {
                xml_parse_refuse(r->parse, "a DEPENDENCY has no writerId");
                return true;
        }
        if (!read_id(r, "writerId", writer_id, &on.writer_id))
                return true;
        on.logical_path = read_text(r, &values[1]);
        on.name = read_text(r, &values[2]);
        if (on.logical_path && on.name && metadata_put_dependency(r->m, r->component, &on) < 0)
                return out_of_memory(r);
        return true;
}

static bool read_icon(struct reading *r, enum element element, const struct value *values) {
        (void)element;
        if (r->component->info.icon || r->icon_size > 0)
                return false;
        if (values[0].size > 0 && decode_icon(r, &values[0]) < 0)
                return out_of_memory(r);
        return true;
}

#define IN(parent) (1u << ELEMENT_##parent)
#define COMPONENT_ROW(element_name)                                                             \
        {                                                                                       \
                .name = (element_name), .parents = IN(LOCATIONS), .read = read_component,       \
                .attributes = { "logicalPath",          "componentName",          "caption",    \
                                "restoreMetadata",      "notifyOnBackupComplete", "selectable", \
                                "selectableForRestore", "componentFlags",         "icon" },     \
        }
/* Of path, filespec and alternatePath. */
#define ESCAPED_NAMES "escapedPath", "escapedFilespec", "escapedAlternatePath"
#define DATABASE_FILES_ROW(element_name)                                                           \
        {                                                                                          \
                .name = (element_name), .parents = IN(DATABASE), .read = read_files,               \
                .attributes = { "path", "filespec", "filespecBackupType", "", "", ESCAPED_NAMES }, \
        }
#define EXCLUDES_ROW(element_name)                                                        \
        {                                                                                 \
                .name = (element_name), .parents = IN(LOCATIONS), .read = read_files,     \
                .attributes = { "path", "filespec", "", "recursive", "", ESCAPED_NAMES }, \
        }

/* An attribute named "" keeps a place free. */
static const struct row rows[_ELEMENT_MAX] = {
        [ELEMENT_ROOT] = { .name = "WRITER_METADATA",
                           .parents = IN(DOCUMENT),
                           .read = read_root,
                           .attributes = { "version", "backupSchema" } },
        [ELEMENT_IDENTIFICATION] = { .name = "IDENTIFICATION",
                                     .parents = IN(ROOT),
                                     .read = read_identification,
                                     .attributes = { "writerId", "instanceId", "instanceName",
                                                     "friendlyName", "usage", "dataSource",
                                                     "majorVersion", "minorVersion" } },
        [ELEMENT_RESTORE] = { .name = "RESTORE_METHOD",
                              .parents = IN(ROOT),
                              .read = read_restore,
                              .attributes = { "method", "service", "userProcedure", "writerRestore",
                                              "rebootRequired" } },
        [ELEMENT_MAPPING] = { .name = "ALTERNATE_LOCATION_MAPPING",
                              .parents = IN(RESTORE),
                              .read = read_files,
                              .attributes = { "path", "filespec", "", "recursive", "alternatePath",
                                              ESCAPED_NAMES } },
        [ELEMENT_LOCATIONS] = { .name = "BACKUP_LOCATIONS",
                                .parents = IN(ROOT),
                                .read = read_locations },
        [ELEMENT_FILE_GROUP] = COMPONENT_ROW("FILE_GROUP"),
        [ELEMENT_DATABASE] = COMPONENT_ROW("DATABASE"),
        [ELEMENT_FILES] = { .name = "FILE_LIST",
                            .parents = IN(FILE_GROUP),
                            .read = read_files,
                            .attributes = { "path", "filespec", "filespecBackupType", "recursive",
                                            "alternatePath", ESCAPED_NAMES } },
        [ELEMENT_DATABASE_FILES] = DATABASE_FILES_ROW("DATABASE_FILES"),
        [ELEMENT_DATABASE_LOG_FILES] = DATABASE_FILES_ROW("DATABASE_LOGFILES"),
        [ELEMENT_DEPENDENCY] = { .name = "DEPENDENCY",
                                 .parents = IN(FILE_GROUP) | IN(DATABASE),
                                 .read = read_dependency,
                                 .attributes = { "writerId", "logicalPath", "componentName",
                                                 "onWriterId" } },
        [ELEMENT_EXCLUDES] = EXCLUDES_ROW("EXCLUDE_FILES"),
        [ELEMENT_EXCLUDES_FROM_SNAPSHOT] = EXCLUDES_ROW("EXCLUDE_FILES_FROM_SNAPSHOT"),
        [ELEMENT_ICON] = { .name = "ICON",
                           .parents = IN(FILE_GROUP) | IN(DATABASE),
                           .read = read_icon,
                           .attributes = { "icon" } },
};

static enum element find_element(const char *name, enum element parent) {
        for (enum element i = 0; i < _ELEMENT_MAX; i++)
                if (rows[i].parents & 1u << parent && streq(rows[i].name, name))
                        return i;
        return ELEMENT_UNKNOWN;
}

/* attributes: name, prefix, namespace, begin and end of the value of each. False: there is one that
 * the model does not have; nor does it tell an empty one from none. */
static bool read_attributes(const struct row *row, int n, const xmlChar **attributes,
                            struct value values[static ATTRIBUTES_MAX]) {
        bool all_kept = true;

        for (int k = 0; k < n; k++, attributes += 5) {
                size_t i = 0;

                while (row->attributes[i] &&
                       (attributes[1] || !streq(row->attributes[i], (const char *)attributes[0])))
                        i++;
                if (row->attributes[i])
                        values[i] = (struct value){ (const char *)attributes[3],
                                                    (size_t)(attributes[4] - attributes[3]) };
                if (!row->attributes[i] || attributes[4] == attributes[3])
                        all_kept = false;
        }
        return all_kept;
}

bool metadata_is_element(const char *name) {
        for (enum element i = 0; i < _ELEMENT_MAX; i++)
                if (rows[i].name && streq(rows[i].name, name))
                        return true;
        return false;
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes) {
        struct value values[ATTRIBUTES_MAX] = { 0 };
        struct xml_parse *parse = xml_parse_of(context);
        struct reading *r = parse->user;
        enum element parent = r->open[r->depth];
        enum element element = find_element((const char *)name, parent);

        (void)prefix;
        (void)uri;
        (void)n_defaulted;
        assert(r->depth < XML_INPUT_DEPTH_MAX);

        r->parse = parse;
        if (parent == ELEMENT_DOCUMENT && element == ELEMENT_UNKNOWN) {
                xml_parse_refuse(r->parse, "the root is not WRITER_METADATA");
                return;
        }
        if (element != ELEMENT_UNKNOWN) {
                if (!read_attributes(&rows[element], n_attributes, attributes, values))
                        r->odd = true;
                if (!rows[element].read(r, element, values))
                        element = ELEMENT_UNKNOWN;
        }
        if (element == ELEMENT_UNKNOWN)
                r->odd = true;
        for (int i = 0; i < n_namespaces; i++)
                if (namespaces[2 * i]) /* with a prefix: somebody means something by it */
                        r->odd = true;
        r->open[++r->depth] = element;
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
        struct reading *r = xml_parse_of(context)->user;

        (void)name;
        (void)prefix;
        (void)uri;
        if (r->open[r->depth] == ELEMENT_ICON && r->icon_size > 0) {
                const struct value text = { r->icon, r->icon_size };

                if (decode_icon(r, &text) < 0)
                        (void)out_of_memory(r);
                r->icon_size = 0;
        }
        r->depth--;
}

static void on_characters(void *context, const xmlChar *characters, int n) {
        struct reading *r = xml_parse_of(context)->user;
        char *grown;

        if (xml_is_blank((const char *)characters, (size_t)n))
                return;
        if (r->open[r->depth] != ELEMENT_ICON || r->component->info.icon) {
                r->odd = true;
                return;
        }
        grown = realloc(r->icon, r->icon_size + (size_t)n);
        if (!grown) {
                (void)out_of_memory(r);
                return;
        }
        r->icon = grown;
        memcpy(r->icon + r->icon_size, characters, (size_t)n);
        r->icon_size += (size_t)n;
}

static void on_comment(void *context, const xmlChar *text) {
        struct reading *r = xml_parse_of(context)->user;

        (void)text;
        r->odd = r->odd || r->depth > 0;
}

static void on_instruction(void *context, const xmlChar *target, const xmlChar *text) {
        (void)target;
        on_comment(context, text);
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

static int read_all(struct reading *r, const struct xml_input *input, struct vss_error *reterr) {
        int k;

        k = xml_input_parse(input, &handler, r, NULL, reterr);
        if (k < 0)
                return k;
        if (!r->has_identity)
                return vss_error_set(reterr, VSS_E_INVALID_XML_DOCUMENT, 0,
                                     WRITER_METADATA_WHAT ": there is no IDENTIFICATION");
        r->m->recent = NULL;
        return r->odd && !r->check_only ? metadata_read_verbatim(r->m, input, reterr) : 0;
}

static int parse(struct writer_metadata **ret, const char *text, size_t size, bool check_only,
                 struct vss_error *reterr) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = metadata_alloc();
        _cleanup_(xml_input_done) struct xml_input input = { 0 };
        struct reading reading = { .m = m, .open = { ELEMENT_DOCUMENT }, .check_only = check_only };
        int r;

        if (!m)
                return metadata_out_of_memory(reterr);
        r = xml_input_init(&input, WRITER_METADATA_WHAT, text, size, WRITER_METADATA_MAX,
                           WRITER_METADATA_NODES_MAX, reterr);
        if (r >= 0)
                r = read_all(&reading, &input, reterr);
        free(reading.icon);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

int writer_metadata_parse(struct writer_metadata **ret, const char *text, size_t size,
                          struct vss_error *reterr) {
        return parse(ret, text, size, false, reterr);
}

int writer_metadata_check(const char *text, size_t size, struct vss_error *reterr) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL;

        return parse(&m, text, size, true, reterr);
}
