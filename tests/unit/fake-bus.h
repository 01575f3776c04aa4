#pragma once

/* A bus and a service in one, inside the test's own process: a libdbus server on a socket of its
 * own, served by a thread. The test says what is answered, and in which order things arrive, which
 * no real bus would let it. Every call of org.vssd.Vss1 that comes in is compared with the XML. */

#include "common/util.h"
#include "libvssclient/connection.h"

#include <check.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <vss/vsslinux.h>

#define FAKE_SERVICE ":1.1"
#define FAKE_STRANGER ":1.66"
#define FAKE_WATCHES 64
#define FAKE_PEERS 16
#define FAKE_SECONDS 30 /* the test fails if something that must happen has not by then */

struct fake_bus;

/* Answers a call of the service; the reply gets the service's name as its sender. NULL: no answer
 * (or the function has sent it itself, by fake_send). On the bus's thread, its lock held. */
typedef DBusMessage *(*fake_call_fn)(struct fake_bus *bus, DBusMessage *call);

struct fake_bus {
        DBusServer *server;
        char *address;
        pthread_t thread;
        int wake_fd;
        fake_call_fn on_call;
        fake_call_fn on_bus_call; /* of the bus itself, but for Hello; NULL: all is well */
        void *data;               /* the test's */

        pthread_mutex_t lock; /* guards what follows */
        pthread_cond_t changed;
        bool stop;
        DBusWatch *watches[FAKE_WATCHES];
        DBusConnection *peers[FAKE_PEERS]; /* latest last */
        unsigned n_peers;
        DBusConnection *caller; /* while on_call runs: whose call it is */
        unsigned n_hellos;
        DBusMessage *reply; /* to fake_event() */
        dbus_uint32_t reply_serial;
        char calls[4096]; /* members that were called, " Name" each */
};

