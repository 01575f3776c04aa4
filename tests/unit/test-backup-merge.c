/* What a writer is shown of the Backup Components Document, and what of its answer is taken over:
 * the table of phases, tried thing by thing, and answers that a hostile writer may give. */

#include "common/backup-document.h"
#include "common/vss-id.h"

#include <check.h>
#include <stdio.h>

#define A "0000000a-0000-0000-0000-000000000000"
#define B "0000000b-0000-0000-0000-000000000000"
#define I1 "00000001-0000-0000-0000-000000000000"
#define I2 "00000002-0000-0000-0000-000000000000"
#define I9 "00000009-0000-0000-0000-000000000000"
#define ROOT "<BACKUP_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\" version=\"1.2\" "
#define STATE "partialFileSupport=\"yes\">"
#define WRITER(instance, class, name) \
        "<WRITER_COMPONENTS instanceId=\"" instance "\" writerId=\"" class "\"" name ">"
#define COMPONENT(name, rest) \
        "<COMPONENT componentName=\"" name "\" componentType=\"database\"" rest
#define END "</WRITER_COMPONENTS></BACKUP_COMPONENTS>"

static const struct backup_writer_info writer_a1 = { .instance_id = { .Data1 = 1 },
                                                     .writer_id = { .Data1 = 0xa } };

static struct backup_document *parse(const char *xml) {
        struct backup_document *d = NULL;
        struct vss_error e = { 0 };

        ck_assert_msg(backup_document_parse(&d, xml, strlen(xml), &e) == 0, "%s: %s", e.message,
                      xml);
        return d;
}

static char *print(const struct backup_document *d) {
        char *xml = NULL;
        size_t size = 0;

        ck_assert_int_eq(backup_document_to_xml(d, &xml, &size, NULL), 0);
        return xml;
}

static struct backup_component *find(const struct backup_document *d, const char *name) {
        const struct backup_component_key key = { .writer_id = writer_a1.writer_id, .name = name };
        struct backup_component *c = backup_document_find(d, &key);

        ck_assert_ptr_nonnull(c);
        return c;
}

static void merge(struct backup_document *d, enum backup_phase phase, const char *xml) {
        struct vss_error e = { 0 };

        ck_assert_msg(backup_document_merge(d, &writer_a1, phase, xml, strlen(xml), &e) == 0,
                      "%s: %s", e.message, xml);
}

#define PLAIN ROOT STATE WRITER(I1, A, "") COMPONENT("c", " selectedForRestore=\"yes\"/>") END

/* What may be set in which phase, by the documentation of IVssComponent, written down again here,
 * so that a change of the table in the code is seen. P: PrepareBackup, S: PostSnapshot,
 * C: BackupComplete, R: PreRestore, O: PostRestore. */
static const char phase_letters[] = "PSCRO";

static const char *const text_phases[_BACKUP_TEXT_MAX] = {
        [BACKUP_TEXT_BACKUP_OPTIONS] = "",
        [BACKUP_TEXT_BACKUP_STAMP] = "PS",
        [BACKUP_TEXT_PREVIOUS_BACKUP_STAMP] = "",
        [BACKUP_TEXT_BACKUP_METADATA] = "PS",
        [BACKUP_TEXT_RESTORE_METADATA] = "R",
        [BACKUP_TEXT_RESTORE_OPTIONS] = "",
        [BACKUP_TEXT_RESTORE_NAME] = "",
        [BACKUP_TEXT_ROLL_FORWARD_POINT] = "",
        [BACKUP_TEXT_PREPARE_FAILURE] = "P",
        [BACKUP_TEXT_POST_SNAPSHOT_FAILURE] = "S",
        [BACKUP_TEXT_PRE_RESTORE_FAILURE] = "R",
        [BACKUP_TEXT_POST_RESTORE_FAILURE] = "O",
        [BACKUP_TEXT_APPLICATION_MESSAGE] = "PSCRO",
        [BACKUP_TEXT_SELECTED_INSTANCE] = "",
};

