/* What takes long with a large Backup Components Document is done on a worker: the loop owes others
 * a Thaw in time. One piece of work after the other, in their order, and each has the document for
 * itself: what would change it meanwhile is refused (session_enter), and an operation ends when
 * what its writers answered has been taken. Small documents, as nearly all are, are worked on where
 * they are, at once. */

#include "daemon/session/session-private.h"

#include "common/vss-id.h"
#include "daemon/job/job.h"
#include "daemon/log/log.h"

/* A few ms for each MiB, and in memory a document is several times its text. */
#define LARGE_DOCUMENT ((size_t)8 * 1024 * 1024)
#define LARGE_ANSWER ((size_t)DOCUMENT_INLINE_MAX)

bool session_document_is_large(const struct session *s) {
        return s->work || session_document_memory(s) > LARGE_DOCUMENT;
}

size_t session_document_memory(const struct session *s) {
        /* Work under way counts what it adds; it is charged when it is done. */
        return s->work || !s->document ? s->document_charged : backup_document_memory(s->document);
}

/* --- the queue --- */

static void work_next(struct session *s);

static void work_free(struct inquiry *q) {
        struct document_work *w = (struct document_work *)q;

        if (w->type->free)
                w->type->free(w);
        session_discard_document(q->manager, w->document);
}

static int work_run(struct inquiry *q, struct vss_error *reterr) {
        struct document_work *w = (struct document_work *)q;

        return w->type->run(w, reterr);
}

static const void *work_answer(struct inquiry *q, int *r, struct vss_error *error) {
        struct document_work *w = (struct document_work *)q;
        struct session *s = q->session;

        if (!s)
                return NULL;
        assert(s->work == w);

        s->work = w->next;
        s->last_work = s->work ? s->last_work : NULL;
        session_charge(s);
        work_next(s);
        return w->type->answer ? w->type->answer(w, s, r, error) : NULL;
}

static const struct inquiry_type work_type = {
        .name = "vss-document",
        .run = work_run,
        .answer = work_answer,
        .free = work_free,
};

/* Starts the first that can be started; the others end with their failure. */
static void work_next(struct session *s) {
        while (s->work && !s->work->inquiry.started) {
                struct document_work *w = s->work;
                struct vss_error error = { 0 };
                int r;

                r = inquiry_start(&w->inquiry, &error);
                if (r < 0)
                        inquiry_end(&w->inquiry, r, &error); /* goes on with the next */
                vss_error_done(&error);
                if (r < 0)
                        return;
        }
}

static int document_work_new(struct document_work **ret, size_t size,
                             const struct document_work_type *type, struct session *s,
                             session_done_fn done, void *userdata, struct vss_error *reterr) {
        struct document_work *w;
        struct inquiry *q;
        int r;

        r = inquiry_new(&q, size, &work_type, s->manager, s, done, userdata, reterr);
        if (r < 0)
                return r;
        w = (struct document_work *)q;
        w->type = type;
        w->document = backup_document_ref(s->document);
        *ret = w;
        return 0;
}

static int document_work_start(struct document_work *w, struct vss_error *reterr) {
        struct session *s = w->inquiry.session;
        int r;

        if (!s->work) {
                s->document_charged = backup_document_memory(s->document);
                r = inquiry_start(&w->inquiry, reterr);
                if (r < 0)
                        return r;
                s->work = w;
        } else
                s->last_work->next = w;
        s->last_work = w;
        return 0;
}

/* The session ends: what has begun goes on to its end without it, the rest goes. */
void session_drop_work(struct session *s, struct vss_error *error) {
        struct document_work *w = s->work;

        s->work = s->last_work = NULL;
        while (w) {
                struct document_work *next = w->next;
                bool started = w->inquiry.started;

                inquiry_abandon(&w->inquiry, error);
                if (!started)
                        inquiry_free(&w->inquiry);
                w = next;
        }
}

/* --- SaveAsXML and GetWriterComponents: the document, or one writer's part of it, as text --- */

