/* See set-description.h. Stateless. */

#include "daemon/session/set-description.h"
#include "common/vss-context.h"
#include "common/vss-id.h"

static void describe(struct backup_snapshots *set, const struct snapshot_record *r) {
        set->items[set->n++] = (struct backup_snapshot){
                .id = r->id,
                .provider_id = r->provider_id,
                .created = r->created,
                .mounted = !streq(str_or_empty(r->device), str_or_empty(r->device_object)),
                .provider = r->provider,
                .machine = r->originating_machine,
                .volume = r->volume,
                .display = r->display,
                .fs_type = r->fs_type,
                .consistency = r->consistency,
                .consistency_reason = r->consistency_reason,
                .storage = r->provider_data,
        };
}

int set_description_write(struct session *s, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct backup_snapshots set = { .set_id = s->set_id };
        struct snapshot_record *records = NULL;
        size_t n = 0;
        int r;

        if (!(s->context & VSS_VOLSNAP_ATTR_TRANSPORTABLE))
                return 0;
        r = store_snapshot_list(s->manager->store, s->set_id, &records, &n, &error);
        assert(n <= BACKUP_SNAPSHOTS_MAX); /* as many volumes can be asked for: config.c */
        for (size_t i = 0; r >= 0 && i < n; i++) {
                set.context = records[i].context;
                set.count = records[i].count;
                describe(&set, &records[i]);
        }
        /* One without volumes has nothing to be imported. */
        if (r >= 0 && n > 0)
                r = backup_document_set_snapshots(s->document, &set, &error);
        snapshot_records_free(records, n);
        session_charge(s);
        if (r < 0)
                return vss_error_set(
                        reterr, error.hr == E_OUTOFMEMORY ? E_OUTOFMEMORY : VSS_E_UNEXPECTED,
                        error.cause, "The set cannot be described for another host: %s",
                        str_or_empty(error.message));
        return 0;
}

int set_description_check(const struct backup_snapshots *set, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error why = { 0 };

        if (!(set->context & VSS_VOLSNAP_ATTR_TRANSPORTABLE))
                return vss_error_set(reterr, VSS_E_NONTRANSPORTABLE_BCD, 0,
                                     "The document describes a snapshot set that is not "
                                     "transportable (context 0x%x)",
                                     (unsigned)set->context);
        if (set->context == VSS_CTX_ALL || vss_context_validate(set->context, &why) < 0)
                return vss_error_set(reterr, VSS_E_NO_SNAPSHOTS_IMPORTED, EBADMSG,
                                     "The document describes a snapshot set of no legal context: "
                                     "%s",
                                     str_or_empty(why.message));
        for (size_t i = 0; i < set->n; i++)
                if (set->items[i].volume[0] != '/')
                        return vss_error_set(reterr, VSS_E_NO_SNAPSHOTS_IMPORTED, EBADMSG,
                                             "The document describes a copy of '%s', which is no "
                                             "volume",
                                             set->items[i].volume);
        return 0;
}

/* NULL: it is none of the words that there are. */
static const char *known_level(const char *told) {
        static const char *const levels[] = { "application", "file-system", "crash" };

        for (size_t i = 0; told && i < ARRAY_SIZE(levels); i++)
                if (streq(told, levels[i]))
                        return levels[i];
        return NULL;
}

int set_description_record(const struct backup_snapshots *set, size_t i, const char *machine,
                           struct snapshot_record *r) {
        const struct backup_snapshot *told = &set->items[i];

        *r = (struct snapshot_record){
                .id = told->id,
                .set_id = set->set_id,
                .provider_id = told->provider_id,
                .context = set->context,
                .attributes = set->context | VSS_VOLSNAP_ATTR_NOT_SURFACED,
                .count = set->count,
                .created = told->created,
                .state = VSS_SS_CREATED,
        };
        /* The provider's import() says where it is to be mounted, if it is. */
        return str_replace(&r->device_object, told->mounted && told->fs_type ? "" : NULL) < 0 ||
                               str_replace(&r->provider, told->provider) < 0 ||
                               str_replace(&r->provider_data, told->storage) < 0 ||
                               str_replace(&r->volume, told->volume) < 0 ||
                               str_replace(&r->display,
                                           told->display ? told->display : told->volume) < 0 ||
                               str_replace(&r->fs_type, told->fs_type) < 0 ||
                               str_replace(&r->originating_machine, told->machine) < 0 ||
                               str_replace(&r->service_machine, machine) < 0 ||
                               str_replace(&r->consistency, known_level(told->consistency)) < 0 ||
                               str_replace(&r->consistency_reason, told->consistency_reason) < 0
                       ? -ENOMEM
                       : 0;
}
