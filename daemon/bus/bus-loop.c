/* libdbus on sd-event: see bus-loop.h.
 *
 * A descriptor has one event source and up to WATCHES_MAX watches. While a watch is handled,
 * libdbus may add, toggle and remove watches of the same descriptor; so the descriptor is held by a
 * count while its event is handled, and every watch is looked up again before it is called. */

#include "daemon/bus/bus-loop.h"

#include "common/time-util.h"

#include <sys/epoll.h>

#define WATCHES_MAX 4 /* per descriptor; libdbus uses two */
/* How long dispatching rests when libdbus had no memory for a message. */
#define MEMORY_RETRY_USEC (100 * USEC_PER_MSEC)

struct descriptor {
        struct bus_loop *loop;
        struct descriptor *next;
        int fd;
        sd_event_source *source;
        DBusWatch *watches[WATCHES_MAX];
        unsigned handling; /* >0: inside descriptor_on_event, not to be freed */
};

struct timer {
        sd_event_source *source;
        DBusTimeout *timeout;
};

struct bus_loop {
        sd_event *event;
        DBusConnection *connection;
        DBusServer *server;
        struct descriptor *descriptors;
        sd_event_source *dispatch;
        sd_event_source *retry;
};

static bool descriptor_is_empty(const struct descriptor *d) {
        for (size_t i = 0; i < WATCHES_MAX; i++)
                if (d->watches[i])
                        return false;
        return true;
}

static uint32_t descriptor_mask(const struct descriptor *d) {
        uint32_t mask = 0;

        for (size_t i = 0; i < WATCHES_MAX; i++) {
                unsigned flags;

                if (!d->watches[i] || !dbus_watch_get_enabled(d->watches[i]))
                        continue;
                flags = dbus_watch_get_flags(d->watches[i]);
                mask |= ((flags & DBUS_WATCH_READABLE) ? (uint32_t)EPOLLIN : 0) |
                        ((flags & DBUS_WATCH_WRITABLE) ? (uint32_t)EPOLLOUT : 0);
        }
        return mask;
}

/* Fits the source to its watches. Without one that is enabled it is off: epoll would report a
 * hang-up for ever to nobody. Without any it goes at once, not with the descriptor: libdbus may
 * close the number next, or add a new watch on it, while this one is still being handled. */
static int descriptor_update(struct descriptor *d) {
        uint32_t mask = descriptor_mask(d);
        int r;

        if (descriptor_is_empty(d)) {
                d->source = sd_event_source_disable_unref(d->source);
                return 0;
        }

        r = sd_event_source_set_io_events(d->source, mask);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(d->source, mask != 0 ? SD_EVENT_ON : SD_EVENT_OFF);
}

/* Frees the descriptor once it has no watch (and so no source) and is not being handled. */
static void descriptor_collect(struct descriptor *d) {
        if (d->handling > 0 || !descriptor_is_empty(d))
                return;

        for (struct descriptor **p = &d->loop->descriptors; *p; p = &(*p)->next)
                if (*p == d) {
                        *p = d->next;
                        break;
                }
        free(d);
}

static int descriptor_on_event(sd_event_source *source _unused_, int fd _unused_, uint32_t revents,
                               void *userdata) {
        struct descriptor *d = userdata;
        unsigned condition = ((revents & EPOLLIN) ? (unsigned)DBUS_WATCH_READABLE : 0) |
                             ((revents & EPOLLOUT) ? (unsigned)DBUS_WATCH_WRITABLE : 0) |
                             ((revents & EPOLLHUP) ? (unsigned)DBUS_WATCH_HANGUP : 0) |
                             ((revents & EPOLLERR) ? (unsigned)DBUS_WATCH_ERROR : 0);

        d->handling++;
        for (size_t i = 0; i < WATCHES_MAX; i++) {
                DBusWatch *w = d->watches[i];
                unsigned flags;

                if (!w || !dbus_watch_get_enabled(w))
                        continue;
                flags = condition & (dbus_watch_get_flags(w) |
                                     (unsigned)(DBUS_WATCH_HANGUP | DBUS_WATCH_ERROR));
                /* FALSE: no memory. The condition persists, and so epoll reports it again. */
                if (flags != 0)
                        (void)dbus_watch_handle(w, flags);
        }
        d->handling--;
        descriptor_collect(d);
        return 0;
}

