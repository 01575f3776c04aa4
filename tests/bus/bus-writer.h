#pragma once

/* An application on the private bus: registers as a writer and answers events on a thread of its
 * own, as it is told to. What it was asked is noted, in one list for all writers of a test. */

#include "tests/bus/harness.h"

#include <pthread.h>
#include <stdatomic.h>

enum bus_writer_answer {
        ANSWER_OK,
        ANSWER_VETO,       /* ok false, VSS_E_WRITERERROR_RETRYABLE, 42, "the fake is not ready" */
        ANSWER_NEVER,      /* no answer */
        ANSWER_NONSENSE,   /* a reply of another signature */
        ANSWER_ERROR,      /* a D-Bus error */
        ANSWER_DISCONNECT, /* the connection goes instead */
};

struct bus_writer {
        DBusConnection *connection;
        pthread_t thread;
        char label[32]; /* in the list of events */
        char name[32], class_id[40], instance_name[32];
        dbus_int32_t level;
        const char *special_event; /* which is answered so: */
        enum bus_writer_answer special;
        const char *metadata; /* what it says in Identify; NULL: a small valid document */
        int metadata_fd;      /* what it says instead, if not 0; the test's */
        char instance_id[40], path[128], unique[32];
        atomic_bool stop;
};

/* The fields up to metadata_fd are the test's. Registers, then serves. */
void bus_writer_start(struct bus_writer *w, const struct harness *h);
/* Without registering; returns RegisterWriter's reply, an error or not. */
DBusMessage *bus_writer_register(struct bus_writer *w, const struct harness *h);
void bus_writer_stop(struct bus_writer *w);

/* "LABEL:Event LABEL:Event ...", in the order of arrival; static, empty at first. */
const char *bus_writer_events(void);
size_t bus_writer_count(const char *label, const char *event);
/* What the details of the latest event of that name said. */
const char *bus_writer_details(const char *event);
void bus_writer_await(const char *label, const char *event, size_t n);
void bus_writer_forget(void);
