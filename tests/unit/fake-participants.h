#pragma once

/* Three writers, one for each level, and the participants of one session, for the tests of rounds.
 */

#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/writers/participant.h"
#include "tests/unit/fake-writer.h"

static sd_event *event;
static struct writer_registry *registry;
static struct participants *participants;
static struct fake_journal journal;
static struct fake_writer front, back, sys;
static struct {
        unsigned n;
        unsigned asked, failed;
        bool fatal;
        HRESULT hr;
        char message[512];
} ended;
static struct {
        unsigned n;
        char message[512];
} lost;

static inline void setup(void) {
        memset(&journal, 0, sizeof(journal));
        memset(&ended, 0, sizeof(ended));
        memset(&lost, 0, sizeof(lost));
        front = back = sys = (struct fake_writer){ 0 };
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(writer_registry_new(&registry, event), 0);
        fake_writer_register(&sys, registry, event, &journal, "sys", VSS_APP_SYSTEM);
        fake_writer_register(&front, registry, event, &journal, "front", VSS_APP_FRONT_END);
        fake_writer_register(&back, registry, event, &journal, "back", VSS_APP_BACK_END);
        ck_assert_int_eq(participants_new(&participants, registry), 0);
}

static inline void teardown(void) {
        participants = participants_free(participants);
        fake_writer_gone(&front);
        fake_writer_gone(&back);
        fake_writer_gone(&sys);
        registry = writer_registry_free(registry);
        event = sd_event_unref(event);
        ck_assert_uint_eq(journal.n_open, 0);
}

static inline void on_done(void *userdata _unused_, const struct round_result *result) {
        ended.n++;
        ended.asked = result->asked;
        ended.failed = result->failed;
        ended.fatal = result->fatal;
        ended.hr = result->error.hr;
        (void)snprintf(ended.message, sizeof(ended.message), "%s",
                       str_or_empty(result->error.message));
}

static inline void on_lost(void *userdata _unused_, const struct vss_error *error) {
        lost.n++;
        (void)snprintf(lost.message, sizeof(lost.message), "%s", str_or_empty(error->message));
}

static inline struct round *begin_for(enum writer_event_type type, uint64_t timeout_usec) {
        struct writer_event e = { .type = type };
        struct round *round = NULL;
        unsigned before = ended.n;

        journal.text[0] = '\0';
        if (type == WRITER_EVENT_IDENTIFY)
                ck_assert_int_eq(participants_identify(participants, &e, timeout_usec, NULL, NULL,
                                                       on_done, NULL, &round),
                                 0);
        else
                ck_assert_int_eq(
                        participants_send(participants, &e, timeout_usec, on_done, NULL, &round),
                        0);
        ck_assert_uint_eq(ended.n, before); /* never from inside the call */
        return round;
}

static inline struct round *begin(enum writer_event_type type) {
        return begin_for(type, 60 * USEC_PER_SEC);
}

static inline void run(enum writer_event_type type) {
        unsigned before = ended.n;

        (void)begin(type);
        fake_turn(event);
        ck_assert_uint_eq(ended.n, before + 1);
}

static inline void run_to(enum writer_event_type last) {
        static const enum writer_event_type way[] = {
                WRITER_EVENT_IDENTIFY, WRITER_EVENT_PREPARE_BACKUP, WRITER_EVENT_PREPARE_SNAPSHOT,
                WRITER_EVENT_FREEZE,   WRITER_EVENT_THAW,           WRITER_EVENT_POST_SNAPSHOT,
        };

        for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
                run(way[i]);
                if (way[i] == last)
                        return;
        }
}

static inline struct participant_info info_of(const char *name) {
        struct participant_info info;

        for (size_t i = 0; i < participants_count(participants); i++) {
                participants_get(participants, i, &info);
                if (streq(info.name, name))
                        return info;
        }
        ck_abort_msg("no participant %s", name);
        return (struct participant_info){ 0 };
}

#define ck_state(w, s, hr)                                   \
        do {                                                 \
                struct participant_info info_ = info_of(#w); \
                ck_assert_int_eq(info_.state, (s));          \
                ck_assert_int_eq(info_.failure, (hr));       \
        } while (false)
