/* A type of argument is a row of one table: how it goes into a call, or how its output is emptied
 * and read. An output that owns something is emptied by releasing it. */

#include "libvssclient/argument.h"
#include "common/vss-id.h"
#include "common/wire-rows.h"
#include "libvssclient/async.h"
#include "libvssclient/call.h"
#include "libvssclient/enum-object.h"
#include <vss/vsbackup.h>

/* Rows of the table are one of two kinds. */
struct argument_kind {
        /* An argument of the call. */
        int (*append)(DBusMessageIter *iter, const struct argument *a, struct vss_error *reterr);
        /* A result: the type that the answer has, .. */
        int dbus_type;
        /* .. how the output is read, which is empty, from where the iterator stands, .. */
        int (*read)(DBusMessageIter *iter, const struct argument *a, struct connection *c,
                    struct vss_error *reterr);
        /* .. and made empty, at first (what it holds is nobody's) or releasing what was read. */
        void (*empty)(const struct argument *a, bool release);
};

static int append_basic(DBusMessageIter *iter, int type, const void *value,
                        struct vss_error *reterr) {
        if (!dbus_message_iter_append_basic(iter, type, value))
                return vss_error_from_errno(reterr, -ENOMEM, "Composing a call");
        return 0;
}

static int append_id(DBusMessageIter *iter, const struct argument *a, struct vss_error *reterr) {
        const char *text = VSS_ID_TEXT(a->id);

        return append_basic(iter, DBUS_TYPE_STRING, &text, reterr);
}

static int append_any_id(DBusMessageIter *iter, const struct argument *a,
                         struct vss_error *reterr) {
        const char *text = "";

        if (!vss_id_is_null(a->id))
                return append_id(iter, a, reterr);
        return append_basic(iter, DBUS_TYPE_STRING, &text, reterr);
}

static int append_number(DBusMessageIter *iter, const struct argument *a,
                         struct vss_error *reterr) {
        return append_basic(iter, DBUS_TYPE_UINT32, &a->number, reterr);
}

static int append_signed(DBusMessageIter *iter, const struct argument *a,
                         struct vss_error *reterr) {
        return append_basic(iter, DBUS_TYPE_INT32, &a->signed_number, reterr);
}

static int append_flag(DBusMessageIter *iter, const struct argument *a, struct vss_error *reterr) {
        dbus_bool_t value = a->flag;

        return append_basic(iter, DBUS_TYPE_BOOLEAN, &value, reterr);
}

static int append_text(DBusMessageIter *iter, const struct argument *a, struct vss_error *reterr) {
        int r;

        r = check_string(a->text, a->name, reterr);
        if (r < 0)
                return r;
        return append_basic(iter, DBUS_TYPE_STRING, &a->text, reterr);
}

static int append_optional(DBusMessageIter *iter, const struct argument *a,
                           struct vss_error *reterr) {
        const char *text = "";

        return a->text ? append_text(iter, a, reterr)
                       : append_basic(iter, DBUS_TYPE_STRING, &text, reterr);
}

static int append_ids(DBusMessageIter *iter, const struct argument *a, struct vss_error *reterr) {
        if (!a->ids.first && a->ids.n > 0)
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s is NULL", a->name);
        if (a->ids.n > WIRE_STRV_MAX)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s has more than %u ids; call it several times", a->name,
                                     WIRE_STRV_MAX);
        if (wire_append_ids(iter, a->ids.first, a->ids.n) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, a->name);
        return 0;
}

static int append_document(DBusMessageIter *iter, const struct argument *a,
                           struct vss_error *reterr) {
        if (document_append(iter, a->document) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, a->name);
        return 0;
}

static const char *read_string(DBusMessageIter *iter) {
        const char *text;

        dbus_message_iter_get_basic(iter, &text);
        return text;
}

static void empty_id(const struct argument *a, _unused_ bool release) {
        *a->to_id = GUID_NULL;
}

static int read_id(DBusMessageIter *iter, const struct argument *a, _unused_ struct connection *c,
                   struct vss_error *reterr) {
        return wire_parse_id(a->to_id, read_string(iter), "an id", reterr);
}

static void empty_number(const struct argument *a, _unused_ bool release) {
        *a->to_number = 0;
}

static int read_number(DBusMessageIter *iter, const struct argument *a,
                       _unused_ struct connection *c, _unused_ struct vss_error *reterr) {
        dbus_message_iter_get_basic(iter, a->to_number);
        return 0;
}

static void empty_state(const struct argument *a, _unused_ bool release) {
        *a->to_state = VSS_WS_UNKNOWN;
}

static int read_state(DBusMessageIter *iter, const struct argument *a,
                      _unused_ struct connection *c, struct vss_error *reterr) {
        dbus_uint32_t state;

        dbus_message_iter_get_basic(iter, &state);
        if (state >= VSS_WS_COUNT)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, 0, "%u is no state of a writer",
                                     state);
        *a->to_state = (VSS_WRITER_STATE)state;
        return 0;
}

