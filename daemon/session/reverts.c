/* See reverts.h. Each look is an upkeep of its own, so that nobody deletes or exposes what has just
 * ended: asking the kernel costs next to nothing, and when all is copied the rest is done at once.
 */

#include "daemon/session/reverts.h"

#include "common/path.h"
#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/providers/provider-error.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/revert-private.h"
#include "daemon/session/upkeep.h"
#include <sys/stat.h>

/* Between two looks; a test wants less. Of what waits for somebody or something LVM is asked, which
 * costs more: so much later. */
uint64_t reverts_pause_usec = USEC_PER_SEC;
#define WAITING_PAUSES 30

struct waiter {
        struct waiter *next;
        struct async *async;
};

struct revert {
        struct revert *next;
        struct revert_note note;
        VSS_ID set_id;
        int64_t intent;
        struct revert_progress progress;
        bool looking;            /* a look is under way */
        bool unseen;             /* and the last one failed, which has been said */
        bool for_next_boot;      /* before which there is nothing to see */
        uint64_t due_usec;       /* the next look */
        struct vss_error failed; /* S_OK: it has not */
        struct waiter *waiters;
};

struct reverts {
        struct session_manager *manager;
        struct revert *first;
        sd_event_source *timer;
        bool stopped;
        struct revert_row *rows; /* the last reverts_list() */
};

static void tell_waiters(struct revert *v, const struct vss_error *error) {
        while (v->waiters) {
                struct waiter *w = v->waiters;

                v->waiters = w->next;
                async_complete(w->async, error);
                async_unref(w->async);
                free(w);
        }
}

static struct revert *revert_free(struct revert *v) {
        if (!v)
                return NULL;
        while (v->waiters) {
                struct waiter *w = v->waiters;

                v->waiters = w->next;
                async_unref(w->async);
                free(w);
        }
        revert_note_done(&v->note);
        vss_error_done(&v->failed);
        free(v);
        return NULL;
}

/* What is lost may come back, what failed be activated anew. */
static bool can_recover(const struct revert *v) {
        return v->progress.state == REVERT_LOST || v->progress.state == REVERT_FAILED;
}

static bool is_watched(const struct revert *v) {
        return (v->failed.hr == S_OK || can_recover(v)) && !v->for_next_boot;
}

static unsigned per_cent(const struct revert *v) {
        const struct revert_progress *p = &v->progress;

        if (p->state == REVERT_COPIED)
                return 100;
        if (p->state != REVERT_RUNNING || v->note.total == 0 || p->left > v->note.total)
                return 0;
        return (unsigned)((v->note.total - p->left) * 100 / v->note.total);
}

static const char *phase_of(const struct revert *v) {
        return v->progress.state == REVERT_WAITING ? "Wait" : "Merge";
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata);

static void arm(struct reverts *r) {
        uint64_t due_usec = USEC_INFINITY;

        for (const struct revert *v = r->first; v; v = v->next)
                if (is_watched(v) && !v->looking && v->due_usec < due_usec)
                        due_usec = v->due_usec;
        if (due_usec == USEC_INFINITY || r->stopped)
                return;
        /* The source was made with the object: neither can fail. */
        (void)sd_event_source_set_time(r->timer, due_usec);
        (void)sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
}

static void set_due(struct revert *v) {
        const enum revert_state state = v->progress.state;
        bool goes_on = state == REVERT_RUNNING || state == REVERT_COPIED;
        unsigned pauses = goes_on && !v->unseen ? 1 : WAITING_PAUSES;

        v->due_usec = now_monotonic_usec() + pauses * reverts_pause_usec;
}

int reverts_new(struct reverts **ret, struct session_manager *m) {
        struct reverts *r;
        int k;

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->manager = m;
        k = sd_event_add_time(m->event, &r->timer, CLOCK_MONOTONIC, 0, 1, on_time, r);
        if (k >= 0)
                k = sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
        if (k < 0) {
                reverts_free(r);
                return k;
        }
        *ret = r;
        return 0;
}

