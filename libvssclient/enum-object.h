#pragma once

/* IVssEnumObject: a list of copies or providers as it was when it was asked for, and a position in
 * it. Clones share the list, which never changes. */

#include "common/vss-error.h"
#include <dbus/dbus.h>

/* From the aa{sv} that iter stands at. *ret_n: how many there are. */
int enum_object_read(IVssEnumObject **ret, DBusMessageIter *iter, VSS_OBJECT_TYPE type,
                     size_t *ret_n, struct vss_error *reterr);
