/* The storage of a set in creation. Volumes are grouped by provider, each provider sees its own in
 * one piece; the records lie in that order until the commit and then in the requester's.
 *
 *      stage -> window -> finish -> seal (commit)
 *        |        |         |        |
 *        +--------+---------+--------+--> abort
 *
 * A group is staged while it has a provider_set. abort() takes them one by one and closes their
 * intents; where a provider fails to put things back, its intents stay for the next start. */

#include "daemon/coordinator/set-storage-private.h"

#include "common/time-util.h"
#include "daemon/coordinator/flush.h"
#include "daemon/coordinator/set-writers.h"
#include "daemon/coordinator/snapshot-draft.h"
#include "daemon/coordinator/storage.h"
#include "daemon/coordinator/store-room.h"
#include "daemon/job/parallel.h"
#include "daemon/log/log.h"
#include "daemon/providers/provider-error.h"
#include "daemon/store/set-steps.h"

#include <limits.h>

struct set_storage *set_storage_free(struct set_storage *s) {
        if (!s)
                return NULL;
        assert(!set_storage_is_staged(s));

        window_free(s->window);
        vg_locks_drop(&s->locks);
        set_writers_free(s->writers);
        snapshot_records_free(s->records, s->n);
        set_record_done(&s->made);
        free(s->volumes);
        free(s->index);
        free(s->mounted);
        free(s->groups);
        free(s);
        return NULL;
}

static struct group *group_of(struct set_storage *s, const struct provider *provider) {
        for (size_t i = 0; i < s->n_groups; i++)
                if (s->groups[i].provider == provider)
                        return &s->groups[i];
        s->groups[s->n_groups] = (struct group){ .provider = provider };
        return &s->groups[s->n_groups++];
}

const struct group *set_storage_group_of(const struct set_storage *s, size_t i) {
        const struct group *g = s->groups;

        while (i >= g->first + g->n)
                g++;
        return g;
}

/* Lays the volumes out group by group. */
static void set_storage_arrange(struct set_storage *s) {
        const struct coordinator_request *q = s->request;
        size_t at = 0;

        for (size_t i = 0; i < q->n_volumes; i++)
                if (q->volumes[i].provider->commit)
                        group_of(s, q->volumes[i].provider)->n++;
        s->n_beside = s->n_groups;
        for (size_t i = 0; i < q->n_volumes; i++)
                if (!q->volumes[i].provider->commit)
                        group_of(s, q->volumes[i].provider)->n++;
        for (size_t g = 0; g < s->n_groups; g++) {
                s->groups[g].first = at;
                for (size_t i = 0; i < q->n_volumes; i++)
                        if (q->volumes[i].provider == s->groups[g].provider) {
                                s->index[i] = at;
                                s->volumes[at++] = q->volumes[i].volume;
                        }
        }
}

int set_storage_new(struct set_storage **ret, const struct coordinator_request *request,
                    struct set_steps *steps) {
        _cleanup_(set_storage_freep) struct set_storage *s = NULL;
        size_t n = request->n_volumes, room = n > 0 ? n : 1;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->request = request;
        s->steps = steps;
        s->freeze_usec = USEC_INFINITY;
        s->records = calloc(room, sizeof(*s->records));
        s->volumes = calloc(room, sizeof(*s->volumes));
        s->index = calloc(room, sizeof(*s->index));
        s->mounted = calloc(room, sizeof(*s->mounted));
        s->groups = calloc(room, sizeof(*s->groups));
        if (!s->records || !s->volumes || !s->index || !s->mounted || !s->groups)
                return -ENOMEM;
        s->n = n;
        set_storage_arrange(s);
        *ret = TAKE_PTR(s);
        return 0;
}

void set_storage_limit_freeze(struct set_storage *s, uint64_t freeze_usec) {
        s->freeze_usec = freeze_usec;
}

void set_storage_set_deadline(struct set_storage *s, uint64_t deadline_usec) {
        s->deadline_usec = deadline_usec;
}

void set_storage_set_writable(struct set_storage *s, bool writable) {
        s->writable = writable;
}

