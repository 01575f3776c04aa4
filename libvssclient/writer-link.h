#pragma once

/* A writer's connection to the bus, and its registration with the service: made, lost, and made
 * again. The link obeys only the connection that owns the service's name and took the registration.
 * It belongs to the writer's thread (before that, to Subscribe) and never blocks, but for
 * link_open() and link_register(). */

#include "libvssclient/connection.h"
#include <vss/vswriter.h>

#define WRITER_EVENTS_PATH "/org/vssd/Vss1/events"
#define WRITER_EVENTS_INTERFACE VSS_BUS_NAME ".WriterEvents"

struct writer_identity {
        VSS_ID class_id;
        VSS_ID instance_id;         /* the object's; the service gives another if somebody has it */
        char *name, *instance_name; /* instance_name: NULL: none */
        VSS_USAGE_TYPE usage;
        VSS_SOURCE_TYPE source;
        VSS_APPLICATION_LEVEL level;
        uint32_t freeze_timeout_ms;
        uint32_t major_version, minor_version;
        uint32_t events; /* VSS_SM_...: those to be told */
};
void writer_identity_done(struct writer_identity *i);

struct writer_link;

struct writer_link_handlers {
        /* A call of WRITER_EVENTS_INTERFACE from the service. */
        void (*on_call)(void *userdata, DBusMessage *call);
        /* The service, or the bus, is gone. */
        void (*on_lost)(void *userdata);
};

int link_open(struct writer_link **ret, const struct writer_identity *identity,
              const struct writer_link_handlers *handlers, void *userdata,
              struct vss_error *reterr);
struct writer_link *link_free(struct writer_link *l);
DEFINE_CLEANUP(struct writer_link, link_free);

/* Registers, waiting up to timeout_msec for the service, which the bus may have to start. */
int link_register(struct writer_link *l, int timeout_msec, struct vss_error *reterr);
/* Unregisters and sends what is left, for a second at most. */
void link_goodbye(struct writer_link *l);

VSS_ID link_instance_id(const struct writer_link *l);
void link_send(struct writer_link *l, DBusMessage *reply);

/* For the thread's poll(): -1 without a bus. */
int link_fd(const struct writer_link *l);
short link_poll_events(const struct writer_link *l);
/* When link_process() wants to be called though nothing arrived; USEC_INFINITY: never. */
uint64_t link_deadline_usec(const struct writer_link *l);
/* Reads, writes, dispatches, connects again when it is time. Handlers run from here. */
void link_process(struct writer_link *l);
