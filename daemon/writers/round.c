/* One event on its way to all the writers it is for. A round belongs to its participants and frees
 * itself when it ends; its done() comes from a deferred source, so that nothing is called back
 * from inside participants_send(), a transport's send() or writer_remove().
 *
 * Freeze and Thaw go level by level. Freeze: front-end applications store their data through
 * back-end ones, so the front end stops first; a level that fails ends it. Thaw in reverse order,
 * and to every level: a frozen application waits for nobody's failure. */

#include "common/time-util.h"
#include "daemon/log/log.h"
#include "daemon/writers/participant-private.h"

struct round_call {
        struct round *round;
        struct participant *participant;
        struct writer_call *call; /* the transport's; NULL before and after */
        enum writer_event_type type;
        bool chosen, started, pending;
};

struct round {
        struct participants *participants;
        struct writer_event event; /* its volumes and devices are ours */
        char **volumes, **devices;
        uint64_t begin_usec, deadline_usec;
        struct round_call *calls;
        size_t n_calls, n_pending;
        unsigned step; /* the level it is at */
        bool starting; /* calls of this level are being sent */
        sd_event_source *end;
        struct round_result result;
        round_done_fn done;
        void *userdata;
};

struct round *round_free(struct round *r) {
        if (!r)
                return NULL;
        if (r->participants && r->participants->round == r)
                r->participants->round = NULL;
        sd_event_source_disable_unref(r->end);
        vss_error_done(&r->result.error);
        strv_free(r->volumes);
        strv_free(r->devices);
        free(r->calls);
        free(r);
        return NULL;
}
DEFINE_CLEANUP(struct round, round_free);

/* The order in which levels freeze. */
static unsigned level_rank(VSS_APPLICATION_LEVEL level) {
        static const VSS_APPLICATION_LEVEL order[] = { VSS_APP_FRONT_END, VSS_APP_BACK_END,
                                                       VSS_APP_SYSTEM, VSS_APP_SYSTEM_RM };

        for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
                if (order[i] == level)
                        return i;
        assert(false); /* the registry lets no other level in */
        return 0;
}
#define LEVELS 4U

static unsigned round_steps(const struct round *r) {
        return r->event.type == WRITER_EVENT_FREEZE || r->event.type == WRITER_EVENT_THAW ? LEVELS
                                                                                          : 1;
}

/* In which step of the round this writer is asked. */
static unsigned call_step(const struct round_call *c) {
        unsigned rank = level_rank(c->participant->level);

        if (c->round->event.type == WRITER_EVENT_FREEZE)
                return rank;
        return c->round->event.type == WRITER_EVENT_THAW ? LEVELS - 1 - rank : 0;
}

static uint64_t round_left_usec(const struct round *r) {
        uint64_t now = now_monotonic_usec();

        return now < r->deadline_usec ? r->deadline_usec - now : 0;
}

/* Takes the calls back from the transport, so that no answer comes any more. */
static void call_withdraw(struct round_call *c) {
        struct writer *w = c->participant->link.writer;
        struct writer_call *call = c->call;

        c->call = NULL;
        if (call && w)
                writer_transport(w)->cancel(call);
}

static void round_note_failure(struct round *r, const struct round_call *c,
                               enum writer_outcome outcome, const struct writer_reply *reply) {
        struct vss_error error = { 0 };

        participant_explain(c->participant, c->type, reply, now_monotonic_usec() - r->begin_usec,
                            &error);
        log_full(LOG_WARNING,
                 (&(const struct log_fields){ .session_id = &r->event.session_id,
                                              .set_id = &r->event.set_id,
                                              .writer = c->participant->name,
                                              .code = error.hr }),
                 "%s", str_or_empty(error.message));
        r->result.failed++;
        if (reply->nonsense)
                r->result.nonsense++;
        /* The first fatal failure is the one to show; before it, the first of all. */
        if (outcome == WRITER_OUTCOME_FATAL && !r->result.fatal) {
                vss_error_done(&r->result.error);
                r->result.fatal = true;
        }
        vss_error_move(&r->result.error, &error);
}

