#pragma once

/* The files under /etc/vss/writers.d: read only if nobody but root (and ourselves, who are root in
 * service) can have written them, because what they name is run as root. */

#include "writers/hook/hook-config.h"

/* Opens the directory: no link, ours or root's, not writable by others. */
int hook_directory_open(int *ret_fd, const char *path, struct ini_error *reterr);
/* The names in it that count: "*.conf", not hidden; sorted. NULL if there are none. */
int hook_directory_list(char ***ret, int directory_fd);
/* Reads and checks one. directory_fd: AT_FDCWD with a path is fine. -EINVAL: reterr says why. */
int hook_file_load(struct hook_config **ret, int directory_fd, const char *name,
                   struct ini_error *reterr);
