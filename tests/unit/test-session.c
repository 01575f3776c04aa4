/* Sessions over fake storage and scripted writers: the facts that a naive implementation gets
 * wrong, and who holds the one creation. */

#include "tests/unit/fake-host.h"

static uint32_t n_writers(struct session *s) {
        uint32_t n = 0;

        ck_ok(session_get_writer_metadata_count(s, &n, &error));
        return n;
}

static struct writer_status status_of(struct session *s, const char *name) {
        struct writer_status status = { 0 };
        uint32_t n;

        ck_finished(session_gather_writer_status, s);
        ck_ok(session_get_writer_status_count(s, &n, &error));
        for (uint32_t i = 0; i < n; i++) {
                ck_ok(session_get_writer_status(s, i, &status, &error));
                if (streq(status.name, name))
                        return status;
        }
        ck_abort_msg("no status of %s", name);
        return status;
}

START_TEST(an_ordinary_backup) {
        struct snapshot_record record = { 0 };
        struct document *xml;
        VSS_ID set, instance;
        struct session *s;

        s = session_up_to("BM", VSS_CTX_BACKUP, NULL);
        ck_assert_uint_eq(n_writers(s), 2);
        ck_ok(session_get_writer_metadata(s, 1, &instance, &xml, &error));
        ck_assert_str_eq(document_text(xml), FAKE_METADATA(""));
        ck_call(VSS_E_OBJECT_NOT_FOUND, session_get_writer_metadata(s, 2, &instance, &xml, &error));
        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_assert(session_manager_set_in_progress(host.manager));
        ck_assert_int_eq(add_volume(s, "alpha/one"), S_OK);
        ck_finished(session_prepare_for_backup, s);
        ck_assert_int_eq(status_of(s, "front").state, VSS_WS_STABLE);
        ck_finished(session_do_snapshot_set, s);
        ck_assert(!session_manager_set_in_progress(host.manager));
        ck_assert_int_eq(status_of(s, "front").state, VSS_WS_WAITING_FOR_BACKUP_COMPLETE);
        ck_ok(session_get_snapshot_properties(s, answer.id, &record, &error));
        ck_assert_str_eq(record.volume, "/alpha/one/"); /* ends with the separator */
        ck_assert_str_eq(record.device_object, "/run/vss/ShadowCopy1"); /* does not */
        ck_assert(vss_id_equal(record.set_id, set));
        snapshot_record_done(&record);
        ck_finished(session_backup_complete, s);
        ck_assert_int_eq(status_of(s, "back").state, VSS_WS_STABLE);
        ck_assert_uint_eq(host.added, 1);

        /* The last Release deletes what a backup context made, and tells the writers. */
        session_free(s);
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(host.removed, 1);
        ck_assert_uint_eq(fake_storage_count("alpha:remove-force"), 1);
        ck_assert_ptr_nonnull(strstr(host.journal.text, "front:BackupShutdown"));
        ck_assert(vss_id_equal(host.front.set_id, set));
}
END_TEST

START_TEST(a_persistent_set_stays) {
        struct session *s = session_up_to("BE", VSS_CTX_APP_ROLLBACK, NULL);

        session_free(s);
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_assert_ptr_nonnull(strstr(host.journal.text, "front:BackupShutdown"));
}
END_TEST

