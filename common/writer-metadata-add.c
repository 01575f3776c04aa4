/* What a writer says, checked and put into the document. A refused addition leaves it as it was. */

#include "common/writer-metadata-model.h"
#include "common/xml-text.h"

#define COMPONENT_FLAGS \
        (VSS_CF_BACKUP_RECOVERY | VSS_CF_APP_ROLLBACK_RECOVERY | VSS_CF_NOT_SYSTEM_STATE)
#define BACKUP_TYPES                                                     \
        (VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED | \
         VSS_FSBT_CREATED_DURING_BACKUP)
#define SCHEMA_BITS                                                                             \
        (VSS_BS_DIFFERENTIAL | VSS_BS_INCREMENTAL | VSS_BS_EXCLUSIVE_INCREMENTAL_DIFFERENTIAL | \
         VSS_BS_LOG | VSS_BS_COPY | VSS_BS_TIMESTAMPED | VSS_BS_LAST_MODIFY | VSS_BS_LSN |      \
         VSS_BS_WRITER_SUPPORTS_NEW_TARGET | VSS_BS_WRITER_SUPPORTS_RESTORE_WITH_MOVE |         \
         VSS_BS_INDEPENDENT_SYSTEM_STATE | VSS_BS_ROLLFORWARD_RESTORE | VSS_BS_RESTORE_RENAME | \
         VSS_BS_AUTHORITATIVE_RESTORE | VSS_BS_WRITER_SUPPORTS_PARALLEL_RESTORES)

/* Whoever adds to what was read loses what the model does not have. */
static void forget_verbatim(struct writer_metadata *m) {
        free(m->verbatim);
        m->verbatim = NULL;
}

int writer_metadata_new(struct writer_metadata **ret, const struct writer_metadata_identity *id,
                        struct vss_error *reterr) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL;
        int r;

        if (!xml_token(&metadata_usages, (int64_t)id->usage) ||
            !xml_token(&metadata_sources, (int64_t)id->source))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The writer's usage or source type is not one of the "
                                     "documented values");
        r = xml_text_require(id->name, "The writer's name", reterr);
        if (r >= 0)
                r = xml_text_check(id->instance_name, "The writer's instance name", reterr);
        if (r < 0)
                return r;
        m = metadata_alloc();
        if (!m || metadata_put_identity(m, id) < 0)
                return metadata_out_of_memory(reterr);
        *ret = TAKE_PTR(m);
        return 0;
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

        if (!xml_token(&metadata_component_types, (int64_t)c->type))
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
        int r;

        r = check_component(c, reterr);
        if (r < 0)
                return r;
        if (metadata_find(m, c->logical_path, c->name))
                return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, 0,
                                     "Component '%s' with logical path '%s' was added before",
                                     c->name, str_or_empty(c->logical_path));
        if (m->n_components >= WRITER_METADATA_COMPONENTS_MAX ||
            metadata_put_component(m, c, NULL) < 0)
                return metadata_out_of_memory(reterr);
        forget_verbatim(m);
        return 0;
}

/* What a list takes beside path and file specification. */
static const struct list_rule {
        VSS_COMPONENT_TYPE type; /* of its component */
        bool recursive, alternate_path, needs_alternate_path, mask;
} rules[] = {
        [WRITER_METADATA_FILES] = { .type = VSS_CT_FILEGROUP,
                                    .recursive = true,
                                    .alternate_path = true,
                                    .mask = true },
        [WRITER_METADATA_DATABASE_FILES] = { .type = VSS_CT_DATABASE, .mask = true },
        [WRITER_METADATA_DATABASE_LOG_FILES] = { .type = VSS_CT_DATABASE, .mask = true },
        [WRITER_METADATA_EXCLUDES] = { .recursive = true },
        [WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT] = { .recursive = true },
        [WRITER_METADATA_MAPPINGS] = { .recursive = true,
                                       .alternate_path = true,
                                       .needs_alternate_path = true },
};
_Static_assert(ARRAY_SIZE(rules) == _WRITER_METADATA_LIST_MAX, "a rule for each list");

static int check_files(const struct list_rule *rule, const struct writer_metadata_files *f,
                       struct vss_error *reterr) {
        int r;

        r = xml_path_require(f->path, "The path of a file set", reterr);
        if (r >= 0)
                r = xml_path_require(f->filespec, "The file specification", reterr);
        if (r >= 0 && rule->alternate_path)
                r = xml_path_check(f->alternate_path, "The alternate location", reterr);
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
        if (rule->needs_alternate_path && str_empty(f->alternate_path))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The mapping of '%s' in '%s' has no destination", f->filespec,
                                     f->path);
        if (f->backup_type_mask & ~(uint32_t)BACKUP_TYPES)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Files '%s' in '%s': unknown backup types 0x%x", f->filespec,
                                     f->path, f->backup_type_mask);
        return 0;
}

