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

void timeline_enter(struct timeline *t, const char *name) {
        struct timeline_phase *grown, *last = t->n_phases > 0 ? &t->phases[t->n_phases - 1] : NULL;
        _cleanup_(freep) char *copy = NULL;

        if (str_empty(name) || (last && last->end_usec == 0 && streq(last->name, name)))
                return;
        timeline_end(t);

        copy = strdup(name);
        if (!copy)
                return;
        grown = reallocarray(t->phases, t->n_phases + 1, sizeof(*grown));
        if (!grown)
                return;
        t->phases = grown;
        t->phases[t->n_phases++] = (struct timeline_phase){
                .name = TAKE_PTR(copy),
                .begin_usec = elapsed(t),
        };
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
}

void timeline_json(const struct timeline *t, struct json *j, const char *key) {
        json_array_begin(j, key);
        for (size_t i = 0; i < t->n_phases; i++) {
                const struct timeline_phase *p = &t->phases[i];

                json_object_begin(j, NULL);
                json_string(j, "phase", p->name);
                json_uint(j, "begin_ms", p->begin_usec / USEC_PER_MSEC);
                json_uint(j, "duration_ms", (p->end_usec - p->begin_usec) / USEC_PER_MSEC);
                json_object_end(j);
        }
        json_array_end(j);
}
