#pragma once

/* The state under /var/lib/vssd/: one row per set, snapshot and intent in SQLite (a set is there as
 * long as a snapshot with its id is; WAL off, synchronous=FULL: an intent must be on disk before
 * the step it announces). Thread-safe. What changes the state or reads intents blocks on the disk
 * and is for jobs; store_snapshot_get, store_snapshot_list and store_set_get answer from memory
 * under a lock that is never held over disk access, so the bus thread may use them. Nothing here is
 * called inside the window.
 *
 * One process at a time: the file stays locked while it is open. The schema carries a version
 * (PRAGMA user_version); a newer one than we know is refused with a message, never touched. A
 * corrupt file is set aside as vssd.db.corrupt-<time>, logged. */

#include "common/vss-error.h"

struct store;

/* A snapshot as it is kept; every string owned. */
struct snapshot_record {
        VSS_ID id;
        VSS_ID set_id;
        uint64_t number;   /* N of ShadowCopyN; never reused while the state survives */
        char *volume;      /* m_pwszOriginalVolumeName: "/srv/" or "/dev/vg/lv" */
        char *display;     /* the requester's spelling of the volume */
        char *origin_uuid; /* dm uuid of the origin */
        char *provider;    /* provider's name: "lvm-thick" */
        VSS_ID provider_id;
        char *provider_data; /* the provider's own text, opaque here */
        char *device;        /* block device, "/dev/vss/ShadowCopyN" */
        char *device_object; /* m_pwszSnapshotDeviceObject: mount directory, or the device */
        char *fs_type;       /* "ext4"; NULL for a raw volume */
        char *originating_machine;
        char *service_machine;
        char *exposed_name; /* NULL: not exposed */
        char *exposed_path;
        LONG context;    /* as set by the requester, with modifiers */
        LONG attributes; /* VSS_VOLSNAP_ATTR_* */
        LONG count;      /* volumes in the set at creation */
        VSS_TIMESTAMP created;
        VSS_SNAPSHOT_STATE state;
        uint64_t expire_unix;     /* seconds since the epoch; 0: never */
        char *consistency;        /* "application", "file-system" or "crash" */
        char *consistency_reason; /* why not more, or what it is not true of; NULL: nothing to say
                                   */
        char *writers;            /* with files on the volume: a line for each, "WRITER-ID
                                     INSTANCE-ID 0xHRESULT NAME"; NULL: none */
};

/* Of a transportable set, and not imported: nobody reads it on this host, which leaves it to
 * another until it is imported here or deleted. */
static inline bool snapshot_is_away(const struct snapshot_record *r) {
        return r->context & VSS_VOLSNAP_ATTR_TRANSPORTABLE &&
               !(r->attributes & VSS_VOLSNAP_ATTR_IMPORTED);
}

void snapshot_record_done(struct snapshot_record *r);
int snapshot_record_copy(struct snapshot_record *dst, const struct snapshot_record *src);

/* How a set was made; every string owned. */
struct set_record {
        VSS_ID id;
        uint64_t window_usec; /* writes were held so long */
        char *timeline;       /* the phases up to the commit, in usec since the creation began:
                                 "Stage 120 91500;Freeze 91510 91800;..." */
        char *steps;          /* each one's part in them: set-steps.h; NULL: not known */
        char *writers;        /* what each writer reached: writer-reached.h; NULL: not known */
};

void set_record_done(struct set_record *r);

/* What we are about to do to storage, for the start after a crash. `data` is the provider's text:
 * enough for its recover() to undo the step with no other knowledge. */
struct intent_record {
        int64_t id;
        VSS_ID set_id;
        char *provider; /* provider's name */
        char *kind;     /* "create", "delete" */
        char *data;
};

void intent_record_done(struct intent_record *r);

/* directory: "/var/lib/vssd" (made if missing, mode 0700). */
int store_open(struct store **ret, const char *directory, struct vss_error *reterr);
struct store *store_close(struct store *s);
DEFINE_CLEANUP(struct store, store_close);

/* The file on which guards of this daemon hold an alive-lock; the store only names it. */
const char *store_guard_lock(const struct store *s);

/* Reserves the next n snapshot numbers, durably; *ret_first is the first of them. */
int store_reserve_numbers(struct store *s, unsigned n, uint64_t *ret_first,
                          struct vss_error *reterr);

int store_intent_open(struct store *s, const struct intent_record *r, int64_t *ret_id,
                      struct vss_error *reterr);
int store_intent_update(struct store *s, int64_t id, const char *data, struct vss_error *reterr);
int store_intent_close(struct store *s, int64_t id, struct vss_error *reterr);
/* All open intents, oldest first; array of *ret_n owned by the caller (intent_records_free). */
int store_intent_list(struct store *s, struct intent_record **ret, size_t *ret_n,
                      struct vss_error *reterr);
void intent_records_free(struct intent_record *r, size_t n);

/* One transaction: a set and all its snapshots appear and its intents go away together. set NULL:
 * how it was made is not known. */
int store_set_commit(struct store *s, const struct set_record *set,
                     const struct snapshot_record *snapshots, size_t n, const int64_t *intents,
                     size_t n_intents, struct vss_error *reterr);
/* How it was made: VSS_E_OBJECT_NOT_FOUND if that is not known. */
int store_set_get(struct store *s, VSS_ID id, struct set_record *ret, struct vss_error *reterr);
int store_snapshot_get(struct store *s, VSS_ID id, struct snapshot_record *ret,
                       struct vss_error *reterr); /* VSS_E_OBJECT_NOT_FOUND */
/* set_id GUID_NULL: all. Ordered by number. */
int store_snapshot_list(struct store *s, VSS_ID set_id, struct snapshot_record **ret, size_t *ret_n,
                        struct vss_error *reterr);
void snapshot_records_free(struct snapshot_record *r, size_t n);
/* For one that is as good as deleted: get and list do not know it any more; update and delete do.
 * From memory, and in it only: a store that is opened anew shows it again. 0, -ENOMEM. */
int store_snapshot_hide(struct store *s, VSS_ID id);
void store_snapshot_show(struct store *s, VSS_ID id); /* one that is not hidden: nothing happens */
/* As store_snapshot_list, with the hidden ones. */
int store_snapshot_list_all(struct store *s, VSS_ID set_id, struct snapshot_record **ret,
                            size_t *ret_n, struct vss_error *reterr);
int store_snapshot_update(struct store *s, const struct snapshot_record *r,
                          struct vss_error *reterr);
/* Deletes the rows of snapshots of one set, all of them or none, with the set's if they are the
 * last of it, and closes the intent (0: none) in one transaction. VSS_E_OBJECT_NOT_FOUND: one of
 * them is not there. */
int store_snapshots_delete(struct store *s, const VSS_ID *ids, size_t n, int64_t intent,
                           struct vss_error *reterr);
int store_snapshot_delete(struct store *s, VSS_ID id, int64_t intent, struct vss_error *reterr);
