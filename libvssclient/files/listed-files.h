#pragma once

/* Which files of a listing were given already. A writer's file sets should not overlap; where they
 * do all the same, each file is given once, with the first set that has it. Only what more than one
 * set names is kept. */

#include "libvssclient/files/file-set.h"

struct listed_files;

int listed_files_new(struct listed_files **ret, struct vss_error *reterr);
struct listed_files *listed_files_free(struct listed_files *l);
DEFINE_CLEANUP(struct listed_files, listed_files_free);

/* A set of the listing: all of them, then the seal, then questions. */
int listed_files_add_set(struct listed_files *l, const struct file_set *set,
                         struct vss_error *reterr);
void listed_files_seal(struct listed_files *l);

/* Is this the first time for this file, or for this directory that is entered? 1; 0; -ENOMEM.
 * l NULL: it is. */
int listed_files_note(struct listed_files *l, const char *directory, const char *name);
int listed_files_note_directory(struct listed_files *l, const char *path);
