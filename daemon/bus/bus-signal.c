/* Signals: see bus-signal.h. A signal for which there is no memory is not sent; who needs to know
 * can ask. */

#include "daemon/bus/bus-signal.h"

#include "daemon/bus/bus-private.h"

DBusMessage *bus_signal_new(const struct bus_kind *kind, const char *name,
                            const struct bus_client *destination, const char *interface,
                            const char *member, struct bus_out *out) {
        _cleanup_(freep) char *path = NULL;
        DBusMessage *m;

        if (bus_object_path(&path, kind, name) < 0)
                return NULL;
        m = dbus_message_new_signal(path, interface, member);
        if (!m)
                return NULL;
        if (destination && !dbus_message_set_destination(m, destination->name)) {
                dbus_message_unref(m);
                return NULL;
        }
        bus_out_init(out, m);
        return m;
}

void bus_signal_send(struct bus *bus, DBusMessage *m, const struct bus_out *out) {
        if (m && out->failed) {
                dbus_message_unref(m);
                return;
        }
        bus_send(bus, m);
}

struct added {
        struct bus *bus;
        char *destination; /* NULL: all */
};

static void added_send(struct bus *bus, const struct bus_object *o, const char *destination) {
        struct bus_out out;
        DBusMessage *m;

        m = bus_signal_new(&bus_kind_manager, "", NULL, "org.freedesktop.DBus.ObjectManager",
                           "InterfacesAdded", &out);
        if (!m)
                return;
        if (destination && !dbus_message_set_destination(m, destination)) {
                dbus_message_unref(m);
                return;
        }
        bus_out_path(&out, o->path);
        bus_out_open_array(&out, "{sa{sv}}");
        bus_out_open_entry(&out);
        bus_out_string(&out, o->kind->interface->name);
        bus_interface_append_properties(o->kind->interface, &out, o->source);
        bus_out_close(&out);
        bus_out_close(&out);
        bus_signal_send(bus, m, &out);
}

static void added_on_loaded(void *userdata, int r, struct bus_objects *objects) {
        struct added *a = userdata;

        if (r >= 0 && objects->n == 1)
                added_send(a->bus, &objects->items[0], a->destination);
        free(a->destination);
        free(a);
}

void bus_signal_added(struct bus *bus, const struct bus_kind *kind, const char *name) {
        _cleanup_(bus_objects_done) struct bus_objects objects = { 0 };
        _cleanup_(freep) char *path = NULL;
        struct bus_object object;
        struct added *a;

        if (bus_object_path(&path, kind, name) < 0 || bus_object_find(bus, path, &object) < 0)
                return;
        a = calloc(1, sizeof(*a));
        if (!a) {
                bus_object_done(&object);
                return;
        }
        a->bus = bus;
        if (object.owner) {
                a->destination = strdup(object.owner->name);
                if (!a->destination) {
                        /* Without its destination it would go to everybody. */
                        bus_object_done(&object);
                        free(a);
                        return;
                }
        }
        if (bus_objects_add(&objects, &object) < 0) {
                free(a->destination);
                free(a);
                return;
        }
        bus_objects_load(bus, &objects, added_on_loaded, a);
}

void bus_signal_removed(struct bus *bus, const struct bus_kind *kind, const char *name,
                        const struct bus_client *owner) {
        _cleanup_(freep) char *path = NULL;
        struct bus_out out;
        DBusMessage *m;

        if ((owner && owner->gone) || bus_object_path(&path, kind, name) < 0)
                return;
        m = bus_signal_new(&bus_kind_manager, "", owner, "org.freedesktop.DBus.ObjectManager",
                           "InterfacesRemoved", &out);
        if (!m)
                return;
        bus_out_path(&out, path);
        bus_out_open_array(&out, "s");
        bus_out_string(&out, kind->interface->name);
        bus_out_close(&out);
        bus_signal_send(bus, m, &out);
}

static void changed_send(struct bus *bus, const struct bus_object *o, const char *name,
                         const char *const *properties) {
        const struct bus_interface *interface = o->kind->interface;
        struct bus_out out;
        DBusMessage *m;

        m = bus_signal_new(o->kind, name, o->owner, "org.freedesktop.DBus.Properties",
                           "PropertiesChanged", &out);
        if (!m)
                return;
        bus_out_string(&out, interface->name);
        bus_out_open_array(&out, "{sv}");
        for (; *properties; properties++) {
                int r;

                bus_out_open_entry(&out);
                bus_out_string(&out, *properties);
                r = bus_interface_append_property(interface, *properties, &out, o->source);
                assert(r >= 0);
                bus_out_close(&out);
        }
        bus_out_close(&out);
        bus_out_open_array(&out, "s"); /* nothing is only invalidated */
        bus_out_close(&out);
        bus_signal_send(bus, m, &out);
}

/* Of properties that a worker has to ask for; only objects that all may see have some. */
struct changed {
        struct bus *bus;
        const char *const *properties; /* the caller's, which stay */
        char name[];
};

static void changed_on_loaded(void *userdata, int r, struct bus_objects *objects) {
        struct changed *c = userdata;

        if (r >= 0 && objects->n == 1)
                changed_send(c->bus, &objects->items[0], c->name, c->properties);
        free(c);
}

static bool any_needs_load(const struct bus_kind *kind, const char *const *properties) {
        for (; kind->needs_load && *properties; properties++)
                if (kind->needs_load(*properties))
                        return true;
        return false;
}

void bus_signal_changed(struct bus *bus, const struct bus_kind *kind, const char *name,
                        const char *const *properties) {
        _cleanup_(bus_objects_done) struct bus_objects objects = { 0 };
        _cleanup_(freep) char *path = NULL;
        struct bus_object object;
        struct changed *c;

        if (bus_object_path(&path, kind, name) < 0 || bus_object_find(bus, path, &object) < 0)
                return;
        if (!any_needs_load(kind, properties)) {
                changed_send(bus, &object, name, properties);
                bus_object_done(&object);
                return;
        }
        assert(!object.owner);
        c = calloc(1, sizeof(*c) + strlen(name) + 1);
        if (!c || bus_objects_add(&objects, &object) < 0) {
                if (!c)
                        bus_object_done(&object);
                free(c);
                return;
        }
        c->bus = bus;
        c->properties = properties;
        strcpy(c->name, name);
        bus_objects_load(bus, &objects, changed_on_loaded, c);
}
