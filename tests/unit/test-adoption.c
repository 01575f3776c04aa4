/* Adopted partitions: the list and what hostile bytes make of it, names of units, what the
 * generator writes, and when a partition is not the one that was adopted. (fstab:
 * test-adoption-fstab.c.) */

#include "daemon/adoption/activation.h"
#include "daemon/adoption/adopted.h"
#include "daemon/adoption/adoption-check.h"
#include "daemon/adoption/adoption-units.h"
#include "daemon/adoption/adoption.h"
#include "daemon/adoption/mapping.h"
#include "daemon/adoption/unit-name.h"
#include "daemon/adoption/whole-file.h"
#include "daemon/job/run-program.h"
#include "daemon/providers/block.h"
#include "tests/unit/adoption-files.h"

START_TEST(a_line_comes_back_as_it_was_written) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(adopted_done) struct adopted a = { 0 };
        const struct adopted *b;

        make(&a, "srv-data");
        ck_assert_int_eq(str_replace(&a.partuuid, "5653534c-01"), 0);
        ck_assert_int_eq(str_replace(&a.label, "two words\t#\\ \n=\xc3\xa4"), 0);
        ck_assert_int_eq(str_replace(&a.partlabel, "p"), 0);
        ck_assert_int_eq(strv_append(&a.sources, "/dev/disk/by-id/x y"), 0);
        ck_assert_int_eq(strv_append(&a.sources, "/dev/disk/by-path/z"), 0);
        ck_assert_int_eq(strv_append(&a.respelled, "/dev/vda1 /srv/data"), 0);
        a.root = true;
        a.pending = true;
        ck_assert_int_eq(adopted_put(&a, NULL), 0);
        read_list(&list);
        ck_assert_ptr_null(list.complaints);
        ck_assert_uint_eq(list.n, 1);
        b = adopted_list_find(&list, "srv-data");
        ck_assert_ptr_nonnull(b);
        ck_assert_str_eq(b->uuid, UUID);
        ck_assert_str_eq(b->type, "ext4");
        ck_assert_str_eq(b->partuuid, a.partuuid);
        ck_assert_str_eq(b->label, a.label);
        ck_assert_str_eq(b->partlabel, "p");
        ck_assert_uint_eq(b->size, 4096);
        ck_assert_uint_eq(strv_length(b->sources), 2);
        ck_assert_str_eq(b->sources[0], "/dev/disk/by-id/x y");
        ck_assert_str_eq(b->respelled[0], "/dev/vda1 /srv/data");
        ck_assert(b->root && b->pending);
}
END_TEST

START_TEST(other_lines_stay_to_the_byte) {
        static const char text[] =
                "# mine\n\nother uuid=1 type=xfs\nbad\x01line\nsrv uuid=2 type=xfs\n"
                "srv-2 uuid=3 type=xfs\n";
        _cleanup_(adopted_done) struct adopted a = { 0 };

        put(adopted_file, text);
        make(&a, "srv");
        ck_assert_int_eq(adopted_put(&a, NULL), 0);
        ck_assert_str_eq(get(adopted_file),
                         "# mine\n\nother uuid=1 type=xfs\nbad\x01line\nsrv uuid=" UUID
                         " type=ext4 size=4096\nsrv-2 uuid=3 type=xfs\n");
        ck_assert_int_eq(adopted_drop("srv", NULL), 0);
        ck_assert_int_eq(adopted_drop("srv", NULL), 0);
        ck_assert_str_eq(get(adopted_file),
                         "# mine\n\nother uuid=1 type=xfs\nbad\x01line\nsrv-2 uuid=3 type=xfs\n");
}
END_TEST

