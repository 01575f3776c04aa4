/* A copy is merged back into its origin, over a device-mapper of four devices: what it becomes step
 * by step, what is refused, and that no failure leaves anything suspended. */

#include "daemon/providers/block.h"
#include "daemon/providers/snapshot-merge.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <vss/vsserror.h>

#define COPY_LINE "254:1 254:3 P 8"

enum { ORIGIN, REAL, COPY, STORE, N_DEVICES };

static struct device {
        const char *name;
        bool exists, suspended, read_only, inactive;
        int open_count;
        char type[32], params[64]; /* of the live table; no type: there is none */
        char next_type[32], next_params[64];
        const char *status;
} devices[N_DEVICES];

/* The step that fails, of which device, and whether a resume has exchanged the tables by then. */
static struct {
        const char *step;
        unsigned device, times;
        bool late;
} failing;
static unsigned n_changes;

static struct device *named(const char *name) {
        for (size_t i = 0; i < N_DEVICES; i++)
                if (devices[i].exists && streq(devices[i].name, name))
                        return &devices[i];
        return NULL;
}

static bool fails(const char *step, const struct device *d) {
        n_changes++;
        if (failing.times == 0 || !streq(failing.step, step) || d != &devices[failing.device])
                return false;
        failing.times--;
        return true;
}

static int refuse(const char *name, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EINVAL, "%s: refused", name);
}

/* --- daemon/providers/mapper.h, of these --- */

int mapper_find_name(const char *name, struct mapper_info *ret, struct vss_error *reterr _unused_) {
        const struct device *d = named(name);

        *ret = (struct mapper_info){ 0 };
        if (!d)
                return 0;
        *ret = (struct mapper_info){
                .exists = true,
                .suspended = d->suspended,
                .live_table = *d->type,
                .inactive_table = d->inactive,
                .read_only = d->read_only,
                .open_count = d->open_count,
                .devno = makedev(254, (unsigned)(d - devices)),
        };
        (void)snprintf(ret->name, sizeof(ret->name), "%s", name);
        (void)snprintf(ret->uuid, sizeof(ret->uuid), "LVM-%s", name);
        return 0;
}

int mapper_find_uuid(const char *uuid, struct mapper_info *ret, struct vss_error *reterr) {
        ck_assert_int_eq(strncmp(uuid, "LVM-", 4), 0);
        return mapper_find_name(uuid + 4, ret, reterr);
}

void mapper_table_done(struct mapper_table *t) {
        for (size_t i = 0; i < t->n; i++) {
                free(t->targets[i].type);
                free(t->targets[i].params);
        }
        free(t->targets);
        *t = (struct mapper_table){ 0 };
}

int mapper_table_add(struct mapper_table *t, uint64_t start, uint64_t length, const char *type,
                     const char *params) {
        ck_assert_uint_eq(t->n, 0);
        t->targets = calloc(1, sizeof(*t->targets));
        ck_assert_ptr_nonnull(t->targets);
        t->n = 1;
        t->targets[0] = (struct mapper_target){ start, length, strdup(type), strdup(params) };
        return 0;
}

uint64_t mapper_table_length(const struct mapper_table *t) {
        return t->n > 0 ? t->targets[0].length : 0;
}

const char *mapper_table_find_other(const struct mapper_table *t _unused_,
                                    const char *const *types _unused_) {
        return NULL;
}

int mapper_read_table(const char *name, struct mapper_table *ret, struct vss_error *reterr) {
        const struct device *d = named(name);

        if (!d || !*d->type)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, ENXIO, "There is no %s", name);
        return mapper_table_add(ret, 0, 2048, d->type, d->params);
}

int mapper_read_status(const char *name, struct mapper_table *ret, struct vss_error *reterr) {
        const struct device *d = named(name);

        if (!d || !*d->type)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, ENXIO, "There is no %s", name);
        return mapper_table_add(ret, 0, 2048, d->type, d->status ? d->status : "");
}

/* Two devices on one store, of which one is to take over what the kernel has of the other: a third
 * the kernel does not let in, also if it is to replace the second. */
static bool is_handed_over(void) {
        return devices[ORIGIN].inactive && streq(devices[ORIGIN].next_type, "snapshot-merge");
}

