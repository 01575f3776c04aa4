/* Transportable sets: handed over by one host, taken in by another or by the same; what is refused,
 * what a failure leaves, and with whom they go. */

#include "common/document.h"
#include "tests/unit/fake-host.h"

#define TRANSPORTABLE VSS_VOLSNAP_ATTR_TRANSPORTABLE

static char xml[16384]; /* the document of the set */
static VSS_ID set_id;

static void on_loaded(void *userdata _unused_, int r, const void *result _unused_,
                      struct vss_error *error) {
        on_answer(r, error);
}

static struct session *load(const char *text) {
        struct session *s = session_make();
        struct document *d = NULL;

        ck_assert_int_eq(document_new(&d, strdup(text), strlen(text), NULL), 0);
        memset(&answer, 0, sizeof(answer));
        ck_ok(session_initialize_from(s, METHOD_INITIALIZE_FOR_BACKUP, d, on_loaded, NULL, &error));
        document_unref(d);
        ck_assert_int_eq(wait_for_answer(), S_OK);
        return s;
}

static void save(struct session *s) {
        struct document *d = NULL;

        ck_assert_int_eq(session_save_as_xml(s, &d, NULL, NULL, NULL), 1);
        ck_assert_uint_lt(document_size(d), sizeof(xml));
        (void)snprintf(xml, sizeof(xml), "%s", document_text(d));
        document_unref(d);
}

/* A set of /alpha/one/ and /beta/two/, and its document; nothing is known of it on this host, which
 * is another from here on. */
static void make_elsewhere(LONG context) {
        struct snapshot_record *records = NULL;
        struct session *s;
        VSS_ID ids[2];
        size_t n = 0;

        s = session_up_to("BD", context | TRANSPORTABLE, &set_id);
        save(s);
        ck_assert_int_eq(store_snapshot_list(host.store, set_id, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 2);
        for (size_t i = 0; i < n; i++)
                ids[i] = records[i].id;
        snapshot_records_free(records, n);
        ck_assert_int_eq(store_snapshots_delete(host.store, ids, 2, 0, NULL), 0);
        session_free(s);
        host_settle();
        fake.journal[0] = '\0';
        host.added = host.removed = host.changed = 0;
}

static HRESULT import(struct session *s) {
        struct async *a = NULL;

        ck_ok(session_import_snapshots(s, &a, &error));
        return wait_for(a);
}

/* With other words in the document. */
static HRESULT import_with(const char *old, const char *new) {
        char text[sizeof(xml) + 256], *at = strstr(xml, old);
        struct session *s;
        HRESULT hr;

        ck_assert_msg(at, "%s: %s", old, xml);
        (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - xml), xml, new, at + strlen(old));
        s = load(text);
        hr = import(s);
        session_free(s);
        return hr;
}

static void first_record(struct snapshot_record *ret) {
        struct snapshot_record *records = NULL;
        size_t n = 0;

        ck_assert_int_eq(store_snapshot_list(host.store, set_id, &records, &n, NULL), 0);
        ck_assert_uint_ge(n, 1);
        ck_assert_int_eq(snapshot_record_copy(ret, &records[0]), 0);
        snapshot_records_free(records, n);
}

START_TEST(a_set_is_handed_over) {
        struct session *s = session_up_to("BD", VSS_CTX_NAS_ROLLBACK | TRANSPORTABLE, &set_id);
        struct snapshot_record r = { 0 };

        ck_assert_ptr_nonnull(strstr(fake.journal,
                                     "alpha:seal() beta:seal() host:unmount(/alpha/one/) "
                                     "host:unmount(/beta/two/) alpha:hand-over(1) "
                                     "beta:hand-over(1) alpha:release() beta:release() "));
        first_record(&r);
        ck_assert(snapshot_is_away(&r));
        ck_assert(r.attributes & VSS_VOLSNAP_ATTR_NOT_SURFACED);
        ck_assert_int_eq(strncmp(r.provider_data, "copy\n", 5), 0);
        snapshot_record_done(&r);
        save(s);
        ck_assert_ptr_nonnull(strstr(xml, "<SNAPSHOT_SET_DESCRIPTION snapshotSetId=\""));
        ck_assert_ptr_nonnull(strstr(xml, "originalVolume=\"/alpha/one/\""));
        session_free(s);
        host_settle();
        /* The next start leaves it as it is. */
        fake.journal[0] = '\0';
        host_recover();
        ck_assert_str_eq(fake.journal, "");
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
}
END_TEST

