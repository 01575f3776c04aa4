/* The description of a transportable set in its document: written, printed, read again; and what is
 * none is not taken for one. */

#include "common/backup-snapshots.h"
#include "common/vss-id.h"

#include <check.h>
#include <stdio.h>

#define STORAGE "vg=a vg_uuid=b\ntransport sectors=8\n"

static const struct backup_snapshots example = {
        .set_id = { .Data1 = 0x5 },
        .context = VSS_CTX_NAS_ROLLBACK | VSS_VOLSNAP_ATTR_TRANSPORTABLE,
        .count = 3,
        .n = 2,
        .items = {
                { .id = { .Data1 = 1 },
                  .provider_id = { .Data1 = 9 },
                  .created = INT64_C(133000000000000000),
                  .mounted = true,
                  .provider = "lvm-thin",
                  .machine = "host",
                  .volume = "/srv/data/",
                  .display = "/srv/data",
                  .fs_type = "ext4",
                  .consistency = "application",
                  .storage = STORAGE },
                { .id = { .Data1 = 2 },
                  .provider_id = { .Data1 = 9 },
                  .provider = "lvm-thin",
                  .volume = "/srv/\xff\x1b[31m",
                  .consistency_reason = "a\nb",
                  .storage = "x" },
        },
};

static struct backup_document *parse(const char *text) {
        struct backup_document *d = NULL;
        struct vss_error e = { 0 };

        ck_assert_msg(backup_document_parse(&d, text, strlen(text), &e) == 0, "%s: %s", e.message,
                      text);
        return d;
}

static char *print(const struct backup_document *d) {
        char *text = NULL;
        size_t size;

        ck_assert_int_eq(backup_document_to_xml(d, &text, &size, NULL), 0);
        return text;
}

static bool has_set(const struct backup_document *d) {
        struct backup_snapshots set;
        struct vss_error e = { 0 };
        bool found = backup_document_snapshots(d, &set, &e) >= 0;

        ck_assert(found || e.hr == VSS_E_NONTRANSPORTABLE_BCD);
        vss_error_done(&e);
        return found;
}

START_TEST(there_and_back) {
        _cleanup_(backup_document_freep) struct backup_document *d = NULL, *again = NULL;
        _cleanup_(freep) char *text = NULL, *twice = NULL;
        struct backup_snapshots set;
        size_t memory;

        ck_assert_int_eq(backup_document_new(&d, NULL), 0);
        memory = backup_document_memory(d);
        ck_assert(!has_set(d));
        /* The second takes the first one's place. */
        for (int i = 0; i < 2; i++)
                ck_assert_int_eq(backup_document_set_snapshots(d, &example, NULL), 0);
        ck_assert(has_set(d));
        ck_assert_uint_gt(backup_document_memory(d), memory + 500);
        text = print(d);
        ck_assert_ptr_nonnull(strstr(text, "&#10;"));
        ck_assert_ptr_null(strchr(text, '\x1b'));
        again = parse(text);
        twice = print(again);
        ck_assert_str_eq(text, twice);

        ck_assert_int_eq(backup_document_snapshots(again, &set, NULL), 0);
        ck_assert_uint_eq(set.set_id.Data1, 5);
        ck_assert_int_eq(set.context, example.context);
        ck_assert_int_eq(set.count, 3);
        ck_assert_uint_eq(set.n, 2);
        ck_assert(vss_id_equal(set.items[0].id, example.items[0].id));
        ck_assert_uint_eq(set.items[0].provider_id.Data1, 9);
        ck_assert_int_eq(set.items[0].created, example.items[0].created);
        ck_assert(set.items[0].mounted);
        ck_assert_str_eq(set.items[0].provider, "lvm-thin");
        ck_assert_str_eq(set.items[0].machine, "host");
        ck_assert_str_eq(set.items[0].volume, "/srv/data/");
        ck_assert_str_eq(set.items[0].display, "/srv/data");
        ck_assert_str_eq(set.items[0].fs_type, "ext4");
        ck_assert_str_eq(set.items[0].consistency, "application");
        ck_assert_ptr_null(set.items[0].consistency_reason);
        ck_assert_str_eq(set.items[0].storage, STORAGE);
        ck_assert(!set.items[1].mounted);
        ck_assert_ptr_null(set.items[1].fs_type);
        ck_assert_str_eq(set.items[1].volume, "/srv/\xef\xbf\xbd\xef\xbf\xbd[31m");
        ck_assert_str_eq(set.items[1].consistency_reason, "a\xef\xbf\xbd"
                                                          "b");
}
END_TEST

