/* Providers of others, over a peer that is none: what each of its answers becomes, that a lost one
 * is not asked again, that what was begun is taken back by whichever process answers, and what is
 * registered. */

#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/providers/foreign-copies.h"
#include "daemon/providers/foreign.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

/* --- the peer --- */

static char journal[4096]; /* "open", "close" and the methods, a word each */
static struct answer {
        int r;
        HRESULT hr;
} answers[_FOREIGN_METHOD_MAX];
static int open_answer;
static uint64_t given_usec; /* to the last call */
static char *device;

static void note(const char *word) {
        size_t n = strlen(journal);

        (void)snprintf(journal + n, sizeof(journal) - n, "%s ", word);
}

static int peer_open(void **ret, const char *bus_name, const char *path, uint64_t timeout_usec,
                     struct vss_error *reterr) {
        ck_assert_str_eq(bus_name, "com.example.Vendor");
        ck_assert_str_eq(path, "/com/example");
        ck_assert_uint_gt(timeout_usec, 0);
        note("open");
        if (open_answer < 0) {
                (void)vss_error_set(reterr, VSS_E_UNEXPECTED, -open_answer, "nobody there");
                return open_answer;
        }
        *ret = journal;
        return 0;
}

static int peer_call(void *peer, enum foreign_method m, const struct foreign_args *args _unused_,
                     uint64_t timeout_usec, struct foreign_reply *ret, struct vss_error *reterr) {
        ck_assert_ptr_eq(peer, journal);
        note(foreign_method_to_string(m));
        given_usec = timeout_usec;
        if (answers[m].r < 0) {
                if (answers[m].hr != S_OK)
                        (void)vss_error_set(reterr, answers[m].hr, 0, "the vendor says so");
                return answers[m].r;
        }
        ret->supported = true;
        if (m == FOREIGN_GET_SNAPSHOT_PROPERTIES)
                ck_assert_int_ge(str_replace(&ret->device, device), 0);
        return 0;
}

static void peer_close(void *peer) {
        ck_assert_ptr_eq(peer, journal);
        note("close");
}

static int peer_unmount(const struct snapshot_record *r, bool force,
                        struct vss_error *reterr _unused_) {
        ck_assert(force);
        note(r->device_object);
        return 0;
}

static const struct foreign_transport transport = { peer_open, peer_call, peer_close };

/* --- what is around it --- */

#define ID(n)                                  \
        {                                      \
                n, 1, 1, {                     \
                        1, 1, 1, 1, 1, 1, 1, 1 \
                }                              \
        }

static int ours_probe(const struct volume *v _unused_, LONG context _unused_,
                      struct vss_error *reterr _unused_) {
        return 0;
}

static const struct provider ours = {
        .name = "ours", .id = ID(1), .type = VSS_PROV_SYSTEM, .probe = ours_probe
};
static const struct provider *const table[] = { &ours, NULL };

static char directory[64];
static struct store *store;
static struct provider_record vendor = {
        .id = ID(2),
        .name = (char[]){ "vendor" },
        .display_name = (char[]){ "A vendor's" },
        .version = (char[]){ "1" },
        .version_id = ID(3),
        .priority = 5,
        .bus_name = (char[]){ "com.example.Vendor" },
        .path = (char[]){ "/com/example" },
};

static void reopen(void) {
        struct vss_error error = { 0 };
        int r;

        store_close(store);
        r = store_open(&store, directory, &error);
        ck_assert_msg(r >= 0, "%s", str_or_empty(error.message));
}

