#pragma once

/* The interfaces as const rows, and the kinds of objects that have them. A row is declared once,
 * in the file of its handler: what Introspect says, what the dispatcher checks and what a handler
 * is given all come from it, and a unit test compares it with the XML under dbus/. */

#include "daemon/bus/bus-value.h"

struct bus;
struct bus_call;
struct bus_client;
struct bus_object;

/* What a method does, for the question who may call it (bus-access.c has the rule of each). */
enum bus_class {
        BUS_CLASS_OPEN,            /* anybody */
        BUS_CLASS_QUERY,           /* looks */
        BUS_CLASS_CREATE,          /* makes sessions and sets */
        BUS_CLASS_MANAGE,          /* deletes what others may have made */
        BUS_CLASS_ADOPT,           /* changes how volumes are mounted */
        BUS_CLASS_REGISTER_WRITER, /* takes part in freezes */
        BUS_CLASS_PROVIDERS,       /* says whose process makes copies, as root */
        BUS_CLASS_PROPERTIES,      /* reads properties: open for Manager, QUERY for the others */
        _BUS_CLASS_MAX,
};

struct bus_method {
        const char *name;
        const char *const *in, *const *out; /* "s volume": type and name; NULL: none */
        enum bus_class class;
        struct bus_options_row options; /* for the dictionary among the arguments */
        /* Answers the call, now or later: bus-call.h. args has one value per row of `in`. */
        void (*handler)(struct bus_call *call, const struct bus_value *args);
};
#define BUS_IN(...)                   \
        .in = (const char *const[]) { \
                __VA_ARGS__, NULL     \
        }
#define BUS_OUT(...)                   \
        .out = (const char *const[]) { \
                __VA_ARGS__, NULL      \
        }
#define BUS_OPTIONS(wire, type, begin) \
        .options = { .table = &(wire), .defaults = (begin), .size = sizeof(type) }

struct bus_signal {
        const char *name;
        const char *const *args; /* as in and out */
};

/* A property whose type the codec's tables do not have. */
struct bus_property {
        const char *name, *signature;
        void (*append)(struct bus_out *o, const void *source); /* the bare value */
};

/* org.freedesktop.DBus.Property.EmitsChangedSignal */
enum bus_emits { BUS_EMITS_TRUE, BUS_EMITS_CONST, BUS_EMITS_FALSE, _BUS_EMITS_MAX };
const char *bus_emits_to_string(enum bus_emits e);
struct bus_emits_row {
        const char *property;
        enum bus_emits emits;
};

struct bus_interface {
        const char *name;
        const struct bus_method *methods;
        size_t n_methods;
        const struct bus_signal *signals;
        size_t n_signals;
        /* Properties are the fields of a struct, which the object brings as its source. */
        const struct wire_table *properties;
        const struct bus_property *more_properties;
        size_t n_more_properties;
        /* Those that are not as the interface's default says. */
        enum bus_emits emits;
        const struct bus_emits_row *emits_rows;
        size_t n_emits_rows;
};
#define BUS_METHODS(array) .methods = (array), .n_methods = ARRAY_SIZE(array)
#define BUS_SIGNALS(array) .signals = (array), .n_signals = ARRAY_SIZE(array)
#define BUS_EMITS(array) .emits_rows = (array), .n_emits_rows = ARRAY_SIZE(array)

const struct bus_method *bus_interface_find_method(const struct bus_interface *i, const char *name);
enum bus_emits bus_interface_emits(const struct bus_interface *i, const char *property);

/* The n-th property: name and signature. false: there are not so many. */
bool bus_interface_property(const struct bus_interface *i, size_t n, const char **ret_name,
                            const char **ret_signature);
/* The value of a property as a variant. -ENOENT: no such property. */
int bus_interface_append_property(const struct bus_interface *i, const char *name,
                                  struct bus_out *o, const void *source);
/* All of them, as a{sv}. */
void bus_interface_append_properties(const struct bus_interface *i, struct bus_out *o,
                                     const void *source);

/* "s volume" -> "s", copied to buf, and "volume". */
#define BUS_TYPE_MAX 16
const char *bus_arg_name(const char *arg);
const char *bus_arg_type(const char *arg, char buf[static BUS_TYPE_MAX]);
/* All types of a row one after the other, as a message's signature has them. */
#define BUS_SIGNATURE_MAX 64
const char *bus_args_signature(const char *const *args, char buf[static BUS_SIGNATURE_MAX]);

/* A kind of object: everything under ROOT/directory/, or the root itself. Nothing of an object is
 * kept for the bus: it is found anew, by name, each time it is called. */
struct bus_kind {
        const char *directory; /* NULL: the root */
        const struct bus_interface *interface;
        /* Fills ret->source (what the property table describes), ret->owner and ret->data; the
         * rest is set. 0, -ENOENT, -ENOMEM. */
        int (*find)(struct bus *bus, const char *name, struct bus_object *ret);
        /* Appends the names that exist. 0, -ENOMEM. */
        int (*list)(struct bus *bus, char ***names);
        /* On a worker: completes the source with what must be asked of a device. NULL: nothing. */
        void (*load)(void *source);
        bool (*needs_load)(const char *property);
        void (*release)(void *source);
};

#define BUS_NAME "org.vssd.Vss1"
#define BUS_ROOT "/org/vssd/Vss1"

/* NULL-terminated. */
extern const struct bus_kind *const bus_kinds[];
extern const struct bus_kind bus_kind_manager, bus_kind_session, bus_kind_async, bus_kind_set,
        bus_kind_snapshot, bus_kind_writer, bus_kind_provider;
/* What every object has, and what the root has besides. */
extern const struct bus_interface bus_interface_introspectable, bus_interface_properties,
        bus_interface_object_manager, bus_interface_peer;
/* Called by us on writers. */
extern const struct bus_interface bus_interface_writer_events;
/* And on the providers of others. */
extern const struct bus_interface bus_interface_snapshot_provider;
