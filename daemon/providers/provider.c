/* The providers of this daemon and the choice among them, by what a volume is. A table is constant;
 * where others' providers come and go another takes its place, and it stays in memory for those who
 * are reading it. */

#include "daemon/providers/provider.h"
#include "common/vss-id.h"
#include "daemon/providers/file-system.h"
#include "daemon/providers/foreign-copies.h"
#include "daemon/providers/provider-error.h"

/* What ported programs have hard-coded: Windows' own copy-on-write provider. */
static const VSS_ID windows_system_provider = {
        0xb5946137, 0x7b9f, 0x4925, { 0xaf, 0x80, 0x51, 0xab, 0xd6, 0x0b, 0x20, 0xd5 }
};

/* The order in which the kinds are asked, as the documentation of AddToSnapshotSet has it. */
static const VSS_PROVIDER_TYPE asked[] = { VSS_PROV_HARDWARE, VSS_PROV_SOFTWARE, VSS_PROV_SYSTEM };

static const struct provider *const none[] = { NULL };
static const struct provider *const *_Atomic providers = none;

/* Those that were made here. */
struct table {
        struct table *next;
        const struct provider *items[];
};
static struct table *tables;

void providers_init(const struct provider *const *table) {
        providers = table;
}

const struct provider *const *providers_all(void) {
        return providers;
}

/* The same without one and with another; NULL: none. */
static int replace(const struct provider *without, const struct provider *with) {
        const struct provider *const *old = providers;
        struct table *t;
        size_t n = 0;

        while (old[n])
                n++;
        t = calloc(1, sizeof(*t) + (n + 2) * sizeof(t->items[0]));
        if (!t)
                return -ENOMEM;
        n = 0;
        for (; *old; old++)
                if (*old != without)
                        t->items[n++] = *old;
        t->items[n] = with;
        t->next = tables;
        tables = t;
        providers = t->items;
        return 0;
}

int providers_add(const struct provider *p) {
        return replace(NULL, p);
}

int providers_remove(const struct provider *p) {
        return replace(p, NULL);
}

const struct provider *provider_by_name(const char *name) {
        for (const struct provider *const *p = providers_all(); *p; p++)
                if (streq((*p)->name, name))
                        return *p;
        return NULL;
}

/* The next after `last` in the order (higher priority, then name), NULL for the first. */
static const struct provider *next_of_type(VSS_PROVIDER_TYPE type, const struct provider *last) {
        const struct provider *best = NULL;

        for (const struct provider *const *p = providers_all(); *p; p++) {
                bool later =
                        !last || (*p)->priority < last->priority ||
                        ((*p)->priority == last->priority && strcmp((*p)->name, last->name) > 0);

                if ((*p)->type != type || !later)
                        continue;
                if (!best || (*p)->priority > best->priority ||
                    ((*p)->priority == best->priority && strcmp((*p)->name, best->name) < 0))
                        best = *p;
        }
        return best;
}

bool provider_id_is_alias(VSS_ID id) {
        return vss_id_equal(id, windows_system_provider);
}

const struct provider *provider_by_id(VSS_ID id) {
        for (const struct provider *const *p = providers_all(); *p; p++)
                if (vss_id_equal((*p)->id, id))
                        return *p;
        if (provider_id_is_alias(id))
                return next_of_type(VSS_PROV_SYSTEM, NULL);
        return NULL;
}

/* Ours copy blocks; others may know another way. */
static int probe(const struct provider *p, const struct volume *v, LONG context,
                 struct vss_error *reterr) {
        if (p->foreign)
                return foreign_probe(p, v, context, reterr);
        if (!v->has_no_block_copy)
                return p->probe(v, context, reterr);
        (void)file_system_check_type(str_or_empty(v->fs_type), v->display, NULL, reterr);
        return PROVIDER_OTHER_KIND;
}

/* What it may not know of itself, it need not be asked. */
static int ask(const struct provider *p, const struct volume *v, LONG context,
               struct vss_error *reterr) {
        int r = probe(p, v, context, reterr);

        if (r < 0 || !(context & VSS_VOLSNAP_ATTR_TRANSPORTABLE) || p->hand_over)
                return r;
        (void)vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                            "the provider %s, whose volume %s is, makes no transportable copies",
                            p->name, v->name);
        return -EOPNOTSUPP;
}

