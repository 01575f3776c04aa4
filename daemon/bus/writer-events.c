/* org.vssd.Vss1.WriterEvents: the rows of what we call on writers. */

#include "daemon/bus/bus-table.h"

#define EVENT(event_name)                                                      \
        {                                                                      \
                .name = (event_name), BUS_IN("s session_id", "a{sv} details"), \
                BUS_OUT("b ok", "i failure", "i application", "s message")     \
        }
#define EVENT_WITH_COMPONENTS(event_name)                                                      \
        {                                                                                      \
                .name = (event_name), BUS_IN("s session_id", "a{sv} details", "v components"), \
                BUS_OUT("b ok", "i failure", "i application", "s message", "v components")     \
        }

static const struct bus_method writer_events[] = {
        { .name = "Identify",
          BUS_IN("s session_id", "a{sv} details"),
          BUS_OUT("b ok", "v metadata") },
        EVENT_WITH_COMPONENTS("PrepareBackup"),
        EVENT("PrepareSnapshot"),
        EVENT("Freeze"),
        EVENT("Thaw"),
        EVENT_WITH_COMPONENTS("PostSnapshot"),
        EVENT("Abort"),
        EVENT_WITH_COMPONENTS("BackupComplete"),
        EVENT("BackupShutdown"),
        EVENT_WITH_COMPONENTS("PreRestore"),
        EVENT_WITH_COMPONENTS("PostRestore"),
};

const struct bus_interface bus_interface_writer_events = {
        .name = BUS_NAME ".WriterEvents",
        BUS_METHODS(writer_events),
};
