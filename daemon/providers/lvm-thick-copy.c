/* See lvm-thick-copy.h. Owned by a set in creation, or by whoever parsed it. */

#include "daemon/providers/lvm-thick-copy.h"
#include "daemon/providers/lvm-name.h"

#define NO_UUID "-"

void thick_copy_done(struct thick_copy *c) {
        free(c->vg);
        free(c->vg_uuid);
        free(c->origin);
        free(c->origin_uuid);
        free(c->cow);
        free(c->cow_uuid);
        free(c->origin_device);
        free(c->real_device);
        free(c->copy_device);
        free(c->store_device);
        free(c->origin_dm_uuid);
        free(c->real_dm_uuid);
        free(c->copy_dm_uuid);
        free(c->store_dm_uuid);
        *c = (struct thick_copy){ 0 };
}

int thick_copy_set_cow_uuid(struct thick_copy *c, const char *cow_uuid) {
        _cleanup_(freep) char *copy_uuid = NULL, *store_uuid = NULL;
        int r;

        r = lvm_uuid_join(&copy_uuid, c->vg_uuid, cow_uuid, NULL);
        if (r >= 0)
                r = lvm_uuid_join(&store_uuid, c->vg_uuid, cow_uuid, "cow");
        if (r >= 0)
                r = str_replace(&c->cow_uuid, cow_uuid);
        if (r < 0)
                return r;
        free(c->copy_dm_uuid);
        c->copy_dm_uuid = TAKE_PTR(copy_uuid);
        free(c->store_dm_uuid);
        c->store_dm_uuid = TAKE_PTR(store_uuid);
        return 0;
}

int thick_copy_init(struct thick_copy *ret, const char *vg, const char *vg_uuid, const char *origin,
                    const char *origin_uuid, const char *cow, const char *cow_uuid) {
        _cleanup_(thick_copy_done) struct thick_copy c = { 0 };
        int r;

        if (!lvm_name_is_valid(vg) || !lvm_name_is_valid(origin) || !lvm_name_is_valid(cow))
                return -EINVAL;
        if (str_replace(&c.vg, vg) < 0 || str_replace(&c.vg_uuid, vg_uuid) < 0 ||
            str_replace(&c.origin, origin) < 0 || str_replace(&c.origin_uuid, origin_uuid) < 0 ||
            str_replace(&c.cow, cow) < 0)
                return -ENOMEM;
        if (lvm_name_join(&c.origin_device, vg, origin, NULL) < 0 ||
            lvm_name_join(&c.real_device, vg, origin, "real") < 0 ||
            lvm_name_join(&c.copy_device, vg, cow, NULL) < 0 ||
            lvm_name_join(&c.store_device, vg, cow, "cow") < 0)
                return -ENOMEM;
        r = lvm_uuid_join(&c.origin_dm_uuid, vg_uuid, origin_uuid, NULL);
        if (r >= 0)
                r = lvm_uuid_join(&c.real_dm_uuid, vg_uuid, origin_uuid, "real");
        if (r >= 0 && cow_uuid)
                r = thick_copy_set_cow_uuid(&c, cow_uuid);
        if (r < 0)
                return r;
        *ret = c;
        c = (struct thick_copy){ 0 };
        return 0;
}

int thick_copy_format(const struct thick_copy *c, char **ret) {
        return str_format(ret, "vg=%s vg_uuid=%s origin=%s origin_uuid=%s cow=%s cow_uuid=%s\n",
                          c->vg, c->vg_uuid, c->origin, c->origin_uuid, c->cow,
                          c->cow_uuid ? c->cow_uuid : NO_UUID);
}

int thick_copy_parse(struct thick_copy *c, const char *line) {
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
        r = thick_copy_init(c, values[0], values[1], values[2], values[3], values[4],
                            streq(values[5], NO_UUID) ? NULL : values[5]);
        return r == -EINVAL ? -EBADMSG : r;
}
