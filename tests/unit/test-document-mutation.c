/* Documents that were damaged by chance, with a fixed seed: the parsers read them or refuse them,
 * and what they have read prints and is read again. Most is found with the sanitizers. */

#include "common/backup-snapshots.h"
#include "common/writer-metadata.h"

#include <check.h>
#include <stdio.h>

#define ROUNDS 6000

static const char metadata[] =
        "<?xml version=\"1.0\"?>\n<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\""
        " version=\"1.2\" backupSchema=\"881\"><IDENTIFICATION"
        " writerId=\"E8132975-6F93-4464-A53E-1050253AE220\""
        " instanceId=\"00000001-0000-0000-0000-000000000000\" instanceName=\"i\""
        " friendlyName=\"w&#10;&lt;\" usage=\"OTHER\" dataSource=\"OTHER\" majorVersion=\"1\""
        " minorVersion=\"0\"/>"
        "<RESTORE_METHOD method=\"STOP_RESTORE_START\" service=\"s\" writerRestore=\"always\""
        " rebootRequired=\"no\"><ALTERNATE_LOCATION_MAPPING path=\"p\" filespec=\"f\""
        " recursive=\"yes\" alternatePath=\"q\"/></RESTORE_METHOD><BACKUP_LOCATIONS>"
        "<FILE_GROUP logicalPath=\"l\" componentName=\"c\" caption=\"\xc3\xa4\" selectable=\"yes\""
        " componentFlags=\"4\"><FILE_LIST path=\"p\" filespec=\"*\" recursive=\"yes\"/>"
        "<ICON>AQIDBA==</ICON><DEPENDENCY writerId=\"E8132975-6F93-4464-A53E-1050253AE220\""
        " componentName=\"d\"/><!-- c --><?pi x?><![CDATA[<x>]]></FILE_GROUP>"
        "<DATABASE componentName=\"d\" icon=\"AQ==\"><DATABASE_FILES path=\"p\" filespec=\"f\"/>"
        "<DATABASE_LOGFILES path=\"p\" filespec=\"f\" filespecBackupType=\"1\"/></DATABASE>"
        "<EXCLUDE_FILES path=\"p\" filespec=\"f\" recursive=\"no\"/><o:x xmlns:o=\"u\" o:y=\"z\"/>"
        "</BACKUP_LOCATIONS></WRITER_METADATA>";

static const char components[] =
        "<BACKUP_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\" version=\"1.2\""
        " bootableSystemStateBackup=\"no\" selectComponents=\"yes\" backupType=\"full\""
        " partialFileSupport=\"yes\" snapshotSetId=\"E8132975-6F93-4464-A53E-1050253AE220\">"
        "<WRITER_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\""
        " instanceId=\"00000001-0000-0000-0000-000000000000\""
        " writerId=\"0000000a-0000-0000-0000-000000000000\" instanceName=\"i\" backupSchema=\"0\">"
        "<COMPONENT logicalPath=\"l\" componentName=\"c\" componentType=\"database\""
        " backupStamp=\"s&#13;&#10;\" hr=\"0x800423f4\"><BACKUP_METADATA xmlns=\"\" "
        "metadata=\"m\"/>"
        "<PARTIAL_FILE path=\"p\" filespec=\"f\" ranges=\"0:1\"/><DIFFERENCED_FILES path=\"p\""
        " filespec=\"f\" recursive=\"no\" lastModifyTime=\"132\"/><DIRECTED_TARGET"
        " sourcePath=\"p\"/><RESTORE_SUBCOMPONENT componentName=\"s\" repair=\"no\"/>"
        "<!-- c --><?pi x?><![CDATA[<x>]]> t <o:x xmlns:o=\"u\" o:y=\"z\"/></COMPONENT>"
        "<COMPONENT componentName=\"c\"/></WRITER_COMPONENTS>"
        "<SNAPSHOT_SET_DESCRIPTION snapshotSetId=\"E8132975-6F93-4464-A53E-1050253AE220\""
        " context=\"57\" snapshotsCount=\"2\"><SNAPSHOT_DESCRIPTION"
        " snapshotId=\"00000001-0000-0000-0000-000000000000\" timestamp=\"1\" mounted=\"yes\""
        " providerId=\"00000002-0000-0000-0000-000000000000\" providerName=\"lvm-thin\""
        " originalVolume=\"/srv/\" storage=\"vg=a&#10;\"/></SNAPSHOT_SET_DESCRIPTION>"
        "</BACKUP_COMPONENTS>";

static uint32_t seed;

static size_t chance(size_t n) {
        seed = seed * 1664525 + 1013904223;
        return (seed >> 8) % n;
}

/* One to four of: another byte, a byte less, a piece twice, a piece less, an end. */
static char *damage(const char *text, size_t size, size_t *ret_size) {
        static const char bytes[] = "<>/\"'&;=!?-[] \n\0\x01\x7f\xff\xc3yn0x:";
        char *copy = malloc(2 * size + 64);

        memcpy(copy, text, size);
        for (size_t n = 1 + chance(4); n > 0 && size > 1; n--) {
                size_t at = chance(size), length = 1 + chance(40);

                if (length > size - at)
                        length = size - at;
                switch (chance(5)) {
                case 0: copy[at] = bytes[chance(sizeof(bytes))]; break;
                case 1:
                        memmove(copy + at, copy + at + 1, size - at - 1);
                        size--;
                        break;
                case 2:
                        if (size + length > 2 * strlen(text))
                                break;
                        memmove(copy + at + length, copy + at, size - at);
                        size += length;
                        break;
                case 3:
                        memmove(copy + at, copy + at + length, size - at - length);
                        size -= length;
                        break;
                case 4:
                        if (chance(4) == 0)
                                size = at;
                        break;
                }
        }
        /* Exactly as large as it is, so that reading behind it is seen. */
        *ret_size = size;
        return realloc(copy, size > 0 ? size : 1);
}

