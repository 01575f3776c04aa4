#pragma once

/* Types of a backup, as they are typed. */

#include <vss/vss.h>

/* EXIT_DONE, or EXIT_USAGE: it is none, which was said. */
int backup_type_from_text(VSS_BACKUP_TYPE *ret, const char *text);
/* Its name; "other" for what has none. */
const char *backup_type_text(VSS_BACKUP_TYPE type);
