/* How a set was made and what it is to its writers, for everybody who asks: by the properties, the
 * library's functions and vssctl. One writer has files on one of two volumes, another on the other
 * one and fails, a third is not asked. */

#include "tests/bus/bus-writer.h"

#include <stdio.h>
#include <sys/wait.h>
#include <vss/vsslinux.h>

#define DOCUMENT(id, writer_name, path)                                                         \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.1\">"           \
        "<IDENTIFICATION writerId=\"" id "\" instanceId=\"" id "\" friendlyName=\"" writer_name \
        "\" usage=\"USER_DATA\" dataSource=\"OTHER\"/>"                                         \
        "<BACKUP_LOCATIONS><FILE_GROUP componentName=\"files\" caption=\"files\">"              \
        "<FILE_LIST path=\"" path "\" filespec=\"*\" recursive=\"yes\"/></FILE_GROUP>"          \
        "</BACKUP_LOCATIONS></WRITER_METADATA>"
#define FRONT_ID "aaaaaaaa-0000-4000-8000-000000000001"
#define BACK_ID "aaaaaaaa-0000-4000-8000-000000000002"
#define THIRD_ID "aaaaaaaa-0000-4000-8000-000000000003"

static struct harness h;
static struct client c;
static struct bus_writer front = {
        .label = "front",
        .name = "Front <Writer>",
        .class_id = FRONT_ID,
        .level = VSS_APP_FRONT_END,
        .metadata = DOCUMENT(FRONT_ID, "Front &lt;Writer&gt;", "/srv/data/files"),
};
static struct bus_writer back = {
        .label = "back",
        .name = "Back Writer",
        .class_id = BACK_ID,
        .level = VSS_APP_BACK_END,
        .metadata = DOCUMENT(BACK_ID, "Back Writer", "/srv/mail"),
        .special_event = "PostSnapshot",
        .special = ANSWER_VETO,
};
static struct bus_writer third = {
        .label = "third",
        .name = "Third Writer",
        .class_id = THIRD_ID,
        .level = VSS_APP_SYSTEM,
};

static char set_id[64];

static void make_set(void) {
        char *volumes[] = { (char *)"/srv/data", (char *)"/srv/mail", NULL };
        char *options[] = { (char *)"require-writers", (char *)"no", (char *)"exclude-writers",
                            (char *)"Third Writer", NULL };
        char **ids = NULL, **devices = NULL;
        const char *set;

        reply_read(client_call(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, options),
                   "sasas", &set, &ids, &devices);
        (void)snprintf(set_id, sizeof(set_id), "%s", set);
        strv_free(ids);
        strv_free(devices);
}

static void setup(void) {
        bus_writer_forget();
        harness_start(&h, NULL);
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", h.address, 1), 0);
        client_open(&c, &h);
        bus_writer_start(&front, &h);
        bus_writer_start(&back, &h);
        bus_writer_start(&third, &h);
        harness_knob(&h, "slow", "commit 5"); /* without, there is nothing in the window */
        make_set();
        harness_knob(&h, "slow", NULL);
}

static void teardown(void) {
        bus_writer_stop(&front);
        bus_writer_stop(&back);
        bus_writer_stop(&third);
        client_close(&c);
        harness_stop(&h);
}

static const char *set_path(void) {
        static char path[128];

        (void)snprintf(path, sizeof(path), ROOT "/set/%s", set_id);
        for (char *p = path; *p; p++)
                if (*p == '-')
                        *p = '_';
        return path;
}

/* What vssctl prints on standard output; it must end well. */
static const char *vssctl(const char *arguments) {
        static char text[65536];
        char command[512];
        size_t n;
        FILE *f;

        (void)snprintf(command, sizeof(command), "'%s' %s", VSSCTL, arguments);
        f = popen(command, "re");
        ck_assert_ptr_nonnull(f);
        n = fread(text, 1, sizeof(text) - 1, f);
        text[n] = '\0';
        ck_assert_msg(pclose(f) == 0, "%s: %s", command, text);
        return text;
}

#define EXPECT(text, wanted) ck_assert_msg(strstr((text), (wanted)), "no '%s' in: %s", wanted, text)

