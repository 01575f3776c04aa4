/* org.vssd.Vss1.SnapshotProvider: the rows of what we call on the providers of others. */

#include "daemon/bus/bus-table.h"

static const struct bus_method provider_calls[] = {
        { .name = "IsVolumeSupported",
          BUS_IN("a{sv} volume", "i context"),
          BUS_OUT("b supported", "s reason") },
        { .name = "BeginPrepareSnapshot",
          BUS_IN("s set_id", "s snapshot_id", "a{sv} volume", "i context") },
        { .name = "EndPrepareSnapshots", BUS_IN("s set_id") },
        { .name = "PreCommitSnapshots", BUS_IN("s set_id") },
        { .name = "CommitSnapshots", BUS_IN("s set_id") },
        { .name = "PostCommitSnapshots", BUS_IN("s set_id", "i count") },
        { .name = "PreFinalCommitSnapshots", BUS_IN("s set_id") },
        { .name = "PostFinalCommitSnapshots", BUS_IN("s set_id") },
        { .name = "AbortSnapshots", BUS_IN("s set_id") },
        { .name = "GetSnapshotProperties",
          BUS_IN("s snapshot_id", "s volume_name", "s data"),
          BUS_OUT("a{sv} properties") },
        { .name = "DeleteSnapshot", BUS_IN("s snapshot_id", "s volume_name", "s data", "b force") },
};

const struct bus_interface bus_interface_snapshot_provider = {
        .name = BUS_NAME ".SnapshotProvider",
        BUS_METHODS(provider_calls),
};
