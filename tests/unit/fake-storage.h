#pragma once

/* Storage for tests: two providers and a host that exist in memory, keep a journal of what was
 * asked of them, fail where they are told to, and can be held inside a step until the test lets
 * them go. Steps run on workers: the journal has a lock. */

#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/providers/provider.h"
#include "daemon/providers/volume-hold.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/sysmacros.h>

struct fake_storage {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        char journal[16384];
        const char *fail; /* the step that fails: "stage", "mount", ... ; with a provider's name
                             before it only there: "beta:stage" */
        HRESULT fail_hr;
        int fail_cause;
        unsigned fail_after; /* so many calls of it succeed first */
        bool fail_once;      /* and those after it again */
        const char *hold;    /* the step that waits for fake_storage_go(), or "beta:mount(what)" */
        unsigned hold_after; /* so many calls of it go through first */
        bool holding, go;
        uint64_t pause_usec; /* each step takes so long */
        int activate;        /* what activate() returns */
        bool breakable;      /* what is broken off becomes a volume, else it is refused */
        /* How far the revert of any volume is; what one becomes that begins now, also if that is
         * said to have failed; and what the host says of the volume. */
        enum revert_state reverting, revert_becomes;
        bool revert_fails_late, at_boot, has_state;
        uint64_t revert_left;
        const char *other_group; /* where the stores of beta's copies may go; NULL: nowhere else */
        bool unspeakable;        /* what hand_over() says of a copy no document can hold */
        unsigned n_sets;         /* provider sets that are neither aborted nor released */
};

static struct fake_storage fake = { .mutex = PTHREAD_MUTEX_INITIALIZER,
                                    .changed = PTHREAD_COND_INITIALIZER };

static inline void fake_storage_reset(void) {
        fake.journal[0] = '\0';
        fake.fail = fake.hold = NULL;
        fake.fail_hr = VSS_E_PROVIDER_VETO;
        fake.fail_cause = EIO;
        fake.fail_after = fake.hold_after = 0;
        fake.fail_once = false;
        fake.holding = fake.go = false;
        fake.activate = 0;
        fake.pause_usec = 0;
        fake.breakable = false;
        fake.other_group = NULL;
        fake.reverting = REVERT_NONE;
        fake.revert_becomes = REVERT_RUNNING;
        fake.revert_fails_late = fake.at_boot = fake.has_state = false;
        fake.revert_left = 0;
        fake.n_sets = 0;
}

/* Every step begins here: journal, hold, failure. */
static inline int fake_step(const char *who, const char *step, const char *what,
                            struct vss_error *reterr) {
        char full[64], exact[256];
        bool fails;

        (void)snprintf(full, sizeof(full), "%s:%s", who, step);
        (void)snprintf(exact, sizeof(exact), "%s(%s)", full, what);
        (void)pthread_mutex_lock(&fake.mutex);
        (void)snprintf(fake.journal + strlen(fake.journal),
                       sizeof(fake.journal) - strlen(fake.journal), "%s(%s) ", full, what);
        if (fake.hold &&
            (streq(fake.hold, step) || streq(fake.hold, full) || streq(fake.hold, exact)) &&
            (fake.hold_after == 0 || fake.hold_after-- == 0)) {
                fake.holding = true;
                (void)pthread_cond_broadcast(&fake.changed);
                while (!fake.go)
                        (void)pthread_cond_wait(&fake.changed, &fake.mutex);
        }
        if (fake.pause_usec > 0)
                (void)usleep((useconds_t)fake.pause_usec);
        fails = fake.fail && (streq(fake.fail, step) || streq(fake.fail, full));
        if (fails && fake.fail_after > 0) {
                fake.fail_after--;
                fails = false;
        }
        if (fails && fake.fail_once)
                fake.fail = NULL;
        (void)pthread_mutex_unlock(&fake.mutex);
        if (!fails)
                return 0;
        return vss_error_set(reterr, fake.fail_hr, fake.fail_cause, "%s fails for %s", full, what);
}

static inline bool fake_storage_is_holding(void) {
        bool holding;

        (void)pthread_mutex_lock(&fake.mutex);
        holding = fake.holding;
        (void)pthread_mutex_unlock(&fake.mutex);
        return holding;
}

static inline void fake_storage_go(void) {
        (void)pthread_mutex_lock(&fake.mutex);
        fake.go = true;
        (void)pthread_cond_broadcast(&fake.changed);
        (void)pthread_mutex_unlock(&fake.mutex);
}

