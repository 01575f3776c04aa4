/* See suspend-list.h. A rescue is shared by the caller and a thread for each origin; whoever lets
 * go of it last frees it, because a resume may hang long after nobody waits for it any more. */

#include "daemon/window/suspend-list.h"
#include "common/alive-lock.h"
#include "common/thread.h"
#include "daemon/window/dm-request.h"
#include "daemon/window/futex.h"
#include "daemon/window/other-device.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <time.h>

#define PREFIX "window-"
#define UNARMED "new-window-" /* nothing was suspended by it */
#define RESUME_ATTEMPTS 3
#define WAKE_PAUSE_NSEC (20L * 1000 * 1000)
/* More than a set can have; what lies in the directory is root's, and may be damaged all the same.
 */
#define ORIGINS_MAX 1024

struct suspend_list {
        char *directory, *path, *unarmed; /* path: once it is armed */
        bool written, armed;
        int lock_fd;
};

enum origin_fate { FATE_PENDING, FATE_UNTOUCHED, FATE_RESUMED, FATE_FAILED };

struct rescue;

struct rescued_origin {
        struct rescue *rescue;
        char *list;        /* its path: it was named there */
        bool list_damaged; /* and others perhaps, too, that could not be read */
        dev_t device;
        bool clears_inactive_table;
        char uuid[DM_UUID_LEN];
        struct dm_request *status, *clear, *resume;
        struct other_device *other; /* NULL: none */
        _Atomic uint32_t fate;      /* enum origin_fate */
};

struct rescue {
        const struct dm_kernel *kernel;
        int control_fd;
        struct rescued_origin *origins[ORIGINS_MAX];
        size_t n;
        bool given_up; /* its lists are still there when its last owner goes */
        futex_word n_done;
        _Atomic uint32_t n_owners;
};

static struct rescued_origin *origin_free(struct rescued_origin *o) {
        if (!o)
                return NULL;
        dm_request_free(o->status);
        dm_request_free(o->clear);
        dm_request_free(o->resume);
        other_device_free(o->other);
        free(o->list);
        free(o);
        return NULL;
}
DEFINE_CLEANUP(struct rescued_origin, origin_free);

/* Nothing that was read from the list is suspended any more, and all of it was read. */
static bool list_is_done(const struct rescue *s, const char *list) {
        for (size_t i = 0; i < s->n; i++) {
                const struct rescued_origin *o = s->origins[i];
                uint32_t fate = atomic_load(&o->fate);

                if (streq(o->list, list) &&
                    (o->list_damaged || (fate != FATE_RESUMED && fate != FATE_UNTOUCHED)))
                        return false;
        }
        return true;
}

/* What was late has come to its end, or has failed: of a list that stays the next start, days later
 * perhaps, resumes what another program has suspended by then. */
static void remove_done_lists(const struct rescue *s) {
        for (size_t i = 0; i < s->n; i++)
                if (list_is_done(s, s->origins[i]->list))
                        (void)unlink(s->origins[i]->list); /* perhaps by an origin before it */
}

static struct rescue *rescue_unref(struct rescue *s) {
        if (atomic_fetch_sub(&s->n_owners, 1) > 1)
                return NULL;
        if (s->given_up)
                remove_done_lists(s);
        for (size_t i = 0; i < s->n; i++)
                origin_free(s->origins[i]);
        s->control_fd = safe_close(s->control_fd);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(struct rescue, rescue_unref);

static int write_entries(FILE *f, const struct suspend_entry *entries, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (fprintf(f, "%u:%u %d %u:%u %d %s\n", major(entries[i].origin),
                            minor(entries[i].origin), entries[i].clears_inactive_table,
                            major(entries[i].other), minor(entries[i].other),
                            entries[i].other_works, entries[i].uuid) < 0)
                        return -EIO;
        errno = 0;
        return fflush(f) == 0 ? 0 : errno > 0 ? -errno : -EIO;
}

static int write_file(const char *path, const struct suspend_entry *entries, size_t n) {
        _cleanup_(fclosep) FILE *f = fopen(path, "we");

        return f ? write_entries(f, entries, n) : -errno;
}

struct suspend_list *suspend_list_free(struct suspend_list *l) {
        if (!l)
                return NULL;
        /* One that stays is looked at, and names nothing that is suspended. */
        if (l->armed)
                (void)unlink(l->path);
        else if (l->written)
                (void)unlink(l->unarmed);
        l->lock_fd = safe_close(l->lock_fd);
        free(l->directory);
        free(l->path);
        free(l->unarmed);
        free(l);
        return NULL;
}

static int list_fail(const struct suspend_list *l, int r, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED, -r,
                             "cannot note in %s which volumes are going to be held: %s",
                             l->directory, strerror(-r));
}