struct printing {
        struct document_work work;
        bool whole;
        bool hands_over;                  /* a set, to whoever reads it */
        struct backup_writer_info writer; /* whose part */
        struct document *text;
};

static int print(const struct backup_document *d, bool whole,
                 const struct backup_writer_info *writer, struct document **ret,
                 struct vss_error *reterr) {
        char *text = NULL;
        size_t size = 0;
        int r;

        r = whole ? backup_document_to_xml(d, &text, &size, reterr)
                  : backup_document_extract(d, writer, false, &text, &size, reterr);
        if (r < 0)
                return r;
        return document_new(ret, text, size, reterr);
}

static int printing_run(struct document_work *w, struct vss_error *reterr) {
        struct printing *p = (struct printing *)w;
        int r;

        r = print(w->document, p->whole, &p->writer, &p->text, reterr);
        if (r >= 0 && document_prepare(p->text) < 0)
                r = vss_error_from_errno(reterr, -ENOMEM, "The document");
        return r;
}

static const void *printing_answer(struct document_work *w, struct session *s, int *r,
                                   struct vss_error *error _unused_) {
        const struct printing *p = (const struct printing *)w;

        if (*r >= 0 && p->hands_over)
                s->handed_over = true;
        return p->text;
}

static void printing_free(struct document_work *w) {
        document_unref(((struct printing *)w)->text);
}

static const struct document_work_type printing_type = {
        .run = printing_run,
        .answer = printing_answer,
        .free = printing_free,
};

/* Whether the whole document has a set for another host in it. */
static bool describes_set(const struct session *s) {
        return s->set_created && !s->imported && (s->context & VSS_VOLSNAP_ATTR_TRANSPORTABLE);
}

int session_print(struct session *s, const struct backup_writer_info *writer, struct document **ret,
                  session_done_fn done, void *userdata, struct vss_error *reterr) {
        struct document_work *w;
        struct printing *p;
        int r;

        if (!session_document_is_large(s)) {
                r = print(s->document, !writer, writer, ret, reterr);
                if (r >= 0 && !writer && describes_set(s))
                        s->handed_over = true;
                return r < 0 ? r : 1;
        }
        r = document_work_new(&w, sizeof(*p), &printing_type, s, done, userdata, reterr);
        if (r < 0)
                return r;
        p = (struct printing *)w;
        p->whole = !writer;
        p->hands_over = !writer && describes_set(s);
        if (writer)
                p->writer = *writer; /* its name is in the document, which nobody changes */
        r = document_work_start(w, reterr);
        if (r < 0)
                inquiry_free(&w->inquiry);
        return r;
}

/* --- the writers' parts for an operation with events, printed before it begins --- */

struct parting {
        struct document_work work;
        struct session_parts *parts;
        bool selected_only;
};

struct session_parts *session_parts_free(struct session_parts *p) {
        if (!p)
                return NULL;
        for (size_t i = 0; i < p->n; i++) {
                document_unref(p->items[i].document);
                free(p->items[i].instance_name);
        }
        free(p);
        return NULL;
}

static int part_print(const struct backup_document *d, struct session_part *part,
                      bool selected_only, struct vss_error *reterr) {
        const struct backup_writer_info writer = { .instance_id = part->instance_id,
                                                   .writer_id = part->class_id,
                                                   .instance_name = part->instance_name };
        char *text = NULL;
        size_t size = 0;
        int r;

        r = backup_document_extract(d, &writer, selected_only, &text, &size, reterr);
        if (r >= 0 && text)
                r = document_new(&part->document, text, size, reterr);
        if (r >= 0 && part->document && document_prepare(part->document) < 0)
                r = vss_error_from_errno(reterr, -ENOMEM, "The writers' components");
        return r;
}

static int parting_run(struct document_work *w, struct vss_error *reterr) {
        struct parting *p = (struct parting *)w;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < p->parts->n; i++)
                r = part_print(w->document, &p->parts->items[i], p->selected_only, reterr);
        return r;
}