START_TEST(a_backup_without_complete_ends_with_shutdown_alone) {
        struct session *s = session_up_to("BD", VSS_CTX_BACKUP, NULL);

        host.journal.text[0] = '\0';
        session_free(s);
        host_settle();
        ck_assert_str_eq(host.journal.text, "front:BackupShutdown back:BackupShutdown ");
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

START_TEST(asynchronous_means_later) {
        struct session *s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        struct async *a, *second = NULL;
        uint32_t n;
        VSS_ID set;

        host.front.answers[WRITER_EVENT_IDENTIFY] = FAKE_HOLD;
        ck_ok(session_gather_writer_metadata(s, &a, &error));
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        fake_turn(host.event);
        ck_call(VSS_E_BAD_STATE, session_get_writer_metadata_count(s, &n, &error));
        /* A second call that changes the state must wait. */
        ck_call(VSS_E_BAD_STATE, session_gather_writer_metadata(s, &second, &error));
        ck_call(VSS_E_BAD_STATE, session_start_snapshot_set(s, &set, &error));
        ck_call(VSS_E_BAD_STATE, session_set_context(s, VSS_CTX_NAS_ROLLBACK, &error));
        fake_writer_answer(&host.front, FAKE_OK);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(n_writers(s), 2);
        session_free(s);
}
END_TEST

START_TEST(metadata_is_gathered_once) {
        struct session *s = session_up_to("BM", VSS_CTX_BACKUP, NULL);
        struct async *a = NULL;
        uint32_t n;

        ck_call(VSS_E_BAD_STATE, session_gather_writer_metadata(s, &a, &error));
        ck_ok(session_free_writer_metadata(s, &error));
        ck_call(VSS_E_BAD_STATE, session_get_writer_metadata_count(s, &n, &error));
        ck_call(VSS_E_BAD_STATE, session_free_writer_metadata(s, &error));
        ck_call(VSS_E_BAD_STATE, session_gather_writer_metadata(s, &a, &error));
        ck_assert_ptr_null(a);
        /* The status still knows them. */
        ck_assert_int_eq(status_of(s, "back").state, VSS_WS_STABLE);
        session_free(s);
}
END_TEST

START_TEST(a_cancelled_gather_is_not_repeated) {
        struct session *s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        struct async *a, *second = NULL;

        host.front.answers[WRITER_EVENT_IDENTIFY] = FAKE_HOLD;
        ck_ok(session_gather_writer_metadata(s, &a, &error));
        fake_turn(host.event);
        ck_assert_int_eq(async_cancel(a), S_OK);
        ck_assert_int_eq(async_cancel(a), VSS_S_ASYNC_CANCELLED);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_CANCELLED);
        ck_assert_uint_eq(host.journal.n_open, 0);
        ck_call(VSS_E_BAD_STATE, session_gather_writer_metadata(s, &second, &error));
        session_free(s);
}
END_TEST

START_TEST(status_is_gathered_as_often_as_wanted) {
        struct session *s = session_up_to("BM", VSS_CTX_BACKUP, NULL);
        struct writer_status status;
        struct async *a, *b;
        uint32_t n;

        ck_call(VSS_E_BAD_STATE, session_get_writer_status_count(s, &n, &error));
        ck_ok(session_gather_writer_status(s, &a, &error));
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        ck_call(VSS_E_BAD_STATE, session_get_writer_status_count(s, &n, &error));
        /* A second gather replaces the list. */
        ck_ok(session_gather_writer_status(s, &b, &error));
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        ck_assert_int_eq(wait_for(b), VSS_S_ASYNC_FINISHED);
        ck_ok(session_get_writer_status_count(s, &n, &error));
        ck_assert_uint_eq(n, n_writers(s)); /* always as many */
        ck_call(VSS_E_OBJECT_NOT_FOUND, session_get_writer_status(s, n, &status, &error));
        ck_ok(session_free_writer_status(s, &error));
        ck_call(VSS_E_BAD_STATE, session_get_writer_status(s, 0, &status, &error));
        ck_ok(session_gather_writer_status(s, &a, &error));
        ck_assert_int_eq(async_cancel(a), S_OK);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_CANCELLED);
        fake_turn(host.event);
        ck_call(VSS_E_BAD_STATE, session_get_writer_status_count(s, &n, &error));
        ck_finished(session_gather_writer_status, s);
        session_free(s);
}
END_TEST

START_TEST(a_writer_that_goes_is_unknown) {
        struct session *s = session_up_to("BM", VSS_CTX_BACKUP, NULL);
        struct writer_status status;

        fake_writer_gone(&host.front);
        status = status_of(s, "front");
        ck_assert_int_eq(status.state, VSS_WS_UNKNOWN);
        ck_assert_int_eq(status.failure, VSS_E_WRITER_NOT_RESPONDING);
        session_free(s);
}
END_TEST

static VSS_ID class_of(const struct fake_writer *w) {
        return writer_identity(w->writer)->class_id;
}

static void filtered(struct session *s, const char *expected) {
        host.journal.text[0] = '\0';
        ck_finished(session_gather_writer_metadata, s);
        ck_assert_str_eq(host.journal.text, expected);
        session_free(s);
}

