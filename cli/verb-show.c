/* vssctl show: everything about a copy, or about the copies of a set. */

#include "cli/message.h"
#include "cli/resolve-id.h"
#include "cli/snapshot-output.h"
#include "cli/verb.h"

static bool is_meant(const struct resolved *what, const VSS_SNAPSHOT_INFO *s) {
        const VSS_ID *id = what->type == VSS_OBJECT_SNAPSHOT ? &s->properties.m_SnapshotId
                                                             : &s->properties.m_SnapshotSetId;

        return memcmp(id, &what->id, sizeof(*id)) == 0;
}

static void show_json(const struct resolved *what, VSS_SNAPSHOT_INFO *const *snapshots) {
        char text[VSS_ID_STRING_SIZE];
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        if (what->type == VSS_OBJECT_SNAPSHOT_SET)
                json_string(&j, "snapshot_set_id", VssIdToString(what->id, text));
        json_array_begin(&j, "snapshots");
        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++)
                if (is_meant(what, *s))
                        snapshot_json(&j, NULL, *s);
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
}

int verb_show(const struct cli *cli) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        struct resolved what;
        bool first = true;
        HRESULT hr;
        int r;

        hr = VssListSnapshots(NULL, &snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        r = resolve_id_or_say(&what, cli->line.arguments[0], snapshots);
        if (r != EXIT_DONE)
                return r;

        if (cli->line.options.json) {
                show_json(&what, snapshots);
                return EXIT_DONE;
        }
        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++) {
                if (!is_meant(&what, *s))
                        continue;
                if (!first)
                        putchar('\n');
                first = false;
                snapshot_print_details(*s);
        }
        return EXIT_DONE;
}
