/* vss-hook-writer: applications that know nothing of the service take part in it through commands
 * that an administrator wrote down. See vss-hook-writer(8). */

#include "writers/hook/hook-check.h"
#include "writers/hook/hook-log.h"
#include "writers/hook/hook-service.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <vss/vsslinux.h>

#define CONFIG_DIRECTORY "/etc/vss/writers.d"
#define RECORD_DIRECTORY "/run/vss-hook-writer"

enum { EXIT_USAGE = 2 };

struct arguments {
        const char *config_directory;
        bool check, help, version;
};

static void print_help(void) {
        printf("Usage: vss-hook-writer [OPTION...]\n"
               "       vss-hook-writer --check [FILE...]\n"
               "\n"
               "Runs the commands of " CONFIG_DIRECTORY "/*.conf when a snapshot is made.\n"
               "\n"
               "Options:\n"
               "  --config-dir DIR   read the ini files there\n"
               "  --address ADDRESS  D-Bus address of the service\n"
               "  --check            say what is wrong with the files, and end\n"
               "  --version          print the version\n"
               "  --help             print this\n");
}

/* 0, or the exit status with which to end. */
static int parse_arguments(struct arguments *ret, int argc, char *argv[]) {
        enum { OPTION_CONFIG_DIR = 256, OPTION_ADDRESS, OPTION_CHECK, OPTION_VERSION };
        static const struct option options[] = {
                { "config-dir", required_argument, NULL, OPTION_CONFIG_DIR },
                { "address", required_argument, NULL, OPTION_ADDRESS },
                { "check", no_argument, NULL, OPTION_CHECK },
                { "version", no_argument, NULL, OPTION_VERSION },
                { "help", no_argument, NULL, 'h' },
                { 0 },
        };
        int c;

        *ret = (struct arguments){ .config_directory = CONFIG_DIRECTORY };
        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case OPTION_CONFIG_DIR: ret->config_directory = optarg; break;
                case OPTION_ADDRESS:
                        if (FAILED(VssSetBusAddress(optarg))) {
                                fprintf(stderr, "vss-hook-writer: --address: %s\n",
                                        VssLastErrorMessage());
                                return EXIT_USAGE;
                        }
                        break;
                case OPTION_CHECK: ret->check = true; break;
                case OPTION_VERSION: ret->version = true; break;
                case 'h': ret->help = true; break;
                default: /* getopt has said why */
                        fprintf(stderr, "vss-hook-writer: see vss-hook-writer --help\n");
                        return EXIT_USAGE;
                }
        if (optind < argc && !ret->check) {
                fprintf(stderr, "vss-hook-writer: files are named with --check only\n");
                return EXIT_USAGE;
        }
        return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct hook_service *s = userdata;

        (void)info;
        (void)sd_notify(false, "STOPPING=1");
        hook_service_stop(s);
        return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct hook_service *s = userdata;

        (void)source;
        (void)info;
        (void)sd_notify(false, "RELOADING=1");
        hook_service_reload(s);
        (void)sd_notify(false, "READY=1");
        return 0;
}

static void unref_event(sd_event **e) {
        sd_event_unref(*e);
}

static int serve(const struct arguments *args) {
        _cleanup_(unref_event) sd_event *event = NULL;
        _cleanup_(hook_service_freep) struct hook_service *service = NULL;
        const char *records = getenv("RUNTIME_DIRECTORY"); /* systemd's */
        sigset_t signals;
        int r;

        /* Before the first thread: all inherit it, and the loop alone gets the signals. SIGPIPE: a
         * log reader that went away must not end us between Freeze and Thaw. */
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL); /* cannot fail with these arguments */
        (void)signal(SIGPIPE, SIG_IGN);

        r = sd_event_new(&event);
        if (r >= 0)
                r = hook_service_new(&service, event, args->config_directory,
                                     str_empty(records) ? RECORD_DIRECTORY : records);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGTERM, on_stop, service);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGINT, on_stop, service);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGHUP, on_reload, service);
        if (r >= 0) {
                (void)sd_notify(false, "READY=1"); /* nobody may be listening */
                r = sd_event_loop(event);
        }
        if (r < 0) {
                hook_log(LOG_ERR, "cannot go on: %s", strerror(-r));
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        struct arguments args;
        int r;

        r = parse_arguments(&args, argc, argv);
        if (r != 0)
                return r;
        if (args.help) {
                print_help();
                return EXIT_SUCCESS;
        }
        if (args.version) {
                printf("vss-hook-writer %s\n", VSSD_VERSION);
                return EXIT_SUCCESS;
        }
        if (args.check)
                return hook_check(args.config_directory, argv + optind);
        return serve(&args);
}
