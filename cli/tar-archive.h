#pragma once

/* Small text files in one: ustar, as POSIX has it. What is written is read by every tar; what is
 * read may be anybody's: of members that are not wanted nothing is believed but their size. */

#include "common/util.h"

#include <stdio.h>

/* Failures of the stream show when it is closed. */
void tar_archive_add(FILE *f, const char *name, const char *text);
void tar_archive_end(FILE *f);

#define TAR_ARCHIVE_NAME_MAX 101

/* Goes to the next regular file: 1, with its name, a "./" before it taken off, and its size; 0: the
 * end; -EBADMSG: this is no archive, or a damaged one; -EIO. */
int tar_archive_next(FILE *f, char ret_name[static TAR_ARCHIVE_NAME_MAX], uint64_t *ret_size);
/* The content of the file that was gone to, of this size, 0-terminated. -EBADMSG: it ends before,
 * or has a NUL in it, so it is no text; -ENOMEM. */
int tar_archive_read(FILE *f, uint64_t size, char **ret);
/* The same of a file that stands alone. */
int tar_archive_read_text(FILE *f, uint64_t size, char **ret);
/* Or goes past it. */
int tar_archive_skip(FILE *f, uint64_t size);
