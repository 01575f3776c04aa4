/* A document in a message: it comes out as it went in, as a string or as a sealed memfd, and what
 * is no such thing is refused. */

#include "common/document.h"
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

static DBusMessage *message;

static void setup(void) {
        message = dbus_message_new_method_call("a.b", "/a", "a.b", "M");
        ck_assert_ptr_nonnull(message);
}

static void teardown(void) {
        dbus_message_unref(message);
}

static struct document *make(const char *text, size_t size) {
        char *copy = malloc(size + 1);
        struct document *d = NULL;

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, size);
        ck_assert_int_eq(document_new(&d, copy, size, NULL), 0);
        return d;
}

static void append(struct document *d) {
        DBusMessageIter iter;

        dbus_message_iter_init_append(message, &iter);
        ck_assert_int_eq(document_append(&iter, d), 0);
}

/* 's' or 'h' */
static int type_in_message(void) {
        DBusMessageIter iter, value;

        ck_assert(dbus_message_iter_init(message, &iter));
        dbus_message_iter_recurse(&iter, &value);
        return dbus_message_iter_get_arg_type(&value);
}

static int try_read(size_t max, struct document **ret, struct vss_error *reterr) {
        DBusMessageIter iter;

        ck_assert(dbus_message_iter_init(message, &iter));
        return document_read(&iter, "The metadata", max, ret, reterr);
}

static struct document *read_back(void) {
        struct document *d = NULL;
        struct vss_error e = { 0 };

        ck_assert_msg(try_read(DOCUMENT_MAX, &d, &e) == 0, "%s", e.message);
        return d;
}

static void assert_refused(size_t max, const char *why) {
        struct document *d = NULL;
        struct vss_error e = { 0 };

        ck_assert_int_lt(try_read(max, &d, &e), 0);
        ck_assert_int_eq(e.hr, E_INVALIDARG);
        ck_assert_ptr_null(d);
        ck_assert_msg(strstr(e.message, why), "'%s' does not say '%s'", e.message, why);
        vss_error_done(&e);
}

static void assert_travels(const char *text, size_t size, int type) {
        _cleanup_(document_unrefp) struct document *sent = make(text, size), *got = NULL;

        append(sent);
        ck_assert_int_eq(type_in_message(), type);
        got = read_back();
        ck_assert_uint_eq(document_size(got), size);
        ck_assert(memcmp(document_text(got), text, size) == 0);
        ck_assert_int_eq(document_text(got)[size], '\0');
}

START_TEST(a_small_document_is_a_string) {
        assert_travels("<a/>", 4, DBUS_TYPE_STRING);
}
END_TEST

START_TEST(what_is_no_utf8_is_a_memfd) {
        static const char *const texts[] = { "\xff\xfe<\0a", "<\0/\0", "a\0b\0", "xy\xffz" };

        assert_travels(texts[_i], 4, DBUS_TYPE_UNIX_FD);
}
END_TEST

/* Around 1 MiB, and where the end of the text is the end of a page. */
START_TEST(a_large_document_is_a_memfd) {
        static const size_t sizes[] = { DOCUMENT_INLINE_MAX, DOCUMENT_INLINE_MAX + 1,
                                        DOCUMENT_INLINE_MAX + 4096, 3000000 };
        size_t size = sizes[_i];
        _cleanup_(freep) char *text = malloc(size);

        memset(text, 'x', size);
        assert_travels(text, size,
                       size <= DOCUMENT_INLINE_MAX ? DBUS_TYPE_STRING : DBUS_TYPE_UNIX_FD);
}
END_TEST

START_TEST(what_came_is_handed_on) {
        size_t size = DOCUMENT_INLINE_MAX + 1;
        _cleanup_(freep) char *text = calloc(1, size);
        _cleanup_(document_unrefp) struct document *sent = NULL, *got = NULL, *last = NULL;

        memset(text, 'x', size);
        sent = make(text, size);
        append(sent);
        got = read_back();
        dbus_message_unref(message);
        setup();
        append(got); /* never mapped */
        last = read_back();
        ck_assert(memcmp(document_text(last), text, size) == 0);
}
END_TEST

START_TEST(nothing_is_an_empty_string) {
        append(NULL);
        ck_assert_int_eq(type_in_message(), DBUS_TYPE_STRING);
        ck_assert_ptr_null(read_back());
}
END_TEST

START_TEST(references_are_counted) {
        struct document *d = make("<a/>", 4);

        ck_assert_ptr_eq(document_ref(d), d);
        ck_assert_ptr_null(document_unref(d));
        ck_assert_str_eq(document_text(d), "<a/>");
        ck_assert_ptr_null(document_unref(d));
        ck_assert_ptr_null(document_unref(NULL));
}
END_TEST

START_TEST(a_document_has_a_largest_size) {
        struct document *d = NULL;
        struct vss_error e = { 0 };

        ck_assert_int_lt(document_new(&d, strdup("x"), (size_t)DOCUMENT_MAX + 1, &e), 0);
        ck_assert_int_eq(e.hr, E_INVALIDARG);
        vss_error_done(&e);
}
END_TEST