static const struct {
        const char *phases;
        int32_t value;
} number_phases[_BACKUP_NUMBER_MAX] = {
        [BACKUP_NUMBER_RESTORE_TARGET] = { "R", VSS_RT_DIRECTED },
        [BACKUP_NUMBER_FILE_RESTORE_STATUS] = { "", VSS_RS_ALL },
        [BACKUP_NUMBER_ROLL_FORWARD] = { "", VSS_RF_ALL },
        [BACKUP_NUMBER_FAILURE] = { "PSCRO", VSS_E_WRITERERROR_RETRYABLE },
        [BACKUP_NUMBER_APPLICATION_FAILURE] = { "PSCRO", 17 },
};

static const char *const list_phases[_BACKUP_LIST_MAX] = {
        [BACKUP_LIST_ALTERNATE_LOCATION_MAPPING] = "",
        [BACKUP_LIST_NEW_TARGET] = "",
        [BACKUP_LIST_PARTIAL_FILE] = "PS",
        [BACKUP_LIST_DIFFERENCED_FILES] = "PS",
        [BACKUP_LIST_DIRECTED_TARGET] = "R",
        [BACKUP_LIST_RESTORE_SUBCOMPONENT] = "",
};

static bool allows(const char *phases, enum backup_phase phase) {
        return strchr(phases, phase_letters[phase]);
}

/* The writer's copy with everything in it that there is. */
static char *everything(void) {
        static const struct backup_entry entry = { .texts = { "1", "2", "3", "4", "5", "6" },
                                                   .flag = true,
                                                   .time = 7 };
        _cleanup_(backup_document_freep) struct backup_document *d = parse(PLAIN);
        struct backup_component *c = find(d, "c");

        for (enum backup_text what = 0; what < _BACKUP_TEXT_MAX; what++)
                ck_assert_int_eq(
                        backup_component_set_text(
                                c, what, what == BACKUP_TEXT_SELECTED_INSTANCE ? I9 : "text", NULL),
                        0);
        for (enum backup_number what = 0; what < _BACKUP_NUMBER_MAX; what++)
                ck_assert_int_eq(
                        backup_component_set_number(c, what, number_phases[what].value, NULL), 0);
        for (enum backup_flag what = 0; what < _BACKUP_FLAG_MAX; what++)
                ck_assert_int_eq(backup_component_set_flag(c, what, true, NULL), 0);
        for (enum backup_list list = 0; list < _BACKUP_LIST_MAX; list++)
                ck_assert_int_eq(backup_component_add_entry(c, list, &entry, NULL), 0);
        return print(d);
}

START_TEST(each_phase_lets_through_what_the_table_says) {
        enum backup_phase phase = (enum backup_phase)_i;
        _cleanup_(freep) char *given = everything();
        _cleanup_(backup_document_freep) struct backup_document *d = parse(PLAIN);
        struct backup_component *c = find(d, "c");

        backup_component_set_recipient(c, writer_a1.instance_id);
        merge(d, phase, given);
        for (enum backup_text what = 0; what < _BACKUP_TEXT_MAX; what++) {
                ck_assert_msg(!backup_component_text(c, what) == !allows(text_phases[what], phase),
                              "text %d in phase %d", (int)what, _i);
                ck_assert_int_eq(backup_phase_may_set_text(phase, what),
                                 allows(text_phases[what], phase));
        }
        for (enum backup_number what = 0; what < _BACKUP_NUMBER_MAX; what++) {
                bool set = backup_component_number(c, what) == number_phases[what].value;

                ck_assert_msg(set == allows(number_phases[what].phases, phase),
                              "number %d in phase %d", (int)what, _i);
                ck_assert_int_eq(backup_phase_may_set_number(phase, what), set);
        }
        for (enum backup_list list = 0; list < _BACKUP_LIST_MAX; list++) {
                ck_assert_msg((backup_component_n_entries(c, list) == 1) ==
                                      allows(list_phases[list], phase),
                              "list %d in phase %d", (int)list, _i);
                ck_assert_int_eq(backup_phase_may_add(phase, list),
                                 allows(list_phases[list], phase));
        }
        for (enum backup_flag what = 0; what < _BACKUP_FLAG_MAX; what++)
                ck_assert_int_eq(backup_component_flag(c, what),
                                 what == BACKUP_FLAG_SELECTED_FOR_RESTORE ? 1 : -1);
}
END_TEST

