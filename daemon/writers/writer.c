/* The registry of connected writers. It belongs to the daemon's main room; a writer belongs to the
 * registry from writer_registry_add() to writer_remove(), which the bus layer calls when the
 * writer unsubscribes or its connection goes. Participants of sessions hold links, never the
 * writer itself: a writer can go at any moment and tells every link so. */

#include "common/time-util.h"
#include "daemon/log/log.h"
#include "daemon/writers/writer-private.h"

#define WRITERS_MAX 4096
#define BUCKETS 1024U /* a power of two */
#define NAME_MAX_BYTES 1024
#define NEWS_USEC (100 * USEC_PER_MSEC)
#define NEWS_AT_ONCE 32U /* so that nothing waits long for it */
#define FREEZE_TIMEOUT_MS 60000
#define SUBSCRIPTIONS                                                                \
        ((uint32_t)VSS_SM_POST_SNAPSHOT_FLAG | (uint32_t)VSS_SM_BACKUP_EVENTS_FLAG | \
         (uint32_t)VSS_SM_RESTORE_EVENTS_FLAG | (uint32_t)VSS_SM_IO_THROTTLING_FLAG)

struct writer {
        struct writer_registry *registry;
        struct writer *next_by_id, *next_by_class; /* of the same bucket */
        struct writer_identity identity;           /* strings owned */
        const struct writer_transport *transport;
        void *peer;
        struct writer_link *links;
        unsigned n_sessions[_WRITER_SLOT_MAX]; /* in which it was told more than Identify */

        VSS_WRITER_STATE state;
        HRESULT failure;
        char *message;
        bool untold; /* the observer has not heard of the present state */
};

struct writer_registry {
        sd_event *event;
        struct writer **writers; /* in the order of registration */
        size_t n, allocated;
        struct writer *by_id[BUCKETS], *by_class[BUCKETS];
        writer_changed_fn changed;
        void *userdata;
        sd_event_source *news; /* runs when the observer is to hear of states */
};

static const char *const event_names[_WRITER_EVENT_MAX] = {
        [WRITER_EVENT_IDENTIFY] = "Identify",
        [WRITER_EVENT_PREPARE_BACKUP] = "PrepareBackup",
        [WRITER_EVENT_PREPARE_SNAPSHOT] = "PrepareSnapshot",
        [WRITER_EVENT_FREEZE] = "Freeze",
        [WRITER_EVENT_THAW] = "Thaw",
        [WRITER_EVENT_POST_SNAPSHOT] = "PostSnapshot",
        [WRITER_EVENT_ABORT] = "Abort",
        [WRITER_EVENT_BACKUP_COMPLETE] = "BackupComplete",
        [WRITER_EVENT_BACKUP_SHUTDOWN] = "BackupShutdown",
        [WRITER_EVENT_PRE_RESTORE] = "PreRestore",
        [WRITER_EVENT_POST_RESTORE] = "PostRestore",
};

const char *writer_event_type_to_string(enum writer_event_type t) {
        assert((unsigned)t < _WRITER_EVENT_MAX);

        return event_names[t];
}

int writer_event_type_from_string(const char *s) {
        for (size_t i = 0; i < ARRAY_SIZE(event_names); i++)
                if (streq(event_names[i], s))
                        return (int)i;
        return -EINVAL;
}

bool writer_event_type_is_restore(enum writer_event_type t) {
        return t == WRITER_EVENT_PRE_RESTORE || t == WRITER_EVENT_POST_RESTORE;
}

bool writer_event_type_has_components(enum writer_event_type t) {
        static const bool has[_WRITER_EVENT_MAX] = {
                [WRITER_EVENT_PREPARE_BACKUP] = true,  [WRITER_EVENT_POST_SNAPSHOT] = true,
                [WRITER_EVENT_BACKUP_COMPLETE] = true, [WRITER_EVENT_PRE_RESTORE] = true,
                [WRITER_EVENT_POST_RESTORE] = true,
        };

        assert((unsigned)t < _WRITER_EVENT_MAX);

        return has[t];
}

int writer_registry_new(struct writer_registry **ret, sd_event *event) {
        struct writer_registry *r;

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->event = sd_event_ref(event);
        *ret = r;
        return 0;
}

