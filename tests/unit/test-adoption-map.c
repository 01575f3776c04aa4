/* Adopted multipath maps: known by what device-mapper calls them, never by one of their paths. */

#include "daemon/adoption/adoption-check.h"
#include "daemon/adoption/adoption-fstab.h"
#include "daemon/adoption/adoption-units.h"
#include "daemon/adoption/adoption.h"
#include "daemon/adoption/whole-file.h"
#include "daemon/providers/block.h"
#include "daemon/providers/multipath.h"
#include "tests/unit/adoption-files.h"

#define MAP "mpath-360000000000000001"

START_TEST(maps_are_known_by_their_uuids) {
        static const struct {
                const char *uuid;
                enum multipath_kind kind;
        } cases[] = {
                { NULL, MULTIPATH_NONE },
                { "", MULTIPATH_NONE },
                { "mpath-", MULTIPATH_NONE },
                { "mpath-3600", MULTIPATH_MAP },
                { "part1-mpath-3600", MULTIPATH_PARTITION },
                { "part12-mpath-3600", MULTIPATH_PARTITION },
                { "part1-mpath-", MULTIPATH_NONE },
                { "part-mpath-3600", MULTIPATH_NONE },
                { "part1-LVM-x", MULTIPATH_NONE },
                { "part1", MULTIPATH_NONE },
                { "xmpath-3600", MULTIPATH_NONE },
                { "LVM-mpath-3600", MULTIPATH_NONE },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                ck_assert_msg(multipath_look(cases[i].uuid) == cases[i].kind, "%s", cases[i].uuid);
}
END_TEST

START_TEST(a_line_has_its_map) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(adopted_done) struct adopted a = { 0 }, copy = { 0 };

        make(&a, "srv");
        ck_assert_int_eq(str_replace(&a.map, "part1-mpath-SATA disk\t#1"), 0);
        ck_assert_int_eq(adopted_put(&a, NULL), 0);
        read_list(&list);
        ck_assert_uint_eq(list.n, 1);
        ck_assert_str_eq(list.items[0].map, a.map);
        ck_assert_int_eq(adopted_copy(&copy, &list.items[0]), 0);
        ck_assert_str_eq(copy.map, a.map);
}
END_TEST

START_TEST(a_line_with_what_is_no_map_is_left_out) {
        static const char *const bad[] = { "map=", "map=LVM-x", "map=mpath-",
                                           "map=mpath-1 map=mpath-2" };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
                _cleanup_(freep) char *text = NULL;

                ck_assert_int_eq(str_format(&text, "srv uuid=1 type=ext4 %s\n", bad[i]), 0);
                put(adopted_file, text);
                read_list(&list);
                ck_assert_msg(list.n == 0 && strv_length(list.complaints) == 1, "%s", bad[i]);
        }
}
END_TEST

/* Both have the file system, and whoever maps a path keeps multipathd from it. */
START_TEST(a_path_is_not_the_map_and_the_map_no_partition) {
        char uuid[] = UUID, type[] = "ext4", device[] = "/dev/x", map[] = MAP, other[] = MAP "2";
        struct identity i = { .uuid = uuid, .type = type, .device = device };
        _cleanup_(adopted_done) struct adopted a = { 0 };
        struct vss_error error = { 0 };

        make(&a, "srv");
        ck_assert_int_eq(mapping_check_identity(&a, &i, NULL), 0);
        i.map = map;
        ck_assert_int_lt(mapping_check_identity(&a, &i, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "its multipath map is " MAP ", not none"));
        vss_error_done(&error);
        ck_assert_int_eq(str_replace(&a.map, MAP), 0);
        ck_assert_int_eq(mapping_check_identity(&a, &i, NULL), 0);
        i.map = other;
        ck_assert_int_lt(mapping_check_identity(&a, &i, NULL), 0);
        i.map = NULL;
        ck_assert_int_lt(mapping_check_identity(&a, &i, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "its multipath map is missing, not " MAP));
        vss_error_done(&error);
}
END_TEST

static void put_mapped(unsigned number, const char *uuid, unsigned below_number) {
        char path[128], text[128];

        (void)snprintf(path, sizeof(path), "dev/block/250:%u/dm/uuid", number);
        (void)snprintf(text, sizeof(text), "%s\n", uuid);
        put_below(path, text);
        (void)snprintf(path, sizeof(path), "dev/block/250:%u/slaves/x/dev", number);
        (void)snprintf(text, sizeof(text), "250:%u\n", below_number);
        put_below(path, text);
}

START_TEST(below_a_mapping_is_the_map_and_not_its_paths) {
        dev_t devno = 0;

        block_sysfs = top;
        put_mapped(9, "VSSADOPT-b", 8);
        put_mapped(8, "VSS-COPY-vss-b-real", 7); /* while there are copies */
        put_mapped(7, "part1-" MAP, 6);
        put_mapped(6, MAP, 5);
        ck_assert_int_eq(mapping_partition(makedev(250, 9), &devno), 0);
        ck_assert_uint_eq(devno, makedev(250, 7));
        ck_assert_int_eq(mapping_partition(makedev(250, 7), &devno), 0);
        ck_assert_uint_eq(devno, makedev(250, 7));
        ck_assert_int_eq(mapping_partition(makedev(250, 6), &devno), 0);
        ck_assert_uint_eq(devno, makedev(250, 6));
        put_mapped(6, "LVM-x", 5);
        ck_assert_int_eq(mapping_partition(makedev(250, 6), &devno), -EMEDIUMTYPE);
}
END_TEST

