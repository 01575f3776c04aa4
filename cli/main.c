/* vssctl: the table of verbs and what happens before one of them runs. Everything it does goes
 * through libvssclient's public interface. */

#include "cli/help.h"
#include "cli/message.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/verb.h"

#include <stddef.h>
#include <stdio.h>
#include <vss/vsslinux.h>

static int verb_help(const struct cli *cli);

#define FLAG(field) .kind = OPTION_FLAG, .offset = offsetof(struct option_values, field)
#define TEXT(field) .kind = OPTION_TEXT, .offset = offsetof(struct option_values, field)
#define LIST(field) .kind = OPTION_LIST, .offset = offsetof(struct option_values, field)

static const struct option_spec global_options[] = {
        { "json", 0, FLAG(json), .help = "print one JSON document" },
        { "quiet", 'q', FLAG(quiet), .help = "no notices, no progress" },
        { "verbose", 'v', FLAG(verbose), .help = "ids in full, and what else is left out" },
        { "no-color", 0, FLAG(no_color), .help = "no colours (as does NO_COLOR=1)" },
        { "host", 'H', TEXT(host), .local = true, .argument = "[USER@]HOST[:PORT]",
          .help = "run vssctl there, through ssh" },
        { "address", 0, TEXT(address), .argument = "ADDRESS",
          .help = "D-Bus address of the service" },
        { "version", 0, FLAG(version), .help = "print the version" },
        { "help", 'h', FLAG(help), .help = "print this, or what a verb does" },
        OPTION_END,
};

static const struct option_spec no_options[] = { OPTION_END };

#define TIMELINE_OPTION \
        { "timeline", 0, FLAG(timeline), .help = "print the phases and how long each took" }

#define TYPE_OPTION \
        { "type", 0, TEXT(type), .argument = "TYPE", .help = "the kind of the backup" }

#define SET_OPTIONS                                                                               \
        { "context", 0, TEXT(context), .argument = "CONTEXT", .help = "the kind of the copies" }, \
                { "exclude-writer", 0, LIST(exclude_writers), .argument = "WRITER",               \
                  .help = "leave out a writer: name, class or instance id" },                     \
                { "component", 0, LIST(components), .argument = "WRITER[:COMPONENT]",             \
                  .help = "back up this, and what belongs to it, alone" },                        \
                { "document", 0, TEXT(document), .argument = "FILE",                              \
                  .help = "save what a restore needs to know (tar)" },                            \
                { "previous", 0, TEXT(previous), .argument = "FILE",                              \
                  .help = "the documents of the backup that this one is based on" },              \
                { "partial-files", 0, FLAG(partial_files),                                        \
                  .help = "writers may ask for ranges of files instead of all" },                 \
                TYPE_OPTION, TIMELINE_OPTION

static const struct option_spec create_options[] = {
        SET_OPTIONS,
        { "keep", 0, FLAG(keep), .help = "the set stays until 'vssctl delete'" },
        { "transportable", 0, FLAG(transportable),
          .help = "for 'vssctl import' on another host; needs --document" },
        OPTION_END,
};

static const struct option_spec run_options[] = { SET_OPTIONS, OPTION_END };

static const struct option_spec files_options[] = {
        { "document", 0, TEXT(document), .argument = "FILE",
          .help = "of the backup that this was saved of" },
        { "set", 0, TEXT(set), .argument = "ID", .help = "as they are in the copies of this set" },
        TYPE_OPTION,
        { "null", '0', FLAG(null), .help = "only where to read them, a NUL behind each" },
        OPTION_END,
};

static const struct option_spec writers_options[] = {
        { "components", 0, FLAG(tree), .help = "what each has, and what may be chosen" },
        OPTION_END,
};

static const struct option_spec show_options[] = { TIMELINE_OPTION, OPTION_END };

static const struct option_spec timeline_options[] = {
        { "svg", 0, TEXT(svg), .argument = "FILE", .help = "draw it; '-': on standard output" },
        OPTION_END,
};