static void append_fd(int fd) {
        DBusMessageIter iter, variant;

        dbus_message_iter_init_append(message, &iter);
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_VARIANT,
                                                   DBUS_TYPE_UNIX_FD_AS_STRING, &variant));
        ck_assert(dbus_message_iter_append_basic(&variant, DBUS_TYPE_UNIX_FD, &fd));
        ck_assert(dbus_message_iter_close_container(&iter, &variant));
}

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

static void append_memfd(const char *text, off_t size, int seals) {
        _cleanup_(closep) int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        ck_assert_int_eq(ftruncate(fd, size), 0);
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
        append_fd(fd);
}

START_TEST(a_sealed_memfd_is_taken) {
        _cleanup_(document_unrefp) struct document *d = NULL;

        append_memfd("<a/>", 4, ALL_SEALS);
        d = read_back();
        ck_assert_str_eq(document_text(d), "<a/>");
}
END_TEST

START_TEST(an_empty_memfd_is_nothing) {
        append_memfd("", 0, ALL_SEALS);
        ck_assert_ptr_null(read_back());
}
END_TEST

START_TEST(a_seal_that_is_missing_is_missed) {
        static const int seals[] = { 0, F_SEAL_WRITE, ALL_SEALS & ~F_SEAL_WRITE,
                                     ALL_SEALS & ~F_SEAL_SHRINK, ALL_SEALS & ~F_SEAL_GROW };

        append_memfd("<a/>", 4, seals[_i]);
        assert_refused(DOCUMENT_MAX, "sealed");
}
END_TEST

START_TEST(other_descriptors_are_refused) {
        _cleanup_(closep) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        _cleanup_(closep) int directory = open("/", O_RDONLY | O_CLOEXEC);
        _cleanup_(closep) int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        int ends[2], fds[4];

        ck_assert_int_eq(pipe(ends), 0);
        fds[0] = null;
        fds[1] = directory;
        fds[2] = file;
        fds[3] = ends[0];
        append_fd(fds[_i]);
        assert_refused(DOCUMENT_MAX, "sealed");
        close(ends[0]);
        close(ends[1]);
}
END_TEST

START_TEST(a_claim_of_300_mib_is_refused) {
        append_memfd("<a/>", (off_t)300 * 1024 * 1024, ALL_SEALS);
        assert_refused(DOCUMENT_MAX, "are the most");
}
END_TEST

START_TEST(a_claim_that_has_no_pages_is_refused) {
        append_memfd("<a/>", (off_t)200 * 1024 * 1024, ALL_SEALS);
        assert_refused(DOCUMENT_MAX, "hole");
}
END_TEST

START_TEST(the_limit_of_the_caller_counts) {
        append_memfd("<a/>", 4, ALL_SEALS);
        assert_refused(3, "are the most");
        teardown();
        setup();
        {
                _cleanup_(document_unrefp) struct document *d = make("<a/>", 4);

                append(d);
        }
        assert_refused(3, "are the most");
}
END_TEST

START_TEST(other_values_are_refused) {
        DBusMessageIter iter, variant;
        const char *text = "<a/>";
        dbus_uint32_t number = 7;

        dbus_message_iter_init_append(message, &iter);
        if (_i == 0)
                ck_assert(dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &text));
        else {
                ck_assert(
                        dbus_message_iter_open_container(&iter, DBUS_TYPE_VARIANT, "u", &variant));
                ck_assert(dbus_message_iter_append_basic(&variant, DBUS_TYPE_UINT32, &number));
                ck_assert(dbus_message_iter_close_container(&iter, &variant));
        }
        assert_refused(DOCUMENT_MAX, "variant");
}
END_TEST

/* What the sender left behind the end of the file in its last page is not part of the text. */
START_TEST(the_text_ends_where_the_file_ends) {
        _cleanup_(closep) int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        _cleanup_(document_unrefp) struct document *d = NULL;
        char *page;

        ck_assert_int_eq(ftruncate(fd, 4), 0);
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ck_assert_ptr_ne(page, MAP_FAILED);
        memset(page, 'x', 4096);
        ck_assert_int_eq(munmap(page, 4096), 0);
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, ALL_SEALS), 0);
        append_fd(fd);
        d = read_back();
        ck_assert_str_eq(document_text(d), "xxxx");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("document");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_small_document_is_a_string);
        tcase_add_loop_test(tcase, what_is_no_utf8_is_a_memfd, 0, 4);
        tcase_add_loop_test(tcase, a_large_document_is_a_memfd, 0, 4);
        tcase_add_test(tcase, what_came_is_handed_on);
        tcase_add_test(tcase, nothing_is_an_empty_string);
        tcase_add_test(tcase, references_are_counted);
        tcase_add_test(tcase, a_document_has_a_largest_size);
        tcase_add_test(tcase, a_sealed_memfd_is_taken);
        tcase_add_test(tcase, an_empty_memfd_is_nothing);
        tcase_add_loop_test(tcase, a_seal_that_is_missing_is_missed, 0, 5);
        tcase_add_loop_test(tcase, other_descriptors_are_refused, 0, 4);
        tcase_add_test(tcase, a_claim_of_300_mib_is_refused);
        tcase_add_test(tcase, a_claim_that_has_no_pages_is_refused);
        tcase_add_test(tcase, the_limit_of_the_caller_counts);
        tcase_add_loop_test(tcase, other_values_are_refused, 0, 2);
        tcase_add_test(tcase, the_text_ends_where_the_file_ends);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
