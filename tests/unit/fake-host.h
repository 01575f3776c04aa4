#pragma once

/* A daemon without a bus, for tests of sessions: loop, store, writers, manager, fake storage; and
 * short forms for what a requester does. */

#include "common/time-util.h"
#include "daemon/job/job.h"
#include "daemon/session/session.h"
#include "tests/unit/fake-storage.h"
#include "tests/unit/fake-writer.h"

static struct {
        sd_event *event;
        struct store *store;
        char directory[64];
        struct writer_registry *registry;
        struct session_manager *manager;
        struct session_config config;
        struct fake_journal journal;
        struct fake_writer front, back;
        unsigned added, removed, changed, stores_changed; /* observed snapshots */
} host;

static inline void host_on_change(void *userdata _unused_, const struct snapshot_record *r,
                                  enum snapshot_change change) {
        ck_assert_ptr_nonnull(r->volume);
        switch (change) {
        case SNAPSHOT_ADDED: host.added++; break;
        case SNAPSHOT_REMOVED: host.removed++; break;
        case SNAPSHOT_CHANGED: host.changed++; break;
        case SNAPSHOT_STORE_CHANGED: host.stores_changed++; break;
        }
}

static inline void host_setup(void) {
        memset(&host, 0, sizeof(host));
        fake_storage_install();
        session_config_defaults(&host.config);
        ck_assert_int_ge(sd_event_new(&host.event), 0);
        host.store = fake_store_open(host.directory);
        ck_assert_int_eq(writer_registry_new(&host.registry, host.event), 0);
        fake_writer_register(&host.front, host.registry, host.event, &host.journal, "front",
                             VSS_APP_FRONT_END);
        fake_writer_register(&host.back, host.registry, host.event, &host.journal, "back",
                             VSS_APP_BACK_END);
        ck_assert_int_eq(session_manager_new(&host.manager, host.event, host.store, host.registry,
                                             &host.config),
                         0);
        session_manager_set_observer(host.manager, host_on_change, NULL);
}

/* A manager with another configuration. */
static inline void host_reconfigure(void) {
        session_manager_free(host.manager);
        ck_assert_int_eq(session_manager_new(&host.manager, host.event, host.store, host.registry,
                                             &host.config),
                         0);
        session_manager_set_observer(host.manager, host_on_change, NULL);
}

static inline void host_settle(void) {
        while (!session_manager_is_idle(host.manager))
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        fake_turn(host.event);
}

