/* The file of --document: whatever becomes of it, there is no copy that nobody was told of, no
 * writer that was told of a backup without documents, and no half a file. */

#include "tests/bus/bus-writer.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct harness h;
static struct bus_writer writer = {
        .label = "app",
        .name = "App",
        .class_id = "aaaaaaaa-0000-4000-8000-000000000007",
};

static struct {
        char text[16384];
        int status;
} printed;

static void run(const char *command) {
        FILE *f = popen(command, "re");
        int status;

        ck_assert_ptr_nonnull(f);
        printed.text[fread(printed.text, 1, sizeof(printed.text) - 1, f)] = '\0';
        status = pclose(f);
        printed.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* "$D" is the test's directory. */
#define sh(script) run("exec 2>&1 </dev/null; cd \"$D\"; " script)
/* As if the disk were full as soon as somebody writes: files can be made, and stay empty. */
#define FULL "trap '' XFSZ; ulimit -f 0; "
#define expect(want_status, want_text)                                                           \
        do {                                                                                     \
                ck_assert_msg(printed.status == (want_status), "ended with %d: %s",              \
                              printed.status, printed.text);                                     \
                ck_assert_msg(strstr(printed.text, (want_text)), "no '%s' in '%s'", (want_text), \
                              printed.text);                                                     \
        } while (0)

static void setup(void) {
        harness_start(&h, NULL);
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", h.address, 1), 0);
        ck_assert_int_eq(setenv("D", h.directory, 1), 0);
        bus_writer_start(&writer, &h);
        sh("mkdir out; cd out; echo old >old.tar");
        expect(0, "");
}

static void teardown(void) {
        bus_writer_stop(&writer);
        harness_stop(&h);
}

static void expect_no_copies(void) {
        sh(VSSCTL " list --json");
        expect(0, "\"snapshots\": []");
}

/* Neither what was there nor what is beside it. */
static void expect_old_files(void) {
        sh("cd out; ls; cat old.tar");
        ck_assert_str_eq(printed.text, "old.tar\nold\n");
}

START_TEST(what_can_be_written_is) {
        sh(VSSCTL " create --keep --quiet --document out/old.tar /srv/data && tar tf out/old.tar");
        expect(0, "Manifest.xml\nBCDocument.xml\nWM0.xml\n");
        sh(VSSCTL " --quiet run --document out/new.tar /srv/data -- true && tar tf out/new.tar && "
                  "ls out | wc -l");
        expect(0, "Manifest.xml\nBCDocument.xml\nWM0.xml\n2\n");
        ck_assert_uint_eq(bus_writer_count("app", "BackupComplete"), 2);
        sh(VSSCTL " --quiet delete ShadowCopy1");
        expect(0, "");
}
END_TEST

START_TEST(where_no_file_can_be_nothing_is_made) {
        sh(VSSCTL " create --keep --document none/x.tar /srv/data");
        expect(2, "cannot write the documents to none/x.tar: No such file");
        sh(VSSCTL " run --document none/x.tar /srv/data -- echo ran");
        expect(2, "cannot write the documents to none/x.tar: No such file");
        ck_assert_ptr_null(strstr(printed.text, "ran"));
        sh(VSSCTL " create --keep --document out /srv/data");
        expect(2, "cannot write the documents to out: it is no ordinary file");
        sh("mkfifo pipe; ln -s ../pipe out/link; " VSSCTL " create --document out/link /srv/data; "
           "s=$?; rm out/link pipe; exit $s");
        expect(2, "no ordinary file");
        ck_assert_uint_eq(harness_count(&h, "stage"), 0);
        ck_assert_str_eq(bus_writer_events(), "");
        expect_old_files();
}
END_TEST

/* A copy that stays, and of whose id nobody was told, would stay for ever. */
START_TEST(a_kept_set_goes_when_its_documents_cannot_be_written) {
        sh(FULL VSSCTL " create --keep --document out/old.tar /srv/data");
        expect(2, "cannot write the documents to out/old.tar: File too large");
        ck_assert_uint_eq(harness_count(&h, "stage"), 1); /* it was made */
        expect_no_copies();
        ck_assert_uint_eq(bus_writer_count("app", "BackupComplete"), 0);
        expect_old_files();
}
END_TEST

/* They may forget then what a restore has from the documents alone. */
START_TEST(writers_are_told_of_no_backup_without_documents) {
        sh(FULL VSSCTL " run --document out/old.tar /srv/data -- echo ran");
        expect(2, "ran\n");
        expect(2, "cannot write the documents to out/old.tar: File too large");
        ck_assert_uint_eq(bus_writer_count("app", "BackupComplete"), 0);
        ck_assert_uint_ge(bus_writer_count("app", "PostSnapshot"), 1);
        sh("mkdir gone; " VSSCTL " run --document gone/x.tar /srv/data -- rmdir gone");
        expect(2, "cannot write the documents to gone/x.tar");
        ck_assert_uint_eq(bus_writer_count("app", "BackupComplete"), 0);
        expect_no_copies();
        expect_old_files();
}
END_TEST

/* The other way round: what failed leaves the file of the backup before. */
START_TEST(a_command_that_fails_leaves_the_file_as_it_was) {
        sh(VSSCTL " run --document out/old.tar /srv/data -- false");
        expect(11, "");
        ck_assert_uint_eq(bus_writer_count("app", "BackupComplete"), 0);
        expect_no_copies();
        expect_old_files();
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-document-file");
        TCase *t = tcase_create("bus-document-file");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, what_can_be_written_is);
        tcase_add_test(t, where_no_file_can_be_nothing_is_made);
        tcase_add_test(t, a_kept_set_goes_when_its_documents_cannot_be_written);
        tcase_add_test(t, writers_are_told_of_no_backup_without_documents);
        tcase_add_test(t, a_command_that_fails_leaves_the_file_as_it_was);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
