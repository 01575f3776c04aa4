/* The participants of one session, owned by it. An item lives from the Identify that found it to
 * the end of the session, also when its writer is gone: its state stays readable. */

#include "common/time-util.h"
#include "daemon/log/log.h"
#include "daemon/writers/participant-private.h"

/* Kept to the end of the session. */
#define SMALL_METADATA ((size_t)64 * 1024)

static const struct {
        const char *verb;   /* "writer X failed to ..." */
        const char *not_in; /* "writer X did not ... within" */
} phrases[_WRITER_EVENT_MAX] = {
        [WRITER_EVENT_IDENTIFY] = { "identify itself", "identify itself" },
        [WRITER_EVENT_PREPARE_BACKUP] = { "prepare for the backup", "prepare for the backup" },
        [WRITER_EVENT_PREPARE_SNAPSHOT] = { "prepare for the snapshot",
                                            "prepare for the snapshot" },
        [WRITER_EVENT_FREEZE] = { "freeze", "freeze" },
        [WRITER_EVENT_THAW] = { "thaw", "thaw" },
        [WRITER_EVENT_POST_SNAPSHOT] = { "finish after the snapshot", "finish after the snapshot" },
        [WRITER_EVENT_ABORT] = { "abort", "answer the abort" },
        [WRITER_EVENT_BACKUP_COMPLETE] = { "complete the backup", "complete the backup" },
        [WRITER_EVENT_BACKUP_SHUTDOWN] = { "shut the backup down", "shut the backup down" },
        [WRITER_EVENT_PRE_RESTORE] = { "prepare for the restore", "prepare for the restore" },
        [WRITER_EVENT_POST_RESTORE] = { "finish after the restore", "finish after the restore" },
};

int participants_new(struct participants **ret, struct writer_registry *r) {
        struct participants *p;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->registry = r;
        *ret = p;
        return 0;
}

struct participants *participants_free(struct participants *p) {
        if (!p)
                return NULL;
        if (p->round)
                round_cancel(p->round);
        round_free(p->abort_spare);
        for (size_t i = 0; i < p->n; i++)
                participant_free(p->items[i]);
        free(p->items);
        for (size_t i = 0; i < p->n_absent; i++)
                free(p->absent[i].name);
        free(p->absent);
        free(p);
        return NULL;
}

static void participant_lost(struct writer_link *link) {
        struct participant *p =
                (struct participant *)(void *)((char *)link - offsetof(struct participant, link));
        struct participants *owner = p->owner;
        struct vss_error error = { 0 };
        bool fatal;

        if (owner->round && round_lose(owner->round, p))
                return;
        /* The owner starts a round of Abort at once: not for the one who is gone. */
        participant_drop_slot(p);
        writer_link_detach(link);
        fatal = writer_session_state_lose(&p->state) == WRITER_OUTCOME_FATAL && p->involved;
        p->frozen = false; /* its own freeze timer, if it has one, is all that is left */
        if (!p->took_part)
                return;
        (void)vss_error_set(&error, VSS_E_WRITER_NOT_RESPONDING, 0,
                            "writer %s went away in the middle of the backup", p->name);
        log_full(LOG_WARNING, (&(const struct log_fields){ .writer = p->name }), "%s",
                 str_or_empty(error.message));
        if (fatal && owner->lost)
                owner->lost(owner->userdata, &error);
        vss_error_done(&error);
}

/* As it is called in messages. */
static int name_of(char **ret, const struct writer_identity *id) {
        if (str_empty(id->instance_name))
                return str_replace(ret, id->name);
        return str_format(ret, "%s (%s)", id->name, id->instance_name);
}

int participant_new(struct participant **ret, struct participants *owner, struct writer *w) {
        _cleanup_(participant_freep) struct participant *p = NULL;
        const struct writer_identity *id = writer_identity(w);
        int r;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        writer_session_state_init(&p->state);
        p->owner = owner;
        p->instance_id = id->instance_id;
        p->class_id = id->class_id;
        p->level = id->level;
        p->subscribe = id->subscribe;
        p->freeze_usec = id->freeze_timeout_ms * USEC_PER_MSEC;
        if (!str_empty(id->instance_name)) {
                r = str_replace(&p->instance_name, id->instance_name);
                if (r < 0)
                        return r;
        }
        r = str_replace(&p->writer_name, id->name);
        if (r < 0)
                return r;
        r = name_of(&p->name, id);
        if (r < 0)
                return r;
        p->involved = true;
        p->link.lost = participant_lost;
        writer_link_attach(&p->link, w);
        *ret = TAKE_PTR(p);
        return 0;
}

struct participant *participant_free(struct participant *p) {
        if (!p)
                return NULL;
        if (p->frozen)
                log_full(LOG_ERR, (&(const struct log_fields){ .writer = p->name }),
                         "Writer %s was left frozen; its own freeze timer thaws it", p->name);
        participant_drop_slot(p);
        writer_link_detach(&p->link);
        writer_session_state_done(&p->state);
        free(p->name);
        free(p->writer_name);
        free(p->instance_name);
        document_unref(p->metadata);
        free(p);
        return NULL;
}

