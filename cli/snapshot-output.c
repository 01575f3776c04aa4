/* Copies, as rows, pages and objects. The keys of the objects are documented in vssctl(8). */

#include "cli/snapshot-output.h"
#include "cli/copy-lifetime.h"

#include "cli/failure-output.h"
#include "cli/message.h"
#include "cli/output-text.h"
#include "cli/revert-output.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <time.h>

#define TICKS_PER_SEC INT64_C(10000000)
#define SHORT_ID_DIGITS 8

static int64_t unix_seconds(VSS_TIMESTAMP ts) {
        int64_t ticks = ts - VSS_TIMESTAMP_UNIX_EPOCH;

        /* Rounded down before 1970, too. */
        return ticks / TICKS_PER_SEC - (ticks % TICKS_PER_SEC < 0);
}

int64_t snapshot_created(const VSS_SNAPSHOT_INFO *s) {
        return unix_seconds(s->properties.m_tsCreationTimestamp);
}

static char *id_text(VSS_ID id, bool whole, char buf[static VSS_ID_STRING_SIZE]) {
        VssIdToString(id, buf);
        if (!whole)
                buf[SHORT_ID_DIGITS] = '\0';
        return buf;
}
#define ID_TEXT(id, whole) id_text((id), (whole), (char[VSS_ID_STRING_SIZE]){ 0 })

const char *snapshot_name(const VSS_SNAPSHOT_INFO *s) {
        const char *object = s->properties.m_pwszSnapshotDeviceObject;
        const char *path = str_empty(object) ? s->block_device : object;
        const char *slash = strrchr(str_or_empty(path), '/');

        return slash ? slash + 1 : str_or_empty(path);
}

/* An entry of VSS_SNAPSHOT_INFO.writers. */
struct copy_writer {
        VSS_ID writer_id, instance_id;
        HRESULT failure;
        const char *name; /* in the entry */
};

/* "WRITER-ID INSTANCE-ID 0xHRESULT NAME"; false: it is none. */
static bool copy_writer_parse(struct copy_writer *ret, const char *entry) {
        char writer[64], instance[64];
        uint32_t failure;
        int n = 0;

        if (sscanf(entry, "%63s %63s 0x%8" SCNx32 " %n", writer, instance, &failure, &n) != 3 ||
            n == 0 || FAILED(VssIdFromString(writer, &ret->writer_id)) ||
            FAILED(VssIdFromString(instance, &ret->instance_id)))
                return false;
        ret->failure = (HRESULT)failure;
        ret->name = entry + n;
        return true;
}

static void writers_json(struct json *j, const char *key, char *const *writers) {
        json_array_begin(j, key);
        STRV_FOREACH (entry, writers) {
                struct copy_writer w;

                if (!copy_writer_parse(&w, *entry))
                        continue;
                json_object_begin(j, NULL);
                json_string(j, "name", w.name);
                json_string(j, "writer_id", ID_TEXT(w.writer_id, true));
                json_string(j, "instance_id", ID_TEXT(w.instance_id, true));
                failure_json(j, w.failure);
                json_object_end(j);
        }
        json_array_end(j);
}

void snapshot_list_free(VSS_SNAPSHOT_INFO ***snapshots) {
        VssFreeSnapshots(*snapshots);
}

