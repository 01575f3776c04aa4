/* See exposed-share.h. */

#include "daemon/providers/exposed-share.h"

#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/job/run-program.h"

#include <stdio.h>
#include <strings.h>

#define TOOL_TIMEOUT_USEC (60 * USEC_PER_SEC)
#define NAME_MAX_BYTES 80 /* of Samba */
#define TOOL_PATH_MAX 64

static const char *const system_tools[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin", NULL };

const char *const *exposed_share_tools = system_tools;
const char *exposed_share_root = EXPOSED_SHARE_ROOT;
static char *const *nfs_clients;

void exposed_share_set_clients(char *const *clients) {
        nfs_clients = clients;
}

int exposed_share_check_client(const char *client, struct vss_error *reterr) {
        static const char allowed[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                ".-_*?@:/[]";

        if (*client == '\0' || *client == '-' || strlen(client) > 255 ||
            client[strspn(client, allowed)] != '\0')
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "\"%s\" is no client as exports(5) has them: a host, a "
                                     "network, @netgroup or *, and [ADDRESS] for IPv6",
                                     client);
        return 0;
}

static bool find_tool(const char *name, char path[static TOOL_PATH_MAX]) {
        for (const char *const *d = exposed_share_tools; *d; d++)
                if (snprintf(path, TOOL_PATH_MAX, "%s/%s", *d, name) < TOOL_PATH_MAX &&
                    access(path, X_OK) == 0)
                        return true;
        return false;
}

/* Runs a tool; its words follow, ended by NULL. ret_output may be NULL. */
static int run_tool(char *path, char **ret_output, struct vss_error *reterr,
                    const char *const *words) {
        struct vss_error error = { 0 };
        char *argv[16] = { path };
        size_t n = 1;
        int r;

        for (; *words; words++) {
                assert(n + 1 < ARRAY_SIZE(argv));
                argv[n++] = (char *)(uintptr_t)*words; /* execve() does not write there */
        }
        r = ret_output ? run_program_output(argv, TOOL_TIMEOUT_USEC, ret_output, &error)
                       : run_program(argv, TOOL_TIMEOUT_USEC, &error);
        if (r < 0)
                (void)vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, error.cause, "%s",
                                    str_or_empty(error.message));
        vss_error_done(&error);
        return r;
}
#define WORDS(...)                \
        (const char *const[]) {   \
                __VA_ARGS__, NULL \
        }

/* --- Samba --- */

/* 1: there is one of that name; Samba's names have no case. */
static int smb_has(char *tool, const char *name, struct vss_error *reterr) {
        _cleanup_(freep) char *output = NULL;
        size_t length = strlen(name);
        int r;

        r = run_tool(tool, &output, reterr, WORDS("usershare", "info", "--long", name));
        if (r < 0)
                return r;
        for (const char *line = output; line;
             line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (line[0] == '[' && strncasecmp(line + 1, name, length) == 0 &&
                    line[1 + length] == ']')
                        return 1;
        return 0;
}

static int smb_add(char *tool, const char *name, const char *directory, VSS_ID id _unused_,
                   struct vss_error *reterr) {
        /* Who is let in says Samba's own configuration, and what they read the files' modes. The id
         * is everyone's: to look up that name net would ask smbd, which may not run yet. */
        return run_tool(tool, NULL, reterr,
                        WORDS("usershare", "add", name, directory, "Shadow copy, read-only",
                              "S-1-1-0:R", "guest_ok=n"));
}

static int smb_remove(char *tool, const char *name, const char *directory _unused_,
                      struct vss_error *reterr) {
        char control[TOOL_PATH_MAX];
        int r;

        r = smb_has(tool, name, reterr);
        if (r <= 0)
                return r;
        r = run_tool(tool, NULL, reterr, WORDS("usershare", "delete", name));
        /* Who is connected would keep the copy; where smbd does not run there is nobody. */
        if (r >= 0 && find_tool("smbcontrol", control))
                (void)run_tool(control, NULL, NULL, WORDS("smbd", "close-share", name));
        return r;
}

/* --- NFS --- */

static int nfs_has(char *tool _unused_, const char *name _unused_,
                   struct vss_error *reterr _unused_) {
        return 0; /* the directory is ours, and so is every export of it */
}

/* To succeed it is not enough to end well: of a host that it cannot find it only says so. */
static int nfs_export(char *tool, const char *client, const char *directory, const char *options,
                      struct vss_error *reterr) {
        _cleanup_(freep) char *what = NULL, *output = NULL;
        int r;

        r = str_format(&what, "%s:%s", client, directory);
        if (r < 0)
                return vss_error_from_errno(reterr, r, directory);
        r = run_tool(tool, &output, reterr, WORDS("-o", options, what));
        if (r < 0 || *output == '\0')
                return r;
        output[strcspn(output, "\n")] = '\0';
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "The copy was not exported to %s: %s", client, output);
}

