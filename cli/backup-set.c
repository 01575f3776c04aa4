/* The requester's sequence, step by step, and the way back from each step. */

#include "cli/backup-set.h"

#include "cli/component-choice.h"
#include "cli/exit-status.h"
#include "cli/interrupt.h"
#include "cli/local-path.h"
#include "cli/message.h"
#include "cli/previous-backup.h"
#include "cli/progress.h"
#include "cli/writer-selection.h"
#include "cli/writer-state.h"

#define LOOK_MSEC 100 /* for the progress line, and to see an interruption */

typedef HRESULT (*async_call)(IVssBackupComponents *backup, IVssAsync **async);

static bool id_equal(VSS_ID a, VSS_ID b) {
        return memcmp(&a, &b, sizeof(a)) == 0;
}

static void release_async(IVssAsync **async) {
        IVssAsync_Release(*async);
}

bool backup_set_has_writers(const struct backup_set *s) {
        return !(s->context & VSS_VOLSNAP_ATTR_NO_WRITERS);
}

bool backup_set_is_persistent(const struct backup_set *s) {
        return s->context & VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE;
}

struct backup_set *backup_set_free(struct backup_set *s) {
        if (!s)
                return NULL;
        IVssBackupComponents_Release(s->components);
        VssSelection_Release(s->selection);
        gathered_writers_done(&s->writers);
        strv_free(s->volumes);
        free(s->snapshot_ids);
        VssFreeSnapshots(s->list);
        free(s->copies);
        for (size_t i = 0; i < s->n_failed_writers; i++) {
                free(s->failed_writers[i].name);
                free(s->failed_writers[i].message);
        }
        free(s->failed_writers);
        free(s->failure);
        timeline_done(&s->timeline);
        free(s);
        return NULL;
}

#define PHASE_TEXT_MAX 32

/* Waits for a running operation. The first signal cancels it, and then too its end is awaited: it
 * comes when everything has been taken back. last_phase: how far it came; "" if it says nothing. */
static HRESULT wait_for(IVssAsync *async, const char *step,
                        char last_phase[static PHASE_TEXT_MAX]) {
        bool cancelled = false;

        last_phase[0] = '\0';
        for (;;) {
                const char *phase = NULL;
                unsigned percent = 0;
                HRESULT hr, status, progress;

                hr = IVssAsync_Wait(async, LOOK_MSEC);
                if (FAILED(hr))
                        return hr;
                /* First: it leaves no message, which QueryStatus does. */
                progress = IVssAsync_GetProgress(async, &phase, &percent);
                if (SUCCEEDED(progress) && !str_empty(phase))
                        snprintf(last_phase, PHASE_TEXT_MAX, "%s", phase);
                hr = IVssAsync_QueryStatus(async, &status, NULL);
                if (FAILED(hr))
                        return hr;
                if (status != VSS_S_ASYNC_PENDING)
                        return status;

                if (SUCCEEDED(progress))
                        progress_show(str_empty(phase) ? step : phase, percent);
                if (interrupt_pending() && !cancelled) {
                        message(MESSAGE_NOTICE, "interrupted, taking everything back");
                        cancelled = true;
                        /* Whether it could be cancelled shows in how it ends. */
                        (void)IVssAsync_Cancel(async);
                }
        }
}

/* One asynchronous step of the sequence, with its message if it fails. */
static int run_step(struct backup_set *s, async_call call, const char *step, const char *what) {
        _cleanup_(release_async) IVssAsync *async = NULL;
        char phase[PHASE_TEXT_MAX] = "";
        HRESULT hr;

        timeline_enter(&s->timeline, step);
        hr = call(s->components, &async);
        if (SUCCEEDED(hr))
                hr = wait_for(async, step, phase);
        if (interrupt_pending())
                return EXIT_SIGNAL + interrupt_pending();
        if (FAILED(hr)) {
                /* Without memory for it a writer's words are told twice. */
                (void)str_replace(&s->failure, VssLastErrorMessage());
                /* A step of one phase is called like it. */
                return phase[0] == '\0' || strstr(step, phase)
                               ? message_hresult(hr, "%s", what)
                               : message_hresult(hr, "%s (it failed in %s)", what, phase);
        }
        if (hr == VSS_S_ASYNC_CANCELLED) {
                message(MESSAGE_ERROR, "%s: cancelled by the service (%s)", what,
                        MESSAGE_CODE(VSS_S_ASYNC_CANCELLED));
                return EXIT_FAILED;
        }
        return EXIT_DONE;
}

