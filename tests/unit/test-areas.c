/* The stores of copies are watched: they grow, room is made for them, what is lost is said once. */

#include "daemon/log/log.h"
#include "daemon/session/diff-areas.h"
#include "tests/unit/fake-host.h"

#define MIB (UINT64_C(1024) * 1024)
#define COPIES_MAX 8

/* By the copy's number. */
static struct fake_area {
        _Atomic uint64_t used, size;
        _Atomic bool overflowed;
} areas[COPIES_MAX];
static _Atomic uint64_t room;
static _Atomic unsigned n_looks, n_grows;
static _Atomic HRESULT refuse;
static _Atomic bool freezes; /* writers are frozen while a store is looked at */

static struct {
        unsigned n[5];     /* by kind */
        uint64_t last;     /* the number of the copy that the last was about */
        char message[512]; /* and its message */
} seen;

static void on_area(void *userdata _unused_, const struct area_event *event) {
        seen.n[event->kind]++;
        seen.last = event->record->number;
        (void)snprintf(seen.message, sizeof(seen.message), "%s", event->message);
}

static int usage(const struct snapshot_record *r, uint64_t *ret_used, uint64_t *ret_max,
                 bool *ret_overflowed, struct vss_error *reterr _unused_) {
        n_looks++;
        if (freezes) {
                freezes = false;
                log_hold();
        }
        *ret_overflowed = areas[r->number].overflowed;
        *ret_used = *ret_overflowed ? 0 : areas[r->number].used;
        *ret_max = *ret_overflowed ? 0 : areas[r->number].size;
        return 0;
}

static int grow(struct store *store _unused_, const struct snapshot_record *r, uint64_t bytes,
                uint64_t *ret_bytes, struct vss_error *reterr) {
        uint64_t more = bytes - areas[r->number].size;

        n_grows++;
        if (refuse != S_OK)
                return vss_error_set(reterr, refuse, EIO, "the group is broken");
        if (room == 0)
                return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                                     "the group is full");
        if (more > room)
                more = room;
        room -= more;
        areas[r->number].size += more;
        *ret_bytes = areas[r->number].size;
        return 0;
}

/* What a deleted copy had is free again. */
static int take_away(struct store *store, const struct snapshot_record *r, bool force,
                     struct vss_error *reterr) {
        int k = provider_beta.remove(store, r, force, reterr);

        if (k >= 0)
                room += areas[r->number].size;
        return k;
}

/* Of all copies of alpha. */
static struct {
        _Atomic uint64_t used, metadata_used; /* of 100 MiB each */
        _Atomic bool failed;
} pool;

static int shared_room(const struct snapshot_record *r _unused_, struct provider_room *ret,
                       struct vss_error *reterr _unused_) {
        n_looks++;
        *ret = (struct provider_room){
                .name = "tank/pool",
                .used = pool.used,
                .size = 100 * MIB,
                .metadata_used = pool.metadata_used,
                .metadata_size = 100 * MIB,
                .trouble = pool.failed ? "has failed" : NULL,
        };
        return 0;
}

static struct provider growing, pooled;
static const struct provider *const providers[] = { &pooled, &growing, NULL };

static void setup(void) {
        growing = provider_beta;
        growing.usage = usage;
        growing.grow = grow;
        growing.remove = take_away;
        growing.remove_all = NULL;
        pooled = provider_alpha;
        pooled.remove_all = NULL;
        memset(&pool, 0, sizeof(pool));
        memset(areas, 0, sizeof(areas));
        memset(&seen, 0, sizeof(seen));
        room = 1024 * MIB;
        n_looks = n_grows = 0;
        refuse = S_OK;
        freezes = false;
        host_setup();
        providers_init(providers);
        session_manager_set_area_observer(host.manager, on_area, NULL);
}

static void put(const char *provider, uint64_t number, const char *volume, uint64_t used) {
        const struct snapshot_record r = {
                .id = { .Data1 = (uint32_t)number },
                .set_id = { .Data1 = (uint32_t)number, .Data2 = 1 },
                .number = number,
                .volume = (char *)(uintptr_t)volume,
                .provider = (char *)(uintptr_t)provider,
                .context = VSS_CTX_APP_ROLLBACK,
                .count = 1,
                .state = VSS_SS_CREATED,
        };

        areas[number].used = used;
        areas[number].size = 100 * MIB;
        ck_assert_int_ge(store_set_commit(host.store, NULL, &r, 1, NULL, 0, NULL), 0);
}

