/* What a start makes of every state that a death in a revert can leave. */

#include "tests/unit/fake-revert.h"

#include "daemon/session/manager-private.h"
#include "daemon/session/recovery-steps.h"
#include "daemon/session/reverts.h"

/* Every state that a death can leave, and what the start makes of it. */
static const struct {
        enum revert_state state;
        bool other_boot, at_boot;
        const char *journal; /* of the revert's steps */
        bool under_way, copy;
} starts[] = {
        { REVERT_NONE, false, false, "alpha:revert-back(" ONE ") host:origin-mount(" UUID ") ",
          false, true },
        { REVERT_NONE, true, false, "alpha:revert-back(" ONE ") ", false, true },
        { REVERT_WAITING, false, false, "alpha:revert(" ONE ") host:origin-mount(" UUID ") ", true,
          true },
        { REVERT_WAITING, false, true, "alpha:revert-at-boot(" ONE ") ", true, true },
        { REVERT_WAITING, true, true, "alpha:revert(" ONE ") ", true, true },
        { REVERT_RUNNING, false, false, "alpha:revert(" ONE ") host:origin-mount(" UUID ") ", true,
          true },
        { REVERT_RUNNING, true, true, "alpha:revert(" ONE ") ", true, true },
        { REVERT_COPIED, true, false, "alpha:revert(" ONE ") ", true, true },
        { REVERT_LOST, false, false, "", true, true },
        { REVERT_FAILED, true, false, "alpha:revert(" ONE ") ", true, true },
        { REVERT_OVER, false, false, "alpha:revert-end(" ONE ") host:origin-mount(" UUID ") ",
          false, false },
        { REVERT_OVER, true, false, "alpha:revert-end(" ONE ") ", false, false },
};

static char *steps_of_the_revert(void) {
        static char text[1024];
        char *copy = strdup(fake.journal), *rest = copy, *word;

        ck_assert_ptr_nonnull(copy);
        text[0] = '\0';
        while ((word = strsep(&rest, " ")))
                if ((strstr(word, "revert") || strstr(word, "origin-")) &&
                    !streq(word, "alpha:revert-rescue(" UUID ")"))
                        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
                                       word);
        free(copy);
        return text;
}

static void put_intent(VSS_ID id, bool other_boot, bool at_boot) {
        _cleanup_(revert_note_done) struct revert_note n = { .id = id, .at_boot = at_boot };
        int64_t intent;

        ck_assert_int_eq(str_replace(&n.boot, "another-boot"), 0);
        if (!other_boot) {
                FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
                char line[64];

                ck_assert_ptr_nonnull(f);
                ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
                (void)fclose(f); /* it was only read */
                line[strcspn(line, "\n")] = '\0';
                ck_assert_int_eq(str_replace(&n.boot, line), 0);
        }
        ck_assert_int_eq(str_replace(&n.provider, "alpha"), 0);
        ck_assert_int_eq(str_replace(&n.origin_uuid, UUID), 0);
        ck_assert_int_eq(str_replace(&n.volume, ONE), 0);
        ck_assert_int_eq(str_replace(&n.mounts, "mount /" UUID " ext4 / rw\n"), 0);
        ck_assert_int_eq(revert_note_open(&n, host.store, GUID_NULL, &intent, NULL), 0);
}

START_TEST(the_next_start) {
        struct revert_row *rows;

        put_intent(ids[COPY], starts[_i].other_boot, starts[_i].at_boot);
        fake_set_reverting(starts[_i].state);
        fake.revert_becomes =
                starts[_i].state == REVERT_WAITING ? REVERT_RUNNING : starts[_i].state;
        host_recover();
        ck_assert_uint_eq(fake_storage_count("alpha:revert-rescue(" UUID ")"), 1);
        ck_assert_str_eq(steps_of_the_revert(), starts[_i].journal);
        ck_assert_int_eq(is_there(ids[COPY]), starts[_i].copy);
        ck_assert_uint_eq(list_reverts(&rows), starts[_i].under_way);
        ck_assert_uint_eq(fake_count_intents(host.store), starts[_i].under_way);
        ck_assert_int_eq(volume_is_reverting(UUID, NULL), starts[_i].under_way);
        /* What is being reverted to nobody makes readable; all others are. */
        ck_assert_uint_eq(fake_storage_count("alpha:activate("),
                          starts[_i].under_way || !starts[_i].copy ? N_COPIES - 1U : N_COPIES);
        ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES - !starts[_i].copy);
}
END_TEST

