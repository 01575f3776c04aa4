#pragma once

/* The daemon on the bus: org.vssd.Vss1, its objects, its callers. One thread owns it and never
 * blocks. What callers want is done by daemon/session; what writers are told goes through here. */

#include "daemon/session/session.h"
#include "daemon/writers/writer.h"

/* The group whose members may make backups, beside root. */
#define BUS_ACCESS_GROUP "backup"

struct bus;
struct express_writers;

struct bus_options {
        sd_event *event;
        const char *address; /* NULL: the system bus */
        bool allow_self;     /* a private bus: the daemon's own uid may do everything, too */
        struct store *store;
        struct session_manager *sessions;
        struct writer_registry *writers;
        struct express_writers *express;
        const char *revert_block_directory; /* NULL: REVERT_BLOCK_DIRECTORY; stays the caller's */

        void (*ready)(void *userdata);                               /* the name is ours */
        void (*lost)(void *userdata, const struct vss_error *error); /* no bus, or no name */
        void *userdata;
};

/* Connects; the rest (greeting, the name) goes on in the loop and ends in ready() or lost(). Takes
 * over the observers of sessions and writers. */
int bus_new(struct bus **ret, const struct bus_options *options, struct vss_error *reterr);
/* From here on calls are refused and all sessions are ended, as if their owners had gone. */
void bus_stop(struct bus *bus);
/* Every call has its answer, and it was sent. */
bool bus_is_idle(const struct bus *bus);
/* Somebody has a session or a writer. */
bool bus_has_users(const struct bus *bus);
/* Flushes what is queued. Nothing may be under way any more. */
struct bus *bus_free(struct bus *bus);
DEFINE_CLEANUP(struct bus, bus_free);
