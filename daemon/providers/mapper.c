/* See mapper.h. Stateless, but for libdevmapper's own state and its last complaint, both behind
 * one lock. */

#include "daemon/providers/mapper.h"
#include "common/time-util.h"
#include "daemon/window/dm-request.h"
#include <libdevmapper.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <time.h>

#define LOG_LEVEL_ERROR 3 /* _LOG_ERR of libdm's own headers */

#define UDEV_QUEUE "/run/udev/queue"
#define SETTLE_TIMEOUT_USEC (3 * USEC_PER_SEC)
#define SETTLE_POLL_NSEC (3L * 1000 * 1000)

/* udev opens a device for a moment after each of its events. */
#define REMOVE_ATTEMPTS 25
#define REMOVE_PAUSE_NSEC (50L * 1000 * 1000)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char complaint[512];

static void on_log(int level, const char *file, int line, int error, const char *format, ...)
        _printf_(5, 6);

static void on_log(int level, const char *file, int line, int error, const char *format, ...) {
        va_list args;

        (void)file;
        (void)line;
        (void)error;
        if (level > LOG_LEVEL_ERROR || complaint[0] != '\0')
                return;
        va_start(args, format);
        (void)vsnprintf(complaint, sizeof(complaint), format, args); /* cut off if need be */
        va_end(args);
}

static void take_lock(void) {
        static bool initialized;

        (void)pthread_mutex_lock(&lock); /* a plain mutex of ours */
        if (!initialized) {
                dm_log_with_errno_init(on_log);
                initialized = true;
        }
        complaint[0] = '\0';
}

static void drop_lock(void) {
        (void)pthread_mutex_unlock(&lock); /* taken by take_lock() */
}

static void task_freep(struct dm_task **t) {
        if (*t)
                dm_task_destroy(*t);
}

/* Under the lock. r: of the task; the message is libdevmapper's, which names call and device. */
static int say_failed(struct vss_error *reterr, const char *verb, const char *name, int error) {
        if (error <= 0)
                error = EIO;
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, error,
                             "device-mapper could not %s %s: %s", verb, name,
                             complaint[0] ? complaint : strerror(error));
}

/* Under the lock. */
static struct dm_task *task_new(int type, const char *name, const char *uuid) {
        _cleanup_(task_freep) struct dm_task *t = NULL;

        t = dm_task_create(type);
        if (!t || (name && !dm_task_set_name(t, name)) || (uuid && !dm_task_set_uuid(t, uuid)))
                return NULL;
        return TAKE_PTR(t);
}

/* What goes through it is wiped afterwards, by the kernel and by libdevmapper. NULL: without
 * memory.
 */
static struct dm_task *secret(struct dm_task *t) {
        if (t && !dm_task_secure_data(t)) {
                dm_task_destroy(t);
                return NULL;
        }
        return t;
}

/* Under the lock. */
static int task_run(struct dm_task *t, const char *verb, const char *name,
                    struct vss_error *reterr) {
        if (!t)
                return say_failed(reterr, verb, name, ENOMEM);
        if (!dm_task_run(t))
                return say_failed(reterr, verb, name, dm_task_get_errno(t));
        return 0;
}

void mapper_table_done(struct mapper_table *t) {
        for (size_t i = 0; i < t->n; i++) {
                free(t->targets[i].type);
                /* That of dm-crypt has the key. */
                if (t->targets[i].params)
                        explicit_bzero(t->targets[i].params, strlen(t->targets[i].params));
                free(t->targets[i].params);
        }
        free(t->targets);
        *t = (struct mapper_table){ 0 };
}

int mapper_table_add(struct mapper_table *t, uint64_t start, uint64_t length, const char *type,
                     const char *params) {
        _cleanup_(freep) char *type_copy = strdup(type), *params_copy = strdup(params);
        struct mapper_target *longer;

        if (!type_copy || !params_copy)
                return -ENOMEM;
        longer = reallocarray(t->targets, t->n + 1, sizeof(*longer));
        if (!longer)
                return -ENOMEM;
        t->targets = longer;
        t->targets[t->n++] = (struct mapper_target){
                .start = start,
                .length = length,
                .type = TAKE_PTR(type_copy),
                .params = TAKE_PTR(params_copy),
        };
        return 0;
}

uint64_t mapper_table_length(const struct mapper_table *t) {
        return t->n > 0 ? t->targets[t->n - 1].start + t->targets[t->n - 1].length : 0;
}

const char *mapper_table_find_other(const struct mapper_table *t, const char *const *types) {
        for (size_t i = 0; i < t->n; i++) {
                bool known = false;

                for (const char *const *type = types; !known && *type; type++)
                        known = streq(t->targets[i].type, *type);
                if (!known)
                        return t->targets[i].type;
        }
        return NULL;
}

