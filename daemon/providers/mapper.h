#pragma once

/* device-mapper outside the window, through libdevmapper. That library keeps its state in global
 * variables, so one lock serves all of these; its complaints go into the caller's error.
 *
 * Nothing here waits for udev. Devices are resumed by plain requests whose events carry no cookie:
 * for the layers below a volume udev's rules see from the name what they are; what a copy is they
 * are told with mapper_announce(). Each process that a rule starts for an event costs more than the
 * request that caused it. */

#include "common/vss-error.h"
#include <sys/types.h>

struct mapper_info {
        bool exists;
        bool suspended, live_table, inactive_table, read_only;
        bool ends_when_closed; /* somebody has removed it; it is there for who has it open */
        dev_t devno;
        int open_count;
        char name[128];
        char uuid[129];
};

struct mapper_target {
        uint64_t start, length; /* sectors */
        char *type, *params;
};

struct mapper_table {
        struct mapper_target *targets;
        size_t n;
};

/* What udev is told of a copy (libdevmapper.h): nodes, but no links under /dev/disk. */
#define MAPPER_UDEV_COPY                                               \
        (DM_UDEV_DISABLE_DISK_RULES_FLAG | DM_UDEV_LOW_PRIORITY_FLAG | \
         DM_UDEV_DISABLE_LIBRARY_FALLBACK)

void mapper_table_done(struct mapper_table *t);
int mapper_table_add(struct mapper_table *t, uint64_t start, uint64_t length, const char *type,
                     const char *params);
uint64_t mapper_table_length(const struct mapper_table *t);
/* The first target type that is none of these, which end with a NULL; NULL: there is none. */
const char *mapper_table_find_other(const struct mapper_table *t, const char *const *types);

/* A device that does not exist is no error: exists is false. */
int mapper_find_name(const char *name, struct mapper_info *ret, struct vss_error *reterr);
int mapper_find_uuid(const char *uuid, struct mapper_info *ret, struct vss_error *reterr);
/* The live table, and what the targets say of themselves. -ENXIO: no such device. */
int mapper_read_table(const char *name, struct mapper_table *ret, struct vss_error *reterr);
int mapper_read_status(const char *name, struct mapper_table *ret, struct vss_error *reterr);
/* For whoever needs no figures that are of this moment: a thin pool writes its metadata to the disk
 * before it answers the other one. */
int mapper_peek_status(const char *name, struct mapper_table *ret, struct vss_error *reterr);

/* A device that nobody can use yet: its table waits in the inactive slot. */
int mapper_create(const char *name, const char *uuid, const struct mapper_table *table,
                  bool read_only, struct vss_error *reterr);
/* Tells udev what a device is, and brings it to life if it was not. Nobody waits for the links. */
int mapper_announce(const struct mapper_info *device, uint16_t udev_flags,
                    struct vss_error *reterr);
/* Into the inactive slot. */
int mapper_load(const char *name, const struct mapper_table *table, bool read_only,
                struct vss_error *reterr);
/* Makes the inactive table the live one. On a device that is in use this is one step in the
 * kernel: suspend, exchange, resume. */
int mapper_resume(const struct mapper_info *device, struct vss_error *reterr);
/* Without a file system on it: what is under way ends, what comes waits. */
int mapper_suspend(const struct mapper_info *device, struct vss_error *reterr);
/* To the target of a device that has one, e.g. "delete 5" to a thin pool. */
int mapper_message(const char *name, const char *message, struct vss_error *reterr);
int mapper_clear(const char *name, struct vss_error *reterr);
/* Not there is success. -EBUSY: somebody has it open, for a second at least. deferred: then it goes
 * when they close it. The node under /dev/mapper goes at once, udev's links a little later. */
int mapper_remove(const char *name, bool deferred, struct vss_error *reterr);
/* Whether udev makes nodes and links on this host. */
bool mapper_has_udev(void);
/* Makes /dev/mapper/NAME where it does not. */
int mapper_make_node(const char *name, struct vss_error *reterr);
/* Sleeps until udev has nothing to do, but not for long: so that its processes do not compete with
 * the window. */
void mapper_let_udev_finish(void);