void snapshot_json(struct json *j, const char *key, const VSS_SNAPSHOT_INFO *s) {
        const VSS_SNAPSHOT_PROP *p = &s->properties;
        int64_t created = unix_seconds(p->m_tsCreationTimestamp);

        json_object_begin(j, key);
        json_string(j, "snapshot_id", ID_TEXT(p->m_SnapshotId, true));
        json_string(j, "snapshot_set_id", ID_TEXT(p->m_SnapshotSetId, true));
        json_int(j, "snapshots_count", p->m_lSnapshotsCount);
        json_string(j, "name", snapshot_name(s));
        json_string_or_null(j, "volume", p->m_pwszOriginalVolumeName);
        json_string_or_null(j, "volume_display_name", s->volume_display_name);
        json_string_or_null(j, "device_object", p->m_pwszSnapshotDeviceObject);
        json_string_or_null(j, "block_device", s->block_device);
        json_string_or_null(j, "file_system", s->file_system);
        json_string(j, "created", TEXT_RFC3339(created));
        json_int(j, "created_unix", created);
        json_string_or_null(j, "context", VssContextToString(s->context));
        json_int(j, "attributes", p->m_lSnapshotAttributes);
        json_bool(j, "persistent", p->m_lSnapshotAttributes & VSS_VOLSNAP_ATTR_PERSISTENT);
        json_string_or_null(j, "consistency", s->consistency);
        json_string_or_null(j, "consistency_reason", s->consistency_reason);
        writers_json(j, "writers", s->writers);
        json_string_or_null(j, "provider", s->provider);
        json_string(j, "provider_id", ID_TEXT(p->m_ProviderId, true));
        json_string_or_null(j, "originating_machine", p->m_pwszOriginatingMachine);
        json_string_or_null(j, "service_machine", p->m_pwszServiceMachine);
        json_string_or_null(j, "exposed_name", p->m_pwszExposedName);
        json_string_or_null(j, "exposed_path", p->m_pwszExposedPath);
        json_uint(j, "used_bytes", s->used_bytes);
        json_uint(j, "maximum_bytes", s->maximum_bytes);
        json_bool(j, "overflowed", s->overflowed);
        if (s->expires > 0)
                json_string(j, "expires", TEXT_RFC3339((int64_t)s->expires));
        else
                json_null(j, "expires");
        json_object_end(j);
}

void snapshot_json_array(struct json *j, const char *key, VSS_SNAPSHOT_INFO *const *snapshots) {
        json_array_begin(j, key);
        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++)
                snapshot_json(j, NULL, *s);
        json_array_end(j);
}

/* For another host, which may have it by now. */
static bool is_away(const VSS_SNAPSHOT_INFO *s) {
        const LONG attributes = s->properties.m_lSnapshotAttributes;

        return attributes & VSS_VOLSNAP_ATTR_TRANSPORTABLE &&
               !(attributes & VSS_VOLSNAP_ATTR_IMPORTED);
}

static char *used_text(const VSS_SNAPSHOT_INFO *s, char buf[static 2 * TEXT_SHORT_MAX]) {
        if (s->overflowed)
                snprintf(buf, 2 * TEXT_SHORT_MAX, "full: lost");
        else if (is_away(s))
                snprintf(buf, 2 * TEXT_SHORT_MAX, "not imported");
        else if (s->maximum_bytes == 0)
                snprintf(buf, 2 * TEXT_SHORT_MAX, "%s", TEXT_SIZE(s->used_bytes));
        else
                snprintf(buf, 2 * TEXT_SHORT_MAX, "%s, %.0f%%", TEXT_SIZE(s->used_bytes),
                         100.0 * (double)s->used_bytes / (double)s->maximum_bytes);
        return buf;
}

int snapshot_print_table(VSS_SNAPSHOT_INFO *const *snapshots, const struct terminal *terminal,
                         bool verbose) {
        static const struct table_column columns[] = {
                { .title = "COPY" },
                { .title = "VOLUME", .shrink = true },
                { .title = "CREATED", .right = true },
                { .title = "CONTEXT", .shrink = true },
                { .title = "USED", .right = true },
                { .title = "SET" },
                { .title = "SNAPSHOT" },
        };
        _cleanup_(table_freep) struct table *table = NULL;
        const bool long_ids = verbose || !terminal->output;
        int64_t now = (int64_t)time(NULL);
        int r;

        r = table_new(&table, columns, ARRAY_SIZE(columns));
        for (VSS_SNAPSHOT_INFO *const *s = snapshots; r >= 0 && *s; s++) {
                const VSS_SNAPSHOT_PROP *p = &(*s)->properties;
                char used[2 * TEXT_SHORT_MAX];
                const char *const cells[ARRAY_SIZE(columns)] = {
                        snapshot_name(*s),
                        p->m_pwszOriginalVolumeName,
                        TEXT_RELATIVE_TIME(unix_seconds(p->m_tsCreationTimestamp), now),
                        VssContextToString((*s)->context),
                        used_text(*s, used),
                        ID_TEXT(p->m_SnapshotSetId, long_ids),
                        ID_TEXT(p->m_SnapshotId, long_ids),
                };

                r = table_add(table, (*s)->overflowed ? TABLE_ROW_BAD : TABLE_ROW_PLAIN, cells);
        }
        if (r < 0)
                return r;
        table_print(table, stdout, &terminal->table);
        return 0;
}

