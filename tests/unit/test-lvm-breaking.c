/* The intent of copies that are broken off: what is written is read again, and what is no such text
 * is not understood. */

#include "daemon/providers/lvm-breaking.h"

#include <check.h>
#include <stdio.h>
#include <vss/vss.h>
#include <vss/vsserror.h>

#define PROVIDER "lvm-thin"
#define VG_UUID "TIYC0Q-gPeB-zHvM-b5ea-r0oB-Yhmf-Ph2nRo"
#define A_UUID "aaaaaa-gPeB-zHvM-b5ea-r0oB-Yhmf-Ph2nRo"
#define B_UUID "bbbbbb-gPeB-zHvM-b5ea-r0oB-Yhmf-Ph2nRo"
#define COPY_UUID "cccccc-gPeB-zHvM-b5ea-r0oB-Yhmf-Ph2nRo"
#define OLD "00000000-0000-4000-8000-000000000001"
#define NEW "00000000-0000-4000-8000-000000000002"
#define DATA(origin, uuid, n)                                                                     \
        "vg=tank vg_uuid=" VG_UUID " origin=" origin " origin_uuid=" uuid " cow=vss_ShadowCopy" n \
        " cow_uuid=" COPY_UUID "\n"

static const struct snapshot_record records[] = {
        { .id = { .Data1 = 1 },
          .device = (char *)(uintptr_t) "/dev/vss/ShadowCopy7",
          .provider_data = (char *)(uintptr_t)DATA("a", A_UUID, "7") },
        { .id = { .Data1 = 2 },
          .device = (char *)(uintptr_t) "/dev/vss/ShadowCopy8",
          .provider_data = (char *)(uintptr_t)DATA("b-b", B_UUID, "8") },
};

#define TEXT                                                                                     \
        "break a\n"                                                                              \
        "as name=a_ShadowCopy7 node=ShadowCopy7 shared=0 type=ext4 old=" OLD " new=" NEW "\n"    \
        "as name=b-b_ShadowCopy8 node=ShadowCopy8 shared=1 type=- old=- new=-\n" PROVIDER " 1\n" \
        "snapshot=00000001-0000-0000-0000-000000000000\n"                                        \
        "snapshot=00000002-0000-0000-0000-000000000000\n" DATA("a", A_UUID, "7")                 \
                DATA("b-b", B_UUID, "8")

static void fill(struct lvm_breaking *b) {
        ck_assert_int_eq(lvm_breaking_init(b, records, 2, 0xa, NULL), 0);
        ck_assert_int_eq(str_replace(&b->as[0].name, "a_ShadowCopy7"), 0);
        ck_assert_int_eq(str_replace(&b->as[0].was.type, "ext4"), 0);
        ck_assert_int_eq(str_replace(&b->as[0].was.uuid, OLD), 0);
        ck_assert_int_eq(str_replace(&b->as[0].uuid, NEW), 0);
        ck_assert_int_eq(str_replace(&b->as[1].name, "b-b_ShadowCopy8"), 0);
        b->as[1].shared = true;
}

START_TEST(there_and_back) {
        _cleanup_(lvm_breaking_done) struct lvm_breaking b = { 0 }, again = { 0 };
        _cleanup_(freep) char *text = NULL, *text_again = NULL;

        fill(&b);
        ck_assert_int_eq(lvm_breaking_format(&b, PROVIDER, &text), 0);
        ck_assert_str_eq(text, TEXT);
        ck_assert_int_eq(lvm_breaking_parse(&again, PROVIDER, text), 0);
        ck_assert_uint_eq(again.flags, 0xa);
        ck_assert_uint_eq(again.n, 2);
        ck_assert_uint_eq(again.ids[1].Data1, 2);
        ck_assert_str_eq(again.copies[0].lv, "vss_ShadowCopy7");
        ck_assert_ptr_nonnull(again.copies[1].copy_dm_uuid);
        ck_assert_str_eq(again.as[0].uuid, NEW);
        ck_assert_str_eq(again.as[0].was.uuid, OLD);
        ck_assert_str_eq(again.as[0].was.type, "ext4");
        ck_assert(!again.as[0].shared);
        ck_assert_str_eq(again.as[1].node, "ShadowCopy8");
        ck_assert_ptr_null(again.as[1].uuid);
        ck_assert_ptr_null(again.as[1].was.uuid);
        ck_assert(again.as[1].shared);
        ck_assert_int_eq(lvm_breaking_format(&again, PROVIDER, &text_again), 0);
        ck_assert_str_eq(text_again, TEXT);
}
END_TEST