int mapper_load(const char *name, const struct mapper_table *table, bool read_only _unused_,
                struct vss_error *reterr) {
        struct device *d = named(name);

        ck_assert_ptr_nonnull(d);
        if (fails("load", d))
                return refuse(name, reterr);
        ck_assert_uint_eq(table->n, 1);
        ck_assert_uint_eq(table->targets[0].length, 2048);
        if (is_handed_over() && streq(table->targets[0].type, "snapshot-merge"))
                return refuse(name, reterr);
        (void)snprintf(d->next_type, sizeof(d->next_type), "%s", table->targets[0].type);
        (void)snprintf(d->next_params, sizeof(d->next_params), "%s", table->targets[0].params);
        d->inactive = true;
        return 0;
}

int mapper_clear(const char *name, struct vss_error *reterr _unused_) {
        n_changes++;
        named(name)->inactive = false;
        return 0;
}

/* As the kernel: what it has of a copy it hands over only if that is suspended, and the copy it
 * does not resume as long as it may be handed over. */
int mapper_resume(const struct mapper_info *device, struct vss_error *reterr) {
        struct device *d = named(device->name);
        bool fail, late = failing.late;

        ck_assert_ptr_nonnull(d);
        fail = fails("resume", d);
        if (fail && !late)
                return refuse(d->name, reterr);
        if (d->inactive) {
                strcpy(d->type, d->next_type);
                strcpy(d->params, d->next_params);
                d->inactive = false;
                d->suspended = true; /* until the targets have agreed */
        }
        if (!d->suspended)
                return 0;
        if (d == &devices[COPY] && is_handed_over())
                return refuse(d->name, reterr);
        if (streq(d->type, "snapshot-merge") && devices[COPY].exists && !devices[COPY].suspended)
                fail = true;
        if (fail)
                return refuse(d->name, reterr);
        d->suspended = false;
        return 0;
}

int mapper_suspend(const struct mapper_info *device, struct vss_error *reterr) {
        struct device *d = named(device->name);

        if (fails("suspend", d))
                return refuse(d->name, reterr);
        d->suspended = true;
        return 0;
}

int mapper_remove(const char *name, bool deferred _unused_, struct vss_error *reterr) {
        struct device *d = named(name);

        if (d && fails("remove", d))
                return refuse(name, reterr);
        if (d)
                d->exists = false;
        return 0;
}

int mapper_create(const char *name _unused_, const char *uuid _unused_,
                  const struct mapper_table *table _unused_, bool read_only _unused_,
                  struct vss_error *reterr _unused_) {
        ck_abort();
        return -ENOSYS;
}

int mapper_announce(const struct mapper_info *device _unused_, uint16_t flags _unused_,
                    struct vss_error *reterr _unused_) {
        ck_abort();
        return -ENOSYS;
}

int mapper_message(const char *name _unused_, const char *message _unused_,
                   struct vss_error *reterr _unused_) {
        ck_abort();
        return -ENOSYS;
}

int mapper_make_node(const char *name _unused_, struct vss_error *reterr _unused_) {
        ck_abort();
        return -ENOSYS;
}

bool mapper_has_udev(void) {
        return false;
}

void mapper_let_udev_finish(void) {}

/* --- --- */

static const struct snapshot_devices names = {
        .origin = "vg-data",
        .real = "vg-data-real",
        .copy = "vg-c1",
        .store = "vg-c1-cow",
        .origin_uuid = "LVM-vg-data",
        .real_uuid = "LVM-vg-data-real",
        .copy_uuid = "LVM-vg-c1",
        .store_uuid = "LVM-vg-c1-cow",
};
static char top[] = "/tmp/test-merge-XXXXXX";

static void make(unsigned i, const char *name, const char *type, const char *params) {
        devices[i] = (struct device){ .name = name, .exists = true };
        (void)snprintf(devices[i].type, sizeof(devices[i].type), "%s", type);
        (void)snprintf(devices[i].params, sizeof(devices[i].params), "%s", params);
}

static void setup(void) {
        make(ORIGIN, names.origin, "snapshot-origin", "254:1");
        make(REAL, names.real, "linear", "8:0 2048");
        make(COPY, names.copy, "snapshot", COPY_LINE);
        make(STORE, names.store, "linear", "8:0 4096");
        devices[COPY].status = "1040/2048 16";
        memset(&failing, 0, sizeof(failing));
        n_changes = 0;
        ck_assert_ptr_nonnull(mkdtemp(top));
        block_sysfs = top;
}

