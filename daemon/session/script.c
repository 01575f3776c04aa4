/* CreateSnapshotSet for scripts: a session of our own, taken through the whole sequence.
 *
 *      gather -> start -> add each volume -> prepare -> create -> complete -> done
 *        (no writers: start -> add -> create -> done)
 *
 * The run owns its session and itself. Each step ends in script_next(), which looks at nothing but
 * the step's own outcome. A failure releases the session, which puts back what was begun; copies
 * that were made and are not wanted any more (a writer failed and was required) are deleted
 * first. */

#include "common/vss-context.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/session/session-private.h"

enum step {
        STEP_GATHER,
        STEP_START,
        STEP_ADD,
        STEP_PREPARE,
        STEP_CHECK_PREPARED,
        STEP_CREATE,
        STEP_CHECK_CREATED,
        STEP_COMPLETE,
        STEP_END,
};

struct script_run {
        struct session_manager *manager;
        struct session *session;
        char **volumes;
        struct script_options options; /* exclude_writers is ours */
        async_observer_fn progress;
        session_done_fn done;
        void *userdata;

        enum step step;
        size_t next_volume;
        struct async *async; /* of the step */
        VSS_ID set_id;
        VSS_ID *snapshot_ids; /* in the order of the volumes */
        sd_event_source *turn;
        bool over; /* done() was called, or never will be */
};

static void script_begin_step(struct script_run *run);

static struct script_run *script_free(struct script_run *run) {
        if (!run)
                return NULL;
        if (run->async)
                async_set_observer(run->async, NULL, NULL);
        async_unref(run->async);
        session_free(run->session);
        sd_event_source_disable_unref(run->turn);
        strv_free(run->volumes);
        strv_free(run->options.exclude_writers);
        free(run->snapshot_ids);
        free(run);
        return NULL;
}
DEFINE_CLEANUP(struct script_run, script_free);

static int script_on_turn(sd_event_source *source _unused_, void *userdata) {
        struct script_run *run = userdata;

        if (run->over)
                script_free(run);
        else
                script_begin_step(run);
        return 0;
}

static void script_turn(struct script_run *run) {
        session_turn(run->turn);
}

static void script_finish(struct script_run *run, int r, const struct script_result *result,
                          struct vss_error *error) {
        run->over = true;
        if (run->async)
                async_set_observer(run->async, NULL, NULL);
        /* Before the answer: whoever gets it may begin the next set. */
        run->session = session_free(run->session);
        script_turn(run); /* our memory goes when nobody is inside it any more */
        run->done(run->userdata, r, result, error);
}

static void script_fail(struct script_run *run, int r, struct vss_error *error) {
        if (run->over)
                return;
        script_finish(run, r, NULL, error);
}

static void script_next(struct script_run *run) {
        run->step++;
        script_turn(run);
}

static void script_on_async(void *userdata, struct async *a, enum async_change change) {
        struct script_run *run = userdata;
        struct vss_error error = { 0 };
        HRESULT status = async_status(a);

        if (run->progress)
                run->progress(run->userdata, a, change);
        if (run->over || change != ASYNC_COMPLETED)
                return;
        if (status == VSS_S_ASYNC_FINISHED) {
                script_next(run);
                return;
        }
        (void)vss_error_set(&error, FAILED(status) ? status : VSS_E_UNEXPECTED, 0, "%s",
                            FAILED(status) ? async_message(a) : "the operation was cancelled");
        script_fail(run, -EIO, &error);
        vss_error_done(&error);
}

typedef int (*async_method)(struct session *s, struct async **ret, struct vss_error *reterr);

static int script_begin_async(struct script_run *run, async_method method,
                              struct vss_error *reterr) {
        struct async *a;
        int r;

        r = method(run->session, &a, reterr);
        if (r < 0)
                return r;
        async_unref(run->async); /* the step before */
        run->async = a;
        async_set_observer(a, script_on_async, run);
        return 0;
}

static void script_on_added(void *userdata, int r, const void *result, struct vss_error *error) {
        struct script_run *run = userdata;

        if (run->over)
                return;
        if (r < 0) {
                script_fail(run, r, error);
                return;
        }
        run->snapshot_ids[run->next_volume++] = *(const VSS_ID *)result;
        /* The same step, until there are no volumes left. */
        script_turn(run);
}

static int script_add(struct script_run *run, struct vss_error *reterr) {
        const char *volume = run->volumes[run->next_volume];

        if (!volume) {
                script_next(run);
                return 0;
        }
        return session_add_to_snapshot_set(run->session, volume, GUID_NULL, script_on_added, run,
                                           reterr);
}

static void script_on_undone(void *userdata, int r, const void *result _unused_,
                             struct vss_error *error) {
        struct script_run *run = userdata;
        struct vss_error veto = { 0 };

        if (run->over)
                return;
        if (r < 0)
                log_set_failure(LOG_ERR, run->set_id, error,
                                "The snapshots that a writer spoilt could not be deleted: %s",
                                str_or_empty(error->message));
        (void)participants_any_failed(run->session->participants, &veto);
        script_fail(run, -EIO, &veto);
        vss_error_done(&veto);
}

/* Copies that a required writer failed for are of no use. */
static int script_check(struct script_run *run, bool created, struct vss_error *reterr) {
        struct vss_error veto = { 0 };
        int r;

        if (!run->options.require_writers || !vss_context_has_writers(run->options.context) ||
            !participants_any_failed(run->session->participants, &veto)) {
                script_next(run);
                return 0;
        }
        if (!created) {
                r = -EIO;
                vss_error_move(reterr, &veto);
                return r;
        }
        vss_error_done(&veto);
        return session_delete_snapshots(run->session, run->set_id, VSS_OBJECT_SNAPSHOT_SET, true,
                                        script_on_undone, run, reterr);
}

