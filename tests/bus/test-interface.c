/* The D-Bus face of the service: introspection, properties, the object tree, what malformed and
 * unprivileged callers get. */

#include "tests/bus/harness.h"

#include <grp.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/wait.h>

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

static const char *make_set(void) {
        char *volumes[] = { (char *)"/srv/data", (char *)"/srv/mail", NULL };
        char **ids = NULL, **devices = NULL;
        const char *set;

        reply_read(client_call(&c, ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volumes, NULL),
                   "sasas", &set, &ids, &devices);
        ck_assert_uint_eq(strv_length(ids), 2);
        ck_assert_str_eq(devices[0], "/run/vss/ShadowCopy1");
        strv_free(ids);
        strv_free(devices);
        return set;
}

/* ROOT/directory/id, '-' as '_'; static. */
static const char *object_path(const char *directory, const char *id) {
        static char paths[4][128];
        static unsigned next;
        char *path = paths[next++ % ARRAY_SIZE(paths)];

        (void)snprintf(path, sizeof(paths[0]), ROOT "/%s/%s", directory, id);
        for (char *p = path; *p; p++)
                if (*p == '-')
                        *p = '_';
        return path;
}

static const char *first_snapshot(void) {
        DBusMessage *reply = client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", NULL);
        const char *id = reply_row(reply, 0, "SnapshotId");

        dbus_message_unref(reply);
        ck_assert_ptr_nonnull(id);
        return object_path("snapshot", id);
}

static const char *introspect(struct client *client, const char *path) {
        const char *xml;

        reply_read(
                client_call(client, path, "org.freedesktop.DBus.Introspectable", "Introspect", ""),
                "s", &xml);
        return xml;
}

static const char *attribute(const xmlNode *node, const char *name) {
        for (const xmlAttr *a = node->properties; a; a = a->next)
                if (streq((const char *)a->name, name))
                        return a->children ? (const char *)a->children->content : "";
        return "";
}

static const xmlNode *find_same(const xmlNode *parent, const xmlNode *wanted) {
        for (const xmlNode *n = parent->children; n; n = n->next)
                if (n->type == XML_ELEMENT_NODE && xmlStrEqual(n->name, wanted->name) &&
                    streq(attribute(n, "name"), attribute(wanted, "name")))
                        return n;
        return NULL;
}

