/* The wire types: one reader, writer and release for each. */

#include "common/wire-kind.h"
#include "common/vss-id.h"

static int read_text(DBusMessageIter *iter, const char *what, char **ret,
                     struct vss_error *reterr) {
        const char *s;
        char *copy;

        dbus_message_iter_get_basic(iter, &s);
        if (strlen(s) > WIRE_STRING_MAX)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s: the string is longer than %u bytes, the most that is "
                                     "taken",
                                     what, WIRE_STRING_MAX);
        copy = strdup(s);
        if (!copy)
                return vss_error_from_errno(reterr, -ENOMEM, what);
        free(*ret);
        *ret = copy;
        return 0;
}

static int string_read(DBusMessageIter *iter, const char *what, void *member,
                       struct vss_error *reterr) {
        char **string = member;
        int r;

        r = read_text(iter, what, string, reterr);
        if (r < 0)
                return r;
        if (**string == '\0') {
                free(*string);
                *string = NULL;
        }
        return 0;
}

static int text_read(DBusMessageIter *iter, const char *what, void *member,
                     struct vss_error *reterr) {
        return read_text(iter, what, member, reterr);
}

static int string_append(DBusMessageIter *iter, const void *member) {
        return wire_append_string(iter, *(char *const *)member);
}

static bool string_is_absent(const void *member) {
        return str_empty(*(char *const *)member);
}

static int id_read(DBusMessageIter *iter, const char *what, void *member,
                   struct vss_error *reterr) {
        const char *s;

        dbus_message_iter_get_basic(iter, &s);
        return wire_parse_id(member, s, what, reterr);
}

static int id_append(DBusMessageIter *iter, const void *member) {
        return wire_append_id(iter, *(const VSS_ID *)member);
}

static bool id_is_absent(const void *member) {
        return vss_id_is_null(*(const VSS_ID *)member);
}

static void id_clear(void *member) {
        *(VSS_ID *)member = GUID_NULL;
}

static int bool_read(DBusMessageIter *iter, const char *what, void *member,
                     struct vss_error *reterr) {
        dbus_bool_t b;

        (void)what;
        (void)reterr;
        dbus_message_iter_get_basic(iter, &b);
        *(bool *)member = b != 0;
        return 0;
}

static int bool_append(DBusMessageIter *iter, const void *member) {
        dbus_bool_t b = *(const bool *)member;

        return dbus_message_iter_append_basic(iter, DBUS_TYPE_BOOLEAN, &b) ? 0 : -ENOMEM;
}

static bool bool_is_absent(const void *member) {
        return !*(const bool *)member;
}

static void bool_clear(void *member) {
        *(bool *)member = false;
}

/* The integers, and the enums among them, are copied as bytes: an enum member is no int32_t. */
static int int32_read(DBusMessageIter *iter, const char *what, void *member,
                      struct vss_error *reterr) {
        dbus_int32_t i;

        (void)what;
        (void)reterr;
        dbus_message_iter_get_basic(iter, &i);
        memcpy(member, &i, sizeof(i));
        return 0;
}

static int int32_append(DBusMessageIter *iter, const void *member) {
        return dbus_message_iter_append_basic(iter, DBUS_TYPE_INT32, member) ? 0 : -ENOMEM;
}

static int uint32_append(DBusMessageIter *iter, const void *member) {
        return dbus_message_iter_append_basic(iter, DBUS_TYPE_UINT32, member) ? 0 : -ENOMEM;
}

static bool int32_is_absent(const void *member) {
        uint32_t u;

        memcpy(&u, member, sizeof(u));
        return u == 0;
}

static void int32_clear(void *member) {
        memset(member, 0, sizeof(uint32_t));
}

static int int64_read(DBusMessageIter *iter, const char *what, void *member,
                      struct vss_error *reterr) {
        dbus_int64_t i;

        (void)what;
        (void)reterr;
        dbus_message_iter_get_basic(iter, &i);
        memcpy(member, &i, sizeof(i));
        return 0;
}

static int int64_append(DBusMessageIter *iter, const void *member) {
        return dbus_message_iter_append_basic(iter, DBUS_TYPE_INT64, member) ? 0 : -ENOMEM;
}

static int uint64_append(DBusMessageIter *iter, const void *member) {
        return dbus_message_iter_append_basic(iter, DBUS_TYPE_UINT64, member) ? 0 : -ENOMEM;
}

static bool int64_is_absent(const void *member) {
        uint64_t u;

        memcpy(&u, member, sizeof(u));
        return u == 0;
}

static void int64_clear(void *member) {
        memset(member, 0, sizeof(uint64_t));
}

static void string_clear(void *member) {
        freep(member);
}

static int strv_read(DBusMessageIter *iter, const char *what, void *member,
                     struct vss_error *reterr) {
        char **strings;
        int r;

        r = wire_read_strv(iter, what, &strings, reterr);
        if (r < 0)
                return r;
        strv_free(*(char ***)member);
        *(char ***)member = strings;
        return 0;
}

static int strv_append_member(DBusMessageIter *iter, const void *member) {
        return wire_append_strv(iter, *(char **const *)member);
}

static bool strv_is_absent(const void *member) {
        return !*(char **const *)member;
}

static void strv_clear(void *member) {
        strv_freep(member);
}

/* clang-format off */
static const struct wire_kind kinds[_WIRE_TYPE_MAX] = {
        [WIRE_STRING] = { .signature = "s", .dbus_type = DBUS_TYPE_STRING,
                          .read = string_read, .append = string_append,
                          .is_absent = string_is_absent, .clear = string_clear },
        [WIRE_TEXT]   = { .signature = "s", .dbus_type = DBUS_TYPE_STRING,
                          .read = text_read, .append = string_append,
                          .is_absent = string_is_absent, .clear = string_clear },
        [WIRE_ID]     = { .signature = "s", .dbus_type = DBUS_TYPE_STRING,
                          .read = id_read, .append = id_append,
                          .is_absent = id_is_absent, .clear = id_clear },
        [WIRE_BOOL]   = { .signature = "b", .dbus_type = DBUS_TYPE_BOOLEAN,
                          .read = bool_read, .append = bool_append,
                          .is_absent = bool_is_absent, .clear = bool_clear },
        [WIRE_INT32]  = { .signature = "i", .dbus_type = DBUS_TYPE_INT32,
                          .read = int32_read, .append = int32_append,
                          .is_absent = int32_is_absent, .clear = int32_clear },
        [WIRE_UINT32] = { .signature = "u", .dbus_type = DBUS_TYPE_UINT32,
                          .read = int32_read, .append = uint32_append,
                          .is_absent = int32_is_absent, .clear = int32_clear },
        [WIRE_INT64]  = { .signature = "x", .dbus_type = DBUS_TYPE_INT64,
                          .read = int64_read, .append = int64_append,
                          .is_absent = int64_is_absent, .clear = int64_clear },
        [WIRE_UINT64] = { .signature = "t", .dbus_type = DBUS_TYPE_UINT64,
                          .read = int64_read, .append = uint64_append,
                          .is_absent = int64_is_absent, .clear = int64_clear },
        [WIRE_STRV]   = { .signature = "as", .dbus_type = DBUS_TYPE_ARRAY,
                          .read = strv_read, .append = strv_append_member,
                          .is_absent = strv_is_absent, .clear = strv_clear },
};
/* clang-format on */

const struct wire_kind *wire_kind(enum wire_type type) {
        return &kinds[type];
}