/* Who has unmounted it since finds it unmounted. */
START_TEST(the_next_start_mounts_nothing_twice) {
        struct async *a;

        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
        host_recover();
        run_some_looks();
        a = ask_status(ONE);
        fake_set_reverting(REVERT_COPIED);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
}
END_TEST

/* Of a state that was reverted: its row is back, of a copy that is somebody's volume by now. */
static int n_broken_off; /* what is answered */
static int broken_off(const struct snapshot_record *r, struct vss_error *reterr) {
        if (!vss_id_equal(r->id, ids[OLDER]))
                return 0;
        return n_broken_off < 0 ? vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                                "LVM does not answer")
                                : n_broken_off;
}

static void set_expired(struct snapshot_record *r) {
        r->expire_unix = 1;
}

/* The tables of its volume stay as they are until it is over. */
START_TEST(what_has_expired_waits_for_the_end) {
        struct async *a;

        put_intent(ids[COPY], true, false);
        fake_set_reverting(REVERT_RUNNING);
        change_record(ids[OLDER], set_expired);
        host_recover();
        run_some_looks();
        ck_assert_uint_eq(fake_storage_count("alpha:remove"), 0);
        ck_assert(is_there(ids[OLDER]));
        a = ask_status(ONE);
        fake_set_reverting(REVERT_COPIED);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        while (is_there(ids[OLDER]))
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
}
END_TEST

static int no_memory(const struct intent_record *intent _unused_, char ***uuids _unused_,
                     char ***names _unused_, struct vss_error *reterr) {
        return vss_error_from_errno(reterr, -ENOMEM, "an intent");
}

/* Whoever serves all the same: the volume is nobody else's, and the end is seen. */
START_TEST(a_revert_goes_on_though_the_start_has_failed) {
        const struct intent_record other = { .provider = (char *)(uintptr_t) "alpha",
                                             .kind = (char *)(uintptr_t) "create",
                                             .data = (char *)(uintptr_t) "alpha/two" };
        struct vss_error failure = { 0 };
        struct snapshot_record older = { 0 };
        struct revert_row *rows;
        struct async *a;
        int64_t id;

        ck_assert_int_eq(store_snapshot_get(host.store, ids[OLDER], &older, NULL), 0);
        older.expire_unix = (uint64_t)(now_realtime_nsec() / 1000000000) + 3600;
        ck_assert_int_eq(store_snapshot_update(host.store, &older, NULL), 0);
        snapshot_record_done(&older);
        put_intent(ids[COPY], true, false);
        ck_assert_int_eq(store_intent_open(host.store, &other, &id, NULL), 0);
        provider_alpha_here.origins = no_memory;
        fake_set_reverting(REVERT_RUNNING);
        ck_assert_int_lt(session_manager_recover(host.manager, on_recovered, NULL, &failure), 0);
        ck_assert_ptr_nonnull(failure.message);
        vss_error_done(&failure);
        ck_assert(session_manager_has_expiry(host.manager)); /* of the older one */
        ck_assert_uint_eq(list_reverts(&rows), 1);
        ck_assert(volume_is_reverting(UUID, NULL));
        ck_assert_int_eq(delete_of(s, ids[OLDER], VSS_OBJECT_SNAPSHOT, false), VSS_E_PROVIDER_VETO);
        a = ask_status(ONE);
        fake_set_reverting(REVERT_COPIED);
        ck_assert_int_eq(wait_for(a), VSS_S_ASYNC_FINISHED);
        ck_assert(!is_there(ids[COPY]) && is_there(ids[OLDER]));
        ck_assert_uint_eq(fake_storage_count("alpha:revert-end("), 1);
}
END_TEST