static bool same_attributes(const xmlNode *a, const xmlNode *b) {
        static const char *const names[] = { "type", "direction", "access", "value" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (!streq(attribute(a, names[i]), attribute(b, names[i])))
                        return false;
        return true;
}

/* Everything of a, with its attributes and its children, is in b. */
static void assert_within(const xmlNode *a, const xmlNode *b) {
        for (const xmlNode *n = a->children; n; n = n->next) {
                const xmlNode *same;

                if (n->type != XML_ELEMENT_NODE)
                        continue;
                same = find_same(b, n);
                ck_assert_msg(same && same_attributes(n, same), "%s %s of %s is missing or differs",
                              n->name, attribute(n, "name"), attribute(a, "name"));
                assert_within(n, same);
        }
}

static const xmlNode *interface_of(xmlDoc *doc, const char *name) {
        for (const xmlNode *n = xmlDocGetRootElement(doc)->children; n; n = n->next)
                if (n->type == XML_ELEMENT_NODE && streq(attribute(n, "name"), name))
                        return n;
        return NULL;
}

static void assert_introspects(const char *path, const char *interface) {
        const char *text = introspect(&c, path);
        char file[512];
        xmlDoc *contract, *shown;

        (void)snprintf(file, sizeof(file), DBUS_SOURCE_DIR "/%s.xml", interface);
        contract = xmlReadFile(file, NULL, XML_PARSE_NONET);
        shown = xmlReadMemory(text, (int)strlen(text), path, NULL, XML_PARSE_NONET);
        ck_assert_ptr_nonnull(contract);
        ck_assert_ptr_nonnull(shown);
        ck_assert_ptr_nonnull(interface_of(contract, interface));
        ck_assert_ptr_nonnull(interface_of(shown, interface));
        assert_within(interface_of(contract, interface), interface_of(shown, interface));
        assert_within(interface_of(shown, interface), interface_of(contract, interface));
        xmlFreeDoc(contract);
        xmlFreeDoc(shown);
}

START_TEST(introspection_is_the_contract) {
        const char *session = client_session(&c), *async, *set = make_set();

        assert_introspects(ROOT, MANAGER);
        assert_introspects(session, SESSION);
        assert_introspects(object_path("set", set), SNAPSHOT_SET);
        assert_introspects(first_snapshot(), SNAPSHOT);
        assert_introspects(ROOT "/provider/fake_cow", SERVICE ".Provider");

        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
        reply_read(client_call(&c, session, SESSION, "GatherWriterMetadata", ""), "o", &async);
        assert_introspects(async, ASYNC);
}
END_TEST

START_TEST(the_tree_leads_to_every_object) {
        struct client other;
        const char *session = client_session(&c);

        ck_assert_ptr_nonnull(strstr(introspect(&c, "/"), "<node name=\"org\"/>"));
        ck_assert_ptr_nonnull(strstr(introspect(&c, "/org"), "<node name=\"vssd\"/>"));
        ck_assert_ptr_nonnull(strstr(introspect(&c, "/org/vssd"), "<node name=\"Vss1\"/>"));
        ck_assert_ptr_nonnull(strstr(introspect(&c, ROOT), "<node name=\"session\"/>"));
        ck_assert_ptr_nonnull(strstr(introspect(&c, ROOT), "<node name=\"provider\"/>"));
        ck_assert_ptr_nonnull(
                strstr(introspect(&c, ROOT "/provider"), "<node name=\"fake_cow\"/>"));
        ck_assert_ptr_nonnull(strstr(introspect(&c, ROOT "/session"), strrchr(session, '/') + 1));

        /* Others do not see the session. */
        client_open(&other, &h);
        ck_assert_ptr_null(strstr(introspect(&other, ROOT "/session"), "<node name="));
        client_close(&other);
}
END_TEST

START_TEST(what_is_not_there_is_named) {
        const char *text;

        text = client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, ROOT "/session/99", SESSION,
                            "GetSessionId", "");
        ck_assert_ptr_nonnull(strstr(text, ROOT "/session/99"));
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, "/org/vssd/Vss2", MANAGER, "ListVolumes", "");
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, "/somewhere", NULL, "ListVolumes", "");
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, "/somewhere",
                     "org.freedesktop.DBus.Introspectable", "Introspect", "");
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, ROOT "/nothing/1",
                     "org.freedesktop.DBus.Introspectable", "Introspect", "");
        client_fails(&c, DBUS_ERROR_UNKNOWN_INTERFACE, ROOT, SESSION, "GetSessionId", "");
        text = client_fails(&c, DBUS_ERROR_UNKNOWN_METHOD, ROOT, MANAGER, "MakeCoffee", "");
        ck_assert_ptr_nonnull(strstr(text, "MakeCoffee"));
        client_fails(&c, DBUS_ERROR_UNKNOWN_METHOD, ROOT, NULL, "MakeCoffee", "");
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT,
                     ROOT "/snapshot/11111111_1111_1111_1111_111111111111", SNAPSHOT, "Delete", "b",
                     FALSE);
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, ROOT "/snapshot/nonsense", SNAPSHOT, "Delete",
                     "b", FALSE);
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT,
                     ROOT "/set/00000000_0000_0000_0000_000000000000", SNAPSHOT_SET, "Delete", "b",
                     FALSE);
}
END_TEST

START_TEST(a_method_may_be_called_without_its_interface) {
        DBusMessage *reply = client_call(&c, ROOT, NULL, "ListProviders", "");

        ck_assert_uint_eq(reply_rows(reply), 1);
        dbus_message_unref(reply);
}
END_TEST