START_TEST(writer_filters) {
        VSS_ID front = class_of(&host.front), back = class_of(&host.back);
        VSS_ID both[] = { front, back }, nobody = { .Data1 = 99 };
        VSS_ID instance = writer_identity(host.front.writer)->instance_id;
        struct fake_writer sibling = { 0 };
        struct session *s;

        fake_writer_register(&sibling, host.registry, host.event, &host.journal, "front",
                             VSS_APP_FRONT_END);
        sibling.name = "sibling"; /* same class, another instance */

        s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        ck_ok(session_disable_writer_classes(s, &front, 1, &error)); /* all but these */
        ck_ok(session_disable_writer_classes(s, &nobody, 1, &error));
        filtered(s, "back:Identify ");
        s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        ck_ok(session_enable_writer_classes(s, &back, 1, &error)); /* only these */
        filtered(s, "back:Identify ");
        s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        ck_ok(session_disable_writer_classes(s, &back, 1, &error));
        ck_ok(session_enable_writer_classes(s, &back, 1, &error)); /* forgets the disabled */
        filtered(s, "back:Identify ");
        s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        ck_ok(session_enable_writer_classes(s, both, 2, &error));
        ck_ok(session_disable_writer_classes(s, &front, 1, &error)); /* subtracts */
        filtered(s, "back:Identify ");
        s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        ck_ok(session_enable_writer_classes(s, &front, 1, &error));
        ck_ok(session_enable_writer_classes(s, &back, 1, &error)); /* accumulates */
        ck_ok(session_disable_writer_instances(s, &instance, 1, &error));
        filtered(s, "back:Identify sibling:Identify ");
        s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        ck_ok(session_enable_writer_classes(s, NULL, 0, &error)); /* only nobody */
        filtered(s, "");
        /* After the gather: success, and nothing changes. */
        s = session_up_to("BM", VSS_CTX_BACKUP, NULL);
        ck_ok(session_disable_writer_classes(s, both, 2, &error));
        ck_assert_uint_eq(n_writers(s), 3);
        session_free(s);
        s = session_make();
        ck_call(VSS_E_BAD_STATE, session_enable_writer_classes(s, both, 2, &error));
        session_free(s);
        fake_writer_gone(&sibling);
}
END_TEST

START_TEST(the_context_is_set_once) {
        struct session *s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        struct snapshot_record *records;
        size_t n;

        ck_call(E_INVALIDARG, session_set_context(s, VSS_VOLSNAP_ATTR_PERSISTENT, &error));
        ck_call(E_INVALIDARG,
                session_set_context(s, VSS_VOLSNAP_ATTR_DIFFERENTIAL | VSS_VOLSNAP_ATTR_PLEX,
                                    &error));
        ck_ok(session_set_context(s, VSS_CTX_BACKUP, &error)); /* those were no call */
        ck_call(VSS_E_BAD_STATE, session_set_context(s, VSS_CTX_BACKUP, &error));
        session_free(s);

        /* Query consumes the default. */
        s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        ck_ok(session_query_snapshots(s, GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT, &records,
                                      &n, &error));
        snapshot_records_free(records, n);
        ck_call(VSS_E_BAD_STATE, session_set_context(s, VSS_CTX_NAS_ROLLBACK, &error));
        session_free(s);
}
END_TEST

START_TEST(an_object_is_initialised_once) {
        struct session *s = session_make();

        ck_call(VSS_E_BAD_STATE,
                session_set_backup_state(s, false, false, VSS_BT_FULL, false, &error));
        ck_ok(session_initialize_for_backup(s, &error));
        ck_call(VSS_E_BAD_STATE, session_initialize_for_backup(s, &error));
        ck_call(E_INVALIDARG,
                session_set_backup_state(s, false, false, VSS_BT_UNDEFINED, false, &error));
        ck_call(E_INVALIDARG,
                session_set_backup_state(s, false, false, (VSS_BACKUP_TYPE)7, false, &error));
        ck_assert(!vss_id_is_null(session_id(s)));
        ck_assert_uint_ge(session_number(s), 1);
        ck_assert_uint_eq(session_owner(s), 1000);
        session_free(s);
}
END_TEST

static size_t query(LONG context) {
        struct session *s = session_make();
        struct snapshot_record *records;
        size_t n;

        ck_ok(session_initialize_for_backup(s, &error));
        ck_ok(session_set_context(s, context, &error));
        ck_ok(session_query_snapshots(s, GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT, &records,
                                      &n, &error));
        for (size_t i = 1; i < n; i++)
                ck_assert_uint_lt(records[i - 1].number, records[i].number);
        snapshot_records_free(records, n);
        session_free(s);
        return n;
}

