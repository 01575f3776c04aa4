#pragma once

/* A set's creation over fake storage and two scripted writers, "front" and "back", for the tests of
 * the coordinator: setup(), create() or start(), and what has to hold afterwards. */

#include "common/time-util.h"
#include "daemon/coordinator/coordinator.h"
#include "daemon/job/job.h"
#include "tests/unit/fake-storage.h"
#include "tests/unit/fake-writer.h"

static sd_event *event;
static struct store *store;
static char directory[64];
static struct writer_registry *registry;
static struct participants *participants;
static struct fake_journal journal;
static struct fake_writer front, back;
static struct coordinator *coordinator;
static struct coordinator_volume volumes[4];
static size_t n_volumes;

static struct {
        unsigned n;
        int r;
        HRESULT hr;
        char message[512];
        size_t n_snapshots, n_phases;
        char phases[256];
        char devices[256];
        struct snapshot_record first;
} done;
static const char *cancel_at; /* the phase in which the test cancels */

static inline void turn_until(const bool *stop) {
        while (!*stop)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
}

static inline void add_volume(const char *spec) {
        struct coordinator_volume *v = &volumes[n_volumes++];

        ck_assert_int_eq(fake_volume_open(&v->volume, spec, NULL), 0);
        v->provider = provider_by_name(v->volume->vg);
        ck_assert_ptr_nonnull(v->provider);
        ck_assert_int_eq(vss_id_random(&v->snapshot_id), 0);
}

static inline void setup(void) {
        memset(&journal, 0, sizeof(journal));
        memset(&done, 0, sizeof(done));
        front = back = (struct fake_writer){ 0 };
        n_volumes = 0;
        cancel_at = NULL;
        fake_storage_install();
        ck_assert_int_ge(sd_event_new(&event), 0);
        store = fake_store_open(directory);
        ck_assert_int_eq(writer_registry_new(&registry, event), 0);
        fake_writer_register(&front, registry, event, &journal, "front", VSS_APP_FRONT_END);
        fake_writer_register(&back, registry, event, &journal, "back", VSS_APP_BACK_END);
        add_volume("alpha/one");
        add_volume("beta/two");
        add_volume("alpha/raw");
        fake.journal[0] = '\0';
}

static inline void teardown(void) {
        participants = participants_free(participants);
        fake_writer_gone(&front);
        fake_writer_gone(&back);
        registry = writer_registry_free(registry);
        for (size_t i = 0; i < n_volumes; i++)
                volumes[i].volume = volume_free(volumes[i].volume);
        snapshot_record_done(&done.first);
        fake_store_close(store, directory);
        event = sd_event_unref(event);
        ck_assert_uint_eq(journal.n_open, 0);
        ck_assert_uint_eq(job_count(), 0);
        ck_assert_uint_eq(fake.n_sets, 0);
}

static inline void on_round(void *userdata, const struct round_result *result _unused_) {
        *(bool *)userdata = true;
}

static inline void prepare_writers(void) {
        static const enum writer_event_type types[] = { WRITER_EVENT_IDENTIFY,
                                                        WRITER_EVENT_PREPARE_BACKUP };

        ck_assert_int_eq(participants_new(&participants, registry), 0);
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                struct writer_event e = { .type = types[i] };
                struct round *round;
                bool over = false;

                if (types[i] == WRITER_EVENT_IDENTIFY)
                        ck_assert_int_eq(participants_identify(participants, &e, USEC_PER_SEC, NULL,
                                                               NULL, on_round, &over, &round),
                                         0);
                else
                        ck_assert_int_eq(participants_send(participants, &e, USEC_PER_SEC, on_round,
                                                           &over, &round),
                                         0);
                turn_until(&over);
        }
        journal.text[0] = '\0';
}

static bool is_done;