START_TEST(wrong_types_are_invalid_args_not_unknown_methods) {
        const char *session = client_session(&c), *text;
        char *strings[] = { (char *)"a", NULL };

        text = client_fails(&c, DBUS_ERROR_INVALID_ARGS, ROOT, MANAGER, "CreateBackupComponents",
                            "");
        ck_assert_ptr_nonnull(strstr(text, "a{sv}"));
        client_fails(&c, DBUS_ERROR_INVALID_ARGS, ROOT, MANAGER, "CreateBackupComponents", "a{ss}",
                     NULL);
        client_fails(&c, DBUS_ERROR_INVALID_ARGS, ROOT, MANAGER, "ListVolumes", "s", "x");
        client_fails(&c, DBUS_ERROR_INVALID_ARGS, ROOT, MANAGER, "IsVolumeSupported", "as",
                     strings);
        client_fails(&c, DBUS_ERROR_INVALID_ARGS, ROOT, MANAGER, "RegisterWriter", "sssa{sv}", "",
                     "", "", NULL);
        client_fails(&c, DBUS_ERROR_INVALID_ARGS, session, SESSION, "SetContext", "u", 0U);
        client_fails(&c, DBUS_ERROR_INVALID_ARGS, session, SESSION, "SetContext", "ii", 0, 0);
        client_fails(&c, DBUS_ERROR_INVALID_ARGS, session, SESSION, "SetBackupState", "bbu", FALSE,
                     FALSE, 1U);
        client_fails(&c, DBUS_ERROR_INVALID_ARGS, session, SESSION, "Release", "b", TRUE);
        client_fails(&c, DBUS_ERROR_INVALID_ARGS, ROOT, PROPERTIES, "Get", "s", MANAGER);
}
END_TEST

START_TEST(options_are_checked_one_by_one) {
        char *unknown[] = { (char *)"frobnicate", (char *)"yes", NULL };
        char *twice[] = { (char *)"force", (char *)"no", (char *)"force", (char *)"yes", NULL };
        char *maybe[] = { (char *)"force", (char *)"maybe", NULL };
        char *backup[] = { (char *)"context", (char *)"backup", NULL };
        char *all[] = { (char *)"context", (char *)"all", NULL };
        char *weird[] = { (char *)"context", (char *)"weird", NULL };
        char *late[] = { (char *)"expire", (char *)"-5", NULL };
        char *never[] = { (char *)"expire", (char *)"99999999999999999999", NULL };
        char *volume[] = { (char *)"/srv/data", NULL };
        char *id[] = { (char *)"11111111-1111-1111-1111-111111111111", NULL };
        char *no_id[] = { (char *)"/srv/data", NULL };
        char *null_id[] = { (char *)"", NULL };
        const char *text;

        text = client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "CreateBackupComponents",
                            "a{sv}", unknown);
        ck_assert_ptr_nonnull(strstr(text, "frobnicate"));
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "ListSnapshots", "a{ss}", unknown);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "ListSnapshots", "a{ss}", weird);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "DeleteSnapshots", "asa{ss}", id,
                     unknown);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "DeleteSnapshots", "asa{ss}", id,
                     twice);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "DeleteSnapshots", "asa{ss}", id,
                     maybe);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "DeleteSnapshots", "asa{ss}", no_id,
                     NULL);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "DeleteSnapshots", "asa{ss}", null_id,
                     NULL);
        client_fails(&c, ERROR("ObjectNotFound"), ROOT, MANAGER, "DeleteSnapshots", "asa{ss}", id,
                     NULL);
        text = client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}",
                            volume, backup);
        ck_assert_ptr_nonnull(strstr(text, "app-rollback"));
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volume,
                     all);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volume,
                     weird);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volume,
                     late);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", volume,
                     never);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", NULL,
                     NULL);
        ck_assert_uint_eq(harness_count(&h, "stage"), 0);
}
END_TEST

