#pragma once

/* Writers for tests: a transport that answers from the loop by a script, one answer per event, and
 * a journal of what was sent to whom in which order ("front:Freeze front:Thaw "). */

#include "common/document.h"
#include "daemon/writers/writer-private.h"
#include "daemon/writers/writer.h"

#include <check.h>
#include <stdio.h>

/* For fake_writer.metadata: a file group of these files. */
#define FAKE_METADATA(files)                                                          \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.1\">" \
        "<IDENTIFICATION writerId=\"aaaaaaaa-0000-4000-8000-000000000001\""           \
        " instanceId=\"aaaaaaaa-0000-4000-8000-000000000002\" friendlyName=\"w\""     \
        " usage=\"USER_DATA\" dataSource=\"OTHER\"/><BACKUP_LOCATIONS>"               \
        "<FILE_GROUP componentName=\"c\">" files                                      \
        "</FILE_GROUP></BACKUP_LOCATIONS></WRITER_METADATA>"

enum fake_answer {
        FAKE_OK,
        FAKE_VETO,      /* false, RETRYABLE, with a message */
        FAKE_VETO_BARE, /* false, nothing recorded */
        FAKE_TRUE_CODE, /* true, with OUTOFRESOURCES recorded */
        FAKE_BAD_CODE,  /* true, with a code that no writer may record */
        FAKE_LATE,      /* the transport's deadline passes */
        FAKE_LOST,      /* bus error */
        FAKE_VANISH,    /* the connection goes instead of an answer */
        FAKE_HOLD,      /* until fake_writer_answer() */
        FAKE_UNSENDABLE,
        FAKE_PARTIAL, /* true, with PARTIAL_FAILURE recorded */
};

struct fake_journal {
        char text[8192];
        uint64_t last_timeout_usec;
        unsigned n_open; /* calls neither answered nor cancelled */
};

struct fake_writer {
        struct writer *writer; /* NULL: gone */
        const char *name;
        sd_event *event;
        struct fake_journal *journal;
        enum fake_answer answers[_WRITER_EVENT_MAX];
        struct writer_call *held;
        char volumes[256], devices[256]; /* of the last event that had them */
        char components[2048];           /* of the last event: what came with it */
        const char *metadata;            /* NULL: FAKE_METADATA("") */
        const char *changed;             /* what it makes of them; NULL: unchanged */
        VSS_ID set_id;
        uint64_t timeout_usec; /* of the last event */
};

struct writer_call {
        struct fake_writer *owner;
        enum fake_answer answer;
        writer_reply_fn reply;
        void *userdata;
        sd_event_source *source;
};

/* NULL without memory, which a test may have taken away. */
static inline struct document *fake_document(const char *text) {
        struct document *d = NULL;
        char *copy = strdup(text);

        return copy && document_new(&d, copy, strlen(text), NULL) >= 0 ? d : NULL;
}

static inline void fake_call_free(struct writer_call *call) {
        call->owner->journal->n_open--;
        if (call->owner->held == call)
                call->owner->held = NULL;
        sd_event_source_disable_unref(call->source);
        free(call);
}

static inline void fake_call_answer(struct writer_call *call, enum fake_answer answer) {
        _cleanup_(document_unrefp) struct document *metadata = fake_document(
                                                           call->owner->metadata
                                                                   ? call->owner->metadata
                                                                   : FAKE_METADATA("")),
                                                   *components = NULL;
        struct writer_reply reply = { .delivered = true, .ok = true, .metadata = metadata };
        writer_reply_fn fn = call->reply;
        void *userdata = call->userdata;

        if (call->owner->changed)
                reply.components = components = fake_document(call->owner->changed);
        switch (answer) {
        case FAKE_OK: break;
        case FAKE_VETO:
                reply.ok = false;
                reply.failure = VSS_E_WRITERERROR_RETRYABLE;
                reply.application = 77;
                reply.message = "the application is busy";
                break;
        case FAKE_VETO_BARE: reply.ok = false; break;
        case FAKE_TRUE_CODE: reply.failure = VSS_E_WRITERERROR_OUTOFRESOURCES; break;
        case FAKE_PARTIAL: reply.failure = VSS_E_WRITERERROR_PARTIAL_FAILURE; break;
        case FAKE_BAD_CODE: reply.failure = E_ACCESSDENIED; break;
        case FAKE_LATE: reply = (struct writer_reply){ .timed_out = true }; break;
        case FAKE_LOST:
        case FAKE_VANISH:
        case FAKE_UNSENDABLE:
        case FAKE_HOLD: reply = (struct writer_reply){ 0 }; break;
        }
        fake_call_free(call);
        fn(userdata, &reply);
}

