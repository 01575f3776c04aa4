/* An application's ini file: every key, every refusal with its line, the derived id. */

#include "common/time-util.h"
#include "common/vss-id.h"
#include "writers/hook/hook-config.h"

#include <check.h>

static struct hook_config *load(const char *text) {
        _cleanup_(ini_error_done) struct ini_error e = { 0 };
        struct hook_config *c = NULL;
        int r = hook_config_new(&c, "app.conf", text, strlen(text), &e);

        ck_assert_msg(r == 0, "line %u: %s", e.line, str_or_empty(e.message));
        return c;
}

static void refuse(const char *text, unsigned line, const char *want) {
        _cleanup_(ini_error_done) struct ini_error e = { 0 };
        struct hook_config *c = NULL;

        ck_assert_int_eq(hook_config_new(&c, "app.conf", text, strlen(text), &e), -EINVAL);
        ck_assert_ptr_null(c);
        ck_assert_ptr_nonnull(e.message);
        ck_assert_msg(strstr(e.message, want) != NULL, "'%s' is not in '%s'", want, e.message);
        ck_assert_uint_eq(e.line, line);
}

START_TEST(everything_is_taken) {
        _cleanup_(hook_config_freep) struct hook_config *c =
                load("[Writer]\n"
                     "Name=Mail store\n"
                     "Id={6BA7B810-9DAD-11D1-80B4-00C04FD430C8}\n"
                     "Level=back-end\n"
                     "Usage=system-service\n"
                     "User=mail\n"
                     "Always=yes\n"
                     "[Commands]\n"
                     "Freeze=/usr/bin/mailctl pause 'all queues'\n"
                     "Thaw=mailctl resume\n"
                     "PrepareBackup=mailctl check\n"
                     "[Deadlines]\n"
                     "Freeze=5s\n"
                     "Thaw=500ms\n"
                     "PrepareSnapshot=2min\n"
                     "FreezeToThaw=30\n"
                     "[Paths]\n"
                     "Include=/srv/mail/ recursive\n"
                     "Include=\"/etc/mail conf\" *.cf\n"
                     "Exclude=/srv/mail/tmp *\n"
                     "Partial=yes\n");

        ck_assert_str_eq(c->name, "Mail store");
        ck_assert_str_eq(VSS_ID_TEXT(c->id), "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
        ck_assert_int_eq(c->level, VSS_APP_BACK_END);
        ck_assert_int_eq(c->usage, VSS_UT_SYSTEMSERVICE);
        ck_assert_str_eq(c->user, "mail");
        ck_assert(c->always && c->partial);
        ck_assert_uint_eq(strv_length(c->commands[HOOK_FREEZE]), 3);
        ck_assert_str_eq(c->commands[HOOK_FREEZE][2], "all queues");
        ck_assert_str_eq(c->commands[HOOK_THAW][0], "mailctl");
        ck_assert(hook_config_has(c, HOOK_PREPARE_BACKUP));
        ck_assert(!hook_config_has(c, HOOK_ABORT));
        ck_assert_uint_eq(c->deadline_usec[HOOK_FREEZE], 5 * USEC_PER_SEC);
        ck_assert_uint_eq(c->deadline_usec[HOOK_THAW], 500 * USEC_PER_MSEC);
        ck_assert_uint_eq(c->deadline_usec[HOOK_PREPARE_SNAPSHOT], 120 * USEC_PER_SEC);
        ck_assert_uint_eq(c->deadline_usec[HOOK_ABORT], hook_events[HOOK_ABORT].default_usec);
        ck_assert_uint_eq(c->freeze_to_thaw_usec, 30 * USEC_PER_SEC);
        ck_assert_uint_eq(c->n_includes, 2);
        ck_assert_str_eq(c->includes[0].directory, "/srv/mail");
        ck_assert_str_eq(c->includes[0].specification, "*");
        ck_assert(c->includes[0].recursive);
        ck_assert_str_eq(c->includes[1].directory, "/etc/mail conf");
        ck_assert_str_eq(c->includes[1].specification, "*.cf");
        ck_assert(!c->includes[1].recursive);
        ck_assert_uint_eq(c->n_excludes, 1);
}
END_TEST

START_TEST(little_is_enough) {
        _cleanup_(hook_config_freep) struct hook_config *c = load("[Paths]\nInclude=/\n");

        ck_assert_str_eq(c->name, "app");
        ck_assert_int_eq(c->level, VSS_APP_FRONT_END);
        ck_assert_int_eq(c->usage, VSS_UT_USERDATA);
        ck_assert_ptr_null(c->user);
        ck_assert(!c->always && !c->partial);
        ck_assert_str_eq(c->includes[0].directory, "/");
        ck_assert_uint_eq(c->deadline_usec[HOOK_FREEZE], 20 * USEC_PER_SEC);
        ck_assert_uint_eq(c->freeze_to_thaw_usec, 60 * USEC_PER_SEC);
}
END_TEST

START_TEST(the_id_of_a_name_never_changes) {
        _cleanup_(hook_config_freep) struct hook_config *a =
                load("[Writer]\nName=Mail store\nAlways=yes\n");
        _cleanup_(hook_config_freep) struct hook_config *b =
                load("[Writer]\nName=Mail Store\nAlways=yes\n");

        ck_assert_str_eq(VSS_ID_TEXT(a->id), "58930e93-4c83-5ac4-8bc1-0ac3a5da3cbd");
        ck_assert(!vss_id_equal(a->id, b->id));
        /* RFC 9562: version 5 and its variant. */
        ck_assert_uint_eq(a->id.Data3 >> 12, 5);
        ck_assert_uint_eq(a->id.Data4[0] >> 6, 2);
}
END_TEST

#define PATHS "[Paths]\nInclude=/srv\n"

START_TEST(unknown_words_are_refused) {
        refuse(PATHS "[Writers]\n", 3, "unknown section [Writers]");
        refuse(PATHS "[Writer]\nname=x\n", 4, "unknown key name= in [Writer]");
        refuse(PATHS "[Commands]\nFreze=/bin/true\n", 4, "unknown key Freze= in [Commands]");
        refuse(PATHS "[Deadlines]\nIdentify=1s\n", 4, "unknown key Identify= in [Deadlines]");
        refuse(PATHS "[Commands]\nFreezeToThaw=x\n", 4, "unknown key FreezeToThaw=");
        refuse("[Writer]\nFreeze=x\n", 2, "unknown key Freeze= in [Writer]");
}
END_TEST

START_TEST(things_that_stand_twice_are_refused) {
        refuse("[Writer]\nName=a\nName=b\n", 3, "second time");
        refuse("[Writer]\n[Paths]\n[Writer]\n", 3, "second time");
        refuse("[Commands]\nThaw=a\nThaw=a\n", 3, "second time");
}
END_TEST

START_TEST(values_that_mean_nothing_are_refused) {
        refuse("[Writer]\nName=\n", 2, "Name=");
        refuse("[Writer]\nName=a\\b\n", 2, "no backslash");
        refuse("[Writer]\nId=x\n", 2, "no GUID");
        refuse("[Writer]\nId=\n", 2, "no GUID");
        refuse("[Writer]\nId=00000000-0000-0000-0000-000000000000\n", 2, "no GUID");
        refuse("[Writer]\nLevel=3\n", 2, "Level=3");
        refuse("[Writer]\nUsage=userdata\n", 2, "Usage=userdata");
        refuse("[Writer]\nUser=\n", 2, "nobody");
        refuse("[Writer]\nAlways=1\n", 2, "neither yes nor no");
        refuse("[Commands]\nThaw=\n", 2, "no command");
        refuse("[Commands]\nThaw=''\n", 2, "empty program");
        refuse("[Commands]\nThaw=bin/x\n", 2, "absolute path");
        refuse("[Commands]\nThaw=a | b\n", 2, "without a shell");
        refuse("[Commands]\nThaw='a\n", 2, "not closed");
}
END_TEST

START_TEST(times_have_bounds) {
        refuse("[Deadlines]\nThaw=\n", 2, "no time");
        refuse("[Deadlines]\nThaw=-1s\n", 2, "no time");
        refuse("[Deadlines]\nThaw=1.5s\n", 2, "no time");
        refuse("[Deadlines]\nThaw=1h\n", 2, "no time");
        refuse("[Deadlines]\nThaw=18446744073709551616s\n", 2, "no time");
        refuse("[Deadlines]\nThaw=0\n", 2, "more than 0");
        refuse("[Deadlines]\nThaw=61s\n", 2, "at most 60s");
        refuse("[Deadlines]\nPostSnapshot=86401\n", 2, "at most 86400s");
        refuse("[Deadlines]\nFreezeToThaw=999999999min\n", 2, "at most 60s");
        refuse(PATHS "[Commands]\nFreeze=a\nThaw=a\n[Deadlines]\nFreezeToThaw=20s\n", 7,
               "must be below FreezeToThaw");
}
END_TEST

START_TEST(paths_are_plain_and_absolute) {
        refuse("[Paths]\nInclude=\n", 2, "DIRECTORY");
        refuse("[Paths]\nInclude=srv\n", 2, "absolute");
        refuse("[Paths]\nInclude=/srv/../etc\n", 2, "absolute");
        refuse("[Paths]\nInclude=/srv/./x\n", 2, "absolute");
        refuse("[Paths]\nInclude=/srv/..\n", 2, "absolute");
        refuse("[Paths]\nInclude=/srv/*.db\n", 2, "absolute");
        refuse("[Paths]\nInclude=/srv a/b\n", 2, "without '/'");
        refuse("[Paths]\nInclude=/srv a b recursive\n", 2, "DIRECTORY");
        refuse("[Paths]\nInclude=recursive\n", 2, "absolute");
}
END_TEST

START_TEST(the_whole_must_make_sense) {
        refuse("", 0, "never have anything to do");
        refuse("[Writer]\nAlways=no\n", 0, "never have anything to do");
        refuse(PATHS "[Commands]\nFreeze=/bin/true\n", 4, "without Thaw=");
}
END_TEST

START_TEST(event_tables_hold) {
        for (unsigned i = 0; i < _HOOK_EVENT_MAX; i++) {
                ck_assert_ptr_nonnull(hook_events[i].key);
                ck_assert_ptr_nonnull(hook_events[i].word);
                ck_assert_uint_gt(hook_events[i].default_usec, 0);
                ck_assert_uint_le(hook_events[i].default_usec, hook_events[i].max_usec);
                ck_assert_int_eq(hook_event_from_key(hook_events[i].key), (int)i);
        }
        ck_assert_int_eq(hook_event_from_key("Identify"), _HOOK_EVENT_MAX);
}
END_TEST

int main(void) {
        Suite *s = suite_create("hook-config");
        TCase *c = tcase_create("hook-config");
        SRunner *runner;
        int failed;

        tcase_add_test(c, everything_is_taken);
        tcase_add_test(c, little_is_enough);
        tcase_add_test(c, the_id_of_a_name_never_changes);
        tcase_add_test(c, unknown_words_are_refused);
        tcase_add_test(c, things_that_stand_twice_are_refused);
        tcase_add_test(c, values_that_mean_nothing_are_refused);
        tcase_add_test(c, times_have_bounds);
        tcase_add_test(c, paths_are_plain_and_absolute);
        tcase_add_test(c, the_whole_must_make_sense);
        tcase_add_test(c, event_tables_hold);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
