#pragma once

/* What a provider may answer is a finite list (provider-mgmt.md; types.md, 10.5); anything else is
 * its bug: the log has it, the requester sees VSS_E_UNEXPECTED_PROVIDER_ERROR. */

#include "daemon/providers/provider.h"

/* For a call that failed with r: makes reterr one of the list. Returns r. */
int provider_error_check(const struct provider *p, const char *method, int r,
                         struct vss_error *reterr);