static void identify_answer(struct round *r, struct round_call *c,
                            const struct writer_reply *reply) {
        struct participant *p = c->participant;

        if (reply->delivered && reply->ok) {
                p->metadata = document_ref(reply->metadata);
                p->identified = true;
                return;
        }
        /* Absent from metadata and from every later list; the log says why. */
        r->result.failed++;
        log_full(LOG_WARNING,
                 (&(const struct log_fields){ .session_id = &r->event.session_id,
                                              .writer = p->name }),
                 "Writer %s %s; it is left out of session %s", p->name,
                 reply->delivered   ? "failed to identify itself"
                 : reply->timed_out ? "did not identify itself in time"
                                    : "gave no answer when asked to identify itself",
                 VSS_ID_TEXT(r->event.session_id));
}

/* After these a writer keeps nothing for the session any more. */
static bool type_ends_session(enum writer_event_type type) {
        return type == WRITER_EVENT_BACKUP_COMPLETE || type == WRITER_EVENT_POST_RESTORE ||
               type == WRITER_EVENT_ABORT || type == WRITER_EVENT_BACKUP_SHUTDOWN;
}

static void round_start_level(struct round *r);
static void call_send(struct round_call *c, enum writer_event_type type);

/* What the writer made of its components goes to the session. */
static void take_components(struct participant *p, enum writer_event_type type,
                            const struct writer_reply *reply) {
        const struct participants_components *components = p->owner->components;
        struct participant_info info;

        if (!components || !reply->delivered || !reply->components ||
            !writer_event_type_has_components(type))
                return;
        participant_info(p, &info);
        components->take(p->owner->components_userdata, &info, type, reply->components);
}

/* Only some of the components failed: where there are components. */
static bool may_fail_in_part(const struct round *r, enum writer_event_type type) {
        return r->event.component_mode || writer_event_type_is_restore(type);
}

static void event_answer(struct round *r, struct round_call *c, const struct writer_reply *reply) {
        struct participant *p = c->participant;
        struct writer_reply judged = *reply;
        enum writer_outcome outcome;

        if (type_ends_session(c->type))
                participant_drop_slot(p);
        /* What it failed at is known, and its silence no news. */
        if (p->late && reply->timed_out && type_ends_session(c->type))
                return;
        p->late = reply->timed_out;
        if (judged.failure == VSS_E_WRITERERROR_PARTIAL_FAILURE && !may_fail_in_part(r, c->type))
                judged.failure = VSS_E_WRITERERROR_NONRETRYABLE;
        take_components(p, c->type, reply);
        outcome = writer_session_state_answer(&p->state, c->type, &judged);
        if (outcome != WRITER_OUTCOME_OK)
                p->times[c->type].failure = p->state.failure;
        participant_publish(p);
        if (outcome != WRITER_OUTCOME_OK)
                round_note_failure(r, c, outcome, reply);
}

static void call_answered(struct round_call *c, const struct writer_reply *reply) {
        struct round *r = c->round;
        struct participant *p = c->participant;

        assert(c->pending);
        c->call = NULL;
        c->pending = false;
        r->n_pending--;
        p->times[c->type].end_usec = now_monotonic_usec();

        if (c->type == WRITER_EVENT_IDENTIFY)
                identify_answer(r, c, reply);
        else
                event_answer(r, c, reply);
        /* BackupShutdown waited for an Abort to be answered. */
        if (c->type != r->event.type && p->link.writer)
                call_send(c, r->event.type);
        if (r->n_pending == 0 && !r->starting)
                round_start_level(r);
}

static void on_reply(void *userdata, const struct writer_reply *reply) {
        struct round_call *c = userdata;

        call_answered(c, reply);
}

/* The writer's part of the requester's document. */
static int give_components(const struct participant *p, enum writer_event_type type,
                           struct document **ret) {
        const struct participants_components *components = p->owner->components;
        struct participant_info info;

        *ret = NULL;
        if (!components || !writer_event_type_has_components(type))
                return 0;
        participant_info(p, &info);
        return components->give(p->owner->components_userdata, &info, type, ret);
}