START_TEST(what_is_not_right_is_left_out_and_the_rest_counts) {
        static const char *const bad[] = {
                "srv",
                "srv type=ext4",
                ("srv uuid=" UUID),
                "srv uuid=../x type=ext4",
                "srv uuid= type=ext4",
                "srv uuid=a/b type=ext4",
                "srv uuid=1\\0502 type=ext4",
                "srv uuid=1 uuid=2 type=ext4",
                "srv uuid=1 type=ext4 type=xfs",
                "srv uuid=1 type=ext4 size=-1",
                "srv uuid=1 type=ext4 size=1x",
                "srv uuid=1 type=ext4 size=99999999999999999999",
                "srv uuid=1 type=ext4 color=red",
                "srv uuid=1 type=ext4 root=no",
                "srv uuid=1 type=ext4 state=done",
                "srv uuid=1 type=ext4 respelled=/dev/sda1",
                "srv uuid=1 type=ext4 label=a\\000b",
                "srv uuid=1 type=ext4 flag",
                "/srv uuid=1 type=ext4",
                "../srv uuid=1 type=ext4",
                ".srv uuid=1 type=ext4",
                "-srv uuid=1 type=ext4",
                "s%i uuid=1 type=ext4",
                "s@x uuid=1 type=ext4",
                "data-real uuid=1 type=ext4",
                "data-cow uuid=1 type=ext4",
                "real uuid=1 type=ext4", /* the mapping would be "vss-real" */
                "cow uuid=1 type=ext4",
                "a234567890123456789012345678901234567890123456789 uuid=1 type=ext4",
                "good uuid=2 type=ext4", /* there already */
                "\xff\xfe uuid=1 type=ext4",
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
                _cleanup_(freep) char *text = NULL;

                ck_assert_int_eq(str_format(&text,
                                            "good uuid=1 type=ext4\n%s\nlast uuid=1 type=xfs",
                                            bad[i]),
                                 0);
                put(adopted_file, text);
                read_list(&list);
                ck_assert_msg(list.n == 2 && strv_length(list.complaints) == 1, "%s", bad[i]);
                ck_assert_ptr_nonnull(strstr(list.complaints[0], "line 2"));
                ck_assert_str_eq(list.items[1].name, "last");
        }
}
END_TEST

START_TEST(every_place_has_a_name_that_is_valid) {
        static const struct {
                const char *place, *name;
        } cases[] = {
                { "/srv/a b", "srv-a-b" },
                { "/srv/.x-/", "srv-.x" },
                { "/dev/vda1", "dev-vda1" },
                { "/surreal", "surreal" },
                { "/srv/real", "srv-real_" },
                { "/vm/disk-cow", "vm-disk-cow_" },
                { "/real", "real_" },
                { "/cow/", "cow_" },
                { "/", "volume" },
                { "/\xc3\xa4", "volume" },
                { "/a23456789012345678901234567890123456789012345678901234567890",
                  "a234567890123456789012345678901234567890123" },
                { "/a2345678901234567890123456789012345678-reality",
                  "a2345678901234567890123456789012345678-real_" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(freep) char *name = NULL, *other = NULL;

                ck_assert_int_eq(adopted_name_suggest(&name, cases[i].place), 0);
                ck_assert_str_eq(name, cases[i].name);
                ck_assert_int_eq(str_format(&other, "%s-%d", name, 2 * ADOPTED_MAX - 1), 0);
                ck_assert_msg(adopted_name_is_valid(name) && adopted_name_is_valid(other), "%s",
                              other);
        }
}
END_TEST

START_TEST(any_bytes_are_survived) {
        char noise[4096];
        unsigned seed = 1;

        for (unsigned round = 0; round < 200; round++) {
                _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
                _cleanup_(fstab_done) struct fstab f = { 0 };
                static const char likely[] = " \t\n\\=0172abcuid#/\"\0UUID=";

                for (size_t i = 0; i < sizeof(noise); i++) {
                        seed = seed * 1103515245U + 12345U;
                        noise[i] = (seed >> 16) % 8 ? likely[(seed >> 20) % (sizeof(likely) - 1)]
                                                    : (char)(seed >> 24);
                }
                put_bytes(adopted_file, noise, sizeof(noise));
                put_bytes(fstab_file, noise, sizeof(noise));
                (void)adopted_list_read(&list, NULL);
                (void)fstab_read(&f, NULL);
                for (size_t i = 0; i < f.n; i++) {
                        ck_assert_uint_le(f.rows[i].spec_at + f.rows[i].spec_length, f.size);
                        ck_assert_uint_gt(f.rows[i].spec_length, 0);
                }
        }
}
END_TEST

START_TEST(a_file_that_is_too_large_or_no_file_is_refused) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        struct vss_error error = { 0 };

        put(adopted_file, "");
        ck_assert_int_eq(truncate(adopted_file, 2 * 1024 * 1024), 0);
        ck_assert_int_lt(adopted_list_read(&list, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "bytes"));
        vss_error_done(&error);
        ck_assert_int_eq(unlink(adopted_file), 0);
        ck_assert_int_eq(mkdir(adopted_file, 0700), 0);
        ck_assert_int_lt(adopted_list_read(&list, &error), 0);
        vss_error_done(&error);
}
END_TEST

