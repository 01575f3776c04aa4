/* Reverting volumes: what is refused, the order of the steps, what a failure after each leaves, and
 * the watch until the end. */

#include "tests/unit/fake-revert.h"

#include "daemon/session/manager-private.h"

#define BEGINS ALL_AWAY "host:origin-unmount(" UUID ") " CHECKS DELETES_NEWER

START_TEST(a_volume_is_reverted) {
        struct revert_row *rows;
        struct async *a;

        fake.revert_left = 1;
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        /* It is in use again, and nobody has made the copy readable. */
        ck_assert_str_eq(fake.journal, BEGINS "alpha:revert(" ONE ") host:origin-mount(" UUID ") ");
        ck_assert_uint_eq(host.removed, 2);
        ck_assert(is_there(ids[OLDER]) && is_there(ids[COPY]));
        ck_assert(!is_there(ids[NEWER]) && !is_there(ids[NEWEST]));
        ck_assert_uint_eq(fake_count_intents(host.store), 1);

        a = ask_status("/alpha/one");
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        ck_assert_int_eq(async_cancel(a), VSS_E_UNEXPECTED); /* it cannot be */
        ck_assert_uint_eq(list_reverts(&rows), 1);
        ck_assert_str_eq(rows[0].volume, ONE);
        ck_assert_str_eq(rows[0].state, "merging");
        ck_assert(vss_id_equal(rows[0].id, ids[COPY]));
        run_some_looks();
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);

        fake.journal[0] = '\0';
        fake_set_reverting(REVERT_COPIED);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        ck_assert_str_eq(fake.journal, "alpha:revert-end(" ONE ") ");
        ck_assert(!is_there(ids[COPY]) && is_there(ids[OLDER]));
        ck_assert_uint_eq(host.removed, 3);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_uint_eq(list_reverts(&rows), 0);
        a = NULL;
        ck_call(VSS_E_OBJECT_NOT_FOUND, session_query_revert_status(s, "/alpha/one/", &a, &error));
        ck_assert_int_eq(add_volume(s, "alpha/one"), VSS_E_BAD_STATE); /* the state's, no veto */
}
END_TEST

/* As thin copies do it. */
START_TEST(one_that_is_over_at_once) {
        fake.revert_becomes = REVERT_OVER;
        ck_assert_int_eq(revert_of(s, ids[NEWEST], true), S_OK);
        ck_assert_str_eq(fake.journal,
                         "host:origin-look(" UUID ") host:unmount-force(" ONE ") "
                         "host:origin-unmount-force(" UUID ") " CHECKS "alpha:revert(" ONE ") "
                         "host:origin-mount(" UUID ") ");
        ck_assert(!is_there(ids[NEWEST]));
        ck_assert_uint_eq(fake_count_snapshots(host.store), 3);
        ck_assert_uint_eq(host.removed, 1);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert(!volume_is_reverting(UUID, NULL));
}
END_TEST

START_TEST(without_a_session) {
        memset(&answer, 0, sizeof(answer));
        ck_ok(manager_revert(host.manager, ids[NEWEST], false, on_nothing, NULL, &error));
        ck_assert_int_eq(wait_for_answer(), S_OK);
        ck_call(VSS_E_OBJECT_NOT_FOUND,
                manager_revert(host.manager, GUID_NULL, false, on_nothing, NULL, &error));
        fake_set_reverting(REVERT_OVER);
        run_until_over();
}
END_TEST

static void set_gamma(struct snapshot_record *r) {
        ck_assert_int_eq(str_replace(&r->provider, "gamma"), 0);
}
static void set_nobody(struct snapshot_record *r) {
        ck_assert_int_eq(str_replace(&r->provider, "nobody"), 0);
}
static void set_exposed(struct snapshot_record *r) {
        r->attributes |= VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY;
        ck_assert_int_eq(str_replace(&r->exposed_name, "/mnt"), 0);
}
static void set_away(struct snapshot_record *r) {
        r->context |= VSS_VOLSNAP_ATTR_TRANSPORTABLE;
}

