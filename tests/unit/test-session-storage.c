/* What is done with snapshots that are there: that it is refused in the right order, with the
 * documented codes; what no provider can do; and where a path lies. */

#include "daemon/providers/mount-table.h"
#include "daemon/session/share-name.h"
#include "tests/unit/fake-components.h"

#include <fcntl.h>
#include <sys/stat.h>

enum which { OF_BACKUP, OF_NAS, OF_CLIENT, OF_NOBODY, NULL_ID };

static VSS_ID sets[3], snapshots[3];
static struct session *makers[2];

static void make_sets(void) {
        static const LONG contexts[] = { VSS_CTX_BACKUP, VSS_CTX_NAS_ROLLBACK };
        /* Nobody made it; it is only there. */
        const struct snapshot_record client = {
                .id = { .Data1 = 6 },
                .set_id = { .Data1 = 5 },
                .number = 1000,
                .volume = (char *)(uintptr_t) "/c/",
                .provider = (char *)(uintptr_t) "alpha",
                .context = VSS_CTX_CLIENT_ACCESSIBLE,
                .count = 1,
                .state = VSS_SS_CREATED,
        };

        for (size_t i = 0; i < ARRAY_SIZE(contexts); i++) {
                struct snapshot_record *records = NULL;
                size_t n = 0;

                makers[i] = session_up_to("BD", contexts[i], &sets[i]);
                ck_assert_int_eq(store_snapshot_list(host.store, sets[i], &records, &n, NULL), 0);
                ck_assert_uint_gt(n, 0);
                snapshots[i] = records[0].id;
                snapshot_records_free(records, n);
        }
        sets[OF_CLIENT] = client.set_id;
        snapshots[OF_CLIENT] = client.id;
        ck_assert_int_ge(store_set_commit(host.store, NULL, &client, 1, NULL, 0, NULL), 0);
}

static void release_sets(void) {
        for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
                session_free(makers[i]);
}

static VSS_ID id_of(enum which which, const VSS_ID *ids) {
        return which == OF_NOBODY ? (VSS_ID){ .Data1 = 1 }
               : which == NULL_ID ? GUID_NULL
                                  : ids[which];
}

#define LOCALLY VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY
#define REMOTELY VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY
static const struct {
        enum which which;
        const char *path;
        uint32_t attributes;
        const char *expose;
        HRESULT hr;
} exposures[] = {
        { OF_NAS, "", LOCALLY, "/mnt", S_OK },
        { OF_NAS, "a/b", LOCALLY, "/mnt", S_OK }, /* more than the documentation has */
        { OF_NAS, "a/b", REMOTELY, "", S_OK },
        { OF_NAS, "", REMOTELY, "taken", VSS_E_OBJECT_ALREADY_EXISTS },
        { OF_BACKUP, "", REMOTELY, "name", S_OK },
        { OF_BACKUP, "", LOCALLY, "/mnt", VSS_E_UNSUPPORTED_CONTEXT },
        { OF_CLIENT, "", LOCALLY, "/mnt", VSS_E_UNSUPPORTED_CONTEXT },
        { OF_CLIENT, "", REMOTELY, "", VSS_E_UNSUPPORTED_CONTEXT },
        { OF_NAS, "", LOCALLY, "", E_INVALIDARG },
        { OF_NAS, "", LOCALLY, "mnt", E_INVALIDARG },
        { OF_NAS, "a?", LOCALLY, "/mnt", E_INVALIDARG },
        { OF_NAS, "*", REMOTELY, "", E_INVALIDARG },
        { OF_NAS, "%a%", REMOTELY, "", E_INVALIDARG },
        { OF_NAS, "", 0, "/mnt", E_INVALIDARG },
        { OF_NAS, "", LOCALLY | REMOTELY, "/mnt", E_INVALIDARG },
        { OF_NAS, "", LOCALLY | VSS_VOLSNAP_ATTR_PERSISTENT, "/mnt", E_INVALIDARG },
        { OF_NOBODY, "", LOCALLY, "/mnt", VSS_E_OBJECT_NOT_FOUND },
        { OF_NOBODY, "", 0, "/mnt", E_INVALIDARG },
};

