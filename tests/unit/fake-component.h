#pragma once

/* A document with one component, the two views of it, and the methods of IVssComponent that have
 * one shape, as tables. For the tests of components. */

#include "common/vss-id.h"
#include "libvssclient/writer-components.h"

#include <check.h>
#include <stdio.h>
#include <vss/vsslinux.h>

static const VSS_ID class_id = { .Data1 = 0xa, .Data4 = { 1 } };
static const VSS_ID instance_id = { .Data1 = 0xb, .Data4 = { 2 } };
static const struct backup_component_key key = {
        .instance_id = { .Data1 = 0xb, .Data4 = { 2 } },
        .writer_id = { .Data1 = 0xa, .Data4 = { 1 } },
        .type = VSS_CT_DATABASE,
        .logical_path = "15",
        .name = "main",
};
static const struct backup_writer_info writer_info = {
        .instance_id = { .Data1 = 0xb, .Data4 = { 2 } },
        .writer_id = { .Data1 = 0xa, .Data4 = { 1 } },
        .instance_name = "15-main",
        .schema = VSS_BS_LAST_MODIFY | VSS_BS_INCREMENTAL,
};

static struct backup_document *document;
static struct backup_component *component; /* in it */
static struct generation *generation;

static void setup(void) {
        const struct backup_document_state state = {
                .select_components = true,
                .partial_files = true,
                .backup_type = VSS_BT_INCREMENTAL,
        };

        ck_assert_int_eq(backup_document_new(&document, NULL), 0);
        ck_assert_int_eq(backup_document_set_state(document, &state, NULL), 0);
        ck_assert_int_eq(backup_document_add(document, &writer_info, &key, &component, NULL), 0);
        ck_assert_int_eq(generation_new(&generation), 0);
}

static void teardown(void) {
        document = backup_document_free(document);
        generation = generation_unref(generation);
}

static char *print(size_t *ret_size) {
        char *text;

        ck_assert_int_eq(backup_document_to_xml(document, &text, ret_size, NULL), 0);
        return text;
}

static IVssWriterComponents *for_writer(enum backup_phase phase) {
        IVssWriterComponents *components;
        _cleanup_(freep) char *text = NULL;
        size_t size;

        text = print(&size);
        ck_assert_int_eq(writer_components_new_for_writer(&components, phase, text, size, NULL), 0);
        return components;
}

static IVssWriterComponents *for_requester(bool restore) {
        IVssWriterComponents *components;
        _cleanup_(freep) char *text = NULL;
        size_t size;

        text = print(&size);
        ck_assert_int_eq(writer_components_new_for_requester(&components, generation, restore,
                                                             instance_id, class_id, text, size,
                                                             NULL),
                         0);
        return components;
}

static IVssComponent *first(IVssWriterComponents *components) {
        IVssComponent *c = NULL;

        ck_assert_int_eq(IVssWriterComponents_GetComponent(components, 0, &c), S_OK);
        return c;
}

/* Methods of one shape. */

static const struct {
        const char *name;
        HRESULT (*get)(IVssComponent *c, BSTR *ret);
        int text; /* enum backup_text; -1: of the key */
        bool restore_only;
} text_getters[] = {
        { "GetLogicalPath", IVssComponent_GetLogicalPath, -1, false },
        { "GetComponentName", IVssComponent_GetComponentName, -1, false },
        { "GetBackupOptions", IVssComponent_GetBackupOptions, BACKUP_TEXT_BACKUP_OPTIONS, false },
        { "GetBackupStamp", IVssComponent_GetBackupStamp, BACKUP_TEXT_BACKUP_STAMP, false },
        { "GetPreviousBackupStamp", IVssComponent_GetPreviousBackupStamp,
          BACKUP_TEXT_PREVIOUS_BACKUP_STAMP, false },
        { "GetBackupMetadata", IVssComponent_GetBackupMetadata, BACKUP_TEXT_BACKUP_METADATA,
          false },
        { "GetRestoreMetadata", IVssComponent_GetRestoreMetadata, BACKUP_TEXT_RESTORE_METADATA,
          false },
        { "GetRestoreOptions", IVssComponent_GetRestoreOptions, BACKUP_TEXT_RESTORE_OPTIONS,
          false },
        { "GetRestoreName", IVssComponentEx_GetRestoreName, BACKUP_TEXT_RESTORE_NAME, false },
        { "GetPreRestoreFailureMsg", IVssComponent_GetPreRestoreFailureMsg,
          BACKUP_TEXT_PRE_RESTORE_FAILURE, true },
        { "GetPostRestoreFailureMsg", IVssComponent_GetPostRestoreFailureMsg,
          BACKUP_TEXT_POST_RESTORE_FAILURE, true },
        { "GetPrepareForBackupFailureMsg", IVssComponentEx_GetPrepareForBackupFailureMsg,
          BACKUP_TEXT_PREPARE_FAILURE, false },
        { "GetPostSnapshotFailureMsg", IVssComponentEx_GetPostSnapshotFailureMsg,
          BACKUP_TEXT_POST_SNAPSHOT_FAILURE, false },
};

