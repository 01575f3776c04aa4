#pragma once

/* The backup that another is based on: an incremental one on the one before it, a differential one
 * on the last full one. Its writers left stamps in its document, which they are given back. */

#include <vss/vsbackup.h>

/* backup: its components were added. path: the documents of the earlier one (saved-documents.h).
 * EXIT_DONE, or how vssctl ends; has said why. */
int previous_backup_apply(IVssBackupComponents *backup, const char *path);