/* Another copy lies on REAL, too. */
static void make_holder(void) {
        static const char *const folders[] = { "dev", "dev/block", "dev/block/254:1",
                                               "dev/block/254:1/holders",
                                               "dev/block/254:1/holders/dm-9" };
        char path[128];
        FILE *f;

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", top, folders[i]);
                ck_assert_int_eq(mkdir(path, 0700), 0);
        }
        (void)snprintf(path, sizeof(path), "%s/dev/block/254:1/holders/dm-9/dev", top);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fprintf(f, "254:9\n"), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static void teardown(void) {
        char command[64];

        (void)snprintf(command, sizeof(command), "rm -r %s", top);
        ck_assert_int_eq(system(command), 0);
}

static void expect(unsigned i, const char *type, const char *params) {
        ck_assert(devices[i].exists && !devices[i].suspended && !devices[i].inactive);
        ck_assert_str_eq(devices[i].type, type);
        ck_assert_str_eq(devices[i].params, params);
}

static void expect_untouched(void) {
        expect(ORIGIN, "snapshot-origin", "254:1");
        expect(REAL, "linear", "8:0 2048");
        expect(COPY, "snapshot", COPY_LINE);
        expect(STORE, "linear", "8:0 4096");
}

static void expect_merging(void) {
        expect(ORIGIN, "snapshot-merge", COPY_LINE);
        expect(REAL, "linear", "8:0 2048");
        ck_assert(!devices[COPY].exists);
        expect(STORE, "linear", "8:0 4096");
}

START_TEST(a_copy_is_merged) {
        struct revert_progress p;

        if (_i > 0)
                make_holder();
        ck_assert_int_eq(snapshot_merge_check(&names, NULL), 0);
        ck_assert_uint_eq(n_changes, 0);
        ck_assert_int_eq(snapshot_merge_prepare(&names, NULL), 0);
        ck_assert_str_eq(devices[ORIGIN].type, "snapshot-origin");
        ck_assert(devices[ORIGIN].inactive && !devices[ORIGIN].suspended);
        ck_assert(devices[COPY].suspended);
        ck_assert_int_eq(snapshot_merge_start(&names, NULL), 0);
        expect_merging();
        devices[ORIGIN].status = "1040/2048 16";
        ck_assert_int_eq(snapshot_merge_look(&names, &p, NULL), 0);
        ck_assert_int_eq(p.state, REVERT_RUNNING);
        devices[ORIGIN].status = "16/2048 16";
        ck_assert_int_eq(snapshot_merge_look(&names, &p, NULL), 0);
        ck_assert_int_eq(p.state, REVERT_COPIED);
        for (unsigned i = 0; i < 2; i++) { /* and again */
                ck_assert_int_eq(snapshot_devices_end_merge(&names, NULL), 0);
                if (_i > 0) {
                        expect(ORIGIN, "snapshot-origin", "254:1");
                        expect(REAL, "linear", "8:0 2048");
                        continue;
                }
                expect(ORIGIN, "linear", "8:0 2048");
                ck_assert(!devices[REAL].exists);
        }
        ck_assert_int_eq(snapshot_merge_look(&names, &p, NULL), 0);
        ck_assert_int_eq(p.state, REVERT_NONE);
        ck_assert_int_eq(snapshot_devices_remove_store(&names, NULL), 0);
        ck_assert(!devices[STORE].exists);
}
END_TEST

START_TEST(what_cannot_be) {
        struct vss_error error = { 0 };
        HRESULT hr = VSS_E_VOLUME_NOT_SUPPORTED;

        switch (_i) {
        case 0:
                devices[COPY].open_count = 1;
                hr = VSS_E_PROVIDER_VETO;
                break;
        case 1: devices[COPY].status = "Invalid"; break;
        case 2: devices[ORIGIN].read_only = true; break;
        case 3:
                devices[ORIGIN].exists = false;
                hr = VSS_E_OBJECT_NOT_FOUND;
                break;
        default:
                devices[COPY].exists = false;
                hr = VSS_E_UNEXPECTED_PROVIDER_ERROR;
                break;
        }
        ck_assert_int_lt(snapshot_merge_check(&names, &error), 0);
        ck_assert_int_eq(error.hr, hr);
        vss_error_done(&error);
        ck_assert_int_lt(snapshot_merge_prepare(&names, &error), 0);
        ck_assert_int_eq(error.hr, hr);
        ck_assert_uint_eq(n_changes, 0);
        vss_error_done(&error);
}
END_TEST

static const struct {
        const char *step;
        unsigned device, times;
        bool late, merging; /* in the end */
} failures[] = {
        { "load", ORIGIN, 1, false, false },
        { "suspend", COPY, 1, false, false },
        { "resume", ORIGIN, 1, false, false },
        { "resume", ORIGIN, 1, true, true }, /* and works when it is tried again */
        { "resume", ORIGIN, 2, true, false },
};

