#pragma once

/* /etc/vss/adopted: the partitions that are mounted through a mapping of ours, a line for each; see
 * vss-adopted(5). What a line says is enough to find the partition and to know it again. The file
 * is read by the daemon, by the generator and by the service that makes the mapping, at boot too,
 * and nothing in it is trusted: a line that is not right is left out, and the others count. */

#include "common/vss-error.h"

#define ADOPTED_NAME_MAX 48
#define ADOPTED_MAX 256

/* A mapping's name and uuid for device-mapper begin with these. */
#define ADOPTED_NAME_PREFIX "vss-"
#define ADOPTED_UUID_PREFIX "VSSADOPT-"

/* "/etc/vss"; a test puts a directory of its own there. */
extern const char *adopted_directory;

struct adopted {
        char *name;       /* the mapping is /dev/mapper/vss-NAME */
        char *uuid;       /* of the file system */
        char *type;       /* of it: "ext4" */
        char *partuuid;   /* NULL: no partition, or its table has no such ids */
        char *label;      /* NULL: none */
        char *partlabel;  /* NULL: none */
        char *map;        /* device-mapper's UUID of the multipath map that it is; NULL: none */
        char **sources;   /* how else fstab spelled it */
        char **respelled; /* "SPEC TARGET" as fstab had them, for lines that adoption changed */
        uint64_t size;    /* bytes, when it was adopted */
        bool root;        /* the initramfs makes the mapping */
        bool pending;     /* adoption or release was not finished: nothing comes of the line */
};

struct adopted_list {
        struct adopted *items;
        size_t n;
        char **complaints; /* of lines that were left out */
};

void adopted_done(struct adopted *a);
int adopted_copy(struct adopted *ret, const struct adopted *a);
/* The mapping must not have an end that device-mapper's layers below a snapshotted volume have. */
bool adopted_name_is_valid(const char *name);
/* A valid name, with room for a number behind it: "/srv/a b" -> "srv-a-b". 0, -ENOMEM. */
int adopted_name_suggest(char **ret, const char *from);

/* No file is an empty list. */
int adopted_list_read(struct adopted_list *ret, struct vss_error *reterr);
void adopted_list_done(struct adopted_list *list);
const struct adopted *adopted_list_find(const struct adopted_list *list, const char *name);

/* Replaces the line of that name, or adds one; other lines stay to the byte. */
int adopted_put(const struct adopted *a, struct vss_error *reterr);
/* Not there is success. */
int adopted_drop(const char *name, struct vss_error *reterr);

/* Does this first field of an fstab line mean the partition, by what the line itself says? */
bool adopted_is_meant(const struct adopted *a, const char *spec);
/* Does it mean the mapping only, and lead nowhere without it? */
bool adopted_is_mapping(const struct adopted *a, const char *spec);
/* "vss-NAME", "VSSADOPT-NAME". 0, -ENOMEM. */
int adopted_mapping_name(char **ret, const struct adopted *a);
int adopted_mapping_uuid(char **ret, const struct adopted *a);
