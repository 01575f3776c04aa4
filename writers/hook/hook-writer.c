/* Events in, commands out, vetoes back. */

#include "writers/hook/hook-writer.h"

#include "common/time-util.h"
#include "writers/hook/hook-command.h"
#include "writers/hook/hook-environment.h"
#include "writers/hook/hook-log.h"
#include "writers/hook/hook-record.h"
#include "writers/hook/hook-session.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <vss/vsslinux.h>

struct hook_writer {
        struct hook_config *config;
        const struct hook_writer_host *host;
        struct hook_user user;
        CVssWriter *writer;
        bool subscribed;
        atomic_bool busy;
        struct hook_sessions sessions;
};

/* How an event went. */
struct outcome {
        HRESULT failure; /* S_OK: well */
        HRESULT application;
        char *message; /* owned; NULL: none */
};

static void outcome_done(struct outcome *o) {
        free(o->message);
        *o = (struct outcome){ 0 };
}

static void log_result(const struct hook_writer *w, enum hook_event event,
                       const struct hook_result *result, const struct outcome *o) {
        _cleanup_(freep) char *prefix = NULL;
        const char *name = w->config->name, *word = hook_events[event].word;

        if (str_format(&prefix, "%s: %s: ", name, word) < 0)
                return;
        hook_log_lines(LOG_INFO, prefix, result->output);
        hook_log_lines(o->failure == S_OK ? LOG_INFO : LOG_WARNING, prefix, result->errors);
        if (o->failure != S_OK)
                hook_log(LOG_ERR, "%s%s (%s)", prefix, str_or_empty(o->message),
                         str_or_empty(VssHresultName(o->failure)));
        else
                hook_log(LOG_DEBUG, "%sdone", prefix);
}

static void run_argv(struct hook_writer *w, enum hook_event event, char *const *environment,
                     struct outcome *ret) {
        _cleanup_(hook_result_done) struct hook_result result = { 0 };
        struct hook_command command = {
                .argv = w->config->commands[event],
                .environment = environment,
                .user = &w->user,
                .deadline_usec = w->config->deadline_usec[event],
                .stop_fd = hook_events[event].can_be_stopped ? w->host->stop_fd : -1,
        };
        int r;

        r = hook_command_run(&result, &command);
        if (r < 0) {
                const char *why = r == -EPERM ? "others than root (or User=) can write to it"
                                              : strerrordesc_np(-r);

                ret->failure = r == -ENOMEM || r == -EAGAIN ? VSS_E_WRITERERROR_OUTOFRESOURCES
                                                            : VSS_E_WRITERERROR_NONRETRYABLE;
                /* Without memory for the sentence the code has to do. */
                (void)str_format(&ret->message, "cannot run %s: %s", command.argv[0],
                                 str_or_empty(why));
                hook_log(LOG_ERR, "%s: %s: %s", w->config->name, hook_events[event].word,
                         str_or_empty(ret->message));
                return;
        }

        ret->failure = hook_result_failure(&result);
        if (ret->failure != S_OK) {
                ret->application =
                        WIFEXITED(result.wait_status) ? WEXITSTATUS(result.wait_status) : -1;
                ret->message = hook_result_sentence(&result, &command);
        }
        log_result(w, event, &result, ret);
}

/* Runs the event's command, if there is one. components: NULL where the event has none. */
static void run_event_with(struct hook_writer *w, struct hook_session *session,
                           enum hook_event event, IVssWriterComponents *components,
                           struct outcome *ret) {
        _cleanup_(strv_freep) char **environment = NULL;

        *ret = (struct outcome){ .failure = S_OK };
        if (!hook_config_has(w->config, event))
                return;
        if (session)
                session->engaged = session->undo = true;
        if (hook_environment_new(&environment, w->writer, w->config, event, components) < 0) {
                /* What undoes is run, whatever it then does not know of the backup. */
                if (hook_events[event].can_be_stopped) {
                        ret->failure = VSS_E_WRITERERROR_OUTOFRESOURCES;
                        return;
                }
                hook_log(LOG_WARNING, "%s: %s: out of memory: its command gets no VSS_ variables",
                         w->config->name, hook_events[event].word);
        }
        run_argv(w, event, environment, ret);
}