START_TEST(what_was_broken_off_is_not_deleted) {
        static const int answers[] = { 1, -EIO, 0 };

        n_broken_off = answers[_i];
        provider_alpha_here.is_broken_off = broken_off;
        change_record(ids[OLDER], set_expired);
        host_recover();
        ck_assert_uint_eq(fake_storage_count("alpha:remove"), answers[_i] == 0);
        ck_assert_uint_eq(fake_storage_count("alpha:activate("), N_COPIES - 1);
        ck_assert_int_eq(is_there(ids[OLDER]), answers[_i] < 0);
        /* Nor when its time is up while the service runs, or by hand. */
        if (answers[_i] < 0) {
                n_broken_off = 1;
                memset(&answer, 0, sizeof(answer));
                ck_ok(manager_delete(host.manager, NULL, ids[OLDER], VSS_OBJECT_SNAPSHOT, true,
                                     on_nothing, NULL, &error));
                ck_assert_int_eq(wait_for_answer(), VSS_E_PROVIDER_VETO);
                ck_assert_uint_eq(fake_storage_count("alpha:remove"), 0);
        }
}
END_TEST

/* The start is at it, and late. */
START_TEST(a_lane_that_is_not_done_keeps_its_revert) {
        struct revert_row *rows;

        fake_set_reverting(REVERT_RUNNING);
        ck_assert_int_eq(volume_hold_add(UUID), 0);
        put_intent(ids[COPY], true, false);
        reverts_load(host.manager->reverts);
        ck_assert_uint_eq(list_reverts(&rows), 0);
        volume_hold_remove(UUID);
        reverts_load(host.manager->reverts);
        ck_assert_uint_eq(list_reverts(&rows), 1);
        fake_set_reverting(REVERT_OVER);
        run_until_over();
}
END_TEST

/* What could not be is tried again by the next. */
START_TEST(the_next_start_mounts_what_was_not) {
        fake.fail = "host:origin-mount";
        fake.fail_once = true;
        ck_assert_int_eq(revert_of(s, ids[COPY], false), S_OK);
        run_some_looks();
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
        host_recover();
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 2);
        fake_set_reverting(REVERT_OVER);
        run_until_over();
}
END_TEST

/* Another LVM command has the group: it is waited for, and the volume stays as it is. */
START_TEST(the_next_start_has_to_wait) {
        recovery_retry_usec = 1000;
        put_intent(ids[COPY], false, false);
        fake_set_reverting(starts[_i].state);
        fake.revert_becomes = REVERT_RUNNING;
        fake.fail = starts[_i].state == REVERT_OVER ? "alpha:revert-end" : "alpha:revert";
        fake.fail_hr = VSS_E_PROVIDER_VETO;
        fake.fail_cause = ETIMEDOUT;
        fake.fail_once = true;
        host_recover();
        ck_assert_uint_eq(fake_storage_count(starts[_i].state == REVERT_OVER ? "alpha:revert-end("
                                                                             : "alpha:revert("),
                          2);
        ck_assert_uint_eq(fake_storage_count("host:origin-mount("), 1);
        ck_assert_uint_eq(fake_count_intents(host.store), starts[_i].under_way);
}
END_TEST

/* What is over cannot be used yet: it is not forgotten. */
START_TEST(the_next_start_cannot_activate_it) {
        struct revert_row *rows;

        put_intent(ids[COPY], false, false);
        fake_set_reverting(REVERT_OVER);
        fake.fail = "alpha:revert-end";
        fake.fail_hr = VSS_E_UNEXPECTED_PROVIDER_ERROR;
        host_recover();
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
        ck_assert_uint_eq(list_reverts(&rows), 1);
        (void)pthread_mutex_lock(&fake.mutex);
        fake.fail = NULL;
        (void)pthread_mutex_unlock(&fake.mutex);
        run_until_over();
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert(!is_there(ids[COPY]));
}
END_TEST

