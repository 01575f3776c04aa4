#pragma once

/* The object tree. Objects are not kept: a path is looked up in its kind each time, and what exists
 * is listed by asking the kinds. */

#include "daemon/bus/bus-call.h"

/* The kind that a path belongs to and, after its directory, the name ("" for the root). NULL: none
 * of ours. */
const struct bus_kind *bus_kind_of_path(const char *path, const char **ret_name);
/* ROOT/directory/name. */
int bus_object_path(char **ret, const struct bus_kind *kind, const char *name);
/* An id as the last part of a path: '-' as '_'. */
#define BUS_ID_NAME_MAX VSS_ID_TEXT_MAX
char *bus_id_name(VSS_ID id, char buf[static BUS_ID_NAME_MAX]);
#define BUS_ID_NAME(id) bus_id_name((id), (char[BUS_ID_NAME_MAX]){ 0 })
/* The reverse; only what bus_id_name() would have written. */
int bus_id_from_name(VSS_ID *ret, const char *name);

/* 0, -ENOENT, -ENOMEM. */
int bus_object_find(struct bus *bus, const char *path, struct bus_object *ret);
/* May the client (NULL: unknown) see it? */
bool bus_object_is_visible(const struct bus_object *o, const struct bus_client *client);

struct bus_objects {
        struct bus_object *items;
        size_t n;
};
void bus_objects_done(struct bus_objects *o);
/* Takes the object over. 0, -ENOMEM (then it is released). */
int bus_objects_add(struct bus_objects *o, struct bus_object *object);
/* All of a kind that the client may see. */
int bus_objects_list(struct bus_objects *o, struct bus *bus, const struct bus_kind *kind,
                     const struct bus_client *client);

/* Completes the sources with what only a worker may ask for, then calls done(), which may happen
 * before the call returns. Takes the objects over; done() may take them from there. */
typedef void (*bus_loaded_fn)(void *userdata, int r, struct bus_objects *objects);
void bus_objects_load(struct bus *bus, struct bus_objects *objects, bus_loaded_fn done,
                      void *userdata);
