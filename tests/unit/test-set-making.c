/* What is kept of a set's making, over fake storage and scripted writers: who did what when, and
 * what was reached for each volume and each writer, with the reason why not more. And that the
 * volumes stay locked meanwhile. */

#include "common/time-util.h"
#include "daemon/coordinator/coordinator.h"
#include "daemon/job/job.h"
#include "daemon/store/set-steps.h"
#include "daemon/store/writer-reached.h"
#include "tests/unit/fake-storage.h"
#include "tests/unit/fake-writer.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>

#define FILES(path) "<FILE_LIST path=\"" path "\" filespec=\"*\"/>"

static sd_event *event;
static struct store *store;
static char directory[64];
static struct writer_registry *registry;
static struct participants *participants;
static struct fake_journal journal;
static struct fake_writer front, back;
static struct coordinator_volume volumes[3];
static size_t n_volumes;
static bool is_done;
static int result;
static LONG context;
static bool component_mode;

static void add_volume(const char *spec) {
        struct coordinator_volume *v = &volumes[n_volumes++];

        ck_assert_int_eq(fake_volume_open(&v->volume, spec, NULL), 0);
        v->provider = provider_by_name(v->volume->vg);
        ck_assert_int_eq(vss_id_random(&v->snapshot_id), 0);
}

static void setup(void) {
        memset(&journal, 0, sizeof(journal));
        front = back = (struct fake_writer){ 0 };
        n_volumes = 0;
        context = VSS_CTX_APP_ROLLBACK;
        component_mode = false;
        fake_storage_install();
        ck_assert_int_ge(sd_event_new(&event), 0);
        store = fake_store_open(directory);
        ck_assert_int_eq(writer_registry_new(&registry, event), 0);
        fake_writer_register(&front, registry, event, &journal, "front", VSS_APP_FRONT_END);
        fake_writer_register(&back, registry, event, &journal, "back", VSS_APP_BACK_END);
        add_volume("alpha/one");
        add_volume("beta/two");
        add_volume("alpha/raw");
}

static void teardown(void) {
        participants = participants_free(participants);
        fake_writer_gone(&front);
        fake_writer_gone(&back);
        registry = writer_registry_free(registry);
        for (size_t i = 0; i < n_volumes; i++)
                volumes[i].volume = volume_free(volumes[i].volume);
        fake_store_close(store, directory);
        event = sd_event_unref(event);
        ck_assert_uint_eq(job_count(), 0);
}

static void on_round(void *userdata, const struct round_result *r _unused_) {
        *(bool *)userdata = true;
}

static void turn_until(const bool *stop) {
        while (!*stop)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
}

static bool is_asked(void *userdata, const struct writer *w) {
        return !userdata || !streq(writer_identity(w)->name, userdata);
}

static bool is_involved(void *userdata, const struct participant_info *info) {
        return !streq(info->name, userdata);
}

/* without: not asked at all; uninvolved: has no component; each may be NULL. */
static void prepare(const char *without, const char *uninvolved) {
        struct writer_event e = { .type = WRITER_EVENT_IDENTIFY };
        struct round *round;
        bool over = false;

        ck_assert_int_eq(participants_new(&participants, registry), 0);
        ck_assert_int_eq(participants_identify(participants, &e, USEC_PER_SEC, is_asked,
                                               (char *)(uintptr_t)without, on_round, &over, &round),
                         0);
        turn_until(&over);
        if (uninvolved)
                participants_involve(participants, is_involved, (char *)(uintptr_t)uninvolved);
        e.type = WRITER_EVENT_PREPARE_BACKUP;
        over = false;
        ck_assert_int_eq(participants_send(participants, &e, USEC_PER_SEC, on_round, &over, &round),
                         0);
        turn_until(&over);
}

static void on_done(void *userdata _unused_, int r, const struct coordinator_result *made _unused_,
                    struct vss_error *error _unused_) {
        result = r;
        is_done = true;
}

