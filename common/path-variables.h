#pragma once

/* Variables in the paths of documents: ${NAME} and %NAME% are the same, and the case of letters in
 * NAME does not matter. There is a fixed table of them, and NAME=VALUE lines in
 * /etc/vss/environment, which may replace the fixed ones; never the environment of a process, so
 * that a path means the same to everybody. What a variable holds is not looked at again. A '%' or
 * '$' that begins no variable stands for itself; ${percent} and ${dollar} always do. */

#include "common/vss-error.h"

#define PATH_VARIABLES_FILE "/etc/vss/environment"

struct path_variables;

/* Reads file, which need not exist. E_INVALIDARG names the line that is not understood. */
int path_variables_load(struct path_variables **ret, const char *file, struct vss_error *reterr);
struct path_variables *path_variables_free(struct path_variables *v);
DEFINE_CLEANUP(struct path_variables, path_variables_free);
/* NULL: not defined. */
const char *path_variables_get(const struct path_variables *v, const char *name);

/* *ret (malloc'ed): path with its variables replaced. E_INVALIDARG names the one that is not
 * defined. */
int path_variables_replace(const struct path_variables *v, const char *path, char **ret,
                           struct vss_error *reterr);
/* The same with PATH_VARIABLES_FILE, which is read again when it has changed. Any thread. */
int path_variables_expand(char **ret, const char *path, struct vss_error *reterr);
/* Does the path have one, defined or not? */
bool path_has_variables(const char *path);
