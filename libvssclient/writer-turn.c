/* Turns: the lock is never held while a handler runs; `running` is what keeps handlers apart. */

#include "libvssclient/writer-turn.h"
#include "common/vss-id.h"
#include "common/wire-error.h"
#include "libvssclient/writer-components.h"
#include "libvssclient/writer-documents.h"
#include "libvssclient/writer.h"
#include <sys/eventfd.h>

struct writer_call {
        struct writer_call *next;
        DBusMessage *message; /* of the service; NULL once it was taken apart */
        DBusMessage *reply;
        struct writer_event event;
        uint64_t generation;
        VSS_ID instance_id; /* of the registration that it came for */
};

static struct writer_call *call_free(struct writer_call *c) {
        if (!c)
                return NULL;
        if (c->message)
                dbus_message_unref(c->message);
        if (c->reply)
                dbus_message_unref(c->reply);
        writer_event_done(&c->event);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(struct writer_call, call_free);

static void append(struct writer_call **list, struct writer_call *c) {
        while (*list)
                list = &(*list)->next;
        c->next = NULL;
        *list = c;
}

static struct writer_call *pop(struct writer_call **list) {
        struct writer_call *c = *list;

        if (c)
                *list = c->next;
        return c;
}

static void drop_all(struct writer_call **list) {
        struct writer_call *c;

        while ((c = pop(list)))
                call_free(c);
}

/* The place of the call whose turn it is; NULL: none, or none that may come into a freeze. */
static struct writer_call **find_next(struct writer_turns *t) {
        const struct writer_session *frozen = writer_sessions_frozen(&t->sessions);
        struct writer_call **c = &t->waiting;