START_TEST(the_properties_tell_each_ones_part) {
        static const char *const names[] = { "Steps", "Writers" };
        DBusMessageIter iter, variant;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                DBusMessage *reply = client_call(&c, set_path(), PROPERTIES, "Get", "ss",
                                                 SNAPSHOT_SET, names[i]);
                char *signature;

                ck_assert(dbus_message_iter_init(reply, &iter));
                dbus_message_iter_recurse(&iter, &variant);
                signature = dbus_message_iter_get_signature(&variant);
                ck_assert_str_eq(signature, "aa{sv}");
                dbus_free(signature);
                ck_assert_int_ge(dbus_message_iter_get_element_count(&variant), 3);
                dbus_message_unref(reply);
        }
}
END_TEST

static const VSS_SET_STEP *find_step(const VSS_SET_TIMELINE *t, const char *kind, const char *name,
                                     const char *step) {
        for (UINT i = 0; i < t->n_steps; i++)
                if (streq(t->steps[i].kind, kind) &&
                    streq(t->steps[i].name ? t->steps[i].name : "", name) &&
                    streq(t->steps[i].step, step))
                        return &t->steps[i];
        ck_abort_msg("%s %s did no %s", kind, name, step);
        return NULL;
}

START_TEST(the_library_gives_the_steps) {
        const VSS_SET_STEP *freeze, *thaw, *suspend, *resume;
        VSS_SET_TIMELINE *t;
        VSS_ID id;

        ck_assert_int_eq(VssIdFromString(set_id, &id), S_OK);
        ck_assert_int_eq(VssGetSetTimeline(id, &t), S_OK);
        ck_assert_str_eq(t->phases[t->count - 1].name, "Seal");
        freeze = find_step(t, "writer", "Front <Writer>", "Freeze");
        thaw = find_step(t, "writer", "Front <Writer>", "Thaw");
        suspend = find_step(t, "volume", "/srv/data/", "Suspend");
        resume = find_step(t, "volume", "/srv/data/", "Resume");
        ck_assert_uint_le(freeze->end_usec, suspend->begin_usec);
        ck_assert_uint_le(suspend->end_usec, resume->begin_usec);
        ck_assert_uint_le(resume->end_usec, thaw->begin_usec);
        ck_assert_str_eq(freeze->id, front.instance_id);
        ck_assert_int_eq(freeze->failure, S_OK);
        ck_assert_int_eq(find_step(t, "writer", "Back Writer", "PostSnapshot")->failure,
                         VSS_E_WRITERERROR_RETRYABLE);
        (void)find_step(t, "volume", "/srv/mail/", "Commit");
        (void)find_step(t, "window", "", "Suspend");
        VssFreeSetTimeline(t);
}
END_TEST

