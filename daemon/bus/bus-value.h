#pragma once

/* Typed values at the border of the bus. Arguments come in as an array of struct bus_value, parsed
 * and owned, once the signature was found right; answers go out through a struct bus_out, which
 * remembers the first failure so that nobody checks every step. Dictionaries are rows of
 * common/wire.h's tables on both ways. */

#include "common/document.h"
#include "common/vss-id.h"
#include "common/wire.h"

#define BUS_ARGS_MAX 8
/* The longest string argument: a saved document. */
#define BUS_STRING_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct bus_value {
        const char *signature; /* of the row: a static string */
        union {
                char *s;                   /* s, o */
                int32_t i;                 /* i */
                uint32_t u;                /* u */
                int64_t x;                 /* x */
                bool b;                    /* b */
                char **strv;               /* as: never NULL */
                void *dict;                /* a{sv}, a{ss}: the struct that `table` describes */
                struct document *document; /* v: NULL for an empty one */
        };
        const struct wire_table *table;
};

void bus_value_done(struct bus_value *v);

/* What a dictionary becomes: a struct of `size` bytes, beginning as *defaults (NULL: zeros), filled
 * by the table. */
struct bus_options_row {
        const struct wire_table *table;
        const void *defaults;
        size_t size;
};

/* Parses one argument of the type `signature`, which the iterator is known to stand at; a variant
 * is a document, there are no others. name: for messages. *bytes grows by what is kept (of a memfd
 * nothing: its pages are its sender's). E_INVALIDARG, E_OUTOFMEMORY. */
int bus_value_parse(struct bus_value *ret, const char *signature, const struct bus_options_row *row,
                    const char *name, DBusMessageIter *iter, size_t *bytes,
                    struct vss_error *reterr);

/* Writes into one message, container by container. */
struct bus_out {
        DBusMessageIter stack[12]; /* GetManagedObjects needs nine */
        unsigned depth;
        bool failed; /* memory ran out */
};
void bus_out_init(struct bus_out *o, DBusMessage *m);
/* Text that is no UTF-8 (a volume's name may be) goes out with U+FFFD in the bad places. NULL: ""
 */
void bus_out_string(struct bus_out *o, const char *s);
void bus_out_path(struct bus_out *o, const char *path);
void bus_out_id(struct bus_out *o, VSS_ID id);
void bus_out_int32(struct bus_out *o, int32_t i);
void bus_out_uint32(struct bus_out *o, uint32_t u);
void bus_out_uint64(struct bus_out *o, uint64_t t);
void bus_out_boolean(struct bus_out *o, bool b);
void bus_out_strv(struct bus_out *o, char *const *v);
/* As v; NULL: an empty one. */
void bus_out_document(struct bus_out *o, struct document *d);
void bus_out_dict(struct bus_out *o, const struct wire_table *table, const void *source);
void bus_out_field(struct bus_out *o, const struct wire_field *field, const void *source);
/* contents: the element's signature. */
void bus_out_open_array(struct bus_out *o, const char *contents);
void bus_out_open_variant(struct bus_out *o, const char *contents);
void bus_out_open_entry(struct bus_out *o);
void bus_out_open_struct(struct bus_out *o);
void bus_out_close(struct bus_out *o);