static void empty_signed(const struct argument *a, _unused_ bool release) {
        *a->to_signed = 0;
}

static int read_signed(DBusMessageIter *iter, const struct argument *a,
                       _unused_ struct connection *c, _unused_ struct vss_error *reterr) {
        dbus_message_iter_get_basic(iter, a->to_signed);
        return 0;
}

static bool read_truth(DBusMessageIter *iter) {
        dbus_bool_t value;

        dbus_message_iter_get_basic(iter, &value);
        return value != FALSE;
}

static void empty_flag(const struct argument *a, _unused_ bool release) {
        *a->to_flag = false;
}

static int read_flag(DBusMessageIter *iter, const struct argument *a, _unused_ struct connection *c,
                     _unused_ struct vss_error *reterr) {
        *a->to_flag = read_truth(iter);
        return 0;
}

static void empty_bool(const struct argument *a, _unused_ bool release) {
        *a->to_bool = FALSE;
}

static int read_bool(DBusMessageIter *iter, const struct argument *a, _unused_ struct connection *c,
                     _unused_ struct vss_error *reterr) {
        *a->to_bool = read_truth(iter) ? TRUE : FALSE;
        return 0;
}

static void empty_text(const struct argument *a, bool release) {
        if (release)
                free(*a->to_text);
        *a->to_text = NULL;
}

static int read_text(DBusMessageIter *iter, const struct argument *a, _unused_ struct connection *c,
                     struct vss_error *reterr) {
        *a->to_text = strdup(read_string(iter));
        return *a->to_text ? 0 : vss_error_from_errno(reterr, -ENOMEM, a->name);
}

static int read_optional(DBusMessageIter *iter, const struct argument *a, struct connection *c,
                         struct vss_error *reterr) {
        return *read_string(iter) ? read_text(iter, a, c, reterr) : 0;
}

static void empty_document(const struct argument *a, bool release) {
        if (release)
                document_unref(*a->to_document);
        *a->to_document = NULL;
}

static int read_document(DBusMessageIter *iter, const struct argument *a,
                         _unused_ struct connection *c, struct vss_error *reterr) {
        return document_read(iter, a->name, DOCUMENT_MAX, a->to_document, reterr);
}

/* A document's text has no other use here, so that it is looked at only by who parses it. */
static int read_xml(DBusMessageIter *iter, const struct argument *a, _unused_ struct connection *c,
                    struct vss_error *reterr) {
        _cleanup_(document_unrefp) struct document *document = NULL;
        const char *text = "";
        int r;

        r = document_read(iter, a->name, DOCUMENT_MAX, &document, reterr);
        if (r < 0)
                return r;
        if (document)
                text = document_text(document);
        *a->to_text = text ? strdup(text) : NULL;
        return *a->to_text ? 0 : vss_error_from_errno(reterr, -ENOMEM, a->name);
}

static void empty_async(const struct argument *a, bool release) {
        if (release)
                IVssAsync_Release(*a->to_async);
        *a->to_async = NULL;
}

static int read_async(DBusMessageIter *iter, const struct argument *a, struct connection *c,
                      struct vss_error *reterr) {
        return async_new(a->to_async, c, read_string(iter), reterr);
}

static void empty_properties(const struct argument *a, bool release) {
        if (release)
                VssFreeSnapshotProperties(a->to_properties);
        *a->to_properties = (VSS_SNAPSHOT_PROP){ 0 };
}

static int read_properties(DBusMessageIter *iter, const struct argument *a,
                           _unused_ struct connection *c, struct vss_error *reterr) {
        return wire_read_dict(iter, &wire_snapshot_prop_table, WIRE_UNKNOWN_IGNORED, a->name,
                              a->to_properties, NULL, reterr);
}

static void empty_objects(const struct argument *a, bool release) {
        if (release)
                IVssEnumObject_Release(*a->to_objects.list);
        *a->to_objects.list = NULL;
}

static int read_objects(DBusMessageIter *iter, const struct argument *a,
                        _unused_ struct connection *c, struct vss_error *reterr) {
        return enum_object_read(a->to_objects.list, iter, a->to_objects.type, a->to_objects.n,
                                reterr);
}

