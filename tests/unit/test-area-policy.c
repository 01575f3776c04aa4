/* When stores grow, how far, and which copy goes for want of room. */

#include "common/time-util.h"
#include "daemon/session/area-policy.h"

#include <check.h>

#define MIB (UINT64_C(1024) * 1024)
#define GIB (1024 * MIB)

START_TEST(a_store_with_room_stays) {
        struct area a = { .used = 200 * MIB, .size = 320 * MIB };

        ck_assert_uint_eq(area_wants(&a), a.size);
        a.rate = 6 * MIB; /* not twenty seconds any more */
        a.used = 215 * MIB;
        ck_assert_uint_gt(area_wants(&a), a.size);
}
END_TEST

START_TEST(a_store_grows_ahead_of_its_load) {
        struct area a = { .used = 230 * MIB, .size = 320 * MIB };

        ck_assert_uint_eq(area_wants(&a), 390 * MIB); /* a half of what it has */
        a.rate = 100 * MIB;
        ck_assert_uint_eq(area_wants(&a), 3230 * MIB); /* what fills in thirty seconds */
        /* As full as it can be, and emptier than it was thought to be. */
        a = (struct area){ .used = 32 * MIB, .size = 32 * MIB };
        ck_assert_uint_eq(area_wants(&a), 96 * MIB);
        a = (struct area){ .used = 33 * MIB, .size = 32 * MIB };
        ck_assert_uint_eq(area_wants(&a), 97 * MIB);
}
END_TEST

START_TEST(a_wanted_size_ends_the_wanting) {
        /* Whatever the state, after one growth there is room for a while. */
        for (uint64_t size = 4 * MIB; size < 64 * GIB; size *= 3)
                for (unsigned percent = 0; percent <= 100; percent += 5)
                        for (uint64_t rate = 0; rate < GIB; rate = rate * 4 + MIB) {
                                struct area a = { .used = size / 100 * percent,
                                                  .size = size,
                                                  .rate = rate };

                                a.size = area_wants(&a);
                                ck_assert_uint_ge(a.size, size);
                                ck_assert_uint_eq(area_wants(&a), a.size);
                        }
}
END_TEST

START_TEST(the_rate_rises_at_once_and_falls_slowly) {
        struct area a = { .used = 10 * MIB };

        a.rate = area_rate(&a, 20 * MIB, USEC_PER_SEC / 2);
        ck_assert_uint_eq(a.rate, 20 * MIB);
        a.rate = area_rate(&a, 10 * MIB, USEC_PER_SEC);
        ck_assert_uint_eq(a.rate, 10 * MIB);
        ck_assert_uint_eq(area_rate(&a, 5 * MIB, USEC_PER_SEC), 5 * MIB); /* less than before */
        ck_assert_uint_eq(area_rate(&a, 50 * MIB, 0), 5 * MIB);           /* at the same moment */
}
END_TEST

START_TEST(limits_cut_what_is_wanted) {
        const struct area a = { .size = 100 * MIB };
        struct area_room room = { 100 * MIB, UINT64_MAX, 500 * MIB, UINT64_MAX };

        ck_assert_uint_eq(area_may_have(&a, 200 * MIB, &room), 200 * MIB);
        room.volume_maximum = 150 * MIB;
        ck_assert_uint_eq(area_may_have(&a, 200 * MIB, &room), 150 * MIB);
        room.all_maximum = 520 * MIB;
        ck_assert_uint_eq(area_may_have(&a, 200 * MIB, &room), 120 * MIB);
        room.all_maximum = 502 * MIB;
        ck_assert_uint_eq(area_may_have(&a, 200 * MIB, &room), a.size); /* crumbs are none */
        room.all_maximum = 400 * MIB;                                   /* it has been lowered */
        ck_assert_uint_eq(area_may_have(&a, 200 * MIB, &room), a.size);
        ck_assert_uint_eq(area_may_have(&a, 50 * MIB, &room), a.size);
}
END_TEST

