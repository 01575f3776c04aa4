#pragma once

/* A question to storage that its asker has answered later: a blocking run() on a worker, then
 * answer() and the asker's done() on the loop. It belongs to itself. Tied to a session it is
 * abandoned with it: the asker hears VSS_E_BAD_STATE at once, the work goes on to its end. */

#include "daemon/session/session.h"

struct inquiry;

struct inquiry_type {
        const char *name; /* of the worker */
        /* Touches only the inquiry's own fields and the store. */
        int (*run)(struct inquiry *q, struct vss_error *reterr);
        /* On the loop, also when abandoned (session NULL, the result is not looked at): what
         * done() gets as result; may turn success into failure and back. */
        const void *(*answer)(struct inquiry *q, int *r, struct vss_error *error);
        void (*free)(struct inquiry *q); /* of what is derived; may be NULL */
};

/* First member of whatever is derived from it. */
struct inquiry {
        const struct inquiry_type *type;
        struct session_manager *manager;
        struct session *session; /* NULL: not tied, or abandoned */
        struct inquiry *next, **pprev;
        session_done_fn done; /* NULL: abandoned */
        void *userdata;
        bool started;
};

/* size: of the derived object. session may be NULL. */
int inquiry_new(struct inquiry **ret, size_t size, const struct inquiry_type *type,
                struct session_manager *m, struct session *session, session_done_fn done,
                void *userdata, struct vss_error *reterr);
/* Only while it has not been started. */
struct inquiry *inquiry_free(struct inquiry *q);
DEFINE_CLEANUP(struct inquiry, inquiry_free);
/* On failure it is still the caller's. */
int inquiry_start(struct inquiry *q, struct vss_error *reterr);
/* Ends with r and error without having run: done() is called and the inquiry freed. */
void inquiry_end(struct inquiry *q, int r, struct vss_error *error);
void inquiry_abandon(struct inquiry *q, struct vss_error *error);
