/* storage-set: a snapshot set by the storage layers alone, without the daemon, for tests that want
 * to stop, break or kill it at a given step. Not installed.
 *
 *      storage-set create [OPTION]... VOLUME...    the whole way; prints what each step took
 *      storage-set delete [force]                  deletes every copy in the store, one by one
 *      storage-set delete together                 the same, what is of a set in one go
 *      storage-set break FLAGS                     makes volumes of every copy in the store
 *      storage-set revert                          reverts to every copy in the store
 *      storage-set recover                         what the daemon does at its start
 *      storage-set activate                        after a reboot: the same for copies that stay
 *      storage-set probe VOLUME...                 whether copies can be made, or why not
 *      storage-set volumes                         all volumes of the host
 *      storage-set usage                           of every copy: bytes used, of, lost?
 *
 * Options of create: --store=DIR (for all verbs); --abort-after=STEP; --exit-after=STEP (as if the
 * daemon died there); --commit=kill|stop|fail (in the first commit of the window: SIGKILL or
 * SIGSTOP to itself, or an error); --no-mount; --hold=MSEC; --place=VOLUME=PLACE... (as in [Stores]
 * of vssd.conf; may be there several times); --lvm=PROGRAM instead of lvm (for all verbs).
 * STEP: stage, rows, prepare, window, finish, mount, seal. */

#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/providers/dm-place.h"
#include "daemon/providers/lvm.h"
#include "daemon/providers/provider.h"
#include "daemon/providers/snapshot-mount.h"
#include "daemon/window/dm-kernel.h"

#include <getopt.h>
#include <inttypes.h>
#include <linux/dm-ioctl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <time.h>

#define VOLUMES_MAX 64

static const char *const steps[] = {
        "stage", "rows", "prepare", "window", "finish", "mount", "seal"
};

static struct {
        const char *store, *abort_after, *exit_after, *commit;
        bool no_mount;
        uint64_t hold_usec;
} options = { .store = "/run/storage-set", .hold_usec = 10 * USEC_PER_SEC };

static _Noreturn void die(const char *what, const struct vss_error *error) {
        const struct vss_hresult_info *info = vss_hresult_find(error->hr);

        (void)fprintf(stderr, "storage-set: %s: %s: %s\n", what, info ? info->symbol : "?",
                      str_or_empty(error->message));
        exit(EXIT_FAILURE);
}

static struct store *open_store(void) {
        struct vss_error error = { 0 };
        struct store *store = NULL;

        if (store_open(&store, options.store, &error) < 0)
                die("store", &error);
        return store;
}

/* --- the window's kernel, that can be told to misbehave --- */

static _Atomic bool in_window, misbehaved;
static dev_t origins[VOLUMES_MAX];

static bool is_origin(uint64_t device) {
        for (size_t i = 0; i < VOLUMES_MAX; i++)
                if (origins[i] != 0 && major(origins[i]) == (device >> 8 & 0xfff) &&
                    minor(origins[i]) == ((device & 0xff) | (device >> 12 & 0xfff00)))
                        return true;
        return false;
}

static int bad_ioctl(int fd, unsigned long command, struct dm_ioctl *arg) {
        bool resume = command == DM_DEV_SUSPEND && !(arg->flags & DM_SUSPEND_FLAG);
        bool commit = command == DM_TARGET_MSG || (resume && !is_origin(arg->dev));

        if (commit && atomic_load(&in_window) && options.commit &&
            !atomic_exchange(&misbehaved, true)) {
                if (streq(options.commit, "kill"))
                        (void)raise(SIGKILL);
                if (streq(options.commit, "stop"))
                        (void)raise(SIGSTOP);
                if (streq(options.commit, "fail"))
                        return -EIO;
        }
        return dm_kernel.ioctl(fd, command, arg);
}

/* --- create --- */

/* All volumes of a set are of one provider's here; the daemon mixes them. */
struct run {
        struct store *store;
        const struct provider *provider;
        struct volume *volumes[VOLUMES_MAX];
        struct snapshot_record records[VOLUMES_MAX];
        size_t n;
        struct provider_set *set;
        struct window *window;
        struct window_result result;
        uint64_t step_usec;
};

