/* The methods that name a component. One table says of each what it sets and which bit of the
 * writer's schema it needs; when it is legal is in session-table.c. Those that have rules of their
 * own have a function. What depends on files and subcomponents is in session-restore.c. */

#include "daemon/session/session-components.h"

#include "common/vss-id.h"
#include "common/xml-text.h"

/* Besides the texts: an element with its attributes. */
#define COMPONENT_BYTES 1024

/* --- which writer --- */

bool session_find_participant(const struct session *s, VSS_ID instance_id,
                              struct participant_info *ret) {
        for (size_t i = 0; s->participants && i < participants_count(s->participants); i++) {
                participants_get(s->participants, i, ret);
                if (vss_id_equal(ret->instance_id, instance_id))
                        return true;
        }
        return false;
}

/* The writer's element that c is in. */
static bool component_writer(const struct session *s, const struct backup_component_key *key,
                             const struct backup_component *c, struct backup_writer_info *ret) {
        struct backup_component_key own = *key;

        for (size_t i = 0; i < backup_document_n_writers(s->document); i++) {
                backup_writer_info(backup_document_writer(s->document, i), ret);
                own.instance_id = ret->instance_id;
                if (vss_id_equal(ret->writer_id, key->writer_id) &&
                    backup_document_find(s->document, &own) == c)
                        return true;
        }
        return false;
}

/* Who was gathered counts, not who is still there: when the one that was meant goes away, the
 * component goes to nobody else. */
bool session_find_same(const struct session *s, const struct backup_component_key *key,
                       const struct backup_component *c, struct participant_info *ret) {
        struct backup_writer_info stored;
        struct participant_info only;
        size_t n = 0;

        if (!component_writer(s, key, c, &stored))
                return false;
        for (size_t i = 0; s->participants && i < participants_count(s->participants); i++) {
                participants_get(s->participants, i, ret);
                if (!vss_id_equal(ret->class_id, key->writer_id))
                        continue;
                if (!ret->gone &&
                    streq(str_or_empty(ret->instance_name), str_or_empty(stored.instance_name)))
                        return true;
                only = *ret;
                n++;
        }
        if (n != 1 || only.gone)
                return false;
        *ret = only;
        return true;
}

bool session_find_live(const struct session *s, const struct backup_component_key *key,
                       const struct backup_component *c, struct participant_info *ret) {
        VSS_ID recipient = backup_component_recipient(c);

        if (vss_id_is_null(recipient))
                return session_find_same(s, key, c, ret);
        return session_find_participant(s, recipient, ret) && !ret->gone;
}

int refuse_component(const char *method, const struct backup_component_key *key,
                     struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                             "%s: the document has no component '%s'%s%s%s of the writer class %s; "
                             "GetWriterComponents tells which there are",
                             method, key->name, str_empty(key->logical_path) ? "" : " under '",
                             str_or_empty(key->logical_path),
                             str_empty(key->logical_path) ? "" : "'", VSS_ID_TEXT(key->writer_id));
}

int refuse_writer(const char *method, const struct backup_component_key *key,
                  struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                             "%s: no running instance of the writer class %s takes the component "
                             "'%s'; start the writer and gather again with a new object, or name "
                             "another instance with SetSelectedForRestoreEx",
                             method, VSS_ID_TEXT(key->writer_id), key->name);
}

/* --- AddComponent --- */

/* Full name and path are compared whole segment by whole segment, from the longest down. path is
 * cut on the way. NULL: there is none. */
static const struct writer_metadata_component *find_selectable_ancestor(
        const struct writer_metadata *m, char *path) {
        char *name;

        do {
                size_t i;

                name = strrchr(path, '\\');
                if (name)
                        *name = '\0';
                i = writer_metadata_find_component(m, name ? path : NULL, name ? name + 1 : path);
                if (i != SIZE_MAX && writer_metadata_component(m, i)->selectable)
                        return writer_metadata_component(m, i);
        } while (name);
        return NULL;
}

/* What is not selectable comes with a selectable ancestor and is never added by itself; what would
 * become of it is undefined (Microsoft's page on AddComponent). */