static void create(void) {
        struct coordinator_request request = {
                .event = event,
                .store = store,
                .session_id = { .Data1 = 1 },
                .set_id = { .Data1 = 2 },
                .context = context,
                .component_mode = component_mode,
                .volumes = volumes,
                .n_volumes = n_volumes,
                .participants = participants,
                .freeze_usec = 60 * USEC_PER_SEC,
                .flush_usec = 120 * USEC_PER_SEC,
                .hold_usec = 10 * USEC_PER_SEC,
                .prepare_snapshot_usec = 180 * USEC_PER_SEC,
                .post_snapshot_usec = 300 * USEC_PER_SEC,
                .event_usec = 180 * USEC_PER_SEC,
        };
        struct coordinator *c;

        is_done = false;
        ck_assert_int_eq(coordinator_start(&c, &request, NULL, on_done, NULL), 0);
        turn_until(&is_done);
        fake_turn(event);
}

static struct set_record made(void) {
        struct set_record set;

        ck_assert_int_eq(result, 0);
        ck_assert_int_eq(store_set_get(store, (VSS_ID){ .Data1 = 2 }, &set, NULL), 0);
        return set;
}

/* "level: reason" of the volume. */
static const char *reached(const char *volume) {
        static char text[1024];
        struct snapshot_record *records = NULL;
        size_t n = 0;

        text[0] = '\0';
        ck_assert_int_eq(result, 0);
        ck_assert_int_eq(store_snapshot_list(store, GUID_NULL, &records, &n, NULL), 0);
        for (size_t i = 0; i < n; i++)
                if (streq(records[i].volume, volume))
                        (void)snprintf(text, sizeof(text), "%s: %s", records[i].consistency,
                                       str_or_empty(records[i].consistency_reason));
        snapshot_records_free(records, n);
        return text;
}

struct wanted {
        const char *name;
        char text[1024];
};

static int match_writer(void *userdata, const struct writer_reached *w) {
        struct wanted *wanted = userdata;

        if (!streq(w->name, wanted->name))
                return 0;
        (void)snprintf(wanted->text, sizeof(wanted->text), "%s (%s)", w->consistency, w->reason);
        STRV_FOREACH (volume, w->volumes)
                (void)snprintf(wanted->text + strlen(wanted->text),
                               sizeof(wanted->text) - strlen(wanted->text), " %s", *volume);
        return 0;
}

/* "level (reason) volumes" of the writer; "" if nothing is said of it. */
static const char *reached_by(const char *writer) {
        static struct wanted wanted;
        struct set_record set = made();

        wanted = (struct wanted){ .name = writer };
        ck_assert_int_eq(writers_reached_parse(set.writers, match_writer, &wanted), 0);
        set_record_done(&set);
        return wanted.text;
}

#define FLUSHED "; its file system was flushed and held"
#define NO_FILES "no writer that took part has files on it"
#define RAW "; it has no file system that could be flushed"

START_TEST(each_volume_and_writer_has_its_own) {
        front.metadata = FAKE_METADATA(FILES("/alpha/one"));
        back.metadata = FAKE_METADATA(FILES("/elsewhere"));
        prepare(NULL, NULL);
        create();
        ck_assert_str_eq(reached("/alpha/one/"), "application: ");
        ck_assert_str_eq(reached("/beta/two/"), "file-system: " NO_FILES FLUSHED);
        ck_assert_str_eq(reached("/dev/alpha/raw"), "crash: " NO_FILES RAW);
        ck_assert_str_eq(reached_by("front"), "application () /alpha/one/");
        ck_assert_str_eq(reached_by("back"),
                         "none (none of its files are on the volumes of the set)");
}
END_TEST

