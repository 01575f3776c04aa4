/* The rows of interfaces, and questions about them: see bus-table.h. */

#include "daemon/bus/bus-table.h"

const struct bus_kind *const bus_kinds[] = {
        &bus_kind_manager,  &bus_kind_session, &bus_kind_async,    &bus_kind_set,
        &bus_kind_snapshot, &bus_kind_writer,  &bus_kind_provider, NULL,
};

const char *bus_emits_to_string(enum bus_emits e) {
        static const char *const names[_BUS_EMITS_MAX] = {
                [BUS_EMITS_TRUE] = "true",
                [BUS_EMITS_CONST] = "const",
                [BUS_EMITS_FALSE] = "false",
        };

        return names[e];
}

const struct bus_method *bus_interface_find_method(const struct bus_interface *i,
                                                   const char *name) {
        for (size_t k = 0; k < i->n_methods; k++)
                if (streq(i->methods[k].name, name))
                        return &i->methods[k];
        return NULL;
}

enum bus_emits bus_interface_emits(const struct bus_interface *i, const char *property) {
        for (size_t k = 0; k < i->n_emits_rows; k++)
                if (streq(i->emits_rows[k].property, property))
                        return i->emits_rows[k].emits;
        return i->emits;
}

bool bus_interface_property(const struct bus_interface *i, size_t n, const char **ret_name,
                            const char **ret_signature) {
        size_t n_fields = i->properties ? i->properties->n : 0;

        if (n < n_fields) {
                *ret_name = i->properties->fields[n].key;
                *ret_signature = wire_type_signature(i->properties->fields[n].type);
                return true;
        }
        n -= n_fields;
        if (n < i->n_more_properties) {
                *ret_name = i->more_properties[n].name;
                *ret_signature = i->more_properties[n].signature;
                return true;
        }
        return false;
}

static void append_more(const struct bus_property *p, struct bus_out *o, const void *source) {
        bus_out_open_variant(o, p->signature);
        p->append(o, source);
        bus_out_close(o);
}

int bus_interface_append_property(const struct bus_interface *i, const char *name,
                                  struct bus_out *o, const void *source) {
        const struct wire_field *field;

        field = i->properties ? wire_table_find(i->properties, name) : NULL;
        if (field) {
                bus_out_field(o, field, source);
                return 0;
        }
        for (size_t k = 0; k < i->n_more_properties; k++)
                if (streq(i->more_properties[k].name, name)) {
                        append_more(&i->more_properties[k], o, source);
                        return 0;
                }
        return -ENOENT;
}

void bus_interface_append_properties(const struct bus_interface *i, struct bus_out *o,
                                     const void *source) {
        const char *name, *signature;

        bus_out_open_array(o, "{sv}");
        for (size_t n = 0; bus_interface_property(i, n, &name, &signature); n++) {
                bus_out_open_entry(o);
                bus_out_string(o, name);
                (void)bus_interface_append_property(i, name, o, source); /* it has just been seen */
                bus_out_close(o);
        }
        bus_out_close(o);
}

const char *bus_arg_name(const char *arg) {
        const char *space = strchr(arg, ' ');

        assert(space);
        return space + 1;
}

const char *bus_arg_type(const char *arg, char buf[static BUS_TYPE_MAX]) {
        size_t n = (size_t)(bus_arg_name(arg) - arg) - 1;

        assert(n < BUS_TYPE_MAX);
        memcpy(buf, arg, n);
        buf[n] = '\0';
        return buf;
}

const char *bus_args_signature(const char *const *args, char buf[static BUS_SIGNATURE_MAX]) {
        size_t n = 0;

        for (; args && *args; args++) {
                char type[BUS_TYPE_MAX];
                size_t k = strlen(bus_arg_type(*args, type));

                assert(n + k < BUS_SIGNATURE_MAX);
                memcpy(buf + n, type, k);
                n += k;
        }
        buf[n] = '\0';
        return buf;
}