static void open_volumes(struct run *run, char **names, size_t n) {
        struct vss_error error = { 0 };
        uint64_t first = 0;
        VSS_ID set_id;

        if (n > VOLUMES_MAX || vss_id_random(&set_id) < 0)
                exit(EXIT_FAILURE);
        if (store_reserve_numbers(run->store, (unsigned)n, &first, &error) < 0)
                die("numbers", &error);
        for (size_t i = 0; i < n; i++) {
                struct snapshot_record *r = &run->records[i];
                const struct provider *p = NULL;
                bool mounted;

                if (volume_open(&run->volumes[i], names[i], &error) < 0 ||
                    provider_select(&p, (VSS_ID){ 0 }, run->volumes[i], VSS_CTX_APP_ROLLBACK,
                                    &error) < 0)
                        die(names[i], &error);
                if (i > 0 && p != run->provider)
                        exit(2);
                run->provider = p;
                origins[i] = run->volumes[i]->devno;
                mounted = run->volumes[i]->mount_point && !options.no_mount;
                r->set_id = set_id;
                r->number = first + i;
                r->context = VSS_CTX_APP_ROLLBACK;
                r->attributes = VSS_CTX_APP_ROLLBACK;
                r->count = (LONG)n;
                r->state = VSS_SS_CREATED;
                if (vss_id_random(&r->id) < 0 ||
                    str_format(&r->device, SNAPSHOT_DEVICE_ROOT "/ShadowCopy%" PRIu64, r->number) <
                            0 ||
                    str_format(&r->device_object, "%s/ShadowCopy%" PRIu64,
                               mounted ? SNAPSHOT_MOUNT_ROOT : SNAPSHOT_DEVICE_ROOT,
                               r->number) < 0 ||
                    str_replace(&r->volume, run->volumes[i]->name) < 0 ||
                    str_replace(&r->display, run->volumes[i]->display) < 0 ||
                    str_replace(&r->provider, p->name) < 0 ||
                    str_replace(&r->originating_machine, "test") < 0 ||
                    str_replace(&r->service_machine, "test") < 0 ||
                    str_replace(&r->consistency, "crash") < 0)
                        exit(EXIT_FAILURE);
        }
        run->n = n;
}

static int do_stage(struct run *run, struct vss_error *error) {
        const struct volume *const *volumes = (const struct volume *const *)run->volumes;

        return provider_stage(run->provider, &run->set, run->store, volumes, run->records, run->n,
                              volumes, run->n, error);
}

static int do_rows(struct run *run, struct vss_error *error) {
        static struct dm_kernel kernel;
        const struct window_options window_options = {
                .hold_usec = options.hold_usec,
                .flush_usec = options.hold_usec,
                .kernel = &kernel,
        };

        kernel = dm_kernel;
        kernel.ioctl = bad_ioctl;
        if (window_new(&run->window, &window_options) < 0)
                exit(EXIT_FAILURE);
        return run->provider->add_window_rows(run->set, run->window, error);
}

static int do_prepare(struct run *run, struct vss_error *error) {
        return window_prepare(run->window, error);
}

static int do_window(struct run *run, struct vss_error *error) {
        int r;

        for (size_t i = 0; i < run->n; i++)
                if (run->volumes[i]->mount_fd >= 0)
                        (void)syncfs(run->volumes[i]->mount_fd);
        run->step_usec = now_monotonic_usec(); /* the flush is not the window's */
        atomic_store(&in_window, true);
        r = window_run(run->window, &run->result, error);
        atomic_store(&in_window, false);
        return r;
}

static int do_finish(struct run *run, struct vss_error *error) {
        return run->provider->finish(run->set, error);
}

static int do_mount(struct run *run, struct vss_error *error) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < run->n; i++)
                r = snapshot_mount(&run->records[i], true, error);
        return r;
}

static int do_seal(struct run *run, struct vss_error *error) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < run->n; i++)
                r = snapshot_mount_seal(&run->records[i], error);
        return r < 0 ? r : run->provider->seal(run->set, error);
}

static int (*const functions[])(struct run *run, struct vss_error *error) = {
        do_stage, do_rows, do_prepare, do_window, do_finish, do_mount, do_seal,
};

static void put_back(struct run *run) {
        struct vss_error error = { 0 };
        const int64_t *intents;
        size_t n;

        run->window = window_free(run->window);
        for (size_t i = 0; i < run->n; i++)
                (void)snapshot_unmount(&run->records[i], true, NULL);
        if (!run->set)
                return;
        if (run->provider->abort(run->set, &error) < 0)
                die("abort", &error);
        if (run->provider->abort(run->set, &error) < 0)
                die("second abort", &error);
        n = run->provider->intents(run->set, &intents);
        for (size_t i = 0; i < n; i++)
                if (store_intent_close(run->store, intents[i], &error) < 0)
                        die("intent", &error);
        run->provider->release(run->set);
}