static const struct {
        void (*change)(struct snapshot_record *r);
        HRESULT hr;
        const char *words;
        unsigned of; /* whose row is like that */
} refusals[] = {
        { set_gamma, E_NOTIMPL, "the reason and the way out", COPY },
        { set_nobody, VSS_E_PROVIDER_NOT_REGISTERED, "nobody", COPY },
        { set_exposed, VSS_E_VOLUME_IN_USE, "/mnt", COPY },
        { set_away, VSS_E_VOLUME_NOT_SUPPORTED, "import it first", COPY },
        { set_away, VSS_E_VOLUME_NOT_SUPPORTED, "import it first", OLDER },
        { set_away, VSS_E_VOLUME_NOT_SUPPORTED, "import it first", NEWEST },
};

START_TEST(what_is_refused_changes_nothing) {
        change_record(ids[refusals[_i].of], refusals[_i].change);
        ck_assert_int_eq(revert_of(s, ids[COPY], false), refusals[_i].hr);
        ck_assert_ptr_nonnull(strstr(answer.message, refusals[_i].words));
        ck_assert_str_eq(fake.journal, "");
        ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert(!volume_is_reverting(UUID, NULL));
}
END_TEST

static int usage_of_lost(const struct snapshot_record *r _unused_, uint64_t *ret_used,
                         uint64_t *ret_max, bool *ret_overflowed,
                         struct vss_error *reterr _unused_) {
        *ret_used = *ret_max = 2;
        *ret_overflowed = true;
        return 0;
}

/* What is lost cannot be mounted again either: so nobody is sent away first. */
START_TEST(one_that_was_lost) {
        provider_alpha_here.usage = usage_of_lost;
        ck_assert_int_eq(revert_of(s, ids[COPY], true), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(answer.message, "overflowed"));
        ck_assert_str_eq(fake.journal, "");
        ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert(!volume_is_reverting(UUID, NULL));
}
END_TEST

START_TEST(one_that_goes_with_its_requester) {
        VSS_ID set;
        struct session *maker = session_up_to("BD", VSS_CTX_BACKUP, &set);
        struct snapshot_record *records = NULL;
        size_t n = 0;

        ck_assert_int_eq(store_snapshot_list(host.store, set, &records, &n, NULL), 0);
        fake.journal[0] = '\0';
        ck_assert_int_eq(revert_of(s, records[0].id, true), VSS_E_UNSUPPORTED_CONTEXT);
        ck_assert_str_eq(fake.journal, "");
        snapshot_records_free(records, n);
        session_free(maker);
}
END_TEST

START_TEST(an_exposed_one_by_force) {
        change_record(ids[NEWEST], set_exposed);
        ck_assert_int_eq(revert_of(s, ids[NEWEST], true), S_OK);
        ck_assert_uint_eq(fake_storage_count("host:unexpose-force(/mnt)"), 1);
        fake_set_reverting(REVERT_OVER);
        run_until_over();
}
END_TEST

START_TEST(meanwhile_the_volume_is_left_alone) {
        const struct exposure_request request = { .id = ids[OLDER],
                                                  .path = "",
                                                  .attributes = VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY,
                                                  .expose = "/mnt" };
        struct session *other;

        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        ck_assert_int_eq(revert_of(s, ids[COPY], false), VSS_E_REVERT_IN_PROGRESS);
        ck_assert_int_eq(revert_of(s, ids[OLDER], true), VSS_E_REVERT_IN_PROGRESS);
        ck_assert_int_eq(delete_of(s, ids[OLDER], VSS_OBJECT_SNAPSHOT, true), VSS_E_PROVIDER_VETO);
        ck_assert_ptr_nonnull(strstr(answer.message, "is being reverted"));
        ck_assert_int_eq(expose_of(s, &request), VSS_E_PROVIDER_VETO);
        ck_assert_int_eq(break_of(s, sets[OLDER]), VSS_E_PROVIDER_VETO);
        other = session_up_to("B0", VSS_CTX_FILE_SHARE_BACKUP, NULL);
        ck_ok(session_start_snapshot_set(other, &(VSS_ID){ 0 }, &error));
        ck_assert_int_eq(add_volume(other, "alpha/one"), VSS_E_PROVIDER_VETO);
        ck_assert_int_eq(add_volume(other, "alpha/two"), S_OK); /* of the same group */
        session_free(other);
        fake_set_reverting(REVERT_OVER);
        run_until_over();
        ck_assert_int_eq(delete_of(s, ids[OLDER], VSS_OBJECT_SNAPSHOT, false), S_OK);
}
END_TEST

