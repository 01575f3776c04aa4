#pragma once

/* Events and their answers as messages: what a struct writer_event is on the wire, and what a
 * writer's message says. */

#include "daemon/bus/writer-transport.h"
#include <dbus/dbus.h>

struct writer_message_pattern;
struct writer_message_pattern *writer_message_pattern_free(struct writer_message_pattern *p);

/* NULL: no memory. *pattern begins as NULL, and is what makes the same for the next writer cheap.
 */
DBusMessage *writer_message_new(struct writer_message_pattern **pattern,
                                const struct writer_peer *peer, const struct writer_event *event);
/* Takes the method return `m` apart: the reply's strings point into it, its documents are the
 * caller's to drop, whatever this returns. False: it is no answer to such an event. */
bool writer_message_read(struct writer_reply *ret, const struct writer_peer *peer,
                         enum writer_event_type type, DBusMessage *m);