/* The number is that of its import; of the others nobody has set a time. */
static void make_imported(uint64_t number, VSS_TIMESTAMP created) {
        struct snapshot_record r = { 0 };

        ck_assert_int_eq(
                store_snapshot_get(host.store, (VSS_ID){ .Data1 = (uint32_t)number }, &r, NULL), 0);
        r.attributes |= VSS_VOLSNAP_ATTR_IMPORTED;
        r.created = created;
        ck_assert_int_eq(store_snapshot_update(host.store, &r, NULL), 0);
        snapshot_record_done(&r);
}

static void begin(void) {
        host_recover();
}

static bool is_there(uint64_t number) {
        struct snapshot_record r = { 0 };
        int k = store_snapshot_get(host.store, (VSS_ID){ .Data1 = (uint32_t)number }, &r, NULL);

        snapshot_record_done(&r);
        return k >= 0;
}

static void run_until(const unsigned *counter, unsigned n) {
        while (*counter < n)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
}

/* So many looks at a copy more than there were. */
static void run_looks(unsigned n) {
        n += n_looks;
        while (n_looks < n)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        host_settle();
}

START_TEST(a_store_grows) {
        put("beta", 1, "/a/", 80 * MIB);
        put("beta", 2, "/b/", 20 * MIB);
        begin();
        run_until(&seen.n[AREA_GROWN], 1);
        ck_assert_uint_eq(seen.last, 1);
        ck_assert_uint_eq(areas[1].size, 144 * MIB);
        ck_assert_uint_eq(areas[2].size, 100 * MIB);
        ck_assert_uint_eq(host.stores_changed, 1);
        ck_assert(session_manager_has_areas(host.manager)); /* no end for being idle */
        run_looks(4);
        ck_assert_uint_eq(seen.n[AREA_GROWN], 1);
        /* It goes on filling. */
        areas[1].used = 120 * MIB;
        run_until(&seen.n[AREA_GROWN], 2);
        ck_assert_uint_gt(areas[1].size, 144 * MIB);
        ck_assert_uint_eq(host.removed, 0);
}
END_TEST

static int no_memory(const struct intent_record *intent _unused_, char ***uuids _unused_,
                     char ***names _unused_, struct vss_error *reterr) {
        return vss_error_from_errno(reterr, -ENOMEM, "an intent");
}

/* Whoever serves all the same: what the earlier run left is not undone, but what is there is
 * written to. */
START_TEST(a_store_grows_though_the_start_has_failed) {
        const struct intent_record intent = { .provider = (char *)(uintptr_t) "beta",
                                              .kind = (char *)(uintptr_t) "create",
                                              .data = (char *)(uintptr_t) "beta/two" };
        struct vss_error error = { 0 };
        int64_t id;

        put("beta", 1, "/a/", 80 * MIB);
        ck_assert_int_eq(store_intent_open(host.store, &intent, &id, NULL), 0);
        growing.origins = no_memory;
        ck_assert_int_lt(session_manager_recover(host.manager, on_recovered, NULL, &error), 0);
        ck_assert_ptr_nonnull(error.message);
        vss_error_done(&error);
        run_until(&seen.n[AREA_GROWN], 1);
        ck_assert_uint_eq(areas[1].size, 144 * MIB);
        ck_assert(session_manager_has_areas(host.manager));
}
END_TEST

START_TEST(what_has_no_store_is_not_watched) {
        put("alpha", 1, "/a/", 80 * MIB);
        begin();
        host_settle();
        ck_assert(!session_manager_has_areas(host.manager));
        ck_assert_int_eq(sd_event_run(host.event, 500 * USEC_PER_MSEC), 0);
        ck_assert_uint_eq(n_looks, 0);
}
END_TEST

START_TEST(the_oldest_copy_makes_room) {
        put("beta", 1, "/other/", 10 * MIB);
        put("beta", 2, "/a/", 10 * MIB);
        put("beta", 3, "/a/", 10 * MIB);
        put("beta", 4, "/a/", 80 * MIB);
        room = 0;
        begin();
        run_until(&seen.n[AREA_GROWN], 1);
        ck_assert_uint_eq(seen.n[AREA_DELETED], 1);
        ck_assert(!is_there(2));
        ck_assert(is_there(1) && is_there(3) && is_there(4));
        ck_assert_uint_eq(host.removed, 1);
        ck_assert_uint_eq(areas[4].size, 144 * MIB);
        ck_assert_uint_eq(fake_storage_count("beta:remove-force(/a/)"), 1);
}
END_TEST

