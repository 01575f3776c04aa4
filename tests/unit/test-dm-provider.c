/* The parts of the provider dm that need no storage: the line that a copy is noted in, what has to
 * be refused, the places of stores as they are configured, another boot. */

#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/providers/dm-turn.h"
#include "daemon/providers/dm.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>

#define ID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define LINE                                                                           \
        "id=" ID " number=7 boot=b00t origin=luks-1 origin_uuid=CRYPT-LUKS2-x-luks-1 " \
        "store=file:/srv/some stores\n"

START_TEST(a_copy_knows_its_devices) {
        _cleanup_(dm_copy_done) struct dm_copy c = { 0 };
        struct snapshot_devices d;

        ck_assert_int_eq(dm_copy_parse(&c, LINE), 0);
        d = dm_copy_devices(&c);
        ck_assert_str_eq(d.origin, "luks-1");
        ck_assert_str_eq(d.origin_uuid, "CRYPT-LUKS2-x-luks-1");
        ck_assert_str_eq(d.real, "luks-1-real");
        ck_assert_str_eq(d.real_uuid, "VSS-COPY-luks-1-real");
        ck_assert_str_eq(d.copy, "vss_ShadowCopy7");
        ck_assert_str_eq(d.copy_uuid, "VSS-COPY-" ID);
        ck_assert_str_eq(d.store, "vss_ShadowCopy7-cow");
        ck_assert_str_eq(d.store_uuid, "VSS-COPY-" ID "-cow");
        ck_assert_int_eq(c.store_kind, DM_STORE_FILE);
        ck_assert_str_eq(c.place, "/srv/some stores");
}
END_TEST

START_TEST(a_copy_survives_its_text) {
        static const char *const lines[] = {
                LINE,
                "id=" ID " number=1 boot=b origin=plain origin_uuid=- store=group:tank\n",
                "id=" ID " number=1 boot=b origin=plain origin_uuid=- store=device:/dev/sda4\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                _cleanup_(dm_copy_done) struct dm_copy c = { 0 };
                _cleanup_(freep) char *text = NULL;

                ck_assert_int_eq(dm_copy_parse(&c, lines[i]), 0);
                ck_assert_int_eq(dm_copy_format(&c, &text), 0);
                ck_assert_str_eq(text, lines[i]);
                ck_assert_int_eq(c.origin_uuid == NULL, i > 0);
        }
}
END_TEST

START_TEST(what_is_no_copy_is_not_understood) {
        static const char *const texts[] = {
                "",
                "id=" ID,
                "id=" ID " number=1 boot=b origin=plain origin_uuid=-",
                "id=x number=1 boot=b origin=plain origin_uuid=- store=group:tank",
                "id= number=1 boot=b origin=plain origin_uuid=- store=group:tank",
                "id=" ID " number=-1 boot=b origin=plain origin_uuid=- store=group:tank",
                "id=" ID " number=1x boot=b origin=plain origin_uuid=- store=group:tank",
                "id=" ID " number=1 boot= origin=plain origin_uuid=- store=group:tank",
                "id=" ID " number=1 boot=b origin= origin_uuid=- store=group:tank",
                "id=" ID " number=1 boot=b origin=a/b origin_uuid=- store=group:tank",
                "id=" ID " number=1 boot=b origin=plain origin_uuid=- store=tape:tank",
                "id=" ID " number=1 boot=b origin=plain origin_uuid=- store=group:",
                "id=" ID " number=1 boot=b origin=plain origin_uuid=- store=group",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct dm_copy c = { 0 };

                ck_assert_msg(dm_copy_parse(&c, texts[i]) == -EBADMSG, "%s", texts[i]);
                ck_assert_ptr_null(c.origin);
        }
}
END_TEST

