/* Start-up: what a crash left is undone, what outlived its requester goes, what was to stay can be
 * read again. */

#include "tests/unit/fake-host.h"

#include "common/alive-lock.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/recovery-private.h"
#include "daemon/session/recovery-steps.h"
#include <poll.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static VSS_ID put_record(const char *provider, const char *uuid, const char *name, uint64_t number,
                         LONG context, uint64_t expire_unix) {
        struct snapshot_record r = { .number = number,
                                     .context = context,
                                     .state = VSS_SS_CREATED,
                                     .expire_unix = expire_unix,
                                     .set_id = { .Data1 = (uint32_t)number } };
        VSS_ID id;

        ck_assert_int_eq(vss_id_random(&r.id), 0);
        ck_assert_int_eq(str_replace(&r.provider, provider), 0);
        ck_assert_int_eq(str_replace(&r.origin_uuid, uuid), 0);
        ck_assert_int_eq(str_replace(&r.volume, name), 0);
        ck_assert_int_eq(str_format(&r.device, "/dev/vss/ShadowCopy%u", (unsigned)number), 0);
        /* "raw...": the copy is the device itself. */
        if (strncmp(name, "raw", 3) == 0)
                ck_assert_int_eq(str_replace(&r.device_object, r.device), 0);
        else
                ck_assert_int_eq(
                        str_format(&r.device_object, "/run/vss/ShadowCopy%u", (unsigned)number), 0);
        ck_assert_int_eq(store_set_commit(host.store, NULL, &r, 1, NULL, 0, NULL), 0);
        id = r.id;
        snapshot_record_done(&r);
        return id;
}

static VSS_ID put(const char *provider, const char *name, uint64_t number, LONG context,
                  uint64_t expire_unix) {
        return put_record(provider, NULL, name, number, context, expire_unix);
}

static VSS_ID put_of(const char *uuid, const char *name, uint64_t number, LONG context) {
        return put_record("alpha", uuid, name, number, context, 0);
}

static void put_intent(const char *provider, const char *data) {
        struct intent_record intent = { .provider = (char *)(uintptr_t)provider,
                                        .kind = (char *)(uintptr_t) "create",
                                        .data = (char *)(uintptr_t)data };
        int64_t id;

        ck_assert_int_eq(store_intent_open(host.store, &intent, &id, NULL), 0);
}

static const char *journal_at(const char *text) {
        const char *at = strstr(fake.journal, text);

        ck_assert_msg(at, "no %s in %s", text, fake.journal);
        return at;
}