static inline unsigned fake_storage_count(const char *text) {
        unsigned n = 0;

        (void)pthread_mutex_lock(&fake.mutex);
        for (const char *at = fake.journal; (at = strstr(at, text)); at++)
                n++;
        (void)pthread_mutex_unlock(&fake.mutex);
        return n;
}

struct provider_set {
        const char *provider;
        struct store *store;
        int64_t intent;
        bool staged;
};

static inline int fake_probe(const struct volume *v, const char *provider,
                             struct vss_error *reterr) {
        if (v->vg && streq(v->vg, provider))
                return 0;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, 0, "%s has no copy-on-write below",
                             v->name);
}

static inline int fake_stage(const char *provider, struct provider_set **ret, struct store *store,
                             const struct volume *const *volumes, struct snapshot_record *records,
                             size_t n, struct vss_error *reterr) {
        struct intent_record intent = { .provider = (char *)(uintptr_t)provider,
                                        .kind = (char *)(uintptr_t) "create",
                                        .data = (char *)(uintptr_t) "staged" };
        struct provider_set *set;
        char names[256] = "";
        int r;

        for (size_t i = 0; i < n; i++) {
                ck_assert_str_eq(volumes[i]->name, records[i].volume);
                (void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
                               i > 0 ? "," : "", volumes[i]->name);
        }
        r = fake_step(provider, "stage", names, reterr);
        if (r < 0)
                return r;
        set = calloc(1, sizeof(*set));
        ck_assert_ptr_nonnull(set);
        set->provider = provider;
        set->store = store;
        intent.set_id = records[0].set_id;
        ck_assert_int_eq(store_intent_open(store, &intent, &set->intent, NULL), 0);
        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(str_replace(&records[i].provider_data, "data"), 0);
                records[i].attributes = VSS_VOLSNAP_ATTR_DIFFERENTIAL;
        }
        fake.n_sets++;
        *ret = set;
        return 0;
}

