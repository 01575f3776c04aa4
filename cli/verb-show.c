/* vssctl show: everything about a copy, or about the copies of a set; how the set was made. */

#include "cli/message.h"
#include "cli/resolve-id.h"
#include "cli/revert-output.h"
#include "cli/set-writers.h"
#include "cli/snapshot-output.h"
#include "cli/timeline.h"
#include "cli/verb.h"

static bool is_meant(const struct resolved *what, const VSS_SNAPSHOT_INFO *s) {
        const VSS_ID *id = what->type == VSS_OBJECT_SNAPSHOT ? &s->properties.m_SnapshotId
                                                             : &s->properties.m_SnapshotSetId;

        return memcmp(id, &what->id, sizeof(*id)) == 0;
}

static void free_timeline(VSS_SET_TIMELINE **t) {
        VssFreeSetTimeline(*t);
}

/* How the set was made that what is, or belongs to. EXIT_DONE or how vssctl ends. */
static int read_timeline(struct timeline *ret, const struct resolved *what,
                         VSS_SNAPSHOT_INFO *const *snapshots) {
        _cleanup_(free_timeline) VSS_SET_TIMELINE *t = NULL;
        VSS_ID set = what->id;
        HRESULT hr;

        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++)
                if (is_meant(what, *s))
                        set = (*s)->properties.m_SnapshotSetId;
        hr = VssGetSetTimeline(set, &t);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        timeline_expand(ret, t);
        return EXIT_DONE;
}

/* writers: those of a set. timeline: NULL if it is not wanted. */
static void show_json(const struct resolved *what, VSS_SNAPSHOT_INFO *const *snapshots,
                      VSS_SET_WRITER_INFO *const *writers, const struct timeline *timeline,
                      VSS_REVERT_INFO *const *reverts) {
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
        if (what->type == VSS_OBJECT_SNAPSHOT_SET)
                set_writers_json(&j, writers);
        if (timeline)
                timeline_json(timeline, &j);
        json_array_begin(&j, "reverts");
        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++) {
                const VSS_REVERT_INFO *r = revert_find(reverts, (*s)->properties.m_SnapshotId);

                if (r && is_meant(what, *s))
                        revert_json(&j, NULL, r);
        }
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
}

int verb_show(const struct cli *cli) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        _cleanup_(set_writers_release) VSS_SET_WRITER_INFO **writers = NULL;
        _cleanup_(timeline_done) struct timeline timeline = { 0 };
        _cleanup_(revert_list_free) VSS_REVERT_INFO **reverts = NULL;
        bool wants_timeline = cli->line.options.timeline;
        struct resolved what;
        bool first = true;
        HRESULT hr;
        int r;

        hr = VssListSnapshots(NULL, &snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        (void)VssListReverts(&reverts, NULL); /* an older service has none */
        r = resolve_id_or_say(&what, cli->line.arguments[0], snapshots);
        if (r == EXIT_DONE && wants_timeline)
                r = read_timeline(&timeline, &what, snapshots);
        if (r != EXIT_DONE)
                return r;
        if (what.type == VSS_OBJECT_SNAPSHOT_SET) {
                hr = VssListSetWriters(what.id, &writers, NULL);
                if (FAILED(hr))
                        return message_hresult(hr, NULL);
        }

        if (cli->line.options.json) {
                show_json(&what, snapshots, writers, wants_timeline ? &timeline : NULL, reverts);
                return EXIT_DONE;
        }
        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++) {
                if (!is_meant(&what, *s))
                        continue;
                if (!first)
                        putchar('\n');
                first = false;
                snapshot_print_details(*s, revert_find(reverts, (*s)->properties.m_SnapshotId));
        }
        set_writers_print(writers, stdout);
        if (wants_timeline) {
                putchar('\n');
                timeline_print(&timeline, stdout);
        }
        return EXIT_DONE;
}
