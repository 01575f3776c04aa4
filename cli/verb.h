#pragma once

/* What vssctl can do: one verb, one file, one row of the table in main.c. */

#include "cli/exit-status.h"
#include "cli/options.h"
#include "cli/terminal.h"

struct cli {
        struct command_line line;
        struct terminal terminal;
};

struct verb {
        const char *name;
        const char *usage; /* behind the name */
        const char *help;  /* one line */
        const char *details, *examples;
        const struct option_spec *options;
        size_t arguments_min, arguments_max;
        const char *argument;  /* "no ID": what there is without one; if arguments_min is not 0 */
        bool takes_command;    /* behind "--" */
        bool may_take_command; /* or not */
        bool volumes_or_components; /* one of them is needed */
        /* Returns how vssctl ends. Has said what went wrong. */
        int (*run)(const struct cli *cli);
};

int verb_break(const struct cli *cli);
int verb_create(const struct cli *cli);
int verb_delete(const struct cli *cli);
int verb_delta(const struct cli *cli);
int verb_export(const struct cli *cli);
int verb_expose(const struct cli *cli);
int verb_files(const struct cli *cli);
int verb_import(const struct cli *cli);
int verb_list(const struct cli *cli);
int verb_providers(const struct cli *cli);
int verb_revert(const struct cli *cli);
int verb_run(const struct cli *cli);
int verb_show(const struct cli *cli);
int verb_storage(const struct cli *cli);
int verb_timeline(const struct cli *cli);
int verb_unexpose(const struct cli *cli);
int verb_volumes(const struct cli *cli);
/* With arguments: adopt or release one. */
int verb_volumes_change(const struct cli *cli);
int verb_writers(const struct cli *cli);
