#pragma once

/* Finds the files of a file set, one by one: nothing is kept of those that were found. Directories
 * are opened from directories, links are never followed, names are bytes. The mounts below decide
 * where a file is read (mount-table.h); rules are asked by where a file belongs. */

#include "libvssclient/files/file-rules.h"
#include "libvssclient/files/file-set.h"
#include "libvssclient/files/listed-files.h"
#include "libvssclient/files/mount-table.h"
#include "libvssclient/files/partial-files.h"
#include <vss/vsfiles.h>

struct file_walk {
        const struct mount_table *mounts;
        /* Each may be NULL. */
        const struct file_rules *excludes, *machine_excludes;
        const struct file_rules *blanks, *machine_blanks; /* not in copies */
        const struct partial_files *partials;             /* left out: they are walked alone */
        struct listed_files *listed;                      /* left out, and added to */
        /* A negative result ends the walk, which returns it. */
        int (*on_file)(void *userdata, const VSS_FILE *file);
        int (*on_problem)(void *userdata, const VSS_FILE_PROBLEM *problem);
        void *userdata;
};

/* 0; what a handler returned; -ENOMEM. */
int file_walk_set(const struct file_walk *w, const struct file_set *set);
/* One file by name, which must be there. */
int file_walk_partial(const struct file_walk *w, const struct partial_file *file);
/* Its ranges file, if it has one: the original, as the writer may have written it after the copy
 * was made. */
int file_walk_ranges_file(const struct file_walk *w, const struct partial_file *file);
