/* Reverting a volume to one of its copies. What is refused is refused before anything is changed;
 * then, in this order (revert-steps.c says what the next start makes of a death in between):
 *
 *      1. nobody reads the copy any more, nor one that is newer;
 *      2. the intent is on disk: all that follows can be found again by it, and from here on the
 *         volume is nobody else's;
 *      3. the volume is unmounted, unless it waits for the next boot;
 *      4. the stores of older copies are made so large that what is copied back fits into them, and
 *         newer ones are deleted, the newest first: they would be of a future that has not been;
 *      5. the provider begins; there is no way back from that;
 *      6. the volume is mounted again, and looked at until it is over (reverts.c), when the copy's
 *         row and the intent go.
 *
 * What fails up to 5 goes the same way back; the newer copies that are deleted by then are. So all
 * that can be known to fail is tried before: the provider is asked whether it will begin, and older
 * copies are lost by force only. */

#include "common/vss-context.h"
#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/coordinator/store-room.h"
#include "daemon/log/log.h"
#include "daemon/providers/dm-copy.h"
#include "daemon/providers/provider-error.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/diff-areas.h"
#include "daemon/session/revert-private.h"
#include "daemon/session/session-private.h"
#include "daemon/session/upkeep.h"
#include "daemon/session/volume-facts.h"

/* What else a store needs beside what is copied back. */
#define ROOM_BYTES (UINT64_C(16) * 1024 * 1024)

struct reversion {
        struct upkeep upkeep;
        struct store *store;
        VSS_ID id;
        bool force;
        bool making; /* a set is being made meanwhile; none is begun before this has */
        uint64_t volume_bytes, all_bytes; /* what stores may take, for which nothing is set down */

        struct snapshot_record record;
        const struct provider *provider;
        struct revert_note note;
        int64_t intent; /* 0: none is open */
        struct revert_progress progress;

        /* Of the same volume: those before and, from newer on, those after it. */
        struct snapshot_record *others;
        size_t n_others, newer;
        size_t n_away, n_deleted; /* from the end on */
        bool stuck;               /* it was not begun, and is not as it was */
};

int snapshot_check_reverting(const struct snapshot_record *r, struct vss_error *reterr) {
        VSS_ID other;

        if (!volume_is_reverting(r->origin_uuid, &other))
                return 0;
        return vss_error_set(reterr, VSS_E_REVERT_IN_PROGRESS, EALREADY,
                             "%s is being reverted to the copy %s already", str_or_empty(r->volume),
                             VSS_ID_TEXT(other));
}

/* Of a copy that was handed over nobody knows who reads it, or where it is written. */
static int check_is_here(const struct snapshot_record *r, struct vss_error *reterr) {
        if (!snapshot_is_away(r))
                return 0;
        return vss_error_set(
                reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                "Snapshot %s of %s is transportable and was not imported here: another "
                "host may have it; import it first, or delete it",
                VSS_ID_TEXT(r->id), str_or_empty(r->volume));
}

static int check_copy(struct reversion *v, struct vss_error *reterr) {
        const struct snapshot_record *r = &v->record;
        int k;

        if (!(r->context & VSS_VOLSNAP_ATTR_PERSISTENT))
                return vss_error_set(reterr, VSS_E_UNSUPPORTED_CONTEXT, 0,
                                     "Snapshot %s goes with its requester; a volume is reverted to "
                                     "a persistent one",
                                     VSS_ID_TEXT(r->id));
        v->provider = provider_by_name(str_or_empty(r->provider));
        if (!v->provider)
                return vss_error_set(reterr, VSS_E_PROVIDER_NOT_REGISTERED, 0,
                                     "Snapshot %s was made by the provider %s, which this service "
                                     "does not have; install it again to revert to the snapshot",
                                     VSS_ID_TEXT(r->id), str_or_empty(r->provider));
        if (!v->provider->revert)
                return vss_error_set(reterr, E_NOTIMPL, EOPNOTSUPP,
                                     "The provider %s cannot revert %s to a snapshot: %s",
                                     v->provider->name, str_or_empty(r->volume),
                                     v->provider->no_revert ? v->provider->no_revert
                                                            : "it does not offer that");
        k = snapshot_check_reverting(r, reterr);
        if (k < 0)
                return k;
        if (!v->force && r->attributes & SNAPSHOT_EXPOSED_ATTRIBUTES)
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "Snapshot %s is exposed as %s; unexpose it first, or force",
                                     VSS_ID_TEXT(r->id), str_or_empty(r->exposed_name));
        return volume_hold_check(r->origin_uuid, str_or_empty(r->volume), reterr);
}