START_TEST(paths_are_named_as_systemd_does) {
        static const struct {
                const char *path, *unit;
        } cases[] = {
                { "/", "-.mount" },
                { "/srv", "srv.mount" },
                { "/srv/", "srv.mount" },
                { "//srv//data/", "srv-data.mount" },
                { "/srv/a-b c", "srv-a\\x2db\\x20c.mount" },
                { "/.hidden/.x", "\\x2ehidden-.x.mount" },
                { "/a%i/\xc3\xa4", "a\\x25i-\\xc3\\xa4.mount" },
                { "/dev/disk/by-uuid/1-2", "dev-disk-by\\x2duuid-1\\x2d2.mount" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(freep) char *unit = NULL;

                ck_assert_int_eq(unit_name_of_path(&unit, cases[i].path, ".mount"), 0);
                ck_assert_str_eq(unit, cases[i].unit);
        }
}
END_TEST

START_TEST(a_mount_is_named_for_where_links_lead) {
        static const char *const cases[][2] = {
                { "", "" },
                { "/real", "/real" },
                { "/link", "/real" },
                { "/link/", "/real" },
                { "/link/data//x/", "/real/data/x" },
                { "/.//link/./data/.", "/real/data" },
                { "/dangling/x", "/nowhere/x" },
                { "/dangling", "/nowhere" },
                { "/loop/x", "/loop/x" },
                { "/gone/../link", "/gone/../link" },
        };
        _cleanup_(freep) char *real_top = realpath(top, NULL), *root = NULL, *absent = NULL;

        ck_assert_ptr_nonnull(real_top);
        ck_assert_int_eq(mkdir(below("real"), 0700), 0);
        ck_assert_int_eq(symlink("real", below("link")), 0);
        ck_assert_int_eq(symlink("nowhere", below("dangling")), 0);
        ck_assert_int_eq(symlink("loop", below("loop")), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(freep) char *path = NULL, *wanted = NULL;

                ck_assert_int_eq(str_format(&wanted, "%s%s", real_top, cases[i][1]), 0);
                ck_assert_int_eq(unit_mount_point(&path, below(cases[i][0])), 0);
                ck_assert_str_eq(path, wanted);
        }
        ck_assert_int_eq(unit_mount_point(&root, "/"), 0);
        ck_assert_str_eq(root, "/");
        ck_assert_int_eq(unit_mount_point(&absent, "/no-such-place/./x"), 0);
        ck_assert_str_eq(absent, "/no-such-place/x");
}
END_TEST

START_TEST(a_partition_is_meant_by_any_of_its_names) {
        static const char *const yes[] = {
                "UUID=" UUID,
                "UUID=\"" UUID "\"",
                "UUID=C0FFEE00-1234-4321-9876-0123456789AB",
                "/dev/disk/by-uuid/" UUID,
                "PARTUUID=5653534c-01",
                "/dev/disk/by-partuuid/5653534c-01",
                "LABEL=a b",
                "LABEL='a b'",
                "/dev/disk/by-label/a\\x20b",
                "PARTLABEL=p",
                "/dev/disk/by-id/x",
                "/dev/mapper/vss-srv",
                "/dev/disk/by-id/dm-name-vss-srv",
                "/dev/disk/by-id/dm-uuid-VSSADOPT-srv",
        };
        static const char *const no[] = {
                "",
                "UUID=",
                "UUID=c0ffee",
                "LABEL=A B",
                "LABEL=a",
                "/dev/disk/by-id/y",
                "PARTUUID=5653534c-02",
                "/dev/mapper/vss-srv2",
                "/dev/disk/by-id/dm-name-vss-srv2",
                "/dev/vda1",
                "tmpfs",
        };
        _cleanup_(adopted_done) struct adopted a = { 0 };

        make(&a, "srv");
        ck_assert_int_eq(str_replace(&a.partuuid, "5653534c-01"), 0);
        ck_assert_int_eq(str_replace(&a.label, "a b"), 0);
        ck_assert_int_eq(str_replace(&a.partlabel, "p"), 0);
        ck_assert_int_eq(strv_append(&a.sources, "/dev/disk/by-id/x"), 0);
        for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
                ck_assert_msg(adopted_is_meant(&a, yes[i]), "%s", yes[i]);
        for (size_t i = 0; i < ARRAY_SIZE(no); i++)
                ck_assert_msg(!adopted_is_meant(&a, no[i]), "%s", no[i]);
}
END_TEST

START_TEST(the_generator_orders_the_mount_and_changes_nothing_else) {
        static const char list_text[] = "srv uuid=" UUID " type=ext4 partuuid=5653534c-01 label=l\n"
                                        "later uuid=22 type=ext4 state=pending\n"
                                        "root uuid=33 type=ext4 root=yes\n";
        static const char fstab_text[] = "UUID=" UUID " /srv/a\\040b ext4 defaults 0 2\n"
                                         "LABEL=l /srv/second ext4 noauto\n"
                                         "UUID=22 /later ext4\n"
                                         "UUID=33 / ext4\n"
                                         "UUID=44 /other ext4\n"
                                         "UUID=" UUID " /x\\012[Mount]\\012What=/y ext4\n";
        _cleanup_(freep) char *line = NULL, *folder = NULL, *drop_in = NULL, *real = NULL;
        static const char *const absent[] = { "later.mount.d", "-.mount.d", "other.mount.d",
                                              "vss-adopted@later.service.d",
                                              "vss-adopted@root.service.d" };
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(fstab_done) struct fstab f = { 0 };
        char link[256];
        const char *text;
        ssize_t n;

        /* systemd-fstab-generator(8) follows links, and names the unit for what it finds. */
        ck_assert_int_eq(mkdir(below("real"), 0700), 0);
        ck_assert_int_eq(symlink("real", below("link")), 0);
        ck_assert_int_eq(str_format(&line, "%sLABEL=l %s/link/x ext4\n", fstab_text, top), 0);
        put(adopted_file, list_text);
        put(fstab_file, line);
        read_list(&list);
        read_fstab(&f);
        ck_assert_int_eq(adoption_units_write(top, &list, &f, NULL), 0);
        real = realpath(below("real"), NULL);
        ck_assert_ptr_nonnull(real);
        ck_assert_int_eq(unit_name_of_path(&folder, real, "-x.mount.d"), 0);
        ck_assert_int_eq(str_format(&drop_in, "%s/50-vss-adopted.conf", folder), 0);
        ck_assert_ptr_nonnull(strstr(get(below(drop_in)), "After=vss-adopted@srv.service\n"));

        text = get(below("srv-a\\x20b.mount.d/50-vss-adopted.conf"));
        ck_assert_str_eq(text, "[Unit]\nWants=vss-adopted@srv.service\n"
                               "After=vss-adopted@srv.service\n");
        text = get(below("srv-second.mount.d/50-vss-adopted.conf"));
        ck_assert_ptr_nonnull(strstr(text, "Wants=vss-adopted@srv.service\n"));
        text = get(below("vss-adopted@srv.service.d/50-vss-adopted.conf"));
        ck_assert_ptr_nonnull(
                strstr(text, "After=dev-disk-by\\x2duuid-c0ffee00\\x2d1234\\x2d4321\\x2d9876\\x2d"
                             "0123456789ab.device\n"));
        ck_assert_ptr_nonnull(strstr(text, "Before=systemd-fsck@dev-disk-by\\x2duuid-"));
        ck_assert_ptr_nonnull(strstr(text, "Before=srv-a\\x20b.mount\n"));
        ck_assert_ptr_nonnull(strstr(text, "After=dev-disk-by\\x2dlabel-l.device\n"));
        ck_assert_ptr_nonnull(strstr(text, "Before=srv-second.mount\n"));
        ck_assert_ptr_null(strstr(text, "\n[Mount]"));
        for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
                ck_assert_msg(access(below(absent[i]), F_OK) < 0, "%s", absent[i]);

        n = readlink(below("dev-disk-by\\x2duuid-c0ffee00\\x2d1234\\x2d4321\\x2d9876\\x2d"
                           "0123456789ab.device.wants/vss-adopted@srv.service"),
                     link, sizeof(link) - 1);
        ck_assert_int_gt(n, 0);
        link[n] = '\0';
        ck_assert_ptr_nonnull(strstr(link, "/vss-adopted@.service"));
}
END_TEST

START_TEST(the_service_does_not_wait_for_what_it_makes) {
        static const char *const specs[] = { "/dev/mapper/vss-srv",
                                             "/dev/disk/by-id/dm-name-vss-srv",
                                             "/dev/disk/by-id/dm-uuid-VSSADOPT-srv" };

        for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
                _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
                _cleanup_(freep) char *line = NULL, *directory = NULL, *path = NULL;
                _cleanup_(fstab_done) struct fstab f = { 0 };
                const char *text;

                ck_assert_int_eq(str_format(&line, "%s /srv ext4 defaults 0 2\n", specs[i]), 0);
                ck_assert_int_eq(str_format(&directory, "%s/%zu", top, i), 0);
                ck_assert_int_eq(
                        str_format(&path, "%zu/vss-adopted@srv.service.d/50-vss-adopted.conf", i),
                        0);
                put(adopted_file, "srv uuid=ab type=ext4\n");
                put(fstab_file, line);
                ck_assert_int_eq(mkdir(directory, 0700), 0);
                read_list(&list);
                read_fstab(&f);
                ck_assert_int_eq(adoption_units_write(directory, &list, &f, NULL), 0);
                text = get(below(path));
                ck_assert_ptr_nonnull(strstr(text,
                                             "[Unit]\nWants=dev-disk-by\\x2duuid-ab.device\n"
                                             "After=dev-disk-by\\x2duuid-ab.device\nBefore="));
                ck_assert_ptr_null(strstr(text, "After=dev-mapper"));
                ck_assert_ptr_null(strstr(text, "by\\x2did-dm\\x2dname\\x2dvss\\x2dsrv.device"));
                ck_assert_ptr_nonnull(strstr(text, "\nBefore=srv.mount\n"));
        }
}
END_TEST

