/* What an earlier run left is undone while another program has the origin suspended, with a table
 * that it has loaded: over a device-mapper of one device. */

#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/providers/dm.h"
#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/vg-lock.h"
#include "daemon/window/held-origin.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define VG_UUID "L1e6mu-jFuK-Nip8-rM0v-iGRr-Fn9G-y5isPI"
#define LV_UUID "TIYC0Q-gPeB-UO90-GMc7-y6zm-A0Y1-bIu15O"
#define COW_UUID "0tXmVQ-owDa-T3cx-33Kh-W0pG-vPKl-z1NKNb"
#define LINE                                                                   \
        "id=6ba7b810-9dad-11d1-80b4-00c04fd430c8 number=4000000007 boot=b00t " \
        "origin=luks-1 origin_uuid=CRYPT-LUKS2-x-luks-1 store=file:/nonexistent\n"

static struct {
        char uuid[129];
        _Atomic bool suspended, inactive_table;
        _Atomic unsigned n_looks, n_touched;
        const char *live; /* the only target of its table */
} origin;

/* --- daemon/providers/mapper.h, of that device --- */

int mapper_find_uuid(const char *uuid, struct mapper_info *ret, struct vss_error *reterr _unused_) {
        *ret = (struct mapper_info){ 0 };
        if (!streq(uuid, origin.uuid))
                return 0;
        origin.n_looks++;
        ret->exists = ret->live_table = true;
        ret->suspended = origin.suspended;
        ret->inactive_table = origin.inactive_table;
        (void)snprintf(ret->name, sizeof(ret->name), "tank-data");
        (void)snprintf(ret->uuid, sizeof(ret->uuid), "%s", uuid);
        return 0;
}

int mapper_find_name(const char *name _unused_, struct mapper_info *ret,
                     struct vss_error *reterr _unused_) {
        *ret = (struct mapper_info){ 0 };
        return 0;
}

int mapper_resume(const struct mapper_info *device _unused_, struct vss_error *reterr _unused_) {
        origin.n_touched++;
        origin.suspended = false;
        return 0;
}

int mapper_clear(const char *name _unused_, struct vss_error *reterr _unused_) {
        origin.n_touched++;
        origin.inactive_table = false;
        return 0;
}

int mapper_read_table(const char *name _unused_, struct mapper_table *ret,
                      struct vss_error *reterr _unused_) {
        ck_assert_ptr_nonnull(origin.live);
        ret->targets = calloc(1, sizeof(*ret->targets));
        ck_assert_ptr_nonnull(ret->targets);
        ret->targets[0].type = (char *)(uintptr_t)origin.live;
        ret->n = 1;
        return 0;
}

void mapper_table_done(struct mapper_table *t) {
        free(t->targets);
        *t = (struct mapper_table){ 0 };
}

