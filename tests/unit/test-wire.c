/* The wire codec: what it writes it reads back, and what a peer may send instead is refused without
 * a trace. Messages pass through their marshalled form, as on a bus. */

#include "common/vss-id.h"
#include "common/wire-error.h"
#include "common/wire-rows.h"
#include "common/wire.h"

#include <check.h>

static const VSS_ID id_a = { .Data1 = 0xa, .Data4 = { 1 } };

static DBusMessage *new_message(void) {
        DBusMessage *m = dbus_message_new_method_call("a.b", "/a", "a.b", "M");

        ck_assert_ptr_nonnull(m);
        return m;
}

/* Takes m; the same message after the wire. */
static DBusMessage *transfer(DBusMessage *m) {
        DBusError error = DBUS_ERROR_INIT;
        DBusMessage *copy;
        char *bytes;
        int n;

        dbus_message_set_serial(m, 1);
        ck_assert(dbus_message_marshal(m, &bytes, &n));
        copy = dbus_message_demarshal(bytes, n, &error);
        ck_assert_msg(copy != NULL, "%s", error.message);
        dbus_free(bytes);
        dbus_message_unref(m);
        return copy;
}

struct all {
        char *string, *text;
        VSS_ID id;
        bool truth;
        int32_t i;
        VSS_WRITER_STATE state;
        int64_t x;
        uint64_t t;
        char **strings;
        uint32_t optional;
};

static const struct wire_field all_fields[] = {
        WIRE_FIELD(struct all, string, "String", WIRE_STRING),
        WIRE_FIELD(struct all, text, "Text", WIRE_TEXT),
        WIRE_FIELD(struct all, id, "Id", WIRE_ID),
        WIRE_FIELD(struct all, truth, "Truth", WIRE_BOOL),
        WIRE_FIELD(struct all, i, "I", WIRE_INT32),
        WIRE_FIELD(struct all, state, "State", WIRE_UINT32),
        WIRE_FIELD(struct all, x, "X", WIRE_INT64),
        WIRE_FIELD(struct all, t, "T", WIRE_UINT64),
        WIRE_FIELD(struct all, strings, "Strings", WIRE_STRV),
        WIRE_OPTIONAL(struct all, optional, "Optional", WIRE_UINT32),
};
static const struct wire_table all_table = WIRE_TABLE(all_fields);

static char word_s[] = "s", word_t[] = "t", word_one[] = "one", word_two[] = "zw\xc3\xb6lf";
static char *two_words[] = { word_one, word_two, NULL };

static const struct all sample = {
        .string = word_s,
        .text = word_t,
        .id = { .Data1 = 0xa, .Data4 = { 1 } },
        .truth = true,
        .i = INT32_MIN,
        .state = VSS_WS_FAILED_AT_FREEZE,
        .x = INT64_MIN,
        .t = UINT64_MAX,
        .strings = two_words,
        .optional = 7,
};

static DBusMessage *dict_of(const struct all *source) {
        DBusMessage *m = new_message();
        DBusMessageIter iter;

        dbus_message_iter_init_append(m, &iter);
        ck_assert_int_eq(wire_append_dict(&iter, &all_table, source), 0);
        return transfer(m);
}

START_TEST(every_type_comes_back_as_it_went) {
        DBusMessage *m = dict_of(&sample);
        struct all back = { 0 };
        DBusMessageIter iter;
        uint64_t seen = 0;

        ck_assert_str_eq(dbus_message_get_signature(m), "a{sv}");
        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(
                wire_read_dict(&iter, &all_table, WIRE_UNKNOWN_REFUSED, "all", &back, &seen, NULL),
                0);
        ck_assert_uint_eq(seen, (UINT64_C(1) << ARRAY_SIZE(all_fields)) - 1);
        ck_assert_str_eq(back.string, "s");
        ck_assert_str_eq(back.text, "t");
        ck_assert(vss_id_equal(back.id, id_a));
        ck_assert(back.truth);
        ck_assert_int_eq(back.i, INT32_MIN);
        ck_assert_int_eq(back.state, VSS_WS_FAILED_AT_FREEZE);
        ck_assert_int_eq(back.x, INT64_MIN);
        ck_assert_uint_eq(back.t, UINT64_MAX);
        ck_assert_uint_eq(strv_length(back.strings), 2);
        ck_assert_str_eq(back.strings[1], word_two);
        ck_assert_uint_eq(back.optional, 7);
        wire_clear(&all_table, &back);
        ck_assert_ptr_null(back.string);
        ck_assert_ptr_null(back.strings);
        ck_assert_uint_eq(back.t, 0);
        dbus_message_unref(m);
}
END_TEST