/* Of a copy that was lost there is nothing that could be copied back. */
static int measure_copy(struct reversion *v, struct vss_error *reterr) {
        uint64_t maximum;
        bool overflowed;

        if (!v->provider->usage ||
            v->provider->usage(&v->record, &v->note.total, &maximum, &overflowed, NULL) < 0) {
                v->note.total = 0; /* for the per cent, and the room of older copies */
                return 0;
        }
        if (!overflowed)
                return 0;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, ENOSPC,
                             "The store of snapshot %s has overflowed: the snapshot is lost, and "
                             "%s cannot be reverted to it",
                             VSS_ID_TEXT(v->id), str_or_empty(v->record.volume));
}

/* Stricter than snapshots_have_one_origin(): by name alone, what is mounted where another volume
 * was once would have its copies deleted, as newer ones of that. */
static bool is_same_volume(const struct snapshot_record *a, const struct snapshot_record *b) {
        if (!str_empty(a->origin_uuid) || !str_empty(b->origin_uuid))
                return streq(str_or_empty(a->origin_uuid), str_or_empty(b->origin_uuid));
        return streq(str_or_empty(a->volume), str_or_empty(b->volume));
}

/* Is it there still when the revert is over? */
static bool stays(const struct reversion *v, const struct snapshot_record *r) {
        if (!streq(str_or_empty(r->origin_uuid), str_or_empty(v->record.origin_uuid)))
                return true;
        return !vss_id_equal(r->id, v->record.id) && !snapshot_is_newer(r, &v->record);
}

/* The state is reverted as well: it must not know less than there is. */
static int check_state(const struct reversion *v, const struct snapshot_record *records, size_t n,
                       struct vss_error *reterr) {
        if (volume_any_is_reverting())
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                                     "the state of the service lies on %s and would know nothing "
                                     "of the revert that is under way (vssctl revert --status); "
                                     "wait for the end of it",
                                     str_or_empty(v->record.volume));
        if (v->making)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                                     "the state of the service lies on %s and would know nothing "
                                     "of the snapshot set that is being made; wait for the end of "
                                     "it",
                                     str_or_empty(v->record.volume));
        /* That state is in the middle of making the set: what else of it there was would be undone
         * by the next start, whatever has become of it, and the revert not be found. */
        if (v->record.count > 1)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                                     "the state of the service lies on %s and would be what it was "
                                     "while snapshot set %s was being made, of which other volumes "
                                     "were; it is reverted to a copy that was made alone",
                                     str_or_empty(v->record.volume), VSS_ID_TEXT(v->record.set_id));
        for (size_t i = 0; i < n; i++)
                if (stays(v, &records[i]) && (records[i].number > v->record.number ||
                                              vss_id_equal(records[i].set_id, v->record.set_id)))
                        return vss_error_set(
                                reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                                "the state of the service lies on %s and would be what it was when "
                                "snapshot %s was made, knowing nothing of snapshot %s of %s; "
                                "delete that first",
                                str_or_empty(v->record.volume), VSS_ID_TEXT(v->record.id),
                                VSS_ID_TEXT(records[i].id), str_or_empty(records[i].volume));
        return 0;
}

static int check_system(struct reversion *v, const struct snapshot_record *records, size_t n,
                        struct vss_error *reterr) {
        int r;

        if (v->note.at_boot && v->provider->no_revert_at_boot)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                                     "the system runs from %s: %s", str_or_empty(v->record.volume),
                                     v->provider->no_revert_at_boot);
        r = storage_table()->has_state(v->record.origin_uuid, v->store, &v->note.has_state, reterr);
        if (r < 0 || !v->note.has_state)
                return r;
        if (!v->note.at_boot)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                                     "the state of the service lies on %s, which can therefore not "
                                     "be unmounted while it runs",
                                     str_or_empty(v->record.volume));
        return check_state(v, records, n, reterr);
}

