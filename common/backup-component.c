/* What a component holds beside its key: one table for each of the four shapes. The tables say
 * where a thing stands in the document, and everything else follows from them. */

#include "common/backup-document-tree.h"
#include "common/vss-id.h"
#include "common/xml-text.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

struct text_row {
        const char *attribute;
        const char *element; /* the child that has it; NULL: the component itself */
        const char *what;    /* names it in messages */
};

static const struct text_row texts[] = {
        [BACKUP_TEXT_BACKUP_OPTIONS] = { "backupOptions", NULL, "The backup options" },
        [BACKUP_TEXT_BACKUP_STAMP] = { "backupStamp", NULL, "The backup stamp" },
        [BACKUP_TEXT_PREVIOUS_BACKUP_STAMP] = { "previousBackupStamp", NULL,
                                                "The previous backup stamp" },
        [BACKUP_TEXT_BACKUP_METADATA] = { "metadata", "BACKUP_METADATA", "The backup metadata" },
        [BACKUP_TEXT_RESTORE_METADATA] = { "metadata", "RESTORE_METADATA", "The restore metadata" },
        [BACKUP_TEXT_RESTORE_OPTIONS] = { "restoreOptions", NULL, "The restore options" },
        [BACKUP_TEXT_RESTORE_NAME] = { "restoreName", NULL, "The restore name" },
        [BACKUP_TEXT_ROLL_FORWARD_POINT] = { "rollForwardPoint", NULL, "The roll-forward point" },
        [BACKUP_TEXT_PREPARE_FAILURE] = { "prepareForBackupFailureMsg", NULL,
                                          "The failure message" },
        [BACKUP_TEXT_POST_SNAPSHOT_FAILURE] = { "postSnapshotFailureMsg", NULL,
                                                "The failure message" },
        [BACKUP_TEXT_PRE_RESTORE_FAILURE] = { "preRestoreFailureMsg", NULL, "The failure message" },
        [BACKUP_TEXT_POST_RESTORE_FAILURE] = { "postRestoreFailureMsg", NULL,
                                               "The failure message" },
        [BACKUP_TEXT_APPLICATION_MESSAGE] = { "applicationMessage", NULL,
                                              "The application's message" },
        [BACKUP_TEXT_SELECTED_INSTANCE] = { "selectedForRestoreInstanceId", NULL,
                                            "The instance selected for restore" },
};
_Static_assert(ARRAY_SIZE(texts) == _BACKUP_TEXT_MAX, "a row for each text");

static const char *const flags[] = {
        [BACKUP_FLAG_SUCCEEDED] = "backupSucceeded",
        [BACKUP_FLAG_SELECTED_FOR_RESTORE] = "selectedForRestore",
        [BACKUP_FLAG_ADDITIONAL_RESTORES] = "additionalRestores",
        [BACKUP_FLAG_AUTHORITATIVE_RESTORE] = "authoritativeRestore",
};
_Static_assert(ARRAY_SIZE(flags) == _BACKUP_FLAG_MAX, "a name for each flag");

static const char *const restore_targets[] = {
        [VSS_RT_ORIGINAL] = "original",
        [VSS_RT_ALTERNATE] = "alternate",
        [VSS_RT_DIRECTED] = "directed",
        [VSS_RT_ORIGINAL_LOCATION] = "originalLocation",
};

static const char *const file_restore_statuses[] = {
        [VSS_RS_UNDEFINED] = "undefined",
        [VSS_RS_NONE] = "none",
        [VSS_RS_ALL] = "all",
        [VSS_RS_FAILED] = "failed",
};

static const char *const roll_forwards[] = {
        [VSS_RF_UNDEFINED] = "undefined",
        [VSS_RF_NONE] = "none",
        [VSS_RF_ALL] = "all",
        [VSS_RF_PARTIAL] = "partial",
};

struct number_row {
        const char *attribute;
        struct xml_tokens tokens; /* none: any number, as an HRESULT is written */
        int32_t fallback;         /* what an absent one means; it is not written */
};