START_TEST(open_intents_are_undone_first) {
        put_of("uuid-alpha/one", "/a/", 1, VSS_CTX_BACKUP);
        put_intent("alpha", "alpha/one alpha/raw-x");
        put_intent("beta", "beta/two");
        put_intent("alpha", "nothing that anybody knows");
        host_recover();
        /* All volumes go on before anything is done that could wait for one of them. */
        static const char *const rescues[] = { "alpha:rescue(uuid-alpha/one)",
                                               "alpha:rescue(uuid-alpha/raw-x)",
                                               "beta:rescue(uuid-beta/two)",
                                               "alpha:rescue(alpha)" };
        for (size_t i = 0; i < ARRAY_SIZE(rescues); i++)
                ck_assert(journal_at(rescues[i]) < journal_at("recover("));
        ck_assert_uint_eq(fake_storage_count(":rescue("), 4);
        ck_assert_uint_eq(fake_storage_count(":recover("), 3);
        /* And what is known of its copies comes after that. */
        ck_assert(journal_at("alpha:recover(alpha/one alpha/raw-x)") <
                  journal_at("host:unmount-force(/a/) "));
        ck_assert(journal_at("host:unmount-force(/a/) ") < journal_at("alpha:remove-force(/a/) "));
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

static _Atomic bool guard_ended;

static void *guard_thread(void *p) {
        const struct timespec pause = { .tv_nsec = 300L * 1000 * 1000 };
        int *fd = p;

        (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        guard_ended = true;
        *fd = safe_close(*fd);
        return NULL;
}

/* It resumes what it finds suspended, and what is undone is suspended for a moment. */
START_TEST(a_guard_that_was_left_behind_is_waited_for) {
        pthread_t guard;
        int fd = -1;

        put_intent("alpha", "half made");
        ck_assert_int_eq(alive_lock_hold(store_guard_lock(host.store), &fd), 0);
        ck_assert_int_eq(pthread_create(&guard, NULL, guard_thread, &fd), 0);
        host_recover();
        ck_assert(guard_ended);
        ck_assert_int_eq(pthread_join(guard, NULL), 0);
        ck_assert_uint_eq(fake_storage_count("alpha:recover"), 1);
}
END_TEST

START_TEST(what_cannot_be_undone_is_kept_and_does_not_stop_the_rest) {
        put_intent("alpha", "half made");
        put_intent("nobody", "half made");
        put_intent("beta", "half made");
        fake.fail = "alpha:recover";
        host_recover();
        ck_assert_uint_eq(fake_count_intents(host.store), 2);
        ck_assert_uint_eq(fake_storage_count("beta:recover"), 1);
        fake.fail = NULL;
        host_recover();
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
}
END_TEST

START_TEST(what_cannot_be_rescued_does_not_stop_the_rest) {
        put_intent("alpha", "half made");
        put_intent("nobody", "half made");
        put_intent("beta", "half made");
        fake.fail = "alpha:rescue";
        host_recover();
        ck_assert_uint_eq(fake_storage_count("beta:rescue"), 1);
        ck_assert_uint_eq(fake_storage_count("alpha:recover"), 1);
        ck_assert_uint_eq(fake_storage_count("beta:recover"), 1);
}
END_TEST

START_TEST(only_persistent_copies_stay) {
        put("alpha", "/backup/", 1, VSS_CTX_BACKUP, 0);
        put("alpha", "/share/", 2, VSS_CTX_FILE_SHARE_BACKUP, 0);
        put("alpha", "/app/", 3, VSS_CTX_APP_ROLLBACK, 0);
        put("beta", "/nas/", 4, VSS_CTX_NAS_ROLLBACK | VSS_VOLSNAP_ATTR_DIFFERENTIAL, 0);
        put("beta", "raw", 5, VSS_CTX_NAS_ROLLBACK, 0);
        host_recover();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 3);
        ck_assert_uint_eq(fake_storage_count("alpha:remove-force(/backup/)"), 1);
        ck_assert_uint_eq(fake_storage_count("alpha:remove-force(/share/)"), 1);
        ck_assert_ptr_nonnull(strstr(fake.journal, "alpha:activate(/app/) host:mount(/app/) "));
        ck_assert_ptr_nonnull(strstr(fake.journal, "beta:activate(/nas/) host:mount(/nas/) "));
        ck_assert_ptr_nonnull(strstr(fake.journal, "beta:activate(raw) "));
        ck_assert_ptr_null(strstr(fake.journal, "host:mount(raw)")); /* a device is not mounted */
}
END_TEST

START_TEST(lost_storage_is_not_shown_as_a_copy) {
        put("alpha", "/app/", 1, VSS_CTX_APP_ROLLBACK, 0);
        fake.activate = -ENOENT;
        host_recover();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_storage_count("host:mount("), 0);
}
END_TEST

START_TEST(a_copy_that_cannot_be_activated_or_mounted_keeps_its_row) {
        put("alpha", "/app/", 1, VSS_CTX_APP_ROLLBACK, 0);
        put("nobody", "/other/", 2, VSS_CTX_APP_ROLLBACK, 0);
        fake.fail = _i == 0 ? "activate" : "mount";
        host_recover();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_assert_uint_eq(fake_storage_count("remove"), 0);
}
END_TEST