static inline int fake_call_on_turn(sd_event_source *source _unused_, void *userdata) {
        struct writer_call *call = userdata;
        struct fake_writer *w = call->owner;

        if (call->answer == FAKE_VANISH) {
                struct writer *writer = TAKE_PTR(w->writer);

                writer_remove(writer); /* cancels the call */
        } else
                fake_call_answer(call, call->answer);
        return 0;
}

static inline void fake_join(char *buf, size_t size, char *const *v) {
        buf[0] = '\0';
        STRV_FOREACH (s, v)
                (void)snprintf(buf + strlen(buf), size - strlen(buf), "%s ", *s);
}

static inline int fake_send(void *peer, const struct writer_event *event, uint64_t timeout_usec,
                            writer_reply_fn reply, void *userdata, struct writer_call **ret) {
        struct fake_writer *w = peer;
        struct fake_journal *j = w->journal;
        struct writer_call *call;

        (void)snprintf(j->text + strlen(j->text), sizeof(j->text) - strlen(j->text), "%s:%s ",
                       w->name, writer_event_type_to_string(event->type));
        j->last_timeout_usec = timeout_usec;
        w->set_id = event->set_id;
        w->timeout_usec = timeout_usec;
        if (event->volumes)
                fake_join(w->volumes, sizeof(w->volumes), event->volumes);
        if (event->devices)
                fake_join(w->devices, sizeof(w->devices), event->devices);
        (void)snprintf(w->components, sizeof(w->components), "%s",
                       event->components ? document_text(event->components) : "");
        if (w->answers[event->type] == FAKE_UNSENDABLE)
                return -ENOTCONN;

        call = calloc(1, sizeof(*call));
        ck_assert_ptr_nonnull(call);
        *call = (struct writer_call){
                .owner = w, .answer = w->answers[event->type], .reply = reply, .userdata = userdata
        };
        j->n_open++;
        if (call->answer == FAKE_HOLD)
                w->held = call;
        else
                ck_assert_int_ge(
                        sd_event_add_defer(w->event, &call->source, fake_call_on_turn, call), 0);
        *ret = call;
        return 0;
}

static inline void fake_cancel(struct writer_call *call) {
        fake_call_free(call);
}

static const struct writer_transport fake_transport = { .send = fake_send, .cancel = fake_cancel };

/* Of one class are those whose names begin with one letter; instance_name: NULL: none. */
static inline void fake_writer_register_instance(struct fake_writer *w,
                                                 struct writer_registry *registry, sd_event *event,
                                                 struct fake_journal *journal, const char *name,
                                                 const char *instance_name,
                                                 VSS_APPLICATION_LEVEL level) {
        struct writer_identity identity = {
                .class_id = { .Data1 = 0x1000, .Data2 = (uint16_t)name[0] },
                .name = (char *)(uintptr_t)name,
                .instance_name = (char *)(uintptr_t)instance_name,
                .usage = VSS_UT_USERDATA,
                .source = VSS_ST_OTHER,
                .level = level,
        };

        w->name = name;
        w->event = event;
        w->journal = journal;
        ck_assert_int_eq(
                writer_registry_add(registry, &w->writer, &identity, &fake_transport, w, NULL), 0);
}

static inline void fake_writer_register(struct fake_writer *w, struct writer_registry *registry,
                                        sd_event *event, struct fake_journal *journal,
                                        const char *name, VSS_APPLICATION_LEVEL level) {
        fake_writer_register_instance(w, registry, event, journal, name, NULL, level);
}

static inline void fake_writer_gone(struct fake_writer *w) {
        struct writer *writer = TAKE_PTR(w->writer);

        if (writer)
                writer_remove(writer);
}

static inline void fake_writer_answer(struct fake_writer *w, enum fake_answer answer) {
        ck_assert_ptr_nonnull(w->held);
        fake_call_answer(w->held, answer);
}

/* Turns the loop until nothing is left to do at once. */
static inline void fake_turn(sd_event *event) {
        int r;

        do {
                r = sd_event_run(event, 0);
                ck_assert_int_ge(r, 0);
        } while (r > 0);
}
