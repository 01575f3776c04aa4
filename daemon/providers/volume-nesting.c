/* Whether one volume of a set lies on another, or in an image that lies in an image, by walking
 * down what the kernel says each device lies on. */

#include "daemon/providers/block.h"
#include "daemon/providers/volume-image.h"
#include "daemon/providers/volume.h"
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
        char *unknown; /* what they end in that does not tell; see volume-image.h */
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

static bool is_over(const struct walk *w) {
        return w->lower || w->too_deep;
}

/* What the file behind a loop device lies on. */
static int walk_image(struct walk *w, dev_t devno, unsigned depth, unsigned *images) {
        _cleanup_(image_base_done) struct image_base base = { 0 };
        int r;

        r = image_base_read(&base, devno);
        if (r < 0)
                return r;
        *images += base.is_image;
        w->too_deep = *images > IMAGES_MAX;
        if (base.unknown && !w->unknown)
                w->unknown = TAKE_PTR(base.unknown);
        for (size_t i = 0; r >= 0 && !is_over(w) && i < base.n; i++)
                r = walk_onto(w, base.below[i], depth, *images);
        return r;
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
                if (r < 0 || is_over(w))
                        return r;
        }
        r = walk_image(w, devno, depth, &images);
        if (r < 0 || is_over(w))
                return r;
        r = block_relatives(devno, "slaves", &below, &n);
        for (size_t i = 0; r >= 0 && !is_over(w) && i < n; i++)
                r = walk_onto(w, below[i], depth, images);
        return r;
}

int volumes_find_below(const struct volume *const *volumes, size_t n, dev_t devno,
                       const struct volume **ret) {
        struct walk w = { .volumes = volumes, .n = n };
        int r = walk_onto(&w, devno, 0, 0);

        if (r >= 0 && w.too_deep)
                r = -ELOOP;
        if (r >= 0 && w.unknown && !w.lower)
                r = -EOPNOTSUPP;
        free(w.unknown);
        if (r < 0)
                return r;
        *ret = w.lower;
        return 0;
}

/* A volume's own blocks below its copies on write, as LVM and we call them. */
static bool is_real(dev_t devno) {
        static const char suffix[] = "-real";
        _cleanup_(freep) char *uuid = NULL;
        size_t length;

        if (block_attribute(devno, "dm/uuid", &uuid) < 0)
                return false;
        length = strlen(uuid);
        return length > strlen(suffix) && streq(uuid + length - strlen(suffix), suffix);
}

/* What the copies have that a volume has already: their stores fill while it is being suspended. */
static int walk_copies(struct walk *w) {
        _cleanup_(freep) dev_t *below = NULL, *copies = NULL;
        size_t n = 0, n_copies = 0;
        int r;

        r = block_relatives(w->upper->devno, "slaves", &below, &n);
        if (r < 0 || n != 1 || !is_real(below[0]))
                return r;
        r = block_relatives(below[0], "holders", &copies, &n_copies);
        for (size_t i = 0; r >= 0 && !w->lower && i < n_copies; i++)
                if (copies[i] != w->upper->devno)
                        r = walk_down(w, copies[i], 0, 0);
        return r;
}

static int check(const struct walk *w, struct vss_error *reterr) {
        if (w->lower)
                return vss_error_set(reterr, VSS_E_NESTED_VOLUME_LIMIT, EOPNOTSUPP,
                                     "%s lies on %s: the two cannot be in one set; make a set of "
                                     "each",
                                     w->upper->name, w->lower->name);
        if (w->too_deep)
                return vss_error_set(reterr, VSS_E_NESTED_VOLUME_LIMIT, EOPNOTSUPP,
                                     "%s lies in a disk image inside a disk image; make copies of "
                                     "the volume that holds the outer image",
                                     w->upper->name);
        /* Alone it can be held: what is below it goes on, whatever it is. */
        if (w->unknown && w->n > 1)
                return vss_error_set(reterr, VSS_E_NESTED_VOLUME_LIMIT, EOPNOTSUPP,
                                     "%s lies on %s, which may write to any volume of the set and "
                                     "does not say; make a set of it alone",
                                     w->upper->name, w->unknown);
        return 0;
}

static int check_copies(struct walk *w, struct vss_error *reterr) {
        int r = walk_copies(w);

        if (r < 0)
                return vss_error_from_errno(reterr, r, w->upper->name);
        if (!w->lower)
                return 0;
        return vss_error_set(reterr, VSS_E_NESTED_VOLUME_LIMIT, EOPNOTSUPP,
                             "a copy of %s has its store on %s: the two cannot be in one set; "
                             "delete that copy (vssctl list), or make a set of each",
                             w->upper->name, w->lower->name);
}

int volumes_check_nesting(const struct volume *const *volumes, size_t n, struct vss_error *reterr) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                struct walk w = { .volumes = volumes, .n = n, .upper = volumes[i] };

                r = walk_down(&w, volumes[i]->devno, 0, 0);
                r = r < 0 ? vss_error_from_errno(reterr, r, volumes[i]->name) : check(&w, reterr);
                if (r >= 0)
                        r = check_copies(&w, reterr);
                free(w.unknown);
        }
        return r;
}
