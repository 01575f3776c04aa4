/* The Backup Components Document of a session: loaded, saved, shown to the requester writer by
 * writer, and given to the writers with their events. It lives in memory only: what is not saved
 * before the last Release is lost. */

#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/session/session-private.h"

const struct backup_document_state *session_backup_state(const struct session *s) {
        static const struct backup_document_state none = { 0 };

        return s->document ? backup_document_state(s->document) : &none;
}

/* --- loading: on a worker, since a saved document may be large --- */

struct loading {
        struct inquiry inquiry;
        enum session_method method;
        struct document *saved;
        const char *text;
        struct backup_document *document;
};

static void loading_free(struct inquiry *q) {
        struct loading *l = (struct loading *)q;

        backup_document_free(l->document);
        document_unref(l->saved);
}

static int loading_run(struct inquiry *q, struct vss_error *reterr) {
        struct loading *l = (struct loading *)q;
        int r;

        r = backup_document_parse(&l->document, l->text, document_size(l->saved), reterr);
        if (r < 0)
                return vss_error_prefix(reterr, "The saved document cannot be loaded");
        return 0;
}

static const void *loading_answer(struct inquiry *q, int *r, struct vss_error *error) {
        struct loading *l = (struct loading *)q;
        struct session *s = q->session;
        enum session_state next;

        if (!s || *r < 0)
                return NULL;
        /* Another may have been faster. */
        *r = session_enter(s, l->method, &next, error);
        if (*r >= 0)
                *r = session_check_room_for(s, backup_document_memory(l->document), error);
        if (*r < 0)
                return NULL;
        s->document = TAKE_PTR(l->document);
        s->loaded = true;
        session_charge(s);
        session_set_state(s, next);
        return NULL;
}

static const struct inquiry_type loading_type = {
        .name = "vss-load",
        .run = loading_run,
        .answer = loading_answer,
        .free = loading_free,
};

int session_initialize_from(struct session *s, enum session_method m, struct document *saved,
                            session_done_fn done, void *userdata, struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        struct loading *l;
        int r;

        assert(m == METHOD_INITIALIZE_FOR_BACKUP || m == METHOD_INITIALIZE_FOR_RESTORE);

        r = session_enter(s, m, NULL, reterr);
        if (r < 0)
                return r;
        if (!saved)
                return vss_error_set(reterr, VSS_E_INVALID_XML_DOCUMENT, 0,
                                     "%s needs the document that SaveAsXML gave after the backup",
                                     session_method_to_string(m));
        r = session_check_room_for(s, document_size(saved), reterr);
        if (r < 0)
                return r;
        r = inquiry_new(&q, sizeof(*l), &loading_type, s->manager, s, done, userdata, reterr);
        if (r < 0)
                return r;
        l = (struct loading *)q;
        l->method = m;
        l->saved = document_ref(saved);
        l->text = document_text(saved); /* here: it may map the document */
        if (!l->text)
                return vss_error_from_errno(reterr, -ENOMEM, session_method_to_string(m));
        r = inquiry_start(q, reterr);
        if (r < 0)
                return r;
        TAKE_PTR(q);
        return 0;
}

/* --- reading --- */

int session_save_as_xml(struct session *s, struct document **ret, session_done_fn done,
                        void *userdata, struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_SAVE_AS_XML, NULL, reterr);
        return r < 0 ? r : session_print(s, NULL, ret, done, userdata, reterr);
}

int session_get_writer_components_count(struct session *s, uint32_t *ret,
                                        struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_GET_WRITER_COMPONENTS_COUNT, NULL, reterr);
        if (r < 0)
                return r;
        *ret = (uint32_t)backup_document_n_writers(s->document);
        return 0;
}

int session_get_writer_components(struct session *s, uint32_t i, VSS_ID *ret_instance,
                                  VSS_ID *ret_writer, struct document **ret, session_done_fn done,
                                  void *userdata, struct vss_error *reterr) {
        struct backup_writer_info info;
        size_t n;
        int r;

        r = session_enter(s, METHOD_GET_WRITER_COMPONENTS, NULL, reterr);
        if (r < 0)
                return r;
        n = backup_document_n_writers(s->document);
        if (i >= n)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "There is no writer %u: %zu have components in the document, "
                                     "counted from 0",
                                     i, n);
        backup_writer_info(backup_document_writer(s->document, i), &info);
        *ret_instance = info.instance_id;
        *ret_writer = info.writer_id;
        return session_print(s, &info, ret, done, userdata, reterr);
}

