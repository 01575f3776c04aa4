/* Copies that go from host to host: what is noted of them, and what LVM has to say of one before
 * anything is changed. The lvm is a script of the test's own; what device-mapper has to say is a
 * matter of the VM's tests. */

#include "common/vss-id.h"
#include "daemon/providers/lvm-import-intent.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-thick.h"
#include "daemon/providers/lvm-transport.h"
#include "daemon/providers/vg-lock.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/providers/volume.h"

#include <check.h>
#include <stdio.h>
#include <sys/stat.h>

#define VG_UUID "VVVVVV-VVVV-VVVV-VVVV-VVVV-VVVV-VVVVVV"
#define ORIGIN_UUID "OOOOOO-OOOO-OOOO-OOOO-OOOO-OOOO-OOOOOO"
#define LV_UUID "LLLLLL-LLLL-LLLL-LLLL-LLLL-LLLL-LLLLLL"
#define POOL_UUID "PPPPPP-PPPP-PPPP-PPPP-PPPP-PPPP-PPPPPP"
#define COPY_OF(name)                                                                   \
        "vg=tank vg_uuid=" VG_UUID " origin=data origin_uuid=" ORIGIN_UUID " cow=" name \
        " cow_uuid=" LV_UUID "\n"
#define COPY COPY_OF("vss_ShadowCopy7_00000001")
#define TOLD(pool, thin) \
        "transport sectors=204800 pool=" pool " thin=" thin " type=ext4 uuid=1234-abcd\n"
#define THIN COPY TOLD(POOL_UUID, "5")
#define THICK COPY TOLD("-", "0")

static const struct snapshot_record record = {
        .id = { .Data1 = 1 },
        .set_id = { .Data1 = 2 },
        .context = VSS_CTX_NAS_ROLLBACK | VSS_VOLSNAP_ATTR_TRANSPORTABLE,
};
#define TAG_OF(id, set, context)                                         \
        "vss.copy=0000000" id "-0000-0000-0000-000000000000:0000000" set \
        "-0000-0000-0000-000000000000:" context
#define TAG TAG_OF("1", "2", "00000039")

START_TEST(what_is_known_of_a_copy) {
        _cleanup_(lvm_transport_done) struct lvm_transport t = { 0 };
        _cleanup_(freep) char *again = NULL, *odd = NULL;
        const struct volume_identity same = { .type = (char[]){ "ext4" },
                                              .uuid = (char[]){ "1234-abcd" } },
                                     other = { .type = (char[]){ "ext4" },
                                               .uuid = (char[]){ "1234-abce" } },
                                     none = { 0 }, unwritten = { .type = (char[]){ "ext 4" } };

        ck_assert_int_eq(lvm_transport_parse(&t, _i == 0 ? THIN : THICK), 0);
        ck_assert_uint_eq(t.sectors, 204800);
        ck_assert_str_eq(str_or_empty(t.pool), _i == 0 ? POOL_UUID : "");
        ck_assert_uint_eq(t.thin_id, _i == 0 ? 5 : 0);
        ck_assert_str_eq(t.type, "ext4");
        ck_assert_str_eq(t.uuid, "1234-abcd");
        ck_assert_int_eq(lvm_transport_format(&t, COPY, &again), 0);
        ck_assert_str_eq(again, _i == 0 ? THIN : THICK);
        ck_assert(lvm_transport_has_identity(&t, &same));
        ck_assert(!lvm_transport_has_identity(&t, &other));
        ck_assert(!lvm_transport_has_identity(&t, &none));
        /* What cannot be written is not known, there as here. */
        free(t.type);
        t.type = strdup("ext 4\nx");
        free(TAKE_PTR(t.uuid));
        ck_assert_int_eq(lvm_transport_format(&t, COPY, &odd), 0);
        ck_assert_ptr_nonnull(strstr(odd, " type=- uuid=-\n"));
        ck_assert(lvm_transport_has_identity(&t, &none));
        ck_assert(lvm_transport_has_identity(&t, &unwritten));
}
END_TEST

static const char *const nonsense[] = {
        "",
        COPY,
        COPY "\n",
        COPY "transport\n",
        COPY "transport sectors=204800 pool=- thin=0 type=- uuid=-",
        COPY "transport sectors=204800 pool=- thin=0 type=- uuid=-\n\n",
        COPY "transport sectors=204800 pool=- thin=0 type=- uuid=- more=1\n",
        COPY "transport sectors=0 pool=- thin=0 type=- uuid=-\n",
        COPY "transport sectors=-8 pool=- thin=0 type=- uuid=-\n",
        COPY "transport sectors=8 pool=a|b thin=0 type=- uuid=-\n",
        COPY "transport sectors=8 pool= thin=0 type=- uuid=-\n",
        COPY "transport sectors=8 pool=- thin=x type=- uuid=-\n",
        COPY "transport sectors=8 pool=- thin=0 type=a/../b uuid=-\n",
        COPY "transport pool=- sectors=8 thin=0 type=- uuid=-\n",
        COPY "transfer sectors=8 pool=- thin=0 type=- uuid=-\n",
};

