/* Shares: what the tools of Samba and NFS are told, by tools of the test's own that keep a list. */

#include "daemon/providers/exposed-share.h"
#include "daemon/providers/snapshot-expose.h"

#include <check.h>
#include <fcntl.h>
#include <sys/stat.h>

static char top[64], tools[80], root[80];
static const char *directories[] = { tools, NULL };
static const VSS_ID id = { .Data1 = 0x12345678, .Data4 = { 7 } };

static void put_tool(const char *name, const char *body) {
        char path[160];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", tools, name);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_gt(
                fprintf(f,
                        "#!/bin/sh\ncd %s || exit 9\n"
                        "{ printf %s; for w; do printf ' <%%s>' \"$w\"; done; echo; } >>log\n"
                        "if [ -e broken ]; then echo first; echo 'it is broken' >&2; exit 1; fi\n"
                        "%s\n",
                        top, name, body),
                0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path, 0755), 0);
}

static void put_samba(void) {
        put_tool("net", "case \"$2\" in\n"
                        "info) echo 'WARNING: something about [yesterday2]' >&2\n"
                        "      [ ! -e \"smb-$4\" ] || printf '[%s]\\npath=%s\\n' \"$4\" \"$(cat "
                        "\"smb-$4\")\" ;;\n"
                        "add) echo \"$4\" >\"smb-$3\" ;;\n"
                        "delete) rm \"smb-$3\" ;;\n"
                        "*) exit 1 ;;\nesac");
        put_tool("smbcontrol", "");
}

/* Its list is as etab, a line for each directory and client: addresses lose their brackets there,
 * and want them back. */
static void put_nfs(void) {
        put_tool("exportfs",
                 "touch etab\n"
                 "case \"$1\" in -o) at=$3 ;; *) at=$2 ;; esac\n"
                 "client=${at%%:/*}\n"
                 "case \"$client\" in\n"
                 "\\[*) client=$(printf %s \"$client\" | tr -d '[]') ;;\n"
                 "*:*) echo \"Invalid export syntax: $at\" >&2; exit 1 ;;\n"
                 "nosuch) echo \"exportfs: Failed to resolve nosuch\" >&2; exit 0 ;;\nesac\n"
                 "case \"$1\" in\n"
                 "-s) sed 's/$/(ro,root_squash)/' etab ;;\n"
                 "-o) echo \"${at##*:}  $client\" >>etab ;;\n"
                 "-u) grep -Fvx \"${at##*:}  $client\" etab >etab.new; mv etab.new etab ;;\n"
                 "-f) ;;\n"
                 "*) exit 1 ;;\nesac");
}

