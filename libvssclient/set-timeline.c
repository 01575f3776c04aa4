/* How a set was made and what it is to its writers: properties of its object, asked for over a
 * connection of their own. */

#include "common/vss-id.h"
#include "common/wire-rows.h"
#include "libvssclient/call.h"
#include "libvssclient/last-error.h"
#include "libvssclient/lists.h"
#include "libvssclient/set-object.h"
#include <vss/vsslinux.h>

#define SET_INTERFACE VSS_BUS_NAME ".SnapshotSet"
#define PHASES_MAX 256U /* more than any making of a set has */

/* Sums and differences of times are to be times. */
static bool is_time(uint64_t begin_usec, uint64_t end_usec) {
        return begin_usec <= end_usec && end_usec <= INT64_MAX;
}

void VssFreeSetTimeline(VSS_SET_TIMELINE *timeline) {
        if (!timeline)
                return;
        for (UINT i = 0; i < timeline->count; i++)
                free(timeline->phases[i].name);
        free(timeline->phases);
        wire_rows_free(&wire_set_step_table, timeline->steps, timeline->n_steps,
                       sizeof(*timeline->steps));
        free(timeline);
}

static void timeline_freep(VSS_SET_TIMELINE **t) {
        VssFreeSetTimeline(*t);
}

static int refuse(const char *what, struct vss_error *reterr) {
        (void)vss_error_set(reterr, VSS_E_UNEXPECTED, 0, "%s", what);
        return reply_refuse(reterr);
}

/* iter: at the first member of a struct (stt). */
static int read_phase(VSS_SET_PHASE *ret, DBusMessageIter *iter, struct vss_error *reterr) {
        const char *name;

        dbus_message_iter_get_basic(iter, &name);
        ret->name = strdup(name);
        if (!ret->name)
                return vss_error_from_errno(reterr, -ENOMEM, "Timeline");
        (void)dbus_message_iter_next(iter); /* the signature was looked at */
        dbus_message_iter_get_basic(iter, &ret->begin_usec);
        (void)dbus_message_iter_next(iter);
        dbus_message_iter_get_basic(iter, &ret->end_usec);
        if (!is_time(ret->begin_usec, ret->end_usec))
                return refuse("a phase ends before it begins", reterr);
        return 0;
}

/* iter: at an a(stt). */
static int read_phases(VSS_SET_TIMELINE *t, DBusMessageIter *iter, struct vss_error *reterr) {
        int n = dbus_message_iter_get_element_count(iter);
        DBusMessageIter array, item;

        if (t->phases || n < 0 || (unsigned)n > PHASES_MAX)
                return refuse("there are too many phases", reterr);
        t->phases = calloc((size_t)n + 1, sizeof(*t->phases));
        if (!t->phases)
                return vss_error_from_errno(reterr, -ENOMEM, "Timeline");

        dbus_message_iter_recurse(iter, &array);
        for (; t->count < (unsigned)n; (void)dbus_message_iter_next(&array)) {
                int r;

                dbus_message_iter_recurse(&array, &item);
                r = read_phase(&t->phases[t->count], &item, reterr);
                t->count++; /* half read: its name is to be freed all the same */
                if (r < 0)
                        return r;
        }
        return 0;
}

/* iter: at an aa{sv}. */
static int read_steps(VSS_SET_TIMELINE *t, DBusMessageIter *iter, struct vss_error *reterr) {
        void *rows;
        size_t n;
        int r;

        if (t->steps)
                return refuse("the steps come twice", reterr);
        r = wire_read_rows(iter, &wire_set_step_table, "Steps", sizeof(*t->steps), &rows, &n,
                           reterr);
        if (r < 0)
                return reply_refuse(reterr);
        t->steps = rows;
        t->n_steps = (UINT)n;
        for (size_t i = 0; i < n; i++)
                if (!is_time(t->steps[i].begin_usec, t->steps[i].end_usec))
                        return refuse("a step ends before it begins", reterr);
        return 0;
}

static void signature_freep(char **s) {
        dbus_free(*s);
}

/* iter: at the value, a variant, of a property. */
static int read_property(VSS_SET_TIMELINE *t, const char *name, DBusMessageIter *iter,
                         struct vss_error *reterr) {
        _cleanup_(signature_freep) char *signature = NULL;
        DBusMessageIter value;

        dbus_message_iter_recurse(iter, &value);
        signature = dbus_message_iter_get_signature(&value);
        if (!signature)
                return vss_error_from_errno(reterr, -ENOMEM, name);

        if (streq(name, "WritesHeldUsec")) {
                if (!streq(signature, "t"))
                        return refuse("WritesHeldUsec is no number", reterr);
                dbus_message_iter_get_basic(&value, &t->writes_held_usec);
        } else if (streq(name, "Timeline")) {
                if (!streq(signature, "a(stt)"))
                        return refuse("Timeline is no list of phases", reterr);
                return read_phases(t, &value, reterr);
        } else if (streq(name, "Steps")) {
                if (!streq(signature, "aa{sv}"))
                        return refuse("Steps is no list of rows", reterr);
                return read_steps(t, &value, reterr);
        }
        return 0; /* others are not asked for here */
}

