/* Registering providers of others, and their end: IVssAdmin. One of them is kept while copies of
 * its making are there, or something that is left of a set: nobody else could delete them. While
 * one goes no set is begun. */

#include "common/vss-id.h"
#include "daemon/providers/foreign-copies.h"
#include "daemon/providers/foreign.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/upkeep.h"

struct registration {
        struct upkeep upkeep;
        struct store *store;
        struct provider_record record;
        bool counted; /* in manager->n_leaving */
};

static void registration_free(struct inquiry *q) {
        struct registration *g = (struct registration *)q;

        if (g->counted)
                q->manager->n_leaving--;
        provider_record_done(&g->record);
}

static const void *registration_answer(struct inquiry *q, int *r _unused_,
                                       struct vss_error *error _unused_) {
        struct registration *g = (struct registration *)q;

        upkeep_over(&g->upkeep);
        return g->record.name;
}

static int register_run(struct inquiry *q, struct vss_error *reterr) {
        struct registration *g = (struct registration *)q;

        return foreign_register(g->store, &g->record, reterr);
}

static int check_copies(struct store *store, VSS_ID provider, struct vss_error *reterr) {
        struct snapshot_record *records = NULL;
        size_t n = 0, used = 0;
        int r;

        r = store_snapshot_list_all(store, GUID_NULL, &records, &n, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                used += vss_id_equal(records[i].provider_id, provider);
        snapshot_records_free(records, n);
        if (used > 0)
                return vss_error_set(reterr, VSS_E_PROVIDER_IN_USE, EBUSY,
                                     "%zu %s made by the provider %s; delete %s first", used,
                                     used == 1 ? "copy was" : "copies were", VSS_ID_TEXT(provider),
                                     used == 1 ? "it" : "them");
        return 0;
}

/* What was begun and not finished is its to undo, too. */
static int check_intents(struct store *store, VSS_ID provider, struct vss_error *reterr) {
        struct intent_record *intents = NULL;
        const struct provider *p = provider_by_id(provider);
        bool used = false;
        size_t n = 0;
        int r;

        r = store_intent_list(store, &intents, &n, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; p && i < n; i++)
                used = used || streq(str_or_empty(intents[i].provider), p->name);
        intent_records_free(intents, n);
        if (used)
                return vss_error_set(
                        reterr, VSS_E_PROVIDER_IN_USE, EBUSY,
                        "What is left of a set of the provider %s could not be taken back yet; its "
                        "process has to answer for that",
                        p->name);
        return 0;
}

static int unregister_run(struct inquiry *q, struct vss_error *reterr) {
        struct registration *g = (struct registration *)q;
        const struct provider *p = provider_by_id(g->record.id);
        int r = 0;

        if (p && str_replace(&g->record.name, p->name) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "Unregistering a provider");
        /* What is a part of the service does not go without copies either. */
        if (p && p->foreign)
                r = check_copies(g->store, g->record.id, reterr);
        if (r >= 0 && p && p->foreign)
                foreign_clear_up(p->foreign, g->store);
        if (r >= 0)
                r = check_intents(g->store, g->record.id, reterr);
        return r < 0 ? r : foreign_unregister(g->store, g->record.id, reterr);
}

static const struct inquiry_type register_type = {
        .name = "vss-register",
        .run = register_run,
        .answer = registration_answer,
        .free = registration_free,
};

static const struct inquiry_type unregister_type = {
        .name = "vss-unregister",
        .run = unregister_run,
        .answer = registration_answer,
        .free = registration_free,
};

static int begin(struct session_manager *m, const struct inquiry_type *type,
                 const struct provider_record *record, session_done_fn done, void *userdata,
                 struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        struct registration *g;
        int r;

        r = inquiry_new(&q, sizeof(*g), type, m, NULL, done, userdata, reterr);
        if (r < 0)
                return r;
        g = (struct registration *)q;
        g->store = m->store;
        g->counted = type == &unregister_type;
        m->n_leaving += g->counted;
        if (provider_record_copy(&g->record, record) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "Registering a provider");
        TAKE_PTR(q);
        return upkeep_queue(&g->upkeep, reterr);
}

int manager_register_provider(struct session_manager *m, const struct provider_record *record,
                              session_done_fn done, void *userdata, struct vss_error *reterr) {
        int r = foreign_check(record, reterr);

        return r < 0 ? r : begin(m, &register_type, record, done, userdata, reterr);
}

int manager_unregister_provider(struct session_manager *m, VSS_ID id, session_done_fn done,
                                void *userdata, struct vss_error *reterr) {
        const struct provider_record record = { .id = id };

        if (m->builder)
                return vss_error_set(reterr, VSS_E_PROVIDER_IN_USE, EBUSY,
                                     "A set is being made, perhaps with it; try again when it is "
                                     "there");
        return begin(m, &unregister_type, &record, done, userdata, reterr);
}