static bool is_known_failure(const struct backup_set *s, VSS_ID instance) {
        for (size_t i = 0; i < s->n_failed_writers; i++)
                if (id_equal(s->failed_writers[i].instance_id, instance))
                        return true;
        return false;
}

/* Takes over the strings of w. */
static int add_failure(struct backup_set *s, const struct failed_writer *w) {
        struct failed_writer *grown;

        grown = reallocarray(s->failed_writers, s->n_failed_writers + 1, sizeof(*grown));
        if (!grown) {
                free(w->name);
                free(w->message);
                return -ENOMEM;
        }
        s->failed_writers = grown;
        s->failed_writers[s->n_failed_writers++] = *w;
        return 0;
}

static HRESULT read_status(struct backup_set *s, unsigned i, struct failed_writer *ret) {
        BSTR name = NULL, application = NULL;
        HRESULT hr;

        hr = IVssBackupComponentsEx3_GetWriterStatusEx(s->components, i, &ret->instance_id,
                                                       &ret->writer_id, &name, &ret->state,
                                                       &ret->failure, NULL, &application);
        if (SUCCEEDED(hr) && (str_replace(&ret->name, str_or_empty(name)) < 0 ||
                              str_replace(&ret->message, application) < 0))
                hr = E_OUTOFMEMORY;
        SysFreeString(name);
        SysFreeString(application);
        return hr;
}

/* The service names the writer that failed a set, and what it said. */
static bool is_told(const struct backup_set *s, const char *name, const char *sentence) {
        return s->failure && strstr(s->failure, name) && strstr(s->failure, sentence);
}

static int check_writer(struct backup_set *s, unsigned i, bool made) {
        struct failed_writer w = { 0 };
        char state[WRITER_STATE_TEXT_MAX];
        const char *sentence;
        HRESULT hr;

        hr = read_status(s, i, &w);
        if (FAILED(hr) || w.failure == S_OK || (!made && w.state == VSS_WS_STABLE) ||
            is_known_failure(s, w.instance_id)) {
                free(w.name);
                free(w.message);
                return FAILED(hr) ? message_hresult(hr, "cannot ask how writer %u is", i)
                                  : EXIT_DONE;
        }

        sentence = str_empty(w.message) ? VssHresultMessage(w.failure) : w.message;
        message(is_told(s, w.name, sentence) ? MESSAGE_DETAIL : MESSAGE_ERROR,
                "writer '%s' %s: %s (%s)", w.name, writer_state_text(w.state, state), sentence,
                MESSAGE_CODE(w.failure));
        return add_failure(s, &w) < 0 ? message_out_of_memory() : EXIT_DONE;
}

/* Asks how each writer is and tells of new failures. made: no set was aborted meanwhile; else the
 * innocent are retryable, too, and not worth a line. */
static int check_writers(struct backup_set *s, bool made) {
        _cleanup_(release_async) IVssAsync *async = NULL;
        char phase[PHASE_TEXT_MAX];
        unsigned n = 0;
        HRESULT hr;

        hr = IVssBackupComponents_GatherWriterStatus(s->components, &async);
        if (SUCCEEDED(hr))
                hr = wait_for(async, "GatherStatus", phase);
        if (interrupt_pending())
                return EXIT_SIGNAL + interrupt_pending();
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_GetWriterStatusCount(s->components, &n);
        if (FAILED(hr) && made)
                return message_hresult(hr, "cannot ask how the writers are");
        if (FAILED(hr)) /* it was told already that there is no set; this is only what followed */
                return exit_status_from_hresult(hr);

        for (unsigned i = 0; i < n; i++) {
                int r = check_writer(s, i, made);

                if (r != EXIT_DONE)
                        return r;
        }
        (void)IVssBackupComponents_FreeWriterStatus(s->components); /* the next one replaces it */
        return EXIT_DONE;
}

