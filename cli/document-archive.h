#pragma once

/* The documents of a backup in one file, as a restore needs them: a tar archive with Manifest.xml,
 * BCDocument.xml and WM0.xml to WMn.xml, the names that they have in diskshadow's. */

#include "cli/backup-set.h"

/* All end with EXIT_DONE or how vssctl ends, and have said why. */

/* Can there be a file, as far as one can tell? Makes none: for before the set is made. */
int document_archive_check(const char *path);
/* Replaces path as a whole, or leaves it as it was. */
int document_archive_write(const char *path, const struct backup_set *s);
/* The end of a backup: tells the writers that it is complete, who may then forget what only its
 * documents still say. So these are on the disk before, and are written anew after it; path is
 * replaced when both are done, as a whole. path NULL: no documents. Also EXIT_PARTIAL, as
 * backup_set_complete(). */
int document_archive_conclude(const char *path, struct backup_set *s);

/* For a local that owns the file of a name: takes both away. */
void document_archive_discard(char **path);
