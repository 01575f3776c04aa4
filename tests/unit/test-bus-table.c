/* The dispatch tables and the XML under dbus/ say the same: each interface, method, argument,
 * direction, signature, property, annotation and signal of the one is in the other. */

#include "daemon/bus/bus-introspect.h"
#include "daemon/bus/bus-object.h"
#include "daemon/bus/bus-table.h"

#include "common/vss-error.h"

#include <check.h>
#include <dbus/dbus.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>

static const struct bus_interface *all_interfaces(size_t n) {
        static const struct bus_interface *const called[] = { &bus_interface_writer_events,
                                                              &bus_interface_snapshot_provider };

        if (n < ARRAY_SIZE(called))
                return called[n];
        n -= ARRAY_SIZE(called);
        for (size_t i = 0; i <= n; i++)
                if (!bus_kinds[i])
                        return NULL;
        return bus_kinds[n]->interface;
}

static bool is_element(const xmlNode *node, const char *name) {
        return node->type == XML_ELEMENT_NODE && streq((const char *)node->name, name);
}

static const char *attribute(const xmlNode *node, const char *name) {
        for (const xmlAttr *a = node->properties; a; a = a->next)
                if (streq((const char *)a->name, name))
                        return a->children ? (const char *)a->children->content : "";
        return NULL;
}

static const xmlNode *find_child(const xmlNode *parent, const char *element, const char *name) {
        for (const xmlNode *n = parent->children; n; n = n->next)
                if (is_element(n, element) && streq(str_or_empty(attribute(n, "name")), name))
                        return n;
        return NULL;
}

static size_t count_children(const xmlNode *parent, const char *element) {
        size_t count = 0;

        for (const xmlNode *n = parent->children; n; n = n->next)
                count += is_element(n, element);
        return count;
}

/* The arguments of one direction, in order. A signal's have none, which means "out". */
static void compare_args(const xmlNode *member, const char *const *args, const char *direction,
                         const char *where) {
        for (const xmlNode *n = member->children; n; n = n->next) {
                char type[BUS_TYPE_MAX];
                const char *given;

                if (!is_element(n, "arg"))
                        continue;
                given = attribute(n, "direction");
                if (given ? !streq(given, str_or_empty(direction)) : direction != NULL)
                        continue;
                ck_assert_msg(args && *args, "%s: the XML has an argument %s more", where,
                              attribute(n, "name"));
                ck_assert_msg(streq(bus_arg_name(*args), attribute(n, "name")) &&
                                      streq(bus_arg_type(*args, type), attribute(n, "type")),
                              "%s: the table says \"%s\", the XML %s %s", where, *args,
                              attribute(n, "type"), attribute(n, "name"));
                args++;
        }
        ck_assert_msg(!args || !*args, "%s: the table has an argument %s more", where,
                      args && *args ? *args : "");
}

static void compare_property(const struct bus_interface *i, const xmlNode *node, const char *name,
                             const char *signature) {
        const xmlNode *annotation;
        const char *emits;

        ck_assert_msg(node, "%s: the XML has no property %s", i->name, name);
        ck_assert_msg(streq(attribute(node, "type"), signature),
                      "%s.%s: %s in the table, %s in XML", i->name, name, signature,
                      attribute(node, "type"));
        ck_assert_str_eq(attribute(node, "access"), "read");
        annotation =
                find_child(node, "annotation", "org.freedesktop.DBus.Property.EmitsChangedSignal");
        emits = annotation ? attribute(annotation, "value") : "true";
        ck_assert_msg(streq(emits, bus_emits_to_string(bus_interface_emits(i, name))),
                      "%s.%s: emits %s in the table, %s in the XML", i->name, name,
                      bus_emits_to_string(bus_interface_emits(i, name)), emits);
}