static void run_event(struct hook_writer *w, struct hook_session *session, enum hook_event event,
                      struct outcome *ret) {
        run_event_with(w, session, event, NULL, ret);
}

/* The handler's answer: true, or a veto with its reason. */
static bool answer(struct hook_writer *w, const struct outcome *o) {
        HRESULT hr;

        if (o->failure == S_OK)
                return true;
        hr = CVssWriterEx2_SetWriterFailureEx(w->writer, o->failure, o->application, o->message);
        if (FAILED(hr))
                hook_log(LOG_WARNING, "%s: the reason of the veto cannot be recorded: %s",
                         w->config->name, VssLastErrorMessage());
        return false;
}

/* The command of a phase in which nothing but it matters. */
static bool answer_event(struct hook_writer *w, struct hook_session *session,
                         enum hook_event event) {
        _cleanup_(outcome_done) struct outcome o = { 0 };

        run_event(w, session, event, &o);
        return answer(w, &o);
}

/* In a restore the requester reads the reason with the component, too. */
static void tell_component(IVssWriterComponents *components, enum hook_event event,
                           const char *message) {
        IVssComponent *c = NULL;

        if (!components || !message || FAILED(IVssWriterComponents_GetComponent(components, 0, &c)))
                return;
        /* Advice to people: the veto itself has the same words. */
        if (event == HOOK_PRE_RESTORE)
                (void)IVssComponent_SetPreRestoreFailureMsg(c, message);
        else
                (void)IVssComponent_SetPostRestoreFailureMsg(c, message);
        (void)IVssComponent_Release(c);
}

/* A restore has no session of ours: nothing of it is undone, and nothing tells of its end. */
static bool answer_restore(struct hook_writer *w, enum hook_event event,
                           IVssWriterComponents *components) {
        _cleanup_(outcome_done) struct outcome o = { 0 };

        run_event_with(w, NULL, event, components, &o);
        if (o.failure != S_OK)
                tell_component(components, event, o.message);
        return answer(w, &o);
}

static void set_busy(struct hook_writer *w, bool busy) {
        if (atomic_exchange(&w->busy, busy) && !busy)
                w->host->idle(w->host->userdata);
}

static VSS_ID current_session_id(struct hook_writer *w) {
        VSS_ID id = GUID_NULL;

        /* Fails outside a handler only, and nothing but handlers calls this. */
        (void)CVssWriterEx2_GetSessionId(w->writer, &id);
        return id;
}

static struct hook_session *current_session(struct hook_writer *w) {
        return hook_sessions_find(&w->sessions, current_session_id(w));
}

static bool on_identify(CVssWriter *writer, void *user, IVssCreateWriterMetadata *metadata) {
        const struct hook_writer *w = user;
        const struct hook_config *c = w->config;
        bool restores =
                hook_config_has(c, HOOK_PRE_RESTORE) || hook_config_has(c, HOOK_POST_RESTORE);
        HRESULT hr;

        (void)writer;
        hr = IVssCreateWriterMetadata_AddComponent(metadata, VSS_CT_FILEGROUP, NULL, c->name,
                                                   c->name, NULL, 0, false, false, true, true, 0);
        for (size_t i = 0; SUCCEEDED(hr) && i < c->n_includes; i++)
                hr = IVssCreateWriterMetadata_AddFilesToFileGroup(
                        metadata, NULL, c->name, c->includes[i].directory,
                        c->includes[i].specification, c->includes[i].recursive, NULL,
                        VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED);
        for (size_t i = 0; SUCCEEDED(hr) && i < c->n_excludes; i++)
                hr = IVssCreateWriterMetadata_AddExcludeFiles(metadata, c->excludes[i].directory,
                                                              c->excludes[i].specification,
                                                              c->excludes[i].recursive);
        if (SUCCEEDED(hr))
                hr = IVssCreateWriterMetadata_SetRestoreMethod(
                        metadata, VSS_RME_RESTORE_IF_CAN_REPLACE, NULL, NULL,
                        restores ? VSS_WRE_ALWAYS : VSS_WRE_NEVER, false);
        if (FAILED(hr))
                hook_log(LOG_ERR, "%s: cannot describe its files: %s", c->name,
                         VssLastErrorMessage());
        return SUCCEEDED(hr);
}

