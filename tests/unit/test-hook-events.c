/* The hook writer's side of the events: commands run, records kept, and the application thawed
 * whatever fails, with a service that says each event as the test wants it. */

#include "common/time-util.h"
#include "fake-events.h"
#include "writers/hook/hook-environment.h"
#include "writers/hook/hook-log.h"
#include "writers/hook/hook-record.h"
#include "writers/hook/hook-writer.h"

#include <fcntl.h>
#include <sys/stat.h>

static char directory[] = "/tmp/test-hook-events.XXXXXX";
static struct hook_writer *writer;
static unsigned n_idle;

/* Memory for the variables of a command runs out when the test says so. */
static bool no_environment;

int __real_hook_environment_new(char ***ret, CVssWriter *w, const struct hook_config *config,
                                enum hook_event event, IVssWriterComponents *components);
int __wrap_hook_environment_new(char ***ret, CVssWriter *w, const struct hook_config *config,
                                enum hook_event event, IVssWriterComponents *components);
int __wrap_hook_environment_new(char ***ret, CVssWriter *w, const struct hook_config *config,
                                enum hook_event event, IVssWriterComponents *components) {
        return no_environment ? -ENOMEM
                              : __real_hook_environment_new(ret, w, config, event, components);
}

static const char *path_of(const char *name) {
        static char paths[4][128];
        static unsigned next;
        char *path = paths[next++ % ARRAY_SIZE(paths)];

        (void)snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
        return path;
}

static void touch(const char *name) {
        int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        (void)close(fd);
}

static bool exists(const char *name) {
        return access(path_of(name), F_OK) == 0;
}

/* What the commands wrote. */
static void expect(const char *want) {
        char text[512] = "";
        FILE *f = fopen(path_of("events"), "re");

        if (f) {
                text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
                (void)fclose(f);
        }
        ck_assert_str_eq(text, want);
}

static void idle(void *userdata) {
        (void)userdata;
        n_idle++;
}

static const struct hook_writer_host host = { .stop_fd = -1, .idle = idle };

static const char *const all[] = { "PrepareSnapshot", "Freeze",     "Thaw",       "PostSnapshot",
                                   "Abort",           "PreRestore", "PostRestore" };

/* A writer whose commands are those named, each of which notes its event and fails if there is a
 * file fail-EVENT. */
static struct hook_writer *make_writer(const char *const *commands, size_t n) {
        struct ini_error error = { 0 };
        struct hook_config *config = NULL;
        struct hook_writer *w = NULL;
        char text[4096];
        size_t length;

        length = (size_t)snprintf(text, sizeof(text),
                                  "[Writer]\nName=App\nAlways=yes\n[Commands]\n");
        for (size_t i = 0; i < n; i++)
                length += (size_t)snprintf(text + length, sizeof(text) - length, "%s=%s/hook %s\n",
                                           commands[i], directory, commands[i]);
        ck_assert_msg(hook_config_new(&config, "app.conf", text, length, &error) == 0, "%s",
                      str_or_empty(error.message));
        ck_assert_int_eq(hook_writer_new(&w, config, &host), 0);
        return w;
}

static void setup(void) {
        FILE *f;

        ck_assert_ptr_nonnull(mkdtemp(directory));
        f = fopen(path_of("hook"), "we");
        ck_assert_ptr_nonnull(f);
        (void)fprintf(f,
                      "#!/bin/sh\ncd %s\n"
                      "printf '%%s%%s ' \"$1\" \"${VSS_EVENT:+!}\" >>events\n"
                      "test ! -e fail-$1 || exit 75\n",
                      directory);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path_of("hook"), 0700), 0);
        ck_assert_int_eq(hook_record_open(path_of("records")), 0);
        events_start();
}

static void subscribe(void) {
        writer = make_writer(all, ARRAY_SIZE(all));
        ck_assert_msg(hook_writer_subscribe(writer, 1000) == S_OK, "%s", VssLastErrorMessage());
}

static void teardown(void) {
        char command[160];

        writer = hook_writer_free(writer);
        events_stop();
        (void)snprintf(command, sizeof(command), "rm -r %s", directory);
        ck_assert_int_eq(system(command), 0);
        memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
        no_environment = false;
        n_idle = 0;
}

START_TEST(commands_run_and_the_record_ends_with_the_thaw) {
        subscribe();
        tell("PrepareSnapshot", true, S_OK, NULL);
        ck_assert(hook_writer_is_busy(writer));
        tell("Freeze", true, S_OK, NULL);
        ck_assert(exists("records/app.conf"));
        tell("Thaw", true, S_OK, NULL);
        ck_assert(!exists("records/app.conf"));
        tell("PostSnapshot", true, S_OK, NULL);
        ck_assert(!hook_writer_is_busy(writer));
        ck_assert_uint_eq(n_idle, 1);
        expect("PrepareSnapshot! Freeze! Thaw! PostSnapshot! ");
}
END_TEST

