/* The lines of a script, and their table of verbs. */

#include "tests/writer/script.h"
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

struct line {
        char *event;
        unsigned times; /* UINT_MAX: always */
        const struct verb *verb;
        char *text; /* as it was written, from the verb on */
        char *arguments[SCRIPT_ARGUMENTS_MAX];
        size_t n;
};

typedef HRESULT (*verb_fn)(struct turn *t, const struct line *l);
typedef HRESULT (*component_fn)(IVssComponent *c, const struct turn *t, const struct line *l);

struct verb {
        const char *name;
        size_t min, max; /* arguments */
        verb_fn fn;
        component_fn on_component; /* the first argument says which */
};

static struct line lines[SCRIPT_LINES_MAX];
static size_t n_lines;

void log_line(const char *format, ...) {
        _cleanup_(freep) char *text = NULL, *line = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r >= 0 && str_format(&line, "%s\n", text) >= 0)
                (void)!write(STDOUT_FILENO, line, strlen(line)); /* nobody reads: so be it */
}

const char *hresult_text(HRESULT hr) {
        static _Thread_local char text[16];
        const char *name = VssHresultName(hr);

        (void)snprintf(text, sizeof(text), "0x%08x", (unsigned)hr);
        return name ? name : text;
}

/* An argument that is not there, or empty, is NULL. */
static const char *argument(const struct line *l, size_t i) {
        return i < l->n && l->arguments[i][0] != '\0' ? l->arguments[i] : NULL;
}

static uint32_t number(const struct line *l, size_t i, uint32_t otherwise) {
        const char *s = argument(l, i);

        return s ? (uint32_t)strtoul(s, NULL, 0) : otherwise;
}

static bool word(const struct line *l, size_t i, const char *want) {
        const char *s = argument(l, i);

        return s && strstr(s, want);
}

/* A failure by its name: "retryable", "VSS_E_..." */
static HRESULT failure(const struct line *l, size_t i) {
        static const struct {
                const char *name;
                HRESULT hr;
        } names[] = {
                { "none", S_OK },
                { "inconsistent", VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT },
                { "out-of-resources", VSS_E_WRITERERROR_OUTOFRESOURCES },
                { "timeout", VSS_E_WRITERERROR_TIMEOUT },
                { "retryable", VSS_E_WRITERERROR_RETRYABLE },
                { "non-retryable", VSS_E_WRITERERROR_NONRETRYABLE },
                { "partial", VSS_E_WRITERERROR_PARTIAL_FAILURE },
        };
        const char *s = argument(l, i);

        for (size_t j = 0; s && j < ARRAY_SIZE(names); j++)
                if (streq(s, names[j].name))
                        return names[j].hr;
        return (HRESULT)number(l, i, (uint32_t)S_OK);
}

/* Identify */

/* component|TYPE|LOGICAL PATH|NAME|selectable,restore|FLAGS|CAPTION */
static HRESULT add_component(struct turn *t, const struct line *l) {
        return IVssCreateWriterMetadata_AddComponent(
                t->metadata, word(l, 0, "database") ? VSS_CT_DATABASE : VSS_CT_FILEGROUP,
                argument(l, 1), argument(l, 2), argument(l, 5), NULL, 0, false, false,
                word(l, 3, "selectable"), word(l, 3, "restore"), number(l, 4, 0));
}

#define MASK_DEFAULT (VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED)

/* files|LOGICAL PATH|NAME|PATH|SPEC|recursive|ALTERNATE PATH|MASK */
static HRESULT add_files(struct turn *t, const struct line *l) {
        return IVssCreateWriterMetadata_AddFilesToFileGroup(
                t->metadata, argument(l, 0), argument(l, 1), argument(l, 2), argument(l, 3),
                word(l, 4, "recursive"), argument(l, 5), number(l, 6, MASK_DEFAULT));
}

/* database-files|LOGICAL PATH|NAME|PATH|SPEC|MASK */
static HRESULT add_database_files(struct turn *t, const struct line *l) {
        return IVssCreateWriterMetadata_AddDatabaseFiles(
                t->metadata, argument(l, 0), argument(l, 1), argument(l, 2), argument(l, 3),
                number(l, 4, MASK_DEFAULT));
}

