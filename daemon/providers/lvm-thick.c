/* The provider for LVM's thick volumes: copies on write by dm-snapshot, as `lvcreate -s` makes
 * them, but prepared beforehand so that only resuming them is left for the window. Afterwards they
 * are ordinary LVM snapshots. What it does in each phase is in the files lvm-thick-*.c; here are
 * the question whether it can, and the steps around the window. */

#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/lvm-probe.h"
#include "daemon/window/dm-request.h"
#include <libdevmapper.h>
#include <stdio.h>

#define COMMITS_MAX 3

static int check_targets(const struct volume *v, struct vss_error *reterr) {
        static const struct {
                const char *type, *reason;
        } known[] = {
                { .type = "snapshot", .reason = "is itself a snapshot; name its origin" },
                { .type = "snapshot-merge",
                  .reason = "is being merged with a snapshot; wait for the end of it" },
                { .type = "mirror",
                  .reason = "is a mirror of the old kind, of which copies can "
                            "deadlock; convert it (lvconvert --type raid1)" },
        };
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        bool has_copies;
        const char *unfit;
        int r;

        r = lvm_probe_read_blocks(v, &table, &has_copies, reterr);
        if (r < 0)
                return r;
        unfit = thick_unfit_target(&table);
        if (!unfit)
                return 0;
        if (streq(unfit, "thin"))
                return lvm_probe_other_kind(reterr, v,
                                            "is a thin logical volume; the provider for thick ones "
                                            "cannot copy it");
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(unfit, known[i].type))
                        return lvm_probe_refuse(reterr, v, known[i].reason);
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                             "%s is a logical volume of the kind '%s', of which no thick copies "
                             "are made",
                             v->name, unfit);
}

static int thick_probe(const struct volume *v, LONG context, struct vss_error *reterr) {
        int r;

        r = lvm_probe_context(v, context, reterr);
        if (r < 0)
                return r;
        if (!v->vg)
                return lvm_probe_refuse(
                        reterr, v,
                        "is not a logical volume of LVM; only of these can copies be made");
        r = check_targets(v, reterr);
        if (r < 0)
                return r;
        return lvm_probe_shared(v, reterr);
}

/* The health characters of a RAID, "AA" for one whose two legs are fine; "" for anything else. */
static int raid_health(const char *device, char health[static 256], struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        int r;

        health[0] = '\0';
        r = mapper_read_status(device, &status, reterr);
        if (r < 0)
                return r;
        /* "raid1 2 AA 2048/2048 idle 0" */
        if (status.n > 0)
                (void)sscanf(status.targets[0].params, "%*s %*s %255s", health);
        return 0;
}

/* The table of a RAID's second instance has been loaded by now, with what its legs were: they must
 * be fine, and the same when that instance takes over. */
static int check_raid(const struct thick_member *m, char health[static 256],
                      struct vss_error *reterr) {
        int r;

        r = raid_health(m->copy.origin_device, health, reterr);
        if (r < 0)
                return r;
        if (health[0] == '\0' || strspn(health, "A") != strlen(health))
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EIO,
                                     "%s is a RAID that is not healthy or not in sync (%s); try "
                                     "again when 'lvs' shows it in sync",
                                     m->volume, health);
        return 0;
}

static void commits_free(struct dm_request **commits, size_t n) {
        for (size_t i = 0; i < n; i++)
                dm_request_free(commits[i]);
        free(commits);
}

/* In order: a last look at a RAID's legs, its blocks, the copy. */
static int make_commits(const struct thick_member *m, struct dm_request **commits, size_t *n,
                        struct vss_error *reterr) {
        char health[256];
        int r;

        if (m->real_in_window) {
                r = check_raid(m, health, reterr);
                if (r < 0)
                        return r;
                r = dm_request_new_check(&commits[*n], m->origin, health);
                if (r >= 0) {
                        (*n)++;
                        r = dm_request_new_resume(&commits[*n], m->real_device);
                }
                if (r < 0)
                        return vss_error_from_errno(reterr, r, m->volume);
                (*n)++;
        }
        r = dm_request_new_resume(&commits[*n], m->copy_device);
        if (r < 0)
                return vss_error_from_errno(reterr, r, m->volume);
        (*n)++;
        return 0;
}

