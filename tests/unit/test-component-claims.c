/* What a writer says of files, against many file sets: what is refused is what a look at each would
 * refuse, and each thing said costs the same, however much was said before. */

#include "common/writer-metadata.h"
#include "libvssclient/files/file-path.h"
#include "libvssclient/files/set-table.h"
#include "libvssclient/files/wildcard.h"
#include "libvssclient/writer-components.h"

#include <check.h>
#include <stdio.h>
#include <time.h>
#include <vss/vsslinux.h>

#define ALL_TYPES (VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED)

/* --- the table, against the definition --- */

static bool reaches(const struct set_table_item *s, const char *directory) {
        const char *rest;

        return file_path_is_below(directory, s->directory, &rest) &&
               (s->recursive || *rest == '\0');
}

static bool shares(const struct set_table_item *a, const struct set_table_item *b) {
        return (reaches(a, b->directory) || reaches(b, a->directory)) &&
               wildcard_share(a->spec, b->spec);
}

static uint32_t seed;

static unsigned below(unsigned n) {
        seed = seed * 1664525 + 1013904223;
        return (seed >> 16) % n;
}

static struct set_table_item some_item(void) {
        static const char *const directories[] = { "",     "/a",   "/a/b",   "/a/b/c", "/a-b",
                                                   "/a/c", "/a.b", "/a/b-c", "/ab",    "/b" };
        static const char *const specs[] = {
                "*", "*.*", "x", "xy", "!*", "x*", "?", "y", "*y", "z?"
        };

        return (struct set_table_item){ directories[below(ARRAY_SIZE(directories))],
                                        specs[below(ARRAY_SIZE(specs))], below(2) };
}

static void compare_with_each(const struct set_table *t, const struct set_table_item *asked) {
        const struct set_table_item *found = set_table_share(t, asked);
        bool shared = false, same = false, above = false;

        for (size_t i = 0; i < t->n; i++) {
                const struct set_table_item *own = &t->items[i];

                shared = shared || shares(own, asked);
                same = same ||
                       (streq(own->directory, asked->directory) && streq(own->spec, asked->spec) &&
                        own->recursive == asked->recursive);
                above = above || file_path_is_below(asked->directory, own->directory, NULL);
        }
        ck_assert_msg((found != NULL) == shared && (!found || shares(found, asked)),
                      "%s/%s %d of %zu", asked->directory, asked->spec, asked->recursive, t->n);
        ck_assert(set_table_has(t, asked) == same);
        ck_assert(set_table_has_above(t, asked->directory) == above);
}

START_TEST(a_lookup_finds_what_a_walk_finds) {
        for (unsigned round = 0; round < 300; round++) {
                struct set_table t = { 0 };

                for (unsigned n = below(60); n > 0; n--) {
                        const struct set_table_item item = some_item();

                        ck_assert_int_eq(set_table_add(&t, &item), 0);
                        if (below(3) > 0)
                                set_table_settle(&t);
                }
                set_table_settle(&t);
                for (unsigned i = 0; i < 30; i++) {
                        const struct set_table_item asked = some_item();

                        compare_with_each(&t, &asked);
                }
                set_table_done(&t);
        }
}
END_TEST

/* --- the methods, with many --- */

static const struct backup_component_key key = {
        .instance_id = { .Data1 = 0xb, .Data4 = { 2 } },
        .writer_id = { .Data1 = 0xa, .Data4 = { 1 } },
        .type = VSS_CT_FILEGROUP,
        .logical_path = "15",
        .name = "main",
};

/* As a writer gets them after the copy was made. */
static IVssWriterComponents *make_components(void) {
        const struct backup_document_state state = { .select_components = true,
                                                     .partial_files = true,
                                                     .backup_type = VSS_BT_FULL };
        const struct backup_writer_info info = { .instance_id = key.instance_id,
                                                 .writer_id = key.writer_id,
                                                 .schema = VSS_BS_LAST_MODIFY };
        _cleanup_(backup_document_freep) struct backup_document *d = NULL;
        _cleanup_(freep) char *text = NULL;
        IVssWriterComponents *components;
        struct backup_component *c;
        size_t size;

        ck_assert_int_eq(backup_document_new(&d, NULL), 0);
        ck_assert_int_eq(backup_document_set_state(d, &state, NULL), 0);
        ck_assert_int_eq(backup_document_add(d, &info, &key, &c, NULL), 0);
        ck_assert_int_eq(backup_document_to_xml(d, &text, &size, NULL), 0);
        ck_assert_int_eq(writer_components_new_for_writer(&components, BACKUP_PHASE_POST_SNAPSHOT,
                                                          text, size, NULL),
                         0);
        return components;
}

/* Each set has a directory of its own; every other one is of a component below ours. */
static struct document *describe(size_t sets) {
        const struct writer_metadata_identity id = { .writer_id = key.writer_id,
                                                     .instance_id = key.instance_id,
                                                     .name = "Many",
                                                     .usage = VSS_UT_USERDATA,
                                                     .source = VSS_ST_OTHER };
        struct writer_metadata_component c = { .type = VSS_CT_FILEGROUP,
                                               .logical_path = key.logical_path,
                                               .name = key.name,
                                               .selectable = true };
        _cleanup_(writer_metadata_freep) struct writer_metadata *m = NULL;
        char path[40], name[24], *text;
        struct document *d;