static const struct option_spec volumes_options[] = {
        { "name", 0, TEXT(name), .argument = "NAME",
          .help = "adopt: of the mapping, /dev/mapper/vss-NAME" },
        { "no-initramfs", 0, FLAG(no_initramfs),
          .help = "of the root: leave the initramfs as it is" },
        OPTION_END,
};

static const struct option_spec delta_options[] = {
        { "format", 0, TEXT(format), .argument = "FORMAT", .help = "ranges, bitmap or json" },
        { "compare", 0, FLAG(compare),
          .help = "read these blocks, and leave out those that are equal" },
        OPTION_END,
};

static const struct option_spec storage_options[] = {
        { "for", 0, TEXT(for_volume), .argument = "VOLUME", .help = "the volume" },
        { "on", 0, TEXT(on_store), .argument = "STORE",
          .help = "the volume group, directory or block device" },
        { "max", 0, TEXT(max), .argument = "SIZE", .help = "what all its stores may take" },
        { "until-boot", 0, FLAG(until_boot), .help = "that ends with the boot" },
        OPTION_END,
};

static const struct option_spec delete_options[] = {
        { "force", 'f', FLAG(force), .help = "also copies that are in use" },
        OPTION_END,
};

static const struct option_spec expose_options[] = {
        { "path", 0, TEXT(path), .argument = "PATH", .help = "this directory of the copy alone" },
        { "share", 0, TEXT(share), .argument = "NAME",
          .help = "through Samba or NFS; smb:NAME, nfs:NAME: through that" },
        OPTION_END,
};

static const struct option_spec export_options[] = {
        { "socket", 0, TEXT(socket), .argument = "PATH", .help = "at a Unix socket of this name" },
        { "listen", 0, TEXT(listen), .argument = "ADDRESS[:PORT]",
          .help = "by TCP, to whoever can connect (port 10809 if not given)" },
        { "tls", 0, TEXT(tls), .argument = "DIRECTORY",
          .help = "encrypted, to who has a certificate, too (nbdkit-tls(1))" },
        { "background", 0, FLAG(background), .help = "as a service that systemd runs" },
        OPTION_END,
};

static const struct option_spec break_options[] = {
        { "writable", 'w', FLAG(writable), .help = "volumes that can be written" },
        { "mask", 0, FLAG(mask), .help = "leave the volumes inactive" },
        { "revert-identity", 0, TEXT(revert_identity), .argument = "WHICH",
          .help = "all: keep the originals' UUIDs; none: new ones" },
        OPTION_END,
};

static const struct option_spec revert_options[] = {
        { "force", 'f', FLAG(force),
          .help = "also in use: ends its programs; may cost older copies" },
        { "force-dismount", 0, FLAG(force), .help = "the same" },
        { "ignore-writers", 0, FLAG(ignore_writers),
          .help = "also against a writer that blocks reverts" },
        { "no-wait", 0, FLAG(no_wait), .help = "do not wait for the end of it" },
        { "status", 0, FLAG(status), .help = "show what is under way, of all volumes or one" },
        { "yes", 'y', FLAG(yes), .help = "do not ask" },
        OPTION_END,
};

#define COMPONENT_DETAILS                                                                          \
        "\nWith --component only the writers of these components take part. COMPONENT is a full\n" \
        "name, parts separated by '\\' or '/'; without it all of the writer is meant. Without a\n" \
        "VOLUME the volumes are taken that the components' files are on. --type is full, copy,\n"  \
        "incremental, differential or log."

