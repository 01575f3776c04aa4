/* Providers of others: a vendor's process (fake-vendor.c) that registers, makes copies in sets with
 * the service's own, fails at each of its calls in each way, dies, hangs, and says what cannot be.
 */

#include "tests/bus/bus-writer.h"
#include <vss/vss.h>
#include <vss/vsserror.h>

#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define PROVIDER_ID "5a3c1d52-8d0e-4c2f-9d64-2f0b1c7a9e11"
#define VERSION_ID "5a3c1d52-8d0e-4c2f-9d64-2f0b1c7a9e12"
#define VENDOR "com.example.Vendor"
#define PATIENCE_MS 30000

static struct harness h;
static struct client c;
static pid_t vendor;

static void rest(void) {
        (void)nanosleep(&(const struct timespec){ .tv_nsec = 5000000 }, NULL);
}

static pid_t spawn(char *const *argv) {
        pid_t parent = getpid(), child = fork();

        ck_assert_int_ge(child, 0);
        if (child == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                        _exit(126);
                execv(argv[0], argv);
                _exit(127);
        }
        return child;
}

static void await_name(pid_t child, const char *name) {
        unsigned waited = 0;

        while (!dbus_bus_name_has_owner(c.connection, name, NULL)) {
                ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
                ck_assert_uint_lt(waited += 5, PATIENCE_MS);
                rest();
        }
}

static void start_vendor(void) {
        char *const argv[] = { (char *)(uintptr_t)FAKE_VENDOR, h.address, NULL };

        vendor = spawn(argv);
        await_name(vendor, VENDOR);
}

static void await_vendor_gone(void) {
        unsigned waited = 0;

        if (vendor > 0)
                ck_assert_int_eq(waitpid(vendor, NULL, 0), vendor);
        vendor = 0;
        while (dbus_bus_name_has_owner(c.connection, VENDOR, NULL)) {
                ck_assert_uint_lt(waited += 5, PATIENCE_MS);
                rest();
        }
}

static void stop_vendor(void) {
        if (vendor > 0)
                ck_assert_int_eq(kill(vendor, SIGKILL), 0);
        await_vendor_gone();
}

static DBusMessage *registration(const char *id, const char *name, unsigned type,
                                 const char *bus_name) {
        return message_new(ROOT, MANAGER, "RegisterProvider", "ssusssoa{sv}", id, name, type, "1.0",
                           VERSION_ID, bus_name, "/com/example/vendor", NULL);
}

static void register_vendor(void) {
        dbus_message_unref(reply_good(
                client_send(&c, registration(PROVIDER_ID, "vendor", VSS_PROV_SOFTWARE, VENDOR)),
                "RegisterProvider"));
}

#define CONFIG "[Timeouts]\nProvider=1s\n"

static void setup(void) {
        harness_start(&h, CONFIG);
        client_open(&c, &h);
        start_vendor();
        register_vendor();
}

static void teardown(void) {
        stop_vendor();
        client_close(&c);
        harness_stop(&h);
}

/* The row of a provider among all, NULL: there is none. */
static const char *provider_row(const char *name, const char *key) {
        DBusMessage *reply = client_call(&c, ROOT, MANAGER, "ListProviders", "");
        const char *value = NULL;

        for (size_t i = 0; i < reply_rows(reply); i++)
                if (streq(reply_row(reply, i, "Name"), name))
                        value = reply_row(reply, i, key);
        dbus_message_unref(reply);
        return value;
}

static const char *provider_of(const char *volume, const char **ret_reason) {
        const char *name, *reason;
        dbus_bool_t supported;

        reply_read(client_call(&c, ROOT, MANAGER, "IsVolumeSupported", "s", volume), "bss",
                   &supported, &name, &reason);
        if (ret_reason)
                *ret_reason = reason;
        return name;
}

static DBusMessage *creation(void) {
        char *const volumes[] = { (char[]){ "/srv/data" }, (char[]){ "/srv/mail" }, NULL };
        char *const options[] = { (char[]){ "context" }, (char[]){ "nas-rollback" }, NULL };

        return message_new(ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, options);
}