START_TEST(absurd_sizes_are_refused) {
        char *text = calloc(1, 17 * 1024 * 1024 + 1), **many = calloc(5001, sizeof(char *));
        const char *session = client_session(&c);

        ck_assert_ptr_nonnull(text);
        ck_assert_ptr_nonnull(many);
        memset(text, 'x', 17 * 1024 * 1024);
        for (size_t i = 0; i < 5000; i++)
                many[i] = (char *)"/srv/data";
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "IsVolumeSupported", "s", text);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "CreateSnapshotSet", "asa{ss}", many,
                     NULL);
        client_fails(&c, ERROR("InvalidArg"), session, SESSION, "DisableWriterClasses", "as", many);
        free(text);
        free(many);
        client_do(&c, session, SESSION, "InitializeForBackup", "v", "");
}
END_TEST

START_TEST(properties_are_read_and_never_set) {
        const char *set = make_set(), *snapshot = first_snapshot();
        DBusMessage *m, *reply;
        DBusMessageIter iter, variant;
        const char *interface = MANAGER, *name = "Version", *value = "2";

        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "Version"), VSSD_VERSION);
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "Sessions"), "0");
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "SnapshotSetInProgress"), "false");
        client_fails(&c, DBUS_ERROR_UNKNOWN_PROPERTY, ROOT, PROPERTIES, "Get", "ss", MANAGER,
                     "Colour");
        client_fails(&c, DBUS_ERROR_UNKNOWN_INTERFACE, ROOT, PROPERTIES, "Get", "ss", SNAPSHOT,
                     "Version");

        ck_assert_str_eq(client_property(&c, snapshot, SNAPSHOT, "SnapshotSetId"), set);
        ck_assert_str_eq(client_property(&c, snapshot, SNAPSHOT, "OriginalVolumeName"),
                         "/srv/data/");
        ck_assert_str_eq(client_property(&c, snapshot, SNAPSHOT, "UsedBytes"), "1048576");
        ck_assert_str_eq(client_property(&c, snapshot, SNAPSHOT, "Consistency"), "file-system");
        ck_assert_str_eq(
                client_property(&c, object_path("set", set), SNAPSHOT_SET, "SnapshotsCount"), "2");
        reply = client_call(&c, object_path("set", set), PROPERTIES, "Get", "ss", SNAPSHOT_SET,
                            "Timeline");
        ck_assert(dbus_message_iter_init(reply, &iter));
        dbus_message_iter_recurse(&iter, &variant);
        ck_assert_int_ge(dbus_message_iter_get_element_count(&variant), 4);
        dbus_message_unref(reply);
        reply = client_call(&c, snapshot, PROPERTIES, "GetAll", "s", SNAPSHOT);
        ck_assert_str_eq(reply_dict(reply, "VolumeDisplayName"), "/srv/data");
        ck_assert_str_eq(reply_dict(reply, "MaximumBytes"), "268435456");
        ck_assert_str_eq(reply_dict(reply, "Status"), "12");
        dbus_message_unref(reply);

        m = dbus_message_new_method_call(SERVICE, ROOT, PROPERTIES, "Set");
        dbus_message_iter_init_append(m, &iter);
        dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &interface);
        dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING, &name);
        dbus_message_iter_open_container(&iter, DBUS_TYPE_VARIANT, "s", &variant);
        dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &value);
        dbus_message_iter_close_container(&iter, &variant);
        reply_bad(client_send(&c, m), "Set", DBUS_ERROR_PROPERTY_READ_ONLY);
}
END_TEST

START_TEST(figures_that_cannot_be_had_do_not_hide_the_copy) {
        const char *snapshot;

        make_set();
        snapshot = first_snapshot();
        harness_knob(&h, "fail", "usage");
        ck_assert_str_eq(client_property(&c, snapshot, SNAPSHOT, "UsedBytes"), "0");
        ck_assert_str_eq(client_property(&c, snapshot, SNAPSHOT, "FileSystem"), "ext4");
}
END_TEST

