/* What the machine has one of: the list of sessions, the one creation, the observers. Owned by
 * main(), which frees it when nothing is under way any more. */

#include "common/vss-id.h"
#include "daemon/session/area-watch.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/reverts.h"
#include "daemon/session/session-private.h"

#include <malloc.h>

/* Sessions with their documents come and go, and the service stays for months. */
static int manager_on_trim(sd_event_source *source _unused_, void *userdata _unused_) {
        (void)malloc_trim(0); /* whether there was something to give back */
        return 0;
}

int session_manager_new(struct session_manager **ret, sd_event *event, struct store *store,
                        struct writer_registry *writers, const struct session_config *config) {
        struct session_manager *m;
        int r;

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        r = sd_event_add_defer(event, &m->trim_turn, manager_on_trim, m);
        if (r >= 0)
                r = sd_event_source_set_enabled(m->trim_turn, SD_EVENT_OFF);
        if (r >= 0) /* after what else is to be done */
                r = sd_event_source_set_priority(m->trim_turn, SD_EVENT_PRIORITY_IDLE);
        if (r < 0) {
                sd_event_source_disable_unref(m->trim_turn);
                free(m);
                return r;
        }
        m->event = sd_event_ref(event);
        m->store = store;
        m->writers = writers;
        m->config = *config;
        m->upkeeps_tail = &m->upkeeps;
        r = area_watch_new(&m->areas, m);
        if (r >= 0)
                r = reverts_new(&m->reverts, m);
        if (r < 0) {
                session_manager_free(m);
                return r;
        }
        *ret = m;
        return 0;
}

struct session_manager *session_manager_free(struct session_manager *m) {
        if (!m)
                return NULL;
        assert(session_manager_is_idle(m) && !m->sessions);

        area_watch_free(m->areas);
        reverts_free(m->reverts);
        sd_event_source_disable_unref(m->expiry);
        sd_event_source_disable_unref(m->trim_turn);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

bool session_manager_is_idle(const struct session_manager *m) {
        if (m->n_inquiries > 0 || m->recovery)
                return false;
        for (const struct session *s = m->sessions; s; s = s->next)
                if (s->released || s->coordinator)
                        return false;
        return true;
}

bool session_manager_set_in_progress(const struct session_manager *m) {
        return m->builder;
}

int manager_claim_creation(struct session_manager *m, struct session *s, struct vss_error *reterr) {
        if (m->builder && m->builder != s)
                return vss_error_set(reterr, VSS_E_SNAPSHOT_SET_IN_PROGRESS, 0,
                                     "Session %llu (uid %u) is creating the snapshot set %s, and "
                                     "only one is created at a time on this machine; wait for its "
                                     "end and try again",
                                     (unsigned long long)m->builder->number,
                                     (unsigned)m->builder->owner, VSS_ID_TEXT(m->builder->set_id));
        if (m->n_adoptions > 0 && m->builder != s)
                return vss_error_set(reterr, VSS_E_SNAPSHOT_SET_IN_PROGRESS, 0,
                                     "a volume is being adopted or released, and volumes must not "
                                     "change below a set; wait for the end of it and try again");
        if (m->n_reversions > 0 && m->builder != s)
                return vss_error_set(reterr, VSS_E_SNAPSHOT_SET_IN_PROGRESS, 0,
                                     "the revert of a volume is just being begun; wait for a "
                                     "moment and try again");
        if (m->n_leaving > 0 && m->builder != s)
                return vss_error_set(reterr, VSS_E_SNAPSHOT_SET_IN_PROGRESS, 0,
                                     "a provider is being unregistered; wait for the end of it and "
                                     "try again");
        m->builder = s;
        return 0;
}

void manager_release_creation(struct session_manager *m, const struct session *s) {
        if (m->builder == s)
                m->builder = NULL;
}

void session_manager_set_observer(struct session_manager *m, snapshot_changed_fn fn,
                                  void *userdata) {
        m->changed = fn;
        m->userdata = userdata;
}

void session_manager_set_area_observer(struct session_manager *m, area_changed_fn fn,
                                       void *userdata) {
        m->area_changed = fn;
        m->area_userdata = userdata;
}

bool session_manager_has_areas(const struct session_manager *m) {
        return area_watch_is_needed(m->areas) || reverts_are_needed(m->reverts);
}

void session_manager_stop_watching(struct session_manager *m) {
        area_watch_stop(m->areas);
        reverts_stop(m->reverts);
}

void manager_tell(struct session_manager *m, const struct snapshot_record *r,
                  enum snapshot_change change) {
        if (m->changed)
                m->changed(m->userdata, r, change);
}
