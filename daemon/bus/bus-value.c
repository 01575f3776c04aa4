/* Typed values at the border of the bus: see bus-value.h. */

#include "daemon/bus/bus-value.h"

#include "common/vss-id.h"

void bus_value_done(struct bus_value *v) {
        const char *signature = str_or_empty(v->signature);

        if (streq(signature, "s") || streq(signature, "o"))
                free(v->s);
        else if (streq(signature, "as"))
                strv_free(v->strv);
        else if (streq(signature, "v"))
                document_unref(v->document);
        else if (signature[0] == 'a' && v->dict) {
                wire_clear(v->table, v->dict);
                free(v->dict);
        }
        *v = (struct bus_value){ 0 };
}

static int parse_string(struct bus_value *v, const char *name, DBusMessageIter *iter, size_t *bytes,
                        struct vss_error *reterr) {
        const char *s = NULL;
        size_t n;

        dbus_message_iter_get_basic(iter, &s);
        n = strlen(s) + 1;
        if (n > BUS_STRING_BYTES_MAX)
                return vss_error_set(reterr, E_INVALIDARG, E2BIG,
                                     "The argument \"%s\" has %zu bytes; at most %zu are taken",
                                     name, n, BUS_STRING_BYTES_MAX);
        v->s = strdup(s);
        if (!v->s)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        *bytes += n;
        return 0;
}

static int parse_strv(struct bus_value *v, const char *name, DBusMessageIter *iter, size_t *bytes,
                      struct vss_error *reterr) {
        int r;

        r = wire_read_strv(iter, name, &v->strv, reterr);
        if (r < 0)
                return r;
        STRV_FOREACH (s, v->strv)
                *bytes += strlen(*s) + 1 + sizeof(*s);
        return 0;
}

static int parse_dict(struct bus_value *v, const struct bus_options_row *row, const char *name,
                      DBusMessageIter *iter, size_t *bytes, struct vss_error *reterr) {
        int r;

        assert(row->table);

        /* A table without fields has an empty struct. */
        v->dict = calloc(1, row->size > 0 ? row->size : 1);
        if (!v->dict)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        if (row->defaults)
                memcpy(v->dict, row->defaults, row->size);
        r = wire_read_dict(iter, v->table, WIRE_UNKNOWN_REFUSED, name, v->dict, NULL, reterr);
        if (r < 0)
                return r;
        /* The codec bounds what a field can hold, and a table has few. */
        *bytes += row->size;
        return 0;
}

static int parse_document(struct bus_value *v, const char *name, DBusMessageIter *iter,
                          size_t *bytes, struct vss_error *reterr) {
        int r;

        r = document_read(iter, name, DOCUMENT_MAX, &v->document, reterr);
        if (r < 0)
                return r;
        if (v->document && document_size(v->document) <= DOCUMENT_INLINE_MAX)
                *bytes += document_size(v->document);
        return 0;
}

int bus_value_parse(struct bus_value *ret, const char *signature, const struct bus_options_row *row,
                    const char *name, DBusMessageIter *iter, size_t *bytes,
                    struct vss_error *reterr) {
        struct bus_value v = { .signature = signature, .table = row->table };
        dbus_bool_t b;
        int r = 0;

        if (streq(signature, "s") || streq(signature, "o"))
                r = parse_string(&v, name, iter, bytes, reterr);
        else if (streq(signature, "i"))
                dbus_message_iter_get_basic(iter, &v.i);
        else if (streq(signature, "u"))
                dbus_message_iter_get_basic(iter, &v.u);
        else if (streq(signature, "x"))
                dbus_message_iter_get_basic(iter, &v.x);
        else if (streq(signature, "b")) {
                dbus_message_iter_get_basic(iter, &b);
                v.b = b;
        } else if (streq(signature, "as"))
                r = parse_strv(&v, name, iter, bytes, reterr);
        else if (streq(signature, "v"))
                r = parse_document(&v, name, iter, bytes, reterr);
        else
                r = parse_dict(&v, row, name, iter, bytes, reterr);
        if (r < 0) {
                bus_value_done(&v);
                return r;
        }

        *ret = v;
        return 0;
}

