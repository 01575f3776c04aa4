#pragma once

/* What daemon and library put into D-Bus messages, and take out of them, beyond single basic
 * arguments: dictionaries as rows of a table, string vectors, errors. A message is hostile until
 * its reader here has said otherwise: types, sizes, duplicate and unknown keys are checked, and a
 * refused one leaves nothing allocated. Strings that go out are made valid UTF-8 first, because
 * libdbus aborts the process on anything else.
 *
 * A table maps the keys of an a{sv} (or an a{ss}, where all fields are strings) to the members of a
 * struct, in both directions. The tables of the project are in wire-rows.h. */

#include "common/vss-error.h"
#include <dbus/dbus.h>

/* Limits of what is taken in. A document is no row: it goes as a string of its own, and has to
 * leave room in a message, of which the system bus takes 32 MiB. */
#define WIRE_DOCUMENT_MAX (31u * 1024u * 1024u)
#define WIRE_STRING_MAX (64u * 1024u) /* bytes of one string of a row or vector */
#define WIRE_STRV_MAX 1024u           /* strings of one vector */
#define WIRE_ROWS_MAX 65536u          /* rows of one aa{sv} */

enum wire_type {
        WIRE_STRING, /* s: char *, owned; NULL goes out as "", "" comes in as NULL */
        WIRE_TEXT,   /* s: char *, owned; NULL goes out as ""; in a row never NULL */
        WIRE_ID,     /* s: VSS_ID; GUID_NULL goes out as its zeros, "" comes in as GUID_NULL */
        WIRE_BOOL,   /* b: bool */
        WIRE_INT32,  /* i: int32_t, LONG, HRESULT, an enum with a negative value */
        WIRE_UINT32, /* u: uint32_t, DWORD, an enum without */
        WIRE_INT64,  /* x: int64_t */
        WIRE_UINT64, /* t: uint64_t */
        WIRE_STRV,   /* as: char **, NULL-terminated, owned; NULL: the key is left out */
        _WIRE_TYPE_MAX,
};

/* "s", "b", ...: for Introspect and for messages. */
const char *wire_type_signature(enum wire_type type);

struct wire_field {
        const char *key;
        enum wire_type type;
        size_t offset;
        bool optional; /* a zero, false, NULL or null-id value is not sent */
};

struct wire_table {
        const struct wire_field *fields;
        size_t n; /* at most 64 */
};

#define WIRE_FIELD(struct_type, member, wire_key, wire_kind) \
        { .key = (wire_key), .type = (wire_kind), .offset = offsetof(struct_type, member) }
#define WIRE_OPTIONAL(struct_type, member, wire_key, wire_kind)                                  \
        {                                                                                        \
                .key = (wire_key), .type = (wire_kind), .offset = offsetof(struct_type, member), \
                .optional = true                                                                 \
        }
#define WIRE_TABLE(array) \
        { .fields = (array), .n = ARRAY_SIZE(array) }

const struct wire_field *wire_table_find(const struct wire_table *table, const char *key);
/* The field's number in its table: its bit in ret_seen. */
#define WIRE_SEEN(index) (UINT64_C(1) << (index))

/* Releases every owned member of a struct that wire_read_dict filled, and zeroes the members. */
void wire_clear(const struct wire_table *table, void *target);

enum wire_unknown_keys {
        WIRE_UNKNOWN_REFUSED, /* options: E_INVALIDARG that names the key and the known ones */
        WIRE_UNKNOWN_IGNORED, /* properties: a later version may send more */
};

/* Reads the dictionary that iter stands at (a{sv} or a{ss}) into *target, which must be
 * initialised: members whose key is absent keep their values. what: names the dictionary in
 * messages ("options"). ret_seen (NULL allowed): a bit per field that was there. On failure the
 * members that were read are as wire_clear leaves them, and the others untouched.
 * -EINVAL with E_INVALIDARG, -ENOMEM with E_OUTOFMEMORY. */
int wire_read_dict(DBusMessageIter *iter, const struct wire_table *table,
                   enum wire_unknown_keys unknown, const char *what, void *target,
                   uint64_t *ret_seen, struct vss_error *reterr);

/* Appends a{sv}. 0, -ENOMEM (the message is then useless). */
int wire_append_dict(DBusMessageIter *iter, const struct wire_table *table, const void *source);
/* Appends one field as a variant, for Properties.Get; of a vector that is NULL, an empty one. */
int wire_append_variant(DBusMessageIter *iter, const struct wire_field *field, const void *source);

/* Appends aa{sv} row by row. sources is an array of n structs of `stride` bytes each. */
int wire_append_rows(DBusMessageIter *iter, const struct wire_table *table, const void *sources,
                     size_t n, size_t stride);
/* Reads aa{sv} into an array of *ret_n structs of `stride` bytes, zeroed before they are filled;
 * NULL for none. Freed with wire_rows_free. Unknown keys are ignored. */
int wire_read_rows(DBusMessageIter *iter, const struct wire_table *table, const char *what,
                   size_t stride, void **ret, size_t *ret_n, struct vss_error *reterr);
void wire_rows_free(const struct wire_table *table, void *rows, size_t n, size_t stride);

/* as <-> a NULL-terminated vector (empty: one that holds only the NULL, never NULL). */
int wire_read_strv(DBusMessageIter *iter, const char *what, char ***ret, struct vss_error *reterr);
int wire_append_strv(DBusMessageIter *iter, char *const *strings);
/* Ids travel as text. The vector becomes an array of *ret_n ids; NULL for none. */
int wire_read_ids(DBusMessageIter *iter, const char *what, VSS_ID **ret, size_t *ret_n,
                  struct vss_error *reterr);
int wire_append_ids(DBusMessageIter *iter, const VSS_ID *ids, size_t n);

/* A string argument: made valid UTF-8. NULL goes out as "". */
int wire_append_string(DBusMessageIter *iter, const char *s);
int wire_append_id(DBusMessageIter *iter, VSS_ID id);
/* A copy of s in which each byte that is no UTF-8 is U+FFFD. */
int wire_utf8(char **ret, const char *s);
bool wire_is_utf8(const char *s);

/* An id argument given as text. what: names it. E_INVALIDARG. */
int wire_parse_id(VSS_ID *ret, const char *text, const char *what, struct vss_error *reterr);