static void print_line(const char *label, const char *value) {
        _cleanup_(freep) char *clean = NULL;

        if (str_empty(value))
                return;
        clean = utf8_clean(value);
        printf("%20s: %s\n", label, clean ? clean : "(out of memory)");
}

/* Those with files on the volume, and whether they are as the writer wants them. */
static void print_writers(char *const *writers) {
        STRV_FOREACH (entry, writers) {
                _cleanup_(freep) char *text = NULL;
                struct copy_writer w;

                if (!copy_writer_parse(&w, *entry))
                        continue;
                if (w.failure == S_OK)
                        print_line("Writer", w.name);
                else if (str_format(&text, "%s: failed, its files are not consistent (%s)", w.name,
                                    MESSAGE_CODE(w.failure)) >= 0)
                        print_line("Writer", text);
        }
}

/* What is for another host has no requester to go with as yet. */
static const char *persistence(const VSS_SNAPSHOT_INFO *s) {
        LONG attributes = s->properties.m_lSnapshotAttributes;

        if (attributes & VSS_VOLSNAP_ATTR_PERSISTENT)
                return copy_ends_with_boot(s->provider) ? "until the machine stops" : "yes";
        if (is_away(s))
                return "until it is deleted, or who imports it ends";
        return "no";
}

/* NULL: it has none, as a directory, or nobody can say. Of a full one there are no figures. */
static const char *store_text(const VSS_SNAPSHOT_INFO *s, char buf[static 3 * TEXT_SHORT_MAX]) {
        if (s->overflowed)
                return "full, the copy is lost";
        if (s->maximum_bytes == 0)
                return NULL;
        snprintf(buf, 3 * TEXT_SHORT_MAX, "%s used of %s", TEXT_SIZE(s->used_bytes),
                 TEXT_SIZE(s->maximum_bytes));
        return buf;
}

void snapshot_print_details(const VSS_SNAPSHOT_INFO *s, const VSS_REVERT_INFO *revert) {
        const VSS_SNAPSHOT_PROP *p = &s->properties;
        int64_t created = unix_seconds(p->m_tsCreationTimestamp), now = (int64_t)time(NULL);
        char used[3 * TEXT_SHORT_MAX], when[3 * TEXT_SHORT_MAX];

        print_line("Snapshot", ID_TEXT(p->m_SnapshotId, true));
        print_line("Set", ID_TEXT(p->m_SnapshotSetId, true));
        print_line("Volume", p->m_pwszOriginalVolumeName);
        print_line("Asked for as", s->volume_display_name);
        print_line("Files", s->file_system ? p->m_pwszSnapshotDeviceObject : NULL);
        print_line("Block device", s->block_device);
        print_line("File system", s->file_system);
        snprintf(when, sizeof(when), "%s (%s)", TEXT_RFC3339(created),
                 TEXT_RELATIVE_TIME(created, now));
        print_line("Created", when);
        if (s->expires > 0) {
                snprintf(when, sizeof(when), "%s (%s)", TEXT_RFC3339((int64_t)s->expires),
                         TEXT_RELATIVE_TIME((int64_t)s->expires, now));
                print_line("Expires", when);
        }
        print_line("Context", VssContextToString(s->context));
        print_line("Consistency", s->consistency);
        print_line("Reason", s->consistency_reason);
        print_writers(s->writers);
        print_line("Persistent", persistence(s));
        print_line("Provider", s->provider);
        if (p->m_lSnapshotAttributes & VSS_VOLSNAP_ATTR_TRANSPORTABLE)
                print_line("Transportable", is_away(s) ? "yes, and not here before it is imported"
                                                       : "yes, imported");
        print_line("Store", store_text(s, used));
        print_line(p->m_lSnapshotAttributes & VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY ? "Shared as"
                                                                                : "Exposed as",
                   p->m_pwszExposedName);
        print_line("Of it", p->m_pwszExposedPath);
        if (revert) {
                print_line("Volume now", revert_text(revert, (char[REVERT_TEXT_MAX]){ 0 }));
                print_line("Failure", revert->message);
        }
        print_line("Machine", p->m_pwszOriginatingMachine);
}
