/* A restore over scripted writers: what may be set, of which writer, when; who gets the events,
 * with what, and what it may change. */

#include "tests/unit/fake-components.h"

/* A saved backup: two components of front, the second with a partial file; one of back; one of a
 * writer that does not run. Instance ids are of an earlier life. */
static const char saved[] =
        "<BACKUP_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\" version=\"1.2\" "
        "bootableSystemStateBackup=\"no\" selectComponents=\"yes\" backupType=\"incremental\" "
        "partialFileSupport=\"yes\" snapshotSetId=\"00000000-0000-0000-0000-00000000beef\">"
        "<WRITER_COMPONENTS instanceId=\"00000000-0000-0000-0000-000000000007\" "
        "writerId=\"00001000-0066-0000-0000-000000000000\" backupSchema=\"29440\">"
        "<COMPONENT componentName=\"data\" componentType=\"filegroup\"/>"
        "<COMPONENT componentName=\"db\" componentType=\"database\">"
        "<PARTIAL_FILE path=\"/srv/db\" filespec=\"a.ibd\" ranges=\"0:10\"/></COMPONENT>"
        "</WRITER_COMPONENTS>"
        "<WRITER_COMPONENTS instanceId=\"00000000-0000-0000-0000-000000000008\" "
        "writerId=\"00001000-0062-0000-0000-000000000000\" backupSchema=\"0\">"
        "<COMPONENT componentName=\"log\" componentType=\"filegroup\"/></WRITER_COMPONENTS>"
        "<WRITER_COMPONENTS instanceId=\"00000000-0000-0000-0000-000000000009\" "
        "writerId=\"00002000-0000-0000-0000-000000000000\" backupSchema=\"29440\">"
        "<COMPONENT componentName=\"data\" componentType=\"filegroup\"/></WRITER_COMPONENTS>"
        "<FROM_A_LATER_VERSION known=\"no\"/>"
        "</BACKUP_COMPONENTS>";

static struct session *restore_begin(void) {
        struct session *s = session_make();

        ck_assert_int_eq(initialize_from(s, METHOD_INITIALIZE_FOR_RESTORE, saved), S_OK);
        return s;
}

static struct session *restore_gathered(void) {
        struct session *s = restore_begin();

        ck_finished(session_gather_writer_metadata, s);
        return s;
}

enum whose { FRONT, BACK, NOBODY };