/* What is deleted is so for its age: where only another host's clock has that, and our numbers say
 * otherwise, somebody has to. */
static int check_age(const struct reversion *v, const struct snapshot_record *r,
                     struct vss_error *reterr) {
        if (v->force || !snapshot_is_newer(r, &v->record) || r->number > v->record.number)
                return 0;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                             "Snapshot %s of %s is newer than %s by the clock of another host "
                             "alone, from which one of them was imported, and would be deleted; "
                             "delete it or break it off first, or force",
                             VSS_ID_TEXT(r->id), str_or_empty(r->volume),
                             VSS_ID_TEXT(v->record.id));
}

static int check_others(const struct reversion *v, const struct snapshot_record *records, size_t n,
                        struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                if (is_same_volume(&records[i], &v->record)) {
                        r = check_is_here(&records[i], reterr);
                        if (r >= 0)
                                r = check_age(v, &records[i], reterr);
                }
        return r;
}

/* Keeps those of the same volume: the older ones, then the newer ones, each in the order that they
 * have. */
static void keep_others(struct reversion *v, struct snapshot_record *records, size_t n) {
        v->others = records;
        for (size_t i = 0; i < n; i++) {
                struct snapshot_record r = records[i];
                size_t at = v->n_others;

                if (!is_same_volume(&r, &v->record) || vss_id_equal(r.id, v->record.id)) {
                        snapshot_record_done(&records[i]);
                        continue;
                }
                records[i] = (struct snapshot_record){ 0 };
                if (!snapshot_is_newer(&r, &v->record))
                        at = v->newer++;
                memmove(&v->others[at + 1], &v->others[at],
                        (v->n_others++ - at) * sizeof(*v->others));
                v->others[at] = r;
        }
}

static int fill_note(struct reversion *v, struct origin_mounts *mounts, struct vss_error *reterr) {
        const struct snapshot_record *r = &v->record;
        int k;

        v->note.id = r->id;
        k = dm_copy_read_boot(&v->note.boot);
        if (k < 0)
                return vss_error_from_errno(reterr, k, "the boot's id");
        if (str_replace(&v->note.provider, r->provider) < 0 ||
            str_replace(&v->note.origin_uuid, str_or_empty(r->origin_uuid)) < 0 ||
            str_replace(&v->note.volume, str_or_empty(r->volume)) < 0 ||
            str_replace(&v->note.device, str_or_empty(r->device)) < 0 ||
            str_replace(&v->note.data, str_or_empty(r->provider_data)) < 0 ||
            str_replace(&v->note.mounts, mounts->at_boot ? "" : mounts->text) < 0 ||
            (!str_empty(r->display) && strv_append(&mounts->names, r->display) < 0))
                return vss_error_from_errno(reterr, -ENOMEM, "RevertToSnapshot");
        v->note.names = TAKE_PTR(mounts->names);
        return 0;
}

static int prepare(struct reversion *v, struct vss_error *reterr) {
        _cleanup_(origin_mounts_done) struct origin_mounts mounts = { 0 };
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        r = store_snapshot_get(v->store, v->id, &v->record, reterr);
        if (r >= 0)
                r = check_copy(v, reterr);
        if (r >= 0)
                r = store_snapshot_list_all(v->store, GUID_NULL, &records, &n, reterr);
        if (r < 0)
                return r;
        r = check_others(v, records, n, reterr);
        if (r >= 0 && v->provider->revert_check_known)
                r = v->provider->revert_check_known(&v->record, records, n, reterr);
        if (r >= 0)
                r = measure_copy(v, reterr);
        if (r >= 0)
                r = storage_table()->origin_mounts(v->record.origin_uuid, &mounts, reterr);
        if (r >= 0) {
                v->note.at_boot = mounts.at_boot;
                r = check_system(v, records, n, reterr);
        }
        if (r < 0) {
                snapshot_records_free(records, n);
                return r;
        }
        keep_others(v, records, n);
        return fill_note(v, &mounts, reterr);
}