static void print_window(const struct run *run) {
        const struct window_result *r = &run->result;

        (void)printf("window %" PRIu64 " us: suspend %" PRIu64 ", commit %" PRIu64
                     ", resume %" PRIu64 "\n",
                     r->end_usec - r->start_usec, r->suspended_usec - r->start_usec,
                     r->committed_usec - r->suspended_usec, r->end_usec - r->committed_usec);
        for (size_t i = 0; i < window_row_count(run->window); i++) {
                const struct window_row_times *t = window_row_times(run->window, i);

                (void)printf(
                        "row %zu: suspend %" PRIu64 "..%" PRIu64 " commit ..%" PRIu64
                        " resume %" PRIu64 "..%" PRIu64 "\n",
                        i, t->suspend_begin_usec - r->start_usec,
                        t->suspend_end_usec - r->start_usec, t->commit_end_usec - r->start_usec,
                        t->resume_begin_usec - r->start_usec, t->resume_end_usec - r->start_usec);
        }
}

static void commit(struct run *run) {
        struct vss_error error = { 0 };
        const int64_t *intents;
        size_t n = run->provider->intents(run->set, &intents);

        if (store_set_commit(run->store, NULL, run->records, run->n, intents, n, &error) < 0)
                die("commit", &error);
        run->provider->release(run->set);
        for (size_t i = 0; i < run->n; i++)
                (void)printf("copy %s %s %s\n", run->volumes[i]->name, run->records[i].device,
                             run->records[i].device_object);
}

static int verb_create(char **names, size_t n) {
        struct run run = { .store = open_store() };
        struct vss_error error = { 0 };

        open_volumes(&run, names, n);
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                uint64_t end_usec;
                int r;

                run.step_usec = now_monotonic_usec();
                r = functions[i](&run, &error);
                end_usec = now_monotonic_usec();
                (void)printf("step %s %" PRIu64 " us\n", steps[i], end_usec - run.step_usec);
                (void)fflush(stdout);
                if (r < 0) {
                        put_back(&run);
                        die(steps[i], &error);
                }
                if (streq(steps[i], "window"))
                        print_window(&run);
                if (options.exit_after && streq(options.exit_after, steps[i]))
                        _exit(3);
                if (options.abort_after && streq(options.abort_after, steps[i])) {
                        run.step_usec = now_monotonic_usec();
                        put_back(&run);
                        (void)printf("step abort %" PRIu64 " us\n",
                                     now_monotonic_usec() - run.step_usec);
                        store_close(run.store);
                        return EXIT_SUCCESS;
                }
        }
        commit(&run);
        window_free(run.window);
        for (size_t i = 0; i < run.n; i++) {
                volume_free(run.volumes[i]);
                snapshot_record_done(&run.records[i]);
        }
        store_close(run.store);
        return EXIT_SUCCESS;
}

/* --- the other verbs --- */

static int for_each_copy(int (*function)(struct store *store, const struct snapshot_record *r,
                                         struct vss_error *error)) {
        struct snapshot_record *records = NULL;
        struct store *store = open_store();
        struct vss_error error = { 0 };
        int status = EXIT_SUCCESS;
        size_t n = 0;

        if (store_snapshot_list(store, (VSS_ID){ 0 }, &records, &n, &error) < 0)
                die("list", &error);
        for (size_t i = 0; i < n; i++)
                if (function(store, &records[i], &error) < 0) {
                        (void)fprintf(stderr, "storage-set: %s: %s\n", records[i].device,
                                      str_or_empty(error.message));
                        vss_error_done(&error);
                        status = EXIT_FAILURE;
                }
        snapshot_records_free(records, n);
        store_close(store);
        return status;
}

static const struct provider *provider_of(const char *name) {
        const struct provider *p = provider_by_name(name);

        if (!p)
                exit(EXIT_FAILURE);
        return p;
}

static bool force;

static int delete_one(struct store *store, const struct snapshot_record *r,
                      struct vss_error *error) {
        uint64_t begin_usec = now_monotonic_usec();
        int k;

        k = snapshot_unmount(r, force, error);
        if (k >= 0)
                k = provider_of(r->provider)->remove(store, r, force, error);
        if (k >= 0)
                (void)printf("deleted %s %" PRIu64 " us\n", r->device,
                             now_monotonic_usec() - begin_usec);
        return k;
}

