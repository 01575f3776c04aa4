/* Memory runs out in the middle of a backup: at the first allocation, the second, ... of the whole
 * sequence, on the loop and on workers. Each time the requester gets an answer, writers that were
 * asked to freeze are told to thaw or abort, nothing stays half made, and the one creation is free
 * again. The linker sends the allocations of the daemon's layers here (--wrap); the fakes' own do
 * not count. */

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* The n-th allocation from now fails; negative: none. */
static atomic_long countdown = -1;
static _Thread_local unsigned exempt;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
int __real_vasprintf(char **ret, const char *format, va_list args)
        __attribute__((format(printf, 2, 0)));
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
int __wrap_vasprintf(char **ret, const char *format, va_list args)
        __attribute__((format(printf, 2, 0)));

static bool fails(void) {
        if (exempt > 0 || atomic_load(&countdown) < 0)
                return false;
        return atomic_fetch_sub(&countdown, 1) == 0;
}

void *__wrap_malloc(size_t n) {
        return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s) {
        return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n) {
        return fails() ? NULL : __real_strndup(s, n);
}

int __wrap_vasprintf(char **ret, const char *format, va_list args) {
        return fails() ? -1 : __real_vasprintf(ret, format, args);
}

#include "tests/unit/fake-components.h"

/* The fakes behind a door that counts nothing. */
#define EXEMPT(type, call)        \
        __extension__({           \
                type result_;     \
                exempt++;         \
                result_ = (call); \
                exempt--;         \
                result_;          \
        })

static int quiet_probe(const struct volume *v, LONG context, struct vss_error *e) {
        return EXEMPT(int, alpha_probe(v, context, e));
}
static int quiet_stage(struct provider_set **ret, struct store *store,
                       const struct volume *const *volumes, struct snapshot_record *records,
                       size_t n, struct vss_error *e) {
        return EXEMPT(int, alpha_stage(ret, store, volumes, records, n, e));
}
static int quiet_rows(struct provider_set *set, struct window *w, struct vss_error *e) {
        return EXEMPT(int, fake_rows(set, w, e));
}
static int quiet_finish(struct provider_set *set, struct vss_error *e) {
        return EXEMPT(int, fake_finish(set, e));
}
static int quiet_seal(struct provider_set *set, struct vss_error *e) {
        return EXEMPT(int, fake_seal(set, e));
}
static int quiet_abort(struct provider_set *set, struct vss_error *e) {
        return EXEMPT(int, fake_abort(set, e));
}
/* As a provider of ours would: its row and its intents go in a way that needs no luck. */
static int quiet_remove(struct store *store, const struct snapshot_record *r, bool force,
                        struct vss_error *e) {
        return EXEMPT(int, fake_remove(store, r, force, e));
}
static int quiet_open(struct volume **ret, const char *spec, struct vss_error *e) {
        return EXEMPT(int, fake_volume_open(ret, spec, e));
}
static int quiet_mount(const struct snapshot_record *r, bool writable, struct vss_error *e) {
        return EXEMPT(int, fake_mount(r, writable, e));
}
static int quiet_mount_seal(const struct snapshot_record *r, struct vss_error *e) {
        return EXEMPT(int, fake_mount_seal(r, e));
}
static int quiet_unmount(const struct snapshot_record *r, bool force, struct vss_error *e) {
        return EXEMPT(int, fake_unmount(r, force, e));
}
static int quiet_sync(int fd) {
        return EXEMPT(int, fake_sync(fd));
}
static int quiet_send(void *peer, const struct writer_event *event, uint64_t timeout_usec,
                      writer_reply_fn reply, void *userdata, struct writer_call **ret) {
        return EXEMPT(int, fake_send(peer, event, timeout_usec, reply, userdata, ret));
}

static const struct writer_transport quiet_transport = { .send = quiet_send,
                                                         .cancel = fake_cancel };
static struct provider quiet_provider;
static const struct provider *const quiet_providers[] = { &quiet_provider, NULL };
static const struct storage quiet_host = {
        .adoption = fake_adoption,
        .volume_open = quiet_open,
        .volume_list = fake_volume_list,
        .mount = quiet_mount,
        .mount_seal = quiet_mount_seal,
        .unmount = quiet_unmount,
        .sync = quiet_sync,
};

static void register_quietly(struct fake_writer *w, const char *name, VSS_APPLICATION_LEVEL level) {
        struct writer_identity identity = { .class_id = { .Data1 = (uint32_t)name[0] },
                                            .name = (char *)(uintptr_t)name,
                                            .usage = VSS_UT_USERDATA,
                                            .source = VSS_ST_OTHER,
                                            .level = level };

        w->name = name;
        w->event = host.event;
        w->journal = &host.journal;
        ck_assert_int_eq(writer_registry_add(host.registry, &w->writer, &identity, &quiet_transport,
                                             w, NULL),
                         0);
}

