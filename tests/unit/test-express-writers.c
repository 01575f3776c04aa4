/* Express writers over their files: what is found at the start, what registers and goes, and what
 * a restore of the files brings. */

#include "common/document.h"
#include "common/vss-id.h"
#include "daemon/job/job.h"
#include "daemon/writers/express.h"
#include "daemon/writers/participant.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ONE "eeeeeeee-0000-4000-8000-000000000001"
#define TWO "eeeeeeee-0000-4000-8000-000000000002"
#define STORE "75dfb225-e2e4-4d39-9ac9-ffaff65ddf06"
#define DOCUMENT(id, name)                                                                    \
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.1\">"         \
        "<IDENTIFICATION writerId=\"" id "\" instanceId=\"" id "\" friendlyName=\"" name "\"" \
        " usage=\"USER_DATA\" dataSource=\"OTHER\"/>"                                         \
        "<BACKUP_LOCATIONS/></WRITER_METADATA>"

static char parent[64], directory[96];
static sd_event *event;
static struct writer_registry *registry;
static struct express_writers *express;
static struct participants *participants;

static void start(void) {
        ck_assert_int_eq(express_writers_new(&express, event, registry, directory, NULL), 0);
}

static void setup(void) {
        (void)snprintf(parent, sizeof(parent), "/tmp/test-express-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(parent));
        (void)snprintf(directory, sizeof(directory), "%s/express-writers", parent);
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(writer_registry_new(&registry, event), 0);
}

/* Its files, if it is a directory. What a link leads to is not the test's: it stays. */
static void remove_directory(const char *path) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                (void)unlinkat(dirfd(dir), entry->d_name, 0); /* "." and ".." stay */
        if (dir)
                (void)closedir(dir);
        (void)rmdir(path); /* not every test makes it */
}

static void teardown(void) {
        participants = participants_free(participants);
        while (job_count() > 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        express = express_writers_free(express);
        registry = writer_registry_free(registry);
        event = sd_event_unref(event);
        remove_directory(directory);
        ck_assert_int_eq(rmdir(parent), 0);
}

static void write_file(const char *name, const char *text) {
        char path[192];
        FILE *f;

        (void)mkdir(directory, 0700);
        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path, 0600), 0);
}

static void remove_file(const char *name) {
        char path[192];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        ck_assert_int_eq(unlink(path), 0);
}

static struct writer *find(const char *class_id) {
        VSS_ID id;

        ck_assert_int_eq(vss_id_parse(&id, class_id), 0);
        for (size_t i = 0; i < writer_registry_count(registry); i++)
                if (vss_id_equal(writer_identity(writer_registry_get(registry, i))->class_id, id))
                        return writer_registry_get(registry, i);
        return NULL;
}

static struct {
        bool over;
        int r;
        HRESULT hr;
} answer;

static void on_done(void *userdata _unused_, int r, struct vss_error *error) {
        answer.over = true;
        answer.r = r;
        answer.hr = error->hr;
}

static void turn_until(const bool *over) {
        while (!*over)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
}

static void registers(const char *text, HRESULT hr) {
        _cleanup_(document_unrefp) struct document *d = NULL;

        answer.over = false;
        ck_assert_int_eq(document_new(&d, strdup(text), strlen(text), NULL), 0);
        ck_assert_int_eq(express_writers_register(express, d, on_done, NULL, NULL), 0);
        turn_until(&answer.over);
        ck_assert_int_eq(answer.hr, hr);
}

static void unregisters(const char *class_id, HRESULT hr) {
        VSS_ID id;

        answer.over = false;
        answer.hr = S_OK;
        ck_assert_int_eq(vss_id_parse(&id, class_id), 0);
        ck_assert_int_eq(express_writers_unregister(express, id, on_done, NULL, NULL), 0);
        turn_until(&answer.over);
        ck_assert_int_eq(answer.hr, hr);
}

static void on_round(void *userdata, const struct round_result *result) {
        ck_assert_uint_eq(result->failed, 0);
        *(bool *)userdata = true;
}

static unsigned run(enum writer_event_type type) {
        const struct writer_event e = { .type = type };
        struct round *round;
        bool over = false;
        int r;

        r = type == WRITER_EVENT_IDENTIFY
                    ? participants_identify(participants, &e, 1000000, NULL, NULL, on_round, &over,
                                            &round)
                    : participants_send(participants, &e, 1000000, on_round, &over, &round);
        ck_assert_int_eq(r, 0);
        turn_until(&over);
        return (unsigned)participants_count(participants);
}

START_TEST(nothing_is_registered_at_first) {
        start();
        ck_assert_uint_eq(writer_registry_count(registry), 0);
        unregisters(ONE, VSS_E_OBJECT_NOT_FOUND);
}
END_TEST

static int rename_to(const char *name, const char *to) {
        char path[192];

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        return rename(path, to);
}

