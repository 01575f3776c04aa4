/* Whether one volume of a set lies on another, or in an image that lies in an image, by walking
 * down what the kernel says each device lies on. */

#include "daemon/providers/block.h"
#include "daemon/providers/volume.h"
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Deeper stacks exist in nightmares only; a loop in the tree ends here too. */
#define DEPTH_MAX 32
/* Loop devices below one volume: an image in a file system of an image is one too many. */
#define IMAGES_MAX 1

struct walk {
        const struct volume *const *volumes;
        size_t n;
        const struct volume *upper; /* whose foundations these are */
        const struct volume *lower; /* found among them */
        bool too_deep;
};

static int walk_down(struct walk *w, dev_t devno, unsigned depth, unsigned images);

static int walk_onto(struct walk *w, dev_t devno, unsigned depth, unsigned images) {
        for (size_t i = 0; i < w->n; i++)
                if (w->volumes[i] != w->upper && w->volumes[i]->devno == devno) {
                        w->lower = w->volumes[i];
                        return 0;
                }
        return walk_down(w, devno, depth + 1, images);
}

/* The file system that the file behind a loop device lies in. */
static int walk_file(struct walk *w, dev_t devno, unsigned depth, unsigned *images) {
        _cleanup_(freep) char *file = NULL;
        struct stat st;
        int r;

        r = block_attribute(devno, "loop/backing_file", &file);
        if (r == -ENOENT || r == -ENXIO)
                return 0;
        if (r < 0)
                return r;
        if (++*images > IMAGES_MAX) {
                w->too_deep = true;
                return 0;
        }
        /* A file that was deleted since has no path to ask. */
        if (stat(file, &st) < 0)
                return 0;
        return walk_onto(w, S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev, depth, *images);
}

static int walk_down(struct walk *w, dev_t devno, unsigned depth, unsigned images) {
        _cleanup_(freep) dev_t *below = NULL;
        dev_t disk = block_disk(devno);
        size_t n = 0;
        int r;

        if (depth > DEPTH_MAX || major(devno) == 0)
                return 0;
        if (disk != devno) {
                r = walk_onto(w, disk, depth, images);
                if (r < 0 || w->lower || w->too_deep)
                        return r;
        }
        r = walk_file(w, devno, depth, &images);
        if (r < 0 || w->lower || w->too_deep)
                return r;
        r = block_relatives(devno, "slaves", &below, &n);
        for (size_t i = 0; r >= 0 && !w->lower && !w->too_deep && i < n; i++)
                r = walk_onto(w, below[i], depth, images);
        return r;
}

int volumes_check_nesting(const struct volume *const *volumes, size_t n, struct vss_error *reterr) {
        for (size_t i = 0; i < n; i++) {
                struct walk w = { .volumes = volumes, .n = n, .upper = volumes[i] };
                int r = walk_down(&w, volumes[i]->devno, 0, 0);

                if (r < 0)
                        return vss_error_from_errno(reterr, r, volumes[i]->name);
                if (w.lower)
                        return vss_error_set(reterr, VSS_E_NESTED_VOLUME_LIMIT, EOPNOTSUPP,
                                             "%s lies on %s: the two cannot be in one set; make a "
                                             "set of each",
                                             w.upper->name, w.lower->name);
                if (w.too_deep)
                        return vss_error_set(reterr, VSS_E_NESTED_VOLUME_LIMIT, EOPNOTSUPP,
                                             "%s lies in a disk image inside a disk image; make "
                                             "copies of the volume that holds the outer image",
                                             w.upper->name);
        }
        return 0;
}
