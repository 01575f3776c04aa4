#pragma once

/* The groups of a user, looked up on a worker: a name service may take its time. */

#include "common/util.h"
#include <sys/types.h>
#include <systemd/sd-event.h>

struct bus_groups_job;
/* From the loop, once, unless abandoned. No groups: the user is unknown. */
typedef void (*bus_groups_fn)(void *userdata, const gid_t *groups, size_t n);

int bus_groups_start(struct bus_groups_job **ret, sd_event *event, uid_t uid, bus_groups_fn done,
                     void *userdata);
/* done() will not be called. Returns NULL. */
struct bus_groups_job *bus_groups_abandon(struct bus_groups_job *j);
