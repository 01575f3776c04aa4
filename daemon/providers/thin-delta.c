/* See thin-delta.h. */

#include "daemon/providers/thin-delta.h"
#include "common/time-util.h"
#include "daemon/providers/program-lines.h"
#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#define SECTOR_SIZE 512
/* Of a pool of many terabytes that is written all over; deletions of the pool's volumes go on. */
#define TIMEOUT_USEC (120 * USEC_PER_SEC)

const char *thin_delta_program;

static const char *const programs[] = { "/usr/sbin/thin_delta", "/sbin/thin_delta" };

/* A pool has one reserved state of its metadata at a time. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* Of which there are two in each of perhaps millions of lines; so neither is the text to look for
 * composed at run time, nor is a number read by a function that minds locales, signs and bases. */
#define ATTRIBUTE(name) (" " name "=\"")

static bool read_attribute(const char *line, const char *attribute, uint64_t *ret) {
        const char *at = strstr(line, attribute);
        uint64_t n = 0;

        if (!at)
                return false;
        at += strlen(attribute);
        if (!isdigit((unsigned char)*at))
                return false;
        for (; isdigit((unsigned char)*at); at++)
                if (__builtin_mul_overflow(n, 10, &n) ||
                    __builtin_add_overflow(n, (uint64_t)(*at - '0'), &n))
                        return false;
        *ret = n;
        return *at == '"';
}

static bool is_element(const char *line, const char *name) {
        size_t n = strlen(name);

        return line[0] == '<' && strncmp(line + 1, name, n) == 0 &&
               (line[1 + n] == ' ' || line[1 + n] == '>');
}

static int take_superblock(struct thin_delta_report *r, const char *line) {
        uint64_t sectors;

        if (!read_attribute(line, ATTRIBUTE("data_block_size"), &sectors) ||
            sectors != r->block_bytes / SECTOR_SIZE)
                return -EBADMSG;
        r->state = THIN_DELTA_POOL;
        return 0;
}

static int take_diff(struct thin_delta_report *r, const char *line) {
        uint64_t left, right;

        if (!read_attribute(line, ATTRIBUTE("left"), &left) ||
            !read_attribute(line, ATTRIBUTE("right"), &right) || left != r->left ||
            right != r->right)
                return -EBADMSG;
        r->state = THIN_DELTA_DIFF;
        return 0;
}

static int take_range(struct thin_delta_report *r, const char *line, bool changed) {
        uint64_t begin, length;

        if (!read_attribute(line, ATTRIBUTE("begin"), &begin) ||
            !read_attribute(line, ATTRIBUTE("length"), &length) ||
            begin > UINT64_MAX / r->block_bytes || length > UINT64_MAX / r->block_bytes)
                return -EBADMSG;
        if (changed)
                delta_map_add(r->map, begin * r->block_bytes, length * r->block_bytes);
        return 0;
}

int thin_delta_take_line(void *report, const char *line) {
        struct thin_delta_report *r = report;

        line += strspn(line, " \t");
        if (*line == '\0')
                return 0;
        if (*line != '<') {
                (void)snprintf(r->complaint, sizeof(r->complaint), "%s", line); /* its beginning */
                return 0;
        }
        switch (r->state) {
        case THIN_DELTA_BEGIN:
                return is_element(line, "superblock") ? take_superblock(r, line) : -EBADMSG;
        case THIN_DELTA_POOL: return is_element(line, "diff") ? take_diff(r, line) : -EBADMSG;
        case THIN_DELTA_DIFF:
                if (is_element(line, "/diff")) {
                        r->state = THIN_DELTA_DIFF_END;
                        return 0;
                }
                if (is_element(line, "same"))
                        return take_range(r, line, false);
                if (is_element(line, "different") || is_element(line, "left_only") ||
                    is_element(line, "right_only"))
                        return take_range(r, line, true);
                return -EBADMSG;
        case THIN_DELTA_DIFF_END:
                if (!is_element(line, "/superblock"))
                        return -EBADMSG;
                r->state = THIN_DELTA_END;
                return 0;
        case THIN_DELTA_END: return -EBADMSG;
        }
        return -EBADMSG;
}

static const char *find_program(void) {
        if (thin_delta_program)
                return thin_delta_program;
        for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
                if (access(programs[i], X_OK) == 0)
                        return programs[i];
        return NULL;
}

static int run(struct thin_delta_report *report, dev_t metadata, struct vss_error *reterr) {
        char left[16], right[16], node[64];
        const char *program = find_program();
        /* -m takes a number or none, so that another option must follow it. */
        char *argv[] = { (char *)program,
                         (char *)"-m",
                         (char *)"--thin1",
                         left,
                         (char *)"--thin2",
                         right,
                         node,
                         NULL };
        int r;

        if (!program)
                return vss_error_set(reterr, VSS_E_NOT_SUPPORTED, ENOENT,
                                     "there is no thin_delta to read the pool's metadata with; "
                                     "install thin-provisioning-tools");
        (void)snprintf(left, sizeof(left), "%" PRIu32, report->left);
        (void)snprintf(right, sizeof(right), "%" PRIu32, report->right);
        (void)snprintf(node, sizeof(node), "/dev/dm-%u", minor(metadata));
        r = program_lines(argv, TIMEOUT_USEC, thin_delta_take_line, report, reterr);
        if (r >= 0 && report->state != THIN_DELTA_END)
                r = -EBADMSG;
        if (r == -EBADMSG || r == -ECHILD)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r,
                                     "%s could not say what differs in the pool: %s", program,
                                     *report->complaint ? report->complaint
                                     : r == -ECHILD     ? "it did not say why"
                                                        : "its report cannot be understood");
        return r;
}

static int run_in_turn(struct thin_delta_report *report, struct store *store, const char *provider,
                       const struct thin_reserve_pools *pools, const struct thin_pool *pool,
                       struct vss_error *reterr) {
        struct thin_reserve reserve = { 0 };
        int r, k;

        (void)pthread_mutex_lock(&turn); /* a plain mutex of ours */
        r = thin_reserve_take(&reserve, pools, store, provider, &pool->device, reterr);
        if (r >= 0) {
                r = run(report, pool->metadata, reterr);
                /* What is there to be said of the pool counts more than an answer. */
                k = thin_reserve_release(&reserve, r >= 0 ? reterr : NULL);
                if (r >= 0)
                        r = k;
        }
        (void)pthread_mutex_unlock(&turn); /* as above */
        return r;
}

int thin_delta_read(struct delta_map *ret, struct store *store, const char *provider,
                    const struct thin_reserve_pools *pools, const struct thin_pool *pool,
                    const struct thin_delta_side *older, const struct thin_delta_side *younger,
                    struct vss_error *reterr) {
        uint64_t more = older->bytes > younger->bytes ? older->bytes : younger->bytes;
        uint64_t less = older->bytes > younger->bytes ? younger->bytes : older->bytes;
        _cleanup_(delta_map_done) struct delta_map map = { 0 };
        struct thin_delta_report report = {
                .map = &map,
                .block_bytes = pool->block_bytes,
                .left = older->id,
                .right = younger->id,
        };
        int r;

        r = delta_map_init(&map, more, pool->block_bytes);
        if (r < 0)
                return vss_error_from_errno(reterr, r, pool->name);
        r = run_in_turn(&report, store, provider, pools, pool, reterr);
        if (r < 0)
                return r;
        /* A thin volume may grow while it has copies: what one of the two has not got differs. */
        delta_map_add(&map, less, more - less);
        map.exact = true;
        *ret = map;
        map = (struct delta_map){ 0 };
        return 0;
}
