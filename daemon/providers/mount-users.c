/* See mount-users.h. Looks through /proc by the paths that the kernel gives for working
 * directories, roots, open files and mappings; it opens none of them, so a dead network mount
 * elsewhere cannot hold it up. Stateless. */

#include "daemon/providers/mount-users.h"
#include "common/util.h"
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define USERS_MAX 5

/* Where to look. A path says where a process of another mount namespace or root believes to be:
 * enough for a message, and not to send it a signal. */
struct place {
        const char *directory;
        bool exact;
        dev_t file_system; /* if so */
};

static bool link_leads_below(const char *path, const struct place *place) {
        char target[PATH_MAX];
        size_t length = strlen(place->directory);
        ssize_t l = readlink(path, target, sizeof(target) - 1);
        struct stat st;

        if (l < 0)
                return false;
        target[l] = '\0';
        if (strncmp(target, place->directory, length) != 0 ||
            (target[length] != '\0' && target[length] != '/'))
                return false;
        return !place->exact || (stat(path, &st) == 0 && st.st_dev == place->file_system);
}

static bool any_leads_below(const char *pid, const char *directory, const struct place *place) {
        _cleanup_(closedirp) DIR *files = NULL;
        char path[PATH_MAX];
        struct dirent *entry;

        (void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, directory);
        files = opendir(path);
        while (files && (entry = readdir(files))) {
                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(path, sizeof(path), "/proc/%s/%s/%s", pid, directory, entry->d_name);
                if (link_leads_below(path, place))
                        return true;
        }
        return false;
}

static bool is_user(const char *pid, const struct place *place) {
        static const char *const links[] = { "cwd", "root", "exe" };
        char path[PATH_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
                (void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, links[i]);
                if (link_leads_below(path, place))
                        return true;
        }
        /* What is mapped keeps a mount when the file is closed. */
        return any_leads_below(pid, "fd", place) || any_leads_below(pid, "map_files", place);
}

static void read_name(const char *pid, char name[static 32]) {
        _cleanup_(fclosep) FILE *f = NULL;
        char path[PATH_MAX];

        (void)snprintf(path, sizeof(path), "/proc/%s/comm", pid);
        f = fopen(path, "re");
        if (!f || !fgets(name, 32, f))
                (void)snprintf(name, 32, "a process");
        name[strcspn(name, "\n")] = '\0';
}

char *mount_users(const char *directory) {
        const struct place place = { .directory = directory };
        _cleanup_(closedirp) DIR *processes = opendir("/proc");
        struct dirent *entry;
        char *list = NULL;
        unsigned n = 0;

        while (processes && n < USERS_MAX && (entry = readdir(processes))) {
                char name[32], *longer;

                if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
                    !is_user(entry->d_name, &place))
                        continue;
                read_name(entry->d_name, name);
                if (str_format(&longer, "%s%s%s (%s)", str_or_empty(list), list ? ", " : "", name,
                               entry->d_name) < 0)
                        break;
                free(list);
                list = longer;
                n++;
        }
        return list;
}

/* Held before it is looked at: its number may be another's by the time of the signal. */
static bool end_user(long pid, const char *name, const struct place *place, int signal) {
        int fd = pid > 1 && pid != getpid() ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
        bool user = is_user(name, place);

        if (user && fd >= 0)
                (void)syscall(SYS_pidfd_send_signal, fd, signal, NULL,
                              0); /* it may have ended by itself */
        (void)safe_close(fd);
        return user;
}

unsigned mount_users_end(const char *directory, dev_t file_system, int signal) {
        const struct place place = { .directory = directory,
                                     .exact = true,
                                     .file_system = file_system };
        _cleanup_(closedirp) DIR *processes = opendir("/proc");
        struct dirent *entry;
        unsigned n = 0;

        while (processes && (entry = readdir(processes))) {
                long pid = strtol(entry->d_name, NULL, 10); /* 0: not a number */

                if (pid > 0)
                        n += end_user(pid, entry->d_name, &place, signal);
        }
        return n;
}