int suspend_list_new(struct suspend_list **ret, const char *directory,
                     const struct suspend_entry *entries, size_t n, struct vss_error *reterr) {
        static _Atomic unsigned count;
        _cleanup_(suspend_list_freep) struct suspend_list *l = NULL;
        unsigned number = atomic_fetch_add(&count, 1);
        unsigned long long now_usec = now_monotonic_usec();
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return vss_error_from_errno(reterr, -ENOMEM, directory);
        l->lock_fd = -1;
        /* No two of a boot have one name: a list of an earlier run is taken away late by its guard
         * or its rescue, when a process may have its number again. */
        if (str_format(&l->directory, "%s", directory) < 0 ||
            str_format(&l->path, "%s/" PREFIX "%d-%llu-%u", directory, (int)getpid(), now_usec,
                       number) < 0 ||
            str_format(&l->unarmed, "%s/" UNARMED "%d-%llu-%u", directory, (int)getpid(), now_usec,
                       number) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, directory);
        l->written = true; /* perhaps in part */
        r = write_file(l->unarmed, entries, n);
        if (r >= 0)
                r = alive_lock_hold(l->unarmed, &l->lock_fd);
        if (r < 0)
                return list_fail(l, r, reterr);
        *ret = TAKE_PTR(l);
        return 0;
}

int suspend_list_arm(struct suspend_list *l, struct vss_error *reterr) {
        assert(!l->armed);

        if (rename(l->unarmed, l->path) < 0)
                return list_fail(l, -errno, reterr);
        l->armed = true;
        return 0;
}

const char *suspend_list_path(const struct suspend_list *l) {
        return l ? l->path : NULL;
}

static int rescue_add(struct rescue *s, const char *list, const struct suspend_entry *e) {
        _cleanup_(origin_freep) struct rescued_origin *o = NULL;
        int r;

        if (s->n == ORIGINS_MAX)
                return -E2BIG;
        o = calloc(1, sizeof(*o));
        if (!o)
                return -ENOMEM;
        o->rescue = s;
        o->list = strdup(list);
        if (!o->list)
                return -ENOMEM;
        o->device = e->origin;
        o->clears_inactive_table = e->clears_inactive_table;
        memcpy(o->uuid, e->uuid, strnlen(e->uuid, sizeof(o->uuid) - 1));
        r = dm_request_new_status(&o->status, e->origin);
        if (r >= 0)
                r = dm_request_new_clear(&o->clear, e->origin);
        if (r >= 0)
                r = dm_request_new_resume(&o->resume, e->origin);
        if (r >= 0 && e->other != 0)
                r = other_device_new(&o->other, e->other, e->other_works);
        if (r >= 0)
                s->origins[s->n++] = TAKE_PTR(o);
        return r;
}

static int read_line(struct rescue *s, const char *list, char *line) {
        unsigned origin[2], other[2];
        int clears, works, at = -1;

        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%u:%u %d %u:%u %d %n", &origin[0], &origin[1], &clears, &other[0],
                   &other[1], &works, &at) != 6 ||
            at < 0)
                return -EBADMSG;
        return rescue_add(s, list,
                          &(const struct suspend_entry){
                                  .origin = makedev(origin[0], origin[1]),
                                  .clears_inactive_table = clears != 0,
                                  .other = makedev(other[0], other[1]),
                                  .other_works = works != 0,
                                  .uuid = line + at,
                          });
}

