/* Which blocks differ, for everybody who asks: over the bus, by the library's functions and by
 * vssctl. What the provider knows comes out as it went in; and what cannot be compared is refused.
 */

#include "tests/bus/harness.h"

#include <sys/wait.h>
#include <vss/vsmgmt.h>
#include <vss/vsslinux.h>

static struct harness h;
static struct client c;
static char older[64], younger[64], other[64], set[64];

static void make_copy(char *volume, char ret_id[static 64]) {
        char *volumes[] = { volume, NULL };
        char *options[] = { NULL };
        char **ids = NULL, **devices = NULL;
        const char *made;

        reply_read(client_call(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, options),
                   "sasas", &made, &ids, &devices);
        (void)snprintf(ret_id, 64, "%s", ids[0]);
        (void)snprintf(set, sizeof(set), "%s", made);
        strv_free(ids);
        strv_free(devices);
}

static void setup(void) {
        harness_start(&h, NULL);
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", h.address, 1), 0);
        client_open(&c, &h);
        make_copy((char *)"/srv/data", older);   /* number 1 */
        make_copy((char *)"/srv/mail", other);   /* 2 */
        make_copy((char *)"/srv/data", younger); /* 3 */
}

static void teardown(void) {
        client_close(&c);
        harness_stop(&h);
}

static VSS_ID id_of(const char *text) {
        VSS_ID id;

        ck_assert_int_eq(VssIdFromString(text, &id), S_OK);
        return id;
}

static void assert_range(const VSS_SNAPSHOT_DELTA *d, uint64_t from, uint64_t offset,
                         uint64_t length) {
        uint64_t found_offset, found_length;

        ck_assert_int_eq(VssNextDeltaRange(d, from, &found_offset, &found_length), S_OK);
        ck_assert_uint_eq(found_offset, offset);
        ck_assert_uint_eq(found_length, length);
}

START_TEST(the_library_gives_the_blocks_of_a_copy_and_its_volume) {
        VSS_SNAPSHOT_DELTA *d = NULL;
        uint64_t offset = 1, length = 1;

        ck_assert_int_eq(VssQuerySnapshotDelta(id_of(older), (VSS_ID){ 0 }, &d), S_OK);
        ck_assert_uint_eq(d->block_size, 4096);
        ck_assert_uint_eq(d->volume_size, 1048576 + 2048);
        ck_assert_uint_eq(d->block_count, 257);
        ck_assert_uint_eq(d->changed_count, 10);
        ck_assert(d->exact);
        ck_assert_uint_eq(d->bitmap[0], 0x01);
        ck_assert_uint_eq(d->bitmap[1], 0xff);
        ck_assert_uint_eq(d->bitmap[2], 0x00);
        ck_assert_uint_eq(d->bitmap[32], 0x01);
        assert_range(d, 0, 0, 4096);
        assert_range(d, 100, 100, 3996);
        assert_range(d, 4096, 32768, 32768);
        assert_range(d, 65536, 1048576, 2048); /* the volume ends inside its last block */
        assert_range(d, 1048577, 1048577, 2047);
        ck_assert_int_eq(VssNextDeltaRange(d, 1048576 + 2048, &offset, &length), S_FALSE);
        ck_assert_uint_eq(offset, 0);
        ck_assert_uint_eq(length, 0);
        ck_assert_int_eq(VssNextDeltaRange(d, UINT64_MAX, &offset, &length), S_FALSE);
        ck_assert_int_eq(VssNextDeltaRange(NULL, 0, &offset, &length), E_INVALIDARG);
        ck_assert_int_eq(VssNextDeltaRange(d, 0, NULL, &length), E_INVALIDARG);
        ck_assert_int_eq(VssNextDeltaRange(d, 0, &offset, NULL), E_INVALIDARG);
        VssFreeSnapshotDelta(d);
        VssFreeSnapshotDelta(NULL);
}
END_TEST

