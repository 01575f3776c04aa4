/* One snapshot set in creation. It belongs to whoever started it until done() was called, and
 * frees itself then. Forward it walks the table of phases:
 *
 *   PrepareSnapshot -> Stage -> Freeze -> Window -> Thaw -> Finish -> PostSnapshot -> Seal -> done
 *        |               |        |          |        |        |            |           |
 *        +---------------+--------+----------+--------+--------+------------+-----------+
 *                                       way back
 *
 * A phase is a round to the writers or a job on storage; those that concern nobody are passed over
 * (no writers: no rounds; no volumes: no jobs). The way back: writers are told Abort at once, also
 * while a job is still running, because an application must not stay frozen for our storage's
 * sake; when the job has ended storage is put back; when the writers have answered and storage is
 * back, done(). Nothing but a Freeze or Thaw that fails, a frozen writer that vanishes, the freeze
 * deadline, storage, and a cancel takes the way back. */

#include "daemon/coordinator/coordinator.h"

#include "common/time-util.h"
#include "daemon/coordinator/set-storage.h"
#include "daemon/coordinator/set-writers.h"
#include "daemon/log/log.h"
#include "daemon/store/set-steps.h"

#define DEADLINE_ACCURACY_USEC 1000
#define PHASES_MAX 16

enum phase {
        PHASE_PREPARE_SNAPSHOT,
        PHASE_STAGE,
        PHASE_FREEZE,
        PHASE_WINDOW,
        PHASE_THAW,
        PHASE_FINISH,
        PHASE_POST_SNAPSHOT,
        PHASE_SEAL,
        _PHASE_MAX,
        PHASE_NONE = -1,
};

struct coordinator {
        struct coordinator_request request;
        coordinator_progress_fn progress;
        coordinator_done_fn done;
        void *userdata;

        enum phase phase;
        uint64_t begin_usec, phase_begin_usec;
        struct set_storage *storage;
        struct round *round; /* running */
        struct job *job;     /* running; reads of this object run and storage alone */
        job_run_fn run;
        sd_event_source *turn;     /* the next step, from the loop */
        sd_event_source *deadline; /* of the freeze */
        uint64_t freeze_begin_usec;

        bool quiet;     /* our log lines wait */
        bool failing;   /* on the way back */
        bool committed; /* nothing goes back any more */
        int result;
        struct vss_error error;

        char **volumes, **devices;
        struct coordinator_phase phases[PHASES_MAX];
        size_t n_phases;
        struct set_steps *steps; /* storage's while a job runs */
};

/* A row is a round (event) or a job (run). */
static const struct phase_row {
        const char *name;
        unsigned per_cent; /* of the whole when it begins */
        bool is_round;
        enum writer_event_type event;
        job_run_fn run;
} phase_table[_PHASE_MAX] = {
        [PHASE_PREPARE_SNAPSHOT] = { .name = "PrepareSnapshot",
                                     .per_cent = 0,
                                     .is_round = true,
                                     .event = WRITER_EVENT_PREPARE_SNAPSHOT },
        [PHASE_STAGE] = { .name = "Stage", .per_cent = 10, .run = set_storage_stage },
        [PHASE_FREEZE] = { .name = "Freeze",
                           .per_cent = 50,
                           .is_round = true,
                           .event = WRITER_EVENT_FREEZE },
        [PHASE_WINDOW] = { .name = "Window", .per_cent = 55, .run = set_storage_window },
        [PHASE_THAW] = { .name = "Thaw",
                         .per_cent = 65,
                         .is_round = true,
                         .event = WRITER_EVENT_THAW },
        [PHASE_FINISH] = { .name = "Finish", .per_cent = 70, .run = set_storage_finish },
        [PHASE_POST_SNAPSHOT] = { .name = "PostSnapshot",
                                  .per_cent = 85,
                                  .is_round = true,
                                  .event = WRITER_EVENT_POST_SNAPSHOT },
        [PHASE_SEAL] = { .name = "Seal", .per_cent = 90, .run = set_storage_seal },
};

static void coordinator_begin_phase(struct coordinator *c);
static void coordinator_fail(struct coordinator *c, int r, struct vss_error *error);
static void coordinator_wind_back(struct coordinator *c);

