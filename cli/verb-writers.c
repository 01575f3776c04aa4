/* vssctl writers: the registered writers and what became of each the last time. */

#include "cli/component-tree.h"
#include "cli/message.h"
#include "cli/output-json.h"
#include "cli/verb.h"
#include "cli/writer-state.h"

#include <inttypes.h>
#include <vss/vsslinux.h>

static const struct {
        VSS_APPLICATION_LEVEL level;
        const char *text;
} levels[] = {
        { VSS_APP_FRONT_END, "front-end" },
        { VSS_APP_BACK_END, "back-end" },
        { VSS_APP_SYSTEM, "system" },
        { VSS_APP_SYSTEM_RM, "system-rm" },
};

static const char *level_text(VSS_APPLICATION_LEVEL level) {
        for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
                if (levels[i].level == level)
                        return levels[i].text;
        return "unknown";
}

static void free_writers(VSS_WRITER_INFO ***w) {
        VssFreeWriters(*w);
}

static void print_json(VSS_WRITER_INFO *const *writers) {
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_array_begin(&j, "writers");
        for (VSS_WRITER_INFO *const *w = writers; *w; w++) {
                char id[VSS_ID_STRING_SIZE], code[16];

                json_object_begin(&j, NULL);
                json_string(&j, "name", (*w)->name);
                json_string_or_null(&j, "instance_name", (*w)->instance_name);
                json_string(&j, "writer_id", VssIdToString((*w)->writer_id, id));
                json_string(&j, "instance_id", VssIdToString((*w)->instance_id, id));
                json_string(&j, "level", level_text((*w)->level));
                json_int(&j, "usage", (*w)->usage);
                json_int(&j, "source", (*w)->source);
                json_uint(&j, "freeze_timeout_ms", (*w)->freeze_timeout_ms);
                json_int(&j, "state", (*w)->state);
                json_string(&j, "state_name", str_or_empty(VssWriterStateToString((*w)->state)));
                snprintf(code, sizeof(code), "0x%08" PRIx32, (uint32_t)(*w)->failure);
                json_string(&j, "failure", code);
                json_string_or_null(&j, "failure_name",
                                    (*w)->failure == S_OK ? NULL : VssHresultName((*w)->failure));
                json_string_or_null(&j, "failure_message", (*w)->failure_message);
                json_uint(&j, "uid", (*w)->uid);
                json_uint(&j, "pid", (*w)->pid);
                json_object_end(&j);
        }
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
}

static int add_row(struct table *table, const VSS_WRITER_INFO *w, bool long_ids) {
        char id[VSS_ID_STRING_SIZE], pid[16], state[WRITER_STATE_TEXT_MAX];
        const char *failure = w->failure == S_OK ? NULL : w->failure_message;

        if (w->failure != S_OK && str_empty(failure))
                failure = VssHresultMessage(w->failure);
        snprintf(pid, sizeof(pid), "%" PRIu32, w->pid);
        VssIdToString(w->writer_id, id);
        if (!long_ids)
                id[8] = '\0';
        return table_add(table, w->failure == S_OK ? TABLE_ROW_PLAIN : TABLE_ROW_BAD,
                         (const char *const[]){
                                 w->name,
                                 writer_state_text(w->state, state),
                                 level_text(w->level),
                                 pid,
                                 id,
                                 failure,
                         });
}

/* What each says it has: they are asked, which the plain list does not need. */
static int print_tree(const struct cli *cli) {
        _cleanup_(gathered_writers_done) struct gathered_writers writers = { 0 };
        int r;

        r = gathered_writers_ask(&writers);
        if (r != EXIT_DONE)
                return r;
        if (cli->line.options.json)
                return component_tree_json(&writers);
        if (writers.n == 0) {
                message(MESSAGE_NOTICE, "no writer is registered");
                return EXIT_DONE;
        }
        return component_tree_print(&writers, &cli->terminal);
}

int verb_writers(const struct cli *cli) {
        static const struct table_column columns[] = {
                { .title = "WRITER", .shrink = true },
                { .title = "STATE" },
                { .title = "LEVEL" },
                { .title = "PID", .right = true },
                { .title = "CLASS" },
                { .title = "LAST ERROR", .shrink = true },
        };
        _cleanup_(free_writers) VSS_WRITER_INFO **writers = NULL;
        _cleanup_(table_freep) struct table *table = NULL;
        HRESULT hr;
        int r;

        if (cli->line.options.tree)
                return print_tree(cli);
        hr = VssListWriters(&writers, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        if (cli->line.options.json) {
                print_json(writers);
                return EXIT_DONE;
        }
        if (!writers[0]) {
                message(MESSAGE_NOTICE, "no writer is registered");
                return EXIT_DONE;
        }

        r = table_new(&table, columns, ARRAY_SIZE(columns));
        for (VSS_WRITER_INFO *const *w = writers; r >= 0 && *w; w++)
                r = add_row(table, *w, !cli->terminal.output || cli->line.options.verbose);
        if (r < 0)
                return message_out_of_memory();
        table_print(table, stdout, &cli->terminal.table);
        return EXIT_DONE;
}
