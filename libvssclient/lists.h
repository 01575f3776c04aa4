#pragma once

/* Lists for tools: an array of pointers to rows that ends with NULL, each row allocated alone, so
 * that structures can grow. */

#include "common/wire.h"
#include <vss/vsmgmt.h>

void list_free(const struct wire_table *table, void **list);
/* rows: n structs of `size` bytes, taken over. -ENOMEM */
int list_split(const struct wire_table *table, void *rows, size_t n, size_t size, void ***ret);

/* Sends a call (dropped) over a fresh connection. */
int manager_send(DBusMessage *call, int timeout_msec, DBusMessage **ret, struct vss_error *reterr);
/* As VssListSnapshots, as the object that Query gives. */
HRESULT list_snapshots_enum(const LPCWSTR *filter, IVssEnumObject **ret);
/* Where the stores of a volume's copies could be; freed by list_free(). */
HRESULT list_diff_area_stores(LPCWSTR volume, VSS_DIFF_VOLUME_PROP ***stores, UINT *count);
