/* The provider of the test daemon: see fake-storage.h. It keeps to a provider's contract: an intent
 * before the first change, all or nothing, idempotent abort. */

#include "common/vss-id.h"
#include "daemon/window/dm-request.h"
#include "tests/bus/fake-storage.h"

#include <stdio.h>

#define VOLUMES_MAX 64 /* of a set */

/* Of each copy. */
static _Atomic uint64_t store_bytes = UINT64_C(1) << 28;

struct provider_set {
        int64_t intent;
        bool staged;
        struct window_row
                rows[VOLUMES_MAX]; /* what the window would suspend; names are the set's */
        size_t n;
};

static int fake_probe(const struct volume *v, LONG context _unused_, struct vss_error *reterr) {
        if (!v->mount_point || !streq(v->mount_point, "/srv/plain"))
                return fake_fault("probe", v->name, VSS_E_PROVIDER_VETO, reterr);
        (void)vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                            "%s is on a plain partition; put it on a logical volume", v->name);
        return -EOPNOTSUPP;
}

static void fake_release(struct provider_set *set) {
        free(set);
}

static int fake_abort(struct provider_set *set, struct vss_error *reterr) {
        int r;

        r = fake_step("abort", "a set", VSS_E_PROVIDER_VETO, reterr);
        if (r >= 0)
                set->staged = false;
        return r;
}

static int fake_stage(struct provider_set **ret, struct store *store,
                      const struct volume *const *volumes, struct snapshot_record *records,
                      size_t n, struct vss_error *reterr) {
        struct provider_set *set;
        struct intent_record intent = {
                .set_id = records[0].set_id,
                .provider = (char *)fake_provider.name,
                .kind = (char *)"create",
                .data = (char *)"fake",
        };
        int r = 0;

        set = calloc(1, sizeof(*set));
        if (!set)
                return vss_error_from_errno(reterr, -ENOMEM, "stage");
        r = store_intent_open(store, &intent, &set->intent, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = fake_step("stage", volumes[i]->name, VSS_E_INSUFFICIENT_STORAGE, reterr);
                if (r >= 0 && str_replace(&records[i].provider_data, volumes[i]->dm_name) < 0)
                        r = vss_error_from_errno(reterr, -ENOMEM, "stage");
        }
        if (r < 0) {
                if (set->intent > 0)
                        (void)store_intent_close(store, set->intent, NULL); /* nothing was made */
                fake_release(set);
                return r;
        }
        set->staged = true;
        for (; set->n < n; set->n++)
                set->rows[set->n] = (struct window_row){ .volume = volumes[set->n]->name,
                                                         .origin = volumes[set->n]->devno };
        for (size_t i = 0; i < n; i++)
                records[i].attributes |= VSS_VOLSNAP_ATTR_DIFFERENTIAL;
        *ret = set;
        return 0;
}

/* The commit is the resume of the copy, as it is with real ones. */
static int add_row(struct window *window, const struct window_row *row, struct vss_error *reterr) {
        struct window_row with_commit = *row;
        int r;

        with_commit.commits = calloc(1, sizeof(struct dm_request *));
        if (!with_commit.commits)
                return vss_error_from_errno(reterr, -ENOMEM, "window-rows");
        r = dm_request_new_resume(with_commit.commits, FAKE_COPY(row->origin));
        if (r >= 0) {
                with_commit.n_commits = 1;
                r = window_add_row(window, &with_commit, reterr);
        } else
                (void)vss_error_from_errno(reterr, r, "window-rows");
        if (r < 0) {
                dm_request_free(with_commit.commits[0]);
                free(with_commit.commits);
        }
        return r;
}

/* Mostly none: the window opens and closes with nothing to suspend. */
static int fake_add_window_rows(struct provider_set *set, struct window *window,
                                struct vss_error *reterr) {
        int r = fake_step("window-rows", "a set", VSS_E_UNEXPECTED_PROVIDER_ERROR, reterr);

        for (size_t i = 0; r >= 0 && fake_slowness("commit") > 0 && i < set->n; i++)
                r = add_row(window, &set->rows[i], reterr);
        return r;
}

