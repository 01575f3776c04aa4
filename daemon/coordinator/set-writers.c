/* See set-writers.h. */

#include "daemon/coordinator/set-writers.h"

#include "common/document.h"
#include "common/vss-id.h"
#include "daemon/coordinator/writer-volumes.h"
#include "daemon/store/set-steps.h"
#include "daemon/writers/participant.h"

#include <stdio.h>

/* A record is kept for as long as the snapshot, and shown whole. */
#define LINES_MAX 256U

static const char *const absences[_PARTICIPANT_ABSENCE_MAX] = {
        [PARTICIPANT_NOT_ASKED] = "the requester left it out",
        [PARTICIPANT_NO_IDENTITY] = "it did not identify itself",
        [PARTICIPANT_NOT_ACCEPTED] = "it gave no valid metadata",
};

struct set_writers *set_writers_free(struct set_writers *w) {
        if (!w)
                return NULL;
        for (size_t i = 0; i < w->n; i++) {
                free(w->items[i].name);
                free(w->items[i].message);
                free(w->items[i].on);
                free(w->items[i].outside);
                document_unref(w->items[i].metadata);
        }
        free(w->items);
        free(w);
        return NULL;
}

/* NULL: it takes part. */
static const char *left_out(const struct participant_info *info, bool component_mode) {
        if (!info->involved)
                return component_mode ? "none of its components was chosen"
                                      : "the requester left it out";
        if (info->took_part)
                return NULL;
        if (info->failure == VSS_E_WRITER_STATUS_NOT_AVAILABLE)
                return "it takes part in as many backups as it can";
        return info->gone ? "it went away before the backup" : "it takes no part in backups";
}

static int add_participant(struct set_writers *w, const struct participant_info *info,
                           bool component_mode) {
        struct set_writer *item = &w->items[w->n++];

        *item = (struct set_writer){
                .class_id = info->class_id,
                .instance_id = info->instance_id,
                .name = strdup(info->name),
                .state = info->state,
                .failure = info->failure,
                .message = strdup(str_or_empty(info->message)),
                .left_out = left_out(info, component_mode),
                .metadata = document_ref(info->metadata),
        };
        return item->name && item->message ? 0 : -ENOMEM;
}

static int add_absent(struct set_writers *w, const struct absent_info *info) {
        struct set_writer *item = &w->items[w->n++];

        *item = (struct set_writer){
                .class_id = info->class_id,
                .instance_id = info->instance_id,
                .name = strdup(info->name),
                .state = VSS_WS_UNKNOWN,
                .left_out = absences[info->why],
        };
        return item->name ? 0 : -ENOMEM;
}

int set_writers_new(struct set_writers **ret, const struct participants *participants,
                    bool component_mode) {
        _cleanup_(set_writers_freep) struct set_writers *w = calloc(1, sizeof(*w));
        size_t n = participants ? participants_count(participants) : 0;
        size_t n_absent = participants ? participants_count_absent(participants) : 0;
        int r = 0;

        if (!w)
                return -ENOMEM;
        w->items = calloc(n + n_absent + 1, sizeof(*w->items));
        if (!w->items)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                struct participant_info info;

                participants_get(participants, i, &info);
                r = add_participant(w, &info, component_mode);
        }
        for (size_t i = 0; r >= 0 && i < n_absent; i++) {
                struct absent_info info;

                participants_get_absent(participants, i, &info);
                r = add_absent(w, &info);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

int set_writers_locate(struct set_writers *w, const struct volume *const *volumes, size_t n) {
        _cleanup_(volume_map_freep) struct volume_map *map = NULL;
        int r;

        if (w->n == 0)
                return 0;
        r = volume_map_new(&map, volumes, n);
        for (size_t i = 0; r >= 0 && i < w->n; i++) {
                struct set_writer *item = &w->items[i];

                free(TAKE_PTR(item->on));
                free(TAKE_PTR(item->outside));
                item->on = calloc(n > 0 ? n : 1, sizeof(*item->on));
                if (item->on)
                        item->located =
                                volume_map_find(map, item->metadata, item->on, &item->outside);
                else
                        r = -ENOMEM;
        }
        w->n_volumes = n;
        return r;
}

void set_writers_note_steps(const struct participants *participants, struct set_steps *steps) {
        static const enum writer_event_type types[] = {
                WRITER_EVENT_PREPARE_SNAPSHOT, WRITER_EVENT_FREEZE, WRITER_EVENT_THAW,
                WRITER_EVENT_POST_SNAPSHOT,    WRITER_EVENT_ABORT,
        };

        for (size_t i = 0; i < participants_count(participants); i++) {
                struct participant_info info;

                participants_get(participants, i, &info);
                for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
                        const struct participant_times *times = &info.times[types[k]];

                        set_steps_add(steps, &(const struct set_step){
                                                     .kind = SET_STEP_WRITER,
                                                     .id = VSS_ID_TEXT(info.instance_id),
                                                     .name = info.name,
                                                     .step = writer_event_type_to_string(types[k]),
                                                     .begin_usec = times->begin_usec,
                                                     .end_usec = times->end_usec,
                                                     .failure = times->failure,
                                             });
                }
        }
}

static unsigned write_lines(FILE *f, const struct set_writers *w, size_t i, bool failed,
                            unsigned n) {
        for (size_t k = 0; k < w->n && n < LINES_MAX; k++) {
                const struct set_writer *item = &w->items[k];
                size_t length = strcspn(item->name, "\n");

                if (item->left_out || !item->on[i] || (item->failure != S_OK) != failed)
                        continue;
                fprintf(f, "%s%s %s 0x%08x %.*s", n > 0 ? "\n" : "", VSS_ID_TEXT(item->class_id),
                        VSS_ID_TEXT(item->instance_id), (unsigned)item->failure, (int)length,
                        item->name);
                n++;
        }
        return n;
}

int set_writers_describe(const struct set_writers *w, size_t i, char **ret) {
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        bool failed;
        unsigned n;

        if (!f)
                return -ENOMEM;
        n = write_lines(f, w, i, true, 0);
        n = write_lines(f, w, i, false, n);
        failed = ferror(f);
        if (fclose(f) != 0 || failed) {
                free(text);
                return -ENOMEM;
        }
        if (n == 0) {
                free(text);
                text = NULL;
        }
        *ret = text;
        return 0;
}