START_TEST(what_does_not_go_into_a_document) {
        _cleanup_(backup_document_freep) struct backup_document *d = NULL;
        char *longer = calloc(1, 5000);
        struct backup_snapshots set = example;
        struct vss_error e = { 0 };

        ck_assert_int_eq(backup_document_new(&d, NULL), 0);
        memset(longer, 'x', 4999);
        set.items[1].storage = _i == 0 ? longer : "\x01";
        ck_assert_int_lt(backup_document_set_snapshots(d, &set, &e), 0);
        ck_assert_int_eq(e.hr, E_INVALIDARG);
        ck_assert_ptr_nonnull(strstr(e.message, "storage"));
        ck_assert(!has_set(d)); /* nor half of it */
        vss_error_done(&e);
        free(longer);
}
END_TEST

#define ID(n) "0000000" n "-0000-0000-0000-000000000000"
#define DOCUMENT(rest)                                                                      \
        "<BACKUP_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\" version=\"1.2\">" rest \
        "</BACKUP_COMPONENTS>"
#define SET_OF(id, context, count, rest)                                        \
        "<SNAPSHOT_SET_DESCRIPTION snapshotSetId=\"" id "\" context=\"" context \
        "\" snapshotsCount=\"" count "\">" rest "</SNAPSHOT_SET_DESCRIPTION>"
#define SET(rest) DOCUMENT(SET_OF(ID("5"), "57", "2", rest))
#define SNAPSHOT_OF(id, provider, time, more)                                \
        "<SNAPSHOT_DESCRIPTION snapshotId=\"" id "\" providerId=\"" provider \
        "\" timestamp=\"" time "\" " more "/>"
#define NAMES "providerName=\"p\" originalVolume=\"/v/\" storage=\"s\""
#define SNAPSHOT(n) SNAPSHOT_OF(ID(n), ID("9"), "1", NAMES)