/* None of what else there is is called. */
#define NEVER(function, ...)                   \
        int function(__VA_ARGS__) {            \
                ck_abort_msg("%s", #function); \
                return -ENOSYS;                \
        }

NEVER(mapper_table_add, struct mapper_table *t _unused_, uint64_t start _unused_,
      uint64_t length _unused_, const char *type _unused_, const char *params _unused_)
NEVER(mapper_read_status, const char *name _unused_, struct mapper_table *ret _unused_,
      struct vss_error *reterr _unused_)
NEVER(mapper_peek_status, const char *name _unused_, struct mapper_table *ret _unused_,
      struct vss_error *reterr _unused_)
NEVER(mapper_create, const char *name _unused_, const char *uuid _unused_,
      const struct mapper_table *table _unused_, bool read_only _unused_,
      struct vss_error *reterr _unused_)
NEVER(mapper_announce, const struct mapper_info *device _unused_, uint16_t flags _unused_,
      struct vss_error *reterr _unused_)
NEVER(mapper_load, const char *name _unused_, const struct mapper_table *table _unused_,
      bool read_only _unused_, struct vss_error *reterr _unused_)
NEVER(mapper_suspend, const struct mapper_info *device _unused_, struct vss_error *reterr _unused_)
NEVER(mapper_message, const char *name _unused_, const char *message _unused_,
      struct vss_error *reterr _unused_)
NEVER(mapper_remove, const char *name _unused_, bool deferred _unused_,
      struct vss_error *reterr _unused_)
NEVER(mapper_make_node, const char *name _unused_, struct vss_error *reterr _unused_)

uint64_t mapper_table_length(const struct mapper_table *t _unused_) {
        ck_abort();
        return 0;
}

const char *mapper_table_find_other(const struct mapper_table *t _unused_,
                                    const char *const *types _unused_) {
        ck_abort();
        return NULL;
}

bool mapper_has_udev(void) {
        return false;
}

void mapper_let_udev_finish(void) {}

/* --- a start --- */

static char top[] = "/tmp/test-recover-XXXXXX";
static struct store *store;
static char program[64], started[64], lock[64];

/* It says when it was started: the lock comes next. */
static void setup(void) {
        FILE *f;

        memset(&origin, 0, sizeof(origin));
        ck_assert_ptr_nonnull(mkdtemp(top));
        ck_assert_int_eq(store_open(&store, top, NULL), 0);
        (void)snprintf(program, sizeof(program), "%s/lvm", top);
        (void)snprintf(started, sizeof(started), "%s/started", top);
        (void)snprintf(lock, sizeof(lock), "%s/V_tank", top);
        f = fopen(program, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fprintf(f, "#!/bin/sh\n>%s\nwhile read -r x; do :; done\n", started), 0);
        ck_assert_int_eq(fchmod(fileno(f), 0700), 0);
        ck_assert_int_eq(fclose(f), 0);
        lvm_program = program;
        lvm_lock_directory = vg_lock_directory = top;
}

static void teardown(void) {
        _cleanup_(closedirp) DIR *d = NULL;

        store_close(store);
        d = opendir(top);
        ck_assert_ptr_nonnull(d);
        for (const struct dirent *e; (e = readdir(d));)
                if (e->d_name[0] != '.')
                        ck_assert_int_eq(unlinkat(dirfd(d), e->d_name, 0), 0);
        ck_assert_int_eq(rmdir(top), 0);
}

static bool is_there(const char *path) {
        return access(path, F_OK) == 0;
}

static unsigned count_intents(void) {
        struct intent_record *intents = NULL;
        size_t n = 0;

        ck_assert_int_eq(store_intent_list(store, &intents, &n, NULL), 0);
        intent_records_free(intents, n);
        return (unsigned)n;
}

#define WAIT_FOR(condition)                                                             \
        for (uint64_t end_ = now_monotonic_usec() + 20 * USEC_PER_SEC; !(condition);) { \
                ck_assert_msg(now_monotonic_usec() < end_, "%s", #condition);           \
                (void)usleep(1000);                                                     \
        }

static int undo_nothing(struct lvm *l _unused_, struct lvm_copy *const *copies _unused_,
                        size_t n _unused_, const struct lvm_undo *options _unused_,
                        struct vss_error *reterr _unused_) {
        /* Nobody else is at it any more. */
        ck_assert(!origin.suspended && !origin.inactive_table);
        return 0;
}

static int forget_nothing(struct lvm *l _unused_, struct lvm_copy *const *copies _unused_,
                          size_t n _unused_, struct vss_error *reterr _unused_) {
        return 0;
}

static const struct lvm_kind kind = {
        .provider = "lvm-thick",
        .activation = "",
        .undo_devices = undo_nothing,
        .forget = forget_nothing,
};

static void *recover_thread(void *p) {
        struct vss_error error = { 0 };

        ck_assert_msg(lvm_life_recover(&kind, store, p, &error) == 0, "%s", error.message);
        return NULL;
}

/* The command has the group locked, as whoever recovers has to. */
START_TEST(what_an_lvm_command_has_suspended_is_left_to_it) {
        _cleanup_(lvm_copy_done) struct lvm_copy copy = { 0 };
        const VSS_ID id = { .Data1 = 17 };
        const struct lvm_intent_subject subject = {
                .snapshots = &id,
                .copies = (struct lvm_copy *[]){ &copy },
                .n = 1,
        };
        struct intent_record record = { .provider = (char *)(uintptr_t) "lvm-thick",
                                        .kind = (char *)(uintptr_t)LVM_INTENT_DELETE };
        pthread_t thread;
        int command;

        ck_assert_int_eq(lvm_copy_init(&copy, "tank", VG_UUID, "data", LV_UUID, "c1", COW_UUID), 0);
        ck_assert_int_eq(lvm_intent_format("lvm-thick", &subject, &record.data), 0);
        ck_assert_int_eq(store_intent_open(store, &record, &record.id, NULL), 0);
        (void)snprintf(origin.uuid, sizeof(origin.uuid), "%s", copy.origin_dm_uuid);
        command = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0700);
        ck_assert_int_eq(flock(command, LOCK_EX), 0);
        origin.suspended = origin.inactive_table = true;

        ck_assert_int_eq(pthread_create(&thread, NULL, recover_thread, &record), 0);
        WAIT_FOR(is_there(started) || origin.n_touched > 0);
        (void)usleep(100 * 1000); /* it is at the lock, and waits there */
        ck_assert_uint_eq(origin.n_touched, 0);
        /* The command ends. What it has left is what a crash may have left, too. */
        origin.inactive_table = _i > 0;
        origin.suspended = _i > 0;
        ck_assert_int_eq(close(command), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_uint_eq(origin.n_touched, _i > 0 ? 2 : 0);
        ck_assert_uint_eq(count_intents(), 0);
        free(record.data);
}
END_TEST

/* There is no lock that would tell: it is waited for, and left alone. */
START_TEST(what_a_program_has_suspended_is_waited_for) {
        const struct intent_record intent = { .kind = (char *)(uintptr_t)DM_INTENT_CREATE,
                                              .data = (char *)(uintptr_t)LINE };
        struct vss_error error = { 0 };

        (void)snprintf(origin.uuid, sizeof(origin.uuid), "CRYPT-LUKS2-x-luks-1");
        origin.suspended = origin.inactive_table = true;
        snapshot_devices_await_usec = 50 * USEC_PER_MSEC;
        ck_assert_int_eq(provider_dm.recover(store, &intent, &error), -ETIMEDOUT);
        ck_assert_ptr_nonnull(strstr(error.message, "dmsetup resume tank-data"));
        ck_assert_uint_gt(origin.n_looks, 1);
        ck_assert_uint_eq(origin.n_touched, 0);
        vss_error_done(&error);
        /* Of the first look, before anybody else can have been there, it is a crash's. */
        ck_assert_int_eq(provider_dm.rescue(&intent, origin.uuid, &error), 0);
        ck_assert(!origin.suspended && !origin.inactive_table);
}
END_TEST

static void make_record(struct snapshot_record *r) {
        _cleanup_(lvm_copy_done) struct lvm_copy copy = { 0 };

        ck_assert_int_eq(lvm_copy_init(&copy, "tank", VG_UUID, "data", LV_UUID, "c1", COW_UUID), 0);
        ck_assert_int_eq(lvm_copy_format(&copy, &r->provider_data), 0);
        (void)snprintf(origin.uuid, sizeof(origin.uuid), "%s", copy.origin_dm_uuid);
}

static void *go_back_thread(void *p) {
        struct vss_error error = { 0 };

        ck_assert_msg(provider_lvm_thick.revert_back(p, &error) == 0, "%s", error.message);
        return NULL;
}

/* A revert that was not begun: whoever puts it back has the group locked, too. */
START_TEST(what_an_lvm_command_has_suspended_no_revert_resumes) {
        struct snapshot_record record = { 0 };
        pthread_t thread;
        int command;

        make_record(&record);
        command = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0700);
        ck_assert_int_eq(flock(command, LOCK_EX), 0);
        origin.suspended = origin.inactive_table = true;
        ck_assert_int_eq(pthread_create(&thread, NULL, go_back_thread, &record), 0);
        WAIT_FOR(origin.n_looks > 0);
        (void)usleep(200 * 1000); /* it is at the lock, and waits there */
        ck_assert_uint_eq(origin.n_touched, 0);
        ck_assert_int_eq(close(command), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_uint_eq(origin.n_touched, 2);
        ck_assert(!origin.suspended && !origin.inactive_table);
        snapshot_record_done(&record);
}
END_TEST

/* Its intent is open for hours: only what nobody else leaves so is a crash's. */
static const struct {
        bool suspended, inactive_table;
        const char *live;
        bool resumed;
} reverts[] = {
        { true, false, "snapshot-merge", true },
        { true, true, "snapshot-merge", false }, /* LVM ends the merge */
        { true, false, "linear", false },        /* a revert that waits */
        { true, false, "snapshot-origin", false },
        { false, false, "snapshot-merge", false },
};

START_TEST(what_a_revert_has_left_suspended) {
        struct snapshot_record record = { 0 };

        make_record(&record);
        origin.suspended = reverts[_i].suspended;
        origin.inactive_table = reverts[_i].inactive_table;
        origin.live = reverts[_i].live;
        ck_assert_int_eq(provider_lvm_thick.revert_rescue(&record, NULL), 0);
        ck_assert_uint_eq(origin.n_touched, reverts[_i].resumed);
        ck_assert_int_eq(origin.suspended, reverts[_i].suspended && !reverts[_i].resumed);
        snapshot_record_done(&record);
}
END_TEST

/* The making of the copy, of a state that was reverted with its volume: LVM ends that just now. */
START_TEST(what_lvm_is_ending) {
        _cleanup_(lvm_copy_done) struct lvm_copy copy = { 0 };
        const VSS_ID id = { .Data1 = 17 };
        const struct lvm_intent_subject subject = {
                .snapshots = &id,
                .copies = (struct lvm_copy *[]){ &copy },
                .n = 1,
        };
        struct intent_record record = { .provider = (char *)(uintptr_t) "lvm-thick",
                                        .kind = (char *)(uintptr_t)LVM_INTENT_CREATE };

        ck_assert_int_eq(lvm_copy_init(&copy, "tank", VG_UUID, "data", LV_UUID, "c1", COW_UUID), 0);
        ck_assert_int_eq(lvm_intent_format("lvm-thick", &subject, &record.data), 0);
        (void)snprintf(origin.uuid, sizeof(origin.uuid), "%s", copy.origin_dm_uuid);
        origin.suspended = origin.inactive_table = true;
        origin.live = _i == 0 ? "snapshot-merge" : "snapshot-origin";
        ck_assert_int_eq(provider_lvm_thick.rescue(&record, origin.uuid, NULL), 0);
        ck_assert_uint_eq(origin.n_touched, _i == 0 ? 0 : 2);
        free(record.data);
}
END_TEST

static struct lvm_copy *undone[2], *forgotten[2];
static size_t n_undone, n_forgotten;

static int note_undone(struct lvm *l _unused_, struct lvm_copy *const *copies, size_t n,
                       const struct lvm_undo *options _unused_, struct vss_error *reterr _unused_) {
        memcpy(undone, copies, n * sizeof(*copies));
        n_undone = n;
        return 0;
}

static int note_forgotten(struct lvm *l _unused_, struct lvm_copy *const *copies, size_t n,
                          struct vss_error *reterr _unused_) {
        memcpy(forgotten, copies, n * sizeof(*copies));
        n_forgotten = n;
        return 0;
}

/* Its storage died in the window of a set: what is left of the other volumes goes all the same. */
START_TEST(what_hangs_keeps_no_other_volume_of_its_set) {
        static const struct lvm_kind noting = {
                .provider = "lvm-thick",
                .activation = "",
                .undo_devices = note_undone,
                .forget = note_forgotten,
        };
        const struct lvm_undo options = { .set_id = { .Data1 = 17 } };
        _cleanup_(lvm_copy_done) struct lvm_copy hanging = { 0 }, other = { 0 };
        struct lvm_copy *copies[] = { &hanging, &other };
        struct vss_error error = { 0 };
        struct held_origin held;

        ck_assert_int_eq(lvm_copy_init(&hanging, "tank", VG_UUID, "data", LV_UUID, "c1", COW_UUID),
                         0);
        ck_assert_int_eq(lvm_copy_init(&other, "tank", VG_UUID, "b", COW_UUID, "c2", LV_UUID), 0);
        (void)snprintf(origin.uuid, sizeof(origin.uuid), "%s", hanging.origin_dm_uuid);
        origin.suspended = true;
        held_origin_add(&held, 0);
        held.since_usec = 0; /* as long ago as it can be */

        ck_assert_int_eq(lvm_undo(&noting, copies, 2, &options, &error), -EBUSY);
        ck_assert_ptr_nonnull(strstr(error.message, "tank-data is still suspended"));
        ck_assert_uint_eq(n_undone, 1);
        ck_assert_ptr_eq(undone[0], &other);
        ck_assert_uint_eq(n_forgotten, 1);
        ck_assert_ptr_eq(forgotten[0], &other);

        /* And that one, when it answers. */
        held_origin_remove(&held);
        vss_error_done(&error);
        ck_assert_int_eq(lvm_undo(&noting, copies, 2, &options, &error), 0);
        ck_assert_uint_eq(n_forgotten, 2);
        ck_assert(!origin.suspended);
}
END_TEST

int main(void) {
        Suite *s = suite_create("recover-suspended");
        TCase *t = tcase_create("recover-suspended");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(t, 60);
        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_loop_test(t, what_an_lvm_command_has_suspended_is_left_to_it, 0, 2);
        tcase_add_test(t, what_a_program_has_suspended_is_waited_for);
        tcase_add_test(t, what_an_lvm_command_has_suspended_no_revert_resumes);
        tcase_add_loop_test(t, what_a_revert_has_left_suspended, 0, ARRAY_SIZE(reverts));
        tcase_add_loop_test(t, what_lvm_is_ending, 0, 2);
        tcase_add_test(t, what_hangs_keeps_no_other_volume_of_its_set);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