START_TEST(a_writer_that_failed_takes_its_volume_along) {
        front.metadata = FAKE_METADATA(FILES("/alpha/one") FILES("/beta/two"));
        back.metadata = FAKE_METADATA(FILES("/beta/two"));
        prepare(NULL, NULL);
        front.answers[WRITER_EVENT_POST_SNAPSHOT] = FAKE_VETO;
        create();
        ck_assert_str_eq(
                reached("/alpha/one/"),
                "file-system: writer front, which has files on it, failed in PostSnapshot: "
                "the application is busy (VSS_E_WRITERERROR_RETRYABLE)" FLUSHED);
        ck_assert_ptr_nonnull(strstr(reached("/beta/two/"), "file-system: writer front, "));
        ck_assert_str_eq(reached_by("front"),
                         "file-system (it failed in PostSnapshot: the application is busy "
                         "(VSS_E_WRITERERROR_RETRYABLE)) /alpha/one/ /beta/two/");
        ck_assert_str_eq(reached_by("back"), "application () /beta/two/");
}
END_TEST

START_TEST(without_a_component_a_writer_is_left_out) {
        front.metadata = FAKE_METADATA(FILES("/alpha/one"));
        back.metadata = FAKE_METADATA(FILES("/alpha/one") FILES("/beta/two"));
        component_mode = true;
        prepare(NULL, "back");
        create();
        ck_assert_str_eq(reached("/alpha/one/"),
                         "application: writer back, which has files on it, did not take part: none "
                         "of its components was chosen");
        ck_assert_str_eq(reached("/beta/two/"),
                         "file-system: writer back, which has files on it, did not take part: none "
                         "of its components was chosen" FLUSHED);
        ck_assert_str_eq(reached_by("back"),
                         "file-system (it did not take part: none of its components was chosen) "
                         "/alpha/one/ /beta/two/");
}
END_TEST

START_TEST(who_was_not_asked_may_have_files_anywhere) {
        front.metadata = FAKE_METADATA(FILES("/alpha/one"));
        prepare("back", NULL);
        create();
        ck_assert_str_eq(reached("/alpha/one/"), "application: ");
        ck_assert_str_eq(reached("/beta/two/"),
                         "file-system: " NO_FILES "; writer back, which may have, did not take "
                         "part: the requester left it out" FLUSHED);
        ck_assert_str_eq(reached_by("back"),
                         "crash (it did not take part: the requester left it out) /alpha/one/ "
                         "/beta/two/ /dev/alpha/raw");
}
END_TEST

START_TEST(who_did_not_identify_itself_did_not_take_part) {
        front.answers[WRITER_EVENT_IDENTIFY] = FAKE_LATE;
        back.answers[WRITER_EVENT_IDENTIFY] = FAKE_VETO;
        prepare(NULL, NULL);
        create();
        ck_assert_str_eq(reached("/alpha/one/"),
                         "file-system: no writer took part; writer front, which may have, did not "
                         "take part: it did not identify itself" FLUSHED);
        ck_assert_ptr_nonnull(strstr(reached_by("back"), "it did not identify itself"));
}
END_TEST

START_TEST(who_does_not_say_where_its_files_are_counts_everywhere) {
        prepare(NULL, NULL); /* neither does */
        create();
        ck_assert_str_eq(reached("/alpha/one/"),
                         "application: the writers that took part do not say where their files "
                         "are, and are counted for every volume");
        ck_assert_str_eq(reached_by("front"),
                         "application (it does not say where its files are, and is counted for "
                         "every volume) /alpha/one/ /beta/two/ /dev/alpha/raw");
}
END_TEST

START_TEST(nothing_is_claimed_of_the_files_of_one_that_failed) {
        front.metadata = FAKE_METADATA(FILES("/alpha/one"));
        prepare(NULL, NULL); /* back says nothing */
        back.answers[WRITER_EVENT_POST_SNAPSHOT] = FAKE_VETO;
        create();
        ck_assert_str_eq(reached("/beta/two/"),
                         "file-system: writer back, which does not say where its files are, failed "
                         "in PostSnapshot: the application is busy "
                         "(VSS_E_WRITERERROR_RETRYABLE)" FLUSHED);
}
END_TEST

START_TEST(a_context_without_writers_says_so) {
        context = VSS_CTX_NAS_ROLLBACK;
        volumes[1].volume->read_only = true;
        create();
        ck_assert_str_eq(reached("/alpha/one/"),
                         "file-system: no writer was asked, because the context has none" FLUSHED);
        ck_assert_str_eq(reached("/beta/two/"),
                         "file-system: no writer was asked, because the context has none; its file "
                         "system was mounted read-only");
        ck_assert_str_eq(reached_by("front"), "");
}
END_TEST

