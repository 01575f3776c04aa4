/* The Backup Components Document: what is set is found, printed, and found again; what is not known
 * stays; writers change what they may. */

#include "common/backup-document.h"
#include "common/vss-id.h"

#include <check.h>
#include <stdio.h>
#include <time.h>

static const VSS_ID class_a = { .Data1 = 0xa }, class_b = { .Data1 = 0xb };
static const VSS_ID instance_1 = { .Data1 = 1 }, instance_2 = { .Data1 = 2 };

static struct backup_document *new_document(void) {
        struct backup_document *d = NULL;

        ck_assert_int_eq(backup_document_new(&d, NULL), 0);
        return d;
}

static char *print(const struct backup_document *d) {
        char *xml = NULL;
        size_t size = 0;

        ck_assert_int_eq(backup_document_to_xml(d, &xml, &size, NULL), 0);
        ck_assert_uint_eq(strlen(xml), size);
        return xml;
}

static struct backup_document *parse(const char *xml) {
        struct backup_document *d = NULL;
        struct vss_error e = { 0 };

        ck_assert_msg(backup_document_parse(&d, xml, strlen(xml), &e) == 0, "%s: %s", e.message,
                      xml);
        return d;
}

static void assert_xml(const struct backup_document *d, const char *expected) {
        _cleanup_(freep) char *xml = print(d);

        ck_assert_str_eq(xml, expected);
}

static struct backup_component *add(struct backup_document *d, VSS_ID instance_id, VSS_ID writer_id,
                                    const char *logical_path, const char *name) {
        const struct backup_writer_info writer = { .instance_id = instance_id,
                                                   .writer_id = writer_id,
                                                   .schema = VSS_BS_COPY };
        const struct backup_component_key key = { .type = VSS_CT_DATABASE,
                                                  .logical_path = logical_path,
                                                  .name = name };
        struct backup_component *c = NULL;

        ck_assert_int_eq(backup_document_add(d, &writer, &key, &c, NULL), 0);
        return c;
}

#define ROOT                                                          \
        "<BACKUP_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\"" \
        " version=\"1.2\" bootableSystemStateBackup=\"no\""
#define EMPTY ROOT " selectComponents=\"no\" partialFileSupport=\"no\"/>"
#define FULL ROOT " selectComponents=\"yes\" backupType=\"full\" partialFileSupport=\"yes\""
#define WRITER_A1                                                                \
        "<WRITER_COMPONENTS instanceId=\"00000001-0000-0000-0000-000000000000\"" \
        " writerId=\"0000000a-0000-0000-0000-000000000000\" backupSchema=\"16\">"

START_TEST(a_new_document_is_empty) {
        _cleanup_(backup_document_freep) struct backup_document *d = new_document();

        assert_xml(d, EMPTY);
        ck_assert_uint_eq(backup_document_n_writers(d), 0);
        ck_assert_ptr_null(backup_document_writer(d, 0));
}
END_TEST

