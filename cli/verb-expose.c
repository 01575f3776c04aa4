/* vssctl expose, vssctl unexpose: a copy at a directory of somebody's choice, or as a share. */

#include "cli/local-path.h"
#include "cli/message.h"
#include "cli/output-json.h"
#include "cli/resolve-id.h"
#include "cli/snapshot-output.h"
#include "cli/verb.h"
#include "common/path.h"

static void release_components(IVssBackupComponents **backup) {
        IVssBackupComponents_Release(*backup);
}

static void free_string(VSS_PWSZ *text) {
        VssFreeString(*text);
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

static int resolve_copy(VSS_ID *ret, const char *word, VSS_SNAPSHOT_INFO *const *snapshots) {
        struct resolved what;
        int r;

        r = resolve_id_or_say(&what, word, snapshots);
        if (r != EXIT_DONE)
                return r;
        if (what.type != VSS_OBJECT_SNAPSHOT) {
                message(MESSAGE_ERROR, "%s is a set: name one of its copies", word);
                return EXIT_USAGE;
        }
        *ret = what.id;
        return EXIT_DONE;
}

/* By the copy, or by what it is exposed as. */
static int resolve_exposed(VSS_ID *ret, const char *word, VSS_SNAPSHOT_INFO *const *snapshots) {
        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++)
                if (path_is_same(word, str_or_empty((*s)->properties.m_pwszExposedName))) {
                        *ret = (*s)->properties.m_SnapshotId;
                        return EXIT_DONE;
                }
        return resolve_copy(ret, word, snapshots);
}

typedef int resolve_fn(VSS_ID *ret, const char *word, VSS_SNAPSHOT_INFO *const *snapshots);

static int begin(IVssBackupComponents **ret, VSS_ID *ret_id, const char *word,
                 resolve_fn *resolve) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        HRESULT hr;
        int r;

        hr = VssListSnapshots(NULL, &snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        r = resolve(ret_id, word, snapshots);
        return r == EXIT_DONE ? open_session(ret) : r;
}

/* A directory as the service knows it. */
static int find_directory(char **ret, const char *word) {
        if (word[0] != '/' && word[0] != '.') {
                message(MESSAGE_ERROR,
                        "%s is no full path; for a directory in this one, write './%s'", word,
                        word);
                return EXIT_USAGE;
        }
        return local_path_or_say(ret, word);
}

static void print_json(VSS_ID id, const char *name, const char *path) {
        char text[VSS_ID_STRING_SIZE];
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_string(&j, "snapshot_id", VssIdToString(id, text));
        json_string_or_null(&j, "exposed_name", name);
        json_string_or_null(&j, "exposed_path", path);
        json_object_end(&j);
        json_done(&j);
}

int verb_expose(const struct cli *cli) {
        _cleanup_(release_components) IVssBackupComponents *backup = NULL;
        _cleanup_(free_string) VSS_PWSZ exposed = NULL;
        const struct option_values *options = &cli->line.options;
        char *const *words = cli->line.arguments;
        _cleanup_(freep) char *directory = NULL;
        HRESULT hr;
        VSS_ID id;
        int r = EXIT_DONE;

        if (!options->share == !words[1]) {
                message(MESSAGE_ERROR, "name either a DIRECTORY or a --share");
                return EXIT_USAGE;
        }
        if (words[1])
                r = find_directory(&directory, words[1]);
        if (r != EXIT_DONE)
                return r;
        r = begin(&backup, &id, words[0], resolve_copy);
        if (r != EXIT_DONE)
                return r;
        hr = IVssBackupComponents_ExposeSnapshot(backup, id, options->path,
                                                 options->share ? VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY
                                                                : VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY,
                                                 options->share ? options->share : directory,
                                                 &exposed);
        if (FAILED(hr))
                return message_hresult(hr, "%s", words[0]);
        if (options->json)
                print_json(id, exposed, options->path);
        else
                message(MESSAGE_NOTICE, "%s is exposed as %s", words[0], exposed);
        return EXIT_DONE;
}

int verb_unexpose(const struct cli *cli) {
        _cleanup_(release_components) IVssBackupComponents *backup = NULL;
        char *const *words = cli->line.arguments;
        _cleanup_(freep) char *place = NULL;
        HRESULT hr;
        VSS_ID id;
        int r;

        r = local_path(&place, words[0]);
        if (r == -ENOMEM)
                return message_out_of_memory();
        r = begin(&backup, &id, r < 0 ? words[0] : place, resolve_exposed);
        if (r != EXIT_DONE)
                return r;
        hr = IVssBackupComponentsEx2_UnexposeSnapshot(backup, id);
        if (FAILED(hr))
                return message_hresult(hr, "%s", words[0]);
        if (cli->line.options.json)
                print_json(id, NULL, NULL);
        else
                message(MESSAGE_NOTICE, "%s is no longer exposed", words[0]);
        return EXIT_DONE;
}
