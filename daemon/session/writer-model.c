/* The metadata of gathered writers, read: what components a writer has, and their files. A document
 * may have a million entries, so that it is read on a worker, when something is first asked of it,
 * and let go as soon as nothing can be asked any more. Whoever asks meanwhile waits for the one
 * reading. */

#include "daemon/log/log.h"
#include "daemon/session/session-private.h"

struct writer_model {
        struct writer_model *next;
        VSS_ID instance_id;
        struct writer_metadata *metadata;
        struct file_set_index *files; /* of it; NULL: not in a restore */
        size_t size;                  /* of its text: the model takes about as much */
};

struct reading_waiter {
        struct reading_waiter *next;
        session_done_fn done;
        void *userdata;
};

struct writer_reading {
        struct inquiry inquiry;
        struct writer_reading *next, **pprev; /* of the session */
        VSS_ID instance_id;
        struct document *document;
        const char *text; /* of it */
        bool wants_files;
        struct writer_metadata *metadata;
        struct file_set_index *files;
        struct reading_waiter *waiters;
};

static struct writer_model *session_find_model(const struct session *s, VSS_ID instance_id) {
        for (struct writer_model *m = s->models; m; m = m->next)
                if (vss_id_equal(m->instance_id, instance_id))
                        return m;
        return NULL;
}

const struct writer_metadata *session_model(const struct session *s, VSS_ID instance_id) {
        const struct writer_model *m = session_find_model(s, instance_id);

        return m ? m->metadata : NULL;
}

const struct file_set_index *session_model_files(const struct session *s, VSS_ID instance_id) {
        const struct writer_model *m = session_find_model(s, instance_id);

        return m ? m->files : NULL;
}

size_t session_models_memory(const struct session *s) {
        size_t bytes = 0;

        for (const struct writer_model *m = s->models; m; m = m->next)
                bytes += sizeof(*m) + m->size;
        return bytes;
}

void session_drop_models(struct session *s) {
        while (s->models) {
                struct writer_model *m = s->models;

                s->models = m->next;
                file_set_index_free(m->files);
                session_discard_metadata(s->manager, m->metadata, m->size);
                free(m);
        }
        session_charge(s);
}

static void reading_unlink(struct writer_reading *r) {
        if (!r->pprev)
                return;
        *r->pprev = r->next;
        if (r->next)
                r->next->pprev = r->pprev;
        r->next = NULL;
        r->pprev = NULL;
}

static void reading_free(struct inquiry *q) {
        struct writer_reading *r = (struct writer_reading *)q;

        assert(!r->waiters);

        file_set_index_free(r->files);
        writer_metadata_free(r->metadata);
        document_unref(r->document);
}

static int reading_run(struct inquiry *q, struct vss_error *reterr) {
        struct writer_reading *r = (struct writer_reading *)q;

        int k;

        k = writer_metadata_parse(&r->metadata, r->text, document_size(r->document), reterr);
        if (k >= 0 && r->wants_files && file_set_index_new(&r->files, r->metadata) < 0)
                k = vss_error_from_errno(reterr, -ENOMEM, "Reading a writer's metadata");
        return k;
}

static int session_keep_model(struct session *s, struct writer_reading *r,
                              struct vss_error *reterr) {
        struct writer_model *m;

        m = calloc(1, sizeof(*m));
        if (!m)
                return vss_error_from_errno(reterr, -ENOMEM, "Reading a writer's metadata");
        m->instance_id = r->instance_id;
        m->size = document_size(r->document);
        m->metadata = TAKE_PTR(r->metadata);
        m->files = TAKE_PTR(r->files);
        m->next = s->models;
        s->models = m;
        session_charge(s);
        return 0;
}

static const void *reading_answer(struct inquiry *q, int *r, struct vss_error *error) {
        struct writer_reading *reading = (struct writer_reading *)q;

        if (q->session && *r >= 0)
                *r = session_keep_model(q->session, reading, error);
        return NULL;
}

static void reading_done(void *userdata, int r, const void *result _unused_,
                         struct vss_error *error) {
        struct writer_reading *reading = userdata;

        reading_unlink(reading); /* at its end, or the session's */
        while (reading->waiters) {
                struct reading_waiter *w = reading->waiters;

                reading->waiters = w->next;
                w->done(w->userdata, r, NULL, error);
                free(w);
        }
}

static const struct inquiry_type reading_type = {
        .name = "vss-metadata",
        .run = reading_run,
        .answer = reading_answer,
        .free = reading_free,
};

static int reading_start(struct writer_reading **ret, struct session *s,
                         const struct participant_info *info, struct vss_error *reterr) {
        struct writer_reading *r;
        struct inquiry *q;
        int k;

        k = session_check_room_for(s, document_size(info->metadata), reterr);
        if (k < 0)
                return k;
        k = inquiry_new(&q, sizeof(*r), &reading_type, s->manager, s, reading_done, NULL, reterr);
        if (k < 0)
                return k;
        q->userdata = q;
        r = (struct writer_reading *)q;
        r->instance_id = info->instance_id;
        r->wants_files = session_is_restore(s);
        r->document = document_ref(info->metadata);
        r->text = document_text(r->document); /* here: it may map the document */
        k = r->text ? inquiry_start(q, reterr)
                    : vss_error_from_errno(reterr, -ENOMEM, "Reading a writer's metadata");
        if (k < 0) {
                inquiry_free(q);
                return k;
        }
        r->next = s->readings;
        r->pprev = &s->readings;
        if (r->next)
                r->next->pprev = &r->next;
        s->readings = r;
        *ret = r;
        return 0;
}

static struct writer_reading *session_find_reading(const struct session *s, VSS_ID instance_id) {
        for (struct writer_reading *r = s->readings; r; r = r->next)
                if (vss_id_equal(r->instance_id, instance_id))
                        return r;
        return NULL;
}

int session_read_model(struct session *s, const struct participant_info *info, session_done_fn done,
                       void *userdata, struct vss_error *reterr) {
        struct writer_reading *reading = session_find_reading(s, info->instance_id);
        struct reading_waiter *waiter, **last;
        int r;

        if (!info->metadata)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "Writer %s gave no metadata, so that it has no components",
                                     info->name);
        waiter = calloc(1, sizeof(*waiter));
        if (!waiter)
                return vss_error_from_errno(reterr, -ENOMEM, "Reading a writer's metadata");
        *waiter = (struct reading_waiter){ .done = done, .userdata = userdata };
        if (!reading) {
                r = reading_start(&reading, s, info, reterr);
                if (r < 0) {
                        free(waiter);
                        return r;
                }
        }
        /* In the order of the calls. */
        for (last = &reading->waiters; *last; last = &(*last)->next)
                ;
        *last = waiter;
        return 0;
}