/* _i of them is not known any more. */
START_TEST(one_is_taken_out) {
        _cleanup_(lvm_breaking_done) struct lvm_breaking b = { 0 };

        fill(&b);
        lvm_breaking_drop(&b, (size_t)_i);
        ck_assert_uint_eq(b.n, 1);
        ck_assert_str_eq(b.as[0].node, _i == 0 ? "ShadowCopy8" : "ShadowCopy7");
        ck_assert_str_eq(b.copies[0].origin, _i == 0 ? "b-b" : "a");
        ck_assert_uint_eq(b.ids[0].Data1, _i == 0 ? 2 : 1);
        lvm_breaking_drop(&b, 0);
        ck_assert_uint_eq(b.n, 0);
}
END_TEST

static const struct {
        const char *device, *data;
} no_copies[] = {
        { NULL, DATA("a", A_UUID, "7") },
        { "ShadowCopy7", DATA("a", A_UUID, "7") },
        { "/dev/vss/ShadowCopy", DATA("a", A_UUID, "7") },
        { "/dev/vss/ShadowCopy7x", DATA("a", A_UUID, "7") },
        { "/dev/vss/ShadowCopy7 8", DATA("a", A_UUID, "7") },
        { "/dev/vss/ShadowCopy7", NULL },
        { "/dev/vss/ShadowCopy7", "something" },
        { "/dev/vss/ShadowCopy7", "vg=tank vg_uuid=" VG_UUID " origin=a origin_uuid=" A_UUID
                                  " cow=vss_ShadowCopy7 cow_uuid=-\n" },
};

START_TEST(records_that_make_no_sense) {
        struct snapshot_record r = records[0];
        struct lvm_breaking b = { 0 };
        struct vss_error error = { 0 };

        r.device = (char *)(uintptr_t)no_copies[_i].device;
        r.provider_data = (char *)(uintptr_t)no_copies[_i].data;
        ck_assert_int_lt(lvm_breaking_init(&b, &r, 1, 0, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
        ck_assert_uint_eq(b.n, 0);
        vss_error_done(&error);
}
END_TEST

#define REST(n) PROVIDER " 1\nsnapshot=00000001-0000-0000-0000-000000000000\n" DATA("a", A_UUID, n)
#define LINE "as name=x node=ShadowCopy7 shared=0 type=- old=- new=-\n"

static const char *const nonsense[] = {
        "",
        "break",
        "break x\n" LINE REST("7"),
        "break 0 " LINE REST("7"),
        "break 0\n" REST("7"),
        "break 0\n" LINE,
        "break 0\n" LINE LINE REST("7"),
        "break 0\n" LINE "lvm-thick 1\n",
        "break 0\nas name=x node=ShadowCopy7 shared=0 type=- old=- new=-",
        "break 0\nas name=x node=ShadowCopy7 shared=2 type=- old=- new=-\n" REST("7"),
        "break 0\nas name=-x node=ShadowCopy7 shared=0 type=- old=- new=-\n" REST("7"),
        "break 0\nas name= node=ShadowCopy7 shared=0 type=- old=- new=-\n" REST("7"),
        "break 0\nas name=x node=../7 shared=0 type=- old=- new=-\n" REST("7"),
        "break 0\nas name=x node=ShadowCopy7/.. shared=0 type=- old=- new=-\n" REST("7"),
        "break 0\nas name=x node=ShadowCopy7 shared=0 type=- old=- new=" NEW "\n" REST("7"),
        "break 0\nas name=x node=ShadowCopy7 shared=0 type=ext4 old=" OLD " new=-\n" REST("7"),
        "break 0\nas name=x node=ShadowCopy7 shared=0 type=- old=- new=- more=1\n" REST("7"),
        "break 0\nas node=ShadowCopy7 name=x shared=0 type=- old=- new=-\n" REST("7"),
        "break 0\n" LINE PROVIDER
        " 1\nsnapshot=00000001-0000-0000-0000-000000000000\nvg=tank vg_uuid=" VG_UUID
        " origin=a origin_uuid=" A_UUID " cow=x cow_uuid=-\n",
};

START_TEST(what_is_no_intent_is_not_understood) {
        struct lvm_breaking b = { 0 };

        ck_assert_int_eq(lvm_breaking_parse(&b, PROVIDER, nonsense[_i]), -EBADMSG);
        ck_assert_uint_eq(b.n, 0);
}
END_TEST

/* What these lack is what is wrong with them. */
START_TEST(the_sensible_one) {
        _cleanup_(lvm_breaking_done) struct lvm_breaking b = { 0 };

        ck_assert_int_eq(lvm_breaking_parse(&b, PROVIDER, "break 0\n" LINE REST("7")), 0);
        ck_assert_uint_eq(b.n, 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("lvm-breaking");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tc, there_and_back);
        tcase_add_loop_test(tc, one_is_taken_out, 0, 2);
        tcase_add_loop_test(tc, records_that_make_no_sense, 0, ARRAY_SIZE(no_copies));
        tcase_add_loop_test(tc, what_is_no_intent_is_not_understood, 0, ARRAY_SIZE(nonsense));
        tcase_add_test(tc, the_sensible_one);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
