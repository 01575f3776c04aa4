/* Calls, and a filter that collects what the service says of its operations. Signals are believed
 * only from the connection that answered our first call: anybody on a bus may send us a signal.
 *
 * The turn is a flag under a mutex that is held for an instant only, so that a wait for the turn
 * can have an end. What arrives while somebody else has the turn, that one takes in; whoever sleeps
 * until an operation has completed is therefore woken by two descriptors: the bus's, and one of its
 * own. */

#include "libvssclient/connection.h"
#include "common/time-util.h"
#include "common/wire-error.h"
#include "libvssclient/bus-address.h"
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

/* Somebody asleep in connection_wait(), on its own stack. */
struct sleeper {
        struct sleeper *next;
        int fd; /* an eventfd */
};

struct connection {
        atomic_uint refs;

        pthread_mutex_t lock; /* of the next three */
        pthread_cond_t turn_is_free;
        bool turn_is_taken;
        struct sleeper *sleepers;

        /* Of whoever has the turn: */
        DBusConnection *bus; /* NULL: closed */
        char *service;       /* unique name; NULL until the first answer */
        bool lost;
        struct operations operations;
};

/* The mutex is a plain one and ours alone: its functions cannot fail. */
static void lock(struct connection *c) {
        (void)pthread_mutex_lock(&c->lock);
}

static void unlock(struct connection *c) {
        (void)pthread_mutex_unlock(&c->lock);
}

bool connection_enter_until(struct connection *c, uint64_t deadline_usec) {
        const struct timespec deadline = {
                .tv_sec = (time_t)(deadline_usec / USEC_PER_SEC),
                .tv_nsec = (long)(deadline_usec % USEC_PER_SEC * 1000),
        };
        bool entered;
        int r = 0;

        lock(c);
        while (c->turn_is_taken && r != ETIMEDOUT)
                r = deadline_usec == USEC_INFINITY
                            ? pthread_cond_wait(&c->turn_is_free, &c->lock)
                            : pthread_cond_timedwait(&c->turn_is_free, &c->lock, &deadline);
        entered = !c->turn_is_taken;
        if (entered)
                c->turn_is_taken = true;
        unlock(c);
        return entered;
}

void connection_enter(struct connection *c) {
        (void)connection_enter_until(c, USEC_INFINITY); /* there is no other way out of it */
}

void connection_leave(struct connection *c) {
        lock(c);
        c->turn_is_taken = false;
        (void)pthread_cond_signal(&c->turn_is_free);
        unlock(c);
}

static void sleeper_add(struct connection *c, struct sleeper *s) {
        lock(c);
        s->next = c->sleepers;
        c->sleepers = s;
        unlock(c);
}

static void sleeper_remove(struct connection *c, const struct sleeper *s) {
        lock(c);
        for (struct sleeper **link = &c->sleepers; *link; link = &(*link)->next)
                if (*link == s) {
                        *link = s->next;
                        break;
                }
        unlock(c);
}

static bool has_sleepers(struct connection *c) {
        bool has;

        lock(c);
        has = c->sleepers;
        unlock(c);
        return has;
}

/* Each looks for itself whether it was meant. */
static void wake_sleepers(struct connection *c) {
        lock(c);
        for (struct sleeper *s = c->sleepers; s; s = s->next)
                (void)eventfd_write(s->fd, 1); /* fails only for one that is full: it is awake */
        unlock(c);
}

static void lose(struct connection *c) {
        c->lost = true;
        wake_sleepers(c);
}

static void on_name_owner_changed(struct connection *c, DBusMessage *signal) {
        const char *name, *old_owner, *new_owner;

        if (dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING,
                                  &old_owner, DBUS_TYPE_STRING, &new_owner, DBUS_TYPE_INVALID) &&
            c->service && streq(name, c->service) && *new_owner == '\0')
                lose(c);
}