/* Of what all stores may take, what those of other volumes leave. */
static uint64_t left_of_all(const struct reversion *v) {
        struct snapshot_record *records = NULL;
        uint64_t taken = 0;
        size_t n = 0;

        if (v->all_bytes == UINT64_MAX)
                return UINT64_MAX;
        (void)store_snapshot_list(v->store, GUID_NULL, &records, &n, NULL);
        for (size_t i = 0; i < n; i++)
                if (!is_same_volume(&records[i], &v->record))
                        taken += store_room_taken(&records[i]);
        snapshot_records_free(records, n);
        return taken < v->all_bytes ? v->all_bytes - taken : 0;
}

static uint64_t maximum_of(const struct reversion *v) {
        uint64_t maximum = v->volume_bytes, left = left_of_all(v);
        struct area_record *areas = NULL;
        size_t n = 0;

        if (store_area_list(v->store, &areas, &n, NULL) >= 0)
                maximum = area_maximum_of(areas, n, &v->record, v->note.boot, v->volume_bytes);
        area_records_free(areas, n);
        return maximum < left ? maximum : left;
}

static int say_no_room(const struct reversion *v, const struct snapshot_record *r, const char *why,
                       struct vss_error *reterr) {
        return vss_error_set(reterr, E_FAIL, ENOSPC,
                             "What is copied back is copied out for the older copy %s of %s, whose "
                             "store cannot be made large enough for it: %s; delete that copy, make "
                             "room, or force, and it may be lost",
                             VSS_ID_TEXT(r->id), v->note.volume, why);
}

/* Of one, which may be there for *allocated bytes of all of the volume. */
static int make_room_for(const struct reversion *v, const struct snapshot_record *r,
                         uint64_t maximum, uint64_t *allocated, struct vss_error *reterr) {
        const struct provider *p = provider_by_name(str_or_empty(r->provider));
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        uint64_t used, size, wanted;
        bool overflowed;
        int k;

        if (!p || !p->grow || !p->usage)
                return 0;
        k = p->usage(r, &used, &size, &overflowed, &error);
        if (k < 0)
                return say_no_room(v, r, str_or_empty(error.message), reterr);
        wanted = used + v->note.total + ROOM_BYTES;
        if (overflowed || wanted <= size) {
                *allocated += size;
                return 0;
        }
        if (*allocated > maximum || wanted > maximum - *allocated) {
                *allocated += size;
                return say_no_room(
                        v, r, "stores may not take as much (vssctl storage, MaximumInAll)", reterr);
        }
        k = p->grow(v->store, r, wanted, &size, &error);
        *allocated += size;
        return k < 0 ? say_no_room(v, r, str_or_empty(error.message), reterr) : 0;
}

/* What is copied back is copied out for each older copy. Where there is no room for that the copy
 * is lost and said to be, as whenever its store overflows: not without force. Newer ones, which go
 * first, do not count. */
static int make_room(const struct reversion *v, struct vss_error *reterr) {
        uint64_t maximum = maximum_of(v), allocated = v->note.total;

        for (size_t i = 0; i < v->newer; i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                const struct snapshot_record *r = &v->others[i];
                int k;

                k = make_room_for(v, r, maximum, &allocated, &error);
                if (k < 0 && !v->force) {
                        vss_error_move(reterr, &error);
                        return k;
                }
                if (k < 0)
                        log_full(LOG_WARNING,
                                 (&(const struct log_fields){ .set_id = &r->set_id,
                                                              .snapshot_id = &r->id,
                                                              .code = error.hr }),
                                 "It is forced: %s", str_or_empty(error.message));
        }
        return 0;
}

static int put_away(const struct reversion *v, struct vss_error *reterr) {
        int r = 0;

        if (v->record.attributes & SNAPSHOT_EXPOSED_ATTRIBUTES)
                r = storage_table()->unexpose(&v->record, v->force, reterr);
        if (r >= 0)
                r = storage_table()->unmount(&v->record, v->force, reterr);
        if (r < 0)
                exposure_again(&v->record);
        return r;
}

/* All of them before the first is deleted: who reads one keeps all. */
static int put_away_newer(struct reversion *v, struct vss_error *reterr) {
        for (size_t i = v->n_others; i-- > v->newer;) {
                const struct snapshot_record *r = &v->others[i];
                int k;

                k = snapshot_put_away(provider_by_name(str_or_empty(r->provider)), r, v->force,
                                      reterr);
                if (k < 0)
                        return k;
                v->n_away++;
        }
        return 0;
}