START_TEST(attributes_stand_in_their_order_whatever_the_order_of_the_calls) {
        static const struct backup_document_state state = { .select_components = true,
                                                            .partial_files = true,
                                                            .backup_type = VSS_BT_FULL };
        static const struct backup_entry partial = { .texts = { "/p", "f", "0:1", NULL } };
        static const struct backup_entry mapping = { .texts = { "/p", "*", "/q" }, .flag = true };
        _cleanup_(backup_document_freep) struct backup_document *d = new_document();
        struct backup_component *c = add(d, instance_1, class_a, "l", "\xc3\xa4\n\"");

        ck_assert_int_eq(backup_document_set_state(d, &state, NULL), 0);
        ck_assert_int_eq(backup_component_add_entry(c, BACKUP_LIST_PARTIAL_FILE, &partial, NULL),
                         0);
        ck_assert_int_eq(backup_component_add_entry(c, BACKUP_LIST_ALTERNATE_LOCATION_MAPPING,
                                                    &mapping, NULL),
                         0);
        ck_assert_int_eq(backup_component_set_number(c, BACKUP_NUMBER_FAILURE,
                                                     VSS_E_WRITERERROR_TIMEOUT, NULL),
                         0);
        ck_assert_int_eq(backup_component_set_text(c, BACKUP_TEXT_BACKUP_METADATA, "m\r\n\t", NULL),
                         0);
        ck_assert_int_eq(backup_component_set_flag(c, BACKUP_FLAG_SUCCEEDED, false, NULL), 0);
        ck_assert_int_eq(backup_component_set_text(c, BACKUP_TEXT_BACKUP_STAMP, "s", NULL), 0);
        assert_xml(d,
                   FULL ">" WRITER_A1
                        "<COMPONENT logicalPath=\"l\" componentName=\"\xc3\xa4&#10;&quot;\""
                        " componentType=\"database\" backupStamp=\"s\" backupSucceeded=\"no\""
                        " hr=\"0x800423f2\">"
                        "<BACKUP_METADATA metadata=\"m&#13;&#10;&#9;\"/>"
                        "<ALTERNATE_LOCATION_MAPPING path=\"/p\" filespec=\"*\" recursive=\"yes\""
                        " alternatePath=\"/q\"/>"
                        "<PARTIAL_FILE path=\"/p\" filespec=\"f\" ranges=\"0:1\"/>"
                        "</COMPONENT></WRITER_COMPONENTS></BACKUP_COMPONENTS>");
}
END_TEST

START_TEST(what_is_not_known_survives) {
        static const char text[] =
                FULL " color=\"red\"><SNAPSHOT_SET_DESCRIPTION><x y=\"z\">t</x>"
                     "</SNAPSHOT_SET_DESCRIPTION>" WRITER_A1
                     "<COMPONENT componentName=\"c\" componentType=\"database\" smell=\"&lt;\">"
                     "<BACKUP_METADATA metadata=\"m\"/><o:odd xmlns:o=\"urn:o\" o:a=\"1\"/>"
                     "</COMPONENT></WRITER_COMPONENTS></BACKUP_COMPONENTS>";
        _cleanup_(backup_document_freep) struct backup_document *d = parse(text);

        assert_xml(d, text);
}
END_TEST

START_TEST(namespaces_do_not_matter) {
        _cleanup_(backup_document_freep) struct backup_document *d =
                parse(FULL ">\n <WRITER_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\""
                           " instanceId=\"{00000001-0000-0000-0000-000000000000}\""
                           " writerId=\"0000000A-0000-0000-0000-000000000000\">\n\t"
                           "<COMPONENT componentName=\"c\" componentType=\"filegroup\">"
                           "<BACKUP_METADATA xmlns=\"\" metadata=\"m\"/></COMPONENT>"
                           "</WRITER_COMPONENTS></BACKUP_COMPONENTS>\r\n");
        const struct backup_component_key key = { .writer_id = class_a, .name = "c" };
        const struct backup_component *c = backup_document_find(d, &key);
        _cleanup_(freep) char *xml = print(d);

        ck_assert_ptr_nonnull(c);
        ck_assert_str_eq(backup_component_text(c, BACKUP_TEXT_BACKUP_METADATA), "m");
        ck_assert_ptr_null(strchr(xml, '\n'));
        ck_assert_ptr_null(strstr(xml + 20, "xmlns"));
}
END_TEST