void participant_publish(const struct participant *p) {
        if (p->link.writer)
                writer_note_state(p->link.writer, writer_session_state_shown(&p->state),
                                  p->state.failure, p->state.message);
}

static const char *failure_name(HRESULT hr) {
        const struct vss_hresult_info *info = vss_hresult_find(hr);

        return info ? info->symbol : "an unknown error";
}

void participant_explain(const struct participant *p, enum writer_event_type type,
                         const struct writer_reply *reply, uint64_t waited_usec,
                         struct vss_error *reterr) {
        const struct writer_session_state *s = &p->state;

        if (reply->delivered)
                (void)vss_error_set(reterr, s->failure, 0, "writer %s failed to %s: %s", p->name,
                                    phrases[type].verb,
                                    s->message ? s->message : failure_name(s->failure));
        else if (reply->timed_out)
                (void)vss_error_set(reterr, s->failure, ETIMEDOUT,
                                    "writer %s did not %s within %.1f s", p->name,
                                    phrases[type].not_in, (double)waited_usec / USEC_PER_SEC);
        else
                (void)vss_error_set(reterr, s->failure, 0,
                                    "writer %s gave no answer when asked to %s", p->name,
                                    phrases[type].verb);
}

size_t participants_count(const struct participants *p) {
        return p->identified ? p->n : 0;
}

/* State is kept for each writer and session; who has no session with a writer is shown its latest
 * (writer.md, 1.10). */
static void participant_show_latest(const struct participant *p, struct participant_info *ret) {
        ret->state = writer_state(p->link.writer);
        ret->failure = writer_failure(p->link.writer);
        ret->message = str_or_empty(writer_failure_message(p->link.writer));
}

void participant_info(const struct participant *p, struct participant_info *ret) {
        *ret = (struct participant_info){
                .instance_id = p->instance_id,
                .class_id = p->class_id,
                .name = p->name,
                .writer_name = p->writer_name,
                .instance_name = p->instance_name,
                .metadata = p->metadata,
                .message = str_or_empty(p->state.message),
                .state = writer_session_state_shown(&p->state),
                .failure = p->state.failure,
                .application = p->state.application,
                .gone = !p->link.writer,
                .involved = p->involved,
                .took_part = p->took_part,
                .times = p->times,
        };
        if (!p->told && p->link.writer)
                participant_show_latest(p, ret);
}

void participants_get(const struct participants *p, size_t i, struct participant_info *ret) {
        assert(i < participants_count(p));

        participant_info(p->items[i], ret);
}

void participants_keep(struct participants *p, participant_filter_fn filter, void *userdata) {
        size_t kept = 0;

        assert(p->identified && !p->round);

        for (size_t i = 0; i < p->n; i++) {
                struct participant *item = p->items[i];
                struct participant_info info;

                participant_info(item, &info);
                if (filter(userdata, &info)) {
                        item->index = kept;
                        p->items[kept++] = item;
                } else
                        participant_dismiss(item, PARTICIPANT_NOT_ACCEPTED);
        }
        p->n = kept;
}

/* name: taken over. */
static void note_absent(struct participants *p, VSS_ID instance_id, VSS_ID class_id, char *name,
                        enum participant_absence why) {
        struct absent *grown = reallocarray(p->absent, p->n_absent + 1, sizeof(*grown));

        if (grown)
                p->absent = grown;
        if (!grown || !name) {
                free(name);
                return;
        }
        p->absent[p->n_absent++] = (struct absent){
                .instance_id = instance_id,
                .class_id = class_id,
                .name = name,
                .why = why,
        };
}

void participants_note_absent(struct participants *p, const struct writer *w,
                              enum participant_absence why) {
        const struct writer_identity *id = writer_identity(w);
        char *name = NULL;

        (void)name_of(&name, id); /* NULL without memory */
        note_absent(p, id->instance_id, id->class_id, name, why);
}

void participant_dismiss(struct participant *p, enum participant_absence why) {
        note_absent(p->owner, p->instance_id, p->class_id, TAKE_PTR(p->name), why);
        participant_free(p);
}

size_t participants_count_absent(const struct participants *p) {
        return p->identified ? p->n_absent : 0;
}

void participants_get_absent(const struct participants *p, size_t i, struct absent_info *ret) {
        const struct absent *a = &p->absent[i];

        assert(i < participants_count_absent(p));

        *ret = (struct absent_info){
                .instance_id = a->instance_id,
                .class_id = a->class_id,
                .name = a->name,
                .why = a->why,
        };
}

/* Is it frozen, or the next event of its set a Freeze? */
static bool participant_freezes(const struct participant *p) {
        if (p->frozen)
                return true;
        return p->involved && p->link.writer && participant_takes(p, WRITER_EVENT_FREEZE) &&
               writer_session_state_ask(&p->state, WRITER_EVENT_FREEZE) == WRITER_DELIVER;
}

uint64_t participants_freeze_usec(const struct participants *p, uint64_t at_most_usec) {
        for (size_t i = 0; i < p->n; i++)
                if (participant_freezes(p->items[i]) && p->items[i]->freeze_usec < at_most_usec)
                        at_most_usec = p->items[i]->freeze_usec;
        return at_most_usec;
}