static int add_row(const struct thick_member *m, struct window *window, struct vss_error *reterr) {
        struct dm_request **commits = calloc(COMMITS_MAX, sizeof(struct dm_request *));
        size_t n = 0;
        int r;

        if (!commits)
                return vss_error_from_errno(reterr, -ENOMEM, m->volume);
        r = make_commits(m, commits, &n, reterr);
        if (r >= 0)
                r = window_add_row(window,
                                   &(struct window_row){
                                           .volume = m->volume,
                                           .origin = m->origin,
                                           .commits = commits,
                                           .n_commits = n,
                                           .clears_inactive_table = m->makes_real,
                                   },
                                   reterr);
        if (r < 0)
                commits_free(commits, n);
        return r;
}

static int thick_add_window_rows(struct provider_set *set, struct window *window,
                                 struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = add_row(&set->members[i], window, reterr);
        return r;
}

/* The copy is alive and has not overflowed already. */
static int check_copy(const struct thick_member *m, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        int r;

        r = mapper_read_status(m->copy.copy_device, &status, reterr);
        if (r < 0)
                return r;
        if (status.n != 1 || !streq(status.targets[0].type, "snapshot") ||
            !strchr(status.targets[0].params, '/'))
                return vss_error_set(reterr, VSS_E_INSUFFICIENT_STORAGE, ENOSPC,
                                     "the copy of %s was lost at once (%s): more was written than "
                                     "its store holds. Make the volume group larger (vgextend)",
                                     m->volume,
                                     status.n > 0 ? status.targets[0].params : "no table");
        return 0;
}

static int finish_copy(const struct thick_member *m, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = check_copy(m, reterr);
        if (r >= 0)
                r = mapper_find_name(m->copy.copy_device, &info, reterr);
        /* In the window nobody had time to tell udev; its links come while we go on. */
        if (r >= 0)
                r = mapper_announce(&info, MAPPER_UDEV_COPY, reterr);
        return r < 0 ? r : copy_link_make(m->link, &info, reterr);
}

static int thick_finish(struct provider_set *set, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->base.n; i++)
                r = finish_copy(&set->members[i], reterr);
        if (r >= 0)
                lvm_set_unlock(&set->base);
        return r;
}

static int thick_seal(struct provider_set *set, struct vss_error *reterr) {
        return lvm_set_seal(&set->base, reterr);
}

static int thick_abort(struct provider_set *set, struct vss_error *reterr) {
        return lvm_set_abort(&set->base, reterr);
}

static size_t thick_intents(struct provider_set *set, const int64_t **ret_ids) {
        return lvm_set_intents(&set->base, ret_ids);
}

static void thick_release(struct provider_set *set) {
        thick_set_free(set);
}

const struct provider provider_lvm_thick = {
        .name = THICK_NAME,
        .display_name = "LVM copy-on-write shadow copies",
        .version = VSSD_VERSION,
        .id = { 0x03d94b7f, 0x8c84, 0x448c, { 0x89, 0xef, 0xd8, 0x1f, 0x84, 0x98, 0xad, 0xea } },
        .version_id = { 0x0b9795ea,
                        0x86e8,
                        0x406a,
                        { 0xb2, 0x0f, 0x8d, 0x50, 0xdb, 0xe8, 0x59, 0x90 } },
        .type = VSS_PROV_SYSTEM,
        .priority = 0,
        .probe = thick_probe,
        .stage = thick_stage,
        .add_window_rows = thick_add_window_rows,
        .finish = thick_finish,
        .seal = thick_seal,
        .abort = thick_abort,
        .intents = thick_intents,
        .release = thick_release,
        .remove = thick_remove,
        .rescue = thick_rescue,
        .recover = thick_recover,
        .activate = thick_activate,
        .usage = thick_usage,
};