START_TEST(one_volume_with_an_impossible_name_does_not_keep_the_others) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fstab_done) struct fstab f = { 0 };
        char deep[400];

        memset(deep, 'x', sizeof(deep) - 1);
        deep[sizeof(deep) - 1] = '\0';
        ck_assert_int_eq(str_format(&text, "UUID=1 /%s ext4\nUUID=2 /srv ext4\n", deep), 0);
        put(adopted_file, "a uuid=1 type=ext4\nb uuid=2 type=ext4\n");
        put(fstab_file, text);
        read_list(&list);
        read_fstab(&f);
        ck_assert_int_lt(adoption_units_write(top, &list, &f, NULL), 0);
        ck_assert_ptr_nonnull(strstr(get(below("srv.mount.d/50-vss-adopted.conf")), "@b.service"));
        ck_assert_int_eq(access(below("dev-disk-by\\x2duuid-2.device.wants"), F_OK), 0);
        /* Its mount is not ordered: nothing may be mapped beside it. */
        ck_assert_int_lt(access(below("dev-disk-by\\x2duuid-1.device.wants"), F_OK), 0);
}
END_TEST

START_TEST(another_file_system_or_partition_is_not_what_was_adopted) {
        char uuid[] = UUID, ext4[] = "ext4", xfs[] = "xfs", device[] = "/dev/x", part[] = "p-01";
        struct identity i = { .uuid = uuid, .type = ext4, .device = device, .partuuid = part };
        _cleanup_(adopted_done) struct adopted a = { 0 };
        struct vss_error error = { 0 };

        make(&a, "srv");
        ck_assert_int_eq(mapping_check_identity(&a, &i, NULL), 0);
        ck_assert_int_eq(str_replace(&a.partuuid, "p-01"), 0);
        ck_assert_int_eq(mapping_check_identity(&a, &i, NULL), 0);
        i.size = 1; /* it may shrink and grow */
        ck_assert_int_eq(mapping_check_identity(&a, &i, NULL), 0);
        i.type = xfs;
        ck_assert_int_lt(mapping_check_identity(&a, &i, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "/dev/x is not what was adopted as srv"));
        vss_error_done(&error);
        i.type = ext4;
        i.uuid = NULL;
        ck_assert_int_lt(mapping_check_identity(&a, &i, NULL), 0);
        i.uuid = uuid;
        i.partuuid = NULL;
        ck_assert_int_lt(mapping_check_identity(&a, &i, NULL), 0);
}
END_TEST