static inline int fake_other_groups(const struct volume *v, char ***groups) {
        return fake.other_group && streq(v->vg, "beta") ? strv_append(groups, fake.other_group) : 0;
}
static inline int fake_rows(struct provider_set *set, struct window *w _unused_,
                            struct vss_error *reterr) {
        return fake_step(set->provider, "rows", "", reterr);
}
static inline int fake_finish(struct provider_set *set, struct vss_error *reterr) {
        return fake_step(set->provider, "finish", "", reterr);
}
static inline int fake_seal(struct provider_set *set, struct vss_error *reterr) {
        return fake_step(set->provider, "seal", "", reterr);
}
static inline int fake_abort(struct provider_set *set, struct vss_error *reterr) {
        return fake_step(set->provider, "abort", "", reterr);
}
static inline size_t fake_intents(struct provider_set *set, const int64_t **ret) {
        *ret = &set->intent;
        return 1;
}
static inline void fake_release(struct provider_set *set) {
        if (!set)
                return;
        (void)fake_step(set->provider, "release", "", NULL);
        fake.n_sets--;
        free(set);
}
static inline int fake_remove(struct store *store, const struct snapshot_record *r, bool force,
                              struct vss_error *reterr) {
        int k = fake_step(r->provider, force ? "remove-force" : "remove", r->volume, reterr);

        return k < 0 ? k : store_snapshot_delete(store, r->id, 0, reterr);
}
static inline int fake_remove_all(struct store *store, const struct snapshot_record *records,
                                  size_t n, bool force, struct vss_error *reterr) {
        char what[64];
        VSS_ID ids[8];
        int r;

        ck_assert_uint_gt(n, 1);
        ck_assert_uint_le(n, ARRAY_SIZE(ids));
        for (size_t i = 0; i < n; i++) {
                ck_assert_str_eq(records[i].provider, records[0].provider);
                ids[i] = records[i].id;
        }
        (void)snprintf(what, sizeof(what), "%zu together", n);
        r = fake_step(records[0].provider, force ? "remove-force" : "remove", what, reterr);
        return r < 0 ? r : store_snapshots_delete(store, ids, n, 0, reterr);
}
/* The words of an intent that are specs of volumes (see below). */
static inline int fake_origins(const struct intent_record *intent, char ***uuids, char ***names,
                               struct vss_error *reterr _unused_) {
        char *copy = strdup(intent->data), *rest = copy, *word;

        ck_assert_ptr_nonnull(copy);
        while ((word = strsep(&rest, " "))) {
                char text[128];

                if (!strchr(word, '/'))
                        continue;
                (void)snprintf(text, sizeof(text), "uuid-%s", word);
                ck_assert_int_eq(strv_append(uuids, text), 0);
                ck_assert_int_eq(strv_append(names, word), 0);
        }
        free(copy);
        return 0;
}
static inline int fake_break(struct store *store, const struct snapshot_record *records, size_t n,
                             uint32_t flags, char **names, struct vss_error *reterr) {
        char what[64];
        VSS_ID ids[8];
        int r;

        ck_assert_uint_ge(n, 1);
        ck_assert_uint_le(n, ARRAY_SIZE(ids));
        for (size_t i = 0; i < n; i++) {
                ck_assert_str_eq(records[i].provider, records[0].provider);
                ck_assert_ptr_null(names[i]);
                ids[i] = records[i].id;
                ck_assert_int_eq(str_format(&names[i], "/dev%s", records[i].volume), 0);
        }
        (void)snprintf(what, sizeof(what), "%zu with %u", n, (unsigned)flags);
        r = fake_step(records[0].provider, "break", what, reterr);
        if (r >= 0 && !fake.breakable)
                r = vss_error_set(reterr, VSS_E_PROVIDER_VETO, EOPNOTSUPP, "They are bound");
        return r < 0 ? r : store_snapshots_delete(store, ids, n, 0, reterr);
}
/* Its storage is called after the snapshot, as a tag is. */
static inline int fake_hand_over(struct snapshot_record *records, size_t n,
                                 struct vss_error *reterr) {
        char what[64];

        for (size_t i = 0; i < n; i++) {
                (void)snprintf(what, sizeof(what), "copy\n%s%s", VSS_ID_TEXT(records[i].id),
                               fake.unspeakable ? "\1" : "");
                ck_assert_int_eq(str_replace(&records[i].provider_data, what), 0);
        }
        (void)snprintf(what, sizeof(what), "%zu", n);
        return fake_step(records[0].provider, "hand-over", what, reterr);
}
static inline int fake_import(struct store *store, struct snapshot_record *r, int64_t *ret_intent,
                              struct vss_error *reterr) {
        struct intent_record intent = { .set_id = r->set_id,
                                        .provider = r->provider,
                                        .kind = (char *)(uintptr_t) "import",
                                        .data = r->volume };
        const bool mounted = r->device_object != NULL;
        char what[64];
        int k;

        (void)snprintf(what, sizeof(what), "copy\n%s", VSS_ID_TEXT(r->id));
        if (!streq(what, str_or_empty(r->provider_data)))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ESTALE, "It is another copy");
        k = fake_step(r->provider, "import", r->volume, reterr);
        if (k < 0)
                return k;
        if (r->number == 0) {
                ck_assert_int_eq(store_reserve_numbers(store, 1, &r->number, NULL), 0);
                free(TAKE_PTR(r->device));
                free(TAKE_PTR(r->device_object));
                ck_assert_int_eq(
                        str_format(&r->device, "/dev/vss/ShadowCopy%u", (unsigned)r->number), 0);
                ck_assert_int_eq(str_format(&r->device_object, "%s/vss/ShadowCopy%u",
                                            mounted ? "/run" : "/dev", (unsigned)r->number),
                                 0);
        }
        r->attributes |= VSS_VOLSNAP_ATTR_DIFFERENTIAL;
        ck_assert_int_eq(store_intent_open(store, &intent, ret_intent, NULL), 0);
        return 0;
}
static inline void fake_set_reverting(enum revert_state state) {
        (void)pthread_mutex_lock(&fake.mutex);
        fake.reverting = state;
        (void)pthread_mutex_unlock(&fake.mutex);
}
static inline int fake_revert(const struct snapshot_record *r, bool at_boot,
                              struct vss_error *reterr) {
        int k = fake_step(r->provider, at_boot ? "revert-at-boot" : "revert", r->volume, reterr);

        if (k >= 0 || fake.revert_fails_late)
                fake_set_reverting(at_boot ? REVERT_WAITING : fake.revert_becomes);
        return k;
}
static inline int fake_revert_check(const struct snapshot_record *r, bool at_boot _unused_,
                                    struct vss_error *reterr) {
        return fake_step(r->provider, "revert-check", r->volume, reterr);
}
static inline int fake_revert_look(const struct snapshot_record *r, struct revert_progress *ret,
                                   struct vss_error *reterr) {
        if (fake.fail && streq(fake.fail, "revert-look"))
                return vss_error_set(reterr, fake.fail_hr, EIO, "%s cannot be looked at",
                                     r->volume);
        (void)pthread_mutex_lock(&fake.mutex);
        *ret = (struct revert_progress){ .state = fake.reverting, .left = fake.revert_left };
        (void)pthread_mutex_unlock(&fake.mutex);
        return 0;
}
static inline int fake_revert_end(const struct snapshot_record *r, struct vss_error *reterr) {
        int k = fake_step(r->provider, "revert-end", r->volume, reterr);

        if (k >= 0)
                fake_set_reverting(REVERT_OVER);
        return k;
}
static inline int fake_revert_back(const struct snapshot_record *r, struct vss_error *reterr) {
        return fake_step(r->provider, "revert-back", r->volume, reterr);
}
static inline int fake_revert_rescue(const struct snapshot_record *r, struct vss_error *reterr) {
        return fake_step(r->provider, "revert-rescue", r->origin_uuid, reterr);
}
static inline int fake_rescue(const struct intent_record *intent, const char *uuid,
                              struct vss_error *reterr) {
        return fake_step(intent->provider, "rescue", uuid, reterr);
}
static inline int fake_recover(struct store *store _unused_, const struct intent_record *intent,
                               struct vss_error *reterr) {
        return fake_step(intent->provider, "recover", intent->data, reterr);
}
static inline int fake_activate(const struct snapshot_record *r, struct vss_error *reterr) {
        int k = fake_step(r->provider, "activate", r->volume, reterr);

        return k < 0 ? k : fake.activate;
}
static inline int fake_usage(const struct snapshot_record *r _unused_, uint64_t *ret_used,
                             uint64_t *ret_max, bool *ret_overflowed,
                             struct vss_error *reterr _unused_) {
        *ret_used = 1;
        *ret_max = 2;
        *ret_overflowed = false;
        return 0;
}