void set_storage_set_writers(struct set_storage *s, struct set_writers *writers) {
        set_writers_free(s->writers);
        s->writers = writers;
}

int set_storage_set_timeline(struct set_storage *s, const struct coordinator_phase *phases,
                             size_t n) {
        _cleanup_(freep) char *text = NULL;

        for (size_t i = 0; i < n; i++) {
                char *longer;

                if (str_format(&longer, "%s%s%s %llu %llu", str_or_empty(text), i > 0 ? ";" : "",
                               phases[i].name, (unsigned long long)phases[i].begin_usec,
                               (unsigned long long)phases[i].end_usec) < 0)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        free(s->made.timeline);
        s->made.timeline = TAKE_PTR(text);
        return 0;
}

void set_storage_note_provider(struct set_storage *s, const struct group *g, const char *step,
                               uint64_t begin_usec, int r) {
        set_steps_add(s->steps, &(const struct set_step){
                                        .kind = SET_STEP_PROVIDER,
                                        .id = g->provider->name,
                                        .name = g->provider->name,
                                        .step = step,
                                        .begin_usec = begin_usec,
                                        .end_usec = now_monotonic_usec(),
                                        .failure = r < 0 ? VSS_E_PROVIDER_VETO : S_OK,
                                });
}

static void note_volume(struct set_storage *s, size_t i, const char *step, uint64_t begin_usec,
                        uint64_t end_usec, HRESULT failure) {
        set_steps_add(s->steps, &(const struct set_step){
                                        .kind = SET_STEP_VOLUME,
                                        .id = VSS_ID_TEXT(s->records[i].id),
                                        .name = s->volumes[i]->name,
                                        .step = step,
                                        .begin_usec = begin_usec,
                                        .end_usec = end_usec,
                                        .failure = failure,
                                });
}

bool set_storage_is_staged(const struct set_storage *s) {
        for (size_t i = 0; i < s->n_groups; i++)
                if (s->groups[i].set)
                        return true;
        return false;
}

const struct snapshot_record *set_storage_record(const struct set_storage *s, size_t i) {
        return &s->records[s->index[i]];
}

const struct snapshot_record *set_storage_snapshots(const struct set_storage *s) {
        return s->records;
}

uint64_t set_storage_window_usec(const struct set_storage *s) {
        return s->window_result.end_usec - s->window_result.start_usec;
}

struct set_storage_times set_storage_flush_times(const struct set_storage *s) {
        return s->flush;
}

struct set_storage_times set_storage_window_times(const struct set_storage *s) {
        return s->window_times;
}

struct set_storage_times set_storage_commit_times(const struct set_storage *s) {
        return s->commit;
}

static int set_storage_fill_records(struct set_storage *s, struct vss_error *reterr) {
        const struct coordinator_request *q = s->request;
        char machine[HOST_NAME_MAX + 1] = { 0 };
        uint64_t first;
        int r;

        if (s->n == 0)
                return 0;
        r = store_reserve_numbers(q->store, (unsigned)s->n, &first, reterr);
        if (r < 0)
                return r;
        if (gethostname(machine, sizeof(machine) - 1) < 0)
                return vss_error_from_errno(reterr, -errno, "Reading the host's name");
        for (size_t i = 0; i < s->n; i++) {
                r = snapshot_draft(&s->records[s->index[i]], q, &q->volumes[i], first + i, machine);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, "Describing a snapshot");
        }
        return 0;
}

/* Those of the volumes, and where their stores may go. */
static int group_add_names(const struct set_storage *s, const struct group *g, char ***names) {
        int r = 0;

        for (size_t i = g->first; r >= 0 && i < g->first + g->n; i++) {
                if (s->volumes[i]->vg)
                        r = strv_append(names, s->volumes[i]->vg);
                if (r >= 0 && g->provider->other_groups)
                        r = g->provider->other_groups(s->volumes[i], names);
        }
        return r;
}

/* All of them in one order, before any provider takes its own: each takes its groups in that order,
 * but one provider comes after the other. What makes its copies beside the window has its own ways,
 * which may be slow or LVM's own commands: for it none is held while it is prepared, finished or
 * taken back. */
