#pragma once

/* Manifest.xml: what the documents beside it belong to, as diskshadow has it. Volumes, ids and
 * names for people and scripts; a restore needs nothing of it. */

#include "cli/backup-set.h"

/* As text. NULL: no memory. */
char *document_manifest(const struct backup_set *s);