/* udev lets by-id/wwn-... lead to the mapping, but not what device-mapper calls the map. */
START_TEST(a_name_that_stays_the_maps_is_respelled_in_fstab) {
        static const struct {
                const char *link;
                bool respelled;
        } cases[] = {
                { "mapper/mpatha", true },
                { "disk/by-id/dm-name-mpatha", true },
                { "disk/by-id/dm-uuid-" MAP, true },
                { "disk/by-id/wwn-0x6", false },
        };

        ck_assert_int_eq(mkdir(below("mapper"), 0700), 0);
        ck_assert_int_eq(mkdir(below("disk"), 0700), 0);
        ck_assert_int_eq(mkdir(below("disk/by-id"), 0700), 0);
        make_node(below("dm-7"), 250, 7);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(fstab_done) struct fstab f = { 0 }, g = { 0 };
                _cleanup_(strv_freep) char **targets = NULL;
                _cleanup_(freep) char *text = NULL, *node = NULL;
                _cleanup_(adopted_done) struct adopted a = { 0 };
                bool respell = false;

                ck_assert_int_eq(str_format(&node, "%s/dm-7", top), 0);
                ck_assert_int_eq(symlink(node, below(cases[i].link)), 0);
                ck_assert_int_eq(str_format(&text, "%s /srv ext4\n", below(cases[i].link)), 0);
                put(fstab_file, text);
                make(&a, "srv");
                read_fstab(&f);
                ck_assert_int_eq(
                        adoption_fstab_find(&f, makedev(250, 7), &a, &targets, &respell, NULL), 0);
                ck_assert_msg(respell == cases[i].respelled, "%s", cases[i].link);
                ck_assert_uint_eq(strv_length(targets), 1);
                ck_assert(strv_contains(a.sources, below(cases[i].link)) != cases[i].respelled);
                ck_assert_int_eq(adoption_fstab_respell(&f, &a, NULL), 0);
                ck_assert_str_eq(get(fstab_file),
                                 cases[i].respelled ? "UUID=" UUID " /srv ext4\n" : text);
                read_fstab(&g);
                ck_assert_int_eq(adoption_fstab_restore(&g, makedev(250, 7), &a, NULL), 0);
                ck_assert_str_eq(get(fstab_file), text);
        }
}
END_TEST

/* What the mount waits for may be a path yet. */
START_TEST(the_service_waits_for_the_map) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(fstab_done) struct fstab f = { 0 };
        const char *text;

        put(adopted_file, "srv uuid=ab type=ext4 map=" MAP "\n");
        put(fstab_file, "UUID=ab /srv ext4\n");
        read_list(&list);
        read_fstab(&f);
        ck_assert_int_eq(adoption_units_write(top, &list, &f, NULL), 0);
        text = get(below("vss-adopted@srv.service.d/50-vss-adopted.conf"));
        ck_assert_str_eq(text, "[Unit]\n"
                               "Wants=dev-disk-by\\x2did-dm\\x2duuid\\x2dmpath\\x2d"
                               "360000000000000001.device\n"
                               "After=dev-disk-by\\x2did-dm\\x2duuid\\x2dmpath\\x2d"
                               "360000000000000001.device\n"
                               "Before=systemd-fsck@dev-disk-by\\x2duuid-ab.service\n"
                               "Before=srv.mount\n");
        ck_assert_int_eq(access(below("dev-disk-by\\x2did-dm\\x2duuid\\x2dmpath\\x2d"
                                      "360000000000000001.device.wants"),
                                F_OK),
                         0);
        ck_assert_int_eq(access(below("dev-disk-by\\x2duuid-ab.device.wants"), F_OK), -1);
        text = get(below("srv.mount.d/50-vss-adopted.conf"));
        ck_assert_str_eq(text, "[Unit]\nWants=vss-adopted@srv.service\n"
                               "After=vss-adopted@srv.service\n");
}
END_TEST

int main(void) {
        Suite *s = suite_create("adoption-map");
        TCase *t = tcase_create("adoption-map");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, maps_are_known_by_their_uuids);
        tcase_add_test(t, a_line_has_its_map);
        tcase_add_test(t, a_line_with_what_is_no_map_is_left_out);
        tcase_add_test(t, a_path_is_not_the_map_and_the_map_no_partition);
        tcase_add_test(t, below_a_mapping_is_the_map_and_not_its_paths);
        tcase_add_test(t, a_name_that_stays_the_maps_is_respelled_in_fstab);
        tcase_add_test(t, the_service_waits_for_the_map);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
