/* Prepared device-mapper ioctls: what reaches the kernel, and that each run starts from the same.
 */

#include "daemon/window/dm-request.h"

#include <check.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#define FD 7

static struct {
        unsigned long command;
        _Alignas(struct dm_ioctl) char bytes[4096];
        unsigned n_calls, n_interrupted;
        int result;
} seen;

static int see(int fd, unsigned long command, struct dm_ioctl *arg) {
        ck_assert_int_eq(fd, FD);
        ck_assert_uint_le(arg->data_size, sizeof(seen.bytes));
        seen.command = command;
        seen.n_calls++;
        memcpy(seen.bytes, arg, arg->data_size);
        /* The kernel answers into the buffer. */
        memset(arg->name, 'x', sizeof(arg->name) - 1);
        arg->dev = 0;
        arg->flags = DM_SUSPEND_FLAG | DM_INACTIVE_PRESENT_FLAG;
        if (seen.n_calls <= seen.n_interrupted)
                return -EINTR;
        return seen.result;
}

static const struct dm_kernel kernel = { .ioctl = see };

static const struct dm_ioctl *header(void) {
        return (const struct dm_ioctl *)(const void *)seen.bytes;
}

static void run(struct dm_request *r) {
        memset(&seen, 0, sizeof(seen));
        ck_assert_int_eq(dm_request_run(r, &kernel, FD), 0);
        ck_assert_uint_eq(header()->version[0], DM_VERSION_MAJOR);
        ck_assert_uint_le(header()->version[1], DM_VERSION_MINOR);
        ck_assert_uint_eq(header()->data_start, sizeof(struct dm_ioctl));
}

START_TEST(suspend_flushes_and_locks_the_file_system) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;

        ck_assert_int_eq(dm_request_new_suspend(&r, makedev(253, 5)), 0);
        ck_assert_str_eq(dm_request_verb(r), "suspend");
        run(r);
        ck_assert_uint_eq(seen.command, DM_DEV_SUSPEND);
        /* Neither DM_SKIP_LOCKFS_FLAG nor DM_NOFLUSH_FLAG. */
        ck_assert_uint_eq(header()->flags, DM_SUSPEND_FLAG);
        ck_assert_uint_eq(header()->dev, 253U << 8 | 5U);
        ck_assert_str_eq(header()->name, "");
}
END_TEST

START_TEST(device_numbers_are_encoded_as_the_kernel_does) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;

        ck_assert_int_eq(dm_request_new_status(&r, makedev(253, 0x12345)), 0);
        run(r);
        ck_assert_uint_eq(seen.command, DM_DEV_STATUS);
        ck_assert_uint_eq(header()->dev, 0x45U | 253U << 8 | 0x12300U << 12);
}
END_TEST

START_TEST(resume_and_clear_name_the_device_by_number) {
        _cleanup_(dm_request_freep) struct dm_request *resume = NULL, *clear = NULL;

        ck_assert_int_eq(dm_request_new_resume(&resume, makedev(253, 1)), 0);
        run(resume);
        ck_assert_uint_eq(seen.command, DM_DEV_SUSPEND);
        ck_assert_uint_eq(header()->flags, 0);
        ck_assert_uint_eq(header()->event_nr, 0);
        ck_assert_uint_eq(header()->dev, 253U << 8 | 1U);

        ck_assert_int_eq(dm_request_new_clear(&clear, makedev(253, 1)), 0);
        run(clear);
        ck_assert_uint_eq(seen.command, DM_TABLE_CLEAR);
        ck_assert_uint_eq(header()->dev, 253U << 8 | 1U);
}
END_TEST

START_TEST(an_announcement_carries_udev_flags_and_no_semaphore) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;

        ck_assert_int_eq(dm_request_new_announce(&r, makedev(253, 3), 0x0044), 0);
        run(r);
        ck_assert_uint_eq(seen.command, DM_DEV_SUSPEND);
        ck_assert_uint_eq(header()->flags, 0);
        ck_assert_uint_eq(header()->event_nr, 0x00440000U);
}
END_TEST

/* Put behind the header as the kernel does. */
static void answer_status(struct dm_ioctl *arg, const char *text) {
        struct dm_target_spec *target = (void *)(arg + 1);

        ck_assert_uint_ge(arg->data_size, sizeof(*arg) + sizeof(*target) + strlen(text) + 1);
        arg->target_count = 1;
        memcpy(target + 1, text, strlen(text) + 1);
}

static const char *status;

static int answer(int fd, unsigned long command, struct dm_ioctl *arg) {
        ck_assert_int_eq(fd, FD);
        ck_assert_uint_eq(command, DM_TABLE_STATUS);
        ck_assert_uint_eq(arg->flags, DM_NOFLUSH_FLAG);
        arg->flags = 0;
        if (!status)
                arg->flags = DM_BUFFER_FULL_FLAG;
        else if (*status)
                answer_status(arg, status);
        return 0;
}

