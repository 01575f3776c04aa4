#pragma once

/* libdbus on sd-event. A bus_loop carries the watches, timeouts and dispatching of one
 * DBusConnection; it borrows the connection, which must outlive it. It never blocks.
 *
 * What libdbus makes necessary: it has two watches on one descriptor (reading, and writing as soon
 * as the send queue is full), and epoll takes a descriptor once, so there is one source per
 * descriptor with the masks OR-ed; and messages must not be dispatched from inside a watch, so
 * dispatching has a deferred source of its own. */

#include "common/util.h"
#include <dbus/dbus.h>
#include <systemd/sd-event.h>

struct bus_loop;

int bus_loop_new(struct bus_loop **ret, sd_event *event, DBusConnection *connection);
/* The same for a server, which has watches and timeouts but nothing to dispatch. */
int bus_loop_new_server(struct bus_loop **ret, sd_event *event, DBusServer *server);
/* Before the connection is closed. Not from inside one of the connection's own callbacks. */
struct bus_loop *bus_loop_free(struct bus_loop *l);
DEFINE_CLEANUP(struct bus_loop, bus_loop_free);

/* For the unit test: event sources in use. */
size_t bus_loop_count_descriptors(const struct bus_loop *l);
