/* See set-writers.h. */

#include "daemon/coordinator/set-writers.h"

#include "common/document.h"
#include "common/vss-id.h"
#include "daemon/coordinator/writer-volumes.h"
#include "daemon/writers/participant.h"

#include <stdio.h>

/* A record is kept for as long as the snapshot, and shown whole. */
#define LINES_MAX 256U

struct set_writer {
        VSS_ID class_id, instance_id;
        char *name;
        HRESULT failure;
        struct document *metadata;
        bool *on; /* of each volume */
};

struct set_writers {
        struct set_writer *items;
        size_t n;
};

struct set_writers *set_writers_free(struct set_writers *w) {
        if (!w)
                return NULL;
        for (size_t i = 0; i < w->n; i++) {
                free(w->items[i].name);
                free(w->items[i].on);
                document_unref(w->items[i].metadata);
        }
        free(w->items);
        free(w);
        return NULL;
}

int set_writers_new(struct set_writers **ret, const struct participants *participants) {
        _cleanup_(set_writers_freep) struct set_writers *w = calloc(1, sizeof(*w));
        size_t n = participants_count(participants);

        if (!w)
                return -ENOMEM;
        w->items = calloc(n > 0 ? n : 1, sizeof(*w->items));
        if (!w->items)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                struct participant_info info;
                struct set_writer *item = &w->items[w->n];

                participants_get(participants, i, &info);
                if (!info.involved || !info.took_part)
                        continue;
                *item = (struct set_writer){
                        .class_id = info.class_id,
                        .instance_id = info.instance_id,
                        .name = strdup(info.name),
                        .failure = info.failure,
                        .metadata = document_ref(info.metadata),
                };
                w->n++;
                if (!item->name)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(w);
        return 0;
}

int set_writers_locate(struct set_writers *w, const struct volume *const *volumes, size_t n) {
        _cleanup_(volume_map_freep) struct volume_map *map = NULL;
        int r;

        if (!w)
                return 0;
        r = volume_map_new(&map, volumes, n);
        for (size_t i = 0; r >= 0 && i < w->n; i++) {
                struct set_writer *item = &w->items[i];

                free(item->on);
                item->on = calloc(n > 0 ? n : 1, sizeof(*item->on));
                if (item->on)
                        (void)volume_map_find(map, item->metadata, item->on);
                else
                        r = -ENOMEM;
        }
        return r;
}

bool set_writers_are_consistent(const struct set_writers *w, size_t i) {
        bool any = false;

        for (size_t k = 0; w && k < w->n; k++) {
                if (!w->items[k].on[i])
                        continue;
                if (w->items[k].failure != S_OK)
                        return false;
                any = true;
        }
        return any;
}

static unsigned write_lines(FILE *f, const struct set_writers *w, size_t i, bool failed,
                            unsigned n) {
        for (size_t k = 0; w && k < w->n && n < LINES_MAX; k++) {
                const struct set_writer *item = &w->items[k];
                size_t length = strcspn(item->name, "\n");

                if (!item->on[i] || (item->failure != S_OK) != failed)
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
