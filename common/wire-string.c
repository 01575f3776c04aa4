/* Strings, string vectors and ids in D-Bus messages. */

#include "common/utf8.h"
#include "common/vss-id.h"
#include "common/wire.h"

bool wire_is_utf8(const char *s) {
        return dbus_validate_utf8(s, NULL);
}

int wire_utf8(char **ret, const char *s) {
        char *copy, *end;

        /* A byte becomes three at most. */
        copy = end = malloc(strlen(s) * 3 + 1);
        if (!copy)
                return -ENOMEM;
        while (*s) {
                uint32_t character;
                char buf[4];
                size_t n;

                s += utf8_decode(s, &character);
                n = utf8_encode(character, buf);
                memcpy(end, buf, n);
                end += n;
        }
        *end = '\0';
        *ret = copy;
        return 0;
}

int wire_append_string(DBusMessageIter *iter, const char *s) {
        _cleanup_(freep) char *clean = NULL;
        const char *out = str_or_empty(s);

        if (!wire_is_utf8(out)) {
                int r = wire_utf8(&clean, out);

                if (r < 0)
                        return r;
                out = clean;
        }
        return dbus_message_iter_append_basic(iter, DBUS_TYPE_STRING, &out) ? 0 : -ENOMEM;
}

int wire_append_id(DBusMessageIter *iter, VSS_ID id) {
        char buf[VSS_ID_TEXT_MAX];
        const char *text = vss_id_format(id, buf);

        return dbus_message_iter_append_basic(iter, DBUS_TYPE_STRING, &text) ? 0 : -ENOMEM;
}

int wire_parse_id(VSS_ID *ret, const char *text, const char *what, struct vss_error *reterr) {
        int r;

        r = vss_id_parse(ret, text);
        if (r < 0)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s: '%.64s' is no id; one looks like "
                                     "b5946137-7b9f-4925-af80-51abd60b20d5",
                                     what, text);
        return 0;
}

int wire_read_strv(DBusMessageIter *iter, const char *what, char ***ret, struct vss_error *reterr) {
        _cleanup_(strv_freep) char **strings = NULL;
        DBusMessageIter elements;
        size_t n = 0;

        if (dbus_message_iter_get_arg_type(iter) != DBUS_TYPE_ARRAY ||
            dbus_message_iter_get_element_type(iter) != DBUS_TYPE_STRING)
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s: not an array of strings", what);
        for (dbus_message_iter_recurse(iter, &elements);
             dbus_message_iter_get_arg_type(&elements) == DBUS_TYPE_STRING;
             dbus_message_iter_next(&elements))
                if (++n > WIRE_STRV_MAX)
                        return vss_error_set(reterr, E_INVALIDARG, 0, "%s: more than %u strings",
                                             what, WIRE_STRV_MAX);
        strings = calloc(n + 1, sizeof(char *));
        if (!strings)
                return vss_error_from_errno(reterr, -ENOMEM, what);
        dbus_message_iter_recurse(iter, &elements);
        for (size_t i = 0; i < n; i++, dbus_message_iter_next(&elements)) {
                const char *s;

                dbus_message_iter_get_basic(&elements, &s);
                if (strlen(s) > WIRE_STRING_MAX)
                        return vss_error_set(reterr, E_INVALIDARG, 0,
                                             "%s: a string is longer than %u bytes", what,
                                             WIRE_STRING_MAX);
                strings[i] = strdup(s);
                if (!strings[i])
                        return vss_error_from_errno(reterr, -ENOMEM, what);
        }
        *ret = TAKE_PTR(strings);
        return 0;
}

int wire_append_strv(DBusMessageIter *iter, char *const *strings) {
        DBusMessageIter array = DBUS_MESSAGE_ITER_INIT_CLOSED;

        if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING_AS_STRING,
                                              &array))
                return -ENOMEM;
        STRV_FOREACH (s, strings)
                if (wire_append_string(&array, *s) < 0) {
                        dbus_message_iter_abandon_container(iter, &array);
                        return -ENOMEM;
                }
        return dbus_message_iter_close_container(iter, &array) ? 0 : -ENOMEM;
}

int wire_read_ids(DBusMessageIter *iter, const char *what, VSS_ID **ret, size_t *ret_n,
                  struct vss_error *reterr) {
        _cleanup_(strv_freep) char **strings = NULL;
        _cleanup_(freep) VSS_ID *ids = NULL;
        size_t n;
        int r;

        r = wire_read_strv(iter, what, &strings, reterr);
        if (r < 0)
                return r;
        n = strv_length(strings);
        if (n > 0) {
                ids = calloc(n, sizeof(VSS_ID));
                if (!ids)
                        return vss_error_from_errno(reterr, -ENOMEM, what);
        }
        for (size_t i = 0; i < n; i++) {
                r = wire_parse_id(&ids[i], strings[i], what, reterr);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(ids);
        *ret_n = n;
        return 0;
}

int wire_append_ids(DBusMessageIter *iter, const VSS_ID *ids, size_t n) {
        DBusMessageIter array = DBUS_MESSAGE_ITER_INIT_CLOSED;

        if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING_AS_STRING,
                                              &array))
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (wire_append_id(&array, ids[i]) < 0) {
                        dbus_message_iter_abandon_container(iter, &array);
                        return -ENOMEM;
                }
        return dbus_message_iter_close_container(iter, &array) ? 0 : -ENOMEM;
}