START_TEST(a_failed_thaw_keeps_the_record) {
        subscribe();
        tell("PrepareSnapshot", true, S_OK, NULL);
        tell("Freeze", true, S_OK, NULL);
        touch("fail-Thaw");
        tell("Thaw", false, VSS_E_WRITERERROR_RETRYABLE, NULL);
        ck_assert(exists("records/app.conf"));
        tell("Abort", false, VSS_E_WRITERERROR_NONRETRYABLE, NULL);
        ck_assert(exists("records/app.conf"));
        expect("PrepareSnapshot! Freeze! Thaw! Thaw! Abort! ");
        ck_assert(!hook_writer_is_busy(writer));
        /* The next start tries again, and is heard of until it works. */
        hook_writer_rescue(writer);
        ck_assert(exists("records/app.conf"));
        ck_assert_int_eq(unlink(path_of("fail-Thaw")), 0);
        hook_writer_rescue(writer);
        ck_assert(!exists("records/app.conf"));
}
END_TEST

START_TEST(the_abort_after_a_failed_thaw_makes_it_good) {
        subscribe();
        tell("PrepareSnapshot", true, S_OK, NULL);
        tell("Freeze", true, S_OK, NULL);
        touch("fail-Thaw");
        tell("Thaw", false, VSS_E_WRITERERROR_RETRYABLE, NULL);
        ck_assert_int_eq(unlink(path_of("fail-Thaw")), 0);
        tell("Abort", true, S_OK, NULL);
        ck_assert(!exists("records/app.conf"));
}
END_TEST

START_TEST(without_memory_it_is_still_thawed) {
        subscribe();
        tell("PrepareSnapshot", true, S_OK, NULL);
        tell("Freeze", true, S_OK, NULL);
        no_environment = true;
        tell("Thaw", true, S_OK, NULL);
        ck_assert(!exists("records/app.conf"));
        /* What only prepares is refused instead. */
        tell("PostSnapshot", false, VSS_E_WRITERERROR_OUTOFRESOURCES, NULL);
        tell("PrepareSnapshot", false, VSS_E_WRITERERROR_OUTOFRESOURCES, NULL);
        expect("PrepareSnapshot! Freeze! Thaw ");
}
END_TEST

START_TEST(without_memory_a_freeze_is_not_begun_and_is_undone) {
        subscribe();
        tell("PrepareSnapshot", true, S_OK, NULL);
        no_environment = true;
        tell("Freeze", false, VSS_E_WRITERERROR_OUTOFRESOURCES, NULL);
        expect("PrepareSnapshot! Thaw ");
        ck_assert(!exists("records/app.conf"));
}
END_TEST

/* Who brings the application back is run, whatever it is not told. */
START_TEST(without_memory_a_restore_is_not_begun_and_is_ended) {
        subscribe();
        free(tell_components("PreRestore", "", true, S_OK));
        no_environment = true;
        free(tell_components("PreRestore", "", false, VSS_E_WRITERERROR_OUTOFRESOURCES));
        free(tell_components("PostRestore", "", true, S_OK));
        expect("PreRestore! PostRestore ");
        ck_assert(!hook_writer_is_busy(writer));
}
END_TEST

/* The file that says how it is thawed was changed since. */
START_TEST(a_rescue_without_a_thaw_command_is_no_success) {
        static const char *const one[] = { "PrepareSnapshot" };

        writer = make_writer(one, ARRAY_SIZE(one));
        ck_assert_int_eq(hook_record_set("app.conf"), 0);
        hook_writer_rescue(writer);
        ck_assert(exists("records/app.conf"));
        expect("");
}
END_TEST

static const struct lost_case {
        const char *told[4];
        const char *ran;
} lost_cases[] = {
        { { "PrepareSnapshot" }, "PrepareSnapshot! Abort! " },
        { { "PrepareSnapshot", "Freeze" }, "PrepareSnapshot! Freeze! Thaw! Abort! " },
        { { "PrepareSnapshot", "Freeze", "Thaw" }, "PrepareSnapshot! Freeze! Thaw! Abort! " },
        { { "PrepareSnapshot", "Freeze", "Thaw", "PostSnapshot" },
          "PrepareSnapshot! Freeze! Thaw! PostSnapshot! " },
};

START_TEST(a_lost_service_leaves_nobody_busy) {
        const struct lost_case *c = &lost_cases[_i];

        subscribe();
        for (size_t i = 0; i < ARRAY_SIZE(c->told) && c->told[i]; i++)
                tell(c->told[i], true, S_OK, NULL);
        lose_service(true);
        wait_for(has_registered_again);
        tell("BackupComplete", true, S_OK, NULL); /* whatever had to come has come */
        ck_assert(!hook_writer_is_busy(writer));
        ck_assert(!exists("records/app.conf"));
        expect(c->ran);
}
END_TEST

int main(void) {
        const TTest *const tests[] = {
                commands_run_and_the_record_ends_with_the_thaw,
                a_failed_thaw_keeps_the_record,
                the_abort_after_a_failed_thaw_makes_it_good,
                without_memory_it_is_still_thawed,
                without_memory_a_freeze_is_not_begun_and_is_undone,
                without_memory_a_restore_is_not_begun_and_is_ended,
                a_rescue_without_a_thaw_command_is_no_success,
        };
        Suite *suite;
        TCase *tcase =
                events_case(&suite, "hook-events", tests, ARRAY_SIZE(tests), setup, teardown);

        tcase_add_loop_test(tcase, a_lost_service_leaves_nobody_busy, 0, ARRAY_SIZE(lost_cases));
        return events_run(suite);
}