static void call_send(struct round_call *c, enum writer_event_type type) {
        struct round *r = c->round;
        struct participant *p = c->participant;
        struct writer *w = p->link.writer;
        _cleanup_(document_unrefp) struct document *components = NULL;
        struct writer_event event = r->event;
        struct writer_call *call = NULL;
        uint64_t timeout_usec = round_left_usec(r);
        int q;

        event.type = type;
        if (type == WRITER_EVENT_FREEZE && p->freeze_usec < timeout_usec)
                timeout_usec = p->freeze_usec;
        /* It is told the end, and nobody waits for it once more. */
        if (p->late && type_ends_session(type))
                timeout_usec = 0;
        p->told = p->told || type != WRITER_EVENT_IDENTIFY;
        /* Only a backup is owed an end: there is no Abort and no shutdown of a restore. */
        if (type != WRITER_EVENT_IDENTIFY && !writer_event_type_is_restore(type))
                p->took_part = true;
        /* From here on it may be frozen, whatever it answers. */
        if (type == WRITER_EVENT_FREEZE) {
                p->frozen = true;
                p->frozen_since_usec = now_monotonic_usec();
        } else if (type == WRITER_EVENT_THAW || type == WRITER_EVENT_ABORT)
                p->frozen = false;

        c->type = type;
        p->times[type] = (struct participant_times){ .begin_usec = now_monotonic_usec() };
        c->started = c->pending = true;
        r->n_pending++;
        q = give_components(p, type, &components);
        event.components = components;
        if (q >= 0)
                q = writer_transport(w)->send(writer_peer(w), &event,
                                              timeout_usec > 0 ? timeout_usec : 1, on_reply, c,
                                              &call);
        if (q < 0) {
                log_full(LOG_WARNING, (&(const struct log_fields){ .writer = p->name }),
                         "%s cannot be sent to writer %s: %s", writer_event_type_to_string(type),
                         p->name, strerror(-q));
                if (c->pending)
                        call_answered(c, &(const struct writer_reply){ 0 });
        } else if (c->pending)
                c->call = call;
}

static int round_on_end(sd_event_source *source _unused_, void *userdata) {
        struct round *r = userdata;
        struct round_result result = r->result;
        round_done_fn done = r->done;
        void *done_userdata = r->userdata;

        r->result = (struct round_result){ 0 };
        if (r->event.type == WRITER_EVENT_IDENTIFY) {
                struct participants *p = r->participants;
                size_t kept = 0;

                for (size_t i = 0; i < p->n; i++)
                        if (p->items[i]->identified) {
                                p->items[i]->index = kept;
                                p->items[kept++] = p->items[i];
                        } else
                                participant_dismiss(p->items[i], PARTICIPANT_NO_IDENTITY);
                p->n = kept;
                p->identified = true;
        }
        round_free(r);
        done(done_userdata, &result);
        vss_error_done(&result.error);
        return 0;
}

static void round_end(struct round *r) {
        /* The source was made with the round: ending cannot fail for want of memory. */
        int q = sd_event_source_set_enabled(r->end, SD_EVENT_ONESHOT);

        assert(q >= 0);
        (void)q;
}

/* Sends the first level that has somebody to ask, from r->step on. */
static void round_start_level(struct round *r) {
        while (r->step < round_steps(r)) {
                unsigned step = r->step++;

                if (r->result.fatal &&
                    (r->event.type == WRITER_EVENT_FREEZE || round_left_usec(r) == 0))
                        break;
                r->starting = true;
                for (size_t i = 0; i < r->n_calls; i++) {
                        struct round_call *c = &r->calls[i];

                        if (!c->chosen || c->started || call_step(c) != step ||
                            !c->participant->link.writer)
                                continue;
                        r->result.asked++;
                        call_send(c,
                                  writer_session_state_ask(&c->participant->state, r->event.type) ==
                                                          WRITER_DELIVER_AFTER_ABORT ||
                                                  (r->event.type == WRITER_EVENT_BACKUP_SHUTDOWN &&
                                                   c->participant->frozen)
                                          ? WRITER_EVENT_ABORT
                                          : r->event.type);
                }
                r->starting = false;
                if (r->n_pending > 0)
                        return;
        }
        round_end(r);
}

void round_cancel(struct round *r) {
        if (!r)
                return;
        for (size_t i = 0; i < r->n_calls; i++)
                if (r->calls[i].pending) {
                        r->calls[i].pending = false;
                        call_withdraw(&r->calls[i]);
                }
        round_free(r);
}

