/* The life of a CVssWriter: made, initialised once, subscribed and unsubscribed, released. */

#include "libvssclient/writer.h"
#include "common/vss-id.h"
#include "libvssclient/call.h"
#include "libvssclient/last-error.h"
#include <sys/eventfd.h>

static HRESULT fail(struct vss_error *error, HRESULT hr, const char *function,
                    const char *problem) {
        (void)vss_error_set(error, hr, 0, "%s: %s", function, problem);
        return last_error_raise(error);
}

HRESULT CVssWriter_Create(const VSS_WRITER_CALLBACKS *callbacks, void *user, CVssWriter **writer) {
        struct vss_error error = { 0 };
        CVssWriter *w;
        size_t size;

        if (!writer)
                return last_error_argument(__func__, "writer is NULL");
        *writer = NULL;
        if (!callbacks)
                return last_error_argument(__func__, "callbacks is NULL");
        if (callbacks->size < offsetof(VSS_WRITER_CALLBACKS, OnBackupComplete))
                return last_error_argument(__func__,
                                           "callbacks->size is not sizeof(VSS_WRITER_CALLBACKS)");
        if (!callbacks->OnPrepareSnapshot || !callbacks->OnFreeze || !callbacks->OnThaw ||
            !callbacks->OnAbort)
                return last_error_argument(__func__,
                                           "OnPrepareSnapshot, OnFreeze, OnThaw and OnAbort are "
                                           "required: one who freezes has to be able to go on");
        if (callbacks->OnIdentify && callbacks->OnIdentifyEx)
                return last_error_argument(__func__,
                                           "OnIdentify and OnIdentifyEx are one event: set one");
        w = calloc(1, sizeof(*w));
        if (!w)
                return fail(&error, E_OUTOFMEMORY, __func__, "out of memory");
        atomic_init(&w->stopping, false);
        /* Handlers that the application was compiled without are NULL. */
        size = callbacks->size < sizeof(w->callbacks) ? callbacks->size : sizeof(w->callbacks);
        memcpy(&w->callbacks, callbacks, size);
        w->user = user;
        w->loop_fd = -1;
        w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (w->wake_fd < 0) {
                (void)vss_error_from_errno(&error, -errno, __func__);
                free(w);
                return last_error_raise(&error);
        }
        writer_turns_init(&w->turns);
        *writer = w;
        return S_OK;
}

static int check_identity(const struct writer_identity *i, VSS_ALTERNATE_WRITER_STATE aws,
                          bool throttling_only, struct vss_error *reterr) {
        int r;

        r = check_string(i->name, "The writer's name", reterr);
        if (r >= 0 && i->instance_name)
                r = check_string(i->instance_name, "The writer's instance name", reterr);
        if (r < 0)
                return r;
        if (*i->name == '\0')
                return vss_error_set(reterr, E_INVALIDARG, 0, "The writer's name is empty");
        if (vss_id_is_null(i->class_id))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Writer '%s': its class id is GUID_NULL", i->name);
        if (i->usage < VSS_UT_BOOTABLESYSTEMSTATE || i->usage > VSS_UT_OTHER ||
            (unsigned)i->source > VSS_ST_OTHER)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Writer '%s': usage type %u or source type %u is not one of "
                                     "the documented values",
                                     i->name, (unsigned)i->usage, (unsigned)i->source);
        if (i->level < VSS_APP_SYSTEM || i->level > VSS_APP_SYSTEM_RM)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Writer '%s': application level %d is not one of "
                                     "VSS_APP_FRONT_END, VSS_APP_BACK_END and VSS_APP_SYSTEM",
                                     i->name, (int)i->level);
        if (aws != VSS_AWS_NO_ALTERNATE_WRITER || throttling_only)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Writer '%s': aws and bIOThrottlingOnly are reserved; they "
                                     "are VSS_AWS_NO_ALTERNATE_WRITER and false",
                                     i->name);
        return 0;
}

/* Takes copies of borrowed's strings. */
static int keep_identity(CVssWriter *w, const struct writer_identity *borrowed) {
        struct writer_identity i = *borrowed;
        int r = vss_id_random(&i.instance_id);

        if (r < 0)
                return r;
        i.name = i.instance_name = NULL;
        if (str_replace(&i.name, borrowed->name) < 0 ||
            (!str_empty(borrowed->instance_name) &&
             str_replace(&i.instance_name, borrowed->instance_name) < 0)) {
                writer_identity_done(&i);
                return -ENOMEM;
        }
        if (i.freeze_timeout_ms == 0 || i.freeze_timeout_ms > VSS_WRITER_DEFAULT_FREEZE_TIMEOUT)
                i.freeze_timeout_ms = VSS_WRITER_DEFAULT_FREEZE_TIMEOUT;
        w->identity = i;
        w->initialized = true;
        return 0;
}