struct reverts *reverts_free(struct reverts *r) {
        if (!r)
                return NULL;
        while (r->first) {
                struct revert *v = r->first;

                assert(!v->looking); /* an inquiry, for which the manager waits */

                r->first = v->next;
                volume_revert_remove(v->note.id);
                revert_free(v);
        }
        sd_event_source_disable_unref(r->timer);
        free(r->rows);
        free(r);
        return NULL;
}

int reverts_add(struct reverts *r, struct revert_note *note, VSS_ID set_id, int64_t intent,
                const struct revert_progress *progress) {
        struct revert **at = &r->first;

        for (; *at; at = &(*at)->next)
                if ((*at)->intent == intent)
                        return 0;
        *at = calloc(1, sizeof(**at));
        if (!*at || volume_revert_add(note->origin_uuid, note->id) < 0) {
                free(*at);
                *at = NULL;
                return -ENOMEM;
        }
        (*at)->note = *note;
        *note = (struct revert_note){ 0 };
        (*at)->set_id = set_id;
        (*at)->intent = intent;
        (*at)->progress = *progress;
        (*at)->for_next_boot = revert_waits_for_boot(&(*at)->note);
        set_due(*at);
        arm(r);
        return 1;
}

void reverts_load(struct reverts *r) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct intent_record *intents = NULL;
        size_t n = 0;

        if (store_intent_list(r->manager->store, &intents, &n, &error) < 0)
                log_failure(LOG_ERR, &error, "Reverts under way are not looked after: %s",
                            str_or_empty(error.message));
        for (size_t i = 0; i < n; i++) {
                _cleanup_(revert_note_done) struct revert_note note = { 0 };
                struct revert_progress progress = { .state = REVERT_RUNNING };

                if (!revert_has_intent(&intents[i]) ||
                    revert_note_parse(&note, intents[i].data) < 0)
                        continue;
                /* The start is at it still, and comes here again when that lane has ended. */
                if (volume_is_held(note.origin_uuid))
                        continue;
                if (revert_waits_for_boot(&note)) /* else the first look knows better */
                        progress.state = REVERT_WAITING;
                if (reverts_add(r, &note, intents[i].set_id, intents[i].id, &progress) < 0)
                        log_error("Out of memory: the revert of %s is not looked after",
                                  str_or_empty(note.volume));
        }
        intent_records_free(intents, n);
}

void reverts_stop(struct reverts *r) {
        r->stopped = true;
        (void)sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
}

bool reverts_take_state_back(const struct reverts *r) {
        for (const struct revert *v = r->first; v; v = v->next)
                if (v->for_next_boot && v->note.has_state)
                        return true;
        return false;
}

bool reverts_are_needed(const struct reverts *r) {
        for (const struct revert *v = r->first; v; v = v->next)
                if (is_watched(v))
                        return true;
        return false;
}

/* A look, and the end if there is nothing left to be copied. */
struct look {
        struct upkeep upkeep;
        struct revert *revert; /* stays until this is answered */
        struct store *store;
        struct revert_progress progress;
};

static int look_run(struct inquiry *q, struct vss_error *reterr) {
        struct look *l = (struct look *)q;
        struct revert *v = l->revert; /* nobody else has what the look changes of its note */

        l->progress = v->progress; /* which only the answer changes */
        return revert_look(l->store, &v->note, v->set_id, v->intent, &l->progress, reterr);
}

static void say(const struct revert *v, int priority, HRESULT hr, const char *what,
                const char *why) {
        log_full(priority,
                 (&(const struct log_fields){
                         .set_id = &v->set_id, .snapshot_id = &v->note.id, .code = hr }),
                 "%s %s copy %s%s%s", v->note.volume, what, VSS_ID_TEXT(v->note.id),
                 why ? ": " : "", str_or_empty(why));
}