#define FAKE_PROVIDER(id_name)                                                        \
        static int id_name##_probe(const struct volume *v, LONG context _unused_,     \
                                   struct vss_error *reterr) {                        \
                return fake_probe(v, #id_name, reterr);                               \
        }                                                                             \
        static int id_name##_stage(struct provider_set **ret, struct store *store,    \
                                   const struct volume *const *volumes,               \
                                   struct snapshot_record *records, size_t n,         \
                                   struct vss_error *reterr) {                        \
                return fake_stage(#id_name, ret, store, volumes, records, n, reterr); \
        }
FAKE_PROVIDER(alpha)
FAKE_PROVIDER(beta)
#define FAKE_TABLE(id_name, number, kind)                                                        \
        {                                                                                        \
                .name = #id_name, .display_name = "Fake " #id_name, .version = "1",              \
                .id = { .Data1 = number }, .type = (kind), .priority = number,                   \
                .probe = id_name##_probe, .stage = id_name##_stage,                              \
                .other_groups = fake_other_groups, .add_window_rows = fake_rows,                 \
                .finish = fake_finish, .seal = fake_seal, .abort = fake_abort,                   \
                .intents = fake_intents, .release = fake_release, .remove = fake_remove,         \
                .remove_all = fake_remove_all, .break_off = fake_break, .origins = fake_origins, \
                .rescue = fake_rescue, .recover = fake_recover, .activate = fake_activate,       \
                .hand_over = fake_hand_over, .import = fake_import, .revert = fake_revert,       \
                .revert_check = fake_revert_check, .revert_look = fake_revert_look,              \
                .revert_end = fake_revert_end, .revert_back = fake_revert_back,                  \
                .revert_rescue = fake_revert_rescue, .usage = fake_usage                         \
        }
static const struct provider provider_alpha = FAKE_TABLE(alpha, 0xa, VSS_PROV_SOFTWARE);
static const struct provider provider_beta = FAKE_TABLE(beta, 0xb, VSS_PROV_SYSTEM);
static const struct provider *const fake_providers[] = { &provider_alpha, &provider_beta, NULL };

/* A spec is "PROVIDER/NAME": "alpha/one" is mounted on /alpha/one/, "alpha/raw-x" is a raw device
 * that is not mounted. "none/..." exists and has no provider; "gone" does not exist. */
static inline int fake_volume_open(struct volume **ret, const char *spec,
                                   struct vss_error *reterr) {
        _cleanup_(volume_freep) struct volume *v = NULL;
        const char *slash = strchr(spec, '/');
        bool raw = slash && strncmp(slash + 1, "raw", 3) == 0;
        unsigned hash = 5381;
        int r;

        r = fake_step("host", "open", spec, reterr);
        if (r < 0)
                return r;
        if (!slash || spec[0] == '/')
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT, "There is no %s",
                                     spec);
        for (const char *c = spec; *c; c++)
                hash = hash * 33 + (unsigned char)*c;
        v = calloc(1, sizeof(*v));
        ck_assert_ptr_nonnull(v);
        v->mount_fd = -1;
        v->devno = makedev(0, hash & 0xfffff); /* major 0: no device that the kernel knows */
        v->display = strdup(spec);
        v->vg = strndup(spec, (size_t)(slash - spec));
        ck_assert_int_eq(str_format(&v->device, "/dev/%s", spec), 0);
        ck_assert_int_eq(str_format(&v->dm_uuid, "uuid-%s", spec), 0);
        r = volume_hold_check(v->dm_uuid, spec, reterr); /* as volume_open() */
        if (r < 0)
                return r;
        if (raw)
                v->name = strdup(v->device);
        else {
                ck_assert_int_eq(str_format(&v->name, "/%s/", spec), 0);
                ck_assert_int_eq(str_format(&v->mount_point, "/%s", spec), 0);
                v->fs_type = strdup("ext4");
                v->mount_fd = dup(STDERR_FILENO);
        }
        *ret = TAKE_PTR(v);
        return 0;
}

