/* vssctl and copies that are there: shown elsewhere, made volumes of, handed to other hosts, gone
 * back to. */

#include "tests/bus/vssctl-run.h"

#include <stdio.h>
#include <sys/stat.h>

static struct harness h;

static void set_up(void) {
        harness_start(&h, NULL);
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", h.address, 1), 0);
}

static void tear_down(void) {
        harness_stop(&h);
}

START_TEST(exposing) {
        const struct ended *e;
        char name[64], place[128];

        set_up();
        expect_status(vssctl(A("create"), A("--context"), A("nas-rollback"), A("/srv/data")), 0);
        (void)snprintf(name, sizeof(name), "%s", only_copy());

        e = vssctl(A("expose"), A("--json"), A("--path"), A("a/b"), name, A("/mnt"));
        expect_status(e, 0);
        expect_text(e->out, "\"exposed_name\": \"/mnt\"");
        expect_text(e->out, "\"exposed_path\": \"a/b\"");
        e = vssctl(A("show"), name);
        expect_text(e->out, "Exposed as: /mnt\n");
        expect_text(e->out, "Of it: a/b\n");
        e = vssctl(A("list"), A("--json"));
        expect_text(e->out, "\"exposed_name\": \"/mnt\"");
        expect_text(e->out, "\"exposed_path\": \"a/b\"");
        e = vssctl(A("expose"), name, A("/elsewhere"));
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_OBJECT_ALREADY_EXISTS");
        e = vssctl(A("delete"), name);
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_PROVIDER_VETO");
        expect_text(e->err, "/mnt");

        /* By its place as well as by its name. */
        expect_status(vssctl(A("unexpose"), A("/mnt/")), 0);

        /* What begins with a dot is here, for us as for the user. */
        e = vssctl(A("expose"), name, A("here"));
        expect_status(e, 1);
        expect_text(e->err, "here is no full path; for a directory in this one, write './here'");
        e = vssctl(A("expose"), name, A("./no/such"));
        expect_status(e, 1);
        expect_text(e->err, "./no/such: No such file");
        ck_assert_int_eq(chdir(h.directory), 0);
        ck_assert_int_eq(mkdir("here", 0755), 0);
        expect_status(vssctl(A("expose"), name, A("./here")), 0);
        (void)snprintf(place, sizeof(place), "Exposed as: %s/here\n", h.directory);
        expect_text(vssctl(A("show"), name)->out, place);
        expect_status(vssctl(A("unexpose"), A("./here")), 0);
        ck_assert_int_eq(rmdir("here"), 0);
        ck_assert_int_eq(chdir("/"), 0);
        e = vssctl(A("unexpose"), name);
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_OBJECT_NOT_FOUND");

        e = vssctl(A("expose"), name, A("--share"), A("yesterday"));
        expect_status(e, 0);
        expect_text(e->err, "exposed as yesterday");
        e = vssctl(A("show"), name);
        expect_text(e->out, "Shared as: yesterday\n");
        expect_status(vssctl(A("unexpose"), A("yesterday")), 0);
        e = vssctl(A("expose"), name, A("--share"), A("nfs:x"));
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_PROVIDER_VETO");

        expect_status(vssctl(A("expose"), name), 1);
        expect_status(vssctl(A("expose"), name, A("/mnt"), A("--share"), A("x")), 1);
        expect_status(vssctl(A("expose"), name, A("mnt")), 1);

        expect_status(vssctl(A("expose"), name, A("/mnt")), 0);
        expect_status(vssctl(A("delete"), A("--force"), name), 0);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(breaking) {
        const struct ended *e;
        char name[64], set[64];

        set_up();
        harness_knob(&h, "breakable", "");
        expect_status(vssctl(A("create"), A("--context"), A("nas-rollback"), A("/srv/data")), 0);
        (void)snprintf(name, sizeof(name), "%s", only_copy());
        e = vssctl(A("list"), A("--json"));
        (void)snprintf(set, sizeof(set), "%.36s",
                       strstr(e->out, "\"snapshot_set_id\": \"") +
                               strlen("\"snapshot_set_id\": \""));

        e = vssctl(A("break"), name); /* one copy is no set */
        expect_status(e, 1);
        expect_text(e->err, "a set is broken as a whole");
        expect_status(vssctl(A("break"), A("--mask"), A("--writable"), set), 1);
        expect_status(vssctl(A("break"), A("--mask"), A("--revert-identity"), A("all"), set), 1);
        expect_status(vssctl(A("break"), A("--revert-identity"), A("some"), set), 1);
        expect_status(vssctl(A("break")), 1);
        ck_assert_uint_eq(harness_count(&h, "break"), 0);
        harness_knob(&h, "fail", "break");
        e = vssctl(A("break"), A("--revert-identity"), A("all"), set);
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_BREAK_REVERT_ID_FAILED");
        harness_knob(&h, "fail", NULL);
        e = vssctl(A("break"), A("--mask"), set);
        expect_status(e, 0);
        expect_text(e->err, "the copy of /srv/data/ is the volume /dev/fake/volume-1");
        ck_assert_ptr_nonnull(strstr(harness_journal(&h), "break 1 with 4\n"));
        ck_assert_ptr_nonnull(strstr(harness_journal(&h), "break 1 with 1\n"));
        expect_no_copies();
        expect_status(vssctl(A("break"), set), 2);

        expect_status(vssctl(A("create"), A("--context"), A("nas-rollback"), A("/srv/data"),
                             A("/srv/mail")),
                      0);
        e = vssctl(A("list"), A("--json"));
        (void)snprintf(set, sizeof(set), "%.36s",
                       strstr(e->out, "\"snapshot_set_id\": \"") +
                               strlen("\"snapshot_set_id\": \""));
        e = vssctl(A("break"), A("--json"), A("-w"), A("--revert-identity=none"), set);
        expect_status(e, 0);
        expect_text(e->out, "{\n  \"snapshot_set_id\": \"");
        expect_text(e->out, set);
        expect_text(e->out, "\"original\": \"/srv/data/\"");
        expect_text(e->out, "\"volume\": \"/dev/fake/volume-2\"");
        expect_text(e->out, "\"volume\": \"/dev/fake/volume-3\"");
        ck_assert_ptr_nonnull(strstr(harness_journal(&h), "break 2 with 10\n"));
        expect_no_copies();
        tear_down();
}
END_TEST

static struct harness other; /* host */

/* From here on vssctl is there. */
static void go_to(const struct harness *host) {
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", host->address, 1), 0);
}

START_TEST(importing) {
        char archive[128], plain[128], command[512];
        const struct ended *e;

        set_up();
        harness_start(&other, NULL);
        (void)snprintf(archive, sizeof(archive), "%s/set.tar", h.directory);
        (void)snprintf(plain, sizeof(plain), "%s/set.xml", h.directory);

        e = vssctl(A("create"), A("--transportable"), A("/srv/data"));
        expect_status(e, 1);
        expect_text(e->err, "needs a --document");
        e = vssctl(A("create"), A("--transportable"), A("--context"), A("client"), A("--document"),
                   archive, A("/srv/data"));
        expect_status(e, 1);
        expect_text(e->err, "does not go with the contexts client and client-writers");
        e = vssctl(A("create"), A("--transportable"), A("--context"), A("nas-rollback"),
                   A("--document"), archive, A("/srv/data"), A("/srv/mail"));
        expect_status(e, 0);
        expect_text(e->out, "/srv/data  -  ");
        expect_text(e->err, "stay until they are imported or deleted");
        e = vssctl(A("show"), A("ShadowCopy1"));
        expect_text(e->out, "not here before it is imported");
        expect_text(vssctl(A("list"))->out, "not imported");
        e = vssctl(A("list"), A("--json"));
        expect_text(e->out, "\"device_object\": null");

        go_to(&other);
        expect_status(vssctl(A("import")), 1);
        expect_status(vssctl(A("import"), A("/no/such/file")), 2);
        expect_status(vssctl(A("import"), A("/dev/null")), 2);
        e = vssctl(A("import"), other.directory);
        expect_status(e, 2);
        expect_text(e->err, "there is no BCDocument.xml in it");
        harness_knob(&other, "fail", "import");
        e = vssctl(A("import"), archive);
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_MISSING_DISK");
        harness_knob(&other, "fail", NULL);
        e = vssctl(A("import"), A("--json"), archive);
        expect_status(e, 0);
        expect_text(e->out, "\"volume\": \"/srv/data/\"");
        expect_text(e->out, "\"device_object\": \"/run/vss/ShadowCopy2\"");
        e = vssctl(A("show"), A("ShadowCopy1"));
        expect_text(e->out, "yes, imported");
        ck_assert_ptr_null(strstr(vssctl(A("list"))->out, "not imported"));
        e = vssctl(A("import"), archive);
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_NO_SNAPSHOTS_IMPORTED");

        /* For a command; these stay. */
        expect_status(vssctl(A("delete"), A("ShadowCopy1"), A("ShadowCopy2")), 0);
        expect_status(vssctl(A("import"), archive, A("--")), 1);
        expect_status(vssctl(A("import"), archive, A("--"), A("/no/such/program")), 1);
        expect_no_copies();
        e = vssctl(A("import"), archive, A("--"), A("sh"), A("-c"),
                   A("echo $VSS_VOLUME_2 $VSS_COPIES ${VSS_DOCUMENT##*/}; exit 7"));
        expect_status(e, 17);
        ck_assert_str_eq(e->out, "/srv/mail /run/vss/ShadowCopy3:/run/vss/ShadowCopy4 set.tar\n");

        /* Some of it; and the document alone. */
        expect_status(vssctl(A("delete"), A("ShadowCopy3")), 0);
        (void)snprintf(command, sizeof(command), "tar -xOf %s BCDocument.xml >%s", archive, plain);
        ck_assert_int_eq(system(command), 0);
        e = vssctl(A("import"), A("--quiet"), plain);
        expect_status(e, 5);
        expect_text(e->err, "VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED");
        expect_text(e->err, "already");
        ck_assert_str_eq(e->out, "/run/vss/ShadowCopy5\n");
        /* Whole ids for what is no terminal, as of list. */
        expect_status(vssctl(A("delete"), A("ShadowCopy5")), 0);
        e = vssctl(A("import"), plain);
        expect_status(e, 5);
        ck_assert_ptr_nonnull(strrchr(e->out, ' '));
        ck_assert_uint_eq(strcspn(strrchr(e->out, ' ') + 1, "\n"), 36);

        /* Of another backup. */
        go_to(&h);
        expect_status(vssctl(A("create"), A("--keep"), A("--document"), archive, A("/srv/db")), 0);
        e = vssctl(A("import"), archive);
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_NONTRANSPORTABLE_BCD");
        harness_stop(&other);
        tear_down();
}
END_TEST

static void write_program(const char *name, const char *text) {
        char path[160];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", h.directory, name);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_gt(fprintf(f, "#!/bin/sh\n%s\n", text), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path, 0755), 0);
}

START_TEST(an_export_in_the_background_says_where) {
        const struct ended *e;
        char path[256];

        set_up();
        expect_status(vssctl(A("create"), A("--keep"), A("/srv/data")), 0);
        /* In place of systemd's and the server. */
        write_program("nbdkit", "exit 1");
        write_program("systemd-run", "echo \"$@\" >\"${0%/*}/asked\"");
        (void)snprintf(path, sizeof(path), "%s:/usr/bin:/bin", h.directory);
        ck_assert_int_eq(setenv("PATH", path, 1), 0);
        e = vssctl(A("export"), A("--background"), A("--json"), A("ShadowCopy1"));
        expect_status(e, 0);
        expect_text(e->out, "{\n  \"snapshot_id\": \"");
        expect_text(e->out, "\"uri\": null,\n  \"size_bytes\": null,\n"
                            "  \"service\": \"vss-export-ShadowCopy1.service\"\n}\n");
        e = vssctl(A("export"), A("--background"), A("ShadowCopy1"));
        expect_status(e, 0);
        ck_assert_str_eq(e->out, "");
        expect_text(e->err, "served by vss-export-ShadowCopy1.service at /run/vss-export/");
        (void)snprintf(path, sizeof(path), "grep -q -- --unit=vss-export-ShadowCopy1 %s/asked",
                       h.directory);
        ck_assert_int_eq(system(path), 0);
        tear_down();
}
END_TEST

START_TEST(reverting) {
        const struct ended *e;
        char name[64], set[64];

        set_up();
        expect_status(vssctl(A("create"), A("--context"), A("nas-rollback"), A("/srv/data")), 0);
        (void)snprintf(name, sizeof(name), "%s", only_copy());
        e = vssctl(A("list"), A("--json"));
        (void)snprintf(set, sizeof(set), "%.36s",
                       strstr(e->out, "\"snapshot_set_id\": \"") +
                               strlen("\"snapshot_set_id\": \""));
        e = vssctl(A("revert"), A("--yes"), name);
        expect_status(e, 2);
        expect_text(e->err, "E_NOTIMPL");
        harness_knob(&h, "revertable", "");

        expect_status(vssctl(A("revert")), 1);
        e = vssctl(A("revert"), A("--force"), name); /* nobody can be asked */
        expect_status(e, 1);
        expect_text(e->err, "takes --yes");
        ck_assert_uint_eq(harness_count(&h, "origin-unmount"), 0);
        e = vssctl(A("revert"), set);
        expect_status(e, 1);
        expect_text(e->err, "is a set");
        e = vssctl(A("revert"), A("--status"));
        expect_status(e, 2);
        expect_text(e->err, "no revert is under way");
        harness_knob(&h, "mounted-elsewhere", "");
        e = vssctl(A("revert"), A("--yes"), name);
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_VOLUME_IN_USE");

        e = vssctl(A("revert"), A("--force"), A("--no-wait"), A("--json"), A("-y"), name);
        expect_status(e, 0);
        expect_text(e->out, "\"volume\": \"/srv/data/\"");
        e = vssctl(A("revert"), A("--status"), A("/srv/data"));
        expect_status(e, 0);
        expect_text(e->out, "merging");
        expect_status(vssctl(A("revert"), A("--status"), A("/called/this/too/")), 0);
        expect_status(vssctl(A("revert"), A("--status"), A("/srv/mail")), 2);
        e = vssctl(A("revert"), A("--status"), A("--quiet"), A("/srv/data/"));
        expect_status(e, 0);
        ck_assert_str_eq(e->out, "");
        e = vssctl(A("revert"), A("--status"), A("--json"));
        expect_status(e, 0);
        expect_text(e->out, "\"state\": \"merging\"");
        expect_text(e->out, "\"/called/this/too\"");
        e = vssctl(A("list"));
        expect_status(e, 0);
        expect_text(e->err, "/srv/data/ is being reverted");
        expect_text(vssctl(A("list"), A("--json"))->out, "\"reverts\": [");
        expect_text(vssctl(A("show"), name)->out, "Volume now: is being reverted");
        expect_text(vssctl(A("show"), A("--json"), name)->out, "\"state\": \"merging\"");
        e = vssctl(A("revert"), A("--yes"), name);
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_REVERT_IN_PROGRESS");
        harness_knob(&h, "reverted", "");
        while (vssctl(A("revert"), A("--status"), A("--quiet"))->status == 0)
                (void)usleep(20000);
        expect_no_copies();

        /* Waiting for the end of it, and for none. */
        expect_status(vssctl(A("create"), A("--context"), A("nas-rollback"), A("/srv/data")), 0);
        (void)snprintf(name, sizeof(name), "%s", only_copy());
        e = vssctl(A("revert"), A("-f"), A("-y"), name);
        expect_status(e, 0);
        expect_text(e->err, "/srv/data/ has been reverted");
        expect_no_copies();
        harness_knob(&h, "reverted", NULL);
        harness_knob(&h, "bad-blocks", "");
        expect_status(vssctl(A("create"), A("--context"), A("nas-rollback"), A("/srv/data")), 0);
        (void)snprintf(name, sizeof(name), "%s", only_copy());
        e = vssctl(A("revert"), A("-f"), A("-y"), name);
        expect_status(e, 2);
        expect_text(e->err, "does not go on");
        /* Nobody waits for ever for that. */
        e = vssctl(A("revert"), A("--status"));
        expect_status(e, 2);
        expect_text(e->out, "failed");
        harness_knob(&h, "bad-blocks", NULL);
        tear_down();
}
END_TEST

/* What goes with its requester goes with the vssctl that imports it, not with that which made it.
 */
START_TEST(an_import_is_held) {
        struct ended held = { 0 };
        struct running guest;
        char archive[128];

        set_up();
        harness_start(&other, NULL);
        (void)snprintf(archive, sizeof(archive), "%s/set.tar", h.directory);
        expect_status(
                vssctl(A("create"), A("--transportable"), A("--document"), archive, A("/srv/data")),
                0);
        expect_text(vssctl(A("show"), A("ShadowCopy1"))->out,
                    "Persistent: until it is deleted, or who imports it ends\n");
        go_to(&other);
        guest = vssctl_start(true, ARGUMENTS(A("import"), A("--quiet"), archive));
        vssctl_read(guest.out, held.out, sizeof(held.out), "/run/vss/ShadowCopy1\n");
        ck_assert_uint_eq(harness_count(&other, "remove"), 0);
        vssctl_finish(&guest, &held); /* the end of its input */
        expect_status(&held, 0);
        ck_assert_uint_eq(harness_count(&other, "remove"), 1);
        expect_no_copies();
        /* Or with a command. */
        expect_status(vssctl(A("import"), archive, A("--"), A("sh"), A("-c"),
                             A("test -n \"$VSS_SET_ID\"")),
                      0);
        ck_assert_uint_eq(harness_count(&other, "remove"), 2);
        expect_no_copies();
        go_to(&h);
        ck_assert_uint_eq(harness_count(&h, "remove"), 0);
        expect_status(vssctl(A("delete"), A("ShadowCopy1")), 0);
        harness_stop(&other);
        tear_down();
}
END_TEST

START_TEST(reverting_the_root) {
        const struct ended *e;
        char name[64];

        set_up();
        harness_knob(&h, "revertable", "");
        harness_knob(&h, "root", "");
        expect_status(vssctl(A("create"), A("--context"), A("nas-rollback"), A("/srv/data")), 0);
        (void)snprintf(name, sizeof(name), "%s", only_copy());
        e = vssctl(A("revert"), A("-y"), name);
        expect_status(e, 0);
        expect_text(e->err, "/srv/data/ is reverted at the next boot");
        expect_text(vssctl(A("list"))->err, "/srv/data/ is reverted at the next boot");
        tear_down();
}
END_TEST

int main(void) {
        Suite *s = suite_create("vssctl-copies");
        TCase *c = tcase_create("vssctl-copies");
        SRunner *runner;
        int failed;

        tcase_set_timeout(c, 60);
        tcase_add_test(c, exposing);
        tcase_add_test(c, breaking);
        tcase_add_test(c, importing);
        tcase_add_test(c, an_import_is_held);
        tcase_add_test(c, an_export_in_the_background_says_where);
        tcase_add_test(c, reverting);
        tcase_add_test(c, reverting_the_root);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
