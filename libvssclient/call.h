#pragma once

/* Building a call and reading its answer: the marshalling that all exported functions share. */

#include "libvssclient/connection.h"

/* A string from the caller, before it goes into a message: NULL and what is no UTF-8 are refused
 * (libdbus aborts on the latter), so is what is absurdly long. what: "the volume". */
int check_string(const char *s, const char *what, struct vss_error *reterr);

/* A method call with basic arguments as for dbus_message_append_args(), ending with
 * DBUS_TYPE_INVALID; strings already checked. */
int call_new(DBusMessage **ret, const char *path, const char *interface, const char *method,
             struct vss_error *reterr, int first_type, ...);

/* The answer's arguments as for dbus_message_get_args(); strings are borrowed from the reply.
 * VSS_E_UNEXPECTED if they are not these. */
int reply_get(DBusMessage *reply, struct vss_error *reterr, int first_type, ...);
/* Positions iter at the answer's first argument. */
int reply_iter(DBusMessage *reply, DBusMessageIter *iter, struct vss_error *reterr);
/* An id in an answer, as text. VSS_E_UNEXPECTED if it is none. */
int reply_id(VSS_ID *ret, const char *text, struct vss_error *reterr);
/* Refuses an answer that could not be read, whatever said so: the service's fault, not the
 * caller's. Replaces the E_INVALIDARG of the wire codec. */
int reply_refuse(struct vss_error *reterr);
