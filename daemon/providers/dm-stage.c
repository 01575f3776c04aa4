/* Staging: everything that can be done while writes still flow. Places and sizes first, then the
 * intent, then the stores and the devices; if any of it fails, all of it is undone. */

#include "daemon/providers/dm-turn.h"
#include "daemon/providers/dm.h"
#include "daemon/providers/vg-lock.h"
#include "daemon/store/area-record.h"

void dm_set_give_turn(struct provider_set *set) {
        if (set->has_turn)
                dm_turn_give();
        set->has_turn = false;
}

struct provider_set *dm_set_free(struct provider_set *set) {
        if (!set)
                return NULL;
        for (size_t i = 0; set->members && i < set->n; i++) {
                struct dm_member *m = &set->members[i];

                free(m->volume);
                free(m->link);
                free(m->place.place);
                dm_copy_done(&m->copy);
                snapshot_making_done(&m->making);
        }
        dm_set_give_turn(set);
        free(set->members);
        free(set);
        return NULL;
}

/* Where the administrator has set down the diff area, before the other places. */
static int choose_place(struct store *store, struct dm_places *places, const struct volume *v,
                        struct dm_place *ret, struct vss_error *reterr) {
        const struct area_record *area;
        struct area_record *areas = NULL;
        size_t n = 0;
        int r;

        r = store_area_list(store, &areas, &n, reterr);
        if (r < 0)
                return r;
        area = area_record_find(areas, n, v->name, v->dm_uuid);
        r = dm_places_choose(places, v, area ? area->store : NULL, ret, reterr);
        area_records_free(areas, n);
        return r;
}

static int member_init(struct dm_member *m, const struct volume *v,
                       const struct snapshot_record *record, const char *boot,
                       struct vss_error *reterr) {
        int r;

        r = dm_copy_init(&m->copy, &(struct dm_copy){
                                           .id = record->id,
                                           .number = record->number,
                                           .boot = (char *)boot,
                                           .origin = v->dm_name,
                                           .origin_uuid = v->dm_uuid,
                                           .store_kind = m->place.kind,
                                           .place = m->place.place,
                                   });
        if (r >= 0)
                r = str_replace(&m->volume, v->name);
        if (r >= 0)
                r = str_replace(&m->link, record->device);
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->name);
        m->devices = dm_copy_devices(&m->copy);
        m->making = (struct snapshot_making){
                .devices = &m->devices,
                .volume = m->volume,
                .origin = v->devno,
                .unfit_target = dm_unfit_target,
        };
        return 0;
}

static int set_new(struct provider_set **ret, struct store *store, struct dm_places *places,
                   const struct volume *const *volumes, const struct snapshot_record *records,
                   size_t n, struct vss_error *reterr) {
        _cleanup_(dm_set_freep) struct provider_set *set = calloc(1, sizeof(*set));
        _cleanup_(freep) char *boot = NULL;
        int r;

        if (set)
                set->members = calloc(n, sizeof(*set->members));
        if (!set || !set->members)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot prepare the set");
        set->n = n;
        set->store = store;
        set->id = records[0].set_id;
        r = dm_copy_read_boot(&boot);
        if (r < 0)
                return vss_error_from_errno(reterr, r, dm_copy_boot_file);
        for (size_t i = 0; i < n; i++) {
                r = choose_place(store, places, volumes[i], &set->members[i].place, reterr);
                if (r >= 0)
                        r = member_init(&set->members[i], volumes[i], &records[i], boot, reterr);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(set);
        return 0;
}

static int open_intent(struct provider_set *set, struct vss_error *reterr) {
        _cleanup_(freep) struct dm_copy **copies = calloc(set->n, sizeof(*copies));
        int r;

        if (!copies)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot note the intent");
        for (size_t i = 0; i < set->n; i++)
                copies[i] = &set->members[i].copy;
        r = dm_intent_open(set->store, DM_INTENT_CREATE, set->id, copies, set->n, &set->intent,
                           reterr);
        if (r >= 0)
                set->has_intent = set->changed = true;
        return r;
}

/* The set has them by then (other_groups), and they are free for LVM when both let go. */
static int lock_groups(const struct provider_set *set, struct vg_locks *locks,
                       struct vss_error *reterr) {
        _cleanup_(freep) const char **names = calloc(set->n, sizeof(*names));
        size_t n = 0;

        if (!names)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot lock the volume groups");
        for (size_t i = 0; i < set->n; i++)
                if (set->members[i].copy.store_kind == DM_STORE_GROUP)
                        names[n++] = set->members[i].copy.place;
        return n > 0 ? vg_locks_take(locks, names, n, set->id, reterr) : 0;
}

static int make_member(struct dm_member *m, const struct dm_places *places,
                       struct vss_error *reterr) {
        _cleanup_(dm_store_done) struct dm_store store = { .loop_fd = -1 };
        int r;

        r = dm_store_make(&store, &m->copy, m->place.bytes, places->lvm, reterr);
        if (r >= 0 && store.below != 0)
                r = dm_places_check_below(places->set, places->n, store.below, m->copy.place,
                                          reterr);
        return r < 0 ? r : snapshot_making_stage(&m->making, &store.table, reterr);
}

static int make_all(struct provider_set *set, const struct dm_places *places,
                    struct vss_error *reterr) {
        _cleanup_(vg_locks_drop) struct vg_locks locks = { 0 };
        int r;

        r = lock_groups(set, &locks, reterr);
        for (size_t i = 0; r >= 0 && i < set->n; i++)
                r = make_member(&set->members[i], places, reterr);
        if (r >= 0)
                mapper_let_udev_finish();
        return r;
}

static int describe(const struct provider_set *set, const struct volume *const *volumes,
                    struct snapshot_record *records, struct vss_error *reterr) {
        for (size_t i = 0; i < set->n; i++) {
                _cleanup_(freep) char *data = NULL;

                if (dm_copy_format(&set->members[i].copy, &data) < 0 ||
                    str_replace(&records[i].provider_data, data) < 0 ||
                    str_replace(&records[i].fs_type, volumes[i]->fs_type) < 0 ||
                    str_replace(&records[i].origin_uuid, volumes[i]->dm_uuid) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, set->members[i].volume);
                records[i].attributes |= VSS_VOLSNAP_ATTR_DIFFERENTIAL;
        }
        return 0;
}

int dm_stage(struct provider_set **ret, struct store *store, const struct volume *const *volumes,
             struct snapshot_record *records, size_t n, const struct volume *const *all,
             size_t n_all, struct vss_error *reterr) {
        _cleanup_(dm_places_done) struct dm_places places = { .set = all, .n = n_all };
        _cleanup_(dm_set_freep) struct provider_set *set = NULL;
        int r;

        r = volumes_check_nesting(all, n_all, reterr);
        if (r >= 0)
                r = set_new(&set, store, &places, volumes, records, n, reterr);
        if (r >= 0)
                r = dm_turn_take(reterr);
        if (r >= 0)
                set->has_turn = true;
        if (r >= 0)
                r = open_intent(set, reterr);
        if (r < 0)
                return r;

        r = make_all(set, &places, reterr);
        if (r >= 0)
                r = describe(set, volumes, records, reterr);
        if (r < 0) {
                if (dm_set_abort(set, NULL) >= 0)
                        (void)store_intent_close(store, set->intent,
                                                 NULL); /* harmless if it stays */
                return r; /* else the intent stays: the next start tries again */
        }
        *ret = TAKE_PTR(set);
        return 0;
}