START_TEST(what_makes_no_sense_is_not_understood) {
        struct lvm_transport t = { 0 };

        ck_assert_int_eq(lvm_transport_parse(&t, nonsense[_i]), -EBADMSG);
        ck_assert_ptr_null(t.pool);
}
END_TEST

START_TEST(a_tag_is_of_one_copy) {
        static const struct {
                const char *tags;
                bool ours;
        } cases[] = {
                { TAG, true },
                { "backup," TAG ",x", true },
                { "", false },
                { TAG "0", false },
                { TAG_OF("3", "2", "00000039"), false },
                /* In whose name it would be deleted, and when. */
                { TAG_OF("1", "3", "00000039"), false },
                { TAG_OF("1", "2", "00000030"), false },
                { "vss.copy=00000001-0000-0000-0000-000000000000", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *fields[TRANSPORT_FIELDS] = { 0 };

                fields[TRANSPORT_TAGS] = (char *)(uintptr_t)cases[i].tags;
                ck_assert_int_eq(lvm_transport_is_tagged(fields, &record), cases[i].ours);
        }
}
END_TEST

/* --- lvm --- */

static char top[] = "/tmp/test-import.XXXXXX";
static char directory[64];
static struct store *store;

/* It has what is in three files, and notes what it is told to do. */
static const char script[] = "#!/bin/sh\n"
                             "cd \"$(dirname \"$0\")\" || exit 9\n"
                             "while read -r verb rest; do\n"
                             "  case $verb in\n"
                             "  lvs) case $rest in\n"
                             "    *=OOOO*) cat origin >&3;;\n"
                             "    *) cat lvs >&3;;\n"
                             "    esac;;\n"
                             "  vgs) cat vgs >&3;;\n"
                             "  vss-end-of-run-*) echo \"  No such command '$verb'.\";;\n"
                             "  *) echo \"$verb $rest\" >>told; echo '  It does not want to.';;\n"
                             "  esac\n"
                             "done\n";

static void write_file(const char *name, const char *text) {
        char path[128];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path, 0700), 0);
}

static void setup(void) {
        static char program[64];

        ck_assert_ptr_nonnull(mkdtemp(top));
        (void)snprintf(program, sizeof(program), "%s/lvm", top);
        (void)snprintf(directory, sizeof(directory), "%s/store", top);
        write_file("lvm", script);
        write_file("told", "");
        write_file("origin", "  " ORIGIN_UUID "\n");
        lvm_program = program;
        lvm_lock_directory = vg_lock_directory = top;
        ck_assert_int_eq(store_open(&store, directory, NULL), 0);
}

static void teardown(void) {
        char command[128];

        store_close(store);
        (void)snprintf(command, sizeof(command), "rm -r '%s'", top);
        ck_assert_int_eq(system(command), 0);
}

static const struct lvm_kind thin = { .provider = "lvm-thin", .activation = "-K", .thin = true };

#define LVS_OF(vg, attr, size, origin, pool, thin_id, tags) \
        LVS_NAMED("vss_ShadowCopy7_00000001", vg, attr, size, origin, pool, thin_id, tags)
#define LVS_NAMED(name, vg, attr, size, origin, pool, thin_id, tags) \
        "  tank|" vg "|" name "|" attr "|" size "|new|" origin "|" pool "|" thin_id "|" tags "\n"
#define LVS LVS_OF(VG_UUID, "Vri---tz-k", "204800", ORIGIN_UUID, POOL_UUID, "5", TAG)
#define VGS_OF(exported, shared, partial, system) \
        "  tank|" exported "|" shared "|" partial "|" system "\n"
#define VGS VGS_OF("", "", "", "")

