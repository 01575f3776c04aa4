/* The command line, word by word. It never prints: what is wrong goes to the caller. */

#include "cli/options.h"

#include <stdarg.h>
#include <stdio.h>

/* Where the parser stands. */
struct parser {
        struct command_line *result;
        const struct option_spec *globals;
        const struct option_spec *verbs; /* NULL before the verb */
        char **error;
};

void command_line_done(struct command_line *c) {
        c->options.exclude_writers = strv_free(c->options.exclude_writers);
        c->options.components = strv_free(c->options.components);
        c->arguments = strv_free(c->arguments);
        c->forward = strv_free(c->forward);
}

static int refuse(const struct parser *p, const char *format, ...) _printf_(2, 3);
static int refuse(const struct parser *p, const char *format, ...) {
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(p->error, format, args);
        va_end(args);
        if (r < 0) {
                *p->error = NULL;
                return -ENOMEM;
        }
        return -EINVAL;
}

/* Of "--name=value" the name alone is said. */
static int refuse_unknown(const struct parser *p, const char *word) {
        int n = (int)strcspn(word, "=");

        if (!p->verbs)
                return refuse(p, "unknown option '%.*s' before the verb; 'vssctl help' lists them",
                              n, word);
        return refuse(p, "'%s' has no option '%.*s'; 'vssctl help %s' lists them", p->result->verb,
                      n, word, p->result->verb);
}

static const struct option_spec *find_in(const struct option_spec *table, const char *name,
                                         size_t length, char letter) {
        for (const struct option_spec *o = table; o && o->name; o++) {
                if (letter != 0 ? o->letter == letter
                                : strlen(o->name) == length && strncmp(o->name, name, length) == 0)
                        return o;
        }
        return NULL;
}

static const struct option_spec *find(const struct parser *p, const char *name, size_t length,
                                      char letter) {
        const struct option_spec *o = find_in(p->globals, name, length, letter);

        return o ? o : find_in(p->verbs, name, length, letter);
}

static int forward(const struct parser *p, const struct option_spec *o, const char *value) {
        _cleanup_(freep) char *word = NULL;
        int r;

        if (o->local)
                return 0;
        r = str_format(&word, "--%s%s%s", o->name, value ? "=" : "", str_or_empty(value));
        return r < 0 ? r : strv_append(&p->result->forward, word);
}

static int store(const struct parser *p, const struct option_spec *o, const char *value) {
        void *place = (char *)&p->result->options + o->offset;

        switch (o->kind) {
        case OPTION_FLAG: *(bool *)place = true; break;
        case OPTION_TEXT: *(const char **)place = value; break;
        case OPTION_LIST: {
                int r = strv_append((char ***)place, value);

                if (r < 0)
                        return r;
                break;
        }
        }
        return forward(p, o, value);
}

static int take_word(struct parser *p, char *word, verb_options_fn verb_options) {
        int r;

        if (p->result->verb)
                r = strv_append(&p->result->arguments, word);
        else {
                p->result->verb = word;
                p->verbs = verb_options(word);
                if (!p->verbs)
                        return refuse(p, "unknown verb '%s'; 'vssctl help' lists them", word);
                r = 0;
        }
        return r < 0 ? r : strv_append(&p->result->forward, word);
}

/* "--name", "--name=value", "--name value". */
static int parse_long(const struct parser *p, char *const *word, size_t *used) {
        const char *name = *word + 2;
        size_t length = strcspn(name, "=");
        const struct option_spec *o = find(p, name, length, 0);
        const char *value = name[length] == '=' ? name + length + 1 : NULL;

        if (!o)
                return refuse_unknown(p, *word);
        if (o->kind == OPTION_FLAG && value)
                return refuse(p, "option '--%s' takes no value", o->name);
        if (o->kind != OPTION_FLAG && !value) {
                value = word[1];
                *used = 2;
                if (!value)
                        return refuse(p, "option '--%s' needs a value", o->name);
        }
        return store(p, o, value);
}

/* "-x", "-xy", "-Xvalue", "-X value". */
static int parse_short(const struct parser *p, char *const *word, size_t *used) {
        for (const char *c = *word + 1; *c != '\0'; c++) {
                const struct option_spec *o = find(p, NULL, 0, *c);
                const char *value = NULL;
                int r;

                if (!o)
                        return refuse_unknown(p, *word);
                if (o->kind != OPTION_FLAG) {
                        value = c[1] != '\0' ? c + 1 : word[1];
                        *used = c[1] != '\0' ? 1 : 2;
                        if (!value)
                                return refuse(p, "option '--%s' needs a value", o->name);
                }
                r = store(p, o, value);
                if (r < 0)
                        return r;
                if (o->kind != OPTION_FLAG)
                        break;
        }
        return 0;
}

int command_line_parse(struct command_line *ret, int argc, char *const argv[],
                       const struct option_spec *globals, verb_options_fn verb_options,
                       char **ret_error) {
        struct parser p = { .result = ret, .globals = globals, .error = ret_error };

        *ret = (struct command_line){ 0 };
        *ret_error = NULL;

        for (size_t i = 1; i < (size_t)argc;) {
                char *word = argv[i];
                size_t used = 1;
                int r = 0;

                if (streq(word, "--")) {
                        ret->command = argv + i + 1;
                        return 0;
                }

                if (strncmp(word, "--", 2) == 0)
                        r = parse_long(&p, argv + i, &used);
                else if (word[0] == '-' && word[1] != '\0')
                        r = parse_short(&p, argv + i, &used);
                else
                        r = take_word(&p, word, verb_options);
                if (r < 0)
                        return r;
                i += used;
        }
        return 0;
}
