/* A set's creation over fake storage and scripted writers: the order of the steps, a failure and a
 * cancel in each of them, and what is left afterwards: nothing. */

#include "common/time-util.h"
#include "daemon/coordinator/coordinator.h"
#include "daemon/coordinator/flush.h"
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

static void turn_until(const bool *stop) {
        while (!*stop)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
}

static void add_volume(const char *spec) {
        struct coordinator_volume *v = &volumes[n_volumes++];

        ck_assert_int_eq(fake_volume_open(&v->volume, spec, NULL), 0);
        v->provider = provider_by_name(v->volume->vg);
        ck_assert_ptr_nonnull(v->provider);
        ck_assert_int_eq(vss_id_random(&v->snapshot_id), 0);
}

static void setup(void) {
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

static void teardown(void) {
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

static void on_round(void *userdata, const struct round_result *result _unused_) {
        *(bool *)userdata = true;
}

static void prepare_writers(void) {
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

static void on_done(void *userdata _unused_, int r, const struct coordinator_result *result,
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

static void on_progress(void *userdata _unused_, const char *phase, unsigned per_cent) {
        ck_assert_uint_le(per_cent, 100);
        if (cancel_at && streq(cancel_at, phase))
                coordinator_cancel(coordinator);
}

static void start(bool writers) {
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
                .hold_usec = 10 * USEC_PER_SEC,
                .prepare_snapshot_usec = 180 * USEC_PER_SEC,
                .post_snapshot_usec = 300 * USEC_PER_SEC,
                .event_usec = 180 * USEC_PER_SEC,
        };

        is_done = false;
        ck_assert_int_eq(coordinator_start(&coordinator, &request, on_progress, on_done, NULL), 0);
        ck_assert_uint_eq(done.n, 0);
}

static void create(bool writers) {
        if (writers)
                prepare_writers();
        start(writers);
        turn_until(&is_done);
        ck_assert_uint_eq(done.n, 1);
        fake_turn(event);
        ck_assert_uint_eq(done.n, 1);
}

/* What must hold after every failed creation. */
static void check_nothing_left(void) {
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
static void check_told(const char *name) {
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

START_TEST(a_set_goes_through_its_phases) {
        create(true);
        ck_assert_int_eq(done.r, 0);
        ck_assert_str_eq(done.phases, "PrepareSnapshot Stage Freeze Flush Window Thaw Finish "
                                      "PostSnapshot Seal Commit ");
        ck_assert_str_eq(
                journal.text,
                "front:PrepareSnapshot back:PrepareSnapshot front:Freeze back:Freeze back:Thaw "
                "front:Thaw front:PostSnapshot back:PostSnapshot ");
        ck_assert_str_eq(fake.journal,
                         /* each provider has its volumes in one piece */
                         "alpha:stage(/alpha/one/,/dev/alpha/raw) beta:stage(/beta/two/) "
                         "alpha:rows() beta:rows() "
                         /* once with nobody frozen, twice before the window */
                         "host:sync() host:sync() host:sync() host:sync() host:sync() host:sync() "
                         "alpha:finish() beta:finish() "
                         /* raw volumes are not mounted; the others writable until PostSnapshot */
                         "host:mount-rw(/alpha/one/) host:mount-rw(/beta/two/) "
                         "host:mount-seal(/alpha/one/) host:mount-seal(/beta/two/) "
                         "alpha:seal() beta:seal() alpha:release() beta:release() ");
        ck_assert_uint_eq(fake_count_snapshots(store), 3);
        ck_assert_uint_eq(fake_count_intents(store), 0);
        /* In the order of the request, though alpha had two of them. */
        ck_assert_str_eq(done.devices,
                         "/run/vss/ShadowCopy1 /run/vss/ShadowCopy2 /dev/vss/ShadowCopy3 ");
        ck_assert_str_eq(front.volumes, "/alpha/one/ /beta/two/ /dev/alpha/raw ");
        ck_assert_str_eq(front.devices, done.devices);
        ck_assert_uint_eq(front.set_id.Data1, 2);
}
END_TEST

START_TEST(the_record_says_what_the_copy_is) {
        struct snapshot_record *records;
        struct set_record set;
        size_t n;

        create(true);
        ck_assert_str_eq(done.first.volume, "/alpha/one/");
        ck_assert_str_eq(done.first.display, "alpha/one");
        ck_assert_str_eq(done.first.device, "/dev/vss/ShadowCopy1");
        ck_assert_str_eq(done.first.device_object, "/run/vss/ShadowCopy1");
        ck_assert_str_eq(done.first.provider, "alpha");
        ck_assert_str_eq(done.first.origin_uuid, "uuid-alpha/one");
        ck_assert_str_eq(done.first.consistency, "application");
        ck_assert_int_eq(store_set_get(store, done.first.set_id, &set, NULL), 0);
        ck_assert_ptr_eq(strstr(set.timeline, "PrepareSnapshot "), set.timeline);
        ck_assert_ptr_nonnull(strstr(set.timeline, ";Window "));
        ck_assert_ptr_nonnull(strstr(set.timeline, ";PostSnapshot "));
        set_record_done(&set);
        ck_assert_int_eq(done.first.state, VSS_SS_CREATED);
        ck_assert_int_eq(done.first.count, 3);
        ck_assert_int_eq(done.first.context, VSS_CTX_APP_ROLLBACK);
        ck_assert_int_eq(done.first.attributes, VSS_CTX_APP_ROLLBACK |
                                                        VSS_VOLSNAP_ATTR_NOT_SURFACED |
                                                        VSS_VOLSNAP_ATTR_DIFFERENTIAL);
        ck_assert_int_gt(done.first.created, VSS_TIMESTAMP_UNIX_EPOCH);
        ck_assert(!str_empty(done.first.service_machine));
        ck_assert_int_eq(store_snapshot_list(store, done.first.set_id, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 3);
        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(records[i].created, done.first.created); /* one instant */
                ck_assert_uint_eq(records[i].number, i + 1);
        }
        ck_assert_ptr_null(records[2].fs_type);
        snapshot_records_free(records, n);
}
END_TEST

/* Each volume is as consistent as those are whose files it has. */
START_TEST(consistency_follows_whose_files_are_where) {
        struct snapshot_record *records;
        size_t n;

        front.metadata = FAKE_METADATA("<FILE_LIST path=\"/alpha/one\" filespec=\"*\"/>");
        back.metadata = FAKE_METADATA("<FILE_LIST path=\"/beta/two\" filespec=\"*\"/>");
        prepare_writers();
        back.answers[WRITER_EVENT_POST_SNAPSHOT] = FAKE_VETO;
        start(true);
        turn_until(&is_done);
        ck_assert_int_eq(done.r, 0);
        ck_assert_int_eq(store_snapshot_list(store, GUID_NULL, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 3);
        for (size_t i = 0; i < n; i++) {
                const char *writers = str_or_empty(records[i].writers);

                if (streq(records[i].volume, "/alpha/one/")) {
                        ck_assert_str_eq(records[i].consistency, "application");
                        ck_assert_ptr_nonnull(strstr(writers, " 0x00000000 front"));
                        ck_assert_ptr_null(strstr(writers, "back"));
                } else if (streq(records[i].volume, "/beta/two/")) {
                        ck_assert_str_eq(records[i].consistency, "file-system");
                        ck_assert_ptr_nonnull(strstr(writers, " 0x800423f3 back"));
                        ck_assert_ptr_null(strstr(writers, "front"));
                } else {
                        ck_assert_str_eq(records[i].consistency, "crash");
                        ck_assert_str_eq(writers, "");
                }
        }
        snapshot_records_free(records, n);
}
END_TEST

START_TEST(without_writers_there_are_no_events) {
        struct snapshot_record *records;
        size_t n;

        create(false);
        ck_assert_int_eq(done.r, 0);
        ck_assert_str_eq(done.phases, "Stage Flush Window Finish Seal Commit ");
        ck_assert_str_eq(journal.text, "");
        ck_assert_ptr_null(strstr(fake.journal, "mount-rw"));
        ck_assert_str_eq(done.first.consistency, "file-system");
        ck_assert_int_eq(store_snapshot_list(store, GUID_NULL, &records, &n, NULL), 0);
        ck_assert_str_eq(records[2].consistency, "crash"); /* raw */
        snapshot_records_free(records, n);
}
END_TEST

START_TEST(an_empty_set_with_writers_is_legal) {
        for (size_t i = 0; i < n_volumes; i++)
                volumes[i].volume = volume_free(volumes[i].volume);
        n_volumes = 0;
        create(true);
        ck_assert_int_eq(done.r, 0);
        ck_assert_str_eq(done.phases, "PrepareSnapshot Freeze Thaw PostSnapshot ");
        ck_assert_str_eq(fake.journal, "");
        ck_assert_uint_eq(done.n_snapshots, 0);
}
END_TEST

START_TEST(no_autorecovery_means_read_only_at_once) {
        struct coordinator_request request = {
                .event = event,
                .store = store,
                .context = VSS_CTX_APP_ROLLBACK | VSS_VOLSNAP_ATTR_NO_AUTORECOVERY,
                .volumes = volumes,
                .n_volumes = 1,
                .freeze_usec = 60 * USEC_PER_SEC,
                .hold_usec = USEC_PER_SEC,
                .prepare_snapshot_usec = USEC_PER_SEC,
                .post_snapshot_usec = USEC_PER_SEC,
                .event_usec = USEC_PER_SEC,
        };

        prepare_writers();
        request.participants = participants;
        is_done = false;
        ck_assert_int_eq(coordinator_start(&coordinator, &request, NULL, on_done, NULL), 0);
        turn_until(&is_done);
        ck_assert_int_eq(done.r, 0);
        ck_assert_ptr_nonnull(strstr(fake.journal, "host:mount(/alpha/one/)"));
}
END_TEST

START_TEST(a_writers_veto_outside_freeze_is_recorded_only) {
        prepare_writers();
        front.answers[WRITER_EVENT_PREPARE_SNAPSHOT] = FAKE_VETO;
        start(true);
        turn_until(&is_done);
        ck_assert_int_eq(done.r, 0);
        ck_assert_str_eq(done.first.consistency, "file-system");
        ck_assert(participants_any_failed(participants, NULL));
}
END_TEST

/* Every storage step once: it fails, and nothing is left. */
static const struct {
        const char *step;
        const char *staged; /* the providers that have to put back */
        bool told;          /* writers get Abort (not after PostSnapshot) */
} storage_failures[] = {
        { "alpha:stage", "", true },          { "beta:stage", "alpha", true },
        { "alpha:rows", "alpha beta", true }, { "beta:rows", "alpha beta", true },
        { "finish", "alpha beta", true },     { "beta:finish", "alpha beta", true },
        { "mount-rw", "alpha beta", true },   { "mount-seal", "alpha beta", false },
        { "seal", "alpha beta", false },      { "beta:seal", "alpha beta", false },
};

START_TEST(a_storage_failure_takes_everything_back) {
        const char *staged = storage_failures[_i].staged;

        prepare_writers();
        fake.fail = storage_failures[_i].step;
        fake.fail_hr = VSS_E_INSUFFICIENT_STORAGE;
        start(true);
        turn_until(&is_done);
        ck_assert_int_lt(done.r, 0);
        ck_assert_int_eq(done.hr, VSS_E_INSUFFICIENT_STORAGE);
        ck_assert_uint_eq(fake_storage_count("alpha:abort"), strstr(staged, "alpha") != NULL);
        ck_assert_uint_eq(fake_storage_count("beta:abort"), strstr(staged, "beta") != NULL);
        ck_assert_int_eq(strstr(journal.text, "front:Abort") != NULL, storage_failures[_i].told);
        ck_assert_int_eq(strstr(journal.text, "back:Abort") != NULL, storage_failures[_i].told);
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

START_TEST(a_storage_failure_without_writers) {
        fake.fail = storage_failures[_i].step;
        if (streq(fake.fail, "mount-rw"))
                fake.fail = "mount";
        create(false);
        ck_assert_int_lt(done.r, 0);
        ck_assert_int_eq(done.hr, VSS_E_PROVIDER_VETO);
        check_nothing_left();
}
END_TEST

START_TEST(a_mounted_copy_is_unmounted_on_the_way_back) {
        prepare_writers();
        fake.fail = "beta:seal";
        start(true);
        turn_until(&is_done);
        ck_assert_uint_eq(fake_storage_count("host:unmount-force(/alpha/one/)"), 1);
        ck_assert_uint_eq(fake_storage_count("host:unmount-force(/beta/two/)"), 1);
        check_nothing_left();
}
END_TEST

START_TEST(a_provider_that_breaks_its_contract_is_unexpected) {
        fake.fail = "alpha:finish";
        fake.fail_hr = VSS_E_HOLD_WRITES_TIMEOUT; /* not a provider's to answer */
        create(false);
        ck_assert_int_eq(done.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        ck_assert_ptr_nonnull(strstr(done.message, "provider alpha: alpha:finish fails"));
        check_nothing_left();
}
END_TEST

START_TEST(an_intent_stays_where_a_provider_cannot_put_back) {
        struct intent_record *intents;
        size_t n;

        /* Stage succeeds everywhere; finish fails, and then alpha's abort. */
        fake.fail = "alpha:rows";
        prepare_writers();
        start(true);
        turn_until(&is_done);
        check_nothing_left();

        done.n = 0;
        fake.fail = "alpha:abort";
        cancel_at = "Finish";
        fake.journal[0] = '\0';
        participants = participants_free(participants);
        prepare_writers();
        start(true);
        turn_until(&is_done);
        ck_assert_int_eq(done.r, -ECANCELED);
        ck_assert_int_eq(store_intent_list(store, &intents, &n, NULL), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(intents[0].provider, "alpha");
        intent_records_free(intents, n);
        ck_assert_uint_eq(fake.n_sets, 0);
}
END_TEST

static const struct {
        enum writer_event_type event;
        enum fake_answer answer;
        HRESULT hr;
        const char *says;
} writer_failures[] = {
        { WRITER_EVENT_FREEZE, FAKE_VETO, VSS_E_WRITERERROR_RETRYABLE,
          "writer front failed to freeze: the application is busy" },
        { WRITER_EVENT_FREEZE, FAKE_VETO_BARE, VSS_E_WRITERERROR_NONRETRYABLE,
          "writer front failed to freeze" },
        { WRITER_EVENT_FREEZE, FAKE_LATE, VSS_E_WRITERERROR_TIMEOUT,
          "writer front did not freeze within" },
        { WRITER_EVENT_FREEZE, FAKE_LOST, VSS_E_WRITER_NOT_RESPONDING,
          "writer front gave no answer" },
        { WRITER_EVENT_FREEZE, FAKE_VANISH, VSS_E_WRITER_NOT_RESPONDING,
          "writer front gave no answer" },
        { WRITER_EVENT_THAW, FAKE_VETO, VSS_E_WRITERERROR_RETRYABLE,
          "writer front failed to thaw: the application is busy" },
        { WRITER_EVENT_THAW, FAKE_LATE, VSS_E_WRITERERROR_TIMEOUT,
          "writer front did not thaw within" },
        { WRITER_EVENT_THAW, FAKE_VANISH, VSS_E_WRITER_NOT_RESPONDING,
          "writer front gave no answer" },
};

START_TEST(a_failed_freeze_or_thaw_takes_the_set) {
        prepare_writers();
        front.answers[writer_failures[_i].event] = writer_failures[_i].answer;
        start(true);
        turn_until(&is_done);
        ck_assert_int_lt(done.r, 0);
        ck_assert_int_eq(done.hr, writer_failures[_i].hr);
        ck_assert_msg(strstr(done.message, writer_failures[_i].says), "%s", done.message);
        ck_assert_ptr_nonnull(strstr(journal.text, "back:Abort"));
        if (writer_failures[_i].answer != FAKE_VANISH)
                check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

/* The first sync with frozen writers: before it, staging has synced both mounted volumes. */
static void start_and_hold_frozen(void) {
        prepare_writers();
        fake.hold = "sync";
        fake.hold_after = 2;
        start(true);
        while (!fake_storage_is_holding())
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        ck_assert(participants_any_frozen(participants));
}

START_TEST(a_frozen_writer_that_vanishes_takes_the_set) {
        start_and_hold_frozen();
        fake_writer_gone(&back);
        /* The others are told at once, whatever storage is doing. */
        fake_turn(event);
        ck_assert(!participants_any_frozen(participants));
        ck_assert(!is_done);
        fake_storage_go();
        turn_until(&is_done);
        ck_assert_int_lt(done.r, 0);
        ck_assert_int_eq(done.hr, VSS_E_WRITER_NOT_RESPONDING);
        ck_assert_str_eq(done.message, "writer back went away in the middle of the backup");
        check_told("front");
        check_nothing_left();
}
END_TEST

START_TEST(a_cancel_with_frozen_writers_thaws_at_once) {
        start_and_hold_frozen();
        coordinator_cancel(coordinator);
        fake_turn(event);
        ck_assert(!participants_any_frozen(participants));
        fake_storage_go();
        turn_until(&is_done);
        ck_assert_int_eq(done.r, -ECANCELED);
        check_nothing_left();
}
END_TEST

static const char *const phases[] = { "PrepareSnapshot", "Stage",        "Freeze", "Window", "Thaw",
                                      "Finish",          "PostSnapshot", "Seal" };

START_TEST(a_cancel_in_any_phase_takes_everything_back) {
        cancel_at = phases[_i];
        create(true);
        /* The progress comes before the phase begins: the cancel is in time in all of them. */
        ck_assert_int_eq(done.r, -ECANCELED);
        ck_assert_int_eq(done.hr, S_OK);
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

START_TEST(a_cancel_without_writers) {
        cancel_at = phases[_i];
        create(false);
        if (strstr("Stage Window Finish Seal", phases[_i])) {
                ck_assert_int_eq(done.r, -ECANCELED);
                check_nothing_left();
        } else
                ck_assert_int_eq(done.r, 0); /* no such phase */
}
END_TEST

START_TEST(a_cancel_before_the_first_turn) {
        prepare_writers();
        start(true);
        coordinator_cancel(coordinator);
        ck_assert_uint_eq(done.n, 0); /* never from inside the call */
        coordinator_cancel(coordinator);
        turn_until(&is_done);
        ck_assert_int_eq(done.r, -ECANCELED);
        ck_assert_str_eq(fake.journal, "");
        check_nothing_left();
}
END_TEST

static const char *const held_steps[] = {
        "alpha:stage",  "beta:stage", "alpha:rows", "sync",
        "alpha:finish", "mount-rw",   "mount-seal", "alpha:seal"
};

START_TEST(a_cancel_inside_a_storage_step_waits_for_it) {
        prepare_writers();
        fake.hold = held_steps[_i];
        start(true);
        while (!fake_storage_is_holding())
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        coordinator_cancel(coordinator);
        fake_turn(event);
        ck_assert(!is_done); /* the step is not to be pulled away from under the worker */
        ck_assert(!participants_any_frozen(participants)); /* but nobody waits for it frozen */
        fake_storage_go();
        turn_until(&is_done);
        ck_assert_int_eq(done.r, -ECANCELED);
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

START_TEST(a_cancel_after_the_commit_is_too_late) {
        prepare_writers();
        fake.hold = "alpha:release"; /* the first thing after the commit */
        start(true);
        while (!fake_storage_is_holding())
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        coordinator_cancel(coordinator);
        fake_storage_go();
        turn_until(&is_done);
        ck_assert_int_eq(done.r, 0);
        ck_assert_uint_eq(fake_count_snapshots(store), 3);
        ck_assert_uint_eq(fake_storage_count("abort"), 0);
}
END_TEST

START_TEST(a_cancel_while_a_writer_thinks) {
        static const enum writer_event_type events[] = { WRITER_EVENT_PREPARE_SNAPSHOT,
                                                         WRITER_EVENT_FREEZE, WRITER_EVENT_THAW,
                                                         WRITER_EVENT_POST_SNAPSHOT };

        prepare_writers();
        front.answers[events[_i]] = FAKE_HOLD;
        start(true);
        while (!front.held)
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        coordinator_cancel(coordinator);
        ck_assert_ptr_null(front.held); /* nobody listens any more */
        turn_until(&is_done);
        ck_assert_int_eq(done.r, -ECANCELED);
        ck_assert_ptr_nonnull(strstr(journal.text, "front:Abort"));
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

/* The deadline is real time: one that has passed when it is set. */
static void start_with_freeze(uint64_t freeze_usec) {
        struct coordinator_request request = {
                .event = event,
                .store = store,
                .set_id = { .Data1 = 2 },
                .context = VSS_CTX_APP_ROLLBACK,
                .volumes = volumes,
                .n_volumes = n_volumes,
                .participants = participants,
                .freeze_usec = freeze_usec,
                .hold_usec = 10 * USEC_PER_SEC,
                .prepare_snapshot_usec = 180 * USEC_PER_SEC,
                .post_snapshot_usec = 300 * USEC_PER_SEC,
                .event_usec = 180 * USEC_PER_SEC,
        };

        is_done = false;
        ck_assert_int_eq(coordinator_start(&coordinator, &request, on_progress, on_done, NULL), 0);
}

START_TEST(the_freeze_deadline_in_a_round_names_the_late) {
        static const enum writer_event_type events[] = { WRITER_EVENT_FREEZE, WRITER_EVENT_THAW };

        prepare_writers();
        back.answers[events[_i]] = FAKE_HOLD;
        start_with_freeze(USEC_PER_SEC);
        turn_until(&is_done);
        ck_assert_int_eq(done.hr, VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_msg(strstr(done.message, events[_i] == WRITER_EVENT_FREEZE
                                                   ? "writer back did not freeze within"
                                                   : "writer back did not thaw within"),
                      "%s", done.message);
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

START_TEST(a_flush_that_does_not_end_leaves_time_to_thaw) {
        prepare_writers();
        fake.hold = "sync";
        fake.hold_after = 2;
        start_with_freeze(USEC_PER_SEC);
        turn_until(&is_done);
        ck_assert_int_lt(done.r, 0);
        ck_assert_int_eq(done.hr, VSS_E_FLUSH_WRITES_TIMEOUT);
        check_told("front");
        check_told("back");
        check_nothing_left();
        /* In their own time, as far as the deadline goes. */
        ck_assert_ptr_nonnull(strstr(journal.text, "front:Abort"));
        fake_storage_go();
}
END_TEST

START_TEST(frozen_beyond_the_deadline_is_late_whoever_answered) {
        uint64_t begin;

        prepare_writers();
        back.answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        start_with_freeze(300 * USEC_PER_MSEC);
        while (!back.held)
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        /* The answer and the deadline lie before the loop together. */
        for (begin = now_monotonic_usec(); now_monotonic_usec() < begin + 301 * USEC_PER_MSEC;)
                ;
        fake_writer_answer(&back, FAKE_OK);
        turn_until(&is_done);
        ck_assert_int_eq(done.hr, VSS_E_WRITERERROR_TIMEOUT);
        ck_assert_msg(strstr(done.message, "was frozen for its limit"), "%s", done.message);
        ck_assert_uint_eq(fake_storage_count("finish"), 0);
        check_told("front");
        check_told("back");
        check_nothing_left();
}
END_TEST

/* A limit counts from the writer's own Freeze: others may take longer before it (0), and not while
 * it is frozen (1). */
START_TEST(a_freeze_counts_from_the_writers_own) {
        struct writer_identity id = { .class_id = { .Data1 = 9 },
                                      .name = (char *)(uintptr_t) "hasty",
                                      .usage = VSS_UT_USERDATA,
                                      .level = _i == 0 ? VSS_APP_BACK_END : VSS_APP_FRONT_END,
                                      .freeze_timeout_ms = 1500 };
        struct fake_writer hasty = { .name = "hasty", .event = event, .journal = &journal };
        struct fake_writer *slow = _i == 0 ? &front : &back;
        uint64_t begin = now_monotonic_usec();

        ck_assert_int_eq(
                writer_registry_add(registry, &hasty.writer, &id, &fake_transport, &hasty, NULL),
                0);
        prepare_writers();
        slow->answers[WRITER_EVENT_FREEZE] = FAKE_HOLD;
        start_with_freeze(60 * USEC_PER_SEC);
        while (_i == 0 && now_monotonic_usec() < begin + 2 * USEC_PER_SEC)
                ck_assert_int_ge(sd_event_run(event, 1000), 0);
        ck_assert(!is_done);
        if (_i == 0)
                fake_writer_answer(slow, FAKE_OK);
        turn_until(&is_done);
        if (_i == 0)
                ck_assert_int_eq(done.r, 0);
        else {
                ck_assert_int_eq(done.hr, VSS_E_WRITERERROR_TIMEOUT);
                ck_assert_msg(strstr(done.message, "hasty was frozen for its limit of 1.5 s"), "%s",
                              done.message);
                ck_assert_uint_lt(now_monotonic_usec() - begin, 30 * USEC_PER_SEC);
                check_nothing_left();
        }
        participants = participants_free(participants);
        fake_writer_gone(&hasty);
}
END_TEST

static pthread_barrier_t sync_barrier;
static int slow_sync(int fd _unused_) {
        (void)pthread_barrier_wait(&sync_barrier);
        return 0;
}
static unsigned n_synced;
static int counting_sync(int fd _unused_) {
        __atomic_add_fetch(&n_synced, 1, __ATOMIC_SEQ_CST);
        errno = EIO;
        return -1;
}

START_TEST(flushing_is_parallel_bounded_and_forgiving) {
        struct flush_volume v[3] = { { .fd = STDERR_FILENO, .name = "/a/" },
                                     { .fd = -1, .name = "raw" },
                                     { .fd = STDERR_FILENO, .name = "/b/" } };
        struct vss_error error = { 0 };

        /* Both meet at the barrier: one after the other they never would. */
        (void)pthread_barrier_init(&sync_barrier, NULL, 2);
        ck_assert_int_eq(flush_volumes(v, 3, 2, 60 * USEC_PER_SEC, slow_sync, NULL), 0);
        /* A write error is the volume's, and older than the copy. */
        ck_assert_int_eq(flush_volumes(v, 3, 2, 60 * USEC_PER_SEC, counting_sync, NULL), 0);
        ck_assert_uint_eq(n_synced, 4);
        /* One alone waits for ever; the wait does not. */
        ck_assert_int_lt(flush_volumes(v, 1, 1, 10 * USEC_PER_MSEC, slow_sync, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_FLUSH_WRITES_TIMEOUT);
        ck_assert_ptr_nonnull(strstr(error.message, "/a/"));
        vss_error_done(&error);
        (void)pthread_barrier_wait(&sync_barrier); /* lets the thread go */
        ck_assert_int_eq(flush_volumes(NULL, 0, 2, USEC_PER_SEC, slow_sync, NULL), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("coordinator");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tc, 30); /* sanitizers on a busy machine */
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, a_set_goes_through_its_phases);
        tcase_add_test(tc, the_record_says_what_the_copy_is);
        tcase_add_test(tc, consistency_follows_whose_files_are_where);
        tcase_add_test(tc, without_writers_there_are_no_events);
        tcase_add_test(tc, an_empty_set_with_writers_is_legal);
        tcase_add_test(tc, no_autorecovery_means_read_only_at_once);
        tcase_add_test(tc, a_writers_veto_outside_freeze_is_recorded_only);
        tcase_add_loop_test(tc, a_storage_failure_takes_everything_back, 0,
                            ARRAY_SIZE(storage_failures));
        tcase_add_loop_test(tc, a_storage_failure_without_writers, 0, ARRAY_SIZE(storage_failures));
        tcase_add_test(tc, a_mounted_copy_is_unmounted_on_the_way_back);
        tcase_add_test(tc, a_provider_that_breaks_its_contract_is_unexpected);
        tcase_add_test(tc, an_intent_stays_where_a_provider_cannot_put_back);
        tcase_add_loop_test(tc, a_failed_freeze_or_thaw_takes_the_set, 0,
                            ARRAY_SIZE(writer_failures));
        tcase_add_test(tc, a_frozen_writer_that_vanishes_takes_the_set);
        tcase_add_loop_test(tc, a_cancel_in_any_phase_takes_everything_back, 0, ARRAY_SIZE(phases));
        tcase_add_loop_test(tc, a_cancel_without_writers, 0, ARRAY_SIZE(phases));
        tcase_add_test(tc, a_cancel_before_the_first_turn);
        tcase_add_loop_test(tc, a_cancel_inside_a_storage_step_waits_for_it, 0,
                            ARRAY_SIZE(held_steps));
        tcase_add_test(tc, a_cancel_after_the_commit_is_too_late);
        tcase_add_loop_test(tc, a_cancel_while_a_writer_thinks, 0, 4);
        tcase_add_loop_test(tc, the_freeze_deadline_in_a_round_names_the_late, 0, 2);
        tcase_add_test(tc, a_flush_that_does_not_end_leaves_time_to_thaw);
        tcase_add_test(tc, frozen_beyond_the_deadline_is_late_whoever_answered);
        tcase_add_loop_test(tc, a_freeze_counts_from_the_writers_own, 0, 2);
        tcase_add_test(tc, a_cancel_with_frozen_writers_thaws_at_once);
        tcase_add_test(tc, flushing_is_parallel_bounded_and_forgiving);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
