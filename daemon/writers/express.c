/* See express.h. Each express writer is a writer of the registry whose transport is here: Identify
 * is answered from memory. Files are touched by jobs; the list and the registry by the loop. */

#include "daemon/writers/express.h"

#include "common/document.h"
#include "common/vss-id.h"
#include "daemon/job/job.h"
#include "daemon/log/log.h"
#include "daemon/writers/express-file.h"

#define STORE_WRITER_NAME "VSS Metadata Store Writer"
#define STORE_COMPONENT "WriterMetadataStore"
/* 75dfb225-e2e4-4d39-9ac9-ffaff65ddf06, the original's */
static const VSS_ID store_writer_id = {
        0x75dfb225, 0xe2e4, 0x4d39, { 0x9a, 0xc9, 0xff, 0xaf, 0xf6, 0x5d, 0xdf, 0x06 }
};

struct express_writer {
        struct express_writers *owner;
        struct express_writer *next;
        VSS_ID writer_id;
        struct writer *writer;
        struct document *metadata;
        bool is_store; /* the one whose component is the files */
};

struct express_writers {
        sd_event *event;
        struct writer_registry *registry;
        char *directory;
        struct express_writer *writers, *store; /* store is not among the writers */
        size_t n;
        uint64_t generation; /* counts what registers and goes */
};

struct writer_call {
        struct express_writers *owner;
        struct document *metadata; /* Identify: what is answered */
        bool reload;               /* PostRestore of the store */
        bool reloading;            /* a job has it */
        uint64_t generation;       /* when the job began */
        sd_event_source *turn;
        writer_reply_fn reply; /* NULL: cancelled while its job runs */
        void *userdata;
        struct express_document *found;
        size_t n_found;
};

static struct writer_call *express_call_free(struct writer_call *c) {
        if (!c)
                return NULL;
        sd_event_source_disable_unref(c->turn);
        document_unref(c->metadata);
        express_documents_free(c->found, c->n_found);
        free(c);
        return NULL;
}

static void express_answer(struct writer_call *c) {
        const struct writer_reply reply = {
                .delivered = true,
                .ok = true,
                .metadata = c->metadata,
        };
        writer_reply_fn tell = c->reply;
        void *userdata = c->userdata;

        c->turn = sd_event_source_disable_unref(c->turn);
        if (tell)
                tell(userdata, &reply);
        express_call_free(c);
}

static int express_reload(struct writer_call *c);

static int express_on_turn(sd_event_source *source _unused_, void *userdata) {
        struct writer_call *c = userdata;

        if (!c->reload || express_reload(c) < 0)
                express_answer(c);
        return 0;
}

static int express_send(void *peer, const struct writer_event *event,
                        uint64_t timeout_usec _unused_, writer_reply_fn reply, void *userdata,
                        struct writer_call **ret) {
        struct express_writer *w = peer;
        struct writer_call *c;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        *c = (struct writer_call){
                .owner = w->owner,
                .reload = w->is_store && event->type == WRITER_EVENT_POST_RESTORE,
                .reply = reply,
                .userdata = userdata,
        };
        if (event->type == WRITER_EVENT_IDENTIFY)
                c->metadata = document_ref(w->metadata);
        r = sd_event_add_defer(w->owner->event, &c->turn, express_on_turn, c);
        if (r < 0) {
                express_call_free(c);
                return r;
        }
        *ret = c;
        return 0;
}

static void express_cancel(struct writer_call *c) {
        c->reply = NULL;
        if (!c->reloading) /* else the job's end frees it */
                express_call_free(c);
}

static const struct writer_transport transport = { .send = express_send, .cancel = express_cancel };