static void make_set(void) {
        dbus_message_unref(reply_good(client_send(&c, creation()), "CreateSnapshotSet"));
}

static size_t count_copies(void) {
        DBusMessage *reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        size_t n = reply_rows(reply);

        dbus_message_unref(reply);
        return n;
}

/* What the vendor has, prepared or made. */
static size_t count_vendors(void) {
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *entry;
        char path[256];
        size_t n = 0;

        (void)snprintf(path, sizeof(path), "%s/copies", h.directory);
        d = opendir(path);
        ck_assert_ptr_nonnull(d);
        while ((entry = readdir(d)))
                n += entry->d_name[0] != '.';
        return n;
}

static void vendor_does(const char *method, const char *what) {
        char text[512];

        (void)snprintf(text, sizeof(text), "%s %s\n", method, what);
        harness_knob(&h, "vendor", method ? text : NULL);
}

static void vendor_behaves(void) {
        harness_knob(&h, "vendor", NULL);
}

/* The journal's line n of those of the vendor; static. */
static const char *vendor_line(size_t n) {
        static char line[128];
        const char *at = harness_journal(&h);

        while (at) {
                if (strncmp(at, "vendor ", 7) == 0 && n-- == 0) {
                        (void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(at + 7, "\n"),
                                       at + 7);
                        return line;
                }
                at = strchr(at, '\n');
                at = at ? at + 1 : NULL;
        }
        return "";
}

START_TEST(it_is_registered_for_good) {
        ck_assert_str_eq(provider_row("vendor", "ProviderId"), PROVIDER_ID);
        ck_assert_str_eq(provider_row("vendor", "ProviderName"), "vendor");
        ck_assert_str_eq(provider_row("vendor", "ProviderType"), "2");
        ck_assert_str_eq(client_property(&c, ROOT "/provider/vendor", SERVICE ".Provider",
                                         "ProviderVersionId"),
                         VERSION_ID);
        harness_stop_daemon(&h);
        harness_start_daemon(&h, CONFIG);
        ck_assert_str_eq(provider_row("vendor", "ProviderVersion"), "1.0");
        ck_assert_str_eq(provider_of("/srv/mail", NULL), "vendor");

        client_do(&c, ROOT, MANAGER, "UnregisterProvider", "s", PROVIDER_ID);
        ck_assert_ptr_null(provider_row("vendor", "Name"));
        ck_assert_str_eq(provider_of("/srv/mail", NULL), "fake-cow");
        client_fails(&c, ERROR("ProviderNotRegistered"), ROOT, MANAGER, "UnregisterProvider", "s",
                     PROVIDER_ID);
        harness_stop_daemon(&h);
        harness_start_daemon(&h, CONFIG);
        ck_assert_ptr_null(provider_row("vendor", "Name"));
        register_vendor();
        ck_assert_str_eq(provider_of("/srv/mail", NULL), "vendor");
}
END_TEST

