/* What is noted of a revert: it is read as it was written, and what was not written so is refused.
 */

#include "daemon/session/revert-note.h"

#include "common/vss-id.h"
#include <check.h>
#include <stdlib.h>

static const VSS_ID id = { 0x01020304, 0x0506, 0x0708, { 1, 2, 3, 4, 5, 6, 7, 8 } };
#define ID "01020304-0506-0708-0102-030405060708"

static void fill(struct revert_note *n) {
        *n = (struct revert_note){ .id = id, .total = UINT64_MAX, .at_boot = true };
        ck_assert_int_eq(str_replace(&n->boot, "boot-id"), 0);
        ck_assert_int_eq(str_replace(&n->provider, "lvm-thick"), 0);
        ck_assert_int_eq(str_replace(&n->origin_uuid, "LVM-abc"), 0);
        ck_assert_int_eq(str_replace(&n->volume, "/srv/with blank\nand line/"), 0);
        ck_assert_int_eq(str_replace(&n->device, "/dev/vss/ShadowCopy7"), 0);
        ck_assert_int_eq(str_replace(&n->data, "vg=a lv=b\nsecond line\n"), 0);
        ck_assert_int_eq(str_replace(&n->mounts, "mount /a ext4 / rw\nmount /b ext4 /x ro\n"), 0);
        ck_assert_int_eq(strv_append(&n->names, "/dev/a/b"), 0);
        ck_assert_int_eq(strv_append(&n->names, "data here"), 0);
}

START_TEST(it_is_read_as_it_was_written) {
        _cleanup_(revert_note_done) struct revert_note n = { 0 }, back = { 0 };
        _cleanup_(freep) char *text = NULL, *again = NULL;
        struct snapshot_record r;

        fill(&n);
        ck_assert_int_eq(revert_note_format(&n, &text), 0);
        ck_assert_int_eq(revert_note_parse(&back, text), 0);
        ck_assert(vss_id_equal(back.id, id));
        ck_assert_uint_eq(back.total, UINT64_MAX);
        ck_assert(back.at_boot);
        ck_assert_str_eq(back.volume, n.volume);
        ck_assert_str_eq(back.data, n.data);
        ck_assert_str_eq(back.mounts, n.mounts);
        ck_assert_str_eq(back.names[1], "data here");
        ck_assert_ptr_null(back.names[2]);
        ck_assert_int_eq(revert_note_format(&back, &again), 0);
        ck_assert_str_eq(text, again);
        r = revert_note_record(&back, GUID_NULL);
        ck_assert_str_eq(r.provider_data, n.data);
        ck_assert_str_eq(r.device, n.device);
}
END_TEST

START_TEST(of_little) {
        _cleanup_(revert_note_done) struct revert_note n = { 0 };

        ck_assert_int_eq(revert_note_parse(&n, "revert " ID " 0 b now\nprovider p\norigin \n"
                                               "volume v\ndevice \ndata "),
                         0);
        ck_assert(!n.at_boot && !n.has_state);
        ck_assert_str_eq(n.mounts, "");
        ck_assert_str_eq(n.data, "");
        ck_assert_ptr_null(n.names);
        ck_assert_ptr_null(revert_note_record(&n, GUID_NULL).device);
}
END_TEST

START_TEST(when_it_begins) {
        for (unsigned i = 0; i < 3; i++) {
                _cleanup_(revert_note_done) struct revert_note n = { 0 }, back = { 0 };
                _cleanup_(freep) char *text = NULL;

                fill(&n);
                n.at_boot = i > 0;
                n.has_state = i > 1;
                ck_assert_int_eq(revert_note_format(&n, &text), 0);
                ck_assert_int_eq(revert_note_parse(&back, text), 0);
                ck_assert_int_eq(back.at_boot, n.at_boot);
                ck_assert_int_eq(back.has_state, n.has_state);
        }
}
END_TEST

#define HEAD "revert " ID " 5 b now\n"
#define REST "provider p\norigin u\nvolume v\ndevice d\n"
static const char *const wrong[] = {
        "",
        "data x",
        HEAD,
        HEAD REST,
        HEAD "data x",
        "revert " ID " 5 b later\n" REST "data x",
        "revert " ID " 5 b now \n" REST "data x",
        "revert " ID " 5 b boot-with-states\n" REST "data x",
        "revert " ID " 5 b boot-with\n" REST "data x",
        "revert " ID " 5 b\n" REST "data x",
        "revert 1234 5 b now\n" REST "data x",
        "revert " ID " x b now\n" REST "data x",
        REST HEAD "data x",
        HEAD REST "provider q\ndata x",
        HEAD REST "colour red\ndata x",
        HEAD REST "\ndata x",
        HEAD REST HEAD "data x",
        HEAD "provider p\norigin u\nvolume v\ndata x",
};

START_TEST(what_was_not_written_so) {
        _cleanup_(revert_note_done) struct revert_note n = { 0 };

        ck_assert_int_eq(revert_note_parse(&n, wrong[_i]), -EBADMSG);
        ck_assert_ptr_null(n.provider);
}
END_TEST

START_TEST(any_beginning_of_one) {
        _cleanup_(revert_note_done) struct revert_note n = { 0 };
        _cleanup_(freep) char *text = NULL;
        size_t data;

        fill(&n);
        ck_assert_int_eq(revert_note_format(&n, &text), 0);
        data = (size_t)(strstr(text, "\ndata ") - text) + strlen("\ndata ");
        for (size_t l = 0; l < data; l++) {
                _cleanup_(revert_note_done) struct revert_note back = { 0 };
                _cleanup_(freep) char *part = strndup(text, l);

                ck_assert_int_eq(revert_note_parse(&back, part), -EBADMSG);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("revert-note");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tc, it_is_read_as_it_was_written);
        tcase_add_test(tc, of_little);
        tcase_add_test(tc, when_it_begins);
        tcase_add_loop_test(tc, what_was_not_written_so, 0, ARRAY_SIZE(wrong));
        tcase_add_test(tc, any_beginning_of_one);
        suite_add_tcase(s, tc);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