/* One call each, in order, of one session. */
static const struct {
        enum session_method method;
        enum whose whose;
        const char *name;
        const char *texts[3];
        uint32_t number;
        bool flag;
        HRESULT hr;
} calls[] = {
#define ROW(method_name, ...) \
        { METHOD_##method_name, __VA_ARGS__ }
        /* Not selected yet. */
        ROW(ADD_RESTORE_SUBCOMPONENT, FRONT, "data", { "data", "part", "" }, 0, false,
            VSS_E_BAD_STATE),
        ROW(SET_SELECTED_FOR_RESTORE, FRONT, "data", { "", "", "" }, 0, true, S_OK),
        ROW(SET_SELECTED_FOR_RESTORE, FRONT, "part", { "", "", "" }, 0, true,
            VSS_E_OBJECT_NOT_FOUND), /* implicit */
        ROW(SET_SELECTED_FOR_RESTORE, NOBODY, "data", { "", "", "" }, 0, true,
            VSS_E_OBJECT_NOT_FOUND), /* its writer does not run */
        ROW(SET_SELECTED_FOR_RESTORE, NOBODY, "data", { "", "", "" }, 0, false, S_OK),
        ROW(SET_SELECTED_FOR_RESTORE_EX, FRONT, "data", { "", "", "" }, 0, true, S_OK),

        ROW(ADD_RESTORE_SUBCOMPONENT, FRONT, "data", { "data", "part", "" }, 0, true,
            E_INVALIDARG), /* bRepair */
        ROW(ADD_RESTORE_SUBCOMPONENT, FRONT, "data", { "", "part", "" }, 0, false, E_INVALIDARG),
        ROW(ADD_RESTORE_SUBCOMPONENT, FRONT, "data", { "data\\deep", "fixed", "" }, 0, false,
            E_INVALIDARG), /* not selectable for restore */
        ROW(ADD_RESTORE_SUBCOMPONENT, FRONT, "data", { "dat", "stranger", "" }, 0, false,
            VSS_E_OBJECT_NOT_FOUND), /* not below */
        ROW(ADD_RESTORE_SUBCOMPONENT, FRONT, "data", { "dataset", "alien", "" }, 0, false,
            VSS_E_OBJECT_NOT_FOUND), /* segments are whole */
        ROW(ADD_NEW_TARGET, FRONT, "data", { "/srv/alien", "*", "/new" }, 0, false,
            VSS_E_OBJECT_NOT_FOUND),
        ROW(ADD_RESTORE_SUBCOMPONENT, FRONT, "data", { "data", "none", "" }, 0, false,
            VSS_E_OBJECT_NOT_FOUND),
        ROW(ADD_RESTORE_SUBCOMPONENT, FRONT, "data", { "data", "part", "" }, 0, false, S_OK),

        ROW(ADD_NEW_TARGET, FRONT, "data", { "/srv/data", "*", "/new" }, 0, true, S_OK),
        ROW(ADD_NEW_TARGET, FRONT, "data", { "/srv/data/", "*", "/new" }, 0, true, S_OK),
        ROW(ADD_NEW_TARGET, FRONT, "data", { "/srv/data", "*", "/new" }, 0, false,
            VSS_E_OBJECT_NOT_FOUND), /* recursive, in the metadata */
        ROW(ADD_NEW_TARGET, FRONT, "data", { "/srv/part", "*.txt", "/new" }, 0, false,
            S_OK), /* of a subcomponent */
        ROW(ADD_NEW_TARGET, FRONT, "data", { "/srv/db", "*.ibd", "/new" }, 0, false,
            VSS_E_OBJECT_NOT_FOUND), /* of another component */
        ROW(ADD_NEW_TARGET, FRONT, "data", { "/srv/data", "*", "" }, 0, true, E_INVALIDARG),
        ROW(ADD_NEW_TARGET, BACK, "log", { "/var/log", "*", "/new" }, 0, false,
            E_INVALIDARG), /* the schema has no bit for it */
        ROW(ADD_NEW_TARGET, NOBODY, "data", { "/srv/data", "*", "/new" }, 0, true,
            VSS_E_OBJECT_NOT_FOUND),

        ROW(ADD_ALTERNATIVE_LOCATION_MAPPING, FRONT, "data", { "/srv/data", "*", "/srv/other" }, 0,
            true, S_OK),
        ROW(ADD_ALTERNATIVE_LOCATION_MAPPING, FRONT, "data", { "/srv/part", "*.txt", "/x" }, 0,
            false, VSS_E_OBJECT_NOT_FOUND), /* no mapping is offered */
        ROW(ADD_ALTERNATIVE_LOCATION_MAPPING, FRONT, "db", { "/srv/data", "*", "/srv/other" }, 0,
            true, VSS_E_OBJECT_NOT_FOUND), /* not its files */

        ROW(SET_RESTORE_OPTIONS, FRONT, "data", { "\"a\"=\"b\"", "", "" }, 0, false, S_OK),
        ROW(SET_RESTORE_OPTIONS, FRONT, "data", { "\"a\"=\"c\"", "", "" }, 0, false,
            VSS_E_BAD_STATE), /* once */
        ROW(SET_ADDITIONAL_RESTORES, FRONT, "data", { "", "", "" }, 0, true, S_OK),
        ROW(SET_ADDITIONAL_RESTORES, FRONT, "none", { "", "", "" }, 0, true,
            VSS_E_OBJECT_NOT_FOUND),
        ROW(SET_AUTHORITATIVE_RESTORE, FRONT, "data", { "", "", "" }, 0, true, S_OK),
        ROW(SET_AUTHORITATIVE_RESTORE, BACK, "log", { "", "", "" }, 0, true, E_INVALIDARG),
        ROW(SET_AUTHORITATIVE_RESTORE, NOBODY, "data", { "", "", "" }, 0, true,
            S_OK), /* by what was saved */
        ROW(SET_ROLL_FORWARD, FRONT, "data", { "noon", "", "" }, VSS_RF_PARTIAL, false, S_OK),
        ROW(SET_ROLL_FORWARD, FRONT, "data", { "", "", "" }, VSS_RF_PARTIAL, false, E_INVALIDARG),
        ROW(SET_ROLL_FORWARD, FRONT, "data", { "", "", "" }, VSS_RF_UNDEFINED, false, E_INVALIDARG),
        ROW(SET_ROLL_FORWARD, FRONT, "data", { "", "", "" }, 4, false, E_INVALIDARG),
        ROW(SET_ROLL_FORWARD, BACK, "log", { "", "", "" }, VSS_RF_ALL, false, E_INVALIDARG),
        ROW(SET_RESTORE_NAME, FRONT, "data", { "data2", "", "" }, 0, false, S_OK),
        ROW(SET_RESTORE_NAME, FRONT, "data", { "", "", "" }, 0, false, E_INVALIDARG),
        ROW(SET_RESTORE_NAME, BACK, "log", { "log2", "", "" }, 0, false, E_INVALIDARG),
        ROW(SET_RANGES_FILE_PATH, FRONT, "data", { "/r", "", "" }, 0, false,
            VSS_E_OBJECT_NOT_FOUND), /* it has no partial file */
        ROW(SET_RANGES_FILE_PATH, FRONT, "data", { "r", "", "" }, 0, false, E_INVALIDARG),
        ROW(SET_FILE_RESTORE_STATUS, FRONT, "data", { "", "", "" }, VSS_RS_ALL, false,
            VSS_E_BAD_STATE), /* before PreRestore */
        ROW(SET_BACKUP_OPTIONS, FRONT, "data", { "x", "", "" }, 0, false,
            VSS_E_BAD_STATE), /* of a backup */
#undef ROW
};

static struct component_args args_of_call(size_t i) {
        struct component_args a = args_of(calls[i].whose == BACK ? &host.back : &host.front,
                                          VSS_CT_FILEGROUP, "", calls[i].name);

        if (calls[i].whose == NOBODY)
                a.key.writer_id = (VSS_ID){ .Data1 = 0x2000 };
        if (streq(calls[i].name, "db"))
                a.key.type = VSS_CT_DATABASE;
        memcpy(a.texts, calls[i].texts, sizeof(a.texts));
        a.number = calls[i].number;
        a.flag = calls[i].flag;
        return a;
}

START_TEST(calls_one_by_one) {
        struct session *s = restore_gathered();
        const char *text;

        if (_i == 1) /* which takes the list away, and nothing else */
                ck_ok(session_free_writer_metadata(s, &error));
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
                HRESULT hr = call_component(s, calls[i].method, args_of_call(i));

                ck_assert_msg(hr == calls[i].hr, "row %zu (%s): 0x%08x %s", i,
                              session_method_to_string(calls[i].method), (unsigned)hr,
                              answer.message);
        }
        text = save(s);
        ck_assert_ptr_nonnull(strstr(text, "rollForwardPoint=\"noon\""));
        ck_assert_ptr_nonnull(strstr(text, "restoreName=\"data2\""));
        ck_assert_ptr_nonnull(strstr(text, "FROM_A_LATER_VERSION"));
        session_free(s);
}
END_TEST