/* Known or new; NULL, with a veto recorded: there is no room. */
static struct hook_session *open_session(struct hook_writer *w) {
        struct hook_session *session = hook_sessions_open(&w->sessions, current_session_id(w));
        _cleanup_(outcome_done) struct outcome o = { .failure = VSS_E_WRITERERROR_RETRYABLE };

        if (session)
                return session;
        /* Without memory for the sentence the code has to do. */
        (void)str_format(&o.message,
                         "the application is frozen by %d backups that were lost: restart "
                         "vss-hook-writer, which thaws it",
                         HOOK_SESSIONS_MAX);
        hook_log(LOG_ERR, "%s: %s", w->config->name, str_or_empty(o.message));
        (void)answer(w, &o);
        return NULL;
}

static bool on_prepare_backup(CVssWriter *writer, void *user, IVssWriterComponents *components) {
        struct hook_writer *w = user;
        struct hook_session *session = open_session(w);

        (void)writer;
        (void)components;
        /* The volumes are not known yet, so this is for every backup. */
        return session && answer_event(w, session, HOOK_PREPARE_BACKUP);
}

/* Is it our application's copy that is being made? false with o->failure set: a part of it. */
static bool is_affected(struct hook_writer *w, struct outcome *o) {
        const struct hook_config *c = w->config;
        const char *missing = NULL;
        bool affected = false;

        for (size_t i = 0; i < c->n_includes; i++) {
                if (CVssWriter_IsPathAffected(w->writer, c->includes[i].directory))
                        affected = true;
                else if (!missing)
                        missing = c->includes[i].directory;
        }

        if (affected && missing && !c->partial) {
                o->failure = VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT;
                /* Without memory for the sentence the code has to do. */
                (void)str_format(&o->message,
                                 "%s lies on no volume of the set, other data of the application "
                                 "does: add its volume, or write Partial=yes into %s",
                                 missing, c->file);
                hook_log(LOG_ERR, "%s: %s", c->name, str_or_empty(o->message));
                return false;
        }
        return affected || c->always;
}

static bool on_prepare_snapshot(CVssWriter *writer, void *user) {
        struct hook_writer *w = user;
        struct hook_session *session = open_session(w);
        _cleanup_(outcome_done) struct outcome o = { 0 };

        (void)writer;
        if (!session)
                return false;
        session->affected = is_affected(w, &o);
        if (!session->affected)
                return answer(w, &o);
        set_busy(w, true);
        if (answer_event(w, session, HOOK_PREPARE_SNAPSHOT))
                return true;
        /* After a veto nothing but Abort and BackupShutdown may come. */
        session->affected = false;
        set_busy(w, false);
        return false;
}

/* The application runs again, or nothing more can be done for it here. */
static void clear_record(struct hook_writer *w) {
        int r = hook_record_clear(w->config->file);

        if (r < 0)
                hook_log(LOG_WARNING, "%s: cannot remove the record of its freeze: %s",
                         w->config->name, strerror(-r));
}

/* thawed: otherwise the record stays, for the next start to try again. */
static void end_freeze(struct hook_writer *w, struct hook_session *session, bool thawed) {
        session->frozen = false;
        if (thawed)
                clear_record(w);
        hook_log_release();
}

