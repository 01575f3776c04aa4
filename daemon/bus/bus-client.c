/* Callers and who they are: see bus-client.h. */

#include "daemon/bus/bus-client.h"

#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-dispatch.h"
#include "daemon/bus/bus-groups.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/session-object.h"
#include "daemon/bus/writer-transport.h"
#include "daemon/log/log.h"

/* The bus answers at once, or it is not well. */
#define ASK_TIMEOUT_MS 25000

struct bus_client *bus_client_find(struct bus *bus, const char *name) {
        for (struct bus_client *c = bus->clients; c; c = c->next)
                if (streq(c->name, name))
                        return c;
        return NULL;
}

int bus_client_get(struct bus_client **ret, struct bus *bus, const char *name) {
        struct bus_client *c;

        c = bus_client_find(bus, name);
        if (!c) {
                c = calloc(1, sizeof(*c));
                if (!c)
                        return -ENOMEM;
                c->name = strdup(name);
                if (!c->name) {
                        free(c);
                        return -ENOMEM;
                }
                c->bus = bus;
                c->documents.max = BUS_CLIENT_DOCUMENTS_MAX;
                c->pprev = &bus->clients;
                c->next = bus->clients;
                if (c->next)
                        c->next->pprev = &c->next;
                bus->clients = c;
        }
        *ret = c;
        return 0;
}

static void client_stop_asking(struct bus_client *c) {
        if (c->asking) {
                dbus_pending_call_cancel(c->asking);
                dbus_pending_call_unref(c->asking);
                c->asking = NULL;
        }
        if (c->groups_job)
                c->groups_job = bus_groups_abandon(c->groups_job);
}

void bus_client_end_work(struct bus_client *c) {
        struct bus_call *call;

        while (c->sessions)
                bus_session_free(c->sessions);
        /* Cancelling answers the call, and may answer others: begin anew each time. */
        do {
                for (call = c->calls; call && !call->cancel; call = call->next)
                        ;
                if (call)
                        bus_call_cancel(call);
        } while (call);
}

struct bus_client *bus_client_free(struct bus_client *c) {
        if (!c)
                return NULL;

        c->gone = true;
        client_stop_asking(c);
        /* First the calls lose their asker: what the sessions answer now goes nowhere. */
        while (c->calls)
                bus_call_orphan(c->calls);
        while (c->sessions)
                bus_session_free(c->sessions);
        while (c->writers)
                writer_peer_free(c->writers);
        *c->pprev = c->next;
        if (c->next)
                c->next->pprev = c->pprev;
        free(c->groups);
        free(c->name);
        free(c);
        return NULL;
}

bool bus_client_has_group(const struct bus_client *c, gid_t group) {
        for (size_t i = 0; i < c->n_groups; i++)
                if (c->groups[i] == group)
                        return true;
        return false;
}

static void client_identified(struct bus_client *c, enum bus_client_state state) {
        c->state = state;
        bus_dispatch_waiting(c);
        /* What the bus could not say now it may be able to say for the next call. */
        if (state == BUS_CLIENT_UNKNOWN)
                c->state = BUS_CLIENT_NEW;
}

static void client_on_groups(void *userdata, const gid_t *groups, size_t n) {
        struct bus_client *c = userdata;

        c->groups_job = NULL;
        if (n > 0) {
                c->groups = calloc(n, sizeof(*groups));
                if (c->groups) {
                        memcpy(c->groups, groups, n * sizeof(*groups));
                        c->n_groups = n;
                }
        }
        client_identified(c, BUS_CLIENT_KNOWN);
}