/* Before GatherWriterMetadata no restore method is legal, whatever its arguments. */
START_TEST(the_state_comes_first) {
        struct session *s = restore_begin(), *backup = session_with_components();

        for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
                struct component_args a = args_of_call(i);

                a.key.name = NULL;
                ck_assert_int_eq(call_component(s, calls[i].method, a), VSS_E_BAD_STATE);
                if (calls[i].method != METHOD_SET_BACKUP_OPTIONS)
                        ck_assert_int_eq(call_component(backup, calls[i].method, a),
                                         VSS_E_BAD_STATE);
        }
        ck_call(VSS_E_BAD_STATE, session_set_restore_state(backup, VSS_RTYPE_BY_COPY, &error));
        session_free(s);
        session_free(backup);
}
END_TEST

START_TEST(a_restore_from_beginning_to_end) {
        struct session *s = restore_gathered();
        struct component_args data = args_of(&host.front, VSS_CT_FILEGROUP, "", "data"),
                              db = args_of(&host.front, VSS_CT_DATABASE, "", "db");
        static const char answer_text[] =
                "<BACKUP_COMPONENTS version=\"1.2\"><WRITER_COMPONENTS "
                "instanceId=\"00000000-0000-0000-0000-000000000007\" "
                "writerId=\"00001000-0066-0000-0000-000000000000\" backupSchema=\"0\">"
                "<COMPONENT componentName=\"data\" componentType=\"filegroup\" "
                "restoreTarget=\"alternate\" preRestoreFailureMsg=\"no room\" "
                "restoreName=\"stolen\"/></WRITER_COMPONENTS></BACKUP_COMPONENTS>";
        struct async *a = NULL;

        ck_call(E_INVALIDARG, session_set_restore_state(s, 4, &error));
        ck_ok(session_set_restore_state(s, VSS_RTYPE_OTHER, &error));
        ck_call(VSS_E_BAD_STATE, session_post_restore(s, &a, &error));
        data.flag = db.flag = true;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, data), S_OK);
        host.journal.text[0] = '\0';
        host.front.changed = answer_text;
        ck_finished(session_pre_restore, s);
        /* To writers with a selected component alone, and of it what is selected. */
        ck_assert_str_eq(host.journal.text, "front:PreRestore ");
        ck_assert_ptr_nonnull(strstr(host.front.components, "componentName=\"data\""));
        ck_assert_ptr_null(strstr(host.front.components, "componentName=\"db\""));
        ck_assert_ptr_nonnull(strstr(host.front.components, "restoreType=\"other\""));
        /* What is the writer's to say, and nothing else. */
        ck_assert_ptr_nonnull(strstr(save(s), "restoreTarget=\"alternate\""));
        ck_assert_ptr_nonnull(strstr(save(s), "preRestoreFailureMsg=\"no room\""));
        ck_assert_ptr_null(strstr(save(s), "stolen"));

        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, db), VSS_E_BAD_STATE);
        ck_call(VSS_E_BAD_STATE, session_set_restore_state(s, VSS_RTYPE_OTHER, &error));
        db.texts[0] = "/var/tmp/ranges";
        db.number = 0;
        ck_assert_int_eq(call_component(s, METHOD_SET_RANGES_FILE_PATH, db), S_OK);
        db.number = 1;
        ck_assert_int_eq(call_component(s, METHOD_SET_RANGES_FILE_PATH, db),
                         VSS_E_OBJECT_NOT_FOUND);
        data.number = VSS_RS_ALL;
        ck_assert_int_eq(call_component(s, METHOD_SET_FILE_RESTORE_STATUS, data), S_OK);
        data.number = VSS_RS_UNDEFINED;
        ck_assert_int_eq(call_component(s, METHOD_SET_FILE_RESTORE_STATUS, data), E_INVALIDARG);
        host.front.changed = NULL;
        ck_finished(session_post_restore, s);
        ck_assert_str_eq(host.journal.text, "front:PreRestore front:PostRestore ");
        ck_assert_ptr_nonnull(strstr(host.front.components, "filesRestored=\"all\""));
        ck_assert_ptr_nonnull(strstr(save(s), "/var/tmp/ranges"));
        ck_assert_int_eq(call_component(s, METHOD_SET_FILE_RESTORE_STATUS, data), VSS_E_BAD_STATE);
        session_free(s);
        host_settle();
        ck_assert_ptr_null(strstr(host.journal.text, "Shutdown"));
}
END_TEST