START_TEST(what_is_no_provider_is_not_registered) {
        static const struct {
                const char *id, *name, *bus_name, *error;
                unsigned type;
        } wrong[] = {
                { PROVIDER_ID, "other", VENDOR, ERROR("ProviderAlreadyRegistered"), 2 },
                { VERSION_ID, "vendor", VENDOR, ERROR("ProviderAlreadyRegistered"), 2 },
                { VERSION_ID, "fake-cow", VENDOR, ERROR("ProviderAlreadyRegistered"), 2 },
                { VERSION_ID, "exposure", VENDOR, ERROR("ProviderAlreadyRegistered"), 2 },
                { "b5946137-7b9f-4925-af80-51abd60b20d5", "other", VENDOR,
                  ERROR("ProviderAlreadyRegistered"), 2 },
                { "fa4e0001-0000-4000-8000-000000000001", "other", VENDOR,
                  ERROR("ProviderAlreadyRegistered"), 2 },
                { VERSION_ID, "other", VENDOR, ERROR("InvalidArg"), 1 },
                { VERSION_ID, "other", VENDOR, ERROR("InvalidArg"), 3 },
                { VERSION_ID, "other", ":1.7", ERROR("InvalidArg"), 2 },
                { VERSION_ID, "other", "no name", ERROR("InvalidArg"), 2 },
                { VERSION_ID, "Other", VENDOR, ERROR("InvalidArg"), 2 },
                { VERSION_ID, "a/b", VENDOR, ERROR("InvalidArg"), 2 },
                { VERSION_ID, "", VENDOR, ERROR("InvalidArg"), 2 },
                { "00000000-0000-0000-0000-000000000000", "other", VENDOR, ERROR("InvalidArg"), 2 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                (void)reply_bad(client_send(&c, registration(wrong[i].id, wrong[i].name,
                                                             wrong[i].type, wrong[i].bus_name)),
                                "RegisterProvider", wrong[i].error);
        /* Its copies are not what is in the way: without them it would not go either. */
        make_set();
        client_fails(&c, ERROR("ProviderNotRegistered"), ROOT, MANAGER, "UnregisterProvider", "s",
                     "fa4e0001-0000-4000-8000-000000000001");
        ck_assert_ptr_nonnull(provider_row("fake-cow", "Name"));
}
END_TEST

START_TEST(there_is_an_end_to_them) {
        char id[64], name[16];

        for (unsigned i = 1; i < 16; i++) {
                (void)snprintf(id, sizeof(id), "5a3c1d52-8d0e-4c2f-9d64-2f0b1c7a9e%02x", 0x20 + i);
                (void)snprintf(name, sizeof(name), "vendor-%u", i);
                dbus_message_unref(reply_good(client_send(&c, registration(id, name, 2, VENDOR)),
                                              "RegisterProvider"));
        }
        (void)reply_bad(client_send(&c, registration(VERSION_ID, "last", 2, VENDOR)),
                        "RegisterProvider", ERROR("OutOfMemory"));
        client_do(&c, ROOT, MANAGER, "UnregisterProvider", "s", id);
        dbus_message_unref(reply_good(client_send(&c, registration(VERSION_ID, "last", 2, VENDOR)),
                                      "RegisterProvider"));
}
END_TEST

START_TEST(it_is_asked_before_the_system) {
        const char *reason;

        ck_assert_str_eq(provider_of("/srv/mail", NULL), "vendor");
        ck_assert_str_eq(provider_of("/srv/data", NULL), "fake-cow");
        vendor_does("IsVolumeSupported", "no");
        ck_assert_str_eq(provider_of("/srv/mail", NULL), "fake-cow");
        vendor_does("IsVolumeSupported", "error");
        ck_assert_str_eq(provider_of("/srv/mail", NULL), "fake-cow");
        vendor_does("IsVolumeSupported", "nonsense");
        ck_assert_str_eq(provider_of("/srv/mail", NULL), "fake-cow");
        vendor_does("IsVolumeSupported", "fail ProviderVeto");
        ck_assert_str_eq(provider_of("/srv/plain", &reason), "");
        /* What nobody takes has the reason of who knows it. */
        ck_assert_str_eq(provider_of("/srv/plain", &reason), "");
        ck_assert_ptr_nonnull(strstr(reason, "plain partition"));
}
END_TEST

START_TEST(named_and_unfit_it_is_refused) {
        const char *session = client_session(&c);

        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        ck_assert_int_eq(client_run(&c, session, "GatherWriterMetadata", NULL),
                         VSS_S_ASYNC_FINISHED);
        client_do(&c, session, SESSION, "StartSnapshotSet", "");
        client_fails(&c, ERROR("ProviderInUse"), ROOT, MANAGER, "UnregisterProvider", "s",
                     PROVIDER_ID);
        client_fails(&c, ERROR("VolumeNotSupportedByProvider"), session, SESSION,
                     "AddToSnapshotSet", "ss", "/srv/data", PROVIDER_ID);
        stop_vendor();
        client_fails(&c, ERROR("UnexpectedProviderError"), session, SESSION, "IsVolumeSupported",
                     "ss", PROVIDER_ID, "/srv/mail");
        /* The others go on without. */
        ck_assert_str_eq(provider_of("/srv/mail", NULL), "fake-cow");
}
END_TEST

START_TEST(one_that_hangs_is_waited_for_once) {
        size_t n = harness_count(&h, "vendor");

        vendor_does("IsVolumeSupported", "hang 2500");
        ck_assert_str_eq(provider_of("/srv/mail", NULL), "fake-cow");
        ck_assert_uint_eq(harness_count(&h, "vendor"), n + 1);
        vendor_behaves();
        ck_assert_str_eq(provider_of("/srv/mail", NULL), "fake-cow");
        ck_assert_uint_eq(harness_count(&h, "vendor"), n + 1);
}
END_TEST

START_TEST(a_set_of_both) {
        static const char *const calls[] = {
                "IsVolumeSupported", /* of /srv/data */
                "IsVolumeSupported",       "BeginPrepareSnapshot",  "EndPrepareSnapshots",
                "PreCommitSnapshots",      "CommitSnapshots",       "PostCommitSnapshots",
                "PreFinalCommitSnapshots", "GetSnapshotProperties", "PostFinalCommitSnapshots",
        };
        DBusMessage *reply;
        char id[64];

        make_set();
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
                ck_assert_str_eq(vendor_line(i), calls[i]);
        ck_assert_str_eq(vendor_line(ARRAY_SIZE(calls)), "");
        ck_assert_uint_eq(count_vendors(), 1);

        reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        ck_assert_uint_eq(reply_rows(reply), 2);
        ck_assert_str_eq(reply_row(reply, 0, "Provider"), "fake-cow");
        ck_assert_str_eq(reply_row(reply, 1, "Provider"), "vendor");
        (void)snprintf(id, sizeof(id), "%s", reply_row(reply, 1, "SnapshotId"));
        ck_assert_str_eq(reply_row(reply, 0, "BlockDevice"), "/dev/vss/ShadowCopy1");
        ck_assert_str_eq(reply_row(reply, 1, "BlockDevice"), ""); /* a directory */
        ck_assert_ptr_nonnull(
                strstr(reply_row(reply, 1, "SnapshotDeviceObject"), "/run/vss/ShadowCopy"));
        /* It says that it is not of the others' instant. */
        ck_assert_ptr_nonnull(strstr(reply_row(reply, 1, "ConsistencyReason"), "vendor"));
        ck_assert_ptr_null(strstr(reply_row(reply, 0, "ConsistencyReason"), "vendor"));
        dbus_message_unref(reply);

        client_fails(&c, ERROR("ProviderInUse"), ROOT, MANAGER, "UnregisterProvider", "s",
                     PROVIDER_ID);
        vendor_does("DeleteSnapshot", "fail ProviderVeto");
        client_fails(&c, ERROR("ProviderVeto"), ROOT, MANAGER, "DeleteSnapshots", "asa{ss}",
                     ((char *const[]){ id, NULL }), NULL);
        ck_assert_uint_eq(count_copies(), 2);
        vendor_behaves();
        client_do(&c, ROOT, MANAGER, "DeleteSnapshots", "asa{ss}", ((char *const[]){ id, NULL }),
                  NULL);
        ck_assert_uint_eq(count_vendors(), 0);
        ck_assert_uint_eq(count_copies(), 1);
        client_do(&c, ROOT, MANAGER, "UnregisterProvider", "s", PROVIDER_ID);
}
END_TEST

/* Of a set that is being made; how much of it there was by then. */
static const char *const phases[] = {
        "BeginPrepareSnapshot",  "EndPrepareSnapshots",      "PreCommitSnapshots",
        "CommitSnapshots",       "PostCommitSnapshots",      "PreFinalCommitSnapshots",
        "GetSnapshotProperties", "PostFinalCommitSnapshots",
};

static void nothing_is_left(void) {
        ck_assert_uint_eq(count_copies(), 0);
        ck_assert_uint_eq(count_vendors(), 0);
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "SnapshotSetInProgress"), "false");
        vendor_behaves();
        make_set();
        ck_assert_uint_eq(count_copies(), 2);
}

