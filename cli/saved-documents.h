#pragma once

/* The documents of a backup as they were saved: in a tar archive (document-archive.h), or as files
 * of a directory, under the same names. */

#include "common/util.h"

struct saved_documents {
        char *components; /* BCDocument.xml */
        char **metadata;  /* WM0.xml, WM1.xml, ... */
};

/* EXIT_DONE, or how vssctl ends; has said why. */
int saved_documents_read(struct saved_documents *ret, const char *path);
void saved_documents_done(struct saved_documents *d);
