/* VSS_... variables, from what the library knows of the event. */

#include "writers/hook/hook-environment.h"

#include <vss/vsslinux.h>

static const char *const backup_types[] = {
        [VSS_BT_UNDEFINED] = "undefined",
        [VSS_BT_FULL] = "full",
        [VSS_BT_INCREMENTAL] = "incremental",
        [VSS_BT_DIFFERENTIAL] = "differential",
        [VSS_BT_LOG] = "log",
        [VSS_BT_COPY] = "copy",
        [VSS_BT_OTHER] = "other",
};

static int add(char ***env, const char *name, const char *value) {
        _cleanup_(freep) char *s = NULL;
        int r;

        r = str_format(&s, "%s=%s", name, str_or_empty(value));
        return r < 0 ? r : strv_append(env, s);
}

static int add_id(char ***env, const char *name, VSS_ID id) {
        char text[VSS_ID_STRING_SIZE];

        return add(env, name, VssIdToString(id, text));
}

/* Appends a line to *text. */
static int append_line(char **text, const char *line) {
        char *longer;
        int r;

        r = str_format(&longer, "%s%s%s", str_or_empty(*text), *text ? "\n" : "", line);
        if (r < 0)
                return r;
        free(*text);
        *text = longer;
        return 0;
}

/* One volume a line; after the snapshot also where the copy of each is. */
static int add_volumes(char ***env, CVssWriter *writer, enum hook_event event) {
        _cleanup_(freep) char *volumes = NULL, *map = NULL;
        const LPCWSTR *names = CVssWriter_GetCurrentVolumeArray(writer);
        UINT n = CVssWriter_GetCurrentVolumeCount(writer);
        int r = 0;

        for (UINT i = 0; r >= 0 && names && i < n; i++) {
                _cleanup_(freep) char *pair = NULL;
                LPCWSTR device;

                r = append_line(&volumes, names[i]);
                if (r < 0 || event != HOOK_POST_SNAPSHOT ||
                    FAILED(CVssWriter_GetSnapshotDeviceName(writer, names[i], &device)))
                        continue;
                r = str_format(&pair, "%s=%s", names[i], device);
                if (r >= 0)
                        r = append_line(&map, pair);
        }

        if (r >= 0)
                r = add(env, "VSS_VOLUMES", volumes);
        if (r >= 0 && event == HOOK_POST_SNAPSHOT)
                r = add(env, "VSS_SNAPSHOT_MAP", map);
        return r;
}

static const char *yes_no(HRESULT hr, bool value) {
        return hr != S_OK ? NULL : value ? "yes" : "no"; /* S_FALSE: the requester did not say */
}

static const char *restore_status(IVssComponent *c) {
        static const char *const words[] = {
                [VSS_RS_UNDEFINED] = "undefined",
                [VSS_RS_NONE] = "none",
                [VSS_RS_ALL] = "all",
                [VSS_RS_FAILED] = "failed",
        };
        VSS_FILE_RESTORE_STATUS status = VSS_RS_UNDEFINED;

        /* What cannot be read was not said. */
        (void)IVssComponent_GetFileRestoreStatus(c, &status);
        return words[(size_t)status < ARRAY_SIZE(words) ? status : VSS_RS_UNDEFINED];
}

/* What the requester says of our one component; empty where it says nothing. */
static int add_component(char ***env, IVssComponent *c, enum hook_event event) {
        bool value = false;
        HRESULT hr;
        int r;

        if (event == HOOK_BACKUP_COMPLETE) {
                hr = IVssComponent_GetBackupSucceeded(c, &value);
                return add(env, "VSS_COMPONENT_SUCCEEDED", yes_no(hr, value));
        }
        hr = IVssComponent_GetAdditionalRestores(c, &value);
        r = add(env, "VSS_ADDITIONAL_RESTORES", yes_no(hr, value));
        if (r >= 0 && event == HOOK_POST_RESTORE)
                r = add(env, "VSS_RESTORE_STATUS", restore_status(c));
        return r;
}

static void release_component(IVssComponent **c) {
        (void)IVssComponent_Release(*c);
}

static int add_components(char ***env, IVssWriterComponents *components, enum hook_event event) {
        _cleanup_(release_component) IVssComponent *c = NULL;

        if (event != HOOK_BACKUP_COMPLETE && event != HOOK_PRE_RESTORE &&
            event != HOOK_POST_RESTORE)
                return 0;
        /* None: the requester copies volumes, and knows nothing of components. */
        if (!components || FAILED(IVssWriterComponents_GetComponent(components, 0, &c)))
                return 0;
        return add_component(env, c, event);
}

int hook_environment_new(char ***ret, CVssWriter *writer, const struct hook_config *config,
                         enum hook_event event, IVssWriterComponents *components) {
        _cleanup_(strv_freep) char **env = NULL;
        VSS_BACKUP_TYPE type = CVssWriter_GetBackupType(writer);
        VSS_ID session = GUID_NULL;
        int r;

        /* Outside a session (a rescue at the start) it stays the null id. */
        (void)CVssWriterEx2_GetSessionId(writer, &session);

        r = add(&env, "VSS_EVENT", hook_events[event].word);
        if (r >= 0)
                r = add(&env, "VSS_WRITER_NAME", config->name);
        if (r >= 0)
                r = add_id(&env, "VSS_SESSION_ID", session);
        if (r >= 0)
                r = add_id(&env, "VSS_SNAPSHOT_SET_ID", CVssWriter_GetCurrentSnapshotSetId(writer));
        if (r >= 0)
                r = add(&env, "VSS_CONTEXT", VssContextToString(CVssWriter_GetContext(writer)));
        if (r >= 0)
                r = add(&env, "VSS_BACKUP_TYPE",
                        (size_t)type < ARRAY_SIZE(backup_types) ? backup_types[type] : "other");
        if (r >= 0)
                r = add_volumes(&env, writer, event);
        if (r >= 0)
                r = add_components(&env, components, event);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(env);
        return 0;
}