/* The intent stays, and with it what the next start does. */
static void fail(struct revert *v, HRESULT hr, const char *why) {
        if (v->failed.hr != S_OK)
                return; /* it has been said */
        (void)vss_error_set(&v->failed, hr, EIO,
                            "The revert of %s to the copy %s does not go on: %s", v->note.volume,
                            VSS_ID_TEXT(v->note.id), why);
        say(v, LOG_CRIT, hr, "is not reverted to the", why);
        tell_waiters(v, &v->failed);
}

/* Nobody has volume or copy locked any more. */
static void end(struct reverts *r, struct revert *v, enum snapshot_change change) {
        const struct snapshot_record record = revert_note_record(&v->note, v->set_id);
        struct revert **at = &r->first;

        while (*at != v)
                at = &(*at)->next;
        *at = v->next;
        volume_revert_remove(v->note.id);
        if (change == SNAPSHOT_REMOVED)
                say(v, LOG_NOTICE, S_OK, "has been reverted to the", NULL);
        manager_tell(r->manager, &record, change);
        manager_arm_expiry(r->manager);
        tell_waiters(v, NULL);
        revert_free(v);
}

static void set_progress(struct revert *v, const struct revert_progress *now) {
        if (can_recover(v) && now->state != v->progress.state)
                vss_error_done(&v->failed);
        v->progress = *now;
        set_due(v);
}

static void take_look(struct reverts *r, struct revert *v, const struct revert_progress *now) {
        set_progress(v, now);
        switch (now->state) {
        case REVERT_OVER: end(r, v, SNAPSHOT_REMOVED); return;
        case REVERT_FAILED:
                fail(v, E_FAIL,
                     "the kernel could not copy its blocks back (its log says why); the "
                     "volume reads as the copy, and that is tried again when it is activated the "
                     "next time (lvchange -an and -ay, or a boot)");
                return;
        case REVERT_LOST:
                fail(v, VSS_E_REVERT_VOLUME_LOST,
                     "the volume is not there any more; it goes on when it is back");
                return;
        case REVERT_NONE:
                fail(v, E_FAIL,
                     "it was not begun, and volume and copy are as they were; or another program "
                     "has "
                     "ended it, and what is in the volume is what that has left");
                end(r, v, SNAPSHOT_CHANGED);
                return;
        case REVERT_WAITING:
        case REVERT_RUNNING:
        case REVERT_COPIED: break;
        }
        for (struct waiter *w = v->waiters; w; w = w->next)
                async_set_phase(w->async, phase_of(v), per_cent(v));
}

static const void *look_answer(struct inquiry *q, int *r, struct vss_error *error) {
        struct look *l = (struct look *)q;
        struct reverts *all = q->manager->reverts;
        struct revert *v = l->revert;

        v->looking = false;
        if (*r < 0 && !v->unseen) /* it is tried again; LVM may be busy */
                say(v, LOG_WARNING, error->hr,
                    "is being reverted, which cannot be looked at or brought on now, to the",
                    str_or_empty(error->message));
        v->unseen = *r < 0;
        if (*r >= 0)
                take_look(all, v, &l->progress); /* which may be its end */
        else
                set_progress(v, &l->progress);
        upkeep_over(&l->upkeep);
        arm(all);
        return NULL;
}

static const struct inquiry_type look_type = {
        .name = "vss-revert",
        .run = look_run,
        .answer = look_answer,
};

static void begin_look(struct reverts *r, struct revert *v) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct inquiry *q;
        struct look *l;

        set_due(v);
        if (inquiry_new(&q, sizeof(*l), &look_type, r->manager, NULL, NULL, NULL, &error) < 0)
                return; /* at the next turn */
        l = (struct look *)q;
        l->revert = v;
        l->store = r->manager->store;
        v->looking = true;
        if (upkeep_queue(&l->upkeep, &error) < 0)
                v->looking = false;
}

