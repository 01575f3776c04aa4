#pragma once

/* .../snapshot/ID and .../set/ID: finished copies, as the store has them. */

#include "daemon/bus/bus-object.h"
#include "daemon/session/session.h"

enum snapshot_reply {
        SNAPSHOT_REPLY_ONE,  /* a{sv} of the one record */
        SNAPSHOT_REPLY_ROWS, /* aa{sv} */
};

/* Answers the call with the properties of the records, which are copied; asks a worker for what
 * only the kernel knows. */
void snapshot_object_reply(struct bus_call *call, const struct snapshot_record *records, size_t n,
                           enum snapshot_reply form);
/* The copy whose object the call is for; borrowed. */
const struct snapshot_record *snapshot_object_record(const struct bus_call *call);
/* The session manager's observer; userdata is the bus. */
void snapshot_object_on_change(void *userdata, const struct snapshot_record *r,
                               enum snapshot_change change);
/* done() of exposing and unexposing, userdata the call: answers it. */
void snapshot_object_on_exposed(void *userdata, int r, const void *result, struct vss_error *error);
void snapshot_object_on_unexposed(void *userdata, int r, const void *result,
                                  struct vss_error *error);