static void setup(void) {
        (void)snprintf(directory, sizeof(directory), "/tmp/test-foreign-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        store = NULL;
        reopen();
        providers_init(table);
        foreign_init(&transport, peer_unmount, 180 * USEC_PER_SEC);
        memset(answers, 0, sizeof(answers));
        open_answer = 0;
        device = directory;
        ck_assert_int_ge(foreign_register(store, &vendor, NULL), 0);
        journal[0] = '\0';
}

static int remove_one(const char *path, const struct stat *st _unused_, int flag _unused_,
                      struct FTW *ftw _unused_) {
        return remove(path);
}

static void teardown(void) {
        store_close(store);
        ck_assert_int_eq(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static struct foreign *found(void) {
        struct foreign *f = foreign_by_name("vendor");

        ck_assert_ptr_nonnull(f);
        return f;
}

/* The code that one call ends with; S_OK: none. */
static HRESULT call(enum foreign_method m, int r, HRESULT hr) {
        _cleanup_(foreign_link_closep) struct foreign_link *l = NULL;
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        const struct foreign_args args = { .count = 1 };
        int k;

        answers[m] = (struct answer){ r, hr };
        ck_assert_int_ge(foreign_link_open(&l, found(), USEC_PER_SEC, NULL), 0);
        k = foreign_call(l, m, &args, USEC_INFINITY, NULL, &error);
        ck_assert_int_eq(k < 0, error.hr != S_OK);
        if (k < 0)
                ck_assert_msg(strstr(error.message, "vendor") != NULL, "%s", error.message);
        return error.hr;
}

START_TEST(each_method_has_its_codes) {
        static const HRESULT anywhere[] = { E_OUTOFMEMORY, E_INVALIDARG, VSS_E_PROVIDER_VETO };
        static const HRESULT nowhere[] = {
                E_NOTIMPL,
                VSS_E_VOLUME_IN_USE,
                VSS_E_WRITERERROR_TIMEOUT,
                VSS_E_HOLD_WRITES_TIMEOUT,
        };
        static const struct {
                HRESULT hr;
                unsigned methods; /* bits */
        } some[] = {
#define BIT(m) (1U << (m))
                { VSS_E_OBJECT_NOT_FOUND, ~(BIT(FOREIGN_PRE_FINAL_COMMIT_SNAPSHOTS) |
                                            BIT(FOREIGN_POST_FINAL_COMMIT_SNAPSHOTS)) },
                { VSS_E_INSUFFICIENT_STORAGE,
                  BIT(FOREIGN_BEGIN_PREPARE_SNAPSHOT) | BIT(FOREIGN_END_PREPARE_SNAPSHOTS) },
                { VSS_E_UNSUPPORTED_CONTEXT, BIT(FOREIGN_BEGIN_PREPARE_SNAPSHOT) },
                { VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER, BIT(FOREIGN_BEGIN_PREPARE_SNAPSHOT) },
                { VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED, BIT(FOREIGN_BEGIN_PREPARE_SNAPSHOT) },
                { VSS_E_NESTED_VOLUME_LIMIT, BIT(FOREIGN_IS_VOLUME_SUPPORTED) },
                { VSS_E_UNEXPECTED,
                  BIT(FOREIGN_IS_VOLUME_SUPPORTED) | BIT(FOREIGN_BEGIN_PREPARE_SNAPSHOT) |
                          BIT(FOREIGN_GET_SNAPSHOT_PROPERTIES) | BIT(FOREIGN_DELETE_SNAPSHOT) },
                { VSS_E_BAD_STATE,
                  ~(BIT(FOREIGN_IS_VOLUME_SUPPORTED) | BIT(FOREIGN_ABORT_SNAPSHOTS)) },
        };

        for (unsigned m = 0; m < _FOREIGN_METHOD_MAX; m++) {
                ck_assert_int_eq(call(m, 0, S_OK), S_OK);
                for (size_t i = 0; i < ARRAY_SIZE(anywhere); i++)
                        ck_assert_int_eq(call(m, -EIO, anywhere[i]), anywhere[i]);
                for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++)
                        ck_assert_int_eq(call(m, -EIO, nowhere[i]),
                                         VSS_E_UNEXPECTED_PROVIDER_ERROR);
                for (size_t i = 0; i < ARRAY_SIZE(some); i++)
                        ck_assert_int_eq(call(m, -EIO, some[i].hr),
                                         some[i].methods & BIT(m)
                                                 ? some[i].hr
                                                 : VSS_E_UNEXPECTED_PROVIDER_ERROR);
        }
}
END_TEST

START_TEST(what_is_no_answer_is_its_failure) {
        for (unsigned m = 0; m < _FOREIGN_METHOD_MAX; m++) {
                ck_assert_int_eq(call(m, -EPIPE, VSS_E_UNEXPECTED),
                                 VSS_E_UNEXPECTED_PROVIDER_ERROR);
                /* Whatever code comes with it. */
                ck_assert_int_eq(call(m, -EBADMSG, VSS_E_PROVIDER_VETO),
                                 VSS_E_UNEXPECTED_PROVIDER_ERROR);
                ck_assert_int_eq(call(m, -ETIMEDOUT, S_OK),
                                 m == FOREIGN_COMMIT_SNAPSHOTS ? VSS_E_HOLD_WRITES_TIMEOUT
                                                               : VSS_E_UNEXPECTED_PROVIDER_ERROR);
                ck_assert_int_eq(call(m, -ENOMEM, S_OK), E_OUTOFMEMORY);
        }
}
END_TEST

START_TEST(no_call_takes_longer_than_it_may) {
        _cleanup_(foreign_link_closep) struct foreign_link *l = NULL;
        const struct foreign_args args = { .count = 1 };
        struct vss_error error = { 0 };

        ck_assert_int_ge(foreign_link_open(&l, found(), USEC_PER_SEC, NULL), 0);
        ck_assert_int_ge(
                foreign_call(l, FOREIGN_COMMIT_SNAPSHOTS, &args, USEC_INFINITY, NULL, NULL), 0);
        ck_assert_uint_eq(given_usec, 10 * USEC_PER_SEC);
        ck_assert_int_ge(foreign_call(l, FOREIGN_COMMIT_SNAPSHOTS, &args, 70, NULL, NULL), 0);
        ck_assert_uint_eq(given_usec, 70);
        foreign_init(&transport, peer_unmount, USEC_PER_SEC);
        ck_assert_int_ge(
                foreign_call(l, FOREIGN_END_PREPARE_SNAPSHOTS, &args, USEC_INFINITY, NULL, NULL),
                0);
        ck_assert_uint_eq(given_usec, USEC_PER_SEC);
        /* The time was over before it was asked: which is not its fault. */
        journal[0] = '\0';
        ck_assert_int_lt(foreign_call(l, FOREIGN_PRE_COMMIT_SNAPSHOTS, &args, 0, NULL, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_HOLD_WRITES_TIMEOUT);
        ck_assert_str_eq(journal, "");
        vss_error_done(&error);
        ck_assert_int_ge(foreign_call(l, FOREIGN_ABORT_SNAPSHOTS, &args, USEC_INFINITY, NULL, NULL),
                         0);
}
END_TEST

START_TEST(one_that_was_lost_is_not_asked_again) {
        static const int ways[] = { -ETIMEDOUT, -EPIPE, -EBADMSG };

        for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
                _cleanup_(foreign_link_closep) struct foreign_link *l = NULL;
                const struct foreign_args args = { .count = 1 };
                struct vss_error error = { 0 };

                ck_assert_int_ge(foreign_link_open(&l, found(), USEC_PER_SEC, NULL), 0);
                answers[FOREIGN_PRE_COMMIT_SNAPSHOTS].r = ways[i];
                ck_assert_int_lt(foreign_call(l, FOREIGN_PRE_COMMIT_SNAPSHOTS, &args, USEC_INFINITY,
                                              NULL, NULL),
                                 0);
                journal[0] = '\0';
                ck_assert_int_lt(foreign_call(l, FOREIGN_COMMIT_SNAPSHOTS, &args, USEC_INFINITY,
                                              NULL, &error),
                                 0);
                ck_assert_int_eq(error.hr, VSS_E_UNEXPECTED_PROVIDER_ERROR);
                ck_assert_str_eq(journal, "");
                vss_error_done(&error);
        }
}
END_TEST

static const struct volume volume = { .name = (char[]){ "/srv/a b/" },
                                      .display = (char[]){ "/srv/a b" },
                                      .mount_fd = -1 };
static const struct volume *const volumes[] = { &volume };

/* Of a volume that is mounted. */
static void record_make(struct snapshot_record *r) {
        *r = (struct snapshot_record){ .id = ID(8), .set_id = ID(9), .count = 1 };
        ck_assert_int_ge(str_replace(&r->volume, volume.name), 0);
        ck_assert_int_ge(str_replace(&r->device, "/dev/vss/ShadowCopy1"), 0);
}

static size_t count_intents(void) {
        struct intent_record *intents = NULL;
        size_t n = 0;

        ck_assert_int_ge(store_intent_list(store, &intents, &n, NULL), 0);
        intent_records_free(intents, n);
        return n;
}

START_TEST(a_set_has_its_phases) {
        const struct provider *p = foreign_provider(found());
        struct provider_set *set = NULL;
        struct snapshot_record record;
        const int64_t *intents;

        record_make(&record);
        ck_assert_int_ge(provider_stage(p, &set, store, volumes, &record, 1, volumes, 1, NULL), 0);
        ck_assert_uint_eq(count_intents(), 1);
        ck_assert_uint_eq(p->intents(set, &intents), 1);
        ck_assert_int_ge(p->commit(set, 4 * USEC_PER_SEC, NULL), 0);
        ck_assert_uint_le(given_usec, 4 * USEC_PER_SEC);
        ck_assert_int_ge(p->settle(set, 2 * USEC_PER_SEC, NULL), 0);
        ck_assert_int_ge(p->finish(set, NULL), 0);
        ck_assert_str_eq(record.device, directory);
        ck_assert_int_ge(p->seal(set, NULL), 0);
        ck_assert_str_eq(journal,
                         "open BeginPrepareSnapshot EndPrepareSnapshots PreCommitSnapshots "
                         "CommitSnapshots PostCommitSnapshots PreFinalCommitSnapshots "
                         "GetSnapshotProperties PostFinalCommitSnapshots ");
        p->release(set);
        snapshot_record_done(&record);
}
END_TEST

/* What finish() says of what the provider says of its copies. */
static int finish(const struct volume *const *v, struct snapshot_record *records, size_t n) {
        const struct provider *p = foreign_provider(found());
        struct provider_set *set = NULL;
        int r;

        ck_assert_int_ge(provider_stage(p, &set, store, v, records, n, v, n, NULL), 0);
        r = p->finish(set, NULL);
        ck_assert_int_ge(p->abort(set, NULL), 0);
        p->release(set);
        return r;
}

START_TEST(a_copy_is_none_of_the_volumes) {
        const struct volume mounted = { .name = (char[]){ "/srv/" },
                                        .display = (char[]){ "/srv" },
                                        .mount_fd = open(directory, O_RDONLY | O_CLOEXEC) };
        struct snapshot_record record, two[2];

        ck_assert_int_ge(mounted.mount_fd, 0);
        record_make(&record);
        ck_assert_int_lt(finish((const struct volume *[]){ &mounted }, &record, 1), 0);
        ck_assert_int_ge(finish(volumes, &record, 1), 0);
        snapshot_record_done(&record);

        /* Nor two of them one. */
        record_make(&two[0]);
        record_make(&two[1]);
        two[1].id = (VSS_ID)ID(10);
        ck_assert_int_lt(finish((const struct volume *[]){ &volume, &volume }, two, 2), 0);
        snapshot_record_done(&two[0]);
        snapshot_record_done(&two[1]);
        ck_assert_int_eq(close(mounted.mount_fd), 0);
}
END_TEST

START_TEST(a_volume_that_is_not_mounted_has_no_directory) {
        struct snapshot_record record;

        record_make(&record);
        ck_assert_int_ge(str_replace(&record.device_object, record.device), 0);
        ck_assert_int_lt(finish(volumes, &record, 1), 0);
        ck_assert_str_eq(record.device_object, "/dev/vss/ShadowCopy1");
        ck_assert_int_ge(str_replace(&record.device_object, "/run/vss/ShadowCopy1"), 0);
        ck_assert_int_ge(finish(volumes, &record, 1), 0);
        ck_assert_str_eq(record.device_object, "/run/vss/ShadowCopy1");
        snapshot_record_done(&record);
}
END_TEST

/* It does one thing after the other: a question must not stand before a commit. */
START_TEST(nothing_is_asked_beside_a_set_until_its_copies_are_made) {
        struct volume v = { .name = (char[]){ "/srv/" }, .display = (char[]){ "/srv" } };
        const struct provider *p = foreign_provider(found());
        struct provider_set *set = NULL;
        struct snapshot_record record;

        foreign_init(&transport, peer_unmount, 10000); /* the wait for a turn, too */
        record_make(&record);
        ck_assert_int_ge(str_replace(&record.provider, "vendor"), 0);
        ck_assert_int_ge(provider_stage(p, &set, store, volumes, &record, 1, volumes, 1, NULL), 0);
        journal[0] = '\0';
        ck_assert_int_lt(foreign_probe(p, &v, VSS_CTX_BACKUP, NULL), 0);
        ck_assert_int_lt(foreign_remove(store, &record, true, NULL), 0);
        ck_assert_str_eq(journal, "");
        ck_assert(!foreign_is_mute(found())); /* it was not its fault */
        ck_assert_int_ge(p->commit(set, USEC_PER_SEC, NULL), 0);
        ck_assert_int_lt(foreign_probe(p, &v, VSS_CTX_BACKUP, NULL), 0);
        ck_assert_int_ge(p->settle(set, USEC_PER_SEC, NULL), 0);
        ck_assert_int_ge(foreign_probe(p, &v, VSS_CTX_BACKUP, NULL), 0);
        ck_assert_int_ge(p->finish(set, NULL), 0);
        p->release(set);

        /* Also of one that is taken back, or only staged. */
        for (unsigned i = 0; i < 2; i++) {
                ck_assert_int_ge(
                        provider_stage(p, &set, store, volumes, &record, 1, volumes, 1, NULL), 0);
                if (i == 0)
                        ck_assert_int_ge(p->abort(set, NULL), 0);
                p->release(set);
                ck_assert_int_ge(foreign_probe(p, &v, VSS_CTX_BACKUP, NULL), 0);
        }
        snapshot_record_done(&record);
}
END_TEST

START_TEST(a_failure_before_the_set_is_taken_back_at_once) {
        const struct provider *p = foreign_provider(found());
        struct provider_set *set = NULL;
        struct snapshot_record record;

        record_make(&record);
        answers[FOREIGN_END_PREPARE_SNAPSHOTS] =
                (struct answer){ -EIO, VSS_E_INSUFFICIENT_STORAGE };
        ck_assert_int_lt(provider_stage(p, &set, store, volumes, &record, 1, volumes, 1, NULL), 0);
        ck_assert_ptr_null(set);
        /* Whatever it says of AbortSnapshots. */
        ck_assert_str_eq(journal, "open BeginPrepareSnapshot EndPrepareSnapshots AbortSnapshots "
                                  "DeleteSnapshot close ");
        ck_assert_uint_eq(count_intents(), 0);

        /* It went, and nobody is in its place: what it may have made is known. */
        journal[0] = '\0';
        answers[FOREIGN_END_PREPARE_SNAPSHOTS].r = -EPIPE;
        answers[FOREIGN_DELETE_SNAPSHOT].r = -EPIPE;
        ck_assert_int_lt(provider_stage(p, &set, store, volumes, &record, 1, volumes, 1, NULL), 0);
        ck_assert_uint_eq(count_intents(), 1);
        snapshot_record_done(&record);
}
END_TEST

START_TEST(another_process_takes_back_what_a_lost_one_made) {
        const struct provider *p = foreign_provider(found());
        struct provider_set *set = NULL;
        struct snapshot_record record;

        record_make(&record);
        ck_assert_int_ge(provider_stage(p, &set, store, volumes, &record, 1, volumes, 1, NULL), 0);
        answers[FOREIGN_COMMIT_SNAPSHOTS].r = -EPIPE;
        ck_assert_int_lt(p->commit(set, USEC_PER_SEC, NULL), 0);
        journal[0] = '\0';
        /* It does not know the set: the copies go one by one. */
        answers[FOREIGN_ABORT_SNAPSHOTS] = (struct answer){ -ENOENT, VSS_E_OBJECT_NOT_FOUND };
        answers[FOREIGN_DELETE_SNAPSHOT] = (struct answer){ -ENOENT, VSS_E_OBJECT_NOT_FOUND };
        ck_assert_int_ge(p->abort(set, NULL), 0);
        ck_assert_str_eq(journal, "open AbortSnapshots DeleteSnapshot close ");
        ck_assert_int_ge(p->abort(set, NULL), 0); /* it was */
        ck_assert_str_eq(journal, "open AbortSnapshots DeleteSnapshot close ");
        p->release(set);
        snapshot_record_done(&record);
}
END_TEST

START_TEST(an_intent_is_enough_to_take_it_back) {
        static const char *const bad[] = {
                "x",
                "00000008-0001-0001-0101-010101010101",
                "00000008 1 /srv/\n",
                " 1 /srv/\n",
                "\n",
                "00000008-0001-0001-0101-010101010101 /srv/\n",
                "00000008-0001-0001-0101-010101010101 x /srv/\n",
                "00000008-0001-0001-0101-010101010101 1\n",
        };
        struct intent_record intent = {
                .set_id = ID(9),
                .provider = vendor.name,
                .kind = (char[]){ "create" },
                .data = (char[]){ "00000008-0001-0001-0101-010101010101 7 /srv/a b/\n"
                                  "00000009-0001-0001-0101-010101010101 8 /srv/b/\n" },
        };

        ck_assert_int_ge(foreign_recover(store, &intent, NULL), 0);
        ck_assert_str_eq(journal, "/run/vss/ShadowCopy7 /run/vss/ShadowCopy8 open AbortSnapshots "
                                  "DeleteSnapshot DeleteSnapshot close ");
        answers[FOREIGN_DELETE_SNAPSHOT] = (struct answer){ -EBUSY, VSS_E_PROVIDER_VETO };
        ck_assert_int_lt(foreign_recover(store, &intent, NULL), 0);
        journal[0] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                intent.data = (char *)(uintptr_t)bad[i];
                ck_assert_int_lt(foreign_recover(store, &intent, NULL), 0);
        }
        ck_assert_str_eq(journal, "");
}
END_TEST

START_TEST(only_the_provider_says_that_a_copy_is_gone) {
        struct snapshot_record record;

        record_make(&record);
        ck_assert_int_ge(str_replace(&record.provider, "vendor"), 0);
        ck_assert_int_ge(str_replace(&record.device, directory), 0);
        ck_assert_int_ge(foreign_activate(&record, NULL), 0);
        open_answer = -ENOENT;
        ck_assert_int_lt(foreign_activate(&record, NULL), 0);
        ck_assert_int_ne(foreign_activate(&record, NULL), -ENOENT);
        open_answer = 0;
        device = (char[]){ "/nowhere/at/all" };
        ck_assert_int_ne(foreign_activate(&record, NULL), -ENOENT);
        ck_assert_int_lt(foreign_activate(&record, NULL), 0);
        answers[FOREIGN_GET_SNAPSHOT_PROPERTIES] = (struct answer){ -EIO, VSS_E_OBJECT_NOT_FOUND };
        {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };

                ck_assert_int_eq(foreign_activate(&record, &error), -ENOENT);
        }
        snapshot_record_done(&record);
}
END_TEST