        ck_assert_int_eq(writer_metadata_new(&m, &id, NULL), 0);
        ck_assert_int_eq(writer_metadata_add_component(m, &c, NULL), 0);
        for (size_t i = 0; i < sets; i++) {
                const struct writer_metadata_files f = { .path = path,
                                                         .filespec = "*.dat",
                                                         .backup_type_mask = ALL_TYPES };

                (void)snprintf(path, sizeof(path), "/srv/d%zu", i);
                if (i % 2 == 0) {
                        (void)snprintf(name, sizeof(name), "c%zu", i);
                        c.logical_path = i % 4 == 0 ? "15\\main" : "15\\main\\below";
                        c.name = name;
                        ck_assert_int_eq(writer_metadata_add_component(m, &c, NULL), 0);
                }
                ck_assert_int_eq(writer_metadata_add(m, WRITER_METADATA_FILES,
                                                     i % 2 == 0 ? c.logical_path : key.logical_path,
                                                     i % 2 == 0 ? name : key.name, &f, NULL),
                                 0);
        }
        /* Not below ours, though its path begins with the same bytes. */
        c.logical_path = "15\\main2";
        c.name = "other";
        ck_assert_int_eq(writer_metadata_add_component(m, &c, NULL), 0);
        ck_assert_int_eq(writer_metadata_add(
                                 m, WRITER_METADATA_FILES, c.logical_path, c.name,
                                 &(struct writer_metadata_files){ .path = "/other",
                                                                  .filespec = "*",
                                                                  .recursive = true,
                                                                  .backup_type_mask = ALL_TYPES },
                                 NULL),
                         0);
        ck_assert_int_eq(writer_metadata_to_xml(m, &text, NULL), 0);
        ck_assert_int_eq(document_new(&d, text, strlen(text), NULL), 0);
        return d;
}

static double cpu_seconds(void) {
        struct timespec t;

        ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static HRESULT say_partial(IVssComponent *c, size_t directory, const char *suffix, size_t file) {
        char path[40], name[32];

        (void)snprintf(path, sizeof(path), "/srv/d%zu", directory);
        (void)snprintf(name, sizeof(name), "%zu%s", file, suffix);
        return IVssComponent_AddPartialFile(c, path, name, "0:1", NULL);
}

static HRESULT say_differenced(IVssComponent *c, const char *path, const char *spec) {
        return IVssComponent_AddDifferencedFilesByLastModifyTime(c, path, spec, FALSE,
                                                                 (FILETIME){ 1, 1 });
}

/* Files partial and differenced in turn, so that each is looked for in what was said before. */
static double cost_of(size_t sets, size_t files) {
        struct document *d = describe(sets);
        IVssWriterComponents *components = make_components();
        IVssComponent *c;
        char path[40];
        double begin;

        writer_components_know(components, d, NULL);
        ck_assert_int_eq(IVssWriterComponents_GetComponent(components, 0, &c), S_OK);
        begin = cpu_seconds();
        for (size_t i = 0; i < files; i++) {
                /* Not in the order of the table. */
                ck_assert_int_eq(say_partial(c, i * 7919 % sets, ".dat", i), S_OK);
                if (i % 4 == 0) {
                        (void)snprintf(path, sizeof(path), "/srv/d%zu", i % sets);
                        ck_assert_int_eq(say_differenced(c, path, "*.log"), S_OK);
                }
                if (i % 16 == 0)
                        ck_assert_int_eq(say_partial(c, i % sets, ".log", i), E_INVALIDARG);
        }
        begin = cpu_seconds() - begin;
        ck_assert_int_eq(say_differenced(c, "/srv/d1", "*.dat"), E_INVALIDARG); /* partial */
        ck_assert_int_eq(IVssComponent_AddPartialFile(c, "/other", "x", "0:1", NULL), E_INVALIDARG);
        ck_assert_int_eq(IVssComponent_AddPartialFile(c, "/srv", "x", "0:1", NULL), E_INVALIDARG);
        IVssComponent_Release(c);
        IVssWriterComponentsExt_Release(components);
        document_unref(d);
        return begin;
}

START_TEST(what_is_said_costs_the_same_however_much_was_said) {
        /* Less than a second; with a walk over all sets for each file, minutes. Time of this
         * process alone, and room for a sanitizer. */
        double seconds = cost_of(4000, 40000);

        ck_assert_msg(seconds < 10, "%.3f s", seconds);
}
END_TEST

int main(void) {
        Suite *s = suite_create("component-claims");
        TCase *c = tcase_create("component-claims");
        SRunner *runner;
        int failed;

        tcase_set_timeout(c, 120);
        tcase_add_test(c, a_lookup_finds_what_a_walk_finds);
        tcase_add_test(c, what_is_said_costs_the_same_however_much_was_said);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