/* The control. */
START_TEST(other_sets_are_not_described) {
        struct session *s = session_up_to("BD", VSS_CTX_NAS_ROLLBACK, &set_id);

        save(s);
        ck_assert_ptr_null(strstr(xml, "SNAPSHOT_SET_DESCRIPTION"));
        ck_assert_uint_eq(fake_storage_count("hand-over"), 0);
        session_free(s);
        s = load(xml);
        ck_assert_int_eq(import(s), VSS_E_NONTRANSPORTABLE_BCD);
        session_free(s);
}
END_TEST

START_TEST(what_cannot_be_handed_over_is_undone) {
        struct session *s = session_up_to("BP", VSS_CTX_NAS_ROLLBACK | TRANSPORTABLE, &set_id);
        static const char *const steps[] = { "unmount", "alpha:hand-over", "beta:hand-over" };

        fake.fail = steps[_i];
        ck_async(VSS_E_PROVIDER_VETO, session_do_snapshot_set, s);
        ck_assert_uint_eq(fake_storage_count(":abort()"), 2);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        fake.fail = NULL;
        session_free(s);
}
END_TEST

/* A set of which no document can tell is none. */
START_TEST(what_cannot_be_described_is_undone) {
        struct session *s = session_up_to("BP", VSS_CTX_NAS_ROLLBACK | TRANSPORTABLE, &set_id);

        fake.unspeakable = true;
        ck_async(VSS_E_UNEXPECTED, session_do_snapshot_set, s);
        ck_assert_msg(strstr(async_text, "cannot be described") != NULL, "%s", async_text);
        ck_assert_uint_eq(fake_storage_count(":release()"), 2); /* it was made */
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_uint_eq(host.added, host.removed);
        fake.unspeakable = false;
        session_free(s);
}
END_TEST

START_TEST(a_set_is_imported) {
        struct snapshot_record r = { 0 };
        struct session *s, *again;
        uint64_t number;

        make_elsewhere(VSS_CTX_NAS_ROLLBACK);
        ck_assert_int_eq(store_reserve_numbers(host.store, 5, &number, NULL), 0);
        s = load(xml);
        ck_assert_int_eq(import(s), VSS_S_ASYNC_FINISHED);
        ck_assert_str_eq(fake.journal, "alpha:import(/alpha/one/) host:mount(/alpha/one/) "
                                       "beta:import(/beta/two/) host:mount(/beta/two/) ");
        ck_assert_uint_eq(host.added, 2);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        first_record(&r);
        ck_assert_uint_eq(r.number, number + 5);
        ck_assert(!snapshot_is_away(&r));
        ck_assert_int_eq(r.attributes,
                         VSS_CTX_NAS_ROLLBACK | TRANSPORTABLE | VSS_VOLSNAP_ATTR_IMPORTED |
                                 VSS_VOLSNAP_ATTR_DIFFERENTIAL | VSS_VOLSNAP_ATTR_NOT_SURFACED);
        ck_assert_int_eq(r.context, VSS_CTX_NAS_ROLLBACK | TRANSPORTABLE);
        ck_assert_int_eq(r.count, 2);
        ck_assert_int_eq(r.state, VSS_SS_CREATED);
        ck_assert_int_gt(r.created, 0);
        ck_assert_str_eq(r.volume, "/alpha/one/");
        ck_assert_str_eq(r.fs_type, "ext4");
        ck_assert_str_eq(r.consistency, "file-system");
        ck_assert_str_ne(r.service_machine, "");
        ck_assert_int_eq(strncmp(r.device_object, "/run/vss/", 9), 0);
        snapshot_record_done(&r);
        /* The object has done its one operation; what is there now is as any other. */
        ck_call(VSS_E_BAD_STATE, session_import_snapshots(s, &(struct async *){ 0 }, &error));
        again = load(xml);
        ck_assert_int_eq(import(again), VSS_E_NO_SNAPSHOTS_IMPORTED);
        ck_assert_ptr_nonnull(strstr(async_text, "already"));
        session_free(again);
        session_free(s);
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2); /* persistent */
        fake.journal[0] = '\0';
        host_recover();
        ck_assert_uint_eq(fake_storage_count("host:mount("), 2);
        s = session_up_to("B0", VSS_CTX_ALL, NULL);
        ck_assert_int_eq(delete_of(s, set_id, VSS_OBJECT_SNAPSHOT_SET, false), S_OK);
        session_free(s);
}
END_TEST