static HRESULT add_log_files(struct turn *t, const struct line *l) {
        return IVssCreateWriterMetadata_AddDatabaseLogFiles(
                t->metadata, argument(l, 0), argument(l, 1), argument(l, 2), argument(l, 3),
                number(l, 4, MASK_DEFAULT));
}

/* exclude|PATH|SPEC|recursive */
static HRESULT add_exclude(struct turn *t, const struct line *l) {
        return IVssCreateWriterMetadata_AddExcludeFiles(t->metadata, argument(l, 0), argument(l, 1),
                                                        word(l, 2, "recursive"));
}

static HRESULT add_exclude_from_snapshot(struct turn *t, const struct line *l) {
        return IVssCreateWriterMetadataEx_AddExcludeFilesFromSnapshot(
                t->metadata, argument(l, 0), argument(l, 1), word(l, 2, "recursive"));
}

/* restore-method|METHOD|WRITER RESTORE|reboot|SERVICE */
static HRESULT set_restore_method(struct turn *t, const struct line *l) {
        return IVssCreateWriterMetadata_SetRestoreMethod(
                t->metadata, (VSS_RESTOREMETHOD_ENUM)number(l, 0, 0), argument(l, 3), NULL,
                (VSS_WRITERRESTORE_ENUM)number(l, 1, 0), word(l, 2, "reboot"));
}

/* mapping|PATH|SPEC|recursive|DESTINATION */
static HRESULT add_mapping(struct turn *t, const struct line *l) {
        return IVssCreateWriterMetadata_AddAlternateLocationMapping(
                t->metadata, argument(l, 0), argument(l, 1), word(l, 2, "recursive"),
                argument(l, 3));
}

/* dependency|LOGICAL PATH|NAME|WRITER ID|LOGICAL PATH|NAME */
static HRESULT add_dependency(struct turn *t, const struct line *l) {
        VSS_ID id = GUID_NULL;

        (void)VssIdFromString(argument(l, 2), &id); /* what is none is tried as GUID_NULL */
        return IVssCreateWriterMetadata_AddComponentDependency(
                t->metadata, argument(l, 0), argument(l, 1), id, argument(l, 3), argument(l, 4));
}

static HRESULT set_schema(struct turn *t, const struct line *l) {
        return IVssCreateWriterMetadata_SetBackupSchema(t->metadata, number(l, 0, 0));
}

/* Any event */

/* veto[|CODE[|APPLICATION CODE|MESSAGE]]: fails the event; fail: records the failure only */
static HRESULT fail(struct turn *t, const struct line *l) {
        return l->n == 1
                       ? CVssWriter_SetWriterFailure(t->writer, failure(l, 0))
                       : CVssWriterEx2_SetWriterFailureEx(t->writer, failure(l, 0),
                                                          (HRESULT)number(l, 1, 0), argument(l, 2));
}

static HRESULT veto(struct turn *t, const struct line *l) {
        t->veto = true;
        return l->n > 0 ? fail(t, l) : S_OK;
}

static HRESULT sleep_msec(struct turn *t, const struct line *l) {
        struct timespec ts = { .tv_sec = number(l, 0, 0) / 1000,
                               .tv_nsec = (long)(number(l, 0, 0) % 1000) * 1000000 };

        (void)t;
        (void)nanosleep(&ts, NULL);
        return S_OK;
}

static HRESULT leave(struct turn *t, const struct line *l) {
        (void)t;
        _exit((int)number(l, 0, 0));
}

static HRESULT die(struct turn *t, const struct line *l) {
        (void)t;
        (void)l;
        (void)raise(SIGKILL);
        return S_OK;
}

/* is-affected|PATH: S_OK or S_FALSE */
static HRESULT is_affected(struct turn *t, const struct line *l) {
        return CVssWriter_IsPathAffected(t->writer, argument(l, 0)) ? S_OK : S_FALSE;
}