START_TEST(a_failure_is_the_sets) {
        static const struct {
                const char *what, *error;
        } ways[] = {
                { "fail ProviderVeto", ERROR("ProviderVeto") },
                { "fail HoldWritesTimeout", ERROR("UnexpectedProviderError") },
                { "fail VolumeInUse", ERROR("UnexpectedProviderError") },
                { "error", ERROR("UnexpectedProviderError") },
                { "nonsense", ERROR("UnexpectedProviderError") },
        };
        const char *phase = phases[(size_t)_i / ARRAY_SIZE(ways)];
        const size_t way = (size_t)_i % ARRAY_SIZE(ways);
        const char *why;

        vendor_does(phase, ways[way].what);
        why = reply_bad(client_send(&c, creation()), "CreateSnapshotSet", ways[way].error);
        ck_assert_msg(strstr(why, "vendor"), "%s", why);
        nothing_is_left();
}
END_TEST

START_TEST(a_phase_has_its_own_codes) {
        vendor_does("EndPrepareSnapshots", "fail InsufficientStorage");
        (void)reply_bad(client_send(&c, creation()), "CreateSnapshotSet",
                        ERROR("InsufficientStorage"));
        vendor_does("PreCommitSnapshots", "fail InsufficientStorage");
        (void)reply_bad(client_send(&c, creation()), "CreateSnapshotSet",
                        ERROR("UnexpectedProviderError"));
        vendor_does("BeginPrepareSnapshot", "fail Unexpected");
        (void)reply_bad(client_send(&c, creation()), "CreateSnapshotSet", ERROR("Unexpected"));
        vendor_does("PreFinalCommitSnapshots", "fail Unexpected");
        (void)reply_bad(client_send(&c, creation()), "CreateSnapshotSet",
                        ERROR("UnexpectedProviderError"));
        vendor_does("PreFinalCommitSnapshots", "fail ObjectNotFound");
        (void)reply_bad(client_send(&c, creation()), "CreateSnapshotSet",
                        ERROR("UnexpectedProviderError"));
        nothing_is_left();
}
END_TEST

