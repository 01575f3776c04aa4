/* Whether one volume of a set lies on another, by walking down what the kernel says each device
 * lies on. */

#include "daemon/providers/block.h"
#include "daemon/providers/volume.h"
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Deeper stacks exist in nightmares only; a loop in the tree ends here too. */
#define DEPTH_MAX 32

struct walk {
        const struct volume *const *volumes;
        size_t n;
        const struct volume *upper; /* whose foundations these are */
        const struct volume *lower; /* found among them */
};

static int walk_down(struct walk *w, dev_t devno, unsigned depth);

static int walk_onto(struct walk *w, dev_t devno, unsigned depth) {
        for (size_t i = 0; i < w->n; i++)
                if (w->volumes[i] != w->upper && w->volumes[i]->devno == devno) {
                        w->lower = w->volumes[i];
                        return 0;
                }
        return walk_down(w, devno, depth + 1);
}

/* The file system that the file behind a loop device lies in. */
static int walk_file(struct walk *w, dev_t devno, unsigned depth) {
        _cleanup_(freep) char *file = NULL;
        struct stat st;
        int r;

        r = block_attribute(devno, "loop/backing_file", &file);
        if (r == -ENOENT || r == -ENXIO)
                return 0;
        if (r < 0)
                return r;
        /* A file that was deleted since has no path to ask. */
        if (stat(file, &st) < 0)
                return 0;
        return walk_onto(w, S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev, depth);
}

static int walk_down(struct walk *w, dev_t devno, unsigned depth) {
        _cleanup_(freep) dev_t *below = NULL;
        dev_t disk = block_disk(devno);
        size_t n = 0;
        int r;

        if (depth > DEPTH_MAX || major(devno) == 0)
                return 0;
        if (disk != devno) {
                r = walk_onto(w, disk, depth);
                if (r < 0 || w->lower)
                        return r;
        }
        r = walk_file(w, devno, depth);
        if (r < 0 || w->lower)
                return r;
        r = block_relatives(devno, "slaves", &below, &n);
        for (size_t i = 0; r >= 0 && !w->lower && i < n; i++)
                r = walk_onto(w, below[i], depth);
        return r;
}

int volumes_check_nesting(const struct volume *const *volumes, size_t n, struct vss_error *reterr) {
        for (size_t i = 0; i < n; i++) {
                struct walk w = { .volumes = volumes, .n = n, .upper = volumes[i] };
                int r = walk_down(&w, volumes[i]->devno, 0);

                if (r < 0)
                        return vss_error_from_errno(reterr, r, volumes[i]->name);
                if (w.lower)
                        return vss_error_set(reterr, VSS_E_NESTED_VOLUME_LIMIT, EOPNOTSUPP,
                                             "%s lies on %s: the two cannot be in one set; make a "
                                             "set of each",
                                             w.upper->name, w.lower->name);
        }
        return 0;
}