START_TEST(a_stamp_may_change_and_metadata_may_not) {
        _cleanup_(backup_document_freep) struct backup_document *d = parse(PLAIN);

        merge(d, BACKUP_PHASE_PREPARE_BACKUP,
              ROOT STATE WRITER(I1, A, "")
                      COMPONENT("c", " backupStamp=\"1\">") "<BACKUP_METADATA xmlns=\"\" "
                                                            "metadata=\"1\"/></COMPONENT>" END);
        merge(d, BACKUP_PHASE_POST_SNAPSHOT,
              ROOT STATE WRITER(I1, A, "") COMPONENT(
                      "c",
                      " backupStamp=\"2\">") "<BACKUP_METADATA metadata=\"2\"/></COMPONENT>" END);
        ck_assert_str_eq(backup_component_text(find(d, "c"), BACKUP_TEXT_BACKUP_STAMP), "2");
        ck_assert_str_eq(backup_component_text(find(d, "c"), BACKUP_TEXT_BACKUP_METADATA), "1");
        /* What is not there any more stays. */
        merge(d, BACKUP_PHASE_POST_SNAPSHOT, PLAIN);
        ck_assert_str_eq(backup_component_text(find(d, "c"), BACKUP_TEXT_BACKUP_STAMP), "2");
}
END_TEST

/* SetFailure(S_OK) takes back what an earlier handler said, words and all. */
START_TEST(a_failure_is_taken_as_it_is) {
        _cleanup_(backup_document_freep) struct backup_document *d = parse(PLAIN), *given = NULL;
        _cleanup_(freep) char *failed = NULL;
        struct backup_component *c;

        given = parse(PLAIN);
        c = find(given, "c");
        ck_assert_int_eq(backup_component_set_number(c, BACKUP_NUMBER_FAILURE,
                                                     VSS_E_WRITERERROR_RETRYABLE, NULL),
                         0);
        ck_assert_int_eq(backup_component_set_text(c, BACKUP_TEXT_APPLICATION_MESSAGE, "old", NULL),
                         0);
        failed = print(given);
        merge(d, BACKUP_PHASE_PREPARE_BACKUP, failed);
        c = find(d, "c");
        ck_assert_str_eq(backup_component_text(c, BACKUP_TEXT_APPLICATION_MESSAGE), "old");
        merge(d, BACKUP_PHASE_POST_SNAPSHOT, PLAIN);
        ck_assert_int_eq(backup_component_number(c, BACKUP_NUMBER_FAILURE), S_OK);
        ck_assert_ptr_null(backup_component_text(c, BACKUP_TEXT_APPLICATION_MESSAGE));
}
END_TEST

START_TEST(entries_are_appended_once) {
        static const char given[] = ROOT STATE WRITER(I1, A, "")
                COMPONENT("c", ">") "<PARTIAL_FILE path=\"/p\" filespec=\"1\" ranges=\"0:1\"/>"
                                    "<PARTIAL_FILE path=\"/p\" filespec=\"2\" ranges=\"0:1\"/>"
                                    "<PARTIAL_FILE path=\"/p\"/></COMPONENT>" END;
        _cleanup_(backup_document_freep) struct backup_document *d = parse(PLAIN);
        struct backup_entry entry;

        merge(d, BACKUP_PHASE_PREPARE_BACKUP, given);
        merge(d, BACKUP_PHASE_POST_SNAPSHOT, given);
        ck_assert_uint_eq(backup_component_n_entries(find(d, "c"), BACKUP_LIST_PARTIAL_FILE), 2);
        ck_assert(backup_component_entry(find(d, "c"), BACKUP_LIST_PARTIAL_FILE, 1, &entry));
        ck_assert_str_eq(entry.texts[1], "2");
        ck_assert_ptr_null(entry.texts[3]);
        ck_assert(!backup_component_entry(find(d, "c"), BACKUP_LIST_PARTIAL_FILE, 2, &entry));
}
END_TEST