START_TEST(null_strings_travel_empty_and_absent_values_stay_away) {
        const struct all nothing = { 0 };
        DBusMessage *m = dict_of(&nothing);
        struct all back = { .optional = 5 };
        DBusMessageIter iter;
        uint64_t seen = 0;

        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(
                wire_read_dict(&iter, &all_table, WIRE_UNKNOWN_REFUSED, "all", &back, &seen, NULL),
                0);
        ck_assert_ptr_null(back.string);
        ck_assert_str_eq(back.text, "");
        ck_assert(vss_id_is_null(back.id));
        ck_assert_ptr_null(back.strings);
        ck_assert_uint_eq(seen & WIRE_SEEN(8), 0);
        ck_assert_uint_eq(seen & WIRE_SEEN(9), 0);
        ck_assert_uint_eq(back.optional, 5); /* what is absent keeps its default */
        wire_clear(&all_table, &back);
        dbus_message_unref(m);
}
END_TEST

START_TEST(a_vector_that_is_there_but_empty_is_not_absent) {
        char *none[] = { NULL };
        const struct all source = { .strings = none };
        DBusMessage *m = dict_of(&source);
        struct all back = { 0 };
        DBusMessageIter iter;

        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(
                wire_read_dict(&iter, &all_table, WIRE_UNKNOWN_REFUSED, "all", &back, NULL, NULL),
                0);
        ck_assert_ptr_nonnull(back.strings);
        ck_assert_ptr_null(back.strings[0]);
        wire_clear(&all_table, &back);
        dbus_message_unref(m);
}
END_TEST

/* Builds a{sv} from what the case says: key, D-Bus type of the value, value. */
struct pair {
        const char *key;
        int type;
        const char *signature;
        const void *value;
};

static DBusMessage *dict_of_pairs(const struct pair *pairs, size_t n) {
        DBusMessage *m = new_message();
        DBusMessageIter iter, dict, entry, variant;

        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{sv}", &dict));
        for (size_t i = 0; i < n; i++) {
                ck_assert(dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL,
                                                           &entry));
                ck_assert(dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &pairs[i].key));
                ck_assert(dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT,
                                                           pairs[i].signature, &variant));
                ck_assert(dbus_message_iter_append_basic(&variant, pairs[i].type, pairs[i].value));
                ck_assert(dbus_message_iter_close_container(&entry, &variant));
                ck_assert(dbus_message_iter_close_container(&dict, &entry));
        }
        ck_assert(dbus_message_iter_close_container(&iter, &dict));
        return transfer(m);
}

/* Reads m (dropped) as `all`, wants a refusal whose sentence has `says`, and nothing left. */
static void assert_refused(DBusMessage *m, const char *says) {
        struct all back = { .truth = true };
        struct vss_error e = { 0 };
        DBusMessageIter iter;

        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(
                wire_read_dict(&iter, &all_table, WIRE_UNKNOWN_REFUSED, "options", &back, NULL, &e),
                -EINVAL);
        ck_assert_int_eq(e.hr, E_INVALIDARG);
        ck_assert_msg(strstr(e.message, says) != NULL, "'%s' not in '%s'", says, e.message);
        ck_assert_ptr_null(back.string);
        ck_assert_ptr_null(back.text);
        ck_assert_ptr_null(back.strings);
        vss_error_done(&e);
        dbus_message_unref(m);
}

static const char *const text_value = "x", *const bad_id = "nonsense";
static const dbus_uint32_t number_value = 3;