START_TEST(a_restore_moves_to_another_instance) {
        struct fake_writer other = { .metadata = front_metadata };
        struct component_args a;
        struct session *s;

        fake_writer_register(&other, host.registry, host.event, &host.journal, "front",
                             VSS_APP_FRONT_END);
        other.name = "other";
        s = restore_gathered();
        a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        a.flag = true;
        a.instance_id = instance_of(&host.back); /* another class */
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE_EX, a),
                         VSS_E_OBJECT_NOT_FOUND);
        a.instance_id = (VSS_ID){ .Data1 = 77 };
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE_EX, a),
                         VSS_E_OBJECT_NOT_FOUND);
        a.instance_id = instance_of(&other);
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE_EX, a), S_OK);
        host.journal.text[0] = '\0';
        ck_finished(session_pre_restore, s);
        ck_assert_str_eq(host.journal.text, "other:PreRestore ");
        session_free(s);

        /* One that does not take over what another saved. */
        other.metadata = back_metadata;
        s = restore_gathered();
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE_EX, a), E_INVALIDARG);
        ck_assert_ptr_null(strstr(save(s), "selectedForRestore"));
        session_free(s);
        host_settle();
        fake_writer_gone(&other);
}
END_TEST

/* Whoever is not selected any more gets nothing, whatever of it was selected before. */
START_TEST(what_is_deselected_is_not_restored) {
        struct session *s = restore_gathered();
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data"), part = a;

        part.texts[0] = "data";
        part.texts[1] = "part";
        a.flag = true;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
        ck_assert_int_eq(call_component(s, METHOD_ADD_RESTORE_SUBCOMPONENT, part), S_OK);
        ck_assert_ptr_nonnull(strstr(save(s), "RESTORE_SUBCOMPONENT"));
        a.flag = false;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
        ck_assert_ptr_null(strstr(save(s), "RESTORE_SUBCOMPONENT"));
        ck_assert_int_eq(call_component(s, METHOD_ADD_RESTORE_SUBCOMPONENT, part), VSS_E_BAD_STATE);
        host.journal.text[0] = '\0';
        ck_finished(session_pre_restore, s);
        ck_finished(session_post_restore, s);
        ck_assert_str_eq(host.journal.text, "");
        session_free(s);

        /* Selected once more, it is all of it. */
        s = restore_gathered();
        a.flag = true;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
        ck_assert_int_eq(call_component(s, METHOD_ADD_RESTORE_SUBCOMPONENT, part), S_OK);
        a.flag = false;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE_EX, a), S_OK);
        a.flag = true;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
        if (_i == 1)
                ck_assert_int_eq(call_component(s, METHOD_ADD_RESTORE_SUBCOMPONENT, part), S_OK);
        ck_finished(session_pre_restore, s);
        ck_assert_ptr_nonnull(strstr(host.front.components, "selectedForRestore=\"yes\""));
        ck_assert(!strstr(host.front.components, "RESTORE_SUBCOMPONENT") == (_i == 0));
        session_free(s);
}
END_TEST