/* Component mode: what was chosen, and what must not be missing beside it. */
static int select_components(struct backup_set *s, const struct backup_set_request *request) {
        HRESULT hr;
        int r;

        hr = gathered_writers_selection(&s->writers, &s->selection);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        progress_clear();
        r = component_choice_apply(s->selection, &s->writers, request->components);
        s->partial = r == EXIT_PARTIAL;
        if (r != EXIT_DONE && r != EXIT_PARTIAL)
                return r;
        component_choice_tell(s->selection);
        hr = VssSelection_AddComponents(s->selection, s->components);
        if (FAILED(hr))
                return message_hresult(hr, "cannot add the components");
        return request->previous ? previous_backup_apply(s->components, request->previous)
                                 : EXIT_DONE;
}

/* Who takes part, and with what. */
static int ask_writers(struct backup_set *s, const struct backup_set_request *request) {
        bool select = strv_length(request->components) > 0;
        HRESULT hr;
        int r;

        hr = IVssBackupComponents_SetBackupState(s->components, select, false, request->type,
                                                 request->partial_files);
        if (SUCCEEDED(hr))
                hr = writer_selection_apply(s->components, request->exclude_writers);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        r = run_step(s, IVssBackupComponents_GatherWriterMetadata, "GatherMetadata",
                     "cannot ask the writers what they have");
        if (r != EXIT_DONE || (!select && !request->documents))
                return r;
        hr = gathered_writers_read(&s->writers, s->components);
        if (FAILED(hr))
                return message_hresult(hr, "cannot read what the writers have");
        return select ? select_components(s, request) : EXIT_DONE;
}

/* Up to the point where volumes can be added. */
static int begin(struct backup_set *s, const struct backup_set_request *request) {
        HRESULT hr;
        int r;

        if (strv_length(request->components) > 0 && !backup_set_has_writers(s)) {
                message(MESSAGE_ERROR,
                        "in the context %s no writers take part, so there are no "
                        "components",
                        str_or_empty(VssContextToString(s->context)));
                return EXIT_USAGE;
        }
        if (request->previous && strv_length(request->components) == 0) {
                message(MESSAGE_ERROR, "--previous is of components: it needs a --component");
                return EXIT_USAGE;
        }
        hr = CreateVssBackupComponents(&s->components);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        hr = IVssBackupComponents_InitializeForBackup(s->components, NULL);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_SetContext(s->components, s->context);
        if (FAILED(hr))
                return message_hresult(hr, NULL);

        if (backup_set_has_writers(s)) {
                r = ask_writers(s, request);
                if (r != EXIT_DONE)
                        return r;
        }

        hr = IVssBackupComponents_StartSnapshotSet(s->components, &s->id);
        return FAILED(hr) ? message_hresult(hr, NULL) : EXIT_DONE;
}

/* The service has another working directory: "data/x" is a logical volume to it, or nothing. */
static int refuse_volume(HRESULT hr, const char *word) {
        int r = message_hresult(hr, NULL);

        if ((hr == VSS_E_OBJECT_NOT_FOUND || hr == E_INVALIDARG) && local_path_is_meant(word))
                message(MESSAGE_NOTICE, "for what is in this directory, write './%s'", word);
        return r;
}