static struct coordinator *coordinator_free(struct coordinator *c) {
        if (!c)
                return NULL;
        assert(!c->round && !c->job && !c->quiet);

        if (c->request.participants)
                participants_set_lost(c->request.participants, NULL, NULL);
        sd_event_source_disable_unref(c->turn);
        sd_event_source_disable_unref(c->deadline);
        set_storage_free(c->storage);
        set_steps_free(c->steps);
        vss_error_done(&c->error);
        strv_free(c->volumes);
        strv_free(c->devices);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(struct coordinator, coordinator_free);

/* As long as a writer is frozen our lines wait in memory: journald may be stuck, be it for want of
 * a volume of this set, and whoever logs would be stuck with it instead of sending Thaw. */
static void coordinator_be_quiet(struct coordinator *c) {
        if (!c->quiet)
                log_hold();
        c->quiet = true;
}

static void coordinator_speak(struct coordinator *c) {
        if (c->quiet)
                log_release();
        c->quiet = false;
}

static void coordinator_later(struct coordinator *c) {
        /* The source was made with the coordinator: this cannot fail for want of memory. */
        int r = sd_event_source_set_enabled(c->turn, SD_EVENT_ONESHOT);

        assert(r >= 0);
        (void)r;
}

static void coordinator_note_phase(struct coordinator *c, const char *name, uint64_t begin_usec,
                                   uint64_t end_usec) {
        if (end_usec == 0 || c->n_phases == PHASES_MAX)
                return;
        c->phases[c->n_phases++] = (struct coordinator_phase){
                .name = name,
                .begin_usec = begin_usec - c->begin_usec,
                .end_usec = end_usec - c->begin_usec,
        };
}

static const char *coordinator_phase_name(const struct coordinator *c) {
        return c->phase > PHASE_NONE && c->phase < _PHASE_MAX ? phase_table[c->phase].name
                                                              : "not begun";
}

static void coordinator_end_phase(struct coordinator *c) {
        const struct phase_row *row = &phase_table[c->phase];
        uint64_t now = now_monotonic_usec();

        if (c->phase == PHASE_WINDOW) {
                const struct set_storage_times flush = set_storage_flush_times(c->storage);
                const struct set_storage_times window = set_storage_window_times(c->storage);

                coordinator_note_phase(c, "Flush", flush.begin_usec, flush.end_usec);
                coordinator_note_phase(c, row->name, window.begin_usec, window.end_usec);
        } else if (c->phase == PHASE_SEAL) {
                const struct set_storage_times commit = set_storage_commit_times(c->storage);

                coordinator_note_phase(c, row->name, c->phase_begin_usec,
                                       commit.begin_usec > 0 ? commit.begin_usec : now);
                coordinator_note_phase(c, "Commit", commit.begin_usec, commit.end_usec);
        } else
                coordinator_note_phase(c, row->name, c->phase_begin_usec, now);
}

/* One line per phase, after the fact. */
static void coordinator_log_phases(const struct coordinator *c) {
        for (size_t i = 0; i < c->n_phases; i++) {
                const struct coordinator_phase *p = &c->phases[i];

                log_set(LOG_INFO, c->request.set_id,
                        "Snapshot set %s: %s from %.1f ms to %.1f ms (%.1f ms)",
                        VSS_ID_TEXT(c->request.set_id), p->name, (double)p->begin_usec / 1000,
                        (double)p->end_usec / 1000, (double)(p->end_usec - p->begin_usec) / 1000);
        }
}

static bool coordinator_has_writers(const struct coordinator *c) {
        return c->request.participants && participants_involved(c->request.participants) > 0;
}

static void log_step(void *userdata, const struct set_step *step) {
        const struct coordinator *c = userdata;
        const struct vss_hresult_info *failure = vss_hresult_find(step->failure);
        const bool failed = step->failure != S_OK;

        log_set(c->result < 0 ? LOG_INFO : LOG_DEBUG, c->request.set_id,
                "Snapshot set %s: %s %s: %s from %.1f ms to %.1f ms%s%s",
                VSS_ID_TEXT(c->request.set_id), set_step_kind_to_string(step->kind), step->name,
                step->step, (double)step->begin_usec / 1000, (double)step->end_usec / 1000,
                failed ? ", failed: " : "", failed && failure ? failure->symbol : "");
}

/* Each one's part is kept with the set; of a set that failed nothing but this is left. */
static void coordinator_log_steps(struct coordinator *c) {
        if (c->result < 0 && coordinator_has_writers(c))
                set_writers_note_steps(c->request.participants, c->steps);
        set_steps_for_each(c->steps, log_step, c);
}

static void coordinator_finish(struct coordinator *c) {
        const struct coordinator_result result = {
                .snapshots =
                        c->result == 0 && c->storage ? set_storage_snapshots(c->storage) : NULL,
                .n = c->result == 0 ? c->request.n_volumes : 0,
                .phases = c->phases,
                .n_phases = c->n_phases,
                .window_usec = c->storage ? set_storage_window_usec(c->storage) : 0,
        };

        coordinator_speak(c);
        coordinator_log_phases(c);
        coordinator_log_steps(c);
        if (c->result == 0)
                log_set(LOG_NOTICE, c->request.set_id,
                        "Snapshot set %s was created: %zu volume(s), writes held for %.1f ms",
                        VSS_ID_TEXT(c->request.set_id), result.n,
                        (double)result.window_usec / 1000);
        /* The participants are the caller's again. */
        if (c->request.participants)
                participants_set_lost(TAKE_PTR(c->request.participants), NULL, NULL);
        c->done(c->userdata, c->result, &result, &c->error);
        coordinator_free(c);
}

static int coordinator_on_turn(sd_event_source *source _unused_, void *userdata) {
        struct coordinator *c = userdata;

        if (c->failing)
                coordinator_wind_back(c);
        else
                coordinator_begin_phase(c);
        return 0;
}

/* Is there anybody whom a round of this set concerns? */
static uint64_t coordinator_freeze_limit(const struct coordinator *c) {
        return participants_freeze_usec(c->request.participants, c->request.freeze_usec);
}

/* From the first Freeze to the last Thaw that is sent: the limit of the set, and that of each
 * writer since its own Freeze. */
static uint64_t coordinator_freeze_deadline(const struct coordinator *c) {
        return participants_freeze_deadline(c->request.participants,
                                            c->freeze_begin_usec + c->request.freeze_usec);
}

/* The deadline passed with the window still under way: the writers have been frozen too long. */
static void coordinator_fail_frozen(struct coordinator *c) {
        struct vss_error error = { 0 };
        uint64_t now = now_monotonic_usec(), elapsed = now - c->freeze_begin_usec;

        if (!participants_expire(c->request.participants, now,
                                 c->freeze_begin_usec + c->request.freeze_usec, &error))
                (void)vss_error_set(&error, VSS_E_WRITERERROR_TIMEOUT, ETIMEDOUT,
                                    "The writers were frozen for %.1f s, as long as they may be, "
                                    "before the snapshot was there; try again when the volumes are "
                                    "less busy",
                                    (double)elapsed / USEC_PER_SEC);
        coordinator_fail(c, -ETIMEDOUT, &error);
}

static bool coordinator_is_frozen(const struct coordinator *c) {
        return c->request.participants && participants_any_frozen(c->request.participants);
}

/* Looks again when the first of the frozen reaches its limit; while levels are still being frozen,
 * not later than one that is frozen from now on could. Neither call fails for a live source. */
static void coordinator_watch_deadline(struct coordinator *c, uint64_t now_usec) {
        uint64_t usec = coordinator_freeze_deadline(c);

        if (c->phase == PHASE_FREEZE && now_usec + coordinator_freeze_limit(c) < usec)
                usec = now_usec + coordinator_freeze_limit(c);
        (void)sd_event_source_set_time(c->deadline, usec);
        (void)sd_event_source_set_enabled(c->deadline, SD_EVENT_ONESHOT);
}

static void coordinator_disarm_deadline(struct coordinator *c) {
        (void)sd_event_source_set_enabled(c->deadline, SD_EVENT_OFF);
}

static int coordinator_on_deadline(sd_event_source *source _unused_, uint64_t usec _unused_,
                                   void *userdata) {
        struct coordinator *c = userdata;
        uint64_t now = now_monotonic_usec();
        bool all_late = c->freeze_begin_usec + c->request.freeze_usec <= now;

        if (coordinator_freeze_deadline(c) > now)
                coordinator_watch_deadline(c, now);
        else if (!coordinator_is_frozen(c))
                ; /* all were asked to thaw: the round waits for them */
        /* The late are those that have not answered, and the round's result says so. */
        else if (c->round && (all_late || c->phase == PHASE_THAW))
                round_expire(c->round);
        else
                coordinator_fail_frozen(c);
        return 0;
}

static struct writer_event coordinator_event(const struct coordinator *c,
                                             enum writer_event_type type) {
        return (struct writer_event){
                .type = type,
                .session_id = c->request.session_id,
                .set_id = c->request.set_id,
                .context = c->request.context,
                .backup_type = c->request.backup_type,
                .component_mode = c->request.component_mode,
                .bootable_system_state = c->request.bootable_system_state,
                .partial_files = c->request.partial_files,
                .volumes = c->volumes,
                .devices = type == WRITER_EVENT_POST_SNAPSHOT ? c->devices : NULL,
        };
}

static void coordinator_on_round(void *userdata, const struct round_result *result) {
        struct coordinator *c = userdata;
        struct vss_error error = { 0 };

        c->round = NULL;
        coordinator_end_phase(c);
        /* Thawed; or every writer was left out before its Freeze. */
        if (!coordinator_is_frozen(c)) {
                coordinator_disarm_deadline(c);
                coordinator_speak(c);
        }
        if (!result->fatal) {
                coordinator_later(c);
                return;
        }
        (void)vss_error_set(&error, FAILED(result->error.hr) ? result->error.hr : VSS_E_UNEXPECTED,
                            result->error.cause, "%s",
                            result->error.message ? result->error.message
                                                  : "a writer failed to freeze or thaw");
        coordinator_fail(c, -EIO, &error);
}

static int coordinator_collect_devices(struct coordinator *c) {
        c->devices = strv_free(c->devices);
        for (size_t i = 0; i < c->request.n_volumes; i++)
                if (strv_append(&c->devices, set_storage_record(c->storage, i)->device_object) < 0)
                        return -ENOMEM;
        return 0;
}

static int coordinator_begin_round(struct coordinator *c, const struct phase_row *row) {
        /* Freeze; and Thaw, whose handlers have a limit of their own: a freeze ends when Thaw
         * arrives. */
        uint64_t timeout_usec = c->request.freeze_usec;
        struct writer_event event;
        int r;

        if (c->phase == PHASE_PREPARE_SNAPSHOT)
                timeout_usec = c->request.prepare_snapshot_usec;
        else if (c->phase == PHASE_POST_SNAPSHOT) {
                timeout_usec = c->request.post_snapshot_usec;
                r = coordinator_collect_devices(c);
                if (r < 0)
                        return r;
        } else if (c->phase == PHASE_FREEZE) {
                coordinator_be_quiet(c);
                c->freeze_begin_usec = now_monotonic_usec();
                coordinator_watch_deadline(c, c->freeze_begin_usec);
        }
        event = coordinator_event(c, row->event);
        return participants_send(c->request.participants, &event, timeout_usec,
                                 coordinator_on_round, c, &c->round);
}

static int coordinator_run(struct job *job, void *userdata, struct vss_error *reterr) {
        struct coordinator *c = userdata;

        return c->run(job, c->storage, reterr);
}

static int coordinator_start_job(struct coordinator *c, const char *name, job_run_fn run,
                                 job_done_fn done) {
        c->run = run;
        return job_start(&c->job, c->request.event, name, coordinator_run, done, c);
}

static void coordinator_on_job(void *userdata, int r, struct vss_error *error) {
        struct coordinator *c = userdata;

        c->job = NULL;
        if (c->failing) {
                coordinator_later(c);
                return;
        }
        coordinator_end_phase(c);
        if (r >= 0) {
                c->committed = c->phase == PHASE_SEAL;
                coordinator_later(c);
        } else {
                struct vss_error mine = { 0 };

                if (r != -ECANCELED && error->hr == S_OK)
                        (void)vss_error_from_errno(&mine, r, phase_table[c->phase].name);
                else
                        vss_error_move(&mine, error);
                coordinator_fail(c, r, &mine);
        }
}

static int coordinator_begin_job(struct coordinator *c, const struct phase_row *row) {
        const bool writers = coordinator_has_writers(c);

        if (c->phase == PHASE_WINDOW && coordinator_is_frozen(c))
                set_storage_set_deadline(c->storage, coordinator_freeze_deadline(c));
        if (c->phase == PHASE_STAGE && writers)
                set_storage_limit_freeze(c->storage, coordinator_freeze_limit(c));
        if (c->phase == PHASE_FINISH)
                set_storage_set_writable(
                        c->storage,
                        writers && !(c->request.context & VSS_VOLSNAP_ATTR_NO_AUTORECOVERY));
        if (c->phase == PHASE_SEAL) {
                int r = set_storage_set_timeline(c->storage, c->phases, c->n_phases);
                struct set_writers *all = NULL;

                if (r >= 0)
                        r = set_writers_new(&all, c->request.participants,
                                            c->request.component_mode);
                if (r < 0)
                        return r;
                if (writers)
                        set_writers_note_steps(c->request.participants, c->steps);
                set_storage_set_writers(c->storage, all);
        }
        return coordinator_start_job(c, "vss-set", row->run, coordinator_on_job);
}

static void coordinator_begin_phase(struct coordinator *c) {
        const struct phase_row *row;
        int r;

        do {
                c->phase++;
                if (c->phase == _PHASE_MAX) {
                        coordinator_finish(c);
                        return;
                }
                row = &phase_table[c->phase];
        } while (row->is_round ? !coordinator_has_writers(c) : c->request.n_volumes == 0);

        c->phase_begin_usec = now_monotonic_usec();
        if (c->progress)
                c->progress(c->userdata, row->name, row->per_cent);
        if (c->failing) /* that was a cancel */
                return;
        /* The deadline may have passed just when the phase before ended. */
        if ((c->phase == PHASE_WINDOW || c->phase == PHASE_THAW) && coordinator_is_frozen(c)) {
                uint64_t now = now_monotonic_usec();

                if (coordinator_freeze_deadline(c) <= now) {
                        coordinator_fail_frozen(c);
                        return;
                }
                coordinator_watch_deadline(c, now);
        }
        r = row->is_round ? coordinator_begin_round(c, row) : coordinator_begin_job(c, row);
        if (r < 0) {
                struct vss_error error = { 0 };

                (void)vss_error_from_errno(&error, r, row->name);
                coordinator_fail(c, r, &error);
        }
}

static void coordinator_on_abort_round(void *userdata, const struct round_result *result _unused_) {
        struct coordinator *c = userdata;

        c->round = NULL; /* who did not answer is in the log and in its own state */
        coordinator_later(c);
}

static void coordinator_abort_writers(struct coordinator *c) {
        const struct writer_event event = coordinator_event(c, WRITER_EVENT_ABORT);
        int r;

        if (!coordinator_has_writers(c))
                return;
        r = participants_send(c->request.participants, &event, c->request.event_usec,
                              coordinator_on_abort_round, c, &c->round);
        if (r < 0)
                log_set(LOG_ERR, c->request.set_id,
                        "The writers of snapshot set %s could not be told of its abort: %s; their "
                        "own freeze timers thaw them",
                        VSS_ID_TEXT(c->request.set_id), strerror(-r));
}

/* From here on the way back; error is moved in. */
static void coordinator_fail(struct coordinator *c, int r, struct vss_error *error) {
        assert(r < 0);

        if (c->failing) {
                if (error)
                        vss_error_done(error);
                return;
        }
        c->failing = true;
        c->result = r;
        if (error)
                vss_error_move(&c->error, error);
        coordinator_disarm_deadline(c);
        if (r == -ECANCELED)
                log_set(LOG_NOTICE, c->request.set_id, "Snapshot set %s is cancelled (%s)",
                        VSS_ID_TEXT(c->request.set_id), coordinator_phase_name(c));
        else
                log_set_failure(LOG_ERR, c->request.set_id, &c->error,
                                "Snapshot set %s failed (%s): %s", VSS_ID_TEXT(c->request.set_id),
                                coordinator_phase_name(c),
                                c->error.message ? c->error.message : strerror(-r));

        if (c->round) {
                round_cancel(c->round);
                c->round = NULL;
        }
        if (c->job)
                job_cancel(c->job);
        /* First of all: nobody stays frozen for what storage still has to do. */
        coordinator_abort_writers(c);
        coordinator_later(c);
}

static void coordinator_on_abort_job(void *userdata, int r _unused_,
                                     struct vss_error *error _unused_) {
        struct coordinator *c = userdata;

