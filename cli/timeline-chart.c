/* The chart of a set. Two panels, each a time axis over rows of bars; the rows are the subjects of
 * the steps, which come one behind the other. All coordinates are pixels, from the upper left. */

#include "cli/timeline-chart.h"

#include "cli/output-table.h"
#include "cli/output-text.h"
#include "common/time-util.h"
#include "common/utf8.h"

#define WIDTH 1200.0
#define PLOT_LEFT 230.0
#define PLOT_RIGHT 1165.0
#define MARGIN 30.0
#define ROW 24.0
#define BAR 14.0
#define BAR_WIDTH_MIN 1.5
#define LABEL_COLUMNS 28U
#define COLUMN 6.3 /* of a character of the labels in bars and legends, about */
#define TICKS_MAX 10U

static const struct {
        const char *name; /* of a phase or step */
        const char *colour;
} colours[] = {
        { "PrepareSnapshot", "#7088c8" },
        { "Stage", "#8d99a8" },
        { "Freeze", "#2f9fd0" },
        { "Flush", "#e3a336" },
        { "Window", "#d3455b" },
        { "Suspend", "#e0703c" },
        { "Commit", "#8a4fb5" },
        { "Resume", "#4a9d5b" },
        { "Thaw", "#63bd8a" },
        { "Finish", "#2a9d8f" },
        { "Mount", "#57b8ad" },
        { "PostSnapshot", "#5a6fc0" },
        { "Seal", "#58656f" },
};
#define OTHER_COLOUR "#a0a0a0"
#define FAILED_COLOUR "#c00020"
#define FROZEN_COLOUR "#2f9fd0"
#define HELD_COLOUR "#d3455b"

static const struct {
        const char *kind;
        const char *heading;
} groups[] = {
        { "provider", "Providers" },
        { "writer", "Writers" },
        { "volume", "Volumes" },
};

/* A stretch of time and where it is drawn. */
struct axis {
        uint64_t begin_usec, end_usec;
        uint64_t zero_usec; /* what is called 0 */
};

struct chart {
        const VSS_SET_TIMELINE *t;
        FILE *f;
        double y; /* of what is drawn next */
};

static const char *colour_of(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
                if (streq(colours[i].name, name))
                        return colours[i].colour;
        return OTHER_COLOUR;
}

/* Text from elsewhere: no markup, and only characters that XML can hold. */
static void put_character(FILE *f, uint32_t character) {
        char encoded[4];

        switch (character) {
        case '&': fputs("&amp;", f); return;
        case '<': fputs("&lt;", f); return;
        case '>': fputs("&gt;", f); return;
        case '"': fputs("&quot;", f); return;
        case '\'': fputs("&apos;", f); return;
        }
        if (utf8_is_control(character) || character == 0xFFFE || character == 0xFFFF)
                character = UTF8_REPLACEMENT;
        (void)fwrite(encoded, 1, utf8_encode(character, encoded), f); /* who closes f looks */
}

static void put_text(FILE *f, const char *s) {
        while (*s != '\0') {
                uint32_t character;

                s += utf8_decode(s, &character);
                put_character(f, character);
        }
}

/* Not more than columns of it: of a path its end is kept, of everything else its beginning. */
static void put_clipped(FILE *f, const char *s, size_t columns) {
        size_t width = text_width(s), used = 0;
        uint32_t character;

        if (width <= columns) {
                put_text(f, s);
                return;
        }
        if (s[0] == '/') {
                for (; width >= columns && *s != '\0'; width = text_width(s))
                        s += utf8_decode(s, &character);
                fputs("\xe2\x80\xa6", f);
                put_text(f, s);
                return;
        }
        while (*s != '\0') {
                size_t n = utf8_decode(s, &character);
                char one[5] = { 0 };

                memcpy(one, s, n);
                used += text_width(one);
                if (used >= columns)
                        break;
                put_character(f, character);
                s += n;
        }
        fputs("\xe2\x80\xa6", f);
}

static double x_of(const struct axis *a, uint64_t usec) {
        double span = (double)(a->end_usec - a->begin_usec);

        if (usec < a->begin_usec)
                usec = a->begin_usec;
        if (usec > a->end_usec)
                usec = a->end_usec;
        return PLOT_LEFT + (PLOT_RIGHT - PLOT_LEFT) * (double)(usec - a->begin_usec) / span;
}

