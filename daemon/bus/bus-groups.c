/* The groups of a user: see bus-groups.h. */

#include "daemon/bus/bus-groups.h"

#include "daemon/job/job.h"

#include <grp.h>
#include <pwd.h>

#define GROUPS_MAX 1024

struct bus_groups_job {
        uid_t uid;
        gid_t groups[GROUPS_MAX];
        size_t n;
        bus_groups_fn done; /* NULL: abandoned */
        void *userdata;
};

static int groups_run(struct job *job _unused_, void *userdata, struct vss_error *reterr _unused_) {
        struct bus_groups_job *j = userdata;
        struct passwd entry, *found = NULL;
        int n = GROUPS_MAX;
        char buf[16384];

        if (getpwuid_r(j->uid, &entry, buf, sizeof(buf), &found) != 0 || !found)
                return -ENOENT;
        /* Fewer than there are, if there are more than fit: that can only deny. */
        if (getgrouplist(found->pw_name, found->pw_gid, j->groups, &n) < 0)
                n = GROUPS_MAX;
        j->n = (size_t)n;
        return 0;
}

static void groups_done(void *userdata, int r, struct vss_error *error _unused_) {
        struct bus_groups_job *j = userdata;

        if (j->done)
                j->done(j->userdata, j->groups, r < 0 ? 0 : j->n);
        free(j);
}

int bus_groups_start(struct bus_groups_job **ret, sd_event *event, uid_t uid, bus_groups_fn done,
                     void *userdata) {
        struct bus_groups_job *j;
        int r;

        j = calloc(1, sizeof(*j));
        if (!j)
                return -ENOMEM;
        j->uid = uid;
        j->done = done;
        j->userdata = userdata;
        r = job_start(NULL, event, "user-groups", groups_run, groups_done, j);
        if (r < 0) {
                free(j);
                return r;
        }
        *ret = j;
        return 0;
}

struct bus_groups_job *bus_groups_abandon(struct bus_groups_job *j) {
        j->done = NULL;
        return NULL;
}
