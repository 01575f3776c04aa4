#pragma once

/* A vss_error as a D-Bus error reply, and back. Names are those of the one table (vss-error.h); the
 * sentence is the reply's first argument. What the bus itself answers becomes an HRESULT here, and
 * nowhere else. */

#include "common/vss-error.h"
#include <dbus/dbus.h>

/* The error reply to a call. An HRESULT that the table does not have goes out as Unexpected with
 * its number in the sentence. More arguments may be appended. NULL: no memory. */
DBusMessage *wire_error_reply(DBusMessage *call, const struct vss_error *e);

/* 0 if reply is no error; otherwise reterr is filled and the negative errno returned. */
int wire_error_read(DBusMessage *reply, struct vss_error *reterr);
/* The same of a DBusError that is set. */
int wire_error_from_dbus(const DBusError *error, struct vss_error *reterr);
/* By name and sentence (NULL allowed): "org.vssd.Vss1.Error.BadState",
 * "org.freedesktop.DBus.Error.NoReply". Names that say that nobody answered become VSS_E_UNEXPECTED
 * with a sentence that says how to find out why. */
int wire_error_from_name(const char *name, const char *message, struct vss_error *reterr);