static int set_storage_lock(struct set_storage *s, struct vss_error *reterr) {
        _cleanup_(strv_freep) char **names = NULL;
        int r = 0;

        if (!storage_table()->lock_groups)
                return 0;
        for (size_t i = s->n_beside; r >= 0 && i < s->n_groups; i++)
                r = group_add_names(s, &s->groups[i], &names);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Locking the volume groups");
        return storage_table()->lock_groups(&s->locks, (const char **)names, strv_length(names),
                                            s->request->set_id, reterr);
}

static int set_storage_stage_group(struct set_storage *s, struct group *g,
                                   struct vss_error *reterr) {
        LONG attributes = s->request->context | VSS_VOLSNAP_ATTR_NOT_SURFACED;
        uint64_t begin_usec = now_monotonic_usec();
        int r;

        r = provider_stage(g->provider, &g->set, s->request->store, &s->volumes[g->first],
                           &s->records[g->first], g->n, s->volumes, s->n, reterr);
        set_storage_note_provider(s, g, "Stage", begin_usec, r);
        if (r < 0)
                return provider_error_check(g->provider, "stage", r, reterr);
        for (size_t i = 0; i < g->n; i++)
                s->records[g->first + i].attributes |= attributes;
        return 0;
}

static int set_storage_prepare_window(struct set_storage *s, struct vss_error *reterr) {
        const uint64_t half_usec = s->freeze_usec / 2; /* the rest: flush before, thaw after */
        struct window_options options = {
                .hold_usec = s->request->hold_usec < half_usec ? s->request->hold_usec : half_usec,
        };
        int r;

        options.flush_usec = options.hold_usec;
        options.kernel = storage_table()->kernel;
        options.guard_lock = store_guard_lock(s->request->store);
        options.suspend_lists = s->request->suspend_lists;
        r = window_new(&s->window, &options);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Preparing the write-freeze window");
        for (size_t i = 0; i < s->n_groups; i++) {
                struct group *g = &s->groups[i];

                r = g->provider->add_window_rows(g->set, s->window, reterr);
                if (r < 0)
                        return provider_error_check(g->provider, "add_window_rows", r, reterr);
        }
        return window_prepare(s->window, reterr);
}

static int set_storage_flush(struct set_storage *s, unsigned passes, uint64_t timeout_usec,
                             struct vss_error *reterr) {
        _cleanup_(freep) struct flush_volume *volumes = NULL;
        int r;

        volumes = calloc(s->n > 0 ? s->n : 1, sizeof(*volumes));
        if (!volumes)
                return vss_error_from_errno(reterr, -ENOMEM, "Flushing the volumes");
        for (size_t i = 0; i < s->n; i++)
                volumes[i] = (struct flush_volume){ .fd = s->volumes[i]->mount_fd,
                                                    .name = s->volumes[i]->name };
        r = flush_volumes(volumes, s->n, passes, timeout_usec, storage_table()->sync, reterr);
        for (size_t i = 0; i < s->n; i++)
                for (unsigned k = 0; k < passes; k++)
                        note_volume(s, s->index[i], "Flush", volumes[s->index[i]].begin_usec[k],
                                    volumes[s->index[i]].end_usec[k], S_OK);
        return r;
}

static int set_storage_stage_groups(struct set_storage *s, size_t begin, size_t end,
                                    struct job *job, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = begin; r >= 0 && i < end; i++) {
                if (job_is_cancelled(job))
                        return -ECANCELED;
                r = set_storage_stage_group(s, &s->groups[i], reterr);
        }
        return r;
}

