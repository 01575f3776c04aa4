/* See foreign-call.h. */

#include "daemon/providers/foreign-call.h"
#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/providers/foreign.h"

#define OPEN_USEC (25 * USEC_PER_SEC) /* the bus' own patience with a service that is started */
#define CODES_MAX 8

/* What is slow belongs into EndPrepareSnapshots; with the writers frozen there is no time. A code
 * that is not listed is one that the method cannot answer. */
static const struct row {
        const char *name;
        uint64_t seconds;
        bool not_found; /* OBJECT_NOT_FOUND is an answer */
        HRESULT more[CODES_MAX];
} rows[_FOREIGN_METHOD_MAX] = {
        [FOREIGN_IS_VOLUME_SUPPORTED] = { .name = "IsVolumeSupported",
                                          .seconds = 10,
                                          .not_found = true,
                                          .more = { E_ACCESSDENIED, VSS_E_NESTED_VOLUME_LIMIT,
                                                    VSS_E_UNEXPECTED } },
        [FOREIGN_BEGIN_PREPARE_SNAPSHOT] = { .name = "BeginPrepareSnapshot",
                                             .seconds = 30,
                                             .not_found = true,
                                             .more = { E_ACCESSDENIED, VSS_E_BAD_STATE,
                                                       VSS_E_VOLUME_NOT_SUPPORTED,
                                                       VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER,
                                                       VSS_E_UNSUPPORTED_CONTEXT,
                                                       VSS_E_INSUFFICIENT_STORAGE,
                                                       VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED,
                                                       VSS_E_UNEXPECTED } },
        [FOREIGN_END_PREPARE_SNAPSHOTS] = { .name = "EndPrepareSnapshots",
                                            .seconds = 180,
                                            .not_found = true,
                                            .more = { VSS_E_BAD_STATE,
                                                      VSS_E_INSUFFICIENT_STORAGE } },
        [FOREIGN_PRE_COMMIT_SNAPSHOTS] = { .name = "PreCommitSnapshots",
                                           .seconds = 5,
                                           .not_found = true,
                                           .more = { VSS_E_BAD_STATE } },
        [FOREIGN_COMMIT_SNAPSHOTS] = { .name = "CommitSnapshots",
                                       .seconds = 10,
                                       .not_found = true,
                                       .more = { VSS_E_BAD_STATE } },
        [FOREIGN_POST_COMMIT_SNAPSHOTS] = { .name = "PostCommitSnapshots",
                                            .seconds = 5,
                                            .not_found = true,
                                            .more = { VSS_E_BAD_STATE } },
        [FOREIGN_PRE_FINAL_COMMIT_SNAPSHOTS] = { .name = "PreFinalCommitSnapshots",
                                                 .seconds = 60,
                                                 .more = { VSS_E_BAD_STATE } },
        [FOREIGN_POST_FINAL_COMMIT_SNAPSHOTS] = { .name = "PostFinalCommitSnapshots",
                                                  .seconds = 60,
                                                  .more = { VSS_E_BAD_STATE } },
        [FOREIGN_ABORT_SNAPSHOTS] = { .name = "AbortSnapshots", .seconds = 60, .not_found = true },
        [FOREIGN_GET_SNAPSHOT_PROPERTIES] = { .name = "GetSnapshotProperties",
                                              .seconds = 30,
                                              .not_found = true,
                                              .more = { E_ACCESSDENIED, VSS_E_BAD_STATE,
                                                        VSS_E_UNEXPECTED } },
        [FOREIGN_DELETE_SNAPSHOT] = { .name = "DeleteSnapshot",
                                      .seconds = 180,
                                      .not_found = true,
                                      .more = { E_ACCESSDENIED, VSS_E_BAD_STATE,
                                                VSS_E_UNEXPECTED } },
};
static const HRESULT legal_always[] = { E_OUTOFMEMORY, E_INVALIDARG, VSS_E_PROVIDER_VETO };

struct foreign_link {
        struct foreign *foreign;
        void *peer;
        bool has_turn;
        bool lost; /* it has gone, or is late with an answer: it is not asked again */
};

const char *foreign_method_to_string(enum foreign_method m) {
        return rows[m].name;
}

void foreign_reply_done(struct foreign_reply *r) {
        free(r->reason);
        free(r->device);
        free(r->data);
        *r = (struct foreign_reply){ 0 };
}

static const char *name_of(const struct foreign *f) {
        return foreign_record(f)->name;
}

static bool is_legal(enum foreign_method m, HRESULT hr) {
        const struct row *row = &rows[m];

        for (size_t i = 0; i < ARRAY_SIZE(legal_always); i++)
                if (legal_always[i] == hr)
                        return true;
        for (size_t i = 0; i < CODES_MAX && row->more[i] != S_OK; i++)
                if (row->more[i] == hr)
                        return true;
        return hr == VSS_E_OBJECT_NOT_FOUND && row->not_found;
}

static void say_odd(const struct foreign *f, const char *method, const struct vss_error *error) {
        log_full(LOG_WARNING, (&(const struct log_fields){ .code = error->hr }),
                 "Provider %s, %s: %s", name_of(f), method, str_or_empty(error->message));
}