START_TEST(the_library_gives_the_blocks_of_two_copies) {
        ULONG block_size = 0, length = 0;
        BYTE *bitmap = NULL;
        VSS_SNAPSHOT_DELTA *d = NULL;

        ck_assert_int_eq(VssQuerySnapshotDelta(id_of(older), id_of(younger), &d), S_OK);
        ck_assert_uint_eq(d->changed_count, 11);
        ck_assert(!d->exact);
        ck_assert_uint_eq(d->bitmap[0], 0x09);

        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt3_QuerySnapshotDeltaBitmap(
                                 NULL, id_of(older), id_of(younger), &block_size, &length, &bitmap),
                         S_OK);
        ck_assert_uint_eq(block_size, 4096);
        ck_assert_uint_eq(length, 257);
        ck_assert_mem_eq(bitmap, d->bitmap, 33);
        VssFreeString((char *)bitmap);
        VssFreeSnapshotDelta(d);
}
END_TEST

START_TEST(a_large_map_comes_whole) {
        VSS_SNAPSHOT_DELTA *d = NULL;

        harness_knob(&h, "large", "");
        ck_assert_int_eq(VssQuerySnapshotDelta(id_of(older), (VSS_ID){ 0 }, &d), S_OK);
        ck_assert_uint_eq(d->block_count, UINT64_C(1) << 28);
        ck_assert_uint_eq(d->changed_count, 10);
        assert_range(d, 65536, (UINT64_C(1) << 40) - 4096, 4096);
        VssFreeSnapshotDelta(d);
}
END_TEST

static void assert_refused(const char *left, const char *right, HRESULT wanted) {
        VSS_SNAPSHOT_DELTA something, *d = &something;

        ck_assert_int_eq(VssQuerySnapshotDelta(id_of(left), id_of(right), &d), wanted);
        ck_assert_ptr_null(d);
        ck_assert_msg(*VssLastErrorMessage(), "there is no sentence");
}

START_TEST(what_cannot_be_compared_is_refused) {
        static const char nobody[] = "12345678-0000-4000-8000-000000000000";
        static const char null_id[] = "00000000-0000-0000-0000-000000000000";
        ULONG block_size = 1, length = 1;
        BYTE *bitmap = (BYTE *)&h;

        assert_refused(younger, older, E_INVALIDARG);
        assert_refused(older, older, E_INVALIDARG);
        assert_refused(older, other, E_INVALIDARG);
        assert_refused(nobody, older, VSS_E_OBJECT_NOT_FOUND);
        assert_refused(older, nobody, VSS_E_OBJECT_NOT_FOUND);
        assert_refused(null_id, older, VSS_E_OBJECT_NOT_FOUND);
        assert_refused(null_id, null_id, VSS_E_OBJECT_NOT_FOUND);
        ck_assert_uint_eq(harness_count(&h, "delta"), 0);
        harness_knob(&h, "fail", "delta");
        assert_refused(older, younger, VSS_E_BAD_STATE);
        ck_assert_uint_eq(harness_count(&h, "delta"), 1);
        harness_knob(&h, "fail", NULL);

        ck_assert_int_eq(VssQuerySnapshotDelta(id_of(older), id_of(younger), NULL), E_INVALIDARG);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt3_QuerySnapshotDeltaBitmap(
                                 NULL, id_of(older), id_of(younger), NULL, &length, &bitmap),
                         E_INVALIDARG);
        ck_assert_uint_eq(length, 0);
        ck_assert_ptr_null(bitmap);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt3_QuerySnapshotDeltaBitmap(
                                 NULL, id_of(older), id_of(younger), &block_size, NULL, &bitmap),
                         E_INVALIDARG);
        ck_assert_int_eq(IVssDifferentialSoftwareSnapshotMgmt3_QuerySnapshotDeltaBitmap(
                                 NULL, id_of(older), id_of(younger), &block_size, &length, NULL),
                         E_INVALIDARG);

        (void)client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "QuerySnapshotDeltaBitmap", "ss",
                           "no id", "");
        (void)client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "QuerySnapshotDeltaBitmap", "ss",
                           older, "no id");
}
END_TEST

