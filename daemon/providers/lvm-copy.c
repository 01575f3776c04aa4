/* See lvm-copy.h. Owned by a set in creation, or by whoever parsed it. */

#include "daemon/providers/lvm-copy.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/volume.h"
#include "daemon/store/store.h"
#include <inttypes.h>
#include <stdio.h>

#define NO_UUID "-"

void lvm_copy_done(struct lvm_copy *c) {
        free(c->vg);
        free(c->vg_uuid);
        free(c->origin);
        free(c->origin_uuid);
        free(c->lv);
        free(c->lv_uuid);
        free(c->origin_device);
        free(c->real_device);
        free(c->copy_device);
        free(c->store_device);
        free(c->origin_dm_uuid);
        free(c->real_dm_uuid);
        free(c->copy_dm_uuid);
        free(c->store_dm_uuid);
        *c = (struct lvm_copy){ 0 };
}

int lvm_copy_set_lv_uuid(struct lvm_copy *c, const char *lv_uuid) {
        _cleanup_(freep) char *copy_uuid = NULL, *store_uuid = NULL;
        int r;

        r = lvm_uuid_join(&copy_uuid, c->vg_uuid, lv_uuid, NULL);
        if (r >= 0)
                r = lvm_uuid_join(&store_uuid, c->vg_uuid, lv_uuid, "cow");
        if (r >= 0)
                r = str_replace(&c->lv_uuid, lv_uuid);
        if (r < 0)
                return r;
        free(c->copy_dm_uuid);
        c->copy_dm_uuid = TAKE_PTR(copy_uuid);
        free(c->store_dm_uuid);
        c->store_dm_uuid = TAKE_PTR(store_uuid);
        return 0;
}

int lvm_copy_init(struct lvm_copy *ret, const char *vg, const char *vg_uuid, const char *origin,
                  const char *origin_uuid, const char *lv, const char *lv_uuid) {
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        int r;

        if (!lvm_name_is_valid(vg) || !lvm_name_is_valid(origin) || !lvm_name_is_valid(lv))
                return -EINVAL;
        if (str_replace(&c.vg, vg) < 0 || str_replace(&c.vg_uuid, vg_uuid) < 0 ||
            str_replace(&c.origin, origin) < 0 || str_replace(&c.origin_uuid, origin_uuid) < 0 ||
            str_replace(&c.lv, lv) < 0)
                return -ENOMEM;
        if (lvm_name_join(&c.origin_device, vg, origin, NULL) < 0 ||
            lvm_name_join(&c.real_device, vg, origin, "real") < 0 ||
            lvm_name_join(&c.copy_device, vg, lv, NULL) < 0 ||
            lvm_name_join(&c.store_device, vg, lv, "cow") < 0)
                return -ENOMEM;
        r = lvm_uuid_join(&c.origin_dm_uuid, vg_uuid, origin_uuid, NULL);
        if (r >= 0)
                r = lvm_uuid_join(&c.real_dm_uuid, vg_uuid, origin_uuid, "real");
        if (r >= 0 && lv_uuid)
                r = lvm_copy_set_lv_uuid(&c, lv_uuid);
        if (r < 0)
                return r;
        *ret = c;
        c = (struct lvm_copy){ 0 };
        return 0;
}

struct snapshot_devices lvm_copy_devices(const struct lvm_copy *c) {
        return (struct snapshot_devices){
                .origin = c->origin_device,
                .real = c->real_device,
                .copy = c->copy_device,
                .store = c->store_device,
                .origin_uuid = c->origin_dm_uuid,
                .real_uuid = c->real_dm_uuid,
                .copy_uuid = c->copy_dm_uuid,
                .store_uuid = c->store_dm_uuid,
                /* "LVM-" and the group's UUID. */
                .family = c->origin_dm_uuid,
                .family_length = strlen(LVM_UUID_PREFIX) + LVM_UUID_LENGTH,
        };
}

/* The LV's UUID as LVM spells it, out of the device-mapper UUID: 6-4-4-4-4-4-6. */
static void spell_uuid(const char *bare, char text[static LVM_UUID_LENGTH + 7]) {
        static const unsigned groups[] = { 6, 4, 4, 4, 4, 4, 6 };

        for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
                if (i > 0)
                        *text++ = '-';
                for (unsigned k = 0; k < groups[i]; k++)
                        *text++ = *bare++;
        }
        *text = '\0';
}

int lvm_copy_of_volume(struct lvm_copy *c, const struct volume *v,
                       const struct snapshot_record *r) {
        char vg_uuid[LVM_UUID_LENGTH + 7], lv_uuid[LVM_UUID_LENGTH + 7], suffix[16] = "";
        _cleanup_(freep) char *lv = NULL;

        assert(lvm_uuid_is_visible(v->dm_uuid));

        if (r->context & VSS_VOLSNAP_ATTR_TRANSPORTABLE)
                (void)snprintf(suffix, sizeof(suffix), "_%08" PRIx32, r->id.Data1);

        spell_uuid(v->dm_uuid + strlen(LVM_UUID_PREFIX), vg_uuid);
        spell_uuid(v->dm_uuid + strlen(LVM_UUID_PREFIX) + LVM_UUID_LENGTH, lv_uuid);
        if (str_format(&lv, LVM_COPY_PREFIX "%" PRIu64 "%s", r->number, suffix) < 0)
                return -ENOMEM;
        return lvm_copy_init(c, v->vg, vg_uuid, v->lv, lv_uuid, lv, NULL);
}

int lvm_copy_format(const struct lvm_copy *c, char **ret) {
        return str_format(ret, "vg=%s vg_uuid=%s origin=%s origin_uuid=%s cow=%s cow_uuid=%s\n",
                          c->vg, c->vg_uuid, c->origin, c->origin_uuid, c->lv,
                          c->lv_uuid ? c->lv_uuid : NO_UUID);
}

int lvm_copy_parse(struct lvm_copy *c, const char *line) {
        static const char *const keys[] = { "vg",          "vg_uuid", "origin",
                                            "origin_uuid", "cow",     "cow_uuid" };
        _cleanup_(freep) char *copy = strndup(line, strcspn(line, "\n"));
        const char *values[ARRAY_SIZE(keys)];
        char *rest = copy;
        int r;

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                char *word = strsep(&rest, " ");
                size_t length = strlen(keys[i]);

                if (!word || strncmp(word, keys[i], length) != 0 || word[length] != '=')
                        return -EBADMSG;
                values[i] = word + length + 1;
        }
        if (rest)
                return -EBADMSG;
        r = lvm_copy_init(c, values[0], values[1], values[2], values[3], values[4],
                          streq(values[5], NO_UUID) ? NULL : values[5]);
        return r == -EINVAL ? -EBADMSG : r;
}

int lvm_copy_fill_record(const struct lvm_copy *c, const struct volume *v,
                         struct snapshot_record *record) {
        _cleanup_(freep) char *data = NULL;

        if (lvm_copy_format(c, &data) < 0 || str_replace(&record->provider_data, data) < 0 ||
            str_replace(&record->fs_type, v->fs_type) < 0 ||
            str_replace(&record->origin_uuid, v->dm_uuid) < 0)
                return -ENOMEM;
        record->attributes |= VSS_VOLSNAP_ATTR_DIFFERENTIAL;
        return 0;
}
