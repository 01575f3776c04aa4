/* Words from a line: a table says what an unquoted character means. */

#include "writers/hook/words.h"

/* What an unquoted character means. */
enum meaning { PLAIN, BLANK, SINGLE_QUOTE, DOUBLE_QUOTE, BACKSLASH, SHELL, GLOB };

static enum meaning meaning_of(char c) {
        static const struct {
                const char *characters;
                enum meaning meaning;
        } table[] = {
                { " \t", BLANK },    { "'", SINGLE_QUOTE },  { "\"", DOUBLE_QUOTE },
                { "\\", BACKSLASH }, { "|&;<>()$`", SHELL }, { "*?[]{}~", GLOB },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (c != '\0' && strchr(table[i].characters, c))
                        return table[i].meaning;
        return PLAIN;
}

/* Copies what stands between two quotes to *out. Returns what follows the second, or NULL. */
static const char *copy_quoted(const char *s, char quote, char **out) {
        for (; *s != '\0'; s++) {
                if (*s == quote)
                        return s + 1;
                if (quote == '"' && *s == '\\' && (s[1] == '"' || s[1] == '\\'))
                        s++;
                *(*out)++ = *s;
        }
        return NULL;
}

/* One word from s (no blank) to out, NUL included. */
static int copy_word(const char **s, char *out, enum words_kind kind, const char **ret_error) {
        const char *c = *s;

        while (*c != '\0' && meaning_of(*c) != BLANK) {
                switch (meaning_of(*c)) {
                case SINGLE_QUOTE:
                case DOUBLE_QUOTE:
                        c = copy_quoted(c + 1, *c, &out);
                        if (!c) {
                                *ret_error = "a quote is not closed";
                                return -EINVAL;
                        }
                        break;
                case BACKSLASH:
                        if (c[1] == '\0') {
                                *ret_error = "a backslash ends the line";
                                return -EINVAL;
                        }
                        *out++ = c[1];
                        c += 2;
                        break;
                case SHELL:
                case GLOB:
                        if (kind == WORDS_COMMAND) {
                                *ret_error =
                                        "commands are run without a shell, so |&;<>()$`*?[]{}~ "
                                        "do nothing: quote them, or call a script";
                                return -EINVAL;
                        }
                        *out++ = *c++;
                        break;
                case BLANK:
                case PLAIN: *out++ = *c++; break;
                }
        }

        *out = '\0';
        *s = c;
        return 0;
}

int words_split(char ***ret, const char *line, enum words_kind kind, const char **ret_error) {
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(freep) char *word = NULL;
        int r;

        word = malloc(strlen(line) + 1);
        if (!word)
                return -ENOMEM;

        for (;;) {
                while (meaning_of(*line) == BLANK)
                        line++;
                if (*line == '\0')
                        break;
                r = copy_word(&line, word, kind, ret_error);
                if (r < 0)
                        return r;
                r = strv_append(&words, word);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(words);
        return 0;
}