static inline void fake_wake(void *data) {
        struct fake_bus *bus = data;
        const uint64_t one = 1;

        ck_assert(write(bus->wake_fd, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN);
}

static inline dbus_bool_t fake_add_watch(DBusWatch *watch, void *data) {
        struct fake_bus *bus = data;

        for (size_t i = 0; i < FAKE_WATCHES; i++)
                if (!bus->watches[i]) {
                        bus->watches[i] = watch;
                        return TRUE;
                }
        return FALSE;
}

static inline void fake_remove_watch(DBusWatch *watch, void *data) {
        struct fake_bus *bus = data;

        for (size_t i = 0; i < FAKE_WATCHES; i++)
                if (bus->watches[i] == watch)
                        bus->watches[i] = NULL;
}

static inline void fake_toggle_watch(DBusWatch *watch, void *data) {
        (void)watch;
        fake_wake(data);
}

/* "s" + "a{sv}" + ... of a method's in-arguments in dbus/INTERFACE.xml; NULL: no such method. */
static inline char *fake_xml_signature(const char *interface, const char *member) {
        _cleanup_(freep) char *file = NULL;
        char *signature = NULL;
        xmlDoc *doc;

        ck_assert_int_eq(str_format(&file, SOURCE_ROOT "/dbus/%s.xml", interface), 0);
        doc = xmlReadFile(file, NULL, XML_PARSE_NONET);
        ck_assert_msg(doc != NULL, "%s", file);
        for (xmlNode *i = xmlFirstElementChild(xmlDocGetRootElement(doc)); i;
             i = xmlNextElementSibling(i))
                for (xmlNode *m = xmlFirstElementChild(i); m; m = xmlNextElementSibling(m)) {
                        xmlChar *name = xmlGetProp(m, BAD_CAST "name");

                        if (xmlStrEqual(m->name, BAD_CAST "method") &&
                            xmlStrEqual(name, BAD_CAST member)) {
                                signature = strdup("");
                                for (xmlNode *a = xmlFirstElementChild(m); a;
                                     a = xmlNextElementSibling(a)) {
                                        xmlChar *way = xmlGetProp(a, BAD_CAST "direction");
                                        xmlChar *type = xmlGetProp(a, BAD_CAST "type");
                                        char *longer = NULL;

                                        if (xmlStrEqual(way, BAD_CAST "in")) {
                                                ck_assert_int_eq(str_format(&longer, "%s%s",
                                                                            signature,
                                                                            (char *)type),
                                                                 0);
                                                free(signature);
                                                signature = longer;
                                        }
                                        xmlFree(way);
                                        xmlFree(type);
                                }
                        }
                        xmlFree(name);
                }
        xmlFreeDoc(doc);
        return signature;
}

static inline void fake_check_contract(DBusMessage *call) {
        const char *interface = dbus_message_get_interface(call);
        _cleanup_(freep) char *signature =
                fake_xml_signature(interface, dbus_message_get_member(call));

        ck_assert_msg(signature != NULL, "%s.%s is not in the XML", interface,
                      dbus_message_get_member(call));
        ck_assert_msg(streq(signature, dbus_message_get_signature(call)),
                      "%s.%s: '%s' sent, '%s' in the XML", interface, dbus_message_get_member(call),
                      dbus_message_get_signature(call), signature);
}

/* Sends m (dropped) to a peer as if from `sender`. */
static inline void fake_send(DBusConnection *peer, DBusMessage *m, const char *sender) {
        ck_assert(dbus_message_set_sender(m, sender));
        ck_assert(dbus_connection_send(peer, m, NULL));
        dbus_message_unref(m);
}

static inline void fake_answer(DBusConnection *peer, DBusMessage *call, DBusMessage *reply,
                               const char *sender) {
        if (!reply)
                return;
        if (dbus_message_get_no_reply(call))
                dbus_message_unref(reply);
        else
                fake_send(peer, reply, sender);
}

static inline DBusMessage *fake_bus_call(struct fake_bus *bus, DBusMessage *call) {
        const bool is_hello = dbus_message_has_member(call, "Hello");
        DBusMessage *reply;
        const char *name = ":1.5";

        if (bus->on_bus_call && !is_hello)
                return bus->on_bus_call(bus, call);
        reply = dbus_message_new_method_return(call);
        if (is_hello) {
                ck_assert(dbus_message_append_args(reply, DBUS_TYPE_STRING, &name,
                                                   DBUS_TYPE_INVALID));
                bus->n_hellos++;
        }
        return reply;
}

static inline DBusHandlerResult fake_on_message(DBusConnection *peer, DBusMessage *message,
                                                void *data) {
        struct fake_bus *bus = data;
        size_t length = strlen(bus->calls);

        if (dbus_message_get_reply_serial(message) != 0 && !bus->reply &&
            dbus_message_get_reply_serial(message) == bus->reply_serial &&
            peer == bus->peers[bus->n_peers - 1]) /* serials are each connection's own */
                bus->reply = dbus_message_ref(message);
        else if (dbus_message_has_destination(message, DBUS_SERVICE_DBUS))
                fake_answer(peer, message, fake_bus_call(bus, message), DBUS_SERVICE_DBUS);
        else if (dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_METHOD_CALL) {
                (void)snprintf(bus->calls + length, sizeof(bus->calls) - length, " %s",
                               dbus_message_get_member(message));
                fake_check_contract(message);
                bus->caller = peer;
                fake_answer(peer, message, bus->on_call(bus, message), FAKE_SERVICE);
                bus->caller = NULL;
        }
        (void)pthread_cond_broadcast(&bus->changed);
        return DBUS_HANDLER_RESULT_HANDLED;
}

static inline void fake_on_connection(DBusServer *server, DBusConnection *peer, void *data) {
        struct fake_bus *bus = data;

        (void)server;
        ck_assert_uint_lt(bus->n_peers, FAKE_PEERS);
        bus->peers[bus->n_peers++] = dbus_connection_ref(peer);
        ck_assert(dbus_connection_add_filter(peer, fake_on_message, bus, NULL));
        ck_assert(dbus_connection_set_watch_functions(peer, fake_add_watch, fake_remove_watch,
                                                      fake_toggle_watch, bus, NULL));
        dbus_connection_set_wakeup_main_function(peer, fake_wake, bus, NULL);
}

static inline void *fake_thread(void *data) {
        struct fake_bus *bus = data;

        (void)pthread_mutex_lock(&bus->lock);
        while (!bus->stop) {
                struct pollfd fds[FAKE_WATCHES + 1] = { { .fd = bus->wake_fd, .events = POLLIN } };
                uint64_t count;

                for (size_t i = 0; i < FAKE_WATCHES; i++) {
                        DBusWatch *w = bus->watches[i];

                        fds[i + 1].fd = -1;
                        if (!w || !dbus_watch_get_enabled(w))
                                continue;
                        fds[i + 1].fd = dbus_watch_get_unix_fd(w);
                        if (dbus_watch_get_flags(w) & DBUS_WATCH_READABLE)
                                fds[i + 1].events |= POLLIN;
                        if (dbus_watch_get_flags(w) & DBUS_WATCH_WRITABLE)
                                fds[i + 1].events |= POLLOUT;
                }
                (void)pthread_mutex_unlock(&bus->lock);
                (void)poll(fds, FAKE_WATCHES + 1, -1);
                (void)pthread_mutex_lock(&bus->lock);
                (void)!read(bus->wake_fd, &count, sizeof(count));
                for (size_t i = 0; i < FAKE_WATCHES; i++) {
                        unsigned flags = 0;

                        if (fds[i + 1].fd < 0 || !bus->watches[i])
                                continue;
                        if (fds[i + 1].revents & POLLIN)
                                flags |= DBUS_WATCH_READABLE;
                        if (fds[i + 1].revents & POLLOUT)
                                flags |= DBUS_WATCH_WRITABLE;
                        if (fds[i + 1].revents & POLLHUP)
                                flags |= DBUS_WATCH_HANGUP;
                        if (flags)
                                (void)dbus_watch_handle(bus->watches[i], flags);
                }
                for (unsigned i = 0; i < bus->n_peers; i++)
                        while (dbus_connection_dispatch(bus->peers[i]) ==
                               DBUS_DISPATCH_DATA_REMAINS)
                                ;
        }
        (void)pthread_mutex_unlock(&bus->lock);
        return NULL;
}

static inline void fake_start(struct fake_bus *bus, fake_call_fn on_call, void *data) {
        pthread_mutexattr_t attr;
        DBusError error = DBUS_ERROR_INIT;

        *bus = (struct fake_bus){ .on_call = on_call, .data = data };
        ck_assert(dbus_threads_init_default());
        /* Recursive: sending from inside the lock may toggle a watch. */
        (void)pthread_mutexattr_init(&attr);
        (void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
        (void)pthread_mutex_init(&bus->lock, &attr);
        (void)pthread_cond_init(&bus->changed, NULL);
        bus->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        bus->server = dbus_server_listen("unix:tmpdir=/tmp", &error);
        ck_assert_msg(bus->server != NULL, "%s", error.message);
        bus->address = dbus_server_get_address(bus->server);
        dbus_server_set_new_connection_function(bus->server, fake_on_connection, bus, NULL);
        ck_assert(dbus_server_set_watch_functions(bus->server, fake_add_watch, fake_remove_watch,
                                                  fake_toggle_watch, bus, NULL));
        ck_assert_int_eq(pthread_create(&bus->thread, NULL, fake_thread, bus), 0);
        ck_assert_int_eq(VssSetBusAddress(bus->address), S_OK);
}

static inline void fake_stop(struct fake_bus *bus) {
        (void)pthread_mutex_lock(&bus->lock);
        bus->stop = true;
        fake_wake(bus);
        (void)pthread_mutex_unlock(&bus->lock);
        (void)pthread_join(bus->thread, NULL);
        for (unsigned i = 0; i < bus->n_peers; i++) {
                dbus_connection_remove_filter(bus->peers[i], fake_on_message, bus);
                dbus_connection_close(bus->peers[i]);
                dbus_connection_unref(bus->peers[i]);
        }
        if (bus->reply)
                dbus_message_unref(bus->reply);
        dbus_server_disconnect(bus->server);
        dbus_server_unref(bus->server);
        dbus_free(bus->address);
        (void)close(bus->wake_fd);
        ck_assert_int_eq(VssSetBusAddress(NULL), S_OK);
}

static inline DBusConnection *fake_peer(struct fake_bus *bus) {
        return bus->peers[bus->n_peers - 1];
}

/* Whom on_call answers. */
static inline DBusConnection *fake_caller(struct fake_bus *bus) {
        return bus->caller ? bus->caller : fake_peer(bus);
}

/* Waits, the lock held, until condition(bus) is true. */
static inline void fake_wait(struct fake_bus *bus, bool (*condition)(struct fake_bus *bus)) {
        struct timespec deadline;

        (void)clock_gettime(CLOCK_REALTIME, &deadline);
        deadline.tv_sec += FAKE_SECONDS;
        while (!condition(bus))
                ck_assert_int_eq(pthread_cond_timedwait(&bus->changed, &bus->lock, &deadline), 0);
}

/* The bus tells its latest peer that `name` changed hands. */
static inline void fake_name_owner_changed(struct fake_bus *bus, const char *name,
                                           const char *old_owner, const char *new_owner) {
        DBusMessage *m =
                dbus_message_new_signal(DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "NameOwnerChanged");

        ck_assert(dbus_message_append_args(m, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &old_owner,
                                           DBUS_TYPE_STRING, &new_owner, DBUS_TYPE_INVALID));
        fake_send(fake_peer(bus), m, DBUS_SERVICE_DBUS);
}

static inline bool fake_has_reply(struct fake_bus *bus) {
        return bus->reply;
}

/* Calls the latest peer (m is dropped) as if from `sender`, and gives its answer. */
static inline DBusMessage *fake_event(struct fake_bus *bus, DBusMessage *m, const char *sender) {
        DBusMessage *reply;

        fake_check_contract(m);
        (void)pthread_mutex_lock(&bus->lock);
        ck_assert(dbus_message_set_sender(m, sender));
        ck_assert(dbus_connection_send(fake_peer(bus), m, &bus->reply_serial));
        dbus_message_unref(m);
        fake_wait(bus, fake_has_reply);
        reply = TAKE_PTR(bus->reply);
        (void)pthread_mutex_unlock(&bus->lock);
        return reply;
}