void bus_out_init(struct bus_out *o, DBusMessage *m) {
        *o = (struct bus_out){ 0 };
        dbus_message_iter_init_append(m, &o->stack[0]);
}

static void out_basic(struct bus_out *o, int type, const void *value) {
        if (!o->failed && !dbus_message_iter_append_basic(&o->stack[o->depth], type, value))
                o->failed = true;
}

/* The iterator that the codec may append to; NULL once something failed. */
static DBusMessageIter *out_iter(struct bus_out *o) {
        return o->failed ? NULL : &o->stack[o->depth];
}

static void out_result(struct bus_out *o, int r) {
        if (r < 0)
                o->failed = true;
}

void bus_out_string(struct bus_out *o, const char *s) {
        DBusMessageIter *iter = out_iter(o);

        if (iter)
                out_result(o, wire_append_string(iter, s));
}

void bus_out_path(struct bus_out *o, const char *path) {
        out_basic(o, DBUS_TYPE_OBJECT_PATH, &path);
}

void bus_out_id(struct bus_out *o, VSS_ID id) {
        bus_out_string(o, VSS_ID_TEXT(id));
}

void bus_out_int32(struct bus_out *o, int32_t i) {
        out_basic(o, DBUS_TYPE_INT32, &i);
}

void bus_out_uint32(struct bus_out *o, uint32_t u) {
        out_basic(o, DBUS_TYPE_UINT32, &u);
}

void bus_out_uint64(struct bus_out *o, uint64_t t) {
        out_basic(o, DBUS_TYPE_UINT64, &t);
}

void bus_out_boolean(struct bus_out *o, bool b) {
        dbus_bool_t value = b;

        out_basic(o, DBUS_TYPE_BOOLEAN, &value);
}

void bus_out_strv(struct bus_out *o, char *const *v) {
        DBusMessageIter *iter = out_iter(o);

        if (iter)
                out_result(o, wire_append_strv(iter, v));
}

void bus_out_document(struct bus_out *o, struct document *d) {
        DBusMessageIter *iter = out_iter(o);

        if (iter)
                out_result(o, document_append(iter, d));
}

void bus_out_dict(struct bus_out *o, const struct wire_table *table, const void *source) {
        DBusMessageIter *iter = out_iter(o);

        if (iter)
                out_result(o, wire_append_dict(iter, table, source));
}

void bus_out_field(struct bus_out *o, const struct wire_field *field, const void *source) {
        DBusMessageIter *iter = out_iter(o);

        if (iter)
                out_result(o, wire_append_variant(iter, field, source));
}

static void out_open(struct bus_out *o, int type, const char *contents) {
        if (o->failed)
                return;
        assert(o->depth + 1 < ARRAY_SIZE(o->stack));
        if (dbus_message_iter_open_container(&o->stack[o->depth], type, contents,
                                             &o->stack[o->depth + 1]))
                o->depth++;
        else
                o->failed = true;
}

void bus_out_open_array(struct bus_out *o, const char *contents) {
        out_open(o, DBUS_TYPE_ARRAY, contents);
}

void bus_out_open_variant(struct bus_out *o, const char *contents) {
        out_open(o, DBUS_TYPE_VARIANT, contents);
}

void bus_out_open_entry(struct bus_out *o) {
        out_open(o, DBUS_TYPE_DICT_ENTRY, NULL);
}

void bus_out_open_struct(struct bus_out *o) {
        out_open(o, DBUS_TYPE_STRUCT, NULL);
}

void bus_out_close(struct bus_out *o) {
        if (o->failed)
                return; /* the message is thrown away as it is */
        assert(o->depth > 0);
        o->depth--;
        if (!dbus_message_iter_close_container(&o->stack[o->depth], &o->stack[o->depth + 1]))
                o->failed = true;
}