START_TEST(partial_files_need_support) {
        _cleanup_(backup_document_freep) struct backup_document *d =
                parse(ROOT ">" WRITER(I1, A, "") COMPONENT("c", "/>") END);

        merge(d, BACKUP_PHASE_POST_SNAPSHOT,
              ROOT STATE WRITER(I1, A, "")
                      COMPONENT("c", ">") "<PARTIAL_FILE path=\"/p\" filespec=\"1\" "
                                          "ranges=\"0:1\"/></COMPONENT>" END);
        ck_assert_uint_eq(backup_component_n_entries(find(d, "c"), BACKUP_LIST_PARTIAL_FILE), 0);
}
END_TEST

/* Everything that is not the writer's, or that nobody has, leaves the document as it was. */
START_TEST(a_writer_changes_nothing_of_others) {
        static const char own[] = ROOT STATE WRITER(I1, A, "")
                COMPONENT("c", "/>") "</WRITER_COMPONENTS>" WRITER(I2, A, "")
                        COMPONENT("c2", "/>") "</WRITER_COMPONENTS>" WRITER(I1, B, "")
                                COMPONENT("c", "/>") END;
        static const char *const answers[] = {
                ROOT STATE WRITER(I2, A, "") COMPONENT("c2", " backupStamp=\"x\"/>") END,
                ROOT STATE WRITER(I1, B, "") COMPONENT("c", " backupStamp=\"x\"/>") END,
                ROOT STATE WRITER(I1, A, "") COMPONENT("new", " backupStamp=\"x\"/>") END,
                ROOT STATE WRITER(I1, A, "") COMPONENT("c2", " backupStamp=\"x\"/>") END,
                ROOT STATE "<WRITER_COMPONENTS writerId=\"" A
                           "\">" COMPONENT("c2", " backupStamp=\"x\"/>") END,
                ROOT STATE WRITER(I1, A, "") "<COMPONENT componentName=\"c\""
                                             " componentType=\"filegroup\" backupStamp=\"x\"/>" END,
                ROOT "snapshotSetId=\"" A "\" backupType=\"log\"/>",
                ROOT STATE WRITER(I1, A, "")
                        COMPONENT("c", " backupSucceeded=\"yes\"><x/></COMPONENT>") END,
                ROOT STATE WRITER(I1, A, "") COMPONENT("c", " hr=\"0x80070005\"/>") END,
                ROOT STATE WRITER(I1, A, "") COMPONENT("c", " hr=\"bad\"/>") END,
        };
        _cleanup_(backup_document_freep) struct backup_document *d = parse(own);
        _cleanup_(freep) char *before = print(d);

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                _cleanup_(freep) char *after = NULL;

                merge(d, BACKUP_PHASE_POST_SNAPSHOT, answers[i]);
                after = print(d);
                ck_assert_str_eq(before, after);
        }
}
END_TEST

START_TEST(an_answer_that_is_no_document_changes_nothing) {
        static const char *const answers[] = {
                "",
                "x",
                "<WRITER_METADATA/>",
                ROOT STATE WRITER(I1, A, "") COMPONENT("c", " backupStamp=\"x\"/>"),
                ROOT STATE WRITER(I1, A, "")
                        COMPONENT("c", " backupStamp=\"x\"/>") "<COMPONENT/>" END,
                ROOT STATE WRITER("x", A, "") COMPONENT("c", " backupStamp=\"x\"/>") END,
                "<!DOCTYPE a>" ROOT STATE WRITER(I1, A, "") COMPONENT("c", " backupStamp=\"x\"/>")
                        END,
        };
        _cleanup_(backup_document_freep) struct backup_document *d = parse(PLAIN);
        _cleanup_(freep) char *before = print(d);

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                _cleanup_(freep) char *after = NULL;
                struct vss_error e = { 0 };

                ck_assert_msg(backup_document_merge(d, &writer_a1, BACKUP_PHASE_PREPARE_BACKUP,
                                                    answers[i], strlen(answers[i]), &e) < 0,
                              "%s", answers[i]);
                ck_assert_int_eq(e.hr, VSS_E_INVALID_XML_DOCUMENT);
                vss_error_done(&e);
                after = print(d);
                ck_assert_str_eq(before, after);
        }
}
END_TEST