/* The saved document, with this instance name for front. */
static const char *saved_of(const char *instance_name) {
        static char text[sizeof(saved) + 64];
        const char *at = strstr(saved, "backupSchema=\"29440\"");

        (void)snprintf(text, sizeof(text), "%.*sinstanceName=\"%s\" %s", (int)(at - saved), saved,
                       instance_name, at);
        return text;
}

/* Instances of front's class, by name; of the document's component the one that it goes to. */
static const struct {
        const char *stored; /* "": it has none */
        const char *running[2];
        const char *takes; /* NULL: nobody */
} instances[] = {
        { "", { "" }, "" },
        { "15", { "15" }, "15" },
        { "", { "15" }, "15" }, /* alone, and so it is meant */
        { "15", { "16" }, "16" },
        { "15", { "" }, "" },
        { "15", { "15", "16" }, "15" },
        { "15", { "16", "15" }, "15" },
        { "", { "15", "" }, "" },
        { "15", { "16", "17" }, NULL }, /* which of them is the requester's to say */
        { "", { "16", "17" }, NULL },
};

START_TEST(a_component_goes_to_the_instance_it_came_from_or_to_the_only_one) {
        struct fake_writer w[2] = { { .metadata = front_metadata },
                                    { .metadata = front_metadata } };
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        const char *takes = instances[_i].takes;
        struct session *s = session_make();
        char expected[64] = "";

        fake_writer_gone(&host.front);
        for (size_t i = 0; i < ARRAY_SIZE(w) && instances[_i].running[i]; i++) {
                fake_writer_register_instance(&w[i], host.registry, host.event, &host.journal,
                                              "front", instances[_i].running[i], VSS_APP_FRONT_END);
                w[i].name = instances[_i].running[i];
        }
        ck_assert_int_eq(
                initialize_from(s, METHOD_INITIALIZE_FOR_RESTORE, saved_of(instances[_i].stored)),
                S_OK);
        ck_finished(session_gather_writer_metadata, s);
        a.flag = true;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, a),
                         takes ? S_OK : VSS_E_OBJECT_NOT_FOUND);
        a.texts[0] = "data2";
        ck_assert_int_eq(call_component(s, METHOD_SET_RESTORE_NAME, a), S_OK);
        host.journal.text[0] = '\0';
        ck_finished(session_pre_restore, s);
        ck_finished(session_post_restore, s);
        if (takes)
                (void)snprintf(expected, sizeof(expected), "%s:PreRestore %s:PostRestore ", takes,
                               takes);
        ck_assert_str_eq(host.journal.text, expected);
        session_free(s);
        host_settle();
        fake_writer_gone(&w[0]);
        fake_writer_gone(&w[1]);
}
END_TEST

