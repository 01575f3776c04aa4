/* struct vss_error: filled once where a failure is known, moved upward, released by its holder. */

#include "common/vss-error.h"
#include <stdarg.h>
#include <stdio.h>

void vss_error_done(struct vss_error *e) {
        free(e->message);
        *e = (struct vss_error){ 0 };
}

static int error_number(HRESULT hr, int cause) {
        const struct vss_hresult_info *info;

        if (cause != 0)
                return -cause;
        info = vss_hresult_find(hr);
        return info && info->error_number != 0 ? -info->error_number : -EIO;
}

int vss_error_set(struct vss_error *e, HRESULT hr, int cause, const char *format, ...) {
        assert(FAILED(hr));
        assert(cause >= 0);

        if (e && e->hr == S_OK) {
                va_list args;

                e->hr = hr;
                e->cause = cause;
                va_start(args, format);
                if (vasprintf(&e->message, format, args) < 0)
                        e->message = NULL;
                va_end(args);
        }
        return error_number(hr, cause);
}

int vss_error_prefix(struct vss_error *e, const char *format, ...) {
        _cleanup_(freep) char *prefix = NULL;
        char *message;
        va_list args;
        int r;

        if (!e)
                return -EIO;
        va_start(args, format);
        r = vasprintf(&prefix, format, args);
        va_end(args);
        if (r < 0)
                prefix = NULL;
        else if (e->message && str_format(&message, "%s: %s", prefix, e->message) >= 0) {
                /* Without memory the message stays as it is: true, if less precise. */
                free(e->message);
                e->message = message;
        }
        return error_number(e->hr, e->cause);
}

int vss_error_from_errno(struct vss_error *e, int r, const char *what) {
        char buf[256];

        assert(r < 0);

        if (r == -ENOMEM)
                (void)vss_error_set(e, E_OUTOFMEMORY, ENOMEM, "%s: out of memory", what);
        else
                (void)vss_error_set(e, VSS_E_UNEXPECTED, -r, "%s: %s", what,
                                    strerror_r(-r, buf, sizeof(buf)));
        return r;
}

void vss_error_move(struct vss_error *dst, struct vss_error *src) {
        if (dst && dst->hr == S_OK) {
                *dst = *src;
                *src = (struct vss_error){ 0 };
        } else
                vss_error_done(src);
}
