/* Which volumes are held together, and for how long. */

#include "daemon/providers/volume-hold.h"

#include <check.h>

#define GROUP "LVM-L1e6mujFuKNip8rM0viGRrFn9Gy5isPI"
#define OTHER "LVM-L1e6mujFuKNip8rM0viGRrFn9Gy5isPJ"
#define LV_A "TIYC0QgPeBUO90GMc7y6zmA0Y1bIu15O"
#define LV_B "0tXmVQowDaT3cx33KhW0pGvPKlz1NKNb"

START_TEST(a_volume_group_is_held_as_one) {
        static const struct {
                const char *a, *b;
                bool same;
        } cases[] = {
                { GROUP LV_A, GROUP LV_B, true },
                { GROUP LV_A, GROUP LV_B "-tpool", true },
                { GROUP LV_A, OTHER LV_A, false },
                { GROUP LV_A, "CRYPT-LUKS1-a", false },
                { "CRYPT-LUKS1-a", "CRYPT-LUKS1-a", true },
                { "CRYPT-LUKS1-a", "CRYPT-LUKS1-ab", false },
                { "", NULL, true }, /* what has no UUID */
                { "", "CRYPT-LUKS1-a", false },
                { "", GROUP LV_A, false },
                { "LVM-", GROUP LV_A, false }, /* which none is called */
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                ck_assert_int_eq(volume_hold_is_same(cases[i].a, cases[i].b), cases[i].same);
                ck_assert_int_eq(volume_hold_is_same(cases[i].b, cases[i].a), cases[i].same);
        }
}
END_TEST

START_TEST(it_is_held_until_it_is_let_go) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        ck_assert(!volume_is_held(NULL));
        ck_assert_int_eq(volume_hold_check(GROUP LV_A, "/srv", &error), 0);
        ck_assert_int_eq(volume_hold_add(GROUP LV_A), 0);
        ck_assert_int_eq(volume_hold_add(GROUP LV_A), 0);
        ck_assert_int_eq(volume_hold_add(NULL), 0);
        ck_assert(volume_is_held(GROUP LV_B));
        ck_assert(volume_is_held(""));
        ck_assert(!volume_is_held(OTHER LV_A));
        ck_assert_int_eq(volume_hold_check(GROUP LV_B, "/srv", &error), -EBUSY);
        ck_assert_int_eq(error.hr, VSS_E_PROVIDER_VETO);
        ck_assert_ptr_nonnull(strstr(error.message, "/srv"));
        volume_hold_remove(GROUP LV_A);
        ck_assert(volume_is_held(GROUP LV_A));
        volume_hold_remove(GROUP LV_A);
        ck_assert(!volume_is_held(GROUP LV_A));
        volume_hold_remove("");
        ck_assert(!volume_is_held(NULL));
        volume_hold_remove(""); /* nothing */
}
END_TEST

START_TEST(a_revert_holds_its_volume_alone) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        const VSS_ID one = { .Data1 = 1 }, two = { .Data1 = 2 };
        VSS_ID found;

        ck_assert(!volume_any_is_reverting());
        ck_assert_int_eq(volume_revert_add(GROUP LV_A, one), 0);
        ck_assert_int_eq(volume_revert_add(GROUP LV_A, one), 0); /* which is one all the same */
        ck_assert_int_eq(volume_revert_add("CRYPT-LUKS1-a", two), 0);
        ck_assert(volume_any_is_reverting());
        ck_assert(volume_is_reverting(GROUP LV_A, &found));
        ck_assert_uint_eq(found.Data1, 1);
        ck_assert(volume_is_reverting("CRYPT-LUKS1-a", NULL));
        ck_assert(!volume_is_reverting(GROUP LV_B, NULL));
        ck_assert(!volume_is_reverting(NULL, NULL));
        ck_assert(!volume_is_held(GROUP LV_A)); /* its figures are asked for */
        ck_assert_int_eq(volume_hold_check(GROUP LV_B, "/srv", &error), 0);
        ck_assert_int_eq(volume_hold_check(GROUP LV_A, "/srv", &error), -EBUSY);
        ck_assert_int_eq(error.hr, VSS_E_PROVIDER_VETO);
        ck_assert_ptr_nonnull(strstr(error.message, "being reverted"));
        volume_revert_remove(one);
        ck_assert(!volume_is_reverting(GROUP LV_A, NULL));
        volume_revert_remove(one); /* nothing */
        volume_revert_remove(two);
        ck_assert(!volume_any_is_reverting());
}
END_TEST

int main(void) {
        Suite *s = suite_create("volume-hold");
        TCase *t = tcase_create("volume-hold");
        SRunner *runner;
        int n_failed;

        tcase_add_test(t, a_volume_group_is_held_as_one);
        tcase_add_test(t, it_is_held_until_it_is_let_go);
        tcase_add_test(t, a_revert_holds_its_volume_alone);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
