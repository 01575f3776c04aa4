/* Reverting thick and thin volumes, over an LVM and a device-mapper that a death leaves as they
 * are: after one between any two steps whoever comes next brings the revert to its end, and the
 * copy is never forgotten before the volume reads as it. */

#include "daemon/providers/copy-link.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-revert.h"
#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/snapshot-merge.h"
#include "daemon/providers/vg-lock.h"

#include <check.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define VG_UUID "aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"
#define ORIGIN_UUID "bbbbbb-bbbb-bbbb-bbbb-bbbb-bbbb-bbbbbb"
#define COPY_UUID "cccccc-cccc-cccc-cccc-cccc-cccc-cccccc"
#define DEATH 99

/* Shared with who dies. */
static struct machine {
        enum lvm_merge lvm;
        bool linked, active, inactive_table, merging, copied, reverted;
        bool copy, copy_suspended, store;
        bool being_removed;  /* by an LVM of its own, which has the group's lock */
        unsigned steps_left; /* until death; 0: none */
        unsigned n_flushes, flushed_before_load;
        char complaint[64];
} * m;

static void step(void) {
        if (m->steps_left > 0 && --m->steps_left == 0)
                _exit(DEATH);
}

static int refuse(struct vss_error *reterr, const char *what) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO, "%s", what);
}

/* --- LVM --- */

int lvm_revert_parse(struct lvm_copy *ret, const struct snapshot_record *r _unused_,
                     struct vss_error *reterr _unused_) {
        ck_assert_int_eq(lvm_copy_init(ret, "tank", VG_UUID, "data", ORIGIN_UUID, "vss_ShadowCopy7",
                                       COPY_UUID),
                         0);
        return 0;
}

int lvm_revert_open(struct lvm **ret, struct vss_error *reterr _unused_) {
        *ret = NULL;
        return 0;
}

struct lvm *lvm_close(struct lvm *l _unused_) {
        return NULL;
}

const char *lvm_complaint(const struct lvm *l _unused_) {
        return m->complaint;
}

void lvm_merge_state_done(struct lvm_merge_state *s) {
        free(s->vg);
        free(s->origin);
        free(s->lv);
        free(s->lv_uuid);
        *s = (struct lvm_merge_state){ 0 };
}

int lvm_merge_ask(struct lvm_merge_state *ret, struct lvm *l _unused_,
                  const struct lvm_copy *c _unused_, struct vss_error *reterr _unused_) {
        *ret = (struct lvm_merge_state){ .state = m->lvm,
                                         .vg = strdup("tank"),
                                         .origin = strdup("data"),
                                         .lv = strdup("vss_ShadowCopy7"),
                                         .linked = m->linked };
        return 0;
}

void lvm_revert_state(enum lvm_merge state, struct revert_progress *ret) {
        static const enum revert_state states[] = {
                [LVM_MERGE_COPY] = REVERT_NONE,
                [LVM_MERGE_MARKED] = REVERT_WAITING,
                [LVM_MERGE_GONE] = REVERT_OVER,
                [LVM_MERGE_LOST] = REVERT_LOST,
        };

        *ret = (struct revert_progress){ .state = states[state] };
}

int lvm_revert_claim(const struct lvm_copy *c _unused_, int *ret_fd,
                     struct vss_error *reterr _unused_) {
        *ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return 0;
}

int lvm_revert_find(const char *provider _unused_, const struct intent_record *intent _unused_,
                    struct snapshot_record *ret _unused_, struct vss_error *reterr _unused_) {
        return 0;
}