static const struct {
        const char *data, *lvs, *vgs;
        HRESULT hr;
        const char *words;
} refused[] = {
        { "something", LVS, VGS, VSS_E_OBJECT_NOT_FOUND, "understood" },
        { COPY, LVS, VGS, VSS_E_OBJECT_NOT_FOUND, "understood" },
        /* A volume of the system, as it may well be called in a document. */
        { COPY_OF("root") TOLD(POOL_UUID, "5"), LVS, VGS, VSS_E_OBJECT_NOT_FOUND, "understood" },
        /* Of a thick one, by the provider for thin ones. */
        { THICK, LVS, VGS, VSS_E_OBJECT_NOT_FOUND, "understood" },
        { THIN, "", "", VSS_E_MISSING_DISK, "no disk" },
        { THIN, "", VGS, VSS_E_MISSING_VOLUME, LV_UUID },
        { THIN, "", VGS_OF("", "", "", "elsewhere"), VSS_E_MISSING_VOLUME, "'elsewhere'" },
        { THIN, "", VGS_OF("exported", "", "", ""), VSS_E_MISSING_DISK, "vgimport" },
        { THIN, LVS, VGS_OF("", "shared", "", ""), VSS_E_MISSING_DISK, "lvmlockd" },
        { THIN, LVS, VGS_OF("", "", "partial", ""), VSS_E_MISSING_DISK, "pvs" },
        { THIN, LVS_OF(ORIGIN_UUID, "Vri---tz-k", "204800", ORIGIN_UUID, POOL_UUID, "5", TAG), VGS,
          VSS_E_OBJECT_NOT_FOUND, "another volume group" },
        { THIN, LVS_OF(VG_UUID, "Vri---tz-k", "204800", ORIGIN_UUID, POOL_UUID, "5", ""), VGS,
          VSS_E_OBJECT_NOT_FOUND, "not marked" },
        { THIN, LVS_OF(VG_UUID, "-ri-------", "204800", ORIGIN_UUID, POOL_UUID, "5", TAG), VGS,
          VSS_E_OBJECT_NOT_FOUND, "another kind" },
        { THIN, LVS_OF(VG_UUID, "Vwi---tz-k", "204800", ORIGIN_UUID, POOL_UUID, "5", TAG), VGS,
          VSS_E_OBJECT_NOT_FOUND, "written" },
        { THIN, LVS_OF(VG_UUID, "Vri---tz-k", "204800", LV_UUID, POOL_UUID, "5", TAG), VGS,
          VSS_E_OBJECT_NOT_FOUND, "another origin" },
        { THIN, LVS_OF(VG_UUID, "Vri---tz-k", "204808", ORIGIN_UUID, POOL_UUID, "5", TAG), VGS,
          VSS_E_OBJECT_NOT_FOUND, "size" },
        { THIN, LVS_OF(VG_UUID, "Vri---tz-k", "204800", ORIGIN_UUID, POOL_UUID, "6", TAG), VGS,
          VSS_E_OBJECT_NOT_FOUND, "pool" },
        { THIN, LVS_OF(VG_UUID, "Vri---tz-k", "204800", ORIGIN_UUID, LV_UUID, "5", TAG), VGS,
          VSS_E_OBJECT_NOT_FOUND, "pool" },
        { THIN, LVS_OF(VG_UUID, "V", "204800", ORIGIN_UUID, LV_UUID, "5", TAG), VGS,
          VSS_E_UNEXPECTED, "report" },
        { THIN,
          LVS_NAMED("data", VG_UUID, "Vri---tz-k", "204800", ORIGIN_UUID, POOL_UUID, "5", TAG), VGS,
          VSS_E_OBJECT_NOT_FOUND, "lvrename" },
        { THIN, LVS LVS, VGS, VSS_E_UNEXPECTED_PROVIDER_ERROR, "which of them" },
        /* It has none, and what was told as that is there. */
        { THIN, LVS_OF(VG_UUID, "Vri---tz-k", "204800", "", POOL_UUID, "5", TAG), VGS,
          VSS_E_OBJECT_NOT_FOUND, "another origin" },
};

static int import(const char *data, struct snapshot_record *r, struct vss_error *reterr) {
        int64_t intent;

        ck_assert_int_eq(snapshot_record_copy(r, &record), 0);
        ck_assert_int_eq(str_replace(&r->volume, "/srv/"), 0);
        ck_assert_int_eq(str_replace(&r->provider_data, data), 0);
        return lvm_import(&thin, store, r, &intent, reterr);
}

static size_t count_intents(void) {
        struct intent_record *intents = NULL;
        size_t n = 0;

        ck_assert_int_eq(store_intent_list(store, &intents, &n, NULL), 0);
        intent_records_free(intents, n);
        return n;
}

static void read_told(char text[static 1024]) {
        char path[128];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/told", top);
        f = fopen(path, "re");
        ck_assert_ptr_nonnull(f);
        text[fread(text, 1, 1023, f)] = '\0';
        (void)fclose(f); /* it was only read */
}