struct writer_registry *writer_registry_free(struct writer_registry *r) {
        if (!r)
                return NULL;
        assert(r->n == 0);

        sd_event_source_unref(r->news);
        free(r->writers);
        sd_event_unref(r->event);
        free(r);
        return NULL;
}

static struct writer *writer_free(struct writer *w) {
        if (!w)
                return NULL;
        assert(!w->links);

        free(w->identity.name);
        free(w->identity.instance_name);
        free(w->message);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(struct writer, writer_free);

static bool level_is_valid(VSS_APPLICATION_LEVEL level) {
        return level == VSS_APP_SYSTEM || level == VSS_APP_BACK_END || level == VSS_APP_FRONT_END ||
               level == VSS_APP_SYSTEM_RM;
}

static int identity_check(const struct writer_identity *id, struct vss_error *reterr) {
        if (str_empty(id->name))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "A writer needs a name; give one at registration");
        if (strlen(id->name) > NAME_MAX_BYTES ||
            strlen(str_or_empty(id->instance_name)) > NAME_MAX_BYTES)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The writer's name or instance name is longer than %d bytes",
                                     NAME_MAX_BYTES);
        if (vss_id_is_null(id->class_id))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Writer %s needs a writer (class) id other than the null id",
                                     id->name);
        if (!level_is_valid(id->level))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Writer %s: %d is no application level; the levels are 1 "
                                     "(system), 2 (back end), 3 (front end) and 4 (system resource "
                                     "manager)",
                                     id->name, (int)id->level);
        if (id->usage < VSS_UT_BOOTABLESYSTEMSTATE || id->usage > VSS_UT_OTHER)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Writer %s: %d is no usage type; they go from 1 to 4",
                                     id->name, (int)id->usage);
        if (id->source < VSS_ST_UNDEFINED || id->source > VSS_ST_OTHER)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Writer %s: %d is no source type; they go from 0 to 3",
                                     id->name, (int)id->source);
        if ((id->subscribe & ~SUBSCRIPTIONS) != 0 && id->subscribe != (uint32_t)VSS_SM_ALL_FLAGS)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Writer %s: 0x%x is no set of events to subscribe to; the "
                                     "flags are 1 (PostSnapshot), 2 (backup), 4 (restore) and 8 "
                                     "(I/O throttling)",
                                     id->name, id->subscribe);
        return 0;
}

/* FNV-1a; ids and names are chosen by those who are trusted to register. */
static uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t n) {
        for (const uint8_t *b = bytes; n > 0; b++, n--)
                hash = (hash ^ *b) * UINT32_C(16777619);
        return hash;
}
#define HASH_BEGIN UINT32_C(2166136261)

static struct writer **bucket_of_id(struct writer_registry *r, VSS_ID instance_id) {
        return &r->by_id[hash_bytes(HASH_BEGIN, &instance_id, sizeof(instance_id)) & (BUCKETS - 1)];
}

/* Instances of a class are told apart by their names. */
static struct writer **bucket_of_class(struct writer_registry *r,
                                       const struct writer_identity *id) {
        const char *instance = str_or_empty(id->instance_name);
        uint32_t hash = hash_bytes(HASH_BEGIN, &id->class_id, sizeof(id->class_id));

        return &r->by_class[hash_bytes(hash, instance, strlen(instance)) & (BUCKETS - 1)];
}

static void registry_hash(struct writer_registry *r, struct writer *w) {
        struct writer **by_id = bucket_of_id(r, w->identity.instance_id);
        struct writer **by_class = bucket_of_class(r, &w->identity);

        w->next_by_id = *by_id;
        *by_id = w;
        w->next_by_class = *by_class;
        *by_class = w;
}

static void registry_unhash(struct writer_registry *r, const struct writer *w) {
        struct writer **at = bucket_of_id(r, w->identity.instance_id);

        while (*at != w)
                at = &(*at)->next_by_id;
        *at = w->next_by_id;
        for (at = bucket_of_class(r, &w->identity); *at != w;)
                at = &(*at)->next_by_class;
        *at = w->next_by_class;
}

