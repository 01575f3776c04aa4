#pragma once

/* One argument of a call, or of its answer: what it is on the wire, and where it comes from or goes
 * to. An exported function lists its own as rows, in the order of the interface, those of the
 * answer last; the rest is the same for all: outputs are made empty, NULL is refused, the call is
 * composed, the answer read. A row names its parameter, for the sentences. */

#include "common/document.h"
#include "libvssclient/connection.h"

struct IVssAsync;
struct IVssEnumObject;

enum argument_type {
        ARGUMENT_ID,       /* s */
        ARGUMENT_ANY_ID,   /* s: GUID_NULL goes out as the empty string: the service's choice */
        ARGUMENT_NUMBER,   /* u: UINT, DWORD, an enum */
        ARGUMENT_SIGNED,   /* i: LONG, HRESULT */
        ARGUMENT_FLAG,     /* b: bool, BOOL */
        ARGUMENT_TEXT,     /* s: not NULL */
        ARGUMENT_OPTIONAL, /* s: NULL goes out as the empty string */
        ARGUMENT_IDS,      /* as */
        ARGUMENT_DOCUMENT, /* v */
        RESULT_ID,         /* s */
        RESULT_NUMBER,     /* u */
        RESULT_STATE,      /* u: VSS_WRITER_STATE */
        RESULT_SIGNED,     /* i */
        RESULT_FLAG,       /* b: bool */
        RESULT_BOOL,       /* b: BOOL */
        RESULT_TEXT,       /* s: a copy */
        RESULT_OPTIONAL,   /* s: a copy; the empty string comes in as NULL */
        RESULT_DOCUMENT,   /* v: an empty one comes in as NULL */
        RESULT_XML,        /* v: a copy of the document's text */
        RESULT_ASYNC,      /* o */
        RESULT_PROPERTIES, /* a{sv}, of a copy */
        RESULT_OBJECTS,    /* aa{sv} */
        _ARGUMENT_TYPE_MAX,
};

struct argument {
        enum argument_type type;
        HRESULT if_null;  /* of an output: what a NULL pointer is; S_OK: allowed */
        const char *name; /* of the parameter */
        union {
                VSS_ID id;
                uint32_t number;
                int32_t signed_number;
                bool flag;
                const char *text;
                struct {
                        const VSS_ID *first;
                        size_t n;
                } ids;
                struct document *document;
                VSS_ID *to_id;
                uint32_t *to_number;
                int32_t *to_signed;
                VSS_WRITER_STATE *to_state;
                bool *to_flag;
                BOOL *to_bool;
                char **to_text;
                struct document **to_document;
                struct IVssAsync **to_async;
                VSS_SNAPSHOT_PROP *to_properties;
                struct {
                        struct IVssEnumObject **list;
                        VSS_OBJECT_TYPE type;
                        size_t *n;
                } to_objects;
        };
};

#define ARGUMENT(kind, member, value) \
        { .type = (kind), .name = #value, .member = (value) }
#define RESULT(kind, member, pointer) \
        { .type = (kind), .name = #pointer, .if_null = E_INVALIDARG, .member = (pointer) }

#define IN_ID(v) ARGUMENT(ARGUMENT_ID, id, v)
#define IN_ANY_ID(v) ARGUMENT(ARGUMENT_ANY_ID, id, v)
#define IN_NUMBER(v) \
        { .type = ARGUMENT_NUMBER, .name = #v, .number = (uint32_t)(v) }
#define IN_SIGNED(v) ARGUMENT(ARGUMENT_SIGNED, signed_number, v)
#define IN_FLAG(v) ARGUMENT(ARGUMENT_FLAG, flag, v)
#define IN_TEXT(v) ARGUMENT(ARGUMENT_TEXT, text, v)
#define IN_OPTIONAL(v) ARGUMENT(ARGUMENT_OPTIONAL, text, v)
#define IN_IDS(v, count)                                                               \
        {                                                                              \
                .type = ARGUMENT_IDS, .name = #v, .ids = {.first = (v), .n = (count) } \
        }
#define IN_DOCUMENT(v) ARGUMENT(ARGUMENT_DOCUMENT, document, v)

#define OUT_ID(p) RESULT(RESULT_ID, to_id, p)
#define OUT_NUMBER(p) RESULT(RESULT_NUMBER, to_number, p)
#define OUT_STATE(p) RESULT(RESULT_STATE, to_state, p)
#define OUT_SIGNED(p) RESULT(RESULT_SIGNED, to_signed, p)
#define OUT_FLAG(p) RESULT(RESULT_FLAG, to_flag, p)
#define OUT_BOOL(p) RESULT(RESULT_BOOL, to_bool, p)
#define OUT_TEXT(p) RESULT(RESULT_TEXT, to_text, p)
#define OUT_XML(p) RESULT(RESULT_XML, to_text, p)
#define OUT_DOCUMENT(p) RESULT(RESULT_DOCUMENT, to_document, p)
#define OUT_ASYNC(p) RESULT(RESULT_ASYNC, to_async, p)
#define OUT_PROPERTIES(p) RESULT(RESULT_PROPERTIES, to_properties, p)
#define OUT_OBJECTS(p, what, count)                                                          \
        {                                                                                    \
                .type = RESULT_OBJECTS, .name = #p, .if_null = E_INVALIDARG, .to_objects = { \
                        .list = (p),                                                         \
                        .type = (what),                                                      \
                        .n = (count)                                                         \
                }                                                                            \
        }
/* An output whose pointer may be NULL. */
#define OUT_SIGNED_IF(p) \
        { .type = RESULT_SIGNED, .name = #p, .to_signed = (p) }
#define OUT_OPTIONAL_IF(p) \
        { .type = RESULT_OPTIONAL, .name = #p, .to_text = (p) }
#define OUT_ASYNC_IF(p) \
        { .type = RESULT_ASYNC, .name = #p, .to_async = (p) }

/* Makes every output empty; then refuses the first that is NULL and may not be. */
int arguments_reset(const struct argument *arguments, size_t n, struct vss_error *reterr);
/* Composes the call; *ret is the caller's to drop. */
int arguments_call(const struct argument *arguments, size_t n, const char *path,
                   const char *interface, const char *method, DBusMessage **ret,
                   struct vss_error *reterr);
/* Reads the answer, all of it or nothing. c: where it came from, for what lives on it. */
int arguments_read(const struct argument *arguments, size_t n, struct connection *c,
                   DBusMessage *reply, struct vss_error *reterr);
