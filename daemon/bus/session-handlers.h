#pragma once

/* Inside daemon/bus/ only: the handlers of org.vssd.Vss1.BackupComponents that have rooms of their
 * own, and what all of them share. The table is in session-methods.c. */

#include "daemon/bus/session-object.h"

struct session *bus_call_session(const struct bus_call *call);
/* Each method is one of the interface's, by its name. */
enum session_method bus_call_session_method(const struct bus_call *call);
/* The state comes before the arguments: whoever calls at the wrong time learns that. */
int bus_call_check_state(const struct bus_call *call, struct vss_error *reterr);
int bus_call_parse_id(VSS_ID *ret, const struct bus_call *call, const char *text, const char *name,
                      struct vss_error *reterr);

typedef void bus_handler_fn(struct bus_call *call, const struct bus_value *args);

/* session-component-methods.c: all that name a component. */
bus_handler_fn session_on_component;
/* session-storage-methods.c */
bus_handler_fn session_on_expose_snapshot, session_on_unexpose_snapshot,
        session_on_break_snapshot_set, session_on_break_snapshot_set_ex,
        session_on_revert_to_snapshot, session_on_query_revert_status,
        session_on_add_snapshot_to_recovery_set, session_on_recover_set, session_on_reserved,
        session_on_get_root_and_logical_prefix_paths;
