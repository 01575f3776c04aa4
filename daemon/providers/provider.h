#pragma once

/* What a kind of snapshot must be able to do: a const table of functions per provider, as
 * libblkid's probers are. Everything here runs on a worker thread, may block, knows no D-Bus.
 *
 * A set goes: stage() for all volumes of this provider at once (writes still flow; all
 * allocation, LVM metadata, device creation and table loading) -> add_window_rows() -> [window]
 * -> finish() (nodes, mounts) -> [PostSnapshot] -> seal() (read-only) -> commit of the store by
 * the coordinator -> release(). From any point before the store's commit abort() puts everything
 * back. stage() writes its intents before its first change; the coordinator closes them with the
 * commit, or after abort(). What a crash leaves, recover() undoes from the intent. */

#include "daemon/providers/delta-map.h"
#include "daemon/providers/volume.h"
#include "daemon/store/store.h"
#include "daemon/window/window.h"

/* What probe() returns for a volume that is none of its provider's: its reason counts only if no
 * other provider has a better one. */
#define PROVIDER_OTHER_KIND (-EMEDIUMTYPE)

struct provider_set; /* a provider's own state for one set in creation */
struct foreign;      /* a provider of somebody else's: foreign.h */

/* A volume group, a directory, a block device. */
struct provider_place {
        char *name;
        uint64_t free_bytes, total_bytes;
};
struct provider_places {
        struct provider_place *items;
        size_t n;
};
/* What copies share with their volumes and with others: a thin pool. */
struct provider_room {
        char name[160];
        uint64_t used, size;                   /* bytes of data */
        uint64_t metadata_used, metadata_size; /* bytes */
        const char *trouble;                   /* "has failed; ...": a static text; NULL: none */
};
/* How far the revert of a volume to one of its copies is, by what is there. */
enum revert_state {
        REVERT_NONE,    /* it was not begun: the copy is as it was */
        REVERT_WAITING, /* it is noted, and begins when the volume is activated the next time */
        REVERT_RUNNING, /* the volume reads as the copy did; blocks are still being copied back */
        REVERT_COPIED,  /* all are; revert_end() does the rest */
        REVERT_OVER,    /* the copy is gone, the volume is what it was */
        REVERT_FAILED,  /* the kernel gave up */
        REVERT_LOST,    /* the volume is not there */
};
struct revert_progress {
        enum revert_state state;
        uint64_t left; /* REVERT_RUNNING: bytes that are still to be copied back */
};
int provider_places_add(struct provider_places *p, const char *name, uint64_t free_bytes,
                        uint64_t total_bytes);
void provider_places_done(struct provider_places *p);

struct provider {
        const char *name;         /* "lvm-thick" */
        const char *display_name; /* m_pwszProviderName */
        const char *version;
        VSS_ID id;
        VSS_ID version_id;
        VSS_PROVIDER_TYPE type;
        unsigned priority; /* higher is asked first inside a type */
        /* Of one that is a process of somebody else's: instead of probe() and stage(), which do not
         * say which of them is meant. NULL: it is one of ours. */
        struct foreign *foreign;

        /* 0: takes this volume under this context. -EOPNOTSUPP with VSS_E_VOLUME_NOT_SUPPORTED
         * and the reason otherwise, or PROVIDER_OTHER_KIND with the same. No side effects; answers
         * for capability, not for space. */
        int (*probe)(const struct volume *v, LONG context, struct vss_error *reterr);

        /* volumes[i] becomes the snapshot records[i] (id, set_id, number, context, device,
         * device_object are filled in; the provider fills provider_data, attributes, fs_type).
         * On failure everything is undone and nothing returned. */
        int (*stage)(struct provider_set **ret, struct store *store,
                     const struct volume *const *volumes, struct snapshot_record *records, size_t n,
                     struct vss_error *reterr);
        /* Instead of stage(), of a provider that puts something on other volumes than its own: told
         * of the whole set, so that it is on none of these. NULL: stage(). */
        int (*stage_in_set)(struct provider_set **ret, struct store *store,
                            const struct volume *const *volumes, struct snapshot_record *records,
                            size_t n, const struct volume *const *all, size_t n_all,
                            struct vss_error *reterr);
        /* Volume groups beside the volume's own in which staging may make something: the set locks
         * all of its groups before it stages, in the order of their names. Appends to *groups: 0,
         * -ENOMEM. NULL: there are none. */
        int (*other_groups)(const struct volume *v, char ***groups);
        int (*add_window_rows)(struct provider_set *set, struct window *window,
                               struct vss_error *reterr);
        /* Instead of rows in the window: makes the copies while the writers are frozen, before
         * anything is suspended, in no more than that time; what has come of it is not of the
         * window's instant. settle(): after the window, the writers still frozen, likewise. NULL:
         * the window's rows are all. */
        int (*commit)(struct provider_set *set, uint64_t timeout_usec, struct vss_error *reterr);
        int (*settle)(struct provider_set *set, uint64_t timeout_usec, struct vss_error *reterr);
        /* After the window: nodes there, device usable. The mount itself is mount.h's. */
        int (*finish)(struct provider_set *set, struct vss_error *reterr);
        int (*seal)(struct provider_set *set, struct vss_error *reterr);
        /* Before or after the window; idempotent. */
        int (*abort)(struct provider_set *set, struct vss_error *reterr);
        /* The intents that stage() opened, for the store's commit. */
        size_t (*intents)(struct provider_set *set, const int64_t **ret_ids);
        /* Lets go of locks and memory. NULL is fine. */
        void (*release)(struct provider_set *set);