static int add_volumes(struct backup_set *s, char *const *words) {
        size_t n = strv_length(words);

        timeline_enter(&s->timeline, "AddVolumes");
        s->snapshot_ids = calloc(n, sizeof(*s->snapshot_ids));
        if (!s->snapshot_ids)
                return message_out_of_memory();

        for (size_t i = 0; i < n; i++) {
                _cleanup_(freep) char *volume = NULL;
                HRESULT hr;
                int r;

                if (interrupt_pending())
                        return EXIT_SIGNAL + interrupt_pending();
                progress_show("AddVolumes", (unsigned)(i * 100 / n));
                r = local_path_or_say(&volume, words[i]);
                if (r != EXIT_DONE)
                        return r;
                if (strv_append(&s->volumes, volume) < 0)
                        return message_out_of_memory();
                hr = IVssBackupComponents_AddToSnapshotSet(s->components, volume, GUID_NULL,
                                                           &s->snapshot_ids[i]);
                if (FAILED(hr))
                        return refuse_volume(hr, words[i]);
        }
        return EXIT_DONE;
}

static int take_snapshots(struct backup_set *s) {
        int r, q;

        if (backup_set_has_writers(s)) {
                r = run_step(s, IVssBackupComponents_PrepareForBackup, "PrepareBackup",
                             "cannot prepare the writers");
                if (r == EXIT_DONE)
                        r = check_writers(s, true);
                if (r != EXIT_DONE)
                        return r;
        }

        s->begun = true;
        r = run_step(s, IVssBackupComponents_DoSnapshotSet, "Snapshot", "no snapshot was made");
        timeline_end(&s->timeline);
        if (!backup_set_has_writers(s) || r >= EXIT_SIGNAL)
                return r;
        q = check_writers(s, r == EXIT_DONE);
        return r != EXIT_DONE ? r : q;
}

static const VSS_SNAPSHOT_INFO *find_copy(VSS_SNAPSHOT_INFO *const *list, VSS_ID id) {
        for (VSS_SNAPSHOT_INFO *const *c = list; *c; c++)
                if (id_equal((*c)->properties.m_SnapshotId, id))
                        return *c;
        return NULL;
}

static void free_timeline(VSS_SET_TIMELINE **t) {
        VssFreeSetTimeline(*t);
}

/* Which phases DoSnapshotSet, the last step, had. Worth no failure. */
static void read_timeline(struct backup_set *s) {
        _cleanup_(free_timeline) VSS_SET_TIMELINE *t = NULL;

        if (SUCCEEDED(VssGetSetTimeline(s->id, &t)))
                timeline_expand(&s->timeline, t);
}

static int read_copies(struct backup_set *s) {
        char filter[VSS_ID_STRING_SIZE + 4] = "set=";
        size_t n = strv_length(s->volumes);
        HRESULT hr;

        VssIdToString(s->id, filter + strlen(filter));
        hr = VssListSnapshots((const LPCWSTR[]){ filter, NULL }, &s->list, NULL);
        if (FAILED(hr))
                return message_hresult(hr, "cannot ask for the new set");

        s->copies = calloc(n, sizeof(*s->copies));
        if (!s->copies)
                return message_out_of_memory();
        for (size_t i = 0; i < n; i++) {
                s->copies[i] = find_copy(s->list, s->snapshot_ids[i]);
                if (!s->copies[i]) {
                        message(MESSAGE_ERROR, "%s: the service does not know the new copy (%s)",
                                s->volumes[i], MESSAGE_CODE(VSS_E_OBJECT_NOT_FOUND));
                        return EXIT_FAILED;
                }
        }
        s->n_copies = n;
        return EXIT_DONE;
}

/* Forced: nobody else was promised that these copies stay. */
static HRESULT delete_set(struct backup_set *s) {
        VSS_ID not_deleted;
        LONG deleted;

        return IVssBackupComponents_DeleteSnapshots(s->components, s->id, VSS_OBJECT_SNAPSHOT_SET,
                                                    TRUE, &deleted, &not_deleted);
}

/* What was made of a set whose making failed must not stay, persistent or not. A set that an
 * interruption came too late for is complete by now. */
static void take_back(struct backup_set *s) {
        HRESULT hr;

        if (id_equal(s->id, GUID_NULL))
                return;
        hr = IVssBackupComponents_AbortBackup(s->components);
        if (SUCCEEDED(hr) && s->begun) {
                hr = delete_set(s);
                if (hr == VSS_E_OBJECT_NOT_FOUND)
                        hr = S_OK;
        }
        /* When the service is lost it was told, and the service takes it back by itself. */
        if (FAILED(hr) && hr != VSS_E_UNEXPECTED)
                (void)message_hresult(hr, "while taking it back");
}

