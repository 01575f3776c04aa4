/* vssctl delete: copies or whole sets. All ids are looked up before anything is deleted; then each
 * is tried, whatever became of the others. */

#include "cli/message.h"
#include "cli/output-json.h"
#include "cli/resolve-id.h"
#include "cli/snapshot-output.h"
#include "cli/verb.h"

struct deletion {
        struct resolved what;
        bool done;
};

struct outcome {
        LONG deleted;
        unsigned failed;
        int status; /* of the first failure */
};

static void release_components(IVssBackupComponents **backup) {
        IVssBackupComponents_Release(*backup);
}

static int open_session(IVssBackupComponents **ret) {
        HRESULT hr;

        hr = CreateVssBackupComponents(ret);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_InitializeForBackup(*ret, NULL);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_SetContext(*ret, VSS_CTX_ALL);
        return FAILED(hr) ? message_hresult(hr, NULL) : EXIT_DONE;
}

static int look_up(struct deletion *deletions, char *const *words) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        HRESULT hr;

        hr = VssListSnapshots(NULL, &snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        for (size_t i = 0; words[i]; i++) {
                int r = resolve_id_or_say(&deletions[i].what, words[i], snapshots);

                if (r != EXIT_DONE)
                        return r;
        }
        return EXIT_DONE;
}

static void delete_all(IVssBackupComponents *backup, struct deletion *deletions, char *const *words,
                       bool force, struct outcome *ret) {
        *ret = (struct outcome){ .status = EXIT_DONE };

        for (size_t i = 0; words[i]; i++) {
                VSS_ID not_deleted;
                LONG deleted = 0;
                HRESULT hr;
                int status;

                hr = IVssBackupComponents_DeleteSnapshots(backup, deletions[i].what.id,
                                                          deletions[i].what.type, force, &deleted,
                                                          &not_deleted);
                ret->deleted += deleted;
                deletions[i].done = SUCCEEDED(hr);
                if (SUCCEEDED(hr))
                        continue;
                status = message_hresult(hr, "%s", words[i]);
                if (ret->failed++ == 0)
                        ret->status = status;
        }
}

static void print_json(const struct deletion *deletions, char *const *words,
                       const struct outcome *outcome) {
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_int(&j, "deleted_snapshots", outcome->deleted);
        json_array_begin(&j, "not_deleted");
        for (size_t i = 0; words[i]; i++) {
                char text[VSS_ID_STRING_SIZE];

                if (!deletions[i].done)
                        json_string(&j, NULL, VssIdToString(deletions[i].what.id, text));
        }
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
}

int verb_delete(const struct cli *cli) {
        _cleanup_(release_components) IVssBackupComponents *backup = NULL;
        _cleanup_(freep) struct deletion *deletions = NULL;
        char *const *words = cli->line.arguments;
        struct outcome outcome;
        int r;

        deletions = calloc(strv_length(words), sizeof(*deletions));
        if (!deletions)
                return message_out_of_memory();
        r = look_up(deletions, words);
        if (r == EXIT_DONE)
                r = open_session(&backup);
        if (r != EXIT_DONE)
                return r;

        delete_all(backup, deletions, words, cli->line.options.force, &outcome);
        if (cli->line.options.json)
                print_json(deletions, words, &outcome);
        else if (outcome.deleted > 0)
                message(MESSAGE_NOTICE, "deleted %d snapshot%s", (int)outcome.deleted,
                        outcome.deleted == 1 ? "" : "s");
        if (outcome.failed > 0 && outcome.deleted > 0)
                return EXIT_PARTIAL;
        return outcome.status;
}