START_TEST(an_unknown_key_is_refused_or_ignored_as_wanted) {
        const struct pair pairs[] = { { "String", DBUS_TYPE_STRING, "s", &text_value },
                                      { "Colour", DBUS_TYPE_STRING, "s", &text_value } };
        DBusMessage *m = dict_of_pairs(pairs, 2);
        struct all back = { 0 };
        DBusMessageIter iter;

        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(
                wire_read_dict(&iter, &all_table, WIRE_UNKNOWN_IGNORED, "row", &back, NULL, NULL),
                0);
        ck_assert_str_eq(back.string, "x");
        wire_clear(&all_table, &back);
        assert_refused(m, "unknown key 'Colour'");
        assert_refused(dict_of_pairs(pairs, 2), "Optional"); /* the known ones are named */
}
END_TEST

START_TEST(a_key_twice_is_refused) {
        const struct pair pairs[] = { { "Text", DBUS_TYPE_STRING, "s", &text_value },
                                      { "Text", DBUS_TYPE_STRING, "s", &text_value } };

        assert_refused(dict_of_pairs(pairs, 2), "'Text' is there twice");
}
END_TEST

START_TEST(a_value_of_another_type_is_refused) {
        for (size_t i = 0; i < ARRAY_SIZE(all_fields); i++) {
                /* An unsigned number for a string, a string for everything else. */
                bool number = streq(wire_type_signature(all_fields[i].type), "s");
                const struct pair pair = { all_fields[i].key,
                                           number ? DBUS_TYPE_UINT32 : DBUS_TYPE_STRING,
                                           number ? "u" : "s",
                                           number ? (const void *)&number_value
                                                  : (const void *)&text_value };

                assert_refused(dict_of_pairs(&pair, 1), "is not of type");
        }
}
END_TEST

START_TEST(an_id_that_is_none_is_refused_by_its_name) {
        const struct pair pairs[] = { { "Text", DBUS_TYPE_STRING, "s", &text_value },
                                      { "Id", DBUS_TYPE_STRING, "s", &bad_id } };

        assert_refused(dict_of_pairs(pairs, 2), "options: Id: 'nonsense' is no id");
}
END_TEST

START_TEST(a_string_without_end_is_refused) {
        _cleanup_(freep) char *big = malloc(WIRE_STRING_MAX + 2);
        const char *value = big;
        const struct pair pair = { "Text", DBUS_TYPE_STRING, "s", &value };

        ck_assert_ptr_nonnull(big);
        memset(big, 'x', WIRE_STRING_MAX + 1);
        big[WIRE_STRING_MAX + 1] = '\0';
        assert_refused(dict_of_pairs(&pair, 1), "longer than");
}
END_TEST

/* Appends an empty container of the signature's element type, or a basic argument. */
START_TEST(what_is_no_dictionary_is_refused) {
        static const struct {
                const char *element; /* NULL: a plain string */
        } cases[] = { { NULL }, { "s" }, { "a{sv}" }, { "v" }, { "(sv)" } };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                DBusMessage *m = new_message();
                DBusMessageIter iter, array;

                dbus_message_iter_init_append(m, &iter);
                if (!cases[i].element)
                        ck_assert(dbus_message_iter_append_basic(&iter, DBUS_TYPE_STRING,
                                                                 &text_value));
                else {
                        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY,
                                                                   cases[i].element, &array));
                        ck_assert(dbus_message_iter_close_container(&iter, &array));
                }
                assert_refused(transfer(m), "not a dictionary");
        }
}
END_TEST

START_TEST(keys_that_are_no_strings_are_refused) {
        DBusMessage *m = new_message();
        DBusMessageIter iter, dict, entry, variant;

        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{uv}", &dict));
        ck_assert(dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry));
        ck_assert(dbus_message_iter_append_basic(&entry, DBUS_TYPE_UINT32, &number_value));
        ck_assert(dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "s", &variant));
        ck_assert(dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &text_value));
        ck_assert(dbus_message_iter_close_container(&entry, &variant));
        ck_assert(dbus_message_iter_close_container(&dict, &entry));
        ck_assert(dbus_message_iter_close_container(&iter, &dict));
        assert_refused(transfer(m), "a key is not a string");
}
END_TEST

