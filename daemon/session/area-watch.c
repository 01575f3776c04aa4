/* See area-watch.h.
 *
 *      IDLE      no copy has a store          --a copy comes-->  WAITING
 *      WAITING   the timer runs               --timer, event--> PATROL
 *      PATROL    a worker looks and grows     --done-->          IDLE, WAITING, DELETING
 *      DELETING  a copy goes to make room     --gone, or not-->  WAITING
 *
 * IDLE and WAITING are whether the timer is on; the others are flags. While writers are frozen and
 * in the window no patrol begins. */

#include "daemon/session/area-watch.h"

#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/providers/mapper-events.h"
#include "daemon/session/area-patrol.h"
#include "daemon/session/area-pools.h"
#include "daemon/session/inquiry.h"
#include "daemon/session/manager-private.h"

#include <sys/epoll.h>

#define PERIOD_USEC USEC_PER_SEC
#define SOON_USEC (200 * USEC_PER_MSEC)
#define ACCURACY_USEC (50 * USEC_PER_MSEC)
/* What could not be deleted is not tried again at each look. */
#define RETRY_USEC (30 * USEC_PER_SEC)
#define MIB (UINT64_C(1024) * 1024)

static const char *const kinds[] = {
        [AREA_GROWN] = "grown",           [AREA_FULL] = "full", [AREA_DELETED] = "deleted",
        [AREA_OVERFLOWED] = "overflowed", [AREA_POOL] = "pool",
};

const char *area_event_kind_to_string(enum area_event_kind kind) {
        return kinds[kind];
}

int area_event_kind_from_string(enum area_event_kind *ret, const char *text) {
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (streq(kinds[i], text)) {
                        *ret = (enum area_event_kind)i;
                        return 0;
                }
        return -EINVAL;
}

struct area_watch {
        struct session_manager *manager;
        sd_event_source *timer, *events;
        struct area_copies copies; /* a patrol has them while it is under way */
        struct area_pools pools;   /* likewise */
        bool patrolling, deleting, stopped;
        bool has_new; /* a copy came that the patrol may have missed */

        /* The one that is being deleted. */
        struct snapshot_record victim;
        struct area victim_area;
        char *reason;
        uint64_t no_deletion_usec; /* monotonic: none before */
};

struct patrol {
        struct inquiry inquiry;
        struct area_watch *watch;
        struct store *store;
        struct area_limits limits;
        struct area_copies before, found;
        struct area_pools pools_before, pools_found;
};

