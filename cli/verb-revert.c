/* vssctl revert: a volume becomes what it was when a copy of it was made; and what is under way of
 * that kind. */

#include "cli/interrupt.h"
#include "cli/message.h"
#include "cli/output-table.h"
#include "cli/output-text.h"
#include "cli/progress.h"
#include "cli/resolve-id.h"
#include "cli/revert-output.h"
#include "cli/snapshot-output.h"
#include "cli/verb.h"

#include <stdio.h>
#include <unistd.h>

#define TICK_MSEC 1000

static const char *first_argument(const struct cli *cli) {
        return cli->line.arguments ? cli->line.arguments[0] : NULL;
}

static int list_reverts(VSS_REVERT_INFO ***ret) {
        HRESULT hr = VssListReverts(ret, NULL);

        return FAILED(hr) ? message_hresult(hr, NULL) : EXIT_DONE;
}

static int print_table(VSS_REVERT_INFO *const *reverts, const char *volume,
                       const struct terminal *terminal, bool whole) {
        static const struct table_column columns[] = {
                { .title = "VOLUME", .shrink = true },
                { .title = "STATE" },
                { .title = "DONE", .right = true },
                { .title = "LEFT", .right = true },
                { .title = "SNAPSHOT" },
        };
        _cleanup_(table_freep) struct table *table = NULL;
        int r;

        r = table_new(&table, columns, ARRAY_SIZE(columns));
        for (; r >= 0 && *reverts; reverts++) {
                const VSS_REVERT_INFO *v = *reverts;
                char id[VSS_ID_STRING_SIZE], done[8];
                const char *const cells[ARRAY_SIZE(columns)] = {
                        v->volume, v->state, done, TEXT_SIZE(v->left_bytes), id,
                };

                if (!revert_is_of(v, volume))
                        continue;
                (void)snprintf(done, sizeof(done), "%u%%", (unsigned)(v->per_cent % 1000));
                VssIdToString(v->snapshot, id);
                if (!whole)
                        id[8] = '\0';
                r = table_add(table, v->message ? TABLE_ROW_BAD : TABLE_ROW_PLAIN, cells);
        }
        if (r < 0)
                return message_out_of_memory();
        table_print(table, stdout, &terminal->table);
        return EXIT_DONE;
}

/* Scripts wait for the end of it by how this ends: of one that has failed that may not come. */
static int show_status(const struct cli *cli) {
        _cleanup_(revert_list_free) VSS_REVERT_INFO **reverts = NULL;
        const struct option_values *options = &cli->line.options;
        const char *volume = first_argument(cli);
        size_t n = 0, n_failed = 0;
        struct json j;
        int r;

        r = list_reverts(&reverts);
        if (r != EXIT_DONE)
                return r;
        for (size_t i = 0; reverts[i]; i++)
                if (revert_is_of(reverts[i], volume)) {
                        n++;
                        n_failed += streq(str_or_empty(reverts[i]->state), "failed");
                }
        if (options->json) {
                json_init(&j, stdout);
                json_object_begin(&j, NULL);
                revert_json_array(&j, "reverts", reverts, volume);
                json_object_end(&j);
                json_done(&j);
        } else if (n == 0)
                message(MESSAGE_NOTICE, "no revert%s%s is under way", volume ? " of " : "",
                        volume ? volume : "");
        else if (!options->quiet)
                r = print_table(reverts, volume, &cli->terminal,
                                !cli->terminal.output || options->verbose);
        return r == EXIT_DONE && n == n_failed ? EXIT_FAILED : r;
}

static const VSS_SNAPSHOT_INFO *find_copy(VSS_SNAPSHOT_INFO *const *snapshots, VSS_ID id) {
        while (*snapshots && memcmp(&(*snapshots)->properties.m_SnapshotId, &id, sizeof(id)) != 0)
                snapshots++;
        return *snapshots;
}

static int resolve_copy(const VSS_SNAPSHOT_INFO **ret, const char *word,
                        VSS_SNAPSHOT_INFO *const *snapshots) {
        struct resolved what;
        int r;

        r = resolve_id_or_say(&what, word, snapshots);
        if (r != EXIT_DONE)
                return r;
        if (what.type != VSS_OBJECT_SNAPSHOT) {
                message(MESSAGE_ERROR,
                        "%s is a set: a volume is reverted to one copy of it, name "
                        "that",
                        word);
                return EXIT_USAGE;
        }
        *ret = find_copy(snapshots, what.id);
        return EXIT_DONE;
}