START_TEST(a_copy_that_cannot_be_deleted_stays_listed_until_it_can) {
        put("alpha", "/backup/", 1, VSS_CTX_BACKUP, 0);
        fake.fail = "remove-force";
        host_recover();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 1);
        ck_assert(session_manager_has_expiry(host.manager));
        fake.fail = NULL;
        while (fake_count_snapshots(host.store) > 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
        ck_assert_uint_eq(fake_storage_count("remove-force(/backup/)"), 2);
        ck_assert(!session_manager_has_expiry(host.manager));
}
END_TEST

START_TEST(expired_copies_go) {
        uint64_t now = (uint64_t)(now_realtime_nsec() / 1000000000);

        put("alpha", "/old/", 1, VSS_CTX_APP_ROLLBACK, now - 10);
        put("alpha", "/new/", 2, VSS_CTX_APP_ROLLBACK, now + 3);
        put("alpha", "/ever/", 3, VSS_CTX_APP_ROLLBACK, UINT64_MAX);
        host_recover();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_assert_uint_eq(fake_storage_count("remove-force(/old/)"), 1);
        while (fake_count_snapshots(host.store) > 1)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
        ck_assert_uint_eq(fake_storage_count("remove(/new/)"), 1);
        /* What never expires is no reason to stay. */
        ck_assert(!session_manager_has_expiry(host.manager));
}
END_TEST

