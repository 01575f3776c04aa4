/* Phases, noted as they are seen. */

#include "cli/timeline.h"

#include "cli/output-table.h"
#include "cli/output-text.h"
#include "common/time-util.h"

static uint64_t elapsed(const struct timeline *t) {
        return now_monotonic_usec() - t->begin_usec;
}

void timeline_begin(struct timeline *t) {
        *t = (struct timeline){ .begin_usec = now_monotonic_usec() };
}

void timeline_end(struct timeline *t) {
        struct timeline_phase *last = t->n_phases > 0 ? &t->phases[t->n_phases - 1] : NULL;

        if (last && last->end_usec == 0)
                last->end_usec = elapsed(t);
}

static int append(struct timeline *t, const char *name, uint64_t begin_usec, uint64_t end_usec) {
        struct timeline_phase *grown;
        char *copy;

        grown = reallocarray(t->phases, t->n_phases + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        t->phases = grown;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        t->phases[t->n_phases++] = (struct timeline_phase){
                .name = copy,
                .begin_usec = begin_usec,
                .end_usec = end_usec,
        };
        return 0;
}

void timeline_enter(struct timeline *t, const char *name) {
        timeline_end(t);
        (void)append(t, name, elapsed(t), 0); /* a row less, no more */
}

void timeline_expand(struct timeline *t, const VSS_SET_TIMELINE *service) {
        uint64_t begin_usec = t->n_phases > 0 ? t->phases[t->n_phases - 1].begin_usec : 0;

        t->writes_held_usec = service->writes_held_usec;
        if (t->n_phases > 0 && service->count > 0)
                free(t->phases[--t->n_phases].name);
        for (UINT i = 0; i < service->count; i++) {
                const VSS_SET_PHASE *p = &service->phases[i];

                if (append(t, p->name, begin_usec + p->begin_usec, begin_usec + p->end_usec) < 0)
                        return; /* rows less, no more */
        }
}

void timeline_done(struct timeline *t) {
        for (size_t i = 0; i < t->n_phases; i++)
                free(t->phases[i].name);
        free(t->phases);
        *t = (struct timeline){ 0 };
}

void timeline_print(const struct timeline *t, FILE *stream) {
        size_t widest = 0;

        for (size_t i = 0; i < t->n_phases; i++)
                if (text_width(t->phases[i].name) > widest)
                        widest = text_width(t->phases[i].name);

        for (size_t i = 0; i < t->n_phases; i++) {
                const struct timeline_phase *p = &t->phases[i];

                fprintf(stream, "%9.3f s  %-*s  %s\n", (double)p->begin_usec / (double)USEC_PER_SEC,
                        (int)widest, p->name, TEXT_DURATION(p->end_usec - p->begin_usec));
        }
        if (t->writes_held_usec > 0)
                fprintf(stream, "Writes were held for %s.\n", TEXT_DURATION(t->writes_held_usec));
}

void timeline_json(const struct timeline *t, struct json *j) {
        json_uint(j, "writes_held_usec", t->writes_held_usec);
        json_array_begin(j, "timeline");
        for (size_t i = 0; i < t->n_phases; i++) {
                const struct timeline_phase *p = &t->phases[i];

                json_object_begin(j, NULL);
                json_string(j, "phase", p->name);
                json_uint(j, "begin_usec", p->begin_usec);
                json_uint(j, "duration_usec", p->end_usec - p->begin_usec);
                json_object_end(j);
        }
        json_array_end(j);
}
