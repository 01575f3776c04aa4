/* vssctl against the real daemon over fake storage: what it prints, how it ends, what it leaves. */

#include "tests/bus/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* What a vssctl printed and how it ended. */
struct ended {
        int status; /* exit status; -signal */
        char out[16384], err[4096];
};

struct running {
        pid_t pid;
        int in, out, err; /* our ends; in: -1 if it reads /dev/null */
};

static struct harness h;

static void set_up(void) {
        harness_start(&h, NULL);
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", h.address, 1), 0);
}

static void tear_down(void) {
        harness_stop(&h);
}

static void make_pipe(int fds[2]) {
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
}

static struct running start(bool with_stdin, char *const *arguments) {
        struct running r = { .in = -1 };
        int in[2], out[2], err[2];

        make_pipe(in);
        make_pipe(out);
        make_pipe(err);
        r.pid = fork();
        ck_assert_int_ge(r.pid, 0);
        if (r.pid == 0) {
                int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

                /* A failed assertion kills the test without further ado. */
                if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
                        _exit(126);
                if (null < 0 || dup2(with_stdin ? in[0] : null, STDIN_FILENO) < 0 ||
                    dup2(out[1], STDOUT_FILENO) < 0 || dup2(err[1], STDERR_FILENO) < 0)
                        _exit(126);
                execv(VSSCTL, arguments);
                _exit(127);
        }
        safe_close(in[0]);
        safe_close(out[1]);
        safe_close(err[1]);
        r.in = with_stdin ? in[1] : safe_close(in[1]);
        r.out = out[0];
        r.err = err[0];
        return r;
}

/* Up to the end of the stream, or up to the first line that ends with until. */
static void read_text(int fd, char *buf, size_t size, const char *until) {
        size_t length = strlen(buf);

        for (;;) {
                ssize_t n = read(fd, buf + length, size - 1 - length);

                ck_assert_int_ge(n, 0);
                if (n == 0)
                        return;
                length += (size_t)n;
                buf[length] = '\0';
                if (until && strstr(buf, until))
                        return;
                ck_assert_uint_lt(length, size - 1);
        }
}

static void finish(struct running *r, struct ended *e) {
        int status;

        r->in = safe_close(r->in);
        read_text(r->out, e->out, sizeof(e->out), NULL);
        read_text(r->err, e->err, sizeof(e->err), NULL);
        ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
        e->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
        safe_close(r->out);
        safe_close(r->err);
}

static struct ended *vssctl_run(char *const *arguments) {
        static struct ended e;
        struct running r = start(false, arguments);

        e = (struct ended){ 0 };
        finish(&r, &e);
        return &e;
}

#define ARGUMENTS(...) ((char *const[]){ (char[]){ "vssctl" }, __VA_ARGS__, NULL })
#define A(text) ((char[]){ text })
#define vssctl(...) vssctl_run(ARGUMENTS(__VA_ARGS__))

#define expect_status(e, want) \
        ck_assert_msg((e)->status == (want), "ended with %d: %s%s", (e)->status, (e)->out, (e)->err)
#define expect_text(text, want) \
        ck_assert_msg(strstr((text), (want)), "'%s' is not in '%s'", (want), (text))

static void expect_no_copies(void) {
        const struct ended *e = vssctl(A("list"), A("--json"));

        expect_status(e, 0);
        ck_assert_str_eq(e->out, "{\n  \"snapshots\": [],\n  \"reverts\": []\n}\n");
}