static inline void on_done(void *userdata _unused_, int r, const struct coordinator_result *result,
                           struct vss_error *error) {
        done.n++;
        done.r = r;
        done.hr = error->hr;
        (void)snprintf(done.message, sizeof(done.message), "%s", str_or_empty(error->message));
        done.n_snapshots = result->n;
        done.n_phases = result->n_phases;
        for (size_t i = 0; i < result->n_phases; i++) {
                const struct coordinator_phase *p = &result->phases[i];

                ck_assert_uint_le(p->begin_usec, p->end_usec);
                if (i > 0)
                        ck_assert_uint_le(result->phases[i - 1].begin_usec, p->begin_usec);
                (void)snprintf(done.phases + strlen(done.phases),
                               sizeof(done.phases) - strlen(done.phases), "%s ", p->name);
        }
        for (size_t i = 0; i < result->n; i++)
                (void)snprintf(done.devices + strlen(done.devices),
                               sizeof(done.devices) - strlen(done.devices), "%s ",
                               result->snapshots[i].device_object);
        if (result->n > 0)
                ck_assert_int_eq(snapshot_record_copy(&done.first, &result->snapshots[0]), 0);
        coordinator = NULL;
        is_done = true;
}

static inline void on_progress(void *userdata _unused_, const char *phase, unsigned per_cent) {
        ck_assert_uint_le(per_cent, 100);
        if (cancel_at && streq(cancel_at, phase))
                coordinator_cancel(coordinator);
}

static inline void start(bool writers) {
        struct coordinator_request request = {
                .event = event,
                .store = store,
                .session_id = { .Data1 = 1 },
                .set_id = { .Data1 = 2 },
                .context = writers ? VSS_CTX_APP_ROLLBACK : VSS_CTX_NAS_ROLLBACK,
                .volumes = volumes,
                .n_volumes = n_volumes,
                .participants = writers ? participants : NULL,
                .freeze_usec = 60 * USEC_PER_SEC,
                .flush_usec = 120 * USEC_PER_SEC,
                .hold_usec = 10 * USEC_PER_SEC,
                .prepare_snapshot_usec = 180 * USEC_PER_SEC,
                .post_snapshot_usec = 300 * USEC_PER_SEC,
                .event_usec = 180 * USEC_PER_SEC,
        };

        is_done = false;
        ck_assert_int_eq(coordinator_start(&coordinator, &request, on_progress, on_done, NULL), 0);
        ck_assert_uint_eq(done.n, 0);
}

static inline void create(bool writers) {
        if (writers)
                prepare_writers();
        start(writers);
        turn_until(&is_done);
        ck_assert_uint_eq(done.n, 1);
        fake_turn(event);
        ck_assert_uint_eq(done.n, 1);
}

/* What must hold after every failed creation. */
static inline void check_nothing_left(void) {
        ck_assert_uint_eq(fake_count_snapshots(store), 0);
        ck_assert_uint_eq(fake_count_intents(store), 0);
        ck_assert_uint_eq(fake.n_sets, 0);
        ck_assert_uint_eq(done.n_snapshots, 0);
        /* Each provider that had staged was told to put back exactly once, and let go. */
        ck_assert_uint_le(fake_storage_count("alpha:abort"), 1);
        ck_assert_uint_le(fake_storage_count("beta:abort"), 1);
        ck_assert_uint_eq(fake_storage_count("alpha:abort"), fake_storage_count("alpha:release"));
        ck_assert_uint_eq(fake_storage_count("beta:abort"), fake_storage_count("beta:release"));
        if (participants)
                ck_assert(!participants_any_frozen(participants));
        ck_assert_uint_eq(journal.n_open, 0);
}

/* Whoever was asked to freeze was told Thaw or Abort afterwards. */
static inline void check_told(const char *name) {
        char freeze[32], thaw[32], abort[32];
        const char *asked, *thawed, *aborted;

        (void)snprintf(freeze, sizeof(freeze), "%s:Freeze ", name);
        (void)snprintf(thaw, sizeof(thaw), "%s:Thaw ", name);
        (void)snprintf(abort, sizeof(abort), "%s:Abort ", name);
        asked = strstr(journal.text, freeze);
        if (!asked)
                return;
        thawed = strstr(asked, thaw);
        aborted = strstr(asked, abort);
        ck_assert_msg(thawed || aborted, "%s was left frozen: %s", name, journal.text);
}