START_TEST(what_is_not_the_copy_is_not_touched) {
        _cleanup_(snapshot_record_done) struct snapshot_record r = { 0 };
        struct vss_error error = { 0 };
        char told[1024];

        write_file("lvs", refused[_i].lvs);
        write_file("vgs", refused[_i].vgs);
        ck_assert_int_lt(import(refused[_i].data, &r, &error), 0);
        ck_assert_msg(error.hr == refused[_i].hr, "0x%08x %s", (unsigned)error.hr, error.message);
        ck_assert_msg(strstr(error.message, refused[_i].words) != NULL, "%s", error.message);
        vss_error_done(&error);
        ck_assert_uint_eq(count_intents(), 0);
        read_told(told);
        ck_assert_str_eq(told, "");
}
END_TEST

/* As far as it goes without device-mapper: here is no such device. */
static HRESULT import_here(const char *lvs, struct snapshot_record *r) {
        struct vss_error error = { 0 };
        HRESULT hr;

        write_file("lvs", lvs);
        write_file("vgs", VGS);
        ck_assert_int_lt(import(THIN, r, &error), 0);
        hr = error.hr;
        vss_error_done(&error);
        return hr;
}

/* The control of these: it gets a number, and what is noted of it is LVM's word, also where the
 * document has another. */
START_TEST(what_is_noted_is_what_there_is) {
        _cleanup_(snapshot_record_done) struct snapshot_record r = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };

        (void)import_here(LVS, &r); /* what is noted counts here */
        ck_assert_uint_eq(r.number, 1);
        ck_assert_str_eq(r.device, "/dev/vss/ShadowCopy1");
        ck_assert_str_eq(r.device_object, "/dev/vss/ShadowCopy1");
        ck_assert_int_eq(lvm_copy_parse(&c, r.provider_data), 0);
        ck_assert_str_eq(c.origin, "new");
        ck_assert_str_eq(c.lv, "vss_ShadowCopy7_00000001");
        ck_assert_str_eq(r.origin_uuid, c.origin_dm_uuid);
        ck_assert_ptr_nonnull(strstr(r.provider_data, TOLD(POOL_UUID, "5")));
}
END_TEST

#define LVS_WITHOUT_ORIGIN                                                \
        "  tank|" VG_UUID "|vss_ShadowCopy7_00000001|Vri---tz-k|204800||" \
        "|" POOL_UUID "|5|" TAG "\n"

START_TEST(what_has_lost_its_origin) {
        _cleanup_(snapshot_record_done) struct snapshot_record r = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };

        write_file("origin", "");
        (void)import_here(LVS_WITHOUT_ORIGIN, &r); /* as above */
        ck_assert_uint_eq(r.number, 1);
        ck_assert_int_eq(lvm_copy_parse(&c, r.provider_data), 0);
        ck_assert_str_eq(c.origin, "gone"); /* what the document calls it is its own word */
        ck_assert_str_eq(c.origin_uuid, ORIGIN_UUID);
}
END_TEST

/* The origin is there, and was reverted since: of its own copy the host knows whose it is. A thick
 * one has its origin, or it is another volume. */
START_TEST(our_own_of_what_was_reverted) {
        static const struct lvm_kind thick = { .provider = "lvm-thick", .activation = "" };
        _cleanup_(snapshot_record_done) struct snapshot_record r = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        struct vss_error error = { 0 };
        const bool is_thin = _i == 0;
        int64_t intent;

        write_file("lvs", is_thin ? LVS_WITHOUT_ORIGIN
                                  : LVS_OF(VG_UUID, "sri-------", "204800", "", "", "", TAG));
        write_file("vgs", VGS);
        ck_assert_int_eq(snapshot_record_copy(&r, &record), 0);
        r.number = 7;
        ck_assert_int_eq(str_replace(&r.device, "/dev/vss/ShadowCopy7"), 0);
        ck_assert_int_eq(str_replace(&r.device_object, "/dev/vss/ShadowCopy7"), 0);
        ck_assert_int_eq(str_replace(&r.provider_data, is_thin ? THIN : THICK), 0);
        ck_assert_int_lt(lvm_import(is_thin ? &thin : &thick, store, &r, &intent, &error), 0);
        ck_assert_msg((strstr(error.message, "another origin") != NULL) == !is_thin, "%s",
                      error.message);
        vss_error_done(&error);
        ck_assert_uint_eq(r.number, 7);
        ck_assert_int_eq(lvm_copy_parse(&c, r.provider_data), 0);
        ck_assert_str_eq(c.origin, "data");
        ck_assert_str_eq(c.origin_uuid, ORIGIN_UUID);
        ck_assert_int_eq(str_empty(r.origin_uuid), !is_thin); /* it got past LVM's word */
}
END_TEST