/* a{ss}, as scripts send options. */
static DBusMessage *string_dict(const char *const *words, size_t n) {
        DBusMessage *m = new_message();
        DBusMessageIter iter, dict, entry;

        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "{ss}", &dict));
        for (size_t i = 0; i < n; i += 2) {
                ck_assert(dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL,
                                                           &entry));
                ck_assert(dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &words[i]));
                ck_assert(dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &words[i + 1]));
                ck_assert(dbus_message_iter_close_container(&dict, &entry));
        }
        ck_assert(dbus_message_iter_close_container(&iter, &dict));
        return transfer(m);
}

START_TEST(options_of_scripts_are_read_by_the_same_tables) {
        static const char *const words[] = { "context", "nas-rollback", "expire", "60" };
        static const char *const wrong[] = { "contxt", "nas-rollback" };
        struct wire_create_options options = { 0 };
        DBusMessage *m = string_dict(words, ARRAY_SIZE(words));
        struct vss_error e = { 0 };
        DBusMessageIter iter;

        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(wire_read_dict(&iter, &wire_create_options_table, WIRE_UNKNOWN_REFUSED,
                                        "options", &options, NULL, NULL),
                         0);
        ck_assert_str_eq(options.context, "nas-rollback");
        ck_assert_str_eq(options.expire, "60");
        ck_assert_ptr_null(options.exclude_writers);
        wire_clear(&wire_create_options_table, &options);
        dbus_message_unref(m);

        m = string_dict(wrong, ARRAY_SIZE(wrong));
        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(wire_read_dict(&iter, &wire_create_options_table, WIRE_UNKNOWN_REFUSED,
                                        "options", &options, NULL, &e),
                         -EINVAL);
        ck_assert_str_eq(e.message, "options: unknown key 'contxt'; known are: context, expire, "
                                    "exclude-writers, require-writers");
        vss_error_done(&e);
        dbus_message_unref(m);
}
END_TEST

START_TEST(rows_come_back_in_order_with_texts_never_null) {
        char name[] = "/srv/";
        VSS_VOLUME_INFO volumes[3] = { { .name = name, .size = 1 }, { .size = 2 }, { .size = 3 } };
        DBusMessage *m = new_message();
        VSS_VOLUME_INFO *back;
        DBusMessageIter iter;
        void *rows;
        size_t n;

        dbus_message_iter_init_append(m, &iter);
        ck_assert_int_eq(
                wire_append_rows(&iter, &wire_volume_table, volumes, 3, sizeof(volumes[0])), 0);
        m = transfer(m);
        ck_assert_str_eq(dbus_message_get_signature(m), "aa{sv}");
        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(wire_read_rows(&iter, &wire_volume_table, "volumes", sizeof(*back), &rows,
                                        &n, NULL),
                         0);
        ck_assert_uint_eq(n, 3);
        back = rows;
        ck_assert_str_eq(back[0].name, "/srv/");
        ck_assert_str_eq(back[1].name, "");
        ck_assert_ptr_null(back[1].mount_point);
        ck_assert_uint_eq(back[2].size, 3);
        wire_rows_free(&wire_volume_table, rows, n, sizeof(*back));
        dbus_message_unref(m);
}
END_TEST

START_TEST(no_rows_are_no_rows) {
        DBusMessage *m = new_message();
        DBusMessageIter iter;
        void *rows = &iter;
        size_t n = 9;

        dbus_message_iter_init_append(m, &iter);
        ck_assert_int_eq(wire_append_rows(&iter, &wire_volume_table, NULL, 0, 1), 0);
        m = transfer(m);
        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(wire_read_rows(&iter, &wire_volume_table, "volumes",
                                        sizeof(VSS_VOLUME_INFO), &rows, &n, NULL),
                         0);
        ck_assert_uint_eq(n, 0);
        ck_assert_ptr_null(rows);
        dbus_message_unref(m);
}
END_TEST

