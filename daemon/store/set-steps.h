#pragma once

/* Who did what when in the making of a set: each writer's events, each volume's part in flush and
 * window, each provider's work. Noted as it happens, kept as text with the set. Nothing is lost but
 * rows when memory is, or when there are more than anybody looks at. */

#include <stddef.h>
#include <stdint.h>
#include <vss/vss.h>

enum set_step_kind {
        SET_STEP_PROVIDER, /* id and name: "lvm-thick" */
        SET_STEP_WRITER,   /* id: its instance's, name: with the instance's name */
        SET_STEP_VOLUME,   /* id: its snapshot's, name: the volume's */
        SET_STEP_WINDOW,   /* all volumes together; id and name are empty */
        _SET_STEP_KIND_MAX,
};
const char *set_step_kind_to_string(enum set_step_kind kind);
int set_step_kind_from_string(const char *s);

struct set_step {
        enum set_step_kind kind;
        const char *id, *name;
        const char *step; /* "Freeze", "Suspend", ... */
        uint64_t begin_usec, end_usec;
        HRESULT failure; /* S_OK: it went well */
};

struct set_steps;
/* origin_usec: when the making began; steps are given in the same clock, and kept since then. */
int set_steps_new(struct set_steps **ret, uint64_t origin_usec);
uint64_t set_steps_origin(const struct set_steps *s);
struct set_steps *set_steps_free(struct set_steps *s);
static inline void set_steps_freep(struct set_steps **s) {
        (void)set_steps_free(*s);
}
/* One that has not begun (0), or before the origin, or not ended, is left out. `step` is borrowed
 * for good, id and name are copied. */
void set_steps_add(struct set_steps *s, const struct set_step *step);

typedef void (*set_step_fn)(void *userdata, const struct set_step *step);
/* Those of one subject behind each other, in the order in which they came. */
void set_steps_for_each(const struct set_steps *s, set_step_fn fn, void *userdata);
/* *ret: the text, owned. -ENOMEM */
int set_steps_print(const struct set_steps *s, char **ret);
/* text: what set_steps_print() made, or NULL; a line that is not so is left out. -ENOMEM */
int set_steps_parse(const char *text, set_step_fn fn, void *userdata);