START_TEST(one_that_is_late_is_not_waited_for) {
        const char *phase = phases[(size_t)_i % ARRAY_SIZE(phases)];

        /* One that says so has not always aborted what there is: for it the set is over, perhaps.
         */
        if ((size_t)_i >= ARRAY_SIZE(phases))
                harness_knob(&h, "vendor-lax", "");
        vendor_does(phase, "hang 1800");
        (void)reply_bad(client_send(&c, creation()), "CreateSnapshotSet",
                        streq(phase, "CommitSnapshots") ? ERROR("HoldWritesTimeout")
                                                        : ERROR("UnexpectedProviderError"));
        /* It was aborted when it came back, or what it has made was deleted. */
        nothing_is_left();
}
END_TEST

START_TEST(its_death_ends_the_set) {
        const char *phase = phases[_i];

        vendor_does(phase, "die");
        (void)reply_bad(client_send(&c, creation()), "CreateSnapshotSet",
                        ERROR("UnexpectedProviderError"));
        await_vendor_gone();
        ck_assert_uint_eq(count_copies(), 0);
        /* There is nobody who could take back what it has made: it is known. */
        client_fails(&c, ERROR("ProviderInUse"), ROOT, MANAGER, "UnregisterProvider", "s",
                     PROVIDER_ID);
        vendor_behaves();
        start_vendor();
        if (_i % 2 == 0) {
                harness_stop_daemon(&h);
                harness_start_daemon(&h, CONFIG);
        } else {
                client_do(&c, ROOT, MANAGER, "UnregisterProvider", "s", PROVIDER_ID);
                register_vendor();
        }
        nothing_is_left();
}
END_TEST