START_TEST(a_kept_set_is_made_listed_shown_deleted) {
        char set[64] = "";
        const struct ended *e;

        set_up();
        e = vssctl(A("create"), A("--keep"), A("--quiet"), A("/srv/data"), A("/srv/mail"));
        expect_status(e, 0);
        ck_assert_int_eq(sscanf(e->out, "%63[0-9a-f-]\n", set), 1);
        ck_assert_uint_eq(strlen(set), 36);
        ck_assert_uint_eq(strlen(e->out), 37);

        e = vssctl(A("list"));
        expect_status(e, 0);
        expect_text(e->out, set);
        expect_text(e->out, "ShadowCopy1  /srv/data/");
        expect_text(e->out, "ShadowCopy2  /srv/mail/");
        expect_text(e->out, "app-rollback");

        e = vssctl(A("show"), A("ShadowCopy2"));
        expect_status(e, 0);
        expect_text(e->out, "Files: /run/vss/ShadowCopy2\n");
        ck_assert_ptr_null(strstr(e->out, "ShadowCopy1"));
        set[8] = '\0';
        e = vssctl(A("show"), set, A("--json"));
        expect_status(e, 0);
        expect_text(e->out, "\"device_object\": \"/run/vss/ShadowCopy1\"");
        expect_text(e->out, "\"block_device\": \"/dev/vss/ShadowCopy2\"");

        e = vssctl(A("delete"), set);
        expect_status(e, 0);
        expect_text(e->err, "deleted 2 snapshots");
        expect_no_copies();
        tear_down();
}
END_TEST

/* Nobody would know of it, and "it failed" says that nothing is left. */
START_TEST(a_set_that_nobody_was_told_of_does_not_stay) {
        static const char *const options[] = { "--keep --quiet", "--keep", "--keep --json", "" };

        set_up();
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                char command[256], text[512] = "";
                int status;
                FILE *f;

                (void)snprintf(command, sizeof(command), "'%s' create %s /srv/data 2>&1 >/dev/full",
                               VSSCTL, options[i]);
                f = popen(command, "re");
                ck_assert_ptr_nonnull(f);
                text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
                status = pclose(f);
                ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 2, "%s: %d %s", command,
                              status, text);
                expect_text(text, "cannot write the output: No space left on device");
                expect_no_copies();
        }
        tear_down();
}
END_TEST

START_TEST(the_timeline_is_the_services) {
        const struct ended *e;

        set_up();
        e = vssctl(A("create"), A("--keep"), A("--timeline"), A("/srv/data"));
        expect_status(e, 0);
        expect_text(e->out, "  GatherMetadata ");
        expect_text(e->out, "  Stage ");
        expect_text(e->out, "  Window ");
        ck_assert_ptr_null(strstr(e->out, "  Snapshot "));
        e = vssctl(A("show"), A("--timeline"), A("--json"), A("ShadowCopy1"));
        expect_status(e, 0);
        expect_text(e->out, "\"writes_held_usec\": ");
        expect_text(e->out, "\"phase\": \"Stage\",\n      \"begin_usec\": ");
        tear_down();
}
END_TEST

