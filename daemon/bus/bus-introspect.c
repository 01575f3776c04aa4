/* What Introspect answers: see bus-introspect.h. Every name in it is from a table or a path, and
 * none of these needs escaping. */

#include "daemon/bus/bus-introspect.h"

static void write_args(FILE *f, const char *const *args, const char *direction) {
        for (; args && *args; args++) {
                char type[BUS_TYPE_MAX];

                fprintf(f, "      <arg name=\"%s\" type=\"%s\"", bus_arg_name(*args),
                        bus_arg_type(*args, type));
                if (direction)
                        fprintf(f, " direction=\"%s\"", direction);
                fputs("/>\n", f);
        }
}

static void write_method(FILE *f, const struct bus_method *m) {
        fprintf(f, "    <method name=\"%s\">\n", m->name);
        write_args(f, m->in, "in");
        write_args(f, m->out, "out");
        fputs("    </method>\n", f);
}

static void write_property(FILE *f, const struct bus_interface *i, const char *name,
                           const char *signature) {
        enum bus_emits emits = bus_interface_emits(i, name);

        fprintf(f, "    <property name=\"%s\" type=\"%s\" access=\"read\"", name, signature);
        if (emits == BUS_EMITS_TRUE) { /* the default that readers assume */
                fputs("/>\n", f);
                return;
        }
        fprintf(f,
                ">\n      <annotation name=\"org.freedesktop.DBus.Property.EmitsChangedSignal\""
                " value=\"%s\"/>\n    </property>\n",
                bus_emits_to_string(emits));
}

void bus_introspect_interface(FILE *f, const struct bus_interface *i) {
        const char *name, *signature;

        fprintf(f, "  <interface name=\"%s\">\n", i->name);
        for (size_t k = 0; k < i->n_methods; k++)
                write_method(f, &i->methods[k]);
        for (size_t k = 0; bus_interface_property(i, k, &name, &signature); k++)
                write_property(f, i, name, signature);
        for (size_t k = 0; k < i->n_signals; k++) {
                fprintf(f, "    <signal name=\"%s\">\n", i->signals[k].name);
                write_args(f, i->signals[k].args, NULL);
                fputs("    </signal>\n", f);
        }
        fputs("  </interface>\n", f);
}

int bus_introspect_node(char **ret, const struct bus_interface *const *interfaces,
                        char *const *children) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        FILE *f;
        bool failed;

        f = open_memstream(&text, &size);
        if (!f)
                return -errno;
        fputs("<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
              " \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n<node>\n",
              f);
        for (; interfaces && *interfaces; interfaces++)
                bus_introspect_interface(f, *interfaces);
        STRV_FOREACH (child, children)
                fprintf(f, "  <node name=\"%s\"/>\n", *child);
        fputs("</node>\n", f);
        failed = ferror(f) != 0;
        if (fclose(f) != 0 || failed)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}