START_TEST(a_copy_that_cannot_go_is_not_tried_all_the_time) {
        put("beta", 2, "/a/", 10 * MIB);
        put("beta", 3, "/a/", 80 * MIB);
        room = 0;
        fake.fail = "remove-force";
        begin();
        run_looks(6);
        ck_assert_uint_eq(fake_storage_count("beta:remove-force"), 1);
        ck_assert_uint_eq(seen.n[AREA_DELETED], 0);
        ck_assert(is_there(2));
        fake.fail = NULL;
}
END_TEST

/* Nor is one that hangs waited for. */
START_TEST(others_grow_while_a_copy_goes) {
        put("beta", 2, "/a/", 10 * MIB);
        put("beta", 3, "/a/", 80 * MIB);
        put("beta", 4, "/b/", 10 * MIB);
        room = 0;
        fake.hold = "remove-force";
        begin();
        while (!fake_storage_is_holding())
                ck_assert_int_ge(sd_event_run(host.event, 10 * USEC_PER_MSEC), 0);
        room = 1024 * MIB;
        areas[4].used = 80 * MIB;
        while (areas[4].size == 100 * MIB)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        ck_assert_uint_eq(seen.n[AREA_DELETED], 0);
        ck_assert(fake_storage_is_holding());
        ck_assert_uint_eq(fake_storage_count("beta:remove-force"), 1);
        fake_storage_go();
        run_until(&seen.n[AREA_DELETED], 1);
        ck_assert(!is_there(2));
}
END_TEST

START_TEST(the_only_copy_stays_to_the_end) {
        put("beta", 1, "/a/", 80 * MIB);
        room = 0;
        begin();
        run_until(&seen.n[AREA_FULL], 1);
        ck_assert_ptr_nonnull(strstr(seen.message, "the group is full"));
        areas[1].used = 99 * MIB;
        run_looks(2);
        ck_assert_uint_eq(n_grows, 1); /* LVM is not asked each second */
        areas[1].overflowed = true;
        run_until(&seen.n[AREA_OVERFLOWED], 1);
        ck_assert_uint_eq(host.stores_changed, 1);
        run_looks(2);
        ck_assert_uint_eq(seen.n[AREA_FULL], 1);
        ck_assert_uint_eq(seen.n[AREA_OVERFLOWED], 1);
        ck_assert(is_there(1));
}
END_TEST

START_TEST(the_oldest_itself_goes_when_it_would_be_lost) {
        put("beta", 1, "/a/", 80 * MIB);
        put("beta", 2, "/a/", 10 * MIB);
        room = 0;
        begin();
        run_until(&seen.n[AREA_FULL], 1);
        ck_assert(is_there(1));
        areas[1].used = 98 * MIB;
        run_until(&seen.n[AREA_DELETED], 1);
        ck_assert(!is_there(1));
        ck_assert(is_there(2));
}
END_TEST

START_TEST(a_maximum_holds_for_a_volume) {
        host.config.area_volume_bytes = 250 * MIB;
        host_reconfigure();
        session_manager_set_area_observer(host.manager, on_area, NULL);
        put("beta", 1, "/other/", 10 * MIB);
        put("beta", 2, "/a/", 10 * MIB);
        put("beta", 3, "/a/", 10 * MIB);
        put("beta", 4, "/a/", 10 * MIB); /* more than there may be */
        begin();
        run_until(&seen.n[AREA_DELETED], 1);
        ck_assert(is_there(1) && !is_there(2) && is_there(3));
        areas[4].used = 80 * MIB;
        run_until(&seen.n[AREA_GROWN], 1);
        ck_assert_uint_eq(areas[4].size, 150 * MIB); /* it fills fast, and there is no more */
        areas[4].used = 143 * MIB;
        run_until(&seen.n[AREA_DELETED], 2);
        ck_assert(is_there(1) && !is_there(3) && is_there(4));
        ck_assert_ptr_nonnull(strstr(seen.message, "250 MiB"));
}
END_TEST

START_TEST(a_maximum_holds_for_all) {
        host.config.area_all_bytes = 210 * MIB;
        host_reconfigure();
        session_manager_set_area_observer(host.manager, on_area, NULL);
        put("beta", 1, "/other/", 10 * MIB);
        put("beta", 2, "/a/", 80 * MIB);
        begin();
        run_until(&seen.n[AREA_GROWN], 1);
        ck_assert_uint_eq(areas[2].size, 110 * MIB);
        run_until(&seen.n[AREA_FULL], 1);
        ck_assert_ptr_nonnull(strstr(seen.message, "all copies may take 210 MiB"));
        ck_assert(is_there(1) && is_there(2));
}
END_TEST