static int fake_finish(struct provider_set *set _unused_, struct vss_error *reterr) {
        return fake_step("finish", "a set", VSS_E_PROVIDER_VETO, reterr);
}

static int fake_seal(struct provider_set *set _unused_, struct vss_error *reterr) {
        return fake_step("seal", "a set", VSS_E_PROVIDER_VETO, reterr);
}

static size_t fake_intents(struct provider_set *set, const int64_t **ret_ids) {
        *ret_ids = &set->intent;
        return 1;
}

static int fake_remove(struct store *store, const struct snapshot_record *r, bool force _unused_,
                       struct vss_error *reterr) {
        int k;

        k = fake_step("remove", r->device, VSS_E_PROVIDER_VETO, reterr);
        return k < 0 ? k : store_snapshot_delete(store, r->id, 0, reterr);
}

/* With the knob "breakable" each becomes /dev/fake/volume-N. */
static int fake_break_off(struct store *store, const struct snapshot_record *records, size_t n,
                          uint32_t flags, char **names, struct vss_error *reterr) {
        struct intent_record intent = {
                .set_id = records[0].set_id,
                .provider = (char *)fake_provider.name,
                .kind = (char *)"break",
                .data = (char *)"fake",
        };
        VSS_ID ids[VOLUMES_MAX];
        int64_t intent_id;
        char what[32];
        int r;

        if (!fake_knob("breakable"))
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EOPNOTSUPP,
                                     "The fake storage's copies are bound");
        r = store_intent_open(store, &intent, &intent_id, reterr);
        if (r < 0)
                return r;
        (void)snprintf(what, sizeof(what), "%zu with %u", n, (unsigned)flags);
        r = fake_step("break", what, VSS_E_BREAK_REVERT_ID_FAILED, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                ids[i] = records[i].id;
                r = str_format(&names[i], "/dev/fake/volume-%u", (unsigned)records[i].number);
        }
        if (r >= 0)
                return store_snapshots_delete(store, ids, n, intent_id, reterr);
        (void)store_intent_close(store, intent_id, NULL); /* nothing was made */
        return r;
}

static void fake_mark(char mark[static 64], VSS_ID id) {
        (void)snprintf(mark, 64, "fake copy %s", VSS_ID_TEXT(id));
}

static int fake_hand_over(struct snapshot_record *records, size_t n, struct vss_error *reterr) {
        char what[32], mark[64];
        int r;

        (void)snprintf(what, sizeof(what), "%zu", n);
        r = fake_step("hand-over", what, VSS_E_PROVIDER_VETO, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                fake_mark(mark, records[i].id);
                if (str_replace(&records[i].provider_data, mark) < 0)
                        r = vss_error_from_errno(reterr, -ENOMEM, "hand-over");
        }
        return r;
}

/* Every host sees the copies of every other. */
static int fake_import(struct store *store, struct snapshot_record *r, int64_t *ret_intent,
                       struct vss_error *reterr) {
        const char *root = r->device_object ? "/run/vss" : "/dev/vss";
        struct intent_record intent = {
                .set_id = r->set_id,
                .provider = (char *)fake_provider.name,
                .kind = (char *)"import",
                .data = (char *)"fake",
        };
        char mark[64];
        int k;

        fake_mark(mark, r->id);
        if (!streq(str_or_empty(r->provider_data), mark))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE,
                                     "That is not the copy of %s", r->volume);
        k = store_intent_open(store, &intent, ret_intent, reterr);
        if (k < 0)
                return k;
        k = fake_step("import", r->volume, VSS_E_MISSING_DISK, reterr);
        if (k >= 0 && r->number == 0) {
                k = store_reserve_numbers(store, 1, &r->number, reterr);
                free(TAKE_PTR(r->device));
                free(TAKE_PTR(r->device_object));
                if (k >= 0 &&
                    (str_format(&r->device, "/dev/vss/ShadowCopy%u", (unsigned)r->number) < 0 ||
                     str_format(&r->device_object, "%s/ShadowCopy%u", root, (unsigned)r->number) <
                             0))
                        k = vss_error_from_errno(reterr, -ENOMEM, "import");
        }
        if (k < 0)
                (void)store_intent_close(store, *ret_intent, NULL); /* nothing was done */
        r->attributes |= VSS_VOLSNAP_ATTR_DIFFERENTIAL;
        return k;
}

