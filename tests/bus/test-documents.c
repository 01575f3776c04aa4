/* The document of a session on the bus: loaded as text or as a memfd, read, changed and saved; and
 * what of a session is refused whatever there is. */

#include "tests/bus/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <vss/vss.h>
#include <vss/vsserror.h>
#include <vss/vswriter.h>

#define INSTANCE "00000000-0000-0000-0000-000000000007"
#define CLASS "00000000-0000-0000-0000-000000000099"
#define COMPONENT CLASS, VSS_CT_FILEGROUP, "", "data"
static const char saved[] =
        "<BACKUP_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\" version=\"1.2\" "
        "bootableSystemStateBackup=\"no\" selectComponents=\"yes\" backupType=\"full\" "
        "partialFileSupport=\"no\"><WRITER_COMPONENTS instanceId=\"" INSTANCE "\" writerId=\"" CLASS
        "\" backupSchema=\"0\"><COMPONENT componentName=\"data\" componentType=\"filegroup\"/>"
        "</WRITER_COMPONENTS></BACKUP_COMPONENTS>";

static struct harness h;
static struct client c;

static void setup(void) {
        harness_start(&h, NULL);
        client_open(&c, &h);
}

static void teardown(void) {
        client_close(&c);
        harness_stop(&h);
}

START_TEST(what_was_saved_is_read_and_saved_again) {
        const char *session = client_session(&c), *xml, *instance, *writer;
        dbus_uint32_t n;

        client_fails(&c, ERROR("BadState"), session, SESSION, "SaveAsXML", "");
        client_fails(&c, ERROR("InvalidXmlDocument"), session, SESSION, "InitializeForRestore", "v",
                     "");
        client_fails(&c, ERROR("InvalidXmlDocument"), session, SESSION, "InitializeForRestore", "v",
                     "<x/>");
        client_do(&c, session, SESSION, "InitializeForRestore", "v", saved);
        client_fails(&c, ERROR("BadState"), session, SESSION, "InitializeForBackup", "v", "");
        reply_read(client_call(&c, session, SESSION, "SaveAsXML", ""), "v", &xml);
        ck_assert_str_eq(xml, saved);
        reply_read(client_call(&c, session, SESSION, "GetWriterComponentsCount", ""), "u", &n);
        ck_assert_uint_eq(n, 1);
        reply_read(client_call(&c, session, SESSION, "GetWriterComponents", "u", 0U), "ssv",
                   &instance, &writer, &xml);
        ck_assert_str_eq(instance, INSTANCE);
        ck_assert_str_eq(writer, CLASS);
        ck_assert_ptr_nonnull(strstr(xml, "componentName=\"data\""));
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "GetWriterComponents", "u", 1U);
        client_do(&c, session, SESSION, "SetRestoreState", "u", 1U);
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "SetRestoreState", "u", 4U);
        reply_read(client_call(&c, session, SESSION, "SaveAsXML", ""), "v", &xml);
        ck_assert_ptr_nonnull(strstr(xml, "restoreType=\"byCopy\""));
}
END_TEST

START_TEST(a_restore_without_its_writer) {
        const char *session = client_session(&c);

        client_do(&c, session, SESSION, "InitializeForRestore", "v", saved);
        /* The state comes before the arguments. */
        client_fails(&c, ERROR("BadState"), session, SESSION, "SetSelectedForRestore", "sussb",
                     "nonsense", 77U, "", "", TRUE);
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "SetSelectedForRestore", "sussb",
                     "nonsense", VSS_CT_FILEGROUP, "", "data", TRUE);
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "SetSelectedForRestore", "sussb",
                     CLASS, 77U, "", "data", TRUE);
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "SetSelectedForRestore",
                     "sussb", COMPONENT, TRUE);
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "SetSelectedForRestoreEx",
                     "sussbs", COMPONENT, TRUE, INSTANCE);
        client_do(&c, session, SESSION, "SetRestoreOptions", "susss", COMPONENT, "\"a\"=\"b\"");
        client_do(&c, session, SESSION, "SetAdditionalRestores", "sussb", COMPONENT, TRUE);
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "SetRestoreName", "susss",
                     COMPONENT, "new");
        client_fails(&c, ERROR("BadState"), session, SESSION, "SetFileRestoreStatus", "sussu",
                     COMPONENT, VSS_RS_ALL);
        client_fails(&c, ERROR("BadState"), session, SESSION, "AddComponent", "ssuss", INSTANCE,
                     COMPONENT);
        ck_assert_int_eq(client_run(&c, session, "PreRestore", NULL), VSS_S_ASYNC_FINISHED);
        client_do(&c, session, SESSION, "SetFileRestoreStatus", "sussu", COMPONENT, VSS_RS_ALL);
        ck_assert_int_eq(client_run(&c, session, "PostRestore", NULL), VSS_S_ASYNC_FINISHED);
        client_fails(&c, ERROR("BadState"), session, SESSION, "PostRestore", "");
}
END_TEST

