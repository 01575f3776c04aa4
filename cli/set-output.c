/* A set that was just made, as a table or as a document. */

#include "cli/set-output.h"

#include "cli/failure-output.h"
#include "cli/set-writers.h"
#include "cli/snapshot-output.h"

/* One that is for another host has none. */
static const char *device_object(const VSS_SNAPSHOT_INFO *s) {
        const char *path = s->properties.m_pwszSnapshotDeviceObject;

        return str_empty(path) ? "-" : path;
}

int set_print(const struct backup_set *s, const struct terminal *terminal, bool timeline) {
        static const struct table_column columns[] = {
                { .title = "VOLUME", .shrink = true },
                { .title = "COPY", .shrink = true },
                { .title = "SNAPSHOT" },
        };
        _cleanup_(table_freep) struct table *table = NULL;
        char id[VSS_ID_STRING_SIZE];
        int r;

        r = table_new(&table, columns, ARRAY_SIZE(columns));
        for (size_t i = 0; r >= 0 && i < s->n_copies; i++)
                r = table_add(table, TABLE_ROW_PLAIN,
                              (const char *const[]){
                                      s->volumes[i],
                                      device_object(s->copies[i]),
                                      VssIdToString(s->snapshot_ids[i], id),
                              });
        if (r < 0)
                return r;

        printf("Snapshot set %s, context %s\n", VssIdToString(s->id, id),
               str_or_empty(VssContextToString(s->context)));
        table_print(table, stdout, &terminal->table);
        if (timeline) {
                putchar('\n');
                timeline_print(&s->timeline, stdout);
        }
        fflush(stdout);
        return 0;
}

static void failed_writers_json(const struct backup_set *s, struct json *j, const char *key) {
        json_array_begin(j, key);
        for (size_t i = 0; i < s->n_failed_writers; i++) {
                const struct failed_writer *w = &s->failed_writers[i];
                char text[VSS_ID_STRING_SIZE];

                json_object_begin(j, NULL);
                json_string(j, "name", w->name);
                json_string(j, "writer_id", VssIdToString(w->writer_id, text));
                json_string(j, "instance_id", VssIdToString(w->instance_id, text));
                json_int(j, "state", w->state);
                json_string(j, "state_name", str_or_empty(VssWriterStateToString(w->state)));
                failure_json(j, w->failure);
                json_string_or_null(j, "failure_message", w->message);
                json_object_end(j);
        }
        json_array_end(j);
}

void set_print_json(const struct backup_set *s, FILE *stream, bool timeline) {
        _cleanup_(set_writers_release) VSS_SET_WRITER_INFO **writers = NULL;
        char id[VSS_ID_STRING_SIZE];
        struct json j;

        /* The set is made: what cannot be read of it any more is no failure. */
        (void)VssListSetWriters(s->id, &writers, NULL);
        json_init(&j, stream);
        json_object_begin(&j, NULL);
        json_string(&j, "snapshot_set_id", VssIdToString(s->id, id));
        json_string(&j, "context", VssContextToString(s->context));
        json_bool(&j, "persistent", backup_set_is_persistent(s));
        json_array_begin(&j, "snapshots");
        for (size_t i = 0; i < s->n_copies; i++)
                snapshot_json(&j, NULL, s->copies[i]);
        json_array_end(&j);
        set_writers_json(&j, writers);
        failed_writers_json(s, &j, "failed_writers");
        if (timeline)
                timeline_json(&s->timeline, &j);
        json_object_end(&j);
        json_done(&j);
        fflush(stream);
}