START_TEST(the_library_gives_what_the_writers_reached) {
        VSS_SET_WRITER_INFO **writers;
        VSS_ID id;
        UINT n;

        ck_assert_int_eq(VssIdFromString(set_id, &id), S_OK);
        ck_assert_int_eq(VssListSetWriters(id, &writers, &n), S_OK);
        ck_assert_uint_eq(n, 3);
        for (UINT i = 0; i < n; i++) {
                const VSS_SET_WRITER_INFO *w = writers[i];

                if (streq(w->name, "Front <Writer>")) {
                        ck_assert_str_eq(w->consistency, "application");
                        ck_assert_ptr_null(w->reason);
                        ck_assert_str_eq(w->volumes[0], "/srv/data/");
                        ck_assert_ptr_null(w->volumes[1]);
                } else if (streq(w->name, "Back Writer")) {
                        ck_assert_str_eq(w->consistency, "file-system");
                        EXPECT(w->reason, "in PostSnapshot: the fake is not ready");
                        ck_assert_int_eq(w->failure, VSS_E_WRITERERROR_RETRYABLE);
                        ck_assert_int_eq(w->state, VSS_WS_FAILED_AT_POST_SNAPSHOT);
                } else {
                        ck_assert_str_eq(w->name, "Third Writer");
                        ck_assert_str_eq(w->consistency, "file-system");
                        EXPECT(w->reason, "the requester left it out");
                }
        }
        VssFreeSetWriters(writers);

        id.Data1++;
        ck_assert_int_eq(VssListSetWriters(id, &writers, &n), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_ptr_null(writers);
        ck_assert_int_eq(VssListSetWriters(id, NULL, NULL), E_INVALIDARG);
        VssFreeSetWriters(NULL);
}
END_TEST

START_TEST(vssctl_says_why_not_more) {
        char arguments[128];
        const char *text;

        (void)snprintf(arguments, sizeof(arguments), "show %s", set_id);
        text = vssctl(arguments);
        EXPECT(text, "Consistency: application\n");
        EXPECT(text, "Consistency: file-system\n");
        EXPECT(text, "Reason: writer Back Writer, which has files on it, failed in PostSnapshot: "
                     "the fake is not ready (VSS_E_WRITERERROR_RETRYABLE); its file system was "
                     "flushed and held\n");
        EXPECT(text, "\nWriter Front <Writer>: application on /srv/data/\n");
        EXPECT(text, "\nWriter Back Writer: file-system on /srv/mail/; it failed in ");
        EXPECT(text, "\nWriter Third Writer: file-system on /srv/data/, /srv/mail/; it did not "
                     "take part: the requester left it out\n");

        (void)snprintf(arguments, sizeof(arguments), "show --json %s", set_id);
        text = vssctl(arguments);
        EXPECT(text, "\"consistency_reason\": null");
        EXPECT(text, "\"consistency_reason\": \"writer Back Writer, which ");
        EXPECT(text, "\"name\": \"Front <Writer>\",\n      \"writer_id\": \"" FRONT_ID "\",\n");
        EXPECT(text, "\"volumes\": [\n        \"/srv/data/\"\n      ]");
}
END_TEST

START_TEST(vssctl_tells_and_draws_the_timeline) {
        char arguments[128];
        const char *text;

        text = vssctl("timeline ShadowCopy1");
        EXPECT(text, " s  Stage ");
        EXPECT(text, " s    writer Front <Writer>  ");
        EXPECT(text, " s    volume /srv/data/: Suspend  ");
        EXPECT(text, "  failed: VSS_E_WRITERERROR_RETRYABLE\n");
        EXPECT(text, "\nWrites were held for ");

        (void)snprintf(arguments, sizeof(arguments), "timeline --json %s", set_id);
        text = vssctl(arguments);
        EXPECT(text, set_id);
        EXPECT(text, "\"phase\": \"Seal\"");
        EXPECT(text, "\"kind\": \"volume\"");
        EXPECT(text, "\"failure_name\": \"VSS_E_WRITERERROR_RETRYABLE\"");

        (void)snprintf(arguments, sizeof(arguments), "timeline --svg - %.8s", set_id);
        text = vssctl(arguments);
        EXPECT(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
        EXPECT(text, "Front &lt;Writer&gt;");
        EXPECT(text, "The window");
        EXPECT(text, "</svg>\n");
        EXPECT(vssctl("timeline --svg /nonexistent/x ShadowCopy1 2>&1; test $? -eq 2"),
               "cannot write the chart to /nonexistent/x: No such file or directory");
        EXPECT(vssctl("timeline --json --svg - ShadowCopy1 2>&1; test $? -eq 1"),
               "cannot both have standard output");
}
END_TEST

START_TEST(a_set_that_failed_says_in_which_phase) {
        harness_knob(&h, "fail", "stage");
        EXPECT(vssctl("create --quiet /srv/data 2>&1; test $? -ne 0"),
               "no snapshot was made (it failed in Stage): ");
        harness_knob(&h, "fail", NULL);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-timeline");
        TCase *t = tcase_create("bus-timeline");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_test(t, the_properties_tell_each_ones_part);
        tcase_add_test(t, the_library_gives_the_steps);
        tcase_add_test(t, the_library_gives_what_the_writers_reached);
        tcase_add_test(t, vssctl_says_why_not_more);
        tcase_add_test(t, vssctl_tells_and_draws_the_timeline);
        tcase_add_test(t, a_set_that_failed_says_in_which_phase);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