static const struct number_row numbers[] = {
        [BACKUP_NUMBER_RESTORE_TARGET] = { "restoreTarget", XML_TOKENS(restore_targets),
                                           VSS_RT_ORIGINAL },
        [BACKUP_NUMBER_FILE_RESTORE_STATUS] = { "filesRestored", XML_TOKENS(file_restore_statuses),
                                                VSS_RS_UNDEFINED },
        [BACKUP_NUMBER_ROLL_FORWARD] = { "rollForward", XML_TOKENS(roll_forwards),
                                         VSS_RF_UNDEFINED },
        [BACKUP_NUMBER_FAILURE] = { "hr", { NULL, 0 }, S_OK },
        [BACKUP_NUMBER_APPLICATION_FAILURE] = { "hrApplication", { NULL, 0 }, S_OK },
};
_Static_assert(ARRAY_SIZE(numbers) == _BACKUP_NUMBER_MAX, "a row for each number");

#define LIST_ATTRIBUTES 6

struct list_row {
        const char *element;
        const char *order[LIST_ATTRIBUTES + 1]; /* NULL-terminated */
        const char *texts[BACKUP_ENTRY_TEXTS];  /* as struct backup_entry has them */
        const char *flag, *time;                /* NULL: it has none */
        unsigned n_required;                    /* so many of the texts must be there */
};

#define FILE_SET_ROW(name)                                                                        \
        {                                                                                         \
                .element = (name), .order = { "path", "filespec", "recursive", "alternatePath" }, \
                .texts = { "path", "filespec", "alternatePath" }, .flag = "recursive",            \
        }

static const struct list_row lists[] = {
        [BACKUP_LIST_ALTERNATE_LOCATION_MAPPING] = FILE_SET_ROW("ALTERNATE_LOCATION_MAPPING"),
        [BACKUP_LIST_NEW_TARGET] = FILE_SET_ROW("NEW_TARGET"),
        [BACKUP_LIST_PARTIAL_FILE] = { .element = "PARTIAL_FILE",
                                       .order = { "path", "filespec", "ranges", "metadata" },
                                       .texts = { "path", "filespec", "ranges", "metadata" } },
        [BACKUP_LIST_DIFFERENCED_FILES] = { .element = "DIFFERENCED_FILES",
                                            .order = { "path", "filespec", "recursive",
                                                       "lastModifyTime", "lsn" },
                                            .texts = { "path", "filespec", "lsn" },
                                            .flag = "recursive",
                                            .time = "lastModifyTime" },
        [BACKUP_LIST_DIRECTED_TARGET] = { .element = "DIRECTED_TARGET",
                                          .order = { "sourcePath", "sourceFilename", "sourceRanges",
                                                     "destinationPath", "destinationFilename",
                                                     "destinationRanges" },
                                          .texts = { "sourcePath", "sourceFilename", "sourceRanges",
                                                     "destinationPath", "destinationFilename",
                                                     "destinationRanges" } },
        [BACKUP_LIST_RESTORE_SUBCOMPONENT] = { .element = "RESTORE_SUBCOMPONENT",
                                               .order = { "logicalPath", "componentName",
                                                          "repair" },
                                               .texts = { "logicalPath", "componentName" },
                                               .flag = "repair" },
};
_Static_assert(ARRAY_SIZE(lists) == _BACKUP_LIST_MAX, "a row for each list");

/* The children of a component in the format's order. */
static const char *const child_order[] = {
        "BACKUP_METADATA", "RESTORE_METADATA",     "ALTERNATE_LOCATION_MAPPING",
        "NEW_TARGET",      "PARTIAL_FILE",         "DIFFERENCED_FILES",
        "DIRECTED_TARGET", "RESTORE_SUBCOMPONENT",
};

static struct backup_document *document_of(const struct backup_component *c) {
        return c->writer->document;
}

VSS_COMPONENT_TYPE backup_component_type(const struct backup_component *c) {
        return c->type;
}

VSS_ID backup_component_recipient(const struct backup_component *c) {
        return c->recipient;
}

void backup_component_set_recipient(struct backup_component *c, VSS_ID instance_id) {
        c->recipient = instance_id;
}

bool backup_component_has_options(const struct backup_component *c) {
        return c->has_options;
}

void backup_component_note_options(struct backup_component *c) {
        c->has_options = true;
}

const char *backup_component_logical_path(const struct backup_component *c) {
        return backup_attribute(c->node, "logicalPath");
}

const char *backup_component_name(const struct backup_component *c) {
        return backup_attribute(c->node, "componentName");
}

static size_t child_rank(const char *element) {
        size_t i = 0;

        while (i < ARRAY_SIZE(child_order) && !streq(child_order[i], element))
                i++;
        return i;
}

/* Behind the last of its kind, if there is one: there may be a hundred thousand others. Else behind
 * all children of lower ranks. */
