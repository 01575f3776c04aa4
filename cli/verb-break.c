/* vssctl break: the copies of a set become ordinary volumes. */

#include "cli/message.h"
#include "cli/output-json.h"
#include "cli/resolve-id.h"
#include "cli/snapshot-output.h"
#include "cli/verb.h"

static void free_strings(char ***v) {
        VssFreeStrings(*v);
}

static int resolve_set(VSS_ID *ret, const char *word, VSS_SNAPSHOT_INFO *const *snapshots) {
        struct resolved what;
        int r;

        r = resolve_id_or_say(&what, word, snapshots);
        if (r != EXIT_DONE)
                return r;
        if (what.type != VSS_OBJECT_SNAPSHOT_SET) {
                message(MESSAGE_ERROR, "%s is one copy: a set is broken as a whole, name that",
                        word);
                return EXIT_USAGE;
        }
        *ret = what.id;
        return EXIT_DONE;
}

static int read_flags(DWORD *ret, const struct option_values *options) {
        static const struct {
                const char *word;
                DWORD flag;
        } identities[] = {
                { .word = "all", .flag = VSS_BREAKEX_FLAG_REVERT_IDENTITY_ALL },
                { .word = "none", .flag = VSS_BREAKEX_FLAG_REVERT_IDENTITY_NONE },
        };
        DWORD identity = 0;

        for (size_t i = 0; options->revert_identity && i < ARRAY_SIZE(identities); i++)
                if (streq(identities[i].word, options->revert_identity))
                        identity = identities[i].flag;
        if (options->revert_identity && identity == 0) {
                message(MESSAGE_ERROR, "--revert-identity is 'all' or 'none', not '%s'",
                        options->revert_identity);
                return EXIT_USAGE;
        }
        if (options->mask && (options->writable || identity != 0)) {
                message(MESSAGE_ERROR, "--mask goes with no other option");
                return EXIT_USAGE;
        }
        *ret = identity | (options->writable ? VSS_BREAKEX_FLAG_MAKE_READ_WRITE : 0U) |
               (options->mask ? VSS_BREAKEX_FLAG_MASK_LUNS : 0U);
        return EXIT_DONE;
}

static bool is_of(const VSS_SNAPSHOT_INFO *s, VSS_ID set) {
        return memcmp(&s->properties.m_SnapshotSetId, &set, sizeof(set)) == 0;
}

static void print_json(VSS_ID set, VSS_SNAPSHOT_INFO *const *snapshots, char *const *volumes) {
        char text[VSS_ID_STRING_SIZE];
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_string(&j, "snapshot_set_id", VssIdToString(set, text));
        json_array_begin(&j, "volumes");
        for (; *snapshots && *volumes; snapshots++) {
                if (!is_of(*snapshots, set))
                        continue;
                json_object_begin(&j, NULL);
                json_string(&j, "snapshot_id",
                            VssIdToString((*snapshots)->properties.m_SnapshotId, text));
                json_string(&j, "original", (*snapshots)->properties.m_pwszOriginalVolumeName);
                json_string(&j, "volume", *volumes++);
                json_object_end(&j);
        }
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
}

/* The list is ordered as the service answers: by the copies' numbers. */
static void print_text(VSS_ID set, VSS_SNAPSHOT_INFO *const *snapshots, char *const *volumes) {
        for (; *snapshots && *volumes; snapshots++)
                if (is_of(*snapshots, set))
                        message(MESSAGE_NOTICE, "the copy of %s is the volume %s",
                                (*snapshots)->properties.m_pwszOriginalVolumeName, *volumes++);
}

int verb_break(const struct cli *cli) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        _cleanup_(free_strings) char **volumes = NULL;
        const char *word = cli->line.arguments[0];
        DWORD flags;
        HRESULT hr;
        VSS_ID set;
        int r;

        r = read_flags(&flags, &cli->line.options);
        if (r != EXIT_DONE)
                return r;
        hr = VssListSnapshots(NULL, &snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        r = resolve_set(&set, word, snapshots);
        if (r != EXIT_DONE)
                return r;
        hr = VssBreakSnapshotSet(set, flags, &volumes);
        if (FAILED(hr))
                return message_hresult(hr, "%s", word);
        if (cli->line.options.json)
                print_json(set, snapshots, volumes);
        else
                print_text(set, snapshots, volumes);
        return EXIT_DONE;
}