static void setup(void) {
        (void)snprintf(top, sizeof(top), "/tmp/vssd-share-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(top));
        (void)snprintf(tools, sizeof(tools), "%s/tools", top);
        (void)snprintf(root, sizeof(root), "%s/shares", top);
        ck_assert_int_eq(mkdir(tools, 0755), 0);
        exposed_share_tools = directories;
        exposed_share_root = root;
        exposed_share_set_clients(NULL);
}

static void teardown(void) {
        char command[96];

        (void)snprintf(command, sizeof(command), "rm -r %s", top);
        ck_assert_int_eq(system(command), 0); /* NOLINT: a name that we made */
}

/* All that was called since the last look. */
static const char *called(void) {
        static char text[4096];
        char path[96];
        size_t n;
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/log", top);
        f = fopen(path, "re");
        if (!f)
                return "";
        n = fread(text, 1, sizeof(text) - 1, f);
        text[n] = '\0';
        (void)fclose(f); /* it was only read */
        ck_assert_int_eq(unlink(path), 0);
        return text;
}

static bool has_file(const char *name) {
        char path[160];

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        return access(path, F_OK) == 0;
}

static void put_file(const char *name, const char *text) {
        char path[160];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static char message[512];
static HRESULT choose(const char *wanted, char **ret) {
        struct vss_error error = { 0 };
        HRESULT hr;
        int r;

        *ret = NULL;
        r = exposed_share_choose(wanted, "ShadowCopy7", ret, &error);
        ck_assert_int_eq(r < 0, error.hr != S_OK);
        (void)snprintf(message, sizeof(message), "%s", str_or_empty(error.message));
        hr = error.hr;
        vss_error_done(&error);
        return hr;
}

START_TEST(a_usershare_of_samba) {
        char expected[1024];
        char *share;

        put_samba();
        ck_assert_int_eq(choose("yesterday", &share), S_OK);
        ck_assert_str_eq(share, "yesterday");
        ck_assert_str_eq(called(), "net <usershare> <info> <--long> <yesterday>\n");
        ck_assert_int_eq(exposed_share_add(share, id, NULL), 0);
        (void)snprintf(expected, sizeof(expected),
                       "net <usershare> <add> <yesterday> <%s/yesterday> <Shadow copy, read-only> "
                       "<S-1-1-0:R> <guest_ok=n>\n",
                       root);
        ck_assert_str_eq(called(), expected);
        free(share);

        /* Somebody has it now. */
        ck_assert_int_eq(choose("yesterday", &share), VSS_E_OBJECT_ALREADY_EXISTS);
        ck_assert_int_eq(choose("smb:yesterday", &share), VSS_E_OBJECT_ALREADY_EXISTS);
        ck_assert_ptr_null(share);
        (void)called();
        ck_assert_int_eq(exposed_share_remove("yesterday", NULL), 0);
        ck_assert_str_eq(called(), "net <usershare> <info> <--long> <yesterday>\n"
                                   "net <usershare> <delete> <yesterday>\n"
                                   "smbcontrol <smbd> <close-share> <yesterday>\n");
        ck_assert(!has_file("smb-yesterday"));
        ck_assert_int_eq(exposed_share_remove("yesterday", NULL), 0); /* not there: success */
        ck_assert_str_eq(called(), "net <usershare> <info> <--long> <yesterday>\n");
}
END_TEST

START_TEST(an_export_of_nfs) {
        char *const clients[] = { (char[]){ "192.168.7.0/24" }, (char[]){ "[2001:db8::]/64" },
                                  NULL };
        char *const others[] = { (char[]){ "elsewhere" }, NULL };
        char expected[1024];
        char *share;

        put_nfs();
        ck_assert_int_eq(choose("yesterday", &share), VSS_E_PROVIDER_VETO);
        ck_assert_ptr_nonnull(strstr(message, "NfsClients"));
        exposed_share_set_clients(clients);
        ck_assert_int_eq(choose("nfs:yesterday", &share), S_OK);
        (void)snprintf(expected, sizeof(expected), "%s/yesterday", root);
        ck_assert_str_eq(share, expected);
        ck_assert_str_eq(called(), ""); /* it was only asked */
        ck_assert_int_eq(exposed_share_add(share, id, NULL), 0);
#define OPTIONS "<ro,root_squash,subtree_check,fsid=12345678-0000-0000-0700-000000000000>"
        (void)snprintf(expected, sizeof(expected),
                       "exportfs <-o> " OPTIONS " <192.168.7.0/24:%s/yesterday>\n"
                       "exportfs <-o> " OPTIONS " <[2001:db8::]/64:%s/yesterday>\n",
                       root, root);
        ck_assert_str_eq(called(), expected);

        /* What was exported goes, whoever is configured now; a name that begins alike stays. */
        exposed_share_set_clients(others);
        ck_assert_int_eq(exposed_share_add("/x/yesterday2", id, NULL), 0);
        (void)called();
        ck_assert_int_eq(exposed_share_remove(share, NULL), 0);
        (void)snprintf(expected, sizeof(expected),
                       "exportfs <-s>\n"
                       "exportfs <-u> <192.168.7.0/24:%s/yesterday>\n"
                       "exportfs <-u> <[2001:db8::]/64:%s/yesterday>\n"
                       "exportfs <-f>\n",
                       root, root);
        ck_assert_str_eq(called(), expected);
        ck_assert_int_eq(exposed_share_remove(share, NULL), 0);
        ck_assert_str_eq(called(), "exportfs <-s>\nexportfs <-f>\n");
        free(share);
}
END_TEST

START_TEST(a_client_that_cannot_be_found_is_a_failure) {
        char *const clients[] = { (char[]){ "host" }, (char[]){ "nosuch" }, NULL };
        struct vss_error error = { 0 };

        put_nfs();
        exposed_share_set_clients(clients);
        ck_assert_int_lt(exposed_share_add("/x/yesterday", id, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        ck_assert_ptr_nonnull(strstr(error.message, "Failed to resolve nosuch"));
        vss_error_done(&error);
        ck_assert_int_eq(exposed_share_remove("/x/yesterday", NULL), 0);
        ck_assert_ptr_nonnull(strstr(called(), "<-u> <host:"));
}
END_TEST

START_TEST(which_of_both) {
        char *const clients[] = { (char[]){ "host" }, NULL };
        char *share;

        ck_assert_int_eq(choose("a", &share), VSS_E_PROVIDER_VETO); /* neither is installed */
        ck_assert_int_eq(choose("smb:a", &share), VSS_E_PROVIDER_VETO);
        ck_assert_ptr_nonnull(strstr(message, "Samba"));
        exposed_share_set_clients(clients);
        ck_assert_int_eq(choose("nfs:a", &share), VSS_E_PROVIDER_VETO);
        put_nfs();
        ck_assert_int_eq(choose("a", &share), S_OK);
        ck_assert_int_eq(share[0], '/');
        free(share);
        ck_assert_int_eq(choose("smb:a", &share), VSS_E_PROVIDER_VETO);
        put_samba();
        ck_assert_int_eq(choose("a", &share), S_OK);
        ck_assert_str_eq(share, "a");
        free(share);
        ck_assert_int_eq(choose("", &share), S_OK);
        ck_assert_str_eq(share, "ShadowCopy7");
        free(share);
        ck_assert_int_eq(choose("nfs:", &share), S_OK);
        ck_assert_ptr_nonnull(strstr(share, "/ShadowCopy7"));
        free(share);
}
END_TEST

static const char *const bad_names[] = {
        "a b",
        "../x",
        "a/b",
        "/a",
        "-x",
        ".x",
        "smb:-x",
        "nfs:..",
        "global",
        "Homes",
        "a\n",
        "a$(id)",
        "a;b",
        "smb:smb:",
        "a\"",
        "\xc3\xa4",
        "printers",
        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhi",
};

START_TEST(names_that_no_share_has) {
        char *share;

        put_samba();
        ck_assert_int_eq(choose(bad_names[_i], &share), E_INVALIDARG);
        ck_assert_ptr_null(share);
        ck_assert_str_eq(called(), ""); /* no tool ever sees it */
}
END_TEST

START_TEST(a_tool_that_fails_is_quoted) {
        struct vss_error error = { 0 };
        char *share;

        put_samba();
        put_file("broken", "");
        ck_assert_int_eq(choose("a", &share), VSS_E_UNEXPECTED_PROVIDER_ERROR);
        ck_assert_ptr_nonnull(strstr(message, "it is broken"));
        ck_assert_int_lt(exposed_share_add("a", id, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        vss_error_done(&error);
        ck_assert_int_lt(exposed_share_remove("a", &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        vss_error_done(&error);
}
END_TEST

START_TEST(without_its_tool_nothing_is_shared) {
        struct vss_error error = { 0 };

        ck_assert_int_eq(exposed_share_remove("a", NULL), 0);
        ck_assert_int_eq(exposed_share_remove("/x/a", NULL), 0);
        ck_assert_int_lt(exposed_share_add("a", id, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_PROVIDER_VETO);
        vss_error_done(&error);
}
END_TEST

static const struct {
        const char *client;
        bool good;
} all_clients[] = {
        { "*", true },
        { "host.example.com", true },
        { "192.168.7.0/24", true },
        { "@group", true },
        { "[2001:db8::]/64", true },
        { "*.example.com", true },
        { "", false },
        { "-o", false },
        { "a b", false },
        { "a(rw)", false },
        { "a,b", false },
        { "a\tb", false },
        { "host=x", false },
        { "$(id)", false },
};

START_TEST(clients) {
        struct vss_error error = { 0 };

        ck_assert_int_eq(exposed_share_check_client(all_clients[_i].client, &error) >= 0,
                         all_clients[_i].good);
        ck_assert_int_eq(error.hr, all_clients[_i].good ? S_OK : E_INVALIDARG);
        vss_error_done(&error);
}
END_TEST

/* Nothing is left of one that could not be shared. */
START_TEST(a_share_that_fails_leaves_no_directory) {
        struct snapshot_record r = {
                .device = (char *)(uintptr_t) "/dev/none",
                .device_object = (char *)(uintptr_t) "/nowhere/ShadowCopy7",
                .fs_type = (char *)(uintptr_t) "ext4",
                .attributes = VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY,
                .exposed_name = (char *)(uintptr_t) "yesterday",
        };

        put_samba();
        ck_assert_int_lt(snapshot_expose(&r, 0, NULL), 0); /* there is nothing to mount */
        ck_assert(has_file("shares/yesterday"));
        ck_assert_int_eq(snapshot_unexpose(&r, true, NULL), 0);
        ck_assert(!has_file("shares/yesterday"));
        ck_assert(!has_file("smb-yesterday"));
}
END_TEST

/* By force the copy is unmounted though nobody can tell Samba; its failure is said. */
START_TEST(a_service_that_cannot_be_told) {
        struct snapshot_record r = {
                .device = (char *)(uintptr_t) "/dev/none",
                .device_object = (char *)(uintptr_t) "/nowhere/ShadowCopy7",
                .attributes = VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY,
                .exposed_name = (char *)(uintptr_t) "yesterday",
        };

        put_samba();
        put_file("broken", "");
        ck_assert_int_eq(mkdir(root, 0755), 0);
        put_file("shares/other", "");
        ck_assert_int_lt(snapshot_expose(&r, 0, NULL), 0);
        ck_assert_int_lt(snapshot_unexpose(&r, false, NULL), 0);
        ck_assert(has_file("shares/yesterday"));
        ck_assert_int_lt(snapshot_unexpose(&r, true, NULL), 0);
        ck_assert(!has_file("shares/yesterday"));
        ck_assert(has_file("shares/other"));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("exposed-share");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, a_usershare_of_samba);
        tcase_add_test(tc, an_export_of_nfs);
        tcase_add_test(tc, a_client_that_cannot_be_found_is_a_failure);
        tcase_add_test(tc, which_of_both);
        tcase_add_loop_test(tc, names_that_no_share_has, 0, ARRAY_SIZE(bad_names));
        tcase_add_test(tc, a_tool_that_fails_is_quoted);
        tcase_add_test(tc, without_its_tool_nothing_is_shared);
        tcase_add_loop_test(tc, clients, 0, ARRAY_SIZE(all_clients));
        tcase_add_test(tc, a_share_that_fails_leaves_no_directory);
        tcase_add_test(tc, a_service_that_cannot_be_told);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