START_TEST(a_bad_row_spoils_all_of_them) {
        const struct pair good = { "Name", DBUS_TYPE_STRING, "s", &text_value };
        const struct pair bad = { "Name", DBUS_TYPE_UINT32, "u", &number_value };
        DBusMessage *m = new_message(), *row;
        DBusMessageIter iter, rows, dict, entry, variant;
        struct vss_error e = { 0 };
        void *read = NULL;
        size_t n = 0;

        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "a{sv}", &rows));
        for (int i = 0; i < 2; i++) {
                const struct pair *p = i == 0 ? &good : &bad;

                ck_assert(dbus_message_iter_open_container(&rows, DBUS_TYPE_ARRAY, "{sv}", &dict));
                ck_assert(dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL,
                                                           &entry));
                ck_assert(dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &p->key));
                ck_assert(dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, p->signature,
                                                           &variant));
                ck_assert(dbus_message_iter_append_basic(&variant, p->type, p->value));
                ck_assert(dbus_message_iter_close_container(&entry, &variant));
                ck_assert(dbus_message_iter_close_container(&dict, &entry));
                ck_assert(dbus_message_iter_close_container(&rows, &dict));
        }
        ck_assert(dbus_message_iter_close_container(&iter, &rows));
        row = transfer(m);
        ck_assert(dbus_message_iter_init(row, &iter));
        ck_assert_int_eq(wire_read_rows(&iter, &wire_volume_table, "volumes",
                                        sizeof(VSS_VOLUME_INFO), &read, &n, &e),
                         -EINVAL);
        ck_assert_ptr_null(read);
        vss_error_done(&e);
        dbus_message_unref(row);
}
END_TEST

START_TEST(a_vector_without_end_is_refused) {
        DBusMessage *m = new_message();
        DBusMessageIter iter, array;
        struct vss_error e = { 0 };
        char **strings = NULL;

        dbus_message_iter_init_append(m, &iter);
        ck_assert(dbus_message_iter_open_container(&iter, DBUS_TYPE_ARRAY, "s", &array));
        for (unsigned i = 0; i <= WIRE_STRV_MAX; i++)
                ck_assert(dbus_message_iter_append_basic(&array, DBUS_TYPE_STRING, &text_value));
        ck_assert(dbus_message_iter_close_container(&iter, &array));
        m = transfer(m);
        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(wire_read_strv(&iter, "volumes", &strings, &e), -EINVAL);
        ck_assert_ptr_null(strings);
        ck_assert_ptr_nonnull(strstr(e.message, "more than"));
        vss_error_done(&e);
        dbus_message_unref(m);
}
END_TEST

