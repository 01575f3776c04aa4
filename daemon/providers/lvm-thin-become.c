/* See lvm-thin-break.h: which identity a copy that is broken off has, and how it is called. */

#include "common/vss-id.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm-thin-break.h"
#include "daemon/providers/lvm-thin.h"
#include <stdio.h>

#define DM_NAME_MAX 127
#define NAMES_MAX 100 /* of one copy that are tried */
#define BY_UUID "/dev/disk/by-uuid"

#define FOUND_COLUMNS "vg_name,lv_name,origin,lv_attr"

int thin_break_find(struct lvm_report *ret, struct lvm *l, const struct lvm_copy *c,
                    struct vss_error *reterr) {
        int r;

        r = lvm_copy_ask(ret, l, c, FOUND_COLUMNS, FOUND_FIELDS, reterr);
        if (r < 0)
                return r;
        if (ret->n == 0)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the logical volume %s/%s of a copy is gone", c->vg, c->lv);
        return strlen(ret->rows[0].fields[FOUND_ATTR]) >= ATTR_LENGTH
                       ? 0
                       : vss_error_from_errno(reterr, -EBADMSG, "lvm's report");
}

/* The volumes whose identity the copies have: present are those that have a device; and nobody
 * else may claim the same. */
static int check_alone(const struct lvm_copy *c, const struct volume_identity *i, const char *name,
                       struct vss_error *reterr) {
        _cleanup_(freep) char *link = NULL;
        struct mapper_info origin;
        int r;

        r = mapper_find_uuid(c->origin_dm_uuid, &origin, reterr);
        if (r < 0)
                return r;
        if (origin.exists)
                return vss_error_set(reterr, VSS_E_BREAK_REVERT_ID_FAILED, EEXIST,
                                     "The copy of %s cannot have the identity of its original, "
                                     "which is there (/dev/mapper/%s); deactivate that first "
                                     "(lvchange -an), or break the set without asking for it",
                                     name, origin.name);
        if (!i->uuid)
                return 0;
        if (str_format(&link, BY_UUID "/%s", i->uuid) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        return access(link, F_OK) != 0
                       ? 0
                       : vss_error_set(reterr, VSS_E_BREAK_REVERT_ID_FAILED, EEXIST,
                                       "The copy of %s cannot have the identity of its original, "
                                       "as another volume has it (%s); deactivate that first, or "
                                       "break the set without asking for it",
                                       name, link);
}

static int decide_identity(struct lvm_breaking *b, size_t i, const struct snapshot_record *record,
                           struct vss_error *reterr) {
        _cleanup_(volume_identity_done) struct volume_identity found = { 0 };
        struct lvm_becoming *a = &b->as[i];
        VSS_ID fresh;
        int r;

        r = volume_identity_read(&found, record->device, reterr);
        if (r < 0)
                return r;
        if (b->flags & VSS_BREAKEX_FLAG_REVERT_IDENTITY_ALL)
                return check_alone(&b->copies[i], &found, str_or_empty(record->volume), reterr);
        if (!found.uuid)
                return 0;
        if (!(b->flags & VSS_BREAKEX_FLAG_REVERT_IDENTITY_NONE)) {
                a->shared = true;
                return 0;
        }
        r = volume_identity_check(&found, str_or_empty(record->volume), reterr);
        if (r < 0)
                return r;
        r = vss_id_random(&fresh);
        if (r >= 0)
                r = str_replace(&a->uuid, VSS_ID_TEXT(fresh));
        if (r < 0)
                return vss_error_from_errno(reterr, r, "a new UUID");
        a->was = found;
        found = (struct volume_identity){ 0 };
        return 0;
}

/* "data_ShadowCopy7", and "data-2_ShadowCopy7" if there is one; without the origin where that is
 * too long. 57-vss.rules knows the end of it. */
static int compose_name(char **ret, const char *vg, const char *origin, const char *node,
                        unsigned attempt) {
        char suffix[16] = "";
        int r = -ENAMETOOLONG;

        if (attempt > 1)
                (void)snprintf(suffix, sizeof(suffix), "-%u", attempt);
        for (size_t i = 0; i < 2; i++) {
                _cleanup_(freep) char *name = NULL, *device = NULL;

                r = str_format(&name, "%s%s_%s", i == 0 ? origin : "lv", suffix, node);
                if (r >= 0)
                        r = lvm_name_join(&device, vg, name, NULL);
                if (r < 0)
                        return r;
                if (lvm_name_is_valid(name) && strlen(device) <= DM_NAME_MAX) {
                        *ret = TAKE_PTR(name);
                        return 0;
                }
        }
        return r;
}

static int name_is_free(struct lvm *l, const char *vg, const char *name, bool *ret,
                        struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        int r;

        r = lvm_report_ask(&found, l, 1, reterr,
                           "lvs -a " LVM_REPORT_OPTIONS " -o lv_name -S vg_name=%s&&lv_name=%s", vg,
                           name);
        if (r >= 0)
                *ret = found.n == 0;
        return r;
}

/* A copy that somebody has given another name has one already. */
static int decide_name(struct lvm *l, struct lvm_copy *c, struct lvm_becoming *a,
                       struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        char *const *f;
        int r;

        r = thin_break_find(&found, l, c, reterr);
        if (r < 0)
                return r;
        f = found.rows[0].fields;
        if (!lvm_name_is_valid(f[FOUND_VG]) || !lvm_name_is_valid(f[FOUND_LV]))
                return vss_error_from_errno(reterr, -EBADMSG, "lvm's report");
        if (str_replace(&c->vg, f[FOUND_VG]) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, c->lv);
        if (!streq(f[FOUND_LV], c->lv)) {
                if (str_replace(&c->lv, f[FOUND_LV]) < 0 || str_replace(&a->name, f[FOUND_LV]) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, c->lv);
                return 0;
        }
        for (unsigned attempt = 1; attempt <= NAMES_MAX; attempt++) {
                _cleanup_(freep) char *name = NULL;
                bool is_free;

                r = compose_name(&name, f[FOUND_VG], *f[FOUND_ORIGIN] ? f[FOUND_ORIGIN] : c->origin,
                                 a->node, attempt);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, c->lv);
                r = name_is_free(l, f[FOUND_VG], name, &is_free, reterr);
                if (r < 0)
                        return r;
                if (is_free) {
                        a->name = TAKE_PTR(name);
                        return 0;
                }
        }
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EEXIST,
                             "the volume group %s has %u volumes called like a copy of %s",
                             f[FOUND_VG], NAMES_MAX, c->origin);
}

int thin_break_decide(struct lvm_breaking *b, struct lvm *l, const struct snapshot_record *records,
                      char **names, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < b->n; i++) {
                r = lvm_life_activate(&thin_kind, &records[i], reterr);
                if (r >= 0)
                        r = decide_identity(b, i, &records[i], reterr);
                if (r >= 0)
                        r = decide_name(l, &b->copies[i], &b->as[i], reterr);
                if (r >= 0)
                        r = str_format(&names[i], "/dev/%s/%s", b->copies[i].vg, b->as[i].name);
                if (r == -ENOMEM)
                        (void)vss_error_from_errno(reterr, r, b->copies[i].lv);
        }
        return r;
}
