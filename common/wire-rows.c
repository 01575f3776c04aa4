/* The keys of org.vssd.Vss1's dictionaries, as the XML under dbus/ has them. */

#include "common/wire-rows.h"

/* What a VSS_SNAPSHOT_PROP is on the wire, wherever in a struct it stands. */
#define SNAPSHOT_PROP_FIELDS(type, prefix)                                                        \
        WIRE_FIELD(type, prefix m_SnapshotId, "SnapshotId", WIRE_ID),                             \
                WIRE_FIELD(type, prefix m_SnapshotSetId, "SnapshotSetId", WIRE_ID),               \
                WIRE_FIELD(type, prefix m_lSnapshotsCount, "SnapshotsCount", WIRE_INT32),         \
                WIRE_FIELD(type, prefix m_pwszSnapshotDeviceObject, "SnapshotDeviceObject",       \
                           WIRE_STRING),                                                          \
                WIRE_FIELD(type, prefix m_pwszOriginalVolumeName, "OriginalVolumeName",           \
                           WIRE_STRING),                                                          \
                WIRE_FIELD(type, prefix m_pwszOriginatingMachine, "OriginatingMachine",           \
                           WIRE_STRING),                                                          \
                WIRE_FIELD(type, prefix m_pwszServiceMachine, "ServiceMachine", WIRE_STRING),     \
                WIRE_FIELD(type, prefix m_pwszExposedName, "ExposedName", WIRE_STRING),           \
                WIRE_FIELD(type, prefix m_pwszExposedPath, "ExposedPath", WIRE_STRING),           \
                WIRE_FIELD(type, prefix m_ProviderId, "ProviderId", WIRE_ID),                     \
                WIRE_FIELD(type, prefix m_lSnapshotAttributes, "SnapshotAttributes", WIRE_INT32), \
                WIRE_FIELD(type, prefix m_tsCreationTimestamp, "CreationTimestamp", WIRE_INT64),  \
                WIRE_FIELD(type, prefix m_eStatus, "Status", WIRE_UINT32)

#define PROVIDER_PROP_FIELDS(type, prefix)                                                    \
        WIRE_FIELD(type, prefix m_ProviderId, "ProviderId", WIRE_ID),                         \
                WIRE_FIELD(type, prefix m_pwszProviderName, "ProviderName", WIRE_TEXT),       \
                WIRE_FIELD(type, prefix m_eProviderType, "ProviderType", WIRE_UINT32),        \
                WIRE_FIELD(type, prefix m_pwszProviderVersion, "ProviderVersion", WIRE_TEXT), \
                WIRE_FIELD(type, prefix m_ProviderVersionId, "ProviderVersionId", WIRE_ID),   \
                WIRE_FIELD(type, prefix m_ClassId, "ClassId", WIRE_ID)

#define NO_PREFIX

/* clang-format off */
static const struct wire_field snapshot_prop_fields[] = {
        SNAPSHOT_PROP_FIELDS(VSS_SNAPSHOT_PROP, NO_PREFIX),
};

static const struct wire_field snapshot_fields[] = {
        SNAPSHOT_PROP_FIELDS(VSS_SNAPSHOT_INFO, properties.),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, context, "Context", WIRE_INT32),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, provider, "Provider", WIRE_TEXT),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, block_device, "BlockDevice", WIRE_TEXT),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, file_system, "FileSystem", WIRE_STRING),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, volume_display_name, "VolumeDisplayName", WIRE_TEXT),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, consistency, "Consistency", WIRE_TEXT),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, expires, "Expires", WIRE_UINT64),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, used_bytes, "UsedBytes", WIRE_UINT64),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, maximum_bytes, "MaximumBytes", WIRE_UINT64),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, overflowed, "Overflowed", WIRE_BOOL),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, writers, "Writers", WIRE_STRV),
        WIRE_FIELD(VSS_SNAPSHOT_INFO, consistency_reason, "ConsistencyReason", WIRE_STRING),
};

static const struct wire_field set_step_fields[] = {
        WIRE_FIELD(VSS_SET_STEP, kind, "Kind", WIRE_TEXT),
        WIRE_OPTIONAL(VSS_SET_STEP, id, "Id", WIRE_STRING),
        WIRE_OPTIONAL(VSS_SET_STEP, name, "Name", WIRE_STRING),
        WIRE_FIELD(VSS_SET_STEP, step, "Step", WIRE_TEXT),
        WIRE_FIELD(VSS_SET_STEP, begin_usec, "BeginUsec", WIRE_UINT64),
        WIRE_FIELD(VSS_SET_STEP, end_usec, "EndUsec", WIRE_UINT64),
        WIRE_OPTIONAL(VSS_SET_STEP, failure, "Failure", WIRE_INT32),
};