START_TEST(ids_travel_as_a_vector_of_text) {
        const VSS_ID ids[] = { id_a, GUID_NULL };
        DBusMessage *m = new_message();
        struct vss_error e = { 0 };
        DBusMessageIter iter;
        VSS_ID *back = NULL;
        size_t n = 0;

        dbus_message_iter_init_append(m, &iter);
        ck_assert_int_eq(wire_append_ids(&iter, ids, 2), 0);
        m = transfer(m);
        ck_assert_str_eq(dbus_message_get_signature(m), "as");
        ck_assert(dbus_message_iter_init(m, &iter));
        ck_assert_int_eq(wire_read_ids(&iter, "ids", &back, &n, NULL), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert(vss_id_equal(back[0], id_a));
        free(back);
        dbus_message_unref(m);

        m = new_message();
        dbus_message_iter_init_append(m, &iter);
        ck_assert_int_eq(wire_append_strv(&iter, two_words), 0);
        m = transfer(m);
        ck_assert(dbus_message_iter_init(m, &iter));
        back = NULL;
        ck_assert_int_eq(wire_read_ids(&iter, "ids", &back, &n, &e), -EINVAL);
        ck_assert_ptr_null(back);
        vss_error_done(&e);
        dbus_message_unref(m);
}
END_TEST

START_TEST(bytes_that_are_no_utf8_go_out_replaced) {
        static const char bad[] = "a\xff\xc3(\xed\xa0\x80z\xe2\x82";
        DBusMessage *m = new_message();
        DBusMessageIter iter;
        const char *s;

        dbus_message_iter_init_append(m, &iter);
        ck_assert_int_eq(wire_append_string(&iter, bad), 0);
        m = transfer(m); /* libdbus would have aborted above, and refused here */
        ck_assert(dbus_message_iter_init(m, &iter));
        dbus_message_iter_get_basic(&iter, &s);
        ck_assert(s[0] == 'a' && strchr(s, 'z') != NULL && strchr(s, '(') != NULL);
        ck_assert_ptr_nonnull(strstr(s, "\xef\xbf\xbd"));
        dbus_message_unref(m);
}
END_TEST

START_TEST(one_field_is_a_property) {
        const struct wire_field *field = wire_table_find(&all_table, "State");
        DBusMessage *m = new_message();
        DBusMessageIter iter, variant;
        dbus_uint32_t u;

        ck_assert_ptr_nonnull(field);
        ck_assert_ptr_null(wire_table_find(&all_table, "state"));
        dbus_message_iter_init_append(m, &iter);
        ck_assert_int_eq(wire_append_variant(&iter, field, &sample), 0);
        m = transfer(m);
        ck_assert(dbus_message_iter_init(m, &iter));
        dbus_message_iter_recurse(&iter, &variant);
        dbus_message_iter_get_basic(&variant, &u);
        ck_assert_uint_eq(u, VSS_WS_FAILED_AT_FREEZE);
        dbus_message_unref(m);
}
END_TEST

static const struct wire_table *const tables[] = {
        &wire_snapshot_table,       &wire_snapshot_prop_table,  &wire_provider_table,
        &wire_provider_prop_table,  &wire_writer_table,         &wire_volume_table,
        &wire_writer_options_table, &wire_event_details_table,  &wire_snapshot_filter_table,
        &wire_create_options_table, &wire_delete_options_table, &wire_set_step_table,
        &wire_set_writer_table,
};

START_TEST(no_table_has_a_key_or_a_member_twice) {
        for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
                ck_assert_uint_le(tables[t]->n, 64);
                for (size_t i = 0; i < tables[t]->n; i++)
                        for (size_t j = i + 1; j < tables[t]->n; j++) {
                                ck_assert_str_ne(tables[t]->fields[i].key,
                                                 tables[t]->fields[j].key);
                                ck_assert_uint_ne(tables[t]->fields[i].offset,
                                                  tables[t]->fields[j].offset);
                        }
        }
}
END_TEST

/* Errors */

START_TEST(every_failure_survives_a_reply) {
        size_t n;
        const struct vss_hresult_info *rows = vss_hresult_table(&n);

        for (size_t i = 0; i < n; i++) {
                struct vss_error sent = { 0 }, received = { 0 };
                DBusMessage *call, *reply;

                if (SUCCEEDED(rows[i].hr))
                        continue;
                call = new_message();
                dbus_message_set_serial(call, 7);
                (void)vss_error_set(&sent, rows[i].hr, 0, "Volume '%s' says why", "/srv");
                reply = wire_error_reply(call, &sent);
                ck_assert_ptr_nonnull(reply);
                reply = transfer(reply);
                ck_assert_int_lt(wire_error_read(reply, &received), 0);
                ck_assert_int_eq(received.hr, rows[i].hr);
                ck_assert_str_eq(received.message, "Volume '/srv' says why");
                vss_error_done(&sent);
                vss_error_done(&received);
                dbus_message_unref(reply);
                dbus_message_unref(call);
        }
}
END_TEST

START_TEST(an_unknown_code_leaves_as_unexpected_with_its_number) {
        struct vss_error sent = { 0 }, received = { 0 };
        DBusMessage *call = new_message(), *reply;

        dbus_message_set_serial(call, 7);
        (void)vss_error_set(&sent, (HRESULT)0x80049999L, 0, "Odd \xff thing");
        reply = wire_error_reply(call, &sent);
        ck_assert_ptr_nonnull(reply);
        ck_assert_int_lt(wire_error_read(reply, &received), 0);
        ck_assert_int_eq(received.hr, VSS_E_UNEXPECTED);
        ck_assert_str_eq(received.message, "Odd \xef\xbf\xbd thing (0x80049999)");
        vss_error_done(&sent);
        vss_error_done(&received);
        dbus_message_unref(reply);
        dbus_message_unref(call);
}
END_TEST