START_TEST(what_is_found_is_not_believed) {
        char link[192], outside[128];

        write_file(ONE ".xml", DOCUMENT(ONE, "one"));
        write_file(TWO ".xml", DOCUMENT(TWO, "two"));
        write_file("eeeeeeee-0000-4000-8000-000000000003.xml", DOCUMENT(TWO, "stranger"));
        write_file("nonsense.xml", "<a>");
        write_file("empty.xml", "");
        write_file("notes.txt", "x");
        (void)snprintf(link, sizeof(link), "%s/%s.xml", directory, TWO);
        (void)snprintf(outside, sizeof(outside), "%s/outside", parent);
        ck_assert_int_eq(rename_to(TWO ".xml", outside), 0);
        ck_assert_int_eq(symlink(outside, link), 0);
        start();
        ck_assert_uint_eq(writer_registry_count(registry), 2);
        ck_assert_ptr_nonnull(find(ONE));
        ck_assert_ptr_nonnull(find(STORE));
        ck_assert_int_eq(unlink(outside), 0);
}
END_TEST

/* What is behind it is neither read nor tidied up: not even what a start takes away elsewhere. */
START_TEST(a_directory_that_is_a_link_is_not_followed) {
        char elsewhere[80], document[160], unfinished[160];

        (void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", parent);
        (void)snprintf(document, sizeof(document), "%s/" ONE ".xml", elsewhere);
        (void)snprintf(unfinished, sizeof(unfinished), "%s/.new-one", elsewhere);
        write_file(ONE ".xml", DOCUMENT(ONE, "one"));
        write_file(".new-one", "");
        ck_assert_int_eq(rename(directory, elsewhere), 0);
        ck_assert_int_eq(symlink(elsewhere, directory), 0);
        start(); /* the service is there all the same */
        ck_assert_uint_eq(writer_registry_count(registry), 0);
        registers(DOCUMENT(TWO, "two"), VSS_E_UNEXPECTED);
        ck_assert_uint_eq(writer_registry_count(registry), 0);
        unregisters(ONE, VSS_E_UNEXPECTED);
        remove_directory(directory); /* nor does the test's own clean-up */
        ck_assert_int_eq(access(document, F_OK), 0);
        ck_assert_int_eq(access(unfinished, F_OK), 0);
        ck_assert_int_eq(unlink(directory), 0);
        remove_directory(elsewhere);
}
END_TEST

START_TEST(a_registration_is_there_until_it_is_taken_back) {
        struct participant_info info;

        start();
        registers(DOCUMENT(ONE, "one"), S_OK);
        registers(DOCUMENT(ONE, "again"), VSS_E_OBJECT_ALREADY_EXISTS);
        ck_assert_int_eq(participants_new(&participants, registry), 0);
        ck_assert_uint_eq(run(WRITER_EVENT_IDENTIFY), 2);
        ck_assert_uint_eq(participants_involved(participants), 0);
        run(WRITER_EVENT_PREPARE_BACKUP);
        run(WRITER_EVENT_PREPARE_SNAPSHOT);
        for (size_t i = 0; i < 2; i++) {
                participants_get(participants, i, &info);
                ck_assert_int_eq(info.state, VSS_WS_STABLE);
                ck_assert(!info.took_part);
                if (strcmp(info.name, "one") == 0)
                        ck_assert_str_eq(document_text(info.metadata), DOCUMENT(ONE, "one"));
                else
                        ck_assert_ptr_nonnull(strstr(document_text(info.metadata), directory));
        }
        unregisters(ONE, S_OK);
        ck_assert_uint_eq(writer_registry_count(registry), 0);
        unregisters(ONE, VSS_E_OBJECT_NOT_FOUND);
}
END_TEST

START_TEST(restored_files_are_read_after_the_restore) {
        start();
        registers(DOCUMENT(ONE, "one"), S_OK);
        ck_assert_int_eq(participants_new(&participants, registry), 0);
        ck_assert_uint_eq(run(WRITER_EVENT_IDENTIFY), 2);
        run(WRITER_EVENT_PRE_RESTORE);
        write_file(TWO ".xml", DOCUMENT(TWO, "two"));
        remove_file(ONE ".xml");
        ck_assert_ptr_null(find(TWO));
        run(WRITER_EVENT_POST_RESTORE);
        ck_assert_ptr_nonnull(find(TWO));
        ck_assert_ptr_null(find(ONE));
        ck_assert_ptr_nonnull(find(STORE));
}
END_TEST

/* The one that reads goes while it reads: its session, or the last registration. */
START_TEST(a_restore_that_is_left_ends_by_itself) {
        const struct writer_event e = { .type = WRITER_EVENT_POST_RESTORE };
        struct round *round;
        bool over = false;

        start();
        registers(DOCUMENT(ONE, "one"), S_OK);
        ck_assert_int_eq(participants_new(&participants, registry), 0);
        ck_assert_uint_eq(run(WRITER_EVENT_IDENTIFY), 2);
        ck_assert_int_eq(participants_send(participants, &e, 1000000, on_round, &over, &round), 0);
        if (_i > 0)
                while (job_count() == 0)
                        ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        participants = participants_free(participants);
        if (_i < 2)
                return;
        unregisters(ONE, S_OK);
        while (job_count() > 0)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        ck_assert_uint_eq(writer_registry_count(registry), 0); /* not brought back */
}
END_TEST

int main(void) {
        Suite *s = suite_create("express-writers");
        TCase *t = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, nothing_is_registered_at_first);
        tcase_add_test(t, what_is_found_is_not_believed);
        tcase_add_test(t, a_directory_that_is_a_link_is_not_followed);
        tcase_add_test(t, a_registration_is_there_until_it_is_taken_back);
        tcase_add_test(t, restored_files_are_read_after_the_restore);
        tcase_add_loop_test(t, a_restore_that_is_left_ends_by_itself, 0, 3);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
