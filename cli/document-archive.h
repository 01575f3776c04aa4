#pragma once

/* The documents of a backup in one file, as a restore needs them: a tar archive with Manifest.xml,
 * BCDocument.xml and WM0.xml to WMn.xml, the names that they have in diskshadow's. */

#include "cli/backup-set.h"

/* Replaces path as a whole, or leaves it as it was. EXIT_DONE, or how vssctl ends; has said why. */
int document_archive_write(const char *path, const struct backup_set *s);