static int script_end(struct script_run *run, struct vss_error *reterr) {
        struct script_result result = { .set_id = run->set_id };
        size_t n = strv_length(run->volumes);
        struct snapshot_record *records;
        int r = 0;

        records = calloc(n > 0 ? n : 1, sizeof(*records));
        if (!records)
                return vss_error_from_errno(reterr, -ENOMEM, "CreateSnapshotSet");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = store_snapshot_get(run->manager->store, run->snapshot_ids[i], &records[i],
                                       reterr);
        if (r >= 0) {
                struct vss_error none = { 0 };

                result.snapshots = records;
                result.n = n;
                script_finish(run, 0, &result, &none);
        }
        snapshot_records_free(records, n);
        return r;
}

static void script_begin_step(struct script_run *run) {
        const bool writers = vss_context_has_writers(run->options.context);
        struct vss_error error = { 0 };
        int r = 0;

        switch (run->step) {
        case STEP_GATHER:
                if (writers)
                        r = script_begin_async(run, session_gather_writer_metadata, &error);
                else
                        script_next(run);
                break;
        case STEP_START:
                r = session_start_snapshot_set(run->session, &run->set_id, &error);
                if (r >= 0)
                        script_next(run);
                break;
        case STEP_ADD: r = script_add(run, &error); break;
        case STEP_PREPARE:
                if (writers)
                        r = script_begin_async(run, session_prepare_for_backup, &error);
                else
                        script_next(run);
                break;
        case STEP_CHECK_PREPARED: r = script_check(run, false, &error); break;
        case STEP_CREATE: r = script_begin_async(run, session_do_snapshot_set, &error); break;
        case STEP_CHECK_CREATED: r = script_check(run, true, &error); break;
        case STEP_COMPLETE:
                if (writers)
                        r = script_begin_async(run, session_backup_complete, &error);
                else
                        script_next(run);
                break;
        case STEP_END: r = script_end(run, &error); break;
        }
        if (r < 0)
                script_fail(run, r, &error);
        vss_error_done(&error);
}

static int script_exclude(struct script_run *run, struct vss_error *reterr) {
        struct writer_registry *registry = run->manager->writers;
        int r;

        STRV_FOREACH (name, run->options.exclude_writers) {
                VSS_ID id;

                /* An id may be a class's or an instance's: nobody has one that is both. */
                if (vss_id_parse(&id, *name) >= 0 && !vss_id_is_null(id)) {
                        r = session_disable_writer_classes(run->session, &id, 1, reterr);
                        if (r >= 0)
                                r = session_disable_writer_instances(run->session, &id, 1, reterr);
                        if (r < 0)
                                return r;
                }
                for (size_t i = 0; i < writer_registry_count(registry); i++) {
                        const struct writer_identity *w =
                                writer_identity(writer_registry_get(registry, i));

                        if (!streq(w->name, *name))
                                continue;
                        r = session_disable_writer_instances(run->session, &w->instance_id, 1,
                                                             reterr);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static int script_set_up(struct script_run *run, struct vss_error *reterr) {
        int r;

        r = session_initialize_for_backup(run->session, reterr);
        if (r >= 0)
                r = session_set_context(run->session, run->options.context, reterr);
        /* A copy that stays on this machine is no backup that a log may be truncated for. */
        if (r >= 0)
                r = session_set_backup_state(run->session, false, false, VSS_BT_COPY, false,
                                             reterr);
        if (r >= 0)
                r = script_exclude(run, reterr);
        if (r >= 0)
                session_set_expiry(run->session, run->options.expire_unix);
        return r;
}

static int script_check_options(char *const *volumes, const struct script_options *options,
                                struct vss_error *reterr) {
        if (strv_length(volumes) == 0)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "CreateSnapshotSet needs at least one volume");
        if (options->context == VSS_CTX_ALL || vss_context_auto_release(options->context))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "CreateSnapshotSet makes copies that outlive the call: use "
                                     "the context app-rollback (the default), nas-rollback, client "
                                     "or client-writers, and a session for copies that go with it");
        return 0;
}

int script_create_snapshot_set(struct script_run **ret, struct session_manager *m, uid_t owner,
                               char *const *volumes, const struct script_options *options,
                               async_observer_fn progress, session_done_fn done, void *userdata,
                               struct vss_error *reterr) {
        _cleanup_(script_freep) struct script_run *run = NULL;
        int r;

        r = script_check_options(volumes, options, reterr);
        if (r < 0)
                return r;
        run = calloc(1, sizeof(*run));
        if (!run)
                return vss_error_from_errno(reterr, -ENOMEM, "CreateSnapshotSet");
        run->manager = m;
        run->options = *options;
        run->options.exclude_writers = NULL;
        run->progress = progress;
        run->done = done;
        run->userdata = userdata;
        run->snapshot_ids = calloc(strv_length(volumes), sizeof(*run->snapshot_ids));
        if (!run->snapshot_ids || strv_copy(&run->volumes, volumes) < 0 ||
            strv_copy(&run->options.exclude_writers, options->exclude_writers) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "CreateSnapshotSet");
        r = sd_event_add_defer(m->event, &run->turn, script_on_turn, run);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "CreateSnapshotSet");
        r = session_new(&run->session, m, owner, reterr);
        if (r < 0)
                return r;
        r = script_set_up(run, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(run);
        return 0;
}

void script_cancel(struct script_run *run) {
        if (run->over)
                return;
        run->over = true;
        if (run->async)
                async_set_observer(run->async, NULL, NULL);
        /* The session goes at once: what is under way takes its way back. */
        run->session = session_free(run->session);
        script_turn(run);
}
