/* vssctl run: makes a set, runs a command that reads the copies, deletes the set. This is how
 * backup programs that know nothing of snapshots are given one. */

#include "cli/backup-set.h"
#include "cli/backup-type.h"
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

static int add_variable(char ***env, const char *name, const char *value) {
        _cleanup_(freep) char *s = NULL;
        int r;

        r = str_format(&s, "%s=%s", name, str_or_empty(value));
        return r < 0 ? r : strv_append(env, s);
}

static int add_numbered(char ***env, const char *name, size_t number, const char *value) {
        _cleanup_(freep) char *s = NULL;
        int r;

        r = str_format(&s, "%s_%zu", name, number);
        return r < 0 ? r : add_variable(env, s, value);
}

/* Ours, without variables of an outer set, and with those of this one. document: NULL: none. */
static int make_environment(char ***ret, const struct backup_set *s, const char *document) {
        _cleanup_(strv_freep) char **env = NULL;
        _cleanup_(freep) char *copies = NULL;
        char id[VSS_ID_STRING_SIZE];
        int r;

        STRV_FOREACH (e, environ) {
                if (strncmp(*e, "VSS_", 4) == 0)
                        continue;
                r = strv_append(&env, *e);
                if (r < 0)
                        return r;
        }

        r = add_variable(&env, "VSS_SET_ID", VssIdToString(s->id, id));
        for (size_t i = 0; r >= 0 && i < s->n_copies; i++) {
                const char *copy = s->copies[i]->properties.m_pwszSnapshotDeviceObject;
                _cleanup_(freep) char *longer = NULL;

                r = str_format(&longer, "%s%s%s", str_or_empty(copies), i > 0 ? ":" : "",
                               str_or_empty(copy));
                if (r >= 0)
                        r = add_numbered(&env, "VSS_SNAPSHOT", i + 1,
                                         VssIdToString(s->snapshot_ids[i], id));
                if (r >= 0)
                        r = add_numbered(&env, "VSS_VOLUME", i + 1, s->volumes[i]);
                if (r >= 0)
                        r = add_numbered(&env, "VSS_COPY", i + 1, copy);
                if (r >= 0)
                        r = add_numbered(&env, "VSS_DEVICE", i + 1, s->copies[i]->block_device);
                if (r >= 0) {
                        free(copies);
                        copies = TAKE_PTR(longer);
                }
        }
        if (r >= 0)
                r = add_variable(&env, "VSS_COPIES", copies);
        if (r >= 0 && document)
                r = add_variable(&env, "VSS_DOCUMENT", document);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(env);
        return 0;
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
        _cleanup_(strv_freep) char **env = NULL;
        int wait_status, sig, r;

        r = s->selection ? save_for_command(&document, s) : EXIT_DONE;
        if (r != EXIT_DONE)
                return r;
        if (make_environment(&env, s, document) < 0)
                return message_out_of_memory();
        r = run_command(command, env, &wait_status, &sig);
        if (r < 0) {
                message(MESSAGE_ERROR, "cannot run %s: %s", command[0], strerror(-r));
                return EXIT_FAILED;
        }

        r = exit_status_from_command(wait_status);
        if (r != EXIT_DONE && sig != 0)
                return EXIT_SIGNAL + sig;
        if (r != EXIT_DONE)
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
