#pragma once

/* Signals: about objects that all may see they are broadcast (the bus' policy keeps them to those
 * who may call), about sessions and asyncs they go to their owner alone. */

#include "daemon/bus/bus-object.h"

/* InterfacesAdded, with all properties; looks the object up and loads it. */
void bus_signal_added(struct bus *bus, const struct bus_kind *kind, const char *name);
/* InterfacesRemoved. owner NULL: to all; one that has gone: to nobody. */
void bus_signal_removed(struct bus *bus, const struct bus_kind *kind, const char *name,
                        const struct bus_client *owner);
/* PropertiesChanged of the named properties (NULL-terminated; the names stay). Where the kernel has
 * to be asked it is sent a little later. */
void bus_signal_changed(struct bus *bus, const struct bus_kind *kind, const char *name,
                        const char *const *properties);
/* A signal of the object's own interface, to be filled and given to bus_signal_send(). NULL: no
 * memory. */
DBusMessage *bus_signal_new(const struct bus_kind *kind, const char *name,
                            const struct bus_client *destination, const char *interface,
                            const char *member, struct bus_out *out);
/* Sends m unless writing it failed. */
void bus_signal_send(struct bus *bus, DBusMessage *m, const struct bus_out *out);