static bool on_freeze(CVssWriter *writer, void *user) {
        struct hook_writer *w = user;
        struct hook_session *session = current_session(w);
        _cleanup_(outcome_done) struct outcome o = { 0 }, thaw = { 0 };
        int r;

        (void)writer;
        if (!session || !session->affected || !hook_config_has(w->config, HOOK_FREEZE))
                return true;

        r = hook_record_set(w->config->file);
        if (r < 0)
                hook_log(LOG_WARNING,
                         "%s: cannot record that it is frozen (%s): should this process be killed "
                         "now, nobody would thaw it",
                         w->config->name, strerror(-r));
        hook_log_hold();
        session->frozen = true;

        run_event(w, session, HOOK_FREEZE, &o);
        if (o.failure != S_OK) {
                /* Half frozen is frozen. Not left to Abort: that may be long in coming. */
                run_event(w, session, HOOK_THAW, &thaw);
                if (thaw.failure == S_OK)
                        end_freeze(w, session, true);
        }
        return answer(w, &o);
}

static bool on_thaw(CVssWriter *writer, void *user) {
        struct hook_writer *w = user;
        struct hook_session *session = current_session(w);
        _cleanup_(outcome_done) struct outcome o = { 0 };

        (void)writer;
        if (!session || !session->affected)
                return true;
        run_event(w, session, HOOK_THAW, &o);
        /* Failed: it stays frozen in our books, and the Abort that now comes tries once more. */
        if (session->frozen && o.failure == S_OK)
                end_freeze(w, session, true);
        return answer(w, &o);
}

static bool on_post_snapshot(CVssWriter *writer, void *user, IVssWriterComponents *components) {
        struct hook_writer *w = user;
        struct hook_session *session = current_session(w);
        bool ok;

        (void)writer;
        (void)components;
        if (!session || !session->affected)
                return true;
        ok = answer_event(w, session, HOOK_POST_SNAPSHOT);
        set_busy(w, false);
        return ok;
}

static bool on_abort(CVssWriter *writer, void *user) {
        struct hook_writer *w = user;
        struct hook_session *session = current_session(w);
        _cleanup_(outcome_done) struct outcome thaw = { 0 };
        bool ok = true;

        (void)writer;
        if (!session)
                return true;

        if (session->frozen) {
                run_event(w, session, HOOK_THAW, &thaw);
                if (thaw.failure != S_OK)
                        hook_log(LOG_CRIT,
                                 "%s: its Thaw command failed, and so it may still be frozen: %s",
                                 w->config->name, str_or_empty(thaw.message));
                end_freeze(w, session, thaw.failure == S_OK);
        }
        /* Several Aborts can come; the command need not know that. */
        if (session->undo)
                ok = answer_event(w, session, HOOK_ABORT);
        session->undo = session->affected = false;
        set_busy(w, false);
        return ok && thaw.failure == S_OK;
}

static bool on_backup_complete(CVssWriter *writer, void *user, IVssWriterComponents *components) {
        struct hook_writer *w = user;
        struct hook_session *session = current_session(w);
        _cleanup_(outcome_done) struct outcome o = { 0 };

        (void)writer;
        if (!session || (!session->affected && !session->engaged))
                return true;
        run_event_with(w, session, HOOK_BACKUP_COMPLETE, components, &o);
        return answer(w, &o);
}

static bool on_backup_shutdown(CVssWriter *writer, void *user, VSS_ID set_id) {
        struct hook_writer *w = user;
        VSS_ID id = current_session_id(w);
        struct hook_session *session = hook_sessions_find(&w->sessions, id);
        bool ok = true;

        (void)writer;
        (void)set_id;
        if (!session)
                return true;
        if (session->engaged)
                ok = answer_event(w, session, HOOK_BACKUP_SHUTDOWN);
        /* A Thaw that failed to the last is in the record: the next start tries again. */
        hook_sessions_close(&w->sessions, id);
        return ok;
}