static int read_list(struct rescue *s, const char *directory, const char *name) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int fd = -1;
        char line[DM_UUID_LEN + 64];
        int r = 0;

        r = str_format(&path, "%s/%s", directory, name);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        f = fdopen(fd, "re");
        if (!f)
                return -errno;
        (void)TAKE_FD(fd);
        while (r >= 0 && fgets(line, sizeof(line), f))
                r = read_line(s, path, line);
        return r;
}

static void mark_damaged(struct rescue *s, const char *directory, const char *name) {
        const size_t length = strlen(directory);

        for (size_t i = 0; i < s->n; i++) {
                const char *list = s->origins[i]->list;

                if (strncmp(list, directory, length) == 0 && list[length] == '/' &&
                    streq(list + length + 1, name))
                        s->origins[i]->list_damaged = true;
        }
}

/* All lists; a damaged one is said and does not keep the others from being read. */
static int read_lists(struct rescue *s, DIR *directory, const char *path,
                      struct vss_error *reterr) {
        const struct dirent *e;
        int result = 0;

        while ((e = readdir(directory))) {
                int r;

                if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) != 0)
                        continue;
                r = read_list(s, path, e->d_name);
                if (r < 0)
                        mark_damaged(s, path, e->d_name);
                /* A guard that lives after all has unlinked it: nothing of it is suspended. */
                if (r < 0 && r != -ENOENT && result >= 0)
                        result = vss_error_set(reterr, VSS_E_UNEXPECTED, -r,
                                               "%s/%s cannot be read (%s): 'dmsetup info' shows "
                                               "what is suspended",
                                               path, e->d_name, strerror(-r));
        }
        return result;
}

/* As other_device_go_back(), but for what is just being brought to life: as long as anybody is left
 * who can be at that. */
static int origin_go_back(struct rescued_origin *o) {
        const struct timespec pause = { .tv_nsec = WAKE_PAUSE_NSEC };
        struct rescue *s = o->rescue;
        int r;

        other_device_await_begin();
        for (;;) {
                bool alone = alive_lock_await(o->list, 0) != -ETIMEDOUT;

                r = other_device_go_back(o->other, s->kernel, s->control_fd);
                if (r != -EAGAIN || alone)
                        break;
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        }
        other_device_await_end();
        return r;
}

static enum origin_fate origin_rescue(struct rescued_origin *o) {
        struct rescue *s = o->rescue;
        bool forward;
        int r;

        r = dm_request_run(o->status, s->kernel, s->control_fd);
        if (r == -ENXIO)
                return FATE_UNTOUCHED; /* there is no such device any more */
        if (r < 0)
                return FATE_FAILED;
        if (!dm_request_saw_suspended(o->status) || !streq(dm_request_saw_uuid(o->status), o->uuid))
                return FATE_UNTOUCHED;
        /* Nobody knows how far the window was: the set is lost, and so are its tables, but for
         * those that there is no way back from. Whatever fails here, the origin has to go on. */
        forward = o->other && origin_go_back(o) > 0;
        if (!forward && o->clears_inactive_table)
                (void)dm_request_run(o->clear, s->kernel, s->control_fd);
        for (unsigned i = 0; i < RESUME_ATTEMPTS; i++) {
                r = dm_request_run(o->resume, s->kernel, s->control_fd);
                if (r >= 0)
                        return FATE_RESUMED;
        }
        /* A guard that lives after all may have been quicker. */
        r = dm_request_run(o->status, s->kernel, s->control_fd);
        return r >= 0 && !dm_request_saw_suspended(o->status) ? FATE_RESUMED : FATE_FAILED;
}