START_TEST(what_cannot_be_adopted_says_why) {
        static const struct {
                const char *usage, *type, *uuid, *parttype, *reason;
                bool read_only;
        } cases[] = {
                { "filesystem", "ext4", "1", NULL, NULL, false },
                { "filesystem", "vfat", "1", "0xc", NULL, false },
                { "filesystem", "ext4", "1", NULL, "read-only", true },
                { "filesystem", "ext4", NULL, NULL, "no UUID", false },
                { NULL, NULL, NULL, NULL, "no file system", false },
                { "raid", "LVM2_member", "1", NULL, "no file system", false },
                { "other", "swap", "1", NULL, "swap", false },
                { "filesystem", "btrfs", "1", NULL, "btrfs keeps", false },
                { "filesystem", "btrfs", "1", NULL, "vss-btrfs-provider --register", false },
                { "filesystem", "zfs_member", "1", NULL, "ZFS", false },
                { "filesystem", "vfat", "1", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI", false },
                { "filesystem", "vfat", "1", "0xef", "EFI", false },
        };

        for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
                const struct identity i = {
                        .usage = (char *)(uintptr_t)cases[k].usage,
                        .type = (char *)(uintptr_t)cases[k].type,
                        .uuid = (char *)(uintptr_t)cases[k].uuid,
                        .parttype = (char *)(uintptr_t)cases[k].parttype,
                        .read_only = cases[k].read_only,
                };
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                int r = adoption_check_identity(&i, "/srv", &error);

                if (!cases[k].reason) {
                        ck_assert_int_eq(r, 0);
                        continue;
                }
                ck_assert_int_lt(r, 0);
                ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
                ck_assert_msg(strstr(error.message, cases[k].reason), "%s: %s", cases[k].reason,
                              error.message);
        }
}
END_TEST