static const struct {
        const char *name;
        HRESULT (*get)(IVssComponent *c, bool *ret);
        enum backup_flag flag;
        HRESULT unset; /* in a restore */
        bool restore_only;
} flag_getters[] = {
        { "GetBackupSucceeded", IVssComponent_GetBackupSucceeded, BACKUP_FLAG_SUCCEEDED, S_FALSE,
          false },
        { "GetAdditionalRestores", IVssComponent_GetAdditionalRestores,
          BACKUP_FLAG_ADDITIONAL_RESTORES, S_FALSE, false },
        { "IsSelectedForRestore", IVssComponent_IsSelectedForRestore,
          BACKUP_FLAG_SELECTED_FOR_RESTORE, S_OK, true },
        { "GetAuthoritativeRestore", IVssComponentEx_GetAuthoritativeRestore,
          BACKUP_FLAG_AUTHORITATIVE_RESTORE, S_OK, false },
};

static const struct {
        const char *name;
        HRESULT (*count)(IVssComponent *c, UINT *ret);
        enum backup_list list;
} counters[] = {
        { "GetPartialFileCount", IVssComponent_GetPartialFileCount, BACKUP_LIST_PARTIAL_FILE },
        { "GetDifferencedFilesCount", IVssComponent_GetDifferencedFilesCount,
          BACKUP_LIST_DIFFERENCED_FILES },
        { "GetDirectedTargetCount", IVssComponent_GetDirectedTargetCount,
          BACKUP_LIST_DIRECTED_TARGET },
        { "GetNewTargetCount", IVssComponent_GetNewTargetCount, BACKUP_LIST_NEW_TARGET },
        { "GetAlternateLocationMappingCount", IVssComponent_GetAlternateLocationMappingCount,
          BACKUP_LIST_ALTERNATE_LOCATION_MAPPING },
        { "GetRestoreSubcomponentCount", IVssComponent_GetRestoreSubcomponentCount,
          BACKUP_LIST_RESTORE_SUBCOMPONENT },
};

/* Methods that write, with good arguments. */
static HRESULT add_partial(IVssComponent *c) {
        return IVssComponent_AddPartialFile(c, "/srv", "f", "0:512", NULL);
}
static HRESULT add_differenced(IVssComponent *c) {
        return IVssComponent_AddDifferencedFilesByLastModifyTime(c, "/srv", "*.db", TRUE,
                                                                 (FILETIME){ 2, 1 });
}
static HRESULT add_directed(IVssComponent *c) {
        return IVssComponent_AddDirectedTarget(c, "/a", "f", "0:1", "/b", "g", "9:1");
}
static HRESULT set_target(IVssComponent *c) {
        return IVssComponent_SetRestoreTarget(c, VSS_RT_DIRECTED);
}
static HRESULT set_failure(IVssComponent *c) {
        return IVssComponentEx2_SetFailure(c, VSS_E_WRITERERROR_RETRYABLE, 42, "full", 0);
}

#define IN(phase) (1u << BACKUP_PHASE_##phase)

static const struct {
        const char *name;
        HRESULT (*set)(IVssComponent *c, LPCWSTR text); /* or: */
        HRESULT (*write)(IVssComponent *c);
        unsigned phases;
        bool once;
} writers[] = {
        { "SetBackupStamp", IVssComponent_SetBackupStamp, NULL,
          IN(PREPARE_BACKUP) | IN(POST_SNAPSHOT), false },
        { "SetBackupMetadata", IVssComponent_SetBackupMetadata, NULL,
          IN(PREPARE_BACKUP) | IN(POST_SNAPSHOT), true },
        { "SetPrepareForBackupFailureMsg", IVssComponentEx_SetPrepareForBackupFailureMsg, NULL,
          IN(PREPARE_BACKUP), false },
        { "SetPostSnapshotFailureMsg", IVssComponentEx_SetPostSnapshotFailureMsg, NULL,
          IN(POST_SNAPSHOT), false },
        { "SetRestoreMetadata", IVssComponent_SetRestoreMetadata, NULL, IN(PRE_RESTORE), true },
        { "SetPreRestoreFailureMsg", IVssComponent_SetPreRestoreFailureMsg, NULL, IN(PRE_RESTORE),
          false },
        { "SetPostRestoreFailureMsg", IVssComponent_SetPostRestoreFailureMsg, NULL,
          IN(POST_RESTORE), false },
        { "AddPartialFile", NULL, add_partial, IN(PREPARE_BACKUP) | IN(POST_SNAPSHOT), false },
        { "AddDifferencedFilesByLastModifyTime", NULL, add_differenced,
          IN(PREPARE_BACKUP) | IN(POST_SNAPSHOT), false },
        { "AddDirectedTarget", NULL, add_directed, IN(PRE_RESTORE), false },
        { "SetRestoreTarget", NULL, set_target, IN(PRE_RESTORE), false },
        { "SetFailure", NULL, set_failure, (1u << _BACKUP_PHASE_MAX) - 1, false },
};

static HRESULT write_by(size_t row, IVssComponent *c) {
        return writers[row].set ? writers[row].set(c, "text") : writers[row].write(c);
}