/* As the service deletes what one provider has of a set. */
static void delete_together(struct store *store, const struct snapshot_record *records, size_t n) {
        uint64_t begin_usec = now_monotonic_usec();
        struct vss_error error = { 0 };

        for (size_t i = 0; i < n; i++)
                if (snapshot_unmount(&records[i], false, &error) < 0)
                        die(records[i].device, &error);
        if (provider_of(records->provider)->remove_all(store, records, n, false, &error) < 0)
                die("together", &error);
        (void)printf("deleted %zu together %" PRIu64 " us\n", n, now_monotonic_usec() - begin_usec);
}

static int delete_set_by_set(void) {
        struct snapshot_record *records = NULL;
        struct store *store = open_store();
        struct vss_error error = { 0 };
        size_t n = 0, first = 0;

        if (store_snapshot_list(store, (VSS_ID){ 0 }, &records, &n, &error) < 0)
                die("list", &error);
        for (size_t i = 1; i <= n; i++)
                if (i == n || !vss_id_equal(records[i].set_id, records[first].set_id)) {
                        delete_together(store, &records[first], i - first);
                        first = i;
                }
        snapshot_records_free(records, n);
        store_close(store);
        return EXIT_SUCCESS;
}

/* Of each set what its provider has; the copies are unmounted by then. */
static int verb_break(const char *flags) {
        struct snapshot_record *records = NULL;
        struct store *store = open_store();
        struct vss_error error = { 0 };
        char *names[VOLUMES_MAX] = { 0 };
        size_t n = 0;

        if (store_snapshot_list(store, (VSS_ID){ 0 }, &records, &n, &error) < 0)
                die("list", &error);
        for (size_t i = 0; i < n; i++)
                if (snapshot_unmount(&records[i], false, &error) < 0)
                        die(records[i].device, &error);
        if (n == 0 || n > VOLUMES_MAX ||
            provider_of(records->provider)
                            ->break_off(store, records, n, (uint32_t)strtoul(flags, NULL, 0), names,
                                        &error) < 0)
                die("break", &error);
        for (size_t i = 0; i < n; i++) {
                (void)printf("volume %s %s\n", records[i].device, names[i]);
                free(names[i]);
        }
        snapshot_records_free(records, n);
        store_close(store);
        return EXIT_SUCCESS;
}