static inline int fake_volume_list(struct volume ***ret, size_t *ret_n, struct vss_error *reterr) {
        static const char *const specs[] = { "alpha/one", "beta/two", "none/three", "alpha/swap" };
        struct volume **v = calloc(ARRAY_SIZE(specs), sizeof(*v));

        ck_assert_ptr_nonnull(v);
        for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
                ck_assert_int_eq(fake_volume_open(&v[i], specs[i], reterr), 0);
        v[ARRAY_SIZE(specs) - 1]->refusal = strdup("alpha/swap is swap space");
        *ret = v;
        *ret_n = ARRAY_SIZE(specs);
        return 0;
}

static inline int fake_mount(const struct snapshot_record *r, bool writable,
                             struct vss_error *reterr) {
        return fake_step("host", writable ? "mount-rw" : "mount", r->volume, reterr);
}
static inline int fake_mount_seal(const struct snapshot_record *r, struct vss_error *reterr) {
        return fake_step("host", "mount-seal", r->volume, reterr);
}
static inline int fake_unmount(const struct snapshot_record *r, bool force,
                               struct vss_error *reterr) {
        return fake_step("host", force ? "unmount-force" : "unmount", r->volume, reterr);
}
/* The host takes any name, but "taken"; a share without one is "share". */
static inline int fake_expose_check(const struct snapshot_record *r, uid_t owner _unused_,
                                    char **ret_name, struct vss_error *reterr) {
        int k = fake_step("host", "expose-check", r->exposed_name, reterr);

        if (k < 0)
                return k;
        if (streq(r->exposed_name, "taken"))
                return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EEXIST, "It is taken");
        return str_replace(ret_name, *r->exposed_name ? r->exposed_name : "share");
}
static inline int fake_expose(const struct snapshot_record *r, uid_t owner,
                              struct vss_error *reterr) {
        char what[128];

        (void)snprintf(what, sizeof(what), "%s:%s/%s for %u", r->volume, r->exposed_name,
                       str_or_empty(r->exposed_path), (unsigned)owner);
        return fake_step("host", "expose", what, reterr);
}
static inline int fake_expose_again(const struct snapshot_record *r, struct vss_error *reterr) {
        return fake_step("host", "expose-again", r->exposed_name, reterr);
}
static inline int fake_unexpose(const struct snapshot_record *r, bool force,
                                struct vss_error *reterr) {
        return fake_step("host", force ? "unexpose-force" : "unexpose", r->exposed_name, reterr);
}
/* What is mounted is called after the volume's UUID. */
static inline int fake_origin_mounts(const char *dm_uuid, struct origin_mounts *ret,
                                     struct vss_error *reterr) {
        int r = fake_step("host", "origin-look", dm_uuid, reterr);

        if (r < 0)
                return r;
        ck_assert_int_eq(str_format(&ret->text, "mount /%s ext4 / rw\n", dm_uuid), 0);
        ck_assert_int_eq(strv_append(&ret->names, "/dev/mapper/it"), 0);
        ret->at_boot = fake.at_boot;
        return 0;
}
static inline int fake_origin_unmount(const char *dm_uuid, const char *mounts, bool force,
                                      struct vss_error *reterr) {
        char what[128];

        (void)snprintf(what, sizeof(what), "mount /%s ext4 / rw\n", dm_uuid);
        ck_assert_str_eq(mounts, what);
        return fake_step("host", force ? "origin-unmount-force" : "origin-unmount", dm_uuid,
                         reterr);
}
static inline int fake_origin_mount(const char *dm_uuid, const char *mounts,
                                    struct vss_error *reterr) {
        char what[128];

        (void)snprintf(what, sizeof(what), "mount /%s ext4 / rw\n", dm_uuid);
        ck_assert_str_eq(mounts, what);
        return fake_step("host", "origin-mount", dm_uuid, reterr);
}
static inline int fake_has_state(const char *dm_uuid _unused_, struct store *store _unused_,
                                 bool *ret, struct vss_error *reterr _unused_) {
        *ret = fake.has_state;
        return 0;
}
static inline int fake_sync(int fd _unused_) {
        return fake_step("host", "sync", "", NULL) < 0 ? -1 : 0;
}

