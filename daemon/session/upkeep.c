/* See upkeep.h. The manager has the queue; the first of it is running. */

#include "daemon/session/upkeep.h"

#include "daemon/session/manager-private.h"

static void upkeep_start_first(struct session_manager *m) {
        struct vss_error error = { 0 };
        struct upkeep *u = m->upkeeps;

        if (!u || u->inquiry.started)
                return;
        if (inquiry_start(&u->inquiry, &error) < 0)
                inquiry_end(&u->inquiry, -EAGAIN, &error);
        vss_error_done(&error);
}

int upkeep_queue(struct upkeep *u, struct vss_error *reterr) {
        struct session_manager *m = u->inquiry.manager;
        int r;

        if (!m->upkeeps) {
                r = inquiry_start(&u->inquiry, reterr);
                if (r < 0) {
                        inquiry_free(&u->inquiry);
                        return r;
                }
        }
        *m->upkeeps_tail = u;
        m->upkeeps_tail = &u->next;
        return 0;
}

void upkeep_over(struct upkeep *u) {
        struct session_manager *m = u->inquiry.manager;

        assert(m->upkeeps == u);
        m->upkeeps = u->next;
        if (!m->upkeeps)
                m->upkeeps_tail = &m->upkeeps;
        upkeep_start_first(m);
}
