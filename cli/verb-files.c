/* vssctl files: which files a backup of a writer's components has to hold. */

#include "cli/backup-type.h"
#include "cli/component-choice.h"
#include "cli/file-output.h"
#include "cli/message.h"
#include "cli/resolve-id.h"
#include "cli/snapshot-output.h"
#include "cli/verb.h"

static void release_selection(VssSelection **selection) {
        VssSelection_Release(*selection);
}

/* The set somebody typed: its id, its beginning, or a copy of it. */
static int find_set(VSS_ID *ret, const char *word) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **list = NULL;
        struct resolved found;
        HRESULT hr;
        int r;

        hr = VssListSnapshots(NULL, &list, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        r = resolve_id_or_say(&found, word, list);
        if (r != EXIT_DONE)
                return r;
        *ret = found.id;
        for (VSS_SNAPSHOT_INFO **s = list; found.type == VSS_OBJECT_SNAPSHOT && *s; s++)
                if (memcmp(&(*s)->properties.m_SnapshotId, &found.id, sizeof(found.id)) == 0)
                        *ret = (*s)->properties.m_SnapshotSetId;
        return EXIT_DONE;
}

static int list(const struct cli *cli, VssSelection *selection, VSS_BACKUP_TYPE type) {
        const struct option_values *options = &cli->line.options;
        struct file_output output;
        HRESULT hr = S_OK;

        file_output_begin(&output, options->null   ? FILE_OUTPUT_NULL
                                   : options->json ? FILE_OUTPUT_JSON
                                                   : FILE_OUTPUT_TEXT);
        for (UINT i = 0; SUCCEEDED(hr) && VssSelection_GetComponent(selection, i); i++)
                hr = file_output_component(&output, selection, i, type);
        file_output_end(&output, selection);
        if (hr == E_ABORT)
                return EXIT_FAILED; /* of the output */
        if (FAILED(hr))
                return message_hresult(hr, "cannot list the files");
        return output.n_problems > 0 ? EXIT_PARTIAL : EXIT_DONE;
}

int verb_files(const struct cli *cli) {
        _cleanup_(gathered_writers_done) struct gathered_writers writers = { 0 };
        _cleanup_(release_selection) VssSelection *selection = NULL;
        const struct option_values *options = &cli->line.options;
        VSS_BACKUP_TYPE type = VSS_BT_FULL;
        VSS_ID set = GUID_NULL;
        HRESULT hr;
        int partial, r = EXIT_DONE;

        if (options->json && options->null) {
                message(MESSAGE_ERROR, "--json and --null exclude each other");
                return EXIT_USAGE;
        }
        if (options->type)
                r = backup_type_from_text(&type, options->type);
        if (r == EXIT_DONE && options->set)
                r = find_set(&set, options->set);
        if (r == EXIT_DONE)
                r = gathered_writers_ask(&writers);
        if (r != EXIT_DONE)
                return r;
        hr = gathered_writers_selection(&writers, &selection);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        partial = component_choice_apply(selection, &writers, cli->line.arguments);
        if (partial != EXIT_DONE && partial != EXIT_PARTIAL)
                return partial;
        hr = VssSelection_SetSource(selection, set);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        component_choice_tell(selection);
        r = list(cli, selection, type);
        return r != EXIT_DONE ? r : partial;
}