START_TEST(query_shows_its_own_context) {
        struct session *app = session_up_to("BE", VSS_CTX_APP_ROLLBACK, NULL);
        struct session *nas =
                session_up_to("BD", VSS_CTX_NAS_ROLLBACK | VSS_VOLSNAP_ATTR_DIFFERENTIAL, NULL);
        struct snapshot_record *records;
        size_t n;

        ck_assert_uint_eq(query(VSS_CTX_BACKUP), 0);
        ck_assert_uint_eq(query(VSS_CTX_APP_ROLLBACK), 2);
        ck_assert_uint_eq(query(VSS_CTX_NAS_ROLLBACK), 2); /* base bits alone are compared */
        ck_assert_uint_eq(query(VSS_CTX_ALL), 4);
        ck_call(E_INVALIDARG, session_query_snapshots(app, GUID_NULL, VSS_OBJECT_SNAPSHOT_SET,
                                                      VSS_OBJECT_SNAPSHOT, &records, &n, &error));
        ck_call(E_INVALIDARG, session_query_snapshots(app, session_id(app), VSS_OBJECT_NONE,
                                                      VSS_OBJECT_SNAPSHOT, &records, &n, &error));
        ck_call(E_INVALIDARG,
                session_query_snapshots(app, GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT_SET,
                                        &records, &n, &error));
        ck_ok(session_query_snapshots(app, GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_PROVIDER,
                                      &records, &n, &error));
        ck_assert_uint_eq(n, 0);
        snapshot_records_free(records, n);
        session_free(app);
        session_free(nas);
}
END_TEST

START_TEST(one_creation_on_the_machine) {
        struct session *first = session_up_to("BS", VSS_CTX_BACKUP, NULL);
        struct session *second = session_up_to("BM", VSS_CTX_BACKUP, NULL);
        struct vss_error refusal = { 0 };
        char owner[32];
        VSS_ID set;

        ck_assert_int_lt(session_start_snapshot_set(second, &set, &refusal), 0);
        ck_assert_int_eq(refusal.hr, VSS_E_SNAPSHOT_SET_IN_PROGRESS);
        (void)snprintf(owner, sizeof(owner), "Session %llu (uid 1000)",
                       (unsigned long long)session_number(first));
        ck_assert_msg(strstr(refusal.message, owner), "%s", refusal.message);
        vss_error_done(&refusal);
        ck_call(VSS_E_SNAPSHOT_SET_IN_PROGRESS, session_start_snapshot_set(first, &set, &error));
        session_free(first); /* frees it */
        ck_ok(session_start_snapshot_set(second, &set, &error));
        session_free(second);
        host_settle();
        ck_assert(!session_manager_set_in_progress(host.manager));
}
END_TEST