/* A document as a descriptor; sealed: so that nobody can change it any more. */
static DBusMessage *load_memfd(const char *session, const char *text, size_t size, bool sealed) {
        DBusMessage *m =
                dbus_message_new_method_call(SERVICE, session, SESSION, "InitializeForRestore");
        DBusMessageIter iter, variant;
        int fd = memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
        if (sealed)
                ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW),
                                 0);
        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_VARIANT, "h", &variant));
        ck_assert(dbus_message_iter_append_basic(&variant, DBUS_TYPE_UNIX_FD, &fd));
        ck_assert(dbus_message_iter_close_container(&iter, &variant));
        (void)close(fd);
        return client_send(&c, m);
}

START_TEST(large_documents_come_as_memfds) {
        const char *session = client_session(&c);
        size_t padding = 2u * 1024u * 1024u, head = (size_t)(strchr(saved, '>') - saved) + 1;
        char *text = calloc(1, sizeof(saved) + padding + 16);
        DBusMessageIter iter, variant;
        DBusMessage *reply;

        ck_assert_ptr_nonnull(text);
        memcpy(text, saved, head);
        memcpy(text + head, "<X a=\"", 6);
        memset(text + head + 6, 'x', padding);
        (void)sprintf(text + head + 6 + padding, "\"/>%s", saved + head);

        reply_bad(load_memfd(session, text, strlen(text), false), "InitializeForRestore",
                  ERROR("InvalidArg"));
        dbus_message_unref(
                reply_good(load_memfd(session, text, strlen(text), true), "InitializeForRestore"));
        /* What we do not know survives, and is too large to come back as a string. */
        reply = client_call(&c, session, SESSION, "SaveAsXML", "");
        ck_assert(dbus_message_iter_init(reply, &iter));
        dbus_message_iter_recurse(&iter, &variant);
        ck_assert_int_eq(dbus_message_iter_get_arg_type(&variant), DBUS_TYPE_UNIX_FD);
        dbus_message_unref(reply);
        free(text);
}
END_TEST

START_TEST(what_no_provider_can_do) {
        static const char unknown[] = "00000000-0000-0000-0000-0000000000aa";
        const char *session = client_session(&c), *root, *prefix;

        client_fails(&c, ERROR("NotImpl"), session, SESSION, "PreFastRecovery", "su", unknown, 0U);
        client_fails(&c, ERROR("NotImpl"), session, SESSION, "FastRecovery", "su", unknown, 0U);
        client_fails(&c, ERROR("BadState"), session, SESSION, "ExposeSnapshot", "ssis", "nonsense",
                     "", 0, "");
        client_fails(&c, ERROR("BadState"), session, SESSION, "DeleteSnapshots", "sub", "nonsense",
                     77U, FALSE);
        client_fails(&c, ERROR("BadState"), session, SESSION, "Query", "suu", "nonsense", 77U, 77U);
        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "ExposeSnapshot", "ssis", unknown,
                     "", 0, "");
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "ExposeSnapshot", "ssis",
                     unknown, "", VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY, "/mnt");
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "UnexposeSnapshot", "s",
                     unknown);
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "BreakSnapshotSet", "s",
                     unknown);
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "BreakSnapshotSetEx", "su", unknown,
                     0x10U);
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "RevertToSnapshot", "sb",
                     unknown, FALSE);
        client_fails(&c, ERROR("ObjectNotFound"), session, SESSION, "QueryRevertStatus", "s",
                     "/srv/data");
        client_fails(&c, ERROR("BadState"), session, SESSION, "ImportSnapshots", "");
        client_fails(&c, ERROR("BadState"), session, SESSION, "AddSnapshotToRecoverySet", "sus",
                     unknown, 0U, "");
        client_fails(&c, ERROR("BadState"), session, SESSION, "RecoverSet", "u", 0U);
        reply_read(client_call(&c, session, SESSION, "GetRootAndLogicalPrefixPaths", "sb",
                               "/proc/self", FALSE),
                   "ss", &root, &prefix);
        ck_assert_str_eq(root, "/proc/");

        session = client_session(&c);
        client_do(&c, session, SESSION, "InitializeForBackup", "v", saved);
        ck_assert_int_eq(client_run(&c, session, "ImportSnapshots", NULL),
                         VSS_E_NONTRANSPORTABLE_BCD);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-documents");
        TCase *t = tcase_create("bus-documents");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, what_was_saved_is_read_and_saved_again);
        tcase_add_test(t, a_restore_without_its_writer);
        tcase_add_test(t, large_documents_come_as_memfds);
        tcase_add_test(t, what_no_provider_can_do);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