static int select_named(const struct provider **ret, VSS_ID id, const struct volume *v,
                        LONG context, struct vss_error *reterr) {
        const struct provider *p = provider_by_id(id);
        int r;

        if (!p)
                return vss_error_set(
                        reterr, VSS_E_PROVIDER_NOT_REGISTERED, 0,
                        "there is no provider %s; 'vssctl volumes' shows what there is",
                        VSS_ID_TEXT(id));
        if (context & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE && p->type != VSS_PROV_SYSTEM)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER, 0,
                                     "client-accessible copies are made by the system provider "
                                     "only, not by %s",
                                     p->name);
        r = ask(p, v, context, reterr);
        if (r < 0) {
                (void)provider_error_check(p, "probe", r, reterr); /* r itself is as good */
                return r == PROVIDER_OTHER_KIND ? -EOPNOTSUPP : r;
        }
        *ret = p;
        return 0;
}

/* Asks all of some types. */
static int select_any(const struct provider **ret, const VSS_PROVIDER_TYPE *types, size_t n_types,
                      const struct volume *v, LONG context, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error last = { 0 };
        bool kind_known = false;

        for (size_t i = 0; i < n_types; i++) {
                if (context & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE && types[i] != VSS_PROV_SYSTEM)
                        continue;
                for (const struct provider *p = next_of_type(types[i], NULL); p;
                     p = next_of_type(types[i], p)) {
                        _cleanup_(vss_error_done) struct vss_error reason = { 0 };
                        int r = ask(p, v, context, &reason);

                        if (r >= 0) {
                                *ret = p;
                                return 0;
                        }
                        (void)provider_error_check(p, "probe", r, &reason); /* one reason of some */
                        /* The reason of the one that knows most of the volume: the last whose kind
                         * it is, or else the last. */
                        if (r == PROVIDER_OTHER_KIND && kind_known)
                                continue;
                        kind_known = r != PROVIDER_OTHER_KIND;
                        vss_error_done(&last);
                        vss_error_move(&last, &reason);
                }
        }
        if (last.hr == S_OK)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, 0,
                                     "no provider can make copies of %s", v->name);
        vss_error_move(reterr, &last);
        return -EOPNOTSUPP;
}

int provider_select(const struct provider **ret, VSS_ID id, const struct volume *v, LONG context,
                    struct vss_error *reterr) {
        static const VSS_PROVIDER_TYPE system[] = { VSS_PROV_SYSTEM };
        _cleanup_(vss_error_done) struct vss_error reason = { 0 };
        int r;

        if (vss_id_is_null(id))
                return select_any(ret, asked, ARRAY_SIZE(asked), v, context, reterr);
        /* Windows has one system provider, for every volume; here they share the work. */
        if (provider_id_is_alias(id) && provider_by_id(id))
                r = select_any(ret, system, ARRAY_SIZE(system), v, context, &reason);
        else
                r = select_named(ret, id, v, context, &reason);
        if (r < 0 && reason.hr == VSS_E_VOLUME_NOT_SUPPORTED)
                reason.hr = VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER;
        vss_error_move(reterr, &reason);
        return r;
}

int provider_stage(const struct provider *p, struct provider_set **ret, struct store *store,
                   const struct volume *const *volumes, struct snapshot_record *records, size_t n,
                   const struct volume *const *all, size_t n_all, struct vss_error *reterr) {
        if (p->foreign)
                return foreign_stage(p, ret, store, volumes, records, n, reterr);
        if (p->stage_in_set)
                return p->stage_in_set(ret, store, volumes, records, n, all, n_all, reterr);
        return p->stage(ret, store, volumes, records, n, reterr);
}

int provider_places_add(struct provider_places *p, const char *name, uint64_t free_bytes,
                        uint64_t total_bytes) {
        struct provider_place *longer = reallocarray(p->items, p->n + 1, sizeof(*longer));

        if (!longer)
                return -ENOMEM;
        p->items = longer;
        longer[p->n] = (struct provider_place){ .name = strdup(name),
                                                .free_bytes = free_bytes,
                                                .total_bytes = total_bytes };
        return longer[p->n].name ? (int)(p->n++, 0) : -ENOMEM;
}

void provider_places_done(struct provider_places *p) {
        for (size_t i = 0; i < p->n; i++)
                free(p->items[i].name);
        free(p->items);
        *p = (struct provider_places){ 0 };
}
