#pragma once

/* Ownership and small-language helpers that every part of the project shares. Nothing in here
 * knows about VSS. A local that owns says so: `_cleanup_(thing_freep) struct thing *t = NULL;`,
 * and hands over with TAKE_PTR at the very end. */

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((__cleanup__(f)))
#define _printf_(a, b) __attribute__((__format__(__printf__, a, b)))
#define _unused_ __attribute__((__unused__))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TAKE_PTR(p)                                   \
        __extension__({                               \
                __typeof__(p) *take_ptr_ = &(p);      \
                __typeof__(p) take_val_ = *take_ptr_; \
                *take_ptr_ = NULL;                    \
                take_val_;                            \
        })

#define TAKE_FD(fd)                         \
        __extension__({                     \
                int *take_ptr_ = &(fd);     \
                int take_val_ = *take_ptr_; \
                *take_ptr_ = -1;            \
                take_val_;                  \
        })

/* Declares `void NAMEp(TYPE **p)` for _cleanup_ from a destructor `TYPE *NAME(TYPE *)`. */
#define DEFINE_CLEANUP(type, name)             \
        static inline void name##p(type **p) { \
                if (*p)                        \
                        *p = name(*p);         \
        }                                      \
        _Static_assert(true, "swallow the semicolon")

static inline void freep(void *p) {
        free(*(void **)p);
        *(void **)p = NULL;
}

static inline int safe_close(int fd) {
        if (fd >= 0) {
                int saved = errno;

                /* close() fails only for a descriptor that is not ours: a bug, not an event. */
                (void)close(fd);
                errno = saved;
        }
        return -1;
}

static inline void closep(int *fd) {
        *fd = safe_close(*fd);
}

/* For streams that were only read: what was written is not there before fclose() has said so, or
 * fflush() before this. */
static inline void fclosep(FILE **f) {
        if (*f)
                (void)fclose(*f); /* see above */
        *f = NULL;
}

static inline void closedirp(DIR **d) {
        if (*d)
                (void)closedir(*d); /* as close(): it fails for none of ours */
        *d = NULL;
}

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* NULL and "" are one: a VSS string that is absent and one that is empty mean the same. */
static inline bool str_empty(const char *s) {
        return !s || *s == '\0';
}

static inline const char *str_or_empty(const char *s) {
        return s ? s : "";
}

/* Whether the word stands alone between separators, or at an end. */
bool str_has_word(const char *list, const char *separators, const char *word);

/* NULL-terminated string vectors. */
char **strv_free(char **v);
size_t strv_length(char *const *v);
bool strv_contains(char *const *v, const char *s);
/* Appends a copy of s. 0, -ENOMEM. */
int strv_append(char ***v, const char *s);
int strv_copy(char ***ret, char *const *v);
static inline void strv_freep(char ***v) {
        *v = strv_free(*v);
}

#define STRV_FOREACH(s, v) for (char *const *s = (v); s && *s; s++)

/* Replaces *dst by a copy of src (NULL allowed). 0, -ENOMEM (then *dst is as it was). */
int str_replace(char **dst, const char *src);
/* asprintf with a return value like ours: 0 or -ENOMEM. */
int str_format(char **ret, const char *format, ...) _printf_(2, 3);
