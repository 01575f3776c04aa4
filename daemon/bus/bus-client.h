#pragma once

/* A caller: one connection to the bus, by its unique name, and everything that it made us keep:
 * its calls, its sessions, its writers. It exists from its first message until it leaves the bus,
 * and takes all of that with it.
 *
 * Who it is (uid, groups, pid) is asked of the bus once, without waiting; until the answer comes
 * its calls wait. */

#include "daemon/bus/bus-table.h"
#include "daemon/session/session.h"
#include <sys/types.h>

/* What one caller may make us keep. Beyond a limit a call is refused with OutOfMemory. */
#define BUS_CLIENT_SESSIONS_MAX 64U
#define BUS_CLIENT_WRITERS_MAX 512U
#define BUS_CLIENT_CALLS_MAX 256U
#define BUS_CLIENT_BYTES_MAX ((size_t)32 * 1024 * 1024) /* in arguments of unanswered calls */
/* In the documents of its sessions: some writers' of a million files each. */
#define BUS_CLIENT_DOCUMENTS_MAX ((size_t)1024 * 1024 * 1024)

enum bus_client_state {
        BUS_CLIENT_NEW,     /* nobody has asked who it is */
        BUS_CLIENT_ASKING,  /* the bus was asked */
        BUS_CLIENT_GROUPS,  /* the bus did not say its groups: a worker looks them up */
        BUS_CLIENT_KNOWN,   /* uid and groups are there */
        BUS_CLIENT_UNKNOWN, /* the bus could not say: those that wait are refused, then NEW again */
};

struct bus_groups_job;
struct bus_session;
struct writer_peer;

struct bus_client {
        struct bus *bus;
        struct bus_client *next, **pprev;
        char *name; /* ":1.42" */
        bool gone;  /* it has left the bus: nothing is sent to it any more */

        enum bus_client_state state;
        uid_t uid;
        pid_t pid; /* 0: the bus did not say */
        gid_t *groups;
        size_t n_groups;
        DBusPendingCall *asking;
        struct bus_groups_job *groups_job;

        struct bus_call *calls; /* unanswered, the oldest first */
        unsigned n_calls;
        size_t bytes;
        struct bus_session *sessions;
        unsigned n_sessions;
        struct session_account documents;
        struct writer_peer *writers;
        unsigned n_writers;
};

struct bus_client *bus_client_find(struct bus *bus, const char *name);
/* Finds or makes it. */
int bus_client_get(struct bus_client **ret, struct bus *bus, const char *name);
/* It left the bus, or the daemon stops: sessions end, writers go, calls lose their asker. */
struct bus_client *bus_client_free(struct bus_client *c);
/* The daemon stops: its sessions end and what it waits for is cancelled; its writers stay. */
void bus_client_end_work(struct bus_client *c);

static inline bool bus_client_is_identified(const struct bus_client *c) {
        return c->state == BUS_CLIENT_KNOWN || c->state == BUS_CLIENT_UNKNOWN;
}
/* Begins to ask who it is, unless that was done; its waiting calls go on when it is known. */
void bus_client_identify(struct bus_client *c);
bool bus_client_has_group(const struct bus_client *c, gid_t group);