/* What vssctl prints; *ret_status how it ends. */
static const char *vssctl(int *ret_status, const char *arguments) {
        static char text[65536];
        char command[512];
        size_t n;
        FILE *f;

        (void)snprintf(command, sizeof(command), "'%s' %s", VSSCTL, arguments);
        f = popen(command, "re");
        ck_assert_ptr_nonnull(f);
        n = fread(text, 1, sizeof(text) - 1, f);
        text[n] = '\0';
        *ret_status = pclose(f);
        ck_assert(WIFEXITED(*ret_status));
        *ret_status = WEXITSTATUS(*ret_status);
        return text;
}

static void assert_prints(const char *arguments, const char *wanted) {
        int status;
        const char *text = vssctl(&status, arguments);

        ck_assert_msg(status == 0, "%s: %d %s", arguments, status, text);
        ck_assert_str_eq(text, wanted);
}

static void assert_ends(const char *arguments, int wanted, const char *words) {
        int status;
        const char *text = vssctl(&status, arguments);

        ck_assert_msg(status == wanted, "%s: %d %s", arguments, status, text);
        ck_assert_msg(strstr(text, words), "%s: no '%s' in %s", arguments, words, text);
}

START_TEST(vssctl_prints_ranges_a_bitmap_and_a_document) {
        static const char ranges[] = "0 4096\n32768 32768\n1048576 2048\n";
        char arguments[192];

        assert_prints("delta ShadowCopy1", ranges);
        assert_prints("delta --format ranges ShadowCopy1", ranges);
        assert_prints("delta --format extents ShadowCopy1", ranges);
        (void)snprintf(arguments, sizeof(arguments), "delta %s", older);
        assert_prints(arguments, ranges);
        assert_prints("delta ShadowCopy1 ShadowCopy3",
                      "0 4096\n12288 4096\n32768 32768\n1048576 2048\n");
        /* The set of the younger one has nothing else. */
        (void)snprintf(arguments, sizeof(arguments), "delta ShadowCopy1 %s", set);
        assert_prints(arguments, "0 4096\n12288 4096\n32768 32768\n1048576 2048\n");
        assert_prints("delta --format bitmap ShadowCopy1 | od -An -v -tx1 | tr -d ' \\n'",
                      "01ff000000000000000000000000000000000000000000000000000000000000"
                      "01");
        assert_ends("delta --json ShadowCopy1", 0, "\"younger_snapshot_id\": null,");
        assert_ends("delta --format json ShadowCopy1 ShadowCopy3", 0,
                    "\"volume_size\": 1050624,\n  \"block_size\": 4096,\n  \"blocks\": 257,\n  "
                    "\"changed_blocks\": 11,\n  \"exact\": false,\n  \"ranges\": [\n    {\n      "
                    "\"offset\": 0,\n      \"length\": 4096\n    },");
}
END_TEST

START_TEST(vssctl_says_what_is_wrong) {
        assert_ends("delta 2>&1", 1, "usage: vssctl delta");
        assert_ends("delta ShadowCopy1 ShadowCopy3 ShadowCopy2 2>&1", 1, "too much");
        assert_ends("delta --format svg ShadowCopy1 2>&1", 1, "no format 'svg'");
        assert_ends("delta ShadowCopy9 2>&1", 2, "VSS_E_OBJECT_NOT_FOUND");
        assert_ends("delta ShadowCopy3 ShadowCopy1 2>&1", 2, "E_INVALIDARG");
        assert_ends("delta ShadowCopy1 >/dev/full 2>&1; echo $? | grep .", 0, "2");
        /* There is nothing to be read of what is not there. */
        assert_ends("delta --compare ShadowCopy1 ShadowCopy3 2>&1", 2,
                    "cannot read /dev/vss/ShadowCopy1: ");
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-delta");
        TCase *t = tcase_create("bus-delta");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_test(t, the_library_gives_the_blocks_of_a_copy_and_its_volume);
        tcase_add_test(t, the_library_gives_the_blocks_of_two_copies);
        tcase_add_test(t, a_large_map_comes_whole);
        tcase_add_test(t, what_cannot_be_compared_is_refused);
        tcase_add_test(t, vssctl_prints_ranges_a_bitmap_and_a_document);
        tcase_add_test(t, vssctl_says_what_is_wrong);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
