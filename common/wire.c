/* Dictionaries and rows of D-Bus messages, read with suspicion and written from tables. */

#include "common/wire.h"
#include "common/wire-kind.h"

const char *wire_type_signature(enum wire_type type) {
        return wire_kind(type)->signature;
}

const struct wire_field *wire_table_find(const struct wire_table *table, const char *key) {
        for (size_t i = 0; i < table->n; i++)
                if (streq(table->fields[i].key, key))
                        return &table->fields[i];
        return NULL;
}

static void *field_member(const struct wire_field *field, void *target) {
        return (char *)target + field->offset;
}

static const void *field_member_const(const struct wire_field *field, const void *source) {
        return (const char *)source + field->offset;
}

void wire_clear(const struct wire_table *table, void *target) {
        for (size_t i = 0; i < table->n; i++)
                wire_kind(table->fields[i].type)->clear(field_member(&table->fields[i], target));
}

static void clear_seen(const struct wire_table *table, uint64_t seen, void *target) {
        for (size_t i = 0; i < table->n; i++)
                if (seen & WIRE_SEEN(i))
                        wire_kind(table->fields[i].type)
                                ->clear(field_member(&table->fields[i], target));
}

static int refuse_key(const struct wire_table *table, const char *what, const char *key,
                      struct vss_error *reterr) {
        _cleanup_(freep) char *known = NULL;

        for (size_t i = 0; i < table->n; i++) {
                char *longer;

                if (str_format(&longer, "%s%s%s", str_or_empty(known), known ? ", " : "",
                               table->fields[i].key) < 0)
                        break; /* the sentence names fewer of them */
                free(known);
                known = longer;
        }
        return vss_error_set(reterr, E_INVALIDARG, 0, "%s: unknown key '%.64s'; known are: %s",
                             what, key, known ? known : "none");
}

/* One entry: key, then the value or a variant with it. */
static int read_entry(DBusMessageIter *entry, const struct wire_table *table,
                      enum wire_unknown_keys unknown, const char *what, void *target,
                      uint64_t *seen, struct vss_error *reterr) {
        _cleanup_(freep) char *name = NULL;
        const struct wire_field *field;
        const struct wire_kind *kind;
        DBusMessageIter variant, *value = entry;
        const char *key;
        size_t index;
        int r;

        dbus_message_iter_get_basic(entry, &key);
        dbus_message_iter_next(entry);
        field = wire_table_find(table, key);
        if (!field)
                return unknown == WIRE_UNKNOWN_IGNORED ? 0 : refuse_key(table, what, key, reterr);
        index = (size_t)(field - table->fields);
        if (*seen & WIRE_SEEN(index))
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s: the key '%s' is there twice",
                                     what, key);
        if (dbus_message_iter_get_arg_type(entry) == DBUS_TYPE_VARIANT) {
                dbus_message_iter_recurse(entry, &variant);
                value = &variant;
        }
        kind = wire_kind(field->type);
        if (dbus_message_iter_get_arg_type(value) != kind->dbus_type ||
            (kind->dbus_type == DBUS_TYPE_ARRAY &&
             dbus_message_iter_get_element_type(value) != DBUS_TYPE_STRING))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s: the value of '%s' is not of type '%s'", what, key,
                                     kind->signature);
        r = str_format(&name, "%s: %s", what, key);
        if (r < 0)
                return vss_error_from_errno(reterr, r, what);
        r = kind->read(value, name, field_member(field, target), reterr);
        if (r < 0)
                return r;
        *seen |= WIRE_SEEN(index);
        return 0;
}

int wire_read_dict(DBusMessageIter *iter, const struct wire_table *table,
                   enum wire_unknown_keys unknown, const char *what, void *target,
                   uint64_t *ret_seen, struct vss_error *reterr) {
        DBusMessageIter entries, entry;
        uint64_t seen = 0;

        assert(table->n <= 64);

        if (dbus_message_iter_get_arg_type(iter) != DBUS_TYPE_ARRAY ||
            dbus_message_iter_get_element_type(iter) != DBUS_TYPE_DICT_ENTRY)
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s: not a dictionary", what);
        for (dbus_message_iter_recurse(iter, &entries);
             dbus_message_iter_get_arg_type(&entries) == DBUS_TYPE_DICT_ENTRY;
             dbus_message_iter_next(&entries)) {
                int r;

                dbus_message_iter_recurse(&entries, &entry);
                if (dbus_message_iter_get_arg_type(&entry) != DBUS_TYPE_STRING)
                        r = vss_error_set(reterr, E_INVALIDARG, 0, "%s: a key is not a string",
                                          what);
                else
                        r = read_entry(&entry, table, unknown, what, target, &seen, reterr);
                if (r < 0) {
                        clear_seen(table, seen, target);
                        return r;
                }
        }
        if (ret_seen)
                *ret_seen = seen;
        return 0;
}