static int descriptor_new(struct descriptor **ret, struct bus_loop *l, int fd) {
        struct descriptor *d;
        int r;

        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        d->loop = l;
        d->fd = fd;
        r = sd_event_add_io(l->event, &d->source, fd, 0, descriptor_on_event, d);
        if (r < 0) {
                free(d);
                return r;
        }
        (void)sd_event_source_set_description(d->source, "bus-descriptor"); /* for debugging */
        d->next = l->descriptors;
        l->descriptors = d;
        *ret = d;
        return 0;
}

static struct descriptor *descriptor_find(const struct bus_loop *l, int fd) {
        for (struct descriptor *d = l->descriptors; d; d = d->next)
                if (d->fd == fd && !descriptor_is_empty(d))
                        return d;
        return NULL;
}

static dbus_bool_t watch_add(DBusWatch *w, void *userdata) {
        struct bus_loop *l = userdata;
        int fd = dbus_watch_get_unix_fd(w);
        struct descriptor *d;

        d = descriptor_find(l, fd);
        if (!d && descriptor_new(&d, l, fd) < 0)
                return FALSE;
        for (size_t i = 0; i < WATCHES_MAX; i++) {
                if (d->watches[i])
                        continue;
                d->watches[i] = w;
                if (descriptor_update(d) >= 0) {
                        dbus_watch_set_data(w, d, NULL);
                        return TRUE;
                }
                d->watches[i] = NULL;
                (void)descriptor_update(d); /* back to what worked before */
                break;
        }
        descriptor_collect(d);
        return FALSE;
}

static void watch_remove(DBusWatch *w, void *userdata _unused_) {
        struct descriptor *d = dbus_watch_get_data(w);

        if (!d)
                return;
        for (size_t i = 0; i < WATCHES_MAX; i++)
                if (d->watches[i] == w)
                        d->watches[i] = NULL;
        dbus_watch_set_data(w, NULL, NULL);
        /* Fewer events on a source that exists: nothing that could fail. */
        (void)descriptor_update(d);
        descriptor_collect(d);
}

static void watch_toggle(DBusWatch *w, void *userdata _unused_) {
        struct descriptor *d = dbus_watch_get_data(w);

        /* libdbus gives no way to report the failure, and epoll_ctl(MOD) has none but for memory.
         */
        if (d)
                (void)descriptor_update(d);
}

static struct timer *timer_free(struct timer *t) {
        if (!t)
                return NULL;
        sd_event_source_disable_unref(t->source);
        free(t);
        return NULL;
}
DEFINE_CLEANUP(struct timer, timer_free);

static int timer_arm(struct timer *t) {
        int interval = dbus_timeout_get_interval(t->timeout), r;

        if (!dbus_timeout_get_enabled(t->timeout))
                return sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
        r = sd_event_source_set_time_relative(t->source, (uint64_t)(interval > 0 ? interval : 0) *
                                                                 USEC_PER_MSEC);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(t->source, SD_EVENT_ONESHOT);
}

static int timer_on_event(sd_event_source *source _unused_, uint64_t usec _unused_,
                          void *userdata) {
        struct timer *t = userdata;

        /* Intervals repeat. First the timer, then the callback: that may remove the timeout. */
        (void)timer_arm(t);
        /* FALSE: no memory; it comes again an interval later. */
        (void)dbus_timeout_handle(t->timeout);
        return 0;
}

static dbus_bool_t timeout_add(DBusTimeout *timeout, void *userdata) {
        _cleanup_(timer_freep) struct timer *t = NULL;
        struct bus_loop *l = userdata;

        t = calloc(1, sizeof(*t));
        if (!t)
                return FALSE;
        t->timeout = timeout;
        if (sd_event_add_time_relative(l->event, &t->source, CLOCK_MONOTONIC, 0, USEC_PER_MSEC,
                                       timer_on_event, t) < 0)
                return FALSE;
        (void)sd_event_source_set_description(t->source, "bus-timeout"); /* for debugging */
        if (timer_arm(t) < 0)
                return FALSE;
        dbus_timeout_set_data(timeout, TAKE_PTR(t), NULL);
        return TRUE;
}

static void timeout_remove(DBusTimeout *timeout, void *userdata _unused_) {
        timer_free(dbus_timeout_get_data(timeout));
        dbus_timeout_set_data(timeout, NULL, NULL);
}

static void timeout_toggle(DBusTimeout *timeout, void *userdata _unused_) {
        struct timer *t = dbus_timeout_get_data(timeout);

        if (t)
                (void)timer_arm(t); /* an existing source only changes its time */
}

static void loop_dispatch_later(struct bus_loop *l) {
        (void)sd_event_source_set_enabled(l->dispatch, SD_EVENT_ONESHOT);
}