        while (*c && frozen && !vss_id_equal((*c)->event.session_id, frozen->id))
                c = &(*c)->next;
        return *c ? c : NULL;
}

/* Does an event wait that says that the session's set is given up? */
static bool is_given_up(const struct writer_turns *t, VSS_ID session_id) {
        for (const struct writer_call *c = t->waiting; c; c = c->next)
                if ((c->event.phase == PHASE_ABORT || c->event.phase == PHASE_BACKUP_SHUTDOWN) &&
                    vss_id_equal(c->event.session_id, session_id))
                        return true;
        return false;
}

void writer_turns_init(struct writer_turns *t) {
        /* Neither can fail with default attributes. */
        (void)pthread_mutex_init(&t->lock, NULL);
        (void)pthread_cond_init(&t->rested, NULL);
        (void)pthread_cond_init(&t->changed, NULL);
}

void writer_turns_done(struct writer_turns *t) {
        drop_all(&t->waiting);
        drop_all(&t->answered);
        writer_sessions_done(&t->sessions);
        (void)pthread_cond_destroy(&t->changed);
        (void)pthread_cond_destroy(&t->rested);
        (void)pthread_mutex_destroy(&t->lock);
}

static void lock(struct writer_turns *t) {
        (void)pthread_mutex_lock(&t->lock); /* fails for what is no mutex */
}

static void unlock(struct writer_turns *t) {
        (void)pthread_mutex_unlock(&t->lock);
}

/* What arrives */

static void send_error(CVssWriter *w, DBusMessage *call, struct vss_error *error) {
        DBusMessage *reply = wire_error_reply(call, error);

        if (reply) {
                link_send(w->link, reply);
                dbus_message_unref(reply);
        }
        vss_error_done(error);
}

static int enqueue(CVssWriter *w, struct writer_call *c, struct vss_error *reterr) {
        size_t most = c->event.phase == PHASE_IDENTIFY ? LISTINGS_MAX : TURNS_MAX;
        struct writer_turns *t = &w->turns;
        int r = 0;

        lock(t);
        if (t->n_waiting >= most)
                r = vss_error_set(reterr, VSS_E_WRITERERROR_OUTOFRESOURCES, 0,
                                  "The writer '%s' has %zu events that it has not handled yet",
                                  w->identity.name, t->n_waiting);
        else {
                c->generation = t->generation;
                writer_sessions_arrive(&t->sessions, &c->event, w->identity.freeze_timeout_ms,
                                       now_monotonic_usec());
                append(&t->waiting, c);
                t->n_waiting++;
        }
        unlock(t);
        return r;
}

void writer_turn_arrive(CVssWriter *w, enum event_phase phase, DBusMessage *call) {
        _cleanup_(call_freep) struct writer_call *c = calloc(1, sizeof(*c));
        struct vss_error error = { 0 };

        if (!c) /* no answer: the service's deadline speaks */
                return;
        c->message = dbus_message_ref(call);
        c->instance_id = link_instance_id(w->link);
        if (writer_event_read(&c->event, phase, call, &error) < 0 || enqueue(w, c, &error) < 0) {
                send_error(w, call, &error);
                return;
        }
        (void)TAKE_PTR(c);
}

/* Nothing comes any more. Under the lock. */
static void end_all(struct writer_turns *t) {
        drop_all(&t->waiting);
        t->n_waiting = 0;
        t->generation++;
        writer_sessions_lose(&t->sessions, now_monotonic_usec());
}

void writer_turn_lose(CVssWriter *w) {
        struct writer_turns *t = &w->turns;

        lock(t);
        drop_all(&t->answered);
        end_all(t);
        unlock(t);
}

void writer_turn_answer(CVssWriter *w) {
        struct writer_turns *t = &w->turns;
        struct writer_call *c;

        lock(t);
        while ((c = pop(&t->answered))) {
                unlock(t);
                /* Without memory there is no answer, and the service's deadline speaks. */
                if (c->reply)
                        link_send(w->link, c->reply);
                call_free(c);
                lock(t);
        }
        unlock(t);
}

/* A turn that could be taken now. Under the lock. */
static bool has_turn(struct writer_turns *t) {
        return !t->running && (find_next(t) || writer_sessions_wanting(&t->sessions, false));
}

bool writer_turn_due(CVssWriter *w, uint64_t *ret_next_usec) {
        struct writer_turns *t = &w->turns;
        uint64_t now = now_monotonic_usec(), next;
        bool due = false;

        lock(t);
        next = writer_sessions_expire(&t->sessions, now);
        if (has_turn(t)) {
                const struct writer_session *urgent = writer_sessions_wanting(&t->sessions, true);

                if (w->loop_fd < 0) {
                        (void)pthread_cond_signal(&t->changed);
                        urgent = NULL;
                } else
                        (void)eventfd_write(w->loop_fd, 1); /* full means readable already */
                if (urgent && urgent->wants_since_usec + TURN_PATIENCE_USEC <= now)
                        due = true;
                else if (urgent && urgent->wants_since_usec + TURN_PATIENCE_USEC < next)
                        next = urgent->wants_since_usec + TURN_PATIENCE_USEC;
        }
        unlock(t);
        *ret_next_usec = next;
        return due;
}

void writer_turn_stop(CVssWriter *w) {
        lock(&w->turns); /* or it would look, not see, and then sleep */
        (void)pthread_cond_signal(&w->turns.changed);
        unlock(&w->turns);
}

bool writer_turn_wait(CVssWriter *w) {
        struct writer_turns *t = &w->turns;

        lock(t);
        while (!atomic_load(&w->stopping) && !has_turn(t))
                (void)pthread_cond_wait(&t->changed, &t->lock);
        unlock(t);
        return !atomic_load(&w->stopping);
}

void writer_turn_finish(CVssWriter *w) {
        struct writer_turns *t = &w->turns;

        lock(t);
        end_all(t);
        unlock(t);
        for (;;) {
                bool over;

                lock(t);
                while (t->running)
                        (void)pthread_cond_wait(&t->rested, &t->lock);
                over = !writer_sessions_wanting(&t->sessions, false);
                unlock(t);
                if (over)
                        return;
                (void)writer_turn_take(w, TURN_ANY);
        }
}

/* Handling */

/* Something that the service will not tell, as an event. Under the lock. */
static bool take_ending(struct writer_turns *t, enum turn_kind kind, struct writer_event *ret) {
        struct writer_session *s = writer_sessions_wanting(&t->sessions, kind == TURN_URGENT);

        if (!s)
                return false;
        if (s->wants_abort)
                writer_session_make_abort(s, ret);
        else {
                writer_session_make_shutdown(s, ret);
                writer_sessions_close(&t->sessions, s->id);
        }
        return true;
}

/* Refuses an event without asking the handler. */
static void refuse(struct writer_event *e, HRESULT failure, const char *message) {
        e->failure = failure;
        (void)str_replace(&e->message, message); /* without memory: the code alone */
}

enum admission {
        ADMIT,
        ADMIT_AFTER_ABORT, /* the application's side first: *ret_abort */
        ADMIT_NOT,
};

/* Is this still the event's time? From here on its handler counts as called. */
static enum admission admit(struct writer_turns *t, struct writer_event *e,
                            struct writer_event *ret_abort) {
        struct writer_session *s = writer_sessions_find(&t->sessions, e->session_id);
        bool expired = s && s->expired;