static void add_match(const char *rule) {
        dbus_bus_add_match(c.connection, rule, NULL);
        dbus_connection_flush(c.connection);
}

START_TEST(objects_that_come_and_go_are_told) {
        const char *set, *added, *snapshot, *path;
        DBusMessageIter iter;
        DBusMessage *m;

        add_match("type='signal',sender='" SERVICE "'");
        set = make_set();
        m = client_signal(&c, ROOT, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
        ck_assert_ptr_nonnull(m);
        /* Also its own session's was told, to nobody: a script has none on the bus. */
        ck_assert(dbus_message_iter_init(m, &iter));
        dbus_message_iter_get_basic(&iter, &added);
        ck_assert_str_eq(added, object_path("set", set));
        dbus_message_unref(m);
        for (size_t i = 0; i < 2; i++) {
                m = client_signal(&c, ROOT, "org.freedesktop.DBus.ObjectManager",
                                  "InterfacesAdded");
                ck_assert_ptr_nonnull(m);
                ck_assert(dbus_message_iter_init(m, &iter));
                dbus_message_iter_get_basic(&iter, &added);
                ck_assert_int_eq(strncmp(added, ROOT "/snapshot/", strlen(ROOT "/snapshot/")), 0);
                dbus_message_unref(m);
        }

        m = client_call(&c, ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "");
        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(dbus_message_iter_get_element_count(&iter), 4); /* and the provider */
        dbus_message_unref(m);

        snapshot = first_snapshot();
        client_do(&c, snapshot, SNAPSHOT, "Delete", "b", FALSE);
        m = client_signal(&c, ROOT, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
        ck_assert_ptr_nonnull(m);
        ck_assert(dbus_message_iter_init(m, &iter));
        dbus_message_iter_get_basic(&iter, &path);
        ck_assert_str_eq(path, snapshot);
        dbus_message_unref(m);
        m = client_signal(&c, object_path("set", set), PROPERTIES, "PropertiesChanged");
        ck_assert_ptr_nonnull(m);
        dbus_message_unref(m);

        client_do(&c, object_path("set", set), SNAPSHOT_SET, "Delete", "b", FALSE);
        for (size_t i = 0; i < 2; i++) {
                m = client_signal(&c, ROOT, "org.freedesktop.DBus.ObjectManager",
                                  "InterfacesRemoved");
                ck_assert_ptr_nonnull(m);
                dbus_message_unref(m);
        }
        client_fails(&c, DBUS_ERROR_UNKNOWN_OBJECT, object_path("set", set), PROPERTIES, "GetAll",
                     "s", SNAPSHOT_SET);
}
END_TEST

START_TEST(lists_can_be_filtered) {
        char *by_volume[] = { (char *)"volume", (char *)"/srv/mail", NULL };
        char *by_provider[] = { (char *)"provider", (char *)"fake-cow", NULL };
        char *by_provider_id[] = { (char *)"provider",
                                   (char *)"{FA4E0001-0000-4000-8000-000000000001}", NULL };
        char *by_context[] = { (char *)"context", (char *)"nas-rollback", NULL };
        char *by_other_volume[] = { (char *)"volume", (char *)"/srv/mai", NULL };
        char *by_set[] = { (char *)"set", NULL, NULL };
        const struct {
                char **filter;
                size_t n;
        } rows[] = {
                { NULL, 2 },           { by_volume, 1 },  { by_provider, 2 },
                { by_provider_id, 2 }, { by_context, 0 }, { by_other_volume, 0 },
                { by_set, 2 },
        };

        by_set[1] = (char *)make_set();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                DBusMessage *reply =
                        client_call(&c, ROOT, MANAGER, "ListSnapshots", "a{ss}", rows[i].filter);

                ck_assert_msg(reply_rows(reply) == rows[i].n, "filter %zu gives %zu rows", i,
                              reply_rows(reply));
                dbus_message_unref(reply);
        }
}
END_TEST

START_TEST(volumes_say_whether_and_why_not) {
        DBusMessage *reply = client_call(&c, ROOT, MANAGER, "ListVolumes", "");
        const char *provider, *reason;
        dbus_bool_t supported, present;
        dbus_int32_t capability;

        ck_assert_uint_eq(reply_rows(reply), 4);
        ck_assert_str_eq(reply_row(reply, 0, "Name"), "/srv/data/");
        ck_assert_str_eq(reply_row(reply, 0, "Supported"), "true");
        ck_assert_str_eq(reply_row(reply, 3, "Supported"), "false");
        ck_assert_ptr_nonnull(strstr(reply_row(reply, 3, "Reason"), "logical volume"));
        dbus_message_unref(reply);

        reply_read(client_call(&c, ROOT, MANAGER, "IsVolumeSupported", "s", "/srv/data"), "bss",
                   &supported, &provider, &reason);
        ck_assert(supported);
        ck_assert_str_eq(provider, "fake-cow");
        ck_assert_str_eq(reason, "");
        reply_read(client_call(&c, ROOT, MANAGER, "IsVolumeSupported", "s", "/srv/plain"), "bss",
                   &supported, &provider, &reason);
        ck_assert(!supported);
        ck_assert_ptr_nonnull(strstr(reason, "logical volume"));
        client_fails(&c, ERROR("ObjectNotFound"), ROOT, MANAGER, "IsVolumeSupported", "s",
                     "/nowhere");
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "IsVolumeSupported", "s", "srv");

        reply_read(client_call(&c, ROOT, MANAGER, "IsVolumeSnapshotted", "s", "/srv/data"), "bi",
                   &present, &capability);
        ck_assert(!present);
        ck_assert_int_eq(capability, 0);
        make_set();
        reply_read(client_call(&c, ROOT, MANAGER, "IsVolumeSnapshotted", "s", "/srv/data"), "bi",
                   &present, &capability);
        ck_assert(present);

        /* Nobody is listed: tests/conformance has a writer that is. */
        reply_read(client_call(&c, ROOT, MANAGER, "ShouldBlockRevert", "s", "/srv/data"), "b",
                   &present);
        ck_assert(!present);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "ShouldBlockRevert", "s", "/nowhere");
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "ShouldBlockRevert", "s", "");
}
END_TEST