        c->job = NULL; /* what could not be put back was logged, and its intent is kept */
        coordinator_later(c);
}

/* What is left to do, whenever a part of it has ended. */
static void coordinator_wind_back(struct coordinator *c) {
        int r;

        if (!coordinator_is_frozen(c)) /* all were told */
                coordinator_speak(c);
        if (c->job)
                return;
        if (set_storage_is_staged(c->storage)) {
                r = coordinator_start_job(c, "vss-abort", set_storage_abort,
                                          coordinator_on_abort_job);
                if (r >= 0)
                        return;
                /* Better a loop that stands for a moment than staged storage left behind. */
                log_set(LOG_WARNING, c->request.set_id, "No thread for taking storage back: %s",
                        strerror(-r));
                (void)set_storage_abort(NULL, c->storage, NULL);
        }
        if (!c->round)
                coordinator_finish(c);
}

static void coordinator_on_lost(void *userdata, const struct vss_error *lost) {
        struct coordinator *c = userdata;
        struct vss_error error = { 0 };

        (void)vss_error_set(&error, lost->hr, lost->cause, "%s",
                            lost->message ? lost->message : "a writer went away");
        coordinator_fail(c, -EPIPE, &error);
}

void coordinator_cancel(struct coordinator *c) {
        if (c->committed)
                return;
        /* The commit may be done already: the job's result decides. */
        if (c->phase == PHASE_SEAL && c->job)
                job_cancel(c->job);
        else
                coordinator_fail(c, -ECANCELED, NULL);
}

static int coordinator_collect_volumes(struct coordinator *c) {
        for (size_t i = 0; i < c->request.n_volumes; i++)
                if (strv_append(&c->volumes, c->request.volumes[i].volume->name) < 0)
                        return -ENOMEM;
        return 0;
}

static int coordinator_add_sources(struct coordinator *c) {
        int r;

        r = sd_event_add_defer(c->request.event, &c->turn, coordinator_on_turn, c);
        if (r < 0)
                return r;
        r = sd_event_add_time(c->request.event, &c->deadline, CLOCK_MONOTONIC, 0,
                              DEADLINE_ACCURACY_USEC, coordinator_on_deadline, c);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(c->deadline, SD_EVENT_OFF);
}

int coordinator_start(struct coordinator **ret, const struct coordinator_request *request,
                      coordinator_progress_fn progress, coordinator_done_fn done, void *userdata) {
        _cleanup_(coordinator_freep) struct coordinator *c = NULL;
        int r;

        assert(request->event && request->store && done);

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->request = *request;
        c->request.participants = NULL; /* ours only when nothing can fail any more */
        c->progress = progress;
        c->done = done;
        c->userdata = userdata;
        c->phase = PHASE_NONE;
        c->begin_usec = now_monotonic_usec();
        r = coordinator_collect_volumes(c);
        if (r >= 0)
                r = set_steps_new(&c->steps, c->begin_usec);
        if (r >= 0)
                r = set_storage_new(&c->storage, &c->request, c->steps);
        if (r >= 0)
                r = coordinator_add_sources(c);
        /* Those that will be frozen must be told of the end, whatever we lack by then. */
        if (r >= 0 && request->participants)
                r = participants_prepare_abort(request->participants);
        if (r < 0)
                return r;

        c->request.participants = request->participants;
        if (c->request.participants)
                participants_set_lost(c->request.participants, coordinator_on_lost, c);
        *ret = TAKE_PTR(c);
        return 0;
}