static void arm(struct area_watch *w, uint64_t usec) {
        int r;

        if (w->stopped || w->patrolling)
                return;
        r = sd_event_source_set_time_relative(w->timer, usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error("The stores of copies cannot be watched: %s", strerror(-r));
}

static bool is_armed(const struct area_watch *w) {
        int enabled;

        return sd_event_source_get_enabled(w->timer, &enabled) >= 0 && enabled != SD_EVENT_OFF;
}

/* Never later than it is due anyway, however many events there are. */
static void arm_earlier(struct area_watch *w, uint64_t usec) {
        uint64_t due, now;

        if (sd_event_source_get_time(w->timer, &due) < 0 ||
            sd_event_now(w->manager->event, CLOCK_MONOTONIC, &now) < 0 || due > now + usec)
                arm(w, usec);
}

static void tell(struct area_watch *w, enum area_event_kind kind, const struct snapshot_record *r,
                 const struct area *area, const char *message) {
        const struct area_event event = {
                .kind = kind,
                .record = r,
                .used_bytes = area->used,
                .allocated_bytes = area->size,
                .message = message,
        };

        if (w->manager->area_changed)
                w->manager->area_changed(w->manager->area_userdata, &event);
}

/* --- what a patrol has found ------------------------------------------------------------------ */

#define LOG_COPY(priority, r, ...)                                                                \
        log_full((priority),                                                                      \
                 (&(const struct log_fields){ .set_id = &(r)->set_id, .snapshot_id = &(r)->id }), \
                 __VA_ARGS__)

static void on_grown(struct area_watch *w, struct area_copy *c) {
        _cleanup_(freep) char *text = NULL;

        c->told_full = c->told_failure = false;
        (void)str_format(&text, "The store of snapshot %s of %s has grown from %llu to %llu MiB",
                         VSS_ID_TEXT(c->record.id), str_or_empty(c->record.volume),
                         (unsigned long long)(c->grown_from / MIB),
                         (unsigned long long)(c->area.size / MIB));
        LOG_COPY(LOG_INFO, &c->record, "%s", str_or_empty(text));
        manager_tell(w->manager, &c->record, SNAPSHOT_STORE_CHANGED);
        tell(w, AREA_GROWN, &c->record, &c->area, str_or_empty(text));
}

static void on_overflow(struct area_watch *w, struct area_copy *c) {
        _cleanup_(freep) char *text = NULL;

        c->told_overflow = true;
        (void)str_format(
                &text,
                "The store of snapshot %s of %s overflowed: the copy is lost and cannot be "
                "read any more; the volume itself is not affected. Delete the copy "
                "(vssctl delete %s), and before the next one make room for its store",
                VSS_ID_TEXT(c->record.id), str_or_empty(c->record.volume),
                VSS_ID_TEXT(c->record.id));
        LOG_COPY(LOG_ERR, &c->record, "%s", str_or_empty(text));
        manager_tell(w->manager, &c->record, SNAPSHOT_STORE_CHANGED);
        tell(w, AREA_OVERFLOWED, &c->record, &c->area, str_or_empty(text));
}

static void on_full(struct area_watch *w, struct area_copy *c) {
        _cleanup_(freep) char *text = NULL;

        if (c->told_full)
                return;
        c->told_full = true;
        (void)str_format(&text,
                         "The store of snapshot %s of %s has %llu of %llu MiB in use and cannot "
                         "grow: %s. When it overflows the copy is lost",
                         VSS_ID_TEXT(c->record.id), str_or_empty(c->record.volume),
                         (unsigned long long)(c->area.used / MIB),
                         (unsigned long long)(c->area.size / MIB), str_or_empty(c->error.message));
        LOG_COPY(LOG_WARNING, &c->record, "%s", str_or_empty(text));
        tell(w, AREA_FULL, &c->record, &c->area, str_or_empty(text));
}

/* Once: it is tried again and again. */
static void on_failure(struct area_copy *c) {
        c->told_failure = true;
        LOG_COPY(LOG_WARNING, &c->record,
                 "The store of snapshot %s of %s could not grow, which is tried again: %s",
                 VSS_ID_TEXT(c->record.id), str_or_empty(c->record.volume),
                 str_or_empty(c->error.message));
}

/* --- making room ------------------------------------------------------------------------------ */

static void on_deleted(void *userdata, int r, const void *result _unused_,
                       struct vss_error *error) {
        struct area_watch *w = userdata;

        w->deleting = false;
        if (r >= 0)
                tell(w, AREA_DELETED, &w->victim, &w->victim_area, str_or_empty(w->reason));
        else if (error->hr != VSS_E_OBJECT_NOT_FOUND) {
                LOG_COPY(LOG_WARNING, &w->victim, "Snapshot %s was to go for want of room: %s",
                         VSS_ID_TEXT(w->victim.id), str_or_empty(error->message));
                w->no_deletion_usec = now_monotonic_usec() + RETRY_USEC;
        }
        snapshot_record_done(&w->victim);
        free(w->reason);
        w->reason = NULL;
        for (size_t i = 0; r >= 0 && i < w->copies.n; i++)
                w->copies.items[i].pause_usec = 0; /* there may be room now */
        arm(w, r >= 0 ? 0 : PERIOD_USEC);
}

static void delete_copy(struct area_watch *w, const struct snapshot_record *r,
                        const struct area *area, const char *why) {
        struct vss_error error = { 0 };

        if (w->deleting || w->stopped || now_monotonic_usec() < w->no_deletion_usec)
                return;
        if (snapshot_record_copy(&w->victim, r) < 0 ||
            str_format(&w->reason, "Snapshot %s of %s, the oldest, is deleted to make room: %s",
                       VSS_ID_TEXT(r->id), str_or_empty(r->volume), why) < 0) {
                log_error("Out of memory: no room is made for the stores of copies");
                snapshot_record_done(&w->victim);
                return;
        }
        w->victim_area = *area;
        LOG_COPY(LOG_WARNING, r, "%s", w->reason);
        w->deleting = true;
        if (manager_delete(w->manager, NULL, r->id, VSS_OBJECT_SNAPSHOT, true, on_deleted, w,
                           &error) < 0)
                on_deleted(w, -EAGAIN, NULL, &error);
        vss_error_done(&error);
}

static void delete_sibling(struct area_watch *w, size_t i, const char *why) {
        const struct area_copy *c = &w->copies.items[i];

        delete_copy(w, &c->record, &c->area, why);
}

/* A pool belongs to all of its volumes, which it hurts when it is full: the oldest copy in it goes
 * before. */
static void watch_pool(struct area_watch *w, struct area_pool *p) {
        const struct area area = { .used = p->room.used, .size = p->room.size };
        _cleanup_(freep) char *text = NULL;
        unsigned step = area_pool_news(p);

        if (p->room.trouble && !p->told_trouble) {
                p->told_trouble = true;
                if (str_format(&text, "Thin pool %s, in which there are copies, %s", p->room.name,
                               p->room.trouble) < 0)
                        return;
                LOG_COPY(LOG_ERR, &p->oldest, "%s", text);
                tell(w, AREA_POOL, &p->oldest, &area, text);
        } else if (step > 0) {
                if (str_format(&text,
                               "Thin pool %s, in which there are copies, is %u %% full; extend it "
                               "(lvextend), or delete copies. At 95 %% the oldest are deleted",
                               p->room.name, area_pool_per_cent(p)) < 0)
                        return;
                LOG_COPY(LOG_WARNING, &p->oldest, "%s", text);
                tell(w, AREA_POOL, &p->oldest, &area, text);
        }
        if (area_pool_is_narrow(p)) {
                _cleanup_(freep) char *why = NULL;

                if (str_format(&why, "thin pool %s is %u %% full", p->room.name,
                               area_pool_per_cent(p)) >= 0)
                        delete_copy(w, &p->oldest, &area, why);
        }
}

/* The copies of its volume: where each is in the list, and its rank. */
struct siblings {
        size_t *index;
        struct area_rank *ranks;
        size_t n, self;
};

static void siblings_done(struct siblings *s) {
        free(s->index);
        free(s->ranks);
}

static int siblings_find(struct siblings *ret, const struct area_copies *all, size_t of) {
        ret->index = calloc(all->n, sizeof(*ret->index));
        ret->ranks = calloc(all->n, sizeof(*ret->ranks));
        if (!ret->index || !ret->ranks)
                return -ENOMEM;
        for (size_t i = 0; i < all->n; i++) {
                const struct area_copy *c = &all->items[i];

                if (!area_copies_are_siblings(c, &all->items[of]))
                        continue;
                if (i == of)
                        ret->self = ret->n;
                ret->index[ret->n] = i;
                ret->ranks[ret->n++] =
                        (struct area_rank){ .record = &c->record, .overflowed = c->overflowed };
        }
        return 0;
}

static void make_room(struct area_watch *w, size_t i) {
        _cleanup_(siblings_done) struct siblings s = { 0 };
        struct area_copy *c = &w->copies.items[i];
        size_t victim;

        if (siblings_find(&s, &w->copies, i) < 0)
                return; /* the next look is in a second */
        victim = area_victim(s.ranks, s.n, s.self, area_on_brink(&c->area));
        if (victim < s.n)
                delete_sibling(w, s.index[victim], str_or_empty(c->error.message));
        else
                on_full(w, c);
}

/* A maximum that was set lower, or a new copy, can make it more than there may be. */
static void trim(struct area_watch *w, size_t i) {
        _cleanup_(siblings_done) struct siblings s = { 0 };
        const struct area_copy *c = &w->copies.items[i];
        _cleanup_(freep) char *why = NULL;
        size_t victim;

        if (area_copies_allocated(&w->copies, c) <= c->maximum ||
            siblings_find(&s, &w->copies, i) < 0)
                return;
        victim = area_surplus(s.ranks, s.n);
        if (victim == s.n ||
            str_format(&why, "the stores of all copies of %s may take %llu MiB",
                       str_or_empty(c->record.volume), (unsigned long long)(c->maximum / MIB)) < 0)
                return;
        delete_sibling(w, s.index[victim], why);
}

/* --- patrols ---------------------------------------------------------------------------------- */

static int patrol_run(struct inquiry *q, struct vss_error *reterr) {
        struct patrol *p = (struct patrol *)q;

        int r, k;

        r = area_patrol(&p->found, &p->before, p->store, &p->limits, reterr);
        k = area_pools_look(&p->pools_found, &p->pools_before, p->store, r < 0 ? NULL : reterr);
        return r < 0 ? r : k;
}

static const void *patrol_answer(struct inquiry *q, int *r, struct vss_error *error) {
        struct patrol *p = (struct patrol *)q;
        struct area_watch *w = p->watch;

        w->patrolling = false;
        area_copies_done(&w->copies);
        w->copies = p->found;
        p->found = (struct area_copies){ 0 };
        area_pools_done(&w->pools);
        w->pools = p->pools_found;
        p->pools_found = (struct area_pools){ 0 };
        if (*r < 0)
                log_failure(LOG_WARNING, error, "Looking at the stores of copies: %s",
                            str_or_empty(error->message));
        for (size_t i = 0; *r >= 0 && i < w->copies.n; i++) {
                struct area_copy *c = &w->copies.items[i];

                if (c->grown_from > 0)
                        on_grown(w, c);
                else if (c->overflowed && !c->told_overflow)
                        on_overflow(w, c);
                else if (c->has_no_room)
                        make_room(w, i);
                else if (c->failed && !c->told_failure)
                        on_failure(c);
                trim(w, i);
        }
        for (size_t i = 0; *r >= 0 && i < w->pools.n; i++)
                watch_pool(w, &w->pools.items[i]);
        if (w->copies.n > 0 || w->pools.n > 0 || w->has_new || *r < 0)
                arm(w, PERIOD_USEC);
        w->has_new = false;
        return NULL;
}

static void patrol_free(struct inquiry *q) {
        struct patrol *p = (struct patrol *)q;

        area_copies_done(&p->before);
        area_copies_done(&p->found);
        area_pools_done(&p->pools_before);
        area_pools_done(&p->pools_found);
}

static const struct inquiry_type patrol_type = {
        .name = "vss-areas",
        .run = patrol_run,
        .answer = patrol_answer,
        .free = patrol_free,
};

static void patrol_start(struct area_watch *w) {
        struct session_manager *m = w->manager;
        struct vss_error error = { 0 };
        struct inquiry *q;
        struct patrol *p;
        int r;

        r = inquiry_new(&q, sizeof(*p), &patrol_type, m, NULL, NULL, NULL, &error);
        if (r >= 0) {
                p = (struct patrol *)q;
                p->watch = w;
                p->store = m->store;
                p->limits = (struct area_limits){ .volume_bytes = m->config.area_volume_bytes,
                                                  .all_bytes = m->config.area_all_bytes };
                p->before = w->copies;
                w->copies = (struct area_copies){ 0 };
                p->pools_before = w->pools;
                w->pools = (struct area_pools){ 0 };
                r = inquiry_start(q, &error);
                w->patrolling = r >= 0;
                if (r < 0) {
                        w->copies = p->before;
                        p->before = (struct area_copies){ 0 };
                        w->pools = p->pools_before;
                        p->pools_before = (struct area_pools){ 0 };
                        inquiry_free(q);
                }
        }
        if (r < 0) {
                log_failure(LOG_WARNING, &error, "Looking at the stores of copies: %s",
                            str_or_empty(error.message));
                arm(w, PERIOD_USEC);
        }
        vss_error_done(&error);
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        struct area_watch *w = userdata;

        /* Also while a copy is deleted, before which somebody else's process may stand: the others
         * are written to all the same. */
        if (w->stopped || w->patrolling)
                return 0;
        /* Writers are frozen, or volumes suspended: what is begun now may be in their way. */
        if (log_is_held())
                arm(w, SOON_USEC);
        else
                patrol_start(w);
        return 0;
}

static int on_event(sd_event_source *source, int fd, uint32_t events _unused_, void *userdata) {
        struct area_watch *w = userdata;

        if (mapper_events_arm(fd) < 0) {
                log_warning("device-mapper's events cannot be heard any more: stores of copies "
                            "are looked at each second only");
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        }
        /* A set in creation causes some of its own with each device. */
        if (!w->manager->builder && is_armed(w))
                arm_earlier(w, SOON_USEC);
        return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

/* Where there are none (no device-mapper, an old one) the timer does it alone. */
static int listen_to_events(struct area_watch *w) {
        int fd, r;

        if (mapper_events_open(&fd) < 0)
                return 0;
        r = sd_event_add_io(w->manager->event, &w->events, fd, EPOLLIN, on_event, w);
        if (r >= 0)
                r = sd_event_source_set_io_fd_own(w->events, true);
        if (r < 0)
                safe_close(fd);
        return r;
}

int area_watch_new(struct area_watch **ret, struct session_manager *m) {
        struct area_watch *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        w->manager = m;
        r = sd_event_add_time_relative(m->event, &w->timer, CLOCK_MONOTONIC, PERIOD_USEC,
                                       ACCURACY_USEC, on_time, w);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = listen_to_events(w);
        if (r < 0) {
                area_watch_free(w);
                return r;
        }
        *ret = w;
        return 0;
}

struct area_watch *area_watch_free(struct area_watch *w) {
        if (!w)
                return NULL;
        assert(!w->patrolling && !w->deleting);

        sd_event_source_disable_unref(w->timer);
        sd_event_source_disable_unref(w->events);
        area_copies_done(&w->copies);
        area_pools_done(&w->pools);
        free(w);
        return NULL;
}

void area_watch_begin(struct area_watch *w, const struct snapshot_record *records, size_t n) {
        bool any = false;

        for (size_t i = 0; i < n; i++)
                any = any || area_patrol_concerns(&records[i]) || area_pools_concern(&records[i]);
        if (!any)
                return;
        w->has_new = w->patrolling;
        if (!is_armed(w))
                arm(w, SOON_USEC);
}

void area_watch_stop(struct area_watch *w) {
        w->stopped = true;
        (void)sd_event_source_set_enabled(w->timer, SD_EVENT_OFF); /* on_time() looks, too */
}

bool area_watch_is_needed(const struct area_watch *w) {
        return w->patrolling || w->deleting || w->copies.n > 0 || w->pools.n > 0;
}