START_TEST(an_expired_copy_in_use_is_tried_again_later) {
        const uint64_t now = (uint64_t)(now_realtime_nsec() / 1000000000), end = now + 3600;
        VSS_ID id = put("alpha", "/used/", 1, VSS_CTX_APP_ROLLBACK, end);
        struct snapshot_record r = { 0 };
        uint64_t at_usec;

        host_recover();
        ck_assert(session_manager_has_expiry(host.manager)); /* no end for being idle */
        ck_assert_int_eq(sd_event_source_get_time(host.manager->expiry, &at_usec), 0);
        ck_assert_uint_eq(at_usec, end * USEC_PER_SEC);
        ck_assert_uint_eq(fake_storage_count("unmount"), 0);
        /* The hour is over. */
        ck_assert_int_eq(store_snapshot_get(host.store, id, &r, NULL), 0);
        r.expire_unix = now;
        ck_assert_int_eq(store_snapshot_update(host.store, &r, NULL), 0);
        snapshot_record_done(&r);
        ck_assert_int_eq(sd_event_source_set_time(host.manager->expiry, 0), 0);
        fake.fail = "unmount";
        while (fake_storage_count("unmount") == 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
        /* Not again and again: one try now, the next in some minutes. */
        ck_assert_uint_eq(fake_storage_count("unmount"), 1);
        ck_assert(session_manager_has_expiry(host.manager));
        ck_assert_int_eq(sd_event_source_get_time(host.manager->expiry, &at_usec), 0);
        ck_assert_uint_ge(at_usec, (now + 60) * USEC_PER_SEC);
        ck_assert_int_eq(sd_event_run(host.event, 0), 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 1);
}
END_TEST

/* A start that has to do without what is held: recovered.n_left of it. */
static void recover_in(uint64_t usec) {
        host.config.recovery_usec = usec;
        host_reconfigure();
        memset(&recovered, 0, sizeof(recovered));
        ck_ok(session_manager_recover(host.manager, on_recovered, NULL, &error));
        while (recovered.n == 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
}

/* Likewise, with all the time for everything that is not: the start goes on without as soon as one
 * lane is left, which is held. (Not for the rescues: who hangs there has a third of the time.) */
static void recover_but_for_one(void) {
        const struct recovery *r;

        host.config.recovery_usec = 300 * USEC_PER_MSEC;
        host_reconfigure();
        memset(&recovered, 0, sizeof(recovered));
        ck_ok(session_manager_recover(host.manager, on_recovered, NULL, &error));
        host.manager->config.recovery_usec = 3600 * USEC_PER_SEC; /* at the end of each step */
        r = host.manager->recovery;
        ck_assert_int_eq(sd_event_source_set_time(r->timer, UINT64_MAX - 1), 0);
        while (r->n_lanes > 1 || !fake_storage_is_holding()) {
                ck_assert_int_ge(sd_event_run(host.event, USEC_PER_MSEC), 0);
                ck_assert_ptr_eq(host.manager->recovery, r); /* or none was held */
        }
        ck_assert_uint_eq(recovered.n, 0);
        host.manager->config.recovery_usec = 0; /* of the held lane a step may be told yet */
        ck_assert_int_eq(sd_event_source_set_time(r->timer, 0), 0);
        while (recovered.n == 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
}

/* It answers again. */
static void let_go(void) {
        fake_storage_go();
        while (recovered.n < 2)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        ck_assert_uint_eq(recovered.n_left, 0);
        ck_assert(session_manager_is_idle(host.manager));
        ck_assert_uint_eq(recovered.n, 2);
}

static void until_counted(const char *text, unsigned n) {
        while (fake_storage_count(text) < n)
                ck_assert_int_ge(sd_event_run(host.event, USEC_PER_MSEC), 0);
}

static HRESULT added(const char *spec) {
        struct session *s = session_make();
        VSS_ID set;
        HRESULT hr;

        ck_ok(session_initialize_for_backup(s, &error));
        ck_ok(session_set_context(s, VSS_CTX_FILE_SHARE_BACKUP, &error));
        ck_ok(session_start_snapshot_set(s, &set, &error));
        hr = add_volume(s, spec);
        session_free(s);
        while (session_manager_set_in_progress(host.manager))
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        return hr;
}

static const struct {
        const char *step;
        bool undone; /* the intent of it */
} hangs[] = {
        { "alpha:rescue(uuid-alpha/one)", false },
        { "alpha:recover(alpha/one alpha/three)", false },
        { "alpha:activate(/alpha/one/)", true },
        { "host:mount(/alpha/one/)", true },
};

/* Whatever of a volume's recovery it is that its storage does not answer to. */
START_TEST(one_that_hangs_holds_up_nothing_else) {
        put_of("uuid-alpha/one", "/alpha/one/", 1, VSS_CTX_APP_ROLLBACK);
        put_of("uuid-alpha/two", "/alpha/two/", 2, VSS_CTX_APP_ROLLBACK);
        put_intent("alpha", "alpha/one alpha/three");
        put_intent("beta", "beta/two");
        fake.hold = hangs[_i].step;
        recover_but_for_one();
        ck_assert(fake_storage_is_holding());
        ck_assert_uint_eq(recovered.n_left, 1);
        until_counted("alpha:rescue(uuid-alpha/three)", 1);
        until_counted("beta:recover(beta/two)", 1);
        until_counted("host:mount(/alpha/two/)", 1);
        ck_assert_uint_eq(fake_count_intents(host.store), hangs[_i].undone ? 0 : 1);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_assert(!session_manager_is_idle(host.manager));

        let_go();
        ck_assert_uint_eq(fake_storage_count("alpha:recover("), 1);
        ck_assert_uint_eq(fake_storage_count("host:mount(/alpha/one/)"), 1);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
}
END_TEST

/* By when a resume ends that hung, those of this run's sets hold the same lock. */
START_TEST(a_guard_of_this_run_is_not_waited_for) {
        const char *lock = store_guard_lock(host.store);
        struct pollfd looked = { .events = POLLIN };
        uint64_t begin_usec;
        int fd;

        put_intent("alpha", "alpha/one");
        ck_assert_int_eq(alive_lock_hold(lock, &fd), 0);
        ck_assert_int_eq(close(fd), 0);
        looked.fd = inotify_init1(IN_CLOEXEC);
        ck_assert_int_ge(inotify_add_watch(looked.fd, lock, IN_CLOSE_WRITE), 0);
        fake.hold = "alpha:rescue";
        recover_in(300 * USEC_PER_MSEC);
        ck_assert_uint_eq(recovered.n_left, 1);
        /* It has found that there is none of the earlier run. */
        ck_assert_int_eq(poll(&looked, 1, 10 * 1000), 1);
        ck_assert_int_eq(alive_lock_hold(lock, &fd), 0);
        begin_usec = now_monotonic_usec();
        let_go();
        ck_assert_uint_lt(now_monotonic_usec() - begin_usec, 10 * USEC_PER_SEC);
        ck_assert_uint_eq(fake_storage_count("alpha:recover("), 1);
        ck_assert_int_eq(close(fd), 0);
        ck_assert_int_eq(close(looked.fd), 0);
}
END_TEST

START_TEST(volumes_that_are_not_put_right_yet_are_left_alone) {
        const struct exposure_request request = {
                .id = put_of("uuid-alpha/one", "/alpha/one/", 1, VSS_CTX_APP_ROLLBACK),
                .attributes = VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY,
                .expose = "/mnt",
        };
        struct session *s;

        put_intent("alpha", "alpha/one alpha/three");
        fake.hold = "alpha:recover";
        recover_in(USEC_PER_MSEC);
        ck_assert_uint_eq(recovered.n_left, 1);
        ck_assert_int_eq(added("alpha/one"), VSS_E_PROVIDER_VETO);
        ck_assert_ptr_nonnull(strstr(answer.message, "alpha/one: what an earlier run"));
        ck_assert_int_eq(added("alpha/three"), VSS_E_PROVIDER_VETO); /* named by the same intent */
        ck_assert_int_eq(added("alpha/two"), S_OK);
        ck_assert_int_eq(added("beta/two"), S_OK);
        s = session_make();
        ck_ok(session_initialize_for_backup(s, &error));
        ck_ok(session_set_context(s, VSS_CTX_APP_ROLLBACK, &error));
        ck_assert_int_eq(expose_of(s, &request), VSS_E_PROVIDER_VETO);
        ck_assert_int_eq(delete_of(s, request.id, VSS_OBJECT_SNAPSHOT, true), VSS_E_PROVIDER_VETO);
        ck_assert(vss_id_equal(answer.deleted.not_deleted, request.id));
        ck_assert_uint_eq(fake_count_snapshots(host.store), 1);

        let_go();
        ck_assert_int_eq(added("alpha/one"), S_OK);
        ck_assert_int_eq(delete_of(s, request.id, VSS_OBJECT_SNAPSHOT, true), S_OK);
        session_free(s);
        host_settle();
}
END_TEST

START_TEST(what_is_deleted_late_is_told) {
        put_of("uuid-alpha/one", "/alpha/one/", 1, VSS_CTX_BACKUP);
        fake.hold = "alpha:remove-force";
        recover_in(USEC_PER_MSEC);
        /* Nobody else deletes it meanwhile. */
        ck_assert(!session_manager_has_expiry(host.manager));
        ck_assert_uint_eq(host.removed, 0);
        let_go();
        ck_assert_uint_eq(host.removed, 1);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

START_TEST(what_did_not_answer_in_time_is_tried_again) {
        put_of("uuid-alpha/one", "/alpha/one/", 1, VSS_CTX_BACKUP);
        put_intent("alpha", "alpha/one");
        recovery_retry_usec = 1;
        fake.fail = _i == 0 ? "alpha:recover" : "alpha:remove-force";
        fake.fail_cause = ETIMEDOUT;
        fake.fail_once = true;
        host_recover();
        ck_assert_uint_eq(fake_storage_count("alpha:recover"), _i == 0 ? 2 : 1);
        ck_assert_uint_eq(fake_storage_count("alpha:remove-force"), _i == 0 ? 1 : 2);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

/* A stop begins nothing more of it; the next start does. */
START_TEST(a_stop_does_not_wait_for_another_try) {
        put_intent("alpha", "alpha/one");
        recovery_retry_usec = USEC_INFINITY / 2;
        fake.fail = "alpha:recover";
        fake.fail_cause = ETIMEDOUT;
        recover_in(USEC_PER_MSEC);
        until_counted("alpha:recover", 1);
        session_manager_cancel_recovery(host.manager);
        host_settle();
        ck_assert_uint_eq(recovered.n, 2);
        ck_assert_uint_eq(fake_storage_count("alpha:recover"), 1);
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
        session_manager_cancel_recovery(host.manager); /* of nothing */
        fake.fail = NULL;
        host.config.recovery_usec = 30 * USEC_PER_SEC;
        host_reconfigure();
        host_recover();
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
}
END_TEST

/* Many steps that end are no storage that does not answer; and each asks systemd for more time. */
START_TEST(as_long_as_steps_end_they_are_waited_for) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        unsigned n = 0;
        char text[256];
        ssize_t size;
        int fd;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_ge(fd, 0);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", host.directory);
        ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
        put_intent("alpha", "half made");
        put("alpha", "raw-a", 1, VSS_CTX_APP_ROLLBACK, 0);
        put("alpha", "raw-b", 2, VSS_CTX_APP_ROLLBACK, 0);
        put("alpha", "raw-c", 3, VSS_CTX_APP_ROLLBACK, 0);
        put("alpha", "raw-d", 4, VSS_CTX_APP_ROLLBACK, 0);
        fake.pause_usec = 500 * USEC_PER_MSEC;
        recover_in(1900 * USEC_PER_MSEC);
        ck_assert_uint_eq(recovered.n_left, 0);
        ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
        while ((size = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
                text[size] = '\0';
                n += strcmp(text, "EXTEND_TIMEOUT_USEC=61900000") == 0;
        }
        ck_assert_uint_eq(n, 5);
        (void)close(fd);
        (void)unlink(address.sun_path);
}
END_TEST

START_TEST(numbers_go_on) {
        struct session *s;
        struct snapshot_record *records;
        size_t n;

        s = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, NULL);
        session_free(s);
        host_settle();
        host_recover();
        s = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, NULL);
        session_free(s);
        host_settle();
        ck_assert_int_eq(store_snapshot_list(host.store, GUID_NULL, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 4);
        for (size_t i = 0; i < n; i++)
                ck_assert_uint_eq(records[i].number, i + 1);
        snapshot_records_free(records, n);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("recovery");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tc, 30); /* sanitizers on a busy machine */
        tcase_add_checked_fixture(tc, host_setup, host_teardown);
        tcase_add_test(tc, open_intents_are_undone_first);
        tcase_add_test(tc, a_guard_that_was_left_behind_is_waited_for);
        tcase_add_test(tc, what_cannot_be_undone_is_kept_and_does_not_stop_the_rest);
        tcase_add_test(tc, what_cannot_be_rescued_does_not_stop_the_rest);
        tcase_add_test(tc, only_persistent_copies_stay);
        tcase_add_test(tc, lost_storage_is_not_shown_as_a_copy);
        tcase_add_loop_test(tc, a_copy_that_cannot_be_activated_or_mounted_keeps_its_row, 0, 2);
        tcase_add_test(tc, a_copy_that_cannot_be_deleted_stays_listed_until_it_can);
        tcase_add_test(tc, expired_copies_go);
        tcase_add_test(tc, an_expired_copy_in_use_is_tried_again_later);
        tcase_add_loop_test(tc, one_that_hangs_holds_up_nothing_else, 0, ARRAY_SIZE(hangs));
        tcase_add_test(tc, a_guard_of_this_run_is_not_waited_for);
        tcase_add_test(tc, volumes_that_are_not_put_right_yet_are_left_alone);
        tcase_add_test(tc, what_is_deleted_late_is_told);
        tcase_add_loop_test(tc, what_did_not_answer_in_time_is_tried_again, 0, 2);
        tcase_add_test(tc, a_stop_does_not_wait_for_another_try);
        tcase_add_test(tc, as_long_as_steps_end_they_are_waited_for);
        tcase_add_test(tc, numbers_go_on);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
