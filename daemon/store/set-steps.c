/* The steps of a set, by subject. As text (set-text.h) a subject is a line "KIND ID NAME" and each
 * of its steps a line below it that begins with the separator: "" STEP BEGIN END [HRESULT]. */

#include "daemon/store/set-steps.h"

#include "daemon/store/set-text.h"

#include <inttypes.h>

#define SUBJECTS_MAX 1024U
#define STEPS_MAX 16U /* of a subject */
#define NAME_MAX_BYTES 128U
#define STEP_MAX_BYTES 32U

struct subject {
        enum set_step_kind kind;
        char *id, *name;
        struct set_step steps[STEPS_MAX]; /* without kind, id and name */
        size_t n;
};

struct set_steps {
        uint64_t origin_usec;
        struct subject *subjects;
        size_t n;
};

static const char *const kinds[_SET_STEP_KIND_MAX] = {
        [SET_STEP_PROVIDER] = "provider",
        [SET_STEP_WRITER] = "writer",
        [SET_STEP_VOLUME] = "volume",
        [SET_STEP_WINDOW] = "window",
};

const char *set_step_kind_to_string(enum set_step_kind kind) {
        return kind < _SET_STEP_KIND_MAX ? kinds[kind] : NULL;
}

int set_step_kind_from_string(const char *s) {
        for (int i = 0; i < _SET_STEP_KIND_MAX; i++)
                if (streq(kinds[i], s))
                        return i;
        return -EINVAL;
}

int set_steps_new(struct set_steps **ret, uint64_t origin_usec) {
        struct set_steps *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->origin_usec = origin_usec;
        *ret = s;
        return 0;
}

uint64_t set_steps_origin(const struct set_steps *s) {
        return s->origin_usec;
}

struct set_steps *set_steps_free(struct set_steps *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n; i++) {
                free(s->subjects[i].id);
                free(s->subjects[i].name);
        }
        free(s->subjects);
        free(s);
        return NULL;
}

static struct subject *find_subject(struct set_steps *s, const struct set_step *step) {
        struct subject *grown, *new;

        for (size_t i = s->n; i > 0; i--)
                if (s->subjects[i - 1].kind == step->kind &&
                    streq(s->subjects[i - 1].id, str_or_empty(step->id)))
                        return &s->subjects[i - 1];
        if (s->n == SUBJECTS_MAX)
                return NULL;
        grown = reallocarray(s->subjects, s->n + 1, sizeof(*grown));
        if (!grown)
                return NULL;
        s->subjects = grown;
        new = &grown[s->n];
        *new = (struct subject){
                .kind = step->kind,
                .id = strdup(str_or_empty(step->id)),
                .name = strdup(str_or_empty(step->name)),
        };
        if (!new->id || !new->name) {
                free(new->id);
                free(new->name);
                return NULL;
        }
        s->n++;
        return new;
}

void set_steps_add(struct set_steps *s, const struct set_step *step) {
        struct subject *subject;
        struct set_step *mine;

        if (step->begin_usec == 0 || step->begin_usec < s->origin_usec ||
            step->end_usec < step->begin_usec)
                return;
        subject = find_subject(s, step);
        if (!subject || subject->n == STEPS_MAX)
                return;
        mine = &subject->steps[subject->n++];
        *mine = *step;
        mine->id = mine->name = NULL;
        mine->begin_usec -= s->origin_usec;
        mine->end_usec -= s->origin_usec;
}

void set_steps_for_each(const struct set_steps *s, set_step_fn fn, void *userdata) {
        for (size_t i = 0; i < s->n; i++)
                for (size_t k = 0; k < s->subjects[i].n; k++) {
                        struct set_step step = s->subjects[i].steps[k];

                        step.id = s->subjects[i].id;
                        step.name = s->subjects[i].name;
                        fn(userdata, &step);
                }
}

int set_steps_print(const struct set_steps *s, char **ret) {
        size_t size;
        FILE *f = open_memstream(ret, &size);

        if (!f)
                return -ENOMEM;
        fputs(SET_TEXT_VERSION, f);
        for (size_t i = 0; i < s->n; i++) {
                const struct subject *subject = &s->subjects[i];

                fprintf(f, "\n%s\t", kinds[subject->kind]);
                set_text_put(f, subject->id, NAME_MAX_BYTES);
                fputc('\t', f);
                set_text_put(f, subject->name, NAME_MAX_BYTES);
                for (size_t k = 0; k < subject->n; k++) {
                        const struct set_step *step = &subject->steps[k];

                        fputs("\n\t", f);
                        set_text_put(f, step->step, STEP_MAX_BYTES);
                        fprintf(f, "\t%" PRIu64 "\t%" PRIu64, step->begin_usec, step->end_usec);
                        if (step->failure != S_OK)
                                fprintf(f, "\t0x%08" PRIx32, (uint32_t)step->failure);
                }
        }
        return set_text_end(f, ret);
}

/* "STEP BEGIN END [HRESULT]" into a step that has its subject. */
static bool parse_step(struct set_step *step, char *line) {
        const char *begin, *end, *failure;
        uint32_t hr = 0;
        int n = 0;

        step->step = strsep(&line, "\t");
        begin = strsep(&line, "\t");
        end = strsep(&line, "\t");
        failure = strsep(&line, "\t");
        if (!begin || !end || sscanf(begin, "%" SCNu64 "%n", &step->begin_usec, &n) != 1 ||
            begin[n] != '\0' || sscanf(end, "%" SCNu64 "%n", &step->end_usec, &n) != 1 ||
            end[n] != '\0' || step->end_usec < step->begin_usec)
                return false;
        if (failure && sscanf(failure, "0x%8" SCNx32, &hr) != 1)
                return false;
        step->failure = (HRESULT)hr;
        return true;
}

int set_steps_parse(const char *text, set_step_fn fn, void *userdata) {
        _cleanup_(freep) char *copy = NULL;
        char *lines = NULL, *line;
        struct set_step step = { 0 };
        bool has_subject = false;
        int r;

        r = set_text_open(text, &copy, &lines);
        if (r < 0 || !copy)
                return r;
        while ((line = strsep(&lines, "\n"))) {
                if (line[0] == '\t') {
                        if (has_subject && parse_step(&step, line + 1))
                                fn(userdata, &step);
                        continue;
                }
                r = set_step_kind_from_string(strsep(&line, "\t"));
                step = (struct set_step){ .id = strsep(&line, "\t"), .name = line };
                has_subject = r >= 0 && step.id && step.name;
                if (has_subject)
                        step.kind = (enum set_step_kind)r;
        }
        return 0;
}