/* --- the writers' part --- */

/* The state alone decides: in a restore the components are what it is about, whatever mode the
 * document was made in. */
bool session_is_restore(const struct session *s) {
        return s->state >= SESSION_RESTORE;
}

static struct backup_writer_info writer_info_of(const struct participant_info *info) {
        return (struct backup_writer_info){
                .instance_id = info->instance_id,
                .writer_id = info->class_id,
                .instance_name = info->instance_name,
        };
}

/* A writer that says it is never to be asked in a restore is not. (IF_REPLACE_FAILS is treated as
 * ALWAYS: only the requester knows what was replaced.) Metadata that nobody has read does not say
 * so. */
static bool session_restores_without(const struct session *s, VSS_ID instance_id) {
        const struct writer_metadata *m = session_model(s, instance_id);
        const struct writer_metadata_restore *restore = m ? writer_metadata_restore(m) : NULL;

        return restore && restore->writer_restore == VSS_WRE_NEVER;
}

bool session_concerns(void *userdata, const struct participant_info *info) {
        const struct session *s = userdata;
        struct backup_writer_info writer;

        if (!session_is_restore(s)) {
                if (!session_backup_state(s)->select_components)
                        return true;
                for (size_t i = 0; i < backup_document_n_writers(s->document); i++) {
                        struct backup_writer_info own;

                        backup_writer_info(backup_document_writer(s->document, i), &own);
                        if (vss_id_equal(own.instance_id, info->instance_id))
                                return true;
                }
                return false;
        }
        if (session_restores_without(s, info->instance_id))
                return false;
        writer = writer_info_of(info);
        return backup_document_has_part(s->document, &writer, true);
}

static struct document *parts_find(const struct session_parts *p, VSS_ID instance_id) {
        for (size_t i = 0; i < p->n; i++)
                if (vss_id_equal(p->items[i].instance_id, instance_id))
                        return p->items[i].document;
        return NULL;
}

int session_give_components(void *userdata, const struct participant_info *info,
                            enum writer_event_type type _unused_, struct document **ret) {
        const struct session *s = userdata;
        struct backup_writer_info writer;
        struct vss_error error = { 0 };
        char *text = NULL;
        size_t size = 0;
        int r;

        *ret = NULL;
        if (!session_is_restore(s) && !session_backup_state(s)->select_components)
                return 0;
        if (s->operation.parts) {
                *ret = document_ref(parts_find(s->operation.parts, info->instance_id));
                return 0;
        }
        writer = writer_info_of(info);
        r = backup_document_extract(s->document, &writer, session_is_restore(s), &text, &size,
                                    &error);
        if (r >= 0 && text)
                r = document_new(ret, text, size, &error);
        if (r < 0)
                log_full(LOG_WARNING, (&(const struct log_fields){ .writer = info->name }),
                         "The components of writer %s: %s", info->name,
                         str_or_empty(error.message));
        vss_error_done(&error);
        return r;
}

static const struct {
        enum writer_event_type type;
        enum backup_phase phase;
} phases[] = {
        { WRITER_EVENT_PREPARE_BACKUP, BACKUP_PHASE_PREPARE_BACKUP },
        { WRITER_EVENT_POST_SNAPSHOT, BACKUP_PHASE_POST_SNAPSHOT },
        { WRITER_EVENT_BACKUP_COMPLETE, BACKUP_PHASE_BACKUP_COMPLETE },
        { WRITER_EVENT_PRE_RESTORE, BACKUP_PHASE_PRE_RESTORE },
        { WRITER_EVENT_POST_RESTORE, BACKUP_PHASE_POST_RESTORE },
};

/* What it made of its components. */
void session_take_components(void *userdata, const struct participant_info *info,
                             enum writer_event_type type, struct document *components) {
        struct session *s = userdata;

        for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
                if (phases[i].type == type)
                        session_merge(s, info, type, phases[i].phase, components);
        session_charge(s);
}