static bool on_pre_restore(CVssWriter *writer, void *user, IVssWriterComponents *components) {
        (void)writer;
        return answer_restore(user, HOOK_PRE_RESTORE, components);
}

static bool on_post_restore(CVssWriter *writer, void *user, IVssWriterComponents *components) {
        (void)writer;
        return answer_restore(user, HOOK_POST_RESTORE, components);
}

static const VSS_WRITER_CALLBACKS callbacks = {
        .size = sizeof(VSS_WRITER_CALLBACKS),
        .OnIdentify = on_identify,
        .OnPrepareBackup = on_prepare_backup,
        .OnPrepareSnapshot = on_prepare_snapshot,
        .OnFreeze = on_freeze,
        .OnThaw = on_thaw,
        .OnPostSnapshot = on_post_snapshot,
        .OnAbort = on_abort,
        .OnBackupComplete = on_backup_complete,
        .OnBackupShutdown = on_backup_shutdown,
        .OnPreRestore = on_pre_restore,
        .OnPostRestore = on_post_restore,
};

int hook_writer_new(struct hook_writer **ret, struct hook_config *config,
                    const struct hook_writer_host *host) {
        _cleanup_(hook_writer_freep) struct hook_writer *w = NULL;
        HRESULT hr;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->host = host;
        r = hook_user_find(&w->user, config->user);
        if (r < 0)
                return r;
        hr = CVssWriter_Create(&callbacks, w, &w->writer);
        if (SUCCEEDED(hr))
                hr = CVssWriter_Initialize(w->writer, config->id, config->name, config->usage,
                                           VSS_ST_OTHER, config->level,
                                           (DWORD)(config->freeze_to_thaw_usec / USEC_PER_MSEC),
                                           VSS_AWS_NO_ALTERNATE_WRITER, false, NULL);
        if (FAILED(hr)) {
                hook_log(LOG_ERR, "%s: %s", config->name, VssLastErrorMessage());
                return -VssHresultToErrno(hr);
        }

        w->config = config;
        *ret = TAKE_PTR(w);
        return 0;
}

struct hook_writer *hook_writer_free(struct hook_writer *w) {
        if (!w)
                return NULL;
        /* Before anything that a handler uses goes. */
        CVssWriter_Release(w->writer);
        hook_user_done(&w->user);
        hook_config_free(w->config);
        free(w);
        return NULL;
}

HRESULT hook_writer_subscribe(struct hook_writer *w, unsigned timeout_ms) {
        HRESULT hr;

        hr = CVssWriter_Subscribe(w->writer, timeout_ms,
                                  VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG);
        w->subscribed = SUCCEEDED(hr);
        return hr;
}

bool hook_writer_is_subscribed(const struct hook_writer *w) {
        return w->subscribed;
}

const struct hook_config *hook_writer_config(const struct hook_writer *w) {
        return w->config;
}

bool hook_writer_is_busy(const struct hook_writer *w) {
        return atomic_load(&w->busy);
}

void hook_writer_rescue(struct hook_writer *w) {
        _cleanup_(outcome_done) struct outcome o = { 0 };

        if (!hook_config_has(w->config, HOOK_THAW)) {
                hook_log(LOG_CRIT,
                         "%s: an earlier vss-hook-writer ended while it was frozen, and %s now has "
                         "no Thaw=: thaw it by hand, or write Thaw= and restart vss-hook-writer",
                         w->config->name, w->config->file);
                return;
        }
        hook_log(LOG_WARNING,
                 "%s: an earlier vss-hook-writer ended while it was frozen; thawing it",
                 w->config->name);
        run_event(w, NULL, HOOK_THAW, &o);
        if (o.failure != S_OK)
                hook_log(LOG_CRIT,
                         "%s: its Thaw command failed, and so it may still be frozen; restart "
                         "vss-hook-writer when that is mended, and it tries again",
                         w->config->name);
        else
                clear_record(w);
}
