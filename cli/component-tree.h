#pragma once

/* What writers have: their components, as the tree that the logical paths make of them. */

#include "cli/gathered-writers.h"
#include "cli/terminal.h"

/* Rows and objects. EXIT_DONE, or how vssctl ends; has said why. */
int component_tree_print(const struct gathered_writers *writers, const struct terminal *terminal);
int component_tree_json(const struct gathered_writers *writers);