static int parse_groups(struct bus_client *c, DBusMessageIter *variant) {
        DBusMessageIter array;
        const dbus_uint32_t *groups = NULL;
        gid_t *copy;
        int n = 0;

        if (dbus_message_iter_get_arg_type(variant) != DBUS_TYPE_ARRAY ||
            dbus_message_iter_get_element_type(variant) != DBUS_TYPE_UINT32)
                return -EBADMSG;
        dbus_message_iter_recurse(variant, &array);
        dbus_message_iter_get_fixed_array(&array, &groups, &n);
        copy = calloc(n > 0 ? (size_t)n : 1, sizeof(*copy));
        if (!copy)
                return -ENOMEM;
        for (int i = 0; i < n; i++)
                copy[i] = groups[i];
        free(c->groups);
        c->groups = copy;
        c->n_groups = (size_t)n;
        return 0;
}

/* Fills in what the bus says. 1: groups, too; 0: without groups. */
static int parse_credentials(struct bus_client *c, DBusMessage *reply) {
        bool uid_there = false, groups_there = false;
        DBusMessageIter iter, array;

        if (!dbus_message_has_signature(reply, "a{sv}") || !dbus_message_iter_init(reply, &iter))
                return -EBADMSG;
        for (dbus_message_iter_recurse(&iter, &array);
             dbus_message_iter_get_arg_type(&array) == DBUS_TYPE_DICT_ENTRY;
             (void)dbus_message_iter_next(&array)) { /* the condition above looks */
                DBusMessageIter entry, variant;
                dbus_uint32_t number = 0;
                const char *key = NULL;

                dbus_message_iter_recurse(&array, &entry);
                dbus_message_iter_get_basic(&entry, &key);
                (void)dbus_message_iter_next(&entry); /* an entry has two halves */
                dbus_message_iter_recurse(&entry, &variant);
                if (dbus_message_iter_get_arg_type(&variant) == DBUS_TYPE_UINT32)
                        dbus_message_iter_get_basic(&variant, &number);

                if (streq(key, "UnixUserID")) {
                        c->uid = number;
                        uid_there = dbus_message_iter_get_arg_type(&variant) == DBUS_TYPE_UINT32;
                } else if (streq(key, "ProcessID"))
                        c->pid = (pid_t)number;
                else if (streq(key, "UnixGroupIDs"))
                        groups_there = parse_groups(c, &variant) >= 0;
        }
        return uid_there ? groups_there : -ENODATA;
}

static void client_on_credentials(DBusPendingCall *pending, void *userdata) {
        struct bus_client *c = userdata;
        DBusMessage *reply;
        int r = -EBADMSG;

        reply = dbus_pending_call_steal_reply(pending);
        dbus_pending_call_unref(c->asking);
        c->asking = NULL;
        if (reply) {
                if (dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN)
                        r = parse_credentials(c, reply);
                dbus_message_unref(reply);
        }

        if (r < 0) {
                client_identified(c, BUS_CLIENT_UNKNOWN);
                return;
        }
        /* Root needs no groups, and a bus that tells them needs no look-up. */
        if (r == 0 && c->uid != 0) {
                r = bus_groups_start(&c->groups_job, c->bus->event, c->uid, client_on_groups, c);
                if (r >= 0) {
                        c->state = BUS_CLIENT_GROUPS;
                        return;
                }
                log_warning("Cannot look up the groups of uid %lu: %s", (unsigned long)c->uid,
                            strerror(-r));
        }
        client_identified(c, BUS_CLIENT_KNOWN);
}

void bus_client_identify(struct bus_client *c) {
        DBusMessage *m;

        if (c->state != BUS_CLIENT_NEW)
                return;

        c->state = BUS_CLIENT_ASKING;
        m = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS,
                                         "GetConnectionCredentials");
        if (m && dbus_message_append_args(m, DBUS_TYPE_STRING, &c->name, DBUS_TYPE_INVALID) &&
            dbus_connection_send_with_reply(c->bus->connection, m, &c->asking, ASK_TIMEOUT_MS) &&
            c->asking && !dbus_pending_call_set_notify(c->asking, client_on_credentials, c, NULL))
                client_stop_asking(c);
        if (m)
                dbus_message_unref(m);
        if (!c->asking)
                client_identified(c, BUS_CLIENT_UNKNOWN);
}