/* Whoever reverts the volume would spoil the copies of others. */
START_TEST(who_has_copies_of_a_volume) {
#define OTHER_OF(tags) LVS_OF(VG_UUID, "Vri---tz-k", "204800", ORIGIN_UUID, POOL_UUID, "6", tags)
        static const struct {
                const char *lvs;
                bool known;
        } cases[] = {
                { "", true },
                { LVS, true },
                { LVS OTHER_OF(TAG_OF("2", "2", "00000039")), true },
                { OTHER_OF(""), true },               /* one that is of one host */
                { OTHER_OF("backup,x.copy="), true }, /* somebody's own tags */
                { LVS OTHER_OF(TAG_OF("3", "2", "00000039")), false },
                { LVS OTHER_OF("backup," TAG_OF("3", "2", "00000039")), false },
                { OTHER_OF("vss.copy=00000001"), false },
        };
        const struct snapshot_record known[] = { { .id = { .Data1 = 1 } },
                                                 { .id = { .Data1 = 2 } } };
        _cleanup_(snapshot_record_done) struct snapshot_record r = { 0 };
        struct vss_error error = { 0 };

        ck_assert_int_eq(snapshot_record_copy(&r, &record), 0);
        ck_assert_int_eq(str_replace(&r.provider_data, COPY), 0);
        write_file("lvs", "");
        write_file("origin", cases[_i].lvs);
        ck_assert_int_eq(lvm_transport_check_known(&r, known, 2, &error) >= 0, cases[_i].known);
        if (!cases[_i].known) {
                ck_assert_int_eq(error.hr, VSS_E_VOLUME_NOT_SUPPORTED);
                ck_assert_msg(strstr(error.message, "import it first") != NULL, "%s",
                              error.message);
        }
        vss_error_done(&error);
}
END_TEST

/* What the start puts right before anybody calls has the first word. */
START_TEST(what_is_held_is_not_imported) {
        _cleanup_(snapshot_record_done) struct snapshot_record r = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };

        ck_assert_int_eq(lvm_copy_parse(&c, COPY), 0);
        ck_assert_int_eq(volume_hold_add(c.origin_dm_uuid), 0);
        ck_assert_int_eq(import_here(LVS, &r), VSS_E_PROVIDER_VETO);
        ck_assert_uint_eq(r.number, 0);
        volume_hold_remove(c.origin_dm_uuid);
}
END_TEST