static const struct verb verbs[] = {
        {
                .name = "create",
                .usage = "[OPTION...] [VOLUME...]",
                .help = "make copies of volumes, of one instant",
                .details =
                        "Makes a snapshot set of the volumes. Applications that registered a "
                        "writer freeze\nmeanwhile, for as long as the instant takes.\n"
                        "\n"
                        "Copies of the contexts backup (the default) and file-share exist as long "
                        "as this\ncommand runs: it holds them until Ctrl-C, SIGTERM or the end of "
                        "its standard input.\nWith --keep, and in the other contexts, they stay "
                        "until they are deleted.\n"
                        "\n"
                        "With --transportable the copies are for another host that sees the same "
                        "disks: it takes\nthem in with 'vssctl import' and the document, and they "
                        "cannot be read here. They\nstay in any context, until they are deleted.\n"
                        "\n"
                        "Contexts: backup, file-share (no writers), app-rollback (stays), "
                        "nas-rollback (stays,\nno writers), client (stays, no writers), "
                        "client-writers (stays).\n" COMPONENT_DETAILS,
                .options = create_options,
                .examples = "  vssctl create /srv/data /srv/mail\n"
                            "  vssctl create --keep --quiet vg0/data\n"
                            "  vssctl create --exclude-writer 'Mail store' --timeline /srv\n",
                .volumes_or_components = true,
                .arguments_max = SIZE_MAX,
                .run = verb_create,
        },
        {
                .name = "list",
                .usage = "",
                .help = "list the copies",
                .details = "Lists all finished copies. On a terminal ids are shortened to what is "
                           "enough to type;\n--verbose and pipes get them in full.",
                .options = no_options,
                .examples = "  vssctl list\n"
                            "  vssctl list --json | jq -r '.snapshots[].device_object'\n",
                .run = verb_list,
        },
        {
                .name = "show",
                .usage = "[OPTION...] ID",
                .help = "show everything about a copy or a set",
                .details = "An ID is that of a copy or of a set, or its beginning (4 digits at "
                           "least), or ShadowCopyN.",
                .options = show_options,
                .examples = "  vssctl show ShadowCopy3\n"
                            "  vssctl show 4f1c --json\n",
                .arguments_min = 1,
                .argument = "no ID",
                .arguments_max = 1,
                .run = verb_show,
        },
        {
                .name = "timeline",
                .usage = "[OPTION...] ID",
                .help = "show how a set was made, and when",
                .details = "Shows the phases of a set's making, and in each what every writer, "
                           "volume and provider\ndid, when and for how long. With --svg it is "
                           "drawn: bars over the whole time, and below\nthem the moment for which "
                           "writes were held.\n"
                           "\n"
                           "An ID is that of a set or of one of its copies, or its beginning (4 "
                           "digits at least), or\nShadowCopyN.",
                .options = timeline_options,
                .examples = "  vssctl timeline ShadowCopy3\n"
                            "  vssctl timeline --svg set.svg 4f1c\n",
                .arguments_min = 1,
                .argument = "no ID",
                .arguments_max = 1,
                .run = verb_timeline,
        },
        {
                .name = "delta",
                .usage = "[OPTION...] SNAPSHOT [SNAPSHOT]",
                .help = "list the blocks that differ from a copy",
                .details =
                        "Lists the blocks of a volume that differ between two copies of it, the "
                        "older one first, or\nbetween a copy and the volume as it is now: a line "
                        "for each range, with the number of its\nfirst byte and its length in "
                        "bytes. What is not listed is equal. What is listed was written\nsince "
                        "the older copy was made, and may be equal again; --compare reads it and "
                        "leaves that\nout.\n"
                        "\n"
                        "Formats: ranges (the default), json (as --json), bitmap (a bit for each "
                        "block, that of the\nfirst the lowest of the first byte; how large a "
                        "block is, json says).",
                .options = delta_options,
                .examples = "  vssctl delta ShadowCopy3\n"
                            "  vssctl delta --json ShadowCopy3 ShadowCopy4 | jq .changed_blocks\n",
                .arguments_min = 1,
                .argument = "no SNAPSHOT",
                .arguments_max = 2,
                .run = verb_delta,
        },
        {
                .name = "delete",
                .usage = "[OPTION...] ID...",
                .help = "delete copies or whole sets",
                .details = "An ID is that of a copy or of a set, or its beginning (4 digits at "
                           "least), or ShadowCopyN.\nAll are looked up before the first is "
                           "deleted.",
                .options = delete_options,
                .examples = "  vssctl delete ShadowCopy3\n"
                            "  vssctl delete --force 4f1c 9b07\n",
                .arguments_min = 1,
                .argument = "no ID",
                .arguments_max = SIZE_MAX,
                .run = verb_delete,
        },
        {
                .name = "expose",
                .usage = "[--path PATH] ID DIRECTORY | ID --share NAME",
                .help = "mount a copy on a directory, or share it",
                .details =
                        "Mounts a copy, read-only, on an empty directory; or shares it with other "
                        "machines through\nSamba or NFS. It stays so, over restarts too, until "
                        "'vssctl unexpose'. Copies that go\nwith their requester can only be "
                        "shared, and those of the client contexts neither.",
                .options = expose_options,
                .examples = "  vssctl expose ShadowCopy3 /mnt/yesterday\n"
                            "  vssctl expose --path home/ann 4f1c /home/ann/yesterday\n"
                            "  vssctl expose ShadowCopy3 --share yesterday\n",
                .arguments_min = 1,
                .argument = "no ID",
                .arguments_max = 2,
                .run = verb_expose,
        },
        {
                .name = "unexpose",
                .usage = "ID | DIRECTORY | SHARE",
                .help = "undo 'vssctl expose'; the copy stays",
                .details = "Undoes 'vssctl expose'. The copy stays.",
                .options = no_options,
                .examples = "  vssctl unexpose ShadowCopy3\n"
                            "  vssctl unexpose /mnt/yesterday\n",
                .arguments_min = 1,
                .argument = "no ID, DIRECTORY or SHARE",
                .arguments_max = 1,
                .run = verb_unexpose,
        },
        {
                .name = "export",
                .usage = "[OPTION...] SNAPSHOT",
                .help = "serve a copy's block device over NBD",
                .details =
                        "Serves the block device of a copy, read-only, over NBD (nbdkit does it), "
                        "and prints where:\nat a socket in /run/vss-export that only root may "
                        "connect to, or as --socket or --listen\nsay. It does so until Ctrl-C, "
                        "SIGTERM or the end of its standard input. Meanwhile the\ncopy is in use: "
                        "it is deleted with --force only, which ends the export.\n"
                        "\n"
                        "By TCP nobody who connects is asked who they are, not on 127.0.0.1 "
                        "either, but with\n--tls, which asks for a certificate.",
                .options = export_options,
                .examples = "  vssctl export ShadowCopy3\n"
                            "  nbdcopy 'nbd+unix:///?socket=/run/vss-export/ShadowCopy3.sock' "
                            "copy.img\n"
                            "  vssctl export --listen 10.0.0.1 --tls /etc/pki/nbd ShadowCopy3\n",
                .arguments_min = 1,
                .argument = "no SNAPSHOT",
                .arguments_max = 1,
                .run = verb_export,
        },
        {
                .name = "break",
                .usage = "[OPTION...] SET",
                .help = "make volumes of a set's copies, and forget it",
                .details =
                        "Makes an ordinary volume of each copy of a set, all of them or none, and "
                        "forgets the set.\nCopies of thin logical volumes can be broken off; "
                        "others depend on their volumes. The\nvolumes are read-only, if not "
                        "--writable, and called after their originals and the number\nof the copy: "
                        "data_ShadowCopy7. This cannot be undone.\n"
                        "\n"
                        "Their file systems have the UUIDs of the originals, and such volumes do "
                        "not come up by\nthemselves. With --revert-identity=none they get UUIDs of "
                        "their own and are volumes like\nall others; with --revert-identity=all "
                        "they take the place of the originals, of which\nnone may be there any "
                        "more. --mask leaves them inactive.",
                .options = break_options,
                .examples = "  vssctl break --writable --revert-identity=none 4f1c\n"
                            "  vssctl break --mask 4f1c\n",
                .arguments_min = 1,
                .argument = "no SET",
                .arguments_max = 1,
                .run = verb_break,
        },
        {
                .name = "import",
                .usage = "FILE [-- COMMAND...]",
                .help = "take in the copies that another host made",
                .details =
                        "Takes in the copies of a transportable set (vssctl create "
                        "--transportable): FILE is its\ndocument, and this host sees the disks of "
                        "its volume groups. The host that made it has\nto have let go of these "
                        "groups: LVM's are of one host at a time. Of a document nothing is\n"
                        "believed: each copy is looked for, and compared with what is said of it."
                        "\n"
                        "\n"
                        "Copies of the contexts backup and file-share exist as long as this "
                        "command "
                        "runs: it holds\nthem until Ctrl-C, SIGTERM or the end of its standard "
                        "input, or until COMMAND has ended,\nwhich finds in its environment what "
                        "it finds with 'vssctl run'. Then they are deleted, and\nthere are no "
                        "others: so does Ctrl-C while they are taken in.",
                .options = no_options,
                .examples = "  vssctl import set.tar\n"
                            "  vssctl import set.tar -- sh -c 'tar -C \"$VSS_COPY_1\" -cf "
                            "/dev/st0 .'\n",
                .arguments_min = 1,
                .argument = "no FILE",
                .arguments_max = 1,
                .may_take_command = true,
                .run = verb_import,
        },
        {
                .name = "revert",
                .usage = "[OPTION...] SNAPSHOT | --status [VOLUME]",
                .help = "make a volume what it was in a copy",
                .details =
                        "Rolls a volume back to a copy of it that stays, and waits for the end of "
                        "that. A file\nsystem on it is unmounted for a moment. Everything that was "
                        "changed since is lost, newer\ncopies of the volume are deleted, and in "
                        "the end this one is gone, too. The volume can be\nused while its blocks "
                        "are copied back; that goes on over restarts. Of the volume that the\n"
                        "system runs from it begins with the next boot.\n"
                        "\n"
                        "With --force programs that have the volume open are ended, SIGTERM "
                        "first. A copy that is\nexposed, and newer ones that are in use, are no "
                        "hindrance then. Older copies for whose\nstores there is no room may be "
                        "lost; without it nothing is done then.\n"
                        "\n"
                        "Without a terminal to ask at it takes --yes. With --status it ends with "
                        "0 while one is\nunder way, and with 2 if none is, or only some that do "
                        "not go on.",
                .options = revert_options,
                .examples = "  vssctl revert ShadowCopy3\n"
                            "  vssctl revert --force --yes --no-wait 4f1c\n"
                            "  while vssctl revert --status --quiet /srv/data; do sleep 5; done\n",
                .arguments_max = 1,
                .run = verb_revert,
        },
        {
                .name = "run",
                .usage = "[OPTION...] [VOLUME...] -- COMMAND...",
                .help = "run a command beside copies, then delete them",
                .details =
                        "Makes a snapshot set of the volumes, runs the command, deletes the set. "
                        "If the command\nsucceeds the writers are told that the backup is "
                        "complete.\n"
                        "\n"
                        "The command finds in its environment VSS_SET_ID, VSS_COPIES (the copies' "
                        "directories,\nseparated by colons), and for each volume, numbered from "
                        "1: VSS_VOLUME_1, VSS_COPY_1 (the\ndirectory; the block device, if there "
                        "is "
                        "no file system), VSS_DEVICE_1 (the block device, if\nthere is one), "
                        "VSS_SNAPSHOT_1 (the id); with --component also VSS_DOCUMENT, for\n"
                        "'vssctl files --document'.\n"
                        "\n"
                        "vssctl ends with 10 + the command's exit status if that is not 0, at "
                        "most 99.\n" COMPONENT_DETAILS,
                .options = run_options,
                .examples =
                        "  vssctl run /srv/data -- sh -c 'restic backup \"$VSS_COPY_1\"'\n"
                        "  vssctl run / /home -- sh -c 'tar -C \"$VSS_COPY_2\" -cf /mnt/h.tar .'\n",
                .volumes_or_components = true,
                .arguments_max = SIZE_MAX,
                .takes_command = true,
                .run = verb_run,
        },
        {
                .name = "files",
                .usage = "[OPTION...] WRITER[:COMPONENT]... | --document FILE",
                .help = "list the files of components",
                .details =
                        "Lists the files that a backup of these components has to hold, with those "
                        "of the components\nthat must not be missing beside them: as they are now, "
                        "or with --set as they are in a copy.\n"
                        "\n"
                        "WRITER is a name, a class or an instance id. COMPONENT is a full name, "
                        "parts separated by\n'\\' or '/'; without it all of the writer is meant.\n"
                        "\n"
                        "With --document the components are those of a backup that was made, and "
                        "its type and what\nthe writers said of it count: which ranges of files, "
                        "which files by their time.\n"
                        "\n"
                        "Types: full (the default), copy, incremental, differential, log.",
                .options = files_options,
                .examples = "  vssctl files 'Mail store'\n"
                            "  vssctl files 'Mail store:users/inbox' --set 4f1c\n"
                            "  vssctl files -0 'Mail store' | tar --null -T - -cf mail.tar\n",
                .arguments_max = SIZE_MAX,
                .run = verb_files,
        },
        {
                .name = "writers",
                .usage = "[OPTION...]",
                .help = "list the writers and how they are",
                .details = "Lists the applications that are registered to be told of copies, and "
                           "what became of each\nthe last time; with --components what each has: a "
                           "component that is mandatory is in\nevery backup of its writer, one "
                           "that is part of another comes with that.",
                .options = writers_options,
                .examples = "  vssctl writers\n"
                            "  vssctl writers --components\n"
                            "  vssctl writers --json\n",
                .run = verb_writers,
        },
        {
                .name = "volumes",
                .usage = "[[OPTION...] adopt|release VOLUME]",
                .help = "list the volumes, and which can be copied",
                .details =
                        "Lists the volumes of this machine, and for those that cannot be copied "
                        "the reason.\n"
                        "\n"
                        "'adopt' has a file system on a plain partition, disk, array or multipath "
                        "map mounted\nthrough a mapping of device-mapper's from its next mount "
                        "on, so that it can be copied.\nNone of its data changes. 'release' "
                        "undoes it. What is mounted stays as it is until\nit is unmounted; see "
                        "vss-adopted(5).",
                .options = volumes_options,
                .examples = "  vssctl volumes\n"
                            "  vssctl volumes -H backup@db1.example.com\n"
                            "  vssctl volumes adopt /srv\n",
                .arguments_max = 2,
                .run = verb_volumes,
        },
        {
                .name = "storage",
                .usage = "[list | add | resize | delete] [OPTION...]",
                .help = "show and limit what copies take",
                .details =
                        "Lists the diff areas of volumes: where the stores of their copies are, "
                        "what is used of them,\nhow large they are and may become together. "
                        "Stores grow as they fill (vssd(8)).\n"
                        "\n"
                        "add sets down the diff area of a volume without copies, resize its "
                        "maximum; if the stores\ntake more than that, the oldest copies are "
                        "deleted. delete forgets what was set down. SIZE is\n40G, 320M, a part of "
                        "the store (10%), or unbounded.",
                .options = storage_options,
                .examples = "  vssctl storage\n"
                            "  vssctl storage add --for /srv/data --on tank --max 40G\n"
                            "  vssctl storage resize --for /srv/data --on tank --max 10%\n",
                .arguments_max = 1,
                .run = verb_storage,
        },
        {
                .name = "providers",
                .usage = "",
                .help = "list what makes the copies",
                .details = "Lists the providers: the kinds of storage that copies can be made on.",
                .options = no_options,
                .examples = "  vssctl providers\n",
                .run = verb_providers,
        },
        {
                .name = "help",
                .usage = "[VERB]",
                .help = "explain vssctl or one of its verbs",
                .details = "Explains vssctl, or one of its verbs.",
                .options = no_options,
                .examples = "  vssctl help run\n",
                .arguments_max = 1,
                .run = verb_help,
        },
        { .name = NULL },
};