static int nfs_add(char *tool, const char *name _unused_, const char *directory, VSS_ID id,
                   struct vss_error *reterr) {
        _cleanup_(freep) char *options = NULL;
        char text[VSS_ID_TEXT_MAX];
        int r;

        /* With the check a client cannot guess its way from an exposed part to the rest of the
         * copy. What it costs elsewhere, handles that a rename makes stale, a read-only export does
         * not pay. */
        if (str_format(&options, "ro,root_squash,subtree_check,fsid=%s", vss_id_format(id, text)) <
            0)
                return vss_error_from_errno(reterr, -ENOMEM, directory);
        r = 0;
        for (char *const *client = nfs_clients; r >= 0 && client && *client; client++)
                r = nfs_export(tool, *client, directory, options, reterr);
        return r;
}

/* As the list has them IPv6 addresses have no brackets, which they need on the command line. */
static int nfs_name_client(char **ret, const char *client, const char *directory) {
        size_t n = strcspn(client, "/");

        if (!strchr(client, ':') || client[0] == '[')
                return str_format(ret, "%s:%s", client, directory);
        return str_format(ret, "[%.*s]%s:%s", (int)n, client, client + n, directory);
}

/* For whom, says the list of exports: the configuration may have been another one. A line is
 * "DIRECTORY  CLIENT(options)". */
static int nfs_remove(char *tool, const char *name _unused_, const char *directory,
                      struct vss_error *reterr) {
        _cleanup_(freep) char *output = NULL;
        size_t length = strlen(directory);
        char *rest, *line;
        int r;

        r = run_tool(tool, &output, reterr, WORDS("-s"));
        if (r < 0)
                return r;
        for (line = strtok_r(output, "\n", &rest); r >= 0 && line;
             line = strtok_r(NULL, "\n", &rest)) {
                _cleanup_(freep) char *what = NULL;
                char *client = line + length;

                if (strncmp(line, directory, length) != 0 || !strchr(" \t", *client) ||
                    *client == '\0')
                        continue;
                client += strspn(client, " \t");
                client[strcspn(client, "(")] = '\0';
                if (*client == '\0')
                        continue;
                r = nfs_name_client(&what, client, directory);
                r = r < 0 ? vss_error_from_errno(reterr, r, directory)
                          : run_tool(tool, NULL, reterr, WORDS("-u", what));
        }
        /* The kernel holds on to what it has served. */
        if (r >= 0)
                (void)run_tool(tool, NULL, NULL, WORDS("-f"));
        return r;
}

/* --- both --- */

static const struct service {
        const char *kind, *tool;
        bool by_directory; /* how a share of it is known */
        bool needs_clients;
        int (*has)(char *tool, const char *name, struct vss_error *reterr);
        int (*add)(char *tool, const char *name, const char *directory, VSS_ID id,
                   struct vss_error *reterr);
        int (*remove)(char *tool, const char *name, const char *directory,
                      struct vss_error *reterr);
} services[] = {
        { .kind = "smb", .tool = "net", .has = smb_has, .add = smb_add, .remove = smb_remove },
        { .kind = "nfs",
          .tool = "exportfs",
          .by_directory = true,
          .needs_clients = true,
          .has = nfs_has,
          .add = nfs_add,
          .remove = nfs_remove },
};

