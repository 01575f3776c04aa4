/* See holder.h. */

#include "tests/conformance/holder.h"

#include "common/util.h"

#include <dbus/dbus.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#define WATCHES_MAX 256
#define ANSWER_MS 60000

static DBusConnection *bus;
static DBusWatch *watches[WATCHES_MAX];
static size_t n_watches;
static DBusConnection *clients[WATCHES_MAX];
static size_t n_clients;

static _Noreturn void give_up(const char *why) {
        (void)fprintf(stderr, "holder: %s\n", why);
        exit(EXIT_FAILURE);
}

static dbus_bool_t watch_add(DBusWatch *watch, void *userdata _unused_) {
        if (n_watches == ARRAY_SIZE(watches))
                return FALSE;
        watches[n_watches++] = watch;
        return TRUE;
}

static void watch_remove(DBusWatch *watch, void *userdata _unused_) {
        for (size_t i = 0; i < n_watches; i++)
                if (watches[i] == watch)
                        watches[i] = watches[--n_watches];
}

/* Who asked, and what its serial was. */
struct question {
        DBusConnection *client;
        dbus_uint32_t serial;
};

static void question_free(void *userdata) {
        struct question *q = userdata;

        dbus_connection_unref(q->client);
        free(q);
}

static void pass_back(DBusPendingCall *pending, void *userdata) {
        const struct question *q = userdata;
        DBusMessage *reply = dbus_pending_call_steal_reply(pending);
        DBusMessage *copy = dbus_message_copy(reply);

        if (!copy || !dbus_message_set_reply_serial(copy, q->serial) ||
            !dbus_connection_send(q->client, copy, NULL))
                give_up("out of memory");
        dbus_message_unref(copy);
        dbus_message_unref(reply);
        dbus_pending_call_unref(pending);
}

static void pass_on(DBusConnection *client, DBusMessage *m) {
        struct question *q = calloc(1, sizeof(*q));
        DBusMessage *copy = dbus_message_copy(m);
        DBusPendingCall *pending = NULL;

        if (!q || !copy || !dbus_connection_send_with_reply(bus, copy, &pending, ANSWER_MS) ||
            !pending)
                give_up("cannot pass a call on");
        *q = (struct question){ .client = dbus_connection_ref(client),
                                .serial = dbus_message_get_serial(m) };
        if (!dbus_pending_call_set_notify(pending, pass_back, q, question_free))
                give_up("out of memory");
        dbus_message_unref(copy);
}

/* Every client has the name that the one connection has. */
static void greet(DBusConnection *client, DBusMessage *m) {
        DBusMessage *reply = dbus_message_new_method_return(m);
        const char *name = dbus_bus_get_unique_name(bus);

        if (!reply || !dbus_message_set_sender(reply, DBUS_SERVICE_DBUS) ||
            !dbus_message_append_args(reply, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID) ||
            !dbus_connection_send(client, reply, NULL))
                give_up("out of memory");
        dbus_message_unref(reply);
}

static DBusHandlerResult from_client(DBusConnection *client, DBusMessage *m,
                                     void *userdata _unused_) {
        if (dbus_message_is_method_call(m, DBUS_INTERFACE_DBUS, "Hello"))
                greet(client, m);
        else if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_METHOD_CALL)
                pass_on(client, m);
        return DBUS_HANDLER_RESULT_HANDLED;
}

static void accept_client(DBusServer *server _unused_, DBusConnection *client,
                          void *userdata _unused_) {
        if (n_clients == ARRAY_SIZE(clients) ||
            !dbus_connection_add_filter(client, from_client, NULL, NULL) ||
            !dbus_connection_set_watch_functions(client, watch_add, watch_remove, NULL, NULL, NULL))
                give_up("too many clients");
        dbus_connection_set_exit_on_disconnect(client, FALSE);
        clients[n_clients++] = dbus_connection_ref(client);
}

static void watches_wait(void) {
        struct pollfd fds[WATCHES_MAX];
        DBusWatch *polled[WATCHES_MAX];
        nfds_t n = 0;

        for (size_t i = 0; i < n_watches; i++) {
                unsigned flags = dbus_watch_get_flags(watches[i]);

                if (!dbus_watch_get_enabled(watches[i]))
                        continue;
                polled[n] = watches[i];
                fds[n++] = (struct pollfd){
                        .fd = dbus_watch_get_unix_fd(watches[i]),
                        .events = (short)((flags & DBUS_WATCH_READABLE ? POLLIN : 0) |
                                          (flags & DBUS_WATCH_WRITABLE ? POLLOUT : 0)),
                };
        }
        if (poll(fds, n, -1) < 0 && errno != EINTR)
                give_up("poll");
        for (nfds_t i = 0; i < n; i++) {
                bool still = false;

                for (size_t k = 0; k < n_watches; k++)
                        still |= watches[k] == polled[i];
                if (!still || !fds[i].revents)
                        continue;
                (void)dbus_watch_handle(
                        polled[i],
                        (unsigned)((fds[i].revents & POLLIN ? DBUS_WATCH_READABLE : 0) |
                                   (fds[i].revents & POLLOUT ? DBUS_WATCH_WRITABLE : 0) |
                                   (fds[i].revents & POLLERR ? DBUS_WATCH_ERROR : 0) |
                                   (fds[i].revents & POLLHUP ? DBUS_WATCH_HANGUP
                                                             : 0))); /* out of memory: again */
        }
}

static void dispatch(DBusConnection *connection) {
        while (dbus_connection_dispatch(connection) == DBUS_DISPATCH_DATA_REMAINS)
                ;
}

static _Noreturn void serve(void) {
        for (;;) {
                dispatch(bus);
                for (size_t i = 0; i < n_clients; i++) {
                        dispatch(clients[i]);
                        if (dbus_connection_get_is_connected(clients[i]))
                                continue;
                        dbus_connection_unref(clients[i]);
                        clients[i--] = clients[--n_clients];
                }
                watches_wait();
        }
}

pid_t holder_start(const char *address, const char *listen) {
        int ready[2];
        char byte = 0;
        pid_t child;
        DBusServer *server;

        if (pipe(ready) < 0 || (child = fork()) < 0)
                give_up("fork");
        if (child > 0) {
                (void)close(ready[1]); /* ours */
                if (read(ready[0], &byte, 1) != 1)
                        give_up("it does not listen");
                (void)close(ready[0]); /* ours */
                return child;
        }
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                give_up("prctl");
        bus = dbus_connection_open_private(address, NULL);
        if (!bus || !dbus_bus_register(bus, NULL) ||
            !dbus_connection_set_watch_functions(bus, watch_add, watch_remove, NULL, NULL, NULL))
                give_up("no bus");
        server = dbus_server_listen(listen, NULL);
        if (!server ||
            !dbus_server_set_watch_functions(server, watch_add, watch_remove, NULL, NULL, NULL))
                give_up("cannot listen");
        dbus_server_set_new_connection_function(server, accept_client, NULL, NULL);
        if (write(ready[1], &byte, 1) != 1)
                give_up("nobody waits");
        serve();
}
