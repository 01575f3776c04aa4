/* The documents of a backup, read from archives of ours and of tar, from directories, and from what
 * is neither. */

#include "cli/exit-status.h"
#include "cli/message.h"
#include "cli/saved-documents.h"
#include "cli/tar-archive.h"

#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>

static char directory[] = "/tmp/test-saved-documents.XXXXXX";
static char archive[64];

static void set_up(void) {
        ck_assert_ptr_nonnull(mkdtemp(directory));
        (void)snprintf(archive, sizeof(archive), "%s/a.tar", directory);
        message_init(true, false, false);
}

static void tear_down(void) {
        char command[128];

        (void)snprintf(command, sizeof(command), "rm -r %s", directory);
        ck_assert_int_eq(system(command), 0);
        memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static void run(const char *format) {
        char command[1024];

        (void)snprintf(command, sizeof(command), "cd %s && %s", directory, format);
        ck_assert_msg(system(command) == 0, "%s", command);
}

static void write_archive(const char *const *members) {
        FILE *f = fopen(archive, "we");

        ck_assert_ptr_nonnull(f);
        for (; *members; members += 2)
                tar_archive_add(f, members[0], members[1]);
        tar_archive_end(f);
        ck_assert_int_eq(fclose(f), 0);
}

static void expect(const char *path, const char *components, const char *const *metadata) {
        struct saved_documents d;
        size_t i = 0;

        ck_assert_int_eq(saved_documents_read(&d, path), EXIT_DONE);
        ck_assert_str_eq(d.components, components);
        for (; metadata[i]; i++) {
                ck_assert_ptr_nonnull(d.metadata[i]);
                ck_assert_str_eq(d.metadata[i], metadata[i]);
        }
        ck_assert_ptr_null(d.metadata[i]);
        saved_documents_done(&d);
}

static void refuse(const char *path) {
        struct saved_documents d;

        ck_assert_int_eq(saved_documents_read(&d, path), EXIT_FAILED);
        saved_documents_done(&d);
}

#define BLOCK_TEXT /* 512 bytes, so that there is no padding */ \
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(what_was_written_is_read) {
        char block[513] = "";

        for (unsigned i = 0; i < 8; i++)
                strcat(block, BLOCK_TEXT);
        ck_assert_uint_eq(strlen(block), 512);
        write_archive((const char *const[]){ "Manifest.xml", "<Manifest/>", "BCDocument.xml",
                                             "<b/>", "WM1.xml", block, "WM0.xml", "", "WM01.xml",
                                             "not one", "WM2.xml.bak", "nor this", NULL });
        expect(archive, "<b/>", (const char *const[]){ "", block, NULL });
        /* Every tar reads it, and so are archives of tar. */
        run("mkdir x && tar -C x -xf a.tar && test \"$(cat x/BCDocument.xml)\" = '<b/>'");
        run("rm a.tar && cd x && rm WM0* && cp WM1.xml WM0.xml && ln -s WM1.xml WM2.xml && "
            "tar -cf ../a.tar . && rm WM2.xml");
        expect(archive, "<b/>",
               (const char *const[]){ block, block, NULL }); /* links do not count */
        run("cd x && tar --format=ustar -cf ../a.tar ./BCDocument.xml ./WM0.xml ./WM1.xml");
        expect(archive, "<b/>", (const char *const[]){ block, block, NULL });
        run("cd x && tar --format=pax -cf ../a.tar BCDocument.xml WM0.xml");
        expect(archive, "<b/>", (const char *const[]){ block, NULL });
}
END_TEST

START_TEST(a_directory_will_do) {
        run("printf '<b/>' >BCDocument.xml && printf 0 >WM0.xml && printf 1 >WM1.xml && "
            "printf 3 >WM3.xml");
        expect(directory, "<b/>", (const char *const[]){ "0", "1", NULL });
        run("rm WM1.xml && mkdir WM1.xml");
        refuse(directory);
        run("rm BCDocument.xml");
        refuse(directory);
}
END_TEST

/* The last two are larger than any document. */
static const char *const bad[] = {
        "rm a.tar",
        "printf '<BACKUP_COMPONENTS/>' >a.tar",                          /* no archive */
        ": >a.tar",                                                      /* an empty one */
        "seq 1 300 >a.tar",                                              /* noise */
        "head -c 600 a.tar >b && mv b a.tar",                            /* cut in a member */
        "head -c 512 a.tar >b && mv b a.tar",                            /* behind a header */
        "printf 9 | dd of=a.tar bs=1 seek=130 conv=notrunc status=none", /* a size that is none */
        "printf x | dd of=a.tar bs=1 seek=2 conv=notrunc status=none",   /* a wrong sum */
        "printf '\\0' | dd of=a.tar bs=1 seek=514 conv=notrunc status=none",          /* no text */
        "rm a.tar; printf 1 >WM1.xml; printf b >BCDocument.xml; tar -cf a.tar *.xml", /* no WM0 */
        "rm a.tar; printf 0 >WM0.xml; tar -cf a.tar *.xml", /* no components */
        "rm a.tar; truncate -s 300M BCDocument.xml; tar -cSf a.tar --sparse *.xml",
        "rm a.tar; truncate -s 300M BCDocument.xml; tar -cf - *.xml | head -c 4096 >a.tar",
};

START_TEST(everything_else_is_refused) {
        write_archive((const char *const[]){ "BCDocument.xml", "<b/>", "WM0.xml", "<w/>", NULL });
        run(bad[_i]);
        refuse(archive);
}
END_TEST

START_TEST(the_control_is_read) {
        write_archive((const char *const[]){ "BCDocument.xml", "<b/>", "WM0.xml", "<w/>", NULL });
        expect(archive, "<b/>", (const char *const[]){ "<w/>", NULL });
}
END_TEST

int main(void) {
        Suite *s = suite_create("saved-documents");
        TCase *c = tcase_create("saved-documents");
        SRunner *runner;
        int failed;

        tcase_set_timeout(c, 60);
        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_test(c, what_was_written_is_read);
        tcase_add_test(c, a_directory_will_do);
        tcase_add_loop_test(c, everything_else_is_refused, 0, ARRAY_SIZE(bad));
        tcase_add_test(c, the_control_is_read);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
