/* Help texts, printed from the same tables that the command line is read with. */

#include "cli/help.h"

#include <stdio.h>

#define HELP_COLUMN 34

static void print_option(const struct option_spec *o) {
        int n;

        n = printf("  ");
        n += o->letter ? printf("-%c, ", o->letter) : printf("    ");
        n += printf("--%s%s%s", o->name, o->argument ? " " : "", str_or_empty(o->argument));
        printf("%*s%s\n", n < HELP_COLUMN ? HELP_COLUMN - n : 1, "", o->help);
}

static void print_options(const struct option_spec *options) {
        for (const struct option_spec *o = options; o->name; o++)
                print_option(o);
}

void help_print(const struct verb *verbs, const struct option_spec *globals) {
        printf("Usage: vssctl [OPTION...] VERB [OPTION...] [ARGUMENT...]\n"
               "\n"
               "Point-in-time copies of volumes, consistent for the applications on them.\n"
               "\n"
               "Verbs:\n");
        for (const struct verb *v = verbs; v->name; v++) {
                int n = printf("  %s %s", v->name, v->usage);

                /* A long usage has its explanation below it. */
                if (n >= HELP_COLUMN - 1)
                        n = printf("\n") - 1;
                printf("%*s%s\n", HELP_COLUMN - n, "", v->help);
        }
        printf("\nOptions:\n");
        print_options(globals);
        printf("\n"
               "A VOLUME is a mount point, a block device, vg/lv, UUID=..., LABEL=...,\n"
               "PARTUUID=... or PARTLABEL=....\n"
               "'vssctl help VERB' says more about a verb; so does vssctl(8).\n");
}

void help_print_verb(const struct verb *verb) {
        printf("Usage: vssctl %s%s%s\n\n%s\n", verb->name, verb->usage[0] != '\0' ? " " : "",
               verb->usage, verb->details);
        if (verb->options->name) {
                printf("\nOptions:\n");
                print_options(verb->options);
        }
        printf("\nExamples:\n%s", verb->examples);
}