START_TEST(adoption_takes_its_own_options_only) {
        char *good[] = { (char *)"initramfs", (char *)"no", NULL };
        char *bad[] = { (char *)"initramfs", (char *)"maybe", NULL };
        char *name[] = { (char *)"name", (char *)"x", NULL };
        char *unknown[] = { (char *)"colour", (char *)"red", NULL };

        dbus_message_unref(
                client_call(&c, ROOT, MANAGER, "AdoptVolume", "sa{ss}", "/srv/plain", good));
        dbus_message_unref(
                client_call(&c, ROOT, MANAGER, "ReleaseVolume", "sa{ss}", "/srv/plain", good));
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "AdoptVolume", "sa{ss}", "/srv/plain",
                     bad);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "AdoptVolume", "sa{ss}", "/srv/plain",
                     unknown);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "ReleaseVolume", "sa{ss}",
                     "/srv/plain", name);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "AdoptVolume", "sa{ss}", "", NULL);
        client_fails(&c, ERROR("InvalidArg"), ROOT, MANAGER, "ReleaseVolume", "sa{ss}", "srv",
                     NULL);
        /* A volume with copies keeps what they are copies of. */
        make_set();
        client_fails(&c, ERROR("VolumeInUse"), ROOT, MANAGER, "ReleaseVolume", "sa{ss}",
                     "/srv/data", NULL);
}
END_TEST

