/* A writer is a line (set-text.h): CLASS INSTANCE CONSISTENCY STATE FAILURE NAME REASON VOLUME...
 */

#include "daemon/store/writer-reached.h"

#include "common/vss-id.h"
#include "daemon/store/set-text.h"

#include <inttypes.h>

#define WRITERS_MAX 256U
#define NAME_MAX_BYTES 128U
#define REASON_MAX_BYTES 512U
#define VOLUME_MAX_BYTES 256U

int writers_reached_print(const struct writer_reached *writers, size_t n, char **ret) {
        size_t size;
        FILE *f = open_memstream(ret, &size);

        if (!f)
                return -ENOMEM;
        fputs(SET_TEXT_VERSION, f);
        for (size_t i = 0; i < n && i < WRITERS_MAX; i++) {
                const struct writer_reached *w = &writers[i];

                fprintf(f, "\n%s\t%s\t%s\t%d\t0x%08" PRIx32 "\t", VSS_ID_TEXT(w->class_id),
                        VSS_ID_TEXT(w->instance_id), w->consistency, (int)w->state,
                        (uint32_t)w->failure);
                set_text_put(f, w->name, NAME_MAX_BYTES);
                fputc('\t', f);
                set_text_put(f, w->reason, REASON_MAX_BYTES);
                STRV_FOREACH (volume, w->volumes) {
                        fputc('\t', f);
                        set_text_put(f, *volume, VOLUME_MAX_BYTES);
                }
        }
        return set_text_end(f, ret);
}

/* 1: it is one; 0: it is not. -ENOMEM */
static int parse_writer(struct writer_reached *ret, char ***volumes, char *line) {
        const char *class = strsep(&line, "\t"), *instance = strsep(&line, "\t"), *volume;
        const char *consistency = strsep(&line, "\t"), *state = strsep(&line, "\t");
        const char *failure = strsep(&line, "\t");
        uint32_t hr;
        int number;

        *ret = (struct writer_reached){
                .consistency = consistency,
                .name = strsep(&line, "\t"),
                .reason = strsep(&line, "\t"),
        };
        if (!ret->reason || vss_id_parse(&ret->class_id, class) < 0 ||
            vss_id_parse(&ret->instance_id, instance) < 0 || sscanf(state, "%d", &number) != 1 ||
            number < 0 || number >= VSS_WS_COUNT || sscanf(failure, "0x%8" SCNx32, &hr) != 1)
                return 0;
        ret->state = (VSS_WRITER_STATE)number;
        ret->failure = (HRESULT)hr;
        while ((volume = strsep(&line, "\t")))
                if (strv_append(volumes, volume) < 0)
                        return -ENOMEM;
        ret->volumes = *volumes;
        return 1;
}

int writers_reached_parse(const char *text, writer_reached_fn fn, void *userdata) {
        _cleanup_(freep) char *copy = NULL;
        char *lines = NULL, *line;
        int r;

        r = set_text_open(text, &copy, &lines);
        if (r < 0 || !copy)
                return r;
        while ((line = strsep(&lines, "\n"))) {
                struct writer_reached w;
                char **volumes = NULL;

                r = parse_writer(&w, &volumes, line);
                if (r > 0)
                        r = fn(userdata, &w);
                strv_free(volumes);
                if (r < 0)
                        return r;
        }
        return 0;
}