START_TEST(nothing_is_mapped_that_is_not_to_be) {
        _cleanup_(freep) char *mapping = NULL, *word = NULL;
        char cmdline[128];
        struct vss_error error = { 0 };

        (void)snprintf(cmdline, sizeof(cmdline), "%s/cmdline", top);
        activation_cmdline = cmdline;
        /* No list: nothing is adopted. */
        ck_assert_int_eq(activation_run_root("/dev/null", &mapping, &error), 0);
        ck_assert_int_lt(activation_run("srv", &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "'srv'"));
        vss_error_done(&error);

        put(adopted_file, "srv uuid=1 type=ext4\nroot uuid=2 type=ext4 root=yes\n"
                          "late uuid=3 type=ext4 root=yes state=pending\n");
        put(cmdline, "root=/dev/x quiet\n");
        ck_assert_int_lt(activation_run("srv", &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "not there"));
        vss_error_done(&error);
        ck_assert_int_lt(activation_run_root("/dev/null", &mapping, &error), 0);
        vss_error_done(&error);
        ck_assert_int_eq(activation_run("late", &error), 0);

        ck_assert_int_eq(activation_find_root(&word, &error), 1);
        ck_assert_str_eq(word, "/dev/x");
        put(cmdline, "quiet proot=/dev/x\n");
        ck_assert_int_eq(activation_find_root(&word, &error), 0);

        put(cmdline, "root=/dev/x vss.adopt=no quiet\n");
        ck_assert_int_eq(activation_run("srv", &error), 0);
        ck_assert_int_eq(activation_run_root("/dev/null", &mapping, &error), 0);
        ck_assert_ptr_null(mapping);

        put(cmdline, "quiet\n");
        put(adopted_file, "root uuid=2 type=ext4 root=yes respelled=/dev/vda1 /\n");
        ck_assert_int_lt(activation_run_root("/dev/null", &mapping, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "line 1 is not understood"));
        vss_error_done(&error);
}
END_TEST

