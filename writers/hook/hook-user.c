/* Users, looked up once, while name services may still be asked. */

#include "writers/hook/hook-command.h"

#include <grp.h>
#include <pwd.h>

#define GROUPS_MAX 65536 /* the kernel's own limit */
#define ENTRY_SIZE_MAX (1024U * 1024U)

void hook_user_done(struct hook_user *u) {
        free(u->groups);
        free(u->name);
        free(u->home);
        free(u->shell);
        *u = (struct hook_user){ 0 };
}

/* name NULL: our own entry. *buf holds the strings of *entry. */
static int find_entry(struct passwd *entry, char **buf, const char *name) {
        struct passwd *found = NULL;

        for (size_t size = 4096; size <= ENTRY_SIZE_MAX; size *= 2) {
                int error;

                free(*buf);
                *buf = malloc(size);
                if (!*buf)
                        return -ENOMEM;
                error = name ? getpwnam_r(name, entry, *buf, size, &found)
                             : getpwuid_r(geteuid(), entry, *buf, size, &found);
                if (error == ERANGE)
                        continue;
                if (error != 0)
                        return -error;
                return found ? 0 : -ESRCH;
        }
        return -ERANGE;
}

static int find_groups(struct hook_user *u) {
        int n = 64;

        for (;;) {
                gid_t *grown;
                int before = n;

                grown = reallocarray(u->groups, (size_t)n, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                u->groups = grown;
                if (getgrouplist(u->name, u->gid, u->groups, &n) >= 0) {
                        u->n_groups = (size_t)n;
                        return 0;
                }
                if (n > GROUPS_MAX)
                        return -E2BIG;
                if (n <= before)
                        n = before * 2;
        }
}

int hook_user_find(struct hook_user *ret, const char *name) {
        _cleanup_(hook_user_done) struct hook_user u = { 0 };
        _cleanup_(freep) char *buf = NULL;
        struct passwd entry;
        int r;

        r = find_entry(&entry, &buf, name);
        if (r < 0)
                return r;

        u.uid = entry.pw_uid;
        u.gid = entry.pw_gid;
        r = str_replace(&u.name, entry.pw_name);
        if (r >= 0)
                r = str_replace(&u.home, str_or_empty(entry.pw_dir));
        if (r >= 0)
                r = str_replace(&u.shell, str_empty(entry.pw_shell) ? "/bin/sh" : entry.pw_shell);
        if (r >= 0)
                r = find_groups(&u);
        if (r < 0)
                return r;

        *ret = u;
        u = (struct hook_user){ 0 };
        return 0;
}
