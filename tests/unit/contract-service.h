#pragma once

/* A service that notes the arguments of each call of a session, and answers what the XML says. */

#include "common/backup-document.h"
#include "common/document.h"
#include "common/writer-metadata.h"
#include "fake-service.h"

#define OTHER_ID_TEXT "0000000b-0000-0000-0200-000000000000"
static const VSS_ID other_id = { .Data1 = 0xb, .Data4 = { 2 } };

static char arguments[512]; /* of the last call, with the lock */
static unsigned n_calls;    /* of the session: an IVssAsync that goes says so at any time */
static char *metadata_text, *components_text;

static void note_value(DBusMessageIter *iter, char *to, size_t size) {
        DBusBasicValue value;
        DBusMessageIter inner;
        size_t n = 0;

        switch (dbus_message_iter_get_arg_type(iter)) {
        case DBUS_TYPE_STRING:
                dbus_message_iter_get_basic(iter, &value);
                (void)snprintf(to, size, "s:%s", value.str);
                return;
        case DBUS_TYPE_UINT32:
                dbus_message_iter_get_basic(iter, &value);
                (void)snprintf(to, size, "u:%u", value.u32);
                return;
        case DBUS_TYPE_INT32:
                dbus_message_iter_get_basic(iter, &value);
                (void)snprintf(to, size, "i:%d", value.i32);
                return;
        case DBUS_TYPE_BOOLEAN:
                dbus_message_iter_get_basic(iter, &value);
                (void)snprintf(to, size, "b:%d", value.bool_val != 0);
                return;
        case DBUS_TYPE_ARRAY:
                n = (size_t)snprintf(to, size, "as:");
                for (dbus_message_iter_recurse(iter, &inner);
                     dbus_message_iter_get_arg_type(&inner) == DBUS_TYPE_STRING;
                     (void)dbus_message_iter_next(&inner)) {
                        dbus_message_iter_get_basic(&inner, &value);
                        n += (size_t)snprintf(to + n, size - n, "%s%s", n > 3 ? "," : "",
                                              value.str);
                }
                return;
        default: (void)snprintf(to, size, "?");
        }
}

static void note_arguments(DBusMessage *call) {
        DBusMessageIter iter;
        size_t n = 0;

        arguments[0] = '\0';
        if (!dbus_message_iter_init(call, &iter))
                return;
        do {
                if (n > 0)
                        arguments[n++] = ' ';
                note_value(&iter, arguments + n, sizeof(arguments) - n);
                n = strlen(arguments);
        } while (dbus_message_iter_next(&iter));
}

static void append_document(DBusMessageIter *iter, const char *text) {
        _cleanup_(document_unrefp) struct document *document = NULL;

        ck_assert_int_eq(document_new(&document, strdup(text), strlen(text), NULL), 0);
        ck_assert_int_eq(document_append(iter, document), 0);
}

/* One value of the type. Texts are an id, which serves as any other text, too. */
static void append_good_value(DBusMessageIter *iter, const char *type, const char *member) {
        const char *text = SOME_ID_TEXT, *path = ASYNC;
        DBusMessageIter array;
        dbus_uint32_t number = 3;
        dbus_int32_t signed_number = 5;
        dbus_bool_t truth = TRUE;

        if (streq(type, "s"))
                ck_assert(dbus_message_iter_append_basic(iter, DBUS_TYPE_STRING, &text));
        else if (streq(type, "u"))
                ck_assert(dbus_message_iter_append_basic(iter, DBUS_TYPE_UINT32, &number));
        else if (streq(type, "i"))
                ck_assert(dbus_message_iter_append_basic(iter, DBUS_TYPE_INT32, &signed_number));
        else if (streq(type, "b"))
                ck_assert(dbus_message_iter_append_basic(iter, DBUS_TYPE_BOOLEAN, &truth));
        else if (streq(type, "o"))
                ck_assert(dbus_message_iter_append_basic(iter, DBUS_TYPE_OBJECT_PATH, &path));
        else if (streq(type, "v"))
                append_document(iter, streq(member, "GetWriterMetadata") ? metadata_text
                                                                         : components_text);
        else
                ck_assert(
                        dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, type + 1, &array) &&
                        dbus_message_iter_close_container(iter, &array));
}

static xmlNode *find_method(xmlNode *interface, const char *member) {
        for (xmlNode *m = xmlFirstElementChild(interface); m; m = xmlNextElementSibling(m)) {
                xmlChar *name = xmlGetProp(m, BAD_CAST "name");
                bool found = xmlStrEqual(name, BAD_CAST member);

                xmlFree(name);
                if (found)
                        return m;
        }
        return NULL;
}

static xmlDoc *contract; /* of the session's interface */

static DBusMessage *good_answer(DBusMessage *call) {
        const char *member = dbus_message_get_member(call);
        DBusMessage *reply = dbus_message_new_method_return(call);
        DBusMessageIter iter;
        xmlNode *method = find_method(xmlFirstElementChild(xmlDocGetRootElement(contract)), member);

        ck_assert_ptr_nonnull(method);
        dbus_message_iter_init_append(reply, &iter);
        for (xmlNode *a = xmlFirstElementChild(method); a; a = xmlNextElementSibling(a)) {
                xmlChar *way = xmlGetProp(a, BAD_CAST "direction");
                xmlChar *type = xmlGetProp(a, BAD_CAST "type");

                if (xmlStrEqual(way, BAD_CAST "out")) {
                        if (script.nonsense) {
                                const unsigned char odd = 1;

                                ck_assert(dbus_message_iter_append_basic(&iter, DBUS_TYPE_BYTE,
                                                                         &odd));
                        } else if (streq(member, "GetSnapshotProperties")) {
                                dbus_message_unref(reply);
                                reply = reply_properties(call);
                        } else
                                append_good_value(&iter, (const char *)type, member);
                }
                xmlFree(way);
                xmlFree(type);
        }
        return reply;
}

static DBusMessage *answer(struct fake_bus *b, DBusMessage *call) {
        const struct script *s = b->data;

        if (!dbus_message_has_interface(call, VSS_BUS_NAME ".BackupComponents") ||
            dbus_message_has_member(call, "Release"))
                return serve(b, call);
        n_calls++;
        note_arguments(call);
        return s->refuse != S_OK ? refusal(call, s->refuse) : good_answer(call);
}

static void make_documents(void) {
        const struct writer_metadata_identity identity = {
                .writer_id = some_id,
                .name = "Writer",
                .usage = VSS_UT_USERDATA,
                .source = VSS_ST_OTHER,
        };
        const struct backup_writer_info writer = { .writer_id = some_id, .instance_id = other_id };
        const struct backup_component_key key = { .writer_id = some_id,
                                                  .type = VSS_CT_FILEGROUP,
                                                  .name = "name" };
        struct backup_component *component;
        struct backup_document *document;
        struct writer_metadata *metadata;
        size_t size;

        ck_assert_int_eq(writer_metadata_new(&metadata, &identity, NULL), 0);
        ck_assert_int_eq(writer_metadata_to_xml(metadata, &metadata_text, NULL), 0);
        writer_metadata_free(metadata);
        ck_assert_int_eq(backup_document_new(&document, NULL), 0);
        ck_assert_int_eq(backup_document_add(document, &writer, &key, &component, NULL), 0);
        ck_assert_int_eq(backup_document_to_xml(document, &components_text, &size, NULL), 0);
        backup_document_free(document);
}
