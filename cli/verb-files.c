/* vssctl files: which files a backup of a writer's components has to hold. */

#include "cli/backup-type.h"
#include "cli/component-choice.h"
#include "cli/file-output.h"
#include "cli/message.h"
#include "cli/resolve-id.h"
#include "cli/saved-documents.h"
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

/* What was typed, over the writers that there are. EXIT_DONE, EXIT_PARTIAL, or how vssctl ends. */
static int choose(VssSelection **ret, char *const *words) {
        _cleanup_(gathered_writers_done) struct gathered_writers writers = { 0 };
        _cleanup_(release_selection) VssSelection *selection = NULL;
        HRESULT hr;
        int r;

        r = gathered_writers_ask(&writers);
        if (r != EXIT_DONE)
                return r;
        hr = gathered_writers_selection(&writers, &selection);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        r = component_choice_apply(selection, &writers, words);
        if (r == EXIT_DONE || r == EXIT_PARTIAL)
                *ret = TAKE_PTR(selection);
        return r;
}

/* What a backup has that was made. Nobody is asked. */
static int choose_saved(VssSelection **ret, const char *path) {
        _cleanup_(gathered_writers_done) struct gathered_writers writers = { 0 };
        _cleanup_(saved_documents_done) struct saved_documents documents = { 0 };
        _cleanup_(freep) IVssExamineWriterMetadata **list = NULL;
        HRESULT hr;
        int r;

        r = saved_documents_read(&documents, path);
        if (r == EXIT_DONE)
                r = gathered_writers_parse(&writers, documents.metadata);
        if (r != EXIT_DONE)
                return r;
        list = calloc(writers.n + (size_t)1, sizeof(*list));
        if (!list)
                return message_out_of_memory();
        for (UINT i = 0; i < writers.n; i++)
                list[i] = writers.list[i].metadata;
        hr = VssSelection_CreateForDocument(documents.components, list, writers.n, ret);
        if (FAILED(hr))
                return message_hresult(hr, "%s", path);
        if (!VssSelection_GetComponent(*ret, 0))
                message(MESSAGE_NOTICE, "%s is of a backup of whole volumes: it has no components",
                        path);
        return EXIT_DONE;
}

static int check_usage(const struct cli *cli) {
        const struct option_values *options = &cli->line.options;
        size_t n = strv_length(cli->line.arguments);

        if (options->json && options->null)
                message(MESSAGE_ERROR, "--json and --null exclude each other");
        else if (options->document && n > 0)
                message(MESSAGE_ERROR, "with --document the document says which components; there "
                                       "is no WRITER beside it");
        else if (!options->document && n == 0)
                message(MESSAGE_ERROR, "there is neither a WRITER nor a --document");
        else
                return EXIT_DONE;
        return EXIT_USAGE;
}

int verb_files(const struct cli *cli) {
        _cleanup_(release_selection) VssSelection *selection = NULL;
        const struct option_values *options = &cli->line.options;
        /* The document's, or a full one. */
        VSS_BACKUP_TYPE type = VSS_BT_UNDEFINED;
        VSS_ID set = GUID_NULL;
        HRESULT hr;
        int partial, r;

        r = check_usage(cli);
        if (r == EXIT_DONE && options->type)
                r = backup_type_from_text(&type, options->type);
        if (r == EXIT_DONE && options->set)
                r = find_set(&set, options->set);
        if (r != EXIT_DONE)
                return r;
        partial = options->document ? choose_saved(&selection, options->document)
                                    : choose(&selection, cli->line.arguments);
        if (partial != EXIT_DONE && partial != EXIT_PARTIAL)
                return partial;
        hr = VssSelection_SetSource(selection, set);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        if (!options->document)
                component_choice_tell(selection);
        r = list(cli, selection, type);
        return r != EXIT_DONE ? r : partial;
}