START_TEST(a_set_in_creation_keeps_its_volume) {
        struct session *maker = session_up_to("BS", VSS_CTX_NAS_ROLLBACK, NULL);

        fake.journal[0] = '\0';
        ck_assert_int_eq(revert_of(s, ids[COPY], true), VSS_E_VOLUME_IN_USE);
        ck_assert_str_eq(fake.journal, "");
        session_free(maker);
}
END_TEST

#define AWAY LOOKS "host:unmount(" ONE ") "
#define UNDONE "alpha:revert-back(" ONE ") host:origin-mount(" UUID ") "
#define MOUNT "host:mount(" ONE ") "
static const struct {
        const char *fail;
        unsigned after;
        HRESULT hr, answer;
        const char *journal;
        size_t left;
} failures[] = {
        { "origin-look", 0, VSS_E_OBJECT_NOT_FOUND, VSS_E_OBJECT_NOT_FOUND, LOOKS, 4 },
        { "unmount", 0, VSS_E_PROVIDER_VETO, VSS_E_VOLUME_IN_USE, AWAY, 4 },
        /* Who reads one of the newer ones keeps all. */
        { "unmount", 1, VSS_E_PROVIDER_VETO, VSS_E_VOLUME_IN_USE,
          AWAY "host:unmount(" ONE ") " MOUNT, 4 },
        { "unmount", 2, VSS_E_PROVIDER_VETO, VSS_E_VOLUME_IN_USE, ALL_AWAY MOUNT MOUNT, 4 },
        { "origin-unmount", 0, VSS_E_VOLUME_IN_USE, VSS_E_VOLUME_IN_USE,
          ALL_AWAY "host:origin-unmount(" UUID ") " UNDONE MOUNT MOUNT MOUNT, 4 },
        { "alpha:revert-check", 0, VSS_E_VOLUME_IN_USE, VSS_E_VOLUME_IN_USE,
          ALL_AWAY "host:origin-unmount(" UUID ") " CHECKS UNDONE MOUNT MOUNT MOUNT, 4 },
        { "alpha:remove", 0, VSS_E_PROVIDER_VETO, VSS_E_VOLUME_IN_USE,
          ALL_AWAY "host:origin-unmount(" UUID ") " CHECKS "host:unmount(" ONE ") alpha:remove(" ONE
                   ") " MOUNT UNDONE MOUNT MOUNT MOUNT,
          4 },
        { "alpha:remove", 1, VSS_E_PROVIDER_VETO, VSS_E_VOLUME_IN_USE,
          ALL_AWAY "host:origin-unmount(" UUID ") " CHECKS DELETES_NEWER MOUNT UNDONE MOUNT MOUNT,
          3 },
        { "alpha:revert", 0, VSS_E_VOLUME_IN_USE, VSS_E_VOLUME_IN_USE,
          BEGINS "alpha:revert(" ONE ") " UNDONE MOUNT, 2 },
        { "alpha:revert", 0, VSS_E_UNEXPECTED_PROVIDER_ERROR, E_FAIL,
          BEGINS "alpha:revert(" ONE ") " UNDONE MOUNT, 2 },
        { "alpha:revert", 0, VSS_E_INSUFFICIENT_STORAGE, E_FAIL,
          BEGINS "alpha:revert(" ONE ") " UNDONE MOUNT, 2 },
};

