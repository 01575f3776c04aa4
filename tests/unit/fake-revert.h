#pragma once

/* Four copies of one volume, and providers that revert it, cannot, or not at the next boot. For the
 * tests of reverts. */

#include "tests/unit/fake-host.h"

#include "daemon/session/revert-note.h"

extern uint64_t reverts_pause_usec;

/* One that cannot, and one that cannot wait for a boot. */
static const struct provider provider_gamma = {
        .name = "gamma",
        .id = { .Data1 = 0xc },
        .type = VSS_PROV_SYSTEM,
        .no_revert = "the reason and the way out",
};
static struct provider provider_alpha_here;
static const struct provider *const providers[] = { &provider_alpha_here, &provider_beta,
                                                    &provider_gamma, NULL };

#define ONE "/alpha/one/"
#define UUID "uuid-alpha/one"

/* What the fake storage notes of it. */
#define DELETES_NEWER                                  \
        "host:unmount(" ONE ") alpha:remove(" ONE ") " \
        "host:unmount(" ONE ") alpha:remove(" ONE ") "
#define CHECKS "alpha:revert-check(" ONE ") "
#define ALL_AWAY                                            \
        "host:origin-look(" UUID ") host:unmount(" ONE ") " \
        "host:unmount(" ONE ") host:unmount(" ONE ") "
#define LOOKS "host:origin-look(" UUID ") "

enum { OLDER, COPY, NEWER, NEWEST, N_COPIES };
static VSS_ID ids[N_COPIES], sets[N_COPIES];
static struct session *s;

/* A requester that adds volumes to a set of its own. */
static inline struct session *start_set(VSS_ID *ret_set) {
        struct session *maker = session_up_to("B0", VSS_CTX_NAS_ROLLBACK, NULL);

        ck_ok(session_start_snapshot_set(maker, ret_set, &error));
        return maker;
}

static inline VSS_ID make_copy(VSS_ID *ret_set) {
        struct snapshot_record *records = NULL;
        struct session *maker;
        VSS_ID set, id;
        size_t n = 0;

        maker = start_set(&set);
        ck_assert_int_eq(add_volume(maker, "alpha/one"), S_OK);
        ck_finished(session_do_snapshot_set, maker);
        session_free(maker);
        host_settle();
        ck_assert_int_eq(store_snapshot_list(host.store, set, &records, &n, NULL), 0);
        ck_assert_uint_eq(n, 1);
        id = records[0].id;
        snapshot_records_free(records, n);
        *ret_set = set;
        return id;
}

/* Four copies of one volume; the session is the requester of none. */
static inline void setup(void) {
        host_setup();
        provider_alpha_here = provider_alpha;
        providers_init(providers);
        reverts_pause_usec = 1000;
        for (size_t i = 0; i < N_COPIES; i++)
                ids[i] = make_copy(&sets[i]);
        s = session_up_to("B0", VSS_CTX_ALL, NULL);
        fake.journal[0] = '\0';
        host.removed = host.changed = 0;
}

static inline void teardown(void) {
        fake_set_reverting(REVERT_WAITING);
        session_free(s);
        host_teardown();
        ck_assert(!volume_is_reverting(UUID, NULL));
}

static inline void change_record(VSS_ID id, void (*change)(struct snapshot_record *r)) {
        struct snapshot_record r = { 0 };

        ck_assert_int_eq(store_snapshot_get(host.store, id, &r, NULL), 0);
        change(&r);
        ck_assert_int_eq(store_snapshot_update(host.store, &r, NULL), 0);
        snapshot_record_done(&r);
}

static inline bool is_there(VSS_ID id) {
        struct snapshot_record r = { 0 };
        bool there = store_snapshot_get(host.store, id, &r, NULL) >= 0;

        snapshot_record_done(&r);
        return there;
}

static inline struct async *ask_status(const char *volume) {
        struct async *a = NULL;

        ck_ok(session_query_revert_status(s, volume, &a, &error));
        return a;
}

static inline size_t list_reverts(struct revert_row **ret) {
        size_t n;

        ck_assert_int_eq(manager_list_reverts(host.manager, ret, &n), 0);
        return n;
}

static inline void run_until_over(void) {
        struct revert_row *rows;

        while (list_reverts(&rows) > 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
}

static inline void run_some_looks(void) {
        for (unsigned i = 0; i < 40; i++)
                ck_assert_int_ge(sd_event_run(host.event, 1000), 0);
}
