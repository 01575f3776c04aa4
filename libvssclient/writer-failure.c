/* The codes. */

#include "libvssclient/writer-failure.h"
#include <vss/vsserror.h>

bool writer_failure_is(HRESULT hr) {
        static const HRESULT codes[] = {
                VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT,
                VSS_E_WRITERERROR_OUTOFRESOURCES,
                VSS_E_WRITERERROR_TIMEOUT,
                VSS_E_WRITERERROR_RETRYABLE,
                VSS_E_WRITERERROR_NONRETRYABLE,
        };

        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                if (codes[i] == hr)
                        return true;
        return false;
}