static const struct {
        const char *text, *words;
} nonsense[] = {
        { SET(""), "no SNAPSHOT_DESCRIPTION" },
        { SET(SNAPSHOT("1") SNAPSHOT("1")), "twice" },
        { SET(SNAPSHOT("1") SNAPSHOT("2") SNAPSHOT("3")), "snapshotsCount" },
        { DOCUMENT(SET_OF("x", "57", "2", SNAPSHOT("1"))), "snapshotSetId" },
        { DOCUMENT(SET_OF(ID("0"), "57", "2", SNAPSHOT("1"))), "snapshotSetId" },
        { DOCUMENT(SET_OF(ID("5"), "", "2", SNAPSHOT("1"))), "context" },
        { DOCUMENT(SET_OF(ID("5"), "-1", "2", SNAPSHOT("1"))), "context" },
        { DOCUMENT(SET_OF(ID("5"), "0x39", "2", SNAPSHOT("1"))), "context" },
        { DOCUMENT(SET_OF(ID("5"), "4294967296", "2", SNAPSHOT("1"))), "context" },
        { DOCUMENT(SET_OF(ID("5"), "57", "0", SNAPSHOT("1"))), "snapshotsCount" },
        { DOCUMENT(SET_OF(ID("5"), "57", "65", SNAPSHOT("1"))), "snapshotsCount" },
        { DOCUMENT(SET_OF(ID("5"), "57", "2", SNAPSHOT("1"))
                           SET_OF(ID("6"), "57", "2", SNAPSHOT("1"))),
          "twice" },
        { SET(SNAPSHOT_OF("", ID("9"), "1", NAMES)), "snapshotId" },
        { SET(SNAPSHOT_OF(ID("1"), "nobody", "1", NAMES)), "providerId" },
        { SET(SNAPSHOT_OF(ID("1"), ID("9"), "now", NAMES)), "timestamp" },
        { SET(SNAPSHOT_OF(ID("1"), ID("9"), "9223372036854775808", NAMES)), "timestamp" },
        { SET(SNAPSHOT_OF(ID("1"), ID("9"), "1", "originalVolume=\"/v/\" storage=\"s\"")),
          "providerName" },
        { SET(SNAPSHOT_OF(ID("1"), ID("9"), "1", "providerName=\"p\" storage=\"s\"")),
          "originalVolume" },
        { SET(SNAPSHOT_OF(ID("1"), ID("9"), "1", "providerName=\"p\" originalVolume=\"/v/\"")),
          "storage" },
        { SET(SNAPSHOT_OF(ID("1"), ID("9"), "1", NAMES " displayName=\"a&#10;b\"")),
          "displayName" },
        { SET(SNAPSHOT_OF(ID("1"), ID("9"), "1", NAMES " consistency=\"a&#x9b;b\"")),
          "consistency" },
        { SET(SNAPSHOT_OF(ID("1"), ID("9"), "1",
                          "providerName=\"p\" originalVolume=\"/v/\" storage=\"a&#9;b\"")),
          "storage" },
        { SET(SNAPSHOT_OF(ID("1"), ID("9"), "1",
                          NAMES " fileSystem=\"0123456789012345678901234567890123456789"
                                "0123456789012345678901234\"")),
          "fileSystem" },
};

START_TEST(what_is_no_description_is_not_understood) {
        _cleanup_(backup_document_freep) struct backup_document *d = parse(nonsense[_i].text);
        struct backup_snapshots set;
        struct vss_error e = { 0 };

        ck_assert_int_lt(backup_document_snapshots(d, &set, &e), 0);
        ck_assert_int_eq(e.hr, VSS_E_NO_SNAPSHOTS_IMPORTED);
        ck_assert_msg(strstr(e.message, nonsense[_i].words) != NULL, "%s", e.message);
        vss_error_done(&e);
}
END_TEST

/* What these lack is what is wrong with them; and more than we know may be there. */
START_TEST(the_sensible_ones) {
        static const char *const texts[] = {
                SET(SNAPSHOT("1")),
                SET(SNAPSHOT("1") SNAPSHOT("2")),
                SET("<LUN/>" SNAPSHOT_OF(ID("1"), ID("9"), "1",
                                         NAMES " displayName=\"b\" x=\"y\"") "text"),
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(backup_document_freep) struct backup_document *d = parse(texts[i]);
                struct backup_snapshots set;
                struct vss_error e = { 0 };

                ck_assert_msg(backup_document_snapshots(d, &set, &e) == 0, "%s", e.message);
                ck_assert_uint_eq(set.n, i == 1 ? 2 : 1);
        }
}
END_TEST

START_TEST(a_document_without_one) {
        _cleanup_(backup_document_freep) struct backup_document *d = parse(DOCUMENT(""));
        struct backup_snapshots set;
        struct vss_error e = { 0 };

        ck_assert_int_lt(backup_document_snapshots(d, &set, &e), 0);
        ck_assert_int_eq(e.hr, VSS_E_NONTRANSPORTABLE_BCD);
        vss_error_done(&e);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("backup-snapshots");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tc, there_and_back);
        tcase_add_loop_test(tc, what_does_not_go_into_a_document, 0, 2);
        tcase_add_loop_test(tc, what_is_no_description_is_not_understood, 0, ARRAY_SIZE(nonsense));
        tcase_add_test(tc, the_sensible_ones);
        tcase_add_test(tc, a_document_without_one);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