START_TEST(what_was_not_mounted_was_not_flushed) {
        volumes[2].volume->fs_type = strdup("xfs");
        context = VSS_CTX_NAS_ROLLBACK;
        create();
        ck_assert_str_eq(reached("/dev/alpha/raw"),
                         "crash: no writer was asked, because the context has none; it was not "
                         "mounted, so that there was nothing to flush");
}
END_TEST

static void *go_when_two_mount(void *userdata _unused_) {
        while (fake_storage_count("host:mount-rw(") < 2)
                (void)usleep(1000);
        fake_storage_go();
        return NULL;
}

/* One after the other, the second would never begin. */
START_TEST(copies_are_mounted_side_by_side) {
        pthread_t thread;

        prepare(NULL, NULL);
        fake.hold = "mount-rw";
        ck_assert_int_eq(pthread_create(&thread, NULL, go_when_two_mount, NULL), 0);
        create();
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_int_eq(result, 0);
}
END_TEST

struct steps {
        char text[4096];
        uint64_t freeze_end, window_begin, window_end, thaw_begin;
};

static void note(void *userdata, const struct set_step *s) {
        struct steps *steps = userdata;

        ck_assert_uint_le(s->begin_usec, s->end_usec);
        (void)snprintf(steps->text + strlen(steps->text), sizeof(steps->text) - strlen(steps->text),
                       "%s %s %s%s; ", set_step_kind_to_string(s->kind), s->name, s->step,
                       s->failure == S_OK ? "" : "!");
        if (s->kind == SET_STEP_WRITER && streq(s->step, "Freeze") &&
            s->end_usec > steps->freeze_end)
                steps->freeze_end = s->end_usec;
        if (s->kind == SET_STEP_WRITER && streq(s->step, "Thaw") &&
            (steps->thaw_begin == 0 || s->begin_usec < steps->thaw_begin))
                steps->thaw_begin = s->begin_usec;
        if (s->kind == SET_STEP_WINDOW && streq(s->step, "Suspend"))
                steps->window_begin = s->begin_usec;
        if (s->kind == SET_STEP_WINDOW && streq(s->step, "Resume"))
                steps->window_end = s->end_usec;
}

START_TEST(who_did_what_is_kept_with_the_set) {
        struct steps steps = { 0 };
        struct set_record set;

        prepare(NULL, NULL);
        back.answers[WRITER_EVENT_POST_SNAPSHOT] = FAKE_VETO;
        create();
        set = made();
        ck_assert_int_eq(set_steps_parse(set.steps, note, &steps), 0);
        ck_assert_str_eq(
                steps.text,
                /* grouped by provider; two flushes with nobody frozen, two before the window */
                "volume /alpha/one/ Flush; volume /alpha/one/ Flush; "
                "volume /alpha/one/ Flush; volume /alpha/one/ Flush; "
                "volume /alpha/one/ Mount; volume /alpha/one/ Seal; "
                "volume /beta/two/ Flush; volume /beta/two/ Flush; "
                "volume /beta/two/ Flush; volume /beta/two/ Flush; "
                "volume /beta/two/ Mount; volume /beta/two/ Seal; "
                "provider alpha Stage; provider alpha Finish; provider alpha Seal; "
                "provider beta Stage; provider beta Finish; provider beta Seal; "
                "window  Suspend; window  Commit; window  Resume; "
                "writer front PrepareSnapshot; writer front Freeze; writer front Thaw; "
                "writer front PostSnapshot; "
                "writer back PrepareSnapshot; writer back Freeze; writer back Thaw; "
                "writer back PostSnapshot!; ");
        ck_assert_uint_gt(steps.freeze_end, 0);
        ck_assert_uint_le(steps.freeze_end, steps.window_begin);
        ck_assert_uint_le(steps.window_begin, steps.window_end);
        ck_assert_uint_le(steps.window_end, steps.thaw_begin);
        set_record_done(&set);
}
END_TEST