static void compare_interface(const struct bus_interface *i, const xmlNode *node) {
        const char *name, *signature;
        char where[256];
        size_t n;

        ck_assert_uint_eq(count_children(node, "method"), i->n_methods);
        for (size_t k = 0; k < i->n_methods; k++) {
                const xmlNode *method = find_child(node, "method", i->methods[k].name);

                (void)snprintf(where, sizeof(where), "%s.%s", i->name, i->methods[k].name);
                ck_assert_msg(method, "%s is not in the XML", where);
                compare_args(method, i->methods[k].in, "in", where);
                compare_args(method, i->methods[k].out, "out", where);
        }

        ck_assert_uint_eq(count_children(node, "signal"), i->n_signals);
        for (size_t k = 0; k < i->n_signals; k++) {
                const xmlNode *signal = find_child(node, "signal", i->signals[k].name);

                (void)snprintf(where, sizeof(where), "%s.%s", i->name, i->signals[k].name);
                ck_assert_msg(signal, "%s is not in the XML", where);
                compare_args(signal, i->signals[k].args, NULL, where);
        }

        for (n = 0; bus_interface_property(i, n, &name, &signature); n++)
                compare_property(i, find_child(node, "property", name), name, signature);
        ck_assert_uint_eq(count_children(node, "property"), n);
}

static xmlDoc *read_contract(const char *interface) {
        char path[512];
        xmlDoc *doc;

        (void)snprintf(path, sizeof(path), DBUS_SOURCE_DIR "/%s.xml", interface);
        doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
        ck_assert_msg(doc, "%s cannot be read", path);
        return doc;
}

START_TEST(tables_and_contract_agree) {
        const struct bus_interface *i = all_interfaces((size_t)_i);
        xmlDoc *doc = read_contract(i->name);
        const xmlNode *node = find_child(xmlDocGetRootElement(doc), "interface", i->name);

        ck_assert_ptr_nonnull(node);
        ck_assert_uint_eq(count_children(xmlDocGetRootElement(doc), "interface"), 1);
        compare_interface(i, node);
        xmlFreeDoc(doc);
}
END_TEST

/* What callers are shown is made from the same tables: it must be well formed and say the same. */
START_TEST(introspection_and_tables_agree) {
        const struct bus_interface *i = all_interfaces((size_t)_i);
        const struct bus_interface *const list[] = { i, NULL };
        char *children[] = { (char *)"a", (char *)"b", NULL };
        const xmlNode *root, *node;
        char *text = NULL;
        xmlDoc *doc;

        ck_assert_int_ge(bus_introspect_node(&text, list, children), 0);
        doc = xmlReadMemory(text, (int)strlen(text), "introspection", NULL, XML_PARSE_NONET);
        ck_assert_ptr_nonnull(doc);
        root = xmlDocGetRootElement(doc);
        node = find_child(root, "interface", i->name);
        ck_assert_ptr_nonnull(node);
        compare_interface(i, node);
        ck_assert_ptr_nonnull(find_child(root, "node", "a"));
        ck_assert_ptr_nonnull(find_child(root, "node", "b"));
        ck_assert_uint_eq(count_children(root, "node"), 2);
        xmlFreeDoc(doc);
        free(text);
}
END_TEST

START_TEST(every_row_can_be_dispatched) {
        for (const struct bus_kind *const *k = bus_kinds; *k; k++) {
                const struct bus_interface *i = (*k)->interface;

                ck_assert((*k)->find != NULL);
                ck_assert((*k)->list != NULL);
                for (size_t n = 0; n < i->n_methods; n++) {
                        const struct bus_method *m = &i->methods[n];
                        char buf[BUS_SIGNATURE_MAX];
                        size_t dictionaries = 0, args = 0;

                        ck_assert(m->handler != NULL);
                        ck_assert_int_lt(m->class, _BUS_CLASS_MAX);
                        /* Nothing of ours is open to everybody. */
                        ck_assert_int_ne(m->class, BUS_CLASS_OPEN);
                        ck_assert(dbus_signature_validate(bus_args_signature(m->in, buf), NULL));
                        ck_assert(dbus_signature_validate(bus_args_signature(m->out, buf), NULL));
                        for (const char *const *arg = m->in; arg && *arg; arg++) {
                                args++;
                                dictionaries += strncmp(*arg, "a{", 2) == 0;
                        }
                        ck_assert_uint_le(args, BUS_ARGS_MAX);
                        ck_assert_uint_le(dictionaries, 1);
                        ck_assert_msg((dictionaries == 1) == (m->options.table != NULL),
                                      "%s.%s: a dictionary needs its table", i->name, m->name);
                        ck_assert_ptr_eq(bus_interface_find_method(i, m->name), m);
                }
                ck_assert_ptr_null(bus_interface_find_method(i, "NoSuchMethod"));
        }
}
END_TEST