/* The start has others' copies to look at, and asks as long as storage does not answer. */
START_TEST(one_that_hangs_does_not_hold_a_start_up) {
        const char *const kind = "create";
        const struct intent_record intent = {
                .set_id = ID(9),
                .provider = vendor.name,
                .kind = (char *)(uintptr_t)kind,
                .data = (char[]){ "00000008-0001-0001-0101-010101010101 1 /srv/\n" },
        };
        struct snapshot_record record;

        record_make(&record);
        ck_assert_int_ge(str_replace(&record.provider, "vendor"), 0);
        for (unsigned i = 0; i < 4; i++) {
                memset(answers, 0, sizeof(answers));
                open_answer = 0;
                foreign_set_mute(found(), 0);
                if (i == 0)
                        answers[FOREIGN_GET_SNAPSHOT_PROPERTIES].r = -ETIMEDOUT;
                else if (i == 1)
                        answers[FOREIGN_DELETE_SNAPSHOT].r = -ETIMEDOUT;
                else if (i == 2)
                        answers[FOREIGN_ABORT_SNAPSHOTS].r = -ETIMEDOUT;
                else
                        open_answer = -ETIMEDOUT;
                /* Once it is waited for, by one of them; and none is to try again. */
                for (unsigned k = 0; k < 6; k++) {
                        const int r = (i + k) % 3 == 0 ? foreign_activate(&record, NULL)
                                      : (i + k) % 3 == 1
                                              ? foreign_remove(store, &record, true, NULL)
                                              : foreign_recover(store, &intent, NULL);

                        ck_assert_int_lt(r, 0);
                        ck_assert_int_ne(r, -ETIMEDOUT);
                        ck_assert_int_ne(r, -ENOENT);
                        if (k == 0)
                                journal[0] = '\0';
                }
                ck_assert_ptr_null(strstr(journal, "open"));
        }
        snapshot_record_done(&record);
}
END_TEST