START_TEST(names_have_room_for_ours) {
        char name[200];

        memset(name, 'n', sizeof(name));
        name[114] = '\0';
        ck_assert_int_eq(dm_copy_check_origin(name, NULL), 0);
        name[114] = 'n';
        name[115] = '\0';
        ck_assert_int_eq(dm_copy_check_origin(name, NULL), -EINVAL);
        ck_assert_int_eq(dm_copy_check_origin("a b", NULL), -EINVAL);
        ck_assert_int_eq(dm_copy_check_origin("a", "b c"), -EINVAL);
        ck_assert_int_eq(dm_copy_check_origin("", NULL), -EINVAL);
        ck_assert_int_eq(dm_copy_check_origin("luks-0a@b", "CRYPT-LUKS1-x"), 0);
}
END_TEST

START_TEST(only_targets_without_a_state_are_fit) {
        static const struct {
                const char *types[2], *unfit;
        } cases[] = {
                { { "linear", "striped" }, NULL }, { { "crypt" }, NULL },
                { { "multipath" }, "multipath" },  { { "linear", "raid" }, "raid" },
                { { "integrity" }, "integrity" },  { { "snapshot-origin" }, "snapshot-origin" },
                { { "cache" }, "cache" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(mapper_table_done) struct mapper_table table = { 0 };

                for (size_t k = 0; k < 2 && cases[i].types[k]; k++)
                        ck_assert_int_eq(mapper_table_add(&table, k * 8, 8, cases[i].types[k], ""),
                                         0);
                ck_assert_pstr_eq(dm_unfit_target(&table), cases[i].unfit);
        }
}
END_TEST

START_TEST(where_a_key_is_is_read_from_the_table) {
        static const struct {
                const char *params;
                int result;
                const char *type, *description;
        } cases[] = {
                { "aes-xts-plain64 00ff 0 8:1 4096", 0, NULL, NULL },
                { "aes-xts-plain64 :64:logon:cryptsetup:9a-d0 0 8:1 32768 1 allow_discards", 1,
                  "logon", "cryptsetup:9a-d0" },
                { "aes :32:user:name", 1, "user", "name" },
                { "aes", -EBADMSG, NULL, NULL },
                { "aes ", -EBADMSG, NULL, NULL },
                { "", -EBADMSG, NULL, NULL },
                { "aes :64 0 8:1 0", -EBADMSG, NULL, NULL },
                { "aes :64:logon 0 8:1 0", -EBADMSG, NULL, NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(freep) char *type = NULL, *description = NULL;

                ck_assert_msg(dm_crypt_key(cases[i].params, &type, &description) == cases[i].result,
                              "%s", cases[i].params);
                ck_assert_pstr_eq(type, cases[i].type);
                ck_assert_pstr_eq(description, cases[i].description);
        }
}
END_TEST

static void assert_refused(const struct volume *v, int result, const char *words) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        ck_assert_int_eq(provider_dm.probe(v, VSS_CTX_BACKUP, &error), result);
        ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_msg(strstr(error.message, words) != NULL, "%s", error.message);
}

START_TEST(what_is_not_for_it_is_refused_with_the_reason) {
        struct volume v = { .name = (char[]){ "/srv/" } };

        assert_refused(&v, PROVIDER_OTHER_KIND, "no mapped device");
        v.dm_name = (char[]){ "mpatha" };
        v.dm_uuid = (char[]){ "mpath-3600" };
        assert_refused(&v, -EOPNOTSUPP, "multipathd writes anew");
        v.dm_uuid = (char[]){ "part1-mpath-3600" };
        assert_refused(&v, -EOPNOTSUPP, "kpartx");
        assert_refused(&v, -EOPNOTSUPP, "'vssctl volumes adopt /srv/'");
        v.dm_uuid = (char[]){ "" };
        v.dm_name = (char[]){ "with a blank" };
        assert_refused(&v, -EOPNOTSUPP, "dmsetup rename");
        v.vg = (char[]){ "tank" };
        assert_refused(&v, PROVIDER_OTHER_KIND, "logical volume");
}
END_TEST

START_TEST(places_are_those_of_the_volume_or_the_default) {
        char *lines[] = { (char *)"/srv/a/=/stores tank", (char *)"Default=spare",
                          (char *)"/dev/mapper/b=/dev/sdb1", NULL };
        char *no_default[] = { (char *)"/srv/a=tank", NULL };
        _cleanup_(strv_freep) char **groups = NULL;
        struct volume a = { .name = (char[]){ "/srv/a/" }, .mount_point = (char[]){ "/srv/a" } };
        struct volume b = { .name = (char[]){ "/srv/b/" },
                            .mount_point = (char[]){ "/srv/b" },
                            .device = (char[]){ "/dev/mapper/b" } };
        struct volume c = { .name = (char[]){ "/srv/" }, .mount_point = (char[]){ "/srv" } };

        ck_assert_str_eq(dm_places_of(&a), "");
        ck_assert_int_eq(dm_places_init(lines, "/var/lib/stores"), 0);
        ck_assert_str_eq(dm_places_of(&a), "/stores tank");
        ck_assert_str_eq(dm_places_of(&b), "/dev/sdb1");
        ck_assert_str_eq(dm_places_of(&c), "spare");
        ck_assert_int_eq(dm_places_add_groups(&b, &groups), 0);
        ck_assert_uint_eq(strv_length(groups), 0);
        ck_assert_int_eq(dm_places_add_groups(&a, &groups), 0);
        ck_assert_int_eq(dm_places_add_groups(&c, &groups), 0);
        ck_assert_uint_eq(strv_length(groups), 2);
        ck_assert_str_eq(groups[0], "tank");
        ck_assert_str_eq(groups[1], "spare");
        ck_assert_int_eq(dm_places_init(no_default, "/var/lib/stores"), 0);
        ck_assert_str_eq(dm_places_of(&c), "/var/lib/stores");
        ck_assert(dm_place_is_default("/var/lib/stores"));
        ck_assert(!dm_place_is_default("tank"));
        ck_assert_int_eq(dm_places_init(NULL, NULL), 0);
}
END_TEST

/* In what order they are tried, the reasons tell. */
START_TEST(the_place_that_was_set_down_is_tried_first) {
        static const struct {
                const char *first, *order;
        } cases[] = {
                { NULL, ": /none/a is not there; /none/b is not there; /none/c is not there. " },
                { "/none/c", ": /none/c is not there; /none/a is not there; /none/b is not" },
                { "/none/a", ": /none/a is not there; /none/b is not there; /none/c is not" },
                { "/none/d", ": /none/a is not there; /none/b is not there; /none/c is not" },
        };
        char *lines[] = { (char *)"/srv/a=/none/a /none/b\t/none/c", NULL };
        struct volume v = { .name = (char[]){ "/srv/a/" }, .mount_point = (char[]){ "/srv/a" } };
        const struct volume *set = &v;

        ck_assert_int_eq(dm_places_init(lines, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(dm_places_done) struct dm_places places = { .set = &set, .n = 1 };
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                struct dm_place place = { 0 };

                ck_assert_int_lt(dm_places_choose(&places, &v, cases[i].first, &place, &error), 0);
                ck_assert_int_eq(error.hr, VSS_E_INSUFFICIENT_STORAGE);
                ck_assert_msg(strstr(error.message, cases[i].order), "%s", error.message);
        }
        ck_assert_int_eq(dm_places_init(NULL, NULL), 0);
}
END_TEST

START_TEST(another_boot_has_ended_the_copy) {
        struct snapshot_record record = { .provider_data = (char *)LINE,
                                          .device = (char[]){ "/dev/vss/ShadowCopy7" } };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        char file[] = "/tmp/boot.XXXXXX";
        uint64_t used, max;
        bool overflowed;
        int fd = mkstemp(file);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, "an0ther\n", 8), 8);
        ck_assert_int_eq(close(fd), 0);
        dm_copy_boot_file = file;
        ck_assert_int_eq(provider_dm.activate(&record, &error), -ENOENT);
        ck_assert_int_eq(error.hr, VSS_E_OBJECT_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(error.message, "before the machine started"));
        ck_assert_int_eq(provider_dm.usage(&record, &used, &max, &overflowed, NULL), -ENOENT);
        record.provider_data = (char[]){ "nonsense" };
        ck_assert_int_eq(provider_dm.activate(&record, NULL), -EBADMSG);
        ck_assert_int_eq(unlink(file), 0);
        /* No id is no boot. */
        ck_assert_int_lt(provider_dm.activate(&record, NULL), 0);
}
END_TEST

