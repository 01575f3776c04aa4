#pragma once

/* Where the files of a path are now: which volume it lies on, and where the copy of that volume
 * is. Made once for a backup from the mounts of the machine and the copies of a set; nothing in it
 * asks the kernel. Paths are normalised (file-path.h).
 *
 * A volume that is in the set but not mounted any more, is found at its mount point all the same:
 * its copy has its files. */

#include "common/vss-error.h"

#include <stdio.h>

enum mount_kind {
        MOUNT_LOCAL,
        MOUNT_REMOTE, /* on a network, or in user space: no copy has its files */
        MOUNT_PSEUDO, /* the kernel's: there are no files to keep */
        _MOUNT_KIND_MAX,
};

struct mount {
        char *path;    /* normalised */
        char *root;    /* of the file system, what is mounted here; normalised */
        char *fs_type; /* "" if it is not known */
        char *copy;    /* directory with the copy of the whole file system; NULL: none */
        unsigned major, minor;
        enum mount_kind kind;
};

struct mount_table;

/* mountinfo: as proc(5) has it. A line that is none: VSS_E_UNEXPECTED. */
int mount_table_new(struct mount_table **ret, FILE *mountinfo, struct vss_error *reterr);
struct mount_table *mount_table_free(struct mount_table *t);
DEFINE_CLEANUP(struct mount_table, mount_table_free);

/* volume: a mount point. copy: its directory. Makes this the table of a set: only what has a copy
 * is crossed into. */
int mount_table_add_copy(struct mount_table *t, const char *volume, const char *copy,
                         struct vss_error *reterr);
/* Of a set, even if it has no copies with files. */
void mount_table_set_of_copies(struct mount_table *t);
bool mount_table_is_of_copies(const struct mount_table *t);

/* The mount that path lies on; NULL: none, when even the root is not known. */
const struct mount *mount_table_find(const struct mount_table *t, const char *path);
/* The mount that is at exactly this path; NULL: none. */
const struct mount *mount_table_at(const struct mount_table *t, const char *path);
/* All of them, by path; NULL out of range. */
const struct mount *mount_table_get(const struct mount_table *t, size_t i);

/* Is what is mounted here reached by another way below start as well, which is the one to take?
 * That of the file system whose root is nearest, else the first. */
bool mount_table_is_reached_otherwise(const struct mount_table *t, const struct mount *m,
                                      const char *start);

/* Where to read a path that lies on m, "/..." or in its copy, normalised. */
int mount_locate(char **ret, const struct mount *m, const char *path, bool in_copy);

const char *mount_kind_to_string(enum mount_kind kind);