static int takes_all(const struct volume *v _unused_, LONG context _unused_,
                     struct vss_error *reterr _unused_) {
        return 0;
}
static int places(const struct volume *v _unused_, struct provider_places *ret,
                  struct vss_error *reterr _unused_) {
        return provider_places_add(ret, "tank", room, room);
}
static char place[32];
static HRESULT place_hr;
static void on_places(void *userdata _unused_, int r, const void *result,
                      struct vss_error *error_here) {
        const struct provider_places *p = result;

        place_hr = r < 0 ? error_here->hr : S_OK;
        (void)snprintf(place, sizeof(place), "%s", r < 0 ? "none" : p->items[0].name);
}

/* A vendor's provider, which is asked first for a copy, has none. */
START_TEST(areas_are_the_systems) {
        struct vss_error error_here = { 0 };

        pooled.type = VSS_PROV_SOFTWARE;
        pooled.probe = takes_all;
        growing.places = places;
        place[0] = '\0';
        ck_assert_int_ge(
                manager_list_area_stores(host.manager, "beta/two", on_places, NULL, &error_here),
                0);
        while (!place[0])
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        ck_assert_int_eq(place_hr, S_OK);
        ck_assert_str_eq(place, "tank");
}
END_TEST

static HRESULT make_copy_of(const char *volume) {
        struct session *s = session_up_to("B0", VSS_CTX_NAS_ROLLBACK, NULL);
        struct async *a = NULL;
        VSS_ID set;
        HRESULT hr;

        ck_ok(session_start_snapshot_set(s, &set, &error));
        ck_assert_int_eq(add_volume(s, volume), S_OK);
        ck_ok(session_do_snapshot_set(s, &a, &error));
        hr = wait_for(a);
        session_free(s);
        return hr;
}

START_TEST(no_copy_begins_beyond_the_maximum_of_all) {
        uint64_t number;

        host.config.area_all_bytes = 300 * MIB;
        host_reconfigure();
        session_manager_set_area_observer(host.manager, on_area, NULL);
        ck_assert_int_eq(store_reserve_numbers(host.store, 3, &number, NULL), 0);
        ck_assert_uint_eq(number, 1);
        put("beta", 1, "/a/", 10 * MIB);
        put("beta", 2, "/b/", 10 * MIB);
        put("beta", 3, "/c/", 10 * MIB);
        begin();
        ck_assert_int_eq(make_copy_of("beta/two"), VSS_E_INSUFFICIENT_STORAGE);
        ck_assert_ptr_nonnull(strstr(async_text, "may take 300 MiB, and have 300 MiB"));
        ck_assert_uint_eq(fake_storage_count("beta:stage"), 0);
        ck_assert(is_there(1) && is_there(2) && is_there(3));
        /* What has no store is made. */
        ck_assert_int_eq(make_copy_of("alpha/one"), VSS_S_ASYNC_FINISHED);
        areas[3].size = 99 * MIB;
        ck_assert_int_eq(make_copy_of("beta/two"), VSS_S_ASYNC_FINISHED);
}
END_TEST

START_TEST(a_pool_that_fills_is_told_in_steps) {
        pooled.shared_room = shared_room;
        put("alpha", 1, "/a/", 0);
        put("alpha", 2, "/b/", 0);
        pool.used = 79 * MIB;
        begin();
        run_looks(4);
        ck_assert_uint_eq(seen.n[AREA_POOL], 0);
        pool.used = 81 * MIB;
        run_until(&seen.n[AREA_POOL], 1);
        ck_assert_uint_eq(seen.last, 1);
        ck_assert_ptr_nonnull(
                strstr(seen.message, "tank/pool, in which there are copies, is 81 %"));
        pool.used = 84 * MIB;
        run_looks(4);
        ck_assert_uint_eq(seen.n[AREA_POOL], 1);
        pool.metadata_used = 92 * MIB; /* the fuller one counts */
        run_until(&seen.n[AREA_POOL], 2);
        pool.used = 86 * MIB;
        pool.metadata_used = 0;
        run_looks(4);
        ck_assert_uint_eq(seen.n[AREA_POOL], 2);
        pool.failed = true;
        run_until(&seen.n[AREA_POOL], 3);
        ck_assert_ptr_nonnull(strstr(seen.message, "has failed"));
        run_looks(4);
        ck_assert_uint_eq(seen.n[AREA_POOL], 3);
        ck_assert(is_there(1) && is_there(2));
        ck_assert(session_manager_has_areas(host.manager));
}
END_TEST

