/* Component mode over scripted writers: which components can be added, who takes part, what each
 * writer is shown and may change, and what is saved. */

#include "tests/unit/fake-components.h"

static const struct {
        const char *path, *name;
        VSS_COMPONENT_TYPE type;
        HRESULT hr;
} additions[] = {
        { "", "data", VSS_CT_FILEGROUP, S_OK },
        { NULL, "data", VSS_CT_FILEGROUP, VSS_E_OBJECT_ALREADY_EXISTS }, /* NULL and "" are one */
        { "", "db", VSS_CT_DATABASE, S_OK },
        { "", "db", VSS_CT_FILEGROUP, VSS_E_OBJECT_NOT_FOUND }, /* another type */
        /* Of a set, and not selectable: it comes with what defines the set, and never alone. */
        { "data", "part", VSS_CT_FILEGROUP, E_INVALIDARG },
        { "data\\deep", "fixed", VSS_CT_FILEGROUP, E_INVALIDARG },
        { "dataset", "alien", VSS_CT_FILEGROUP, S_OK }, /* segments are whole */
        { "data", "data", VSS_CT_FILEGROUP, VSS_E_OBJECT_NOT_FOUND },
        { "", "nobody", VSS_CT_FILEGROUP, VSS_E_OBJECT_NOT_FOUND },
        { "", "", VSS_CT_FILEGROUP, E_INVALIDARG },
        { "", NULL, VSS_CT_FILEGROUP, E_INVALIDARG },
        { "", "data", VSS_CT_UNDEFINED, E_INVALIDARG },
};

START_TEST(components_are_added_as_the_metadata_has_them) {
        struct session *s = session_with_components();
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        uint32_t n;

        ck_ok(session_get_writer_components_count(s, &n, &error));
        ck_assert_uint_eq(n, 0);
        for (size_t i = 0; i < ARRAY_SIZE(additions); i++)
                ck_assert_msg(add_component(s, &host.front, additions[i].type, additions[i].path,
                                            additions[i].name) == additions[i].hr,
                              "row %zu: %s", i, answer.message);
        /* Writers are counted, not components. */
        ck_ok(session_get_writer_components_count(s, &n, &error));
        ck_assert_uint_eq(n, 1);

        a.key.instance_id = instance_of(&host.back); /* not of this class */
        ck_assert_int_eq(call_component(s, METHOD_ADD_COMPONENT, a), VSS_E_OBJECT_NOT_FOUND);
        a.key.instance_id = GUID_NULL;
        ck_assert_int_eq(call_component(s, METHOD_ADD_COMPONENT, a), VSS_E_OBJECT_NOT_FOUND);
        a.key.writer_id = GUID_NULL;
        ck_assert_int_eq(call_component(s, METHOD_ADD_COMPONENT, a), E_INVALIDARG);
        session_free(s);
}
END_TEST

START_TEST(additions_want_their_state) {
        struct session *s = session_up_to("B0", VSS_CTX_BACKUP, NULL), *nas;

        ck_assert_int_eq(add_component(s, &host.front, VSS_CT_FILEGROUP, "", "data"),
                         VSS_E_BAD_STATE);
        session_free(s);
        nas = session_up_to("BM", VSS_CTX_NAS_ROLLBACK, NULL);
        ck_assert_int_eq(add_component(nas, &host.front, VSS_CT_FILEGROUP, "", "data"),
                         VSS_E_BAD_STATE);
        session_free(nas);
        /* The list is the requester's to free; what is known of the writers stays known. */
        s = session_with_components();
        ck_ok(session_free_writer_metadata(s, &error));
        ck_assert_int_eq(add_component(s, &host.front, VSS_CT_FILEGROUP, "", "data"), S_OK);
        ck_assert_int_eq(add_component(s, &host.front, VSS_CT_FILEGROUP, "", "none"),
                         VSS_E_OBJECT_NOT_FOUND);
        session_free(s);
}
END_TEST

/* What was gathered is enough to add it, also of a writer that went away since. */
START_TEST(a_writer_that_is_gone_keeps_its_name) {
        struct fake_writer named = { .metadata = front_metadata };
        struct component_args a;
        struct session *s;

        fake_writer_register_instance(&named, host.registry, host.event, &host.journal, "front",
                                      "15-main", VSS_APP_FRONT_END);
        s = session_with_components();
        a = args_of(&named, VSS_CT_FILEGROUP, "", "data");
        a.key.instance_id = instance_of(&named);
        fake_writer_gone(&named);
        ck_assert_int_eq(call_component(s, METHOD_ADD_COMPONENT, a), S_OK);
        ck_assert_ptr_nonnull(strstr(save(s), "instanceName=\"15-main\""));
        session_free(s);
}
END_TEST