static void text_at(struct chart *c, double x, double y, const char *class, const char *s) {
        fprintf(c->f, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
        put_text(c->f, s);
        fputs("</text>\n", c->f);
}

/* What the pointer is told: WHOSE: WHAT, from when on, how long. */
static void put_title(struct chart *c, const struct axis *a, const char *whose, const char *what,
                      uint64_t begin_usec, uint64_t end_usec, HRESULT failure) {
        fputs("<title>", c->f);
        if (!str_empty(whose)) {
                put_text(c->f, whose);
                fputs(": ", c->f);
        }
        put_text(c->f, what);
        fprintf(c->f, ", %s from %.1f ms on", TEXT_DURATION(end_usec - begin_usec),
                ((double)begin_usec - (double)a->zero_usec) / (double)USEC_PER_MSEC);
        if (failure != S_OK) {
                fputs(", failed: ", c->f);
                put_text(c->f, str_or_empty(VssHresultName(failure)));
        }
        fputs("</title>", c->f);
}

struct bar {
        const char *whose, *what;
        uint64_t begin_usec, end_usec;
        HRESULT failure;
        const char *class, *colour;
        double height;
        bool labelled; /* in the bar, where it fits */
};

/* y: the middle of the row. */
static void draw_bar(struct chart *c, const struct axis *a, double y, const struct bar *b) {
        double x = x_of(a, b->begin_usec), width = x_of(a, b->end_usec) - x;
        char label[64];

        if (b->end_usec < a->begin_usec || b->begin_usec > a->end_usec)
                return;
        if (width < BAR_WIDTH_MIN)
                width = BAR_WIDTH_MIN;
        fprintf(c->f,
                "<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" "
                "rx=\"2\" fill=\"%s\">",
                b->class, x, y - b->height / 2, width, b->height,
                b->failure != S_OK ? FAILED_COLOUR : b->colour);
        put_title(c, a, b->whose, b->what, b->begin_usec, b->end_usec, b->failure);
        fputs("</rect>\n", c->f);

        if (!b->labelled)
                return;
        (void)snprintf(label, sizeof(label), "%.30s %s", b->what,
                       TEXT_DURATION(b->end_usec - b->begin_usec));
        if ((double)text_width(label) * COLUMN + 8 > width)
                (void)snprintf(label, sizeof(label), "%.30s", b->what);
        if ((double)text_width(label) * COLUMN + 8 <= width)
                text_at(c, x + width / 2, y + 4, "in", label);
}

/* 1, 2 or 5 times a power of ten. */
static uint64_t tick_usec(uint64_t span_usec) {
        static const unsigned factors[] = { 1, 2, 5 };

        for (uint64_t power = 1;; power *= 10)
                for (size_t i = 0; i < ARRAY_SIZE(factors); i++)
                        if (span_usec / (power * factors[i]) < TICKS_MAX)
                                return power * factors[i];
}

/* The lines of the axis over rows that end at bottom, and its figures above them. */
static void draw_axis(struct chart *c, const struct axis *a, double bottom) {
        uint64_t tick = tick_usec(a->end_usec - a->begin_usec);
        bool seconds = a->end_usec - a->zero_usec >= USEC_PER_SEC;
        double unit = seconds ? (double)USEC_PER_SEC : (double)USEC_PER_MSEC;

        fprintf(c->f, "<g class=\"axis\">\n");
        for (uint64_t at = a->zero_usec; at <= a->end_usec; at += tick) {
                double x = x_of(a, at);

                fprintf(c->f, "<line x1=\"%.2f\" y1=\"%.1f\" x2=\"%.2f\" y2=\"%.1f\"/>\n", x,
                        c->y + 18, x, bottom);
                fprintf(c->f, "<text x=\"%.2f\" y=\"%.1f\">%g%s</text>\n", x, c->y + 12,
                        (double)(at - a->zero_usec) / unit, seconds ? " s" : " ms");
        }
        fputs("</g>\n", c->f);
}

static void draw_band(struct chart *c, const struct axis *a, const char *name, uint64_t begin_usec,
                      uint64_t end_usec, double bottom) {
        double x = x_of(a, begin_usec);

        fprintf(c->f,
                "<rect class=\"band\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" "
                "fill=\"%s\"/>\n",
                x, c->y + 20, x_of(a, end_usec) - x, bottom - c->y - 20, colour_of(name));
}

static void draw_label(struct chart *c, const char *name) {
        fprintf(c->f, "<text x=\"%.1f\" y=\"%.1f\" class=\"label\">", PLOT_LEFT - 10,
                c->y + ROW / 2 + 4);
        put_clipped(c->f, name, LABEL_COLUMNS);
        fputs("</text>\n", c->f);
}

static bool same_subject(const VSS_SET_STEP *a, const VSS_SET_STEP *b) {
        return streq(a->kind, b->kind) && streq(str_or_empty(a->id), str_or_empty(b->id));
}

/* The index behind the last step of the subject that begins at first. */
static UINT subject_end(const VSS_SET_TIMELINE *t, UINT first) {
        UINT i = first;

        while (i < t->n_steps && same_subject(&t->steps[i], &t->steps[first]))
                i++;
        return i;
}

/* Those of a kind; all of them are rows. */
static unsigned count_subjects(const VSS_SET_TIMELINE *t, const char *kind) {
        unsigned n = 0;

        for (UINT i = 0; i < t->n_steps; i = subject_end(t, i))
                n += streq(t->steps[i].kind, kind);
        return n;
}

static const VSS_SET_STEP *find_step(const VSS_SET_TIMELINE *t, UINT first, UINT end,
                                     const char *name) {
        for (UINT i = first; i < end; i++)
                if (streq(t->steps[i].step, name))
                        return &t->steps[i];
        return NULL;
}

/* What lies between two steps of a subject: frozen, held. */
static void draw_between(struct chart *c, const struct axis *a, UINT first, UINT end,
                         const char *from, const char *to, struct bar bar) {
        const VSS_SET_STEP *begin = find_step(c->t, first, end, from);
        const VSS_SET_STEP *stop = find_step(c->t, first, end, to);

        if (!begin || !stop || stop->begin_usec < begin->end_usec)
                return;
        bar.whose = begin->name;
        bar.begin_usec = begin->end_usec;
        bar.end_usec = stop->begin_usec;
        draw_bar(c, a, c->y + ROW / 2, &bar);
}

static void draw_subject(struct chart *c, const struct axis *a, UINT first, UINT end) {
        fprintf(c->f, "<g class=\"subject %s\">\n", c->t->steps[first].kind);
        draw_label(c, str_or_empty(c->t->steps[first].name));
        draw_between(c, a, first, end, "Freeze", "Thaw",
                     (struct bar){ .what = "frozen",
                                   .class = "between",
                                   .colour = FROZEN_COLOUR,
                                   .height = BAR / 2 });
        draw_between(c, a, first, end, "Suspend", "Resume",
                     (struct bar){ .what = "writes held",
                                   .class = "between",
                                   .colour = HELD_COLOUR,
                                   .height = BAR / 2 });
        for (UINT i = first; i < end; i++) {
                const VSS_SET_STEP *s = &c->t->steps[i];

                draw_bar(c, a, c->y + ROW / 2,
                         &(const struct bar){ .whose = s->name,
                                              .what = s->step,
                                              .begin_usec = s->begin_usec,
                                              .end_usec = s->end_usec,
                                              .failure = s->failure,
                                              .class = "bar",
                                              .colour = colour_of(s->step),
                                              .height = BAR,
                                              .labelled = true });
        }
        fputs("</g>\n", c->f);
        c->y += ROW;
}

static void draw_group(struct chart *c, const struct axis *a, const char *kind,
                       const char *heading) {
        if (count_subjects(c->t, kind) == 0)
                return;
        text_at(c, MARGIN, c->y + ROW / 2 + 6, "heading", heading);
        c->y += ROW;
        for (UINT i = 0; i < c->t->n_steps; i = subject_end(c->t, i))
                if (streq(c->t->steps[i].kind, kind))
                        draw_subject(c, a, i, subject_end(c->t, i));
}

/* A square and what it stands for; several in a line. */
static void draw_legend_item(struct chart *c, double *x, const char *class, const char *colour,
                             const char *label) {
        double width = (double)text_width(label) * COLUMN + 40;

        if (*x + width > WIDTH - MARGIN) {
                *x = MARGIN;
                c->y += ROW;
        }
        fprintf(c->f,
                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" "
                "rx=\"2\" fill=\"%s\"/>\n",
                class, *x, c->y + 6, colour);
        text_at(c, *x + 18, c->y + 16, "legend", label);
        *x += width;
}

static void draw_legend_time(struct chart *c, double *x, const char *name, uint64_t usec) {
        char label[64];

        (void)snprintf(label, sizeof(label), "%.30s %s", name, TEXT_DURATION(usec));
        draw_legend_item(c, x, "key", colour_of(name), label);
}

/* What is no phase, if it is to be seen. */
static void draw_legend_rest(struct chart *c, double *x) {
        bool frozen = false, failed = false;

        for (UINT i = 0; i < c->t->n_steps; i++) {
                frozen = frozen || streq(c->t->steps[i].step, "Thaw");
                failed = failed || c->t->steps[i].failure != S_OK;
        }
        if (count_subjects(c->t, "volume") > 0)
                draw_legend_item(c, x, "key", colour_of("Mount"), "Mount");
        if (frozen)
                draw_legend_item(c, x, "key between", FROZEN_COLOUR, "frozen");
        if (failed)
                draw_legend_item(c, x, "key", FAILED_COLOUR, "failed");
}

static void draw_phases(struct chart *c, const struct axis *a) {
        draw_label(c, "Phases");
        for (UINT i = 0; i < c->t->count; i++) {
                const VSS_SET_PHASE *p = &c->t->phases[i];

                draw_bar(c, a, c->y + ROW / 2,
                         &(const struct bar){ .what = p->name,
                                              .begin_usec = p->begin_usec,
                                              .end_usec = p->end_usec,
                                              .class = "phase",
                                              .colour = colour_of(p->name),
                                              .height = ROW - 4,
                                              .labelled = true });
        }
        c->y += ROW + 4;
}

static void draw_whole(struct chart *c, const struct axis *a) {
        double bottom = c->y + 20 + ROW + 4, x = MARGIN;

        for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
                unsigned n = count_subjects(c->t, groups[i].kind);

                bottom += n > 0 ? (n + 1) * ROW : 0;
        }
        for (UINT i = 0; i < c->t->count; i++)
                draw_band(c, a, c->t->phases[i].name, c->t->phases[i].begin_usec,
                          c->t->phases[i].end_usec, bottom);
        draw_axis(c, a, bottom);
        c->y += 20;
        draw_phases(c, a);
        for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
                draw_group(c, a, groups[i].kind, groups[i].heading);
        c->y = bottom + 8;
        for (UINT i = 0; i < c->t->count; i++)
                draw_legend_time(c, &x, c->t->phases[i].name,
                                 c->t->phases[i].end_usec - c->t->phases[i].begin_usec);
        draw_legend_rest(c, &x);
        c->y += ROW + 16;
}