static HRESULT device_name(struct turn *t, const struct line *l) {
        LPCWSTR device = NULL;
        HRESULT hr = CVssWriter_GetSnapshotDeviceName(t->writer, argument(l, 0), &device);

        if (SUCCEEDED(hr))
                log_line("%s.device %s=%s", t->event, argument(l, 0), device);
        return hr;
}

/* Removes a file from the copy: remove|VOLUME|FILE */
static HRESULT remove_from_copy(struct turn *t, const struct line *l) {
        _cleanup_(freep) char *path = NULL;
        LPCWSTR device = NULL;
        HRESULT hr = CVssWriter_GetSnapshotDeviceName(t->writer, argument(l, 0), &device);

        if (FAILED(hr))
                return hr;
        if (str_format(&path, "%s/%s", device, str_or_empty(argument(l, 1))) < 0)
                return E_OUTOFMEMORY;
        return unlink(path) < 0 ? E_FAIL : S_OK;
}

/* The name in GetIdentifyInformation's document. */
static HRESULT identity(struct turn *t, const struct line *l) {
        IVssExamineWriterMetadata *metadata;
        VSS_ID instance, id;
        BSTR name = NULL;
        VSS_USAGE_TYPE usage;
        VSS_SOURCE_TYPE source;
        HRESULT hr = CVssWriterEx_GetIdentifyInformation(t->writer, &metadata);

        (void)l;
        if (FAILED(hr))
                return hr;
        hr = IVssExamineWriterMetadata_GetIdentity(metadata, &instance, &id, &name, &usage,
                                                   &source);
        if (SUCCEEDED(hr))
                log_line("%s.identity %s", t->event, name);
        SysFreeString(name);
        return hr;
}

/* Components: the first argument is "LOGICAL PATH\NAME", NAME, or "*" */

static HRESULT set_stamp(IVssComponent *c, const struct turn *t, const struct line *l) {
        (void)t;
        return IVssComponent_SetBackupStamp(c, argument(l, 1));
}

static HRESULT set_metadata(IVssComponent *c, const struct turn *t, const struct line *l) {
        (void)t;
        return IVssComponent_SetBackupMetadata(c, argument(l, 1));
}

/* partial|COMPONENT|PATH|FILE|RANGES|METADATA */
static HRESULT add_partial(IVssComponent *c, const struct turn *t, const struct line *l) {
        (void)t;
        return IVssComponent_AddPartialFile(c, argument(l, 1), argument(l, 2), argument(l, 3),
                                            argument(l, 4));
}

/* differenced|COMPONENT|PATH|SPEC|recursive|SECONDS SINCE 1970 */
static HRESULT add_differenced(IVssComponent *c, const struct turn *t, const struct line *l) {
        uint32_t seconds = number(l, 4, 0);
        uint64_t ticks = seconds ? (seconds + UINT64_C(11644473600)) * 10000000 : 0;
        const FILETIME time = { .dwLowDateTime = (DWORD)ticks,
                                .dwHighDateTime = (DWORD)(ticks >> 32) };

        (void)t;
        return IVssComponent_AddDifferencedFilesByLastModifyTime(c, argument(l, 1), argument(l, 2),
                                                                 word(l, 3, "recursive"), time);
}

static HRESULT set_restore_metadata(IVssComponent *c, const struct turn *t, const struct line *l) {
        (void)t;
        return IVssComponent_SetRestoreMetadata(c, argument(l, 1));
}

static HRESULT set_target(IVssComponent *c, const struct turn *t, const struct line *l) {
        (void)t;
        return IVssComponent_SetRestoreTarget(c, (VSS_RESTORE_TARGET)number(l, 1, 0));
}

/* directed|COMPONENT|PATH|FILE|RANGES|PATH|FILE|RANGES */
static HRESULT add_directed(IVssComponent *c, const struct turn *t, const struct line *l) {
        (void)t;
        return IVssComponent_AddDirectedTarget(c, argument(l, 1), argument(l, 2), argument(l, 3),
                                               argument(l, 4), argument(l, 5), argument(l, 6));
}