/* What the document brings along of an earlier restore selects nothing. */
START_TEST(a_restore_begins_with_nothing_selected) {
        static const char old[] =
                "<BACKUP_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\" version=\"1.2\" "
                "bootableSystemStateBackup=\"no\" selectComponents=\"yes\" backupType=\"full\" "
                "partialFileSupport=\"no\">"
                "<WRITER_COMPONENTS instanceId=\"00000000-0000-0000-0000-000000000007\" "
                "writerId=\"00001000-0066-0000-0000-000000000000\" backupSchema=\"29440\">"
                "<COMPONENT componentName=\"data\" componentType=\"filegroup\" "
                "selectedForRestore=\"yes\" "
                "selectedForRestoreInstanceId=\"00000000-0000-0000-0000-000000000005\">"
                "<RESTORE_SUBCOMPONENT logicalPath=\"data\" componentName=\"old\" repair=\"no\"/>"
                "</COMPONENT></WRITER_COMPONENTS></BACKUP_COMPONENTS>";
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data"), part = a;
        struct session *s = session_make();

        part.texts[0] = "data";
        part.texts[1] = "part";
        ck_assert_int_eq(initialize_from(s, METHOD_INITIALIZE_FOR_RESTORE, old), S_OK);
        ck_assert_str_eq(save(s), old); /* who only wants to read it loses nothing */
        ck_finished(session_gather_writer_metadata, s);
        ck_assert_int_eq(call_component(s, METHOD_ADD_RESTORE_SUBCOMPONENT, part), VSS_E_BAD_STATE);
        if (_i == 1) {
                a.flag = true;
                ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
                ck_assert_int_eq(call_component(s, METHOD_ADD_RESTORE_SUBCOMPONENT, part), S_OK);
        }
        host.journal.text[0] = '\0';
        ck_finished(session_pre_restore, s);
        ck_assert_str_eq(host.journal.text, _i == 1 ? "front:PreRestore " : "");
        if (_i == 1) {
                ck_assert_ptr_nonnull(strstr(host.front.components, "componentName=\"part\""));
                ck_assert_ptr_null(strstr(host.front.components, "componentName=\"old\""));
                ck_assert_ptr_null(strstr(save(s), "selectedForRestoreInstanceId"));
        }
        session_free(s);
}
END_TEST