/* Of one that was not asked: the flush has taken it, or another provider. */
static int say_no_time(const struct foreign *f, enum foreign_method m, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_HOLD_WRITES_TIMEOUT, ETIMEDOUT,
                             "There was no time left to call %s of the provider %s: the others had "
                             "taken it",
                             rows[m].name, name_of(f));
}

/* The failure of a call as the requester may see it. usec: the time that it had; 0: it was not
 * asked, as it was lost before. */
static int judge(const struct foreign *f, enum foreign_method m, int r, uint64_t usec,
                 struct vss_error *answer, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        HRESULT hr = VSS_E_UNEXPECTED_PROVIDER_ERROR;

        if (r == -ENOMEM)
                return vss_error_from_errno(reterr, r, name_of(f));
        if (r != -ETIMEDOUT && r != -EPIPE && r != -EBADMSG && is_legal(m, answer->hr)) {
                (void)vss_error_prefix(answer, "Provider %s", name_of(f));
                vss_error_move(reterr, answer);
                return r;
        }
        if (r == -ETIMEDOUT) {
                if (m == FOREIGN_COMMIT_SNAPSHOTS)
                        hr = VSS_E_HOLD_WRITES_TIMEOUT;
                (void)vss_error_set(&error, hr, ETIMEDOUT,
                                    "The provider %s did not answer %s within %.1f s", name_of(f),
                                    rows[m].name, (double)usec / USEC_PER_SEC);
        } else if (r == -EPIPE)
                (void)vss_error_set(&error, hr, EPIPE,
                                    "The provider %s has no process that answers %s: %s",
                                    name_of(f), rows[m].name, str_or_empty(answer->message));
        else
                (void)vss_error_set(&error, hr, EPROTO, "The provider %s failed in %s: %s (0x%08x)",
                                    name_of(f), rows[m].name, str_or_empty(answer->message),
                                    (unsigned)answer->hr);
        if (usec > 0) /* it was asked */
                say_odd(f, rows[m].name, &error);
        vss_error_move(reterr, &error);
        return r;
}

static uint64_t least(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}

int foreign_link_open(struct foreign_link **ret, struct foreign *f, uint64_t turn_usec,
                      struct vss_error *reterr) {
        _cleanup_(foreign_link_closep) struct foreign_link *l = calloc(1, sizeof(*l));
        _cleanup_(vss_error_done) struct vss_error why = { 0 };
        const struct provider_record *record = foreign_record(f);
        int r;

        if (!l)
                return vss_error_from_errno(reterr, -ENOMEM, record->name);
        l->foreign = f;
        r = foreign_turn_begin(f, least(turn_usec, foreign_limit_usec()));
        if (r < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r,
                                     "The provider %s is busy with a set, or with a deletion; try "
                                     "again when that is over",
                                     record->name);
        l->has_turn = true;
        r = foreign_transport()->open(&l->peer, record->bus_name, record->path,
                                      least(OPEN_USEC, foreign_limit_usec()), &why);
        if (r < 0) {
                r = vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r,
                                  "The provider %s (%s) cannot be reached: %s", record->name,
                                  record->bus_name, str_or_empty(why.message));
                return r;
        }
        *ret = TAKE_PTR(l);
        return 0;
}

void foreign_link_rest(struct foreign_link *l) {
        if (!l || !l->has_turn)
                return;
        l->has_turn = false;
        foreign_turn_end(l->foreign);
}

struct foreign_link *foreign_link_close(struct foreign_link *l) {
        if (!l)
                return NULL;
        foreign_link_rest(l);
        if (l->peer)
                foreign_transport()->close(l->peer);
        free(l);
        return NULL;
}

int foreign_call(struct foreign_link *l, enum foreign_method m, const struct foreign_args *args,
                 uint64_t limit_usec, struct foreign_reply *ret, struct vss_error *reterr) {
        const uint64_t usec =
                least(least(rows[m].seconds * USEC_PER_SEC, foreign_limit_usec()), limit_usec);
        _cleanup_(vss_error_done) struct vss_error answer = { 0 };
        _cleanup_(foreign_reply_done) struct foreign_reply reply = { 0 };
        int r;

        if (l->lost) {
                (void)vss_error_set(&answer, VSS_E_UNEXPECTED, EPIPE,
                                    "it went away, or did not answer, earlier in the same set");
                return judge(l->foreign, m, -EPIPE, 0, &answer, reterr);
        }
        if (usec == 0)
                return say_no_time(l->foreign, m, reterr);
        r = foreign_transport()->call(l->peer, m, args, usec, &reply, &answer);
        if (r < 0) {
                l->lost = r == -ETIMEDOUT || r == -EPIPE || r == -EBADMSG;
                return judge(l->foreign, m, r, usec, &answer, reterr);
        }
        foreign_set_mute(l->foreign, 0); /* it answers */
        if (ret) {
                *ret = reply;
                reply = (struct foreign_reply){ 0 };
        }
        return 0;
}