static const void *parting_answer(struct document_work *w, struct session *s, int *r,
                                  struct vss_error *error _unused_) {
        struct parting *p = (struct parting *)w;

        if (*r >= 0 && s->operation.async)
                s->operation.parts = TAKE_PTR(p->parts);
        return NULL;
}

static void parting_free(struct document_work *w) {
        session_parts_free(((struct parting *)w)->parts);
}

static const struct document_work_type parting_type = {
        .run = parting_run,
        .answer = parting_answer,
        .free = parting_free,
};

static int parts_new(struct session_parts **ret, const struct session *s) {
        _cleanup_(session_parts_freep) struct session_parts *p = NULL;
        size_t n = participants_count(s->participants);

        p = calloc(1, sizeof(*p) + n * sizeof(*p->items));
        if (!p)
                return -ENOMEM;
        for (; p->n < n; p->n++) {
                struct session_part *part = &p->items[p->n];
                struct participant_info info;

                participants_get(s->participants, p->n, &info);
                part->instance_id = info.instance_id;
                part->class_id = info.class_id;
                if (info.instance_name) {
                        part->instance_name = strdup(info.instance_name);
                        if (!part->instance_name)
                                return -ENOMEM;
                }
        }
        *ret = TAKE_PTR(p);
        return 0;
}

int session_make_parts(struct session *s, bool selected_only, session_done_fn done,
                       struct vss_error *reterr) {
        struct document_work *w;
        struct parting *p;
        int r;

        if (!s->participants || !session_document_is_large(s))
                return 1;
        r = document_work_new(&w, sizeof(*p), &parting_type, s, done, s, reterr);
        if (r < 0)
                return r;
        p = (struct parting *)w;
        p->selected_only = selected_only;
        r = parts_new(&p->parts, s);
        if (r < 0)
                (void)vss_error_from_errno(reterr, r, "The writers' components");
        else
                r = document_work_start(w, reterr);
        if (r < 0)
                inquiry_free(&w->inquiry);
        return r;
}

/* --- what a writer made of its components --- */

struct merging {
        struct document_work work;
        struct document *given;
        const char *text;
        enum backup_phase phase;
        VSS_ID instance_id, class_id;
        char *instance_name, *name;
        enum writer_event_type type;
};

static void merge_failed(const char *name, enum writer_event_type type,
                         const struct vss_error *error) {
        log_full(LOG_WARNING, (&(const struct log_fields){ .writer = name }),
                 "What writer %s changed in its components in %s is lost: %s", name,
                 writer_event_type_to_string(type), str_or_empty(error->message));
}

static int merging_run(struct document_work *w, struct vss_error *reterr) {
        struct merging *m = (struct merging *)w;
        const struct backup_writer_info writer = { .instance_id = m->instance_id,
                                                   .writer_id = m->class_id,
                                                   .instance_name = m->instance_name };

        return backup_document_merge(w->document, &writer, m->phase, m->text,
                                     document_size(m->given), reterr);
}

static void merging_done(void *userdata, int r, const void *result _unused_,
                         struct vss_error *error) {
        struct merging *m = userdata;

        if (r < 0 && error->hr != VSS_E_BAD_STATE)
                merge_failed(m->name, m->type, error);
}

static const void *merging_answer(struct document_work *w _unused_, struct session *s,
                                  int *r _unused_, struct vss_error *error _unused_) {
        assert(s->n_merges > 0);
        s->n_merges--;
        if (s->n_merges == 0)
                session_turn(s->merged_turn);
        return NULL;
}

static void merging_free(struct document_work *w) {
        struct merging *m = (struct merging *)w;

        document_unref(m->given);
        free(m->instance_name);
        free(m->name);
}

static const struct document_work_type merging_type = {
        .run = merging_run,
        .answer = merging_answer,
        .free = merging_free,
};