START_TEST(a_boot_loader_that_names_the_mapping_is_found) {
        struct adopted a = { .name = (char *)"root", .uuid = (char *)"2", .root = true };
        static const struct {
                const char *text;
                int found;
        } cases[] = {
                { "\tlinux /vmlinuz root=UUID=2 ro\n", 0 },
                { "\tlinux /vmlinuz root=/dev/mapper/vss-root ro\n", 1 },
                { "\tlinux /vmlinuz root=/dev/mapper/vss-rooted ro\n", 0 },
                { "\tlinux '/vmlinuz' quiet 'root=/dev/mapper/vss-root'\n", 1 },
        };
        char file[128];

        (void)snprintf(file, sizeof(file), "%s/grub.cfg", top);
        activation_boot_loader = file;
        ck_assert_int_eq(activation_boot_loader_names(&a, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                put(file, cases[i].text);
                ck_assert_msg(activation_boot_loader_names(&a, NULL) == cases[i].found, "%s",
                              cases[i].text);
        }
        ck_assert_int_eq(unlink(file), 0);
}
END_TEST

START_TEST(a_line_that_nothing_was_ordered_for_keeps_the_partition) {
        char uuid[] = UUID;
        const struct identity i = { .devno = makedev(250, 17), .uuid = uuid };
        static const struct {
                const char *first, *reason; /* below top */
        } cases[] = {
                { "known", NULL },
                { "new", "which is new since" },
                { "partition", "as it is on /srv" },
                { "other", NULL },
                { "gone", NULL },
        };
        _cleanup_(adopted_done) struct adopted a = { 0 };
        char known[512];

        make(&a, "b");
        (void)snprintf(known, sizeof(known), "%s", below("known"));
        ck_assert_int_eq(strv_append(&a.sources, known), 0);
        make_node(below("partition"), 250, 17);
        make_node(below("other"), 250, 18);
        ck_assert_int_eq(symlink("partition", known), 0);
        ck_assert_int_eq(symlink("partition", below("new")), 0);
        for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                _cleanup_(freep) char *text = NULL;
                int r;

                ck_assert_int_eq(str_format(&text, "tmpfs /tmp tmpfs\n%s /srv ext4\n",
                                            below(cases[k].first)),
                                 0);
                put(fstab_file, text);
                r = activation_check_fstab(&a, &i, &error);
                ck_assert_msg((r < 0) == (cases[k].reason != NULL), "%s", cases[k].first);
                ck_assert(r >= 0 || strstr(error.message, cases[k].reason));
        }
}
END_TEST

START_TEST(a_unit_that_nobody_ordered_keeps_the_partition) {
        char uuid[] = UUID;
        const struct identity i = { .devno = makedev(250, 17), .uuid = uuid };
        static const struct {
                const char *before, *after; /* of top */
                bool mounts;
        } cases[] = {
                { "# What=", "/partition\nWhere=/home\n", false },
                { "What=", "/other\nWhere=/home\n", false },
                { "What=", "/partition\nWhere=/home\n", true },
                { " What= ", "/link \r\nWhere=/home", true },
                { "What = ", "/partition\nWhere=/home\n", true },
                { "Whatever=", "/partition\nWhere=/home\n", false },
                { "What=", "/gone\n", false },
                { "What=tmpfs\nSource=", "/partition\n", false },
        };
        static char generator[96], late[96];
        struct vss_error error = { 0 };

        (void)snprintf(generator, sizeof(generator), "%s/generator", top);
        (void)snprintf(late, sizeof(late), "%s/late", top);
        activation_units[0] = generator; /* which is not there: no volume has a line of fstab */
        activation_units[1] = late;
        activation_units[2] = NULL;
        make_node(below("partition"), 250, 17);
        make_node(below("other"), 250, 18);
        ck_assert_int_eq(symlink("partition", below("link")), 0);
        ck_assert_int_eq(activation_check_units(&i, NULL), 0);
        for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
                _cleanup_(freep) char *text = NULL;

                ck_assert_int_eq(
                        str_format(&text, "[Mount]\n%s%s%s", cases[k].before, top, cases[k].after),
                        0);
                put_below("late/home.mount", text);
                put_below("late/home.automount", "[Automount]\nWhat=/x\n");
                ck_assert_msg((activation_check_units(&i, &error) < 0) == cases[k].mounts, "%s",
                              text);
                ck_assert(!cases[k].mounts || strstr(error.message, "late/home.mount mounts it"));
                vss_error_done(&error);
                put_below("generator/home.mount.d/50-vss-adopted.conf", "[Unit]\n");
                ck_assert_int_eq(activation_check_units(&i, NULL), 0);
                ck_assert_int_eq(remove(below("generator/home.mount.d/50-vss-adopted.conf")), 0);
        }
        ck_assert_int_eq(remove(below("late/home.mount")), 0);
        ck_assert_int_eq(symlink("/dev/null", below("late/home.mount")), 0); /* masked */
        ck_assert_int_eq(activation_check_units(&i, NULL), 0);
}
END_TEST