START_TEST(what_fails_goes_back) {
        fake.fail = failures[_i].fail;
        fake.fail_after = failures[_i].after;
        fake.fail_hr = failures[_i].hr;
        ck_assert_int_eq(revert_of(s, ids[COPY], false), failures[_i].answer);
        ck_assert_str_eq(fake.journal, failures[_i].journal);
        ck_assert_uint_eq(fake_count_snapshots(host.store), failures[_i].left);
        ck_assert_uint_eq(host.removed, N_COPIES - failures[_i].left);
        ck_assert_int_eq(strstr(answer.message, "newer copies have been deleted") != NULL,
                         failures[_i].left < N_COPIES);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert(!volume_is_reverting(UUID, NULL));
        /* And can be tried again. */
        fake.fail = NULL;
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        fake_set_reverting(REVERT_OVER);
        run_until_over();
        ck_assert_uint_eq(fake_count_snapshots(host.store), 1);
}
END_TEST

static unsigned n_grown;
static bool is_full;

static int grow(struct store *store _unused_, const struct snapshot_record *r, uint64_t bytes,
                uint64_t *ret_bytes, struct vss_error *reterr) {
        ck_assert(vss_id_equal(r->id, ids[OLDER]));
        ck_assert_uint_gt(bytes, UINT64_C(16) * 1024 * 1024);
        ck_assert_uint_eq(fake_storage_count("alpha:remove"), 0);
        n_grown++;
        if (is_full)
                return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                                     "there is no room");
        *ret_bytes = bytes;
        return 0;
}

/* What is copied back has to fit into the stores of older copies, before anything is deleted. */
START_TEST(older_copies_are_not_lost_without_force) {
        static const struct {
                bool full, limited, force;
                HRESULT hr;
                unsigned grown;
        } cases[] = {
                { false, false, false, S_OK, 1 },  { true, false, false, E_FAIL, 1 },
                { false, true, false, E_FAIL, 0 }, { true, false, true, S_OK, 1 },
                { false, true, true, S_OK, 0 },
        };

        provider_alpha_here.grow = grow;
        n_grown = 0;
        is_full = cases[_i].full;
        if (cases[_i].limited)
                host.manager->config.area_volume_bytes = UINT64_C(1024) * 1024;
        ck_assert_int_eq(revert_of(s, ids[COPY], cases[_i].force), cases[_i].hr);
        ck_assert_uint_eq(n_grown, cases[_i].grown);
        ck_assert(is_there(ids[OLDER]) && is_there(ids[COPY]));
        ck_assert_int_eq(is_there(ids[NEWEST]), cases[_i].hr != S_OK);
        ck_assert_uint_eq(fake_count_intents(host.store), cases[_i].hr == S_OK);
        if (cases[_i].hr != S_OK) {
                ck_assert_ptr_nonnull(strstr(answer.message, VSS_ID_TEXT(ids[OLDER])));
                ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES);
                ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
        }
}
END_TEST

static int usage_elsewhere(const struct snapshot_record *r, uint64_t *ret_used, uint64_t *ret_max,
                           bool *ret_overflowed, struct vss_error *reterr _unused_) {
        *ret_used = 1;
        *ret_max = streq(r->volume, ONE) ? 2 : UINT64_C(1) << 30;
        *ret_overflowed = false;
        return 0;
}