/* Is it read: 1, refused: 0. */
static int try_metadata(const char *text, size_t size) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL, *again = NULL;
        _cleanup_(freep) char *printed = NULL, *twice = NULL;
        struct writer_metadata_files files;
        struct vss_error e = { 0 };
        int checked = writer_metadata_check(text, size, NULL);

        ck_assert_int_eq(checked, writer_metadata_parse(&m, text, size, &e));
        if (checked < 0) {
                ck_assert_msg(e.hr == VSS_E_INVALID_XML_DOCUMENT, "0x%x %s: %.*s", (unsigned)e.hr,
                              e.message, (int)size, text);
                ck_assert_ptr_nonnull(e.message);
                vss_error_done(&e);
                return 0;
        }
        for (size_t c = 0; c < writer_metadata_n_components(m); c++) {
                ck_assert_ptr_nonnull(writer_metadata_component(m, c)->name);
                for (enum writer_metadata_list list = 0; list < _WRITER_METADATA_LIST_MAX; list++)
                        for (size_t i = 0; writer_metadata_get_files(m, list, c, i, &files); i++)
                                ck_assert(files.path && files.filespec);
        }
        ck_assert_int_eq(writer_metadata_to_xml(m, &printed, NULL), 0);
        ck_assert_msg(writer_metadata_parse(&again, printed, strlen(printed), &e) == 0, "%s: %s",
                      e.message, printed);
        ck_assert_int_eq(writer_metadata_to_xml(again, &twice, NULL), 0);
        ck_assert_str_eq(printed, twice);
        return 1;
}

/* As the service does before it looks for the copies. */
static void try_snapshots(const struct backup_document *d) {
        struct backup_snapshots set;
        struct vss_error e = { 0 };

        if (backup_document_snapshots(d, &set, &e) < 0) {
                ck_assert(e.hr == VSS_E_NONTRANSPORTABLE_BCD ||
                          e.hr == VSS_E_NO_SNAPSHOTS_IMPORTED);
                ck_assert_ptr_nonnull(e.message);
                vss_error_done(&e);
                return;
        }
        ck_assert_uint_ge(set.n, 1);
        for (size_t i = 0; i < set.n; i++)
                ck_assert(set.items[i].provider && set.items[i].volume && set.items[i].storage);
}

static int try_components(const char *text, size_t size) {
        static const struct backup_writer_info writer = { .instance_id = { .Data1 = 1 },
                                                          .writer_id = { .Data1 = 0xa } };
        _cleanup_(backup_document_freep) struct backup_document *d = NULL, *again = NULL;
        _cleanup_(freep) char *printed = NULL, *twice = NULL, *part = NULL;
        struct vss_error e = { 0 };
        size_t n;

        if (backup_document_parse(&d, text, size, &e) < 0) {
                ck_assert(e.hr == VSS_E_INVALID_XML_DOCUMENT || e.hr == VSS_E_CORRUPT_XML_DOCUMENT);
                ck_assert_ptr_nonnull(e.message);
                vss_error_done(&e);
                return 0;
        }
        try_snapshots(d);
        ck_assert_int_eq(backup_document_parse(&again, components, strlen(components), NULL), 0);
        for (size_t i = 0; i < backup_document_n_writers(again); i++) {
                const struct backup_writer *w = backup_document_writer(again, i);

                for (size_t k = 0; k < backup_writer_n_components(w); k++)
                        backup_component_set_recipient(backup_writer_component(w, k),
                                                       writer.instance_id);
        }
        for (enum backup_phase phase = 0; phase < _BACKUP_PHASE_MAX; phase++)
                ck_assert_int_eq(backup_document_merge(again, &writer, phase, text, size, NULL), 0);
        again = backup_document_free(again);
        ck_assert_int_eq(backup_document_extract(d, &writer, false, &part, &n, NULL), 0);
        if (part)
                ck_assert_int_eq(backup_document_merge(d, &writer, BACKUP_PHASE_POST_SNAPSHOT, part,
                                                       n, NULL),
                                 0);
        ck_assert_int_eq(backup_document_to_xml(d, &printed, &n, NULL), 0);
        ck_assert_msg(backup_document_parse(&again, printed, n, &e) == 0, "%s: %s", e.message,
                      printed);
        ck_assert_int_eq(backup_document_to_xml(again, &twice, &n, NULL), 0);
        ck_assert_str_eq(printed, twice);
        return 1;
}

static const struct {
        const char *text;
        int (*try)(const char *text, size_t size);
} documents[] = {
        { metadata, try_metadata },
        { components, try_components },
};

START_TEST(damaged_documents) {
        const char *text = documents[_i].text;
        unsigned n_read = 0;

        ck_assert_int_eq(documents[_i].try(text, strlen(text)), 1);
        seed = 17;
        for (unsigned i = 0; i < ROUNDS; i++) {
                size_t size;
                _cleanup_(freep) char *bad = damage(text, strlen(text), &size);

                n_read += (unsigned)documents[_i].try(bad, size);
        }
        /* Chance has to hit both. */
        ck_assert_uint_gt(n_read, ROUNDS / 50);
        ck_assert_uint_lt(n_read, ROUNDS / 2);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("document-mutation");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tcase, 60);
        tcase_add_loop_test(tcase, damaged_documents, 0, ARRAY_SIZE(documents));
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