/* Has it frozen, and was not asked to thaw yet? */
static bool participant_is_held(const struct participant *p) {
        const struct round *round = p->owner->round;

        return p->frozen && !(round && round_is_asking(round, p));
}

static uint64_t participant_freeze_deadline(const struct participant *p, uint64_t at_usec) {
        uint64_t usec = p->frozen_since_usec + p->freeze_usec;

        return usec < at_usec ? usec : at_usec;
}

uint64_t participants_freeze_deadline(const struct participants *p, uint64_t at_usec) {
        for (size_t i = 0; i < p->n; i++)
                if (participant_is_held(p->items[i]))
                        at_usec = participant_freeze_deadline(p->items[i], at_usec);
        return at_usec;
}

void participants_involve(struct participants *p, participant_filter_fn filter, void *userdata) {
        struct participant_info info;

        for (size_t i = 0; i < p->n; i++) {
                participant_info(p->items[i], &info);
                p->items[i]->involved = filter(userdata, &info);
        }
}

void participants_allow_parallel_restores(struct participants *p, participant_filter_fn filter,
                                          void *userdata) {
        struct participant_info info;

        for (size_t i = 0; i < p->n; i++) {
                participant_info(p->items[i], &info);
                p->items[i]->parallel = filter(userdata, &info);
        }
}

size_t participants_involved(const struct participants *p) {
        size_t n = 0;

        for (size_t i = 0; i < p->n; i++)
                n += p->items[i]->identified && p->items[i]->involved &&
                     participant_takes(p->items[i], WRITER_EVENT_PREPARE_BACKUP);
        return n;
}

void participants_set_components(struct participants *p,
                                 const struct participants_components *components, void *userdata) {
        p->components = components;
        p->components_userdata = userdata;
}

bool participant_takes(const struct participant *p, enum writer_event_type type) {
        uint32_t kind = writer_event_type_is_restore(type) ? VSS_SM_RESTORE_EVENTS_FLAG
                                                           : VSS_SM_BACKUP_EVENTS_FLAG;

        return type == WRITER_EVENT_IDENTIFY || (p->subscribe & kind) != 0;
}

int participant_take_slot(struct participant *p, enum writer_event_type type, unsigned *ret_max) {
        bool restore = writer_event_type_is_restore(type);
        enum writer_slot slot = restore ? WRITER_SLOT_RESTORE : WRITER_SLOT_BACKUP;
        int r;

        *ret_max = !restore ? WRITER_BACKUPS_MAX : p->parallel ? WRITER_RESTORES_MAX : 1;
        if (p->slot != WRITER_SLOT_NONE)
                return 0;
        r = writer_take_slot(p->link.writer, slot, *ret_max);
        if (r < 0)
                return r;
        p->slot = slot;
        return 0;
}

void participant_drop_slot(struct participant *p) {
        if (p->slot != WRITER_SLOT_NONE && p->link.writer)
                writer_drop_slot(p->link.writer, p->slot);
        p->slot = WRITER_SLOT_NONE;
}

bool participants_any_failed(const struct participants *p, struct vss_error *reterr) {
        for (size_t i = 0; i < p->n; i++) {
                const struct participant *item = p->items[i];

                if (!item->involved || !item->took_part || item->state.failure == S_OK)
                        continue;
                (void)vss_error_set(reterr, item->state.failure, 0, "writer %s failed: %s",
                                    item->name,
                                    item->state.message ? item->state.message
                                                        : failure_name(item->state.failure));
                return true;
        }
        return false;
}

bool participants_any_frozen(const struct participants *p) {
        for (size_t i = 0; i < p->n; i++)
                if (p->items[i]->frozen)
                        return true;
        return false;
}

void participants_free_metadata(struct participants *p) {
        for (size_t i = 0; i < p->n; i++) {
                struct participant *item = p->items[i];

                if (item->metadata && document_size(item->metadata) > SMALL_METADATA)
                        item->metadata = document_unref(item->metadata);
        }
}

void participants_set_lost(struct participants *p, participants_lost_fn lost, void *userdata) {
        p->lost = lost;
        p->userdata = userdata;
}

bool participants_expire(struct participants *p, uint64_t now_usec, uint64_t at_usec,
                         struct vss_error *reterr) {
        bool any = false;

        for (size_t i = 0; i < p->n; i++) {
                struct participant *item = p->items[i];
                uint64_t deadline_usec = participant_freeze_deadline(item, at_usec);

                if (!participant_is_held(item) || deadline_usec > now_usec)
                        continue;
                if (writer_session_state_expire(&item->state) != WRITER_OUTCOME_FATAL)
                        continue;
                participant_publish(item);
                (void)vss_error_set(reterr, VSS_E_WRITERERROR_TIMEOUT, ETIMEDOUT,
                                    "writer %s was frozen for its limit of %.1f s before the "
                                    "snapshot was there",
                                    item->name,
                                    (double)(deadline_usec - item->frozen_since_usec) /
                                            USEC_PER_SEC);
                any = true;
        }
        return any;
}
