/* See snapshot-draft.h. Stateless. */

#include "daemon/coordinator/snapshot-draft.h"

#include "daemon/providers/snapshot-mount.h"

int snapshot_draft(struct snapshot_record *r, const struct coordinator_request *q,
                   const struct coordinator_volume *v, uint64_t number, const char *machine) {
        const struct volume *volume = v->volume;
        int k;

        r->id = v->snapshot_id;
        r->set_id = q->set_id;
        r->number = number;
        r->provider_id = v->provider->id;
        r->context = q->context;
        r->attributes = q->context | VSS_VOLSNAP_ATTR_NOT_SURFACED;
        r->count = (LONG)q->n_volumes;
        r->state = VSS_SS_PREPARING;
        r->expire_unix = q->expire_unix;
        if (str_replace(&r->volume, volume->name) < 0 ||
            str_replace(&r->display, volume->display) < 0 ||
            str_replace(&r->origin_uuid, volume->dm_uuid) < 0 ||
            str_replace(&r->provider, v->provider->name) < 0 ||
            str_replace(&r->fs_type, volume->fs_type) < 0 ||
            str_replace(&r->originating_machine, machine) < 0 ||
            str_replace(&r->service_machine, machine) < 0)
                return -ENOMEM;
        k = str_format(&r->device, "%s/ShadowCopy%llu", SNAPSHOT_DEVICE_ROOT,
                       (unsigned long long)number);
        if (k < 0)
                return k;
        /* What was not mounted is not mounted for anybody: its copy is a block device. */
        return str_format(&r->device_object, "%s/ShadowCopy%llu",
                          volume->mount_point && volume->fs_type ? SNAPSHOT_MOUNT_ROOT
                                                                 : SNAPSHOT_DEVICE_ROOT,
                          (unsigned long long)number);
}

bool snapshot_has_mount(const struct snapshot_record *r) {
        return !streq(r->device, r->device_object);
}