START_TEST(the_next_start_cannot_read_it) {
        struct intent_record intent = { .provider = (char *)(uintptr_t) "revert",
                                        .kind = (char *)(uintptr_t) "revert",
                                        .data = (char *)(uintptr_t) "revert nonsense" };
        struct revert_row *rows;
        int64_t id;

        ck_assert_int_eq(store_intent_open(host.store, &intent, &id, NULL), 0);
        host_recover();
        ck_assert_uint_eq(list_reverts(&rows), 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
        ck_assert_str_eq(steps_of_the_revert(), "");
        ck_assert_uint_eq(fake_storage_count("alpha:activate("), N_COPIES);
}
END_TEST

static unsigned n_found;
static int find_reverting(const struct intent_record *intent, struct snapshot_record *ret,
                          struct vss_error *reterr _unused_) {
        if (!streq(intent->data, "alpha/one merging"))
                return 0;
        n_found++;
        ck_assert_int_eq(str_replace(&ret->volume, "/dev/alpha/one"), 0);
        ck_assert_int_eq(str_replace(&ret->origin_uuid, UUID), 0);
        ck_assert_int_eq(str_replace(&ret->provider_data, "data"), 0);
        return 1;
}

/* It has the making of the copy still open, and no row of it: undoing that would be the end of the
 * volume. */
START_TEST(the_next_start_has_a_state_of_then) {
        struct intent_record making = { .provider = (char *)(uintptr_t) "alpha",
                                        .kind = (char *)(uintptr_t) "create",
                                        .data = (char *)(uintptr_t) "alpha/one merging" };
        struct intent_record other = making;
        struct revert_row *rows;
        int64_t id;

        provider_alpha_here.find_reverting = find_reverting;
        other.data = (char *)(uintptr_t) "alpha/other";
        n_found = 0;
        ck_assert_int_eq(store_intent_open(host.store, &making, &id, NULL), 0);
        ck_assert_int_eq(store_intent_open(host.store, &other, &id, NULL), 0);
        fake_set_reverting(REVERT_RUNNING);
        host_recover();
        ck_assert_uint_eq(n_found, 1);
        ck_assert_uint_eq(fake_storage_count("alpha:recover("), 1);
        ck_assert_uint_eq(fake_storage_count("alpha:recover(alpha/other)"), 1);
        ck_assert_uint_eq(list_reverts(&rows), 1);
        ck_assert_str_eq(rows[0].volume, "/dev/alpha/one");
        ck_assert_uint_eq(fake_count_intents(host.store), 1);
        fake_set_reverting(REVERT_COPIED);
        run_until_over();
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert_uint_eq(fake_count_snapshots(host.store), N_COPIES); /* it was none of these */
}
END_TEST

int main(void) {
        Suite *suite = suite_create("revert-start");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_loop_test(tc, the_next_start, 0, ARRAY_SIZE(starts));
        tcase_add_loop_test(tc, what_was_broken_off_is_not_deleted, 0, 3);
        tcase_add_test(tc, a_lane_that_is_not_done_keeps_its_revert);
        tcase_add_test(tc, the_next_start_mounts_nothing_twice);
        tcase_add_test(tc, what_has_expired_waits_for_the_end);
        tcase_add_test(tc, a_revert_goes_on_though_the_start_has_failed);
        tcase_add_test(tc, the_next_start_mounts_what_was_not);
        tcase_add_loop_test(tc, the_next_start_has_to_wait, 2, 3);
        tcase_add_loop_test(tc, the_next_start_has_to_wait, 10, 11);
        tcase_add_test(tc, the_next_start_cannot_activate_it);
        tcase_add_test(tc, the_next_start_cannot_read_it);
        tcase_add_test(tc, the_next_start_has_a_state_of_then);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