/* The volumes that the user named, else those that the components' files are on. */
static int add_all_volumes(struct backup_set *s, const struct backup_set_request *request) {
        _cleanup_(strv_freep) char **volumes = NULL;
        HRESULT hr;

        if (strv_length(request->volumes) > 0 || !s->selection)
                return add_volumes(s, request->volumes);
        hr = VssSelection_ListVolumes(s->selection, request->type, &volumes);
        if (FAILED(hr))
                return message_hresult(hr, "cannot find out on which volumes the components are");
        if (strv_length(volumes) == 0) {
                message(MESSAGE_ERROR, "none of the components' files has to be read from a copy; "
                                       "name a VOLUME to make one all the same");
                return EXIT_USAGE;
        }
        STRV_FOREACH (volume, volumes)
                message(MESSAGE_NOTICE, "with the volume %s: files of the components are on it",
                        *volume);
        return add_volumes(s, volumes);
}

int backup_set_new(struct backup_set **ret, const struct backup_set_request *request) {
        _cleanup_(backup_set_freep) struct backup_set *s = NULL;
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return message_out_of_memory();
        s->context = request->context;
        s->type = request->type;
        timeline_begin(&s->timeline);

        r = begin(s, request);
        if (r == EXIT_DONE)
                r = add_all_volumes(s, request);
        if (r == EXIT_DONE)
                r = take_snapshots(s);
        if (r == EXIT_DONE) {
                if (request->timeline)
                        read_timeline(s);
                r = read_copies(s);
        }
        progress_clear();

        if (r == EXIT_DONE && interrupt_pending())
                r = EXIT_SIGNAL + interrupt_pending();
        if (r != EXIT_DONE) {
                take_back(s);
                return r;
        }

        r = s->n_failed_writers > 0 || s->partial ? EXIT_PARTIAL : EXIT_DONE;
        *ret = TAKE_PTR(s);
        return r;
}

int backup_set_succeeded(struct backup_set *s) {
        const VSS_SELECTED_COMPONENT *c;

        for (UINT i = 0; s->selection && (c = VssSelection_GetComponent(s->selection, i)); i++) {
                HRESULT hr;

                if (!c->is_explicit)
                        continue;
                hr = IVssBackupComponents_SetBackupSucceeded(s->components, c->instance_id,
                                                             c->writer_id, c->type, c->logical_path,
                                                             c->name, true);
                if (FAILED(hr))
                        return message_hresult(hr, "cannot tell that '%s' was saved", c->name);
        }
        return EXIT_DONE;
}

int backup_set_complete(struct backup_set *s) {
        size_t before = s->n_failed_writers;
        int r;

        if (!backup_set_has_writers(s))
                return EXIT_DONE;
        r = run_step(s, IVssBackupComponents_BackupComplete, "BackupComplete",
                     "cannot tell the writers that the backup is complete");
        if (r == EXIT_DONE)
                r = check_writers(s, true);
        timeline_end(&s->timeline);
        progress_clear();
        if (r != EXIT_DONE)
                return r;
        return s->n_failed_writers > before ? EXIT_PARTIAL : EXIT_DONE;
}

int backup_set_delete(struct backup_set *s) {
        HRESULT hr = delete_set(s);

        return FAILED(hr) ? message_hresult(hr, "cannot delete the set") : EXIT_DONE;
}

bool backup_set_is_alive(struct backup_set *s) {
        for (size_t i = 0; i < s->n_copies; i++) {
                VSS_SNAPSHOT_PROP prop = { 0 };
                HRESULT hr = IVssBackupComponents_GetSnapshotProperties(s->components,
                                                                        s->snapshot_ids[i], &prop);

                if (FAILED(hr))
                        return false;
                VssFreeSnapshotProperties(&prop);
        }
        return true;
}