HRESULT CVssWriterEx_InitializeEx(CVssWriter *writer, VSS_ID WriterId, LPCWSTR wszWriterName,
                                  DWORD dwMajorVersion, DWORD dwMinorVersion,
                                  VSS_USAGE_TYPE UsageType, VSS_SOURCE_TYPE SourceType,
                                  VSS_APPLICATION_LEVEL AppLevel, DWORD dwTimeoutFreeze,
                                  VSS_ALTERNATE_WRITER_STATE aws, bool bIOThrottlingOnly,
                                  LPCWSTR wszWriterInstanceName) {
        struct writer_identity identity = {
                .class_id = WriterId,
                /* borrowed: keep_identity() copies */
                .name = (char *)(uintptr_t)wszWriterName,
                .instance_name = (char *)(uintptr_t)wszWriterInstanceName,
                .usage = UsageType,
                .source = SourceType,
                .level = AppLevel,
                .freeze_timeout_ms = dwTimeoutFreeze,
                .major_version = dwMajorVersion,
                .minor_version = dwMinorVersion,
        };
        struct vss_error error = { 0 };
        int r;

        if (!writer)
                return last_error_argument(__func__, "the CVssWriter is NULL");
        if (writer->initialized)
                return fail(&error, VSS_E_BAD_STATE, __func__, "the writer is initialised already");
        if (check_identity(&identity, aws, bIOThrottlingOnly, &error) < 0)
                return last_error_raise(&error);
        r = keep_identity(writer, &identity);
        if (r < 0) {
                (void)vss_error_from_errno(&error, r, __func__);
                return last_error_raise(&error);
        }
        return S_OK;
}

HRESULT CVssWriter_Initialize(CVssWriter *writer, VSS_ID WriterId, LPCWSTR wszWriterName,
                              VSS_USAGE_TYPE UsageType, VSS_SOURCE_TYPE SourceType,
                              VSS_APPLICATION_LEVEL AppLevel, DWORD dwTimeoutFreeze,
                              VSS_ALTERNATE_WRITER_STATE aws, bool bIOThrottlingOnly,
                              LPCWSTR wszWriterInstanceName) {
        return CVssWriterEx_InitializeEx(writer, WriterId, wszWriterName, 0, 0, UsageType,
                                         SourceType, AppLevel, dwTimeoutFreeze, aws,
                                         bIOThrottlingOnly, wszWriterInstanceName);
}

static void on_call(void *userdata, DBusMessage *call) {
        CVssWriter *w = userdata;
        enum event_phase phase;
        DBusMessage *reply;

        if (event_phase_from_string(&phase, dbus_message_get_member(call)) >= 0) {
                writer_turn_arrive(w, phase, call);
                return;
        }
        reply = dbus_message_new_error(call, DBUS_ERROR_UNKNOWN_METHOD,
                                       "A writer does not know this event");
        if (reply) {
                link_send(w->link, reply);
                dbus_message_unref(reply);
        }
}

static void on_lost(void *userdata) {
        writer_turn_lose(userdata);
}

static const struct writer_link_handlers link_handlers = {
        .on_call = on_call,
        .on_lost = on_lost,
};

static int check_subscription(const CVssWriter *w, DWORD flags, const char *function,
                              struct vss_error *reterr) {
        const DWORD events = VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG;

        if (flags == 0 || (flags & ~events))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s: dwEventFlags is VSS_SM_BACKUP_EVENTS_FLAG | "
                                     "VSS_SM_RESTORE_EVENTS_FLAG; the rest is reserved",
                                     function);
        if (!w->initialized)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "%s: the writer is not initialised", function);
        if (w->subscribed)
                return vss_error_set(reterr, VSS_E_WRITER_ALREADY_SUBSCRIBED, 0,
                                     "%s: the writer is subscribed already", function);
        return 0;
}

