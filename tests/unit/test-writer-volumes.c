/* Which volumes a writer's files lie on, and whose restore keeps a volume from being reverted. */

#include "daemon/coordinator/revert-block.h"
#include "daemon/coordinator/set-writers.h"
#include "daemon/coordinator/writer-volumes.h"
#include "daemon/job/job.h"
#include "daemon/providers/mount-table.h"
#include "tests/unit/fake-storage.h"
#include "tests/unit/fake-writer.h"

#include <sys/stat.h>

#define FILE_LIST(path, more) "<FILE_LIST path=\"" path "\" filespec=\"*\" " more "/>"

static const char mounts[] = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                             "21 20 8:2 / /srv rw - ext4 /dev/sda2 rw\n"
                             "22 21 8:3 / /srv/data rw - xfs /dev/sda3 rw\n"
                             "23 20 8:3 / /mnt/again rw - xfs /dev/sda3 rw\n"
                             "24 20 0:40 / /net rw - nfs host:/x rw\n";

static char directory[] = "/tmp/test-writer-volumes-XXXXXX", table[64];
static struct volume *volumes[2]; /* /srv/data and / */

static struct volume *volume_at(const char *mount_point, dev_t devno) {
        struct volume *v = calloc(1, sizeof(*v));

        ck_assert_ptr_nonnull(v);
        v->mount_fd = -1;
        v->devno = devno;
        v->mount_point = mount_point ? strdup(mount_point) : NULL;
        return v;
}