START_TEST(the_oldest_copy_in_a_full_pool_goes) {
        pooled.shared_room = shared_room;
        put("alpha", 1, "/a/", 0);
        put("alpha", 2, "/b/", 0);
        if (_i > 0)
                make_imported(2, -1);
        put("beta", 3, "/a/", 0);
        pool.used = 96 * MIB;
        begin();
        while (seen.n[AREA_DELETED] < 1)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        pool.used = 70 * MIB;
        host_settle();
        run_looks(8);
        ck_assert_uint_eq(seen.n[AREA_DELETED], 1);
        ck_assert(is_there(3));
        ck_assert(_i > 0 ? is_there(1) && !is_there(2) : !is_there(1) && is_there(2));
        ck_assert_ptr_nonnull(strstr(seen.message, "thin pool tank/pool is 96 % full"));
}
END_TEST

START_TEST(what_fails_is_tried_again_but_not_at_once) {
        put("beta", 1, "/old/", 0);
        put("beta", 2, "/a/", 80 * MIB);
        refuse = VSS_E_UNEXPECTED_PROVIDER_ERROR;
        begin();
        run_looks(6);
        ck_assert_uint_eq(n_grows, 1);
        ck_assert_uint_eq(seen.n[AREA_FULL], 0);
        ck_assert(is_there(1));
}
END_TEST

START_TEST(nothing_is_begun_while_writers_are_frozen) {
        put("beta", 1, "/a/", 80 * MIB);
        begin();
        log_hold();
        for (unsigned i = 0; i < 4; i++)
                ck_assert_int_ge(sd_event_run(host.event, USEC_PER_SEC), 0);
        ck_assert_uint_eq(n_looks, 0);
        log_release();
        run_until(&seen.n[AREA_GROWN], 1);
}
END_TEST

START_TEST(no_store_grows_when_writers_have_been_frozen) {
        put("beta", 1, "/a/", 80 * MIB);
        freezes = true;
        begin();
        run_looks(1);
        for (unsigned i = 0; i < 4; i++)
                ck_assert_int_ge(sd_event_run(host.event, USEC_PER_SEC / 2), 0);
        ck_assert_uint_eq(n_looks, 1);
        ck_assert_uint_eq(n_grows, 0);
        log_release();
        run_until(&seen.n[AREA_GROWN], 1);
        ck_assert_uint_eq(n_grows, 1);
        ck_assert_uint_eq(areas[1].size, 144 * MIB); /* as much as at first */
}
END_TEST

START_TEST(nothing_is_begun_when_the_service_ends) {
        put("beta", 1, "/a/", 80 * MIB);
        begin();
        session_manager_stop_watching(host.manager);
        ck_assert_int_eq(sd_event_run(host.event, 500 * USEC_PER_MSEC), 0);
        ck_assert_uint_eq(n_looks, 0);
}
END_TEST

START_TEST(each_kind_has_a_name) {
        for (unsigned i = 0; i <= AREA_POOL; i++) {
                enum area_event_kind back;
                const char *text = area_event_kind_to_string((enum area_event_kind)i);

                ck_assert_int_eq(area_event_kind_from_string(&back, text), 0);
                ck_assert_uint_eq(back, i);
        }
        ck_assert_int_eq(area_event_kind_from_string(&(enum area_event_kind){ 0 }, "shrunk"),
                         -EINVAL);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("areas");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_set_timeout(tc, 60); /* sanitizers on a busy machine */
        tcase_add_checked_fixture(tc, setup, host_teardown);
        tcase_add_test(tc, a_store_grows);
        tcase_add_test(tc, a_store_grows_though_the_start_has_failed);
        tcase_add_test(tc, what_has_no_store_is_not_watched);
        tcase_add_test(tc, the_oldest_copy_makes_room);
        tcase_add_test(tc, a_copy_that_cannot_go_is_not_tried_all_the_time);
        tcase_add_test(tc, others_grow_while_a_copy_goes);
        tcase_add_test(tc, the_only_copy_stays_to_the_end);
        tcase_add_test(tc, the_oldest_itself_goes_when_it_would_be_lost);
        tcase_add_test(tc, a_maximum_holds_for_a_volume);
        tcase_add_test(tc, a_maximum_holds_for_all);
        tcase_add_test(tc, areas_are_the_systems);
        tcase_add_test(tc, no_copy_begins_beyond_the_maximum_of_all);
        tcase_add_test(tc, a_pool_that_fills_is_told_in_steps);
        tcase_add_loop_test(tc, the_oldest_copy_in_a_full_pool_goes, 0, 2);
        tcase_add_test(tc, what_fails_is_tried_again_but_not_at_once);
        tcase_add_test(tc, nothing_is_begun_while_writers_are_frozen);
        tcase_add_test(tc, no_store_grows_when_writers_have_been_frozen);
        tcase_add_test(tc, nothing_is_begun_when_the_service_ends);
        tcase_add_test(tc, each_kind_has_a_name);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