/* What device-mapper and LVM would remember: one revert at a time. */
#define BEGUN "reverting"
#define OVER "revert-over"
#define LEFT_BYTES 512

static int fake_revert(const struct snapshot_record *r, bool at_boot, struct vss_error *reterr) {
        int k;

        fake_note(OVER, false); /* that was another one */
        k = fake_step(at_boot ? "revert-at-boot" : "revert", r->volume, VSS_E_PROVIDER_VETO,
                      reterr);
        if (k < 0)
                return k;
        fake_note(BEGUN, true);
        return 0;
}

static int fake_revert_look(const struct snapshot_record *r, struct revert_progress *ret,
                            struct vss_error *reterr) {
        int k;

        k = fake_fault("revert-look", r->volume, VSS_E_PROVIDER_VETO, reterr);
        if (k < 0)
                return k;
        *ret = (struct revert_progress){ .state = REVERT_NONE };
        if (fake_knob(OVER))
                ret->state = REVERT_OVER;
        else if (fake_knob(BEGUN) && fake_knob("root"))
                ret->state = REVERT_WAITING;
        else if (fake_knob(BEGUN) && fake_knob("lost-volume"))
                ret->state = REVERT_LOST;
        else if (fake_knob(BEGUN) && fake_knob("bad-blocks"))
                ret->state = REVERT_FAILED;
        else if (fake_knob(BEGUN)) {
                ret->state = fake_knob("reverted") ? REVERT_COPIED : REVERT_RUNNING;
                ret->left = fake_knob("reverted") ? 0 : LEFT_BYTES;
        }
        return 0;
}

static int fake_revert_end(const struct snapshot_record *r, struct vss_error *reterr) {
        int k;

        k = fake_step("revert-end", r->volume, VSS_E_PROVIDER_VETO, reterr);
        if (k < 0)
                return k;
        fake_note(OVER, true);
        fake_note(BEGUN, false);
        return 0;
}

static int fake_revert_back(const struct snapshot_record *r, struct vss_error *reterr) {
        return fake_step("revert-back", r->volume, VSS_E_PROVIDER_VETO, reterr);
}

static int fake_recover(struct store *store _unused_, const struct intent_record *intent,
                        struct vss_error *reterr) {
        return fake_step("recover", intent->kind, VSS_E_PROVIDER_VETO, reterr);
}

static int fake_activate(const struct snapshot_record *r, struct vss_error *reterr) {
        return fake_step("activate", r->device, VSS_E_PROVIDER_VETO, reterr);
}

static int fake_usage(const struct snapshot_record *r, uint64_t *ret_used, uint64_t *ret_max,
                      bool *ret_overflowed, struct vss_error *reterr) {
        int k;

        k = fake_step("usage", r->device, VSS_E_PROVIDER_VETO, reterr);
        if (k < 0)
                return k;
        *ret_overflowed = fake_knob("full");
        if (*ret_overflowed) { /* the kernel has no figures of it */
                *ret_used = *ret_max = 0;
                return 0;
        }
        *ret_max = store_bytes;
        *ret_used = fake_knob("filling") ? *ret_max / 10 * 9 : UINT64_C(1048576) * r->number;
        return 0;
}

static int fake_grow(struct store *store _unused_, const struct snapshot_record *r, uint64_t bytes,
                     uint64_t *ret_bytes, struct vss_error *reterr) {
        int k;

        if (fake_knob("narrow"))
                return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC, "it is narrow");
        k = fake_step("grow", r->device, VSS_E_PROVIDER_VETO, reterr);
        if (k < 0)
                return k;
        store_bytes = bytes;
        *ret_bytes = bytes;
        return 0;
}

