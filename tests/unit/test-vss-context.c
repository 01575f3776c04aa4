/* The matrix of legal contexts, written down a second time by hand and compared bit by bit. */

#include "common/vss-context.h"

#include <check.h>

static const LONG bases[] = {
        VSS_CTX_BACKUP,       VSS_CTX_FILE_SHARE_BACKUP, VSS_CTX_NAS_ROLLBACK,
        VSS_CTX_APP_ROLLBACK, VSS_CTX_CLIENT_ACCESSIBLE, VSS_CTX_CLIENT_ACCESSIBLE_WRITERS,
        VSS_CTX_ALL,
};

/* A row of the matrix; columns in the order of bases; '+' legal, '-' not. The column of
 * VSS_CTX_ALL is given no modifiers: all its bits are set already. */
static const struct {
        LONG modifiers;
        const char *legal;
} matrix[] = {
        { 0, "+++++++" },
        { VSS_VOLSNAP_ATTR_TRANSPORTABLE, "++++--" },
        { VSS_VOLSNAP_ATTR_DIFFERENTIAL, "++++--" },
        { VSS_VOLSNAP_ATTR_PLEX, "++++--" },
        { VSS_VOLSNAP_ATTR_DIFFERENTIAL | VSS_VOLSNAP_ATTR_PLEX, "------" },
        { VSS_VOLSNAP_ATTR_TRANSPORTABLE | VSS_VOLSNAP_ATTR_DIFFERENTIAL, "++++--" },
        { VSS_VOLSNAP_ATTR_TRANSPORTABLE | VSS_VOLSNAP_ATTR_PLEX, "++++--" },
        { VSS_VOLSNAP_ATTR_NO_AUTORECOVERY, "++++++" },
        { VSS_VOLSNAP_ATTR_NOT_TRANSACTED, "++++++" },
        { VSS_VOLSNAP_ATTR_ROLLBACK_RECOVERY, "++++++" },
        { VSS_VOLSNAP_ATTR_TXF_RECOVERY, "++++--" },
        { VSS_VOLSNAP_ATTR_NO_AUTORECOVERY | VSS_VOLSNAP_ATTR_ROLLBACK_RECOVERY, "------" },
        { VSS_VOLSNAP_ATTR_NO_AUTORECOVERY | VSS_VOLSNAP_ATTR_TXF_RECOVERY, "------" },
        { VSS_VOLSNAP_ATTR_NO_AUTORECOVERY | VSS_VOLSNAP_ATTR_NOT_TRANSACTED, "++++++" },
        { VSS_VOLSNAP_ATTR_DELAYED_POSTSNAPSHOT, "------" },
        { VSS_VOLSNAP_ATTR_NOT_SURFACED, "------" },
        { VSS_VOLSNAP_ATTR_HARDWARE_ASSISTED, "------" },
        { VSS_VOLSNAP_ATTR_IMPORTED, "------" },
        { VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY, "------" },
        { VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY, "------" },
        { VSS_VOLSNAP_ATTR_AUTORECOVER, "------" },
        { VSS_VOLSNAP_ATTR_FILE_SHARE, "------" },
        { 0x100, "------" },
        { 0x08000000, "------" },
        { INT32_MIN, "------" },
};

START_TEST(the_matrix_holds) {
        for (size_t row = 0; row < ARRAY_SIZE(matrix); row++)
                for (size_t column = 0; matrix[row].legal[column]; column++) {
                        LONG context = bases[column] | matrix[row].modifiers;
                        struct vss_error e = { 0 };
                        int r = vss_context_validate(context, &e);

                        if (matrix[row].legal[column] == '+') {
                                ck_assert_msg(r == 0, "0x%x: %s", (unsigned)context, e.message);
                                ck_assert_int_eq(vss_context_base(context), bases[column]);
                        } else {
                                ck_assert_msg(r == -EINVAL, "0x%x", (unsigned)context);
                                ck_assert_int_eq(e.hr, E_INVALIDARG);
                                ck_assert_ptr_nonnull(e.message);
                        }
                        vss_error_done(&e);
                }
}
END_TEST

START_TEST(base_bits_in_other_patterns_are_no_context) {
        const LONG base_bits = VSS_CTX_CLIENT_ACCESSIBLE;

        for (LONG context = 0; context <= base_bits; context++) {
                bool is_base = false;

                if (context & ~base_bits)
                        continue;
                for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
                        is_base = is_base || bases[i] == context;
                ck_assert_msg((vss_context_validate(context, NULL) == 0) == is_base, "0x%x",
                              (unsigned)context);
        }
}
END_TEST

START_TEST(names_go_both_ways) {
        for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
                const char *name = vss_context_to_string(bases[i]);
                LONG context = 0x55;

                ck_assert_ptr_nonnull(name);
                ck_assert_int_eq(vss_context_from_string(&context, name), 0);
                ck_assert_int_eq(context, bases[i]);
        }
        ck_assert_str_eq(
                vss_context_to_string(VSS_CTX_APP_ROLLBACK | VSS_VOLSNAP_ATTR_DIFFERENTIAL),
                "app-rollback");
        ck_assert_ptr_null(vss_context_to_string(VSS_VOLSNAP_ATTR_PERSISTENT));
}
END_TEST

START_TEST(unknown_names_are_refused) {
        static const char *const names[] = { "", "Backup", "backup ", "rollback" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                LONG context = 0x55;

                ck_assert_int_eq(vss_context_from_string(&context, names[i]), -EINVAL);
                ck_assert_int_eq(context, 0x55);
        }
}
END_TEST

START_TEST(writers_and_lifetime_follow_from_the_bits) {
        ck_assert(vss_context_has_writers(VSS_CTX_BACKUP));
        ck_assert(!vss_context_has_writers(VSS_CTX_FILE_SHARE_BACKUP));
        ck_assert(vss_context_auto_release(VSS_CTX_BACKUP));
        ck_assert(vss_context_auto_release(VSS_CTX_FILE_SHARE_BACKUP));
        ck_assert(!vss_context_auto_release(VSS_CTX_APP_ROLLBACK));
        ck_assert(!vss_context_has_writers(VSS_CTX_CLIENT_ACCESSIBLE));
        ck_assert(vss_context_has_writers(VSS_CTX_CLIENT_ACCESSIBLE_WRITERS));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("vss-context");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tcase, the_matrix_holds);
        tcase_add_test(tcase, base_bits_in_other_patterns_are_no_context);
        tcase_add_test(tcase, names_go_both_ways);
        tcase_add_test(tcase, unknown_names_are_refused);
        tcase_add_test(tcase, writers_and_lifetime_follow_from_the_bits);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