/* As one that did not answer: nobody is shown it, and it has no part in anything. */
START_TEST(a_writer_without_valid_metadata_is_left_out) {
        static const char *const none[] = {
                "<WRITER_METADATA",
                "<WRITER_COMPONENTS/>",
                "<WRITER_METADATA/>",
                ("<WRITER_METADATA><IDENTIFICATION writerId=\"1\" friendlyName=\"w\"/>"
                 "</WRITER_METADATA>"),
                "",
        };
        struct session *s;
        uint32_t n = 0;

        host.front.metadata = none[_i];
        s = session_with_components();
        ck_ok(session_get_writer_metadata_count(s, &n, &error));
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(add_component(s, &host.front, VSS_CT_FILEGROUP, "", "data"),
                         VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(add_component(s, &host.back, VSS_CT_FILEGROUP, "", "log"), S_OK);
        ck_finished(session_gather_writer_status, s);
        ck_ok(session_get_writer_status_count(s, &n, &error));
        ck_assert_uint_eq(n, 1);
        session_free(s);
}
END_TEST

/* Its documents are being looked at: whoever goes then is answered, and nothing comes after. */
START_TEST(gathering_may_end_while_documents_are_looked_at) {
        for (unsigned turns = 0; turns < 8; turns++)
                for (unsigned cancels = 0; cancels < 2; cancels++) {
                        struct session *s = session_make();
                        struct async *a;
                        uint32_t n;

                        ck_ok(session_initialize_for_backup(s, &error));
                        ck_ok(session_gather_writer_metadata(s, &a, &error));
                        for (unsigned i = 0; i < turns; i++)
                                ck_assert_int_ge(sd_event_run(host.event, 0), 0);
                        if (cancels) {
                                (void)async_cancel(a); /* or it has ended */
                                ck_assert_int_ne(wait_for(a), VSS_S_ASYNC_PENDING);
                                host_turn_until_no_job();
                                (void)session_get_writer_metadata_count(s, &n, NULL);
                                session_free(s);
                        } else {
                                session_free(s);
                                ck_assert_int_ne(async_status(a), VSS_S_ASYNC_PENDING);
                                async_unref(a);
                        }
                        host_settle();
                }
}
END_TEST

static unsigned n_done, n_good;
static void count_done(void *userdata _unused_, int r, const void *result _unused_,
                       struct vss_error *error _unused_) {
        n_done++;
        n_good += r >= 0;
}

/* Many calls at once wait for one reading, and are answered in their order. */
START_TEST(calls_may_come_all_at_once) {
        struct session *s = session_with_components();
        struct component_args a[3];

        n_done = n_good = 0;
        for (size_t i = 0; i < ARRAY_SIZE(a); i++) {
                a[i] = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
                a[i].key.instance_id = instance_of(&host.front);
                ck_assert_int_eq(session_call_component(s, METHOD_ADD_COMPONENT, &a[i], count_done,
                                                        NULL, NULL),
                                 0);
        }
        while (n_done < 3)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        ck_assert_uint_eq(n_good, 1); /* the others came second */
        session_free(s);

        /* Who goes meanwhile is answered at once. */
        s = session_with_components();
        n_done = n_good = 0;
        ck_assert_int_eq(
                session_call_component(s, METHOD_ADD_COMPONENT, &a[0], count_done, NULL, NULL), 0);
        session_free(s);
        ck_assert_uint_eq(n_done, 1);
        ck_assert_uint_eq(n_good, 0);
}
END_TEST

/* What the writer answers in the one phase, in the document of its components. */
static void change(struct fake_writer *w, char buf[static 1024], const char *attributes) {
        char id[VSS_ID_TEXT_MAX], class[VSS_ID_TEXT_MAX];

        (void)snprintf(buf, 1024,
                       "<BACKUP_COMPONENTS version=\"1.2\"><WRITER_COMPONENTS instanceId=\"%s\" "
                       "writerId=\"%s\" backupSchema=\"0\"><COMPONENT componentName=\"data\" "
                       "componentType=\"filegroup\" %s/></WRITER_COMPONENTS></BACKUP_COMPONENTS>",
                       vss_id_format(instance_of(w), id), vss_id_format(class_of(w), class),
                       attributes);
        w->changed = buf;
}

START_TEST(a_backup_of_components) {
        struct session *s = session_with_components();
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        struct document *d = NULL;
        static char buf[1024]; /* the last events ask for it after the test */
        const char *text;
        VSS_ID set, instance, writer;

        ck_assert_int_eq(add_component(s, &host.front, VSS_CT_FILEGROUP, "", "data"), S_OK);
        a.texts[0] = "quick";
        ck_assert_int_eq(call_component(s, METHOD_SET_BACKUP_OPTIONS, a), S_OK);
        a.texts[0] = "stamp \1"; /* XML cannot carry it */
        ck_assert_int_eq(call_component(s, METHOD_SET_PREVIOUS_BACKUP_STAMP, a), E_INVALIDARG);
        a.texts[0] = "monday";
        ck_assert_int_eq(call_component(s, METHOD_SET_PREVIOUS_BACKUP_STAMP, a), S_OK);
        a.key.name = "db"; /* not added */
        ck_assert_int_eq(call_component(s, METHOD_SET_BACKUP_OPTIONS, a), VSS_E_OBJECT_NOT_FOUND);
        a.key.name = "data";

        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_assert_int_eq(add_volume(s, "alpha/one"), S_OK);
        host.journal.text[0] = '\0';
        change(&host.front, buf, "backupStamp=\"tuesday\" backupOptions=\"slow\"");
        ck_finished(session_prepare_for_backup, s);
        /* Only who has a component takes part, and it sees what was set. */
        ck_assert_str_eq(host.journal.text, "front:PrepareBackup ");
        ck_assert_ptr_nonnull(strstr(host.front.components, "previousBackupStamp=\"monday\""));
        ck_assert_ptr_nonnull(strstr(host.front.components, "backupOptions=\"quick\""));
        ck_assert_int_eq(add_component(s, &host.front, VSS_CT_DATABASE, "", "db"), VSS_E_BAD_STATE);
        /* A stamp is the writer's to set, the options are not. */
        text = save(s);
        ck_assert_ptr_nonnull(strstr(text, "backupStamp=\"tuesday\""));
        ck_assert_ptr_nonnull(strstr(text, "backupOptions=\"quick\""));
        ck_assert_ptr_null(strstr(text, "snapshotSetId"));

        host.front.changed = "<nonsense"; /* changes nothing, and fails nothing */
        host.journal.text[0] = '\0';
        ck_finished(session_do_snapshot_set, s);
        ck_assert_ptr_null(strstr(host.journal.text, "back:"));
        text = save(s);
        ck_assert_ptr_nonnull(strstr(text, VSS_ID_TEXT(set)));
        ck_assert_ptr_nonnull(strstr(text, "backupStamp=\"tuesday\""));

        a.key.instance_id = instance_of(&host.back);
        a.flag = true;
        ck_assert_int_eq(call_component(s, METHOD_SET_BACKUP_SUCCEEDED, a), VSS_E_OBJECT_NOT_FOUND);
        a.key.instance_id = instance_of(&host.front);
        ck_assert_int_eq(call_component(s, METHOD_SET_BACKUP_SUCCEEDED, a), S_OK);
        /* Too late for a stamp: the document is closed for writers. */
        change(&host.front, buf, "backupStamp=\"wednesday\"");
        ck_finished(session_backup_complete, s);
        ck_assert_ptr_nonnull(strstr(host.front.components, "backupSucceeded=\"yes\""));
        ck_assert_ptr_null(strstr(save(s), "wednesday"));
        ck_assert_int_eq(call_component(s, METHOD_SET_BACKUP_SUCCEEDED, a), VSS_E_BAD_STATE);

        ck_ok(session_get_writer_components(s, 0, &instance, &writer, &d, NULL, NULL, &error));
        ck_assert(vss_id_equal(writer, class_of(&host.front)));
        ck_assert(vss_id_equal(instance, instance_of(&host.front)));
        ck_assert_ptr_nonnull(strstr(document_text(d), "componentName=\"data\""));
        document_unref(d);
        ck_call(VSS_E_OBJECT_NOT_FOUND,
                session_get_writer_components(s, 1, &instance, &writer, &d, NULL, NULL, &error));
        session_free(s);
}
END_TEST

START_TEST(whole_volumes_have_no_components) {
        struct session *s = session_up_to("BP", VSS_CTX_BACKUP, NULL);

        ck_assert_str_eq(host.front.components, "");
        ck_assert_ptr_nonnull(strstr(host.journal.text, "back:PrepareBackup"));
        session_free(s);
}
END_TEST

START_TEST(what_was_saved_is_loaded_again) {
        struct session *s = session_with_components(), *other;
        static char text[8192];

        ck_assert_int_eq(add_component(s, &host.front, VSS_CT_FILEGROUP, "", "data"), S_OK);
        (void)snprintf(text, sizeof(text), "%s", save(s));
        session_free(s);

        other = session_make();
        ck_assert_int_eq(initialize_from(other, METHOD_INITIALIZE_FOR_RESTORE, "<x"),
                         VSS_E_INVALID_XML_DOCUMENT);
        ck_assert_int_eq(initialize_from(other, METHOD_INITIALIZE_FOR_RESTORE, NULL),
                         VSS_E_INVALID_XML_DOCUMENT);
        ck_assert_int_eq(initialize_from(other, METHOD_INITIALIZE_FOR_RESTORE, text), S_OK);
        ck_assert_str_eq(save(other), text);
        ck_assert_int_eq(initialize_from(other, METHOD_INITIALIZE_FOR_RESTORE, text),
                         VSS_E_BAD_STATE);
        session_free(other);
}
END_TEST

/* Clients are limited in what they make us keep. */
START_TEST(documents_are_charged) {
        struct session_account account = { .max = 100000 };
        struct session *s = session_with_components();
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        size_t before;
        char *text;

        session_set_account(s, &account);
        before = account.used;
        ck_assert_uint_gt(before, strlen(front_metadata) + strlen(back_metadata));
        ck_assert_int_eq(add_component(s, &host.front, VSS_CT_FILEGROUP, "", "data"), S_OK);
        ck_assert_uint_gt(account.used, before);
        before = account.used;
        text = calloc(1, 99500);
        ck_assert_ptr_nonnull(text);
        memset(text, 'x', 99499);
        a.texts[0] = text;
        ck_assert_int_eq(call_component(s, METHOD_SET_BACKUP_OPTIONS, a), E_OUTOFMEMORY);
        ck_assert_uint_eq(account.used, before);
        a.texts[0] = "x";
        ck_assert_int_eq(call_component(s, METHOD_SET_BACKUP_OPTIONS, a), S_OK);
        session_free(s);
        ck_assert_uint_eq(account.used, 0);
        free(text);

        /* What the writers say counts, too. */
        account.max = 1000;
        s = session_make();
        session_set_account(s, &account);
        ck_ok(session_initialize_for_backup(s, &error));
        ck_async(E_OUTOFMEMORY, session_gather_writer_metadata, s);
        session_free(s);
}
END_TEST

/* What was gathered is kept as long as a component can be added, and no longer when its list is
 * freed; whichever comes first. */
START_TEST(metadata_goes_when_nobody_can_ask_for_it) {
        struct session_account account = { .max = 1000000 };
        struct session *s = session_with_components();
        size_t gathered, read;
        VSS_ID set;

        session_set_account(s, &account);
        gathered = account.used;
        ck_assert_int_eq(add_component(s, &host.front, VSS_CT_FILEGROUP, "", "data"), S_OK);
        read = account.used;
        ck_assert_uint_gt(read, gathered + strlen(front_metadata));
        if (_i == 0) {
                ck_ok(session_free_writer_metadata(s, &error));
                ck_assert_uint_eq(account.used, read);
        }
        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_finished(session_prepare_for_backup, s);
        if (_i == 1) {
                ck_assert_uint_lt(account.used, read);
                ck_assert_uint_gt(account.used, strlen(front_metadata) + strlen(back_metadata));
                ck_ok(session_free_writer_metadata(s, &error));
        }
        ck_assert_uint_lt(account.used, read - 2 * strlen(front_metadata) - strlen(back_metadata));
        session_free(s);
        ck_assert_uint_eq(account.used, 0);
}
END_TEST

/* S_OK from Cancel says that it is cancelled, also of a set that was past its commit. */
START_TEST(a_set_cancelled_behind_its_commit_goes_again) {
        struct session *s = session_up_to("BP", VSS_CTX_APP_ROLLBACK, NULL);
        struct async *a;

        ck_ok(session_do_snapshot_set(s, &a, &error));
        /* The last moment: the copies are told of when the set is in the store. */
        while (fake_count_snapshots(host.store) == 0)
                ck_assert_int_ge(sd_event_run(host.event, 1000), 0);
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        ck_assert_int_eq(async_cancel(a), S_OK);
        ck_assert_int_eq(async_cancel(a), VSS_S_ASYNC_CANCELLED);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_CANCELLED);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(host.added, host.removed);
        ck_assert_uint_eq(fake_storage_count("remove-force"), 2);
        ck_call(VSS_E_BAD_STATE, session_backup_complete(s, &a, &error));
        session_free(s);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("session-components");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, components_setup, host_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, components_are_added_as_the_metadata_has_them);
        tcase_add_test(tc, additions_want_their_state);
        tcase_add_test(tc, a_writer_that_is_gone_keeps_its_name);
        tcase_add_loop_test(tc, a_writer_without_valid_metadata_is_left_out, 0, 5);
        tcase_add_test(tc, gathering_may_end_while_documents_are_looked_at);
        tcase_add_test(tc, calls_may_come_all_at_once);
        tcase_add_test(tc, a_backup_of_components);
        tcase_add_test(tc, whole_volumes_have_no_components);
        tcase_add_test(tc, what_was_saved_is_loaded_again);
        tcase_add_test(tc, documents_are_charged);
        tcase_add_loop_test(tc, metadata_goes_when_nobody_can_ask_for_it, 0, 2);
        tcase_add_test(tc, a_set_cancelled_behind_its_commit_goes_again);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