static int registry_check_unique(struct writer_registry *r, const struct writer_identity *id,
                                 struct vss_error *reterr) {
        /* Instances are told apart by their instance name; without one nothing can be said. */
        if (str_empty(id->instance_name))
                return 0;
        for (struct writer *const *w = bucket_of_class(r, id); *w; w = &(*w)->next_by_class) {
                const struct writer_identity *other = &(*w)->identity;

                if (vss_id_equal(other->class_id, id->class_id) &&
                    streq(str_or_empty(other->instance_name), id->instance_name))
                        return vss_error_set(reterr, VSS_E_WRITER_ALREADY_SUBSCRIBED, 0,
                                             "Writer %s, instance %s, is subscribed already (by "
                                             "process %ld); unsubscribe it first or choose another "
                                             "instance name",
                                             id->name, id->instance_name, (long)other->pid);
        }
        return 0;
}

static int writer_new(struct writer **ret, const struct writer_identity *identity) {
        _cleanup_(writer_freep) struct writer *w = NULL;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->identity = *identity;
        w->identity.name = strdup(identity->name);
        w->identity.instance_name = strdup(str_or_empty(identity->instance_name));
        if (!w->identity.name || !w->identity.instance_name)
                return -ENOMEM;
        if (w->identity.freeze_timeout_ms == 0 || w->identity.freeze_timeout_ms > FREEZE_TIMEOUT_MS)
                w->identity.freeze_timeout_ms = FREEZE_TIMEOUT_MS;
        if (w->identity.subscribe == 0)
                w->identity.subscribe = VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG;
        if (vss_id_is_null(identity->instance_id)) {
                r = vss_id_random(&w->identity.instance_id);
                if (r < 0)
                        return r;
        }
        w->state = VSS_WS_STABLE;
        *ret = TAKE_PTR(w);
        return 0;
}

static void registry_tell(struct writer_registry *r, struct writer *w, enum writer_change change) {
        if (r->changed)
                r->changed(r->userdata, w, change);
}

int writer_registry_add(struct writer_registry *registry, struct writer **ret,
                        const struct writer_identity *identity,
                        const struct writer_transport *transport, void *peer,
                        struct vss_error *reterr) {
        _cleanup_(writer_freep) struct writer *w = NULL;
        struct writer_identity who = *identity;
        struct writer **grown;
        int r;

        assert(transport && transport->send && transport->cancel);

        r = identity_check(identity, reterr);
        if (r < 0)
                return r;
        r = registry_check_unique(registry, identity, reterr);
        if (r < 0)
                return r;
        if (registry->n >= WRITERS_MAX)
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "%d writers are registered, the most this service keeps; "
                                     "unsubscribe one",
                                     WRITERS_MAX);
        if (writer_registry_find(registry, who.instance_id))
                who.instance_id = GUID_NULL;
        r = writer_new(&w, &who);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Registering a writer");
        if (registry->n == registry->allocated) {
                size_t n = registry->allocated > 0 ? 2 * registry->allocated : 16;

                grown = reallocarray(registry->writers, n, sizeof(*grown));
                if (!grown)
                        return vss_error_from_errno(reterr, -ENOMEM, "Registering a writer");
                registry->writers = grown;
                registry->allocated = n;
        }

        w->registry = registry;
        w->transport = transport;
        w->peer = peer;
        registry_hash(registry, w);
        *ret = registry->writers[registry->n++] = TAKE_PTR(w);
        registry_tell(registry, *ret, WRITER_ADDED);
        return 0;
}

static void registry_take_out(struct writer_registry *r, const struct writer *w) {
        size_t i = 0;

        while (r->writers[i] != w)
                i++;
        memmove(&r->writers[i], &r->writers[i + 1], (r->n - i - 1) * sizeof(*r->writers));
        r->n--;
}

void writer_remove(struct writer *w) {
        struct writer_registry *r = w->registry;

        registry_take_out(r, w);
        registry_unhash(r, w);
        while (w->links) {
                struct writer_link *link = w->links;

                /* lost() still asks the writer for its transport, to cancel what runs. */
                link->lost(link);
                writer_link_detach(link);
        }
        registry_tell(r, w, WRITER_REMOVED);
        writer_free(w);
}