static void *gives_the_turn(void *arg _unused_) {
        dm_turn_give();
        return NULL;
}

START_TEST(one_has_the_turn_at_a_time) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        _cleanup_(dm_copy_done) struct dm_copy c = { 0 };
        struct dm_copy *copy = &c;
        pthread_t thread;

        dm_turn_timeout_usec = 1;
        ck_assert_int_eq(dm_turn_take(&error), 0);
        ck_assert_int_eq(dm_turn_take(&error), -ETIMEDOUT);
        ck_assert_int_eq(error.hr, VSS_E_PROVIDER_VETO);
        /* A deletion has changed nothing before it is its turn. */
        ck_assert_int_eq(dm_copy_parse(&c, LINE), 0);
        ck_assert_int_eq(dm_undo(&copy, 1, &(struct dm_undo){ 0 }, NULL), -ETIMEDOUT);
        /* It is not the thread's, and waiting for it ends when it is given. */
        dm_turn_timeout_usec = 60 * USEC_PER_SEC;
        ck_assert_int_eq(pthread_create(&thread, NULL, gives_the_turn, NULL), 0);
        ck_assert_int_eq(dm_turn_take(NULL), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        dm_turn_give();
}
END_TEST

START_TEST(an_intent_tells_its_origins) {
        static const char lines[] = LINE "id=" ID " number=1 boot=b origin=plain origin_uuid=- "
                                         "store=group:tank\n";
        const struct intent_record intent = { .kind = (char *)DM_INTENT_CREATE,
                                              .data = (char *)lines };
        _cleanup_(strv_freep) char **uuids = NULL, **names = NULL;
        _cleanup_(dm_copy_done) struct dm_copy c = { 0 };

        ck_assert_int_eq(dm_copy_parse(&c, LINE), 0);
        ck_assert_int_eq(provider_dm.origins(&intent, &uuids, &names, NULL), 0);
        ck_assert_uint_eq(strv_length(uuids), 2);
        ck_assert_str_eq(uuids[0], c.origin_uuid);
        ck_assert_str_eq(uuids[1], "");
        ck_assert_str_eq(names[0], c.origin);
        ck_assert_str_eq(names[1], "plain");
}
END_TEST

