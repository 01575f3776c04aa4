/* See other-device.h. But for the count of those that wait, which is the process's. */

#include "daemon/window/other-device.h"
#include "daemon/window/dm-request.h"
#include <stdatomic.h>

struct other_device {
        bool works;
        struct dm_request *clear, *status, *resume;
};

struct other_device *other_device_free(struct other_device *o) {
        if (!o)
                return NULL;
        dm_request_free(o->clear);
        dm_request_free(o->status);
        dm_request_free(o->resume);
        free(o);
        return NULL;
}

int other_device_new(struct other_device **ret, dev_t device, bool works) {
        _cleanup_(other_device_freep) struct other_device *o = NULL;
        int r;

        o = calloc(1, sizeof(*o));
        if (!o)
                return -ENOMEM;
        o->works = works;
        r = dm_request_new_clear(&o->clear, device);
        if (r >= 0)
                r = dm_request_new_status(&o->status, device);
        if (r >= 0)
                r = dm_request_new_resume(&o->resume, device);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

int other_device_go_back(struct other_device *o, const struct dm_kernel *kernel, int control_fd) {
        int r;

        if (o->works)
                return dm_request_run(o->resume, kernel, control_fd);
        /* It may be that the daemon was stopped before it brought the other to life, and goes on
         * when all this is over: without a table there is nothing to bring to life. */
        r = dm_request_run(o->clear, kernel, control_fd);
        if (r >= 0)
                r = dm_request_run(o->status, kernel, control_fd);
        if (r < 0)
                return r;
        /* The kernel suspends what has no table yet, gives it its table, and wakes it then. A
         * request to suspend it would be no way to wait for that: it counts as suspended until it
         * is awake. */
        if (dm_request_saw_suspended(o->status))
                return -EAGAIN;
        return dm_request_saw_live_table(o->status) ? 1 : 0;
}

int other_device_is_asleep(struct other_device *o, const struct dm_kernel *kernel, int control_fd) {
        int r;

        if (!o->works)
                return 0;
        r = dm_request_run(o->status, kernel, control_fd);
        return r < 0 ? r : dm_request_saw_suspended(o->status);
}

void other_device_touch(struct other_device *o) {
        dm_request_touch(o->clear);
        dm_request_touch(o->status);
        dm_request_touch(o->resume);
}

static _Atomic unsigned n_awaited;

void other_device_await_begin(void) {
        atomic_fetch_add(&n_awaited, 1);
}

void other_device_await_end(void) {
        atomic_fetch_sub(&n_awaited, 1);
}

unsigned other_device_n_awaited(void) {
        return atomic_load(&n_awaited);
}