static int read_properties(VSS_SET_TIMELINE *t, DBusMessage *reply, struct vss_error *reterr) {
        DBusMessageIter iter, array;

        if (!dbus_message_has_signature(reply, "a{sv}"))
                return refuse("these are no properties", reterr);
        (void)dbus_message_iter_init(reply, &iter); /* it has an argument */
        dbus_message_iter_recurse(&iter, &array);
        for (; dbus_message_iter_get_arg_type(&array) == DBUS_TYPE_DICT_ENTRY;
             (void)dbus_message_iter_next(&array)) {
                DBusMessageIter entry;
                const char *name;
                int r;

                dbus_message_iter_recurse(&array, &entry);
                dbus_message_iter_get_basic(&entry, &name);
                (void)dbus_message_iter_next(&entry);
                r = read_property(t, name, &entry, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* property NULL: all. */
static int ask(DBusMessage **ret, VSS_ID set, const char *property, struct vss_error *reterr) {
        static const char *const interface = SET_INTERFACE;
        _cleanup_(message_unrefp) DBusMessage *call = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        if (set_object_path(&path, set) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "GetAll");
        r = call_new(&call, path, DBUS_INTERFACE_PROPERTIES, property ? "Get" : "GetAll", reterr,
                     DBUS_TYPE_STRING, &interface, property ? DBUS_TYPE_STRING : DBUS_TYPE_INVALID,
                     &property, DBUS_TYPE_INVALID);
        return r < 0 ? r : set_object_call(call, set, CALL_TIMEOUT_MSEC, ret, reterr);
}

HRESULT VssGetSetTimeline(VSS_ID set, VSS_SET_TIMELINE **timeline) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        _cleanup_(timeline_freep) VSS_SET_TIMELINE *t = NULL;
        struct vss_error error = { 0 };

        if (!timeline)
                return last_error_argument(__func__, "timeline is NULL");
        *timeline = NULL;
        t = calloc(1, sizeof(*t));
        if (!t) {
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
                return last_error_raise(&error);
        }
        if (ask(&reply, set, NULL, &error) < 0 || read_properties(t, reply, &error) < 0)
                return last_error_raise(&error);
        *timeline = TAKE_PTR(t);
        return S_OK;
}

static int read_writers(void **ret, size_t *ret_n, DBusMessage *reply, struct vss_error *reterr) {
        _cleanup_(signature_freep) char *signature = NULL;
        DBusMessageIter iter, value;

        if (!dbus_message_has_signature(reply, "v"))
                return refuse("this is no property", reterr);
        (void)dbus_message_iter_init(reply, &iter); /* it has an argument */
        dbus_message_iter_recurse(&iter, &value);
        signature = dbus_message_iter_get_signature(&value);
        if (!signature)
                return vss_error_from_errno(reterr, -ENOMEM, "Writers");
        if (!streq(signature, "aa{sv}"))
                return refuse("Writers is no list of rows", reterr);
        return wire_read_rows(&value, &wire_set_writer_table, "Writers",
                              sizeof(VSS_SET_WRITER_INFO), ret, ret_n, reterr) < 0
                       ? reply_refuse(reterr)
                       : 0;
}

HRESULT VssListSetWriters(VSS_ID set, VSS_SET_WRITER_INFO ***writers, UINT *count) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        struct vss_error error = { 0 };
        void *rows, **list;
        size_t n;

        if (count)
                *count = 0;
        if (!writers)
                return last_error_argument(__func__, "the output pointer is NULL");
        *writers = NULL;
        if (ask(&reply, set, "Writers", &error) < 0 || read_writers(&rows, &n, reply, &error) < 0)
                return last_error_raise(&error);
        if (list_split(&wire_set_writer_table, rows, n, sizeof(VSS_SET_WRITER_INFO), &list) < 0) {
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
                return last_error_raise(&error);
        }
        *writers = (VSS_SET_WRITER_INFO **)(void *)list;
        if (count)
                *count = (UINT)n;
        return S_OK;
}

void VssFreeSetWriters(VSS_SET_WRITER_INFO **writers) {
        list_free(&wire_set_writer_table, (void **)(void *)writers);
}
