/* A writer that does as it is told, for tests of requesters and of the service.
 *
 *      test-writer [OPTION...] EVENT[*N]|VERB|ARGUMENT...
 *
 * Its script is in script.h and script.c; without one it describes nothing and agrees to all.
 * Standard output is its log: "subscribed" first, then for each event a line with what the handler
 * can know, one for each component, one for each line of the script with the result, and
 * "EVENT.end ok" or "EVENT.end veto". It ends by SIGTERM: "unsubscribed". */

#include "tests/writer/script.h"
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

#define DEFAULT_ID "5affb034-969f-4919-8875-88f830d0ef89"

struct options {
        VSS_ID id;
        const char *name, *instance;
        int level, usage;
        DWORD freeze_timeout_ms, major, minor, events;
        bool own_loop;
};

static bool run(struct turn *t, const VSS_ID *set_id) {
        log_event(t, set_id);
        script_run(t);
        log_line("%s.end %s", t->event, t->veto ? "veto" : "ok");
        return !t->veto;
}

static bool on_identify(CVssWriter *w, void *user, IVssCreateWriterMetadataEx *metadata) {
        struct turn t = { .writer = w, .event = "Identify", .metadata = metadata };

        (void)user;
        return run(&t, NULL);
}

#define HANDLER(function, event_name)                                   \
        static bool function(CVssWriter *w, void *user) {               \
                struct turn t = { .writer = w, .event = (event_name) }; \
                                                                        \
                (void)user;                                             \
                return run(&t, NULL);                                   \
        }
#define HANDLER_WITH_COMPONENTS(function, event_name)                                             \
        static bool function(CVssWriter *w, void *user, IVssWriterComponents *components) {       \
                struct turn t = { .writer = w, .event = (event_name), .components = components }; \
                                                                                                  \
                (void)user;                                                                       \
                return run(&t, NULL);                                                             \
        }

HANDLER_WITH_COMPONENTS(on_prepare_backup, "PrepareBackup")
HANDLER(on_prepare_snapshot, "PrepareSnapshot")
HANDLER(on_freeze, "Freeze")
HANDLER(on_thaw, "Thaw")
HANDLER_WITH_COMPONENTS(on_post_snapshot, "PostSnapshot")
HANDLER(on_abort, "Abort")
HANDLER_WITH_COMPONENTS(on_backup_complete, "BackupComplete")
HANDLER_WITH_COMPONENTS(on_pre_restore, "PreRestore")
HANDLER_WITH_COMPONENTS(on_post_restore, "PostRestore")

static bool on_backup_shutdown(CVssWriter *w, void *user, VSS_ID set_id) {
        struct turn t = { .writer = w, .event = "BackupShutdown" };

        (void)user;
        return run(&t, &set_id);
}

/* Reserved: nobody calls them. */
static bool on_io(CVssWriter *w, void *user, LPCWSTR volume, VSS_ID snapshot, VSS_ID provider) {
        (void)w;
        (void)user;
        (void)snapshot;
        (void)provider;
        log_line("reserved handler called for %s", volume);
        return false;
}

static bool on_reserved(CVssWriter *w, void *user) {
        (void)w;
        (void)user;
        log_line("reserved handler called");
        return false;
}

static const VSS_WRITER_CALLBACKS callbacks = {
        .size = sizeof(VSS_WRITER_CALLBACKS),
        .OnIdentifyEx = on_identify,
        .OnPrepareBackup = on_prepare_backup,
        .OnPrepareSnapshot = on_prepare_snapshot,
        .OnFreeze = on_freeze,
        .OnThaw = on_thaw,
        .OnPostSnapshot = on_post_snapshot,
        .OnAbort = on_abort,
        .OnBackupComplete = on_backup_complete,
        .OnBackupShutdown = on_backup_shutdown,
        .OnPreRestore = on_pre_restore,
        .OnPostRestore = on_post_restore,
        .OnBackOffIOOnVolume = on_io,
        .OnContinueIOOnVolume = on_io,
        .OnVSSApplicationStartup = on_reserved,
        .OnVSSShutdown = on_reserved,
};

static void print_help(void) {
        printf("Usage: test-writer [OPTION...] 'EVENT[*N]|VERB|ARGUMENT...'...\n"
               "  --address ADDRESS    D-Bus address of the service\n"
               "  --script FILE        take lines from there, too\n"
               "  --id GUID            writer class, " DEFAULT_ID "\n"
               "  --name NAME          'Test Writer'\n"
               "  --instance NAME      instance name\n"
               "  --level N            VSS_APPLICATION_LEVEL, 3\n"
               "  --usage N            VSS_USAGE_TYPE, 3\n"
               "  --version MAJOR      of the metadata\n"
               "  --freeze-timeout MS  from Freeze to Thaw\n"
               "  --events MASK        VSS_SUBSCRIBE_MASK, 6\n"
               "  --own-loop           handlers run in the program's loop\n");
}