static int on_time(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        struct reverts *r = userdata;

        /* Nothing is started beside a window, as for the stores of copies. */
        for (struct revert *v = r->first; v; v = v->next)
                if (is_watched(v) && !v->looking && v->due_usec <= now_monotonic_usec()) {
                        if (log_is_held())
                                set_due(v);
                        else
                                begin_look(r, v);
                }
        arm(r);
        return 0;
}

/* Where udev has its nodes and links: others could lead to a file system that does not answer. */
static bool is_node(const char *name) {
        static const char *const places[] = { "/dev/dm-", "/dev/disk/by-", "/dev/mapper/" };

        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
                if (strncmp(name, places[i], strlen(places[i])) == 0)
                        return !strstr(name, "/..");
        return false;
}

/* It has many names, and some change with each boot. */
static bool is_same_node(const char *name, const char *volume) {
        struct stat a, b;

        return is_node(name) && is_node(volume) && stat(name, &a) == 0 && stat(volume, &b) == 0 &&
               S_ISBLK(a.st_mode) && S_ISBLK(b.st_mode) && a.st_rdev == b.st_rdev;
}

static bool is_of(const struct revert *v, const char *volume) {
        STRV_FOREACH (name, v->note.names)
                if (path_is_same(*name, volume) || is_same_node(*name, volume))
                        return true;
        return path_is_same(v->note.volume, volume);
}

/* Whoever asked has gone, or asks again and again. */
static void drop_lonely(struct revert *v) {
        for (struct waiter **at = &v->waiters; *at;) {
                struct waiter *w = *at;

                if (async_is_shared(w->async)) {
                        at = &w->next;
                        continue;
                }
                *at = w->next;
                async_unref(w->async);
                free(w);
        }
}

int reverts_wait(struct reverts *r, const char *volume, struct async **ret,
                 struct vss_error *reterr) {
        _cleanup_(async_unrefp) struct async *a = NULL;
        struct revert *v = r->first;
        struct waiter *w;
        int k;

        while (v && !is_of(v, volume))
                v = v->next;
        if (!v)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "No revert of volume %s is under way", volume);
        k = async_new(&a, "QueryRevertStatus", NULL, NULL);
        if (k < 0)
                return vss_error_from_errno(reterr, k, volume);
        if (v->failed.hr != S_OK)
                async_complete(a, &v->failed);
        else {
                drop_lonely(v);
                w = calloc(1, sizeof(*w));
                if (!w)
                        return vss_error_from_errno(reterr, -ENOMEM, volume);
                async_set_phase(a, phase_of(v), per_cent(v));
                w->async = async_ref(a);
                w->next = v->waiters;
                v->waiters = w;
        }
        *ret = TAKE_PTR(a);
        return 0;
}

static const char *state_name(const struct revert *v) {
        const enum revert_state state = v->progress.state;

        if (v->failed.hr != S_OK)
                return "failed";
        if (v->for_next_boot)
                return "waiting";
        return state == REVERT_RUNNING || state == REVERT_COPIED || state == REVERT_OVER
                       ? "merging"
                       : "beginning";
}

int reverts_list(struct reverts *r, struct revert_row **ret, size_t *ret_n) {
        struct revert_row *rows;
        size_t n = 0;

        for (const struct revert *v = r->first; v; v = v->next)
                n++;
        rows = calloc(n > 0 ? n : 1, sizeof(*rows));
        if (!rows)
                return -ENOMEM;
        n = 0;
        for (const struct revert *v = r->first; v; v = v->next)
                rows[n++] = (struct revert_row){
                        .id = v->note.id,
                        .set_id = v->set_id,
                        .volume = v->note.volume,
                        .names = v->note.names,
                        .provider = v->note.provider,
                        .state = state_name(v),
                        .message = str_or_empty(v->failed.message),
                        .per_cent = per_cent(v),
                        .total = v->note.total,
                        .left = v->progress.left,
                };
        free(r->rows);
        r->rows = rows;
        *ret = rows;
        *ret_n = n;
        return 0;
}