START_TEST(annotated_properties_exist) {
        for (const struct bus_kind *const *k = bus_kinds; *k; k++) {
                const struct bus_interface *i = (*k)->interface;
                const char *name, *signature;

                for (size_t n = 0; n < i->n_emits_rows; n++) {
                        bool found = false;

                        for (size_t p = 0; bus_interface_property(i, p, &name, &signature); p++)
                                found = found || streq(name, i->emits_rows[n].property);
                        ck_assert_msg(found, "%s has no %s", i->name, i->emits_rows[n].property);
                }
        }
}
END_TEST

START_TEST(paths_belong_to_their_kinds) {
        const char *name = NULL;
        VSS_ID id = { .Data1 = 0xABCDEF01, .Data4 = { 1 } }, back;

        ck_assert_ptr_eq(bus_kind_of_path("/org/vssd/Vss1", &name), &bus_kind_manager);
        ck_assert_ptr_eq(bus_kind_of_path("/org/vssd/Vss1/session/12", &name), &bus_kind_session);
        ck_assert_str_eq(name, "12");
        ck_assert_ptr_eq(bus_kind_of_path("/org/vssd/Vss1/set/a", &name), &bus_kind_set);
        ck_assert_ptr_null(bus_kind_of_path("/", &name));
        ck_assert_ptr_null(bus_kind_of_path("/org/vssd", &name));
        ck_assert_ptr_null(bus_kind_of_path("/org/vssd/Vss11", &name));
        ck_assert_ptr_null(bus_kind_of_path("/org/vssd/Vss1/session", &name));
        ck_assert_ptr_null(bus_kind_of_path("/org/vssd/Vss1/session/1/2", &name));
        ck_assert_ptr_null(bus_kind_of_path("/org/vssd/Vss1/sessions/1", &name));
        ck_assert_ptr_null(bus_kind_of_path("/org/vssd/Vss1/other/1", &name));

        ck_assert_str_eq(BUS_ID_NAME(id), "abcdef01_0000_0000_0100_000000000000");
        ck_assert_int_eq(bus_id_from_name(&back, BUS_ID_NAME(id)), 0);
        ck_assert(vss_id_equal(id, back));
        ck_assert_int_lt(bus_id_from_name(&back, "abcdef01-0000-0000-0100-000000000000"), 0);
        ck_assert_int_lt(bus_id_from_name(&back, "ABCDEF01_0000_0000_0100_000000000000"), 0);
        ck_assert_int_lt(bus_id_from_name(&back, "abcdef01_0000_0000_0100_00000000000"), 0);
        ck_assert_int_lt(bus_id_from_name(&back, ""), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bus-table");
        TCase *c = tcase_create("bus-table");
        SRunner *runner;
        int failed, n = 0;

        while (all_interfaces((size_t)n))
                n++;
        tcase_add_loop_test(c, tables_and_contract_agree, 0, n);
        tcase_add_loop_test(c, introspection_and_tables_agree, 0, n);
        tcase_add_test(c, every_row_can_be_dispatched);
        tcase_add_test(c, annotated_properties_exist);
        tcase_add_test(c, paths_belong_to_their_kinds);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