/* The metadata change in one step: before it nothing has happened, after it everything has. */
static void obey(const char *line) {
        if (strstr(line, "--mergesnapshot"))
                m->lvm = LVM_MERGE_MARKED;
        else if (strstr(line, "--mergethin")) {
                if (!m->linked)
                        strcpy(m->complaint, "is not a mergeable logical volume");
                else if (m->active)
                        m->lvm = LVM_MERGE_MARKED;
                else {
                        m->lvm = LVM_MERGE_GONE;
                        m->reverted = true;
                }
        } else if (strstr(line, "lvremove")) {
                ck_assert_msg(m->reverted && !m->copy && !m->store, "the copy was lost: %s", line);
                m->lvm = LVM_MERGE_GONE;
        } else if (strstr(line, " -an "))
                m->active = false;
        else if (strstr(line, " -ay "))
                m->active = true;
        else
                ck_abort_msg("%s", line);
}

int lvm_tell(struct lvm *l _unused_, struct vss_error *reterr _unused_, const char *format, ...) {
        char line[256];
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(line, sizeof(line), format, ap);
        va_end(ap);
        step();
        obey(line);
        step();
        return 0;
}

int lvm_life_activate(const struct lvm_kind *kind _unused_,
                      const struct snapshot_record *r _unused_, struct vss_error *reterr _unused_) {
        m->copy = true;
        return 0;
}

extern const struct lvm_kind thin_kind;
const struct lvm_kind thin_kind = { .provider = "lvm-thin" };

int vg_locks_take(struct vg_locks *l, const char **names _unused_, size_t n _unused_,
                  VSS_ID owner _unused_, struct vss_error *reterr _unused_) {
        *l = (struct vg_locks){ 0 };
        if (m->being_removed)
                m->lvm = LVM_MERGE_GONE;
        m->being_removed = false;
        return 0;
}

void vg_locks_drop(struct vg_locks *l _unused_) {}

void copy_link_remove(const char *link _unused_) {}

/* --- device-mapper --- */

int mapper_find_uuid(const char *uuid, struct mapper_info *ret, struct vss_error *reterr _unused_) {
        *ret = (struct mapper_info){ 0 };
        if (strstr(uuid, "cow"))
                ret->exists = m->store;
        else if (strstr(uuid, "cccccc"))
                ret->exists = m->copy;
        else
                ret->exists = m->active;
        ret->live_table = ret->exists;
        (void)snprintf(ret->name, sizeof(ret->name), "%s", "a-device");
        return 0;
}

int mapper_remove(const char *name _unused_, bool deferred _unused_,
                  struct vss_error *reterr _unused_) {
        step();
        m->copy = false; /* the only one that is removed by that */
        return 0;
}

int mapper_read_table(const char *name _unused_, struct mapper_table *ret,
                      struct vss_error *reterr _unused_) {
        *ret = (struct mapper_table){ 0 };
        return 0;
}

void mapper_table_done(struct mapper_table *t _unused_) {}

bool snapshot_devices_is_cache(const struct mapper_table *table _unused_) {
        return false;
}

int snapshot_merge_check(const struct snapshot_devices *d _unused_, struct vss_error *reterr) {
        return m->copy ? 0 : refuse(reterr, "the copy is not active");
}

int snapshot_merge_prepare(const struct snapshot_devices *d, struct vss_error *reterr) {
        int r = snapshot_merge_check(d, reterr);

        if (r < 0)
                return r;
        m->flushed_before_load = m->n_flushes;
        step();
        m->inactive_table = true;
        step();
        m->copy_suspended = true;
        step();
        return 0;
}

void snapshot_merge_cancel(const struct snapshot_devices *d _unused_) {
        m->inactive_table = m->copy_suspended = false;
}

int snapshot_merge_start(const struct snapshot_devices *d _unused_,
                         struct vss_error *reterr _unused_) {
        ck_assert(m->inactive_table && m->copy_suspended && m->lvm == LVM_MERGE_MARKED);
        step();
        m->inactive_table = false;
        m->merging = m->reverted = true;
        step();
        m->copy = false;
        step();
        return 0;
}

int snapshot_merge_rescue(const struct snapshot_devices *d _unused_,
                          struct vss_error *reterr _unused_) {
        return 0;
}