static int set_storage_stage_all(struct set_storage *s, struct job *job, struct vss_error *reterr) {
        int r;

        r = volumes_check_nesting(s->volumes, s->n, reterr);
        if (r >= 0)
                r = store_room_check(s->request, reterr);
        if (r >= 0)
                r = set_storage_fill_records(s, reterr);
        /* Before anything is made: where storage does not answer there is nothing to take back
         * then, which would hang as this does. */
        if (r >= 0)
                r = set_storage_flush(s, 1, s->request->flush_usec, reterr);
        if (r >= 0)
                r = set_storage_stage_groups(s, 0, s->n_beside, job, reterr);
        if (r >= 0)
                r = set_storage_lock(s, reterr);
        if (r >= 0)
                r = set_storage_stage_groups(s, s->n_beside, s->n_groups, job, reterr);
        if (r >= 0)
                r = set_storage_prepare_window(s, reterr);
        if (r < 0)
                return r;
        if (job_is_cancelled(job))
                return -ECANCELED;
        /* What was written meanwhile goes now, so that the flush with frozen writers is short. */
        return set_storage_flush(s, 1, s->request->flush_usec, reterr);
}

int set_storage_stage(struct job *job, void *userdata, struct vss_error *reterr) {
        struct set_storage *s = userdata;
        int r;

        r = set_storage_stage_all(s, job, reterr);
        /* Nothing is left that an abort would put back: LVM's commands need not wait for the
         * writers' Abort. */
        if (r < 0 && !set_storage_is_staged(s))
                vg_locks_drop(&s->locks);
        return r;
}

/* At most half of what is left of the freeze: the window and the thaw need the other half. */
static uint64_t set_storage_flush_budget(const struct set_storage *s) {
        uint64_t now = now_monotonic_usec(), most_usec = s->request->flush_usec, half_usec;

        if (s->deadline_usec == 0)
                return most_usec;
        half_usec = s->deadline_usec > now ? (s->deadline_usec - now) / 2 : 0;
        return half_usec < most_usec ? half_usec : most_usec;
}

/* When the window's three steps were, for all and for each. */
static void note_window(struct set_storage *s) {
        const struct window_result *all = &s->window_result;
        const struct set_step steps[] = {
                { .kind = SET_STEP_WINDOW,
                  .step = "Suspend",
                  .begin_usec = all->start_usec,
                  .end_usec = all->suspended_usec },
                { .kind = SET_STEP_WINDOW,
                  .step = "Commit",
                  .begin_usec = all->suspended_usec,
                  .end_usec = all->committed_usec },
                { .kind = SET_STEP_WINDOW,
                  .step = "Resume",
                  .begin_usec = all->committed_usec,
                  .end_usec = all->end_usec },
        };

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
                set_steps_add(s->steps, &steps[i]);
        for (size_t k = 0; k < window_row_count(s->window); k++) {
                const struct window_row_times *row = window_row_times(s->window, k);

                for (size_t i = 0; i < s->n; i++) {
                        if (!streq(window_row_volume(s->window, k), s->volumes[i]->name))
                                continue;
                        note_volume(s, i, "Suspend", row->suspend_begin_usec, row->suspend_end_usec,
                                    S_OK);
                        note_volume(s, i, "Commit", row->commit_begin_usec, row->commit_end_usec,
                                    S_OK);
                        note_volume(s, i, "Resume", row->resume_begin_usec, row->resume_end_usec,
                                    S_OK);
                }
        }
}

/* Those that make their copies beside the window do so before it: should one fail, nothing was
 * suspended, and none has to wait for a volume that is. One after the other, all in as long as
 * writes may be held, or in half of what is left of the freeze. */
static int set_storage_commit_beside(struct set_storage *s, struct vss_error *reterr) {
        uint64_t limit_usec = set_storage_flush_budget(s), end_usec;

        if (s->request->hold_usec < limit_usec)
                limit_usec = s->request->hold_usec;
        end_usec = now_monotonic_usec() + limit_usec;
        for (size_t i = 0; i < s->n_groups; i++) {
                struct group *g = &s->groups[i];
                uint64_t begin_usec = now_monotonic_usec();
                int r;

                if (!g->provider->commit)
                        continue;
                r = g->provider->commit(g->set, begin_usec < end_usec ? end_usec - begin_usec : 0,
                                        reterr);
                set_storage_note_provider(s, g, "Commit", begin_usec, r);
                if (r < 0)
                        return provider_error_check(g->provider, "commit", r, reterr);
                g->instant_unix_nsec = now_realtime_nsec();
        }
        return 0;
}

