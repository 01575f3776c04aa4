#pragma once

/* Who may come in: for a directory of root's that is to let in those whom another one lets in, be
 * it by its owner, its group, others or an ACL. */

#include "common/util.h"

struct directory_access;

/* Of a directory (a path, no link) as it is now. May wait for its storage. */
int directory_access_read(struct directory_access **ret, const char *path);
struct directory_access *directory_access_free(struct directory_access *a);
DEFINE_CLEANUP(struct directory_access, directory_access_free);

/* They may list and enter the directory behind fd, and not change it; NULL: root alone may. At
 * once: who may all the time is never kept out. */
int directory_access_give(const struct directory_access *a, int fd);
