/* See backup-snapshots.h. Stateless. */

#include "common/backup-snapshots.h"
#include "common/backup-document-tree.h"
#include "common/utf8.h"
#include "common/vss-id.h"
#include "common/xml-text.h"
#include <limits.h>
#include <stdio.h>

#define SET "SNAPSHOT_SET_DESCRIPTION"
#define SNAPSHOT "SNAPSHOT_DESCRIPTION"

static const char *const set_order[] = { "snapshotSetId", "context", "snapshotsCount", NULL };

static const char *const snapshot_order[] = {
        "snapshotId",        "providerId",  "providerName", "timestamp", "originatingMachine",
        "originalVolume",    "displayName", "fileSystem",   "mounted",   "consistency",
        "consistencyReason", "storage",     NULL,
};

/* A text of a snapshot, and how long it may be. */
static const struct text {
        const char *attribute;
        size_t offset, max;
        bool required;
} texts[] = {
#define TEXT(name, field, most) \
        .attribute = (name), .offset = offsetof(struct backup_snapshot, field), .max = (most)
        { TEXT("providerName", provider, 64), .required = true },
        { TEXT("originatingMachine", machine, 255) },
        { TEXT("originalVolume", volume, PATH_MAX), .required = true },
        { TEXT("displayName", display, PATH_MAX) },
        { TEXT("fileSystem", fs_type, 64) },
        { TEXT("consistency", consistency, 64) },
        { TEXT("consistencyReason", consistency_reason, 1024) },
        { TEXT("storage", storage, 4096), .required = true },
#undef TEXT
};

static bool is_storage(const struct text *t) {
        return t->offset == offsetof(struct backup_snapshot, storage);
}

static const char **text_field(struct backup_snapshot *s, const struct text *t) {
        return (const char **)(void *)((char *)s + t->offset);
}

static const char *text_of(const struct backup_snapshot *s, const struct text *t) {
        return *(const char *const *)(const void *)((const char *)s + t->offset);
}

static bool is_named(const xmlNode *node, const char *name) {
        return node->type == XML_ELEMENT_NODE && streq((const char *)node->name, name);
}

/* --- writing --- */

static int set_number(struct backup_document *d, xmlNode *node, const char *const *order,
                      const char *name, long long value) {
        char text[24];

        (void)snprintf(text, sizeof(text), "%lld", value);
        return backup_set_attribute(d, node, order, name, text);
}

/* Without what no document holds, and not longer than is read again. */
static int set_text(struct backup_document *d, xmlNode *node, const struct text *t,
                    const char *value, struct vss_error *reterr) {
        _cleanup_(freep) char *clean = NULL;
        int r;

        if (str_empty(value))
                return 0;
        clean = is_storage(t) ? strdup(value) : utf8_clean(value);
        if (!clean)
                return backup_out_of_memory(reterr);
        if (strlen(clean) > t->max)
                return vss_error_set(reterr, E_INVALIDARG, E2BIG,
                                     "a description of a snapshot has a %s of %zu bytes, and %zu "
                                     "are the most",
                                     t->attribute, strlen(clean), t->max);
        r = xml_text_check(clean, t->attribute, reterr);
        if (r < 0)
                return r;
        return backup_set_attribute(d, node, snapshot_order, t->attribute, clean) < 0
                       ? backup_out_of_memory(reterr)
                       : 0;
}

static int write_snapshot(struct backup_document *d, xmlNode *parent,
                          const struct backup_snapshot *s, struct vss_error *reterr) {
        xmlNode *node = backup_new_element(d, SNAPSHOT);
        int r;

        if (!node)
                return backup_out_of_memory(reterr);
        (void)xmlAddChild(parent, node); /* it is new: nothing is merged or freed */
        if (backup_charge(d, 1, strlen("<" SNAPSHOT "/>")) < 0 ||
            backup_set_attribute(d, node, snapshot_order, "snapshotId", VSS_ID_TEXT(s->id)) < 0 ||
            backup_set_attribute(d, node, snapshot_order, "providerId",
                                 VSS_ID_TEXT(s->provider_id)) < 0 ||
            set_number(d, node, snapshot_order, "timestamp", (long long)s->created) < 0 ||
            backup_set_attribute(d, node, snapshot_order, "mounted", s->mounted ? "yes" : "no") < 0)
                return backup_out_of_memory(reterr);
        r = 0;
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++)
                r = set_text(d, node, &texts[i], text_of(s, &texts[i]), reterr);
        return r;
}

static void remove_all(struct backup_document *d) {
        for (xmlNode *node = d->root->children, *next; node; node = next) {
                next = node->next;
                if (is_named(node, SET))
                        backup_remove_element(d, node);
        }
}

/* Before the writers, as the format has it. */
static void put_first(struct backup_document *d, xmlNode *node) {
        if (d->root->children)
                (void)xmlAddPrevSibling(d->root->children, node); /* both are elements of ours */
        else
                (void)xmlAddChild(d->root, node); /* as above */
}