/* Runs check() as another user, in a process of its own. */
static void run_as(uid_t uid, gid_t gid, gid_t supplementary, void (*check)(struct client *)) {
        pid_t child = fork();
        int status = -1;

        ck_assert_int_ge(child, 0);
        if (child == 0) {
                struct client other;

                if (setgroups(1, &supplementary) < 0 || setresgid(gid, gid, gid) < 0 ||
                    setresuid(uid, uid, uid) < 0)
                        _exit(2);
                client_open(&other, &h);
                check(&other);
                client_close(&other);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
}

static void check_nobody(struct client *other) {
        static const struct {
                const char *member, *signature;
        } calls[] = {
                { "ListVolumes", "" },
                { "ListWriters", "" },
                { "ListProviders", "" },
                { "ListSnapshots", "a{ss}" },
                { "CreateBackupComponents", "a{sv}" },
        };
        char *volumes[] = { (char *)"/srv/data", NULL };
        char *unknown[] = { (char *)"x", (char *)"y", NULL };
        const char *text;

        for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
                (void)client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, calls[i].member,
                                   calls[i].signature, NULL);
        text = client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, "CreateSnapshotSet",
                            "asa{ss}", volumes, NULL);
        ck_assert_ptr_nonnull(strstr(text, "backup"));
        (void)client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, "DeleteSnapshots",
                           "asa{ss}", volumes, NULL);
        (void)client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, "AdoptVolume", "sa{ss}",
                           "/srv/data", NULL);
        (void)client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, "UnregisterProvider", "s",
                           "");
        (void)client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, "ReleaseVolume", "sa{ss}",
                           "/srv/data", NULL);
        (void)client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, "RegisterWriter",
                           "ssoa{sv}", "", "x", "/x", NULL);
        (void)client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, "IsVolumeSupported", "s",
                           "/srv/data");
        /* What is wrong with the arguments is for those who may call. */
        (void)client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, "CreateBackupComponents",
                           "a{sv}", unknown);
        /* Nor does it learn what there is. */
        (void)client_fails(other, ERROR("AccessDenied"), ROOT "/session/1", SESSION, "Release", "");
        (void)client_fails(other, ERROR("AccessDenied"), ROOT "/session/77", SESSION, "Release",
                           "");
        /* Also not by what anybody may call: a session that is there is as one that is not. */
        for (size_t i = 0; i < 2; i++) {
                static const char *const paths[] = { ROOT "/session/1", ROOT "/session/77" };

                (void)client_fails(other, DBUS_ERROR_UNKNOWN_OBJECT, paths[i],
                                   "org.freedesktop.DBus.Introspectable", "Introspect", "");
                (void)client_fails(other, DBUS_ERROR_UNKNOWN_OBJECT, paths[i], PROPERTIES, "Get",
                                   "ss", MANAGER, "Version");
                (void)client_fails(other, DBUS_ERROR_UNKNOWN_OBJECT, paths[i], PROPERTIES, "GetAll",
                                   "s", MANAGER);
        }
        (void)client_fails(other, ERROR("AccessDenied"), ROOT "/provider/fake_cow", PROPERTIES,
                           "GetAll", "s", SERVICE ".Provider");
        (void)client_fails(other, ERROR("AccessDenied"), ROOT, "org.freedesktop.DBus.ObjectManager",
                           "GetManagedObjects", "");

        (void)introspect(other, ROOT);
        client_do(other, ROOT, "org.freedesktop.DBus.Peer", "Ping", "");
        ck_assert_str_eq(client_property(other, ROOT, MANAGER, "Version"), VSSD_VERSION);
        client_do(other, ROOT, PROPERTIES, "GetAll", "s", MANAGER);
}

static void check_backup_group(struct client *other) {
        DBusMessage *reply = client_call(other, ROOT, MANAGER, "ListVolumes", "");

        dbus_message_unref(reply);
        (void)client_session(other);
        /* Whose process makes copies is for root alone to say. */
        (void)client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, "UnregisterProvider", "s",
                           "fa4e0001-0000-4000-8000-000000000001");
        (void)client_fails(other, ERROR("AccessDenied"), ROOT, MANAGER, "RegisterProvider",
                           "ssusssoa{sv}", "fa4e0009-0000-4000-8000-000000000001", "mine", 2, "1",
                           "fa4e0009-0000-4000-8000-000000000002", "com.example.Mine", "/", NULL);
}

