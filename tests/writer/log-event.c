/* An event in the log: all that its handler can know, one line for it, one for each component. */

#include "tests/writer/script.h"
#include <inttypes.h>
#include <stdio.h>

static void append(char **text, const char *name, const char *value) {
        char *longer;

        if (str_format(&longer, "%s %s=%s", str_or_empty(*text), name, value) < 0)
                return;
        free(*text);
        *text = longer;
}

static void append_number(char **text, const char *name, int64_t value) {
        char buf[24];

        (void)snprintf(buf, sizeof(buf), "%" PRId64, value);
        append(text, name, buf);
}

static void append_id(char **text, const char *name, VSS_ID id) {
        char buf[VSS_ID_STRING_SIZE];

        append(text, name, VssIdToString(id, buf));
}

static void append_volumes(char **text, CVssWriter *w) {
        const LPCWSTR *volumes = CVssWriter_GetCurrentVolumeArray(w);
        UINT n = CVssWriter_GetCurrentVolumeCount(w);

        for (UINT i = 0; i < n; i++) {
                LPCWSTR device;

                append(text, "volume", volumes[i]);
                if (SUCCEEDED(CVssWriter_GetSnapshotDeviceName(w, volumes[i], &device)))
                        append(text, "device", device);
        }
}

typedef HRESULT (*get_text_fn)(IVssComponent *c, BSTR *text);
typedef HRESULT (*get_flag_fn)(IVssComponent *c, bool *flag);
typedef HRESULT (*get_count_fn)(IVssComponent *c, UINT *count);

static const struct {
        const char *name;
        get_text_fn get;
} texts[] = {
        { "options", IVssComponent_GetBackupOptions },
        { "stamp", IVssComponent_GetBackupStamp },
        { "previous", IVssComponent_GetPreviousBackupStamp },
        { "metadata", IVssComponent_GetBackupMetadata },
        { "restore-options", IVssComponent_GetRestoreOptions },
        { "restore-metadata", IVssComponent_GetRestoreMetadata },
        { "restore-name", IVssComponentEx_GetRestoreName },
};
static const struct {
        const char *name;
        get_flag_fn get;
} flags[] = {
        { "succeeded", IVssComponent_GetBackupSucceeded },
        { "selected", IVssComponent_IsSelectedForRestore },
        { "additional", IVssComponent_GetAdditionalRestores },
        { "authoritative", IVssComponentEx_GetAuthoritativeRestore },
};
static const struct {
        const char *name;
        get_count_fn get;
} counts[] = {
        { "partial-files", IVssComponent_GetPartialFileCount },
        { "differenced-files", IVssComponent_GetDifferencedFilesCount },
        { "new-targets", IVssComponent_GetNewTargetCount },
        { "mappings", IVssComponent_GetAlternateLocationMappingCount },
        { "subcomponents", IVssComponent_GetRestoreSubcomponentCount },
        { "directed-targets", IVssComponent_GetDirectedTargetCount },
};

/* What has not been set, or is not for this event, is left out. */
static void log_component(const char *event, IVssComponent *c) {
        _cleanup_(freep) char *text = NULL;
        VSS_FILE_RESTORE_STATUS status;
        VSS_ROLLFORWARD_TYPE roll;
        VSS_RESTORE_TARGET target;
        VSS_COMPONENT_TYPE type;
        BSTR s = NULL;

        if (IVssComponent_GetComponentType(c, &type) == S_OK)
                append(&text, "type", type == VSS_CT_DATABASE ? "database" : "filegroup");
        if (IVssComponent_GetLogicalPath(c, &s) == S_OK)
                append(&text, "path", s);
        SysFreeString(s);
        if (IVssComponent_GetComponentName(c, &s) == S_OK)
                append(&text, "name", s);
        SysFreeString(s);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                s = NULL;
                if (texts[i].get(c, &s) == S_OK)
                        append(&text, texts[i].name, s);
                SysFreeString(s);
        }
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                bool flag;

                if (flags[i].get(c, &flag) == S_OK)
                        append_number(&text, flags[i].name, flag);
        }
        for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
                UINT count;

                if (counts[i].get(c, &count) == S_OK && count > 0)
                        append_number(&text, counts[i].name, count);
        }
        if (IVssComponent_GetFileRestoreStatus(c, &status) == S_OK)
                append_number(&text, "status", status);
        if (IVssComponent_GetRestoreTarget(c, &target) == S_OK)
                append_number(&text, "target", target);
        s = NULL;
        if (IVssComponentEx_GetRollForward(c, &roll, &s) == S_OK) {
                append_number(&text, "roll-forward", roll);
                append(&text, "point", str_or_empty(s));
        }
        SysFreeString(s);
        log_line("%s.component%s", event, str_or_empty(text));
}

void log_event(const struct turn *t, const VSS_ID *set_id) {
        _cleanup_(freep) char *text = NULL;
        UINT count = 0;
        VSS_ID id;

        if (CVssWriterEx2_GetSessionId(t->writer, &id) == S_OK)
                append_id(&text, "session", id);
        append_id(&text, "set", set_id ? *set_id : CVssWriter_GetCurrentSnapshotSetId(t->writer));
        append_number(&text, "context", CVssWriter_GetContext(t->writer));
        append_number(&text, "level", CVssWriter_GetCurrentLevel(t->writer));
        append_number(&text, "type", CVssWriter_GetBackupType(t->writer));
        append_number(&text, "restore-type", CVssWriter_GetRestoreType(t->writer));
        append_number(&text, "components-selected", CVssWriter_AreComponentsSelected(t->writer));
        append_number(&text, "bootable", CVssWriter_IsBootableSystemStateBackedUp(t->writer));
        append_number(&text, "partial-files", CVssWriter_IsPartialFileSupportEnabled(t->writer));
        append_volumes(&text, t->writer);
        if (t->components &&
            SUCCEEDED(IVssWriterComponents_GetComponentCount(t->components, &count)))
                append_number(&text, "components", count);
        log_line("%s%s", t->event, str_or_empty(text));
        for (UINT i = 0; i < count; i++) {
                IVssComponent *c;

                if (FAILED(IVssWriterComponents_GetComponent(t->components, i, &c)))
                        continue;
                log_component(t->event, c);
                IVssComponent_Release(c);
        }
}