static int check_no_part(const struct writer_metadata *m, const struct writer_metadata_component *c,
                         const char *writer, struct vss_error *reterr) {
        const struct writer_metadata_component *ancestor;
        _cleanup_(freep) char *path = NULL;

        if (c->selectable || str_empty(c->logical_path))
                return 0;
        path = strdup(c->logical_path);
        if (!path)
                return vss_error_from_errno(reterr, -ENOMEM, "AddComponent");
        ancestor = find_selectable_ancestor(m, path);
        if (!ancestor)
                return 0;
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "Component '%s' under '%s' of writer %s is not selectable and part of "
                             "'%s': add that one, and it comes with it",
                             c->name, c->logical_path, writer, ancestor->name);
}

static int add_component(struct session *s, const struct component_args *a,
                         struct vss_error *reterr) {
        const struct writer_metadata_component *found;
        const struct writer_metadata *m;
        struct participant_info info;
        struct backup_writer_info writer;
        size_t i;
        int r;

        m = session_model(s, a->key.instance_id);
        if (!m || !session_find_participant(s, a->key.instance_id, &info))
                return vss_error_set(reterr, VSS_E_UNEXPECTED, 0,
                                     "AddComponent lost the writer's metadata");
        i = writer_metadata_find_component(m, a->key.logical_path, a->key.name);
        found = i != SIZE_MAX ? writer_metadata_component(m, i) : NULL;
        if (!found || found->type != a->key.type)
                return vss_error_set(
                        reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                        "Writer %s has no component '%s'%s%s%s%s; its metadata tells "
                        "which it has",
                        info.name, a->key.name, str_empty(a->key.logical_path) ? "" : " under '",
                        str_or_empty(a->key.logical_path),
                        str_empty(a->key.logical_path) ? "" : "'", found ? " of this type" : "");
        r = check_no_part(m, found, info.name, reterr);
        if (r < 0)
                return r;
        writer = (struct backup_writer_info){
                .instance_id = info.instance_id,
                .writer_id = info.class_id,
                .instance_name = info.instance_name,
                .schema = writer_metadata_schema(m),
        };
        return backup_document_add(s->document, &writer, &a->key, NULL, reterr);
}

/* --- the table --- */

enum sets { SETS_NOTHING, SETS_TEXT, SETS_FLAG };

static const struct component_method {
        enum session_method method;
        enum sets sets;
        unsigned what;       /* enum backup_text, enum backup_flag */
        uint32_t schema;     /* VSS_BS_...; 0: none is needed */
        const char *ability; /* of the schema bit */
        bool model;          /* needs to know the writer's components and files */
        /* Instead of, or before, setting it. */
        int (*apply)(struct session *s, const struct component_args *a, struct backup_component *c,
                     struct vss_error *reterr);
} methods[] = {
#define TEXT(text) .sets = SETS_TEXT, .what = BACKUP_TEXT_##text
#define FLAG(flag) .sets = SETS_FLAG, .what = BACKUP_FLAG_##flag
#define SCHEMA(bit, words) .schema = VSS_BS_##bit, .ability = (words), .model = true
        { METHOD_ADD_COMPONENT, .model = true },
        { METHOD_SET_BACKUP_SUCCEEDED, FLAG(SUCCEEDED) },
        { METHOD_SET_BACKUP_OPTIONS, TEXT(BACKUP_OPTIONS) },
        { METHOD_SET_PREVIOUS_BACKUP_STAMP, TEXT(PREVIOUS_BACKUP_STAMP) },
        { METHOD_SET_SELECTED_FOR_RESTORE, .model = true, .apply = restore_select },
        { METHOD_SET_SELECTED_FOR_RESTORE_EX, .model = true, .apply = restore_select },
        { METHOD_SET_RESTORE_OPTIONS, .apply = restore_set_options },
        { METHOD_SET_ADDITIONAL_RESTORES, FLAG(ADDITIONAL_RESTORES) },
        { METHOD_ADD_ALTERNATIVE_LOCATION_MAPPING, .model = true, .apply = restore_add_mapping },
        { METHOD_ADD_RESTORE_SUBCOMPONENT, .model = true, .apply = restore_add_subcomponent },
        { METHOD_SET_FILE_RESTORE_STATUS, .apply = restore_set_status },
        { METHOD_ADD_NEW_TARGET, SCHEMA(WRITER_SUPPORTS_NEW_TARGET, "new targets"),
          .apply = restore_add_target },
        { METHOD_SET_RANGES_FILE_PATH, .apply = restore_set_ranges },
        { METHOD_SET_AUTHORITATIVE_RESTORE, FLAG(AUTHORITATIVE_RESTORE),
          SCHEMA(AUTHORITATIVE_RESTORE, "authoritative restores") },
        { METHOD_SET_ROLL_FORWARD, SCHEMA(ROLLFORWARD_RESTORE, "rolling forward"),
          .apply = restore_set_roll_forward },
        { METHOD_SET_RESTORE_NAME, TEXT(RESTORE_NAME),
          SCHEMA(RESTORE_RENAME, "restoring under another name"), .apply = restore_check_name },
#undef TEXT
#undef FLAG
#undef SCHEMA
};