static const struct service *service_of(const char *share) {
        for (size_t i = 0; i < ARRAY_SIZE(services); i++)
                if (services[i].by_directory == (share[0] == '/'))
                        return &services[i];
        return NULL;
}

static const char *name_of(const char *share) {
        const char *slash = strrchr(share, '/');

        return slash ? slash + 1 : share;
}

/* "smb:", "nfs:" or neither. */
static bool is_of_kind(const struct service *s, const char **wanted) {
        size_t n = strlen(s->kind);

        if (strncmp(*wanted, s->kind, n) != 0 || (*wanted)[n] != ':')
                return false;
        *wanted += n + 1;
        return true;
}

/* What every service takes for a name, and no tool for an option. */
static int check_name(const char *name, struct vss_error *reterr) {
        static const char allowed[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                ".-_";
        static const char *const taken[] = { "global", "homes", "printers", "print", "ipc" };
        bool good = strlen(name) <= NAME_MAX_BYTES && name[strspn(name, allowed)] == '\0' &&
                    !strchr(".-", name[0]); /* nor is it empty */

        for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
                good = good && strcasecmp(name, taken[i]) != 0;
        if (good)
                return 0;
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "\"%s\" is no name for a share: use letters, digits, '.', '-' and "
                             "'_', at most %d",
                             name, NAME_MAX_BYTES);
}

static int use(const struct service *s, char *tool, const char *name, char **ret,
               struct vss_error *reterr) {
        int r;

        r = s->has(tool, name, reterr);
        if (r < 0)
                return r;
        if (r > 0)
                return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EEXIST,
                                     "There is a share %s already", name);
        r = s->by_directory ? str_format(ret, "%s/%s", exposed_share_root, name)
                            : str_replace(ret, name);
        return r < 0 ? vss_error_from_errno(reterr, r, name) : 0;
}

int exposed_share_choose(const char *wanted, const char *own_name, char **ret,
                         struct vss_error *reterr) {
        const struct service *only = NULL;
        bool without_clients = false;
        char tool[TOOL_PATH_MAX];
        int r;

        for (size_t i = 0; !only && i < ARRAY_SIZE(services); i++)
                if (is_of_kind(&services[i], &wanted))
                        only = &services[i];
        if (*wanted == '\0')
                wanted = own_name;
        r = check_name(wanted, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
                const struct service *s = &services[i];

                if ((only && s != only) || !find_tool(s->tool, tool))
                        continue;
                if (!s->needs_clients || (nfs_clients && *nfs_clients))
                        return use(s, tool, wanted, ret, reterr);
                without_clients = true;
        }
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, ENOENT, "A copy is shared by %s, and %s",
                             only ? streq(only->kind, "smb") ? "Samba" : "NFS" : "Samba or NFS",
                             without_clients
                                     ? "NFS is to serve nobody: name the clients in "
                                       "vssd.conf, [Shares] NfsClients="
                                     : "its tool is not installed (net of Samba, exportfs of NFS)");
}

int exposed_share_directory(const char *share, char **ret, struct vss_error *reterr) {
        if (str_format(ret, "%s/%s", exposed_share_root, name_of(share)) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, share);
        return 0;
}

int exposed_share_add(const char *share, VSS_ID id, struct vss_error *reterr) {
        const struct service *s = service_of(share);
        _cleanup_(freep) char *directory = NULL;
        char tool[TOOL_PATH_MAX];
        int r;

        if (!find_tool(s->tool, tool))
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, ENOENT,
                                     "%s, which would share the copy as %s, is not installed",
                                     s->tool, share);
        r = exposed_share_directory(share, &directory, reterr);
        return r < 0 ? r : s->add(tool, name_of(share), directory, id, reterr);
}

int exposed_share_remove(const char *share, struct vss_error *reterr) {
        const struct service *s = service_of(share);
        _cleanup_(freep) char *directory = NULL;
        char tool[TOOL_PATH_MAX];
        int r;

        if (!find_tool(s->tool, tool))
                return 0; /* nobody serves it */
        r = exposed_share_directory(share, &directory, reterr);
        return r < 0 ? r : s->remove(tool, name_of(share), directory, reterr);
}
