/* The state on disk: what was committed is there after reopening, what was not is not; a newer
 * schema is refused, a corrupt file set aside; threads do not disturb each other. */

#include "daemon/store/store.h"

#include "common/vss-id.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char directory[64];

static void setup(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/test-store-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
}

static int remove_one(const char *path, const struct stat *st _unused_, int flag _unused_,
                      struct FTW *ftw _unused_) {
        return remove(path);
}

static void teardown(void) {
        ck_assert_int_eq(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static const char *db_path(void) {
        static char path[128];

        (void)snprintf(path, sizeof(path), "%s/vssd.db", directory);
        return path;
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

/* Every field is different from every other and from zero, so that a swapped column shows. */
static struct snapshot_record record_of(uint32_t n, uint32_t set) {
        return (struct snapshot_record){
                .id = id_of(n),
                .set_id = id_of(set),
                .number = 1000 + n,
                .volume = (char *)"/srv/",
                .display = (char *)"/srv",
                .origin_uuid = (char *)"LVM-abc",
                .provider = (char *)"lvm-thick",
                .provider_id = id_of(77),
                .provider_data = (char *)"vg\nlv \"quoted\" 'single' \xc3\xa4",
                .device = (char *)"/dev/vss/ShadowCopy1",
                .device_object = (char *)"/run/vss/ShadowCopy1",
                .fs_type = (char *)"ext4",
                .originating_machine = (char *)"here",
                .service_machine = (char *)"there",
                .exposed_name = (char *)"/mnt",
                .exposed_path = (char *)"sub",
                .context = 9,
                .attributes = (LONG)0x80420009,
                .count = 3,
                .created = INT64_C(133000000000000000),
                .state = VSS_SS_CREATED,
                .expire_unix = 1900000000,
                .consistency = (char *)"application",
                .consistency_reason = (char *)"a writer was left out",
                .writers = (char *)"one\ntwo",
        };
}

static void assert_same_text(const char *a, const char *b) {
        if (!a || !b)
                ck_assert_ptr_eq(a, b);
        else
                ck_assert_str_eq(a, b);
}

static void assert_same(const struct snapshot_record *a, const struct snapshot_record *b) {
        ck_assert(vss_id_equal(a->id, b->id));
        ck_assert(vss_id_equal(a->set_id, b->set_id));
        ck_assert_uint_eq(a->number, b->number);
        assert_same_text(a->volume, b->volume);
        assert_same_text(a->display, b->display);
        assert_same_text(a->origin_uuid, b->origin_uuid);
        assert_same_text(a->provider, b->provider);
        ck_assert(vss_id_equal(a->provider_id, b->provider_id));
        assert_same_text(a->provider_data, b->provider_data);
        assert_same_text(a->device, b->device);
        assert_same_text(a->device_object, b->device_object);
        assert_same_text(a->fs_type, b->fs_type);
        assert_same_text(a->originating_machine, b->originating_machine);
        assert_same_text(a->service_machine, b->service_machine);
        assert_same_text(a->exposed_name, b->exposed_name);
        assert_same_text(a->exposed_path, b->exposed_path);
        ck_assert_int_eq(a->context, b->context);
        ck_assert_int_eq(a->attributes, b->attributes);
        ck_assert_int_eq(a->count, b->count);
        ck_assert_int_eq(a->created, b->created);
        ck_assert_int_eq(a->state, b->state);
        ck_assert_uint_eq(a->expire_unix, b->expire_unix);
        assert_same_text(a->consistency, b->consistency);
        assert_same_text(a->consistency_reason, b->consistency_reason);
        assert_same_text(a->writers, b->writers);
}

static int64_t open_intent(struct store *s, const char *data) {
        struct intent_record intent = { .set_id = id_of(5),
                                        .provider = (char *)"lvm-thick",
                                        .kind = (char *)"create",
                                        .data = (char *)data };
        int64_t id = 0;

        ck_assert_int_ge(store_intent_open(s, &intent, &id, NULL), 0);
        ck_assert_int_gt(id, 0);
        return id;
}

static size_t count_intents(struct store *s) {
        struct intent_record *intents = NULL;
        size_t n = 0;

        ck_assert_int_ge(store_intent_list(s, &intents, &n, NULL), 0);
        intent_records_free(intents, n);
        return n;
}

static size_t count_snapshots(struct store *s, VSS_ID set) {
        struct snapshot_record *records = NULL;
        size_t n = 0;

        ck_assert_int_ge(store_snapshot_list(s, set, &records, &n, NULL), 0);
        snapshot_records_free(records, n);
        return n;
}

START_TEST(the_directory_and_file_are_for_root_alone) {
        char path[128];
        struct store *s = NULL;
        struct stat st;

        (void)snprintf(path, sizeof(path), "%s/state", directory);
        ck_assert_int_ge(store_open(&s, path, NULL), 0);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0700);
        store_close(s);
}
END_TEST

START_TEST(a_missing_parent_is_reported) {
        struct vss_error error = { 0 };
        struct store *s = NULL;

        ck_assert_int_eq(store_open(&s, "/nonexistent/state", &error), -ENOENT);
        ck_assert_ptr_null(s);
        ck_assert_ptr_nonnull(strstr(error.message, "/nonexistent/state"));
        vss_error_done(&error);
}
END_TEST

START_TEST(a_set_survives_reopening_with_every_field) {
        struct snapshot_record a = record_of(1, 9), b = record_of(2, 9), got = { 0 };
        struct store *s = open_store();
        int64_t intent = open_intent(s, "x");

        b.fs_type = b.exposed_name = b.exposed_path = NULL;
        ck_assert_int_ge(
                store_set_commit(s, NULL, (struct snapshot_record[]){ b, a }, 2, &intent, 1, NULL),
                0);
        store_close(s);

        s = open_store();
        ck_assert_uint_eq(count_intents(s), 0);
        ck_assert_int_ge(store_snapshot_get(s, a.id, &got, NULL), 0);
        assert_same(&a, &got);
        snapshot_record_done(&got);
        ck_assert_int_ge(store_snapshot_get(s, b.id, &got, NULL), 0);
        assert_same(&b, &got);
        snapshot_record_done(&got);
        store_close(s);
}
END_TEST

START_TEST(lists_are_ordered_by_number_and_filtered_by_set) {
        struct snapshot_record *records = NULL;
        struct store *s = open_store();
        size_t n = 0;

        ck_assert_int_ge(
                store_set_commit(s, NULL,
                                 (struct snapshot_record[]){ record_of(8, 1), record_of(3, 1) }, 2,
                                 NULL, 0, NULL),
                0);
        ck_assert_int_ge(store_set_commit(s, NULL, (struct snapshot_record[]){ record_of(5, 2) }, 1,
                                          NULL, 0, NULL),
                         0);
        ck_assert_int_ge(store_snapshot_list(s, GUID_NULL, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 3);
        ck_assert_uint_eq(records[0].number, 1003);
        ck_assert_uint_eq(records[1].number, 1005);
        ck_assert_uint_eq(records[2].number, 1008);
        snapshot_records_free(records, n);
        ck_assert_uint_eq(count_snapshots(s, id_of(1)), 2);
        ck_assert_uint_eq(count_snapshots(s, id_of(2)), 1);
        ck_assert_uint_eq(count_snapshots(s, id_of(3)), 0);
        store_close(s);
}
END_TEST

START_TEST(what_is_hidden_is_there_for_nobody_but_its_deletion) {
        struct snapshot_record *records = NULL, record = { 0 };
        struct store *s = open_store();
        size_t n = 0;

        ck_assert_int_ge(
                store_set_commit(s, NULL,
                                 (struct snapshot_record[]){ record_of(8, 1), record_of(3, 1) }, 2,
                                 NULL, 0, NULL),
                0);
        ck_assert_int_eq(store_snapshot_hide(s, record_of(3, 1).id), 0);
        ck_assert_int_eq(store_snapshot_hide(s, record_of(3, 1).id), 0); /* twice is once */
        ck_assert_int_lt(store_snapshot_get(s, record_of(3, 1).id, &record, NULL), 0);
        ck_assert_uint_eq(count_snapshots(s, id_of(1)), 1);
        ck_assert_int_ge(store_snapshot_list_all(s, id_of(1), &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_eq(records[0].number, 1003);
        snapshot_records_free(records, n);
        ck_assert_int_ge(store_snapshot_list_all(s, id_of(2), &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 0);
        snapshot_records_free(records, n);

        store_snapshot_show(s, record_of(3, 1).id);
        store_snapshot_show(s, record_of(8, 1).id);
        ck_assert_uint_eq(count_snapshots(s, id_of(1)), 2);
        ck_assert_int_eq(store_snapshot_hide(s, record_of(3, 1).id), 0);
        ck_assert_int_ge(store_snapshot_delete(s, record_of(3, 1).id, 0, NULL), 0);
        ck_assert_int_eq(store_snapshot_hide(s, record_of(8, 1).id), 0);
        store_close(s);
        s = open_store();
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 1);
        store_close(s);
}
END_TEST

START_TEST(a_commit_that_fails_leaves_nothing_of_the_set) {
        struct vss_error error = { 0 };
        struct store *s = open_store();
        int64_t intent = open_intent(s, "x");

        /* The same id twice: the second insertion fails. */
        ck_assert_int_lt(
                store_set_commit(s, NULL,
                                 (struct snapshot_record[]){ record_of(1, 9), record_of(1, 9) }, 2,
                                 &intent, 1, &error),
                0);
        ck_assert_int_eq(error.hr, VSS_E_UNEXPECTED);
        vss_error_done(&error);
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 0);
        ck_assert_uint_eq(count_intents(s), 1);
        store_close(s);

        s = open_store();
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 0);
        ck_assert_uint_eq(count_intents(s), 1);
        store_close(s);
}
END_TEST

START_TEST(several_are_deleted_together_or_not_at_all) {
        struct snapshot_record records[] = { record_of(1, 9), record_of(2, 9), record_of(3, 9) };
        VSS_ID ids[] = { records[0].id, records[2].id, id_of(77) };
        struct vss_error error = { 0 };
        struct store *s = open_store();
        int64_t intent = open_intent(s, "delete them");

        ck_assert_int_ge(store_set_commit(s, NULL, records, 3, NULL, 0, NULL), 0);
        ck_assert_int_lt(store_snapshots_delete(s, ids, 3, intent, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_OBJECT_NOT_FOUND);
        vss_error_done(&error);
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 3);
        ck_assert_uint_eq(count_intents(s), 1);
        store_close(s);

        s = open_store();
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 3);
        ck_assert_int_ge(store_snapshots_delete(s, ids, 2, intent, NULL), 0);
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 1);
        ck_assert_uint_eq(count_intents(s), 0);
        store_close(s);

        s = open_store();
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 1);
        ck_assert_uint_eq(count_intents(s), 0);
        store_close(s);
}
END_TEST