/* To its end, without a session's part of it: whoever calls has unmounted the volume. */
static int revert_one(struct store *store, const struct snapshot_record *r,
                      struct vss_error *error) {
        const struct timespec pause = { .tv_nsec = 100L * 1000 * 1000 };
        const struct provider *p = provider_of(r->provider);
        struct revert_progress now = { .state = REVERT_NONE };
        int k;

        k = snapshot_unmount(r, false, error);
        if (k >= 0)
                k = p->revert(r, false, error);
        while (k >= 0 && now.state != REVERT_OVER) {
                k = p->revert_look(r, &now, error);
                if (k >= 0 && now.state == REVERT_COPIED)
                        k = p->revert_end(r, error);
                else if (k >= 0 && now.state != REVERT_OVER && now.state != REVERT_RUNNING)
                        k = vss_error_set(error, VSS_E_UNEXPECTED, 0, "it is in state %d",
                                          (int)now.state);
                if (now.state == REVERT_RUNNING)
                        (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        }
        return k < 0 ? k : store_snapshot_delete(store, r->id, 0, error);
}

static int activate_one(struct store *store, const struct snapshot_record *r,
                        struct vss_error *error) {
        int k;

        (void)store;
        k = provider_of(r->provider)->activate(r, error);
        if (k >= 0)
                k = snapshot_mount(r, false, error);
        if (k >= 0)
                (void)printf("active %s\n", r->device);
        return k;
}

static int usage_one(struct store *store, const struct snapshot_record *r,
                     struct vss_error *error) {
        uint64_t used, max;
        bool lost;
        int k;

        (void)store;
        k = provider_of(r->provider)->usage(r, &used, &max, &lost, error);
        if (k >= 0)
                (void)printf("usage %s %" PRIu64 " %" PRIu64 " %s\n", r->device, used, max,
                             lost ? "lost" : "good");
        return k;
}

static void rescue(const struct intent_record *intent) {
        const struct provider *p = provider_of(intent->provider);
        struct vss_error error = { 0 };
        char **uuids = NULL, **names = NULL;

        if (!p->origins || !p->rescue)
                return;
        if (p->origins(intent, &uuids, &names, &error) < 0)
                die("origins", &error);
        for (char **u = uuids; u && *u; u++)
                if (p->rescue(intent, *u, &error) < 0)
                        die("rescue", &error);
        strv_free(uuids);
        strv_free(names);
}

static int verb_recover(void) {
        struct intent_record *intents = NULL;
        struct store *store = open_store();
        struct vss_error error = { 0 };
        size_t n = 0;

        if (store_intent_list(store, &intents, &n, &error) < 0)
                die("list", &error);
        for (size_t i = 0; i < n; i++)
                rescue(&intents[i]);
        for (size_t i = 0; i < n; i++) {
                uint64_t begin_usec = now_monotonic_usec();

                if (provider_of(intents[i].provider)->recover(store, &intents[i], &error) < 0)
                        die("recover", &error);
                (void)printf("recovered %s %" PRIu64 " us\n", intents[i].kind,
                             now_monotonic_usec() - begin_usec);
        }
        intent_records_free(intents, n);
        store_close(store);
        return EXIT_SUCCESS;
}

static int verb_probe(char **names, size_t n) {
        int status = EXIT_SUCCESS;

        for (size_t i = 0; i < n; i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                _cleanup_(volume_freep) struct volume *v = NULL;
                const struct provider *p = NULL;

                if (volume_open(&v, names[i], &error) < 0 ||
                    provider_select(&p, (VSS_ID){ 0 }, v, VSS_CTX_BACKUP, &error) < 0) {
                        const struct vss_hresult_info *info = vss_hresult_find(error.hr);

                        (void)printf("%s: %s: %s\n", names[i], info ? info->symbol : "?",
                                     str_or_empty(error.message));
                        status = EXIT_FAILURE;
                } else
                        (void)printf("%s: %s, volume %s on %s (%s) by %s\n", names[i],
                                     v->mount_point ? "mounted" : "not mounted", v->name, v->device,
                                     v->fs_type ? v->fs_type : "raw", p->name);
        }
        return status;
}

static int verb_volumes(void) {
        struct vss_error error = { 0 };
        struct volume **volumes = NULL;
        size_t n = 0;

        if (volume_list(&volumes, &n, &error) < 0)
                die("volumes", &error);
        for (size_t i = 0; i < n; i++)
                (void)printf("%s %s %s %" PRIu64 "\n", volumes[i]->name, volumes[i]->device,
                             volumes[i]->fs_type ? volumes[i]->fs_type : "-", volumes[i]->size);
        volumes_free(volumes, n);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        static const struct provider *const table[] = { &provider_dm, &provider_lvm_thick,
                                                        &provider_lvm_thin, NULL };
        static const struct option long_options[] = {
                { "store", required_argument, NULL, 's' },
                { "abort-after", required_argument, NULL, 'a' },
                { "exit-after", required_argument, NULL, 'e' },
                { "commit", required_argument, NULL, 'c' },
                { "no-mount", no_argument, NULL, 'n' },
                { "hold", required_argument, NULL, 'h' },
                { "place", required_argument, NULL, 'p' },
                { "lvm", required_argument, NULL, 'l' },
                { 0 },
        };
        char **places = NULL;
        const char *verb;
        size_t n;
        int c;

        providers_init(table);
        while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
                switch (c) {
                case 's': options.store = optarg; break;
                case 'a': options.abort_after = optarg; break;
                case 'e': options.exit_after = optarg; break;
                case 'c': options.commit = optarg; break;
                case 'n': options.no_mount = true; break;
                case 'l': lvm_program = optarg; break;
                case 'p':
                        if (strv_append(&places, optarg) < 0)
                                return EXIT_FAILURE;
                        break;
                case 'h': options.hold_usec = strtoull(optarg, NULL, 10) * USEC_PER_MSEC; break;
                default: return 2;
                }
        if (optind == argc || dm_places_init(places, NULL) < 0)
                return 2;
        strv_free(places);
        verb = argv[optind++];
        n = (size_t)(argc - optind);
        if (streq(verb, "create"))
                return verb_create(argv + optind, n);
        if (streq(verb, "delete")) {
                force = n > 0 && streq(argv[optind], "force");
                return n > 0 && streq(argv[optind], "together") ? delete_set_by_set()
                                                                : for_each_copy(delete_one);
        }
        if (streq(verb, "break") && n == 1)
                return verb_break(argv[optind]);
        if (streq(verb, "revert"))
                return for_each_copy(revert_one);
        if (streq(verb, "recover"))
                return verb_recover();
        if (streq(verb, "activate"))
                return for_each_copy(activate_one);
        if (streq(verb, "usage"))
                return for_each_copy(usage_one);
        if (streq(verb, "probe"))
                return verb_probe(argv + optind, n);
        if (streq(verb, "volumes"))
                return verb_volumes();
        return 2;
}