START_TEST(the_service_takes_back_what_its_own_death_left) {
        DBusMessage *m = creation();
        const char *phase = phases[_i];

        vendor_does(phase, "hang 900");
        ck_assert(dbus_connection_send(c.connection, m, NULL));
        dbus_connection_flush(c.connection);
        dbus_message_unref(m);
        while (!strstr(harness_journal(&h), phase))
                rest();
        harness_kill_daemon(&h);
        vendor_behaves();
        harness_start_daemon(&h, CONFIG);
        /* Nor a mount, should it have come so far. */
        ck_assert_ptr_nonnull(strstr(harness_journal(&h), "unmount /run/vss/ShadowCopy2\n"));
        nothing_is_left();
}
END_TEST

/* Whatever becomes of it while they are frozen. */
START_TEST(writers_are_not_frozen_for_its_sake) {
        static const char *const frozen[] = { "PreCommitSnapshots", "CommitSnapshots",
                                              "PostCommitSnapshots" };
        static const char *const ways[] = { "fail ProviderVeto", "nonsense", "hang 1800", "die" };
        char *const volumes[] = { (char[]){ "/srv/data" }, (char[]){ "/srv/mail" }, NULL };
        struct bus_writer writer = {
                .label = "writer",
                .name = "Writer",
                .class_id = "aaaaaaaa-0000-4000-8000-000000000001",
                .level = VSS_APP_FRONT_END,
        };
        DBusMessage *reply;

        bus_writer_forget();
        bus_writer_start(&writer, &h);
        vendor_does(frozen[(size_t)_i / ARRAY_SIZE(ways)], ways[(size_t)_i % ARRAY_SIZE(ways)]);
        reply = client_send(
                &c, message_new(ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, NULL));
        ck_assert_int_eq(dbus_message_get_type(reply), DBUS_MESSAGE_TYPE_ERROR);
        dbus_message_unref(reply);
        bus_writer_await("writer", "Abort", 1);
        ck_assert_msg(strstr(bus_writer_events(), "writer:Freeze writer:Abort"), "%s",
                      bus_writer_events());
        ck_assert_uint_eq(bus_writer_count("writer", "Freeze"), 1);

        vendor_behaves();
        if (streq(ways[(size_t)_i % ARRAY_SIZE(ways)], "die")) {
                await_vendor_gone();
                start_vendor();
        }
        bus_writer_forget();
        client_do(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, NULL);
        ck_assert_msg(strstr(bus_writer_events(), "writer:Freeze writer:Thaw"), "%s",
                      bus_writer_events());
        ck_assert_uint_eq(count_vendors(), 1);
        bus_writer_stop(&writer);
}
END_TEST

START_TEST(what_cannot_be_is_no_copy) {
        char link[128], inside[200], action[300];
        const char *const devices[] = {
                "/",
                "relative",
                "/nowhere/at/all",
                "/dev/null",
                "/dev/nothing",
                "/etc/../etc",
                "/run/vss/ShadowCopy1",
                "/etc/passwd",
                "//etc",
                link,
                inside,
        };

        (void)snprintf(link, sizeof(link), "%s/link", h.directory);
        (void)snprintf(inside, sizeof(inside), "%s/copies", link);
        ck_assert_int_eq(symlink(h.directory, link), 0);
        for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
                (void)snprintf(action, sizeof(action), "device %s", devices[i]);
                vendor_does("GetSnapshotProperties", action);
                (void)reply_bad(client_send(&c, creation()), "CreateSnapshotSet",
                                ERROR("UnexpectedProviderError"));
                ck_assert_uint_eq(count_vendors(), 0);
        }
        nothing_is_left();
}
END_TEST

START_TEST(what_is_no_property_is_no_answer) {
        static const char *const ways[] = { "bare", "typed", "data 4097", "data 300000" };

        for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
                vendor_does("GetSnapshotProperties", ways[i]);
                (void)reply_bad(client_send(&c, creation()), "CreateSnapshotSet",
                                ERROR("UnexpectedProviderError"));
                ck_assert_uint_eq(count_vendors(), 0);
        }
        vendor_does("GetSnapshotProperties", "data 4096"); /* which is not too much */
        make_set();
}
END_TEST