static void put_back(const struct reversion *v) {
        for (size_t i = v->n_others - v->n_away; i < v->n_others - v->n_deleted; i++)
                snapshot_put_back(&v->others[i]);
        if (!v->stuck) /* else it may be suspended still, and who undoes that does this as well */
                snapshot_put_back(&v->record);
}

/* Somebody else's row may have gone first; then it is no less gone. */
static int delete_newer(struct reversion *v, struct vss_error *reterr) {
        for (size_t i = v->n_others; i-- > v->newer;) {
                const struct snapshot_record *r = &v->others[i];
                int k;

                log_full(
                        LOG_NOTICE,
                        (&(const struct log_fields){ .set_id = &r->set_id, .snapshot_id = &r->id }),
                        "Snapshot %s of %s is newer than %s, to which the volume is reverted, and "
                        "is deleted",
                        VSS_ID_TEXT(r->id), str_or_empty(r->volume), VSS_ID_TEXT(v->id));
                k = snapshot_delete(v->store, r, v->force, reterr);
                if (k < 0)
                        return k;
                v->n_deleted++;
        }
        return 0;
}

static void say(const struct reversion *v, int priority, const struct vss_error *error,
                const char *what) {
        log_full(priority,
                 (&(const struct log_fields){ .set_id = &v->record.set_id,
                                              .snapshot_id = &v->record.id,
                                              .code = error->hr }),
                 "%s is reverted to the copy %s, %s: %s", v->note.volume, VSS_ID_TEXT(v->id), what,
                 str_or_empty(error->message));
}

/* Of a volume that is not there nobody knows. */
static bool has_begun(enum revert_state state) {
        return state != REVERT_NONE && state != REVERT_LOST;
}

/* Whether it has begun is what counts, not what the provider says of it. What cannot be known is
 * taken for begun, as that cannot be undone; and for no further than that, so that the volume is
 * not mounted: should it not read as the copy yet, what is written to it is lost when it does. */
static int check_begun(struct reversion *v, int failure, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int r;

        r = v->provider->revert_look(&v->record, &v->progress, &error);
        if (r >= 0 && failure < 0 && !has_begun(v->progress.state))
                return provider_error_check(v->provider, "revert", failure, reterr);
        if (failure < 0) {
                say(v, LOG_ERR, reterr, "which cannot be undone, but there was a failure");
                vss_error_done(reterr);
                /* Whether the volume can be used is revert_end()'s, which the next look asks. */
                if (r >= 0 && v->progress.state == REVERT_OVER)
                        v->progress.state = REVERT_WAITING;
        }
        if (r < 0) {
                say(v, LOG_WARNING, &error, "which cannot be looked at yet");
                v->progress = (struct revert_progress){ .state = REVERT_WAITING };
        }
        return 0;
}

static int begin(struct reversion *v, struct vss_error *reterr) {
        int r = 0;

        if (!v->note.at_boot)
                r = storage_table()->origin_unmount(v->note.origin_uuid, v->note.mounts, v->force,
                                                    reterr);
        if (r >= 0) /* what was in memory still has been written since */
                r = measure_copy(v, reterr);
        if (r >= 0 && v->provider->revert_check)
                r = v->provider->revert_check(&v->record, v->note.at_boot, reterr);
        if (r >= 0)
                r = make_room(v, reterr);
        if (r >= 0)
                r = delete_newer(v, reterr);
        if (r < 0)
                return r;
        return check_begun(v, v->provider->revert(&v->record, v->note.at_boot, reterr), reterr);
}

/* It is begun: whatever fails from here on does not end it. What still waits is mounted when it
 * does not any more. */
static void go_on(struct reversion *v) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        revert_mount(v->store, &v->note, v->record.set_id, v->intent, v->progress.state);
        if (v->progress.state == REVERT_OVER &&
            revert_forget(v->store, &v->note, v->intent, &error) < 0) {
                say(v, LOG_WARNING, &error, "which could not be noted yet");
                v->progress.state = REVERT_RUNNING; /* the next look does it */
        }
}