static void *origin_thread(void *p) {
        struct rescued_origin *o = p;
        struct rescue *s = o->rescue;

        atomic_store(&o->fate, origin_rescue(o));
        atomic_fetch_add(&s->n_done, 1);
        futex_wake_all(&s->n_done);
        rescue_unref(s);
        return NULL;
}

static int start_thread(struct rescued_origin *o) {
        int r;

        atomic_fetch_add(&o->rescue->n_owners, 1);
        r = thread_start_detached(THREAD_SMALL_STACK_BYTES, origin_thread, o);
        if (r < 0)
                atomic_fetch_sub(&o->rescue->n_owners, 1);
        return r;
}

static void rescue_run(struct rescue *s, uint64_t timeout_usec) {
        uint64_t deadline_usec = now_monotonic_usec() + timeout_usec;
        size_t n_inline = 0;

        for (size_t i = 0; i < s->n; i++)
                if (start_thread(s->origins[i]) < 0) {
                        atomic_store(&s->origins[i]->fate, origin_rescue(s->origins[i]));
                        n_inline++;
                }
        for (;;) {
                uint32_t n = atomic_load(&s->n_done);

                if (n + n_inline == s->n || futex_wait(&s->n_done, n, deadline_usec) == -ETIMEDOUT)
                        return;
        }
}

/* The number of those that were resumed; or what is said of the first that may be suspended. */
static int rescue_sum(const struct rescue *s, struct vss_error *reterr) {
        int n_resumed = 0;

        for (size_t i = 0; i < s->n; i++) {
                const struct rescued_origin *o = s->origins[i];
                uint32_t fate = atomic_load(&o->fate);

                if (fate == FATE_RESUMED)
                        n_resumed++;
                else if (fate != FATE_UNTOUCHED)
                        return vss_error_set(
                                reterr, VSS_E_UNEXPECTED, fate == FATE_PENDING ? ETIMEDOUT : EIO,
                                "device %u:%u (%s) was suspended by an earlier run and %s; try "
                                "'dmsetup resume -u %s'",
                                major(o->device), minor(o->device), o->uuid,
                                fate == FATE_PENDING ? "its resume hangs, as its storage may"
                                                     : "cannot be resumed",
                                o->uuid);
        }
        return n_resumed;
}

static void remove_lists(DIR *directory) {
        const struct dirent *e;

        rewinddir(directory);
        while ((e = readdir(directory)))
                if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0 ||
                    strncmp(e->d_name, UNARMED, strlen(UNARMED)) == 0)
                        (void)unlinkat(dirfd(directory), e->d_name, 0); /* see above */
}

int suspend_list_rescue(const char *directory, const struct dm_kernel *kernel,
                        uint64_t timeout_usec, struct vss_error *reterr) {
        _cleanup_(rescue_unrefp) struct rescue *s = NULL;
        _cleanup_(closedirp) DIR *d = NULL;
        struct vss_error unread = { 0 };
        int r, k;

        d = opendir(directory);
        if (!d)
                return errno == ENOENT ? 0 : vss_error_from_errno(reterr, -errno, directory);
        s = calloc(1, sizeof(*s));
        if (!s)
                return vss_error_from_errno(reterr, -ENOMEM, directory);
        s->kernel = kernel;
        s->control_fd = -1;
        atomic_store(&s->n_owners, 1);

        k = read_lists(s, d, directory, &unread);
        if (s->n > 0) {
                s->control_fd = kernel->open_control();
                if (s->control_fd < 0) {
                        vss_error_done(&unread);
                        return vss_error_from_errno(reterr, s->control_fd,
                                                    "Opening the control node of device-mapper");
                }
                rescue_run(s, timeout_usec);
        }
        r = rescue_sum(s, reterr);
        s->given_up = r < 0 || k < 0;
        if (r >= 0 && k < 0) {
                vss_error_move(reterr, &unread);
                return k;
        }
        vss_error_done(&unread);
        if (r >= 0)
                remove_lists(d);
        return r;
}
