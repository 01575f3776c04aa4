/* vssctl against the real daemon over fake storage: what it prints, how it ends, what it leaves. */

#include "tests/bus/vssctl-run.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static struct harness h;

static void set_up(void) {
        harness_start(&h, NULL);
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", h.address, 1), 0);
}

static void tear_down(void) {
        harness_stop(&h);
}

START_TEST(a_kept_set_is_made_listed_shown_deleted) {
        char set[64] = "";
        const struct ended *e;

        set_up();
        e = vssctl(A("create"), A("--keep"), A("--quiet"), A("/srv/data"), A("/srv/mail"));
        expect_status(e, 0);
        ck_assert_int_eq(sscanf(e->out, "%63[0-9a-f-]\n", set), 1);
        ck_assert_uint_eq(strlen(set), 36);
        ck_assert_uint_eq(strlen(e->out), 37);

        e = vssctl(A("list"));
        expect_status(e, 0);
        expect_text(e->out, set);
        expect_text(e->out, "ShadowCopy1  /srv/data/");
        expect_text(e->out, "ShadowCopy2  /srv/mail/");
        expect_text(e->out, "app-rollback");

        e = vssctl(A("show"), A("ShadowCopy2"));
        expect_status(e, 0);
        expect_text(e->out, "Files: /run/vss/ShadowCopy2\n");
        ck_assert_ptr_null(strstr(e->out, "ShadowCopy1"));
        set[8] = '\0';
        e = vssctl(A("show"), set, A("--json"));
        expect_status(e, 0);
        expect_text(e->out, "\"device_object\": \"/run/vss/ShadowCopy1\"");
        expect_text(e->out, "\"block_device\": \"/dev/vss/ShadowCopy2\"");

        e = vssctl(A("delete"), set);
        expect_status(e, 0);
        expect_text(e->err, "deleted 2 snapshots");
        expect_no_copies();
        tear_down();
}
END_TEST

/* Nobody would know of it, and "it failed" says that nothing is left. */
START_TEST(a_set_that_nobody_was_told_of_does_not_stay) {
        static const char *const options[] = { "--keep --quiet", "--keep", "--keep --json", "" };

        set_up();
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                char command[256], text[512] = "";
                int status;
                FILE *f;

                (void)snprintf(command, sizeof(command), "'%s' create %s /srv/data 2>&1 >/dev/full",
                               VSSCTL, options[i]);
                f = popen(command, "re");
                ck_assert_ptr_nonnull(f);
                text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
                status = pclose(f);
                ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 2, "%s: %d %s", command,
                              status, text);
                expect_text(text, "cannot write the output: No space left on device");
                expect_no_copies();
        }
        tear_down();
}
END_TEST

START_TEST(the_timeline_is_the_services) {
        const struct ended *e;

        set_up();
        e = vssctl(A("create"), A("--keep"), A("--timeline"), A("/srv/data"));
        expect_status(e, 0);
        expect_text(e->out, "  GatherMetadata ");
        expect_text(e->out, "  Stage ");
        expect_text(e->out, "  Window ");
        ck_assert_ptr_null(strstr(e->out, "  Snapshot "));
        e = vssctl(A("show"), A("--timeline"), A("--json"), A("ShadowCopy1"));
        expect_status(e, 0);
        expect_text(e->out, "\"writes_held_usec\": ");
        expect_text(e->out, "\"phase\": \"Stage\",\n      \"begin_usec\": ");
        tear_down();
}
END_TEST

