/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VSS_VSSLINUX_H
#define VSS_VSSLINUX_H

/*
 * What the library offers beyond the Volume Shadow Copy Service: messages, text forms, progress,
 * and lists for tools.
 */

#include <vss/vsbackup.h>
#include <vss/vsfiles.h>
#include <vss/vss.h>
#include <vss/vsserror.h>
#include <vss/vswriter.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* Messages and results */

/*
 * VssLastErrorMessage: the sentence that the last failing call of this thread left: what failed,
 * why, and the way out. Also set by IVssAsync_QueryStatus when it brings an operation's failure.
 *
 * Never NULL; empty if there was none. The library's; holds until the thread's next call that
 * leaves one, or the thread's end.
 * Since 0.1.
 */
const char *VssLastErrorMessage(void);

/* VssHresultName: "VSS_E_BAD_STATE". NULL for a code that the library does not know. Since 0.1. */
const char *VssHresultName(HRESULT hr);

/* VssHresultMessage: the general sentence for a code, in English. Never NULL. Since 0.1. */
const char *VssHresultMessage(HRESULT hr);

/*
 * VssHresultToErrno: the errno, positive, that comes closest to a failure; 0 for a success.
 *
 * E_ACCESSDENIED: EACCES. E_INVALIDARG: EINVAL. E_OUTOFMEMORY: ENOMEM. VSS_E_OBJECT_NOT_FOUND:
 * ENOENT. VSS_E_OBJECT_ALREADY_EXISTS: EEXIST. VSS_E_SNAPSHOT_SET_IN_PROGRESS,
 * VSS_E_REVERT_IN_PROGRESS, VSS_E_RESYNC_IN_PROGRESS: EALREADY. VSS_E_VOLUME_IN_USE,
 * VSS_E_PROVIDER_IN_USE: EBUSY. VSS_E_INSUFFICIENT_STORAGE: ENOSPC. All that end in _TIMEOUT:
 * ETIMEDOUT. VSS_E_NOT_SUPPORTED, VSS_E_UNSUPPORTED_CONTEXT, VSS_E_VOLUME_NOT_SUPPORTED:
 * EOPNOTSUPP. VSS_E_CORRUPT_XML_DOCUMENT: EBADMSG. VSS_E_BAD_STATE: EPROTO. All others, also codes
 * that the library does not know: EIO.
 * Since 0.1.
 */
int VssHresultToErrno(HRESULT hr);

/* VssFreeString: frees a string that the library returned. NULL is allowed. Since 0.1. */
void VssFreeString(char *string);

/* Text forms */

/* Room for the text of an id: 36 characters and the NUL. */
#define VSS_ID_STRING_SIZE 37

/*
 * VssIdToString: writes the canonical text of an id, lower case, without braces.
 *
 * buffer: VSS_ID_STRING_SIZE bytes. Returns buffer.
 * Since 0.1.
 */
char *VssIdToString(VSS_ID id, char *buffer);

/*
 * VssIdFromString: reads the text of an id, of either case, with or without braces.
 *
 * Errors: E_INVALIDARG (no id; also the empty string). *id is then GUID_NULL.
 * Since 0.1.
 */
HRESULT VssIdFromString(LPCWSTR text, VSS_ID *id);

/* VssContextToString: "backup", "file-share", "nas-rollback", "app-rollback", "client",
 * "client-writers" or "all", modifiers left out; NULL if it is no context. Since 0.1. */
const char *VssContextToString(LONG context);

/* VssContextFromString: the reverse. text: such a word. context: receives the value; VSS_CTX_BACKUP
 * on failure. Errors: E_INVALIDARG. Since 0.1. */
HRESULT VssContextFromString(LPCWSTR text, LONG *context);

/* VssWriterStateToString: "STABLE", "WAITING_FOR_FREEZE", ...; NULL if it is no state.
 * Since 0.1. */
const char *VssWriterStateToString(VSS_WRITER_STATE state);