/* The steps of all volumes together; false: there was no window. */
static bool find_window(const VSS_SET_TIMELINE *t, UINT *ret_first, UINT *ret_end) {
        for (UINT i = 0; i < t->n_steps; i = subject_end(t, i))
                if (streq(t->steps[i].kind, "window")) {
                        *ret_first = i;
                        *ret_end = subject_end(t, i);
                        return t->steps[*ret_end - 1].end_usec > t->steps[i].begin_usec;
                }
        return false;
}

static void draw_window(struct chart *c, UINT first, UINT end) {
        const VSS_SET_STEP *steps = c->t->steps;
        uint64_t begin_usec = steps[first].begin_usec, end_usec = steps[end - 1].end_usec;
        const struct axis a = {
                .begin_usec = begin_usec - (begin_usec < (end_usec - begin_usec) / 40
                                                    ? begin_usec
                                                    : (end_usec - begin_usec) / 40),
                .end_usec = end_usec + (end_usec - begin_usec) / 40 + 1,
                .zero_usec = begin_usec,
        };
        double bottom = c->y + 46 + count_subjects(c->t, "volume") * ROW, x = MARGIN;
        const VSS_SET_STEP *suspend = find_step(c->t, first, end, "Suspend");

        text_at(c, MARGIN, c->y + 14, "panel", "The window");
        c->y += 22;
        bottom += 22;
        for (UINT i = first; i < end; i++)
                draw_band(c, &a, steps[i].step, steps[i].begin_usec, steps[i].end_usec, bottom);
        draw_axis(c, &a, bottom);
        c->y += 20;
        for (UINT i = 0; i < c->t->n_steps; i = subject_end(c->t, i))
                if (streq(steps[i].kind, "volume"))
                        draw_subject(c, &a, i, subject_end(c->t, i));
        if (suspend) {
                double at = x_of(&a, suspend->end_usec);

                fprintf(c->f,
                        "<line class=\"instant\" x1=\"%.2f\" y1=\"%.1f\" x2=\"%.2f\" "
                        "y2=\"%.1f\"/>\n",
                        at, c->y - count_subjects(c->t, "volume") * ROW, at, bottom - 12);
                fprintf(c->f,
                        "<text x=\"%.2f\" y=\"%.1f\" class=\"instant\" text-anchor=\"%s\">all "
                        "are suspended: the instant of the copies</text>\n",
                        at, bottom, at > (PLOT_LEFT + PLOT_RIGHT) / 2 ? "end" : "start");
        }
        c->y = bottom + 8;
        for (UINT i = first; i < end; i++)
                draw_legend_time(c, &x, steps[i].step, steps[i].end_usec - steps[i].begin_usec);
        draw_legend_item(c, &x, "key between", HELD_COLOUR, "writes held");
        c->y += ROW + 8;
}