static const struct snapshot_record n5 = { .number = 5, .created = 500 };
static const struct snapshot_record n7 = { .number = 7, .created = 700 };
static const struct snapshot_record n9 = { .number = 9, .created = 900 };
static const struct snapshot_record set_back = { .number = 10, .created = 100 };
/* Made before all of them, and after them; the numbers are those of the imports. */
static const struct snapshot_record imported = { .number = 11,
                                                 .created = 400,
                                                 .attributes = VSS_VOLSNAP_ATTR_IMPORTED };
static const struct snapshot_record later = { .number = 12,
                                              .created = 1200,
                                              .attributes = VSS_VOLSNAP_ATTR_IMPORTED };

static const struct {
        struct area_rank copies[3];
        size_t n, i;
        bool on_brink;
        size_t victim;
} victims[] = {
        { { { &n5, false }, { &n7, false }, { &n9, false } }, 3, 2, false, 0 },
        { { { &n9, false }, { &n7, false }, { &n5, false } }, 3, 0, false, 2 },
        { { { &n5, false }, { &n7, true }, { &n9, false } }, 3, 2, false, 1 }, /* lost anyway */
        { { { &n5, false }, { &n7, true }, { &n9, false } }, 3, 0, false, 1 },
        { { { &n5, true }, { &n7, true }, { &n9, false } }, 3, 2, false, 0 },
        { { { &n5, false }, { &n7, false } }, 2, 0, false, 2 }, /* the oldest itself: not yet */
        { { { &n5, false }, { &n7, false } }, 2, 0, true, 0 },  /* it would be lost anyway */
        { { { &n5, false } }, 1, 0, true, 1 },                  /* nobody would gain by it */
        { { { &n5, false }, { &n7, false }, { &imported, false } }, 3, 1, false, 2 },
        { { { &n5, false }, { &later, false } }, 2, 0, true, 0 },
        /* What the clock was is nothing to those that were made here. */
        { { { &n5, false }, { &set_back, false } }, 2, 1, false, 0 },
};

START_TEST(the_oldest_goes) {
        ck_assert_uint_eq(
                area_victim(victims[_i].copies, victims[_i].n, victims[_i].i, victims[_i].on_brink),
                victims[_i].victim);
}
END_TEST

START_TEST(the_youngest_is_no_surplus) {
        static const struct area_rank some[] = { { &n5, false }, { &n7, false }, { &n9, true } };
        static const struct area_rank with_older[] = { { &n7, false }, { &imported, false } };

        ck_assert_uint_eq(area_surplus(some, 3), 0);
        ck_assert_uint_eq(area_surplus(some, 1), 1);
        ck_assert_uint_eq(area_surplus(&some[1], 2), 0);
        ck_assert_uint_eq(area_surplus(NULL, 0), 0);
        ck_assert_uint_eq(area_surplus(with_older, 2), 1);
}
END_TEST

START_TEST(the_brink_is_where_the_next_look_may_be_too_late) {
        struct area a = { .used = 90 * MIB, .size = 100 * MIB };

        ck_assert(!area_on_brink(&a));
        a.rate = 4 * MIB;
        ck_assert(area_on_brink(&a));
        a = (struct area){ .used = 96 * MIB, .size = 100 * MIB };
        ck_assert(area_on_brink(&a));
}
END_TEST

int main(void) {
        Suite *s = suite_create("area-policy");
        TCase *t = tcase_create("area-policy");
        SRunner *runner;
        int failed;

        tcase_add_test(t, a_store_with_room_stays);
        tcase_add_test(t, a_store_grows_ahead_of_its_load);
        tcase_add_test(t, a_wanted_size_ends_the_wanting);
        tcase_add_test(t, the_rate_rises_at_once_and_falls_slowly);
        tcase_add_test(t, limits_cut_what_is_wanted);
        tcase_add_loop_test(t, the_oldest_goes, 0, ARRAY_SIZE(victims));
        tcase_add_test(t, the_youngest_is_no_surplus);
        tcase_add_test(t, the_brink_is_where_the_next_look_may_be_too_late);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed > 0;
}