START_TEST(the_creation_is_free_after_every_end) {
        struct session *s;

        s = session_up_to("BS", VSS_CTX_BACKUP, NULL);
        ck_assert_int_eq(abort_backup(s), S_OK);
        ck_assert(!session_manager_set_in_progress(host.manager));
        session_free(s);
        s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        ck_assert_int_eq(abort_backup(s), S_OK);
        ck_assert(!session_manager_set_in_progress(host.manager));
        session_free(s);
        s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        ck_finished(session_backup_complete, s); /* no snapshot was needed */
        ck_assert(!session_manager_set_in_progress(host.manager));
        session_free(s);
        s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        fake.fail = "stage";
        ck_async(VSS_E_PROVIDER_VETO, session_do_snapshot_set, s);
        fake.fail = NULL;
        ck_assert(!session_manager_set_in_progress(host.manager));
        session_free(s);
        s = session_up_to("BD", VSS_CTX_BACKUP, NULL);
        ck_assert(!session_manager_set_in_progress(host.manager));
        session_free(s);
        s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        session_free(s);
        ck_assert(!session_manager_set_in_progress(host.manager));
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

START_TEST(ctx_all_creates_nothing) {
        struct session *s = session_up_to("B0", VSS_CTX_ALL, NULL);
        VSS_ID set;

        ck_call(VSS_E_UNSUPPORTED_CONTEXT, session_start_snapshot_set(s, &set, &error));
        ck_assert(!session_manager_set_in_progress(host.manager));
        session_free(s);
}
END_TEST

START_TEST(what_do_snapshot_set_needs) {
        struct session *s = session_up_to("BS", VSS_CTX_BACKUP, NULL);
        struct async *a = NULL;
        VSS_ID set;

        ck_call(VSS_E_BAD_STATE, session_do_snapshot_set(s, &a, &error)); /* PrepareForBackup */
        session_free(s);

        /* Without writers there must be a volume, and no PrepareForBackup. */
        s = session_up_to("BM", VSS_CTX_NAS_ROLLBACK, NULL);
        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_call(VSS_E_BAD_STATE, session_prepare_for_backup(s, &a, &error));
        ck_call(VSS_E_BAD_STATE, session_do_snapshot_set(s, &a, &error));
        /* An addition on its way counts. */
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_add_to_snapshot_set(s, "alpha/one", GUID_NULL, on_id, NULL, &error));
        ck_call(VSS_E_BAD_STATE, session_do_snapshot_set(s, &a, &error));
        ck_assert_int_eq(wait_for_answer(), S_OK);
        ck_finished(session_do_snapshot_set, s);
        ck_call(VSS_E_BAD_STATE, session_backup_complete(s, &a, &error));
        session_free(s);

        /* An empty set is legal with writers. */
        s = session_up_to("BM", VSS_CTX_BACKUP, NULL);
        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_finished(session_prepare_for_backup, s);
        ck_finished(session_do_snapshot_set, s);
        session_free(s);

        /* GatherWriterMetadata is missing. */
        s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_call(VSS_E_BAD_STATE, session_prepare_for_backup(s, &a, &error));
        ck_call(VSS_E_BAD_STATE, session_gather_writer_status(s, &a, &error));
        session_free(s);

        /* SetBackupState is missing. */
        s = session_make();
        ck_ok(session_initialize_for_backup(s, &error));
        ck_finished(session_gather_writer_metadata, s);
        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_call(VSS_E_BAD_STATE, session_prepare_for_backup(s, &a, &error));
        ck_assert_ptr_null(a);
        session_free(s);
}
END_TEST

START_TEST(without_writers_nobody_is_told_anything) {
        struct session *s = session_up_to("B0", VSS_CTX_NAS_ROLLBACK, NULL);
        VSS_ID set;

        ck_finished(session_gather_writer_metadata, s); /* optional, and finds nobody */
        ck_assert_uint_eq(n_writers(s), 0);
        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_assert_int_eq(add_volume(s, "alpha/one"), S_OK);
        ck_finished(session_do_snapshot_set, s);
        session_free(s);
        host_settle();
        ck_assert_str_eq(host.journal.text, "");
}
END_TEST

START_TEST(component_mode_without_components_concerns_nobody) {
        struct session *s = session_make();
        VSS_ID set;

        ck_ok(session_initialize_for_backup(s, &error));
        ck_ok(session_set_backup_state(s, true, false, VSS_BT_FULL, false, &error));
        ck_finished(session_gather_writer_metadata, s);
        host.journal.text[0] = '\0';
        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_assert_int_eq(add_volume(s, "alpha/one"), S_OK);
        ck_finished(session_prepare_for_backup, s);
        ck_finished(session_do_snapshot_set, s);
        ck_assert_int_eq(status_of(s, "front").state, VSS_WS_STABLE);
        session_free(s);
        host_settle();
        ck_assert_str_eq(host.journal.text, "");
}
END_TEST

START_TEST(a_failing_writer_does_not_fail_the_call) {
        struct session *s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        struct writer_status status;

        host.front.answers[WRITER_EVENT_POST_SNAPSHOT] = FAKE_VETO;
        ck_finished(session_do_snapshot_set, s);
        status = status_of(s, "front"); /* the call succeeds, the writer did not */
        ck_assert_int_eq(status.state, VSS_WS_FAILED_AT_POST_SNAPSHOT);
        ck_assert_int_eq(status.failure, VSS_E_WRITERERROR_RETRYABLE);
        ck_assert_int_eq(status.application, 77);
        ck_assert_str_eq(status.message, "the application is busy");
        session_free(s);
}
END_TEST

