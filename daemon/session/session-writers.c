/* What a session knows of the writers: their metadata, gathered once, and their status, gathered
 * as often as the requester likes. */

#include "common/vss-context.h"
#include "daemon/session/session-private.h"

static bool session_asks(void *userdata, const struct writer *w) {
        const struct session *s = userdata;

        return vss_context_has_writers(s->context) &&
               writer_filter_passes(&s->filter, writer_identity(w));
}

static size_t session_count_metadata(const struct session *s) {
        struct participant_info info;
        size_t bytes = 0;

        for (size_t i = 0; i < participants_count(s->participants); i++) {
                participants_get(s->participants, i, &info);
                bytes += info.metadata ? document_size(info.metadata) : 0;
        }
        return bytes;
}

static void session_end_gather(struct session *s, int r, const struct vss_error *error) {
        if (r < 0) {
                participants_free_metadata(s->participants);
                s->metadata_freed = true;
        } else {
                s->metadata_bytes = session_count_metadata(s);
                s->gathered = true;
                session_set_state(s, s->operation.next);
                session_charge(s);
        }
        session_end_operation(s, error);
}

static void session_on_checked(void *userdata, int r, const void *result _unused_,
                               struct vss_error *error) {
        struct session *s = userdata;

        /* It may have been cancelled meanwhile, or the session be ending. */
        if (!s->released && s->operation.async &&
            s->operation.method == METHOD_GATHER_WRITER_METADATA)
                session_end_gather(s, r, error);
}

static void session_on_gathered(void *userdata, const struct round_result *result _unused_) {
        struct session *s = userdata;
        struct vss_error error = { 0 };
        int r;

        s->operation.round = NULL;
        r = session_check_room_for(s, session_count_metadata(s), &error);
        if (r >= 0)
                r = session_check_writers(s, session_on_checked, &error);
        if (r < 0)
                session_end_gather(s, r, &error);
        vss_error_done(&error);
}

static const struct participants_components components = {
        .give = session_give_components,
        .take = session_take_components,
};

static void session_cancel_round(void *userdata) {
        struct session *s = userdata;

        session_drop_operation(s);
}

int session_gather_writer_metadata(struct session *s, struct async **ret,
                                   struct vss_error *reterr) {
        const struct writer_event event = session_event(s, WRITER_EVENT_IDENTIFY);
        enum session_state next;
        int r;

        r = session_enter(s, METHOD_GATHER_WRITER_METADATA, &next, reterr);
        if (r < 0)
                return r;
        if (s->gather_begun)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "GatherWriterMetadata was called already and was cancelled: "
                                     "it is called once for each object, use a new one");
        r = participants_new(&s->participants, s->manager->writers);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "GatherWriterMetadata");
        participants_set_components(s->participants, &components, s);
        r = session_begin_operation(s, METHOD_GATHER_WRITER_METADATA, next, session_cancel_round,
                                    reterr);
        if (r < 0) {
                s->participants = participants_free(s->participants);
                return r;
        }
        r = participants_identify(s->participants, &event, s->manager->config.event_usec,
                                  session_asks, s, session_on_gathered, s, &s->operation.round);
        if (r < 0) {
                s->operation.async = async_unref(s->operation.async);
                s->participants = participants_free(s->participants);
                return vss_error_from_errno(reterr, r, "GatherWriterMetadata");
        }
        s->gather_begun = true;
        *ret = async_ref(s->operation.async);
        return 0;
}

static int session_enter_metadata(const struct session *s, enum session_method m,
                                  struct vss_error *reterr) {
        int r;

        r = session_enter(s, m, NULL, reterr);
        if (r < 0)
                return r;
        if (!s->gathered)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s needs GatherWriterMetadata first",
                                     session_method_to_string(m));
        if (s->metadata_freed)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s comes too late: FreeWriterMetadata was called; use a new "
                                     "object to gather again",
                                     session_method_to_string(m));
        return 0;
}

int session_get_writer_metadata_count(struct session *s, uint32_t *ret, struct vss_error *reterr) {
        int r;

        r = session_enter_metadata(s, METHOD_GET_WRITER_METADATA_COUNT, reterr);
        if (r < 0)
                return r;
        *ret = (uint32_t)participants_count(s->participants);
        return 0;
}

static int no_such_index(uint32_t i, size_t n, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                             "There is no writer %u: %zu were gathered, counted from 0", i, n);
}

int session_get_writer_metadata(struct session *s, uint32_t i, VSS_ID *ret_instance,
                                struct document **ret_metadata, struct vss_error *reterr) {
        struct participant_info info;
        int r;

        r = session_enter_metadata(s, METHOD_GET_WRITER_METADATA, reterr);
        if (r < 0)
                return r;
        if (i >= participants_count(s->participants))
                return no_such_index(i, participants_count(s->participants), reterr);
        participants_get(s->participants, i, &info);
        *ret_instance = info.instance_id;
        *ret_metadata = info.metadata;
        return 0;
}