#define ONLY_ROOT "only root can become somebody else; run this test as root"

START_TEST(an_unprivileged_user_may_only_look_at_the_door) {
        struct passwd *nobody = getpwnam("nobody");

        ck_assert_msg(geteuid() == 0, ONLY_ROOT);
        ck_assert_msg(nobody, "there is no user 'nobody' on this host");
        (void)client_session(&c);
        run_as(nobody->pw_uid, nobody->pw_gid, nobody->pw_gid, check_nobody);
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "Sessions"), "1");
}
END_TEST

START_TEST(a_member_of_the_backup_group_may_use_it) {
        struct group *backup = getgrnam("backup");
        struct passwd *member = getpwnam("backup");

        ck_assert_msg(geteuid() == 0, ONLY_ROOT);
        ck_assert_msg(backup && member, "there is no user and group 'backup' on this host");
        run_as(member->pw_uid, member->pw_gid, backup->gr_gid, check_backup_group);
}
END_TEST

static void send_raw(int fd, const void *data, size_t n) {
        ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
}

START_TEST(garbage_hurts_only_its_sender) {
        /* A header whose body is longer than what follows, then nonsense: the bus hangs up. */
        static const char junk[] = "l\1\0\1\377\377\377\0\1\0\0\0\377\377\0\0garbage garbage";
        struct client other;
        int fd = -1;

        client_open(&other, &h);
        ck_assert(dbus_connection_get_unix_fd(other.connection, &fd));
        send_raw(fd, junk, sizeof(junk));
        (void)dbus_connection_read_write(other.connection, 100);
        client_close(&other);
        ck_assert_str_eq(client_property(&c, ROOT, MANAGER, "Version"), VSSD_VERSION);
}
END_TEST

START_TEST(calls_that_want_no_answer_get_none) {
        DBusMessage *m;

        for (unsigned i = 0; i < 500; i++) {
                m = message_new(ROOT, MANAGER, "ListVolumes", "");
                dbus_message_set_no_reply(m, TRUE);
                ck_assert(dbus_connection_send(c.connection, m, NULL));
                dbus_message_unref(m);
        }
        /* Those beyond the limit are dropped; the connection goes on working. */
        client_do(&c, ROOT, PROPERTIES, "GetAll", "s", MANAGER);
        for (;;) {
                DBusMessage *reply =
                        client_send(&c, message_new(ROOT, MANAGER, "ListProviders", ""));
                bool done = dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN;

                if (!done)
                        ck_assert_str_eq(dbus_message_get_error_name(reply), ERROR("OutOfMemory"));
                dbus_message_unref(reply);
                if (done)
                        break;
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-interface");
        TCase *t = tcase_create("bus-interface");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 120);
        tcase_add_test(t, introspection_is_the_contract);
        tcase_add_test(t, the_tree_leads_to_every_object);
        tcase_add_test(t, what_is_not_there_is_named);
        tcase_add_test(t, a_method_may_be_called_without_its_interface);
        tcase_add_test(t, wrong_types_are_invalid_args_not_unknown_methods);
        tcase_add_test(t, options_are_checked_one_by_one);
        tcase_add_test(t, absurd_sizes_are_refused);
        tcase_add_test(t, properties_are_read_and_never_set);
        tcase_add_test(t, figures_that_cannot_be_had_do_not_hide_the_copy);
        tcase_add_test(t, objects_that_come_and_go_are_told);
        tcase_add_test(t, lists_can_be_filtered);
        tcase_add_test(t, volumes_say_whether_and_why_not);
        tcase_add_test(t, adoption_takes_its_own_options_only);
        tcase_add_test(t, an_unprivileged_user_may_only_look_at_the_door);
        tcase_add_test(t, a_member_of_the_backup_group_may_use_it);
        tcase_add_test(t, garbage_hurts_only_its_sender);
        tcase_add_test(t, calls_that_want_no_answer_get_none);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