static const struct argument_kind kinds[_ARGUMENT_TYPE_MAX] = {
        [ARGUMENT_ID] = { .append = append_id },
        [ARGUMENT_ANY_ID] = { .append = append_any_id },
        [ARGUMENT_NUMBER] = { .append = append_number },
        [ARGUMENT_SIGNED] = { .append = append_signed },
        [ARGUMENT_FLAG] = { .append = append_flag },
        [ARGUMENT_TEXT] = { .append = append_text },
        [ARGUMENT_OPTIONAL] = { .append = append_optional },
        [ARGUMENT_IDS] = { .append = append_ids },
        [ARGUMENT_DOCUMENT] = { .append = append_document },
        [RESULT_ID] = { .dbus_type = DBUS_TYPE_STRING, .read = read_id, .empty = empty_id },
        [RESULT_NUMBER] = { .dbus_type = DBUS_TYPE_UINT32,
                            .read = read_number,
                            .empty = empty_number },
        [RESULT_STATE] = { .dbus_type = DBUS_TYPE_UINT32,
                           .read = read_state,
                           .empty = empty_state },
        [RESULT_SIGNED] = { .dbus_type = DBUS_TYPE_INT32,
                            .read = read_signed,
                            .empty = empty_signed },
        [RESULT_FLAG] = { .dbus_type = DBUS_TYPE_BOOLEAN, .read = read_flag, .empty = empty_flag },
        [RESULT_BOOL] = { .dbus_type = DBUS_TYPE_BOOLEAN, .read = read_bool, .empty = empty_bool },
        [RESULT_TEXT] = { .dbus_type = DBUS_TYPE_STRING, .read = read_text, .empty = empty_text },
        [RESULT_OPTIONAL] = { .dbus_type = DBUS_TYPE_STRING,
                              .read = read_optional,
                              .empty = empty_text },
        [RESULT_DOCUMENT] = { .dbus_type = DBUS_TYPE_VARIANT,
                              .read = read_document,
                              .empty = empty_document },
        [RESULT_XML] = { .dbus_type = DBUS_TYPE_VARIANT, .read = read_xml, .empty = empty_text },
        [RESULT_ASYNC] = { .dbus_type = DBUS_TYPE_OBJECT_PATH,
                           .read = read_async,
                           .empty = empty_async },
        [RESULT_PROPERTIES] = { .dbus_type = DBUS_TYPE_ARRAY,
                                .read = read_properties,
                                .empty = empty_properties },
        [RESULT_OBJECTS] = { .dbus_type = DBUS_TYPE_ARRAY,
                             .read = read_objects,
                             .empty = empty_objects },
};

static bool is_result(const struct argument *a) {
        return kinds[a->type].read;
}

/* All pointers of the union have one representation. */
static bool is_wanted(const struct argument *a) {
        return a->type == RESULT_OBJECTS ? a->to_objects.list != NULL : a->to_id != NULL;
}

static void empty_all(const struct argument *arguments, size_t n, bool release) {
        for (size_t i = 0; i < n; i++)
                if (is_result(&arguments[i]) && is_wanted(&arguments[i]))
                        kinds[arguments[i].type].empty(&arguments[i], release);
}

int arguments_reset(const struct argument *arguments, size_t n, struct vss_error *reterr) {
        empty_all(arguments, n, false);
        for (size_t i = 0; i < n; i++)
                if (is_result(&arguments[i]) && !is_wanted(&arguments[i]) &&
                    arguments[i].if_null != S_OK)
                        return vss_error_set(reterr, arguments[i].if_null, 0, "%s is NULL",
                                             arguments[i].name);
        return 0;
}

int arguments_call(const struct argument *arguments, size_t n, const char *path,
                   const char *interface, const char *method, DBusMessage **ret,
                   struct vss_error *reterr) {
        _cleanup_(message_unrefp) DBusMessage *call = NULL;
        DBusMessageIter iter;
        int r;

        /* Whom it goes to is the connection's to say; to replace a destination costs more. */
        call = dbus_message_new_method_call(NULL, path, interface, method);
        if (!call)
                return vss_error_from_errno(reterr, -ENOMEM, method);
        dbus_message_iter_init_append(call, &iter);
        for (size_t i = 0; i < n && !is_result(&arguments[i]); i++) {
                r = kinds[arguments[i].type].append(&iter, &arguments[i], reterr);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(call);
        return 0;
}

static int read_all(const struct argument *arguments, size_t n, struct connection *c,
                    DBusMessage *reply, struct vss_error *reterr) {
        DBusMessageIter iter;
        int r;

        (void)dbus_message_iter_init(reply, &iter); /* an empty one has type INVALID below */
        for (size_t i = 0; i < n; i++) {
                const struct argument *a = &arguments[i];
                const struct argument_kind *kind = &kinds[a->type];

                if (!is_result(a))
                        continue;
                if (dbus_message_iter_get_arg_type(&iter) != kind->dbus_type)
                        return vss_error_set(reterr, VSS_E_UNEXPECTED, 0, "%s is of another type",
                                             a->name);
                if (is_wanted(a)) {
                        r = kind->read(&iter, a, c, reterr);
                        if (r < 0)
                                return r;
                }
                (void)dbus_message_iter_next(&iter);
        }
        return 0;
}

int arguments_read(const struct argument *arguments, size_t n, struct connection *c,
                   DBusMessage *reply, struct vss_error *reterr) {
        if (read_all(arguments, n, c, reply, reterr) < 0) {
                empty_all(arguments, n, true);
                return reply_refuse(reterr);
        }
        return 0;
}