/* Nobody can add two of one name, but a document that was saved elsewhere may have them. */
START_TEST(components_are_found) {
#define IN_INSTANCE(id)                                                                 \
        "<WRITER_COMPONENTS instanceId=\"0000000" id "-0000-0000-0000-000000000000\""   \
        " writerId=\"0000000a-0000-0000-0000-000000000000\" backupSchema=\"0\">"        \
        "<COMPONENT logicalPath=\"l\" componentName=\"c\" componentType=\"database\"/>" \
        "</WRITER_COMPONENTS>"
        _cleanup_(backup_document_freep) struct backup_document *d =
                parse(FULL ">" IN_INSTANCE("1") IN_INSTANCE("2") "</BACKUP_COMPONENTS>");
#undef IN_INSTANCE
        struct backup_component *a = backup_writer_component(backup_document_writer(d, 0), 0);
        struct backup_component *b = backup_writer_component(backup_document_writer(d, 1), 0);
        struct backup_component_key key = { .writer_id = class_a,
                                            .logical_path = "l",
                                            .name = "c" };

        ck_assert_ptr_nonnull(a);
        ck_assert_ptr_nonnull(b);
        ck_assert_ptr_eq(backup_document_find(d, &key), a);
        key.instance_id = instance_2;
        ck_assert_ptr_eq(backup_document_find(d, &key), b);
        key.type = VSS_CT_FILEGROUP;
        ck_assert_ptr_null(backup_document_find(d, &key));
        key.type = VSS_CT_DATABASE;
        ck_assert_ptr_eq(backup_document_find(d, &key), b);
        key.writer_id = class_b;
        ck_assert_ptr_null(backup_document_find(d, &key));
}
END_TEST

START_TEST(bad_documents_are_refused) {
        static const struct {
                const char *text;
                HRESULT hr;
        } cases[] = {
                { "", VSS_E_INVALID_XML_DOCUMENT },
                { "<WRITER_METADATA/>", VSS_E_INVALID_XML_DOCUMENT },
                { "<BACKUP_COMPONENTS version=\"2.0\"/>", VSS_E_INVALID_XML_DOCUMENT },
                { ROOT ">", VSS_E_INVALID_XML_DOCUMENT },
                { ROOT " snapshotSetId=\"x\"/>", VSS_E_INVALID_XML_DOCUMENT },
                { ROOT "><WRITER_COMPONENTS/></BACKUP_COMPONENTS>", VSS_E_INVALID_XML_DOCUMENT },
                { ROOT ">" WRITER_A1 "<COMPONENT/></WRITER_COMPONENTS></BACKUP_COMPONENTS>",
                  VSS_E_INVALID_XML_DOCUMENT },
                { ROOT ">" WRITER_A1 "<COMPONENT componentName=\"c\""
                       " selectedForRestoreInstanceId=\"x\"/></WRITER_COMPONENTS>"
                       "</BACKUP_COMPONENTS>",
                  VSS_E_INVALID_XML_DOCUMENT },
                { ROOT "><WRITER_COMPONENTS writerId=\"0000000a-0000-0000-0000-000000000000\""
                       " backupSchema=\"x\"/></BACKUP_COMPONENTS>",
                  VSS_E_INVALID_XML_DOCUMENT },
                { "<!DOCTYPE a [<!ENTITY b SYSTEM \"/etc/passwd\">]>" ROOT ">&b;"
                  "</BACKUP_COMPONENTS>",
                  VSS_E_INVALID_XML_DOCUMENT },
                { ROOT ">" WRITER_A1 "</WRITER_COMPONENTS>"
                       "<WRITER_COMPONENTS instanceId=\"00000001-0000-0000-0000-000000000000\""
                       " writerId=\"0000000a-0000-0000-0000-000000000000\" backupSchema=\"17\"/>"
                       "</BACKUP_COMPONENTS>",
                  VSS_E_CORRUPT_XML_DOCUMENT },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct backup_document *d = NULL;
                struct vss_error e = { 0 };

                ck_assert_msg(backup_document_parse(&d, cases[i].text, strlen(cases[i].text), &e) <
                                      0,
                              "%s", cases[i].text);
                ck_assert_msg(e.hr == cases[i].hr, "0x%x: %s", (unsigned)e.hr, cases[i].text);
                ck_assert_ptr_null(d);
                vss_error_done(&e);
        }
}
END_TEST

