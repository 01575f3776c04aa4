#pragma once

/* What a connection knows of the service's operations, from its signals or by asking: one record
 * for each that somebody looks at, by its path. A signal of any other is dropped: of one that was
 * released before its end, or of one whose name another thread is just about to learn, which is
 * asked for then. Belongs to the connection; whoever has the connection's turn may look at it. */

#include "common/vss-error.h"
#include <dbus/dbus.h>

struct generation;

struct operation {
        struct operation *next;
        unsigned refs; /* IVssAsync that look at it */
        char *path;
        char *phase; /* NULL: none told yet */
        uint32_t percent;
        bool completed;
        bool asked;     /* its status was asked for by call */
        HRESULT status; /* VSS_S_ASYNC_PENDING until completed */
        char *message;
        struct generation *generation; /* advances when it completes; NULL: none */
};

struct operations {
        struct operation *first;
};

/* The record, made if there is none. NULL: no memory. Whoever asks drops it. */
struct operation *operations_ref(struct operations *list, const char *path);
void operations_unref(struct operations *list, struct operation *o);
void operations_done(struct operations *list);

/* hr: S_OK or a final status of IVssAsync. Without effect if it had completed. */
void operation_complete(struct operation *o, HRESULT hr, const char *message);
/* A signal of the service. True: an operation has completed. */
bool operations_take_signal(struct operations *list, DBusMessage *signal);