START_TEST(update_and_delete_reach_file_and_memory) {
        struct snapshot_record a = record_of(1, 9), got = { 0 };
        struct vss_error error = { 0 };
        struct store *s = open_store();
        int64_t intent;

        ck_assert_int_ge(store_set_commit(s, NULL, &a, 1, NULL, 0, NULL), 0);
        a.exposed_name = (char *)"/elsewhere";
        a.attributes = 5;
        ck_assert_int_ge(store_snapshot_update(s, &a, NULL), 0);
        ck_assert_int_ge(store_snapshot_get(s, a.id, &got, NULL), 0);
        assert_same(&a, &got);
        snapshot_record_done(&got);
        store_close(s);

        s = open_store();
        ck_assert_int_ge(store_snapshot_get(s, a.id, &got, NULL), 0);
        assert_same(&a, &got);
        snapshot_record_done(&got);
        intent = open_intent(s, "delete it");
        ck_assert_int_ge(store_snapshot_delete(s, a.id, intent, NULL), 0);
        ck_assert_int_lt(store_snapshot_get(s, a.id, &got, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_OBJECT_NOT_FOUND);
        vss_error_done(&error);
        ck_assert_uint_eq(count_intents(s), 0);
        ck_assert_int_lt(store_snapshot_delete(s, a.id, 0, NULL), 0);
        ck_assert_int_lt(store_snapshot_update(s, &a, NULL), 0);
        store_close(s);

        s = open_store();
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 0);
        store_close(s);
}
END_TEST

