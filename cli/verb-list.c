/* vssctl list: all finished copies. */

#include "cli/message.h"
#include "cli/revert-output.h"
#include "cli/snapshot-output.h"
#include "cli/verb.h"

/* Of those that the table may not have: a state that was reverted knows no copy any more. */
static void print_reverts(VSS_REVERT_INFO *const *reverts) {
        for (; reverts && *reverts; reverts++)
                message(MESSAGE_NOTICE, "%s %s", (*reverts)->volume,
                        revert_text(*reverts, (char[REVERT_TEXT_MAX]){ 0 }));
}

int verb_list(const struct cli *cli) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        _cleanup_(revert_list_free) VSS_REVERT_INFO **reverts = NULL;
        struct json j;
        HRESULT hr;

        hr = VssListSnapshots(NULL, &snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        (void)VssListReverts(&reverts, NULL); /* an older service has none */

        if (cli->line.options.json) {
                json_init(&j, stdout);
                json_object_begin(&j, NULL);
                snapshot_json_array(&j, "snapshots", snapshots);
                revert_json_array(&j, "reverts", reverts, NULL);
                json_object_end(&j);
                json_done(&j);
                return EXIT_DONE;
        }

        if (!snapshots[0])
                message(MESSAGE_NOTICE, "there are no snapshots");
        else if (snapshot_print_table(snapshots, &cli->terminal, cli->line.options.verbose) < 0)
                return message_out_of_memory();
        print_reverts(reverts);
        return EXIT_DONE;
}