static void serve_as_nobody(void) {
        struct passwd *nobody = getpwnam("nobody");
        struct client other;

        if (!nobody || setgroups(0, NULL) < 0 ||
            setresgid(nobody->pw_gid, nobody->pw_gid, nobody->pw_gid) < 0 ||
            setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid) < 0)
                _exit(2);
        client_open(&other, &h);
        if (dbus_bus_request_name(other.connection, VENDOR, DBUS_NAME_FLAG_DO_NOT_QUEUE, NULL) < 0)
                _exit(3);
        while (dbus_connection_read_write_dispatch(other.connection, -1))
                ;
        _exit(0);
}

/* The policy of the system bus keeps others from the name, too; if it is as it should be. */
START_TEST(whoever_has_the_name_must_be_root) {
        const char *session = client_session(&c), *why;
        pid_t child;

        ck_assert_msg(geteuid() == 0, "only root can become somebody else; run this test as root");
        stop_vendor();
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
                serve_as_nobody();
        await_name(child, VENDOR);
        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        why = client_fails(&c, ERROR("UnexpectedProviderError"), session, SESSION,
                           "IsVolumeSupported", "ss", PROVIDER_ID, "/srv/mail");
        ck_assert_msg(strstr(why, "uid 65534"), "%s", why);
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

START_TEST(two_copies_are_two) {
        char *const volumes[] = { (char[]){ "/srv/mail" }, (char[]){ "/srv/db" }, NULL };
        char *const options[] = { (char[]){ "context" }, (char[]){ "nas-rollback" }, NULL };

        harness_knob(&h, "vendor-more", "/srv/db/\n");
        vendor_does("GetSnapshotProperties", "device /etc");
        client_fails(&c, ERROR("UnexpectedProviderError"), ROOT, MANAGER, "CreateSnapshotSet",
                     "asa{ss}", volumes, options);
        ck_assert_uint_eq(count_vendors(), 0);
        vendor_behaves();
        client_do(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, options);
        ck_assert_uint_eq(count_vendors(), 2);
}
END_TEST

START_TEST(after_a_start_its_copies_are_as_it_says) {
        size_t mounted;

        make_set();
        harness_stop_daemon(&h);
        mounted = harness_count(&h, "mount");
        harness_start_daemon(&h, CONFIG);
        ck_assert_uint_eq(harness_count(&h, "mount"), mounted + 2);

        /* It cannot be reached: the copy stays. */
        harness_stop_daemon(&h);
        stop_vendor();
        harness_start_daemon(&h, CONFIG);
        ck_assert_uint_eq(count_copies(), 2);

        /* It is elsewhere. */
        start_vendor();
        harness_stop_daemon(&h);
        vendor_does("GetSnapshotProperties", "device /etc");
        harness_start_daemon(&h, CONFIG);
        ck_assert_uint_eq(count_copies(), 2);

        harness_stop_daemon(&h);
        vendor_does("GetSnapshotProperties", "fail ObjectNotFound");
        harness_start_daemon(&h, CONFIG);
        ck_assert_uint_eq(count_copies(), 1);
}
END_TEST

#define BTRFS "org.vssd.Provider.Btrfs1"

/* Its exit status. */
static int btrfs_provider(const char *option) {
        char *const argv[] = { (char *)(uintptr_t)VSS_BTRFS_PROVIDER, (char *)(uintptr_t)option,
                               (char *)(uintptr_t) "--address", h.address, NULL };
        int status = -1;

        ck_assert_int_gt(waitpid(spawn(argv), &status, 0), 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The name of the error that it answers with. */
static const char *btrfs_fails(const char *member, const char *signature, const char *first,
                               const char *second, const char *third) {
        static char name[128];
        DBusMessage *m = message_new("/org/vssd/Provider/Btrfs1", SERVICE ".SnapshotProvider",
                                     member, signature, first, second, third);
        DBusMessage *reply;

        ck_assert(dbus_message_set_destination(m, BTRFS));
        reply = client_send(&c, m);
        ck_assert_int_eq(dbus_message_get_type(reply), DBUS_MESSAGE_TYPE_ERROR);
        (void)snprintf(name, sizeof(name), "%s", dbus_message_get_error_name(reply));
        dbus_message_unref(reply);
        return name;
}

/* Without a btrfs: what it is asked, and that it keeps to the order of calls. */
START_TEST(the_one_of_btrfs_is_one) {
        char *const argv[] = { (char *)(uintptr_t)VSS_BTRFS_PROVIDER,
                               (char *)(uintptr_t) "--address", h.address, NULL };
        static const char *const of_a_set[] = {
                "EndPrepareSnapshots",     "PreCommitSnapshots",       "CommitSnapshots",
                "PreFinalCommitSnapshots", "PostFinalCommitSnapshots", "AbortSnapshots",
        };
        const char *session = client_session(&c);
        dbus_bool_t supported = TRUE;
        pid_t pid = spawn(argv);

        await_name(pid, BTRFS);
        ck_assert_int_eq(btrfs_provider("--register"), 0);
        ck_assert_int_eq(btrfs_provider("--register"), 1);
        ck_assert_str_eq(provider_row("btrfs", "ProviderType"), "2");
        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        reply_read(client_call(&c, session, SESSION, "IsVolumeSupported", "ss",
                               provider_row("btrfs", "ProviderId"), "/srv/data"),
                   "b", &supported);
        ck_assert(!supported);
        for (size_t i = 0; i < ARRAY_SIZE(of_a_set); i++)
                ck_assert_str_eq(btrfs_fails(of_a_set[i], "s", VERSION_ID, NULL, NULL),
                                 ERROR("ObjectNotFound"));
        ck_assert_str_eq(btrfs_fails("GetSnapshotProperties", "sss", "../x", "/srv/", ""),
                         ERROR("InvalidArg"));
        ck_assert_str_eq(btrfs_fails("GetSnapshotProperties", "sss", VERSION_ID, "/proc/", ""),
                         ERROR("BadState"));
        ck_assert_str_eq(btrfs_fails("EndPrepareSnapshots", "", NULL, NULL, NULL),
                         DBUS_ERROR_INVALID_ARGS);
        ck_assert_str_eq(btrfs_fails("CommitSnapshot", "", NULL, NULL, NULL),
                         DBUS_ERROR_UNKNOWN_METHOD);
        make_set(); /* it says no to each volume */
        ck_assert_int_eq(btrfs_provider("--unregister"), 0);
        ck_assert_int_eq(btrfs_provider("--unregister"), 1);
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

int main(void) {
        const int n_phases = (int)ARRAY_SIZE(phases);
        Suite *s = suite_create("bus-foreign");
        TCase *t = tcase_create("bus-foreign");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_test(t, it_is_registered_for_good);
        tcase_add_test(t, what_is_no_provider_is_not_registered);
        tcase_add_test(t, there_is_an_end_to_them);
        tcase_add_test(t, it_is_asked_before_the_system);
        tcase_add_test(t, named_and_unfit_it_is_refused);
        tcase_add_test(t, one_that_hangs_is_waited_for_once);
        tcase_add_test(t, a_set_of_both);
        tcase_add_loop_test(t, a_failure_is_the_sets, 0, n_phases * 5);
        tcase_add_test(t, a_phase_has_its_own_codes);
        tcase_add_loop_test(t, one_that_is_late_is_not_waited_for, 0, 2 * n_phases);
        tcase_add_loop_test(t, its_death_ends_the_set, 0, n_phases);
        tcase_add_loop_test(t, the_service_takes_back_what_its_own_death_left, 0, n_phases);
        tcase_add_loop_test(t, writers_are_not_frozen_for_its_sake, 0, 12);
        tcase_add_test(t, what_cannot_be_is_no_copy);
        tcase_add_test(t, what_is_no_property_is_no_answer);
        tcase_add_test(t, whoever_has_the_name_must_be_root);
        tcase_add_test(t, two_copies_are_two);
        tcase_add_test(t, after_a_start_its_copies_are_as_it_says);
        tcase_add_test(t, the_one_of_btrfs_is_one);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