/* Once for each object, whatever an earlier one left in the document; a call that fails is none. */
START_TEST(options_are_set_once_by_each_restore) {
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        char first[sizeof(saved) + 256];
        struct session *s;

        (void)snprintf(first, sizeof(first), "%s", saved);
        for (unsigned i = 0; i < 2; i++) {
                s = session_make();
                ck_assert_int_eq(initialize_from(s, METHOD_INITIALIZE_FOR_RESTORE, first), S_OK);
                ck_finished(session_gather_writer_metadata, s);
                a.texts[0] = "\x01";
                ck_assert_int_eq(call_component(s, METHOD_SET_RESTORE_OPTIONS, a), E_INVALIDARG);
                a.texts[0] = i == 0 ? "\"a\"=\"b\"" : "";
                ck_assert_int_eq(call_component(s, METHOD_SET_RESTORE_OPTIONS, a), S_OK);
                ck_assert_int_eq(call_component(s, METHOD_SET_RESTORE_OPTIONS, a), VSS_E_BAD_STATE);
                (void)snprintf(first, sizeof(first), "%s", save(s));
                ck_assert(!strstr(first, "restoreOptions") == (i == 1));
                session_free(s);
        }
}
END_TEST

/* Whom it was moved to before does not matter: that one's metadata is not the other's. */
START_TEST(a_component_may_be_selected_for_another_again) {
        struct fake_writer other = { .metadata = front_metadata };
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        static char never[sizeof(front_metadata)];
        struct session *s;
        char *word;

        (void)snprintf(never, sizeof(never), "%s", front_metadata);
        word = strstr(never, "always");
        ck_assert_ptr_nonnull(word);
        memcpy(word, "never\" ", 7);
        host.front.metadata = never;
        fake_writer_register_instance(&other, host.registry, host.event, &host.journal, "front",
                                      "other", VSS_APP_FRONT_END);
        s = restore_gathered();
        a.flag = true;
        a.instance_id = instance_of(&other);
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE_EX, a), S_OK);
        a.instance_id = GUID_NULL;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE_EX, a), S_OK);
        host.journal.text[0] = '\0';
        ck_finished(session_pre_restore, s);
        ck_assert_str_eq(host.journal.text, "");
        session_free(s);
        host_settle();
        fake_writer_gone(&other);
}
END_TEST

/* One that goes away is replaced by nobody who was not chosen. */
START_TEST(a_component_stays_with_the_instance_that_it_was_selected_for) {
        struct fake_writer w[2] = { { .metadata = front_metadata },
                                    { .metadata = front_metadata } };
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        struct session *s = session_make();

        fake_writer_gone(&host.front);
        fake_writer_register_instance(&w[0], host.registry, host.event, &host.journal, "front",
                                      "15", VSS_APP_FRONT_END);
        fake_writer_register_instance(&w[1], host.registry, host.event, &host.journal, "front",
                                      "16", VSS_APP_FRONT_END);
        ck_assert_int_eq(initialize_from(s, METHOD_INITIALIZE_FOR_RESTORE, saved_of("15")), S_OK);
        ck_finished(session_gather_writer_metadata, s);
        a.flag = true;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
        fake_writer_gone(&w[0]);
        host.journal.text[0] = '\0';
        ck_finished(session_pre_restore, s);
        ck_assert_str_eq(host.journal.text, "");
        session_free(s);
        host_settle();
        fake_writer_gone(&w[1]);
}
END_TEST

