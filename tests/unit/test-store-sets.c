/* How a set was made, on disk and in memory: it comes with the set's snapshots and goes with the
 * last of them. And the files that earlier versions wrote, which had it in each snapshot's row. */

#include "daemon/store/store.h"

#include "common/vss-id.h"

#include <check.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>

static char directory[64];

static void setup(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/test-store-sets-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
}

static int remove_one(const char *path, const struct stat *st _unused_, int flag _unused_,
                      struct FTW *ftw _unused_) {
        return remove(path);
}

static void teardown(void) {
        ck_assert_int_eq(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static struct store *open_store(void) {
        struct vss_error error = { 0 };
        struct store *s = NULL;
        int r;

        r = store_open(&s, directory, &error);
        ck_assert_msg(r >= 0, "%s", str_or_empty(error.message));
        return s;
}

static VSS_ID id_of(uint32_t n) {
        return (VSS_ID){ .Data1 = n, .Data4 = { 1 } };
}

static struct snapshot_record record_of(uint32_t n, uint32_t set) {
        return (struct snapshot_record){
                .id = id_of(n),
                .set_id = id_of(set),
                .number = 1000 + n,
                .volume = (char *)"/srv/",
                .provider = (char *)"lvm-thick",
        };
}

static struct set_record set_of(uint32_t n) {
        return (struct set_record){
                .id = id_of(n),
                .window_usec = 70123,
                .timeline = (char *)"Stage 0 91500;Freeze 91510 91800",
                .steps = (char *)"1\nprovider\tlvm-thick\tlvm-thick",
                .writers = (char *)"1\nsome \xc3\xa4 text",
        };
}

/* Is it known, and as it was written? */
static bool is_there(struct store *s, uint32_t n) {
        const struct set_record expected = set_of(n);
        struct vss_error error = { 0 };
        struct set_record got;

        if (store_set_get(s, id_of(n), &got, &error) < 0) {
                ck_assert_int_eq(error.hr, VSS_E_OBJECT_NOT_FOUND);
                vss_error_done(&error);
                return false;
        }
        ck_assert(vss_id_equal(got.id, expected.id));
        ck_assert_uint_eq(got.window_usec, expected.window_usec);
        ck_assert_str_eq(got.timeline, expected.timeline);
        ck_assert_str_eq(got.steps, expected.steps);
        ck_assert_str_eq(got.writers, expected.writers);
        set_record_done(&got);
        ck_assert_ptr_null(got.timeline);
        return true;
}

START_TEST(a_set_goes_with_its_last_snapshot) {
        struct snapshot_record of_nine[] = { record_of(1, 9), record_of(2, 9) };
        struct snapshot_record of_eight = record_of(3, 8), of_seven = record_of(4, 7);
        struct set_record nine = set_of(9), eight = set_of(8);
        struct store *s = open_store();

        ck_assert_int_ge(store_set_commit(s, &nine, of_nine, 2, NULL, 0, NULL), 0);
        ck_assert_int_ge(store_set_commit(s, &eight, &of_eight, 1, NULL, 0, NULL), 0);
        ck_assert_int_ge(store_set_commit(s, NULL, &of_seven, 1, NULL, 0, NULL), 0);
        ck_assert(is_there(s, 9));
        ck_assert(is_there(s, 8));
        ck_assert(!is_there(s, 7));
        ck_assert_int_ge(store_snapshot_delete(s, id_of(1), 0, NULL), 0);
        ck_assert(is_there(s, 9));
        store_close(s);

        s = open_store();
        ck_assert(is_there(s, 9));
        ck_assert_int_ge(store_snapshot_delete(s, id_of(2), 0, NULL), 0);
        ck_assert(!is_there(s, 9));
        ck_assert(is_there(s, 8));
        store_close(s);

        s = open_store();
        ck_assert(!is_there(s, 9));
        ck_assert(is_there(s, 8));
        store_close(s);
}
END_TEST

START_TEST(a_commit_that_fails_leaves_no_set) {
        struct snapshot_record twice[] = { record_of(1, 9), record_of(1, 9) };
        struct set_record nine = set_of(9);
        struct store *s = open_store();

        ck_assert_int_lt(store_set_commit(s, &nine, twice, 2, NULL, 0, NULL), 0);
        ck_assert(!is_there(s, 9));
        ck_assert_int_ge(store_set_commit(s, &nine, twice, 1, NULL, 0, NULL), 0);
        store_close(s);
        s = open_store();
        ck_assert(is_there(s, 9));
        store_close(s);
}
END_TEST

/* What the second version made of an empty file; the first had no column for the writers. */
#define OLD_SCHEMA(writers)                                                                      \
        "CREATE TABLE snapshot ("                                                                \
        " id TEXT PRIMARY KEY, set_id TEXT NOT NULL, number INTEGER NOT NULL UNIQUE,"            \
        " volume TEXT, display TEXT, origin_uuid TEXT,"                                          \
        " provider TEXT NOT NULL, provider_id TEXT NOT NULL, provider_data TEXT,"                \
        " device TEXT, device_object TEXT, fs_type TEXT,"                                        \
        " originating_machine TEXT, service_machine TEXT,"                                       \
        " exposed_name TEXT, exposed_path TEXT,"                                                 \
        " context INTEGER NOT NULL, attributes INTEGER NOT NULL, count INTEGER NOT NULL,"        \
        " created INTEGER NOT NULL, state INTEGER NOT NULL, expire_unix INTEGER NOT NULL,"       \
        " consistency TEXT, window_usec INTEGER NOT NULL, timeline TEXT" writers ")"             \
        " WITHOUT ROWID;"                                                                        \
        "CREATE TABLE intent ("                                                                  \
        " id INTEGER PRIMARY KEY AUTOINCREMENT, set_id TEXT NOT NULL, provider TEXT NOT NULL,"   \
        " kind TEXT NOT NULL, data TEXT);"                                                       \
        "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"    \
        "INSERT INTO counter VALUES ('snapshot-number', 4);"                                     \
        "INSERT INTO intent (set_id, provider, kind, data)"                                      \
        " VALUES ('00000009-0000-0000-0100-000000000000', 'lvm-thick', 'create', 'x');" OLD_ROW( \
                "00000001", "00000009", "1", "70123", "'Stage 0 91500;Freeze 91510 91800'")      \
                OLD_ROW("00000002", "00000009", "2", "70123",                                    \
                        "'Stage 0 91500;Freeze 91510 91800'")                                    \
                        OLD_ROW("00000003", "00000008", "3", "5", "NULL")
#define OLD_ROW(id, set, number, held, timeline)                                               \
        "INSERT INTO snapshot (id, set_id, number, volume, provider, provider_id, context,"    \
        " attributes, count, created, state, expire_unix, consistency, window_usec, timeline)" \
        " VALUES ('" id "-0000-0000-0100-000000000000', '" set                                 \
        "-0000-0000-0100-000000000000', " number                                               \
        ", '/srv/', 'lvm-thick', '0000004d-0000-0000-0100-000000000000', 9, 5, 2, 7, 12, "     \
        "0, 'file-system', " held ", " timeline ");"

static const char *const old_files[] = {
        OLD_SCHEMA("") "PRAGMA user_version = 1;",
        OLD_SCHEMA(", writers TEXT") "PRAGMA user_version = 2;",
};

static void write_old_file(const char *text) {
        sqlite3 *db = NULL;
        char *message = NULL, path[128];

        (void)snprintf(path, sizeof(path), "%s/vssd.db", directory);
        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
                ck_abort_msg("%s", message);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void check_upgraded(struct store *s) {
        struct snapshot_record *records = NULL;
        struct intent_record *intents = NULL;
        struct set_record set;
        size_t n = 0, n_intents = 0;

        ck_assert_int_ge(store_snapshot_list(s, GUID_NULL, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 3);
        ck_assert_str_eq(records[0].volume, "/srv/");
        ck_assert_str_eq(records[0].consistency, "file-system");
        ck_assert_ptr_null(records[0].consistency_reason);
        ck_assert_ptr_null(records[0].writers);
        ck_assert_int_eq(records[2].state, 12);
        snapshot_records_free(records, n);

        ck_assert_int_ge(store_set_get(s, id_of(9), &set, NULL), 0);
        ck_assert_uint_eq(set.window_usec, 70123);
        ck_assert_str_eq(set.timeline, "Stage 0 91500;Freeze 91510 91800");
        ck_assert_ptr_null(set.steps);
        ck_assert_ptr_null(set.writers);
        set_record_done(&set);
        ck_assert_int_ge(store_set_get(s, id_of(8), &set, NULL), 0);
        ck_assert_uint_eq(set.window_usec, 5);
        ck_assert_ptr_null(set.timeline);
        set_record_done(&set);

        ck_assert_int_ge(store_intent_list(s, &intents, &n_intents, NULL), 0);
        ck_assert_uint_eq(n_intents, 1);
        intent_records_free(intents, n_intents);
}

START_TEST(an_older_file_is_upgraded_and_keeps_what_it_has) {
        uint64_t number = 0;
        struct store *s;

        write_old_file(old_files[_i]);
        s = open_store();
        check_upgraded(s);
        ck_assert_int_ge(store_reserve_numbers(s, 1, &number, NULL), 0);
        ck_assert_uint_eq(number, 4);
        store_close(s);

        s = open_store(); /* once is enough */
        check_upgraded(s);
        /* The sets of the old file go as all others. */
        ck_assert_int_ge(store_snapshot_delete(s, id_of(1), 0, NULL), 0);
        ck_assert_int_ge(store_snapshot_delete(s, id_of(2), 0, NULL), 0);
        ck_assert(!is_there(s, 9));
        store_close(s);
}
END_TEST

int main(void) {
        Suite *s = suite_create("store-sets");
        TCase *c = tcase_create("store-sets");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_set_timeout(c, 30);
        tcase_add_test(c, a_set_goes_with_its_last_snapshot);
        tcase_add_test(c, a_commit_that_fails_leaves_no_set);
        tcase_add_loop_test(c, an_older_file_is_upgraded_and_keeps_what_it_has, 0,
                            (int)ARRAY_SIZE(old_files));
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