static const struct component_method *method_find(enum session_method m) {
        for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
                if (methods[i].method == m)
                        return &methods[i];
        return NULL;
}

static int check_key(const char *method, const struct backup_component_key *key,
                     struct vss_error *reterr) {
        if (vss_id_is_null(key->writer_id))
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s: the writer id is null", method);
        if (key->type != VSS_CT_DATABASE && key->type != VSS_CT_FILEGROUP)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s: %u is no type of component; there are 1 (database) and 2 "
                                     "(file group)",
                                     method, (unsigned)key->type);
        if (str_empty(key->name))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s: a component has a name, and none was given", method);
        if (xml_text_check(key->name, "the component's name", reterr) < 0 ||
            xml_text_check(key->logical_path, "the logical path", reterr) < 0) {
                (void)vss_error_prefix(reterr, "%s", method);
                return -EINVAL;
        }
        return 0;
}

/* The bit counts of the writer that the component goes to; where none runs, of the one that it came
 * from. */
static int check_schema(const struct session *s, const struct component_method *row,
                        const struct component_args *a, const struct backup_component *c,
                        struct vss_error *reterr) {
        const char *name = session_method_to_string(row->method);
        const struct writer_metadata *m = NULL;
        struct backup_writer_info stored = { 0 };
        struct participant_info live;
        uint32_t schema;

        if (row->schema == 0)
                return 0;
        if (session_find_live(s, &a->key, c, &live))
                m = session_model(s, live.instance_id);
        if (!m && !component_writer(s, &a->key, c, &stored))
                return refuse_component(name, &a->key, reterr);
        schema = m ? writer_metadata_schema(m) : stored.schema;
        if (schema & row->schema)
                return 0;
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "%s: the writer of the component '%s' does not support %s (its backup "
                             "schema is 0x%x, without 0x%x)",
                             name, a->key.name, row->ability, (unsigned)schema,
                             (unsigned)row->schema);
}

static int component_apply(struct session *s, const struct component_method *row,
                           const struct component_args *a, struct vss_error *reterr) {
        struct backup_component *c;
        int r;

        if (row->method == METHOD_ADD_COMPONENT)
                return add_component(s, a, reterr);
        c = backup_document_find(s->document, &a->key);
        if (!c)
                return refuse_component(session_method_to_string(row->method), &a->key, reterr);
        r = check_schema(s, row, a, c, reterr);
        if (r >= 0 && row->apply)
                r = row->apply(s, a, c, reterr);
        if (r < 0)
                return r;
        switch (row->sets) {
        case SETS_NOTHING: return 0;
        case SETS_TEXT:
                return backup_component_set_text(c, (enum backup_text)row->what, a->texts[0],
                                                 reterr);
        case SETS_FLAG:
                return backup_component_set_flag(c, (enum backup_flag)row->what, a->flag, reterr);
        }
        return -EINVAL;
}