static void setup(void) {
        host_setup();
        quiet_provider = provider_alpha;
        quiet_provider.probe = quiet_probe;
        quiet_provider.stage = quiet_stage;
        quiet_provider.add_window_rows = quiet_rows;
        quiet_provider.finish = quiet_finish;
        quiet_provider.seal = quiet_seal;
        quiet_provider.abort = quiet_abort;
        quiet_provider.remove = quiet_remove;
        session_manager_set_observer(host.manager, NULL, NULL);
        providers_init(quiet_providers);
        storage_init(&quiet_host);
        fake_writer_gone(&host.front);
        fake_writer_gone(&host.back);
        register_quietly(&host.front, "front", VSS_APP_FRONT_END);
        register_quietly(&host.back, "back", VSS_APP_BACK_END);
}

/* The test library's assertions allocate: while the countdown runs there is none. */
static void turn_while(bool (*waiting)(void)) {
        while (waiting())
                if (sd_event_run(host.event, UINT64_MAX) < 0)
                        abort();
}

static bool is_unanswered(void) {
        return answer.n == 0;
}

static bool is_busy(void) {
        return !session_manager_is_idle(host.manager);
}

static struct async *awaited;
static bool is_pending(void) {
        return async_status(awaited) == VSS_S_ASYNC_PENDING;
}

static void await(struct async *a) {
        awaited = a;
        turn_while(is_pending);
        async_unref(a);
}

/* Whether the countdown had got to its end. */
static bool settle(void) {
        turn_while(is_busy);
        return atomic_exchange(&countdown, -1) < 0;
}

static bool is_told(const char *name) {
        char freeze[32], thaw[32], abort[32];
        const char *asked;

        (void)snprintf(freeze, sizeof(freeze), "%s:Freeze ", name);
        (void)snprintf(thaw, sizeof(thaw), "%s:Thaw ", name);
        (void)snprintf(abort, sizeof(abort), "%s:Abort ", name);
        asked = strstr(host.journal.text, freeze);
        return !asked || strstr(asked, thaw) || strstr(asked, abort);
}

static void check_all_is_well(void) {
        host_settle();
        ck_assert_msg(is_told("front") && is_told("back"), "%s", host.journal.text);
        ck_assert_uint_eq(fake.n_sets, 0);
        ck_assert_uint_eq(fake_count_intents(host.store), 0);
        ck_assert(!session_manager_set_in_progress(host.manager));
        ck_assert_uint_eq(host.journal.n_open, 0);
        fake.journal[0] = host.journal.text[0] = '\0';
}

/* The next round begins with an empty store: what it copies would grow with every round. */
static size_t drop_snapshots(void) {
        struct snapshot_record *records = NULL;
        size_t n = 0;

        ck_assert_int_eq(store_snapshot_list_all(host.store, GUID_NULL, &records, &n, NULL), 0);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(store_snapshot_delete(host.store, records[i].id, 0, NULL), 0);
        snapshot_records_free(records, n);
        return n;
}

static void on_made(void *userdata _unused_, int r, const void *result _unused_,
                    struct vss_error *error) {
        on_answer(r, error);
}

/* One script with the n-th allocation failing; false: it did not get that far. */
static bool run_script(long n) {
        static char *volumes[] = { (char *)(uintptr_t) "alpha/one", (char *)(uintptr_t) "alpha/raw",
                                   NULL };
        const struct script_options options = { .context = VSS_CTX_APP_ROLLBACK,
                                                .require_writers = true };
        size_t made;
        struct script_run *run = NULL;
        struct vss_error error = { 0 };
        bool reached;
        int r;

        memset(&answer, 0, sizeof(answer));
        atomic_store(&countdown, n);
        r = script_create_snapshot_set(&run, host.manager, 0, volumes, &options, NULL, on_made,
                                       NULL, &error);
        if (r >= 0)
                turn_while(is_unanswered);
        reached = settle();
        ck_assert_int_eq(error.hr, r < 0 ? E_OUTOFMEMORY : S_OK);
        vss_error_done(&error);
        check_all_is_well();
        made = drop_snapshots();
        ck_assert(made == 0 || made == 2); /* all or nothing */
        if (r >= 0 && answer.r >= 0)
                ck_assert_uint_eq(made, 2);
        return reached;
}

/* 0: all goes well. 1: a writer fails to freeze. 2: storage fails behind the window. The way back
 * runs out of memory, too. */
START_TEST(a_script_at_every_allocation) {
        long n = 0;

        if (_i == 1)
                host.back.answers[WRITER_EVENT_FREEZE] = FAKE_VETO;
        if (_i == 2)
                fake.fail = "finish";
        while (run_script(n))
                n++;
        ck_assert_int_gt(n, 50); /* it did look at many */
        ck_assert_int_eq(answer.hr, _i == 0   ? S_OK
                                    : _i == 1 ? VSS_E_WRITERERROR_RETRYABLE
                                              : VSS_E_PROVIDER_VETO);
}
END_TEST

