/* The interfaces of D-Bus itself: Introspectable, Properties, ObjectManager, Peer. */

#include "daemon/bus/bus-introspect.h"
#include "daemon/bus/bus-object.h"
#include "daemon/bus/bus-private.h"

/* The directories below path, if it leads to our objects, or the objects in it. 0: it leads
 * nowhere. */
static int list_children(struct bus *bus, const char *path, const struct bus_client *client,
                         char ***ret) {
        size_t n = streq(path, "/") ? 0 : strlen(path);
        int r;

        /* "/", "/org", "/org/vssd": the next part of the root's path. */
        if (n < strlen(BUS_ROOT) && strncmp(BUS_ROOT, path, n) == 0 && BUS_ROOT[n] == '/') {
                const char *next = &BUS_ROOT[n + 1];
                char part[sizeof(BUS_ROOT)];
                size_t k = strcspn(next, "/");

                memcpy(part, next, k);
                part[k] = '\0';
                r = strv_append(ret, part);
                return r < 0 ? r : 1;
        }

        for (const struct bus_kind *const *k = bus_kinds; *k; k++) {
                _cleanup_(bus_objects_done) struct bus_objects objects = { 0 };
                _cleanup_(freep) char *directory = NULL;

                if (!(*k)->directory)
                        continue;
                if (streq(path, BUS_ROOT)) {
                        r = strv_append(ret, (*k)->directory);
                        if (r < 0)
                                return r;
                        continue;
                }
                r = str_format(&directory, "%s/%s", BUS_ROOT, (*k)->directory);
                if (r < 0)
                        return r;
                if (!streq(path, directory))
                        continue;
                r = bus_objects_list(&objects, bus, *k, client);
                for (size_t i = 0; r >= 0 && i < objects.n; i++)
                        r = strv_append(ret, strrchr(objects.items[i].path, '/') + 1);
                return r < 0 ? r : 1;
        }
        return streq(path, BUS_ROOT);
}

static void on_introspect(struct bus_call *call, const struct bus_value *args _unused_) {
        const struct bus_interface *interfaces[6] = { NULL };
        _cleanup_(strv_freep) char **children = NULL;
        _cleanup_(freep) char *text = NULL;
        struct vss_error error = { 0 };
        struct bus_client *client;
        size_t n = 0;
        int r;

        /* Whoever was never identified owns nothing that only owners see. */
        client = bus_client_find(call->bus, dbus_message_get_sender(call->message));
        r = list_children(call->bus, bus_call_path(call), client, &children);
        if (r == 0 && !call->kind) {
                bus_call_refuse(call, DBUS_ERROR_UNKNOWN_OBJECT, "There is no object %s",
                                bus_call_path(call));
                return;
        }

        if (call->kind)
                interfaces[n++] = call->kind->interface;
        if (call->kind == &bus_kind_manager)
                interfaces[n++] = &bus_interface_object_manager;
        if (call->kind)
                interfaces[n++] = &bus_interface_properties;
        interfaces[n++] = &bus_interface_introspectable;
        interfaces[n] = &bus_interface_peer;
        if (r >= 0)
                r = bus_introspect_node(&text, interfaces, children);
        if (r >= 0)
                bus_out_string(bus_call_answer(call), text);
        bus_call_finish(call, r, &error);
}

/* The interface of the properties that were asked for; refuses the call if it is not the
 * object's. */
static const struct bus_interface *wanted_interface(struct bus_call *call, const char *name) {
        const struct bus_interface *const standard[] = {
                &bus_interface_introspectable,
                &bus_interface_properties,
                &bus_interface_peer,
                call->kind == &bus_kind_manager ? &bus_interface_object_manager : NULL,
        };

        if (streq(name, call->kind->interface->name))
                return call->kind->interface;
        for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
                if (standard[i] && streq(name, standard[i]->name))
                        return standard[i];
        bus_call_refuse(call, DBUS_ERROR_UNKNOWN_INTERFACE, "%s has no interface %s",
                        bus_call_path(call), name);
        return NULL;
}

static bool has_property(const struct bus_interface *i, const char *wanted) {
        const char *name, *signature;

        for (size_t n = 0; bus_interface_property(i, n, &name, &signature); n++)
                if (streq(name, wanted))
                        return true;
        return false;
}

/* The object of a call that waits for its sources to be loaded. */
static void call_load(struct bus_call *call, bus_loaded_fn done) {
        _cleanup_(bus_objects_done) struct bus_objects objects = { 0 };
        struct bus_object object = call->object;

        call->object = (struct bus_object){ 0 };
        if (bus_objects_add(&objects, &object) < 0)
                done(call, -ENOMEM, &objects);
        else
                bus_objects_load(call->bus, &objects, done, call);
}

static void get_reply(struct bus_call *call, const struct bus_object *o) {
        /* That the interface has the property was seen when the call came. */
        (void)bus_interface_append_property(o->kind->interface, call->args[1].s,
                                            bus_call_answer(call), o->source);
        bus_call_reply(call);
}

static void get_on_loaded(void *userdata, int r, struct bus_objects *objects) {
        struct bus_call *call = userdata;
        struct vss_error error = { 0 };

        if (r < 0)
                bus_call_finish(call, r, &error);
        else
                get_reply(call, &objects->items[0]);
}

static void on_get(struct bus_call *call, const struct bus_value *args) {
        const struct bus_interface *i = wanted_interface(call, args[0].s);

        if (!i)
                return;
        if (!has_property(i, args[1].s))
                bus_call_refuse(call, DBUS_ERROR_UNKNOWN_PROPERTY, "%s has no property %s", i->name,
                                args[1].s);
        else if (call->kind->needs_load && call->kind->needs_load(args[1].s))
                call_load(call, get_on_loaded);
        else
                get_reply(call, &call->object);
}