/* Also of a revert that is undone by its intent, which has the copy's data and no more. */
START_TEST(whose_link_is_udevs) {
        static const struct {
                const char *lv, *link;
                bool udevs;
        } cases[] = {
                { "vss_ShadowCopy7", "/dev/vss/ShadowCopy7", true },
                { "vss_ShadowCopy7", "/dev/vss/ShadowCopy17", false },
                { "vss_ShadowCopy7_00000001", "/dev/vss/ShadowCopy7", false },  /* made here */
                { "vss_ShadowCopy7_00000001", "/dev/vss/ShadowCopy12", false }, /* imported */
                { "vss_ShadowCopy7", "", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct lvm_copy c = { .lv = (char *)(uintptr_t)cases[i].lv };

                ck_assert_msg(lvm_life_has_udev_link(&c, cases[i].link) == cases[i].udevs, "%s",
                              cases[i].link);
        }
}
END_TEST

START_TEST(a_volume_that_it_becomes_has_no_tag) {
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        struct vss_error error = { 0 };
        char told[1024];

        ck_assert_int_eq(lvm_copy_parse(&c, COPY), 0);
        ck_assert_int_eq(lvm_open(&l, NULL), 0);
        write_file("lvs", LVS_OF(VG_UUID, "Vri---tz-k", "8", ORIGIN_UUID, POOL_UUID, "5", "x"));
        ck_assert_int_eq(lvm_transport_untag(l, &c, NULL), 0);
        write_file("lvs", "");
        ck_assert_int_lt(lvm_transport_untag(l, &c, NULL), 0);
        read_told(told);
        ck_assert_str_eq(told, "");
        write_file("lvs",
                   LVS_OF(VG_UUID, "Vri---tz-k", "8", ORIGIN_UUID, POOL_UUID, "5", TAG ",x"));
        ck_assert_int_lt(lvm_transport_untag(l, &c, &error), 0);
        ck_assert_msg(strstr(error.message, "unmark") && strstr(error.message, "not want to"), "%s",
                      error.message);
        vss_error_done(&error);
        read_told(told);
        ck_assert_str_eq(told, "lvchange -y --deltag " TAG " tank/vss_ShadowCopy7_00000001\n");
}
END_TEST

/* --- what was handed over, and is deleted where it was made --- */

static unsigned n_forgotten;

static int forget(struct lvm *l _unused_, struct lvm_copy *const *copies _unused_, size_t n,
                  struct vss_error *reterr _unused_) {
        n_forgotten += (unsigned)n;
        return 0;
}

static int undo_devices(struct lvm *l _unused_, struct lvm_copy *const *copies _unused_,
                        size_t n _unused_, const struct lvm_undo *options _unused_,
                        struct vss_error *reterr _unused_) {
        return 0;
}

static const struct {
        const char *lvs;
        bool removed;
} deletions[] = {
        { LVS, true },
        /* LVM has answered something else, or nothing, for whatever reason. */
        { "", false },
        /* Who has made a volume of it died before the tag was taken, or never took it. */
        { LVS_OF(VG_UUID, "Vwi-a-tz--", "204800", ORIGIN_UUID, POOL_UUID, "5", TAG), false },
        { LVS_NAMED("restored", VG_UUID, "Vri---tz-k", "204800", ORIGIN_UUID, POOL_UUID, "5", TAG),
          false },
        { LVS_OF(VG_UUID, "Vri---tz-k", "204800", ORIGIN_UUID, POOL_UUID, "5", ""), false },
        { LVS_OF(VG_UUID, "Vri---tz-k", "204800", ORIGIN_UUID, POOL_UUID, "5",
                 TAG_OF("3", "2", "00000039")),
          false },
};

START_TEST(what_others_have_made_of_it_stays) {
        const struct lvm_kind kind = {
                .provider = "lvm-thin", .thin = true, .undo_devices = undo_devices, .forget = forget
        };
        struct snapshot_record r = record, *left = NULL;
        struct vss_error error = { 0 };
        char told[1024];
        size_t n = 0;
        int k;

        r.number = 7;
        r.device = (char[]){ "/dev/vss/ShadowCopy7" };
        r.device_object = r.volume = r.device;
        r.provider = (char[]){ "lvm-thin" };
        r.provider_data = (char *)(uintptr_t)THIN;
        ck_assert(snapshot_is_away(&r));
        ck_assert_int_eq(store_set_commit(store, NULL, &r, 1, NULL, 0, NULL), 0);
        write_file("lvs", deletions[_i].lvs);
        n_forgotten = 0;
        k = lvm_transport_remove(&kind, store, &r, 1, false, &error);
        ck_assert_int_eq(store_snapshot_list(store, GUID_NULL, &left, &n, NULL), 0);
        snapshot_records_free(left, n);
        if (deletions[_i].removed) {
                /* Where there is no device-mapper to be asked it stops at that. */
                ck_assert_uint_eq(n_forgotten, k < 0 ? 0U : 1U);
                ck_assert_uint_eq(n, k < 0 ? 1U : 0U);
                ck_assert_msg(k >= 0 || strstr(error.message, "device-mapper"), "%s",
                              error.message);
                vss_error_done(&error);
        } else {
                ck_assert_int_eq(k, 0);
                ck_assert_uint_eq(n_forgotten, 0);
                ck_assert_uint_eq(n, 0);
        }
        ck_assert_uint_eq(count_intents(), 0);
        read_told(told);
        ck_assert_str_eq(told, "");
}
END_TEST

/* --- intents --- */

START_TEST(an_intent_there_and_back) {
        struct snapshot_record r = record;
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        _cleanup_(freep) char *text = NULL;
        _cleanup_(lvm_import_intent_done) struct lvm_import_intent i = { 0 };

        ck_assert_int_eq(lvm_copy_parse(&c, COPY), 0);
        ck_assert_int_eq(lvm_import_intent_format("lvm-thin", &c, &record, &text), -EBADMSG);
        r.device = (char[]){ "/dev/vss/ShadowCopy12" };
        ck_assert_int_eq(lvm_import_intent_format("lvm-thin", &c, &r, &text), 0);
        ck_assert_int_eq(lvm_import_intent_parse(&i, "lvm-thin", text), 0);
        ck_assert_str_eq(i.node, "ShadowCopy12");
        ck_assert_str_eq(i.copy.lv, "vss_ShadowCopy7_00000001");
        ck_assert_str_eq(i.copy.lv_uuid, LV_UUID);
        ck_assert(vss_id_equal(i.snapshot, record.id));
}
END_TEST

#define REST "lvm-thin 1\nsnapshot=00000001-0000-0000-0000-000000000000\n" COPY

static const char *const no_intents[] = {
        "",
        "import",
        "import \n" REST,
        "import -x\n" REST,
        "import root\n" REST,
        "import ShadowCopyx\n" REST,
        "import ShadowCopy12",
        "import ShadowCopy12\n",
        "import ShadowCopy12\nlvm-thick "
        "1\nsnapshot=00000001-0000-0000-0000-000000000000\n" COPY,
        "import ShadowCopy12\nlvm-thin 1\n" COPY,
        "import ShadowCopy12\n" REST COPY,
        "break ShadowCopy12\n" REST,
        "import ShadowCopy12\nlvm-thin 1\nsnapshot=00000001-0000-0000-0000-000000000000\n"
        "vg=tank vg_uuid=" VG_UUID " origin=data origin_uuid=" ORIGIN_UUID " cow=x cow_uuid=-\n",
};

START_TEST(what_is_no_intent_is_not_understood) {
        struct lvm_import_intent i = { 0 };

        ck_assert_int_eq(lvm_import_intent_parse(&i, "lvm-thin", no_intents[_i]), -EBADMSG);
        ck_assert_ptr_null(i.node);
}
END_TEST

START_TEST(the_sensible_one) {
        _cleanup_(lvm_import_intent_done) struct lvm_import_intent i = { 0 };

        ck_assert_int_eq(lvm_import_intent_parse(&i, "lvm-thin", "import ShadowCopy12\n" REST), 0);
}
END_TEST

/* What is there already as it was noted is closed, and nothing else is done. */
START_TEST(an_intent_of_what_was_imported) {
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        struct snapshot_record r = record;
        struct intent_record i = { .set_id = record.set_id,
                                   .provider = (char[]){ "lvm-thin" },
                                   .kind = (char[]){ "import" } };

        ck_assert_int_eq(lvm_copy_parse(&c, COPY), 0);
        r.number = 12;
        r.device = (char[]){ "/dev/vss/ShadowCopy12" };
        r.device_object = r.volume = r.device;
        r.provider = i.provider;
        r.attributes = r.context | VSS_VOLSNAP_ATTR_IMPORTED;
        ck_assert_int_eq(lvm_import_intent_format("lvm-thin", &c, &r, &i.data), 0);
        ck_assert_int_eq(store_intent_open(store, &i, &i.id, NULL), 0);
        ck_assert_int_eq(store_set_commit(store, NULL, &r, 1, NULL, 0, NULL), 0);
        ck_assert_int_eq(lvm_import_recover(&thin, store, &i, NULL), 0);
        ck_assert_uint_eq(count_intents(), 0);
        free(i.data);
}
END_TEST

/* An imported copy has its number here, and in its LV's name another host's: what this host has by
 * that number is not to be unmounted. */
START_TEST(the_nodes_of_what_is_deleted) {
        static const struct {
                bool row, deletion;
                const char *node;
        } cases[] = {
                { true, true, "ShadowCopy5" },
                { false, true, NULL },           /* it went when its row did */
                { false, false, "ShadowCopy7" }, /* of a set in creation, which has no rows */
                { true, false, "ShadowCopy7" },
        };
        const VSS_ID others[] = { { .Data1 = 99 } };
        struct snapshot_record r = record;
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        struct lvm_intent i = { .copies = &c, .n = 1 };

        ck_assert_int_eq(lvm_copy_parse(&c, THIN), 0);
        r.number = 5;
        r.device = (char[]){ "/dev/vss/ShadowCopy5" };
        r.device_object = (char[]){ "/run/vss/ShadowCopy5" };
        r.volume = r.device;
        r.provider = (char[]){ "lvm-thin" };
        ck_assert_int_eq(store_set_commit(store, NULL, &r, 1, NULL, 0, NULL), 0);
        for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
                _cleanup_(strv_freep) char **nodes = NULL;

                i.snapshots = (VSS_ID *)(uintptr_t)(cases[k].row ? &record.id : others);
                i.n_snapshots = cases[k].deletion ? 1 : 0;
                ck_assert_int_eq(lvm_life_nodes(store, &i, &nodes, NULL), 0);
                ck_assert_uint_eq(strv_length(nodes), cases[k].node ? 1 : 0);
                if (cases[k].node)
                        ck_assert_str_eq(nodes[0], cases[k].node);
        }
}
END_TEST