START_TEST(exposing) {
        struct session *s, *fresh = session_make();

        make_sets();
        s = session_up_to("B0", VSS_CTX_ALL, NULL);
        for (size_t i = 0; i < ARRAY_SIZE(exposures); i++) {
                const struct exposure_request request = {
                        .id = id_of(exposures[i].which, snapshots),
                        .path = exposures[i].path,
                        .attributes = exposures[i].attributes,
                        .expose = exposures[i].expose,
                };

                ck_assert_int_eq(expose_of(s, &request), exposures[i].hr);
                ck_assert_int_eq(unexpose_of(s, request.id),
                                 exposures[i].hr == S_OK ? S_OK : VSS_E_OBJECT_NOT_FOUND);
                ck_assert_int_eq(expose_of(fresh, &request), VSS_E_BAD_STATE);
        }
        ck_assert_int_eq(unexpose_of(s, GUID_NULL), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(unexpose_of(fresh, GUID_NULL), VSS_E_BAD_STATE);
        session_free(fresh);
        session_free(s);
        release_sets();
}
END_TEST

static const struct {
        enum which which;
        uint32_t flags;
        HRESULT hr, async;
} breaks[] = {
        { OF_NAS, 0, S_OK, VSS_E_PROVIDER_VETO },
        { OF_BACKUP, VSS_BREAKEX_FLAG_MASK_LUNS, S_OK, VSS_E_PROVIDER_VETO },
        { OF_NAS, VSS_BREAKEX_FLAG_MAKE_READ_WRITE | VSS_BREAKEX_FLAG_REVERT_IDENTITY_ALL, S_OK,
          VSS_E_PROVIDER_VETO },
        { OF_NAS, VSS_BREAKEX_FLAG_MASK_LUNS | VSS_BREAKEX_FLAG_MAKE_READ_WRITE, E_INVALIDARG, 0 },
        { OF_NAS, VSS_BREAKEX_FLAG_REVERT_IDENTITY_ALL | VSS_BREAKEX_FLAG_REVERT_IDENTITY_NONE,
          E_INVALIDARG, 0 },
        { OF_NAS, 0x10, E_INVALIDARG, 0 },
        { OF_NOBODY, 0, VSS_E_OBJECT_NOT_FOUND, 0 },
        { NULL_ID, 0, VSS_E_OBJECT_NOT_FOUND, 0 },
};

START_TEST(breaking) {
        struct session *s, *fresh = session_make();
        struct async *a = NULL;

        make_sets();
        s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        for (size_t i = 0; i < ARRAY_SIZE(breaks); i++) {
                ck_call(breaks[i].hr, session_break_snapshot_set_ex(s, id_of(breaks[i].which, sets),
                                                                    breaks[i].flags, &a, &error));
                if (breaks[i].hr == S_OK)
                        ck_assert_int_eq(wait_for(a), breaks[i].async);
        }
        ck_assert_int_eq(break_of(s, sets[OF_NAS]), VSS_E_PROVIDER_VETO);
        ck_assert_int_eq(break_of(s, snapshots[OF_NAS]), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(break_of(s, GUID_NULL), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(break_of(fresh, GUID_NULL), VSS_E_BAD_STATE);
        session_free(fresh);
        session_free(s);
        release_sets();
        host_settle();
        ck_assert_uint_gt(fake_count_snapshots(host.store), 0); /* nothing was broken */
}
END_TEST

/* What becomes of it: test-revert.c. */
START_TEST(reverting) {
        struct session *s, *fresh = session_make();
        struct async *a = NULL;

        make_sets();
        s = session_up_to("B0", VSS_CTX_ALL, NULL);
        ck_assert_int_eq(revert_of(s, snapshots[OF_BACKUP], true), VSS_E_UNSUPPORTED_CONTEXT);
        ck_assert_int_eq(revert_of(s, GUID_NULL, true), VSS_E_OBJECT_NOT_FOUND);
        ck_assert_int_eq(revert_of(fresh, GUID_NULL, true), VSS_E_BAD_STATE);
        ck_call(VSS_E_OBJECT_NOT_FOUND, session_query_revert_status(s, "/srv/", &a, &error));
        ck_call(VSS_E_OBJECT_NOT_FOUND, session_query_revert_status(s, "vg/lv", &a, &error));
        ck_call(E_INVALIDARG, session_query_revert_status(s, "", &a, &error));
        ck_call(E_INVALIDARG, session_query_revert_status(s, "srv", &a, &error));
        ck_call(E_INVALIDARG, session_query_revert_status(s, "./srv", &a, &error));
        ck_call(E_INVALIDARG, session_query_revert_status(s, "srv/data/x", &a, &error));
        ck_call(VSS_E_BAD_STATE, session_query_revert_status(fresh, "", &a, &error));
        ck_assert_ptr_null(a);
        session_free(fresh);
        session_free(s);
        release_sets();
}
END_TEST

static struct vss_error ignored;

static int get_properties(struct session *s) {
        struct snapshot_record record = { 0 };
        int r = session_get_snapshot_properties(s, snapshots[OF_NAS], &record, &ignored);

        snapshot_record_done(&record);
        return r;
}

static int expose(struct session *s) {
        const struct exposure_request request = {
                .id = id_of(OF_NOBODY, NULL), .path = "", .attributes = LOCALLY, .expose = "/mnt"
        };

        return (int)expose_of(s, &request);
}

static int unexpose(struct session *s) {
        return (int)unexpose_of(s, id_of(OF_NOBODY, NULL));
}

static int break_set(struct session *s) {
        return (int)break_of(s, id_of(OF_NOBODY, NULL));
}

static int revert(struct session *s) {
        return (int)revert_of(s, id_of(OF_NOBODY, NULL), false);
}

static int query_revert(struct session *s) {
        struct async *a;

        return session_query_revert_status(s, "/srv", &a, &ignored);
}

static int query_revert_of_nothing(struct session *s) {
        struct async *a;

        return session_query_revert_status(s, "srv", &a, &ignored);
}

static int get_session_id(struct session *s) {
        return vss_id_is_null(session_id(s)) ? -EIO : 0;
}

/* It is set before it is used: after these it is late, also if there was nothing to be found. What
 * had no legal arguments was no call. */
static const struct {
        int (*call)(struct session *s);
        HRESULT hr; /* of SetContext afterwards */
} consumers[] = {
        { get_properties, VSS_E_BAD_STATE }, { expose, VSS_E_BAD_STATE },
        { unexpose, VSS_E_BAD_STATE },       { break_set, VSS_E_BAD_STATE },
        { revert, VSS_E_BAD_STATE },         { query_revert, VSS_E_BAD_STATE },
        { query_revert_of_nothing, S_OK },   { get_session_id, S_OK },
};

START_TEST(administration_consumes_the_context) {
        struct session *s = session_up_to("B0", VSS_CTX_BACKUP, NULL);

        make_sets();
        (void)consumers[_i].call(s); /* other tests look at how it ends */
        vss_error_done(&ignored);
        ck_call(consumers[_i].hr, session_set_context(s, VSS_CTX_NAS_ROLLBACK, &error));
        session_free(s);
        release_sets();
}
END_TEST

START_TEST(importing) {
        static const char plain[] = "<BACKUP_COMPONENTS version=\"1.2\"/>";
        static const char transportable[] =
                "<BACKUP_COMPONENTS "
                "version=\"1.2\"><SNAPSHOT_SET_DESCRIPTION/></BACKUP_COMPONENTS>";
        struct session *s = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        struct async *a = NULL;

        ck_call(VSS_E_BAD_STATE, session_import_snapshots(s, &a, &error)); /* nothing was loaded */
        session_free(s);
        s = session_make();
        ck_assert_int_eq(initialize_from(s, METHOD_INITIALIZE_FOR_BACKUP, plain), S_OK);
        ck_async(VSS_E_NONTRANSPORTABLE_BCD, session_import_snapshots, s);
        ck_assert_str_ne(async_text, "");
        session_free(s);
        s = session_make();
        ck_assert_int_eq(initialize_from(s, METHOD_INITIALIZE_FOR_BACKUP, transportable), S_OK);
        ck_async(VSS_E_NO_SNAPSHOTS_IMPORTED, session_import_snapshots, s);
        session_free(s);
}
END_TEST

/* A restore with the document of a set. */
static struct session *restore_of(VSS_ID set) {
        struct session *s = session_make();
        char text[256], id[VSS_ID_TEXT_MAX];

        (void)snprintf(text, sizeof(text),
                       "<BACKUP_COMPONENTS version=\"1.2\" snapshotSetId=\"%s\"/>",
                       vss_id_format(set, id));
        ck_assert_int_eq(initialize_from(s, METHOD_INITIALIZE_FOR_RESTORE, text), S_OK);
        return s;
}

/* answer.n tells whether it came later, by done(), or at once. */
static HRESULT queue(struct session *s, VSS_ID id, uint32_t flags, const char *destination) {
        struct vss_error error = { 0 };
        HRESULT hr;

        memset(&answer, 0, sizeof(answer));
        if (session_add_snapshot_to_recovery_set(s, id, flags, destination, on_nothing, NULL,
                                                 &error) >= 0) {
                ck_assert_uint_eq(answer.n, 0);
                return wait_for_answer();
        }
        hr = error.hr;
        (void)snprintf(answer.message, sizeof(answer.message), "%s", str_or_empty(error.message));
        vss_error_done(&error);
        return hr;
}

static const struct {
        enum which which;
        uint32_t flags;
        const char *destination;
        HRESULT hr;
} queued[] = {
        { NULL_ID, 0, "", E_INVALIDARG },
        { OF_NAS, 1, "", E_INVALIDARG },
        { OF_NAS, VSS_RECOVERY_NO_VOLUME_CHECK, "", E_INVALIDARG }, /* RecoverSet's */
        { OF_NAS, 0, "srv", E_INVALIDARG },
        { OF_NAS, 0, "./srv", E_INVALIDARG },
        { OF_NAS, 0, "srv/data/x", E_INVALIDARG },
        { OF_NOBODY, 0, "srv", E_INVALIDARG },
        { OF_NOBODY, 0, "", VSS_E_OBJECT_NOT_FOUND },
        { OF_NOBODY, 0, "/no/such/volume", VSS_E_OBJECT_NOT_FOUND },
        { OF_CLIENT, 0, "", VSS_E_SNAPSHOT_NOT_IN_SET },
        { OF_CLIENT, 0, "/no/such/volume", VSS_E_SNAPSHOT_NOT_IN_SET },
        { OF_NAS, 0, "/no/such/volume", VSS_E_OBJECT_NOT_FOUND },
        { OF_NAS, 0, "", VSS_E_BAD_STATE },
        { OF_NAS, 0, "alpha/one", VSS_E_BAD_STATE },
};

/* A software copy is never taken; what is wrong with the call is told first. */
START_TEST(what_is_queued_for_a_resync) {
        struct session *s;
        unsigned opened;
        VSS_ID id;

        make_sets();
        s = restore_of(sets[OF_NAS]);
        id = id_of(queued[_i].which, snapshots);
        opened = fake_storage_count("host:open");
        ck_assert_int_eq(queue(s, id, queued[_i].flags, queued[_i].destination), queued[_i].hr);
        ck_assert_str_ne(answer.message, "");
        ck_assert(!strstr(answer.message, "hardware provider") ==
                  (queued[_i].hr != VSS_E_BAD_STATE));
        /* A device is looked at when all that can be known without it is right. */
        ck_assert_uint_eq(fake_storage_count("host:open") - opened, answer.n);
        ck_call(VSS_E_BAD_STATE, session_recover_set(s, 0, &error));
        session_free(s);
        release_sets();
}
END_TEST

/* What opening a destination says is the answer, and a session that goes meanwhile is told so. */
START_TEST(a_destination_is_looked_at) {
        struct vss_error error = { 0 };
        struct session *s;

        make_sets();
        s = restore_of(sets[OF_NAS]);
        fake.fail = "open";
        fake.fail_hr = VSS_E_VOLUME_NOT_SUPPORTED;
        ck_assert_int_eq(queue(s, snapshots[OF_NAS], 0, "alpha/one"), VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_uint_eq(answer.n, 1);
        fake.fail = NULL;
        ck_assert_int_eq(queue(s, snapshots[OF_NAS], 0, "alpha/one"), VSS_E_BAD_STATE);
        ck_assert_uint_eq(answer.n, 1);

        fake.hold = "open";
        memset(&answer, 0, sizeof(answer));
        ck_assert_int_ge(session_add_snapshot_to_recovery_set(s, snapshots[OF_NAS], 0, "alpha/one",
                                                              on_nothing, NULL, &error),
                         0);
        session_free(s);
        ck_assert_uint_eq(answer.n, 1);
        ck_assert_int_eq(answer.hr, VSS_E_BAD_STATE);
        ck_assert_ptr_null(strstr(answer.message, "hardware provider"));
        fake_storage_go();
        release_sets();
        host_settle();
        ck_assert_uint_eq(answer.n, 1);
}
END_TEST

/* Nothing is queued, so nothing is recovered, whatever the flags are; of a backup's object neither
 * is asked. */
START_TEST(nothing_is_recovered) {
        static const uint32_t flags[] = { 0, VSS_RECOVERY_REVERT_IDENTITY_ALL,
                                          VSS_RECOVERY_REVERT_IDENTITY_ALL |
                                                  VSS_RECOVERY_NO_VOLUME_CHECK,
                                          1 };
        struct session *s, *backup = session_up_to("B0", VSS_CTX_BACKUP, NULL);
        struct session *fresh = session_make();
        char text[64];

        make_sets();
        s = restore_of(sets[OF_NAS]);
        ck_assert_int_eq(queue(s, snapshots[OF_NAS], 0, ""), VSS_E_BAD_STATE);
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                ck_call(VSS_E_BAD_STATE, session_recover_set(s, flags[i], &error));
                ck_call(VSS_E_BAD_STATE, session_recover_set(backup, flags[i], &error));
                ck_call(VSS_E_BAD_STATE, session_recover_set(fresh, flags[i], &error));
        }
        ck_assert_int_eq(queue(backup, GUID_NULL, 1, "srv"), VSS_E_BAD_STATE);
        ck_assert_int_eq(queue(fresh, GUID_NULL, 1, "srv"), VSS_E_BAD_STATE);
        /* The object can do what it could. */
        (void)snprintf(text, sizeof(text), "%s", "<BACKUP_COMPONENTS version=\"1.2\"/>");
        ck_assert_int_eq(initialize_from(fresh, METHOD_INITIALIZE_FOR_RESTORE, text), S_OK);
        ck_finished(session_gather_writer_metadata, s);
        ck_assert_int_eq(queue(s, snapshots[OF_NAS], 0, ""), VSS_E_BAD_STATE);
        ck_finished(session_pre_restore, s);
        ck_assert_int_eq(queue(s, snapshots[OF_NAS], 0, ""), VSS_E_BAD_STATE);
        ck_call(VSS_E_BAD_STATE, session_recover_set(s, 0, &error));
        ck_finished(session_post_restore, s);
        session_free(fresh);
        session_free(s);
        session_free(backup);
        release_sets();
}
END_TEST

static char root[256], prefix[256];
static void on_split(void *userdata _unused_, int r, const void *result, struct vss_error *error) {
        const struct path_split *split = result;

        on_answer(r, error);
        if (r < 0)
                return;
        (void)snprintf(root, sizeof(root), "%s", split->root);
        (void)snprintf(prefix, sizeof(prefix), "%s", split->prefix);
}

static HRESULT split_by(struct session *s, const char *path, bool full_names) {
        struct vss_error error = { 0 };
        HRESULT hr;

        memset(&answer, 0, sizeof(answer));
        if (session_get_root_and_logical_prefix_paths(s, path, full_names, on_split, NULL,
                                                      &error) >= 0)
                return wait_for_answer();
        hr = error.hr;
        vss_error_done(&error);
        return hr;
}

static HRESULT split(struct session *s, const char *path) {
        return split_by(s, path, false);
}

/* There is one host, "files", and its address. */
static int resolve_one(char **ret, const char *name) {
        if (streq(name, "files") || streq(name, "files.example.org") || streq(name, "192.0.2.7") ||
            streq(name, "2001:db8::7"))
                return str_replace(ret, "files.example.org");
        return 0;
}

static const struct {
        const char *type, *source;
        const char *plain, *full; /* NULL: no share */
} shares[] = {
        { "nfs4", "files:/srv/a b", "files:/srv/a b", "files.example.org:/srv/a b" },
        { "nfs", "files.example.org:/srv", "files:/srv", "files.example.org:/srv" },
        { "nfs", "192.0.2.7:/srv", "files:/srv", "files.example.org:/srv" },
        { "nfs4", "[2001:db8::7]:/", "files:/", "files.example.org:/" },
        { "nfs4", "[2001:db8::8]:/", "[2001:db8::8]:/", "[2001:db8::8]:/" },
        { "nfs4", "192.0.2.8:/", "192.0.2.8:/", "192.0.2.8:/" },
        { "cifs", "//files/share/below", "//files/share/below", "//files.example.org/share/below" },
        { "smb3", "//files.example.org/share", "//files/share", "//files.example.org/share" },
        { "cifs", "//stranger.example.net/x", "//stranger/x", "//stranger.example.net/x" },
        { "nfs4", "nonsense", "nonsense", "nonsense" },
        { "ext4", "files:/srv", NULL, NULL },
};

START_TEST(a_path_on_a_share) {
        char table[] = "/tmp/mountinfo-XXXXXX", escaped[128];
        struct session *s = session_make();
        struct statx stx;
        size_t n = 0;
        FILE *f;
        int fd;

        /* A table in which the root is mounted from there. */
        ck_assert_int_eq(statx(AT_FDCWD, "/", 0, STATX_BASIC_STATS | STATX_MNT_ID, &stx), 0);
        ck_assert(stx.stx_mask & STATX_MNT_ID);
        for (const char *c = shares[_i].source; *c; c++)
                if (*c == ' ')
                        n += (size_t)snprintf(escaped + n, sizeof(escaped) - n, "\\040");
                else
                        escaped[n++] = *c;
        escaped[n] = '\0';
        fd = mkstemp(table);
        ck_assert_int_ge(fd, 0);
        f = fdopen(fd, "w");
        ck_assert_ptr_nonnull(f);
        (void)fprintf(f, "%llu 1 0:50 / / rw - %s %s rw\n", (unsigned long long)stx.stx_mnt_id,
                      shares[_i].type, escaped);
        ck_assert_int_eq(fclose(f), 0);
        mount_table_path = table;
        share_resolve = resolve_one;

        ck_assert_int_eq(split_by(s, "/no-such-directory/file", false), S_OK);
        if (shares[_i].plain) {
                ck_assert_str_eq(root, shares[_i].plain);
                ck_assert_str_eq(prefix, shares[_i].plain);
        } else
                ck_assert_str_eq(root, "/");
        ck_assert_int_eq(split_by(s, "/no-such-directory/file", true), S_OK);
        ck_assert_str_eq(root, shares[_i].full ? shares[_i].full : "/");
        if (shares[_i].full)
                ck_assert_str_eq(prefix, shares[_i].full);
        /* A mount that the table does not have. */
        ck_assert_int_eq(split_by(s, "/proc/self", true), VSS_E_UNEXPECTED);
        session_free(s);
        (void)unlink(table);
}
END_TEST

START_TEST(where_a_path_lies) {
        struct session *s = session_make(); /* in any state */

        ck_assert_int_eq(split(s, "/proc/self/stat"), S_OK);
        ck_assert_str_eq(root, "/proc/");
        ck_assert_str_eq(prefix, "proc");
        ck_assert_int_eq(split(s, "/proc/1/../no/such/thing"), S_OK);
        ck_assert_str_eq(root, "/proc/");
        ck_assert_int_eq(split(s, "/no-such-directory/file"), S_OK);
        ck_assert_str_eq(root, "/");
        ck_assert_str_ne(prefix, "");
        ck_assert_int_eq(split(s, "relative"), E_INVALIDARG);
        ck_assert_int_eq(split(s, ""), E_INVALIDARG);
        ck_assert_int_eq(split(s, "/proc/self/stat/x"), E_INVALIDARG);
        session_free(s);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("session-storage");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, host_setup, host_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, exposing);
        tcase_add_test(tc, breaking);
        tcase_add_test(tc, reverting);
        tcase_add_loop_test(tc, administration_consumes_the_context, 0, ARRAY_SIZE(consumers));
        tcase_add_test(tc, importing);
        tcase_add_loop_test(tc, what_is_queued_for_a_resync, 0, ARRAY_SIZE(queued));
        tcase_add_test(tc, a_destination_is_looked_at);
        tcase_add_test(tc, nothing_is_recovered);
        tcase_add_test(tc, where_a_path_lies);
        tcase_add_loop_test(tc, a_path_on_a_share, 0, ARRAY_SIZE(shares));
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