START_TEST(by_the_host_that_made_it) {
        struct session *maker = session_up_to("BD", VSS_CTX_NAS_ROLLBACK | TRANSPORTABLE, &set_id),
                       *s;
        const struct exposure_request exposure = { .attributes = VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY,
                                                   .expose = "/mnt" };
        struct exposure_request request = exposure;
        struct snapshot_record before = { 0 }, r = { 0 };

        save(maker);
        first_record(&before);
        /* Until then nobody reads it. */
        request.id = before.id;
        fake.breakable = true;
        fake.journal[0] = '\0';
        ck_assert_int_eq(break_of(maker, set_id), VSS_E_PROVIDER_VETO);
        ck_assert_ptr_nonnull(strstr(answer.message, "import"));
        ck_assert_int_eq(expose_of(maker, &request), VSS_E_PROVIDER_VETO);
        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_query_delta(host.manager, before.id, GUID_NULL, on_nothing, NULL, &error));
        ck_assert_int_eq(wait_for_answer(), VSS_E_PROVIDER_VETO);
        ck_assert_str_eq(fake.journal, "");

        host.added = host.changed = 0;
        s = load(xml);
        ck_assert_int_eq(import(s), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(host.added, 0);
        ck_assert_uint_eq(host.changed, 2);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        first_record(&r);
        ck_assert_uint_eq(r.number, before.number);
        ck_assert(!snapshot_is_away(&r));
        ck_assert_str_eq(r.device_object, before.device_object);
        ck_assert_int_eq(break_of(maker, set_id), S_OK);
        snapshot_record_done(&r);
        snapshot_record_done(&before);
        session_free(s);
        session_free(maker);
}
END_TEST