START_TEST(a_program_that_fails_is_quoted) {
        char *const good[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" },
                               (char[]){ "echo fine; exit 0" }, NULL };
        char *const bad[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" },
                              (char[]){ "echo first; echo the disk is full >&2; exit 3" }, NULL };
        char *const hung[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, (char[]){ "sleep 1000; :" },
                               NULL };
        char *const missing[] = { (char[]){ "/nonexistent/program" }, NULL };
        struct vss_error error = { 0 };

        ck_assert_int_eq(run_program(good, 60 * UINT64_C(1000000), &error), 0);
        ck_assert_int_lt(run_program(bad, 60 * UINT64_C(1000000), &error), 0);
        ck_assert_str_eq(error.message, "/bin/sh failed: the disk is full");
        vss_error_done(&error);
        ck_assert_int_lt(run_program(hung, 1000, &error), 0);
        ck_assert_ptr_nonnull(strstr(error.message, "did not end"));
        vss_error_done(&error);
        ck_assert_int_lt(run_program(missing, 60 * UINT64_C(1000000), &error), 0);
        vss_error_done(&error);
}
END_TEST

START_TEST(states_have_their_names) {
        ck_assert_str_eq(adoption_state_to_string(ADOPTION_NONE), "");
        for (int i = 1; i < _ADOPTION_STATE_MAX; i++)
                ck_assert(*adoption_state_to_string((enum adoption_state)i));
}
END_TEST

int main(void) {
        Suite *s = suite_create("adoption");
        TCase *t = tcase_create("adoption");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, a_line_comes_back_as_it_was_written);
        tcase_add_test(t, other_lines_stay_to_the_byte);
        tcase_add_test(t, what_is_not_right_is_left_out_and_the_rest_counts);
        tcase_add_test(t, every_place_has_a_name_that_is_valid);
        tcase_add_test(t, any_bytes_are_survived);
        tcase_add_test(t, a_file_that_is_too_large_or_no_file_is_refused);
        tcase_add_test(t, paths_are_named_as_systemd_does);
        tcase_add_test(t, a_mount_is_named_for_where_links_lead);
        tcase_add_test(t, a_partition_is_meant_by_any_of_its_names);
        tcase_add_test(t, the_generator_orders_the_mount_and_changes_nothing_else);
        tcase_add_test(t, the_service_does_not_wait_for_what_it_makes);
        tcase_add_test(t, one_volume_with_an_impossible_name_does_not_keep_the_others);
        tcase_add_test(t, another_file_system_or_partition_is_not_what_was_adopted);
        tcase_add_test(t, what_cannot_be_adopted_says_why);
        tcase_add_test(t, nothing_is_mapped_that_is_not_to_be);
        tcase_add_test(t, a_boot_loader_that_names_the_mapping_is_found);
        tcase_add_test(t, a_line_that_nothing_was_ordered_for_keeps_the_partition);
        tcase_add_test(t, a_unit_that_nobody_ordered_keeps_the_partition);
        tcase_add_test(t, a_program_that_fails_is_quoted);
        tcase_add_test(t, states_have_their_names);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
