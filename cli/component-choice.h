#pragma once

/* WRITER, or WRITER:COMPONENT, as somebody types them: WRITER is a name, an instance's name, a
 * class or an instance; COMPONENT its full name, parts separated by '\', or by '/', which a shell
 * leaves alone. */

#include "cli/gathered-writers.h"

/* Chooses each word, and completes the selection. EXIT_DONE; EXIT_PARTIAL: something that is
 * depended on is missing; else how vssctl ends. Has said what is wrong. */
int component_choice_apply(VssSelection *selection, const struct gathered_writers *writers,
                           char *const *words);
/* Says which components came in without being chosen, and why. */
void component_choice_tell(VssSelection *selection);

/* "Mail store:users\inbox". Returns buf, cut to its size. */
#define COMPONENT_TEXT_MAX 512
const char *component_text(const char *writer, const char *logical_path, const char *name,
                           char buf[static COMPONENT_TEXT_MAX]);
const char *selected_component_text(const VSS_SELECTED_COMPONENT *c,
                                    char buf[static COMPONENT_TEXT_MAX]);
/* "chosen", "mandatory", "dependency", "subcomponent". */
const char *selection_reason_text(VSS_SELECTION_REASON reason);