/* In a context whose copies go with their requester. */
START_TEST(what_is_for_others_stays) {
        struct session *s = session_up_to("BD", VSS_CTX_FILE_SHARE_BACKUP | TRANSPORTABLE, &set_id);

        save(s);
        session_free(s);
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        fake.journal[0] = '\0';
        host_recover();
        ck_assert_str_eq(fake.journal, "");
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        /* The control: once it is here it goes with who took it. */
        s = load(xml);
        ck_assert_int_eq(import(s), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        session_free(s);
        while (fake_storage_count("remove-force") < 2)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

/* Nobody can ever import it whose document nobody has: it goes with who made it. */
START_TEST(what_nobody_knows_goes) {
        struct session *s;

        s = session_up_to(_i == 0 ? "BD" : "BP", VSS_CTX_FILE_SHARE_BACKUP | TRANSPORTABLE,
                          &set_id);
        if (_i == 1) {
                struct async *a = NULL;

                /* A document from before says nothing of it. */
                save(s);
                fake.hold = "beta:hand-over";
                ck_ok(session_do_snapshot_set(s, &a, &error));
                host_turn_until_holding();
                session_free(s);
                async_unref(a);
                fake_storage_go();
        } else
                session_free(s);
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
}
END_TEST

/* Others have the rest of it: of what one session has imported another's end takes nothing. */
START_TEST(each_takes_its_own) {
        struct snapshot_record left = { 0 };
        struct session *one, *two;

        make_elsewhere(VSS_CTX_FILE_SHARE_BACKUP);
        one = load(xml);
        two = load(xml);
        fake.fail = "beta:import";
        ck_assert_int_eq(import(one), VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED);
        fake.fail = NULL;
        ck_assert_int_eq(import(two), VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        host.removed = 0;
        session_free(one);
        while (fake_storage_count("remove-force") < 1)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
        ck_assert_uint_eq(host.removed, 1);
        ck_assert_uint_eq(fake_storage_count("remove-force"), 1);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 1);
        first_record(&left);
        ck_assert_str_eq(left.volume, "/beta/two/");
        snapshot_record_done(&left);
        session_free(two);
        while (fake_storage_count("remove-force") < 2)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
        ck_assert_uint_eq(host.removed, 2);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
}
END_TEST

/* Nor of what is still away. */
START_TEST(what_is_away_stays) {
        struct session *maker =
                session_up_to("BD", VSS_CTX_FILE_SHARE_BACKUP | TRANSPORTABLE, &set_id);
        struct snapshot_record left = { 0 };
        struct session *s;

        save(maker);
        session_free(maker);
        host_settle();
        s = load(xml);
        fake.fail = "beta:import";
        ck_assert_int_eq(import(s), VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED);
        fake.fail = NULL;
        session_free(s);
        while (fake_storage_count("remove-force") < 1)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
        ck_assert_uint_eq(fake_storage_count("remove-force"), 1);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 1);
        first_record(&left);
        ck_assert(snapshot_is_away(&left));
        snapshot_record_done(&left);
}
END_TEST

/* With a context that would have a persistent set deleted at once, or with a set of others. */
START_TEST(a_forged_life_of_what_is_our_own) {
        struct session *s = session_up_to("BD", VSS_CTX_NAS_ROLLBACK | TRANSPORTABLE, &set_id);

        save(s);
        if (_i == 0)
                ck_assert_int_eq(import_with("context=\"57\"", "context=\"48\""),
                                 VSS_E_NO_SNAPSHOTS_IMPORTED);
        else
                ck_assert_int_eq(import_with("DESCRIPTION snapshotSetId=\"",
                                             "DESCRIPTION snapshotSetId="
                                             "\"00000001-0000-0000-0000-000000000000\" x=\""),
                                 VSS_E_NO_SNAPSHOTS_IMPORTED);
        ck_assert_msg(strstr(async_text, "another set or context") != NULL, "%s", async_text);
        session_free(s);
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_assert_uint_eq(fake_storage_count("import"), 0);
}
END_TEST

START_TEST(some_of_a_set) {
        struct session *s;

        make_elsewhere(VSS_CTX_NAS_ROLLBACK);
        s = load(xml);
        fake.fail = "beta:import";
        ck_assert_int_eq(import(s), VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED);
        ck_assert_ptr_nonnull(strstr(async_text, "1 of 2"));
        ck_assert_ptr_nonnull(strstr(async_text, "beta:import fails"));
        ck_assert_uint_eq(fake_count_snapshots(host.store), 1);
        session_free(s);
        /* The rest of it comes with another object. */
        fake.fail = NULL;
        s = load(xml);
        ck_assert_int_eq(import(s), VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED);
        ck_assert_ptr_nonnull(strstr(async_text, "already"));
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        session_free(s);
}
END_TEST

/* Nor are they all where all that the document describes are here. */
START_TEST(a_document_of_some_of_a_set) {
        make_elsewhere(VSS_CTX_NAS_ROLLBACK);
        ck_assert_int_eq(import_with("snapshotsCount=\"2\"", "snapshotsCount=\"3\""),
                         VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED);
        ck_assert_msg(strstr(async_text, "2 of 3") != NULL, "%s", async_text);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
}
END_TEST

static const struct {
        HRESULT fails, hr;
} failures[] = {
        { VSS_E_MISSING_DISK, VSS_E_MISSING_DISK },
        { VSS_E_MISSING_VOLUME, VSS_E_NO_SNAPSHOTS_IMPORTED },
        { VSS_E_OBJECT_NOT_FOUND, VSS_E_NO_SNAPSHOTS_IMPORTED },
        { VSS_E_FLUSH_WRITES_TIMEOUT, VSS_E_NO_SNAPSHOTS_IMPORTED }, /* no provider's code */
        { E_OUTOFMEMORY, E_OUTOFMEMORY },
};

START_TEST(none_of_it) {
        struct session *s;

        make_elsewhere(VSS_CTX_NAS_ROLLBACK);
        s = load(xml);
        fake.fail = "import";
        fake.fail_hr = failures[_i].fails;
        ck_assert_int_eq(import(s), failures[_i].hr);
        ck_assert_ptr_nonnull(strstr(async_text, "import fails for /alpha/one/"));
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(host.added, 0);
        /* Nothing has happened: the same object can try it again. */
        fake.fail = NULL;
        ck_assert_int_eq(import(s), VSS_S_ASYNC_FINISHED);
        session_free(s);
}
END_TEST

START_TEST(what_cannot_be_mounted_is_let_go) {
        struct session *s;

        make_elsewhere(VSS_CTX_NAS_ROLLBACK);
        s = load(xml);
        fake.fail = "mount";
        ck_assert_int_eq(import(s), VSS_E_NO_SNAPSHOTS_IMPORTED);
        ck_assert_ptr_nonnull(strstr(fake.journal,
                                     "host:mount(/alpha/one/) host:unmount-force(/alpha/one/) "
                                     "alpha:recover(/alpha/one/) "));
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        session_free(s);
}
END_TEST

static const struct {
        const char *old, *new;
        HRESULT hr;
        const char *words;
} forgeries[] = {
        { "storage=\"copy", "storage=\"data", VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED, "another copy" },
        { "providerName=\"alpha\"", "providerName=\"gone\"", VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED,
          "does not have" },
        { "providerName=\"alpha\"", "providerName=\"beta\"", VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED,
          "cannot import from" },
        { "context=\"57\"", "context=\"25\"", VSS_E_NONTRANSPORTABLE_BCD, "not transportable" },
        { "context=\"57\"", "context=\"61\"", VSS_E_NO_SNAPSHOTS_IMPORTED, "no legal context" },
        { "context=\"57\"", "context=\"4294967295\"", VSS_E_NO_SNAPSHOTS_IMPORTED,
          "no legal context" },
        { "snapshotsCount=\"2\"", "snapshotsCount=\"1\"", VSS_E_NO_SNAPSHOTS_IMPORTED,
          "snapshotsCount" },
        { "originalVolume=\"/alpha", "originalVolume=\"alpha", VSS_E_NO_SNAPSHOTS_IMPORTED,
          "no volume" },
};

START_TEST(a_document_is_not_believed) {
        make_elsewhere(VSS_CTX_NAS_ROLLBACK);
        ck_assert_int_eq(import_with(forgeries[_i].old, forgeries[_i].new), forgeries[_i].hr);
        ck_assert_msg(strstr(async_text, forgeries[_i].words) != NULL, "%s", async_text);
        ck_assert_uint_eq(fake_count_snapshots(host.store), SUCCEEDED(forgeries[_i].hr) ? 1 : 0);
        ck_assert_uint_eq(fake_storage_count("import"), SUCCEEDED(forgeries[_i].hr) ? 1 : 0);
}
END_TEST

/* What goes with its requester goes with who imported it, also when that is not there any more. */
START_TEST(it_goes_with_who_imported_it) {
        struct async *a = NULL;
        struct session *s;

        make_elsewhere(VSS_CTX_FILE_SHARE_BACKUP);
        s = load(xml);
        if (_i == 0) {
                ck_assert_int_eq(import(s), VSS_S_ASYNC_FINISHED);
                ck_assert_uint_eq(fake_count_snapshots(host.store), 2);
                session_free(s);
        } else {
                fake.hold = "beta:import";
                ck_ok(session_import_snapshots(s, &a, &error));
                host_turn_until_holding();
                session_free(s);
                ck_assert_int_eq(async_status(a), VSS_S_ASYNC_CANCELLED);
                async_unref(a);
                fake_storage_go();
        }
        while (fake_storage_count("remove-force") < 2)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
}
END_TEST

START_TEST(one_at_a_time) {
        struct async *a = NULL, *b = NULL;
        struct session *s;
        VSS_ID id;

        make_elsewhere(VSS_CTX_NAS_ROLLBACK);
        s = load(xml);
        fake.hold = "beta:import";
        ck_ok(session_import_snapshots(s, &a, &error));
        host_turn_until_holding();
        ck_call(VSS_E_BAD_STATE, session_import_snapshots(s, &b, &error));
        ck_call(VSS_E_BAD_STATE, session_start_snapshot_set(s, &id, &error));
        fake_storage_go();
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        session_free(s);
}
END_TEST

/* One that this host made and has, of one volume. */
static void make_alone(VSS_ID *ret) {
        struct session *s = session_make();

        ck_ok(session_initialize_for_backup(s, &error));
        ck_ok(session_set_context(s, VSS_CTX_NAS_ROLLBACK, &error));
        ck_ok(session_set_backup_state(s, false, false, VSS_BT_FULL, false, &error));
        ck_ok(session_start_snapshot_set(s, ret, &error));
        ck_assert_int_eq(add_volume(s, "alpha/one"), S_OK);
        *ret = answer.id;
        ck_finished(session_do_snapshot_set, s);
        session_free(s);
        host_settle();
        fake.journal[0] = '\0';
}

/* The state of after the boot would have no row of what is imported before it. */
START_TEST(none_while_the_state_goes_back) {
        struct session *s;
        struct async *a = NULL;
        VSS_ID copy;

        make_elsewhere(VSS_CTX_FILE_SHARE_BACKUP);
        make_alone(&copy);
        s = load(xml);
        fake.at_boot = true;
        fake.has_state = _i < 2; /* the last is the control */
        fake.hold = "host:origin-look";
        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_revert(host.manager, copy, false, on_nothing, NULL, &error));
        host_turn_until_holding();
        if (_i == 0) /* the revert comes first */
                ck_ok(session_import_snapshots(s, &a, &error));
        fake_storage_go();
        ck_assert_int_eq(wait_for_answer(), S_OK);
        if (_i == 1)
                host_recover(); /* a start changes nothing of it */
        if (_i > 0)
                ck_ok(session_import_snapshots(s, &a, &error));
        if (fake.has_state) {
                ck_assert_int_eq(wait_for(a), VSS_E_NO_SNAPSHOTS_IMPORTED);
                ck_assert_msg(strstr(async_text, "boot first") != NULL, "%s", async_text);
                ck_assert_uint_eq(fake_storage_count(":import("), 0);
                ck_assert_uint_eq(fake_count_snapshots(host.store), 1);
        } else {
                ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
                ck_assert_uint_eq(fake_count_snapshots(host.store), 3);
        }
        session_free(s);
        host_settle();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("import");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, host_setup, host_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, a_set_is_handed_over);
        tcase_add_test(tc, other_sets_are_not_described);
        tcase_add_loop_test(tc, what_cannot_be_handed_over_is_undone, 0, 3);
        tcase_add_test(tc, what_cannot_be_described_is_undone);
        tcase_add_test(tc, a_set_is_imported);
        tcase_add_test(tc, by_the_host_that_made_it);
        tcase_add_test(tc, what_is_for_others_stays);
        tcase_add_loop_test(tc, what_nobody_knows_goes, 0, 2);
        tcase_add_test(tc, each_takes_its_own);
        tcase_add_test(tc, what_is_away_stays);
        tcase_add_loop_test(tc, a_forged_life_of_what_is_our_own, 0, 2);
        tcase_add_test(tc, some_of_a_set);
        tcase_add_test(tc, a_document_of_some_of_a_set);
        tcase_add_loop_test(tc, none_of_it, 0, ARRAY_SIZE(failures));
        tcase_add_test(tc, what_cannot_be_mounted_is_let_go);
        tcase_add_loop_test(tc, a_document_is_not_believed, 0, ARRAY_SIZE(forgeries));
        tcase_add_loop_test(tc, it_goes_with_who_imported_it, 0, 2);
        tcase_add_test(tc, one_at_a_time);
        tcase_add_loop_test(tc, none_while_the_state_goes_back, 0, 3);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