void round_expire(struct round *r) {
        static const struct writer_reply late = { .timed_out = true };

        r->deadline_usec = 0;
        r->starting = true; /* the level's end is decided below, once */
        for (size_t i = 0; i < r->n_calls; i++)
                /* Twice, when an Abort was late: what follows it is sent, and not waited for. */
                while (r->calls[i].pending) {
                        call_withdraw(&r->calls[i]);
                        call_answered(&r->calls[i], &late);
                }
        r->starting = false;
        round_end(r);
}

bool round_is_asking(const struct round *r, const struct participant *p) {
        return r->calls[p->index].pending;
}

bool round_lose(struct round *r, struct participant *p) {
        struct round_call *c = &r->calls[p->index];
        enum writer_outcome outcome;

        assert(c->participant == p);

        if (!c->pending)
                return false;
        call_withdraw(c);
        c->pending = false;
        r->n_pending--;
        participant_drop_slot(p);
        if (c->type == WRITER_EVENT_IDENTIFY)
                identify_answer(r, c, &(const struct writer_reply){ 0 });
        else {
                outcome = writer_session_state_lose(&p->state);
                p->frozen = false;
                p->times[c->type].end_usec = now_monotonic_usec();
                p->times[c->type].failure = p->state.failure;
                round_note_failure(r, c, outcome, &(const struct writer_reply){ 0 });
        }
        if (r->n_pending == 0 && !r->starting)
                round_start_level(r);
        return true;
}

static int round_copy_event(struct round *r, const struct writer_event *event) {
        r->event = *event;
        if (strv_copy(&r->volumes, event->volumes) < 0 ||
            strv_copy(&r->devices, event->devices) < 0)
                return -ENOMEM;
        r->event.volumes = event->volumes ? r->volumes : NULL;
        r->event.devices = event->devices ? r->devices : NULL;
        return 0;
}

/* What a round needs memory for, its event apart. */
static int round_make(struct round **ret, struct participants *p) {
        _cleanup_(round_freep) struct round *r = NULL;
        int q;

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->calls = calloc(p->n > 0 ? p->n : 1, sizeof(*r->calls));
        if (!r->calls)
                return -ENOMEM;
        q = sd_event_add_defer(writer_registry_event(p->registry), &r->end, round_on_end, r);
        if (q < 0)
                return q;
        q = sd_event_source_set_enabled(r->end, SD_EVENT_OFF);
        if (q < 0)
                return q;
        for (size_t i = 0; i < p->n; i++)
                r->calls[i] = (struct round_call){ .round = r, .participant = p->items[i] };
        r->n_calls = p->n;
        *ret = TAKE_PTR(r);
        return 0;
}

static int round_new(struct round **ret, struct participants *p, const struct writer_event *event,
                     uint64_t timeout_usec, round_done_fn done, void *userdata) {
        const bool spare = event->type == WRITER_EVENT_ABORT && p->abort_spare;
        _cleanup_(round_freep) struct round *r = NULL;
        int q = 0;

        assert(!p->round);

        if (spare)
                r = TAKE_PTR(p->abort_spare);
        else
                q = round_make(&r, p);
        if (q < 0)
                return q;
        q = round_copy_event(r, event);
        /* Better told without the names of the volumes than not told. */
        if (q < 0 && spare) {
                r->event.volumes = NULL;
                r->event.devices = NULL;
        } else if (q < 0)
                return q;
        r->begin_usec = now_monotonic_usec();
        r->deadline_usec = timeout_usec < USEC_INFINITY - r->begin_usec
                                   ? r->begin_usec + timeout_usec
                                   : USEC_INFINITY;
        r->done = done;
        r->userdata = userdata;
        r->participants = p;
        *ret = TAKE_PTR(r);
        return 0;
}

int participants_prepare_abort(struct participants *p) {
        return p->abort_spare ? 0 : round_make(&p->abort_spare, p);
}