static int merging_fill(struct merging *m, const struct participant_info *info,
                        struct document *components) {
        const char *instance_name = info->instance_name;

        m->instance_id = info->instance_id;
        m->class_id = info->class_id;
        m->given = document_ref(components);
        m->text = document_text(components); /* here: it may map the document */
        m->name = strdup(info->name);
        m->instance_name = instance_name ? strdup(instance_name) : NULL;
        return m->text && m->name && (m->instance_name || !instance_name) ? 0 : -ENOMEM;
}

static int merge_later(struct session *s, const struct participant_info *info,
                       enum writer_event_type type, enum backup_phase phase,
                       struct document *components, struct vss_error *reterr) {
        struct document_work *w;
        struct merging *m;
        int r;

        r = document_work_new(&w, sizeof(*m), &merging_type, s, merging_done, NULL, reterr);
        if (r < 0)
                return r;
        w->inquiry.userdata = w;
        m = (struct merging *)w;
        m->type = type;
        m->phase = phase;
        r = merging_fill(m, info, components);
        if (r < 0)
                (void)vss_error_from_errno(reterr, r, "Reading what the writer changed");
        else
                r = document_work_start(w, reterr);
        if (r < 0)
                inquiry_free(&w->inquiry);
        else
                s->n_merges++;
        return r;
}

static int merge_now(struct session *s, const struct participant_info *info,
                     enum backup_phase phase, struct document *components,
                     struct vss_error *reterr) {
        const struct backup_writer_info writer = {
                .instance_id = info->instance_id,
                .writer_id = info->class_id,
                .instance_name = info->instance_name,
        };
        const char *text = document_text(components);

        if (!text)
                return vss_error_from_errno(reterr, -ENOMEM, "Reading what the writer changed");
        return backup_document_merge(s->document, &writer, phase, text, document_size(components),
                                     reterr);
}

/* An answer that makes no sense changes nothing, and is no reason to fail what it succeeded in. */
void session_merge(struct session *s, const struct participant_info *info,
                   enum writer_event_type type, enum backup_phase phase,
                   struct document *components) {
        struct vss_error error = { 0 };
        int r;

        /* What it adds is less than what it sent. */
        r = session_check_room_for(s, document_size(components), &error);
        if (r >= 0 && (s->work || document_size(components) > LARGE_ANSWER))
                r = merge_later(s, info, type, phase, components, &error);
        else if (r >= 0)
                r = merge_now(s, info, phase, components, &error);
        if (r < 0)
                merge_failed(info->name, type, &error);
        vss_error_done(&error);
}

/* --- what is large takes long to free, too --- */

struct discarded {
        struct session_manager *manager;
        void *object;
        void (*free)(void *object);
};

static int discard_run(struct job *job _unused_, void *userdata,
                       struct vss_error *reterr _unused_) {
        struct discarded *d = userdata;

        d->free(d->object);
        return 0;
}

static void discard_done(void *userdata, int r _unused_, struct vss_error *error _unused_) {
        struct discarded *d = userdata;

        if (d->manager->n_sessions == 0)
                session_turn(d->manager->trim_turn);
        d->manager->n_inquiries--;
        free(d);
}

static void discard(struct session_manager *m, void *object, size_t size,
                    void (*free_object)(void *object)) {
        struct discarded *d = size > LARGE_DOCUMENT ? malloc(sizeof(*d)) : NULL;

        if (d) {
                *d = (struct discarded){ m, object, free_object };
                if (job_start(NULL, m->event, "vss-free", discard_run, discard_done, d) >= 0) {
                        m->n_inquiries++; /* the manager stays until it is done */
                        return;
                }
                free(d);
        }
        free_object(object);
}

static void free_document(void *object) {
        backup_document_free(object);
}

static void free_metadata(void *object) {
        writer_metadata_free(object);
}

void session_discard_document(struct session_manager *m, struct backup_document *d) {
        if (d)
                discard(m, d, backup_document_memory(d), free_document);
}

void session_discard_metadata(struct session_manager *m, struct writer_metadata *metadata,
                              size_t size) {
        if (metadata)
                discard(m, metadata, size, free_metadata);
}