static const struct wire_field set_writer_fields[] = {
        WIRE_FIELD(VSS_SET_WRITER_INFO, instance_id, "InstanceId", WIRE_ID),
        WIRE_FIELD(VSS_SET_WRITER_INFO, writer_id, "WriterId", WIRE_ID),
        WIRE_FIELD(VSS_SET_WRITER_INFO, name, "Name", WIRE_TEXT),
        WIRE_FIELD(VSS_SET_WRITER_INFO, consistency, "Consistency", WIRE_TEXT),
        WIRE_FIELD(VSS_SET_WRITER_INFO, reason, "Reason", WIRE_STRING),
        WIRE_FIELD(VSS_SET_WRITER_INFO, state, "State", WIRE_UINT32),
        WIRE_FIELD(VSS_SET_WRITER_INFO, failure, "Failure", WIRE_INT32),
        WIRE_FIELD(VSS_SET_WRITER_INFO, volumes, "Volumes", WIRE_STRV),
};

static const struct wire_field provider_prop_fields[] = {
        PROVIDER_PROP_FIELDS(VSS_PROVIDER_PROP, NO_PREFIX),
};

static const struct wire_field provider_fields[] = {
        PROVIDER_PROP_FIELDS(VSS_PROVIDER_INFO, properties.),
        WIRE_FIELD(VSS_PROVIDER_INFO, name, "Name", WIRE_TEXT),
};

static const struct wire_field writer_fields[] = {
        WIRE_FIELD(VSS_WRITER_INFO, instance_id, "InstanceId", WIRE_ID),
        WIRE_FIELD(VSS_WRITER_INFO, writer_id, "WriterId", WIRE_ID),
        WIRE_FIELD(VSS_WRITER_INFO, name, "Name", WIRE_TEXT),
        WIRE_FIELD(VSS_WRITER_INFO, instance_name, "InstanceName", WIRE_STRING),
        WIRE_FIELD(VSS_WRITER_INFO, usage, "Usage", WIRE_UINT32),
        WIRE_FIELD(VSS_WRITER_INFO, source, "Source", WIRE_UINT32),
        WIRE_FIELD(VSS_WRITER_INFO, level, "Level", WIRE_INT32),
        WIRE_FIELD(VSS_WRITER_INFO, freeze_timeout_ms, "FreezeTimeoutMs", WIRE_UINT32),
        WIRE_FIELD(VSS_WRITER_INFO, state, "State", WIRE_UINT32),
        WIRE_FIELD(VSS_WRITER_INFO, failure, "Failure", WIRE_INT32),
        WIRE_FIELD(VSS_WRITER_INFO, failure_message, "FailureMessage", WIRE_STRING),
        WIRE_FIELD(VSS_WRITER_INFO, uid, "Uid", WIRE_UINT32),
        WIRE_FIELD(VSS_WRITER_INFO, pid, "Pid", WIRE_UINT32),
};

static const struct wire_field volume_fields[] = {
        WIRE_FIELD(VSS_VOLUME_INFO, name, "Name", WIRE_TEXT),
        WIRE_FIELD(VSS_VOLUME_INFO, device, "Device", WIRE_TEXT),
        WIRE_FIELD(VSS_VOLUME_INFO, mount_point, "MountPoint", WIRE_STRING),
        WIRE_FIELD(VSS_VOLUME_INFO, file_system, "FileSystem", WIRE_STRING),
        WIRE_FIELD(VSS_VOLUME_INFO, size, "Size", WIRE_UINT64),
        WIRE_FIELD(VSS_VOLUME_INFO, supported, "Supported", WIRE_BOOL),
        WIRE_FIELD(VSS_VOLUME_INFO, provider, "Provider", WIRE_STRING),
        WIRE_FIELD(VSS_VOLUME_INFO, reason, "Reason", WIRE_STRING),
        WIRE_FIELD(VSS_VOLUME_INFO, snapshots, "Snapshots", WIRE_UINT32),
        WIRE_FIELD(VSS_VOLUME_INFO, adopted, "Adopted", WIRE_STRING),
};