START_TEST(a_failed_freeze_fails_the_call) {
        struct session *s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        struct async *a = NULL;
        VSS_ID set;

        host.back.answers[WRITER_EVENT_FREEZE] = FAKE_VETO;
        ck_async(VSS_E_WRITERERROR_RETRYABLE, session_do_snapshot_set, s);
        ck_assert_str_eq(async_text, "writer back failed to freeze: the application is busy");
        ck_assert_int_eq(status_of(s, "back").state, VSS_WS_FAILED_AT_FREEZE);
        ck_assert_int_eq(status_of(s, "front").state, VSS_WS_STABLE);
        ck_assert_int_eq(status_of(s, "front").failure, VSS_E_WRITERERROR_RETRYABLE);
        /* No retry in the same object. */
        ck_call(VSS_E_BAD_STATE, session_start_snapshot_set(s, &set, &error));
        ck_call(VSS_E_BAD_STATE, session_do_snapshot_set(s, &a, &error));
        ck_call(VSS_E_BAD_STATE, session_backup_complete(s, &a, &error));
        ck_assert_int_eq(abort_backup(s), S_OK);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        session_free(s);
}
END_TEST

START_TEST(a_snapshot_in_creation_is_not_found) {
        struct session *s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        struct snapshot_record record = { 0 };
        VSS_ID id = answer.id;
        struct async *a;

        fake.hold = "beta:seal";
        ck_ok(session_do_snapshot_set(s, &a, &error));
        host_turn_until_holding();
        ck_call(VSS_E_OBJECT_NOT_FOUND, session_get_snapshot_properties(s, id, &record, &error));
        ck_assert_uint_gt(strlen(async_phase(a)), 0);
        ck_assert_uint_gt(async_progress(a), 0);
        fake_storage_go();
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        ck_ok(session_get_snapshot_properties(s, id, &record, &error));
        snapshot_record_done(&record);
        session_free(s);
}
END_TEST

START_TEST(cancelling_the_creation) {
        struct session *s = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        struct async *a;

        fake.hold = "alpha:stage";
        ck_ok(session_do_snapshot_set(s, &a, &error));
        host_turn_until_holding();
        ck_assert_int_eq(async_cancel(a), S_OK);
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING); /* until all is put back */
        ck_assert_int_eq(async_cancel(a), VSS_S_ASYNC_CANCELLED);
        ck_assert(session_manager_set_in_progress(host.manager));
        fake_storage_go();
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_CANCELLED);
        ck_assert(!session_manager_set_in_progress(host.manager));
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_int_eq(abort_backup(s), S_OK); /* ignored */
        session_free(s);
}
END_TEST

START_TEST(cancelling_prepare_lets_it_be_repeated) {
        struct session *s = session_up_to("BS", VSS_CTX_BACKUP, NULL);
        struct async *a;

        host.front.answers[WRITER_EVENT_PREPARE_BACKUP] = FAKE_HOLD;
        ck_ok(session_prepare_for_backup(s, &a, &error));
        fake_turn(host.event);
        ck_assert_int_eq(async_cancel(a), S_OK);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_CANCELLED);
        host.front.answers[WRITER_EVENT_PREPARE_BACKUP] = FAKE_OK;
        ck_finished(session_prepare_for_backup, s);
        session_free(s);
}
END_TEST

START_TEST(cancelling_complete_stops_the_wait) {
        struct session *s = session_up_to("BD", VSS_CTX_BACKUP, NULL);
        struct async *a, *second = NULL;

        host.front.answers[WRITER_EVENT_BACKUP_COMPLETE] = FAKE_HOLD;
        ck_ok(session_backup_complete(s, &a, &error));
        fake_turn(host.event);
        ck_assert_int_eq(async_cancel(a), S_OK);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_CANCELLED);
        ck_call(VSS_E_BAD_STATE, session_backup_complete(s, &second, &error)); /* they were told */
        session_free(s);
}
END_TEST

START_TEST(sessions_are_counted) {
        struct session *s[3], *more = NULL;

        host.config.max_sessions = 3;
        host_reconfigure();
        for (size_t i = 0; i < 3; i++)
                s[i] = session_make();
        ck_call(E_OUTOFMEMORY, session_new(&more, host.manager, 0, &error));
        session_free(s[1]);
        host_settle();
        s[1] = session_make();
        for (size_t i = 0; i < 3; i++)
                session_free(s[i]);
}
END_TEST

