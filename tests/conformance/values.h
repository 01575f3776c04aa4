#pragma once

/* The variables of the rows, and the text of arguments taken apart: see calls.h. Variables are
 * global, as a table's reader sees them; a writer's handlers use them from their thread while the
 * main thread waits for them. */

#include "tests/conformance/calls.h"

void variable_set_id(const char *name, VSS_ID id);
void variable_set_text(const char *name, const char *text);
void variable_set_number(const char *name, int64_t number);
/* All but those that were there when variables_keep() was called last. */
void variables_forget(void);
void variables_keep(void);

/* "a, b, ..." into the call's arguments. */
void arguments_split(struct call *c, const char *text);
/* Keeps the outputs that have names, releases the others, puts objects in the bank. Before that:
 * what a failed call (FAILED) left in an output; NULL: nothing. */
const char *outputs_examine(const struct call *c);
void outputs_take(struct call *c);
void bank_clear(struct bank *bank);

/* A constant or a number, or several with '|'. false: neither. */
bool constant_parse(const char *text, int64_t *ret);