static void get_all_on_loaded(void *userdata, int r, struct bus_objects *objects) {
        struct bus_call *call = userdata;
        struct vss_error error = { 0 };

        if (r >= 0)
                bus_interface_append_properties(call->kind->interface, bus_call_answer(call),
                                                objects->items[0].source);
        bus_call_finish(call, r, &error);
}

static void on_get_all(struct bus_call *call, const struct bus_value *args) {
        const struct bus_interface *i = wanted_interface(call, args[0].s);

        if (!i)
                return;
        if (i == call->kind->interface) {
                call_load(call, get_all_on_loaded);
                return;
        }
        bus_interface_append_properties(i, bus_call_answer(call), NULL); /* they have none */
        bus_call_reply(call);
}

static void set_refuse(struct bus_call *call, const char *interface, const char *property) {
        const struct bus_interface *i = wanted_interface(call, interface);

        if (!i)
                return;
        if (has_property(i, property))
                bus_call_refuse(call, DBUS_ERROR_PROPERTY_READ_ONLY,
                                "The property %s of %s can only be read", property, i->name);
        else
                bus_call_refuse(call, DBUS_ERROR_UNKNOWN_PROPERTY, "%s has no property %s", i->name,
                                property);
}

static void on_set(struct bus_call *call, const struct bus_value *args) {
        set_refuse(call, args[0].s, args[1].s);
}

static void managed_on_loaded(void *userdata, int r, struct bus_objects *objects) {
        struct bus_call *call = userdata;
        struct vss_error error = { 0 };
        struct bus_out *out;

        if (r < 0) {
                bus_call_finish(call, r, &error);
                return;
        }
        out = bus_call_answer(call);
        bus_out_open_array(out, "{oa{sa{sv}}}");
        for (size_t i = 0; i < objects->n; i++) {
                const struct bus_object *o = &objects->items[i];

                bus_out_open_entry(out);
                bus_out_path(out, o->path);
                bus_out_open_array(out, "{sa{sv}}");
                bus_out_open_entry(out);
                bus_out_string(out, o->kind->interface->name);
                bus_interface_append_properties(o->kind->interface, out, o->source);
                bus_out_close(out);
                bus_out_close(out);
                bus_out_close(out);
        }
        bus_out_close(out);
        bus_call_reply(call);
}

static void on_get_managed_objects(struct bus_call *call, const struct bus_value *args _unused_) {
        _cleanup_(bus_objects_done) struct bus_objects objects = { 0 };
        struct vss_error error = { 0 };
        int r = 0;

        for (const struct bus_kind *const *k = bus_kinds; r >= 0 && *k; k++)
                if ((*k)->directory)
                        r = bus_objects_list(&objects, call->bus, *k, call->client);
        if (r < 0)
                bus_call_finish(call, r, &error);
        else
                bus_objects_load(call->bus, &objects, managed_on_loaded, call);
}

static const struct bus_method introspectable_methods[] = {
        { .name = "Introspect",
          BUS_OUT("s xml_data"),
          .class = BUS_CLASS_OPEN,
          .handler = on_introspect },
};
const struct bus_interface bus_interface_introspectable = {
        .name = "org.freedesktop.DBus.Introspectable",
        BUS_METHODS(introspectable_methods),
};

static const struct bus_method properties_methods[] = {
        { .name = "Get",
          BUS_IN("s interface_name", "s property_name"),
          BUS_OUT("v value"),
          .class = BUS_CLASS_PROPERTIES,
          .handler = on_get },
        { .name = "GetAll",
          BUS_IN("s interface_name"),
          BUS_OUT("a{sv} props"),
          .class = BUS_CLASS_PROPERTIES,
          .handler = on_get_all },
        { .name = "Set",
          BUS_IN("s interface_name", "s property_name", "v value"),
          .class = BUS_CLASS_PROPERTIES,
          .handler = on_set },
};
static const struct bus_signal properties_signals[] = {
        { .name = "PropertiesChanged",
          .args = (const char *const[]){ "s interface_name", "a{sv} changed_properties",
                                         "as invalidated_properties", NULL } },
};
const struct bus_interface bus_interface_properties = {
        .name = "org.freedesktop.DBus.Properties",
        BUS_METHODS(properties_methods),
        BUS_SIGNALS(properties_signals),
};

static const struct bus_method object_manager_methods[] = {
        { .name = "GetManagedObjects",
          BUS_OUT("a{oa{sa{sv}}} object_paths_interfaces_and_properties"),
          .class = BUS_CLASS_QUERY,
          .handler = on_get_managed_objects },
};
static const struct bus_signal object_manager_signals[] = {
        { .name = "InterfacesAdded",
          .args = (const char *const[]){ "o object_path", "a{sa{sv}} interfaces_and_properties",
                                         NULL } },
        { .name = "InterfacesRemoved",
          .args = (const char *const[]){ "o object_path", "as interfaces", NULL } },
};
const struct bus_interface bus_interface_object_manager = {
        .name = "org.freedesktop.DBus.ObjectManager",
        BUS_METHODS(object_manager_methods),
        BUS_SIGNALS(object_manager_signals),
};

/* libdbus answers these itself, before we see them. */
static const struct bus_method peer_methods[] = {
        { .name = "Ping" },
        { .name = "GetMachineId", BUS_OUT("s machine_uuid") },
};
const struct bus_interface bus_interface_peer = {
        .name = "org.freedesktop.DBus.Peer",
        BUS_METHODS(peer_methods),
};
