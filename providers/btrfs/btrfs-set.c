/* See btrfs-set.h. */

#include "providers/btrfs/btrfs-set.h"
#include "providers/btrfs/btrfs-copies.h"

#include <stdio.h>

#define COPIES_MAX 64 /* a set has no more volumes */
#define ID_BYTES 37

struct copy {
        char id[ID_BYTES];
        struct copy_volume volume;
        bool made;
};

/* There is one at a time. `passed` phases are behind it; n 0: there is none. */
static struct {
        char id[ID_BYTES];
        struct copy copies[COPIES_MAX];
        size_t n;
        unsigned passed;
} set;

int btrfs_check_volume(const struct btrfs_volume *v, int32_t context, struct vss_error *reterr) {
        _cleanup_(copy_volume_done) struct copy_volume opened = { .fd = -1, .copies_fd = -1 };
        const int32_t cannot = VSS_VOLSNAP_ATTR_TRANSPORTABLE | VSS_VOLSNAP_ATTR_PLEX;
        const char *why = NULL;

        if (!streq(str_or_empty(v->file_system), "btrfs"))
                why = "it is not btrfs";
        else if (str_empty(v->mount_point))
                why = "it is not mounted";
        else if (v->read_only)
                why = "it is mounted read-only, and a snapshot is written into it";
        else if (context & cannot)
                why = "a snapshot of btrfs is neither a full copy nor does it leave its disk";
        if (why)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP, "%s", why);
        return copy_volume_open(&opened, v->mount_point, (dev_t)v->device_number, reterr);
}

static void forget(void) {
        while (set.n > 0)
                copy_volume_done(&set.copies[--set.n].volume);
        set.passed = 0;
        set.id[0] = '\0';
}

/* All are tried; the first failure counts. */
static int delete_made(struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; i < set.n; i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };
                struct copy *c = &set.copies[i];
                int k = c->made ? copy_delete(&c->volume, c->id, &error) : 0;

                if (k >= 0 || error.hr == VSS_E_OBJECT_NOT_FOUND) {
                        c->made = false;
                        copy_volume_tidy(&c->volume);
                } else if (r >= 0) {
                        vss_error_move(reterr, &error);
                        r = k;
                }
        }
        return r;
}

void btrfs_set_drop(void) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        if (set.n > 0 && set.passed < _BTRFS_PHASE_MAX && delete_made(&error) < 0)
                fprintf(stderr,
                        "What there is of the set %s is left for the service to delete: %s\n",
                        set.id, str_or_empty(error.message));
        forget();
}

bool btrfs_set_is_open(void) {
        return set.n > 0;
}

int btrfs_set_begin(const char *set_id, const char *snapshot_id, const struct btrfs_volume *v,
                    int32_t context, struct vss_error *reterr) {
        struct copy *c;
        int r;

        if (!copy_id_is_valid(set_id) || !copy_id_is_valid(snapshot_id))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL, "an id is none");
        if (!streq(set.id, set_id))
                btrfs_set_drop();
        if (set.passed > 0)
                return vss_error_set(reterr, VSS_E_BAD_STATE, EBUSY,
                                     "the set %s takes no more volumes", set_id);
        if (set.n == COPIES_MAX)
                return vss_error_set(reterr, VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED, 0,
                                     "the set %s has %u volumes", set_id, COPIES_MAX);
        r = btrfs_check_volume(v, context, reterr);
        if (r < 0)
                return r;
        c = &set.copies[set.n];
        *c = (struct copy){ .volume = { .fd = -1, .copies_fd = -1 } };
        r = copy_volume_open(&c->volume, v->mount_point, (dev_t)v->device_number, reterr);
        if (r < 0)
                return r;
        (void)snprintf(c->id, sizeof(c->id), "%s", snapshot_id);
        (void)snprintf(set.id, sizeof(set.id), "%s", set_id);
        set.n++;
        return 0;
}

static int prepare(struct copy *c, struct vss_error *reterr) {
        return copy_volume_prepare(&c->volume, reterr);
}

/* So that the snapshot has little left to write. */
static int flush(struct copy *c, struct vss_error *reterr) {
        if (syncfs(c->volume.fd) < 0)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, errno, "cannot flush %s: %s",
                                     c->volume.mount_point, strerror(errno));
        return 0;
}

static int make(struct copy *c, struct vss_error *reterr) {
        int r = copy_make(&c->volume, c->id, reterr);

        c->made = r >= 0;
        /* A code that this phase does not have. */
        if (r < 0 && reterr->hr == VSS_E_INSUFFICIENT_STORAGE)
                reterr->hr = VSS_E_PROVIDER_VETO;
        return r;
}

static int seal(struct copy *c, struct vss_error *reterr) {
        return copy_seal(&c->volume, c->id, reterr);
}

static const struct {
        int (*step)(struct copy *c, struct vss_error *reterr); /* NULL: nothing to do */
} phases[_BTRFS_PHASE_MAX] = {
        [BTRFS_END_PREPARE] = { prepare },
        [BTRFS_PRE_COMMIT] = { flush },
        [BTRFS_COMMIT] = { make },
        [BTRFS_POST_FINAL_COMMIT] = { seal },
};

int btrfs_set_advance(const char *set_id, enum btrfs_phase phase, struct vss_error *reterr) {
        if (set.n == 0 || !streq(set.id, set_id))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the set %s is not being made", set_id);
        if (set.passed != (unsigned)phase)
                return vss_error_set(reterr, VSS_E_BAD_STATE, EBUSY,
                                     "it is not the turn of this call for the set %s", set_id);
        for (size_t i = 0; phases[phase].step && i < set.n; i++) {
                int r = phases[phase].step(&set.copies[i], reterr);

                if (r < 0)
                        return r; /* AbortSnapshots comes */
        }
        set.passed++;
        if (set.passed == _BTRFS_PHASE_MAX)
                forget();
        return 0;
}

int btrfs_set_abort(const char *set_id, struct vss_error *reterr) {
        int r;

        if (set.n == 0 || !streq(set.id, set_id))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "there is nothing of the set %s", set_id);
        r = delete_made(reterr);
        if (r >= 0)
                forget();
        return r;
}