START_TEST(a_writer_that_never_wants_to_know_is_not_told) {
        static char metadata[sizeof(front_metadata)];
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        struct session *s;
        char *word;

        (void)snprintf(metadata, sizeof(metadata), "%s", front_metadata);
        word = strstr(metadata, "always");
        ck_assert_ptr_nonnull(word);
        memcpy(word, "never\"", 6);
        word[6] = ' ';
        host.front.metadata = metadata;
        s = restore_gathered();
        a.flag = true;
        ck_assert_int_eq(call_component(s, METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
        if (_i == 1)
                ck_ok(session_free_writer_metadata(s, &error));
        host.journal.text[0] = '\0';
        ck_finished(session_pre_restore, s);
        ck_finished(session_post_restore, s);
        ck_assert_str_eq(host.journal.text, "");
        session_free(s);
}
END_TEST

static HRESULT failure_of_front(struct session *s) {
        struct writer_status status;

        ck_finished(session_gather_writer_status, s);
        for (uint32_t i = 0;; i++) {
                ck_ok(session_get_writer_status(s, i, &status, &error));
                if (streq(status.name, "front"))
                        return status.failure;
        }
}

START_TEST(restores_of_one_writer_wait_for_each_other_unless_it_takes_several) {
        static char metadata[sizeof(front_metadata)];
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        const bool several = _i == 1;
        struct session *s[2];

        a.flag = true;
        (void)snprintf(metadata, sizeof(metadata), "%s", front_metadata);
        if (several)
                memcpy(strstr(metadata, "29440"), "62208", 5);
        host.front.metadata = metadata;
        host.journal.text[0] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(s); i++) {
                s[i] = restore_gathered();
                ck_assert_int_eq(call_component(s[i], METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
                host.journal.text[0] = '\0';
                ck_finished(session_pre_restore, s[i]);
        }
        ck_assert_str_eq(host.journal.text, several ? "front:PreRestore " : "");
        ck_assert_int_eq(failure_of_front(s[0]), S_OK);
        ck_assert_int_eq(failure_of_front(s[1]),
                         several ? S_OK : VSS_E_WRITER_STATUS_NOT_AVAILABLE);
        /* It was not told before, and is not now. */
        host.journal.text[0] = '\0';
        ck_finished(session_post_restore, s[1]);
        ck_assert_str_eq(host.journal.text, several ? "front:PostRestore " : "");
        session_free(s[0]);
        session_free(s[1]);
        host_settle();

        s[0] = restore_gathered();
        ck_assert_int_eq(call_component(s[0], METHOD_SET_SELECTED_FOR_RESTORE, a), S_OK);
        ck_finished(session_pre_restore, s[0]);
        ck_assert_int_eq(failure_of_front(s[0]), S_OK);
        session_free(s[0]);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("session-restore");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, components_setup, host_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_loop_test(tc, calls_one_by_one, 0, 2);
        tcase_add_test(tc, the_state_comes_first);
        tcase_add_test(tc, a_restore_from_beginning_to_end);
        tcase_add_test(tc, a_restore_moves_to_another_instance);
        tcase_add_loop_test(tc, what_is_deselected_is_not_restored, 0, 2);
        tcase_add_loop_test(tc, a_component_goes_to_the_instance_it_came_from_or_to_the_only_one, 0,
                            (int)ARRAY_SIZE(instances));
        tcase_add_loop_test(tc, a_restore_begins_with_nothing_selected, 0, 2);
        tcase_add_test(tc, options_are_set_once_by_each_restore);
        tcase_add_test(tc, a_component_may_be_selected_for_another_again);
        tcase_add_test(tc, a_component_stays_with_the_instance_that_it_was_selected_for);
        tcase_add_loop_test(tc, a_writer_that_never_wants_to_know_is_not_told, 0, 2);
        tcase_add_loop_test(tc, restores_of_one_writer_wait_for_each_other_unless_it_takes_several,
                            0, 2);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
