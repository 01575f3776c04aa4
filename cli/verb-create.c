/* vssctl create: makes a set and, unless it is to stay, holds it until told to let go. */

#include "cli/backup-set.h"
#include "cli/backup-type.h"
#include "cli/copy-lifetime.h"
#include "cli/document-archive.h"
#include "cli/interrupt.h"
#include "cli/message.h"
#include "cli/set-output.h"
#include "cli/verb.h"

#define LOOK_AFTER_MSEC 2000 /* is the set still there? */

/* --keep: the persistent context that differs from an auto-release one in nothing else. */
static const struct {
        LONG from, to;
} kept[] = {
        { VSS_CTX_BACKUP, VSS_CTX_APP_ROLLBACK },
        { VSS_CTX_FILE_SHARE_BACKUP, VSS_CTX_NAS_ROLLBACK },
};

static int find_context(LONG *ret, const struct option_values *options) {
        LONG context = VSS_CTX_BACKUP;

        if (options->context &&
            (FAILED(VssContextFromString(options->context, &context)) || context == VSS_CTX_ALL)) {
                message(MESSAGE_ERROR,
                        "'%s' is no context: backup, file-share, nas-rollback, app-rollback, "
                        "client and client-writers are",
                        options->context);
                return EXIT_USAGE;
        }
        for (size_t i = 0; options->keep && i < ARRAY_SIZE(kept); i++)
                if (kept[i].from == context) {
                        context = kept[i].to;
                        break;
                }
        if (options->transportable && !options->document) {
                message(MESSAGE_ERROR, "--transportable needs a --document: another host finds the "
                                       "copies by that alone");
                return EXIT_USAGE;
        }
        if (options->transportable && context & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE) {
                message(MESSAGE_ERROR, "--transportable does not go with the contexts client and "
                                       "client-writers, whose copies are for shares of this host");
                return EXIT_USAGE;
        }
        if (options->transportable)
                context |= VSS_VOLSNAP_ATTR_TRANSPORTABLE;
        *ret = context;
        return EXIT_DONE;
}

/* Until a signal, the end of stdin, or the loss of the set. */
static int hold(struct backup_set *s, const struct cli *cli) {
        if (cli->terminal.errors)
                message(MESSAGE_NOTICE,
                        "holding the set; Ctrl-C%s lets it go (--keep would make it stay)",
                        isatty(STDIN_FILENO) ? " or Ctrl-D" : "");

        while (interrupt_hold(LOOK_AFTER_MSEC) == HOLD_TICK)
                if (!backup_set_is_alive(s)) {
                        message(MESSAGE_ERROR, "the set is gone: it was deleted by somebody "
                                               "else, or the service was stopped");
                        return EXIT_FAILED;
                }

        if (cli->terminal.errors)
                message(MESSAGE_NOTICE, "letting the set go");
        return EXIT_DONE;
}

static int print(const struct backup_set *s, const struct cli *cli) {
        const struct option_values *options = &cli->line.options;
        char id[VSS_ID_STRING_SIZE];

        if (options->json) {
                set_print_json(s, stdout, options->timeline);
                return EXIT_DONE;
        }
        if (options->quiet) {
                printf("%s\n", VssIdToString(s->id, id));
                (void)fflush(stdout); /* tell() looks */
                return EXIT_DONE;
        }
        return set_print(s, &cli->terminal, options->timeline) < 0 ? message_out_of_memory()
                                                                   : EXIT_DONE;
}

/* Of a set that nobody was told of nobody would ever take care: it is deleted again. */
static int tell(struct backup_set *s, const struct cli *cli) {
        int r = print(s, cli);

        if (r == EXIT_DONE && (fflush(stdout) != 0 || ferror(stdout))) {
                message(MESSAGE_ERROR, "cannot write the output: %s; the set is deleted again",
                        strerror(errno));
                r = EXIT_FAILED;
        }
        if (r != EXIT_DONE)
                (void)backup_set_delete(s); /* has said what went wrong */
        return r;
}

/* --keep has limits. */
static void say_lifetimes(const struct backup_set *s) {
        for (size_t i = 0; i < s->n_copies; i++)
                if (s->copies[i] && copy_ends_with_boot(s->copies[i]->provider))
                        message(MESSAGE_NOTICE,
                                "the copy of %s stays until the machine stops: those of mapped "
                                "devices that are not LVM's do not outlive that",
                                s->copies[i]->volume_display_name);
}

/* Here they are of no use to anybody. */
static void say_what_next(const char *document) {
        message(MESSAGE_NOTICE,
                "these copies are for another host, and stay until they are imported or deleted: "
                "when this one has let go of their volume groups (vgchange -an), that one takes "
                "them in with %s ('vssctl import')",
                document);
}

int verb_create(const struct cli *cli) {
        _cleanup_(backup_set_freep) struct backup_set *s = NULL;
        struct backup_set_request request = {
                .volumes = cli->line.arguments,
                .components = cli->line.options.components,
                .documents = cli->line.options.document != NULL,
                .exclude_writers = cli->line.options.exclude_writers,
                .previous = cli->line.options.previous,
                .partial_files = cli->line.options.partial_files,
                .timeline = cli->line.options.timeline,
                .type = VSS_BT_COPY, /* whether anything is backed up is not our affair */
        };
        int r, partial;

        r = find_context(&request.context, &cli->line.options);
        if (r == EXIT_DONE && cli->line.options.type)
                r = backup_type_from_text(&request.type, cli->line.options.type);
        if (r != EXIT_DONE)
                return r;

        if (cli->line.options.document) {
                r = document_archive_check(cli->line.options.document);
                if (r != EXIT_DONE)
                        return r;
        }

        interrupt_install();
        r = backup_set_new(&s, &request);
        if (!s)
                return r;
        partial = r;

        r = document_archive_conclude(cli->line.options.document, s);
        if (r == EXIT_PARTIAL)
                partial = r;
        else if (r != EXIT_DONE) {
                (void)backup_set_delete(s); /* has said what went wrong */
                return r;
        }

        r = tell(s, cli);
        if (r == EXIT_DONE && backup_set_is_persistent(s))
                say_lifetimes(s);
        if (r == EXIT_DONE && cli->line.options.transportable && !cli->line.options.json)
                say_what_next(cli->line.options.document);
        /* One for another host stays, to go with who imports it. */
        if (r == EXIT_DONE && !backup_set_is_persistent(s) && !cli->line.options.transportable) {
                r = hold(s, cli);
                if (r == EXIT_DONE)
                        r = backup_set_delete(s);
        }
        return r != EXIT_DONE ? r : partial;
}