START_TEST(whatever_fails_nothing_stays_suspended) {
        struct vss_error error = { 0 };
        int r;

        failing.step = failures[_i].step;
        failing.device = failures[_i].device;
        failing.times = failures[_i].times;
        failing.late = failures[_i].late;
        r = snapshot_merge_prepare(&names, &error);
        if (r >= 0)
                r = snapshot_merge_start(&names, &error);
        ck_assert_uint_eq(failing.times, 0);
        ck_assert_int_eq(r >= 0, failures[_i].merging);
        ck_assert_int_eq(error.hr != S_OK, r < 0);
        vss_error_done(&error);
        if (failures[_i].merging)
                expect_merging();
        else
                expect_untouched();
        if (failures[_i].merging)
                return;
        /* And it can be tried again. */
        ck_assert_int_eq(snapshot_merge_prepare(&names, NULL), 0);
        ck_assert_int_eq(snapshot_merge_start(&names, NULL), 0);
        expect_merging();
}
END_TEST

/* Who died between any two steps. */
START_TEST(the_next_one_goes_on) {
        ck_assert_int_eq(snapshot_merge_prepare(&names, NULL), 0);
        if (_i == 0) { /* it is not wanted any more */
                snapshot_merge_cancel(&names);
                expect_untouched();
                return;
        }
        if (_i == 1) {
                ck_assert_int_eq(snapshot_merge_prepare(&names, NULL), 0);
                ck_assert_int_eq(snapshot_merge_start(&names, NULL), 0);
                expect_merging();
                return;
        }
        /* The kernel has refused the resume, and who asked for it was killed then. */
        strcpy(devices[ORIGIN].type, devices[ORIGIN].next_type);
        strcpy(devices[ORIGIN].params, devices[ORIGIN].next_params);
        devices[ORIGIN].inactive = false;
        devices[ORIGIN].suspended = true;
        devices[COPY].suspended = _i == 2;
        ck_assert_int_eq(snapshot_merge_rescue(&names, NULL), 0);
        ck_assert(!devices[ORIGIN].suspended);
        ck_assert_str_eq(devices[ORIGIN].type, _i == 2 ? "snapshot-merge" : "snapshot-origin");
}
END_TEST

/* That the devices here refuse what the kernel does (negative control). */
START_TEST(the_kernel_refuses) {
        struct mapper_table table = { 0 };
        struct mapper_info copy;

        ck_assert_int_eq(snapshot_merge_prepare(&names, NULL), 0);
        ck_assert_int_eq(mapper_find_name(names.copy, &copy, NULL), 0);
        ck_assert_int_lt(mapper_resume(&copy, NULL), 0);
        ck_assert_int_eq(mapper_table_add(&table, 0, 2048, "snapshot-merge", COPY_LINE), 0);
        ck_assert_int_lt(mapper_load(names.origin, &table, false, NULL), 0);
        mapper_table_done(&table);
        snapshot_merge_cancel(&names);
        expect_untouched();
}
END_TEST

START_TEST(an_end_that_fails) {
        ck_assert_int_eq(snapshot_merge_prepare(&names, NULL), 0);
        ck_assert_int_eq(snapshot_merge_start(&names, NULL), 0);
        failing.step = _i == 0 ? "load" : "resume";
        failing.device = ORIGIN;
        failing.times = 1;
        failing.late = _i == 2;
        ck_assert_int_lt(snapshot_devices_end_merge(&names, NULL), 0);
        ck_assert(!devices[ORIGIN].suspended && !devices[ORIGIN].inactive);
        ck_assert_int_eq(snapshot_devices_end_merge(&names, NULL), 0);
        expect(ORIGIN, "linear", "8:0 2048");
        ck_assert(!devices[REAL].exists);
}
END_TEST

int main(void) {
        Suite *s = suite_create("snapshot-merge");
        TCase *t = tcase_create("snapshot-merge");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_add_loop_test(t, a_copy_is_merged, 0, 2);
        tcase_add_loop_test(t, what_cannot_be, 0, 5);
        tcase_add_loop_test(t, whatever_fails_nothing_stays_suspended, 0, ARRAY_SIZE(failures));
        tcase_add_loop_test(t, the_next_one_goes_on, 0, 4);
        tcase_add_test(t, the_kernel_refuses);
        tcase_add_loop_test(t, an_end_that_fails, 0, 3);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