int snapshot_merge_look(const struct snapshot_devices *d _unused_, struct revert_progress *ret,
                        struct vss_error *reterr _unused_) {
        *ret = (struct revert_progress){ .state = !m->merging ? REVERT_NONE
                                                  : m->copied ? REVERT_COPIED
                                                              : REVERT_RUNNING };
        return 0;
}

int snapshot_devices_remove_copy(const struct snapshot_devices *d _unused_, bool force _unused_,
                                 struct vss_error *reterr _unused_) {
        m->copy = false;
        return 0;
}

int snapshot_devices_end_merge(const struct snapshot_devices *d _unused_,
                               struct vss_error *reterr _unused_) {
        step();
        ck_assert(m->copied);
        m->merging = false;
        step();
        return 0;
}

int snapshot_devices_remove_store(const struct snapshot_devices *d _unused_,
                                  struct vss_error *reterr _unused_) {
        step();
        m->store = false;
        step();
        return 0;
}

int snapshot_devices_rescue(const struct snapshot_devices *d _unused_,
                            struct vss_error *reterr _unused_) {
        return 0;
}

int ioctl(int fd _unused_, unsigned long request, ...) {
        ck_assert_uint_eq(request, BLKFLSBUF);
        m->n_flushes++;
        return 0;
}

/* --- --- */

/* lvm-thin.h, which has a set of its own, as the other header has. */
int thin_revert(const struct snapshot_record *record, bool at_boot, struct vss_error *reterr);
int thin_revert_check(const struct snapshot_record *record, bool at_boot, struct vss_error *reterr);
int thin_revert_look(const struct snapshot_record *record, struct revert_progress *ret,
                     struct vss_error *reterr);
int thin_revert_back(const struct snapshot_record *record, struct vss_error *reterr);
int thin_revert_end(const struct snapshot_record *record, struct vss_error *reterr);

static const struct snapshot_record record;
static const struct kind {
        int (*revert)(const struct snapshot_record *r, bool at_boot, struct vss_error *reterr);
        int (*look)(const struct snapshot_record *r, struct revert_progress *ret,
                    struct vss_error *reterr);
        int (*end)(const struct snapshot_record *r, struct vss_error *reterr);
        int (*back)(const struct snapshot_record *r, struct vss_error *reterr);
} kinds[] = {
        { thick_revert, thick_revert_look, thick_revert_end, thick_revert_back },
        { thin_revert, thin_revert_look, thin_revert_end, thin_revert_back },
};
enum { THICK, THIN };

static void setup(void) {
        m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(m, MAP_FAILED);
        *m = (struct machine){
                .lvm = LVM_MERGE_COPY, .linked = true, .active = true, .copy = true, .store = true
        };
}

static void teardown(void) {
        (void)munmap(m, sizeof(*m));
}

/* As revert-steps.c does it: by what is there. false: it is over. */
static bool go_on(const struct kind *k) {
        struct revert_progress now;

        ck_assert_int_eq(k->look(&record, &now, NULL), 0);
        switch (now.state) {
        case REVERT_NONE:
                ck_assert_int_eq(k->back(&record, NULL), 0);
                ck_assert(m->active && m->copy && !m->copy_suspended && !m->inactive_table);
                ck_assert_int_eq(k->revert(&record, false, NULL), 0);
                return true;
        case REVERT_WAITING: ck_assert_int_eq(k->revert(&record, false, NULL), 0); return true;
        case REVERT_RUNNING:
                ck_assert_int_eq(k->revert(&record, false, NULL), 0); /* as a start does */
                m->copied = true;
                return true;
        case REVERT_COPIED:
        case REVERT_OVER: ck_assert_int_eq(k->end(&record, NULL), 0); break;
        case REVERT_FAILED:
        case REVERT_LOST: ck_abort();
        }
        return now.state != REVERT_OVER;
}

static void run(const struct kind *k) {
        for (unsigned turns = 0; go_on(k); turns++)
                ck_assert_uint_lt(turns, 10);
}

