/* The daemon, wired together: store, writers, sessions, bus, in this order up and in reverse down.
 *
 *      STARTING: undo what a crash left             --done, or time over--> connect
 *      STARTING: connect                            --name owned--> SERVING
 *      SERVING: READY=1                             --SIGTERM, SIGINT, bus lost, idle--> STOPPING
 *      STOPPING: sessions ended, everything thawed  --nothing under way--> exit
 *                                                   --stop timeout--> exit at once; the guard and
 *                                                     the next start see to the rest */

#include "daemon/vssd.h"

#include "common/time-util.h"
#include "daemon/bus/bus.h"
#include "daemon/bus/provider-link.h"
#include "daemon/config.h"
#include "daemon/coordinator/storage.h"
#include "daemon/job/job.h"
#include "daemon/log/log.h"
#include "daemon/providers/dm-place.h"
#include "daemon/providers/exposed-share.h"
#include "daemon/providers/foreign.h"
#include "daemon/providers/snapshot-devices.h"
#include "daemon/providers/snapshot-mount.h"
#include "daemon/providers/snapshot-size.h"
#include "daemon/window/dm-kernel.h"
#include "daemon/window/suspend-list.h"
#include "daemon/writers/express.h"

#include <getopt.h>
#include <grp.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

/* What systemd calls the service's directory under /run; without it no lists are kept. */
#define RUNTIME_DIRECTORY "RUNTIME_DIRECTORY"
#define RESUME_TIMEOUT_USEC (10 * USEC_PER_SEC)
#define STOP_MARGIN_USEC (30 * USEC_PER_SEC)

#define MEMORY_KEPT (256 * 1024) /* of each arena */
#define DEFAULT_STATE_DIRECTORY "/var/lib/vssd"

enum { EXIT_USAGE = 2 };

struct arguments {
        const char *address, *state_directory, *config;
};

struct vssd {
        struct config config;
        sd_event *event;
        struct store *store;
        struct writer_registry *writers;
        struct express_writers *express;
        struct session_manager *sessions;
        struct bus *bus;
        const char *address;          /* of the bus; NULL: the system's */
        char *revert_block_directory; /* beside the configuration file */
        sd_event_source *sigterm, *sigint, *turn, *settled, *stop_timer, *idle_timer;
        unsigned n_recovering; /* what goes on beside the serving: session_manager_recover() */
        bool serving, stopping;
        int exit_status;
};

static const char help[] =
        "Usage: vssd [OPTION]...\n"
        "The Volume Shadow Copy Service: makes consistent copies of volumes for its callers on "
        "D-Bus.\n\n"
        "  --address ADDRESS   serve on this bus instead of the system bus; its own user may then\n"
        "                      call it, too\n"
        "  --state-dir DIR     keep the state in DIR instead of " DEFAULT_STATE_DIRECTORY "\n"
        "  --config FILE       read FILE instead of " CONFIG_DEFAULT_PATH ", and the list of\n"
        "                      revert-blocking writers from revert-block.d beside it\n"
        "  --version           show the version\n"
        "  --help              show this\n";

/* 0: go on; positive: done, exit with status - 1. */
static int parse_arguments(struct arguments *a, int argc, char **argv) {
        enum { OPTION_ADDRESS = 256, OPTION_STATE_DIR, OPTION_CONFIG, OPTION_VERSION, OPTION_HELP };
        static const struct option options[] = {
                { "address", required_argument, NULL, OPTION_ADDRESS },
                { "state-dir", required_argument, NULL, OPTION_STATE_DIR },
                { "config", required_argument, NULL, OPTION_CONFIG },
                { "version", no_argument, NULL, OPTION_VERSION },
                { "help", no_argument, NULL, OPTION_HELP },
                { NULL, 0, NULL, 0 },
        };
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (option) {
                case OPTION_ADDRESS: a->address = optarg; break;
                case OPTION_STATE_DIR: a->state_directory = optarg; break;
                case OPTION_CONFIG: a->config = optarg; break;
                case OPTION_VERSION: puts("vssd " VSSD_VERSION); return 1 + EXIT_SUCCESS;
                case OPTION_HELP: fputs(help, stdout); return 1 + EXIT_SUCCESS;
                default: /* getopt said what is wrong */
                        fprintf(stderr, "vssd: see vssd --help\n");
                        return 1 + EXIT_USAGE;
                }
        if (optind < argc) {
                fprintf(stderr, "vssd: there is no argument \"%s\"; see vssd --help\n",
                        argv[optind]);
                return 1 + EXIT_USAGE;
        }
        return 0;
}

