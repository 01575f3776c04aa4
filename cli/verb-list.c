/* vssctl list: all finished copies. */

#include "cli/message.h"
#include "cli/snapshot-output.h"
#include "cli/verb.h"

int verb_list(const struct cli *cli) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        struct json j;
        HRESULT hr;

        hr = VssListSnapshots(NULL, &snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);

        if (cli->line.options.json) {
                json_init(&j, stdout);
                json_object_begin(&j, NULL);
                snapshot_json_array(&j, "snapshots", snapshots);
                json_object_end(&j);
                json_done(&j);
                return EXIT_DONE;
        }

        if (!snapshots[0]) {
                message(MESSAGE_NOTICE, "there are no snapshots");
                return EXIT_DONE;
        }
        if (snapshot_print_table(snapshots, &cli->terminal,
                                 !cli->terminal.output || cli->line.options.verbose) < 0)
                return message_out_of_memory();
        return EXIT_DONE;
}