/* message|COMPONENT|TEXT: the failure message of the event */
static HRESULT set_message(IVssComponent *c, const struct turn *t, const struct line *l) {
        static const struct {
                const char *event;
                HRESULT (*set)(IVssComponent *c, LPCWSTR text);
        } setters[] = {
                { "PrepareBackup", IVssComponentEx_SetPrepareForBackupFailureMsg },
                { "PostSnapshot", IVssComponentEx_SetPostSnapshotFailureMsg },
                { "PreRestore", IVssComponent_SetPreRestoreFailureMsg },
                { "PostRestore", IVssComponent_SetPostRestoreFailureMsg },
        };

        for (size_t i = 0; i < ARRAY_SIZE(setters); i++)
                if (streq(setters[i].event, t->event))
                        return setters[i].set(c, argument(l, 1));
        return E_NOTIMPL;
}

/* component-failure|COMPONENT|CODE|APPLICATION CODE|MESSAGE */
static HRESULT set_failure(IVssComponent *c, const struct turn *t, const struct line *l) {
        (void)t;
        return IVssComponentEx2_SetFailure(c, failure(l, 1), (HRESULT)number(l, 2, 0),
                                           argument(l, 3), 0);
}

static const struct verb verbs[] = {
        { .name = "component", .min = 3, .max = 6, .fn = add_component },
        { .name = "files", .min = 4, .max = 7, .fn = add_files },
        { .name = "database-files", .min = 4, .max = 5, .fn = add_database_files },
        { .name = "log-files", .min = 4, .max = 5, .fn = add_log_files },
        { .name = "exclude", .min = 2, .max = 3, .fn = add_exclude },
        { .name = "exclude-from-snapshot", .min = 2, .max = 3, .fn = add_exclude_from_snapshot },
        { .name = "restore-method", .min = 2, .max = 4, .fn = set_restore_method },
        { .name = "mapping", .min = 4, .max = 4, .fn = add_mapping },
        { .name = "dependency", .min = 5, .max = 5, .fn = add_dependency },
        { .name = "schema", .min = 1, .max = 1, .fn = set_schema },
        { .name = "veto", .min = 0, .max = 3, .fn = veto },
        { .name = "fail", .min = 1, .max = 3, .fn = fail },
        { .name = "sleep", .min = 1, .max = 1, .fn = sleep_msec },
        { .name = "exit", .min = 1, .max = 1, .fn = leave },
        { .name = "kill", .min = 0, .max = 0, .fn = die },
        { .name = "is-affected", .min = 1, .max = 1, .fn = is_affected },
        { .name = "device", .min = 1, .max = 1, .fn = device_name },
        { .name = "remove", .min = 2, .max = 2, .fn = remove_from_copy },
        { .name = "identity", .min = 0, .max = 0, .fn = identity },
        { .name = "stamp", .min = 2, .max = 2, .on_component = set_stamp },
        { .name = "metadata", .min = 2, .max = 2, .on_component = set_metadata },
        { .name = "partial", .min = 4, .max = 5, .on_component = add_partial },
        { .name = "differenced", .min = 3, .max = 5, .on_component = add_differenced },
        { .name = "restore-metadata", .min = 2, .max = 2, .on_component = set_restore_metadata },
        { .name = "restore-target", .min = 2, .max = 2, .on_component = set_target },
        { .name = "directed", .min = 7, .max = 7, .on_component = add_directed },
        { .name = "message", .min = 2, .max = 2, .on_component = set_message },
        { .name = "component-failure", .min = 2, .max = 4, .on_component = set_failure },
};

static bool is_called(IVssComponent *c, const char *wanted) {
        _cleanup_(freep) char *whole = NULL;
        BSTR path = NULL, name = NULL;
        bool is = false;

        if (streq(wanted, "*"))
                return true;
        if (SUCCEEDED(IVssComponent_GetLogicalPath(c, &path)) &&
            SUCCEEDED(IVssComponent_GetComponentName(c, &name)) &&
            str_format(&whole, "%s%s%s", str_or_empty(path), path ? "\\" : "", name) >= 0)
                is = streq(whole, wanted);
        SysFreeString(path);
        SysFreeString(name);
        return is;
}

