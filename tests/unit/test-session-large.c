/* A session with a large document: what takes long is done on a worker, in order, and what must not
 * be changed meanwhile is not. */

#include "common/vss-id.h"
#include "tests/unit/fake-components.h"

#include <time.h>

#define LARGE ((size_t)9 * 1024 * 1024)

static char *large_text(size_t size, char of) {
        char *text = malloc(size + 1);

        ck_assert_ptr_nonnull(text);
        memset(text, of, size);
        text[size] = '\0';
        return text;
}

/* A component of front, whose backup options are as large as that. */
static struct session *large_session(void) {
        struct session *s = session_with_components();
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        char *text = large_text(LARGE, 'x');

        ck_assert_int_eq(add_component(s, &host.front, VSS_CT_FILEGROUP, "", "data"), S_OK);
        a.texts[0] = text;
        ck_assert_int_eq(call_component(s, METHOD_SET_BACKUP_OPTIONS, a), S_OK);
        free(text);
        return s;
}

static struct {
        unsigned n, n_good;
        size_t size;
        bool stamped;
} printed;

static void on_printed(void *userdata _unused_, int r, const void *result,
                       struct vss_error *error _unused_) {
        struct document *d = (struct document *)(uintptr_t)result;

        printed.n++;
        if (r < 0)
                return;
        printed.n_good++;
        printed.size = document_size(d);
        printed.stamped = strstr(document_text(d), "backupStamp=\"s\"");
}

static void wait_for_printed(unsigned n) {
        while (printed.n < n)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
}

START_TEST(a_large_document_is_printed_by_a_worker) {
        struct session *s = large_session();
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        struct document *d = NULL;
        struct vss_error e = { 0 };
        VSS_ID instance, writer;

        memset(&printed, 0, sizeof(printed));
        ck_assert_int_eq(session_save_as_xml(s, &d, on_printed, NULL, &e), 0);
        ck_assert_int_eq(
                session_get_writer_components(s, 0, &instance, &writer, &d, on_printed, NULL, &e),
                0);
        ck_assert(vss_id_equal(instance, instance_of(&host.front)));
        ck_assert_uint_eq(printed.n, 0);
        /* It is being read: nobody may change it. */
        a.texts[0] = "s";
        ck_assert_int_eq(call_component(s, METHOD_SET_PREVIOUS_BACKUP_STAMP, a), VSS_E_BAD_STATE);
        ck_assert_ptr_nonnull(strstr(answer.message, "wait"));
        ck_call(VSS_E_BAD_STATE,
                session_set_backup_state(s, true, false, VSS_BT_COPY, true, &error));
        wait_for_printed(2);
        ck_assert_uint_eq(printed.n_good, 2);
        ck_assert_uint_gt(printed.size, LARGE);
        ck_assert_int_eq(call_component(s, METHOD_SET_PREVIOUS_BACKUP_STAMP, a), S_OK);
        session_free(s);
}
END_TEST

/* What front answers with: a stamp, and much that nobody knows. */
static char *large_answer(void) {
        static const char format[] =
                "<BACKUP_COMPONENTS version=\"1.2\" x=\"%s\"><WRITER_COMPONENTS instanceId=\"%s\" "
                "writerId=\"%s\"><COMPONENT componentName=\"data\" componentType=\"filegroup\" "
                "backupStamp=\"s\"/></WRITER_COMPONENTS></BACKUP_COMPONENTS>";
        char *padding = large_text((size_t)2 * 1024 * 1024, 'y'), *text = NULL;

        ck_assert_int_eq(str_format(&text, format, padding, VSS_ID_TEXT(instance_of(&host.front)),
                                    VSS_ID_TEXT(class_of(&host.front))),
                         0);
        free(padding);
        return text;
}

static void prepare(struct session *s) {
        VSS_ID set;

        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_assert_int_eq(add_volume(s, "alpha/one"), S_OK);
}

