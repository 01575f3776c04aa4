/* vssctl timeline: how a set was made, as text, as a document, or drawn. */

#include "cli/message.h"
#include "cli/output-text.h"
#include "cli/resolve-id.h"
#include "cli/snapshot-output.h"
#include "cli/timeline-chart.h"
#include "cli/timeline-steps.h"
#include "cli/timeline.h"
#include "cli/verb.h"

struct set {
        VSS_ID id;
        int64_t created; /* seconds since the epoch */
        size_t n_copies; /* that it still has */
};

static void free_timeline(VSS_SET_TIMELINE **t) {
        VssFreeSetTimeline(*t);
}

static bool id_equal(VSS_ID a, VSS_ID b) {
        return memcmp(&a, &b, sizeof(a)) == 0;
}

/* The set that was meant, or that the copy belongs to. */
static struct set find_set(const struct resolved *what, VSS_SNAPSHOT_INFO *const *snapshots) {
        struct set set = { .id = what->id };

        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++)
                if (what->type == VSS_OBJECT_SNAPSHOT &&
                    id_equal((*s)->properties.m_SnapshotId, what->id))
                        set.id = (*s)->properties.m_SnapshotSetId;
        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++)
                if (id_equal((*s)->properties.m_SnapshotSetId, set.id)) {
                        set.created = snapshot_created(*s);
                        set.n_copies++;
                }
        return set;
}

static void print_json(const struct set *set, const VSS_SET_TIMELINE *t) {
        _cleanup_(timeline_done) struct timeline phases = { 0 };
        char id[VSS_ID_STRING_SIZE];
        struct json j;

        timeline_expand(&phases, t);
        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_string(&j, "snapshot_set_id", VssIdToString(set->id, id));
        json_string(&j, "created", TEXT_RFC3339(set->created));
        json_int(&j, "created_unix", set->created);
        timeline_json(&phases, &j);
        timeline_steps_json(&j, t);
        json_object_end(&j);
        json_done(&j);
}

static int draw(const char *path, const struct set *set, const VSS_SET_TIMELINE *t) {
        FILE *f = streq(path, "-") ? stdout : fopen(path, "we");
        char id[VSS_ID_STRING_SIZE], title[96], subtitle[160];
        uint64_t end = t->count > 0 ? t->phases[t->count - 1].end_usec : 0;
        bool failed;
        int r;

        if (!f) {
                message(MESSAGE_ERROR, "cannot write the chart to %s: %s", path, strerror(errno));
                return EXIT_FAILED;
        }
        snprintf(title, sizeof(title), "Snapshot set %s", VssIdToString(set->id, id));
        snprintf(subtitle, sizeof(subtitle),
                 "%s \xc2\xb7 %zu cop%s \xc2\xb7 made in %s \xc2\xb7 writes held for %s",
                 TEXT_RFC3339(set->created), set->n_copies, set->n_copies == 1 ? "y" : "ies",
                 TEXT_DURATION(end), TEXT_DURATION(t->writes_held_usec));
        r = timeline_chart_print(t, title, subtitle, f);
        if (f == stdout) /* main() looks whether it could be written */
                return r < 0 ? message_out_of_memory() : EXIT_DONE;
        failed = fflush(f) != 0 || ferror(f);
        if ((fclose(f) != 0 || failed) && r >= 0) {
                message(MESSAGE_ERROR, "cannot write the chart to %s: %s", path, strerror(errno));
                return EXIT_FAILED;
        }
        return r < 0 ? message_out_of_memory() : EXIT_DONE;
}

int verb_timeline(const struct cli *cli) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        _cleanup_(free_timeline) VSS_SET_TIMELINE *t = NULL;
        const char *svg = cli->line.options.svg;
        struct resolved what;
        struct set set;
        HRESULT hr;
        int r;

        if (svg && cli->line.options.json && streq(svg, "-")) {
                message(MESSAGE_ERROR, "--json and --svg - cannot both have standard output");
                return EXIT_USAGE;
        }
        hr = VssListSnapshots(NULL, &snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        r = resolve_id_or_say(&what, cli->line.arguments[0], snapshots);
        if (r != EXIT_DONE)
                return r;
        set = find_set(&what, snapshots);
        hr = VssGetSetTimeline(set.id, &t);
        if (FAILED(hr))
                return message_hresult(hr, NULL);

        if (svg) {
                r = draw(svg, &set, t);
                if (r != EXIT_DONE)
                        return r;
        }
        if (cli->line.options.json)
                print_json(&set, t);
        else if (!svg && timeline_steps_print(t, stdout) < 0)
                return message_out_of_memory();
        return EXIT_DONE;
}
