/* A restore: which components, where to, and what became of them; and its two events. The file sets
 * are those of the writer that runs now: the document of the backup names no file. */

#include "daemon/session/session-components.h"

#include "common/vss-id.h"

int session_set_restore_state(struct session *s, uint32_t type, struct vss_error *reterr) {
        struct backup_document_state state;
        int r;

        r = session_enter(s, METHOD_SET_RESTORE_STATE, NULL, reterr);
        if (r < 0)
                return r;
        if (type > VSS_RTYPE_OTHER)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%u is no type of restore; they go from 0 (undefined) to 3 "
                                     "(other)",
                                     (unsigned)type);
        state = *backup_document_state(s->document);
        state.restore_type = (VSS_RESTORE_TYPE)type;
        return backup_document_set_state(s->document, &state, reterr);
}

/* --- which components --- */

static int check_move(const struct session *s, const struct component_args *a,
                      struct vss_error *reterr) {
        const struct writer_metadata *m = session_model(s, a->instance_id);
        struct participant_info info;

        if (!session_find_participant(s, a->instance_id, &info) || info.gone ||
            !vss_id_equal(info.class_id, a->key.writer_id))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "No running writer of the class %s has the instance id %s",
                                     VSS_ID_TEXT(a->key.writer_id), VSS_ID_TEXT(a->instance_id));
        if (m && writer_metadata_schema(m) & VSS_BS_WRITER_SUPPORTS_RESTORE_WITH_MOVE)
                return 0;
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "Writer %s does not take over what another instance saved: its backup "
                             "schema has no 0x%x",
                             info.name, (unsigned)VSS_BS_WRITER_SUPPORTS_RESTORE_WITH_MOVE);
}

static bool is_selected(const struct backup_component *c) {
        return !vss_id_is_null(backup_component_recipient(c));
}

/* SetSelectedForRestore is the same with no instance. */
int restore_select(struct session *s, const struct component_args *a, struct backup_component *c,
                   struct vss_error *reterr) {
        const bool moves = a->flag && !vss_id_is_null(a->instance_id);
        struct participant_info same = { .instance_id = GUID_NULL };
        int r = 0;

        if (moves)
                r = check_move(s, a, reterr);
        else if (a->flag && !session_find_same(s, &a->key, c, &same))
                r = refuse_writer("SetSelectedForRestore", &a->key, reterr);
        if (r >= 0)
                r = backup_component_set_flag(c, BACKUP_FLAG_SELECTED_FOR_RESTORE, a->flag, reterr);
        if (r >= 0)
                r = backup_component_set_text(c, BACKUP_TEXT_SELECTED_INSTANCE,
                                              moves ? VSS_ID_TEXT(a->instance_id) : NULL, reterr);
        if (r < 0)
                return r;
        /* Not wanted any more; or left by an earlier restore. */
        if (!a->flag || !is_selected(c))
                backup_component_remove_entries(c, BACKUP_LIST_RESTORE_SUBCOMPONENT);
        backup_component_set_recipient(c, moves ? a->instance_id : same.instance_id);
        return 0;
}

/* --- what the writer that runs says of the component --- */

/* Its metadata; NULL: refused. */
static const struct writer_metadata *live_model(const struct session *s, const char *method,
                                                const struct component_args *a,
                                                const struct backup_component *c,
                                                struct vss_error *reterr) {
        const struct writer_metadata *m = NULL;
        struct participant_info live;

        if (session_find_live(s, &a->key, c, &live))
                m = session_model(s, live.instance_id);
        if (!m)
                (void)refuse_writer(method, &a->key, reterr);
        return m;
}

/* Is the component of this path and name the key's, or below it? */
static bool is_in_set(const struct backup_component_key *key, const char *path, const char *name,
                      bool below_only) {
        const char *parent = str_or_empty(key->logical_path), *rest = str_or_empty(path);

        if (streq(rest, parent) && streq(name, key->name))
                return !below_only;
        if (*parent != '\0') {
                if (strncmp(rest, parent, strlen(parent)) != 0 || rest[strlen(parent)] != '\\')
                        return false;
                rest += strlen(parent) + 1;
        }
        return strncmp(rest, key->name, strlen(key->name)) == 0 &&
               (rest[strlen(key->name)] == '\0' || rest[strlen(key->name)] == '\\');
}

/* texts: path, file specification; flag: recursive. */
static struct file_set_key files_of(const struct component_args *a) {
        return (struct file_set_key){ a->texts[0], a->texts[1], a->flag };
}

