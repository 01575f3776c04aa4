#pragma once

/* Memory of the library that runs out: the linker sends its allocations through here (--wrap). */

#include "common/util.h"

/* Before any call of the library: libxml2 is given such memory, too. */
void memory_init(void);
/* false: this program was not linked so. */
bool memory_is_ours(void);
/* The n-th allocation of this thread from now fails, once. 0: none. */
void memory_arm(unsigned n);
/* Was it reached? Disarms. */
bool memory_disarm(void);