int writer_subscribe(CVssWriter *w, const struct writer_subscription *s, const char *function,
                     struct vss_error *reterr) {
        DWORD wanted = s->service_timeout_ms ? s->service_timeout_ms
                                             : VSS_WRITER_DEFAULT_SUBSCRIBE_TIMEOUT;
        int timeout =
                wanted > INT32_MAX ? INT32_MAX : (int)wanted; /* the most: libdbus' infinite */
        _cleanup_(link_freep) struct writer_link *link = NULL;
        _cleanup_(closep) int loop_fd = -1;
        uint64_t count;
        int r;

        r = check_subscription(w, s->events, function, reterr);
        if (r < 0)
                return r;
        if (s->own_loop) {
                loop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
                if (loop_fd < 0)
                        return vss_error_from_errno(reterr, -errno, function);
        }
        atomic_store(&w->stopping, false);
        w->identity.events = s->events;
        r = link_open(&link, &w->identity, &link_handlers, w, reterr);
        if (r >= 0)
                r = link_register(link, timeout, reterr);
        if (r < 0)
                return r;
        (void)!read(w->wake_fd, &count, sizeof(count)); /* may be empty already */
        w->unsubscribe_timeout_ms =
                s->unsubscribe_timeout_ms ? s->unsubscribe_timeout_ms : INFINITE;
        w->link = link;
        w->loop_fd = loop_fd;
        r = writer_threads_start(w, reterr);
        if (r < 0) {
                w->link = NULL;
                w->loop_fd = -1;
                return r;
        }
        (void)TAKE_PTR(link);
        (void)TAKE_FD(loop_fd);
        w->subscribed = true;
        return 0;
}

static HRESULT subscribe(CVssWriter *writer, const struct writer_subscription *s,
                         const char *function) {
        struct vss_error error = { 0 };

        if (!writer)
                return last_error_argument(function, "the CVssWriter is NULL");
        return writer_subscribe(writer, s, function, &error) < 0 ? last_error_raise(&error) : S_OK;
}

HRESULT CVssWriter_Subscribe(CVssWriter *writer, DWORD dwSubscribeTimeout, DWORD dwEventFlags) {
        const struct writer_subscription s = {
                .events = dwEventFlags,
                .service_timeout_ms = dwSubscribeTimeout,
        };

        return subscribe(writer, &s, __func__);
}

HRESULT CVssWriterEx_SubscribeEx(CVssWriter *writer, DWORD dwUnsubscribeTimeout,
                                 DWORD dwEventFlags) {
        const struct writer_subscription s = {
                .events = dwEventFlags,
                .unsubscribe_timeout_ms = dwUnsubscribeTimeout,
        };

        return subscribe(writer, &s, __func__);
}

/* False: a handler still runs. */
static bool unsubscribe(CVssWriter *w, DWORD timeout_ms) {
        if (!writer_threads_stop(w, timeout_ms))
                return false;
        w->link = link_free(w->link);
        w->loop_fd = safe_close(w->loop_fd);
        w->subscribed = false;
        return true;
}

HRESULT CVssWriter_Unsubscribe(CVssWriter *writer) {
        struct vss_error error = { 0 };

        if (!writer)
                return last_error_argument(__func__, "the CVssWriter is NULL");
        if (!writer->subscribed)
                return fail(&error, VSS_E_BAD_STATE, __func__, "the writer is not subscribed");
        if (writer_current(writer))
                return fail(&error, VSS_E_BAD_STATE, __func__,
                            "a handler cannot wait for its own end");
        if (!unsubscribe(writer, writer->unsubscribe_timeout_ms))
                return fail(&error, VSS_E_UNEXPECTED, __func__,
                            "a handler still runs; call again to wait for it once more");
        return S_OK;
}

void CVssWriter_Release(CVssWriter *writer) {
        if (!writer)
                return;
        if (writer->subscribed)
                (void)unsubscribe(writer, INFINITE);
        writer_identity_done(&writer->identity);
        writer_turns_done(&writer->turns);
        safe_close(writer->wake_fd);
        free(writer);
}

bool CVssWriterEx2_IsWriterShuttingDown(CVssWriter *writer) {
        return writer && atomic_load(&writer->stopping);
}

HRESULT CVssWriter_InstallAlternateWriter(CVssWriter *writer, VSS_ID AlternateWriterId,
                                          VSS_ID clsidAlternateWriter) {
        struct vss_error error = { 0 };

        (void)AlternateWriterId;
        (void)clsidAlternateWriter;
        if (!writer)
                return last_error_argument(__func__, "the CVssWriter is NULL");
        return fail(&error, E_NOTIMPL, __func__, "alternate writers are reserved");
}