static int check_files(const struct session *s, const char *method, const struct component_args *a,
                       const struct backup_component *c, const struct file_set_index **ret,
                       struct vss_error *reterr) {
        const struct file_set_key key = files_of(a);
        const struct file_set_index *files = NULL;
        struct participant_info live;

        if (str_empty(a->texts[0]) || str_empty(a->texts[1]) || str_empty(a->texts[2]))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s needs a path, a file specification and a destination",
                                     method);
        if (session_find_live(s, &a->key, c, &live))
                files = session_model_files(s, live.instance_id);
        if (!files)
                return refuse_writer(method, &a->key, reterr);
        if (!file_set_index_has(files, a->key.logical_path, a->key.name, &key))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "%s: neither the component '%s' nor one below it has the file "
                                     "set %s, %s%s; it must be named exactly as in the writer's "
                                     "metadata",
                                     method, a->key.name, a->texts[0], a->texts[1],
                                     a->flag ? ", recursive" : "");
        *ret = files;
        return 0;
}

static int add_files(struct backup_component *c, enum backup_list list,
                     const struct component_args *a, struct vss_error *reterr) {
        const struct backup_entry entry = {
                .texts = { a->texts[0], a->texts[1], a->texts[2] },
                .flag = a->flag,
        };

        return backup_component_add_entry(c, list, &entry, reterr);
}

int restore_add_target(struct session *s, const struct component_args *a,
                       struct backup_component *c, struct vss_error *reterr) {
        const struct file_set_index *files;
        int r;

        r = check_files(s, "AddNewTarget", a, c, &files, reterr);
        return r < 0 ? r : add_files(c, BACKUP_LIST_NEW_TARGET, a, reterr);
}

/* What the writer offered, and the requester then did. Where to is the requester's to say: a
 * mapping may have variables in it. */
int restore_add_mapping(struct session *s, const struct component_args *a,
                        struct backup_component *c, struct vss_error *reterr) {
        const struct file_set_key key = files_of(a);
        const struct file_set_index *files;
        int r;

        r = check_files(s, "AddAlternativeLocationMapping", a, c, &files, reterr);
        if (r < 0)
                return r;
        if (!file_set_index_maps(files, &key))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "The writer offers no alternate location for the file set %s, "
                                     "%s of the component '%s'",
                                     a->texts[0], a->texts[1], a->key.name);
        return add_files(c, BACKUP_LIST_ALTERNATE_LOCATION_MAPPING, a, reterr);
}

/* texts: logical path, name; flag: repair. */
int restore_add_subcomponent(struct session *s, const struct component_args *a,
                             struct backup_component *c, struct vss_error *reterr) {
        const struct backup_entry entry = { .texts = { a->texts[0], a->texts[1] } };
        const struct writer_metadata *m;
        size_t i;

        if (str_empty(a->texts[0]) || str_empty(a->texts[1]) || a->flag)
                return vss_error_set(
                        reterr, E_INVALIDARG, 0,
                        "AddRestoreSubcomponent needs the logical path and the name of "
                        "the subcomponent, and bRepair, which is reserved, false");
        if (!is_selected(c))
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "AddRestoreSubcomponent needs SetSelectedForRestore of the "
                                     "component '%s' first",
                                     a->key.name);
        m = live_model(s, "AddRestoreSubcomponent", a, c, reterr);
        if (!m)
                return -ENOENT;
        i = writer_metadata_find_component(m, a->texts[0], a->texts[1]);
        if (i == SIZE_MAX || !is_in_set(&a->key, a->texts[0], a->texts[1], true))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "The component '%s' has no subcomponent '%s' under '%s'",
                                     a->key.name, a->texts[1], a->texts[0]);
        if (!writer_metadata_component(m, i)->selectable_for_restore)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The subcomponent '%s' cannot be restored alone: its writer "
                                     "made it not selectable for restore",
                                     a->texts[1]);
        if (backup_component_has_subcomponent(c, a->texts[0], a->texts[1]))
                return 0;
        return backup_component_add_entry(c, BACKUP_LIST_RESTORE_SUBCOMPONENT, &entry, reterr);
}

/* --- the others with rules of their own --- */

/* What an earlier restore left in the document may be replaced. */
int restore_set_options(struct session *s _unused_, const struct component_args *a,
                        struct backup_component *c, struct vss_error *reterr) {
        int r;

        if (backup_component_has_options(c))
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "SetRestoreOptions was called for the component '%s' already: "
                                     "it is called once for each",
                                     a->key.name);
        r = backup_component_set_text(c, BACKUP_TEXT_RESTORE_OPTIONS, a->texts[0], reterr);
        if (r >= 0)
                backup_component_note_options(c);
        return r;
}