static int set_storage_settle_beside(struct set_storage *s, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n_groups; i++) {
                struct group *g = &s->groups[i];
                uint64_t begin_usec = now_monotonic_usec();

                if (!g->provider->settle)
                        continue;
                r = g->provider->settle(g->set, set_storage_flush_budget(s), reterr);
                set_storage_note_provider(s, g, "Settle", begin_usec, r);
                if (r < 0)
                        (void)provider_error_check(g->provider, "settle", r, reterr);
        }
        return r;
}

int set_storage_window(struct job *job, void *userdata, struct vss_error *reterr) {
        struct set_storage *s = userdata;
        int r;

        s->flush.begin_usec = now_monotonic_usec();
        r = set_storage_flush(s, 2, set_storage_flush_budget(s), reterr);
        s->flush.end_usec = now_monotonic_usec();
        if (r < 0)
                return r;
        if (job_is_cancelled(job))
                return -ECANCELED;
        r = set_storage_commit_beside(s, reterr);
        if (r < 0)
                return r;
        if (job_is_cancelled(job))
                return -ECANCELED;

        s->window_times.begin_usec = now_monotonic_usec();
        r = window_run(s->window, &s->window_result, reterr);
        s->window_times.end_usec = now_monotonic_usec();
        /* Of one that failed a thread may be under way still, and write its times. */
        if (r < 0)
                return r;
        note_window(s);
        return set_storage_settle_beside(s, reterr);
}

static void set_storage_stamp(struct set_storage *s) {
        int64_t nsec = s->window_result.instant_unix_nsec;
        /* One for all that the window has made: these are of one instant. */
        VSS_TIMESTAMP created =
                vss_timestamp_from_unix_nsec(nsec != 0 ? nsec : now_realtime_nsec());

        for (size_t i = 0; i < s->n; i++) {
                const struct group *g = set_storage_group_of(s, i);

                s->records[i].created = g->instant_unix_nsec != 0
                                                ? vss_timestamp_from_unix_nsec(g->instant_unix_nsec)
                                                : created;
        }
}

/* What is done with the file system of each copy, side by side: its journal is read, recovered and
 * written, and what waits for one disk need not wait for the others, too. */
struct copy_turn {
        uint64_t begin_usec, end_usec; /* 0: there was nothing to do */
        int r;
};

struct copy_pass {
        struct set_storage *s;
        struct job *job; /* NULL: to the end */
        int (*step)(struct set_storage *s, size_t i, struct vss_error *reterr);
        struct copy_turn *turns;
};

static int copy_pass_turn(size_t i, void *userdata, struct vss_error *reterr) {
        const struct copy_pass *pass = userdata;
        struct copy_turn *turn = &pass->turns[i];

        if (pass->job && job_is_cancelled(pass->job))
                return -ECANCELED;
        if (!snapshot_has_mount(&pass->s->records[i]))
                return 0;
        turn->begin_usec = now_monotonic_usec();
        turn->r = pass->step(pass->s, i, reterr);
        turn->end_usec = now_monotonic_usec();
        if (turn->r < 0)
                (void)vss_error_prefix(reterr, "The copy of %s", pass->s->records[i].volume);
        return turn->r;
}

int set_storage_each_copy(struct set_storage *s, struct job *job, const char *name,
                          int (*step)(struct set_storage *s, size_t i, struct vss_error *reterr),
                          struct vss_error *reterr) {
        _cleanup_(freep) struct copy_turn *turns = calloc(s->n + 1, sizeof(*turns));
        int r;

        if (!turns)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        r = parallel_each(s->n, copy_pass_turn,
                          &(struct copy_pass){ .s = s, .job = job, .step = step, .turns = turns },
                          reterr);
        for (size_t i = 0; i < s->n; i++)
                if (turns[i].begin_usec != 0)
                        note_volume(s, i, name, turns[i].begin_usec, turns[i].end_usec,
                                    turns[i].r < 0 ? VSS_E_PROVIDER_VETO : S_OK);
        return r;
}