/* As it was; or a look or the next start sees to it: the intent is open, and nobody has the volume
 * until then. */
static void give_up(struct reversion *v) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        v->stuck = revert_undo(v->store, &v->note, v->record.set_id, v->intent, &error) < 0;
        if (v->stuck)
                log_full(LOG_ERR,
                         (&(const struct log_fields){ .snapshot_id = &v->id, .code = error.hr }),
                         "%s was not reverted, and is not as it was before that, which is tried "
                         "again: %s",
                         v->note.volume, str_or_empty(error.message));
        else
                volume_revert_remove(v->id);
}

static int reversion_do(struct reversion *v, struct vss_error *reterr) {
        int r;

        r = put_away_newer(v, reterr);
        if (r < 0)
                return r;
        r = volume_revert_add(v->note.origin_uuid, v->id);
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->note.volume);
        r = revert_note_open(&v->note, v->store, v->record.set_id, &v->intent, reterr);
        if (r < 0) {
                volume_revert_remove(v->id);
                return r;
        }
        r = begin(v, reterr);
        if (r < 0)
                give_up(v);
        else
                go_on(v);
        return r;
}

static int reversion_run(struct inquiry *q, struct vss_error *reterr) {
        struct reversion *v = (struct reversion *)q;
        int r;

        r = prepare(v, reterr);
        if (r >= 0)
                r = put_away(v, reterr);
        if (r < 0)
                return r;
        r = reversion_do(v, reterr);
        if (r < 0)
                put_back(v);
        return r;
}

