/* vssctl run: makes a set, runs a command that reads the copies, deletes the set. This is how
 * backup programs that know nothing of snapshots are given one. */

#include "cli/backup-set.h"
#include "cli/backup-type.h"
#include "cli/command-beside.h"
#include "cli/document-archive.h"
#include "cli/interrupt.h"
#include "cli/message.h"
#include "cli/run-command.h"
#include "cli/set-output.h"
#include "cli/verb.h"

#include <stdio.h>

static int find_context(LONG *ret, const char *name) {
        static const LONG released[] = { VSS_CTX_BACKUP, VSS_CTX_FILE_SHARE_BACKUP };
        LONG context = VSS_CTX_BACKUP;

        if (name && FAILED(VssContextFromString(name, &context)))
                context = VSS_CTX_ALL;
        for (size_t i = 0; i < ARRAY_SIZE(released); i++)
                if (released[i] == context) {
                        *ret = context;
                        return EXIT_DONE;
                }
        message(MESSAGE_ERROR,
                "run takes the contexts backup and file-share, whose copies end with it; copies "
                "that stay are made with 'vssctl create --keep'");
        return EXIT_USAGE;
}

/* The documents as they are now, for the command: what the writers said of this backup. */
static int save_for_command(char **ret, const struct backup_set *s) {
        _cleanup_(document_archive_discard) char *path = NULL;
        const char *directory = getenv("TMPDIR");
        int fd, r;

        if (str_format(&path, "%s/vssctl-XXXXXX.tar", str_empty(directory) ? "/tmp" : directory) <
            0)
                return message_out_of_memory();
        fd = mkstemps(path, (int)strlen(".tar"));
        if (fd < 0) {
                message(MESSAGE_ERROR, "cannot write the documents to %s: %s", path,
                        strerror(errno));
                *path = '\0'; /* it is nobody's */
                return EXIT_FAILED;
        }
        (void)safe_close(fd);
        r = document_archive_write(path, s);
        if (r == EXIT_DONE)
                *ret = TAKE_PTR(path);
        return r;
}

/* Runs the command. EXIT_DONE, or how vssctl ends because of it. */
static int run(const struct backup_set *s, char *const *command) {
        _cleanup_(document_archive_discard) char *document = NULL;
        int r;

        r = s->selection ? save_for_command(&document, s) : EXIT_DONE;
        if (r != EXIT_DONE)
                return r;
        r = command_beside_run(
                &(struct command_beside){
                        .set = s->id,
                        .copies = s->copies,
                        .volumes = s->volumes,
                        .n = s->n_copies,
                        .document = document,
                },
                command);
        if (r >= EXIT_COMMAND && r <= EXIT_COMMAND_MAX)
                message(MESSAGE_DETAIL,
                        "%s failed, so the writers are not told that the backup is complete",
                        command[0]);
        return r;
}

/* The files are safe: the writers are told so, and what they said is saved. */
static int tell_success(struct backup_set *s, const char *document, int *partial) {
        int r;

        r = backup_set_succeeded(s);
        if (r == EXIT_DONE)
                r = document_archive_conclude(document, s);
        if (r == EXIT_PARTIAL) {
                *partial = r;
                r = EXIT_DONE;
        }
        return r;
}

int verb_run(const struct cli *cli) {
        _cleanup_(backup_set_freep) struct backup_set *s = NULL;
        const struct option_values *options = &cli->line.options;
        struct backup_set_request request = {
                .volumes = cli->line.arguments,
                .components = options->components,
                .documents = options->document != NULL,
                .exclude_writers = options->exclude_writers,
                .previous = options->previous,
                .partial_files = options->partial_files,
                .timeline = options->timeline,
                .type = VSS_BT_FULL,
        };
        char *const *command = cli->line.command;
        int partial, result, r;

        r = find_context(&request.context, options->context);
        if (r == EXIT_DONE && options->type)
                r = backup_type_from_text(&request.type, options->type);
        if (r != EXIT_DONE)
                return r;
        r = run_command_check(command[0]);
        if (r < 0) {
                message(MESSAGE_ERROR, "cannot run %s: %s", command[0], strerror(-r));
                return EXIT_USAGE;
        }
        if (options->document) {
                r = document_archive_check(options->document);
                if (r != EXIT_DONE)
                        return r;
        }

        interrupt_install();
        r = backup_set_new(&s, &request);
        if (!s)
                return r;
        partial = r;
        /* stdout is the command's. */
        if (options->json)
                set_print_json(s, stderr, options->timeline);
        else if (options->timeline)
                timeline_print(&s->timeline, stderr);

        result = run(s, command);
        if (result == EXIT_DONE)
                result = tell_success(s, options->document, &partial);
        r = backup_set_delete(s);

        if (result != EXIT_DONE)
                return result;
        return r != EXIT_DONE ? EXIT_PARTIAL : partial;
}
