#pragma once

/* Lists for tools: an array of pointers to rows that ends with NULL, each row allocated alone, so
 * that structures can grow. */

#include "common/wire.h"

void list_free(const struct wire_table *table, void **list);
/* rows: n structs of `size` bytes, taken over. -ENOMEM */
int list_split(const struct wire_table *table, void *rows, size_t n, size_t size, void ***ret);
