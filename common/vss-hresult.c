/* The one table HRESULT <-> symbol <-> bus error name <-> sentence <-> errno. Daemon, library and
 * tools all look here; what is not in it leaves the daemon as VSS_E_UNEXPECTED. Constant: rows are
 * never added at run time. Sentences are those of the API's documentation for users; the precise
 * ones are composed where the facts are known. */

#include "common/vss-error.h"

#define FAILURE(code, name, sentence, number)                                         \
        {                                                                             \
                .hr = (code), .symbol = #code, .bus_name = VSS_BUS_ERROR_PREFIX name, \
                .text = (sentence), .error_number = (number)                          \
        }
#define SUCCESS(code, sentence) \
        { .hr = (code), .symbol = #code, .bus_name = NULL, .text = (sentence), .error_number = 0 }

/* clang-format off */
static const struct vss_hresult_info table[] = {
        SUCCESS(S_OK, "Done"),
        SUCCESS(S_FALSE, "Done, but there was nothing (more) to return"),
        FAILURE(E_NOTIMPL, "NotImpl", "Not implemented here", EIO),
        FAILURE(E_NOINTERFACE, "NoInterface", "No such interface", EIO),
        FAILURE(E_POINTER, "Pointer", "A required pointer is NULL", EIO),
        FAILURE(E_ABORT, "Abort", "Operation was aborted", EIO),
        FAILURE(E_FAIL, "Fail", "Operation failed", EIO),
        FAILURE(E_UNEXPECTED, "EUnexpected", "Internal error", EIO),
        FAILURE(E_ACCESSDENIED, "AccessDenied", "Caller lacks the backup privilege", EACCES),
        FAILURE(E_HANDLE, "Handle", "Handle is not valid", EIO),
        FAILURE(E_OUTOFMEMORY, "OutOfMemory", "Memory or another resource is exhausted", ENOMEM),
        FAILURE(E_INVALIDARG, "InvalidArg", "An argument is not valid", EINVAL),

        FAILURE(VSS_E_BAD_STATE, "BadState", "Operation is not valid in the current state", EPROTO),
        FAILURE(VSS_E_UNEXPECTED, "Unexpected", "Internal service error, see the log", EIO),
        FAILURE(VSS_E_PROVIDER_ALREADY_REGISTERED, "ProviderAlreadyRegistered",
                "Provider is already registered", EIO),
        FAILURE(VSS_E_PROVIDER_NOT_REGISTERED, "ProviderNotRegistered",
                "No provider with that id", EIO),
        FAILURE(VSS_E_PROVIDER_VETO, "ProviderVeto",
                "The storage provider refused, see its log entry", EIO),
        FAILURE(VSS_E_PROVIDER_IN_USE, "ProviderInUse", "Provider is busy", EBUSY),
        FAILURE(VSS_E_OBJECT_NOT_FOUND, "ObjectNotFound", "No such object", ENOENT),
        SUCCESS(VSS_S_ASYNC_PENDING, "Still running"),
        SUCCESS(VSS_S_ASYNC_FINISHED, "Finished"),
        SUCCESS(VSS_S_ASYNC_CANCELLED, "Cancelled"),
        FAILURE(VSS_E_VOLUME_NOT_SUPPORTED, "VolumeNotSupported",
                "Volume cannot be snapshotted", EOPNOTSUPP),
        FAILURE(VSS_E_OBJECT_ALREADY_EXISTS, "ObjectAlreadyExists", "Already exists", EEXIST),
        FAILURE(VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER, "VolumeNotSupportedByProvider",
                "Chosen provider does not support this volume", EIO),
        FAILURE(VSS_E_UNEXPECTED_PROVIDER_ERROR, "UnexpectedProviderError",
                "Provider misbehaved, see the log", EIO),
        FAILURE(VSS_E_CORRUPT_XML_DOCUMENT, "CorruptXmlDocument",
                "Metadata document is corrupt", EBADMSG),
        FAILURE(VSS_E_INVALID_XML_DOCUMENT, "InvalidXmlDocument",
                "Metadata document is not valid here", EIO),
        FAILURE(VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED, "MaximumNumberOfVolumesReached",
                "Too many volumes in one set", EIO),
        FAILURE(VSS_E_FLUSH_WRITES_TIMEOUT, "FlushWritesTimeout",
                "Could not flush the file system in time", ETIMEDOUT),
        FAILURE(VSS_E_HOLD_WRITES_TIMEOUT, "HoldWritesTimeout",
                "Could not hold writes long enough", ETIMEDOUT),
        FAILURE(VSS_E_UNEXPECTED_WRITER_ERROR, "UnexpectedWriterError",
                "A writer failed unexpectedly", EIO),
        FAILURE(VSS_E_SNAPSHOT_SET_IN_PROGRESS, "SnapshotSetInProgress",
                "Another snapshot is being created", EALREADY),
        FAILURE(VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED, "MaximumNumberOfSnapshotsReached",
                "Snapshot limit for this volume reached", EIO),
        FAILURE(VSS_E_WRITER_INFRASTRUCTURE, "WriterInfrastructure",
                "Writer channel is not working", EIO),
        FAILURE(VSS_E_WRITER_NOT_RESPONDING, "WriterNotResponding",
                "A writer does not respond", EIO),
        FAILURE(VSS_E_WRITER_ALREADY_SUBSCRIBED, "WriterAlreadySubscribed",
                "Writer is already subscribed", EIO),
        FAILURE(VSS_E_UNSUPPORTED_CONTEXT, "UnsupportedContext",
                "Snapshot type not supported", EOPNOTSUPP),
        FAILURE(VSS_E_VOLUME_IN_USE, "VolumeInUse", "Volume or storage is in use", EBUSY),
        FAILURE(VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED, "MaximumDiffAreaAssociationsReached",
                "Only one snapshot storage per volume", EIO),
        FAILURE(VSS_E_INSUFFICIENT_STORAGE, "InsufficientStorage",
                "Not enough snapshot storage", ENOSPC),
        FAILURE(VSS_E_NO_SNAPSHOTS_IMPORTED, "NoSnapshotsImported",
                "Nothing could be imported", EIO),
        SUCCESS(VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED, "Some snapshots were not imported"),
        FAILURE(VSS_E_SOME_SNAPSHOTS_NOT_IMPORTED, "SomeSnapshotsNotImported",
                "Some snapshots were not imported", EIO),
        FAILURE(VSS_E_MAXIMUM_NUMBER_OF_REMOTE_MACHINES_REACHED, "MaximumNumberOfRemoteMachinesReached",
                "Too many remote machines", EIO),
        FAILURE(VSS_E_REMOTE_SERVER_UNAVAILABLE, "RemoteServerUnavailable",
                "Remote server unavailable", EIO),
        FAILURE(VSS_E_REMOTE_SERVER_UNSUPPORTED, "RemoteServerUnsupported",
                "Remote server not supported", EIO),
        FAILURE(VSS_E_REVERT_IN_PROGRESS, "RevertInProgress",
                "A revert is already running", EALREADY),
        FAILURE(VSS_E_REVERT_VOLUME_LOST, "RevertVolumeLost", "Volume was lost during revert", EIO),
        FAILURE(VSS_E_REBOOT_REQUIRED, "RebootRequired", "Restart the machine", EIO),
        FAILURE(VSS_E_TRANSACTION_FREEZE_TIMEOUT, "TransactionFreezeTimeout",
                "Transaction manager did not freeze in time", ETIMEDOUT),
        FAILURE(VSS_E_TRANSACTION_THAW_TIMEOUT, "TransactionThawTimeout",
                "Transaction manager did not thaw in time", ETIMEDOUT),
        FAILURE(VSS_E_UNSELECTED_VOLUME, "UnselectedVolume",
                "Target contains a volume you did not select", EIO),
        FAILURE(VSS_E_SNAPSHOT_NOT_IN_SET, "SnapshotNotInSet",
                "Snapshot is not in this document", EIO),
        FAILURE(VSS_E_NESTED_VOLUME_LIMIT, "NestedVolumeLimit", "Volume is nested too deeply", EIO),
        FAILURE(VSS_E_VOLUME_NOT_LOCAL, "VolumeNotLocal", "Volume is not local", EIO),
        FAILURE(VSS_E_CLUSTER_TIMEOUT, "ClusterTimeout", "Cluster operation timed out", ETIMEDOUT),
        FAILURE(VSS_E_NOT_SUPPORTED, "NotSupported", "Not supported", EOPNOTSUPP),

        FAILURE(VSS_E_WRITERERROR_PARTIAL_FAILURE, "WriterErrorPartialFailure",
                "Some components of a writer failed, ask each component for its failure", EIO),
        FAILURE(VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT, "WriterErrorInconsistentSnapshot",
                "The copy lacks volumes that the writer needs", EIO),
        FAILURE(VSS_E_WRITERERROR_OUTOFRESOURCES, "WriterErrorOutOfResources",
                "A writer ran out of resources", EIO),
        FAILURE(VSS_E_WRITERERROR_TIMEOUT, "WriterErrorTimeout",
                "The time from freeze to thaw was exceeded", ETIMEDOUT),
        FAILURE(VSS_E_WRITERERROR_RETRYABLE, "WriterErrorRetryable",
                "A writer failed, it may work the next time", EIO),
        FAILURE(VSS_E_WRITERERROR_NONRETRYABLE, "WriterErrorNonRetryable",
                "A writer failed and is likely to fail again", EIO),
        FAILURE(VSS_E_WRITERERROR_RECOVERY_FAILED, "WriterErrorRecoveryFailed",
                "Auto-recovery of the copy failed in a writer", EIO),
        FAILURE(VSS_E_WRITER_STATUS_NOT_AVAILABLE, "WriterStatusNotAvailable",
                "A writer's status is not available, it may have too many sessions", EIO),

        FAILURE(VSS_E_BREAK_REVERT_ID_FAILED, "BreakRevertIdFailed",
                "Disk or partition identities could not be reverted on break", EIO),
        FAILURE(VSS_E_LEGACY_PROVIDER, "LegacyProvider",
                "This version of the provider lacks the operation", EIO),
        FAILURE(VSS_E_MISSING_DISK, "MissingDisk", "An expected disk did not arrive", EIO),
        FAILURE(VSS_E_MISSING_HIDDEN_VOLUME, "MissingHiddenVolume",
                "An expected hidden volume did not arrive", EIO),
        FAILURE(VSS_E_MISSING_VOLUME, "MissingVolume", "An expected volume did not arrive", EIO),
        FAILURE(VSS_E_AUTORECOVERY_FAILED, "AutoRecoveryFailed",
                "Auto-recovery of the copy failed", EIO),
        FAILURE(VSS_E_DYNAMIC_DISK_ERROR, "DynamicDiskError",
                "Processing of a dynamic disk failed", EIO),
        FAILURE(VSS_E_NONTRANSPORTABLE_BCD, "NonTransportableBcd",
                "The document is not one of a transportable set", EIO),
        FAILURE(VSS_E_CANNOT_REVERT_DISKID, "CannotRevertDiskId",
                "A disk's identity could not be set to the wanted value", EIO),
        FAILURE(VSS_E_RESYNC_IN_PROGRESS, "ResyncInProgress",
                "Another resynchronisation is running", EALREADY),
        FAILURE(VSS_E_CLUSTER_ERROR, "ClusterError", "A cluster operation failed", EIO),
        FAILURE(VSS_E_FSS_TIMEOUT, "FssTimeout",
                "The file-share snapshot protocol timed out", ETIMEDOUT),

        FAILURE(VSS_E_ASRERROR_DISK_ASSIGNMENT_FAILED, "AsrErrorDiskAssignmentFailed",
                "Saved critical disks do not match present disks", EIO),
        FAILURE(VSS_E_ASRERROR_DISK_RECREATION_FAILED, "AsrErrorDiskRecreationFailed",
                "Disk layout could not be rebuilt", EIO),
        FAILURE(VSS_E_ASRERROR_NO_ARCPATH, "AsrErrorNoArcPath",
                "Boot path of the volume cannot be resolved", EIO),
        FAILURE(VSS_E_ASRERROR_MISSING_DYNDISK, "AsrErrorMissingDyndisk",
                "A dynamic disk is missing", EIO),
        FAILURE(VSS_E_ASRERROR_SHARED_CRIDISK, "AsrErrorSharedCridisk",
                "Critical disk is on a shared bus", EIO),
        FAILURE(VSS_E_ASRERROR_DATADISK_RDISK0, "AsrErrorDataDiskRdisk0",
                "A data disk occupies the first boot position", EIO),
        FAILURE(VSS_E_ASRERROR_RDISK0_TOOSMALL, "AsrErrorRdisk0TooSmall",
                "First boot disk is too small", EIO),
        FAILURE(VSS_E_ASRERROR_CRITICAL_DISKS_TOO_SMALL, "AsrErrorCriticalDisksTooSmall",
                "Disks are too small for the critical volumes", EIO),
        FAILURE(VSS_E_ASRERROR_DYNAMIC_VHD_NOT_SUPPORTED, "AsrErrorDynamicVhdNotSupported",
                "Dynamic disks inside disk images are not supported", EIO),
        FAILURE(VSS_E_CRITICAL_VOLUME_ON_INVALID_DISK, "CriticalVolumeOnInvalidDisk",
                "Critical volume sits on an unusable disk", EIO),
        FAILURE(VSS_E_ASRERROR_RDISK_FOR_SYSTEM_DISK_NOT_FOUND, "AsrErrorRdiskForSystemDiskNotFound",
                "No boot-order disk for the system disk", EIO),
        FAILURE(VSS_E_ASRERROR_NO_PHYSICAL_DISK_AVAILABLE, "AsrErrorNoPhysicalDiskAvailable",
                "No physical disk is available", EIO),
        FAILURE(VSS_E_ASRERROR_FIXED_PHYSICAL_DISK_AVAILABLE_AFTER_DISK_EXCLUSION, "AsrErrorFixedPhysicalDiskAvailableAfterDiskExclusion",
                "Exclusions leave no fixed disk to restore to", EIO),
        FAILURE(VSS_E_ASRERROR_CRITICAL_DISK_CANNOT_BE_EXCLUDED, "AsrErrorCriticalDiskCannotBeExcluded",
                "A critical disk may not be excluded", EIO),
        FAILURE(VSS_E_ASRERROR_SYSTEM_PARTITION_HIDDEN, "AsrErrorSystemPartitionHidden",
                "System partition is hidden", EIO),
};
/* clang-format on */

const struct vss_hresult_info *vss_hresult_table(size_t *ret_n) {
        *ret_n = ARRAY_SIZE(table);
        return table;
}

const struct vss_hresult_info *vss_hresult_find(HRESULT hr) {
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (table[i].hr == hr)
                        return &table[i];
        return NULL;
}

const struct vss_hresult_info *vss_hresult_find_bus_name(const char *bus_name) {
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (table[i].bus_name && streq(table[i].bus_name, bus_name))
                        return &table[i];
        return NULL;
}