/* The last failure, or S_OK; VSS_E_OBJECT_NOT_FOUND: there is no such component. */
static HRESULT run_on_components(struct turn *t, const struct line *l) {
        HRESULT result = VSS_E_OBJECT_NOT_FOUND, hr;
        UINT count = 0;

        if (!t->components)
                return E_POINTER;
        hr = IVssWriterComponents_GetComponentCount(t->components, &count);
        for (UINT i = 0; SUCCEEDED(hr) && i < count; i++) {
                IVssComponent *c;

                hr = IVssWriterComponents_GetComponent(t->components, i, &c);
                if (FAILED(hr))
                        break;
                if (is_called(c, l->arguments[0]) &&
                    (result == S_OK || result == VSS_E_OBJECT_NOT_FOUND))
                        result = l->verb->on_component(c, t, l);
                IVssComponent_Release(c);
        }
        return FAILED(hr) ? hr : result;
}

void script_run(struct turn *t) {
        for (size_t i = 0; i < n_lines; i++) {
                struct line *l = &lines[i];

                if (!streq(l->event, t->event) || l->times == 0)
                        continue;
                if (l->times != UINT_MAX)
                        l->times--;
                log_line("%s.%s %s", t->event, l->text,
                         hresult_text(l->verb->fn ? l->verb->fn(t, l) : run_on_components(t, l)));
        }
}

static const char *const event_names[] = { "Identify",   "PrepareBackup",  "PrepareSnapshot",
                                           "Freeze",     "Thaw",           "PostSnapshot",
                                           "Abort",      "BackupComplete", "BackupShutdown",
                                           "PreRestore", "PostRestore" };

static bool complain(const char *line, const char *problem) {
        fprintf(stderr, "test-writer: '%s': %s\n", line, problem);
        return false;
}

/* Takes the text apart; the line's event and text are owned. */
static bool parse(struct line *l, const char *line) {
        char *rest = l->event, *star, *part;

        part = strsep(&rest, "|");
        star = strchr(part, '*');
        l->times = star ? (unsigned)strtoul(star + 1, NULL, 10) : UINT_MAX;
        if (star)
                *star = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(event_names); i++)
                if (streq(part, event_names[i]))
                        star = part;
        if (star != part)
                return complain(line, "there is no such event");
        part = strsep(&rest, "|");
        for (size_t i = 0; part && i < ARRAY_SIZE(verbs); i++)
                if (streq(part, verbs[i].name))
                        l->verb = &verbs[i];
        if (!l->verb)
                return complain(line, "there is no such verb");
        while ((part = strsep(&rest, "|"))) {
                if (l->n == SCRIPT_ARGUMENTS_MAX)
                        return complain(line, "too many arguments");
                l->arguments[l->n++] = part;
        }
        if (l->n < l->verb->min || l->n > l->verb->max)
                return complain(line, "the verb takes another number of arguments");
        return true;
}

bool script_add(const char *line) {
        struct line *l = &lines[n_lines];
        const char *verb = strchr(line, '|');

        if (n_lines == SCRIPT_LINES_MAX || !verb)
                return complain(line, "too many lines, or one without a verb");
        n_lines++;
        *l = (struct line){ .event = strdup(line), .text = strdup(verb + 1) };
        return l->event && l->text && parse(l, line);
}

bool script_add_file(const char *path) {
        _cleanup_(freep) char *line = NULL;
        FILE *f = fopen(path, "re");
        size_t size = 0;
        bool ok = true;

        if (!f)
                return complain(path, strerror(errno));
        while (ok && getline(&line, &size, f) > 0) {
                line[strcspn(line, "\n")] = '\0';
                if (*line != '\0' && *line != '#')
                        ok = script_add(line);
        }
        (void)fclose(f); /* was only read */
        return ok;
}

void script_done(void) {
        for (size_t i = 0; i < n_lines; i++) {
                free(lines[i].event);
                free(lines[i].text);
        }
        n_lines = 0;
}
