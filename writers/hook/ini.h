#pragma once

/* A strict reader of ini files: `[Section]`, `Key=Value`, lines that begin with '#' or ';', empty
 * lines, and nothing else. It knows the shape, not the words: each entry goes to the caller, who
 * accepts it or says what is wrong with it. The first mistake ends the reading. No line
 * continuation, no escapes, no comments behind values: what stands in the line is the value,
 * without the blanks around it. */

#include "common/util.h"

#define INI_SIZE_MAX (64U * 1024U)
#define INI_LINE_MAX 4096U

struct ini_entry {
        unsigned line;
        const char *section; /* as opened by the nearest "[...]" above */
        const char *key;     /* NULL: the section itself begins */
        const char *value;   /* NULL with key */
};

struct ini_error {
        unsigned line; /* 0: the file as a whole */
        char *message; /* owned; NULL if memory ran out */
};
void ini_error_done(struct ini_error *e);
/* Fills e once and returns -EINVAL. */
int ini_error_set(struct ini_error *e, unsigned line, const char *format, ...) _printf_(3, 4);

/* Returns 0 to go on, or what ini_error_set() returned, or another negative errno. */
typedef int (*ini_entry_fn)(void *userdata, const struct ini_entry *entry,
                            struct ini_error *reterr);

/* text need not end in NUL. -EINVAL: reterr says where and why. */
int ini_parse(const char *text, size_t length, ini_entry_fn fn, void *userdata,
              struct ini_error *reterr);