static int check_room(const struct session *s, const struct component_args *a,
                      struct vss_error *reterr) {
        size_t bytes = COMPONENT_BYTES + strlen(str_or_empty(a->key.name)) +
                       strlen(str_or_empty(a->key.logical_path));

        for (size_t i = 0; i < COMPONENT_TEXTS; i++)
                bytes += strlen(str_or_empty(a->texts[i]));
        return session_check_room_for(s, bytes, reterr);
}

/* From the gate to the document, all that can change while the metadata is read. */
static int component_call(struct session *s, const struct component_method *row,
                          const struct component_args *a, struct vss_error *reterr) {
        int r;

        r = session_enter(s, row->method, NULL, reterr);
        if (r >= 0)
                r = check_room(s, a, reterr);
        if (r < 0)
                return r;
        r = component_apply(s, row, a, reterr);
        session_charge(s);
        return r;
}

/* The writer whose metadata must be read for this: 1; 0: none, what there is will do. */
static int component_wants(const struct session *s, const struct component_method *row,
                           const struct component_args *a, struct participant_info *ret,
                           struct vss_error *reterr) {
        const struct backup_component *c;

        if (!row->model)
                return 0;
        if (row->method == METHOD_ADD_COMPONENT) {
                if (!session_find_participant(s, a->key.instance_id, ret) ||
                    !vss_id_equal(ret->class_id, a->key.writer_id))
                        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                             "No writer of the class %s with the instance id %s "
                                             "was gathered",
                                             VSS_ID_TEXT(a->key.writer_id),
                                             VSS_ID_TEXT(a->key.instance_id));
        } else if (row->apply == restore_select && !vss_id_is_null(a->instance_id)) {
                if (!session_find_participant(s, a->instance_id, ret))
                        return 0; /* and it will be refused */
        } else {
                bool found;

                c = backup_document_find(s->document, &a->key);
                if (!c)
                        return 0;
                /* It may be selected for another now. */
                found = row->apply == restore_select ? session_find_same(s, &a->key, c, ret)
                                                     : session_find_live(s, &a->key, c, ret);
                if (!found)
                        return 0;
        }
        /* A writer without metadata is refused where it matters. */
        return !session_model(s, ret->instance_id) &&
               (ret->metadata || row->method == METHOD_ADD_COMPONENT);
}

/* --- waiting for the metadata --- */

struct component_waiter {
        struct session *session;
        const struct component_method *row;
        const struct component_args *args;
        session_done_fn done;
        void *userdata;
};

static void component_on_read(void *userdata, int r, const void *result _unused_,
                              struct vss_error *error) {
        struct component_waiter *w = userdata;

        /* One that was answered before may have released the session. */
        if (r >= 0 && w->session->released)
                r = vss_error_set(error, VSS_E_BAD_STATE, 0,
                                  "The session ended before this could be answered");
        if (r >= 0) {
                struct vss_error mine = { 0 };

                r = component_call(w->session, w->row, w->args, &mine);
                w->done(w->userdata, r, NULL, &mine);
                vss_error_done(&mine);
        } else
                w->done(w->userdata, r, NULL, error);
        free(w);
}

int session_call_component(struct session *s, enum session_method m,
                           const struct component_args *args, session_done_fn done, void *userdata,
                           struct vss_error *reterr) {
        const struct component_method *row = method_find(m);
        struct component_waiter *waiter;
        struct participant_info info;
        int r;

        assert(row);

        r = session_enter(s, m, NULL, reterr);
        if (r >= 0)
                r = check_key(session_method_to_string(m), &args->key, reterr);
        if (r >= 0)
                r = component_wants(s, row, args, &info, reterr);
        if (r < 0)
                return r;
        if (r == 0) {
                r = component_call(s, row, args, reterr);
                return r < 0 ? r : 1;
        }
        waiter = calloc(1, sizeof(*waiter));
        if (!waiter)
                return vss_error_from_errno(reterr, -ENOMEM, session_method_to_string(m));
        *waiter = (struct component_waiter){
                .session = s, .row = row, .args = args, .done = done, .userdata = userdata
        };
        r = session_read_model(s, &info, component_on_read, waiter, reterr);
        if (r < 0) {
                free(waiter);
                return r;
        }
        return 0;
}