static DBusHandlerResult on_message(DBusConnection *bus, DBusMessage *message, void *userdata) {
        struct connection *c = userdata;

        (void)bus;

        if (dbus_message_is_signal(message, DBUS_INTERFACE_LOCAL, "Disconnected"))
                lose(c);
        else if (dbus_message_has_sender(message, DBUS_SERVICE_DBUS)) {
                if (dbus_message_is_signal(message, DBUS_INTERFACE_DBUS, "NameOwnerChanged"))
                        on_name_owner_changed(c, message);
        } else if (c->service && dbus_message_has_sender(message, c->service) &&
                   operations_take_signal(&c->operations, message))
                wake_sleepers(c);
        return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
}

/* A condition whose deadlines are on the monotonic clock. */
static int init_threads(struct connection *c) {
        pthread_condattr_t attributes;
        int r;

        r = pthread_condattr_init(&attributes);
        if (r != 0)
                return -r;
        r = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (r == 0)
                r = pthread_cond_init(&c->turn_is_free, &attributes);
        (void)pthread_condattr_destroy(&attributes);
        if (r != 0)
                return -r;
        r = pthread_mutex_init(&c->lock, NULL);
        if (r != 0) {
                (void)pthread_cond_destroy(&c->turn_is_free);
                return -r;
        }
        return 0;
}

int connection_open(struct connection **ret, struct vss_error *reterr) {
        _cleanup_(connection_unrefp) struct connection *c = NULL;
        struct connection *half_built;
        int r;

        half_built = calloc(1, sizeof(*half_built));
        r = half_built ? init_threads(half_built) : -ENOMEM;
        if (r < 0) {
                free(half_built);
                return vss_error_from_errno(reterr, r, "Connecting to the service");
        }
        c = half_built;
        atomic_init(&c->refs, 1);
        r = bus_open(&c->bus, reterr);
        if (r < 0)
                return r;
        if (!dbus_connection_add_filter(c->bus, on_message, c, NULL))
                return vss_error_from_errno(reterr, -ENOMEM, "Connecting to the service");
        *ret = TAKE_PTR(c);
        return 0;
}

struct connection *connection_ref(struct connection *c) {
        atomic_fetch_add(&c->refs, 1);
        return c;
}

struct connection *connection_unref(struct connection *c) {
        if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
                return NULL;
        connection_close(c);
        operations_done(&c->operations);
        free(c->service);
        (void)pthread_cond_destroy(&c->turn_is_free);
        (void)pthread_mutex_destroy(&c->lock);
        free(c);
        return NULL;
}

static void dispatch_all(struct connection *c) {
        while (!c->lost && dbus_connection_dispatch(c->bus) == DBUS_DISPATCH_DATA_REMAINS)
                ;
}

void connection_close(struct connection *c) {
        connection_enter(c);
        if (c->bus)
                dispatch_all(c); /* an end that we were told of is not lost with it */
        lose(c);
        if (c->bus)
                dbus_connection_remove_filter(c->bus, on_message, c);
        c->bus = bus_close(c->bus);
        connection_leave(c);
}

bool connection_is_lost(const struct connection *c) {
        return c->lost;
}

struct operations *connection_operations(struct connection *c) {
        return &c->operations;
}

/* From its first answer on we know which connection is the service: calls go to it and to no
 * successor, which would know nothing of our session. A rule tells of its end; no need to wait for
 * the rule, as any later answer of the service comes after it. */
static int remember_service(struct connection *c, DBusMessage *reply, struct vss_error *reterr) {
        _cleanup_(freep) char *rule = NULL;
        const char *sender;

        if (c->service)
                return 0;
        sender = dbus_message_get_sender(reply);
        if (!sender || streq(sender, DBUS_SERVICE_DBUS))
                return 0;
        c->service = strdup(sender);
        if (!c->service ||
            str_format(&rule,
                       "type='signal',sender='" DBUS_SERVICE_DBUS
                       "',interface='" DBUS_INTERFACE_DBUS "',member='NameOwnerChanged',arg0='%s'",
                       sender) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "Connecting to the service");
        dbus_bus_add_match(c->bus, rule, NULL);
        return 0;
}

static int lost_error(struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED, 0,
                             "The connection to the shadow copy service was lost, and with it what "
                             "was under way; see 'systemctl status vssd'");
}