static void put_child(xmlNode *parent, xmlNode *child, xmlNode *last) {
        size_t own = child_rank((const char *)child->name);
        xmlNode *at = last ? last : parent->last;

        while (!last && at &&
               (at->type != XML_ELEMENT_NODE || child_rank((const char *)at->name) > own))
                at = at->prev;
        /* The three are in one document and no texts: nothing is allocated, nothing fails. */
        if (at)
                (void)xmlAddNextSibling(at, child);
        else if (parent->children)
                (void)xmlAddPrevSibling(parent->children, child);
        else
                (void)xmlAddChild(parent, child);
}

static xmlNode *find_child(const xmlNode *parent, const char *element) {
        for (xmlNode *child = parent->children; child; child = child->next)
                if (child->type == XML_ELEMENT_NODE && streq((const char *)child->name, element))
                        return child;
        return NULL;
}

static const char *const only_metadata[] = { "metadata", NULL };

const char *backup_component_text(const struct backup_component *c, enum backup_text what) {
        const struct text_row *row = &texts[what];
        const xmlNode *node = row->element ? find_child(c->node, row->element) : c->node;

        return node ? backup_attribute(node, row->attribute) : NULL;
}

static int set_child_text(struct backup_component *c, const struct text_row *row,
                          const char *text) {
        struct backup_document *d = document_of(c);
        xmlNode *child = find_child(c->node, row->element);

        if (child)
                return backup_set_attribute(d, child, only_metadata, row->attribute, text);
        if (str_empty(text))
                return 0;
        child = backup_new_element(d, row->element);
        if (!child)
                return -ENOMEM;
        if (backup_charge(d, 1, strlen(row->element) + 3) < 0 ||
            backup_set_attribute(d, child, only_metadata, row->attribute, text) < 0) {
                xmlFreeNode(child);
                return -ENOMEM;
        }
        put_child(c->node, child, NULL);
        return 0;
}

int backup_component_set_text(struct backup_component *c, enum backup_text what, const char *text,
                              struct vss_error *reterr) {
        const struct text_row *row = &texts[what];
        VSS_ID id;
        int r;

        r = xml_text_check(text, row->what, reterr);
        if (r < 0)
                return r;
        if (what == BACKUP_TEXT_SELECTED_INSTANCE && vss_id_parse(&id, text) < 0)
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s, '%.64s', is no id", row->what,
                                     text);
        if (row->element)
                r = set_child_text(c, row, text);
        else
                r = backup_set_attribute(document_of(c), c->node, backup_component_order,
                                         row->attribute, text);
        return r < 0 ? backup_out_of_memory(reterr) : 0;
}

int backup_component_flag(const struct backup_component *c, enum backup_flag what) {
        return backup_attribute(c->node, flags[what]) ? backup_attribute_yes(c->node, flags[what])
                                                      : -1;
}

int backup_component_set_flag(struct backup_component *c, enum backup_flag what, bool value,
                              struct vss_error *reterr) {
        if (backup_set_attribute(document_of(c), c->node, backup_component_order, flags[what],
                                 xml_yes_no(value)) < 0)
                return backup_out_of_memory(reterr);
        return 0;
}