#define OTHER_VG_UUID "WWWWWW-WWWW-WWWW-WWWW-WWWW-WWWW-WWWWWW"

/* Of what is to be removed, not one of the same UUID in a group that was cloned. */
START_TEST(what_is_selected) {
        static const char *const lines[] = {
                COPY,
                "vg=bank vg_uuid=" OTHER_VG_UUID " origin=data origin_uuid=" ORIGIN_UUID
                " cow=x cow_uuid=" LV_UUID "\n",
                "vg=tank vg_uuid=" VG_UUID " origin=data origin_uuid=" ORIGIN_UUID
                " cow=y cow_uuid=-\n",
        };
        struct lvm_copy copies[ARRAY_SIZE(lines)] = { 0 }, *all[ARRAY_SIZE(lines)];
        _cleanup_(freep) char *one = NULL, *text = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                ck_assert_int_eq(lvm_copy_parse(&copies[i], lines[i]), 0);
                all[i] = &copies[i];
        }
        ck_assert_int_eq(lvm_undo_select(all, 1, &one), 0);
        ck_assert_str_eq(one, "(vg_uuid=" VG_UUID "&&(lv_uuid=" LV_UUID "))");
        ck_assert_int_eq(lvm_undo_select(all, ARRAY_SIZE(all), &text), 0);
        ck_assert_str_eq(text, "(vg_uuid=" VG_UUID "&&(lv_uuid=" LV_UUID "||lv_name=y))||"
                               "(vg_uuid=" OTHER_VG_UUID "&&(lv_uuid=" LV_UUID "))");
        for (size_t i = 0; i < ARRAY_SIZE(copies); i++)
                lvm_copy_done(&copies[i]);
}
END_TEST