static bool vssd_has_work(const struct vssd *v) {
        return !session_manager_is_idle(v->sessions) || job_count() > 0 ||
               (v->bus && !bus_is_idle(v->bus));
}

static int on_stop_timeout(sd_event_source *source _unused_, uint64_t usec _unused_,
                           void *userdata) {
        struct vssd *v = userdata;

        log_error(
                "Work is still under way %llu s after the stop began: ending without it. What is "
                "suspended is resumed by the guard, what is half made is undone at the next start",
                (unsigned long long)(v->config.stop_usec / USEC_PER_SEC));
        /* Workers use what a tidy end would free. */
        _exit(EXIT_FAILURE);
}

static void vssd_stop(struct vssd *v, int exit_status, const char *why) {
        if (exit_status != EXIT_SUCCESS)
                v->exit_status = exit_status;
        if (v->stopping)
                return;

        log_info("Stopping: %s", why);
        v->stopping = true;
        /* News, not a duty. The time is what the unit has beyond the default, so that it is the
         * daemon that gives up, also where the administrator lets it take longer than the unit. */
        (void)sd_notifyf(0, "STOPPING=1\nSTATUS=Ending what is under way\nEXTEND_TIMEOUT_USEC=%llu",
                         (unsigned long long)(v->config.stop_usec + STOP_MARGIN_USEC));
        v->idle_timer = sd_event_source_disable_unref(v->idle_timer);
        session_manager_stop_watching(v->sessions);
        if (sd_event_add_time_relative(v->event, &v->stop_timer, CLOCK_MONOTONIC,
                                       v->config.stop_usec, 0, on_stop_timeout, v) < 0)
                _exit(EXIT_FAILURE); /* a stop without a deadline is none */
        session_manager_cancel_recovery(v->sessions);
        if (v->bus)
                bus_stop(v->bus);
}

