/* See mount-users.h. Looks through /proc by the paths that the kernel gives for working
 * directories, roots and open files; it opens none of them, so a dead network mount elsewhere
 * cannot hold it up. Stateless. */

#include "daemon/providers/mount-users.h"
#include "common/util.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>

#define USERS_MAX 5

static bool link_leads_below(const char *path, const char *directory) {
        char target[PATH_MAX];
        size_t length = strlen(directory);
        ssize_t l = readlink(path, target, sizeof(target) - 1);

        if (l < 0)
                return false;
        target[l] = '\0';
        return strncmp(target, directory, length) == 0 &&
               (target[length] == '\0' || target[length] == '/');
}

static bool holds_open(const char *pid, const char *directory) {
        _cleanup_(closedirp) DIR *files = NULL;
        char path[PATH_MAX];
        struct dirent *entry;

        (void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
        files = opendir(path);
        while (files && (entry = readdir(files))) {
                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, entry->d_name);
                if (link_leads_below(path, directory))
                        return true;
        }
        return false;
}

static bool is_user(const char *pid, const char *directory) {
        static const char *const links[] = { "cwd", "root", "exe" };
        char path[PATH_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
                (void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, links[i]);
                if (link_leads_below(path, directory))
                        return true;
        }
        return holds_open(pid, directory);
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
        _cleanup_(closedirp) DIR *processes = opendir("/proc");
        struct dirent *entry;
        char *list = NULL;
        unsigned n = 0;

        while (processes && n < USERS_MAX && (entry = readdir(processes))) {
                char name[32], *longer;

                if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
                    !is_user(entry->d_name, directory))
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
