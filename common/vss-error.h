#pragma once

/* What travels upward when something failed that the requester must learn of: the HRESULT, one
 * sentence that names the thing and the way out, the errno behind it (0: none). It is filled
 * once, where the facts are known, and passed on unchanged; wrapping may only add which volume
 * or writer it was. See also: the one table HRESULT <-> symbol <-> bus error name. */

#include "common/util.h"
#include <vss/vss.h>
#include <vss/vsserror.h>

#define VSS_BUS_ERROR_PREFIX "org.vssd.Vss1.Error."

struct vss_error {
        HRESULT hr;    /* S_OK: no error recorded */
        char *message; /* owned; NULL only if memory ran out while it was composed */
        int cause;     /* errno, positive; 0 if none */
};

void vss_error_done(struct vss_error *e);

/* Records an error in e (NULL allowed) unless one is there already, and returns a negative errno
 * that fits hr (or -cause if cause is given), so that a caller can write
 * `return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0, "...", ...);`. */
int vss_error_set(struct vss_error *e, HRESULT hr, int cause, const char *format, ...)
        _printf_(4, 5);
/* Puts "prefix: " before the message, hr and cause unchanged. Returns as vss_error_set. */
int vss_error_prefix(struct vss_error *e, const char *format, ...) _printf_(2, 3);
/* A plain negative errno that nobody explained: E_OUTOFMEMORY for -ENOMEM, otherwise
 * VSS_E_UNEXPECTED with what and the errno's text in the message. Returns r. */
int vss_error_from_errno(struct vss_error *e, int r, const char *what);
void vss_error_move(struct vss_error *dst, struct vss_error *src);

/* The table. Names are static strings. */
struct vss_hresult_info {
        HRESULT hr;
        const char *symbol;   /* "VSS_E_VOLUME_NOT_SUPPORTED" */
        const char *bus_name; /* "org.vssd.Vss1.Error.VolumeNotSupported"; NULL for successes */
        const char *text;     /* the sentence for users */
        int error_number;     /* the errno it maps to */
};
const struct vss_hresult_info *vss_hresult_table(size_t *ret_n);
/* NULL if hr (name) is not in the table. */
const struct vss_hresult_info *vss_hresult_find(HRESULT hr);
const struct vss_hresult_info *vss_hresult_find_bus_name(const char *bus_name);