static int on_signal(sd_event_source *source _unused_, const struct signalfd_siginfo *info,
                     void *userdata) {
        vssd_stop(userdata, EXIT_SUCCESS, info->ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
        return 0;
}

static int on_idle(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        vssd_stop(userdata, EXIT_SUCCESS, "nobody has used the service for a while");
        return 0;
}

/* Nothing else is ready to run: what frees itself in a turn of its own has had it. */
static int on_settled(sd_event_source *source _unused_, void *userdata) {
        struct vssd *v = userdata;

        return vssd_has_work(v) ? 0 : sd_event_exit(v->event, v->exit_status);
}

/* After every turn of the loop: is there nothing left to wait for? */
static int on_turn(sd_event_source *source _unused_, void *userdata) {
        struct vssd *v = userdata;

        if (v->stopping)
                return vssd_has_work(v) ? 0
                                        : sd_event_source_set_enabled(v->settled, SD_EVENT_ONESHOT);
        if (!v->serving || v->config.exit_idle_usec == USEC_INFINITY)
                return 0;
        if (vssd_has_work(v) || bus_has_users(v->bus) || session_manager_has_expiry(v->sessions) ||
            session_manager_has_areas(v->sessions))
                v->idle_timer = sd_event_source_disable_unref(v->idle_timer);
        else if (!v->idle_timer)
                return sd_event_add_time_relative(v->event, &v->idle_timer, CLOCK_MONOTONIC,
                                                  v->config.exit_idle_usec, 0, on_idle, v);
        return 0;
}

/* Without a manager there is nobody to tell. */
static void say_status(const struct vssd *v) {
        (void)sd_notify(0, v->n_recovering == 0
                                   ? "STATUS=Ready"
                                   : "STATUS=Ready, but for volumes whose storage does not answer: "
                                     "see the log");
}

static void on_ready(void *userdata) {
        struct vssd *v = userdata;

        v->serving = true;
        log_info("vssd " VSSD_VERSION " is ready");
        say_status(v);
        (void)sd_notify(0, "READY=1"); /* as above */
}

static void on_lost(void *userdata, const struct vss_error *error) {
        struct vssd *v = userdata;

        log_failure(LOG_ERR, error, "%s", str_or_empty(error->message));
        vssd_stop(v, EXIT_FAILURE, "there is no bus to serve on");
}

/* Where copies are mounted: for root and the group of those who make backups. */
static void make_mount_root(void) {
        char buf[4096];
        struct group entry, *found = NULL;

        if (mkdir(SNAPSHOT_MOUNT_ROOT, 0750) < 0) {
                if (errno != EEXIST)
                        log_warning("Cannot make %s: %s", SNAPSHOT_MOUNT_ROOT, strerror(errno));
                return; /* what is there was made by tmpfiles.d or an earlier start */
        }
        if (getgrnam_r(BUS_ACCESS_GROUP, &entry, buf, sizeof(buf), &found) == 0 && found &&
            chown(SNAPSHOT_MOUNT_ROOT, 0, found->gr_gid) < 0)
                log_warning("Cannot give %s to the group %s: %s", SNAPSHOT_MOUNT_ROOT,
                            BUS_ACCESS_GROUP, strerror(errno));
}

static int vssd_watch(struct vssd *v) {
        int r;

        r = sd_event_add_signal(v->event, &v->sigterm, SIGTERM, on_signal, v);
        if (r >= 0)
                r = sd_event_add_signal(v->event, &v->sigint, SIGINT, on_signal, v);
        if (r >= 0)
                r = sd_event_add_defer(v->event, &v->settled, on_settled, v);
        if (r >= 0)
                r = sd_event_source_set_priority(v->settled, SD_EVENT_PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(v->settled, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_post(v->event, &v->turn, on_turn, v);
        if (r >= 0)
                r = sd_event_set_watchdog(v->event, true);
        return r;
}

static int vssd_load_express(struct vssd *v, const char *state_directory,
                             struct vss_error *reterr) {
        _cleanup_(freep) char *directory = NULL;

        if (str_format(&directory, "%s/express-writers", state_directory) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "Reading the express writers");
        return express_writers_new(&v->express, v->event, v->writers, directory, reterr);
}

/* As /etc/vss/revert-block.d lies beside /etc/vss/vssd.conf. */
static int vssd_find_revert_block(struct vssd *v, const char *config) {
        const char *slash = config ? strrchr(config, '/') : NULL;

        if (!config)
                return 0;
        return str_format(&v->revert_block_directory, "%.*srevert-block.d",
                          slash ? (int)(slash + 1 - config) : 0, config);
}

static int vssd_set_places(struct vssd *v, const char *state_directory, struct vss_error *reterr) {
        _cleanup_(freep) char *directory = NULL;

        if (str_format(&directory, "%s/stores", state_directory) < 0 ||
            dm_places_init(v->config.stores, directory) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "Reading the places of stores");
        return 0;
}

static void vssd_serve(struct vssd *v) {
        struct vss_error error = { 0 };
        int r;

        r = bus_new(&v->bus,
                    &(const struct bus_options){
                            .event = v->event,
                            .address = v->address,
                            .allow_self = v->address != NULL,
                            .store = v->store,
                            .sessions = v->sessions,
                            .writers = v->writers,
                            .express = v->express,
                            .revert_block_directory = v->revert_block_directory,
                            .ready = on_ready,
                            .lost = on_lost,
                            .userdata = v,
                    },
                    &error);
        if (r < 0)
                on_lost(v, &error);
        vss_error_done(&error);
}

static void on_recovered(void *userdata, unsigned n_left) {
        struct vssd *v = userdata;

        v->n_recovering = n_left;
        if (v->stopping)
                return;
        if (v->serving)
                say_status(v);
        else if (!v->bus)
                vssd_serve(v);
}

static int vssd_start(struct vssd *v, const struct arguments *a, struct vss_error *reterr) {
        struct vss_error recovery = { 0 };
        int r;

        r = sd_event_default(&v->event);
        if (r >= 0)
                r = vssd_watch(v);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Cannot make the event loop");

        r = store_open(&v->store, a->state_directory, reterr);
        if (r < 0)
                return r;
        provider_link_init(a->address);
        foreign_init(&provider_link_transport, storage_table()->unmount, v->config.provider_usec);
        foreign_load(v->store);
        r = writer_registry_new(&v->writers, v->event);
        if (r >= 0)
                r = session_manager_new(&v->sessions, v->event, v->store, v->writers,
                                        &v->config.session);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Cannot make the session manager");

        r = vssd_load_express(v, a->state_directory, reterr);
        if (r < 0)
                return r;
        r = vssd_find_revert_block(v, a->config);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Finding the list of writers");
        r = vssd_set_places(v, a->state_directory, reterr);
        if (r < 0)
                return r;
        snapshot_size_init(v->config.area_start_bytes, v->config.session.area_volume_bytes);
        exposed_share_set_clients(v->config.nfs_clients);
        snapshot_devices_set_notes(store_guard_lock(v->store), v->config.session.suspend_lists);

        /* Resume first, then serve. What cannot be undone now is undone later, or stays in the
         * store for the next start; it is no reason to keep those waiting who need the service. */
        v->address = a->address;
        (void)sd_notify(0, "STATUS=Undoing what an earlier run left");
        if (session_manager_recover(v->sessions, on_recovered, v, &recovery) < 0) {
                log_error("Recovery is not complete: %s", str_or_empty(recovery.message));
                vssd_serve(v);
        }
        vss_error_done(&recovery);
        return 0;
}

static void vssd_done(struct vssd *v) {
        v->bus = bus_free(v->bus);
        v->sessions = session_manager_free(v->sessions);
        v->express = express_writers_free(v->express);
        v->writers = writer_registry_free(v->writers);
        v->store = store_close(v->store);
        free(v->revert_block_directory);
        config_done(&v->config);
        sd_event_source_disable_unref(v->sigterm);
        sd_event_source_disable_unref(v->sigint);
        sd_event_source_disable_unref(v->turn);
        sd_event_source_disable_unref(v->settled);
        sd_event_source_disable_unref(v->stop_timer);
        sd_event_source_disable_unref(v->idle_timer);
        sd_event_unref(v->event);
}

/* Before anything else, because everything else may wait for it: where the root is suspended, not
 * even the configuration can be counted on. */
static void resume_what_was_left(const char *lists) {
        struct vss_error error = { 0 };
        int n;

        if (!lists)
                return;
        n = suspend_list_rescue(lists, &dm_kernel, RESUME_TIMEOUT_USEC, &error);
        if (n > 0)
                log_warning("An earlier run died while it held the writes to %d volume(s): they "
                            "were resumed",
                            n);
        else if (n < 0)
                log_failure(LOG_ERR, &error, "Volumes may still be suspended: %s",
                            str_or_empty(error.message));
        vss_error_done(&error);
}

static int vssd_run(struct vssd *v, const struct arguments *a, struct vss_error *reterr) {
        int r;

        config_defaults(&v->config);
        v->config.session.suspend_lists = getenv(RUNTIME_DIRECTORY);
        r = config_load(&v->config, a->config ? a->config : CONFIG_DEFAULT_PATH, a->config != NULL,
                        reterr);
        if (r >= 0)
                r = vssd_start(v, a, reterr);
        if (r < 0)
                return r;
        r = sd_event_loop(v->event);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "The event loop failed");
        return r;
}

/* What a large document took is to go back when it is freed. By itself the C library raises both
 * limits with what it has seen, and then keeps as much free memory in each thread's arena, out of
 * the reach of malloc_trim(). */
static void keep_little_memory(void) {
        (void)mallopt(M_MMAP_THRESHOLD, MEMORY_KEPT); /* 0 for values that it does not know */
        (void)mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT);
}

int vssd_main(int argc, char **argv, const struct provider *const *providers) {
        struct arguments a = { .state_directory = DEFAULT_STATE_DIRECTORY };
        _cleanup_(vssd_done) struct vssd v = { 0 };
        struct vss_error error = { 0 };
        sigset_t signals;
        int r;

        r = parse_arguments(&a, argc, argv);
        if (r > 0)
                return r - 1;

        /* Before any thread: they inherit it. Signals come through the loop. */
        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
        (void)signal(SIGPIPE, SIG_IGN);
        (void)umask(022);

        keep_little_memory();
        log_init();
        resume_what_was_left(getenv(RUNTIME_DIRECTORY));
        providers_init(providers);
        if (!a.address && geteuid() == 0)
                make_mount_root();

        r = vssd_run(&v, &a, &error);
        if (r < 0) {
                log_error("%s", str_or_empty(error.message));
                vss_error_done(&error);
                return EXIT_FAILURE;
        }
        return r;
}
