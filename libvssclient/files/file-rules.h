#pragma once

/* Rules that say something about files by where they are: exclude lists, lists of files that need
 * not be in a copy, file sets. Asked for each file of a walk, so a question costs the depth of the
 * path times the logarithm of the number of rules and the number of those with wildcards in one
 * directory, and never the number of all. */

#include "common/vss-error.h"

struct file_rules;

int file_rules_new(struct file_rules **ret, struct vss_error *reterr);
struct file_rules *file_rules_free(struct file_rules *r);
DEFINE_CLEANUP(struct file_rules, file_rules_free);

/* directory: normalised (file-path.h). */
int file_rules_add(struct file_rules *r, const char *directory, const char *spec, bool recursive,
                   struct vss_error *reterr);
/* To be called after the last addition, before the first question. */
void file_rules_seal(struct file_rules *r);

/* Does a rule name this file? r NULL: no. */
bool file_rules_match(const struct file_rules *r, const char *directory, const char *name);
/* Does a rule name every file in this directory and below it? */
bool file_rules_match_tree(const struct file_rules *r, const char *directory);
/* How many rules name this file; enters this directory, because it or one above is recursive? Not
 * counted further than limit. */
size_t file_rules_count(const struct file_rules *r, const char *directory, const char *name,
                        size_t limit);
size_t file_rules_count_entering(const struct file_rules *r, const char *directory, size_t limit);

/* What stands for several directories at the beginning of a line. */
struct file_rules_places {
        char *const *volumes;  /* "$AllVolumes$": mount points, normalised */
        char *const *profiles; /* "$UserProfile$": users' home directories, normalised */
        char *const *writers;  /* that run */
};

/* A machine-wide list: each file of the directory has lines "PATH/SPEC" or
 * "PATH/SPEC /s", '#' begins a comment. A file called like a writer (without ".conf") counts for
 * nothing while it runs: its own list does. A bad line or file is skipped, and told of through
 * on_problem. No such directory: no rules. Each list of places may be NULL. */
typedef void (*file_rules_problem_fn)(void *userdata, const char *sentence);
int file_rules_read(struct file_rules *r, const char *directory,
                    const struct file_rules_places *places, file_rules_problem_fn on_problem,
                    void *userdata, struct vss_error *reterr);
