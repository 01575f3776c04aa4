/* Questions to storage: a job with an asker who may be gone before it ends. */

#include "daemon/session/inquiry.h"

#include "daemon/job/job.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/session-private.h"

static void inquiry_unlink(struct inquiry *q) {
        if (!q->pprev)
                return;
        *q->pprev = q->next;
        if (q->next)
                q->next->pprev = q->pprev;
        q->next = NULL;
        q->pprev = NULL;
}

int inquiry_new(struct inquiry **ret, size_t size, const struct inquiry_type *type,
                struct session_manager *m, struct session *session, session_done_fn done,
                void *userdata, struct vss_error *reterr) {
        struct inquiry *q;

        assert(size >= sizeof(*q));

        q = calloc(1, size);
        if (!q)
                return vss_error_from_errno(reterr, -ENOMEM, type->name);
        q->type = type;
        q->manager = m;
        q->done = done;
        q->userdata = userdata;
        m->n_inquiries++;
        if (session) {
                q->session = session;
                q->next = session->inquiries;
                q->pprev = &session->inquiries;
                if (q->next)
                        q->next->pprev = &q->next;
                session->inquiries = q;
        }
        *ret = q;
        return 0;
}

static void inquiry_destroy(struct inquiry *q) {
        inquiry_unlink(q);
        q->manager->n_inquiries--;
        if (q->type->free)
                q->type->free(q);
        free(q);
}

struct inquiry *inquiry_free(struct inquiry *q) {
        if (!q)
                return NULL;
        assert(!q->started);

        inquiry_destroy(q);
        return NULL;
}

void inquiry_end(struct inquiry *q, int r, struct vss_error *error) {
        const void *result = q->type->answer(q, &r, error);
        session_done_fn done = q->done;

        /* Off the list first: whoever is answered may free the session. */
        inquiry_unlink(q);
        q->session = NULL;
        q->done = NULL;
        if (done)
                done(q->userdata, r, result, error);
        inquiry_destroy(q);
}

static int inquiry_run(struct job *job _unused_, void *userdata, struct vss_error *reterr) {
        struct inquiry *q = userdata;

        return q->type->run(q, reterr);
}

static void inquiry_on_job(void *userdata, int r, struct vss_error *error) {
        struct inquiry *q = userdata;

        if (r < 0 && error->hr == S_OK)
                (void)vss_error_from_errno(error, r, q->type->name);
        inquiry_end(q, r, error);
}

int inquiry_start(struct inquiry *q, struct vss_error *reterr) {
        int r;

        r = job_start(NULL, q->manager->event, q->type->name, inquiry_run, inquiry_on_job, q);
        if (r < 0)
                return vss_error_from_errno(reterr, r, q->type->name);
        q->started = true;
        return 0;
}

void inquiry_abandon(struct inquiry *q, struct vss_error *error) {
        session_done_fn done = q->done;

        inquiry_unlink(q);
        q->session = NULL;
        q->done = NULL;
        if (done)
                done(q->userdata, -EBADFD, NULL, error);
}