/* Negative: go on; else the exit status. */
static int parse_options(struct options *o, int argc, char *argv[]) {
        enum { ADDRESS = 256, SCRIPT, ID, NAME, INSTANCE, LEVEL, USAGE, MAJOR, FREEZE, EVENTS };
        static const struct option options[] = {
                { "address", required_argument, NULL, ADDRESS },
                { "script", required_argument, NULL, SCRIPT },
                { "id", required_argument, NULL, ID },
                { "name", required_argument, NULL, NAME },
                { "instance", required_argument, NULL, INSTANCE },
                { "level", required_argument, NULL, LEVEL },
                { "usage", required_argument, NULL, USAGE },
                { "version", required_argument, NULL, MAJOR },
                { "freeze-timeout", required_argument, NULL, FREEZE },
                { "events", required_argument, NULL, EVENTS },
                { "own-loop", no_argument, NULL, 'l' },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        HRESULT hr = S_OK;
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case ADDRESS: hr = VssSetBusAddress(optarg); break;
                case SCRIPT: hr = script_add_file(optarg) ? S_OK : E_INVALIDARG; break;
                case ID: hr = VssIdFromString(optarg, &o->id); break;
                case NAME: o->name = optarg; break;
                case INSTANCE: o->instance = optarg; break;
                case LEVEL: o->level = atoi(optarg); break;
                case USAGE: o->usage = atoi(optarg); break;
                case MAJOR: o->major = (DWORD)atoi(optarg); break;
                case FREEZE: o->freeze_timeout_ms = (DWORD)atoi(optarg); break;
                case EVENTS: o->events = (DWORD)strtoul(optarg, NULL, 0); break;
                case 'l': o->own_loop = true; break;
                case 'h': print_help(); return EXIT_SUCCESS;
                default: return EXIT_FAILURE; /* getopt has said why */
                }
        for (; SUCCEEDED(hr) && optind < argc; optind++)
                hr = script_add(argv[optind]) ? S_OK : E_INVALIDARG;
        if (FAILED(hr))
                fprintf(stderr, "test-writer: a wrong option or line: %s\n", hresult_text(hr));
        return FAILED(hr) ? EXIT_FAILURE : -1;
}

/* Until a signal. loop_fd -1: the library's thread does all. */
static void wait_for_end(CVssWriter *w, int signal_fd, int loop_fd) {
        struct pollfd fds[] = {
                { .fd = signal_fd, .events = POLLIN },
                { .fd = loop_fd, .events = POLLIN },
        };

        while (poll(fds, ARRAY_SIZE(fds), -1) < 0 || !fds[0].revents)
                if (fds[1].revents)
                        (void)VssDispatchWriter(w);
}

static HRESULT serve(CVssWriter *w, const struct options *o, int signal_fd) {
        int loop_fd = -1;
        HRESULT hr;

        hr = CVssWriterEx_InitializeEx(w, o->id, o->name, o->major, o->minor,
                                       (VSS_USAGE_TYPE)o->usage, VSS_ST_OTHER,
                                       (VSS_APPLICATION_LEVEL)o->level, o->freeze_timeout_ms,
                                       VSS_AWS_NO_ALTERNATE_WRITER, false, o->instance);
        if (SUCCEEDED(hr))
                hr = o->own_loop ? VssSubscribeWriter(w, 0, o->events, &loop_fd)
                                 : CVssWriter_Subscribe(w, 0, o->events);
        if (FAILED(hr))
                return hr;
        log_line("subscribed");
        wait_for_end(w, signal_fd, loop_fd);
        hr = CVssWriter_Unsubscribe(w);
        log_line("unsubscribed");
        return hr;
}

int main(int argc, char *argv[]) {
        struct options o = {
                .name = "Test Writer",
                .level = VSS_APP_FRONT_END,
                .usage = VSS_UT_USERDATA,
                .events = VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG,
        };
        CVssWriter *writer = NULL;
        sigset_t signals;
        HRESULT hr;
        int r, fd;

        (void)VssIdFromString(DEFAULT_ID, &o.id); /* it is one */
        r = parse_options(&o, argc, argv);
        if (r >= 0)
                return r;
        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL); /* cannot fail with these arguments */
        fd = signalfd(-1, &signals, SFD_CLOEXEC);
        hr = CVssWriter_Create(&callbacks, NULL, &writer);
        if (SUCCEEDED(hr))
                hr = serve(writer, &o, fd);
        if (FAILED(hr))
                fprintf(stderr, "test-writer: %s: %s\n", hresult_text(hr), VssLastErrorMessage());
        CVssWriter_Release(writer);
        script_done();
        return FAILED(hr) ? EXIT_FAILURE : EXIT_SUCCESS;
}