static enum adoption_state fake_adoption(const struct volume *v _unused_) {
        return ADOPTION_NONE;
}

static int fake_host_adopt(const char *volume, const struct adoption_options *options _unused_,
                           char ***ret_notes, struct vss_error *reterr) {
        int r = fake_step("host", "adopt", volume, reterr);

        return r < 0 ? r : strv_append(ret_notes, "adopted");
}

static int fake_host_release(const char *volume, const struct adoption_options *options _unused_,
                             char ***ret_notes, struct vss_error *reterr) {
        int r = fake_step("host", "release", volume, reterr);

        return r < 0 ? r : strv_append(ret_notes, "released");
}

static const struct storage fake_host = {
        .adopt = fake_host_adopt,
        .release = fake_host_release,
        .adoption = fake_adoption,
        .volume_open = fake_volume_open,
        .volume_list = fake_volume_list,
        .mount = fake_mount,
        .mount_seal = fake_mount_seal,
        .unmount = fake_unmount,
        .expose_check = fake_expose_check,
        .expose = fake_expose,
        .expose_again = fake_expose_again,
        .unexpose = fake_unexpose,
        .origin_mounts = fake_origin_mounts,
        .origin_unmount = fake_origin_unmount,
        .origin_mount = fake_origin_mount,
        .has_state = fake_has_state,
        .sync = fake_sync,
};

static inline void fake_storage_install(void) {
        fake_storage_reset();
        providers_init(fake_providers);
        storage_init(&fake_host);
}

static inline size_t fake_count_intents(struct store *store) {
        struct intent_record *intents = NULL;
        size_t n = 0;

        ck_assert_int_eq(store_intent_list(store, &intents, &n, NULL), 0);
        intent_records_free(intents, n);
        return n;
}

static inline size_t fake_count_snapshots(struct store *store) {
        struct snapshot_record *records = NULL;
        size_t n = 0;

        ck_assert_int_eq(store_snapshot_list(store, GUID_NULL, &records, &n, NULL), 0);
        snapshot_records_free(records, n);
        return n;
}

/* A store in a directory of its own, removed with it. */
static inline struct store *fake_store_open(char directory[static 64]) {
        struct store *store = NULL;

        /* Its syncs are not what is tested. */
        (void)snprintf(directory, 64, "%s/vssd-test-XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(store_open(&store, directory, NULL), 0);
        return store;
}

static inline void fake_store_close(struct store *store, const char *directory) {
        static const char *const files[] = { "vssd.db", "vssd.db-journal", "guard.lock" };
        char path[128];

        store_close(store);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
                (void)unlink(path); /* the others are there or not */
        }
        ck_assert_int_eq(rmdir(directory), 0);
}
