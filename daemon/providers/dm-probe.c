/* Whether the provider dm can make copies of a volume, or why not. */

#include "daemon/providers/dm.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/lvm-probe.h"
#include "daemon/providers/multipath.h"
#include <linux/keyctl.h>
#include <sys/syscall.h>

#define REAL_SUFFIX "-real"

/* Targets that keep no state of their own: they can be there twice for a moment, above the same
 * blocks. */
const char *dm_unfit_target(const struct mapper_table *table) {
        static const char *const fit[] = { "linear", "striped", "crypt", "delay", "flakey", NULL };

        return mapper_table_find_other(table, fit);
}

/* "CIPHER KEY ...", KEY: hexadecimal digits, or ":SIZE:TYPE:DESCRIPTION". */
int dm_crypt_key(const char *params, char **ret_type, char **ret_description) {
        _cleanup_(freep) char *type = NULL, *description = NULL;
        const char *key, *type_at, *description_at;

        key = strchr(params, ' ');
        if (!key || !*++key)
                return -EBADMSG;
        if (*key != ':')
                return 0;
        type_at = strpbrk(key + 1, ": ");
        if (!type_at || *type_at++ != ':')
                return -EBADMSG;
        description_at = strpbrk(type_at, ": ");
        if (!description_at || *description_at++ != ':')
                return -EBADMSG;
        type = strndup(type_at, (size_t)(description_at - 1 - type_at));
        description = strndup(description_at, strcspn(description_at, " "));
        if (!type || !description)
                return -ENOMEM;
        *ret_type = TAKE_PTR(type);
        *ret_description = TAKE_PTR(description);
        return 1;
}

/* A second mapping of the same blocks needs the key, and for the kernel to find it, it must be in a
 * keyring of ours. That into which cryptsetup puts it goes with cryptsetup. */
static int check_key(const struct volume *v, const char *params, struct vss_error *reterr) {
        _cleanup_(freep) char *type = NULL, *description = NULL;
        int r;

        r = dm_crypt_key(params, &type, &description);
        if (r == -EBADMSG)
                return lvm_probe_refuse(reterr, v, "is encrypted in a way that is not understood");
        if (r < 0)
                return vss_error_from_errno(reterr, r, v->name);
        if (r == 0 || syscall(SYS_request_key, type, description, NULL, 0) >= 0)
                return 0;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                             "%s is encrypted with a key that only the program that opened it had "
                             "(the kernel has it in no keyring); 'cryptsetup refresh "
                             "--disable-keyring %s' asks for the passphrase and puts that right, "
                             "while the volume is in use, until it is closed",
                             v->name, v->dm_name);
}

static int refuse_kind(const struct volume *v, const char *type, struct vss_error *reterr) {
        static const struct {
                const char *type, *reason;
        } known[] = {
                { .type = "multipath",
                  .reason = "is a multipath map that is not multipathd's; put LVM or a linear "
                            "mapping over it, and make copies of that" },
                { .type = "snapshot", .reason = "is itself a snapshot; name its origin" },
                { .type = "snapshot-merge",
                  .reason = "is being merged with a snapshot; wait for the end of it" },
                { .type = "snapshot-origin",
                  .reason = "has snapshots that were not made here; copies beside them cannot be "
                            "made until they are gone" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(type, known[i].type))
                        return lvm_probe_refuse(reterr, v, known[i].reason);
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                             "%s is a mapped device of the kind '%s', which keeps a state of its "
                             "own and must not be there twice; put LVM or a linear mapping over it",
                             v->name, type);
}