START_TEST(an_intent_that_is_none_is_left_alone) {
        static const char *const texts[] = { "nonsense\n", LINE "nonsense\n" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                struct intent_record intent = { .kind = (char *)DM_INTENT_CREATE,
                                                .data = (char *)texts[i] };

                _cleanup_(strv_freep) char **uuids = NULL, **names = NULL;

                ck_assert_int_eq(provider_dm.rescue(&intent, "", &error), -EBADMSG);
                ck_assert_ptr_nonnull(error.message);
                ck_assert_int_eq(provider_dm.origins(&intent, &uuids, &names, NULL), -EBADMSG);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("dm-provider");
        TCase *t = tcase_create("dm-provider");
        SRunner *runner;
        int n_failed;

        tcase_add_test(t, a_copy_knows_its_devices);
        tcase_add_test(t, a_copy_survives_its_text);
        tcase_add_test(t, what_is_no_copy_is_not_understood);
        tcase_add_test(t, names_have_room_for_ours);
        tcase_add_test(t, only_targets_without_a_state_are_fit);
        tcase_add_test(t, where_a_key_is_is_read_from_the_table);
        tcase_add_test(t, what_is_not_for_it_is_refused_with_the_reason);
        tcase_add_test(t, places_are_those_of_the_volume_or_the_default);
        tcase_add_test(t, the_place_that_was_set_down_is_tried_first);
        tcase_add_test(t, another_boot_has_ended_the_copy);
        tcase_add_test(t, one_has_the_turn_at_a_time);
        tcase_add_test(t, an_intent_tells_its_origins);
        tcase_add_test(t, an_intent_that_is_none_is_left_alone);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