/*
 * VssDocumentFromBytes: a document that was kept, as the text that CreateVssExamineWriterMetadata,
 * InitializeForRestore and the others take: Windows keeps its documents in UTF-16 as well, which a
 * string cannot hold.
 *
 * bytes, size: what the file has; XML in UTF-8 or UTF-16, with or without a byte order mark,
 * whatever its declaration says. document: receives the text in UTF-8, to be freed with
 * VssFreeString; NULL on failure. What kind of document it is, and whether it is a good one, who
 * reads it tells.
 * Errors: E_INVALIDARG, E_OUTOFMEMORY, VSS_E_INVALID_XML_DOCUMENT (another encoding; a NUL, a
 * document type; too deep or too large).
 * Since 0.2.
 */
HRESULT VssDocumentFromBytes(const void *bytes, size_t size, BSTR *document);

/* Connection */

/*
 * VssSetBusAddress: the D-Bus address at which objects made from now on, by any thread, look for
 * the service. NULL: the environment variable VSSD_BUS_ADDRESS, and if that is not set (or the
 * program runs with raised privileges) the system bus.
 *
 * Errors: E_INVALIDARG (no D-Bus address), E_OUTOFMEMORY.
 * Since 0.1.
 */
HRESULT VssSetBusAddress(LPCWSTR address);

/* Progress */

/*
 * IVssAsync_GetProgress: how far an operation is, without waiting.
 *
 * phase: receives the name of the phase, "freeze", empty at first; the library's, holds until the
 * next call with this object. percent: 0 to 100. Each may be NULL.
 * Errors: VSS_E_UNEXPECTED (the service was lost).
 * Since 0.1.
 */
HRESULT IVssAsync_GetProgress(IVssAsync *async, const char **phase, UINT *percent);

/*
 * Lists for tools. Each gives an array of pointers that ends with NULL, and its length, to be freed
 * as a whole with the function beside it, which allows NULL. Strings are never NULL, unless said.
 * The structures may grow at their ends in later versions.
 */

typedef struct VSS_VOLUME_INFO {
        char *name;         /* canonical: a mount point with a trailing '/', or a block device */
        char *device;       /* block device */
        char *mount_point;  /* NULL: not mounted */
        char *file_system;  /* NULL: none known */
        uint64_t size;      /* bytes */
        bool supported;     /* can be copied */
        char *provider;     /* short name of the provider that would do it; NULL: none */
        char *reason;       /* why it cannot be copied; NULL: it can */
        uint32_t snapshots; /* copies that it has */
        /* Since 0.2. NULL: it is no adopted partition. "active": mounted through the mapping;
           "next-mount": will be; "until-unmount": released, and still is. */
        char *adopted;
} VSS_VOLUME_INFO;

/*
 * VssListVolumes: the volumes of the host, and which can be copied.
 *
 * volumes, count: count may be NULL.
 * Errors: those of any call.
 * Since 0.1.
 */
HRESULT VssListVolumes(VSS_VOLUME_INFO ***volumes, UINT *count);

/* VssFreeVolumes: frees the list of VssListVolumes. NULL is allowed. Since 0.1. */
void VssFreeVolumes(VSS_VOLUME_INFO **volumes);

typedef struct VSS_WRITER_INFO {
        VSS_ID instance_id;
        VSS_ID writer_id; /* class */
        char *name;
        char *instance_name; /* NULL: none */
        VSS_USAGE_TYPE usage;
        VSS_SOURCE_TYPE source;
        VSS_APPLICATION_LEVEL level;
        uint32_t freeze_timeout_ms;
        VSS_WRITER_STATE state; /* the latest, of any session */
        HRESULT failure;
        char *failure_message; /* NULL: none */
        uint32_t uid;
        uint32_t pid;
} VSS_WRITER_INFO;

/* VssListWriters: the registered writers. As VssListVolumes. Since 0.1. */
HRESULT VssListWriters(VSS_WRITER_INFO ***writers, UINT *count);

/* VssFreeWriters: frees the list of VssListWriters. NULL is allowed. Since 0.1. */
void VssFreeWriters(VSS_WRITER_INFO **writers);

typedef struct VSS_PROVIDER_INFO {
        VSS_PROVIDER_PROP properties;
        char *name; /* short: "lvm-thick" */
} VSS_PROVIDER_INFO;

