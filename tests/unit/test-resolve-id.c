/* Ids as people type them: whole, in part, in braces, by number. */

#include "cli/resolve-id.h"

#include <check.h>

static VSS_ID id(const char *text) {
        VSS_ID v;

        ck_assert_int_eq(VssIdFromString(text, &v), S_OK);
        return v;
}

#define SET_A "aaaa1111-0000-4000-8000-000000000001"
#define SET_B "aaaa2222-0000-4000-8000-000000000002"
#define COPY_1 "bbbb1111-0000-4000-8000-000000000001"
#define COPY_2 "bbbb2222-0000-4000-8000-000000000002"
#define COPY_3 "cccc3333-0000-4000-8000-000000000003"

struct fixture {
        VSS_SNAPSHOT_INFO items[3];
        VSS_SNAPSHOT_INFO *list[4];
};

static void fixture_init(struct fixture *f) {
        static char devices[3][32] = { "/dev/vss/ShadowCopy1", "/dev/vss/ShadowCopy2",
                                       "/dev/vss/ShadowCopy10" };
        static const char *const ids[3][2] = { { COPY_1, SET_A },
                                               { COPY_2, SET_A },
                                               { COPY_3, SET_B } };

        *f = (struct fixture){ 0 };
        for (size_t i = 0; i < 3; i++) {
                f->items[i].block_device = devices[i];
                f->items[i].properties.m_SnapshotId = id(ids[i][0]);
                f->items[i].properties.m_SnapshotSetId = id(ids[i][1]);
                f->list[i] = &f->items[i];
        }
}

static void expect(const struct fixture *f, const char *text, const char *want,
                   VSS_OBJECT_TYPE type) {
        struct resolved got;
        char buf[VSS_ID_STRING_SIZE];

        ck_assert_msg(resolve_id(&got, text, f->list) == RESOLVE_FOUND, "'%s' was not found", text);
        ck_assert_str_eq(VssIdToString(got.id, buf), want);
        ck_assert_int_eq(got.type, type);
}

START_TEST(whole_ids_in_any_dress) {
        struct fixture f;

        fixture_init(&f);
        expect(&f, COPY_1, COPY_1, VSS_OBJECT_SNAPSHOT);
        expect(&f, "{" COPY_1 "}", COPY_1, VSS_OBJECT_SNAPSHOT);
        expect(&f, "BBBB1111-0000-4000-8000-000000000001", COPY_1, VSS_OBJECT_SNAPSHOT);
        expect(&f, SET_A, SET_A, VSS_OBJECT_SNAPSHOT_SET);
}
END_TEST

START_TEST(beginnings_that_fit_one) {
        struct fixture f;

        fixture_init(&f);
        expect(&f, "cccc", COPY_3, VSS_OBJECT_SNAPSHOT);
        expect(&f, "bbbb2", COPY_2, VSS_OBJECT_SNAPSHOT);
        expect(&f, "{aaaa1", SET_A, VSS_OBJECT_SNAPSHOT_SET);
        expect(&f, "AAAA2222-", SET_B, VSS_OBJECT_SNAPSHOT_SET);
}
END_TEST

START_TEST(names_and_paths_of_copies) {
        struct fixture f;

        fixture_init(&f);
        expect(&f, "ShadowCopy1", COPY_1, VSS_OBJECT_SNAPSHOT);
        expect(&f, "shadowcopy10", COPY_3, VSS_OBJECT_SNAPSHOT);
        expect(&f, "/run/vss/ShadowCopy2", COPY_2, VSS_OBJECT_SNAPSHOT);
}
END_TEST

START_TEST(what_fits_none_or_many) {
        struct fixture f;
        struct resolved got;

        fixture_init(&f);
        ck_assert_int_eq(resolve_id(&got, "aaaa", f.list), RESOLVE_AMBIGUOUS);
        ck_assert_int_eq(resolve_id(&got, "bbbb", f.list), RESOLVE_AMBIGUOUS);
        ck_assert_int_eq(resolve_id(&got, "dddd", f.list), RESOLVE_NOT_FOUND);
        ck_assert_int_eq(resolve_id(&got, "ccc", f.list), RESOLVE_TOO_SHORT);
        ck_assert_int_eq(resolve_id(&got, "", f.list), RESOLVE_TOO_SHORT);
        ck_assert_int_eq(resolve_id(&got, "{}", f.list), RESOLVE_TOO_SHORT);
        ck_assert_int_eq(resolve_id(&got, "ShadowCopy3", f.list), RESOLVE_NOT_FOUND);
        ck_assert_int_eq(resolve_id(&got, COPY_1 "0", f.list), RESOLVE_NOT_FOUND);
        ck_assert_int_eq(resolve_id(&got, "bbbb1111}", f.list), RESOLVE_NOT_FOUND);
        ck_assert_int_eq(resolve_id(&got, "/", f.list), RESOLVE_NOT_FOUND);
}
END_TEST

int main(void) {
        Suite *s = suite_create("resolve-id");
        TCase *c = tcase_create("resolve-id");
        SRunner *runner;
        int failed;

        tcase_add_test(c, whole_ids_in_any_dress);
        tcase_add_test(c, beginnings_that_fit_one);
        tcase_add_test(c, names_and_paths_of_copies);
        tcase_add_test(c, what_fits_none_or_many);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
