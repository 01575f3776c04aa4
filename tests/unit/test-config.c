/* vssd.conf: what is written there counts, and what is not understood is said with its line. */

#include "daemon/config.h"

#include "common/time-util.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>

static struct config parsed(const char *text) {
        struct vss_error error = { 0 };
        struct config c;

        config_defaults(&c);
        ck_assert_msg(config_parse(&c, text, "test.conf", &error) >= 0, "%s",
                      str_or_empty(error.message));
        return c;
}

static void refused(const char *text, const char *expected) {
        struct vss_error error = { 0 };
        struct config c;

        config_defaults(&c);
        ck_assert_int_lt(config_parse(&c, text, "test.conf", &error), 0);
        ck_assert_int_eq(error.hr, E_INVALIDARG);
        ck_assert_msg(strstr(error.message, expected), "\"%s\" is not in \"%s\"", expected,
                      error.message);
        vss_error_done(&error);
        config_done(&c);
}

START_TEST(defaults_are_the_documented_ones) {
        struct config c = parsed("");

        ck_assert_uint_eq(c.session.freeze_usec, 60 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.flush_usec, 120 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.hold_usec, 10 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.prepare_snapshot_usec, 180 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.post_snapshot_usec, 300 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.event_usec, 180 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.recovery_usec, 30 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.max_volumes, 64);
        ck_assert_uint_eq(c.session.max_snapshots, 512);
        ck_assert_uint_eq(c.session.max_client_snapshots, 64);
        ck_assert_uint_eq(c.session.max_sessions, 1024);
        ck_assert_uint_eq(c.area_start_bytes, 0);
        ck_assert_uint_eq(c.session.area_volume_bytes, UINT64_MAX);
        ck_assert_uint_eq(c.session.area_all_bytes, UINT64_MAX);
        ck_assert_uint_eq(c.stop_usec, 60 * USEC_PER_SEC);
        ck_assert_uint_eq(c.exit_idle_usec, USEC_INFINITY);
}
END_TEST

START_TEST(each_setting_is_read) {
        struct config c = parsed("# a comment\n"
                                 "; another\n"
                                 "\n"
                                 "[Timeouts]\n"
                                 "Freeze=20s\n"
                                 "Flush=2min\n"
                                 "  Hold = 2500ms  \n"
                                 "PrepareSnapshot=5min\r\n"
                                 "PostSnapshot=2h\n"
                                 "Event=90\n"
                                 "Recovery=4min\n"
                                 "[Limits]\n"
                                 "Volumes=8\n"
                                 "Snapshots=16\n"
                                 "ClientSnapshots=512\n"
                                 "Sessions=4096\n"
                                 "[Areas]\n"
                                 "Start=64M\n"
                                 "Maximum=1T\n"
                                 "MaximumInAll=67108864\n"
                                 "[Daemon]\n"
                                 "Stop=30 s\n"
                                 "ExitIdle=180");

        ck_assert_uint_eq(c.session.freeze_usec, 20 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.flush_usec, 120 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.hold_usec, 2500 * USEC_PER_MSEC);
        ck_assert_uint_eq(c.session.prepare_snapshot_usec, 300 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.post_snapshot_usec, 7200 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.event_usec, 90 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.recovery_usec, 240 * USEC_PER_SEC);
        ck_assert_uint_eq(c.session.max_volumes, 8);
        ck_assert_uint_eq(c.session.max_snapshots, 16);
        ck_assert_uint_eq(c.session.max_client_snapshots, 512);
        ck_assert_uint_eq(c.session.max_sessions, 4096);
        ck_assert_uint_eq(c.stop_usec, 30 * USEC_PER_SEC);
        ck_assert_uint_eq(c.exit_idle_usec, 180 * USEC_PER_SEC);
        ck_assert_uint_eq(c.area_start_bytes, UINT64_C(64) << 20);
        ck_assert_uint_eq(c.session.area_volume_bytes, UINT64_C(1) << 40);
        ck_assert_uint_eq(c.session.area_all_bytes, UINT64_C(64) << 20);
        ck_assert_uint_eq(parsed("[Areas]\nMaximum=infinity").session.area_volume_bytes,
                          UINT64_MAX);
        ck_assert_uint_eq(parsed("[Daemon]\nExitIdle=infinity").exit_idle_usec, USEC_INFINITY);
}
END_TEST