static int find(const char *name, const char *uuid, struct mapper_info *ret,
                struct vss_error *reterr) {
        _cleanup_(task_freep) struct dm_task *t = NULL;
        struct mapper_info info = { 0 };
        struct dm_info dm;
        int r;

        take_lock();
        t = task_new(DM_DEVICE_INFO, name, uuid);
        r = task_run(t, "look for", name ? name : uuid, reterr);
        if (r >= 0 && !dm_task_get_info(t, &dm))
                r = say_failed(reterr, "look for", name ? name : uuid, 0);
        if (r >= 0 && dm.exists) {
                info.exists = true;
                info.suspended = dm.suspended;
                info.live_table = dm.live_table;
                info.inactive_table = dm.inactive_table;
                info.read_only = dm.read_only;
                info.ends_when_closed = dm.deferred_remove;
                info.open_count = dm.open_count;
                info.devno = makedev(dm.major, dm.minor);
                (void)snprintf(info.name, sizeof(info.name), "%s",
                               str_or_empty(dm_task_get_name(t)));
                (void)snprintf(info.uuid, sizeof(info.uuid), "%s",
                               str_or_empty(dm_task_get_uuid(t)));
        }
        drop_lock();
        if (r >= 0)
                *ret = info;
        return r;
}

int mapper_find_name(const char *name, struct mapper_info *ret, struct vss_error *reterr) {
        return find(name, NULL, ret, reterr);
}

int mapper_find_uuid(const char *uuid, struct mapper_info *ret, struct vss_error *reterr) {
        return find(NULL, uuid, ret, reterr);
}

/* Under the lock: what a table or status task brought. */
static int take_targets(struct dm_task *t, struct mapper_table *table) {
        void *next = NULL;

        do {
                uint64_t start, length;
                char *type = NULL, *params = NULL;
                int r;

                next = dm_get_next_target(t, next, &start, &length, &type, &params);
                if (!type)
                        continue;
                r = mapper_table_add(table, start, length, type, str_or_empty(params));
                if (r < 0)
                        return r;
        } while (next);
        return 0;
}

enum reading { READ_TABLE, READ_STATUS, READ_STATUS_AS_IT_IS };

/* Under the lock. NULL: without memory. */
static struct dm_task *reading_task(enum reading what, const char *name) {
        struct dm_task *t = secret(
                task_new(what == READ_TABLE ? DM_DEVICE_TABLE : DM_DEVICE_STATUS, name, NULL));

        if (t && what == READ_STATUS_AS_IT_IS && !dm_task_no_flush(t)) {
                dm_task_destroy(t);
                return NULL;
        }
        return t;
}

static int read_targets(enum reading what, const char *name, struct mapper_table *ret,
                        struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        _cleanup_(task_freep) struct dm_task *t = NULL;
        struct dm_info dm;
        int r;

        take_lock();
        t = reading_task(what, name);
        r = task_run(t, "read the table of", name, reterr);
        if (r >= 0 && (!dm_task_get_info(t, &dm) || !dm.exists))
                r = say_failed(reterr, "read the table of", name, ENXIO);
        if (r >= 0) {
                r = take_targets(t, &table);
                if (r < 0)
                        (void)vss_error_from_errno(reterr, r, name);
        }
        drop_lock();
        if (r < 0)
                return r;
        *ret = table;
        table = (struct mapper_table){ 0 };
        return 0;
}

int mapper_read_table(const char *name, struct mapper_table *ret, struct vss_error *reterr) {
        return read_targets(READ_TABLE, name, ret, reterr);
}

int mapper_read_status(const char *name, struct mapper_table *ret, struct vss_error *reterr) {
        return read_targets(READ_STATUS, name, ret, reterr);
}

int mapper_peek_status(const char *name, struct mapper_table *ret, struct vss_error *reterr) {
        return read_targets(READ_STATUS_AS_IT_IS, name, ret, reterr);
}

/* Under the lock. NULL: without memory. */
static struct dm_task *table_task(int type, const char *name, const char *uuid,
                                  const struct mapper_table *table, bool read_only) {
        _cleanup_(task_freep) struct dm_task *t = secret(task_new(type, name, uuid));

        if (!t)
                return NULL;
        for (size_t i = 0; i < table->n; i++)
                if (!dm_task_add_target(t, table->targets[i].start, table->targets[i].length,
                                        table->targets[i].type, table->targets[i].params))
                        return NULL;
        if (read_only && !dm_task_set_ro(t))
                return NULL;
        return TAKE_PTR(t);
}

int mapper_load(const char *name, const struct mapper_table *table, bool read_only,
                struct vss_error *reterr) {
        _cleanup_(task_freep) struct dm_task *t = NULL;
        int r;

        take_lock();
        t = table_task(DM_DEVICE_RELOAD, name, NULL, table, read_only);
        r = task_run(t, "load the table of", name, reterr);
        drop_lock();
        return r;
}

int mapper_message(const char *name, const char *message, struct vss_error *reterr) {
        _cleanup_(task_freep) struct dm_task *t = NULL;
        int r;

        take_lock();
        t = task_new(DM_DEVICE_TARGET_MSG, name, NULL);
        if (t && (!dm_task_set_sector(t, 0) || !dm_task_set_message(t, message))) {
                dm_task_destroy(t);
                t = NULL;
        }
        r = task_run(t, "send a message to", name, reterr);
        drop_lock();
        return r;
}