int session_free_writer_metadata(struct session *s, struct vss_error *reterr) {
        int r;

        r = session_enter_metadata(s, METHOD_FREE_WRITER_METADATA, reterr);
        if (r < 0)
                return r;
        s->metadata_freed = true;
        session_drop_metadata(s);
        return 0;
}

/* May a component still be added, or something of one set that goes by its writer's metadata? */
static bool session_goes_by_metadata(const struct session *s) {
        static const enum session_state states[] = {
                SESSION_GATHERED,
                SESSION_SET_OPEN,
                SESSION_RESTORE_GATHERED,
                SESSION_RESTORE_PREPARED,
        };

        for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                if (states[i] == s->state)
                        return true;
        return false;
}

void session_drop_metadata(struct session *s) {
        if (!s->gathered || session_goes_by_metadata(s))
                return;
        if (s->metadata_freed) {
                participants_free_metadata(s->participants);
                s->metadata_bytes = 0;
        }
        session_drop_models(s);
}

void session_drop_status(struct session *s) {
        for (size_t i = 0; i < s->status.n; i++) {
                free(s->status.items[i].name);
                free(s->status.items[i].message);
        }
        free(s->status.items);
        s->status = (struct status_list){ 0 };
}

static int status_take(struct status_item *item, const struct participant_info *info) {
        item->name = strdup(info->writer_name);
        item->message = strdup(info->message);
        if (!item->name || !item->message)
                return -ENOMEM;
        item->shown = (struct writer_status){
                .instance_id = info->instance_id,
                .class_id = info->class_id,
                .name = item->name,
                .state = info->state,
                .failure = info->failure,
                .application = info->application,
                .message = item->message,
        };
        return 0;
}

/* The state of each, as it is now, kept until it is freed or gathered anew. */
static int session_take_status(struct session *s) {
        size_t n = participants_count(s->participants);
        struct participant_info info;

        session_drop_status(s);
        s->status.items = calloc(n > 0 ? n : 1, sizeof(*s->status.items));
        if (!s->status.items)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                participants_get(s->participants, i, &info);
                s->status.n++;
                if (status_take(&s->status.items[i], &info) < 0) {
                        session_drop_status(s);
                        return -ENOMEM;
                }
        }
        s->status.gathered = true;
        return 0;
}

void session_end_status(struct session *s) {
        _cleanup_(async_unrefp) struct async *a = TAKE_PTR(s->status_async);
        struct vss_error error = { 0 };
        int r;

        if (!a)
                return;
        r = session_take_status(s);
        if (r < 0)
                (void)vss_error_from_errno(&error, r, "GatherWriterStatus");
        async_complete(a, &error);
        vss_error_done(&error);
}

int session_on_status_turn(sd_event_source *source _unused_, void *userdata) {
        session_end_status(userdata);
        return 0;
}

static void session_cancel_status(void *userdata) {
        struct session *s = userdata;
        _cleanup_(async_unrefp) struct async *a = TAKE_PTR(s->status_async);

        if (a)
                async_complete_cancelled(a);
}

/* A writer's state is known here from its answers and its connection: nobody is asked, but the
 * answer comes by the loop as every asynchronous one. */
int session_gather_writer_status(struct session *s, struct async **ret, struct vss_error *reterr) {
        _cleanup_(async_unrefp) struct async *a = NULL;
        int r;

        r = session_enter(s, METHOD_GATHER_WRITER_STATUS, NULL, reterr);
        if (r < 0)
                return r;
        if (!s->gathered)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "GatherWriterStatus needs GatherWriterMetadata first: it "
                                     "tells of the writers that were gathered");
        r = async_new(&a, "GatherWriterStatus", session_cancel_status, s);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "GatherWriterStatus");
        session_end_status(s); /* an earlier one that is still on its way */
        session_drop_status(s);
        s->status_async = async_ref(a);
        session_turn(s->status_turn);
        *ret = TAKE_PTR(a);
        return 0;
}

static int session_enter_status(const struct session *s, enum session_method m,
                                struct vss_error *reterr) {
        int r;

        r = session_enter(s, m, NULL, reterr);
        if (r < 0)
                return r;
        if (!s->status.gathered)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s needs GatherWriterStatus first, and its end",
                                     session_method_to_string(m));
        return 0;
}

int session_get_writer_status_count(struct session *s, uint32_t *ret, struct vss_error *reterr) {
        int r;

        r = session_enter_status(s, METHOD_GET_WRITER_STATUS_COUNT, reterr);
        if (r < 0)
                return r;
        *ret = (uint32_t)s->status.n;
        return 0;
}

int session_get_writer_status(struct session *s, uint32_t i, struct writer_status *ret,
                              struct vss_error *reterr) {
        int r;

        r = session_enter_status(s, METHOD_GET_WRITER_STATUS, reterr);
        if (r < 0)
                return r;
        if (i >= s->status.n)
                return no_such_index(i, s->status.n, reterr);
        *ret = s->status.items[i].shown;
        return 0;
}

int session_free_writer_status(struct session *s, struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_FREE_WRITER_STATUS, NULL, reterr);
        if (r < 0)
                return r;
        session_drop_status(s);
        return 0;
}