START_TEST(mistakes_are_named_with_their_line) {
        refused("[Timeouts]\nFreeze=soon\n", "test.conf:2: soon is no time");
        refused("[Timeouts]\nFreeze=-1\n", "is no time");
        refused("[Timeouts]\nFreeze=61s\n", "test.conf:2: Freeze can be from 1 s to 60 s");
        refused("[Timeouts]\nHold=11\n", "from 1 s to 10 s");
        refused("[Timeouts]\nHold=10001ms\n", "from 1 s to 10 s");
        refused("[Timeouts]\nHold=0\n", "from 1 s to 10 s");
        refused("[Timeouts]\nFlush=121\n", "from 1 s to 120 s");
        refused("[Timeouts]\nRecovery=5min\n", "from 1 s to 240 s");
        refused("[Timeouts]\nFreeze=infinity\n", "from 1 s to 60 s");
        refused("[Timeouts]\nFreeze=99999999999999999999s\n", "is no time");
        refused("[Timeouts]\nFreeze=18446744073709551615\n", "is no time");
        refused("[Timeouts]\n\nFrieze=10s\n", "test.conf:3: there is no setting Frieze");
        refused("[Limits]\nFreeze=10s\n", "no setting Freeze in a section [Limits]");
        refused("[Areas]\nStart=31M\n", "test.conf:2: Start is at least 32M, and at most 1T");
        refused("[Areas]\nStart=2T\n", "at most 1T");
        refused("[Areas]\nMaximum=10%\n", "10% is no size");
        refused("[Areas]\nMaximum=320MB\n", "is no size");
        refused("[Areas]\nMaximum=M\n", "is no size");
        refused("[Areas]\nMaximumInAll=-1\n", "is no size");
        refused("[Areas]\nMaximumInAll=99999999999T\n", "is no size");
        refused("Freeze=10s\n", "no setting Freeze in a section []");
        refused("[Daemon]\n[Bogus]\n", "test.conf:2: there is no section [Bogus]");
        refused("[]\n", "there is no section []");
        refused("[Limits]\nVolumes=0\n", "Volumes is a number from 1 to 64");
        refused("[Limits]\nVolumes=65\n", "from 1 to 64");
        refused("[Limits]\nVolumes=8x\n", "from 1 to 64");
        refused("[Limits]\nVolumes=\n", "from 1 to 64");
        refused("[Limits]\nClientSnapshots=0\n", "from 1 to 512");
        refused("[Limits]\nClientSnapshots=513\n", "from 1 to 512");
        refused("[Limits]\nSessions=4097\n", "from 1 to 4096");
        refused("nonsense\n", "test.conf:1: a line is");
}
END_TEST

START_TEST(a_line_that_never_ends_is_refused) {
        char text[2048];

        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        refused(text, "test.conf:1: the line is too long");
}
END_TEST

START_TEST(files_may_be_missing_only_if_nobody_named_them) {
        struct vss_error error = { 0 };
        struct config c;

        config_defaults(&c);
        ck_assert_int_eq(config_load(&c, "/nonexistent/vssd.conf", false, &error), 0);
        ck_assert_int_lt(config_load(&c, "/nonexistent/vssd.conf", true, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "/nonexistent/vssd.conf"));
        vss_error_done(&error);
        ck_assert_int_lt(config_load(&c, "/", true, &error), 0);
        vss_error_done(&error);
}
END_TEST

START_TEST(a_file_is_read_and_what_is_no_text_refused) {
        char path[] = "/tmp/test-config-XXXXXX";
        int fd = mkostemp(path, O_CLOEXEC);
        struct vss_error error = { 0 };
        struct config c;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, "[Timeouts]\nFreeze=7\n", 20), 20);
        config_defaults(&c);
        ck_assert_int_eq(config_load(&c, path, true, &error), 0);
        ck_assert_uint_eq(c.session.freeze_usec, 7 * USEC_PER_SEC);

        ck_assert_int_eq(write(fd, "\0\0", 2), 2);
        ck_assert_int_lt(config_load(&c, path, true, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "no configuration file"));
        vss_error_done(&error);
        close(fd);
        ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(places_of_stores_are_read) {
        struct config c = parsed("[Stores]\nDefault=/stores tank\n/srv/a = /dev/sdb1 \n");

        ck_assert_uint_eq(strv_length(c.stores), 2);
        ck_assert_str_eq(c.stores[0], "Default=/stores tank");
        ck_assert_str_eq(c.stores[1], "/srv/a=/dev/sdb1");
        config_done(&c);
        refused("[Stores]\n\nsrv=/stores\n", "test.conf:3: 'srv' is no volume");
        refused("[Stores]\n/srv=\n", "test.conf:2: no place is named for /srv");
        refused("[Stores]\n/srv=a/b\n", "'a/b' is no place");
        refused("[Stores]\n/srv=/ok -x\n", "'-x' is no place");
}
END_TEST

START_TEST(whom_nfs_serves_is_read) {
        struct config c = parsed("[Shares]\nNfsClients = 192.168.7.0/24\t[2001:db8::7] \n");

        ck_assert_uint_eq(strv_length(c.nfs_clients), 2);
        ck_assert_str_eq(c.nfs_clients[0], "192.168.7.0/24");
        ck_assert_str_eq(c.nfs_clients[1], "[2001:db8::7]");
        config_done(&c);
        c = parsed("[Shares]\nNfsClients=a b\nNfsClients=\n"); /* the last counts */
        ck_assert_uint_eq(strv_length(c.nfs_clients), 0);
        config_done(&c);
        refused("[Shares]\nNfsClients=good -o\n", "test.conf:2: \"-o\" is no client");
        refused("[Shares]\nNfsClients=a(rw)\n", "is no client");
        refused("[Shares]\nSmbClients=a\n", "there is no setting SmbClients");
}
END_TEST

int main(void) {
        Suite *s = suite_create("config");
        TCase *c = tcase_create("config");
        SRunner *runner;
        int failed;

        tcase_add_test(c, defaults_are_the_documented_ones);
        tcase_add_test(c, each_setting_is_read);
        tcase_add_test(c, whom_nfs_serves_is_read);
        tcase_add_test(c, mistakes_are_named_with_their_line);
        tcase_add_test(c, a_line_that_never_ends_is_refused);
        tcase_add_test(c, files_may_be_missing_only_if_nobody_named_them);
        tcase_add_test(c, a_file_is_read_and_what_is_no_text_refused);
        tcase_add_test(c, places_of_stores_are_read);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