START_TEST(a_copy_is_a_directory_or_a_block_device) {
        static const char *const bad[] = {
                "",          "relative",    "/",
                "/etc/",     "/etc//x",     "/etc/../etc",
                "/dev/null", "/etc/passwd", "/run/vss/ShadowCopy1",
                "/et\nc",    "/etc/..",     "/etc/.",
                "/./etc",    "/run/vss",    "/dev",
                "/dev/vss",  "/proc/self",  "/sys",
        };
        static const char *const good[] = { "/etc/.x", "/etc/..x", "/etc/x.", "/etc/...", "/devx" };
        char path[128];

        ck_assert_int_ge(foreign_check_device(found(), directory, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ck_assert_msg(foreign_check_device(found(), bad[i], NULL) < 0, "%s", bad[i]);
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) /* they are names, of nothing */
                ck_assert_int_eq(foreign_check_device(found(), good[i], NULL), -ENOENT);
        (void)snprintf(path, sizeof(path), "%s/link", directory);
        ck_assert_int_eq(symlink("/etc", path), 0);
        ck_assert_int_lt(foreign_check_device(found(), path, NULL), 0);
        (void)snprintf(path, sizeof(path), "%s/gone", directory);
        ck_assert_int_eq(foreign_check_device(found(), path, NULL), -ENOENT);
}
END_TEST

START_TEST(a_volume_is_asked_of_one_that_answers) {
        struct volume v = { .name = (char[]){ "/srv/" }, .display = (char[]){ "/srv" } };
        const struct provider *p = NULL;

        ck_assert_int_eq(provider_select(&p, GUID_NULL, &v, VSS_CTX_BACKUP, NULL), 0);
        ck_assert_str_eq(p->name, "vendor");
        answers[FOREIGN_IS_VOLUME_SUPPORTED].r = -ETIMEDOUT;
        ck_assert_int_eq(provider_select(&p, GUID_NULL, &v, VSS_CTX_BACKUP, NULL), 0);
        ck_assert_ptr_eq(p, &ours);
        journal[0] = '\0';
        ck_assert_int_eq(provider_select(&p, GUID_NULL, &v, VSS_CTX_BACKUP, NULL), 0);
        ck_assert_ptr_eq(p, &ours);
        ck_assert_str_eq(journal, ""); /* left alone for a while */
        ck_assert_int_eq(provider_select(&p, GUID_NULL, &v, VSS_CTX_CLIENT_ACCESSIBLE, NULL), 0);
        ck_assert_ptr_eq(p, &ours);
}
END_TEST

START_TEST(what_cannot_be_told_is_not_asked) {
        static const struct {
                const char *name;
                bool is_told;
        } names[] = {
                { "/srv/\n/", false },
                { "/srv/\xff/", false },
                { "/srv/\xed\xa0\x80/", false },
                { "/srv/\xc3\xa4/", true },
                { "/srv/\t/", true },
                { "/srv/\xef\xbf\xbd/", true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct volume v = { .name = (char *)(uintptr_t)names[i].name,
                                    .display = (char *)(uintptr_t)names[i].name };
                const struct provider *p = NULL;

                ck_assert_int_eq(provider_select(&p, GUID_NULL, &v, VSS_CTX_BACKUP, NULL), 0);
                ck_assert_int_eq(p != &ours, names[i].is_told);
                ck_assert_int_eq(*journal != '\0', names[i].is_told);
                journal[0] = '\0';
        }
}
END_TEST

START_TEST(what_has_no_block_copy_is_theirs_alone) {
        struct volume v = { .name = (char[]){ "/srv/" },
                            .display = (char[]){ "/srv" },
                            .fs_type = (char[]){ "btrfs" },
                            .has_no_block_copy = true };
        _cleanup_(vss_error_done) struct vss_error error = { 0 }, again = { 0 };
        const struct provider *p = NULL;

        ck_assert_int_eq(provider_select(&p, GUID_NULL, &v, VSS_CTX_BACKUP, NULL), 0);
        ck_assert_str_eq(p->name, "vendor");
        ck_assert_int_lt(provider_select(&p, ours.id, &v, VSS_CTX_BACKUP, &error), 0);
        ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER);
        ck_assert_int_ge(foreign_unregister(store, vendor.id, NULL), 0);
        ck_assert_int_lt(provider_select(&p, GUID_NULL, &v, VSS_CTX_BACKUP, &again), 0);
        ck_assert_int_eq(again.hr, VSS_E_VOLUME_NOT_SUPPORTED);
        ck_assert_ptr_nonnull(strstr(again.message, "btrfs subvolume snapshot"));
}
END_TEST

START_TEST(the_store_knows_them) {
        const struct provider *const *before = providers_all();

        ck_assert_int_lt(foreign_register(store, &vendor, NULL), 0);
        providers_init(table);
        ck_assert_ptr_null(foreign_by_name("vendor"));
        reopen();
        foreign_load(store);
        ck_assert_str_eq(foreign_record(found())->bus_name, vendor.bus_name);
        ck_assert_uint_eq(foreign_provider(found())->priority, 5);
        ck_assert(vss_id_equal(foreign_provider(found())->id, vendor.id));

        ck_assert_int_ge(foreign_unregister(store, vendor.id, NULL), 0);
        ck_assert_ptr_null(foreign_by_name("vendor"));
        ck_assert_int_lt(foreign_unregister(store, vendor.id, NULL), 0);
        ck_assert_int_lt(foreign_unregister(store, ours.id, NULL), 0);
        ck_assert_ptr_nonnull(provider_by_name("ours"));
        reopen();
        foreign_load(store);
        ck_assert_ptr_null(foreign_by_name("vendor"));
        /* Who still reads an old table reads what it was. */
        ck_assert_str_eq(before[1]->name, "vendor");
}
END_TEST

int main(void) {
        Suite *s = suite_create("foreign");
        TCase *t = tcase_create("foreign");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_test(t, each_method_has_its_codes);
        tcase_add_test(t, what_is_no_answer_is_its_failure);
        tcase_add_test(t, no_call_takes_longer_than_it_may);
        tcase_add_test(t, one_that_was_lost_is_not_asked_again);
        tcase_add_test(t, a_set_has_its_phases);
        tcase_add_test(t, a_copy_is_none_of_the_volumes);
        tcase_add_test(t, a_volume_that_is_not_mounted_has_no_directory);
        tcase_add_test(t, nothing_is_asked_beside_a_set_until_its_copies_are_made);
        tcase_add_test(t, a_failure_before_the_set_is_taken_back_at_once);
        tcase_add_test(t, another_process_takes_back_what_a_lost_one_made);
        tcase_add_test(t, an_intent_is_enough_to_take_it_back);
        tcase_add_test(t, only_the_provider_says_that_a_copy_is_gone);
        tcase_add_test(t, one_that_hangs_does_not_hold_a_start_up);
        tcase_add_test(t, a_copy_is_a_directory_or_a_block_device);
        tcase_add_test(t, a_volume_is_asked_of_one_that_answers);
        tcase_add_test(t, what_cannot_be_told_is_not_asked);
        tcase_add_test(t, what_has_no_block_copy_is_theirs_alone);
        tcase_add_test(t, the_store_knows_them);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