/* What the page of RevertToSnapshot knows; a provider may answer more. */
static void make_documented(struct vss_error *error) {
        static const struct {
                HRESULT is, becomes;
        } others[] = {
                { .is = VSS_E_PROVIDER_VETO, .becomes = VSS_E_VOLUME_IN_USE },
                { .is = VSS_E_INSUFFICIENT_STORAGE, .becomes = E_FAIL },
                { .is = VSS_E_UNEXPECTED_PROVIDER_ERROR, .becomes = E_FAIL },
                { .is = VSS_E_UNEXPECTED, .becomes = E_FAIL },
                { .is = VSS_E_BAD_STATE, .becomes = E_FAIL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                if (error->hr == others[i].is) {
                        error->hr = others[i].becomes;
                        return;
                }
}

static void reversion_stuck(struct reversion *v, struct session_manager *m) {
        const struct revert_progress progress = { .state = REVERT_NONE };

        if (reverts_add(m->reverts, &v->note, v->record.set_id, v->intent, &progress) < 0)
                log_error("Out of memory: %s is put back by the next start",
                          str_or_empty(v->record.volume));
}

static void reversion_begun(struct reversion *v, struct session_manager *m) {
        const struct log_fields fields = { .set_id = &v->record.set_id,
                                           .snapshot_id = &v->record.id };

        if (v->progress.state == REVERT_OVER) {
                log_full(LOG_NOTICE, &fields, "%s has been reverted to the copy %s", v->note.volume,
                         VSS_ID_TEXT(v->id));
                volume_revert_remove(v->id);
                manager_tell(m, &v->record, SNAPSHOT_REMOVED);
                return;
        }
        log_full(LOG_NOTICE, &fields, "%s is being reverted to the copy %s%s", v->note.volume,
                 VSS_ID_TEXT(v->id), v->note.at_boot ? ", at the next boot" : "");
        if (reverts_add(m->reverts, &v->note, v->record.set_id, v->intent, &v->progress) < 0)
                log_full(LOG_ERR, &fields,
                         "Out of memory: the end of the revert of %s is seen by the next start",
                         str_or_empty(v->record.volume));
        manager_tell(m, &v->record, SNAPSHOT_CHANGED);
}

static const void *reversion_answer(struct inquiry *q, int *r, struct vss_error *error) {
        struct reversion *v = (struct reversion *)q;
        struct session_manager *m = q->manager;

        m->n_reversions--;
        for (size_t i = 0; i < v->n_deleted; i++)
                manager_tell(m, &v->others[v->n_others - 1 - i], SNAPSHOT_REMOVED);
        if (*r >= 0)
                reversion_begun(v, m);
        else
                make_documented(error);
        if (v->stuck)
                reversion_stuck(v, m);
        if (*r < 0 && v->n_deleted > 0)
                (void)vss_error_prefix(error, "%zu newer copies have been deleted already",
                                       v->n_deleted);
        manager_arm_expiry(m);
        upkeep_over(&v->upkeep);
        return NULL;
}

static void reversion_free(struct inquiry *q) {
        struct reversion *v = (struct reversion *)q;

        snapshot_record_done(&v->record);
        revert_note_done(&v->note);
        snapshot_records_free(v->others, v->n_others);
}

static const struct inquiry_type reversion_type = {
        .name = "vss-revert",
        .run = reversion_run,
        .answer = reversion_answer,
        .free = reversion_free,
};

/* A set in creation has what it is made of open; a volume that is not mounted says nothing of it.
 */
static int check_creation(const struct session_manager *m, VSS_ID id, struct vss_error *reterr) {
        struct snapshot_record r = { 0 };
        int k;

        k = store_snapshot_get(m->store, id, &r, reterr);
        if (k >= 0 && m->builder && m->builder->n_adding > 0)
                k = vss_error_set(
                        reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                        "volumes are being added to a snapshot set, %s may be among them; "
                        "wait for a moment and try again",
                        str_or_empty(r.volume));
        for (size_t i = 0; k >= 0 && m->builder && i < m->builder->n_volumes; i++) {
                const struct volume *v = m->builder->volumes[i].volume;

                if (v && volume_is_origin(v, &r))
                        k = vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                          "%s is being made a snapshot of; wait for the end of it",
                                          str_or_empty(r.volume));
        }
        snapshot_record_done(&r);
        return k;
}

int manager_refuse_before_boot(struct vss_error *reterr, HRESULT hr) {
        return vss_error_set(reterr, hr, EBUSY,
                             "the root is reverted at the next boot, and with it the state of the "
                             "service, which would know nothing of it; boot first");
}

static int manager_begin_revert(struct session_manager *m, struct session *session, VSS_ID id,
                                bool force, session_done_fn done, void *userdata,
                                struct vss_error *reterr) {
        struct reversion *v;
        struct inquiry *q;
        int r;

        r = check_creation(m, id, reterr);
        if (r >= 0 && reverts_take_state_back(m->reverts))
                r = manager_refuse_before_boot(reterr, VSS_E_VOLUME_NOT_SUPPORTED);
        if (r >= 0)
                r = inquiry_new(&q, sizeof(*v), &reversion_type, m, session, done, userdata,
                                reterr);
        if (r < 0)
                return r;
        v = (struct reversion *)q;
        v->store = m->store;
        v->id = id;
        v->force = force;
        v->making = m->builder;
        v->volume_bytes = m->config.area_volume_bytes;
        v->all_bytes = m->config.area_all_bytes;
        r = upkeep_queue(&v->upkeep, reterr);
        if (r >= 0)
                m->n_reversions++;
        return r;
}

int manager_revert(struct session_manager *m, VSS_ID id, bool force, session_done_fn done,
                   void *userdata, struct vss_error *reterr) {
        return manager_begin_revert(m, NULL, id, force, done, userdata, reterr);
}

int manager_list_reverts(struct session_manager *m, struct revert_row **ret, size_t *ret_n) {
        return reverts_list(m->reverts, ret, ret_n);
}

int session_revert_to_snapshot(struct session *s, VSS_ID id, bool force, session_done_fn done,
                               void *userdata, struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_REVERT_TO_SNAPSHOT, NULL, reterr);
        if (r < 0)
                return r;
        session_consume_context(s);
        return manager_begin_revert(s->manager, s, id, force, done, userdata, reterr);
}

/* A volume that does not exist has no revert either. */
int session_query_revert_status(struct session *s, const char *volume, struct async **ret,
                                struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_QUERY_REVERT_STATUS, NULL, reterr);
        if (r < 0)
                return r;
        if (str_empty(volume))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "QueryRevertStatus needs a volume: a mount point or a block "
                                     "device");
        r = volume_check_name(volume, reterr);
        if (r < 0)
                return r;
        session_consume_context(s);
        return reverts_wait(s->manager->reverts, volume, ret, reterr);
}