int restore_check_name(struct session *s _unused_, const struct component_args *a,
                       struct backup_component *c _unused_, struct vss_error *reterr) {
        if (!str_empty(a->texts[0]))
                return 0;
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "SetRestoreName needs the new name of the component '%s'",
                             a->key.name);
}

int restore_set_status(struct session *s _unused_, const struct component_args *a,
                       struct backup_component *c, struct vss_error *reterr) {
        if (a->number < VSS_RS_NONE || a->number > VSS_RS_FAILED)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%u is no outcome of restoring files; there are 1 (none), 2 "
                                     "(all) and 3 (failed)",
                                     (unsigned)a->number);
        return backup_component_set_number(c, BACKUP_NUMBER_FILE_RESTORE_STATUS, (int32_t)a->number,
                                           reterr);
}

/* texts: the ranges file; number: which partial file. */
int restore_set_ranges(struct session *s _unused_, const struct component_args *a,
                       struct backup_component *c, struct vss_error *reterr) {
        size_t n = backup_component_n_entries(c, BACKUP_LIST_PARTIAL_FILE);

        if (a->texts[0][0] != '/')
                return vss_error_set(
                        reterr, E_INVALIDARG, 0,
                        "SetRangesFilePath needs the full path of the ranges file, not "
                        "\"%s\"",
                        a->texts[0]);
        if (a->number >= n)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "The component '%s' has no partial file %u: there are %zu, "
                                     "counted from 0",
                                     a->key.name, (unsigned)a->number, n);
        return backup_component_set_entry_text(c, BACKUP_LIST_PARTIAL_FILE, a->number, 2,
                                               a->texts[0], reterr);
}

/* texts: the point; number: how far. */
int restore_set_roll_forward(struct session *s _unused_, const struct component_args *a,
                             struct backup_component *c, struct vss_error *reterr) {
        const bool partial = a->number == VSS_RF_PARTIAL;
        int r;

        if (a->number < VSS_RF_NONE || a->number > VSS_RF_PARTIAL)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%u is no way of rolling forward; there are 1 (none), 2 (all) "
                                     "and 3 (partial)",
                                     (unsigned)a->number);
        if (partial && str_empty(a->texts[0]))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Rolling forward partially needs the point up to which");
        r = backup_component_set_text(c, BACKUP_TEXT_ROLL_FORWARD_POINT,
                                      partial ? a->texts[0] : NULL, reterr);
        if (r < 0)
                return r;
        return backup_component_set_number(c, BACKUP_NUMBER_ROLL_FORWARD, (int32_t)a->number,
                                           reterr);
}

/* --- the events --- */

/* Metadata that nobody has read does not say so. */
static bool restores_in_parallel(void *userdata, const struct participant_info *info) {
        const struct writer_metadata *m = session_model(userdata, info->instance_id);

        return m && writer_metadata_schema(m) & VSS_BS_WRITER_SUPPORTS_PARALLEL_RESTORES;
}

static void session_cancel_pre_restore(void *userdata) {
        session_drop_operation(userdata);
}

int session_pre_restore(struct session *s, struct async **ret, struct vss_error *reterr) {
        enum session_state next;
        int r;

        r = session_enter(s, METHOD_PRE_RESTORE, &next, reterr);
        if (r < 0)
                return r;
        participants_involve(s->participants, session_concerns, s);
        participants_allow_parallel_restores(s->participants, restores_in_parallel, s);
        return session_begin_round(s, METHOD_PRE_RESTORE, WRITER_EVENT_PRE_RESTORE, next,
                                   session_cancel_pre_restore, ret, reterr);
}

/* The event is out with every writer and cannot be taken back: what is cancelled is the wait. */
static void session_cancel_post_restore(void *userdata) {
        struct session *s = userdata;

        session_set_state(s, s->operation.next);
        session_drop_operation(s);
}

/* To those that had PreRestore: one that was started anew since is another, and its failure to
 * answer shows in its status. */
int session_post_restore(struct session *s, struct async **ret, struct vss_error *reterr) {
        enum session_state next;
        int r;

        r = session_enter(s, METHOD_POST_RESTORE, &next, reterr);
        if (r < 0)
                return r;
        return session_begin_round(s, METHOD_POST_RESTORE, WRITER_EVENT_POST_RESTORE, next,
                                   session_cancel_post_restore, ret, reterr);
}