        if (s && (event_phase_has(e->phase, PHASE_HAS_IDENTITY) ||
                  event_phase_has(e->phase, PHASE_HAS_COMPONENTS)))
                e->identity = document_ref(s->identity);
        if (e->phase == PHASE_FREEZE && expired) {
                refuse(e, VSS_E_WRITERERROR_TIMEOUT,
                       "The application did not come to freeze within its freeze timeout");
                return ADMIT_NOT;
        }
        /* Also because another set began, or the library told its Abort: nothing would end it. */
        if (e->phase == PHASE_FREEZE && (!(s && s->frozen) || is_given_up(t, e->session_id))) {
                refuse(e, VSS_E_WRITERERROR_TIMEOUT,
                       "The application did not come to freeze before the set was given up");
                return ADMIT_NOT;
        }
        if (e->phase == PHASE_THAW && !(s && s->frozen)) {
                refuse(e, VSS_E_WRITERERROR_TIMEOUT,
                       "The application is not frozen: its freeze timeout passed, or the service "
                       "was lost, and it went on");
                return ADMIT_NOT;
        }
        if (e->phase == PHASE_POST_SNAPSHOT && expired) {
                refuse(e, VSS_E_WRITERERROR_TIMEOUT,
                       "The application went on before the copy was complete");
                return ADMIT_NOT;
        }
        if (e->phase == PHASE_BACKUP_SHUTDOWN && s && (s->open || s->frozen)) {
                /* The session is over, and nobody said Thaw or Abort. */
                writer_session_make_abort(s, ret_abort);
                return ADMIT_AFTER_ABORT;
        }
        if (s && e->phase == PHASE_THAW) {
                s->frozen = false;
                s->copied = true;
        }
        if (s && e->phase == PHASE_ABORT)
                writer_session_abort(s);
        return ADMIT;
}

/* What the handler's end means. True: it ended too late, and *ret_abort undoes it. */
static bool settle(struct writer_turns *t, struct writer_event *e, bool ok,
                   struct writer_event *ret_abort) {
        struct writer_session *s = writer_sessions_find(&t->sessions, e->session_id);

        if (!s)
                return false;
        if (e->phase == PHASE_FREEZE && s->frozen && now_monotonic_usec() >= s->deadline_usec) {
                s->expired = true;
                writer_session_make_abort(s, ret_abort);
                return true;
        }
        /* A writer that cannot prepare is told no more of this set. */
        if (e->phase == PHASE_PREPARE_SNAPSHOT && !ok)
                s->open = s->wants_abort = false;
        if (e->phase == PHASE_POST_SNAPSHOT && !s->frozen)
                s->open = s->wants_abort = false;
        if (e->phase == PHASE_BACKUP_SHUTDOWN)
                writer_sessions_close(&t->sessions, s->id);
        return false;
}

static void run_ending(CVssWriter *w, struct writer_event *e) {
        (void)writer_run_handler(w, e, NULL); /* nobody is there to read what it returns */
        writer_event_done(e);
}

/* The event goes to its handler, unless the freeze that it belongs to was ended here. */
static bool deliver(CVssWriter *w, struct writer_event *e) {
        struct writer_turns *t = &w->turns;
        struct vss_error error = { 0 };
        enum admission admission;
        struct writer_event abort;
        bool ok, late;

        if (writer_event_open_components(e, &error) < 0) {
                refuse(e, VSS_E_WRITERERROR_NONRETRYABLE, error.message);
                vss_error_done(&error);
                return false;
        }
        lock(t);
        admission = admit(t, e, &abort);
        unlock(t);
        if (admission == ADMIT_NOT)
                return false;
        if (admission == ADMIT_AFTER_ABORT)
                run_ending(w, &abort);
        if (e->components)
                writer_components_know(e->components, e->identity, e->details.volumes);
        ok = writer_run_handler(w, e, NULL);
        lock(t);
        late = settle(t, e, ok, &abort);
        unlock(t);
        if (late) {
                run_ending(w, &abort);
                refuse(e, VSS_E_WRITERERROR_TIMEOUT,
                       "The application did not freeze within its freeze timeout");
        }
        return ok && !late;
}

/* Answers c; takes it over. */
static void handle(CVssWriter *w, struct writer_call *c) {
        _cleanup_(document_unrefp) struct document *identity = NULL;
        struct writer_turns *t = &w->turns;

        if (c->event.phase == PHASE_IDENTIFY)
                c->reply =
                        writer_answer_identify(w, c->message, &c->event, c->instance_id, &identity);
        else {
                bool ok = deliver(w, &c->event);

                c->reply = writer_answer_event(c->message, &c->event, ok);
        }
        lock(t);
        if (identity && c->generation == t->generation)
                writer_session_identify(&t->sessions, c->event.session_id, identity);
        if (c->generation == t->generation)
                append(&t->answered, TAKE_PTR(c));
        unlock(t);
        call_free(c);
}

bool writer_turn_take(CVssWriter *w, enum turn_kind kind) {
        struct writer_turns *t = &w->turns;
        struct writer_call **next, *call = NULL;
        struct writer_event ending;
        bool found = false;

        lock(t);
        if (!t->running) {
                (void)writer_sessions_expire(&t->sessions, now_monotonic_usec());
                found = take_ending(t, kind, &ending);
                if (!found && kind == TURN_ANY && (next = find_next(t))) {
                        call = pop(next);
                        t->n_waiting--;
                        found = true;
                }
                t->running = found;
        }
        unlock(t);
        if (!found)
                return false;
        if (call)
                handle(w, call);
        else
                run_ending(w, &ending);
        lock(t);
        t->running = false;
        (void)pthread_cond_broadcast(&t->rested);
        unlock(t);
        writer_wake(w); /* the link's thread, to send the answer */
        return true;
}