static struct express_writer *express_writer_free(struct express_writer *w) {
        if (!w)
                return NULL;
        if (w->writer)
                writer_remove(w->writer);
        document_unref(w->metadata);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(struct express_writer, express_writer_free);

static int express_writer_new(struct express_writer **ret, struct express_writers *e,
                              const struct writer_metadata_identity *id, struct document *metadata,
                              uint32_t subscribe, struct vss_error *reterr) {
        _cleanup_(express_writer_freep) struct express_writer *w = NULL;
        struct writer_identity identity = {
                .class_id = id->writer_id,
                .instance_id = id->instance_id,
                .name = (char *)id->name, /* only read */
                .instance_name = (char *)id->instance_name,
                .usage = id->usage,
                .source = id->source,
                .level = VSS_APP_SYSTEM, /* it is never frozen */
                .major_version = id->major_version,
                .minor_version = id->minor_version,
                .subscribe = subscribe,
                .uid = geteuid(),
                .pid = getpid(),
        };
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return vss_error_from_errno(reterr, -ENOMEM, "Registering an express writer");
        w->owner = e;
        w->writer_id = id->writer_id;
        w->metadata = document_ref(metadata);
        r = writer_registry_add(e->registry, &w->writer, &identity, &transport, w, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

static struct express_writer *express_find(struct express_writers *e, VSS_ID writer_id) {
        for (struct express_writer *w = e->writers; w; w = w->next)
                if (vss_id_equal(w->writer_id, writer_id))
                        return w;
        return NULL;
}

static int store_metadata(const struct express_writers *e,
                          const struct writer_metadata_identity *id, struct document **ret,
                          struct vss_error *reterr) {
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL;
        const struct writer_metadata_component component = {
                .type = VSS_CT_FILEGROUP,
                .name = STORE_COMPONENT,
                .caption = "Metadata of express writers",
                .selectable = true,
        };
        const struct writer_metadata_files files = {
                .path = e->directory,
                .filespec = "*.xml",
                .recursive = true,
                .backup_type_mask = VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED,
        };
        const struct writer_metadata_restore restore = {
                .method = VSS_RME_RESTORE_IF_CAN_REPLACE,
                .writer_restore = VSS_WRE_ALWAYS, /* PostRestore reads the files again */
        };
        char *xml = NULL;
        int r;

        r = writer_metadata_new(&m, id, reterr);
        if (r >= 0)
                r = writer_metadata_add_component(m, &component, reterr);
        if (r >= 0)
                r = writer_metadata_add(m, WRITER_METADATA_FILES, NULL, STORE_COMPONENT, &files,
                                        reterr);
        if (r >= 0)
                r = writer_metadata_set_restore_method(m, &restore, reterr);
        if (r >= 0)
                r = writer_metadata_to_xml(m, &xml, reterr);
        return r < 0 ? r : document_new(ret, xml, strlen(xml), reterr);
}

/* The writer of the files is there as long as there are files. */
static void express_update_store(struct express_writers *e) {
        _cleanup_(document_unrefp) struct document *metadata = NULL;
        struct writer_metadata_identity id = {
                .writer_id = store_writer_id,
                .name = STORE_WRITER_NAME,
                .usage = VSS_UT_SYSTEMSERVICE,
                .source = VSS_ST_OTHER,
        };
        struct vss_error error = { 0 };
        int r;

        if (e->n == 0) {
                e->store = express_writer_free(e->store);
                return;
        }
        if (e->store)
                return;
        r = vss_id_random(&id.instance_id);
        if (r >= 0)
                r = store_metadata(e, &id, &metadata, &error);
        if (r >= 0)
                r = express_writer_new(&e->store, e, &id, metadata, VSS_SM_RESTORE_EVENTS_FLAG,
                                       &error);
        if (r >= 0)
                e->store->is_store = true;
        else
                log_error(STORE_WRITER_NAME " is left out: %s",
                          error.message ? error.message : strerror(-r));
        vss_error_done(&error);
}

static int express_add(struct express_writers *e, const struct express_document *d,
                       struct vss_error *reterr) {
        struct express_writer *w = NULL;
        int r;

        /* It takes no events: this flag has none of its own. */
        r = express_writer_new(&w, e, writer_metadata_identity(d->metadata), d->text,
                               VSS_SM_POST_SNAPSHOT_FLAG, reterr);
        if (r < 0)
                return r;
        w->next = e->writers;
        e->writers = w;
        e->n++;
        express_update_store(e);
        return 0;
}

static void express_take_out(struct express_writers *e, VSS_ID writer_id) {
        for (struct express_writer **at = &e->writers; *at; at = &(*at)->next)
                if (vss_id_equal((*at)->writer_id, writer_id)) {
                        struct express_writer *w = *at;

                        *at = w->next;
                        express_writer_free(w);
                        e->n--;
                        break;
                }
        express_update_store(e);
}

/* The list follows what was found; those that stay are the same writers as before. */
static void express_follow(struct express_writers *e, const struct express_document *found,
                           size_t n) {
        for (struct express_writer *w = e->writers, *next; w; w = next) {
                bool there = false;

                next = w->next;
                for (size_t i = 0; i < n && !there; i++)
                        there = vss_id_equal(writer_metadata_identity(found[i].metadata)->writer_id,
                                             w->writer_id);
                if (!there)
                        express_take_out(e, w->writer_id);
        }
        for (size_t i = 0; i < n; i++) {
                const struct writer_metadata_identity *id =
                        writer_metadata_identity(found[i].metadata);
                struct express_writer *w = express_find(e, id->writer_id);
                struct vss_error error = { 0 };

                if (w) {
                        document_unref(w->metadata);
                        w->metadata = document_ref(found[i].text);
                } else if (express_add(e, &found[i], &error) < 0)
                        log_warning("The express writer %s is left out: %s", id->name,
                                    str_or_empty(error.message));
                vss_error_done(&error);
        }
}

int express_writers_new(struct express_writers **ret, sd_event *event,
                        struct writer_registry *registry, const char *directory,
                        struct vss_error *reterr) {
        _cleanup_(express_writers_freep) struct express_writers *e = NULL;
        struct express_document *found = NULL;
        struct vss_error error = { 0 };
        size_t n = 0;

        e = calloc(1, sizeof(*e));
        if (!e || str_replace(&e->directory, directory) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "Reading the express writers");
        e->event = sd_event_ref(event);
        e->registry = registry;
        /* Whoever needs the service needs it without them, too. */
        if (express_files_load(directory, &found, &n, &error) < 0)
                log_error("The express writers are left out: %s", str_or_empty(error.message));
        vss_error_done(&error);
        express_follow(e, found, n);
        express_documents_free(found, n);
        *ret = TAKE_PTR(e);
        return 0;
}

struct express_writers *express_writers_free(struct express_writers *e) {
        if (!e)
                return NULL;
        express_writer_free(e->store);
        while (e->writers) {
                struct express_writer *w = e->writers;

                e->writers = w->next;
                express_writer_free(w);
        }
        sd_event_unref(e->event);
        free(e->directory);
        free(e);
        return NULL;
}

static int reload_run(struct job *job _unused_, void *userdata, struct vss_error *reterr) {
        struct writer_call *c = userdata;

        return express_files_load(c->owner->directory, &c->found, &c->n_found, reterr);
}

static void reload_done(void *userdata, int r, struct vss_error *error) {
        struct writer_call *c = userdata;
        struct express_writers *e = c->owner;

        /* What was read may be older than what has registered, or gone, meanwhile. */
        if (r >= 0 && c->generation != e->generation) {
                express_documents_free(TAKE_PTR(c->found), c->n_found);
                c->n_found = 0;
                r = express_reload(c);
                if (r >= 0)
                        return;
        }
        if (r < 0)
                log_warning("The restored express writers are not read: %s",
                            error->message ? error->message : strerror(-r));
        /* The store may go with the last of them, and takes its call back then. */
        if (r >= 0) {
                struct express_document *found = TAKE_PTR(c->found);
                size_t n = c->n_found;

                c->n_found = 0;
                express_answer(c);
                express_follow(e, found, n);
                express_documents_free(found, n);
        } else
                express_answer(c);
}

static int express_reload(struct writer_call *c) {
        struct job *job;
        int r;

        c->generation = c->owner->generation;
        r = job_start(&job, c->owner->event, "vss-express", reload_run, reload_done, c);
        c->reloading = r >= 0;
        return r;
}

/* Register and unregister: a job on the files, then the list. */
struct operation {
        struct express_writers *owner;
        struct document *text; /* to register; NULL: to unregister */
        VSS_ID writer_id;
        struct express_document read;
        express_done_fn done;
        void *userdata;
};

static void operation_free(struct operation *o) {
        express_document_done(&o->read);
        document_unref(o->text);
        free(o);
}

static int operation_run(struct job *job _unused_, void *userdata, struct vss_error *reterr) {
        struct operation *o = userdata;
        int r;

        if (!o->text)
                return express_file_remove(o->owner->directory, o->writer_id, reterr);
        r = express_document_read(&o->read, o->text, reterr);
        if (r < 0)
                return r;
        o->writer_id = writer_metadata_identity(o->read.metadata)->writer_id;
        return express_file_write(o->owner->directory, o->writer_id, o->text, reterr);
}

static void operation_done(void *userdata, int r, struct vss_error *error) {
        struct operation *o = userdata;

        o->owner->generation++;
        if (r >= 0 && o->text) {
                r = express_add(o->owner, &o->read, error);
                /* What is not reported is not registered. */
                if (r < 0)
                        (void)express_file_remove(o->owner->directory, o->writer_id, NULL);
        } else if (r >= 0)
                express_take_out(o->owner, o->writer_id);
        o->done(o->userdata, r, error);
        operation_free(o);
}

static int operation_start(struct express_writers *e, struct document *text, VSS_ID writer_id,
                           express_done_fn done, void *userdata, struct vss_error *reterr) {
        struct operation *o;
        struct job *job;
        int r;

        o = calloc(1, sizeof(*o));
        if (!o)
                return vss_error_from_errno(reterr, -ENOMEM, "An express writer");
        *o = (struct operation){
                .owner = e,
                .text = document_ref(text),
                .writer_id = writer_id,
                .done = done,
                .userdata = userdata,
        };
        r = job_start(&job, e->event, "vss-express", operation_run, operation_done, o);
        if (r < 0) {
                operation_free(o);
                return vss_error_from_errno(reterr, r, "An express writer");
        }
        return 0;
}

int express_writers_register(struct express_writers *e, struct document *metadata,
                             express_done_fn done, void *userdata, struct vss_error *reterr) {
        if (!metadata)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The metadata of the express writer is empty");
        if (e->n >= EXPRESS_WRITERS_MAX)
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "%u express writers are registered, the most there can be; "
                                     "unregister one",
                                     EXPRESS_WRITERS_MAX);
        return operation_start(e, metadata, GUID_NULL, done, userdata, reterr);
}

int express_writers_unregister(struct express_writers *e, VSS_ID writer_id, express_done_fn done,
                               void *userdata, struct vss_error *reterr) {
        return operation_start(e, NULL, writer_id, done, userdata, reterr);
}