/* Objects are many; what is documented as 64 is the backups that a writer is in. */
START_TEST(a_writer_is_in_64_backups_and_the_next_goes_without_it) {
        struct session *idle[100], *s[65];

        for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
                idle[i] = session_make();
        for (size_t i = 0; i < ARRAY_SIZE(s); i++)
                s[i] = session_up_to("BD", VSS_CTX_BACKUP, NULL);
        ck_assert_int_eq(status_of(s[63], "front").failure, S_OK);
        ck_assert_int_eq(status_of(s[64], "front").failure, VSS_E_WRITER_STATUS_NOT_AVAILABLE);
        ck_assert_int_eq(status_of(s[64], "front").state, VSS_WS_UNKNOWN);
        host.journal.text[0] = '\0';
        ck_finished(session_backup_complete, s[64]);
        ck_assert_str_eq(host.journal.text, "");
        ck_finished(session_backup_complete, s[0]);
        session_free(s[64]);
        s[64] = session_up_to("BD", VSS_CTX_BACKUP, NULL);
        ck_assert_int_eq(status_of(s[64], "front").failure, S_OK);
        for (size_t i = 0; i < ARRAY_SIZE(s); i++)
                session_free(s[i]);
        for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
                session_free(idle[i]);
}
END_TEST

START_TEST(a_writer_sees_two_sessions_apart) {
        struct session *first = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        struct session *second, *third = session_up_to("BM", VSS_CTX_BACKUP, NULL);

        ck_finished(session_do_snapshot_set, first);
        second = session_up_to("BP", VSS_CTX_BACKUP, NULL);
        ck_assert_int_eq(status_of(first, "front").state, VSS_WS_WAITING_FOR_BACKUP_COMPLETE);
        ck_assert_int_eq(status_of(second, "front").state, VSS_WS_STABLE);
        session_free(second);
        /* Who merely asked the writer for its metadata sees what it came to last, and where. */
        host.front.answers[WRITER_EVENT_BACKUP_COMPLETE] = FAKE_VETO;
        ck_finished(session_backup_complete, first);
        ck_assert_int_eq(status_of(third, "front").state, VSS_WS_FAILED_AT_BACKUP_COMPLETE);
        ck_assert_int_eq(status_of(third, "front").failure, VSS_E_WRITERERROR_RETRYABLE);
        session_free(third);
        session_free(first);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("session");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tc, 30); /* sanitizers on a busy machine */
        tcase_add_checked_fixture(tc, host_setup, host_teardown);
        tcase_add_test(tc, an_ordinary_backup);
        tcase_add_test(tc, a_persistent_set_stays);
        tcase_add_test(tc, a_backup_without_complete_ends_with_shutdown_alone);
        tcase_add_test(tc, asynchronous_means_later);
        tcase_add_test(tc, metadata_is_gathered_once);
        tcase_add_test(tc, a_cancelled_gather_is_not_repeated);
        tcase_add_test(tc, status_is_gathered_as_often_as_wanted);
        tcase_add_test(tc, a_writer_that_goes_is_unknown);
        tcase_add_test(tc, writer_filters);
        tcase_add_test(tc, the_context_is_set_once);
        tcase_add_test(tc, an_object_is_initialised_once);
        tcase_add_test(tc, query_shows_its_own_context);
        tcase_add_test(tc, one_creation_on_the_machine);
        tcase_add_test(tc, the_creation_is_free_after_every_end);
        tcase_add_test(tc, ctx_all_creates_nothing);
        tcase_add_test(tc, what_do_snapshot_set_needs);
        tcase_add_test(tc, without_writers_nobody_is_told_anything);
        tcase_add_test(tc, component_mode_without_components_concerns_nobody);
        tcase_add_test(tc, a_failing_writer_does_not_fail_the_call);
        tcase_add_test(tc, a_failed_freeze_fails_the_call);
        tcase_add_test(tc, a_snapshot_in_creation_is_not_found);
        tcase_add_test(tc, cancelling_the_creation);
        tcase_add_test(tc, cancelling_prepare_lets_it_be_repeated);
        tcase_add_test(tc, cancelling_complete_stops_the_wait);
        tcase_add_test(tc, sessions_are_counted);
        tcase_add_test(tc, a_writer_is_in_64_backups_and_the_next_goes_without_it);
        tcase_add_test(tc, a_writer_sees_two_sessions_apart);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
