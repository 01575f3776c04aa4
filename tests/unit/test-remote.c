/* -H: no host is an option, and no word is more than a word to the shell at the other end. */

#include "cli/remote.h"

#include <check.h>
#include <stdio.h>

static void expect_host(const char *text, const char *target, const char *port) {
        _cleanup_(remote_host_done) struct remote_host h = { 0 };

        ck_assert_msg(remote_host_parse(&h, text) == 0, "'%s' was refused", text);
        ck_assert_str_eq(h.target, target);
        if (port)
                ck_assert_str_eq(h.port, port);
        else
                ck_assert_ptr_null(h.port);
}

START_TEST(hosts_are_taken_apart) {
        expect_host("db1", "db1", NULL);
        expect_host("db1.example.com:2222", "db1.example.com", "2222");
        expect_host("root@db1", "root@db1", NULL);
        expect_host("a@b.c@db1:22", "a@b.c@db1", "22");
        expect_host("::1", "::1", NULL);
        expect_host("fe80::1%eth0", "fe80::1%eth0", NULL);
        expect_host("root@[fe80::1%eth0]:22", "root@fe80::1%eth0", "22");
        expect_host("[::1]", "::1", NULL);
}
END_TEST

START_TEST(what_is_no_host_is_refused) {
        static const char *const bad[] = {
                "",
                "@",
                "@db1",
                "root@",
                "-oProxyCommand=id",
                "-oProxyCommand=id@db1",
                "root@-oProxyCommand=id",
                "[-x]:22",
                "db1 -oX",
                "db1;id",
                "db1$(id)",
                "db1\nid",
                "db1:",
                "db1:0",
                "db1:65536",
                "db1:22x",
                "db1:-22",
                "[::1",
                "[::1]x",
                "[]:22",
                "db1/x",
                "d\xC3\xA9",
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_(remote_host_done) struct remote_host h = { 0 };

                ck_assert_msg(remote_host_parse(&h, bad[i]) == -EINVAL, "'%s' was taken", bad[i]);
                ck_assert_ptr_null(h.target);
        }
}
END_TEST

START_TEST(words_survive_a_shell) {
        static const char *const words[] = { "plain", "",   "a b", "it's", "$(id)", "`id`",
                                             "\\",    "\n", "*",   "-x",   "'",     "\"" };
        _cleanup_(freep) char *line = NULL, *command = NULL;
        char got[4096] = "";
        size_t length = 0;
        FILE *sh;

        ck_assert_int_eq(remote_quote(&line, words, ARRAY_SIZE(words)), 0);
        ck_assert_int_eq(str_format(&command, "printf '%%s\\001' %s", line), 0);
        sh = popen(command, "r");
        ck_assert_ptr_nonnull(sh);
        length = fread(got, 1, sizeof(got) - 1, sh);
        ck_assert_int_eq(pclose(sh), 0);

        for (size_t i = 0, at = 0; i < ARRAY_SIZE(words); i++) {
                size_t n = strlen(words[i]);

                ck_assert_uint_le(at + n + 1, length);
                ck_assert_mem_eq(got + at, words[i], n);
                ck_assert_int_eq(got[at + n], 1);
                at += n + 1;
        }
}
END_TEST

START_TEST(the_command_for_ssh) {
        static const char *const want[] = {
                "ssh",
                "-xT",
                "-p",
                "22",
                "--",
                "root@db1",
                "'vssctl' 'run' '/srv' '--' 'sh' '-c' 'echo $1'",
        };
        struct remote_host host = { .target = (char[]){ "root@db1" }, .port = (char[]){ "22" } };
        char *words[] = { (char[]){ "run" }, (char[]){ "/srv" }, NULL };
        char *command[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "echo $1" }, NULL };
        _cleanup_(strv_freep) char **ssh = NULL;

        ck_assert_int_eq(remote_command(&ssh, &host, words, command), 0);
        ck_assert_uint_eq(strv_length(ssh), ARRAY_SIZE(want));
        for (size_t i = 0; i < ARRAY_SIZE(want); i++)
                ck_assert_str_eq(ssh[i], want[i]);
}
END_TEST

int main(void) {
        Suite *s = suite_create("remote");
        TCase *c = tcase_create("remote");
        SRunner *runner;
        int failed;

        tcase_add_test(c, hosts_are_taken_apart);
        tcase_add_test(c, what_is_no_host_is_refused);
        tcase_add_test(c, words_survive_a_shell);
        tcase_add_test(c, the_command_for_ssh);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