static inline void host_turn_until_no_job(void) {
        while (job_count() > 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
}

static inline void host_teardown(void) {
        host_settle();
        host_turn_until_no_job(); /* what is large is freed by one */
        session_manager_free(host.manager);
        fake_writer_gone(&host.front);
        fake_writer_gone(&host.back);
        writer_registry_free(host.registry);
        fake_store_close(host.store, host.directory);
        sd_event_unref(host.event);
        ck_assert_uint_eq(host.journal.n_open, 0);
        ck_assert_uint_eq(job_count(), 0);
        ck_assert_uint_eq(fake.n_sets, 0);
}

static inline void host_turn_until_holding(void) {
        while (!fake_storage_is_holding())
                ck_assert_int_ge(sd_event_run(host.event, 1000), 0);
}

static inline struct session *session_make(void) {
        struct session *s = NULL;

        ck_assert_int_eq(session_new(&s, host.manager, 1000, NULL), 0);
        return s;
}

/* One call, expected to answer hr; hr S_OK: to succeed. */
#define ck_call(hr_, call)                                                                       \
        do {                                                                                     \
                struct vss_error error = { 0 };                                                  \
                int r_ = (call);                                                                 \
                ck_assert_msg(error.hr == (hr_), "%s: 0x%08x %s, expected 0x%08x", #call,        \
                              (unsigned)error.hr, str_or_empty(error.message), (unsigned)(hr_)); \
                ck_assert_int_eq(r_ < 0, FAILED(hr_));                                           \
                ck_assert(!FAILED(hr_) || error.message);                                        \
                vss_error_done(&error);                                                          \
        } while (false)
#define ck_ok(call) ck_call(S_OK, call)

/* Runs an async to its end and returns its status; message: of the failure. */
static char async_text[512];
static inline HRESULT wait_for(struct async *a) {
        HRESULT hr;

        while (async_status(a) == VSS_S_ASYNC_PENDING)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        hr = async_status(a);
        (void)snprintf(async_text, sizeof(async_text), "%s", async_message(a));
        async_unref(a);
        return hr;
}

#define ck_async(hr_, method, s)                           \
        do {                                               \
                struct async *async_ = NULL;               \
                ck_ok(method(s, &async_, &error));         \
                ck_assert_int_eq(wait_for(async_), (hr_)); \
        } while (false)
#define ck_finished(method, s) ck_async(VSS_S_ASYNC_FINISHED, method, s)

/* The start, to the end of it. */
static struct { unsigned n, n_left; } recovered;
static inline void on_recovered(void *userdata _unused_, unsigned n_left) {
        recovered.n++;
        recovered.n_left = n_left;
}
static inline void host_recover(void) {
        memset(&recovered, 0, sizeof(recovered));
        ck_ok(session_manager_recover(host.manager, on_recovered, NULL, &error));
        ck_assert_uint_eq(recovered.n, 0); /* never before the call returned */
        while (recovered.n == 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        ck_assert_uint_eq(recovered.n_left, 0);
}

/* An answer that comes later. */
static struct {
        unsigned n;
        int r;
        HRESULT hr;
        char message[512];
        VSS_ID id;
        bool flag;
        struct delete_result deleted;
} answer;

static inline void on_answer(int r, struct vss_error *error) {
        answer.n++;
        answer.r = r;
        answer.hr = error->hr;
        (void)snprintf(answer.message, sizeof(answer.message), "%s", str_or_empty(error->message));
}
static inline void on_id(void *userdata _unused_, int r, const void *result,
                         struct vss_error *error) {
        on_answer(r, error);
        if (r >= 0)
                answer.id = *(const VSS_ID *)result;
}
static inline void on_flag(void *userdata _unused_, int r, const void *result,
                           struct vss_error *error) {
        on_answer(r, error);
        if (r >= 0)
                answer.flag = *(const bool *)result;
}
static inline void on_nothing(void *userdata _unused_, int r, const void *result _unused_,
                              struct vss_error *error) {
        on_answer(r, error);
}
static inline void on_deleted(void *userdata _unused_, int r, const void *result,
                              struct vss_error *error) {
        on_answer(r, error);
        if (result)
                answer.deleted = *(const struct delete_result *)result;
}

static inline HRESULT wait_for_answer(void) {
        while (answer.n == 0)
                ck_assert_int_ge(sd_event_run(host.event, UINT64_MAX), 0);
        ck_assert_uint_eq(answer.n, 1);
        return answer.hr;
}

static inline HRESULT add_volume(struct session *s, const char *spec) {
        struct vss_error error = { 0 };
        int r;

        memset(&answer, 0, sizeof(answer));
        r = session_add_to_snapshot_set(s, spec, GUID_NULL, on_id, NULL, &error);
        if (r >= 0)
                return wait_for_answer();
        answer.r = r;
        answer.hr = error.hr;
        (void)snprintf(answer.message, sizeof(answer.message), "%s", str_or_empty(error.message));
        vss_error_done(&error);
        return answer.hr;
}

static inline HRESULT abort_backup(struct session *s) {
        struct vss_error error = { 0 };
        HRESULT hr;

        memset(&answer, 0, sizeof(answer));
        if (session_abort_backup(s, on_nothing, NULL, &error) >= 0) {
                ck_assert_uint_eq(answer.n, 0);
                return wait_for_answer();
        }
        hr = error.hr;
        vss_error_done(&error);
        return hr;
}

static inline HRESULT delete_of(struct session *s, VSS_ID id, VSS_OBJECT_TYPE type, bool force) {
        struct vss_error error = { 0 };
        HRESULT hr;

        memset(&answer, 0, sizeof(answer));
        if (session_delete_snapshots(s, id, type, force, on_deleted, NULL, &error) >= 0)
                return wait_for_answer();
        hr = error.hr;
        vss_error_done(&error);
        return hr;
}

static char exposed_as[128];
static inline void on_exposed(void *userdata _unused_, int r, const void *result,
                              struct vss_error *error) {
        on_answer(r, error);
        (void)snprintf(exposed_as, sizeof(exposed_as), "%s", result ? (const char *)result : "");
}

static inline HRESULT expose_of(struct session *s, const struct exposure_request *request) {
        struct vss_error error = { 0 };
        HRESULT hr;

        memset(&answer, 0, sizeof(answer));
        exposed_as[0] = '\0';
        if (session_expose_snapshot(s, request, on_exposed, NULL, &error) >= 0)
                return wait_for_answer();
        hr = error.hr;
        vss_error_done(&error);
        return hr;
}

static inline HRESULT unexpose_of(struct session *s, VSS_ID id) {
        struct vss_error error = { 0 };
        HRESULT hr;

        memset(&answer, 0, sizeof(answer));
        if (session_unexpose_snapshot(s, id, on_nothing, NULL, &error) >= 0)
                return wait_for_answer();
        hr = error.hr;
        vss_error_done(&error);
        return hr;
}

static char broken_to[256]; /* a space behind each */
static inline void on_broken(void *userdata _unused_, int r, const void *result,
                             struct vss_error *error) {
        char *const *volumes = result;

        on_answer(r, error);
        broken_to[0] = '\0';
        STRV_FOREACH (v, volumes)
                (void)snprintf(broken_to + strlen(broken_to), sizeof(broken_to) - strlen(broken_to),
                               "%s ", *v);
}

static inline HRESULT break_of(struct session *s, VSS_ID id) {
        struct vss_error error = { 0 };
        HRESULT hr;

        memset(&answer, 0, sizeof(answer));
        if (session_break_snapshot_set(s, id, on_broken, NULL, &error) >= 0)
                return wait_for_answer();
        hr = error.hr;
        vss_error_done(&error);
        return hr;
}

static inline HRESULT revert_of(struct session *s, VSS_ID id, bool force) {
        struct vss_error error = { 0 };
        HRESULT hr;

        memset(&answer, 0, sizeof(answer));
        if (session_revert_to_snapshot(s, id, force, on_nothing, NULL, &error) >= 0)
                return wait_for_answer();
        hr = error.hr;
        vss_error_done(&error);
        return hr;
}

/* The documented order, up to and including a state. */
static inline struct session *session_up_to(const char *state, LONG context, VSS_ID *ret_set) {
        const bool writers = !(context & VSS_VOLSNAP_ATTR_NO_WRITERS);
        struct session *s = session_make();
        VSS_ID set;

        if (streq(state, "N"))
                return s;
        ck_ok(session_initialize_for_backup(s, &error));
        if (context != VSS_CTX_BACKUP)
                ck_ok(session_set_context(s, context, &error));
        ck_ok(session_set_backup_state(s, false, false, VSS_BT_FULL, false, &error));
        if (streq(state, "B0"))
                return s;
        if (writers)
                ck_finished(session_gather_writer_metadata, s);
        if (streq(state, "BM"))
                return s;
        ck_ok(session_start_snapshot_set(s, &set, &error));
        if (ret_set)
                *ret_set = set;
        ck_assert_int_eq(add_volume(s, "alpha/one"), S_OK);
        ck_assert_int_eq(add_volume(s, "beta/two"), S_OK);
        if (streq(state, "BS"))
                return s;
        if (writers)
                ck_finished(session_prepare_for_backup, s);
        if (streq(state, "BP"))
                return s;
        ck_finished(session_do_snapshot_set, s);
        if (streq(state, "BD"))
                return s;
        ck_assert_str_eq(state, "BE");
        ck_finished(session_backup_complete, s);
        return s;
}
