/* The application's own loop: turns are taken when it says so. */

#include "libvssclient/last-error.h"
#include "libvssclient/writer.h"
#include <sys/eventfd.h>
#include <vss/vsslinux.h>

HRESULT VssSubscribeWriter(CVssWriter *writer, DWORD dwSubscribeTimeout, DWORD dwEventFlags,
                           int *fd) {
        const struct writer_subscription s = {
                .events = dwEventFlags,
                .service_timeout_ms = dwSubscribeTimeout,
                .own_loop = true,
        };
        struct vss_error error = { 0 };

        if (!writer || !fd)
                return last_error_argument(__func__, "an argument is NULL");
        *fd = -1;
        if (writer_subscribe(writer, &s, __func__, &error) < 0)
                return last_error_raise(&error);
        *fd = writer->loop_fd;
        return S_OK;
}

HRESULT VssDispatchWriter(CVssWriter *writer) {
        struct vss_error error = { 0 };
        bool any = false;
        eventfd_t count;

        if (!writer)
                return last_error_argument(__func__, "the CVssWriter is NULL");
        if (!writer->subscribed || writer->loop_fd < 0 || writer_current(writer)) {
                (void)vss_error_set(&error, VSS_E_BAD_STATE, 0,
                                    "VssDispatchWriter is for the loop of an application that "
                                    "called VssSubscribeWriter, and not for a handler");
                return last_error_raise(&error);
        }
        /* Emptied before looking: what comes afterwards makes it readable again. */
        (void)eventfd_read(writer->loop_fd, &count);
        while (writer_turn_take(writer, TURN_ANY))
                any = true;
        return any ? S_OK : S_FALSE;
}