/* Each host counts by itself. */
START_TEST(names_of_different_hosts) {
        static const struct {
                LONG context;
                const char *name;
        } cases[] = {
                { VSS_CTX_NAS_ROLLBACK, "vss_ShadowCopy7" },
                { VSS_CTX_NAS_ROLLBACK | VSS_VOLSNAP_ATTR_TRANSPORTABLE,
                  "vss_ShadowCopy7_0a2b3c4d" },
        };
        const struct volume v = {
                .dm_uuid = (char[]){ "LVM-VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV"
                                     "OOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOO" },
                .vg = (char[]){ "tank" },
                .lv = (char[]){ "data" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct snapshot_record r = { .id = { .Data1 = 0x0a2b3c4d },
                                                   .number = 7,
                                                   .context = cases[i].context };
                _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };

                ck_assert_int_eq(lvm_copy_of_volume(&c, &v, &r), 0);
                ck_assert_str_eq(c.lv, cases[i].name);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("lvm-import");
        TCase *tc = tcase_create("texts"), *with_lvm = tcase_create("lvm");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(tc, what_is_known_of_a_copy, 0, 2);
        tcase_add_loop_test(tc, what_makes_no_sense_is_not_understood, 0, ARRAY_SIZE(nonsense));
        tcase_add_test(tc, a_tag_is_of_one_copy);
        tcase_add_test(tc, an_intent_there_and_back);
        tcase_add_loop_test(tc, what_is_no_intent_is_not_understood, 0, ARRAY_SIZE(no_intents));
        tcase_add_test(tc, the_sensible_one);
        tcase_add_test(tc, what_is_selected);
        tcase_add_test(tc, names_of_different_hosts);
        suite_add_tcase(suite, tc);
        tcase_add_checked_fixture(with_lvm, setup, teardown);
        tcase_set_timeout(with_lvm, 60);
        tcase_add_loop_test(with_lvm, what_is_not_the_copy_is_not_touched, 0, ARRAY_SIZE(refused));
        tcase_add_test(with_lvm, what_is_noted_is_what_there_is);
        tcase_add_test(with_lvm, what_has_lost_its_origin);
        tcase_add_loop_test(with_lvm, who_has_copies_of_a_volume, 0, 8);
        tcase_add_loop_test(with_lvm, our_own_of_what_was_reverted, 0, 2);
        tcase_add_test(with_lvm, what_is_held_is_not_imported);
        tcase_add_test(with_lvm, whose_link_is_udevs);
        tcase_add_test(with_lvm, a_volume_that_it_becomes_has_no_tag);
        tcase_add_loop_test(with_lvm, what_others_have_made_of_it_stays, 0, ARRAY_SIZE(deletions));
        tcase_add_test(with_lvm, an_intent_of_what_was_imported);
        tcase_add_test(with_lvm, the_nodes_of_what_is_deleted);
        suite_add_tcase(suite, with_lvm);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