/* Answers add up until the document is full: then they are refused, and it can still be printed. */
START_TEST(the_document_has_an_end) {
        const size_t n = 30 * 1024 * 1024;
        _cleanup_(backup_document_freep) struct backup_document *d = parse(PLAIN);
        _cleanup_(freep) char *text = malloc(n + 1), *xml = NULL;
        struct backup_component *c = find(d, "c");
        struct vss_error e = { 0 };

        memset(text, 'x', n);
        text[n] = '\0';
        ck_assert_int_eq(backup_component_set_text(c, BACKUP_TEXT_BACKUP_METADATA, text, NULL), 0);
        ck_assert_int_eq(backup_component_set_text(c, BACKUP_TEXT_BACKUP_STAMP, text, NULL), 0);
        ck_assert_int_lt(backup_component_set_text(c, BACKUP_TEXT_APPLICATION_MESSAGE, text, &e),
                         0);
        ck_assert_int_eq(e.hr, E_OUTOFMEMORY);
        vss_error_done(&e);
        /* What goes makes room. */
        ck_assert_int_eq(backup_component_set_text(c, BACKUP_TEXT_BACKUP_STAMP, NULL, NULL), 0);
        ck_assert_int_eq(backup_component_set_text(c, BACKUP_TEXT_APPLICATION_MESSAGE, text, NULL),
                         0);
        xml = print(d);
        ck_assert_uint_gt(strlen(xml), 2 * n);
}
END_TEST

START_TEST(one_answer_adds_so_much) {
        const size_t n = 20 * 1024 * 1024;
        _cleanup_(backup_document_freep) struct backup_document *d = parse(PLAIN);
        _cleanup_(freep) char *text = malloc(n + 1), *given = malloc(n + 4096);
        struct vss_error e = { 0 };

        memset(text, 'x', n);
        text[n] = '\0';
        (void)sprintf(given, "%s%s%s",
                      ROOT STATE WRITER(I1, A, "") "<COMPONENT componentName=\"c\""
                                                   " componentType=\"database\" backupStamp=\"",
                      text, "\"/>" END);
        ck_assert_int_lt(backup_document_merge(d, &writer_a1, BACKUP_PHASE_POST_SNAPSHOT, given,
                                               strlen(given), &e),
                         0);
        ck_assert_int_eq(e.hr, E_OUTOFMEMORY);
        vss_error_done(&e);
        ck_assert_ptr_null(backup_component_text(find(d, "c"), BACKUP_TEXT_BACKUP_STAMP));
        /* The requester may, and so may the next. */
        ck_assert_int_eq(
                backup_component_set_text(find(d, "c"), BACKUP_TEXT_BACKUP_OPTIONS, text, NULL), 0);
        merge(d, BACKUP_PHASE_POST_SNAPSHOT, PLAIN);
}
END_TEST

static char *extract(const struct backup_document *d, const struct backup_writer_info *writer,
                     bool selected_only) {
        char *xml = NULL;
        size_t size = 0;

        ck_assert_int_eq(backup_document_extract(d, writer, selected_only, &xml, &size, NULL), 0);
        ck_assert_uint_eq(size, strlen(str_or_empty(xml)));
        return xml;
}

START_TEST(in_a_backup_a_writer_sees_its_own) {
        _cleanup_(backup_document_freep) struct backup_document *d = parse(
                ROOT "unknown=\"1\">"
                     "<SNAPSHOT_SET_DESCRIPTION/>" WRITER(I1, A, "")
                             COMPONENT("c", " x=\"y\"/>") "</WRITER_COMPONENTS>" WRITER(I2, A, "")
                                     COMPONENT("c2", "/>") END);
        _cleanup_(freep) char *xml = extract(d, &writer_a1, false);
        struct backup_writer_info other = writer_a1;

        ck_assert_str_eq(xml,
                         ROOT "unknown=\"1\">" WRITER(I1, A, "") COMPONENT("c", " x=\"y\"/>") END);
        other.instance_id.Data1 = 9;
        ck_assert_ptr_null(extract(d, &other, false));
        other = writer_a1;
        other.writer_id.Data1 = 0xb;
        ck_assert_ptr_null(extract(d, &other, false));
}
END_TEST