START_TEST(a_reply_that_is_no_error_is_none) {
        DBusMessage *m = new_message();

        ck_assert_int_eq(wire_error_read(m, NULL), 0);
        dbus_message_unref(m);
}
END_TEST

START_TEST(what_the_bus_says_becomes_the_documented_code) {
        static const struct {
                const char *name;
                HRESULT hr;
                const char *says;
        } cases[] = {
                { DBUS_ERROR_ACCESS_DENIED, E_ACCESSDENIED, "because" },
                { DBUS_ERROR_NO_MEMORY, E_OUTOFMEMORY, "because" },
                { DBUS_ERROR_INVALID_ARGS, E_INVALIDARG, "because" },
                { DBUS_ERROR_SERVICE_UNKNOWN, VSS_E_UNEXPECTED, "is vssd installed?" },
                { DBUS_ERROR_NAME_HAS_NO_OWNER, VSS_E_UNEXPECTED, "is vssd installed?" },
                { DBUS_ERROR_NO_REPLY, VSS_E_UNEXPECTED, "systemctl status vssd" },
                { DBUS_ERROR_DISCONNECTED, VSS_E_UNEXPECTED, "systemctl status vssd" },
                { DBUS_ERROR_SPAWN_EXEC_FAILED, VSS_E_UNEXPECTED, "systemctl status vssd" },
                { DBUS_ERROR_UNKNOWN_METHOD, VSS_E_UNEXPECTED, "same version" },
                { "com.example.Nonsense", VSS_E_UNEXPECTED, "com.example.Nonsense" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct vss_error e = { 0 };

                ck_assert_int_lt(wire_error_from_name(cases[i].name, "because", &e), 0);
                ck_assert_int_eq(e.hr, cases[i].hr);
                ck_assert_msg(strstr(e.message, cases[i].says) != NULL, "%s", e.message);
                vss_error_done(&e);
                ck_assert_int_lt(wire_error_from_name(cases[i].name, NULL, &e), 0);
                ck_assert_uint_gt(strlen(e.message), 0);
                vss_error_done(&e);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("wire");
        TCase *tcase = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_test(tcase, every_type_comes_back_as_it_went);
        tcase_add_test(tcase, null_strings_travel_empty_and_absent_values_stay_away);
        tcase_add_test(tcase, a_vector_that_is_there_but_empty_is_not_absent);
        tcase_add_test(tcase, an_unknown_key_is_refused_or_ignored_as_wanted);
        tcase_add_test(tcase, a_key_twice_is_refused);
        tcase_add_test(tcase, a_value_of_another_type_is_refused);
        tcase_add_test(tcase, an_id_that_is_none_is_refused_by_its_name);
        tcase_add_test(tcase, a_string_without_end_is_refused);
        tcase_add_test(tcase, what_is_no_dictionary_is_refused);
        tcase_add_test(tcase, keys_that_are_no_strings_are_refused);
        tcase_add_test(tcase, options_of_scripts_are_read_by_the_same_tables);
        tcase_add_test(tcase, rows_come_back_in_order_with_texts_never_null);
        tcase_add_test(tcase, no_rows_are_no_rows);
        tcase_add_test(tcase, a_bad_row_spoils_all_of_them);
        tcase_add_test(tcase, a_vector_without_end_is_refused);
        tcase_add_test(tcase, ids_travel_as_a_vector_of_text);
        tcase_add_test(tcase, bytes_that_are_no_utf8_go_out_replaced);
        tcase_add_test(tcase, one_field_is_a_property);
        tcase_add_test(tcase, no_table_has_a_key_or_a_member_twice);
        tcase_add_test(tcase, every_failure_survives_a_reply);
        tcase_add_test(tcase, an_unknown_code_leaves_as_unexpected_with_its_number);
        tcase_add_test(tcase, a_reply_that_is_no_error_is_none);
        tcase_add_test(tcase, what_the_bus_says_becomes_the_documented_code);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
