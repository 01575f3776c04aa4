/* Steps stand below the phase in which they began, in the order of time. */

#include "cli/timeline-steps.h"

#include "cli/failure-output.h"
#include "cli/output-table.h"
#include "cli/output-text.h"
#include "common/time-util.h"
#include "common/utf8.h"

#define WIDEST 60U

/* One line: a phase, or a step in it. */
struct line {
        uint64_t begin_usec, end_usec;
        const VSS_SET_STEP *step; /* NULL: it is the phase */
        UINT phase, at;           /* its phase, and its place before it was sorted */
        char *text;
};

static void lines_free(struct line *lines, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(lines[i].text);
        free(lines);
}

static int compare(uint64_t a, uint64_t b) {
        return a < b ? -1 : a > b;
}

static int by_time(const void *a, const void *b) {
        const struct line *x = a, *y = b;
        int r = compare(x->phase, y->phase);

        if (r == 0)
                r = compare(x->step != NULL, y->step != NULL);
        if (r == 0)
                r = compare(x->begin_usec, y->begin_usec);
        return r != 0 ? r : compare(x->at, y->at);
}

/* The last phase that had begun; the first if none had. */
static UINT phase_of(const VSS_SET_TIMELINE *t, uint64_t usec) {
        UINT phase = 0;

        for (UINT i = 0; i < t->count; i++)
                if (t->phases[i].begin_usec <= usec)
                        phase = i;
        return phase;
}

/* "  writer Mail store", and what it did if the phase does not say it. */
static char *step_text(const VSS_SET_TIMELINE *t, const VSS_SET_STEP *s, UINT phase) {
        const bool said = t->count > 0 && streq(t->phases[phase].name, s->step);
        const bool all = streq(s->kind, "window");
        _cleanup_(freep) char *text = NULL;

        if (str_format(&text, "  %s%s%s%s%s", all ? "all volumes" : s->kind,
                       str_empty(s->name) ? "" : " ", str_or_empty(s->name), said ? "" : ": ",
                       said ? "" : s->step) < 0)
                return NULL;
        return utf8_clean(text);
}

static int fill(struct line *lines, const VSS_SET_TIMELINE *t) {
        size_t n = 0;

        for (UINT i = 0; i < t->count; i++) {
                lines[n++] = (struct line){ .begin_usec = t->phases[i].begin_usec,
                                            .end_usec = t->phases[i].end_usec,
                                            .phase = i,
                                            .text = utf8_clean(t->phases[i].name) };
                if (!lines[n - 1].text)
                        return -ENOMEM;
        }
        for (UINT i = 0; i < t->n_steps; i++) {
                const VSS_SET_STEP *s = &t->steps[i];
                UINT phase = phase_of(t, s->begin_usec);

                lines[n++] = (struct line){ .begin_usec = s->begin_usec,
                                            .end_usec = s->end_usec,
                                            .step = s,
                                            .phase = phase,
                                            .at = i,
                                            .text = step_text(t, s, phase) };
                if (!lines[n - 1].text)
                        return -ENOMEM;
        }
        return 0;
}

static void print_line(const struct line *l, size_t widest, FILE *stream) {
        size_t width = text_width(l->text);

        fprintf(stream, "%10.4f s  %s%*s  %s", (double)l->begin_usec / (double)USEC_PER_SEC,
                l->text, (int)(width < widest ? widest - width : 0), "",
                TEXT_DURATION(l->end_usec - l->begin_usec));
        if (l->step && l->step->failure != S_OK)
                fprintf(stream, "  failed: %s",
                        VssHresultName(l->step->failure) ? VssHresultName(l->step->failure)
                                                         : "an unknown error");
        fputc('\n', stream);
}

int timeline_steps_print(const VSS_SET_TIMELINE *t, FILE *stream) {
        size_t n = (size_t)t->count + t->n_steps, widest = 0;
        struct line *lines = calloc(n + 1, sizeof(*lines));
        int r = lines ? fill(lines, t) : -ENOMEM;

        if (r >= 0) {
                qsort(lines, n, sizeof(*lines), by_time);
                for (size_t i = 0; i < n; i++)
                        if (text_width(lines[i].text) > widest)
                                widest = text_width(lines[i].text);
                for (size_t i = 0; i < n; i++)
                        print_line(&lines[i], widest < WIDEST ? widest : WIDEST, stream);
        }
        if (lines)
                lines_free(lines, n);
        if (r >= 0 && t->writes_held_usec > 0)
                fprintf(stream, "Writes were held for %s.\n", TEXT_DURATION(t->writes_held_usec));
        return r;
}

void timeline_steps_json(struct json *j, const VSS_SET_TIMELINE *t) {
        json_array_begin(j, "steps");
        for (UINT i = 0; i < t->n_steps; i++) {
                const VSS_SET_STEP *s = &t->steps[i];

                json_object_begin(j, NULL);
                json_string(j, "kind", s->kind);
                json_string_or_null(j, "id", s->id);
                json_string_or_null(j, "name", s->name);
                json_string(j, "step", s->step);
                json_uint(j, "begin_usec", s->begin_usec);
                json_uint(j, "duration_usec", s->end_usec - s->begin_usec);
                failure_json(j, s->failure);
                json_object_end(j);
        }
        json_array_end(j);
}
