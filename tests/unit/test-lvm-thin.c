/* The parts of the lvm-thin provider that need no storage: what the kernel says of pools and thin
 * volumes, whether there is room for copies, and what the window does for them. */

#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-thin.h"
#include "daemon/window/dm-kernel.h"

#include <check.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#define MIB (UINT64_C(1024) * 1024)

/* As Linux 6.1 and 6.12 say it. */
#define GOOD "2 113/1024 290/3200 - rw discard_passdown queue_if_no_space - 256"

START_TEST(the_state_of_a_pool_is_understood) {
        static const struct {
                const char *status;
                const char *unfit; /* a word of the reason; NULL: copies can be made */
        } cases[] = {
                { GOOD, NULL },
                { "0 10/100 0/10 77 rw no_discard_passdown error_if_no_space - 25", NULL },
                { "0 10/100 10/10 - out_of_data_space discard_passdown queue_if_no_space - 25",
                  NULL }, /* that is for when a set is made */
                { "2 113/1024 290/3200 - ro discard_passdown queue_if_no_space - 256",
                  "read-only" },
                { "2 113/1024 290/3200 - rw discard_passdown queue_if_no_space needs_check 256",
                  "needs a check" },
                { "2 113/1024 290/3200 - ro discard_passdown queue_if_no_space needs_check 256",
                  "needs a check" },
                /* Before Linux 4.0 and 4.19. */
                { "2 113/1024 290/3200 - rw discard_passdown queue_if_no_space", NULL },
                { "2 113/1024 290/3200 - rw discard_passdown queue_if_no_space -", NULL },
                { "Fail", "has failed" },
                { "Error", "has failed" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct thin_pool p = { 0 };
                const char *unfit;

                ck_assert_msg(thin_pool_parse(&p, cases[i].status) == 0, "%s", cases[i].status);
                unfit = thin_pool_unfit(&p);
                if (cases[i].unfit)
                        ck_assert_msg(unfit && strstr(unfit, cases[i].unfit), "%s: %s",
                                      cases[i].status, str_or_empty(unfit));
                else
                        ck_assert_msg(!unfit, "%s: %s", cases[i].status, unfit);
        }
}
END_TEST

START_TEST(the_numbers_of_a_pool_are_understood) {
        struct thin_pool p = { 0 };

        ck_assert_int_eq(thin_pool_parse(&p, GOOD), 0);
        ck_assert_uint_eq(p.transaction_id, 2);
        ck_assert_uint_eq(p.metadata_used, 113);
        ck_assert_uint_eq(p.metadata_total, 1024);
        ck_assert_uint_eq(p.data_used, 290);
        ck_assert_uint_eq(p.data_total, 3200);
}
END_TEST

START_TEST(what_is_no_state_is_not_understood) {
        static const char *const texts[] = {
                "",
                "2",
                "2 113/1024",
                "2 113/1024 290/3200 -",
                "2 113 290/3200 - rw discard_passdown queue_if_no_space - 256",
                "2 1025/1024 290/3200 - rw discard_passdown queue_if_no_space - 256",
                "2 113/1024 3201/3200 - rw discard_passdown queue_if_no_space - 256",
                "fail",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct thin_pool p = { 0 };

                ck_assert_msg(thin_pool_parse(&p, texts[i]) == -EBADMSG, "%s", texts[i]);
        }
}
END_TEST

static int room(uint64_t free_blocks, uint64_t free_metadata, bool out_of_space,
                const uint64_t *mapped, size_t n, struct vss_error *reterr) {
        const struct thin_pool p = {
                .name = (char[]){ "tank/pool" },
                .block_bytes = 64 * 1024,
                .metadata_used = 1024 - free_metadata,
                .metadata_total = 1024,
                .data_used = 16000 - free_blocks,
                .data_total = 16000,
                .out_of_space = out_of_space,
        };

        return thin_pool_check_room(&p, mapped, n, reterr);
}

START_TEST(a_pool_that_is_nearly_full_takes_no_copies) {
        /* Two that can change by 32 MiB at least, and one that has no more than 1. */
        const uint64_t mapped[] = { 500 * MIB, 32 * MIB, 1 * MIB };
        static const struct {
                uint64_t free_blocks, free_metadata;
                bool out_of_space;
                const char *word; /* NULL: there is room */
        } cases[] = {
                { 16000, 1024, false, NULL },
                { 65 * 16, 1024, false, NULL },
                { 65 * 16 - 1, 1024, false, "of data left" },
                { 0, 1024, false, "of data left" },
                { 16000, 1024, true, "of data left" },
                { 16000, 256, false, NULL },
                { 16000, 255, false, "--poolmetadatasize" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                int r = room(cases[i].free_blocks, cases[i].free_metadata, cases[i].out_of_space,
                             mapped, ARRAY_SIZE(mapped), &error);

                if (!cases[i].word) {
                        ck_assert_msg(r == 0, "case %zu: %s", i, error.message);
                        continue;
                }
                ck_assert_int_eq(r, -ENOSPC);
                ck_assert_int_eq(error.hr, VSS_E_INSUFFICIENT_STORAGE);
                ck_assert_ptr_nonnull(strstr(error.message, "tank/pool"));
                ck_assert_msg(strstr(error.message, cases[i].word) != NULL, "%s", error.message);
        }
}
END_TEST

START_TEST(the_kernels_mark_of_large_metadata_is_enough) {
        const struct thin_pool p = {
                .name = (char[]){ "tank/pool" },
                .block_bytes = 64 * 1024,
                .metadata_used = 100000 - 1024,
                .metadata_total = 100000,
                .data_total = 16000,
        };

        ck_assert_int_eq(thin_pool_check_room(&p, NULL, 0, NULL), 0);
}
END_TEST

START_TEST(a_thin_volume_knows_its_pool) {
        struct thin_volume v = { 0 };

        ck_assert_int_eq(thin_volume_parse(&v, "253:3 7"), 0);
        ck_assert_uint_eq(v.pool, makedev(253, 3));
        ck_assert_uint_eq(v.id, 7);
        ck_assert_str_eq(v.external, "");
        ck_assert_int_eq(thin_volume_parse(&v, "253:300 16777215 253:9"), 0);
        ck_assert_uint_eq(v.pool, makedev(253, 300));
        ck_assert_uint_eq(v.id, 16777215);
        ck_assert_str_eq(v.external, "253:9");
}
END_TEST

START_TEST(what_is_no_thin_volume_is_not_understood) {
        static const char *const texts[] = { "", "253:3", "253 3", "/dev/dm-3 1", "253:3 x" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct thin_volume v;

                ck_assert_msg(thin_volume_parse(&v, texts[i]) == -EBADMSG, "%s", texts[i]);
        }
}
END_TEST

START_TEST(an_intent_is_its_own_providers) {
        _cleanup_(lvm_intent_done) struct lvm_intent intent = { 0 };
        _cleanup_(freep) char *text = NULL;

        ck_assert_int_eq(lvm_intent_format("lvm-thin", &(struct lvm_intent_subject){ 0 }, &text),
                         0);
        ck_assert_str_eq(text, "lvm-thin 1\n");
        ck_assert_int_eq(lvm_intent_parse(&intent, "lvm-thick", text), -EBADMSG);
        ck_assert_int_eq(lvm_intent_parse(&intent, "lvm", text), -EBADMSG);
        ck_assert_int_eq(lvm_intent_parse(&intent, "lvm-thin", text), 0);
        ck_assert_uint_eq(intent.n, 0);
}
END_TEST

/* A device-mapper that writes down what it is asked, in the order in which it was: one line of a
 * page that the guard shares. */
#define LINES_MAX 32
#define POOL makedev(253, 3)
#define ORIGIN(i) makedev(253, 10 + (unsigned)(i))
#define N_ORIGINS 3

struct fake_pool {
        char lines[LINES_MAX][64];
        _Atomic unsigned n;
        char refuses[64]; /* this message */
};

static struct fake_pool *fake;

static int fake_ioctl(int fd, unsigned long command, struct dm_ioctl *arg) {
        const struct dm_target_msg *target = (const void *)(arg + 1);
        unsigned line;

        (void)fd;
        if (command == DM_DEV_STATUS)
                return 0;
        line = atomic_fetch_add(&fake->n, 1);
        if (line >= LINES_MAX)
                return -ENOSPC;
        if (command == DM_TARGET_MSG)
                (void)snprintf(fake->lines[line], sizeof(fake->lines[line]), "%u: %s",
                               (unsigned)(arg->dev & 0xff), target->message);
        else
                (void)snprintf(fake->lines[line], sizeof(fake->lines[line]), "%s",
                               command == DM_DEV_SUSPEND
                                       ? (arg->flags & DM_SUSPEND_FLAG ? "suspend" : "resume")
                                       : "other");
        return command == DM_TARGET_MSG && streq(target->message, fake->refuses) ? -EIO : 0;
}

static int fake_open_control(void) {
        return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int fake_lock_memory(void) {
        return 0;
}

static void fake_unlock_memory(void) {}

static const struct dm_kernel fake_kernel = {
        .open_control = fake_open_control,
        .ioctl = fake_ioctl,
        .lock_memory = fake_lock_memory,
        .unlock_memory = fake_unlock_memory,
};

/* The window of a set of volumes of one pool. */
static int run_window(const char *refuses, struct vss_error *reterr) {
        static char *const names[N_ORIGINS] = { (char *)"/srv/a/", (char *)"/srv/b/",
                                                (char *)"/srv/c/" };
        const struct window_options options = {
                .hold_usec = 20000000,
                .flush_usec = 20000000,
                .kernel = &fake_kernel,
        };
        struct thin_member members[N_ORIGINS] = { 0 };
        struct provider_set set = { .base = { .n = N_ORIGINS }, .members = members };
        struct window_result result;
        struct window *w = NULL;
        int r;

        fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(fake, MAP_FAILED);
        (void)snprintf(fake->refuses, sizeof(fake->refuses), "%s", refuses);
        for (unsigned i = 0; i < N_ORIGINS; i++) {
                members[i].volume = names[i];
                members[i].origin = ORIGIN(i);
                members[i].thin = (struct thin_volume){ .pool = POOL, .id = i + 1 };
                members[i].id = i + 100;
        }
        ck_assert_int_eq(window_new(&w, &options), 0);
        ck_assert_int_eq(provider_lvm_thin.add_window_rows(&set, w, NULL), 0);
        ck_assert_uint_eq(window_row_count(w), N_ORIGINS);
        ck_assert_int_eq(window_prepare(w, NULL), 0);
        r = window_run(w, &result, reterr);
        window_free(w);
        return r;
}

static unsigned count_lines(unsigned from, unsigned to, const char *line) {
        unsigned n = 0;

        for (unsigned i = from; i < to && i < atomic_load(&fake->n); i++)
                n += streq(fake->lines[i], line);
        return n;
}

START_TEST(the_window_makes_each_copy_with_all_origins_suspended) {
        struct vss_error error = { 0 };

        ck_assert_msg(run_window("", &error) == 0, "%s", str_or_empty(error.message));
        ck_assert_uint_eq(atomic_load(&fake->n), 3 * N_ORIGINS);
        ck_assert_uint_eq(count_lines(0, N_ORIGINS, "suspend"), N_ORIGINS);
        ck_assert_uint_eq(count_lines(N_ORIGINS, 2 * N_ORIGINS, "3: create_snap 100 1"), 1);
        ck_assert_uint_eq(count_lines(N_ORIGINS, 2 * N_ORIGINS, "3: create_snap 101 2"), 1);
        ck_assert_uint_eq(count_lines(N_ORIGINS, 2 * N_ORIGINS, "3: create_snap 102 3"), 1);
        ck_assert_uint_eq(count_lines(2 * N_ORIGINS, 3 * N_ORIGINS, "resume"), N_ORIGINS);
}
END_TEST

START_TEST(a_pool_that_refuses_a_copy_ends_the_window) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        ck_assert_int_lt(run_window("create_snap 101 2", &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        ck_assert_msg(strstr(error.message, "/srv/b/") != NULL, "%s", error.message);
        ck_assert_uint_eq(count_lines(0, LINES_MAX, "suspend"), N_ORIGINS);
        ck_assert_uint_eq(count_lines(0, LINES_MAX, "resume"), N_ORIGINS);
        /* There is no inactive table of ours that would have to go. */
        ck_assert_uint_eq(count_lines(0, LINES_MAX, "other"), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("lvm-thin");
        TCase *t = tcase_create("lvm-thin");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(t, 60);
        tcase_add_test(t, the_state_of_a_pool_is_understood);
        tcase_add_test(t, the_numbers_of_a_pool_are_understood);
        tcase_add_test(t, what_is_no_state_is_not_understood);
        tcase_add_test(t, a_pool_that_is_nearly_full_takes_no_copies);
        tcase_add_test(t, the_kernels_mark_of_large_metadata_is_enough);
        tcase_add_test(t, a_thin_volume_knows_its_pool);
        tcase_add_test(t, what_is_no_thin_volume_is_not_understood);
        tcase_add_test(t, the_window_makes_each_copy_with_all_origins_suspended);
        tcase_add_test(t, a_pool_that_refuses_a_copy_ends_the_window);
        tcase_add_test(t, an_intent_is_its_own_providers);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
