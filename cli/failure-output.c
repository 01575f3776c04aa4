/* See failure-output.h. */

#include "cli/failure-output.h"

#include <inttypes.h>
#include <vss/vsslinux.h>

void failure_json(struct json *j, HRESULT failure) {
        char code[16];

        snprintf(code, sizeof(code), "0x%08" PRIx32, (uint32_t)failure);
        json_string(j, "failure", code);
        json_string_or_null(j, "failure_name", VssHresultName(failure));
}