START_TEST(what_xml_cannot_carry_is_refused) {
        static const struct backup_entry bad = { .texts = { "/p", "f\x02" } };
        _cleanup_(backup_document_freep) struct backup_document *d = new_document();
        struct backup_component *c = add(d, instance_1, class_a, NULL, "c");
        _cleanup_(freep) char *before = print(d), *after = NULL;
        const char *const texts[] = { "\x01", "a\xff", "\xef\xbf\xbf", "\xed\xa0\x80" };
        struct vss_error e = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                ck_assert_int_lt(
                        backup_component_set_text(c, BACKUP_TEXT_BACKUP_OPTIONS, texts[i], &e), 0);
                ck_assert_int_eq(e.hr, E_INVALIDARG);
                vss_error_done(&e);
        }
        ck_assert_int_lt(backup_component_add_entry(c, BACKUP_LIST_PARTIAL_FILE, &bad, NULL), 0);
        ck_assert_int_lt(backup_component_set_text(c, BACKUP_TEXT_SELECTED_INSTANCE, "x", NULL), 0);
        ck_assert_int_lt(backup_component_set_number(c, BACKUP_NUMBER_RESTORE_TARGET, 0, NULL), 0);
        ck_assert_int_lt(backup_component_set_number(c, BACKUP_NUMBER_ROLL_FORWARD, 4, NULL), 0);
        after = print(d);
        ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(of_two_components_the_first_wins) {
        static const char text[] = FULL
                ">" WRITER_A1
                "<COMPONENT componentName=\"c\" componentType=\"database\" backupStamp=\"1\"/>"
                "<COMPONENT componentName=\"c\" componentType=\"filegroup\" backupStamp=\"2\"/>"
                "</WRITER_COMPONENTS></BACKUP_COMPONENTS>";
        _cleanup_(backup_document_freep) struct backup_document *d = parse(text);
        const struct backup_writer *w = backup_document_writer(d, 0);

        ck_assert_uint_eq(backup_writer_n_components(w), 1);
        ck_assert_str_eq(
                backup_component_text(backup_writer_component(w, 0), BACKUP_TEXT_BACKUP_STAMP),
                "1");
        ck_assert_ptr_null(backup_writer_component(w, 1));
        assert_xml(d, text);
}
END_TEST

START_TEST(a_component_is_added_once) {
        _cleanup_(backup_document_freep) struct backup_document *d = new_document();
        const struct backup_writer_info writer = { .instance_id = instance_1,
                                                   .writer_id = class_a };
        const struct backup_component_key key = { .type = VSS_CT_FILEGROUP, .name = "c" };
        struct vss_error e = { 0 };

        (void)add(d, instance_1, class_a, "", "c");
        ck_assert_int_lt(backup_document_add(d, &writer, &key, NULL, &e), 0);
        ck_assert_int_eq(e.hr, VSS_E_OBJECT_ALREADY_EXISTS);
        vss_error_done(&e);
}
END_TEST

/* Added and removed again and again, they leave nothing behind and take no room. */
START_TEST(entries_are_removed) {
        static const struct backup_entry part = { .texts = { "l", "<part>" } };
        _cleanup_(backup_document_freep) struct backup_document *d = new_document();
        struct backup_component *c = add(d, instance_1, class_a, "", "c");
        struct backup_entry entry;
        _cleanup_(freep) char *before = NULL, *after = NULL;
        size_t memory;

        ck_assert_int_eq(backup_component_set_text(c, BACKUP_TEXT_BACKUP_METADATA, "text", NULL),
                         0);
        ck_assert_int_eq(backup_component_add_entry(c, BACKUP_LIST_NEW_TARGET, &part, NULL), 0);
        before = print(d);
        memory = backup_document_memory(d);
        for (unsigned i = 0; i < 3; i++) {
                for (unsigned k = 0; k < 9; k++)
                        ck_assert_int_eq(backup_component_add_entry(
                                                 c, BACKUP_LIST_RESTORE_SUBCOMPONENT, &part, NULL),
                                         0);
                ck_assert_uint_eq(backup_component_n_entries(c, BACKUP_LIST_RESTORE_SUBCOMPONENT),
                                  9);
                backup_component_remove_entries(c, BACKUP_LIST_RESTORE_SUBCOMPONENT);
        }
        ck_assert_uint_eq(backup_component_n_entries(c, BACKUP_LIST_RESTORE_SUBCOMPONENT), 0);
        ck_assert(!backup_component_entry(c, BACKUP_LIST_RESTORE_SUBCOMPONENT, 0, &entry));
        ck_assert(!backup_component_has_subcomponent(c, "l", "<part>"));
        ck_assert_uint_eq(backup_component_n_entries(c, BACKUP_LIST_NEW_TARGET), 1);
        after = print(d);
        ck_assert_str_eq(before, after);
        ck_assert_uint_eq(backup_document_memory(d), memory);
}
END_TEST