static void write_file(const char *name, const char *text) {
        char path[128];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static void setup(void) {
        strcpy(directory, "/tmp/test-writer-volumes-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        write_file("mountinfo", mounts);
        (void)snprintf(table, sizeof(table), "%s/mountinfo", directory);
        mount_table_path = table;
        volumes[0] = volume_at("/srv/data", makedev(8, 3));
        volumes[1] = volume_at("/", makedev(8, 1));
}

static void teardown(void) {
        static const char *const names[] = { "mountinfo", "a.conf", "b.conf", "c.txt" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char path[128];

                (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
                (void)unlink(path); /* not every test makes each */
        }
        ck_assert_int_eq(rmdir(directory), 0);
        volumes[0] = volume_free(volumes[0]);
        volumes[1] = volume_free(volumes[1]);
}

static const struct {
        const char *metadata;
        bool sure, on_data, on_root;
} rows[] = {
        { FAKE_METADATA(FILE_LIST("/srv/data/db", "")), true, true, false },
        { FAKE_METADATA(FILE_LIST("/srv/data/", "")), true, true, false },
        { FAKE_METADATA(FILE_LIST("/srv/database", "recursive=\"yes\"")), true, false, false },
        { FAKE_METADATA(FILE_LIST("/etc", "")), true, false, true },
        { FAKE_METADATA(FILE_LIST("/", "")), true, false, true },
        /* Recursion goes into what is mounted below. */
        { FAKE_METADATA(FILE_LIST("/srv", "")), true, false, false },
        { FAKE_METADATA(FILE_LIST("/srv", "recursive=\"yes\"")), true, true, false },
        { FAKE_METADATA(FILE_LIST("/", "recursive=\"yes\"")), true, true, true },
        /* The same file system by another way. */
        { FAKE_METADATA(FILE_LIST("/mnt/again/x", "")), true, true, false },
        { FAKE_METADATA(FILE_LIST("/net/share", "")), true, false, false },
        { FAKE_METADATA(FILE_LIST("${sysconfdir}/x", "")), true, false, true },
        { FAKE_METADATA(FILE_LIST("/etc", "alternatePath=\"/srv/data/spit\"")), true, true, true },
        { FAKE_METADATA(FILE_LIST("/etc", "") FILE_LIST("/etc", "recursive=\"yes\"")
                                FILE_LIST("/srv/data", "")),
          true, true, true },
        /* What cannot be told may be everywhere. */
        { FAKE_METADATA(""), false, true, true },
        { FAKE_METADATA(FILE_LIST("%NoSuchVariable%", "")), false, true, true },
        { FAKE_METADATA(FILE_LIST("C:\\data", "")), false, true, true },
        { "<nonsense", false, true, true },
        { NULL, false, true, true },
};

START_TEST(a_writers_files_are_found_on_their_volumes) {
        _cleanup_(document_unrefp) struct document *metadata = NULL;
        _cleanup_(volume_map_freep) struct volume_map *map = NULL;
        bool on[2];

        if (rows[_i].metadata)
                metadata = fake_document(rows[_i].metadata);
        ck_assert_int_eq(volume_map_new(&map, (const struct volume *const *)volumes, 2), 0);
        ck_assert_int_eq(volume_map_find(map, metadata, on, NULL), rows[_i].sure);
        ck_assert_msg(on[0] == rows[_i].on_data && on[1] == rows[_i].on_root, "row %d: %d %d", _i,
                      on[0], on[1]);
}
END_TEST

START_TEST(without_a_mount_table_the_volumes_alone_are_known) {
        _cleanup_(document_unrefp) struct document *metadata =
                fake_document(FAKE_METADATA(FILE_LIST("/srv/data/db", "")));
        _cleanup_(volume_map_freep) struct volume_map *map = NULL;
        bool on[2];

        mount_table_path = "/nowhere/at-all";
        ck_assert_int_eq(volume_map_new(&map, (const struct volume *const *)volumes, 2), 0);
        ck_assert(volume_map_find(map, metadata, on, NULL));
        ck_assert(on[0] && !on[1]);
}
END_TEST

/* --- ShouldBlockRevert --- */

static sd_event *event;
static struct writer_registry *registry;
static struct fake_journal journal;
static struct fake_writer first, second;
static struct {
        unsigned n;
        int r;
        bool blocked;
        HRESULT hr;
} answer;

static void setup_question(void) {
        setup();
        memset(&journal, 0, sizeof(journal));
        memset(&answer, 0, sizeof(answer));
        first = second = (struct fake_writer){ 0 };
        fake_storage_install();
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(writer_registry_new(&registry, event), 0);
        fake_writer_register(&first, registry, event, &journal, "first", VSS_APP_SYSTEM);
        fake_writer_register(&second, registry, event, &journal, "second", VSS_APP_SYSTEM);
}

static void teardown_question(void) {
        fake_writer_gone(&first);
        fake_writer_gone(&second);
        registry = writer_registry_free(registry);
        event = sd_event_unref(event);
        ck_assert_uint_eq(job_count(), 0);
        teardown();
}

static void on_answer(void *userdata _unused_, int r, bool blocked, struct vss_error *error) {
        answer.n++;
        answer.r = r;
        answer.blocked = blocked;
        answer.hr = error->hr;
}

static void ask(const char *volume) {
        const struct revert_block_request request = {
                .event = event,
                .writers = registry,
                .volume = volume,
                .directory = directory,
                .timeout_usec = 1000000,
        };
        unsigned before = answer.n;

        ck_assert_int_eq(revert_block_ask(&request, on_answer, NULL, NULL), 0);
        ck_assert_uint_eq(answer.n, before);
        while (answer.n == before)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
}

static void list_writer(const struct fake_writer *w) {
        char text[256];

        (void)snprintf(text, sizeof(text),
                       "# those that must not be reverted\n\n  {%s}  # this\n"
                       "nonsense\n",
                       VSS_ID_TEXT(writer_identity(w->writer)->class_id));
        write_file("a.conf", text);
}

START_TEST(a_listed_writer_with_files_there_blocks) {
        first.metadata = FAKE_METADATA(FILE_LIST("/alpha/one/db", ""));
        second.metadata = FAKE_METADATA(FILE_LIST("/alpha/one/db", ""));
        ask("alpha/one");
        ck_assert(!answer.blocked); /* nobody is listed, and nobody asked */
        ck_assert_str_eq(journal.text, "");
        list_writer(&first);
        ask("alpha/one");
        ck_assert(answer.blocked);
        ck_assert_str_eq(journal.text, "first:Identify ");
        ask("alpha/other");
        ck_assert(!answer.blocked);
        first.answers[WRITER_EVENT_IDENTIFY] = FAKE_LATE;
        ask("alpha/one"); /* as if it did not run */
        ck_assert_int_eq(answer.r, 0);
        ck_assert(!answer.blocked);
}
END_TEST

START_TEST(a_volume_that_is_not_there_is_no_valid_argument) {
        struct revert_block_request request = { .event = event, .writers = registry, .volume = "" };
        struct vss_error error = { 0 };

        ask("/no-such-volume");
        ck_assert_int_lt(answer.r, 0);
        ck_assert_int_eq(answer.hr, E_INVALIDARG);
        ck_assert_int_lt(revert_block_ask(&request, on_answer, NULL, &error), 0);
        ck_assert_int_eq(error.hr, E_INVALIDARG);
        vss_error_done(&error);
}
END_TEST

START_TEST(the_list_is_what_its_files_say) {
        VSS_ID *ids = NULL;
        size_t n = 99;

        ck_assert_int_eq(revert_block_read("/no/such/directory", &ids, &n, NULL), 0);
        ck_assert_uint_eq(n, 0);
        write_file("a.conf", "aaaaaaaa-0000-4000-8000-000000000001\nx\n#\n \t\n");
        write_file("b.conf", "{AAAAAAAA-0000-4000-8000-000000000002}");
        write_file("c.txt", "aaaaaaaa-0000-4000-8000-000000000003\n");
        ck_assert_int_eq(revert_block_read(directory, &ids, &n, NULL), 0);
        ck_assert_uint_eq(n, 2);
        free(ids);
}
END_TEST

int main(void) {
        Suite *s = suite_create("writer-volumes");
        TCase *t = tcase_create("volumes"), *q = tcase_create("questions");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_loop_test(t, a_writers_files_are_found_on_their_volumes, 0, ARRAY_SIZE(rows));
        tcase_add_test(t, without_a_mount_table_the_volumes_alone_are_known);
        suite_add_tcase(s, t);
        tcase_add_checked_fixture(q, setup_question, teardown_question);
        tcase_add_test(q, a_listed_writer_with_files_there_blocks);
        tcase_add_test(q, a_volume_that_is_not_there_is_no_valid_argument);
        tcase_add_test(q, the_list_is_what_its_files_say);
        suite_add_tcase(s, q);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