static void expect_reverted(unsigned kind) {
        ck_assert_int_eq(m->lvm, LVM_MERGE_GONE);
        ck_assert(m->reverted && m->active && !m->merging && !m->inactive_table && !m->copy);
        ck_assert_int_eq(m->store, kind == THIN); /* which has none */
}

START_TEST(a_death_between_any_two_steps) {
        unsigned n_deaths = 0;
        int status = 0;

        for (unsigned after = 1; n_deaths == after - 1; after++) {
                pid_t pid;

                teardown();
                setup();
                pid = fork();
                if (pid == 0) {
                        m->steps_left = after;
                        run(&kinds[_i]);
                        _exit(0);
                }
                ck_assert_int_gt(pid, 0);
                ck_assert_int_eq(waitpid(pid, &status, 0), pid);
                ck_assert(WIFEXITED(status));
                n_deaths += WEXITSTATUS(status) == DEATH;
                m->steps_left = 0;
                run(&kinds[_i]);
                expect_reverted((unsigned)_i);
        }
        ck_assert_int_eq(WEXITSTATUS(status), 0);
        ck_assert_uint_ge(n_deaths, _i == THICK ? 14 : 7);
}
END_TEST

/* Who has read the volume before does not read what it was. */
START_TEST(the_cache_is_emptied) {
        ck_assert_int_eq(thick_revert(&record, false, NULL), 0);
        ck_assert_uint_eq(m->flushed_before_load, 1);
        ck_assert_uint_eq(m->n_flushes, 2);
}
END_TEST

/* As LVM leaves it while the volume is in use: only that counts as waiting. */
START_TEST(what_waits) {
        struct revert_progress now;

        m->lvm = LVM_MERGE_MARKED;
        m->store = _i & 1;
        m->copy = _i & 2;
        ck_assert_int_eq(thick_revert_look(&record, &now, NULL), 0);
        ck_assert_int_eq(now.state, m->copy ? REVERT_WAITING : REVERT_COPIED);
}
END_TEST

/* As an LVM has it in the midst of ending the merge itself: the copy is nobody's, and still there.
 */
START_TEST(what_lvm_is_about_to_end) {
        struct revert_progress now;

        m->linked = m->copy = m->store = false;
        m->being_removed = m->reverted = true;
        ck_assert_int_eq(thick_revert_look(&record, &now, NULL), 0);
        ck_assert_int_eq(now.state, REVERT_OVER);
        run(&kinds[THICK]);
        expect_reverted(THICK);
}
END_TEST

/* Nobody is at it: it was taken from its volume, and not by a merge. */
START_TEST(a_copy_that_was_split_off_was_not_merged) {
        struct revert_progress now;

        m->linked = false;
        ck_assert_int_eq(thick_revert_look(&record, &now, NULL), 0);
        ck_assert_int_eq(now.state, REVERT_NONE);
}
END_TEST

/* LVM has lost whose copy it is: nothing is tried, and nobody's volume goes for it. */
START_TEST(a_thin_copy_of_what_was_reverted_since) {
        struct vss_error error = { 0 };

        m->linked = _i == 0;
        ck_assert_int_eq(thin_revert_check(&record, false, &error) < 0, _i > 0);
        if (_i == 0)
                return;
        ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(error.message, "vssctl break"));
        vss_error_done(&error);
        m->steps_left = 1; /* it would end the test */
        ck_assert_int_lt(thin_revert(&record, false, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert(m->active && m->copy);
        vss_error_done(&error);
}
END_TEST

int main(void) {
        Suite *s = suite_create("lvm-revert-steps");
        TCase *t = tcase_create("lvm-revert-steps");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_loop_test(t, a_death_between_any_two_steps, 0, ARRAY_SIZE(kinds));
        tcase_add_test(t, the_cache_is_emptied);
        tcase_add_loop_test(t, what_waits, 0, 4);
        tcase_add_test(t, what_lvm_is_about_to_end);
        tcase_add_test(t, a_copy_that_was_split_off_was_not_merged);
        tcase_add_loop_test(t, a_thin_copy_of_what_was_reverted_since, 0, 2);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