/* What all stores may take those of other volumes have already. */
START_TEST(older_copies_do_not_grow_past_the_maximum_of_all) {
        const struct snapshot_record other = {
                .id = { .Data1 = 99 },
                .set_id = { .Data1 = 98 },
                .number = 99,
                .volume = (char *)(uintptr_t) "/other/",
                .provider = (char *)(uintptr_t) "alpha",
                .context = VSS_CTX_APP_ROLLBACK,
                .count = 1,
                .state = VSS_SS_CREATED,
        };
        const bool there = _i == 1;

        provider_alpha_here.grow = grow;
        provider_alpha_here.usage = usage_elsewhere;
        n_grown = 0;
        is_full = false;
        host.manager->config.area_all_bytes = (UINT64_C(1) << 30) + 1024;
        if (there)
                ck_assert_int_ge(store_set_commit(host.store, NULL, &other, 1, NULL, 0, NULL), 0);
        ck_assert_int_eq(revert_of(s, ids[COPY], false), there ? E_FAIL : S_OK);
        ck_assert_uint_eq(n_grown, !there);
        if (there)
                ck_assert_ptr_nonnull(strstr(answer.message, "MaximumInAll"));
}
END_TEST

static int usage_that_grows(const struct snapshot_record *r, uint64_t *ret_used, uint64_t *ret_max,
                            bool *ret_overflowed, struct vss_error *reterr _unused_) {
        bool late =
                vss_id_equal(r->id, ids[COPY]) && fake_storage_count("host:origin-unmount(") > 0;

        *ret_used = late ? UINT64_C(256) * 1024 * 1024 : 1;
        *ret_max = 2;
        *ret_overflowed = false;
        return 0;
}

/* With what a file system has in memory until it is unmounted. */
START_TEST(room_is_measured_when_nobody_writes_any_more) {
        provider_alpha_here.grow = grow;
        provider_alpha_here.usage = usage_that_grows;
        n_grown = 0;
        is_full = false;
        host.manager->config.area_volume_bytes = UINT64_C(128) * 1024 * 1024;
        ck_assert_int_eq(revert_of(s, ids[COPY], false), E_FAIL);
        ck_assert_ptr_nonnull(strstr(answer.message, VSS_ID_TEXT(ids[OLDER])));
        ck_assert_uint_eq(n_grown, 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
}
END_TEST

static int back_fails(const struct snapshot_record *r _unused_, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO, "there is no way back");
}

/* What could not be put back the next start finds. */
START_TEST(what_cannot_go_back_keeps_its_intent) {
        if (_i == 0)
                reverts_pause_usec = 3600 * USEC_PER_SEC; /* no look comes before the start */
        fake.fail = "alpha:revert";
        fake.fail_hr = VSS_E_UNEXPECTED_PROVIDER_ERROR;
        provider_alpha_here.revert_back = back_fails;
        ck_assert_int_eq(revert_of(s, ids[NEWEST], false), E_FAIL);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
        /* Meanwhile it is nobody else's. */
        ck_assert(volume_is_reverting(UUID, NULL));
        ck_assert_int_eq(delete_of(s, ids[OLDER], VSS_OBJECT_SNAPSHOT, false), VSS_E_PROVIDER_VETO);
        provider_alpha_here.revert_back = fake_revert_back;
        fake.fail = NULL;
        if (_i == 0)
                host_recover();
        else /* or a look does */
                while (volume_is_reverting(UUID, NULL))
                        ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        ck_assert_uint_eq(fake_storage_count("alpha:revert-back("), 1);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES);
}
END_TEST

/* There is no way back, and nobody is told that there was: it goes on. What would be written to the
 * volume until it is begun would be lost: nobody can. */
static struct async *fail_half_begun(void) {
        fake.fail = "alpha:revert";
        fake.fail_hr = VSS_E_UNEXPECTED_PROVIDER_ERROR;
        fake.revert_fails_late = true;
        fake.revert_becomes = REVERT_WAITING;
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        ck_assert_uint_eq(fake_storage_count("revert-back"), 0);
        return ask_status(ONE);
}

START_TEST(a_failure_after_it_has_begun) {
        struct async *a = fail_half_begun();

        run_some_looks();
        ck_assert_uint_gt(fake_storage_count("alpha:revert("), 1); /* it was tried again */
        ck_assert_str_eq(async_phase(a), "Wait");
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 0);
        fake_set_reverting(REVERT_RUNNING); /* somebody has activated it */
        while (!streq(async_phase(a), "Merge"))
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
        fake.fail = NULL;
        fake_set_reverting(REVERT_COPIED);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
}
END_TEST

