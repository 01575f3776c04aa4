/* vssctl export: a copy's block device, read-only, over NBD, until it is told to stop. nbdkit does
 * the serving. As long as it does the copy is in use, and is deleted by force only: then the export
 * ends. */

#include "cli/interrupt.h"
#include "cli/message.h"
#include "cli/nbd-listener.h"
#include "cli/nbd-server.h"
#include "cli/output-json.h"
#include "cli/resolve-id.h"
#include "cli/run-command.h"
#include "cli/snapshot-output.h"
#include "cli/verb.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#define DIRECTORY "/run/vss-export"
#define LOOK_MSEC 500        /* is the server still there? */
#define LOOKS_PER_QUESTION 4 /* is the copy? */

struct export {
        VSS_SNAPSHOT_INFO **snapshots;
        const VSS_SNAPSHOT_INFO *copy; /* borrowed of them */
        struct nbd_listener listener;
        int device;
        uint64_t size;
        pid_t server; /* 0: none */
        int leash;    /* its */
};

static void export_done(struct export *e) {
        if (e->server > 0)
                nbd_server_stop(e->server);
        (void)safe_close(e->leash);
        nbd_listener_close(&e->listener);
        (void)safe_close(e->device);
        VssFreeSnapshots(e->snapshots);
}

/* --- which copy --- */