/* One request that needs no more than the name. */
static int simple(int type, const char *verb, const char *name, struct vss_error *reterr) {
        _cleanup_(task_freep) struct dm_task *t = NULL;
        int r;

        take_lock();
        t = task_new(type, name, NULL);
        r = task_run(t, verb, name, reterr);
        dm_task_update_nodes();
        drop_lock();
        return r;
}

int mapper_create(const char *name, const char *uuid, const struct mapper_table *table,
                  bool read_only, struct vss_error *reterr) {
        _cleanup_(task_freep) struct dm_task *t = NULL;
        int r;

        take_lock();
        t = task_new(DM_DEVICE_CREATE, name, uuid);
        r = task_run(t, "create", name, reterr);
        drop_lock();
        if (r < 0)
                return r;
        r = mapper_load(name, table, read_only, reterr);
        if (r < 0)
                (void)mapper_remove(name, false, NULL); /* r says why */
        return r;
}

/* Not by libdevmapper: without a cookie it tells udev to take its links away. */
static int run_requests(const struct mapper_info *device, struct dm_request *const *requests,
                        size_t n, struct vss_error *reterr) {
        _cleanup_(closep) int fd = dm_kernel.open_control();

        if (fd < 0)
                return vss_error_from_errno(reterr, fd, device->name);
        for (size_t i = 0; i < n; i++) {
                int r = dm_request_run(requests[i], &dm_kernel, fd);

                if (r < 0)
                        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r,
                                             "device-mapper could not %s %s: %s",
                                             dm_request_verb(requests[i]), device->name,
                                             strerror(-r));
        }
        return 0;
}

int mapper_resume(const struct mapper_info *device, struct vss_error *reterr) {
        _cleanup_(dm_request_freep) struct dm_request *resume = NULL;
        int r;

        r = dm_request_new_resume(&resume, device->devno);
        return r < 0 ? vss_error_from_errno(reterr, r, device->name)
                     : run_requests(device, &resume, 1, reterr);
}

int mapper_suspend(const struct mapper_info *device, struct vss_error *reterr) {
        _cleanup_(dm_request_freep) struct dm_request *suspend = NULL;
        int r;

        r = dm_request_new_suspend(&suspend, device->devno);
        return r < 0 ? vss_error_from_errno(reterr, r, device->name)
                     : run_requests(device, &suspend, 1, reterr);
}

int mapper_announce(const struct mapper_info *device, uint16_t udev_flags,
                    struct vss_error *reterr) {
        _cleanup_(dm_request_freep) struct dm_request *suspend = NULL, *announce = NULL;
        int r;

        r = dm_request_new_suspend(&suspend, device->devno);
        if (r >= 0)
                r = dm_request_new_announce(&announce, device->devno,
                                            udev_flags | DM_UDEV_PRIMARY_SOURCE_FLAG);
        if (r < 0)
                return vss_error_from_errno(reterr, r, device->name);
        /* Only a resume makes an event that can carry flags. */
        if (!device->live_table)
                return run_requests(device, &announce, 1, reterr);
        return run_requests(device, (struct dm_request *[]){ suspend, announce }, 2, reterr);
}

bool mapper_has_udev(void) {
        bool has;

        take_lock();
        has = dm_udev_get_sync_support();
        drop_lock();
        return has;
}

int mapper_clear(const char *name, struct vss_error *reterr) {
        return simple(DM_DEVICE_CLEAR, "clear", name, reterr);
}

int mapper_make_node(const char *name, struct vss_error *reterr) {
        return simple(DM_DEVICE_MKNODES, "make the node of", name, reterr);
}

static int try_remove(const char *name, bool deferred, struct vss_error *reterr) {
        _cleanup_(task_freep) struct dm_task *t = NULL;
        int r;

        take_lock();
        t = task_new(DM_DEVICE_REMOVE, name, NULL);
        if (t && deferred && !dm_task_deferred_remove(t)) {
                dm_task_destroy(t);
                t = NULL;
        }
        r = task_run(t, "remove", name, reterr);
        dm_task_update_nodes();
        drop_lock();
        return r;
}

int mapper_remove(const char *name, bool deferred, struct vss_error *reterr) {
        const struct timespec pause = { .tv_nsec = REMOVE_PAUSE_NSEC };

        for (unsigned i = 1;; i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                int r = try_remove(name, deferred, &error);

                if (r == -ENXIO)
                        return 0;
                if (r != -EBUSY || i == REMOVE_ATTEMPTS) {
                        vss_error_move(reterr, &error);
                        return r;
                }
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        }
}

void mapper_let_udev_finish(void) {
        const struct timespec pause = { .tv_nsec = SETTLE_POLL_NSEC };
        uint64_t end_usec = now_monotonic_usec() + SETTLE_TIMEOUT_USEC;

        /* The file is there while udevd has events to work off. */
        while (access(UDEV_QUEUE, F_OK) == 0 && now_monotonic_usec() < end_usec)
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
}