static int look_fails(const struct snapshot_record *r _unused_,
                      struct revert_progress *ret _unused_, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO, "nobody knows");
}

/* It may read as the copy, or only with the next activation: nobody writes to it until it is
 * known. */
START_TEST(a_failure_that_nobody_can_look_at) {
        struct revert_row *rows;

        provider_alpha_here.revert_look = look_fails;
        if (_i > 0) {
                fake.fail = "alpha:revert";
                fake.fail_hr = VSS_E_UNEXPECTED_PROVIDER_ERROR;
                fake.revert_fails_late = true;
        }
        fake.revert_becomes = REVERT_WAITING;
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        run_some_looks();
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 0);
        ck_assert_uint_eq(list_reverts(&rows), 1);
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
        fake.fail = NULL;
        fake_set_reverting(REVERT_RUNNING);
        provider_alpha_here.revert_look = fake_revert_look;
        while (fake_storage_count("host:origin-mount(") == 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
}
END_TEST

/* A thin volume that has become its copy, and is not active yet. */
START_TEST(a_failure_after_it_is_over) {
        fake.fail = "alpha:revert";
        fake.fail_hr = VSS_E_UNEXPECTED_PROVIDER_ERROR;
        fake.revert_fails_late = true;
        fake.revert_becomes = REVERT_OVER;
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 0);
        ck_assert(is_there(ids[COPY]));
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
        run_until_over();
        ck_assert_uint_eq(fake_storage_count("alpha:revert-end("), 1);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
        ck_assert(!is_there(ids[COPY]));
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
}
END_TEST

START_TEST(what_is_half_begun_a_look_begins) {
        struct async *a = fail_half_begun();

        (void)pthread_mutex_lock(&fake.mutex);
        fake.fail = NULL;
        fake.revert_becomes = _i == 0 ? REVERT_RUNNING : REVERT_OVER;
        (void)pthread_mutex_unlock(&fake.mutex);
        if (_i == 0) {
                while (!streq(async_phase(a), "Merge"))
                        ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
                fake_set_reverting(REVERT_COPIED);
        }
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
        ck_assert(!is_there(ids[COPY]));
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
}
END_TEST

static const struct {
        enum revert_state state;
        HRESULT hr;
} ends[] = {
        { REVERT_FAILED, E_FAIL },
        { REVERT_LOST, VSS_E_REVERT_VOLUME_LOST },
};

START_TEST(one_that_does_not_go_on_is_told) {
        struct revert_row *rows;
        struct async *a;

        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        a = ask_status(ONE);
        fake_set_reverting(ends[_i].state);
        ck_assert_int_eq(wait_for(a), ends[_i].hr);
        ck_assert_str_ne(async_text, "");
        ck_assert_int_eq(wait_for(ask_status(ONE)), ends[_i].hr);
        ck_assert_uint_eq(list_reverts(&rows), 1);
        ck_assert_str_eq(rows[0].state, "failed");
        ck_assert_str_ne(rows[0].message, "");
        ck_assert_uint_eq(fake_count_intents(host.store), 1); /* for the next start */
        ck_assert(is_there(ids[COPY]));
        /* The volume is back; or it has been activated anew. */
        fake_set_reverting(REVERT_RUNNING);
        do {
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
                ck_assert_uint_eq(list_reverts(&rows), 1);
        } while (streq(rows[0].state, "failed"));
        ck_assert_str_eq(rows[0].message, "");
        a = ask_status(ONE);
        fake_set_reverting(REVERT_COPIED);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
}
END_TEST

