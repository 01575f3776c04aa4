#pragma once

/* A set's own object on the bus. */

#include "libvssclient/call.h"
#include <vss/vss.h>

int set_object_path(char **ret, VSS_ID set);
/* Over a connection of its own. A set that is not there has no object: VSS_E_OBJECT_NOT_FOUND. */
int set_object_call(DBusMessage *call, VSS_ID set, int timeout_msec, DBusMessage **ret,
                    struct vss_error *reterr);
