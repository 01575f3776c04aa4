/* The diff areas that were set down, on disk and in memory; and a file from before there were any.
 */

#include "daemon/store/area-record.h"
#include "daemon/store/provider-record.h"

#include <check.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>

static char directory[64];
static struct store *store;

static void reopen(void) {
        struct vss_error error = { 0 };
        int r;

        store_close(store);
        r = store_open(&store, directory, &error);
        ck_assert_msg(r >= 0, "%s", str_or_empty(error.message));
}

static void setup(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/test-store-areas-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        store = NULL;
        reopen();
}

static int remove_one(const char *path, const struct stat *st _unused_, int flag _unused_,
                      struct FTW *ftw _unused_) {
        return remove(path);
}

static void teardown(void) {
        store_close(store);
        ck_assert_int_eq(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void put(const char *volume, int64_t maximum, const char *boot) {
        const struct area_record record = {
                .volume = (char *)(uintptr_t)volume,
                .store = (char *)(uintptr_t) "tank",
                .maximum = maximum,
                .boot = (char *)(uintptr_t)boot,
                .boot_maximum = boot ? 7 : 0,
        };

        ck_assert_int_ge(store_area_put(store, &record, NULL), 0);
}

/* What there is, in the order of the names. */
static void expect(size_t n, const char *const *volumes, const int64_t *maxima) {
        struct area_record *found = NULL;
        size_t n_found = 0;

        ck_assert_int_ge(store_area_list(store, &found, &n_found, NULL), 0);
        ck_assert_uint_eq(n_found, n);
        for (size_t i = 0; i < n; i++) {
                size_t k = 0;

                while (k < n_found && !streq(found[k].volume, volumes[i]))
                        k++;
                ck_assert_uint_lt(k, n_found);
                ck_assert_str_eq(found[k].store, "tank");
                ck_assert_int_eq(found[k].maximum, maxima[i]);
                ck_assert_ptr_null(found[k].origin_uuid);
        }
        area_records_free(found, n_found);
}

START_TEST(an_area_is_kept) {
        static const char *const volumes[] = { "/a/", "/b/" };

        expect(0, NULL, NULL);
        put("/a/", 5, NULL);
        put("/b/", -1, "this boot");
        for (unsigned i = 0; i < 2; i++) {
                expect(2, volumes, (const int64_t[]){ 5, -1 });
                reopen();
        }
        put("/a/", 6, NULL); /* takes its place */
        for (unsigned i = 0; i < 2; i++) {
                expect(2, volumes, (const int64_t[]){ 6, -1 });
                reopen();
        }
        ck_assert_int_ge(store_area_delete(store, "/a/", NULL), 0);
        for (unsigned i = 0; i < 2; i++) {
                expect(1, &volumes[1], (const int64_t[]){ -1 });
                reopen();
        }
}
END_TEST

START_TEST(what_is_for_a_boot_is_kept_with_it) {
        struct area_record *found = NULL;
        size_t n = 0;

        put("/b/", -1, "this boot");
        reopen();
        ck_assert_int_ge(store_area_list(store, &found, &n, NULL), 0);
        ck_assert_str_eq(found[0].boot, "this boot");
        ck_assert_int_eq(found[0].boot_maximum, 7);
        area_records_free(found, n);
}
END_TEST

START_TEST(what_is_not_there_is_not_deleted) {
        struct vss_error error = { 0 };

        put("/a/", 5, NULL);
        ck_assert_int_lt(store_area_delete(store, "/c/", &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_OBJECT_NOT_FOUND);
        vss_error_done(&error);
        expect(1, (const char *const[]){ "/a/" }, (const int64_t[]){ 5 });
}
END_TEST

static void raw_sql(const char *text) {
        sqlite3 *db = NULL;
        char *message = NULL, path[128];

        store = store_close(store);
        (void)snprintf(path, sizeof(path), "%s/vssd.db", directory);
        ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
        if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
                ck_abort_msg("%s", message);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
        reopen();
}

START_TEST(a_file_from_before_is_upgraded) {
        const struct snapshot_record record = {
                .id = { .Data1 = 1 },
                .set_id = { .Data1 = 2 },
                .number = 1,
                .volume = (char *)(uintptr_t) "/a/",
                .provider = (char *)(uintptr_t) "lvm-thick",
        };
        struct snapshot_record kept = { 0 };

        ck_assert_int_ge(store_set_commit(store, NULL, &record, 1, NULL, 0, NULL), 0);
        raw_sql("DROP TABLE area; DROP TABLE provider; PRAGMA user_version = 3");
        ck_assert_int_ge(store_snapshot_get(store, record.id, &kept, NULL), 0);
        snapshot_record_done(&kept);
        put("/a/", 5, NULL);
        reopen();
        expect(1, (const char *const[]){ "/a/" }, (const int64_t[]){ 5 });
}
END_TEST

/* Of the version before there were others' providers. */
START_TEST(providers_come_with_the_upgrade) {
        const struct provider_record vendor = {
                .id = { .Data1 = 1 },
                .name = (char *)(uintptr_t) "vendor",
                .display_name = (char *)(uintptr_t) "A vendor's",
                .version = (char *)(uintptr_t) "1",
                .version_id = { .Data1 = 2 },
                .bus_name = (char *)(uintptr_t) "com.example.Vendor",
                .path = (char *)(uintptr_t) "/com/example",
        };
        struct provider_record *found = NULL;
        size_t n = 0;

        put("/a/", 5, NULL);
        raw_sql("DROP TABLE provider; PRAGMA user_version = 4");
        ck_assert_int_ge(store_provider_add(store, &vendor, NULL), 0);
        reopen();
        ck_assert_int_ge(store_provider_list(store, &found, &n, NULL), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_str_eq(found[0].name, "vendor");
        provider_records_free(found, n);
        expect(1, (const char *const[]){ "/a/" }, (const int64_t[]){ 5 });
}
END_TEST

START_TEST(a_row_that_makes_no_sense_is_a_corrupt_file) {
        put("/a/", 5, NULL);
        raw_sql("INSERT INTO area (volume, maximum, boot_maximum) VALUES ('/b/', 1, 1)");
        expect(0, NULL, NULL); /* set aside */
}
END_TEST

int main(void) {
        Suite *s = suite_create("store-areas");
        TCase *c = tcase_create("store-areas");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_set_timeout(c, 30);
        tcase_add_test(c, an_area_is_kept);
        tcase_add_test(c, what_is_for_a_boot_is_kept_with_it);
        tcase_add_test(c, what_is_not_there_is_not_deleted);
        tcase_add_test(c, a_file_from_before_is_upgraded);
        tcase_add_test(c, providers_come_with_the_upgrade);
        tcase_add_test(c, a_row_that_makes_no_sense_is_a_corrupt_file);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