static int find_copy(struct export *e, const char *word) {
        struct resolved what;
        HRESULT hr;
        int r;

        hr = VssListSnapshots(NULL, &e->snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        r = resolve_id_or_say(&what, word, e->snapshots);
        if (r != EXIT_DONE)
                return r;
        for (VSS_SNAPSHOT_INFO **s = e->snapshots; *s; s++)
                if (memcmp(&(*s)->properties.m_SnapshotId, &what.id, sizeof(what.id)) == 0)
                        e->copy = *s;
        if (what.type != VSS_OBJECT_SNAPSHOT || !e->copy) {
                message(MESSAGE_ERROR, "%s is a set: one copy is exported at a time, name that",
                        word);
                return EXIT_USAGE;
        }
        if (str_empty(e->copy->properties.m_pwszSnapshotDeviceObject)) {
                message(MESSAGE_ERROR,
                        "%s is transportable and was not imported here; import it first", word);
                return EXIT_FAILED;
        }
        if (str_empty(e->copy->block_device)) {
                message(MESSAGE_ERROR,
                        "the copy is a directory, %s, and no block device; it can be read there, "
                        "or shared with other hosts ('vssctl expose --share')",
                        e->copy->properties.m_pwszSnapshotDeviceObject);
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

static void read_of_mapper(dev_t device, const char *what, char text[static 256]) {
        _cleanup_(fclosep) FILE *f = NULL;
        char path[64];

        text[0] = '\0';
        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/dm/%s", major(device),
                       minor(device), what);
        f = fopen(path, "re");
        if (f)
                text[fread(text, 1, 255, f)] = '\0';
        text[strcspn(text, "\n")] = '\0';
}

/* A link can be older than the device behind it: numbers are used again, by any volume. */
static bool is_copy(dev_t device) {
        char name[256], uuid[256];

        read_of_mapper(device, "name", name);
        read_of_mapper(device, "uuid", uuid);
        return strncmp(uuid, "VSS-COPY-", strlen("VSS-COPY-")) == 0 ||
               (strncmp(uuid, "LVM-", strlen("LVM-")) == 0 && strstr(name, "-vss_ShadowCopy"));
}

/* From here on it is in use. */
static int open_device(struct export *e) {
        const char *path = str_or_empty(e->copy->block_device);
        struct stat st;
        off_t size;

        e->device = open(path, O_RDONLY | O_CLOEXEC);
        if (e->device < 0 || fstat(e->device, &st) < 0) {
                message(MESSAGE_ERROR, "%s cannot be read: %s", path, strerror(errno));
                return errno == EACCES || errno == EPERM ? EXIT_ACCESS_DENIED : EXIT_FAILED;
        }
        size = S_ISBLK(st.st_mode) ? lseek(e->device, 0, SEEK_END) : -1;
        if (size < 0) {
                message(MESSAGE_ERROR, "%s is no block device", path);
                return EXIT_FAILED;
        }
        if (!is_copy(st.st_rdev)) {
                message(MESSAGE_ERROR,
                        "%s leads to a device that is no copy (was its volume group deactivated?); "
                        "it is not served",
                        path);
                return EXIT_FAILED;
        }
        e->size = (uint64_t)size;
        return EXIT_DONE;
}

/* --- serving it --- */

static int say_not_installed(void) {
        message(MESSAGE_ERROR, NBD_SERVER " is not installed, which serves copies over NBD; "
                                          "install it (apt install nbdkit)");
        return EXIT_FAILED;
}

/* Where nothing is said: a socket of its own for each copy. */
static int name_socket(const struct export *e, char **ret) {
        int r;

        r = nbd_listener_make_directory(DIRECTORY);
        if (r < 0) {
                message(MESSAGE_ERROR,
                        DIRECTORY " cannot be used for the copy's socket: %s; name one (--socket)",
                        strerror(-r));
                return r == -EACCES ? EXIT_ACCESS_DENIED : EXIT_FAILED;
        }
        return str_format(ret, DIRECTORY "/%s.sock", snapshot_name(e->copy)) < 0
                       ? message_out_of_memory()
                       : EXIT_DONE;
}

static int listen_there(struct export *e, const struct option_values *options) {
        _cleanup_(freep) char *own = NULL;
        const char *path = options->socket, *where, *sentence;
        int r;

        if (!path && !options->listen) {
                r = name_socket(e, &own);
                if (r != EXIT_DONE)
                        return r;
                path = own;
        }
        where = path ? path : options->listen;
        r = nbd_listener_open(&e->listener, path, options->listen, options->tls != NULL, &sentence);
        if (r == -ENOMEM)
                return message_out_of_memory();
        if (r < 0 && sentence) {
                message(MESSAGE_ERROR, "%s: %s", where, sentence);
                return EXIT_USAGE;
        }
        if (r < 0) {
                message(MESSAGE_ERROR, "nothing can be served at %s: %s", where, strerror(-r));
                return EXIT_FAILED;
        }
        if (!path && !options->tls)
                message(MESSAGE_WARNING,
                        "whoever reaches %s reads all of the copy, any user of this machine, too: "
                        "nobody is asked who they are, and nothing is encrypted (--tls, or a "
                        "tunnel to --socket)",
                        e->listener.uri);
        return EXIT_DONE;
}

static int say_ended(struct export *e, int status) {
        e->server = 0;
        message(MESSAGE_ERROR, NBD_SERVER " has ended (%s %d); nothing is served",
                WIFSIGNALED(status) ? "signal" : "status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        return EXIT_FAILED;
}

static int start(struct export *e, const struct option_values *options) {
        int r, status = 0;

        r = nbd_server_start(&e->server, &e->leash, e->device, e->listener.fd, options->tls);
        if (r == -ENOENT)
                return say_not_installed();
        if (r < 0) {
                message(MESSAGE_ERROR, "cannot start " NBD_SERVER ": %s", strerror(-r));
                return EXIT_FAILED;
        }
        /* Nobody is told before it is true. */
        r = nbd_server_await(e->server, e->listener.fd, &status);
        if (r == -ECHILD)
                return say_ended(e, status);
        if (r == -EINTR && interrupt_pending() != 0)
                return EXIT_SIGNAL + interrupt_pending();
        if (r < 0) {
                message(MESSAGE_ERROR, NBD_SERVER " does not serve: %s", strerror(-r));
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

static void print(const struct export *e, const struct cli *cli) {
        const struct option_values *options = &cli->line.options;
        char id[VSS_ID_STRING_SIZE];
        struct json j;

        VssIdToString(e->copy->properties.m_SnapshotId, id);
        if (options->json) {
                json_init(&j, stdout);
                json_object_begin(&j, NULL);
                json_string(&j, "snapshot_id", id);
                json_string(&j, "uri", e->listener.uri);
                json_uint(&j, "size_bytes", e->size);
                json_null(&j, "service");
                json_object_end(&j);
                json_done(&j);
        } else
                printf("%s\n", e->listener.uri);
        fflush(stdout);
        if (cli->terminal.errors && !options->json)
                message(MESSAGE_NOTICE, "serving %s, the copy of %s; Ctrl-C ends it",
                        snapshot_name(e->copy), e->copy->properties.m_pwszOriginalVolumeName);
}

/* To a service manager that waits for it: sd_notify(3). */
static void say_ready(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path = getenv("NOTIFY_SOCKET");
        static const char text[] = "READY=1";
        int fd;

        if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path))
                return;
        memcpy(address.sun_path, path, strlen(path));
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return;
        (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                                 strlen(path))); /* or it waits in vain, and says so */
        (void)safe_close(fd);
}

/* A service that does not answer, as it is being restarted, has not deleted it. */
static bool is_gone(const struct export *e) {
        char id[VSS_ID_STRING_SIZE], condition[sizeof("set=") + VSS_ID_STRING_SIZE];
        VSS_SNAPSHOT_INFO **snapshots = NULL;
        bool gone = true;

        snprintf(condition, sizeof(condition), "set=%s",
                 VssIdToString(e->copy->properties.m_SnapshotSetId, id));
        if (FAILED(VssListSnapshots((const LPCWSTR[]){ condition, NULL }, &snapshots, NULL)))
                return false;
        for (VSS_SNAPSHOT_INFO **s = snapshots; *s; s++)
                if (memcmp(&(*s)->properties.m_SnapshotId, &e->copy->properties.m_SnapshotId,
                           sizeof(VSS_ID)) == 0)
                        gone = false;
        VssFreeSnapshots(snapshots);
        return gone;
}

/* Until a signal, the end of stdin, or of what is served or serves. */
static int hold(struct export *e) {
        for (unsigned n = 1; interrupt_hold(LOOK_MSEC) == HOLD_TICK; n++) {
                int status = 0;

                if (nbd_server_look(e->server, &status) == 0)
                        return say_ended(e, status);
                if (n % LOOKS_PER_QUESTION == 0 && is_gone(e)) {
                        message(MESSAGE_ERROR, "the copy is gone: it was deleted; what was read "
                                               "last may be no data");
                        return EXIT_FAILED;
                }
        }
        return EXIT_DONE;
}

/* --- in the background --- */

/* What names a variable would be replaced by its value (systemd.service(5)). */
static int add_option(char ***argv, const char *name, const char *value) {
        _cleanup_(freep) char *word = NULL, *escaped = NULL;
        char *to;

        if (!value)
                return 0;
        to = escaped = malloc(2 * strlen(value) + 1);
        if (!escaped)
                return -ENOMEM;
        for (; *value; value++) {
                if (*value == '$')
                        *to++ = '$';
                *to++ = *value;
        }
        *to = '\0';
        return str_format(&word, "--%s=%s", name, escaped) < 0 ? -ENOMEM : strv_append(argv, word);
}

static int build_unit(char ***argv, const struct export *e, const struct option_values *options) {
        _cleanup_(freep) char *unit = NULL, *tls = NULL;
        char self[4096], id[VSS_ID_STRING_SIZE];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        int r;

        if (n < 0)
                return -errno;
        self[n] = '\0';
        /* The service is in another directory. */
        if (options->tls && !(tls = realpath(options->tls, NULL)))
                return -errno;
        r = str_format(&unit, "--unit=vss-export-%s", snapshot_name(e->copy));
        if (r >= 0) {
                const char *const words[] = {
                        "systemd-run",
                        unit,
                        "--collect",
                        "--quiet",
                        "--service-type=notify",
                        "--property=NoNewPrivileges=yes",
                        self,
                        "export",
                };

                for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(words); i++)
                        r = strv_append(argv, words[i]);
        }
        if (r >= 0)
                r = add_option(argv, "address", options->address);
        if (r >= 0)
                r = add_option(argv, "socket", options->socket);
        if (r >= 0)
                r = add_option(argv, "listen", options->listen);
        if (r >= 0)
                r = add_option(argv, "tls", tls);
        if (r >= 0)
                r = strv_append(argv, VssIdToString(e->copy->properties.m_SnapshotId, id));
        return r;
}

/* Where it is to be had it has found out by itself, and told the journal. */
static void print_unit(const struct export *e) {
        char id[VSS_ID_STRING_SIZE], unit[128];
        struct json j;

        (void)snprintf(unit, sizeof(unit), "vss-export-%s.service", snapshot_name(e->copy));
        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_string(&j, "snapshot_id", VssIdToString(e->copy->properties.m_SnapshotId, id));
        json_null(&j, "uri");
        json_null(&j, "size_bytes");
        json_string(&j, "service", unit);
        json_object_end(&j);
        json_done(&j);
}

/* A service of its own, by the same words: what it says is in the journal. */
static int run_unit(const struct export *e, const struct option_values *options) {
        const bool named = options->socket || options->listen;
        _cleanup_(strv_freep) char **argv = NULL;
        int r, status, sig;

        if (run_command_check(NBD_SERVER) < 0)
                return say_not_installed();
        r = build_unit(&argv, e, options);
        if (r >= 0)
                r = run_command(argv, environ, &status, &sig);
        if (r == -ENOMEM)
                return message_out_of_memory();
        if (r < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
                message(MESSAGE_ERROR,
                        "the service vss-export-%s did not start%s%s; 'journalctl "
                        "-u vss-export-%s' has more",
                        snapshot_name(e->copy), r < 0 ? ": " : "", r < 0 ? strerror(-r) : "",
                        snapshot_name(e->copy));
                return EXIT_FAILED;
        }
        if (options->json) {
                print_unit(e);
                return EXIT_DONE;
        }
        message(MESSAGE_NOTICE, "served by vss-export-%s.service%s%s%s; 'systemctl stop' ends it",
                snapshot_name(e->copy), named ? "" : " at " DIRECTORY "/",
                named ? "" : snapshot_name(e->copy), named ? "" : ".sock");
        return EXIT_DONE;
}

int verb_export(const struct cli *cli) {
        _cleanup_(export_done) struct export e = { .listener.fd = -1, .device = -1, .leash = -1 };
        const struct option_values *options = &cli->line.options;
        int r;

        if (options->socket && options->listen) {
                message(MESSAGE_ERROR, "--socket and --listen exclude each other");
                return EXIT_USAGE;
        }
        r = find_copy(&e, cli->line.arguments[0]);
        if (r == EXIT_DONE && options->background)
                return run_unit(&e, options);
        if (r == EXIT_DONE)
                r = open_device(&e);
        if (r == EXIT_DONE)
                r = listen_there(&e, options);
        if (r != EXIT_DONE)
                return r;
        interrupt_install();
        r = start(&e, options);
        if (r != EXIT_DONE)
                return r;
        print(&e, cli);
        say_ready();
        return hold(&e);
}