/* What a requester does who goes on whatever it is told, and goes at the end. */
static bool run_session(long n) {
        static int (*const methods[])(struct session * s, struct async * *ret,
                                      struct vss_error * reterr) = { session_prepare_for_backup,
                                                                     session_do_snapshot_set,
                                                                     session_gather_writer_status,
                                                                     session_backup_complete };
        struct session *s = NULL;
        struct async *a = NULL;
        bool reached, told = true;
        VSS_ID set;

        atomic_store(&countdown, n);
        if (session_new(&s, host.manager, 0, NULL) >= 0) {
                (void)session_initialize_for_backup(s, NULL);
                (void)session_set_backup_state(s, false, false, VSS_BT_FULL, false, NULL);
                if (session_gather_writer_metadata(s, &a, NULL) >= 0)
                        await(a);
                (void)session_start_snapshot_set(s, &set, NULL);
                memset(&answer, 0, sizeof(answer));
                if (session_add_to_snapshot_set(s, "alpha/one", GUID_NULL, on_id, NULL, NULL) >= 0)
                        turn_while(is_unanswered);
                for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
                        if (methods[i](s, &a, NULL) >= 0)
                                await(a);
                        /* With the end of the call, not with the session's. */
                        told = told && is_told("front") && is_told("back");
                }
                memset(&answer, 0, sizeof(answer));
                if (session_abort_backup(s, on_nothing, NULL, NULL) >= 0)
                        turn_while(is_unanswered);
                session_free(s);
        }
        reached = settle();
        ck_assert(told);
        check_all_is_well();
        /* Those that could not even be deleted wait for the next start, as the log says. */
        ck_assert_uint_le(drop_snapshots(), 1);
        return reached;
}

START_TEST(a_session_at_every_allocation) {
        long n = 0;

        if (_i == 1)
                host.back.answers[WRITER_EVENT_FREEZE] = FAKE_VETO;
        while (run_session(n))
                n++;
        ck_assert_int_gt(n, 50);
}
END_TEST

static void try_component(struct session *s, enum session_method m, struct component_args a) {
        memset(&answer, 0, sizeof(answer));
        if (session_call_component(s, m, &a, on_nothing, NULL, NULL) == 0)
                turn_while(is_unanswered);
}

/* The same with a component, a document loaded and saved: to whom a writer answers, too. */
static bool run_documents(long n) {
        struct component_args a = args_of(&host.front, VSS_CT_FILEGROUP, "", "data");
        struct document *saved = NULL;
        struct session *s = NULL;
        struct async *async = NULL;
        bool reached;

        a.key.instance_id = instance_of(&host.front);
        a.texts[0] = "text";
        atomic_store(&countdown, n);
        if (session_new(&s, host.manager, 0, NULL) >= 0) {
                (void)session_initialize_for_backup(s, NULL);
                (void)session_set_backup_state(s, true, false, VSS_BT_FULL, false, NULL);
                if (session_gather_writer_metadata(s, &async, NULL) >= 0)
                        await(async);
                try_component(s, METHOD_ADD_COMPONENT, a);
                try_component(s, METHOD_SET_BACKUP_OPTIONS, a);
                (void)session_save_as_xml(s, &saved, NULL, NULL, NULL);
                session_free(s);
        }
        if (saved && session_new(&s, host.manager, 0, NULL) >= 0) {
                memset(&answer, 0, sizeof(answer));
                if (session_initialize_from(s, METHOD_INITIALIZE_FOR_RESTORE, saved, on_nothing,
                                            NULL, NULL) >= 0)
                        turn_while(is_unanswered);
                if (session_gather_writer_metadata(s, &async, NULL) >= 0)
                        await(async);
                a.flag = true;
                a.key.instance_id = GUID_NULL;
                try_component(s, METHOD_SET_SELECTED_FOR_RESTORE, a);
                if (session_pre_restore(s, &async, NULL) >= 0)
                        await(async);
                if (session_post_restore(s, &async, NULL) >= 0)
                        await(async);
                session_free(s);
        }
        reached = settle();
        document_unref(saved);
        check_all_is_well();
        return reached;
}

START_TEST(documents_at_every_allocation) {
        long n = 0;

        host.front.metadata = front_metadata;
        host.back.metadata = back_metadata;
        while (run_documents(n))
                n++;
        ck_assert_int_gt(n, 50);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("session-memory");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, host_teardown);
        tcase_set_timeout(tc, 120); /* some hundred sets, each with its syncs to the disk */
        tcase_add_loop_test(tc, a_script_at_every_allocation, 0, 3);
        tcase_add_loop_test(tc, a_session_at_every_allocation, 0, 2);
        tcase_add_test(tc, documents_at_every_allocation);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