/* VssListProviders: the providers. As VssListVolumes. Since 0.1. */
HRESULT VssListProviders(VSS_PROVIDER_INFO ***providers, UINT *count);

/* VssFreeProviders: frees the list of VssListProviders. NULL is allowed. Since 0.1. */
void VssFreeProviders(VSS_PROVIDER_INFO **providers);

typedef struct VSS_SNAPSHOT_INFO {
        VSS_SNAPSHOT_PROP properties;
        LONG context;              /* with its modifiers */
        char *provider;            /* short name of its provider */
        char *block_device;        /* "/dev/vss/ShadowCopyN"; empty: the copy is a directory; of one
                                      that is for another host, and has no device object, it is not
                                      there */
        char *file_system;         /* NULL: none */
        char *volume_display_name; /* the volume as the requester wrote it */
        char *consistency;         /* "application", "file-system" or "crash" */
        uint64_t expires;          /* seconds since the Unix epoch; 0: never */
        uint64_t used_bytes;       /* of its store, now */
        uint64_t maximum_bytes;
        bool overflowed; /* its store was full: the copy is lost */
        char **writers;  /* those with files on the volume, ends with NULL; NULL: none took part.
                            Each "WRITER-ID INSTANCE-ID 0xHRESULT NAME"; 0x00000000: what it has
                            there is consistent */
        char *consistency_reason; /* why not more, or of whose files it is not true; NULL: there is
                                     nothing to say. Since 0.2 */
} VSS_SNAPSHOT_INFO;

/*
 * VssListSnapshots: the finished copies, of every context.
 *
 * filter: NULL for all, or an array that ends with NULL of conditions which must all hold:
 * "set=ID", "volume=NAME", "provider=NAME", "context=NAME", each at most once. A volume has the
 * name that it has in the copies, or any that AddToSnapshotSet takes. snapshots, count: as
 * VssListVolumes. Errors: E_INVALIDARG (the filter). Since 0.1.
 */
HRESULT VssListSnapshots(const LPCWSTR *filter, VSS_SNAPSHOT_INFO ***snapshots, UINT *count);

/* VssFreeSnapshots: frees the list of VssListSnapshots. NULL is allowed. Since 0.1. */
void VssFreeSnapshots(VSS_SNAPSHOT_INFO **snapshots);

typedef struct VSS_SET_PHASE {
        char *name;          /* "Stage", "Freeze", "Window", ... */
        uint64_t begin_usec; /* since the making of the set began */
        uint64_t end_usec;
} VSS_SET_PHASE;

typedef struct VSS_SET_STEP {
        char *kind;          /* whose: "provider", "writer", "volume"; "window": all volumes' */
        char *id;            /* the provider's name, the writer's instance id, the snapshot's id;
                                NULL: of the window */
        char *name;          /* to be shown; NULL: of the window */
        char *step;          /* "Freeze", "Suspend", "Mount", ... */
        uint64_t begin_usec; /* as VSS_SET_PHASE */
        uint64_t end_usec;
        HRESULT failure; /* S_OK: it went well */
} VSS_SET_STEP;

typedef struct VSS_SET_TIMELINE {
        uint64_t writes_held_usec; /* writes to the volumes were held for so long */
        UINT count;
        VSS_SET_PHASE *phases; /* count of them, in order */
        UINT n_steps;          /* since 0.2, as the next */
        VSS_SET_STEP *steps; /* each one's part: n_steps of them, those of one behind each other */
} VSS_SET_TIMELINE;

/*
 * VssGetSetTimeline: how a finished set was made: its phases, how long writes were held, and what
 * each writer, volume and provider did when.
 *
 * set: its id. timeline: receives the answer, to be freed with VssFreeSetTimeline.
 * Errors: E_INVALIDARG, VSS_E_OBJECT_NOT_FOUND.
 * Since 0.1.
 */
HRESULT VssGetSetTimeline(VSS_ID set, VSS_SET_TIMELINE **timeline);

/* VssFreeSetTimeline: frees what VssGetSetTimeline gave. NULL is allowed. Since 0.1. */
void VssFreeSetTimeline(VSS_SET_TIMELINE *timeline);