/* A writer is in a bounded number of sessions; what ends one always reaches it. */
static bool round_find_slot(struct round *r, struct participant *p) {
        const char *kind = writer_event_type_is_restore(r->event.type) ? "restore" : "backup";
        unsigned max;

        if (type_ends_session(r->event.type) || participant_take_slot(p, r->event.type, &max) >= 0)
                return true;
        writer_session_state_refuse(&p->state, r->event.type);
        p->told = true; /* of its part in this session */
        log_full(LOG_WARNING,
                 (&(const struct log_fields){ .session_id = &r->event.session_id,
                                              .writer = p->name,
                                              .code = VSS_E_WRITER_STATUS_NOT_AVAILABLE }),
                 "Writer %s takes part in %u %s(s) already, as many as it can; it is left out of "
                 "session %s",
                 p->name, max, kind, VSS_ID_TEXT(r->event.session_id));
        r->result.failed++;
        if (r->result.error.hr == S_OK)
                (void)vss_error_set(&r->result.error, VSS_E_WRITER_STATUS_NOT_AVAILABLE, EBUSY,
                                    "writer %s takes part in %u %s(s) already, as many as it can; "
                                    "wait until one of them ends",
                                    p->name, max, kind);
        return false;
}

/* Those that this event is for; a state that cannot take it is a failure of the operation. */
static bool round_choose(struct round *r, struct participant *p) {
        enum writer_event_type type = r->event.type;
        bool chosen = false;

        if (!p->link.writer || !p->involved || !participant_takes(p, type))
                return false;
        if ((type == WRITER_EVENT_ABORT || type == WRITER_EVENT_BACKUP_SHUTDOWN) && !p->took_part)
                return false;
        switch (writer_session_state_ask(&p->state, type)) {
        case WRITER_DELIVER:
        case WRITER_DELIVER_AFTER_ABORT: chosen = true; break;
        case WRITER_SKIP: return false;
        case WRITER_REFUSE: break;
        }
        if (chosen)
                return round_find_slot(r, p);
        log_full(LOG_WARNING, (&(const struct log_fields){ .writer = p->name }),
                 "Writer %s is in state %d, which takes no %s; it is left out", p->name,
                 (int)writer_session_state_shown(&p->state), writer_event_type_to_string(type));
        r->result.failed++;
        (void)vss_error_set(&r->result.error, VSS_E_BAD_STATE, 0,
                            "writer %s is in state %d, which takes no %s; begin a new backup",
                            p->name, (int)writer_session_state_shown(&p->state),
                            writer_event_type_to_string(type));
        return false;
}

int participants_identify(struct participants *p, const struct writer_event *event,
                          uint64_t timeout_usec, writer_filter_fn filter, void *filter_userdata,
                          round_done_fn done, void *userdata, struct round **ret) {
        struct writer_registry *registry = p->registry;
        size_t n = writer_registry_count(registry);
        struct round *r;
        int q;

        assert(event->type == WRITER_EVENT_IDENTIFY);
        assert(p->n == 0 && !p->items);

        p->items = calloc(n > 0 ? n : 1, sizeof(*p->items));
        if (!p->items)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                struct writer *w = writer_registry_get(registry, i);

                if (filter && !filter(filter_userdata, w)) {
                        participants_note_absent(p, w, PARTICIPANT_NOT_ASKED);
                        continue;
                }
                q = participant_new(&p->items[p->n], p, w);
                if (q < 0)
                        return q;
                p->items[p->n]->index = p->n;
                p->n++;
        }
        q = round_new(&r, p, event, timeout_usec, done, userdata);
        if (q < 0)
                return q;
        for (size_t i = 0; i < r->n_calls; i++)
                r->calls[i].chosen = true;
        *ret = p->round = r;
        round_start_level(r);
        return 0;
}

int participants_send(struct participants *p, const struct writer_event *event,
                      uint64_t timeout_usec, round_done_fn done, void *userdata,
                      struct round **ret) {
        struct round *r;
        int q;

        assert(event->type != WRITER_EVENT_IDENTIFY);

        q = round_new(&r, p, event, timeout_usec, done, userdata);
        if (q < 0)
                return q;
        for (size_t i = 0; i < r->n_calls; i++)
                r->calls[i].chosen = round_choose(r, r->calls[i].participant);
        *ret = p->round = r;
        round_start_level(r);
        return 0;
}