static const struct wire_field writer_options_fields[] = {
        WIRE_OPTIONAL(struct wire_writer_options, instance_id, "instance_id", WIRE_ID),
        WIRE_OPTIONAL(struct wire_writer_options, instance_name, "instance_name", WIRE_STRING),
        WIRE_OPTIONAL(struct wire_writer_options, usage, "usage", WIRE_UINT32),
        WIRE_OPTIONAL(struct wire_writer_options, source, "source", WIRE_UINT32),
        WIRE_OPTIONAL(struct wire_writer_options, level, "level", WIRE_INT32),
        WIRE_OPTIONAL(struct wire_writer_options, freeze_timeout_ms, "freeze_timeout_ms", WIRE_UINT32),
        WIRE_OPTIONAL(struct wire_writer_options, major_version, "major_version", WIRE_UINT32),
        WIRE_OPTIONAL(struct wire_writer_options, minor_version, "minor_version", WIRE_UINT32),
        WIRE_OPTIONAL(struct wire_writer_options, subscribe, "subscribe", WIRE_UINT32),
};

static const struct wire_field event_details_fields[] = {
        WIRE_FIELD(struct wire_event_details, set_id, "SetId", WIRE_ID),
        WIRE_FIELD(struct wire_event_details, context, "Context", WIRE_INT32),
        WIRE_FIELD(struct wire_event_details, backup_type, "BackupType", WIRE_UINT32),
        WIRE_OPTIONAL(struct wire_event_details, restore_type, "RestoreType", WIRE_UINT32),
        WIRE_OPTIONAL(struct wire_event_details, instance_name, "InstanceName", WIRE_STRING),
        WIRE_FIELD(struct wire_event_details, component_mode, "ComponentMode", WIRE_BOOL),
        WIRE_FIELD(struct wire_event_details, bootable_system_state, "BootableSystemState", WIRE_BOOL),
        WIRE_FIELD(struct wire_event_details, partial_files, "PartialFiles", WIRE_BOOL),
        WIRE_FIELD(struct wire_event_details, volumes, "Volumes", WIRE_STRV),
        WIRE_FIELD(struct wire_event_details, devices, "Devices", WIRE_STRV),
        WIRE_OPTIONAL(struct wire_event_details, freeze_timeout_ms, "FreezeTimeoutMs", WIRE_UINT32),
};

static const struct wire_field snapshot_filter_fields[] = {
        WIRE_OPTIONAL(struct wire_snapshot_filter, set, "set", WIRE_TEXT),
        WIRE_OPTIONAL(struct wire_snapshot_filter, volume, "volume", WIRE_TEXT),
        WIRE_OPTIONAL(struct wire_snapshot_filter, provider, "provider", WIRE_TEXT),
        WIRE_OPTIONAL(struct wire_snapshot_filter, context, "context", WIRE_TEXT),
};

static const struct wire_field create_options_fields[] = {
        WIRE_OPTIONAL(struct wire_create_options, context, "context", WIRE_TEXT),
        WIRE_OPTIONAL(struct wire_create_options, expire, "expire", WIRE_TEXT),
        WIRE_OPTIONAL(struct wire_create_options, exclude_writers, "exclude-writers", WIRE_TEXT),
        WIRE_OPTIONAL(struct wire_create_options, require_writers, "require-writers", WIRE_TEXT),
};

static const struct wire_field adoption_options_fields[] = {
        WIRE_OPTIONAL(struct wire_adoption_options, name, "name", WIRE_TEXT),
        WIRE_OPTIONAL(struct wire_adoption_options, initramfs, "initramfs", WIRE_TEXT),
};

static const struct wire_field delete_options_fields[] = {
        WIRE_OPTIONAL(struct wire_delete_options, force, "force", WIRE_TEXT),
};
/* clang-format on */

const struct wire_table wire_snapshot_table = WIRE_TABLE(snapshot_fields);
const struct wire_table wire_set_step_table = WIRE_TABLE(set_step_fields);
const struct wire_table wire_set_writer_table = WIRE_TABLE(set_writer_fields);
const struct wire_table wire_snapshot_prop_table = WIRE_TABLE(snapshot_prop_fields);
const struct wire_table wire_provider_table = WIRE_TABLE(provider_fields);
const struct wire_table wire_provider_prop_table = WIRE_TABLE(provider_prop_fields);
const struct wire_table wire_writer_table = WIRE_TABLE(writer_fields);
const struct wire_table wire_volume_table = WIRE_TABLE(volume_fields);
const struct wire_table wire_writer_options_table = WIRE_TABLE(writer_options_fields);
const struct wire_table wire_event_details_table = WIRE_TABLE(event_details_fields);
const struct wire_table wire_snapshot_filter_table = WIRE_TABLE(snapshot_filter_fields);
const struct wire_table wire_create_options_table = WIRE_TABLE(create_options_fields);
const struct wire_table wire_adoption_options_table = WIRE_TABLE(adoption_options_fields);
const struct wire_table wire_delete_options_table = WIRE_TABLE(delete_options_fields);