START_TEST(intents_are_listed_oldest_first_until_closed) {
        struct intent_record *intents = NULL;
        struct store *s = open_store();
        int64_t first = open_intent(s, "one"), second = open_intent(s, NULL);
        size_t n = 0;

        ck_assert_int_ge(store_intent_update(s, first, "one, and more", NULL), 0);
        store_close(s);

        s = open_store();
        ck_assert_int_ge(store_intent_list(s, &intents, &n, NULL), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_int_eq(intents[0].id, first);
        ck_assert(vss_id_equal(intents[0].set_id, id_of(5)));
        ck_assert_str_eq(intents[0].provider, "lvm-thick");
        ck_assert_str_eq(intents[0].kind, "create");
        ck_assert_str_eq(intents[0].data, "one, and more");
        ck_assert_int_eq(intents[1].id, second);
        ck_assert_ptr_null(intents[1].data);
        intent_records_free(intents, n);

        ck_assert_int_ge(store_intent_close(s, first, NULL), 0);
        ck_assert_int_lt(store_intent_close(s, first, NULL), 0);
        ck_assert_int_lt(store_intent_update(s, first, "x", NULL), 0);
        ck_assert_uint_eq(count_intents(s), 1);
        store_close(s);
}
END_TEST

START_TEST(numbers_are_never_given_twice) {
        struct store *s = open_store();
        uint64_t first = 0, second = 0, third = 0;

        ck_assert_int_ge(store_reserve_numbers(s, 3, &first, NULL), 0);
        ck_assert_uint_eq(first, 1);
        ck_assert_int_ge(store_reserve_numbers(s, 1, &second, NULL), 0);
        ck_assert_uint_eq(second, 4);
        store_close(s);
        s = open_store();
        ck_assert_int_ge(store_reserve_numbers(s, 1, &third, NULL), 0);
        ck_assert_uint_eq(third, 5);
        store_close(s);
}
END_TEST

static void raw_sql(const char *text) {
        sqlite3 *db = NULL;

        ck_assert_int_eq(sqlite3_open(db_path(), &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static size_t count_set_aside(void) {
        struct dirent *entry;
        DIR *d = opendir(directory);
        size_t n = 0;

        ck_assert_ptr_nonnull(d);
        while ((entry = readdir(d)))
                if (strncmp(entry->d_name, "vssd.db.corrupt-", 16) == 0 &&
                    !strstr(entry->d_name, "-journal"))
                        n++;
        closedir(d);
        return n;
}

START_TEST(a_newer_schema_is_refused_and_not_touched) {
        struct vss_error error = { 0 };
        struct store *s = open_store();

        store_close(s);
        raw_sql("PRAGMA user_version = 6");
        s = NULL;
        ck_assert_int_eq(store_open(&s, directory, &error), -EPROTO);
        ck_assert_ptr_null(s);
        ck_assert_ptr_nonnull(strstr(error.message, "version 6"));
        ck_assert_ptr_nonnull(strstr(error.message, db_path()));
        vss_error_done(&error);
        ck_assert_uint_eq(count_set_aside(), 0);

        raw_sql("PRAGMA user_version = 5");
        store_close(open_store());
}
END_TEST

static void overwrite(off_t offset, size_t size) {
        char junk[512];
        int fd = open(db_path(), O_WRONLY | O_CLOEXEC);

        memset(junk, 'x', sizeof(junk));
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite(fd, junk, size, offset), (ssize_t)size);
        ck_assert_int_eq(close(fd), 0);
}

START_TEST(a_file_that_is_no_database_is_set_aside) {
        struct store *s = open_store();

        ck_assert_int_ge(store_set_commit(s, NULL, (struct snapshot_record[]){ record_of(1, 9) }, 1,
                                          NULL, 0, NULL),
                         0);
        store_close(s);
        overwrite(0, 100);

        s = open_store();
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 0);
        ck_assert_uint_eq(count_set_aside(), 1);
        ck_assert_int_ge(store_set_commit(s, NULL, (struct snapshot_record[]){ record_of(1, 9) }, 1,
                                          NULL, 0, NULL),
                         0);
        store_close(s);
}
END_TEST

START_TEST(a_damaged_page_is_found_at_opening) {
        struct store *s = open_store();

        store_close(s);
        overwrite(4096, 200); /* the first table's root page */
        s = open_store();
        ck_assert_uint_eq(count_set_aside(), 1);
        store_close(s);
}
END_TEST

START_TEST(a_row_that_makes_no_sense_is_corruption) {
        struct store *s = open_store();

        ck_assert_int_ge(store_set_commit(s, NULL, (struct snapshot_record[]){ record_of(1, 9) }, 1,
                                          NULL, 0, NULL),
                         0);
        store_close(s);
        raw_sql("UPDATE snapshot SET context = 'many'");
        s = open_store();
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 0);
        ck_assert_uint_eq(count_set_aside(), 1);
        store_close(s);
}
END_TEST

START_TEST(a_second_process_is_refused) {
        struct store *s = open_store();
        pid_t child = fork();
        int status = 0;

        ck_assert_int_ge(child, 0);
        if (child == 0) {
                struct vss_error error = { 0 };
                struct store *other = NULL;
                bool busy = store_open(&other, directory, &error) == -EBUSY &&
                            strstr(error.message, "another vssd");

                _exit(busy ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_uint_eq(count_set_aside(), 0);
        store_close(s);
}
END_TEST

struct worker {
        struct store *store;
        uint32_t base;
        bool failed;
};

static void *worker_thread(void *userdata) {
        struct worker *w = userdata;

        for (uint32_t i = 0; i < 20; i++) {
                struct snapshot_record record = record_of(w->base + i, w->base), got = { 0 };
                int64_t intent;
                uint64_t number;

                if (store_reserve_numbers(w->store, 1, &number, NULL) < 0)
                        w->failed = true;
                record.number = number;
                if (store_intent_open(w->store,
                                      &(struct intent_record){ .set_id = record.set_id,
                                                               .provider = (char *)"p",
                                                               .kind = (char *)"create" },
                                      &intent, NULL) < 0)
                        w->failed = true;
                if (store_set_commit(w->store, NULL, &record, 1, &intent, 1, NULL) < 0)
                        w->failed = true;
                if (store_snapshot_get(w->store, record.id, &got, NULL) < 0)
                        w->failed = true;
                snapshot_record_done(&got);
                if (i % 2 == 0 && store_snapshot_delete(w->store, record.id, 0, NULL) < 0)
                        w->failed = true;
        }
        return NULL;
}

START_TEST(two_threads_change_the_state_at_once) {
        struct store *s = open_store();
        struct worker workers[2] = { { .store = s, .base = 10000 }, { .store = s, .base = 20000 } };
        pthread_t threads[2];

        for (size_t i = 0; i < 2; i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, worker_thread, &workers[i]), 0);
        /* Meanwhile the loop reads. */
        for (size_t i = 0; i < 1000; i++)
                ck_assert_uint_le(count_snapshots(s, GUID_NULL), 40);
        for (size_t i = 0; i < 2; i++)
                ck_assert_int_eq(pthread_join(threads[i], NULL), 0);

        ck_assert(!workers[0].failed && !workers[1].failed);
        ck_assert_uint_eq(count_snapshots(s, id_of(10000)), 10);
        ck_assert_uint_eq(count_snapshots(s, id_of(20000)), 10);
        ck_assert_uint_eq(count_intents(s), 0);
        store_close(s);
        s = open_store();
        ck_assert_uint_eq(count_snapshots(s, GUID_NULL), 20);
        store_close(s);
}
END_TEST

START_TEST(a_record_copy_shares_nothing) {
        struct snapshot_record a = record_of(1, 2), copy = { 0 };

        ck_assert_int_ge(snapshot_record_copy(&copy, &a), 0);
        assert_same(&a, &copy);
        ck_assert_ptr_ne(a.volume, copy.volume);
        ck_assert_ptr_ne(a.consistency, copy.consistency);
        snapshot_record_done(&copy);
        ck_assert_ptr_null(copy.volume);
}
END_TEST

int main(void) {
        Suite *s = suite_create("store");
        TCase *c = tcase_create("store");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_set_timeout(c, 30);
        tcase_add_test(c, the_directory_and_file_are_for_root_alone);
        tcase_add_test(c, a_missing_parent_is_reported);
        tcase_add_test(c, a_set_survives_reopening_with_every_field);
        tcase_add_test(c, lists_are_ordered_by_number_and_filtered_by_set);
        tcase_add_test(c, what_is_hidden_is_there_for_nobody_but_its_deletion);
        tcase_add_test(c, a_commit_that_fails_leaves_nothing_of_the_set);
        tcase_add_test(c, several_are_deleted_together_or_not_at_all);
        tcase_add_test(c, update_and_delete_reach_file_and_memory);
        tcase_add_test(c, intents_are_listed_oldest_first_until_closed);
        tcase_add_test(c, numbers_are_never_given_twice);
        tcase_add_test(c, a_newer_schema_is_refused_and_not_touched);
        tcase_add_test(c, a_file_that_is_no_database_is_set_aside);
        tcase_add_test(c, a_damaged_page_is_found_at_opening);
        tcase_add_test(c, a_row_that_makes_no_sense_is_corruption);
        tcase_add_test(c, a_second_process_is_refused);
        tcase_add_test(c, two_threads_change_the_state_at_once);
        tcase_add_test(c, a_record_copy_shares_nothing);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
