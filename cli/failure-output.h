#pragma once

/* A result code in documents. */

#include "cli/output-json.h"
#include <vss/vss.h>

/* "failure": "0x800423f4", and "failure_name": its symbol; members of the open object. */
void failure_json(struct json *j, HRESULT failure);