START_TEST(a_set_is_held_until_stdin_ends) {
        struct running r;
        struct ended e = { 0 };

        set_up();
        r = vssctl_start(true, ARGUMENTS(A("create"), A("/srv/data")));
        vssctl_read(r.out, e.out, sizeof(e.out), "/run/vss/ShadowCopy1");
        expect_text(vssctl(A("list"))->out, "ShadowCopy1");
        vssctl_finish(&r, &e);
        expect_status(&e, 0);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(a_set_is_held_until_a_signal) {
        struct running r;
        struct ended e = { 0 };

        set_up();
        /* /dev/null as stdin is no reason to let it go. */
        r = vssctl_start(false, ARGUMENTS(A("create"), A("--json"), A("/srv/data")));
        vssctl_read(r.out, e.out, sizeof(e.out), "\n}\n");
        expect_text(vssctl(A("list"))->out, "ShadowCopy1");
        ck_assert_int_eq(kill(r.pid, SIGTERM), 0);
        vssctl_finish(&r, &e);
        expect_status(&e, 0);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(an_interrupted_creation_leaves_nothing) {
        struct ended e = { 0 };
        struct running r;

        set_up();
        harness_knob(&h, "slow", "stage 300");
        r = vssctl_start(false,
                         ARGUMENTS(A("create"), A("--keep"), A("/srv/data"), A("/srv/mail")));
        harness_await(&h, "stage", 1);
        ck_assert_int_eq(kill(r.pid, SIGINT), 0);
        vssctl_finish(&r, &e);
        expect_status(&e, 128 + SIGINT);
        expect_text(e.err, "taking everything back");
        ck_assert_str_eq(e.out, "");
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(an_interruption_that_comes_too_late_deletes_the_set) {
        struct ended e = { 0 };
        struct running r;

        set_up();
        harness_knob(&h, "slow", "seal 300");
        r = vssctl_start(false, ARGUMENTS(A("create"), A("--keep"), A("/srv/data")));
        harness_await(&h, "seal", 1);
        ck_assert_int_eq(kill(r.pid, SIGTERM), 0);
        vssctl_finish(&r, &e);
        expect_status(&e, 128 + SIGTERM);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(run_hands_the_copies_to_the_command) {
        const struct ended *e;

        set_up();
        e = vssctl(A("run"), A("/srv/mail"), A("/srv/data"), A("--"), A("sh"), A("-c"),
                   A("echo \"$VSS_COPIES|$VSS_COPY_1|$VSS_DEVICE_2|$VSS_VOLUME_1|$0\""),
                   A("--json"));
        expect_status(e, 0);
        ck_assert_str_eq(e->out, "/run/vss/ShadowCopy1:/run/vss/ShadowCopy2|/run/vss/ShadowCopy1|"
                                 "/dev/vss/ShadowCopy2|/srv/mail|--json\n");
        expect_no_copies();
        ck_assert_uint_eq(harness_count(&h, "remove"), 2);
        tear_down();
}
END_TEST

START_TEST(run_ends_as_the_command_did) {
        set_up();
        expect_status(vssctl(A("run"), A("/srv/data"), A("--"), A("sh"), A("-c"), A("exit 3")), 13);
        expect_status(vssctl(A("run"), A("/srv/data"), A("--"), A("sh"), A("-c"), A("exit 200")),
                      99);
        expect_status(vssctl(A("run"), A("/srv/data"), A("--"), A("/no/such/command")), 1);
        expect_no_copies();
        ck_assert_uint_eq(harness_count(&h, "stage"), 2); /* the last one made nothing */
        tear_down();
}
END_TEST

START_TEST(a_signal_to_run_reaches_the_command_and_ends_both) {
        struct ended e = { 0 };
        struct running r;

        set_up();
        r = vssctl_start(false, ARGUMENTS(A("run"), A("/srv/data"), A("--"), A("sh"), A("-c"),
                                          A("trap 'echo told; exit 9' TERM; echo ready; "
                                            "while :; do sleep 0.01; done")));
        vssctl_read(r.out, e.out, sizeof(e.out), "ready\n");
        ck_assert_int_eq(kill(r.pid, SIGTERM), 0);
        vssctl_finish(&r, &e);
        ck_assert_str_eq(e.out, "ready\ntold\n");
        expect_status(&e, 128 + SIGTERM);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(failures_end_with_the_code_and_leave_nothing) {
        const struct ended *e;

        set_up();
        e = vssctl(A("create"), A("--keep"), A("/srv/none"));
        expect_status(e, 2);
        expect_text(e->err, "/srv/none");
        expect_text(e->err, "(VSS_E_OBJECT_NOT_FOUND 0x80042308)\n");

        e = vssctl(A("create"), A("--keep"), A("/srv/plain"));
        expect_status(e, 2);
        expect_text(e->err, "(VSS_E_VOLUME_NOT_SUPPORTED 0x8004230c)\n");

        harness_knob(&h, "fail", "stage");
        e = vssctl(A("create"), A("--keep"), A("/srv/data"));
        expect_status(e, 3);
        expect_text(e->err, "(VSS_E_INSUFFICIENT_STORAGE 0x8004231f)\n");
        harness_knob(&h, "fail", NULL);

        e = vssctl(A("delete"), A("ShadowCopy77"));
        expect_status(e, 2);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(a_busy_copy_is_deleted_by_force_only) {
        const struct ended *e;

        set_up();
        expect_status(vssctl(A("create"), A("--keep"), A("/srv/data")), 0);
        harness_knob(&h, "busy", "");
        e = vssctl(A("delete"), A("ShadowCopy1"));
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_PROVIDER_VETO");
        expect_status(vssctl(A("delete"), A("--force"), A("ShadowCopy1")), 0);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(a_lost_copy_is_shown_as_lost) {
        set_up();
        expect_status(vssctl(A("create"), A("--keep"), A("/srv/data")), 0);
        expect_text(vssctl(A("show"), A("ShadowCopy1"))->out, "Store: 1.0 MiB used of 256.0 MiB\n");
        harness_knob(&h, "full", "");
        expect_text(vssctl(A("show"), A("ShadowCopy1"))->out, "Store: full, the copy is lost\n");
        expect_text(vssctl(A("list"))->out, "full: lost");
        /* And where nobody can say, no figures are made up. */
        harness_knob(&h, "full", NULL);
        harness_knob(&h, "fail", "usage");
        ck_assert_ptr_null(strstr(vssctl(A("show"), A("ShadowCopy1"))->out, "Store:"));
        tear_down();
}
END_TEST

START_TEST(of_several_deletions_each_is_tried) {
        const struct ended *e;

        set_up();
        expect_status(vssctl(A("create"), A("--keep"), A("/srv/data"), A("/srv/mail")), 0);
        /* The set is gone when its second copy's turn comes. */
        e = vssctl(A("delete"), A("--json"), A("ShadowCopy1"), A("ShadowCopy1"), A("ShadowCopy2"));
        expect_status(e, 5);
        expect_text(e->out, "\"deleted_snapshots\": 2");
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(a_lost_service_ends_the_hold) {
        struct ended e = { 0 };
        struct running r;

        set_up();
        r = vssctl_start(false, ARGUMENTS(A("create"), A("/srv/data")));
        vssctl_read(r.out, e.out, sizeof(e.out), "ShadowCopy1");
        harness_stop_daemon(&h);
        vssctl_finish(&r, &e);
        expect_status(&e, 2);
        expect_text(e.err, "the set is gone");
        harness_start_daemon(&h, NULL);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(volumes_and_providers_are_listed) {
        const struct ended *e;

        set_up();
        e = vssctl(A("volumes"));
        expect_status(e, 0);
        expect_text(e->out, "/srv/data/");
        expect_text(e->out, "no: /srv/plain/ is on a plain partition");
        e = vssctl(A("volumes"), A("--json"));
        expect_text(e->out, "\"supported\": false");
        e = vssctl(A("providers"));
        expect_status(e, 0);
        expect_text(e->out, "fake");
        expect_status(vssctl(A("writers"), A("--json")), 0);
        tear_down();
}
END_TEST

START_TEST(volumes_are_adopted_and_released) {
        const struct ended *e;

        set_up();
        e = vssctl(A("volumes"), A("adopt"), A("/srv/plain"));
        expect_status(e, 0);
        expect_text(e->out, "adopted\ninitramfs\n");
        e = vssctl(A("volumes"), A("adopt"), A("--name=x"), A("--no-initramfs"), A("/srv/plain"));
        expect_text(e->out, "x\nno initramfs\n");
        e = vssctl(A("volumes"), A("adopt"), A("--name=a\033[2Jb"), A("/srv/plain"));
        expect_text(e->out, "a\xef\xbf\xbd[2Jb\n");
        e = vssctl(A("volumes"), A("adopt"), A("--json"), A("/srv/plain"));
        expect_text(e->out, "\"volume\": \"/srv/plain\"");
        expect_text(e->out, "\"adopted\",");
        e = vssctl(A("volumes"), A("adopt"), A("/nowhere"));
        ck_assert_int_ne(e->status, 0);
        expect_text(e->err, "There is no volume /nowhere");
        harness_knob(&h, "adopted", "");
        expect_text(vssctl(A("volumes"))->out, "adopted, from the next mount on");
        expect_text(vssctl(A("volumes"), A("--json"))->out, "\"adopted\": \"next-mount\"");
        expect_status(vssctl(A("volumes"), A("release"), A("/srv/plain")), 0);
        e = vssctl(A("volumes"), A("release"), A("--name=x"), A("/srv/plain"));
        expect_status(e, 1);
        expect_text(e->err, "'volumes release' has no option '--name'");
        e = vssctl(A("volumes"), A("--name=x"));
        expect_status(e, 1);
        expect_text(e->err, "'volumes' alone has no option '--name'");
        expect_status(vssctl(A("volumes"), A("--no-initramfs")), 1);
        expect_status(vssctl(A("volumes"), A("release"), A("--no-initramfs"), A("/srv/plain")), 0);
        tear_down();
}
END_TEST

/* "vssctl help" names them. */
START_TEST(help_is_not_wider_than_its_pages) {
        static const char *const verbs[] = {
                "create", "run",     "list",     "show",    "timeline",  "delta",  "delete",
                "expose", "export",  "unexpose", "break",   "import",    "revert", "files",
                "help",   "writers", "volumes",  "storage", "providers",
        };

        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
                char verb[32];
                const char *line;

                (void)snprintf(verb, sizeof(verb), "%s", verbs[i]);
                line = vssctl(A("help"), verb)->out;
                expect_text(line, "Usage: vssctl ");
                while (*line) {
                        size_t n = strcspn(line, "\n");

                        ck_assert_msg(n <= 100, "help %s: %.*s", verb, (int)n, line);
                        line += n + (line[n] != '\0');
                }
        }
}
END_TEST

START_TEST(wrong_usage_needs_no_service) {
        expect_status(vssctl(A("create")), 1);
        expect_status(vssctl(A("crate"), A("/srv")), 1);
        expect_status(vssctl(A("list"), A("--keep")), 1);
        expect_text(vssctl(A("show"))->err, "there is no ID; usage: vssctl show [OPTION...] ID\n");
        expect_text(vssctl(A("list"), A("a"), A("b"))->err,
                    "'a' is too much; usage: vssctl list\n");
        expect_text(vssctl(A("run"), A("/srv"))->err, "there is no '-- COMMAND'; usage: ");
        expect_status(vssctl(A("volumes"), A("adopt")), 1);
        expect_status(vssctl(A("volumes"), A("steal"), A("/srv")), 1);
        expect_status(vssctl(A("run"), A("/srv/data"), A("true")), 1);
        expect_status(vssctl(A("run"), A("--context"), A("client"), A("/srv"), A("--"), A("true")),
                      1);
        expect_status(vssctl(A("create"), A("--context=all"), A("/srv")), 1);
        expect_status(vssctl(A("-H"), A("-oProxyCommand=true"), A("list")), 1);
        expect_status(vssctl(A("--address"), A("nonsense"), A("list")), 1);
        expect_text(vssctl(A("--version"))->out, "vssctl ");
        expect_text(vssctl(A("create"), A("--help"))->out, "Examples:\n");
        expect_text(vssctl(A("help"))->out, "  run ");
}
END_TEST

int main(void) {
        Suite *s = suite_create("vssctl");
        TCase *c = tcase_create("vssctl");
        SRunner *runner;
        int failed;

        tcase_set_timeout(c, 60);
        tcase_add_test(c, a_kept_set_is_made_listed_shown_deleted);
        tcase_add_test(c, a_set_that_nobody_was_told_of_does_not_stay);
        tcase_add_test(c, the_timeline_is_the_services);
        tcase_add_test(c, a_set_is_held_until_stdin_ends);
        tcase_add_test(c, a_set_is_held_until_a_signal);
        tcase_add_test(c, an_interrupted_creation_leaves_nothing);
        tcase_add_test(c, an_interruption_that_comes_too_late_deletes_the_set);
        tcase_add_test(c, run_hands_the_copies_to_the_command);
        tcase_add_test(c, run_ends_as_the_command_did);
        tcase_add_test(c, a_signal_to_run_reaches_the_command_and_ends_both);
        tcase_add_test(c, failures_end_with_the_code_and_leave_nothing);
        tcase_add_test(c, a_busy_copy_is_deleted_by_force_only);
        tcase_add_test(c, a_lost_copy_is_shown_as_lost);
        tcase_add_test(c, of_several_deletions_each_is_tried);
        tcase_add_test(c, a_lost_service_ends_the_hold);
        tcase_add_test(c, volumes_and_providers_are_listed);
        tcase_add_test(c, volumes_are_adopted_and_released);
        tcase_add_test(c, help_is_not_wider_than_its_pages);
        tcase_add_test(c, wrong_usage_needs_no_service);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