int connection_exchange(struct connection *c, DBusMessage *call, int timeout_msec,
                        DBusMessage **ret, struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        DBusPendingCall *pending = NULL;
        int r;

        /* Signals that came with earlier answers; nobody else might ever take them in. Those of
         * this call's own operation come after it. */
        if (!c->lost)
                dispatch_all(c);
        if (c->lost)
                return lost_error(reterr);
        if (!dbus_message_set_destination(call, c->service ? c->service : VSS_BUS_NAME) ||
            !dbus_connection_send_with_reply(c->bus, call, &pending, timeout_msec))
                return vss_error_from_errno(reterr, -ENOMEM, dbus_message_get_member(call));
        if (!pending) {
                lose(c);
                return lost_error(reterr);
        }
        dbus_pending_call_block(pending);
        reply = dbus_pending_call_steal_reply(pending);
        dbus_pending_call_unref(pending);
        /* What came before the answer was read with it: nobody's descriptor shows it any more. */
        if (has_sleepers(c))
                dispatch_all(c);
        if (!reply) /* libdbus makes one up when there is none; be safe */
                return lost_error(reterr);
        r = remember_service(c, reply, reterr);
        if (r >= 0)
                r = wire_error_read(reply, reterr);
        if (ret)
                *ret = TAKE_PTR(reply);
        return r;
}

int connection_call(struct connection *c, DBusMessage *call, int timeout_msec, DBusMessage **ret,
                    struct vss_error *reterr) {
        int r;

        connection_enter(c);
        r = connection_exchange(c, call, timeout_msec, ret, reterr);
        connection_leave(c);
        return r;
}

void connection_send(struct connection *c, DBusMessage *call) {
        if (c->lost)
                return;
        dbus_message_set_no_reply(call, TRUE);
        if (dbus_message_set_destination(call, c->service ? c->service : VSS_BUS_NAME))
                (void)dbus_connection_send(c->bus, call, NULL); /* a courtesy: may be lost */
}

void connection_drain(struct connection *c) {
        if (c->lost)
                return;
        dispatch_all(c);
        if (!c->lost && !dbus_connection_read_write(c->bus, 0))
                lose(c);
        dispatch_all(c);
}

/* Milliseconds for poll(), rounded up: a wait that wakes too early would spin. */
static int milliseconds_until(uint64_t deadline_usec) {
        uint64_t now = now_monotonic_usec(), left;

        if (deadline_usec == USEC_INFINITY)
                return -1;
        if (now >= deadline_usec)
                return 0;
        left = (deadline_usec - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
        return left > INT_MAX ? INT_MAX : (int)left;
}

/* Gives the turn up. The descriptor may be closed by another thread before poll() begins; who does
 * that wakes the sleepers. */
static void leave_and_sleep(struct connection *c, const struct sleeper *s, uint64_t deadline_usec) {
        struct pollfd fds[] = {
                { .fd = s->fd, .events = POLLIN },
                { .fd = -1, .events = POLLIN },
        };
        eventfd_t woken;

        (void)dbus_connection_get_unix_fd(c->bus, &fds[1].fd); /* without one: by s alone */
        if (dbus_connection_has_messages_to_send(c->bus))
                fds[1].events |= POLLOUT;
        connection_leave(c);
        /* A failure is a signal, or means to look again, as any other end of it. */
        if (poll(fds, ARRAY_SIZE(fds), milliseconds_until(deadline_usec)) > 0 && fds[0].revents)
                (void)eventfd_read(s->fd, &woken);
}

int connection_wait(struct connection *c, const struct operation *o, uint64_t deadline_usec,
                    struct vss_error *reterr) {
        struct sleeper sleeper = { .fd = -1 };
        bool has_turn = true;

        connection_drain(c);
        if (o->completed || c->lost)
                return 1;
        sleeper.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (sleeper.fd < 0)
                return vss_error_from_errno(reterr, -errno, "Waiting for the service");
        sleeper_add(c, &sleeper);
        while (has_turn && !o->completed && !c->lost) {
                leave_and_sleep(c, &sleeper, deadline_usec);
                has_turn = milliseconds_until(deadline_usec) != 0 &&
                           connection_enter_until(c, deadline_usec);
                if (has_turn)
                        connection_drain(c);
        }
        sleeper_remove(c, &sleeper);
        (void)safe_close(sleeper.fd);
        return has_turn;
}
