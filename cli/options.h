#pragma once

/* The command line: `vssctl [OPTION...] VERB [OPTION...] [ARGUMENT...] [-- COMMAND...]`, read with
 * const tables of options. Options of a verb stand behind it, those of vssctl itself anywhere. */

#include "common/util.h"

enum option_kind {
        OPTION_FLAG, /* bool */
        OPTION_TEXT, /* const char *: the last one given */
        OPTION_LIST, /* char **: all that were given */
};

/* All values, of vssctl and of every verb. Texts are borrowed from argv. */
struct option_values {
        bool json, quiet, verbose, no_color, help, version;
        const char *address, *host;

        bool keep, force, timeline, null, tree, partial_files, no_initramfs, compare, writable,
                mask, until_boot, transportable, background, ignore_writers, no_wait, status, yes;
        const char *context, *set, *type, *document, *previous, *svg, *name, *format, *share, *path;
        const char *revert_identity, *for_volume, *on_store, *max, *socket, *listen, *tls;
        char **exclude_writers, **components;
};

struct option_spec {
        const char *name; /* without the dashes; NULL ends a table */
        char letter;      /* 0: none */
        enum option_kind kind;
        bool local;    /* means this machine: not handed on by -H */
        size_t offset; /* in struct option_values */
        const char *argument;
        const char *help;
};

#define OPTION_END \
        { .name = NULL }

struct command_line {
        struct option_values options;
        char *verb;           /* borrowed; NULL: none given */
        char **arguments;     /* behind the verb; elements are copies */
        char *const *command; /* behind "--", in argv; NULL: no "--" was given */
        /* The words before "--" again, options as --name=value, without those that are local. */
        char **forward;
};

/* The options of a verb: a table that ends in OPTION_END; NULL if there is no such verb. */
typedef const struct option_spec *(*verb_options_fn)(const char *verb);

/* 0; -EINVAL with *ret_error (owned) a sentence for the user; -ENOMEM. Whatever it returns,
 * command_line_done(). */
int command_line_parse(struct command_line *ret, int argc, char *const argv[],
                       const struct option_spec *globals, verb_options_fn verb_options,
                       char **ret_error);
void command_line_done(struct command_line *c);