static const char style[] =
        "text { font-family: 'DejaVu Sans', Verdana, Arial, sans-serif; fill: #1f2933; }\n"
        ".title { font-size: 20px; font-weight: bold; }\n"
        ".subtitle { font-size: 13px; fill: #52606d; }\n"
        ".panel { font-size: 15px; font-weight: bold; }\n"
        ".heading { font-size: 12px; font-weight: bold; fill: #52606d; }\n"
        ".label { font-size: 12px; text-anchor: end; }\n"
        ".legend { font-size: 11px; fill: #52606d; }\n"
        ".in { font-size: 10px; fill: #ffffff; text-anchor: middle; pointer-events: none; }\n"
        ".axis text { font-size: 11px; fill: #7b8794; text-anchor: middle; }\n"
        ".axis line { stroke: #cbd2d9; stroke-width: 1; stroke-dasharray: 1 2; }\n"
        ".band { opacity: 0.10; }\n"
        ".between { opacity: 0.35; }\n"
        "line.instant { stroke: #1f2933; stroke-width: 1; stroke-dasharray: 4 3; }\n"
        "text.instant { font-size: 11px; fill: #1f2933; }\n";

/* The end of the time that is drawn. */
static uint64_t last_usec(const VSS_SET_TIMELINE *t) {
        uint64_t usec = 1;

        for (UINT i = 0; i < t->count; i++)
                if (t->phases[i].end_usec > usec)
                        usec = t->phases[i].end_usec;
        for (UINT i = 0; i < t->n_steps; i++)
                if (t->steps[i].end_usec > usec)
                        usec = t->steps[i].end_usec;
        return usec;
}

static void draw(struct chart *c, const char *title, const char *subtitle) {
        const struct axis whole = { .end_usec = last_usec(c->t) };
        UINT first, end;

        text_at(c, MARGIN, 40, "title", title);
        text_at(c, MARGIN, 62, "subtitle", subtitle);
        c->y = 84;
        draw_whole(c, &whole);
        if (find_window(c->t, &first, &end))
                draw_window(c, first, end);
}

int timeline_chart_print(const VSS_SET_TIMELINE *t, const char *title, const char *subtitle,
                         FILE *stream) {
        _cleanup_(freep) char *body = NULL;
        struct chart c = { .t = t };
        bool failed;
        size_t size;

        /* Drawn first: only then is it known how high it is. */
        c.f = open_memstream(&body, &size);
        if (!c.f)
                return -ENOMEM;
        draw(&c, title, subtitle);
        failed = ferror(c.f);
        if (fclose(c.f) != 0 || failed)
                return -ENOMEM;
        fprintf(stream,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" "
                "width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n"
                "<style>\n%s</style>\n"
                "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n%s</svg>\n",
                WIDTH, c.y + MARGIN, WIDTH, c.y + MARGIN, style, body);
        return 0;
}