/* An operation has ended when what its writers answered with is in the document. */
START_TEST(a_backup_with_a_large_document) {
        const bool large = _i & 1, changes = _i & 2;
        struct session *s = large ? large_session() : session_with_components();
        struct document *d = NULL;
        struct vss_error e = { 0 };
        char *text = large_answer();
        int r;

        if (!large)
                ck_assert_int_eq(add_component(s, &host.front, VSS_CT_FILEGROUP, "", "data"), S_OK);
        host.front.changed = changes ? text : NULL;
        prepare(s);
        ck_finished(session_prepare_for_backup, s);
        ck_assert_ptr_nonnull(strstr(host.front.components, "componentName=\"data\""));
        ck_assert_str_eq(host.back.components, "");
        memset(&printed, 0, sizeof(printed));
        r = session_save_as_xml(s, &d, on_printed, NULL, &e);
        ck_assert_int_eq(r, large ? 0 : 1);
        if (r == 1)
                on_printed(NULL, 0, d, &e);
        document_unref(d);
        wait_for_printed(1);
        ck_assert_uint_eq(printed.n_good, 1);
        ck_assert_int_eq(printed.stamped, changes);
        ck_finished(session_do_snapshot_set, s);
        ck_assert_ptr_nonnull(strstr(host.front.components, "componentName=\"data\""));
        ck_finished(session_backup_complete, s);
        session_free(s);
        host.front.changed = NULL;
        free(text);
}
END_TEST