START_TEST(nothing_is_kept_of_a_set_that_failed) {
        struct vss_error error = { 0 };
        struct set_record set;

        prepare(NULL, NULL);
        fake.fail = "seal";
        create();
        ck_assert_int_lt(result, 0);
        ck_assert_int_lt(store_set_get(store, (VSS_ID){ .Data1 = 2 }, &set, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_OBJECT_NOT_FOUND);
        vss_error_done(&error);
}
END_TEST

/* A provider that makes its copies at an instant of its own. */
static uint64_t commit_limit_usec, settle_limit_usec;
static char told_by_then[8192]; /* to the writers */

static int beside_commit(struct provider_set *set, uint64_t timeout_usec,
                         struct vss_error *reterr) {
        commit_limit_usec = timeout_usec;
        (void)snprintf(told_by_then, sizeof(told_by_then), "%s", journal.text);
        return fake_step(set->provider, "commit", "", reterr);
}

static int beside_settle(struct provider_set *set, uint64_t timeout_usec,
                         struct vss_error *reterr) {
        settle_limit_usec = timeout_usec;
        ck_assert_ptr_null(strstr(journal.text, "Thaw"));
        return fake_step(set->provider, "settle", "", reterr);
}

static const struct provider *beside(void) {
        static struct provider provider;

        provider = provider_beta;
        provider.commit = beside_commit;
        provider.settle = beside_settle;
        return &provider;
}

START_TEST(what_is_made_beside_the_window_is_made_before_it) {
        struct snapshot_record *records = NULL;
        struct steps steps = { 0 };
        struct set_record set;
        size_t n = 0;

        volumes[1].provider = beside();
        prepare(NULL, NULL);
        create();
        /* With all writers frozen, and in no more than half of what is left of that, or as long as
         * writes are held. */
        ck_assert_ptr_nonnull(strstr(told_by_then, "front:Freeze"));
        ck_assert_ptr_nonnull(strstr(told_by_then, "back:Freeze"));
        ck_assert_ptr_null(strstr(told_by_then, "Thaw"));
        ck_assert_uint_gt(commit_limit_usec, 0);
        ck_assert_uint_le(commit_limit_usec, 10 * USEC_PER_SEC);
        ck_assert_uint_gt(settle_limit_usec, 0);
        ck_assert_uint_le(settle_limit_usec, 30 * USEC_PER_SEC);
        ck_assert_ptr_nonnull(strstr(fake.journal, "beta:commit() beta:settle() "));
        set = made();
        ck_assert_int_eq(set_steps_parse(set.steps, note, &steps), 0);
        ck_assert_ptr_nonnull(strstr(steps.text,
                                     "provider beta Stage; provider beta Commit; provider beta "
                                     "Settle; provider beta Finish; provider beta Seal; "));
        set_record_done(&set);

        /* Its time is its own, and its copy says so; the others' do not. */
        ck_assert_ptr_nonnull(strstr(reached("/beta/two/"), "the provider beta made the copy while "
                                                            "the writers were frozen"));
        ck_assert_ptr_null(strstr(reached("/alpha/one/"), "beta"));
        ck_assert_int_eq(store_snapshot_list(store, GUID_NULL, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 3);
        ck_assert_int_eq(records[0].created, records[2].created);
        ck_assert_int_lt(records[1].created, records[0].created);
        snapshot_records_free(records, n);
}
END_TEST

START_TEST(alone_it_has_no_other_instant) {
        context = VSS_CTX_NAS_ROLLBACK;
        volumes[0].volume = volume_free(volumes[0].volume);
        volumes[0] = volumes[1];
        volumes[1] = (struct coordinator_volume){ 0 };
        volumes[2].volume = volume_free(volumes[2].volume);
        n_volumes = 1;
        volumes[0].provider = beside();
        create();
        ck_assert_str_eq(reached("/beta/two/"),
                         "crash: no writer was asked, because the context has none; its file "
                         "system was flushed, but not held while its provider made the copy");
}
END_TEST

START_TEST(a_failure_beside_the_window_leaves_that_closed) {
        static const char *const steps[] = { "beta:commit", "beta:settle" };

        volumes[1].provider = beside();
        prepare(NULL, NULL);
        fake.fail = steps[_i];
        create();
        ck_assert_int_lt(result, 0);
        ck_assert_ptr_nonnull(strstr(fake.journal, "beta:abort("));
        ck_assert_ptr_nonnull(strstr(fake.journal, "alpha:abort("));
        ck_assert_ptr_nonnull(strstr(journal.text, "front:Abort"));
        ck_assert_ptr_nonnull(strstr(journal.text, "back:Abort"));
        ck_assert_uint_eq(fake_count_intents(store), 0);
        ck_assert_uint_eq(fake.n_sets, 0);
}
END_TEST

static char lock_directory[] = "/tmp/vss-test-XXXXXX";

/* Whether all groups were locked when somebody looked. */
static struct seen { atomic_uint locked, not_locked; } before_window, afterwards;

static bool is_locked(const char *vg) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int fd = -1;

        ck_assert_int_ge(str_format(&path, "%s/V_%s", vg_lock_directory, vg), 0);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static void look(struct seen *s) {
        atomic_fetch_add(is_locked("aardvark") && is_locked("alpha") && is_locked("beta")
                                 ? &s->locked
                                 : &s->not_locked,
                         1);
}

static int take_locks(struct vg_locks *l, const char **names, size_t n, VSS_ID owner,
                      struct vss_error *reterr) {
        int r;

        ck_assert_uint_eq(fake_storage_count("stage("), 0);
        r = vg_locks_take(l, names, n, owner, reterr);
        ck_assert_uint_eq(l->n, 3);
        ck_assert_str_eq(names[0], "aardvark"); /* taken first */
        return r;
}

/* What is flushed before staging needs no lock, and may take long. */
static int sync_and_look(int fd) {
        if (fake_storage_count("stage(") > 0)
                look(&before_window);
        return fake_sync(fd);
}

static int mount_and_look(const struct snapshot_record *r, bool writable,
                          struct vss_error *reterr) {
        look(&afterwards);
        return fake_mount(r, writable, reterr);
}

static void remove_lock(const char *vg) {
        _cleanup_(freep) char *path = NULL;

        ck_assert(!is_locked(vg));
        ck_assert_int_ge(str_format(&path, "%s/V_%s", lock_directory, vg), 0);
        ck_assert_int_eq(unlink(path), 0);
}

/* The providers come one after the other, so that each by itself would take its groups in an order
 * that others may not have; so would one that finds a group for its stores while it stages. */
START_TEST(the_groups_are_locked_before_the_first_provider_has_one) {
        struct storage host = fake_host;

        ck_assert_ptr_nonnull(mkdtemp(lock_directory));
        vg_lock_directory = lock_directory;
        context = VSS_CTX_NAS_ROLLBACK;
        host.lock_groups = take_locks;
        fake.other_group = "aardvark";
        host.sync = sync_and_look;
        host.mount = mount_and_look;
        storage_init(&host);
        fake.fail = _i == 0 ? NULL : "beta:stage";
        create();
        ck_assert_int_eq(result<0, _i> 0);
        ck_assert_uint_eq(before_window.locked > 0, _i == 0);
        ck_assert_uint_eq(before_window.not_locked, 0);
        ck_assert_uint_eq(afterwards.locked, 0);
        ck_assert_uint_eq(afterwards.not_locked > 0, _i == 0);
        remove_lock("aardvark");
        remove_lock("alpha");
        remove_lock("beta");
        ck_assert_int_eq(rmdir(lock_directory), 0);
}
END_TEST

/* Of the others, while a provider beside the window was at work. */
static unsigned locked_beside, looked_beside;

static void look_beside(void) {
        looked_beside++;
        locked_beside += is_locked("alpha");
}

static int unlocked_stage(struct provider_set **ret, struct store *s, const struct volume *const *v,
                          struct snapshot_record *records, size_t n, struct vss_error *reterr) {
        look_beside();
        return provider_beta.stage(ret, s, v, records, n, reterr);
}

static int unlocked_finish(struct provider_set *set, struct vss_error *reterr) {
        look_beside();
        return provider_beta.finish(set, reterr);
}

static int unlocked_abort(struct provider_set *set, struct vss_error *reterr) {
        look_beside();
        return provider_beta.abort(set, reterr);
}

/* Also of one that fails in the midst of it: locked_in_window says that there are locks at all. */
static unsigned locked_in_window;

static int locked_commit(struct provider_set *set, uint64_t timeout_usec,
                         struct vss_error *reterr) {
        locked_in_window += is_locked("alpha");
        return beside_commit(set, timeout_usec, reterr);
}

static int take_others_locks(struct vg_locks *l, const char **names, size_t n, VSS_ID owner,
                             struct vss_error *reterr) {
        ck_assert_uint_eq(fake_storage_count("stage("), 1); /* that of beta */
        for (size_t i = 0; i < n; i++)
                ck_assert_str_ne(names[i], "beta");
        return vg_locks_take(l, names, n, owner, reterr);
}

/* The others finish first: where one of these fails, the locks are still there. */
START_TEST(no_lock_is_held_for_what_is_made_beside_the_window) {
        static const struct {
                const char *fail;
                unsigned looks; /* in stage, finish and abort */
        } ways[] = { { NULL, 2 }, { "beta:finish", 3 }, { "alpha:finish", 2 } };
        struct provider slow = *beside();
        struct storage host = fake_host;

        ck_assert_ptr_nonnull(mkdtemp(lock_directory));
        vg_lock_directory = lock_directory;
        context = VSS_CTX_NAS_ROLLBACK;
        host.lock_groups = take_others_locks;
        storage_init(&host);
        slow.stage = unlocked_stage;
        slow.commit = locked_commit;
        slow.finish = unlocked_finish;
        slow.abort = unlocked_abort;
        volumes[1].provider = &slow;
        fake.fail = ways[_i].fail;
        create();
        ck_assert_int_eq(result < 0, ways[_i].fail != NULL);
        ck_assert_uint_eq(looked_beside, ways[_i].looks);
        ck_assert_uint_eq(locked_beside, 0);
        ck_assert_uint_eq(locked_in_window, 1);
        remove_lock("alpha");
        ck_assert_int_eq(rmdir(lock_directory), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("set-making");
        TCase *c = tcase_create("set-making");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_set_timeout(c, 30);
        tcase_add_test(c, each_volume_and_writer_has_its_own);
        tcase_add_test(c, a_writer_that_failed_takes_its_volume_along);
        tcase_add_test(c, without_a_component_a_writer_is_left_out);
        tcase_add_test(c, who_was_not_asked_may_have_files_anywhere);
        tcase_add_test(c, who_did_not_identify_itself_did_not_take_part);
        tcase_add_test(c, who_does_not_say_where_its_files_are_counts_everywhere);
        tcase_add_test(c, nothing_is_claimed_of_the_files_of_one_that_failed);
        tcase_add_test(c, a_context_without_writers_says_so);
        tcase_add_test(c, what_was_not_mounted_was_not_flushed);
        tcase_add_test(c, copies_are_mounted_side_by_side);
        tcase_add_test(c, who_did_what_is_kept_with_the_set);
        tcase_add_test(c, nothing_is_kept_of_a_set_that_failed);
        tcase_add_test(c, what_is_made_beside_the_window_is_made_before_it);
        tcase_add_test(c, alone_it_has_no_other_instant);
        tcase_add_loop_test(c, a_failure_beside_the_window_leaves_that_closed, 0, 2);
        tcase_add_loop_test(c, the_groups_are_locked_before_the_first_provider_has_one, 0, 2);
        tcase_add_loop_test(c, no_lock_is_held_for_what_is_made_beside_the_window, 0, 3);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
