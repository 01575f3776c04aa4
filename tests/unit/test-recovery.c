/* Start-up: what a crash left is undone, what outlived its requester goes, what was to stay can be
 * read again. */

#include "tests/unit/fake-host.h"

#include "common/alive-lock.h"
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static VSS_ID put(const char *provider, const char *name, uint64_t number, LONG context,
                  uint64_t expire_unix) {
        struct snapshot_record r = { .number = number,
                                     .context = context,
                                     .state = VSS_SS_CREATED,
                                     .expire_unix = expire_unix,
                                     .set_id = { .Data1 = (uint32_t)number } };

        ck_assert_int_eq(vss_id_random(&r.id), 0);
        ck_assert_int_eq(str_replace(&r.provider, provider), 0);
        ck_assert_int_eq(str_replace(&r.volume, name), 0);
        ck_assert_int_eq(str_format(&r.device, "/dev/vss/ShadowCopy%u", (unsigned)number), 0);
        /* "raw...": the copy is the device itself. */
        if (strncmp(name, "raw", 3) == 0)
                ck_assert_int_eq(str_replace(&r.device_object, r.device), 0);
        else
                ck_assert_int_eq(
                        str_format(&r.device_object, "/run/vss/ShadowCopy%u", (unsigned)number), 0);
        ck_assert_int_eq(store_set_commit(host.store, NULL, &r, 1, NULL, 0, NULL), 0);
        snapshot_record_done(&r);
        return r.id;
}

static void put_intent(const char *provider) {
        struct intent_record intent = { .provider = (char *)(uintptr_t)provider,
                                        .kind = (char *)(uintptr_t) "create",
                                        .data = (char *)(uintptr_t) "half made" };
        int64_t id;

        ck_assert_int_eq(store_intent_open(host.store, &intent, &id, NULL), 0);
}

static void recover(void) {
        ck_ok(session_manager_recover(host.manager, &error));
        ck_assert(session_manager_is_idle(host.manager));
}

START_TEST(open_intents_are_undone_first) {
        put("alpha", "/a/", 1, VSS_CTX_BACKUP, 0);
        put_intent("alpha");
        put_intent("beta");
        recover();
        /* All volumes go on before anything is done that could wait for one of them. */
        ck_assert_str_eq(fake.journal, "alpha:rescue(half made) beta:rescue(half made) "
                                       "alpha:recover(half made) beta:recover(half made) "
                                       "host:unmount-force(/a/) alpha:remove-force(/a/) ");
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

        put_intent("alpha");
        ck_assert_int_eq(alive_lock_hold(store_guard_lock(host.store), &fd), 0);
        ck_assert_int_eq(pthread_create(&guard, NULL, guard_thread, &fd), 0);
        recover();
        ck_assert(guard_ended);
        ck_assert_int_eq(pthread_join(guard, NULL), 0);
        ck_assert_uint_eq(fake_storage_count("alpha:recover"), 1);
}
END_TEST

START_TEST(what_cannot_be_undone_is_kept_and_does_not_stop_the_rest) {
        put_intent("alpha");
        put_intent("nobody");
        put_intent("beta");
        fake.fail = "alpha:recover";
        recover();
        ck_assert_uint_eq(fake_count_intents(host.store), 2);
        ck_assert_uint_eq(fake_storage_count("beta:recover"), 1);
        fake.fail = NULL;
        recover();
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
}
END_TEST

START_TEST(what_cannot_be_rescued_does_not_stop_the_rest) {
        put_intent("alpha");
        put_intent("nobody");
        put_intent("beta");
        fake.fail = "alpha:rescue";
        recover();
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
        recover();
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
        recover();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_storage_count("host:mount("), 0);
}
END_TEST

START_TEST(a_copy_that_cannot_be_activated_or_mounted_keeps_its_row) {
        put("alpha", "/app/", 1, VSS_CTX_APP_ROLLBACK, 0);
        put("nobody", "/other/", 2, VSS_CTX_APP_ROLLBACK, 0);
        fake.fail = _i == 0 ? "activate" : "mount";
        recover();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_assert_uint_eq(fake_storage_count("remove"), 0);
}
END_TEST

START_TEST(a_copy_that_cannot_be_deleted_stays_listed_until_it_can) {
        put("alpha", "/backup/", 1, VSS_CTX_BACKUP, 0);
        fake.fail = "remove-force";
        recover();
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
        recover();
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
        uint64_t now = (uint64_t)(now_realtime_nsec() / 1000000000);

        put("alpha", "/used/", 1, VSS_CTX_APP_ROLLBACK, now + 1);
        recover();
        ck_assert(session_manager_has_expiry(host.manager)); /* no end for being idle */
        fake.fail = "unmount";
        while (fake_storage_count("unmount") == 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
        /* Not again and again: one try now, the next in some minutes. */
        ck_assert_uint_eq(fake_storage_count("unmount"), 1);
        ck_assert(session_manager_has_expiry(host.manager));
        ck_assert_int_eq(sd_event_run(host.event, 0), 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 1);
}
END_TEST

/* Each step asks for time of its own: systemd waits as long as they go on. */
START_TEST(systemd_is_asked_for_time) {
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
        put_intent("alpha");
        put("alpha", "/backup/", 1, VSS_CTX_BACKUP, 0);
        put("alpha", "/app/", 2, VSS_CTX_APP_ROLLBACK, 0);
        recover();
        ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
        while ((size = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
                text[size] = '\0';
                n += strncmp(text, "EXTEND_TIMEOUT_USEC=", 20) == 0;
        }
        ck_assert_uint_eq(n, 3);
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
        recover();
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
        tcase_add_test(tc, systemd_is_asked_for_time);
        tcase_add_test(tc, numbers_go_on);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