static const struct verb *find_verb(const char *name) {
        for (const struct verb *v = verbs; v->name; v++)
                if (streq(v->name, name))
                        return v;
        return NULL;
}

static const struct option_spec *verb_options(const char *name) {
        const struct verb *v = find_verb(name);

        return v ? v->options : NULL;
}

static int verb_help(const struct cli *cli) {
        const struct verb *v;

        if (strv_length(cli->line.arguments) == 0) {
                help_print(verbs, global_options);
                return EXIT_DONE;
        }
        v = find_verb(cli->line.arguments[0]);
        if (!v) {
                message(MESSAGE_ERROR, "unknown verb '%s'; 'vssctl help' lists them",
                        cli->line.arguments[0]);
                return EXIT_USAGE;
        }
        help_print_verb(v);
        return EXIT_DONE;
}

/* What follows "--" is a command for the verbs that take one, else it is only no option. */
static int settle_command(struct command_line *line, const struct verb *v) {
        if (v->takes_command || v->may_take_command)
                return 0;
        STRV_FOREACH (word, line->command) {
                int r = strv_append(&line->arguments, *word);

                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_complete(const struct cli *cli, const struct verb *v) {
        const char *blank = v->usage[0] != '\0' ? " " : "";
        size_t n = strv_length(cli->line.arguments);
        const char *missing = NULL;

        if (n > v->arguments_max) {
                message(MESSAGE_ERROR, "'%s' is too much; usage: vssctl %s%s%s",
                        cli->line.arguments[v->arguments_max], v->name, blank, v->usage);
                return false;
        }
        if (n < v->arguments_min)
                missing = v->argument;
        else if (v->volumes_or_components && n == 0 &&
                 strv_length(cli->line.options.components) == 0)
                missing = "neither a VOLUME nor a --component";
        else if ((v->takes_command || (v->may_take_command && cli->line.command)) &&
                 strv_length(cli->line.command) == 0)
                missing = "no '-- COMMAND'";
        if (missing)
                message(MESSAGE_ERROR, "there is %s; usage: vssctl %s%s%s", missing, v->name, blank,
                        v->usage);
        return !missing;
}

static int run(struct cli *cli, int argc, char *const argv[]) {
        const struct option_values *options = &cli->line.options;
        _cleanup_(freep) char *error = NULL;
        const struct verb *v;
        int r;

        terminal_init(&cli->terminal, true); /* for messages about the command line */
        r = command_line_parse(&cli->line, argc, argv, global_options, verb_options, &error);
        if (r == -EINVAL) {
                message(MESSAGE_ERROR, "%s", error);
                return EXIT_USAGE;
        }
        if (r < 0)
                return message_out_of_memory();

        terminal_init(&cli->terminal, options->no_color);
        message_init(options->quiet, options->verbose,
                     cli->terminal.errors && terminal_wants_colour(options->no_color));
        progress_init(cli->terminal.errors && !options->quiet);

        if (options->version) {
                printf("vssctl %s\n", VSSD_VERSION);
                return EXIT_DONE;
        }
        if (!cli->line.verb) {
                if (options->help) {
                        help_print(verbs, global_options);
                        return EXIT_DONE;
                }
                message(MESSAGE_ERROR, "no verb was given; 'vssctl help' lists them");
                return EXIT_USAGE;
        }
        v = find_verb(cli->line.verb);
        if (options->help) {
                help_print_verb(v);
                return EXIT_DONE;
        }

        if (settle_command(&cli->line, v) < 0)
                return message_out_of_memory();
        if (!is_complete(cli, v))
                return EXIT_USAGE;
        if (options->host)
                return remote_execute(options->host, cli->line.forward, cli->line.command);
        if (options->address) {
                HRESULT hr = VssSetBusAddress(options->address);

                if (FAILED(hr)) {
                        (void)message_hresult(hr, "--address");
                        return EXIT_USAGE;
                }
        }
        return v->run(cli);
}

int main(int argc, char *argv[]) {
        struct cli cli = { 0 };
        int status;

        status = run(&cli, argc, argv);
        command_line_done(&cli.line);
        progress_clear();

        /* A full disk or a closed pipe must not look like success. */
        if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_DONE) {
                message(MESSAGE_ERROR, "cannot write the output: %s", strerror(errno));
                status = EXIT_FAILED;
        }
        return status;
}
