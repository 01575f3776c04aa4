/* Where the stores of thick copies are: in the volume's own group. */

#include "daemon/providers/lvm-thick.h"

#define SECTOR_SIZE 512

int thick_places(const struct volume *v, struct provider_places *ret, struct vss_error *reterr) {
        enum { FREE, TOTAL, FIELDS };
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        uint64_t n_free = 0, total = 0;
        int r;

        r = lvm_open(&l, reterr);
        if (r >= 0)
                r = lvm_report_ask(&found, l, FIELDS, reterr,
                                   "vgs " LVM_REPORT_OPTIONS " --nolocking -o vg_free,vg_size %s",
                                   v->vg);
        if (r < 0)
                return r;
        if (found.n != 1 || lvm_number(found.rows[0].fields[FREE], &n_free) < 0 ||
            lvm_number(found.rows[0].fields[TOTAL], &total) < 0)
                return vss_error_from_errno(reterr, -EBADMSG, "lvm's report");
        r = provider_places_add(ret, v->vg, n_free * SECTOR_SIZE, total * SECTOR_SIZE);
        return r < 0 ? vss_error_from_errno(reterr, r, v->vg) : 0;
}

int thick_place_of(const struct snapshot_record *record, char **ret, struct vss_error *reterr) {
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        int r;

        r = lvm_copy_parse(&c, str_or_empty(record->provider_data));
        if (r >= 0)
                r = lvm_refresh_names(&c, reterr);
        if (r >= 0)
                r = str_replace(ret, c.vg);
        return r < 0 ? vss_error_from_errno(reterr, r, str_or_empty(record->device)) : 0;
}