int backup_document_set_snapshots(struct backup_document *d, const struct backup_snapshots *set,
                                  struct vss_error *reterr) {
        xmlNode *node;
        int r = 0;

        assert(set->n <= BACKUP_SNAPSHOTS_MAX);

        remove_all(d);
        node = backup_new_element(d, SET);
        if (!node)
                return backup_out_of_memory(reterr);
        put_first(d, node);
        if (backup_charge(d, 1, strlen("<" SET "></" SET ">")) < 0 ||
            backup_set_attribute(d, node, set_order, "snapshotSetId", VSS_ID_TEXT(set->set_id)) <
                    0 ||
            set_number(d, node, set_order, "context", (long long)(uint32_t)set->context) < 0 ||
            set_number(d, node, set_order, "snapshotsCount", set->count) < 0)
                r = backup_out_of_memory(reterr);
        for (size_t i = 0; r >= 0 && i < set->n; i++)
                r = write_snapshot(d, node, &set->items[i], reterr);
        if (r < 0)
                remove_all(d); /* half of one would be imported as a whole */
        return r;
}

/* --- reading --- */

static int odd(struct vss_error *reterr, const xmlNode *node, const char *attribute,
               const char *why) {
        return vss_error_set(reterr, VSS_E_NO_SNAPSHOTS_IMPORTED, EBADMSG,
                             "The document's description of its snapshots cannot be understood: "
                             "line %ld, %s%s%s %s",
                             xmlGetLineNo((xmlNode *)node), (const char *)node->name,
                             *attribute ? ", " : "", attribute, why);
}

static int read_number(const xmlNode *node, const char *name, long long min, long long max,
                       long long *ret, struct vss_error *reterr) {
        const char *text = backup_attribute(node, name);
        long long value;
        char *end;

        if (!text || text[strspn(text, "0123456789")] != '\0')
                return odd(reterr, node, name, "is no number");
        errno = 0;
        value = strtoll(text, &end, 10);
        if (errno != 0 || value < min || value > max)
                return odd(reterr, node, name, "is out of range");
        *ret = value;
        return 0;
}

static int read_id(const xmlNode *node, const char *name, VSS_ID *ret, struct vss_error *reterr) {
        return vss_id_parse(ret, backup_attribute(node, name)) < 0 || vss_id_is_null(*ret)
                       ? odd(reterr, node, name, "is no id")
                       : 0;
}

/* It is shown and logged: what could hide something there is refused. A provider's text is of
 * lines, and for the provider to read. */
static bool has_control(const char *text, bool lines) {
        while (*text) {
                uint32_t character;

                text += utf8_decode(text, &character);
                if (utf8_is_control(character) && !(lines && character == '\n'))
                        return true;
        }
        return false;
}

static int read_texts(const xmlNode *node, struct backup_snapshot *s, struct vss_error *reterr) {
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                const char *text = backup_attribute(node, texts[i].attribute);

                if (!text && texts[i].required)
                        return odd(reterr, node, texts[i].attribute, "is missing");
                if (text && strlen(text) > texts[i].max)
                        return odd(reterr, node, texts[i].attribute, "is too long");
                if (text && has_control(text, is_storage(&texts[i])))
                        return odd(reterr, node, texts[i].attribute, "has control characters");
                *text_field(s, &texts[i]) = text;
        }
        return 0;
}

static int read_snapshot(const xmlNode *node, struct backup_snapshots *set,
                         struct vss_error *reterr) {
        struct backup_snapshot *s = &set->items[set->n];
        long long created = 0;
        int r;

        r = read_id(node, "snapshotId", &s->id, reterr);
        if (r >= 0)
                r = read_id(node, "providerId", &s->provider_id, reterr);
        if (r >= 0)
                r = read_number(node, "timestamp", 0, INT64_MAX, &created, reterr);
        if (r >= 0)
                r = read_texts(node, s, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < set->n; i++)
                if (vss_id_equal(set->items[i].id, s->id))
                        return odd(reterr, node, "snapshotId", "is there twice");
        s->created = (VSS_TIMESTAMP)created;
        s->mounted = backup_attribute_yes(node, "mounted");
        set->n++;
        return 0;
}

static int read_set(const xmlNode *node, struct backup_snapshots *set, struct vss_error *reterr) {
        long long context = 0, count = 0;
        int r;

        r = read_id(node, "snapshotSetId", &set->set_id, reterr);
        if (r >= 0)
                r = read_number(node, "context", 0, UINT32_MAX, &context, reterr);
        if (r >= 0)
                r = read_number(node, "snapshotsCount", 1, BACKUP_SNAPSHOTS_MAX, &count, reterr);
        for (const xmlNode *child = node->children; r >= 0 && child; child = child->next) {
                if (!is_named(child, SNAPSHOT))
                        continue;
                if (set->n == BACKUP_SNAPSHOTS_MAX || set->n == (size_t)count)
                        return odd(reterr, node, "snapshotsCount", "is less than there are");
                r = read_snapshot(child, set, reterr);
        }
        if (r < 0)
                return r;
        if (set->n == 0)
                return odd(reterr, node, "", "has no " SNAPSHOT);
        set->context = (LONG)(uint32_t)context;
        set->count = (LONG)count;
        return 0;
}

int backup_document_snapshots(const struct backup_document *d, struct backup_snapshots *ret,
                              struct vss_error *reterr) {
        const xmlNode *found = NULL;

        for (const xmlNode *node = d->root->children; node; node = node->next) {
                if (!is_named(node, SET))
                        continue;
                if (found)
                        return odd(reterr, node, "", "is there twice");
                found = node;
        }
        if (!found)
                return vss_error_set(reterr, VSS_E_NONTRANSPORTABLE_BCD, 0,
                                     "The document describes no transportable snapshot set: it was "
                                     "saved from a backup whose snapshots stay on their machine");
        *ret = (struct backup_snapshots){ 0 };
        return read_set(found, ret, reterr);
}
