/* Preloaded into lvm, it makes that die at one certain step of its dealings with device-mapper: by
 * chance a kill meets such a step once in hundreds.
 *
 * LVM_ENDS names a file with a line "WHO WHEN WHAT [N]":
 *
 *      WHO     "lvm", or "both": then its parent dies, too
 *      WHEN    before or after the step
 *      WHAT    the first word of a message to a target, or "suspend:DEVICE"
 *      N       the which of such steps that this lvm takes; default: 1
 *
 * Who dies takes the file along, so that this happens once and a test sees that it did. */

#include "common/util.h"

#include <dlfcn.h>
#include <linux/dm-ioctl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

static void read_line(const char *path, char *line, size_t size) {
        FILE *f = fopen(path, "re");

        if (!f)
                return;
        if (!fgets(line, (int)size, f))
                *line = '\0';
        (void)fclose(f);
}

static bool is_message(const struct dm_ioctl *io, const char *what) {
        const struct dm_target_msg *m = (const void *)((const char *)io + io->data_start);
        size_t length = strlen(what);

        return strncmp(m->message, what, length) == 0 &&
               (m->message[length] == ' ' || !m->message[length]);
}

/* LVM names devices by their numbers. */
static bool is_device(const struct dm_ioctl *io, const char *name) {
        char path[64], found[DM_NAME_LEN + 1] = "";

        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/dm/name", major(io->dev),
                       minor(io->dev));
        read_line(path, found, sizeof(found));
        found[strcspn(found, "\n")] = '\0';
        return streq(*io->name ? io->name : found, name);
}

static bool is_step(unsigned long request, const struct dm_ioctl *io, const char *what) {
        static const char suspend[] = "suspend:";

        if (request == DM_TARGET_MSG)
                return is_message(io, what);
        return request == DM_DEV_SUSPEND && io->flags & DM_SUSPEND_FLAG &&
               strncmp(what, suspend, strlen(suspend)) == 0 &&
               is_device(io, what + strlen(suspend));
}

static void die(const char *path, bool both) {
        (void)unlink(path);
        if (both)
                (void)kill(getppid(), SIGKILL);
        (void)raise(SIGKILL);
}

int ioctl(int fd, unsigned long request, ...) {
        static unsigned n_steps;
        int (*next)(int, unsigned long, ...) =
                (int (*)(int, unsigned long, ...))(uintptr_t)dlsym(RTLD_NEXT, "ioctl");
        const char *path = getenv("LVM_ENDS");
        char line[256] = "", when[16] = "", what[160] = "", who[16] = "";
        unsigned n = 1;
        bool here = false;
        va_list ap;
        void *argument;
        int r;

        va_start(ap, request);
        argument = va_arg(ap, void *);
        va_end(ap);
        if (path && (request == DM_TARGET_MSG || request == DM_DEV_SUSPEND)) {
                read_line(path, line, sizeof(line));
                here = sscanf(line, "%15s %15s %159s %u", who, when, what, &n) >= 3 &&
                       is_step(request, argument, what) && ++n_steps == n;
        }
        if (here && streq(when, "before"))
                die(path, streq(who, "both"));
        r = next(fd, request, argument);
        if (here)
                die(path, streq(who, "both"));
        return r;
}