static int get_component(struct writer_metadata *m, const char *logical_path, const char *name,
                         struct metadata_component **ret, struct vss_error *reterr) {
        struct metadata_component *c;
        int r;

        r = xml_text_require(name, "The component's name", reterr);
        if (r < 0)
                return r;
        c = metadata_find(m, logical_path, name);
        if (!c)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "There is no component '%s' with logical path '%s': add it "
                                     "before its files and dependencies",
                                     name, str_or_empty(logical_path));
        m->recent = *ret = c;
        return 0;
}

static struct metadata_text text_of(const char *s) {
        return (struct metadata_text){ s, strlen(str_or_empty(s)) };
}

int writer_metadata_add(struct writer_metadata *m, enum writer_metadata_list list,
                        const char *logical_path, const char *name,
                        const struct writer_metadata_files *f, struct vss_error *reterr) {
        const struct list_rule *rule = &rules[list];
        struct metadata_component *c = NULL;
        int r;

        r = check_files(rule, f, reterr);
        if (r >= 0 && rule->type != VSS_CT_UNDEFINED)
                r = get_component(m, logical_path, name, &c, reterr);
        if (r < 0)
                return r;
        if (c && c->info.type != rule->type)
                return vss_error_set(reterr, E_INVALIDARG, 0, "Component '%s' is a %s", name,
                                     rule->type == VSS_CT_FILEGROUP ? "database, not a file group"
                                                                    : "file group, not a database");
        if (list == WRITER_METADATA_MAPPINGS && !m->has_restore)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "There is no restore method yet: set it before its mappings");
        {
                const struct metadata_text texts[3] = {
                        text_of(f->path),
                        text_of(f->filespec),
                        text_of(rule->alternate_path ? f->alternate_path : NULL),
                };

                if (metadata_put_set(m, c, list, texts, rule->recursive && f->recursive,
                                     rule->mask ? f->backup_type_mask : 0) < 0)
                        return metadata_out_of_memory(reterr);
        }
        forget_verbatim(m);
        return 0;
}

int writer_metadata_add_dependency(struct writer_metadata *m, const char *logical_path,
                                   const char *name, const struct writer_metadata_dependency *on,
                                   struct vss_error *reterr) {
        struct metadata_component *c;
        int r;

        r = get_component(m, logical_path, name, &c, reterr);
        if (r >= 0)
                r = xml_text_check(on->logical_path, "The other component's logical path", reterr);
        if (r >= 0)
                r = xml_text_require(on->name, "The other component's name", reterr);
        if (r < 0)
                return r;
        if (metadata_put_dependency(m, c, on) < 0)
                return metadata_out_of_memory(reterr);
        forget_verbatim(m);
        return 0;
}

int writer_metadata_set_schema(struct writer_metadata *m, uint32_t schema,
                               struct vss_error *reterr) {
        if (schema & ~(uint32_t)SCHEMA_BITS)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The backup schema has unknown bits 0x%x",
                                     schema & ~(uint32_t)SCHEMA_BITS);
        m->schema = schema;
        forget_verbatim(m);
        return 0;
}

static int check_restore(const struct writer_metadata_restore *restore, struct vss_error *reterr) {
        bool wants_service = restore->method == VSS_RME_STOP_RESTORE_START ||
                             restore->method == VSS_RME_RESTORE_STOP_START;
        int r;

        if (restore->method == VSS_RME_UNDEFINED ||
            !xml_token(&metadata_methods, (int64_t)restore->method) ||
            !xml_token(&metadata_writer_restores, (int64_t)restore->writer_restore))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Restore method %u with writer restore %u: one of them is not "
                                     "a documented value",
                                     (unsigned)restore->method, (unsigned)restore->writer_restore);
        if (wants_service == str_empty(restore->service))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Restore method %s %s the name of a service",
                                     xml_token(&metadata_methods, (int64_t)restore->method),
                                     wants_service ? "needs" : "does not take");
        r = xml_text_check(restore->service, "The service's name", reterr);
        if (r >= 0)
                r = xml_text_check(restore->user_procedure, "The user procedure", reterr);
        return r;
}

int writer_metadata_set_restore_method(struct writer_metadata *m,
                                       const struct writer_metadata_restore *restore,
                                       struct vss_error *reterr) {
        int r;

        r = check_restore(restore, reterr);
        if (r < 0)
                return r;
        if (metadata_put_restore(m, restore) < 0)
                return metadata_out_of_memory(reterr);
        forget_verbatim(m);
        return 0;
}
