/* The document as arrays: texts lie in an arena and stay where they are, file sets and dependencies
 * in an array for each list, components are found by a hash. Of a list, the order is kept; between
 * lists there is none, so that equal states print equally. */

#include "common/writer-metadata.h"
#include "common/writer-metadata-model.h"

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
        [VSS_RME_UNDEFINED] = "UNDEFINED",
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

const struct xml_tokens metadata_usages = XML_TOKENS(usage_names);
const struct xml_tokens metadata_sources = XML_TOKENS(source_names);
const struct xml_tokens metadata_component_types = XML_TOKENS(component_names);
const struct xml_tokens metadata_methods = XML_TOKENS(method_names);
const struct xml_tokens metadata_writer_restores = XML_TOKENS(writer_restore_names);

int metadata_out_of_memory(struct vss_error *reterr) {
        return vss_error_from_errno(reterr, -ENOMEM, WRITER_METADATA_WHAT);
}

struct writer_metadata *metadata_alloc(void) {
        return calloc(1, sizeof(struct writer_metadata));
}

static void lists_done(struct metadata_list lists[static METADATA_N_LISTS]) {
        for (size_t i = 0; i < METADATA_N_LISTS; i++)
                free(lists[i].sets);
}

struct writer_metadata *writer_metadata_free(struct writer_metadata *m) {
        if (!m)
                return NULL;
        for (size_t i = 0; i < m->n_components; i++) {
                struct metadata_component *c = m->components[i];

                lists_done(c->lists);
                free(c->dependencies);
                free((uint8_t *)c->info.icon);
                free(c);
        }
        free(m->components);
        key_index_done(&m->index);
        lists_done(m->lists);
        text_arena_done(&m->texts);
        free(m->verbatim);
        free(m);
        return NULL;
}

const struct writer_metadata_identity *writer_metadata_identity(const struct writer_metadata *m) {
        return &m->identity;
}

uint32_t writer_metadata_schema(const struct writer_metadata *m) {
        return m->schema;
}

const struct writer_metadata_restore *writer_metadata_restore(const struct writer_metadata *m) {
        return m->has_restore ? &m->restore : NULL;
}

size_t writer_metadata_n_components(const struct writer_metadata *m) {
        return m->n_components;
}

const struct writer_metadata_component *writer_metadata_component(const struct writer_metadata *m,
                                                                  size_t i) {
        return i < m->n_components ? &m->components[i]->info : NULL;
}

size_t writer_metadata_find_component(const struct writer_metadata *m, const char *logical_path,
                                      const char *name) {
        const struct metadata_component *c = metadata_find(m, logical_path, name);

        return c ? c->position : SIZE_MAX;
}

static const struct metadata_list *list_of(const struct writer_metadata *m,
                                           enum writer_metadata_list list, size_t component) {
        if (list >= METADATA_WRITER_LISTS)
                return &m->lists[list - METADATA_WRITER_LISTS];
        return component < m->n_components ? &m->components[component]->lists[list] : NULL;
}

size_t writer_metadata_n_files(const struct writer_metadata *m, enum writer_metadata_list list,
                               size_t component) {
        const struct metadata_list *own = list_of(m, list, component);

        return own ? own->n : 0;
}

bool writer_metadata_get_files(const struct writer_metadata *m, enum writer_metadata_list list,
                               size_t component, size_t i, struct writer_metadata_files *ret) {
        const struct metadata_list *own = list_of(m, list, component);
        const struct metadata_set *set;

        if (!own || i >= own->n)
                return false;
        set = &own->sets[i];
        *ret = (struct writer_metadata_files){
                .path = str_or_empty(set->path),
                .filespec = str_or_empty(set->filespec),
                .recursive = set->recursive,
                .alternate_path = set->alternate_path,
                .backup_type_mask = set->backup_type_mask,
        };
        return true;
}

size_t writer_metadata_n_dependencies(const struct writer_metadata *m, size_t component) {
        return component < m->n_components ? m->components[component]->n_dependencies : 0;
}

bool writer_metadata_get_dependency(const struct writer_metadata *m, size_t component, size_t i,
                                    struct writer_metadata_dependency *ret) {
        if (i >= writer_metadata_n_dependencies(m, component))
                return false;
        *ret = m->components[component]->dependencies[i];
        return true;
}

static bool is_component(const struct metadata_component *c, const char *logical_path,
                         const char *name) {
        return streq(str_or_empty(c->info.name), name) &&
               streq(str_or_empty(c->info.logical_path), logical_path);
}

struct component_key {
        const char *logical_path, *name; /* not NULL */
};

static bool match(const void *item, const void *wanted) {
        const struct component_key *key = wanted;

        return is_component(item, key->logical_path, key->name);
}

uint64_t metadata_hash(const char *logical_path, const char *name) {
        return key_hash_text(key_hash_text(0, logical_path), name);
}

struct metadata_component *metadata_find(const struct writer_metadata *m, const char *logical_path,
                                         const char *name) {
        const struct component_key key = { str_or_empty(logical_path), str_or_empty(name) };

        /* Whoever makes a document fills one component after the other. */
        if (m->recent && is_component(m->recent, key.logical_path, key.name))
                return m->recent;
        return key_index_find(&m->index, metadata_hash(key.logical_path, key.name), match, &key);
}