START_TEST(a_restore_with_a_large_document) {
        struct session *s = large_session(), *restore = session_make();
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        static char *saved;
        struct vss_error e = { 0 };
        char *options = large_text(LARGE, 'x');

        session_free(s);
        ck_assert_int_eq(str_format(&saved,
                                    "<BACKUP_COMPONENTS version=\"1.2\" selectComponents=\"yes\">"
                                    "<WRITER_COMPONENTS instanceId=\"%s\" writerId=\"%s\" "
                                    "backupSchema=\"29440\"><COMPONENT componentName=\"data\" "
                                    "componentType=\"filegroup\" backupOptions=\"%s\"/>"
                                    "</WRITER_COMPONENTS></BACKUP_COMPONENTS>",
                                    VSS_ID_TEXT(instance_of(&host.front)),
                                    VSS_ID_TEXT(class_of(&host.front)), options),
                         0);
        free(options);
        ck_assert_int_eq(initialize_from(restore, METHOD_INITIALIZE_FOR_RESTORE, saved), S_OK);
        ck_finished(session_gather_writer_metadata, restore);
        a.flag = true;
        ck_assert_int_eq(call_component(restore, METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
        ck_finished(session_pre_restore, restore);
        ck_assert_ptr_nonnull(strstr(host.front.components, "componentName=\"data\""));
        ck_assert_str_eq(host.back.components, "");
        ck_finished(session_post_restore, restore);
        session_free(restore);
        vss_error_done(&e);
        free(saved);
}
END_TEST

static int begin_save(struct session *s, struct async **ret _unused_) {
        struct document *d = NULL;

        for (unsigned i = 0; i < 3; i++)
                ck_assert_int_eq(session_save_as_xml(s, &d, on_printed, NULL, NULL), 0);
        return 0;
}
static int begin_prepare(struct session *s, struct async **ret) {
        return session_prepare_for_backup(s, ret, NULL);
}
static int begin_set(struct session *s, struct async **ret) {
        ck_finished(session_prepare_for_backup, s);
        return session_do_snapshot_set(s, ret, NULL);
}

/* Who goes, cancels or aborts meanwhile is answered, and nothing comes after. */
START_TEST(it_may_end_at_any_time) {
        static int (*const begin[])(struct session *,
                                    struct async **) = { begin_save, begin_prepare, begin_set };
        char *text = large_answer();

        for (unsigned turns = 0; turns < 24; turns += 3)
                for (unsigned how = 0; how < 3; how++) {
                        struct session *s = large_session();
                        struct async *a = NULL;

                        memset(&printed, 0, sizeof(printed));
                        host.front.changed = text;
                        prepare(s);
                        ck_assert_int_eq(begin[_i](s, &a), 0);
                        for (unsigned i = 0; i < turns; i++)
                                ck_assert_int_ge(sd_event_run(host.event, i % 3 ? 2000 : 0), 0);
                        if (how == 1 && a) {
                                (void)async_cancel(a); /* or it has ended */
                                ck_assert_int_ne(wait_for(async_ref(a)), VSS_S_ASYNC_PENDING);
                        } else if (how == 2)
                                (void)abort_backup(s);
                        session_free(s);
                        ck_assert(!a || async_status(a) != VSS_S_ASYNC_PENDING);
                        async_unref(a);
                        host.front.changed = NULL;
                        host_settle();
                        ck_assert_uint_eq(printed.n, _i == 0 ? 3 : 0);
                        host.journal.text[0] = '\0';
                        host_turn_until_no_job();
                }
        free(text);
}
END_TEST

/* --- many additions: what each costs does not depend on how many there were --- */

/* One component with n sets of files, each with an alternate location, and n components below. */
static char *many_files(size_t n) {
        char *text = malloc(1024 + n * 512), *at = text;

        ck_assert_ptr_nonnull(text);
        at += sprintf(at,
                      "<WRITER_METADATA version=\"1.2\" backupSchema=\"%u\"><IDENTIFICATION "
                      "writerId=\"00001000-0066-0000-0000-000000000000\" friendlyName=\"front\"/>"
                      "<RESTORE_METHOD method=\"RESTORE_IF_NOT_THERE\" writerRestore=\"always\">",
                      (unsigned)VSS_BS_WRITER_SUPPORTS_NEW_TARGET);
        for (size_t i = 0; i < n; i++)
                at += sprintf(at,
                              "<ALTERNATE_LOCATION_MAPPING path=\"/srv/data\" filespec=\"%zu\" "
                              "alternatePath=\"/else\"/>",
                              i);
        at += sprintf(at, "</RESTORE_METHOD><BACKUP_LOCATIONS><FILE_GROUP componentName=\"data\" "
                          "selectable=\"yes\">");
        for (size_t i = 0; i < n; i++)
                at += sprintf(at, "<FILE_LIST path=\"/srv/data/\" filespec=\"%zu\"/>", i);
        at += sprintf(at, "</FILE_GROUP>");
        for (size_t i = 0; i < n; i++)
                at += sprintf(at,
                              "<FILE_GROUP logicalPath=\"data\" componentName=\"%zu\" "
                              "selectableForRestore=\"yes\"/>",
                              i);
        (void)sprintf(at, "</BACKUP_LOCATIONS></WRITER_METADATA>");
        return text;
}

static double cpu_ms(void) {
        struct timespec t;

        ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Each file gets a new target, and an alternate location; each component below is restored. */
static double cost_of_additions(size_t n) {
        static const char saved[] =
                "<BACKUP_COMPONENTS version=\"1.2\" selectComponents=\"yes\"><WRITER_COMPONENTS "
                "writerId=\"00001000-0066-0000-0000-000000000000\"><COMPONENT "
                "componentName=\"data\" componentType=\"filegroup\"/></WRITER_COMPONENTS>"
                "</BACKUP_COMPONENTS>";
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        struct session *s = session_make();
        char *metadata = many_files(n), name[24];
        double begin;

        host.front.metadata = metadata;
        ck_assert_int_eq(initialize_from(s, METHOD_INITIALIZE_FOR_RESTORE, saved), S_OK);
        ck_finished(session_gather_writer_metadata, s);
        a.flag = true;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
        a.flag = false;
        begin = cpu_ms();
        for (size_t i = 0; i < n; i++) {
                (void)snprintf(name, sizeof(name), "%zu", i);
                a.texts[0] = "/srv/data";
                a.texts[1] = name;
                a.texts[2] = "/new";
                ck_assert_int_eq(call_component(s, METHOD_ADD_NEW_TARGET, a), S_OK);
                ck_assert_int_eq(call_component(s, METHOD_ADD_ALTERNATIVE_LOCATION_MAPPING, a),
                                 S_OK);
                a.texts[0] = "data";
                ck_assert_int_eq(call_component(s, METHOD_ADD_RESTORE_SUBCOMPONENT, a), S_OK);
        }
        begin = cpu_ms() - begin;
        a.texts[0] = "/srv/data";
        a.texts[1] = "none";
        ck_assert_int_eq(call_component(s, METHOD_ADD_NEW_TARGET, a), VSS_E_OBJECT_NOT_FOUND);
        session_free(s);
        host_settle();
        host.front.metadata = front_metadata;
        free(metadata);
        return begin;
}

/* Eight times as many take 64 times as long where each looks at all that were there. */
START_TEST(many_additions_cost_what_one_costs) {
        const char *n = getenv("ADDITIONS"); /* to see how long they take */
        double few, many;

        if (n) {
                printf("%s additions of three kinds: %.0f ms of processor time\n", n,
                       cost_of_additions(strtoul(n, NULL, 10)));
                return;
        }
        few = cost_of_additions(2000);
        many = cost_of_additions(16000);
        ck_assert_msg(many < 24 * few, "2000 take %.1f ms, 16000 take %.1f ms", few, many);
}
END_TEST

static void ignore(void *userdata _unused_, int r _unused_, const void *result _unused_,
                   struct vss_error *error _unused_) {}

/* The check of what was gathered ends in the same turn of the loop as the abort begins. */
START_TEST(an_abort_meets_the_check_of_a_gathering_that_was_cancelled) {
        struct session *s = session_make();
        struct async *a = NULL;
        VSS_ID set;

        ck_ok(session_initialize_for_backup(s, &error));
        ck_ok(session_gather_writer_metadata(s, &a, &error));
        while (job_count() == 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        (void)async_cancel(a);
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_CANCELLED);
        ck_ok(session_start_snapshot_set(s, &set, &error));
        while (sd_event_prepare(host.event) == 0 && sd_event_wait(host.event, UINT64_MAX) == 0)
                ;
        ck_ok(session_abort_backup(s, ignore, NULL, &error));
        ck_assert_int_ge(sd_event_dispatch(host.event), 0);
        host_settle();
        async_unref(a);
        session_free(s);
}
END_TEST

/* Has the set been made, with a writer's long answer still being read? */
static bool abort_between(void) {
        struct session *s = large_session();
        struct async *a = NULL;
        unsigned added = host.added;
        bool met;

        prepare(s);
        ck_finished(session_prepare_for_backup, s);
        ck_ok(session_do_snapshot_set(s, &a, &error));
        while (host.added == added)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        met = async_status(a) == VSS_S_ASYNC_PENDING;
        if (met) {
                unsigned removed = host.removed;

                abort_backup(s);
                while (async_status(a) == VSS_S_ASYNC_PENDING)
                        ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
                ck_assert_int_eq(async_status(a), VSS_S_ASYNC_FINISHED); /* too late */
                ck_assert_uint_eq(host.removed, removed);
        }
        async_unref(a);
        session_free(s);
        host_settle();
        host_turn_until_no_job();
        return met;
}

START_TEST(an_abort_after_the_commit_is_too_late) {
        char *text = large_answer();
        unsigned n = 0;

        host.front.changed = text;
        while (!abort_between())
                ck_assert_uint_lt(++n, 50);
        host.front.changed = NULL;
        free(text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("session-large");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, components_setup, host_teardown);
        tcase_set_timeout(tc, 120);
        tcase_add_test(tc, a_large_document_is_printed_by_a_worker);
        tcase_add_loop_test(tc, a_backup_with_a_large_document, 0, 4);
        tcase_add_test(tc, a_restore_with_a_large_document);
        tcase_add_loop_test(tc, it_may_end_at_any_time, 0, 3);
        tcase_add_test(tc, many_additions_cost_what_one_costs);
        tcase_add_test(tc, an_abort_meets_the_check_of_a_gathering_that_was_cancelled);
        tcase_add_test(tc, an_abort_after_the_commit_is_too_late);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