typedef struct VSS_SET_WRITER_INFO {
        VSS_ID instance_id;
        VSS_ID writer_id;       /* class */
        char *name;             /* with the instance's name, if it has one */
        char *consistency;      /* what was reached for what it has in the set: "application",
                                   "file-system", "crash"; "none": it has nothing in it */
        char *reason;           /* why not more; NULL: there is nothing to say */
        VSS_WRITER_STATE state; /* when the set was done */
        HRESULT failure;        /* S_OK: none */
        char **volumes; /* of the set, that it has files on as far as it says; ends with NULL */
} VSS_SET_WRITER_INFO;

/*
 * VssListSetWriters: what a finished set is to each writer: those that took part, and those that
 * did not and have files on its volumes.
 *
 * set: its id. writers, count: as VssListVolumes.
 * Errors: E_INVALIDARG, VSS_E_OBJECT_NOT_FOUND.
 * Since 0.2.
 */
HRESULT VssListSetWriters(VSS_ID set, VSS_SET_WRITER_INFO ***writers, UINT *count);

/* VssFreeSetWriters: frees the list of VssListSetWriters. NULL is allowed. Since 0.2. */
void VssFreeSetWriters(VSS_SET_WRITER_INFO **writers);

/* Writers with a loop of their own */

/*
 * VssSubscribeWriter: CVssWriter::Subscribe for an application that has an event loop: handlers run
 * in it, in VssDispatchWriter, one at a time.
 *
 * The library still has a thread of its own, which talks to the service and watches the time. It
 * calls a handler in one case only: a frozen application has to go on (Thaw has not come in time,
 * or the service is gone) and its loop did not take that up within a quarter of a second. Then
 * OnAbort runs on the library's thread, while the loop is busy with something else: OnAbort, and
 * what it needs in order to let the application write again, must be able to do that. A handler
 * that runs is not interrupted, nor is another one called beside it; so a Freeze must not wait
 * without a limit of its own. Between Freeze and Thaw no handler of another session is called.
 * Unsubscribe, too, calls what is left (OnAbort, OnBackupShutdown) on the library's thread, and
 * waits for it.
 *
 * dwSubscribeTimeout, dwEventFlags: as CVssWriter_Subscribe. fd: receives a descriptor for poll(2)
 * and the like, readable when VssDispatchWriter has something to do, also because of the time: no
 * timer is needed. The library's, not to be read or closed; valid until Unsubscribe.
 * Errors: as CVssWriter_Subscribe.
 * Since 0.2.
 */
HRESULT VssSubscribeWriter(CVssWriter *writer, DWORD dwSubscribeTimeout, DWORD dwEventFlags,
                           int *fd);

/*
 * VssDispatchWriter: runs the handlers of the events that wait, if there are any. From one thread
 * at a time, and not together with Unsubscribe. In a handler it may be called for other writers.
 *
 * Returns S_FALSE if there was none.
 * Errors: E_INVALIDARG, VSS_E_BAD_STATE (not subscribed by VssSubscribeWriter, or in a handler).
 * Since 0.2.
 */
HRESULT VssDispatchWriter(CVssWriter *writer);

/* Breaking sets */

/*
 * VssBreakSnapshotSet: BreakSnapshotSetEx without an object, waiting for its end: the copies of a
 * set become ordinary volumes, all of them or none, and the service forgets the set.
 *
 * Copies of thin logical volumes become thin volumes of their pool, named ORIGIN_ShadowCopyN;
 * exposures end. Others depend on their volumes and cannot be broken off.
 *
 * set: its id. flags: VSS_BREAKEX_FLAG_..., as BreakSnapshotSetEx. volumes: NULL, or receives the
 * volumes' paths, "/dev/vg/data_ShadowCopy7", in the order of the copies' numbers, which is that of
 * VssListSnapshots; ends with NULL; freed with VssFreeStrings. Errors: E_INVALIDARG (flags),
 * E_ACCESSDENIED, VSS_E_OBJECT_NOT_FOUND, VSS_E_PROVIDER_VETO (the copies depend on their volumes,
 * or are in use), VSS_E_BREAK_REVERT_ID_FAILED (an original is there; the UUID of such a file
 * system cannot be changed), VSS_E_UNEXPECTED. Since 0.2.
 */