        /* Deletes a finished snapshot (already unmounted), with its own "delete" intent, and its
         * row in the store. Missing storage is success: gone is gone. */
        int (*remove)(struct store *store, const struct snapshot_record *r, bool force,
                      struct vss_error *reterr);
        /* The same of several of one set, with one intent and one transaction. All of their rows go
         * or none; where it fails some may be gone without theirs, and remove() says of each. NULL:
         * it has nothing that is quicker than one after the other. */
        int (*remove_all)(struct store *store, const struct snapshot_record *records, size_t n,
                          bool force, struct vss_error *reterr);
        /* The volumes that an intent is about: the device-mapper UUID of each, "" for one that has
         * none, and a name for messages. Appends to both lists, which stay of one length. NULL,
         * like an intent that cannot be understood: that is not known. */
        int (*origins)(const struct intent_record *intent, char ***uuids, char ***names,
                       struct vss_error *reterr);
        /* Makes an ordinary volume of each of some copies of one set, which nobody reads any more,
         * with an intent of its own, and takes their rows from the store. flags:
         * VSS_BREAKEX_FLAG_*, checked; without MAKE_READ_WRITE the volumes are read-only. names: n
         * of them, NULL before; each gets the path of its volume, on success. All or none: on
         * failure the copies are as they were. NULL: they are nothing without their volumes. */
        int (*break_off)(struct store *store, const struct snapshot_record *records, size_t n,
                         uint32_t flags, char **names, struct vss_error *reterr);
        /* At start-up, with break_off(): 1: what the row tells of is called like a volume and not
         * like a copy. It was broken off after the moment of the state, which was reverted since
         * with the volume that it lies on, or somebody renamed it: it is nobody's copy, and is left
         * alone. 0: it is a copy, or is not there. */
        int (*is_broken_off)(const struct snapshot_record *r, struct vss_error *reterr);
        /* Without break_off(): what the copies are, and the way out; said to who asks for it. */
        const char *bound;
        /* Begins to roll the volume of a copy, which nobody reads any more, back to it, or goes on
         * with what a crash left of that; whoever calls has an intent on disk. The volume is not
         * mounted, and what has it open all the same is -EBUSY with VSS_E_VOLUME_IN_USE; or, with
         * at_boot, it stays as it is and is rolled back when it is activated the next time. After a
         * failure revert_look() says whether it was begun. Idempotent. NULL: it cannot. */
        int (*revert)(const struct snapshot_record *r, bool at_boot, struct vss_error *reterr);
        /* What revert() would refuse, asked before other copies are deleted for it. Changes
         * nothing. */
        int (*revert_check)(const struct snapshot_record *r, bool at_boot,
                            struct vss_error *reterr);
        /* Is there no copy of the same volume but those of the n known ones, which are all that
         * this host has? Another host's would come to harm without a word. NULL: there are no
         * others. */
        int (*revert_check_known)(const struct snapshot_record *r,
                                  const struct snapshot_record *known, size_t n,
                                  struct vss_error *reterr);
        /* Asked each second while it goes on: VSS_E_* is a question that cannot be answered now. */
        int (*revert_look)(const struct snapshot_record *r, struct revert_progress *ret,
                           struct vss_error *reterr);
        /* From REVERT_COPIED to REVERT_OVER; of that, that the volume can be used. Idempotent. */
        int (*revert_end)(const struct snapshot_record *r, struct vss_error *reterr);
        /* From whatever revert() left of REVERT_NONE to a volume and a copy that can be used.
         * Idempotent. */
        int (*revert_back)(const struct snapshot_record *r, struct vss_error *reterr);
        /* At start-up, before anything else is done: the volume is resumed if a step of revert() or
         * revert_end() has left it suspended; no program is started. A revert goes on for hours:
         * what looks like another program's work is left alone. NULL: nothing. Idempotent. */
        int (*revert_rescue)(const struct snapshot_record *r, struct vss_error *reterr);
        /* Without revert(): why, and the way out. */
        const char *no_revert;
        /* With revert(): why not at_boot; NULL: it can that, too. */
        const char *no_revert_at_boot;
        /* What a revert of the volume on which the state itself lies leaves: a state of the instant
         * of the copy, in which its set is being made. 1: the intent is of the making of a copy to
         * which its volume is being reverted, or has been noted to be; *ret has what revert() and
         * the others need of it. 0: not so, undo it. NULL: cannot be. */
        int (*find_reverting)(const struct intent_record *intent, struct snapshot_record *ret,
                              struct vss_error *reterr);
        /* At start-up, of all open intents before any is undone: the part of it that cannot wait.
         * Those of its origins with this UUID are resumed if they are suspended, and no program is
         * started for that: what lies on one of them may be what the undoing of another needs.
         * NULL: nothing. Idempotent. */
        int (*rescue)(const struct intent_record *intent, const char *uuid,
                      struct vss_error *reterr);
        /* At start-up, after rescue(), and perhaps again, much later: undo what the intent
         * announces. What is suspended by then may be another program's. Idempotent. */
        int (*recover)(struct store *store, const struct intent_record *intent,
                       struct vss_error *reterr);
        /* At start-up and after: make the block device of a finished snapshot available (activate,
         * links). -ENOENT: its storage is gone. */
        int (*activate)(const struct snapshot_record *r, struct vss_error *reterr);
        /* Bytes of the copy-on-write store in use and at most; overflow: the copy is lost. */
        int (*usage)(const struct snapshot_record *r, uint64_t *ret_used, uint64_t *ret_max,
                     bool *ret_overflowed, struct vss_error *reterr);
        /* Makes the store so large, or as large as its place and the origin allow, with an intent
         * of its own; *ret_bytes is what it has now. Origin and copy go on meanwhile. Of one that
         * is that large already, or as large as it can ever need to be, nothing happens.
         * VSS_E_INSUFFICIENT_STORAGE: there is no room. NULL: it has no stores that could grow. */
        int (*grow)(struct store *store, const struct snapshot_record *r, uint64_t bytes,
                    uint64_t *ret_bytes, struct vss_error *reterr);
        /* Where the stores of a volume's copies can be, in the order in which they are tried, or
         * what they share; and, only with grow(), where that of a finished copy is. */
        int (*places)(const struct volume *v, struct provider_places *ret,
                      struct vss_error *reterr);
        int (*place_of)(const struct snapshot_record *r, char **ret, struct vss_error *reterr);
        /* Of a copy that has no room of its own: the one it is in, and how full that is. */
        int (*shared_room)(const struct snapshot_record *r, struct provider_room *ret,
                           struct vss_error *reterr);
        /* What differs between two copies of one volume, both this provider's and the first the
         * older one; younger NULL: between the copy and the volume, as it is when it is asked or
         * later. NULL: it cannot tell. */
        int (*delta)(struct delta_map *ret, struct store *store,
                     const struct snapshot_record *older, const struct snapshot_record *younger,
                     struct vss_error *reterr);
        /* Of a set in creation, after seal(), in a context with TRANSPORTABLE: what another host
         * needs to find the copies is added to provider_data, the copies are marked by what they
         * are told from others there, and are no devices of this host any more. Nobody has them
         * mounted. abort() undoes it. NULL: the provider refuses such contexts. */
        int (*hand_over)(struct snapshot_record *records, size_t n, struct vss_error *reterr);
        /* Finds such a copy among what this host sees, and makes it a device. r is what a document
         * says, or, with a number, what was handed over by this host: of a document nothing is
         * believed. That there is such a copy, of this id, set and context, and that it is the one
         * that provider_data tells of, is compared with what is there. number, device,
         * device_object, origin_uuid, attributes and provider_data are filled in; device_object was
         * any text if the copy is to be mounted, and NULL if not. *ret_intent is closed with the
         * record's commit, or undone by recover(). VSS_E_MISSING_DISK: nothing of where it should
         * be is there; VSS_E_MISSING_VOLUME: it is not there. With hand_over(). */
        int (*import)(struct store *store, struct snapshot_record *r, int64_t *ret_intent,
                      struct vss_error *reterr);
};

