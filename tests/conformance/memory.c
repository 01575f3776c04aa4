/* See memory.h. */

#include "tests/conformance/memory.h"

#ifdef WRAPPED_MEMORY

#include <libxml/xmlmemory.h>
#include <stdarg.h>
#include <stdio.h>

/* Of one thread: the writer's own thread goes on. */
static _Thread_local unsigned left;
static _Thread_local bool reached;

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
int __wrap_vasprintf(char **ret, const char *format, va_list ap) _printf_(2, 0);
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
int __real_vasprintf(char **ret, const char *format, va_list ap) _printf_(2, 0);

static bool fails(void) {
        if (left == 0 || --left > 0)
                return false;
        reached = true;
        errno = ENOMEM;
        return true;
}

void *__wrap_malloc(size_t size) {
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size) {
        return fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s) {
        return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n) {
        return fails() ? NULL : __real_strndup(s, n);
}

int __wrap_vasprintf(char **ret, const char *format, va_list ap) {
        return fails() ? -1 : __real_vasprintf(ret, format, ap);
}

void memory_init(void) {
        if (xmlMemSetup(free, __wrap_malloc, __wrap_realloc, __wrap_strdup) != 0)
                abort();
}

bool memory_is_ours(void) {
        return true;
}

void memory_arm(unsigned n) {
        reached = false;
        left = n;
}

bool memory_disarm(void) {
        left = 0;
        return reached;
}

#else

void memory_init(void) {}

bool memory_is_ours(void) {
        return false;
}

void memory_arm(unsigned n _unused_) {}

bool memory_disarm(void) {
        return false;
}

#endif