HRESULT VssBreakSnapshotSet(VSS_ID set, DWORD flags, char ***volumes);

/* Transportable sets */

/*
 * VssGetTransportableSet: which set a Backup Components Document describes, so that ImportSnapshots
 * can take it in. Whether it can, ImportSnapshots finds out. No service is asked.
 *
 * document: as InitializeForBackup takes it. set: receives the id. Errors: E_INVALIDARG,
 * VSS_E_INVALID_XML_DOCUMENT, VSS_E_CORRUPT_XML_DOCUMENT, VSS_E_NONTRANSPORTABLE_BCD (it describes
 * none), VSS_E_NO_SNAPSHOTS_IMPORTED (the description cannot be understood). Since 0.2.
 */
HRESULT VssGetTransportableSet(LPCWSTR document, VSS_ID *set);

/* Reverting volumes */

enum {
        VSS_REVERT_FORCE_DISMOUNT = 0x1, /* as bForceDismount of RevertToSnapshot */
        VSS_REVERT_IGNORE_WRITERS = 0x2, /* whatever ShouldBlockRevert says */
};

/*
 * VssRevertSnapshot: RevertToSnapshot without an object, and with the question that should come
 * first: begins to roll a volume back to a copy.
 *
 * A file system on it is unmounted for it, and mounted again; copies that are newer are deleted,
 * and in the end this copy is gone. Of the volume that the system runs from it begins with the next
 * boot. Not to be cancelled or undone; VssListReverts and QueryRevertStatus tell how far it is.
 *
 * snapshot: the copy. flags: VSS_REVERT_.... Errors: E_INVALIDARG (flags), E_ACCESSDENIED, those of
 * RevertToSnapshot, VSS_E_PROVIDER_VETO (ShouldBlockRevert says so). Since 0.2.
 */
HRESULT VssRevertSnapshot(VSS_ID snapshot, DWORD flags);

typedef struct VSS_REVERT_INFO {
        VSS_ID snapshot, snapshot_set;
        char *volume;
        char **names;   /* what else it is called; NULL: nothing */
        char *provider; /* short name */
        char *state;    /* "beginning", "merging", "waiting" (for the next boot), "failed" */
        char *message;  /* why it failed; NULL: it has not */
        DWORD per_cent; /* of what was to be copied back */
        uint64_t total_bytes, left_bytes; /* to be copied back; total_bytes 0: not known */
} VSS_REVERT_INFO;

/* VssListReverts: the reverts that are under way, or have failed. As VssListVolumes. Since 0.2. */
HRESULT VssListReverts(VSS_REVERT_INFO ***reverts, UINT *count);

/* VssFreeReverts: frees the list of VssListReverts. NULL is allowed. Since 0.2. */
void VssFreeReverts(VSS_REVERT_INFO **reverts);

/*
 * VssIsVolumeSupported: IVssBackupComponents::IsVolumeSupported without an object, for any
 * provider.
 *
 * volume: mount point or block device. supported: receives the answer. provider, reason: receive
 * the provider's short name, or why not; each may be NULL; freed with VssFreeString; NULL if there
 * is none. Errors: E_INVALIDARG, VSS_E_OBJECT_NOT_FOUND, VSS_E_PROVIDER_VETO (as AddToSnapshotSet).
 * Since 0.1.
 */
HRESULT VssIsVolumeSupported(LPCWSTR volume, bool *supported, char **provider, char **reason);

/* Changed blocks */

typedef struct VSS_SNAPSHOT_DELTA {
        uint64_t volume_size; /* bytes */
        uint32_t block_size; /* bytes that a bit stands for; of the last block there may be fewer */
        bool exact;          /* nothing is set that was written only after the younger copy */
        uint64_t block_count;   /* of the volume; bits */
        uint64_t changed_count; /* of them set */
        BYTE *bitmap; /* block 0 is the lowest bit of the first byte; behind the last: 0 */
} VSS_SNAPSHOT_DELTA;