static int loop_on_dispatch(sd_event_source *source _unused_, void *userdata) {
        struct bus_loop *l = userdata;
        DBusDispatchStatus status;

        /* One message a turn: other sources (jobs, signals, the watchdog) get theirs. */
        status = dbus_connection_dispatch(l->connection);
        if (status == DBUS_DISPATCH_DATA_REMAINS)
                loop_dispatch_later(l);
        else if (status == DBUS_DISPATCH_NEED_MEMORY &&
                 sd_event_source_set_time_relative(l->retry, MEMORY_RETRY_USEC) >= 0)
                (void)sd_event_source_set_enabled(l->retry, SD_EVENT_ONESHOT);
        return 0;
}

static int loop_on_retry(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        loop_dispatch_later(userdata);
        return 0;
}

static void loop_on_dispatch_status(DBusConnection *connection _unused_, DBusDispatchStatus status,
                                    void *userdata) {
        if (status == DBUS_DISPATCH_DATA_REMAINS)
                loop_dispatch_later(userdata);
}

static int loop_new(struct bus_loop **ret, sd_event *event) {
        _cleanup_(bus_loop_freep) struct bus_loop *l = NULL;
        int r;

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->event = sd_event_ref(event);
        r = sd_event_add_defer(event, &l->dispatch, loop_on_dispatch, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->dispatch, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &l->retry, CLOCK_MONOTONIC, 0, 0,
                                               loop_on_retry, l);
        if (r >= 0)
                r = sd_event_source_set_enabled(l->retry, SD_EVENT_OFF);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(l->dispatch, "bus-dispatch"); /* for debugging */

        *ret = TAKE_PTR(l);
        return 0;
}

int bus_loop_new(struct bus_loop **ret, sd_event *event, DBusConnection *connection) {
        _cleanup_(bus_loop_freep) struct bus_loop *l = NULL;
        int r;

        assert(ret && event && connection);

        r = loop_new(&l, event);
        if (r < 0)
                return r;
        l->connection = connection;
        dbus_connection_set_exit_on_disconnect(connection, FALSE);
        dbus_connection_set_dispatch_status_function(connection, loop_on_dispatch_status, l, NULL);
        if (!dbus_connection_set_watch_functions(connection, watch_add, watch_remove, watch_toggle,
                                                 l, NULL) ||
            !dbus_connection_set_timeout_functions(connection, timeout_add, timeout_remove,
                                                   timeout_toggle, l, NULL))
                return -ENOMEM;
        /* What came before we listened (the greeting's answer) announces itself no more. */
        if (dbus_connection_get_dispatch_status(connection) == DBUS_DISPATCH_DATA_REMAINS)
                loop_dispatch_later(l);

        *ret = TAKE_PTR(l);
        return 0;
}

int bus_loop_new_server(struct bus_loop **ret, sd_event *event, DBusServer *server) {
        _cleanup_(bus_loop_freep) struct bus_loop *l = NULL;
        int r;

        assert(ret && event && server);

        r = loop_new(&l, event);
        if (r < 0)
                return r;
        l->server = server;
        if (!dbus_server_set_watch_functions(server, watch_add, watch_remove, watch_toggle, l,
                                             NULL) ||
            !dbus_server_set_timeout_functions(server, timeout_add, timeout_remove, timeout_toggle,
                                               l, NULL))
                return -ENOMEM;

        *ret = TAKE_PTR(l);
        return 0;
}

struct bus_loop *bus_loop_free(struct bus_loop *l) {
        if (!l)
                return NULL;

        /* Setting no functions cannot fail; it removes every watch and timeout through ours. */
        if (l->connection) {
                dbus_connection_set_dispatch_status_function(l->connection, NULL, NULL, NULL);
                (void)dbus_connection_set_watch_functions(l->connection, NULL, NULL, NULL, NULL,
                                                          NULL);
                (void)dbus_connection_set_timeout_functions(l->connection, NULL, NULL, NULL, NULL,
                                                            NULL);
        }
        if (l->server) {
                (void)dbus_server_set_watch_functions(l->server, NULL, NULL, NULL, NULL, NULL);
                (void)dbus_server_set_timeout_functions(l->server, NULL, NULL, NULL, NULL, NULL);
        }
        assert(!l->descriptors);
        sd_event_source_disable_unref(l->dispatch);
        sd_event_source_disable_unref(l->retry);
        sd_event_unref(l->event);
        free(l);
        return NULL;
}

size_t bus_loop_count_descriptors(const struct bus_loop *l) {
        size_t n = 0;

        for (const struct descriptor *d = l->descriptors; d; d = d->next)
                n++;
        return n;
}