START_TEST(a_set_is_held_until_stdin_ends) {
        struct running r;
        struct ended e = { 0 };

        set_up();
        r = start(true, ARGUMENTS(A("create"), A("/srv/data")));
        read_text(r.out, e.out, sizeof(e.out), "/run/vss/ShadowCopy1");
        expect_text(vssctl(A("list"))->out, "ShadowCopy1");
        finish(&r, &e);
        expect_status(&e, 0);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(a_set_is_held_until_a_signal) {
        struct running r;
        struct ended e = { 0 };

        set_up();
        /* /dev/null as stdin is no reason to let it go. */
        r = start(false, ARGUMENTS(A("create"), A("--json"), A("/srv/data")));
        read_text(r.out, e.out, sizeof(e.out), "\n}\n");
        expect_text(vssctl(A("list"))->out, "ShadowCopy1");
        ck_assert_int_eq(kill(r.pid, SIGTERM), 0);
        finish(&r, &e);
        expect_status(&e, 0);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(an_interrupted_creation_leaves_nothing) {
        struct ended e = { 0 };
        struct running r;

        set_up();
        harness_knob(&h, "slow", "stage 300");
        r = start(false, ARGUMENTS(A("create"), A("--keep"), A("/srv/data"), A("/srv/mail")));
        harness_await(&h, "stage", 1);
        ck_assert_int_eq(kill(r.pid, SIGINT), 0);
        finish(&r, &e);
        expect_status(&e, 128 + SIGINT);
        expect_text(e.err, "taking everything back");
        ck_assert_str_eq(e.out, "");
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(an_interruption_that_comes_too_late_deletes_the_set) {
        struct ended e = { 0 };
        struct running r;

        set_up();
        harness_knob(&h, "slow", "seal 300");
        r = start(false, ARGUMENTS(A("create"), A("--keep"), A("/srv/data")));
        harness_await(&h, "seal", 1);
        ck_assert_int_eq(kill(r.pid, SIGTERM), 0);
        finish(&r, &e);
        expect_status(&e, 128 + SIGTERM);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(run_hands_the_copies_to_the_command) {
        const struct ended *e;

        set_up();
        e = vssctl(A("run"), A("/srv/mail"), A("/srv/data"), A("--"), A("sh"), A("-c"),
                   A("echo \"$VSS_COPIES|$VSS_COPY_1|$VSS_DEVICE_2|$VSS_VOLUME_1|$0\""),
                   A("--json"));
        expect_status(e, 0);
        ck_assert_str_eq(e->out, "/run/vss/ShadowCopy1:/run/vss/ShadowCopy2|/run/vss/ShadowCopy1|"
                                 "/dev/vss/ShadowCopy2|/srv/mail|--json\n");
        expect_no_copies();
        ck_assert_uint_eq(harness_count(&h, "remove"), 2);
        tear_down();
}
END_TEST

START_TEST(run_ends_as_the_command_did) {
        set_up();
        expect_status(vssctl(A("run"), A("/srv/data"), A("--"), A("sh"), A("-c"), A("exit 3")), 13);
        expect_status(vssctl(A("run"), A("/srv/data"), A("--"), A("sh"), A("-c"), A("exit 200")),
                      99);
        expect_status(vssctl(A("run"), A("/srv/data"), A("--"), A("/no/such/command")), 1);
        expect_no_copies();
        ck_assert_uint_eq(harness_count(&h, "stage"), 2); /* the last one made nothing */
        tear_down();
}
END_TEST

START_TEST(a_signal_to_run_reaches_the_command_and_ends_both) {
        struct ended e = { 0 };
        struct running r;

        set_up();
        r = start(false, ARGUMENTS(A("run"), A("/srv/data"), A("--"), A("sh"), A("-c"),
                                   A("trap 'echo told; exit 9' TERM; echo ready; "
                                     "while :; do sleep 0.01; done")));
        read_text(r.out, e.out, sizeof(e.out), "ready\n");
        ck_assert_int_eq(kill(r.pid, SIGTERM), 0);
        finish(&r, &e);
        ck_assert_str_eq(e.out, "ready\ntold\n");
        expect_status(&e, 128 + SIGTERM);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(failures_end_with_the_code_and_leave_nothing) {
        const struct ended *e;

        set_up();
        e = vssctl(A("create"), A("--keep"), A("/srv/none"));
        expect_status(e, 2);
        expect_text(e->err, "/srv/none");
        expect_text(e->err, "(VSS_E_OBJECT_NOT_FOUND 0x80042308)\n");

        e = vssctl(A("create"), A("--keep"), A("/srv/plain"));
        expect_status(e, 2);
        expect_text(e->err, "(VSS_E_VOLUME_NOT_SUPPORTED 0x8004230c)\n");

        harness_knob(&h, "fail", "stage");
        e = vssctl(A("create"), A("--keep"), A("/srv/data"));
        expect_status(e, 3);
        expect_text(e->err, "(VSS_E_INSUFFICIENT_STORAGE 0x8004231f)\n");
        harness_knob(&h, "fail", NULL);

        e = vssctl(A("delete"), A("ShadowCopy77"));
        expect_status(e, 2);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(a_busy_copy_is_deleted_by_force_only) {
        const struct ended *e;

        set_up();
        expect_status(vssctl(A("create"), A("--keep"), A("/srv/data")), 0);
        harness_knob(&h, "busy", "");
        e = vssctl(A("delete"), A("ShadowCopy1"));
        expect_status(e, 2);
        expect_text(e->err, "VSS_E_PROVIDER_VETO");
        expect_status(vssctl(A("delete"), A("--force"), A("ShadowCopy1")), 0);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(of_several_deletions_each_is_tried) {
        const struct ended *e;

        set_up();
        expect_status(vssctl(A("create"), A("--keep"), A("/srv/data"), A("/srv/mail")), 0);
        /* The set is gone when its second copy's turn comes. */
        e = vssctl(A("delete"), A("--json"), A("ShadowCopy1"), A("ShadowCopy1"), A("ShadowCopy2"));
        expect_status(e, 5);
        expect_text(e->out, "\"deleted_snapshots\": 2");
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(a_lost_service_ends_the_hold) {
        struct ended e = { 0 };
        struct running r;

        set_up();
        r = start(false, ARGUMENTS(A("create"), A("/srv/data")));
        read_text(r.out, e.out, sizeof(e.out), "ShadowCopy1");
        harness_stop_daemon(&h);
        finish(&r, &e);
        expect_status(&e, 2);
        expect_text(e.err, "the set is gone");
        harness_start_daemon(&h, NULL);
        expect_no_copies();
        tear_down();
}
END_TEST

START_TEST(volumes_and_providers_are_listed) {
        const struct ended *e;

        set_up();
        e = vssctl(A("volumes"));
        expect_status(e, 0);
        expect_text(e->out, "/srv/data/");
        expect_text(e->out, "no: /srv/plain/ is on a plain partition");
        e = vssctl(A("volumes"), A("--json"));
        expect_text(e->out, "\"supported\": false");
        e = vssctl(A("providers"));
        expect_status(e, 0);
        expect_text(e->out, "fake");
        expect_status(vssctl(A("writers"), A("--json")), 0);
        tear_down();
}
END_TEST

START_TEST(volumes_are_adopted_and_released) {
        const struct ended *e;

        set_up();
        e = vssctl(A("volumes"), A("adopt"), A("/srv/plain"));
        expect_status(e, 0);
        expect_text(e->out, "adopted\ninitramfs\n");
        e = vssctl(A("volumes"), A("adopt"), A("--name=x"), A("--no-initramfs"), A("/srv/plain"));
        expect_text(e->out, "x\nno initramfs\n");
        e = vssctl(A("volumes"), A("adopt"), A("--name=a\033[2Jb"), A("/srv/plain"));
        expect_text(e->out, "a\xef\xbf\xbd[2Jb\n");
        e = vssctl(A("volumes"), A("adopt"), A("--json"), A("/srv/plain"));
        expect_text(e->out, "\"volume\": \"/srv/plain\"");
        expect_text(e->out, "\"adopted\",");
        e = vssctl(A("volumes"), A("adopt"), A("/nowhere"));
        ck_assert_int_ne(e->status, 0);
        expect_text(e->err, "There is no volume /nowhere");
        harness_knob(&h, "adopted", "");
        expect_text(vssctl(A("volumes"))->out, "adopted, from the next mount on");
        expect_text(vssctl(A("volumes"), A("--json"))->out, "\"adopted\": \"next-mount\"");
        expect_status(vssctl(A("volumes"), A("release"), A("/srv/plain")), 0);
        e = vssctl(A("volumes"), A("release"), A("--name=x"), A("/srv/plain"));
        expect_status(e, 1);
        expect_text(e->err, "'volumes release' has no option '--name'");
        e = vssctl(A("volumes"), A("--name=x"));
        expect_status(e, 1);
        expect_text(e->err, "'volumes' alone has no option '--name'");
        expect_status(vssctl(A("volumes"), A("--no-initramfs")), 1);
        expect_status(vssctl(A("volumes"), A("release"), A("--no-initramfs"), A("/srv/plain")), 0);
        tear_down();
}
END_TEST

/* "vssctl help" names them. */
START_TEST(help_is_not_wider_than_its_pages) {
        static const char *const verbs[] = {
                "create", "run",     "list",     "show",    "timeline",  "delta",  "delete",
                "expose", "export",  "unexpose", "break",   "import",    "revert", "files",
                "help",   "writers", "volumes",  "storage", "providers",
        };

        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
                char verb[32];
                const char *line;

                (void)snprintf(verb, sizeof(verb), "%s", verbs[i]);
                line = vssctl(A("help"), verb)->out;
                expect_text(line, "Usage: vssctl ");
                while (*line) {
                        size_t n = strcspn(line, "\n");

                        ck_assert_msg(n <= 100, "help %s: %.*s", verb, (int)n, line);
                        line += n + (line[n] != '\0');
                }
        }
}
END_TEST

START_TEST(wrong_usage_needs_no_service) {
        expect_status(vssctl(A("create")), 1);
        expect_status(vssctl(A("crate"), A("/srv")), 1);
        expect_status(vssctl(A("list"), A("--keep")), 1);
        expect_text(vssctl(A("show"))->err, "there is no ID; usage: vssctl show [OPTION...] ID\n");
        expect_text(vssctl(A("list"), A("a"), A("b"))->err,
                    "'a' is too much; usage: vssctl list\n");
        expect_text(vssctl(A("run"), A("/srv"))->err, "there is no '-- COMMAND'; usage: ");
        expect_status(vssctl(A("volumes"), A("adopt")), 1);
        expect_status(vssctl(A("volumes"), A("steal"), A("/srv")), 1);
        expect_status(vssctl(A("run"), A("/srv/data"), A("true")), 1);
        expect_status(vssctl(A("run"), A("--context"), A("client"), A("/srv"), A("--"), A("true")),
                      1);
        expect_status(vssctl(A("create"), A("--context=all"), A("/srv")), 1);
        expect_status(vssctl(A("-H"), A("-oProxyCommand=true"), A("list")), 1);
        expect_status(vssctl(A("--address"), A("nonsense"), A("list")), 1);
        expect_text(vssctl(A("--version"))->out, "vssctl ");
        expect_text(vssctl(A("create"), A("--help"))->out, "Examples:\n");
        expect_text(vssctl(A("help"))->out, "  run ");
}
END_TEST

/* "ShadowCopyN" of the only copy. */
static const char *only_copy(void) {
        static char name[64];
        const struct ended *e = vssctl(A("list"), A("--json"));
        const char *at = strstr(e->out, "\"name\": \"");

        ck_assert_ptr_nonnull(at);
        ck_assert_int_eq(sscanf(at, "\"name\": \"%63[^\"]", name), 1);
        return name;
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
        guest = start(true, ARGUMENTS(A("import"), A("--quiet"), archive));
        read_text(guest.out, held.out, sizeof(held.out), "/run/vss/ShadowCopy1\n");
        ck_assert_uint_eq(harness_count(&other, "remove"), 0);
        finish(&guest, &held); /* the end of its input */
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
        Suite *s = suite_create("vssctl");
        TCase *c = tcase_create("vssctl");
        SRunner *runner;
        int failed;

        tcase_set_timeout(c, 60);
        tcase_add_test(c, a_kept_set_is_made_listed_shown_deleted);
        tcase_add_test(c, a_set_that_nobody_was_told_of_does_not_stay);
        tcase_add_test(c, the_timeline_is_the_services);
        tcase_add_test(c, a_set_is_held_until_stdin_ends);
        tcase_add_test(c, a_set_is_held_until_a_signal);
        tcase_add_test(c, an_interrupted_creation_leaves_nothing);
        tcase_add_test(c, an_interruption_that_comes_too_late_deletes_the_set);
        tcase_add_test(c, run_hands_the_copies_to_the_command);
        tcase_add_test(c, run_ends_as_the_command_did);
        tcase_add_test(c, a_signal_to_run_reaches_the_command_and_ends_both);
        tcase_add_test(c, failures_end_with_the_code_and_leave_nothing);
        tcase_add_test(c, a_busy_copy_is_deleted_by_force_only);
        tcase_add_test(c, of_several_deletions_each_is_tried);
        tcase_add_test(c, a_lost_service_ends_the_hold);
        tcase_add_test(c, volumes_and_providers_are_listed);
        tcase_add_test(c, volumes_are_adopted_and_released);
        tcase_add_test(c, help_is_not_wider_than_its_pages);
        tcase_add_test(c, wrong_usage_needs_no_service);
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
