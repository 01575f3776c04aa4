/* See origin-health.h. Stateless. */

#include "daemon/providers/origin-health.h"
#include <stdio.h>
#include <vss/vss.h>

/* The health characters of a RAID; "" for anything else. */
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

int origin_health_check_raid(const char *origin, const char *volume, char health[static 256],
                             struct vss_error *reterr) {
        int r;

        r = raid_health(origin, health, reterr);
        if (r < 0)
                return r;
        if (health[0] == '\0' || strspn(health, "A") != strlen(health))
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EIO,
                                     "%s is a RAID that is not healthy or not in sync (%s); try "
                                     "again when 'lvs' shows it in sync",
                                     volume, health);
        return 0;
}

/* "8 27/1024 128 0/512 0 58 0 0 0 0 0 1 writethrough 2 migration_threshold 2048 smq 0 rw - ", or
 * one word (dm-cache-target.c, cache_status()). */
static const char *unfit_cache(const char *status) {
        static const struct {
                const char *word, *reason;
        } states[] = {
                { .word = "needs_check",
                  .reason = "has a cache that needs a check; deactivate the volume, and LVM checks "
                            "it when it is activated again (or lvconvert --repair)" },
                { .word = "ro",
                  .reason = "has a cache whose metadata is read-only, because it is full or "
                            "damaged; repair it (lvconvert --repair) or take it away (lvconvert "
                            "--uncache)" },
                { .word = "rw", .reason = NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                if (str_has_word(status, " ", states[i].word))
                        return states[i].reason;
        return "has a cache that has failed; see the kernel's log and repair it (lvconvert "
               "--repair)";
}

/* "0 16352 16352 0 ...", the first is 1 after an error (dm-writecache.c, writecache_status()). */
static const char *unfit_writecache(const char *status) {
        return strncmp(status, "0 ", 2) == 0
                       ? NULL
                       : "has a write cache that has failed; see the kernel's log";
}

const char *origin_health_unfit_cache(const char *type, const char *status) {
        if (streq(type, "cache"))
                return unfit_cache(status);
        return streq(type, "writecache") ? unfit_writecache(status) : NULL;
}

int origin_health_check(const char *origin, const char *volume, const struct mapper_table *live,
                        struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table status = { 0 };
        static const char *const without[] = { "linear", "striped", NULL };
        char health[256];
        int r;

        if (live->n == 1 && streq(live->targets[0].type, "raid"))
                return origin_health_check_raid(origin, volume, health, reterr);
        if (!mapper_table_find_other(live, without))
                return 0; /* nothing to be asked */
        r = mapper_read_status(origin, &status, reterr);
        for (size_t i = 0; r >= 0 && i < status.n; i++) {
                const char *unfit =
                        origin_health_unfit_cache(status.targets[i].type, status.targets[i].params);

                if (unfit)
                        r = vss_error_set(reterr, VSS_E_PROVIDER_VETO, EIO, "%s %s", volume, unfit);
        }
        return r;
}
