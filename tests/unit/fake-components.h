#pragma once

/* Two writers with metadata, and short forms for the calls that name a component. */

#include "tests/unit/fake-host.h"

/* A set with parts, of which one cannot be restored alone; a database. All abilities. */
static const char front_metadata[] =
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\" "
        "backupSchema=\"29440\">"
        "<IDENTIFICATION writerId=\"00001000-0066-0000-0000-000000000000\" "
        "instanceId=\"00000000-0000-0000-0000-000000000001\" friendlyName=\"front\" "
        "usage=\"USER_DATA\" dataSource=\"OTHER\"/>"
        "<RESTORE_METHOD method=\"RESTORE_IF_CAN_BE_REPLACED\" writerRestore=\"always\" "
        "rebootRequired=\"no\"><ALTERNATE_LOCATION_MAPPING path=\"/srv/data\" filespec=\"*\" "
        "recursive=\"yes\" alternatePath=\"/srv/other\"/></RESTORE_METHOD>"
        "<BACKUP_LOCATIONS>"
        "<FILE_GROUP componentName=\"data\" selectable=\"yes\">"
        "<FILE_LIST path=\"/srv/data\" filespec=\"*\" recursive=\"yes\"/></FILE_GROUP>"
        "<FILE_GROUP logicalPath=\"data\" componentName=\"part\" selectable=\"no\" "
        "selectableForRestore=\"yes\"><FILE_LIST path=\"/srv/part/\" filespec=\"*.txt\"/>"
        "</FILE_GROUP>"
        "<FILE_GROUP logicalPath=\"data\\deep\" componentName=\"fixed\" selectable=\"no\"/>"
        "<FILE_GROUP logicalPath=\"dat\" componentName=\"stranger\" selectable=\"yes\" "
        "selectableForRestore=\"yes\"/>"
        "<FILE_GROUP logicalPath=\"dataset\" componentName=\"alien\" selectable=\"yes\" "
        "selectableForRestore=\"yes\"><FILE_LIST path=\"/srv/alien\" filespec=\"*\"/></FILE_GROUP>"
        "<DATABASE componentName=\"db\" selectable=\"yes\">"
        "<DATABASE_FILES path=\"/srv/db\" filespec=\"*.ibd\"/></DATABASE>"
        "</BACKUP_LOCATIONS></WRITER_METADATA>";
/* It can do nothing special. */
static const char back_metadata[] =
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\" "
        "backupSchema=\"0\">"
        "<IDENTIFICATION writerId=\"00001000-0062-0000-0000-000000000000\" "
        "instanceId=\"00000000-0000-0000-0000-000000000002\" friendlyName=\"back\" "
        "usage=\"USER_DATA\" dataSource=\"OTHER\"/>"
        "<BACKUP_LOCATIONS><FILE_GROUP componentName=\"log\" selectable=\"yes\">"
        "<FILE_LIST path=\"/var/log\" filespec=\"*\"/></FILE_GROUP>"
        "</BACKUP_LOCATIONS></WRITER_METADATA>";

static inline void components_setup(void) {
        host_setup();
        host.front.metadata = front_metadata;
        host.back.metadata = back_metadata;
}

static inline VSS_ID class_of(const struct fake_writer *w) {
        return writer_identity(w->writer)->class_id;
}
static inline VSS_ID instance_of(const struct fake_writer *w) {
        return writer_identity(w->writer)->instance_id;
}

static inline struct component_args args_of(const struct fake_writer *w, VSS_COMPONENT_TYPE type,
                                            const char *path, const char *name) {
        return (struct component_args){
                .key = { .writer_id = class_of(w),
                         .type = type,
                         .logical_path = path,
                         .name = name },
                .texts = { "", "", "" },
        };
}

static inline HRESULT call_component(struct session *s, enum session_method m,
                                     struct component_args a) {
        struct vss_error error = { 0 };
        HRESULT hr;
        int r;

        memset(&answer, 0, sizeof(answer));
        r = session_call_component(s, m, &a, on_nothing, NULL, &error);
        if (r == 0)
                return wait_for_answer();
        ck_assert_int_eq(r < 0, FAILED(error.hr));
        hr = error.hr;
        (void)snprintf(answer.message, sizeof(answer.message), "%s", str_or_empty(error.message));
        vss_error_done(&error);
        return hr;
}

static inline HRESULT add_component(struct session *s, const struct fake_writer *w,
                                    VSS_COMPONENT_TYPE type, const char *path, const char *name) {
        struct component_args a = args_of(w, type, path, name);

        a.key.instance_id = instance_of(w);
        return call_component(s, METHOD_ADD_COMPONENT, a);
}

/* The text is static. */
static inline const char *save(struct session *s) {
        static char text[8192];
        struct document *d = NULL;

        ck_ok(session_save_as_xml(s, &d, NULL, NULL, &error));
        ck_assert_uint_lt(document_size(d), sizeof(text));
        memcpy(text, document_text(d), document_size(d) + 1);
        document_unref(d);
        return text;
}

static inline HRESULT initialize_from(struct session *s, enum session_method m, const char *text) {
        struct document *d = text ? fake_document(text) : NULL;
        struct vss_error error = { 0 };
        HRESULT hr;

        memset(&answer, 0, sizeof(answer));
        if (session_initialize_from(s, m, d, on_nothing, NULL, &error) >= 0)
                hr = wait_for_answer();
        else
                hr = error.hr;
        vss_error_done(&error);
        document_unref(d);
        return hr;
}

/* Component mode, gathered. */
static inline struct session *session_with_components(void) {
        struct session *s = session_make();

        ck_ok(session_initialize_for_backup(s, &error));
        ck_ok(session_set_backup_state(s, true, false, VSS_BT_FULL, true, &error));
        ck_finished(session_gather_writer_metadata, s);
        return s;
}