/* As it is written here, 0x80042336; of others also decimal, with a sign or without. */
static int32_t parse_hresult(const char *text) {
        char *end;
        long long value;

        errno = 0;
        value = strtoll(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
        if (errno != 0 || *end != '\0' || value < INT32_MIN || value > UINT32_MAX)
                return E_FAIL; /* a failure that cannot be told is one */
        return (int32_t)value;
}

int32_t backup_component_number(const struct backup_component *c, enum backup_number what) {
        const struct number_row *row = &numbers[what];
        const char *text = backup_attribute(c->node, row->attribute);

        if (!text || row->tokens.n > 0)
                return backup_token_value(&row->tokens, text, row->fallback);
        return parse_hresult(text);
}

int backup_component_set_number(struct backup_component *c, enum backup_number what, int32_t value,
                                struct vss_error *reterr) {
        const struct number_row *row = &numbers[what];
        const char *text = NULL;
        char buf[16];

        if (row->tokens.n > 0) {
                text = xml_token(&row->tokens, value);
                if (!text)
                        return vss_error_set(reterr, E_INVALIDARG, 0,
                                             "%d is no documented value of a component's %s", value,
                                             row->attribute);
        } else {
                (void)snprintf(buf, sizeof(buf), "0x%08" PRIx32, (uint32_t)value);
                text = buf;
        }
        if (value == row->fallback)
                text = NULL;
        if (backup_set_attribute(document_of(c), c->node, backup_component_order, row->attribute,
                                 text) < 0)
                return backup_out_of_memory(reterr);
        return 0;
}

enum backup_list backup_list_of_element(const char *element) {
        size_t i = 0;

        while (i < ARRAY_SIZE(lists) && !streq(lists[i].element, element))
                i++;
        return (enum backup_list)i;
}

size_t backup_component_n_entries(const struct backup_component *c, enum backup_list list) {
        return c->lists[list].n;
}

bool backup_component_entry(const struct backup_component *c, enum backup_list list, size_t i,
                            struct backup_entry *ret) {
        const struct list_row *row = &lists[list];
        const char *time;
        const xmlNode *node;

        if (i >= c->lists[list].n)
                return false;
        node = c->lists[list].nodes[i];
        *ret = (struct backup_entry){ .flag = row->flag && backup_attribute_yes(node, row->flag) };
        for (size_t t = 0; t < BACKUP_ENTRY_TEXTS && row->texts[t]; t++)
                ret->texts[t] = backup_attribute(node, row->texts[t]);
        time = row->time ? backup_attribute(node, row->time) : NULL;
        if (time)
                ret->time = strtoull(time, NULL, 10);
        return true;
}

static int fill_entry(struct backup_document *d, xmlNode *node, const struct list_row *row,
                      const struct backup_entry *entry) {
        char time[24];
        int r = 0;

        for (size_t t = 0; r >= 0 && t < BACKUP_ENTRY_TEXTS && row->texts[t]; t++)
                r = backup_set_attribute(d, node, row->order, row->texts[t], entry->texts[t]);
        if (r >= 0 && row->flag)
                r = backup_set_attribute(d, node, row->order, row->flag, xml_yes_no(entry->flag));
        if (r >= 0 && row->time) {
                (void)snprintf(time, sizeof(time), "%" PRIu64, entry->time);
                r = backup_set_attribute(d, node, row->order, row->time, time);
        }
        return r;
}

int backup_component_add_entry(struct backup_component *c, enum backup_list list,
                               const struct backup_entry *entry, struct vss_error *reterr) {
        struct backup_document *d = document_of(c);
        const struct list_row *row = &lists[list];
        struct backup_entries *own = &c->lists[list];
        xmlNode *last = own->n > 0 ? own->nodes[own->n - 1] : NULL, *node;
        int r = 0;

        for (size_t t = 0; r >= 0 && t < BACKUP_ENTRY_TEXTS && row->texts[t]; t++)
                r = xml_text_check(entry->texts[t], row->texts[t], reterr);
        if (r < 0)
                return r;
        node = backup_new_element(d, row->element);
        if (!node)
                return backup_out_of_memory(reterr);
        if (backup_charge(d, 1, strlen(row->element) + 3) < 0 ||
            fill_entry(d, node, row, entry) < 0 || backup_component_append(c, list, node) < 0) {
                xmlFreeNode(node);
                return backup_out_of_memory(reterr);
        }
        put_child(c->node, node, last);
        return 0;
}

void backup_component_remove_entries(struct backup_component *c, enum backup_list list) {
        struct backup_entries *entries = &c->lists[list];

        if (list == BACKUP_LIST_RESTORE_SUBCOMPONENT)
                key_index_done(&c->subcomponents); /* it points to them, and is empty then */
        while (entries->n > 0)
                backup_remove_element(document_of(c), entries->nodes[--entries->n]);
}

int backup_component_set_entry_text(struct backup_component *c, enum backup_list list, size_t i,
                                    unsigned text, const char *value, struct vss_error *reterr) {
        const struct list_row *row = &lists[list];
        int r;

        assert(text < BACKUP_ENTRY_TEXTS);
        assert(row->texts[text]);

        if (i >= c->lists[list].n)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "Component '%s' has %zu entries %s, none with index %zu",
                                     str_or_empty(backup_component_name(c)), c->lists[list].n,
                                     row->element, i);
        r = xml_text_check(value, row->texts[text], reterr);
        if (r < 0)
                return r;
        if (backup_set_attribute(document_of(c), c->lists[list].nodes[i], row->order,
                                 row->texts[text], value) < 0)
                return backup_out_of_memory(reterr);
        return 0;
}