/* Calls that name a component name no instance: two of one name could not be told apart. */
START_TEST(a_name_is_taken_in_all_instances_of_a_class) {
        _cleanup_(backup_document_freep) struct backup_document *d = new_document();
        const struct backup_writer_info writer = { .instance_id = instance_2,
                                                   .writer_id = class_a };
        struct backup_component_key key = { .type = VSS_CT_DATABASE, .name = "c" };
        struct vss_error e = { 0 };

        (void)add(d, instance_1, class_a, "", "c");
        for (; key.type <= VSS_CT_FILEGROUP; key.type++) {
                ck_assert_int_lt(backup_document_add(d, &writer, &key, NULL, &e), 0);
                ck_assert_int_eq(e.hr, VSS_E_OBJECT_ALREADY_EXISTS);
                vss_error_done(&e);
        }
        ck_assert_uint_eq(backup_document_n_writers(d), 1);
        (void)add(d, instance_2, class_a, "", "c2");
        (void)add(d, instance_2, class_a, "l", "c");
        (void)add(d, instance_1, class_b, "", "c");
}
END_TEST

/* A hundred thousand components: each is added, found and printed in constant time. */
START_TEST(time_is_linear) {
        double seconds[2];

        for (size_t i = 0; i < 2; i++) {
                _cleanup_(backup_document_freep) struct backup_document *d = new_document();
                _cleanup_(backup_document_freep) struct backup_document *read = NULL;
                _cleanup_(freep) char *xml = NULL;
                clock_t begin = clock();

                for (unsigned k = 0; k < (i == 0 ? 5000u : 50000u); k++) {
                        char name[16];
                        struct backup_component *c;

                        (void)snprintf(name, sizeof(name), "c%u", k);
                        c = add(d, (VSS_ID){ .Data1 = k / 50 }, class_a, "l", name);
                        ck_assert_int_eq(
                                backup_component_set_flag(c, BACKUP_FLAG_SUCCEEDED, true, NULL), 0);
                }
                xml = print(d);
                read = parse(xml);
                seconds[i] = (double)(clock() - begin) / CLOCKS_PER_SEC;
        }
        ck_assert_msg(seconds[1] < 40 * seconds[0], "%f s, then %f s", seconds[0], seconds[1]);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("backup-document");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tcase, a_new_document_is_empty);
        tcase_add_test(tcase, attributes_stand_in_their_order_whatever_the_order_of_the_calls);
        tcase_add_test(tcase, what_is_not_known_survives);
        tcase_add_test(tcase, namespaces_do_not_matter);
        tcase_add_test(tcase, components_are_found);
        tcase_add_test(tcase, bad_documents_are_refused);
        tcase_add_test(tcase, what_xml_cannot_carry_is_refused);
        tcase_add_test(tcase, of_two_components_the_first_wins);
        tcase_add_test(tcase, a_component_is_added_once);
        tcase_add_test(tcase, entries_are_removed);
        tcase_add_test(tcase, a_name_is_taken_in_all_instances_of_a_class);
        tcase_add_test(tcase, time_is_linear);
        tcase_set_timeout(tcase, 60);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