/* Somebody has ended it: volume and copy are nobody's any more, without a restart. */
START_TEST(one_that_is_called_off) {
        struct revert_row *rows;
        struct async *a;

        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        host.changed = 0;
        fake.journal[0] = '\0';
        if (_i > 0) { /* it is tried until it works */
                fake.fail = "alpha:revert-back";
                fake.fail_hr = VSS_E_UNEXPECTED_PROVIDER_ERROR;
        }
        a = ask_status(ONE);
        fake_set_reverting(REVERT_NONE);
        if (_i > 0) {
                while (fake_storage_count("alpha:revert-back(") < 2)
                        ck_assert_int_ge(sd_event_run(host.event, 1000), 0);
                ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
                ck_assert_uint_eq(fake_count_intents(host.store), 1);
                (void)pthread_mutex_lock(&fake.mutex);
                fake.fail = NULL;
                (void)pthread_mutex_unlock(&fake.mutex);
        }
        ck_assert_int_eq(wait_for(a), E_FAIL);
        ck_assert_ptr_nonnull(strstr(async_text, "as they were"));
        ck_assert_uint_eq(list_reverts(&rows), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_uint_eq(fake_storage_count("host:mount(" ONE ")"), 1); /* the copy */
        ck_assert_uint_eq(host.changed, 1);
        ck_assert(is_there(ids[COPY]) && !volume_is_reverting(UUID, NULL));
        ck_assert_int_eq(delete_of(s, ids[OLDER], VSS_OBJECT_SNAPSHOT, false), S_OK);
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
}
END_TEST

START_TEST(a_look_that_fails_is_taken_again) {
        struct async *a;

        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        a = ask_status("/dev/mapper/it");
        fake.fail = "revert-look";
        run_some_looks();
        ck_assert_int_eq(async_status(a), VSS_S_ASYNC_PENDING);
        fake.fail = NULL;
        fake_set_reverting(REVERT_COPIED);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
}
END_TEST

START_TEST(who_asks_again_and_again_leaves_nothing) {
        struct async *a[3];

        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        for (unsigned i = 0; i < 1000; i++)
                async_unref(ask_status(ONE));
        for (size_t i = 0; i < ARRAY_SIZE(a); i++)
                a[i] = ask_status(ONE);
        fake_set_reverting(REVERT_COPIED);
        for (size_t i = 0; i < ARRAY_SIZE(a); i++)
                ck_assert_int_eq(wait_for(a[i]), VSS_S_ASYNC_FINISHED);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("revert");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, a_volume_is_reverted);
        tcase_add_test(tc, one_that_is_over_at_once);
        tcase_add_test(tc, without_a_session);
        tcase_add_loop_test(tc, what_is_refused_changes_nothing, 0, ARRAY_SIZE(refusals));
        tcase_add_test(tc, one_that_was_lost);
        tcase_add_test(tc, one_that_goes_with_its_requester);
        tcase_add_test(tc, an_exposed_one_by_force);
        tcase_add_test(tc, meanwhile_the_volume_is_left_alone);
        tcase_add_test(tc, a_set_in_creation_keeps_its_volume);
        tcase_add_loop_test(tc, what_fails_goes_back, 0, ARRAY_SIZE(failures));
        tcase_add_loop_test(tc, what_cannot_go_back_keeps_its_intent, 0, 2);
        tcase_add_loop_test(tc, older_copies_are_not_lost_without_force, 0, 5);
        tcase_add_loop_test(tc, older_copies_do_not_grow_past_the_maximum_of_all, 0, 2);
        tcase_add_test(tc, room_is_measured_when_nobody_writes_any_more);
        tcase_add_test(tc, a_failure_after_it_has_begun);
        tcase_add_test(tc, a_failure_after_it_is_over);
        tcase_add_loop_test(tc, a_failure_that_nobody_can_look_at, 0, 2);
        tcase_add_loop_test(tc, what_is_half_begun_a_look_begins, 0, 2);
        tcase_add_loop_test(tc, one_that_does_not_go_on_is_told, 0, ARRAY_SIZE(ends));
        tcase_add_loop_test(tc, one_that_is_called_off, 0, 2);
        tcase_add_test(tc, a_look_that_fails_is_taken_again);
        tcase_add_test(tc, who_asks_again_and_again_leaves_nothing);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
