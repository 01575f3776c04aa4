/* What gathered writers said of themselves, looked at before anybody is shown it: a writer whose
 * document is none is left out of the session, as one that did not answer.
 * Documents may be large, so that a worker reads them, all in one go. */

#include "daemon/session/session-private.h"

#include "common/vss-id.h"
#include "daemon/log/log.h"

struct checked {
        struct document *document; /* NULL: it gave an empty one */
        const char *text;
        int r;
        struct vss_error error;
};

struct check {
        struct inquiry inquiry;
        struct checked *items; /* as the participants are */
        size_t n;
};

static void check_free(struct inquiry *q) {
        struct check *c = (struct check *)q;

        for (size_t i = 0; i < c->n; i++) {
                vss_error_done(&c->items[i].error);
                document_unref(c->items[i].document);
        }
        free(c->items);
}

static int check_run(struct inquiry *q, struct vss_error *reterr) {
        struct check *c = (struct check *)q;

        for (size_t i = 0; i < c->n; i++) {
                struct checked *item = &c->items[i];

                item->r = item->document
                                  ? writer_metadata_check(item->text, document_size(item->document),
                                                          &item->error)
                                  : vss_error_set(&item->error, VSS_E_INVALID_XML_DOCUMENT, 0,
                                                  "The writer's metadata is empty");
                /* That is not the writer's failure. */
                if (item->r < 0 && item->error.hr != VSS_E_INVALID_XML_DOCUMENT) {
                        vss_error_move(reterr, &item->error);
                        return item->r;
                }
        }
        return 0;
}

struct sieve {
        const struct session *session;
        const struct checked *next;
};

static bool is_good(void *userdata, const struct participant_info *info) {
        struct sieve *sieve = userdata;
        const struct checked *item = sieve->next++;

        if (item->document)
                document_unmap(item->document); /* and most likely that was all */
        if (item->r >= 0)
                return true;
        log_full(LOG_WARNING, (&(const struct log_fields){ .writer = info->name }),
                 "Writer %s gave no valid metadata; it is left out of session %s: %s", info->name,
                 VSS_ID_TEXT(sieve->session->id), str_or_empty(item->error.message));
        return false;
}

static const void *check_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        const struct check *c = (const struct check *)q;
        struct sieve sieve = { .session = q->session, .next = c->items };

        if (q->session && *r >= 0 && q->session->operation.async &&
            q->session->operation.method == METHOD_GATHER_WRITER_METADATA)
                participants_keep(q->session->participants, is_good, &sieve);
        return NULL;
}

static const struct inquiry_type check_type = {
        .name = "vss-check",
        .run = check_run,
        .answer = check_answer,
        .free = check_free,
};

int session_check_writers(struct session *s, session_done_fn done, struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        size_t n = participants_count(s->participants);
        struct check *c;
        int r;

        r = inquiry_new(&q, sizeof(*c), &check_type, s->manager, s, done, s, reterr);
        if (r < 0)
                return r;
        c = (struct check *)q;
        c->items = calloc(n > 0 ? n : 1, sizeof(*c->items));
        if (!c->items)
                return vss_error_from_errno(reterr, -ENOMEM, "GatherWriterMetadata");
        for (; c->n < n; c->n++) {
                struct checked *item = &c->items[c->n];
                struct participant_info info;

                participants_get(s->participants, c->n, &info);
                if (!info.metadata)
                        continue;
                item->document = document_ref(info.metadata);
                item->text = document_text(item->document); /* here: it may map the document */
                if (!item->text) {
                        c->n++;
                        return vss_error_from_errno(reterr, -ENOMEM, "GatherWriterMetadata");
                }
        }
        r = inquiry_start(q, reterr);
        if (r < 0)
                return r;
        TAKE_PTR(q);
        return 0;
}
