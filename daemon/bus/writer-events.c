/* org.vssd.Vss1.WriterEvents: the rows of what we call on writers. */

#include "daemon/bus/bus-table.h"

#define EVENT(event_name)                                                      \
        {                                                                      \
                .name = (event_name), BUS_IN("s session_id", "a{sv} details"), \
                BUS_OUT("b ok", "i failure", "i application", "s message")     \
        }

static const struct bus_method writer_events[] = {
        { .name = "Identify",
          BUS_IN("s session_id", "a{sv} details"),
          BUS_OUT("b ok", "s metadata") },
        EVENT("PrepareBackup"),
        EVENT("PrepareSnapshot"),
        EVENT("Freeze"),
        EVENT("Thaw"),
        EVENT("PostSnapshot"),
        EVENT("Abort"),
        EVENT("BackupComplete"),
        EVENT("BackupShutdown"),
        EVENT("PreRestore"),
        EVENT("PostRestore"),
};

const struct bus_interface bus_interface_writer_events = {
        .name = BUS_NAME ".WriterEvents",
        BUS_METHODS(writer_events),
};