/* Of a volume of 1 MiB and a half block, in blocks of 4 KiB: block 0, 8 to 15 and the last; between
 * two copies also the one with the number of the younger. With the knob "large" it has 2^40 bytes,
 * which is too much for a string. */
static int fake_delta(struct delta_map *ret, struct store *store _unused_,
                      const struct snapshot_record *older, const struct snapshot_record *younger,
                      struct vss_error *reterr) {
        uint64_t bytes = fake_knob("large") ? UINT64_C(1) << 40 : UINT64_C(1048576) + 2048;
        struct delta_map map = { 0 };
        int r;

        r = fake_step("delta", older->device, VSS_E_BAD_STATE, reterr);
        if (r < 0)
                return r;
        r = delta_map_init(&map, bytes, 4096);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "delta");
        delta_map_add(&map, 0, 1);
        delta_map_add(&map, UINT64_C(8) * 4096, UINT64_C(8) * 4096);
        delta_map_add(&map, bytes - 1, 1);
        if (younger)
                delta_map_add(&map, younger->number * 4096, 4096);
        map.exact = !younger;
        *ret = map;
        return 0;
}

const struct provider fake_provider = {
        .name = "fake-cow",
        .display_name = "Fake copy-on-write provider",
        .version = "1.0",
        .id = { 0xfa4e0001, 0, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 1 } },
        .version_id = { 0xfa4e0002, 0, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 1 } },
        .type = VSS_PROV_SYSTEM,
        .priority = 1,
        .probe = fake_probe,
        .stage = fake_stage,
        .add_window_rows = fake_add_window_rows,
        .finish = fake_finish,
        .seal = fake_seal,
        .abort = fake_abort,
        .intents = fake_intents,
        .release = fake_release,
        .remove = fake_remove,
        .break_off = fake_break_off,
        .revert = fake_revert,
        .revert_look = fake_revert_look,
        .revert_end = fake_revert_end,
        .revert_back = fake_revert_back,
        .recover = fake_recover,
        .activate = fake_activate,
        .usage = fake_usage,
        .delta = fake_delta,
        .hand_over = fake_hand_over,
        .import = fake_import,
};

static int fake_places(const struct volume *v _unused_, struct provider_places *ret,
                       struct vss_error *reterr) {
        int r = provider_places_add(ret, "tank", UINT64_C(1) << 30, UINT64_C(4) << 30);

        if (r >= 0)
                r = provider_places_add(ret, "/stores", UINT64_C(1) << 30, UINT64_C(1) << 30);
        return r < 0 ? vss_error_from_errno(reterr, r, "places") : 0;
}

static int fake_place_of(const struct snapshot_record *r _unused_, char **ret,
                         struct vss_error *reterr _unused_) {
        return str_replace(ret, "tank");
}

const struct provider *fake_growing_provider(void) {
        static struct provider growing;

        growing = fake_provider;
        growing.grow = fake_grow;
        growing.places = fake_places;
        growing.place_of = fake_place_of;
        return &growing;
}

static int fake_pool(const struct volume *v _unused_, struct provider_places *ret,
                     struct vss_error *reterr) {
        int r = provider_places_add(ret, "tank/pool", UINT64_C(1) << 30, UINT64_C(4) << 30);

        return r < 0 ? vss_error_from_errno(reterr, r, "places") : 0;
}

static int fake_shared_room(const struct snapshot_record *r _unused_, struct provider_room *ret,
                            struct vss_error *reterr _unused_) {
        *ret = (struct provider_room){ .name = "tank/pool",
                                       .used = UINT64_C(3) << 30,
                                       .size = UINT64_C(4) << 30,
                                       .metadata_size = 1 };
        return 0;
}

const struct provider *fake_pooled_provider(void) {
        static struct provider pooled;

        pooled = fake_provider;
        pooled.places = fake_pool;
        pooled.shared_room = fake_shared_room;
        return &pooled;
}