/*
 * VssQuerySnapshotDelta: which blocks of a volume differ between two copies of it, or between a
 * copy and the volume, without reading any data.
 *
 * A bit that is clear stands for a block that is equal in both. One that is set stands for a block
 * that was written since the older copy was made: it may be equal again, and a block is as large as
 * the storage keeps account of (32 KiB for copies on write, 64 KiB or more in a thin pool). Between
 * two copies on write it may also have been written only after the younger one was made; exact is
 * false then. Of the volume itself the answer holds for what was written before the call.
 *
 * older: a copy. younger: a copy of the same volume that was made later, or GUID_NULL: the volume
 * as it is now. delta: receives the answer, to be freed with VssFreeSnapshotDelta. Errors:
 * E_INVALIDARG (they are not of one volume; the first is not the older one), E_NOTIMPL (their
 * provider cannot tell), VSS_E_OBJECT_NOT_FOUND, VSS_E_BAD_STATE (a copy was lost, or is not
 * active; another program reads the metadata of the thin pool), VSS_E_NOT_SUPPORTED (thin_delta(8)
 * is not installed), VSS_E_PROVIDER_VETO (what an earlier run of the service left in their volume's
 * storage is still being put right), VSS_E_PROVIDER_NOT_REGISTERED,
 * VSS_E_UNEXPECTED_PROVIDER_ERROR. Since 0.2.
 */
HRESULT VssQuerySnapshotDelta(VSS_ID older, VSS_ID younger, VSS_SNAPSHOT_DELTA **delta);

/* VssFreeSnapshotDelta: frees the answer of VssQuerySnapshotDelta. NULL is allowed. Since 0.2. */
void VssFreeSnapshotDelta(VSS_SNAPSHOT_DELTA *delta);

/*
 * VssNextDeltaRange: the next blocks in a row that differ, as bytes of the volume.
 *
 * delta: of VssQuerySnapshotDelta. from: where to begin looking: 0, then behind the last range.
 * offset, length: receive the range, in bytes. Returns S_FALSE if there is none any more.
 * Errors: E_INVALIDARG.
 * Since 0.2.
 */
HRESULT VssNextDeltaRange(const VSS_SNAPSHOT_DELTA *delta, uint64_t from, uint64_t *offset,
                          uint64_t *length);

/* Plain partitions */

/*
 * VssAdoptVolume: has a file system on a plain partition, disk, array or multipath map mounted
 * through a one-to-one device-mapper mapping from the next mount on, so that copies of it can be
 * made. No byte of it changes. Adopting again what is adopted is fine.
 *
 * volume: as everywhere, or where fstab(5) mounts it. options: NULL, or an array that ends with
 * NULL of "name=NAME" (of the mapping, which is /dev/mapper/vss-NAME) and "initramfs=no" (of the
 * root: the caller will make the initramfs anew, which is done otherwise and takes a minute).
 * notes: NULL, or receives sentences on what was done and what takes effect when, an array that
 * ends with NULL, to be freed with VssFreeStrings. Errors: E_ACCESSDENIED, E_INVALIDARG,
 * VSS_E_OBJECT_NOT_FOUND, VSS_E_VOLUME_NOT_SUPPORTED (the message says why),
 * VSS_E_SNAPSHOT_SET_IN_PROGRESS, VSS_E_PROVIDER_VETO (what an earlier run of the service left in
 * its storage is still being put right), VSS_E_UNEXPECTED. Since 0.2.
 */
HRESULT VssAdoptVolume(LPCWSTR volume, const LPCWSTR *options, char ***notes);

/*
 * VssReleaseVolume: undoes VssAdoptVolume, from the next mount on. What is not adopted is fine,
 * too.
 *
 * options: as VssAdoptVolume, but for the name.
 * Errors: as VssAdoptVolume; VSS_E_VOLUME_IN_USE (it has copies).
 * Since 0.2.
 */
HRESULT VssReleaseVolume(LPCWSTR volume, const LPCWSTR *options, char ***notes);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