/* Who cannot be asked says so before: by mistake nothing is reverted. */
static bool is_confirmed(const VSS_SNAPSHOT_INFO *s, const struct cli *cli) {
        const char *made = TEXT_RFC3339(snapshot_created(s));
        char answer[16];

        if (cli->line.options.yes)
                return true;
        if (!isatty(STDIN_FILENO) || !cli->terminal.errors) {
                message(MESSAGE_ERROR,
                        "everything that was changed on %s since %s was made (%s) is lost, with "
                        "its newer copies; without a terminal that takes --yes",
                        s->properties.m_pwszOriginalVolumeName, snapshot_name(s), made);
                return false;
        }
        (void)fprintf(stderr,
                      "Everything that was changed on %s since %s was made (%s) is lost, with its "
                      "newer copies. Revert? [y/N] ",
                      s->properties.m_pwszOriginalVolumeName, snapshot_name(s), made);
        (void)fflush(stderr);
        return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* What the service does not know any more is over; the copy goes with a volume that became it. */
static int say_end(VSS_ID id, const char *volume) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        HRESULT hr = VssListSnapshots(NULL, &snapshots, NULL);

        if (FAILED(hr))
                return message_hresult(hr, NULL);
        if (find_copy(snapshots, id)) {
                message(MESSAGE_ERROR,
                        "%s is not reverted, and is what it was, with its copy; the log of the "
                        "service says why",
                        volume);
                return EXIT_FAILED;
        }
        message(MESSAGE_NOTICE, "%s has been reverted", volume);
        return EXIT_DONE;
}

static int wait_for_end(VSS_ID id, const char *volume) {
        for (;;) {
                _cleanup_(revert_list_free) VSS_REVERT_INFO **reverts = NULL;
                const VSS_REVERT_INFO *v;
                int r;

                r = list_reverts(&reverts);
                if (r != EXIT_DONE)
                        return r;
                v = revert_find(reverts, id);
                if (!v || streq(str_or_empty(v->state), "waiting") || v->message)
                        progress_clear();
                if (!v)
                        return say_end(id, volume);
                if (v->message) {
                        message(MESSAGE_ERROR, "%s", v->message);
                        return EXIT_FAILED;
                }
                if (streq(str_or_empty(v->state), "waiting")) {
                        message(MESSAGE_NOTICE,
                                "%s is reverted at the next boot; what is written to it until then "
                                "is lost",
                                volume);
                        return EXIT_DONE;
                }
                progress_show("reverting", v->per_cent);
                if (interrupt_hold(TICK_MSEC) == HOLD_SIGNAL) {
                        progress_clear();
                        message(MESSAGE_NOTICE, "the revert of %s goes on", volume);
                        return EXIT_SIGNAL + interrupt_pending();
                }
        }
}

static void print_begun(const struct cli *cli, const VSS_SNAPSHOT_INFO *s) {
        char text[VSS_ID_STRING_SIZE];
        struct json j;

        if (!cli->line.options.json)
                return;
        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_string(&j, "snapshot_id", VssIdToString(s->properties.m_SnapshotId, text));
        json_string_or_null(&j, "volume", s->properties.m_pwszOriginalVolumeName);
        json_object_end(&j);
        json_done(&j);
}

int verb_revert(const struct cli *cli) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        const struct option_values *options = &cli->line.options;
        const char *word = first_argument(cli);
        const VSS_SNAPSHOT_INFO *s;
        HRESULT hr;
        int r;

        if (options->status)
                return show_status(cli);
        if (!word) {
                message(MESSAGE_ERROR, "name the copy to which its volume is to be reverted");
                return EXIT_USAGE;
        }
        hr = VssListSnapshots(NULL, &snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        r = resolve_copy(&s, word, snapshots);
        if (r != EXIT_DONE)
                return r;
        if (!is_confirmed(s, cli))
                return EXIT_USAGE;
        progress_show("beginning", 0);
        hr = VssRevertSnapshot(s->properties.m_SnapshotId,
                               (options->force ? VSS_REVERT_FORCE_DISMOUNT : 0U) |
                                       (options->ignore_writers ? VSS_REVERT_IGNORE_WRITERS : 0U));
        progress_clear();
        if (FAILED(hr))
                return message_hresult(hr, "%s", word);
        print_begun(cli, s);
        if (options->no_wait)
                return EXIT_DONE;
        interrupt_install();
        return wait_for_end(s->properties.m_SnapshotId, s->properties.m_pwszOriginalVolumeName);
}