size_t writer_registry_count(const struct writer_registry *r) {
        return r->n;
}

struct writer *writer_registry_get(struct writer_registry *r, size_t i) {
        return i < r->n ? r->writers[i] : NULL;
}

struct writer *writer_registry_find(struct writer_registry *r, VSS_ID instance_id) {
        struct writer *w = *bucket_of_id(r, instance_id);

        while (w && !vss_id_equal(w->identity.instance_id, instance_id))
                w = w->next_by_id;
        return w;
}

const struct writer_identity *writer_identity(const struct writer *w) {
        return &w->identity;
}

VSS_WRITER_STATE writer_state(const struct writer *w) {
        return w->state;
}

HRESULT writer_failure(const struct writer *w) {
        return w->failure;
}

const char *writer_failure_message(const struct writer *w) {
        return str_or_empty(w->message);
}

void writer_registry_set_observer(struct writer_registry *r, writer_changed_fn fn, void *userdata) {
        r->changed = fn;
        r->userdata = userdata;
}

sd_event *writer_registry_event(struct writer_registry *r) {
        return r->event;
}

const struct writer_transport *writer_transport(const struct writer *w) {
        return w->transport;
}

void *writer_peer(const struct writer *w) {
        return w->peer;
}

static int on_news(sd_event_source *s, uint64_t usec _unused_, void *userdata) {
        struct writer_registry *r = userdata;
        unsigned told = 0;

        for (size_t i = 0; i < r->n; i++) {
                struct writer *w = r->writers[i];

                if (!w->untold)
                        continue;
                /* The rest when there is nothing else to do once more. */
                if (told++ == NEWS_AT_ONCE && sd_event_source_set_enabled(s, SD_EVENT_ONESHOT) >= 0)
                        return 0;
                w->untold = false;
                registry_tell(r, w, WRITER_STATE_CHANGED);
        }
        r->news = sd_event_source_unref(r->news);
        return 0;
}

/* A moment later, once for what changes until then, and after everything else: a thousand writers
 * pass through three states from Freeze to Thaw, and whoever watches them is not to make that last
 * longer. */
static void tell_soon(struct writer *w) {
        struct writer_registry *r = w->registry;

        w->untold = true;
        if (r->news)
                return;
        /* Without memory the next change tries again. */
        if (sd_event_add_time_relative(r->event, &r->news, CLOCK_MONOTONIC, NEWS_USEC, 0, on_news,
                                       r) < 0)
                r->news = NULL;
        else
                (void)sd_event_source_set_priority(r->news,
                                                   SD_EVENT_PRIORITY_IDLE); /* a live one */
}

void writer_note_state(struct writer *w, VSS_WRITER_STATE state, HRESULT failure,
                       const char *message) {
        bool same = w->state == state && w->failure == failure &&
                    streq(str_or_empty(w->message), str_or_empty(message));

        if (same)
                return;
        if (w->state != state)
                log_full(LOG_DEBUG, (&(const struct log_fields){ .writer = w->identity.name }),
                         "Writer %s: state %d -> %d", w->identity.name, (int)w->state, (int)state);
        w->state = state;
        w->failure = failure;
        /* Without memory the state stands without its text. */
        if (str_replace(&w->message, message) < 0)
                (void)str_replace(&w->message, NULL);
        tell_soon(w);
}

int writer_take_slot(struct writer *w, enum writer_slot slot, unsigned max) {
        if (w->n_sessions[slot] >= max)
                return -EBUSY;
        w->n_sessions[slot]++;
        return 0;
}

void writer_drop_slot(struct writer *w, enum writer_slot slot) {
        assert(w->n_sessions[slot] > 0);

        w->n_sessions[slot]--;
}

void writer_link_attach(struct writer_link *link, struct writer *w) {
        assert(!link->writer);

        link->writer = w;
        link->next = w->links;
        link->pprev = &w->links;
        if (link->next)
                link->next->pprev = &link->next;
        w->links = link;
}

void writer_link_detach(struct writer_link *link) {
        if (!link->writer)
                return;
        *link->pprev = link->next;
        if (link->next)
                link->next->pprev = link->pprev;
        link->writer = NULL;
        link->next = NULL;
        link->pprev = NULL;
}
