#pragma once

/* How long the copies of a provider last, where that is not until they are deleted. */

#include "common/util.h"

/* What device-mapper alone has it forgets when the machine stops. */
static inline bool copy_ends_with_boot(const char *provider) {
        return provider && streq(provider, "dm");
}