/* The providers of this daemon, NULL-terminated, set once by main() before anything else runs;
 * a test daemon hands in a fake one. Those of others come and go (foreign.h): a table that was
 * got stays as it is. */
void providers_init(const struct provider *const *table);
const struct provider *const *providers_all(void);
/* Of others, by one thread at a time; p stays for good. 0, -ENOMEM. */
int providers_add(const struct provider *p);
int providers_remove(const struct provider *p);
const struct provider *provider_by_name(const char *name);
/* The alias b5946137-7b9f-4925-af80-51abd60b20d5 (Windows' system provider) means the first of the
 * system type; provider_select() takes it for whichever of them takes the volume. */
const struct provider *provider_by_id(VSS_ID id);
bool provider_id_is_alias(VSS_ID id);
/* The provider with this id, if it supports the volume. GUID_NULL: any. Errors:
 * VSS_E_PROVIDER_NOT_REGISTERED, VSS_E_VOLUME_NOT_SUPPORTED, ..._BY_PROVIDER. */
int provider_select(const struct provider **ret, VSS_ID id, const struct volume *v, LONG context,
                    struct vss_error *reterr);

/* stage(), or stage_in_set() where there is one; of somebody else's, its own. */
int provider_stage(const struct provider *p, struct provider_set **ret, struct store *store,
                   const struct volume *const *volumes, struct snapshot_record *records, size_t n,
                   const struct volume *const *all, size_t n_all, struct vss_error *reterr);

extern const struct provider provider_dm;
extern const struct provider provider_lvm_thick;
extern const struct provider provider_lvm_thin;