/* Whatever is below its copies, if it has some. */
static int read_blocks(const struct volume *v, struct mapper_table *ret, struct vss_error *reterr) {
        _cleanup_(freep) char *real = NULL, *uuid = NULL;
        struct mapper_info info;
        int r;

        r = mapper_read_table(v->dm_name, ret, reterr);
        if (r < 0 || ret->n != 1 || !streq(ret->targets[0].type, "snapshot-origin"))
                return r;
        if (str_format(&real, "%s" REAL_SUFFIX, v->dm_name) < 0 ||
            str_format(&uuid, DM_COPY_UUID_PREFIX "%s", real) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, v->name);
        r = mapper_find_name(real, &info, reterr);
        if (r < 0 || !info.exists || !streq(info.uuid, uuid))
                return r;
        mapper_table_done(ret);
        return mapper_read_table(real, ret, reterr);
}

static int check_table(const struct volume *v, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        const char *unfit;
        int r;

        r = read_blocks(v, &table, reterr);
        if (r < 0)
                return r;
        if (table.n == 0)
                return lvm_probe_refuse(reterr, v, "is not active");
        unfit = dm_unfit_target(&table);
        if (unfit)
                return refuse_kind(v, unfit, reterr);
        for (size_t i = 0; r >= 0 && i < table.n; i++)
                if (streq(table.targets[i].type, "crypt"))
                        r = check_key(v, table.targets[i].params, reterr);
        return r;
}

/* Mapped devices whose tables others write anew at any time: what lies between the volume and its
 * blocks would be cut out, and the copies would change with the volume and nobody notice.
 * multipathd does so when a path comes or goes (domap() with ACT_RELOAD, dm_addmap_reload()), and
 * drops a map whose table is no multipath one (update_multipath_table(): DMP_NO_MATCH); kpartx does
 * for the partitions of a map, with each event of it. */
static int check_owner(const struct volume *v, struct vss_error *reterr) {
        static const char *const reasons[] = {
                [MULTIPATH_NONE] = NULL,
                [MULTIPATH_MAP] = "is a multipath map, whose table multipathd writes anew whenever "
                                  "a path comes or goes",
                [MULTIPATH_PARTITION] = "is a partition of a multipath map, which kpartx maps anew "
                                        "with each change of that",
        };
        const char *reason = reasons[multipath_look(v->dm_uuid)];

        if (!reason)
                return 0;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                             "%s %s; 'vssctl volumes adopt %s' has it mounted through a mapping "
                             "that nobody writes anew, of which copies can be made",
                             v->name, reason, v->mount_point ? v->mount_point : v->name);
}

/* What goes with its last user is held by its copies, and what lies below it, too. */
static int check_end(const struct volume *v, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = mapper_find_name(v->dm_name, &info, reterr);
        if (r < 0 || !info.ends_when_closed)
                return r;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                             "%s is mapped for as long as it is mounted now, and not any more: it "
                             "has been released or closed, and its copies would keep it from "
                             "going; unmount it, or 'vssctl volumes adopt %s' if it was adopted",
                             v->name, v->mount_point ? v->mount_point : v->name);
}

int dm_probe(const struct volume *v, LONG context, struct vss_error *reterr) {
        int r;

        if (!v->dm_name || v->vg)
                return lvm_probe_other_kind(reterr, v,
                                            v->vg ? "is a logical volume"
                                                  : "is no mapped device, and nothing can be put "
                                                    "between it and its blocks");
        r = lvm_probe_context(v, context, reterr);
        if (r >= 0 && context & VSS_VOLSNAP_ATTR_TRANSPORTABLE)
                return lvm_probe_refuse(reterr, v,
                                        "is no logical volume: of its copies, which are held "
                                        "together by this service alone, another host finds "
                                        "nothing; transportable are copies of LVM's volumes");
        if (r >= 0)
                r = check_owner(v, reterr);
        if (r >= 0 && dm_copy_check_origin(v->dm_name, v->dm_uuid) < 0)
                return lvm_probe_refuse(
                        reterr, v,
                        "is a mapped device with a name that is too long or has odd characters; "
                        "rename it (dmsetup rename)");
        if (r >= 0)
                r = check_end(v, reterr);
        return r < 0 ? r : check_table(v, reterr);
}