START_TEST(a_check_wants_a_word_in_the_status) {
        static const struct dm_kernel answering = { .ioctl = answer };
        static const struct {
                const char *status;
                int result;
        } cases[] = {
                { "raid1 2 AA 2048/2048 idle 0", 0 },
                { "AA", 0 },
                { "raid1 2 AD 2048/2048 idle 0", -ESTALE },
                { "raid1 3 AAA 2048/2048 idle 0", -ESTALE },
                { "raid1 2 A", -ESTALE },
                { "", -ESTALE },
                { NULL, -ESTALE },
        };
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;

        ck_assert_int_eq(dm_request_new_check(&r, makedev(253, 5), "AA"), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                status = cases[i].status;
                ck_assert_int_eq(dm_request_run(r, &answering, FD), cases[i].result);
        }
}
END_TEST

START_TEST(a_message_follows_the_header) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;
        const struct dm_target_msg *message;

        ck_assert_int_eq(dm_request_new_message(&r, makedev(253, 9), 77, "create_snap 5 3"), 0);
        run(r);
        ck_assert_uint_eq(seen.command, DM_TARGET_MSG);
        message = (const void *)(header() + 1);
        ck_assert_uint_eq(message->sector, 77);
        ck_assert_str_eq(message->message, "create_snap 5 3");
        ck_assert_uint_eq(header()->data_size, sizeof(struct dm_ioctl) + sizeof(*message) + 16);
}
END_TEST

START_TEST(each_run_starts_from_what_was_prepared) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;

        ck_assert_int_eq(dm_request_new_resume(&r, makedev(253, 7)), 0);
        run(r);
        run(r);
        ck_assert_str_eq(header()->name, "");
        ck_assert_uint_eq(header()->dev, 253U << 8 | 7U);
        ck_assert_uint_eq(header()->flags, 0);
}
END_TEST

START_TEST(an_interrupted_run_is_begun_anew) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;

        ck_assert_int_eq(dm_request_new_suspend(&r, makedev(253, 5)), 0);
        memset(&seen, 0, sizeof(seen));
        seen.n_interrupted = 3;
        ck_assert_int_eq(dm_request_run(r, &kernel, FD), 0);
        ck_assert_uint_eq(seen.n_calls, 4);
        ck_assert_uint_eq(header()->flags, DM_SUSPEND_FLAG);
        ck_assert_uint_eq(header()->dev, 253U << 8 | 5U);
}
END_TEST

START_TEST(failures_are_handed_on) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;

        ck_assert_int_eq(dm_request_new_suspend(&r, makedev(253, 5)), 0);
        memset(&seen, 0, sizeof(seen));
        seen.result = -ENXIO;
        ck_assert_int_eq(dm_request_run(r, &kernel, FD), -ENXIO);
        ck_assert_uint_eq(seen.n_calls, 1);
}
END_TEST

START_TEST(the_answer_is_read) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;

        ck_assert_int_eq(dm_request_new_status(&r, makedev(253, 5)), 0);
        ck_assert(!dm_request_saw_suspended(r));
        ck_assert(!dm_request_saw_inactive_table(r));
        run(r);
        ck_assert(dm_request_saw_suspended(r));
        ck_assert(dm_request_saw_inactive_table(r));
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
        struct dm_request *r = NULL;
        char text[2048];

        memset(text, 'n', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        ck_assert_int_eq(dm_request_new_message(&r, makedev(253, 5), 0, text), -ENAMETOOLONG);
        ck_assert_int_eq(dm_request_new_check(&r, makedev(253, 5), text), -ENAMETOOLONG);
        ck_assert_ptr_null(r);
}
END_TEST

int main(void) {
        Suite *s = suite_create("dm-request");
        TCase *t = tcase_create("dm-request");
        SRunner *runner;
        int n_failed;

        tcase_add_test(t, suspend_flushes_and_locks_the_file_system);
        tcase_add_test(t, device_numbers_are_encoded_as_the_kernel_does);
        tcase_add_test(t, resume_and_clear_name_the_device_by_number);
        tcase_add_test(t, an_announcement_carries_udev_flags_and_no_semaphore);
        tcase_add_test(t, a_check_wants_a_word_in_the_status);
        tcase_add_test(t, a_message_follows_the_header);
        tcase_add_test(t, each_run_starts_from_what_was_prepared);
        tcase_add_test(t, an_interrupted_run_is_begun_anew);
        tcase_add_test(t, failures_are_handed_on);
        tcase_add_test(t, the_answer_is_read);
        tcase_add_test(t, what_does_not_fit_is_refused);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