/* What this restore hands it, and nothing that the document says of an earlier one. */
START_TEST(in_a_restore_a_writer_sees_what_is_handed_to_it) {
        _cleanup_(backup_document_freep) struct backup_document *d =
                parse(ROOT ">" WRITER(I1, A, " instanceName=\"n\"") COMPONENT("no", "/>") COMPONENT(
                        "stale", " selectedForRestore=\"yes\" selectedForRestoreInstanceId=\"" I2
                                 "\"><RESTORE_SUBCOMPONENT logicalPath=\"l\" componentName=\"s\""
                                 " repair=\"no\"/></COMPONENT>") COMPONENT("yes", "/>")
                              COMPONENT("moved", "/>") END);
        struct backup_writer_info writer = { .instance_id = { .Data1 = 2 },
                                             .writer_id = { .Data1 = 0xa },
                                             .instance_name = "n" };
        _cleanup_(freep) char *xml = NULL, *moved = NULL;

        ck_assert_ptr_null(extract(d, &writer, true));
        ck_assert(!backup_document_has_part(d, &writer, true));
        backup_component_set_recipient(find(d, "yes"), writer.instance_id);
        backup_component_set_recipient(find(d, "moved"), (VSS_ID){ .Data1 = 9 });
        ck_assert(backup_document_has_part(d, &writer, true));
        xml = extract(d, &writer, true);
        ck_assert_ptr_nonnull(strstr(xml, "\"yes\" componentType"));
        ck_assert_ptr_null(strstr(xml, "\"no\" componentType"));
        ck_assert_ptr_null(strstr(xml, "\"stale\" componentType"));
        ck_assert_ptr_null(strstr(xml, "\"moved\" componentType"));
        writer.instance_id.Data1 = 9;
        moved = extract(d, &writer, true);
        ck_assert_ptr_nonnull(strstr(moved, "\"moved\" componentType"));
        ck_assert_ptr_null(strstr(moved, "\"yes\" componentType"));
        writer.writer_id.Data1 = 0xb;
        ck_assert_ptr_null(extract(d, &writer, true));
        backup_component_set_recipient(find(d, "yes"), GUID_NULL);
        writer = writer_a1;
        writer.instance_id.Data1 = 2;
        ck_assert_ptr_null(extract(d, &writer, true));
}
END_TEST

START_TEST(what_is_shown_can_be_given_back) {
        _cleanup_(backup_document_freep) struct backup_document *d = parse(PLAIN);
        _cleanup_(freep) char *before = print(d), *shown = extract(d, &writer_a1, false);
        _cleanup_(freep) char *after = NULL;

        backup_component_set_recipient(find(d, "c"), writer_a1.instance_id);
        for (enum backup_phase phase = 0; phase < _BACKUP_PHASE_MAX; phase++)
                merge(d, phase, shown);
        after = print(d);
        ck_assert_str_eq(before, after);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("backup-merge");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tcase, 60);
        tcase_add_loop_test(tcase, each_phase_lets_through_what_the_table_says, 0,
                            _BACKUP_PHASE_MAX);
        tcase_add_test(tcase, a_stamp_may_change_and_metadata_may_not);
        tcase_add_test(tcase, a_failure_is_taken_as_it_is);
        tcase_add_test(tcase, entries_are_appended_once);
        tcase_add_test(tcase, partial_files_need_support);
        tcase_add_test(tcase, a_writer_changes_nothing_of_others);
        tcase_add_test(tcase, an_answer_that_is_no_document_changes_nothing);
        tcase_add_test(tcase, the_document_has_an_end);
        tcase_add_test(tcase, one_answer_adds_so_much);
        tcase_add_test(tcase, in_a_backup_a_writer_sees_its_own);
        tcase_add_test(tcase, in_a_restore_a_writer_sees_what_is_handed_to_it);
        tcase_add_test(tcase, what_is_shown_can_be_given_back);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