static int mount_copy(struct set_storage *s, size_t i, struct vss_error *reterr) {
        s->mounted[i] = true;
        return storage_table()->mount(&s->records[i], s->writable, reterr);
}

static int set_storage_finish_groups(struct set_storage *s, size_t begin, size_t end,
                                     struct vss_error *reterr) {
        for (size_t i = begin; i < end; i++) {
                struct group *g = &s->groups[i];
                uint64_t begin_usec = now_monotonic_usec();
                int r;

                r = g->provider->finish(g->set, reterr);
                set_storage_note_provider(s, g, "Finish", begin_usec, r);
                if (r < 0)
                        return provider_error_check(g->provider, "finish", r, reterr);
        }
        return 0;
}

int set_storage_finish(struct job *job, void *userdata, struct vss_error *reterr) {
        struct set_storage *s = userdata;
        int r;

        /* Not before the writers go on: to unlock all memory takes its time. */
        s->window = window_free(s->window);
        set_storage_stamp(s);
        r = set_storage_finish_groups(s, s->n_beside, s->n_groups, reterr);
        if (r < 0)
                return r;
        vg_locks_drop(&s->locks);
        r = set_storage_finish_groups(s, 0, s->n_beside, reterr);
        return r < 0 ? r : set_storage_each_copy(s, job, "Mount", mount_copy, reterr);
}

static void group_close_intents(struct set_storage *s, const struct group *g) {
        const int64_t *ids = NULL;
        size_t n = g->provider->intents(g->set, &ids);

        for (size_t i = 0; i < n; i++) {
                struct vss_error error = { 0 };

                /* One that stays open is looked at by the next start, which finds nothing to undo.
                 */
                if (store_intent_close(s->request->store, ids[i], &error) < 0)
                        log_set_failure(LOG_WARNING, s->request->set_id, &error, "%s",
                                        str_or_empty(error.message));
                vss_error_done(&error);
        }
}

static int group_abort(struct set_storage *s, struct group *g, struct vss_error *reterr) {
        struct vss_error error = { 0 };
        int r;

        for (size_t i = g->first; i < g->first + g->n; i++) {
                if (!s->mounted[i])
                        continue;
                /* A writer may still be busy in the copy that is going away. */
                r = storage_table()->unmount(&s->records[i], true, &error);
                if (r < 0)
                        log_set_failure(LOG_WARNING, s->request->set_id, &error,
                                        "Taking back the copy of %s: %s", s->records[i].volume,
                                        str_or_empty(error.message));
                else
                        s->mounted[i] = false;
                vss_error_done(&error);
        }
        r = g->provider->abort(g->set, &error);
        if (r < 0) {
                log_set_failure(
                        LOG_ERR, s->request->set_id, &error,
                        "Provider %s could not put its storage back, the next start of the service "
                        "tries again: %s",
                        g->provider->name, error.message ? error.message : strerror(-r));
                vss_error_move(reterr, &error);
        } else
                group_close_intents(s, g);
        vss_error_done(&error);
        g->provider->release(TAKE_PTR(g->set));
        return r;
}

static int set_storage_abort_groups(struct set_storage *s, size_t begin, size_t end,
                                    struct vss_error *reterr) {
        int result = 0;

        for (size_t i = begin; i < end; i++) {
                int r;

                if (!s->groups[i].set)
                        continue;
                r = group_abort(s, &s->groups[i], reterr);
                if (result == 0 && r < 0)
                        result = r;
        }
        return result;
}

int set_storage_abort(struct job *job _unused_, void *userdata, struct vss_error *reterr) {
        struct set_storage *s = userdata;
        int r, beside;

        /* It holds the origins' control and the commits' buffers; nothing runs in it any more. */
        s->window = window_free(s->window);
        r = set_storage_abort_groups(s, s->n_beside, s->n_groups, reterr);
        vg_locks_drop(&s->locks);
        beside = set_storage_abort_groups(s, 0, s->n_beside, r < 0 ? NULL : reterr);
        return r < 0 ? r : beside;
}
