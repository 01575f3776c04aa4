/* vss-calls CALL... : calls on one IVssBackupComponents object, in the order given, right or wrong,
 * each answered by a line "CALL RESULT SENTENCE". For the tests of wrong order and wrong arguments.
 *
 * A CALL is init, context=LONG, state, gather, start, add=VOLUME, prepare, do, status, complete,
 * abort, supported=VOLUME, properties=ID, delete-set=ID, delete=ID, query, release, or sleep=MSEC.
 * Asynchronous ones are waited for; the result is then the operation's. delete-set takes "own" for
 * the object's set. Exit status: 0 if the last call succeeded, else 1. */

#include "common/util.h"

#include <stdio.h>
#include <time.h>
#include <vss/vsslinux.h>

struct client {
        IVssBackupComponents *backup;
        VSS_ID set;
};

/* Exactly one of the two. */
struct call {
        const char *name;
        HRESULT (*plain)(struct client *c, const char *argument);
        HRESULT (*async)(IVssBackupComponents *backup, IVssAsync **ret);
};

static HRESULT call_init(struct client *c, const char *argument _unused_) {
        return IVssBackupComponents_InitializeForBackup(c->backup, NULL);
}

static HRESULT call_context(struct client *c, const char *argument) {
        return IVssBackupComponents_SetContext(c->backup, (LONG)strtol(argument, NULL, 0));
}

static HRESULT call_state(struct client *c, const char *argument _unused_) {
        return IVssBackupComponents_SetBackupState(c->backup, false, false, VSS_BT_FULL, false);
}

static HRESULT call_start(struct client *c, const char *argument _unused_) {
        return IVssBackupComponents_StartSnapshotSet(c->backup, &c->set);
}

static HRESULT call_add(struct client *c, const char *argument) {
        VSS_ID snapshot;

        return IVssBackupComponents_AddToSnapshotSet(c->backup, argument, GUID_NULL, &snapshot);
}

static HRESULT call_abort(struct client *c, const char *argument _unused_) {
        return IVssBackupComponents_AbortBackup(c->backup);
}

static HRESULT call_supported(struct client *c, const char *argument) {
        BOOL supported;
        HRESULT hr;

        hr = IVssBackupComponents_IsVolumeSupported(c->backup, GUID_NULL, argument, &supported);
        return hr == S_OK && !supported ? S_FALSE : hr;
}

static HRESULT call_properties(struct client *c, const char *argument) {
        VSS_SNAPSHOT_PROP properties = { 0 };
        VSS_ID id;
        HRESULT hr;

        hr = VssIdFromString(argument, &id);
        if (FAILED(hr))
                return hr;
        hr = IVssBackupComponents_GetSnapshotProperties(c->backup, id, &properties);
        VssFreeSnapshotProperties(&properties);
        return hr;
}

static HRESULT delete_object(struct client *c, const char *argument, VSS_OBJECT_TYPE type) {
        VSS_ID id = c->set, not_deleted;
        LONG deleted;

        if (!streq(argument, "own")) {
                HRESULT hr = VssIdFromString(argument, &id);

                if (FAILED(hr))
                        return hr;
        }
        return IVssBackupComponents_DeleteSnapshots(c->backup, id, type, FALSE, &deleted,
                                                    &not_deleted);
}

static HRESULT call_delete(struct client *c, const char *argument) {
        return delete_object(c, argument, VSS_OBJECT_SNAPSHOT);
}

static HRESULT call_delete_set(struct client *c, const char *argument) {
        return delete_object(c, argument, VSS_OBJECT_SNAPSHOT_SET);
}

static HRESULT call_query(struct client *c, const char *argument _unused_) {
        IVssEnumObject *list = NULL;
        HRESULT hr;

        hr = IVssBackupComponents_Query(c->backup, GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT,
                                        &list);
        IVssEnumObject_Release(list);
        return hr;
}

static HRESULT call_release(struct client *c, const char *argument _unused_) {
        IVssBackupComponents_Release(c->backup);
        c->backup = NULL;
        return S_OK;
}

static HRESULT call_sleep(struct client *c _unused_, const char *argument) {
        long msec = strtol(argument, NULL, 10);
        struct timespec ts = { .tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000 };

        (void)nanosleep(&ts, NULL);
        return S_OK;
}

static const struct call calls[] = {
        { .name = "init", .plain = call_init },
        { .name = "context", .plain = call_context },
        { .name = "state", .plain = call_state },
        { .name = "gather", .async = IVssBackupComponents_GatherWriterMetadata },
        { .name = "start", .plain = call_start },
        { .name = "add", .plain = call_add },
        { .name = "prepare", .async = IVssBackupComponents_PrepareForBackup },
        { .name = "do", .async = IVssBackupComponents_DoSnapshotSet },
        { .name = "status", .async = IVssBackupComponents_GatherWriterStatus },
        { .name = "complete", .async = IVssBackupComponents_BackupComplete },
        { .name = "abort", .plain = call_abort },
        { .name = "supported", .plain = call_supported },
        { .name = "properties", .plain = call_properties },
        { .name = "delete", .plain = call_delete },
        { .name = "delete-set", .plain = call_delete_set },
        { .name = "query", .plain = call_query },
        { .name = "release", .plain = call_release },
        { .name = "sleep", .plain = call_sleep },
};

static HRESULT wait_async(const struct call *call, IVssBackupComponents *backup) {
        IVssAsync *async = NULL;
        HRESULT hr, outcome = S_OK;

        hr = call->async(backup, &async);
        if (SUCCEEDED(hr))
                hr = IVssAsync_Wait(async, INFINITE);
        if (SUCCEEDED(hr))
                hr = IVssAsync_QueryStatus(async, &outcome, NULL);
        IVssAsync_Release(async);
        return FAILED(hr) ? hr : outcome;
}

static HRESULT run(struct client *c, const struct call *call, const char *argument) {
        HRESULT hr = call->async ? wait_async(call, c->backup) : call->plain(c, argument);
        const char *symbol = VssHresultName(hr);

        if (symbol)
                (void)printf("%s %s", call->name, symbol);
        else
                (void)printf("%s 0x%08x", call->name, (unsigned)hr);
        (void)printf(" %s\n", FAILED(hr) ? VssLastErrorMessage() : "");
        return hr;
}

/* NULL if word names no call; *ret_argument is what stands behind its '='. */
static const struct call *find_call(const char *word, const char **ret_argument) {
        size_t length = strcspn(word, "=");

        *ret_argument = word[length] == '=' ? word + length + 1 : "";
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
                if (strlen(calls[i].name) == length && strncmp(calls[i].name, word, length) == 0)
                        return &calls[i];
        return NULL;
}

int main(int argc, char **argv) {
        struct client c = { 0 };
        const char *argument;
        HRESULT hr;

        (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* at worst it is seen later */
        hr = CreateVssBackupComponents(&c.backup);
        if (FAILED(hr)) {
                (void)printf("create %s %s\n", VssHresultName(hr), VssLastErrorMessage());
                return EXIT_FAILURE;
        }
        for (int i = 1; i < argc; i++) {
                const struct call *call = find_call(argv[i], &argument);

                if (!call) {
                        (void)fprintf(stderr, "vss-calls: there is no call '%s'\n", argv[i]);
                        hr = E_INVALIDARG;
                        break;
                }
                hr = run(&c, call, argument);
        }
        IVssBackupComponents_Release(c.backup);
        return FAILED(hr) ? EXIT_FAILURE : EXIT_SUCCESS;
}