int wire_append_variant(DBusMessageIter *iter, const struct wire_field *field, const void *source) {
        const struct wire_kind *kind = wire_kind(field->type);
        DBusMessageIter variant = DBUS_MESSAGE_ITER_INIT_CLOSED;

        if (!dbus_message_iter_open_container(iter, DBUS_TYPE_VARIANT, kind->signature, &variant) ||
            kind->append(&variant, field_member_const(field, source)) < 0 ||
            !dbus_message_iter_close_container(iter, &variant)) {
                dbus_message_iter_abandon_container_if_open(iter, &variant);
                return -ENOMEM;
        }
        return 0;
}

static int append_entry(DBusMessageIter *dict, const struct wire_field *field, const void *source) {
        DBusMessageIter entry = DBUS_MESSAGE_ITER_INIT_CLOSED;

        if (!dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) ||
            !dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &field->key) ||
            wire_append_variant(&entry, field, source) < 0 ||
            !dbus_message_iter_close_container(dict, &entry)) {
                dbus_message_iter_abandon_container_if_open(dict, &entry);
                return -ENOMEM;
        }
        return 0;
}

int wire_append_dict(DBusMessageIter *iter, const struct wire_table *table, const void *source) {
        DBusMessageIter dict = DBUS_MESSAGE_ITER_INIT_CLOSED;

        if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "{sv}", &dict))
                return -ENOMEM;
        for (size_t i = 0; i < table->n; i++) {
                const struct wire_field *field = &table->fields[i];
                const void *member = field_member_const(field, source);

                if ((field->optional || field->type == WIRE_STRV) &&
                    wire_kind(field->type)->is_absent(member))
                        continue;
                if (append_entry(&dict, field, source) < 0) {
                        dbus_message_iter_abandon_container(iter, &dict);
                        return -ENOMEM;
                }
        }
        if (!dbus_message_iter_close_container(iter, &dict))
                return -ENOMEM;
        return 0;
}

int wire_append_rows(DBusMessageIter *iter, const struct wire_table *table, const void *sources,
                     size_t n, size_t stride) {
        DBusMessageIter rows = DBUS_MESSAGE_ITER_INIT_CLOSED;

        if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "a{sv}", &rows))
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (wire_append_dict(&rows, table, (const char *)sources + i * stride) < 0) {
                        dbus_message_iter_abandon_container(iter, &rows);
                        return -ENOMEM;
                }
        return dbus_message_iter_close_container(iter, &rows) ? 0 : -ENOMEM;
}

/* A row whose sender left a text out has it empty: its reader need not ask. */
static int fill_texts(const struct wire_table *table, void *row) {
        for (size_t i = 0; i < table->n; i++) {
                char **text;

                if (table->fields[i].type != WIRE_TEXT)
                        continue;
                text = field_member(&table->fields[i], row);
                if (!*text) {
                        *text = strdup("");
                        if (!*text)
                                return -ENOMEM;
                }
        }
        return 0;
}

static int read_row(DBusMessageIter *iter, const struct wire_table *table, const char *what,
                    void *row, struct vss_error *reterr) {
        int r;

        r = wire_read_dict(iter, table, WIRE_UNKNOWN_IGNORED, what, row, NULL, reterr);
        if (r < 0)
                return r;
        r = fill_texts(table, row);
        if (r < 0) {
                wire_clear(table, row);
                return vss_error_from_errno(reterr, r, what);
        }
        return 0;
}

int wire_read_rows(DBusMessageIter *iter, const struct wire_table *table, const char *what,
                   size_t stride, void **ret, size_t *ret_n, struct vss_error *reterr) {
        DBusMessageIter elements;
        char *rows = NULL;
        size_t n = 0, allocated = 0;
        int r = 0;

        if (dbus_message_iter_get_arg_type(iter) != DBUS_TYPE_ARRAY ||
            dbus_message_iter_get_element_type(iter) != DBUS_TYPE_ARRAY)
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s: not an array of dictionaries",
                                     what);
        for (dbus_message_iter_recurse(iter, &elements);
             dbus_message_iter_get_arg_type(&elements) == DBUS_TYPE_ARRAY;
             dbus_message_iter_next(&elements)) {
                if (n == WIRE_ROWS_MAX)
                        r = vss_error_set(reterr, E_INVALIDARG, 0, "%s: more than %u rows", what,
                                          WIRE_ROWS_MAX);
                else if (n == allocated) {
                        char *grown = reallocarray(rows, allocated * 2 + 8, stride);

                        if (!grown)
                                r = vss_error_from_errno(reterr, -ENOMEM, what);
                        else {
                                rows = grown;
                                allocated = allocated * 2 + 8;
                        }
                }
                if (r == 0) {
                        memset(rows + n * stride, 0, stride);
                        r = read_row(&elements, table, what, rows + n * stride, reterr);
                }
                if (r < 0) {
                        wire_rows_free(table, rows, n, stride);
                        return r;
                }
                n++;
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

void wire_rows_free(const struct wire_table *table, void *rows, size_t n, size_t stride) {
        for (size_t i = 0; i < n; i++)
                wire_clear(table, (char *)rows + i * stride);
        free(rows);
}
