#pragma once

/* The dictionaries of org.vssd.Vss1: the one place where their keys, types and structs are. The
 * daemon fills a struct with borrowed pointers and appends it; the library reads one and owns what
 * it points to. Keys and types are those of the XML under dbus/. */

#include "common/wire.h"
#include <vss/vsslinux.h>

/* org.vssd.Vss1.Snapshot: VSS_SNAPSHOT_INFO, of which .properties is VSS_SNAPSHOT_PROP. */
extern const struct wire_table wire_snapshot_table;
/* The VSS_SNAPSHOT_PROP part of it alone, into a VSS_SNAPSHOT_PROP. */
extern const struct wire_table wire_snapshot_prop_table;
/* org.vssd.Vss1.SnapshotSet, Steps: VSS_SET_STEP; Writers: VSS_SET_WRITER_INFO. */
extern const struct wire_table wire_set_step_table;
extern const struct wire_table wire_set_writer_table;
/* org.vssd.Vss1.Provider: VSS_PROVIDER_INFO; and VSS_PROVIDER_PROP alone. */
extern const struct wire_table wire_provider_table;
extern const struct wire_table wire_provider_prop_table;
/* org.vssd.Vss1.Writer: VSS_WRITER_INFO. */
extern const struct wire_table wire_writer_table;
/* Manager.ListVolumes: VSS_VOLUME_INFO. */
extern const struct wire_table wire_volume_table;

/* Manager.RegisterWriter, options. */
struct wire_writer_options {
        VSS_ID instance_id; /* GUID_NULL: the service makes one */
        char *instance_name;
        uint32_t usage, source;
        int32_t level;
        uint32_t freeze_timeout_ms;
        uint32_t major_version, minor_version;
        uint32_t subscribe; /* VSS_SM_..._FLAG; 0: backup and restore events */
};
extern const struct wire_table wire_writer_options_table;

/* WriterEvents, details of every event. */
struct wire_event_details {
        VSS_ID set_id;
        LONG context;
        uint32_t backup_type, restore_type;
        char *instance_name; /* the writer's own; NULL: none */
        bool component_mode, bootable_system_state, partial_files;
        char **volumes;             /* NULL: not known yet */
        char **devices;             /* PostSnapshot only, in the order of volumes */
        uint32_t freeze_timeout_ms; /* Freeze only */
};
extern const struct wire_table wire_event_details_table;

/* Manager.ListSnapshots, filter (a{ss}). */
struct wire_snapshot_filter {
        char *set, *volume, *provider, *context;
};
extern const struct wire_table wire_snapshot_filter_table;

/* Manager.CreateSnapshotSet, options (a{ss}). */
struct wire_create_options {
        char *context, *expire, *exclude_writers, *require_writers;
};
extern const struct wire_table wire_create_options_table;

/* Manager.AdoptVolume and ReleaseVolume, options (a{ss}). */
struct wire_adoption_options {
        char *name, *initramfs;
};
extern const struct wire_table wire_adoption_options_table;

/* Manager.DeleteSnapshots, options (a{ss}). */
struct wire_delete_options {
        char *force;
};
extern const struct wire_table wire_delete_options_table;
