/* crowd-writers ADDRESS FIRST N: subscribes N writers of the library, each of a class of its own,
 * numbered from FIRST on, which agree to everything. Prints "subscribed", or why not and ends;
 * stays until its standard input ends. */

#include "common/util.h"

#include <stdio.h>
#include <vss/vsserror.h>
#include <vss/vsslinux.h>
#include <vss/vswriter.h>

static bool agree(CVssWriter *w _unused_, void *user _unused_) {
        return true;
}

static const VSS_WRITER_CALLBACKS callbacks = {
        .size = sizeof(callbacks),
        .OnPrepareSnapshot = agree,
        .OnFreeze = agree,
        .OnThaw = agree,
        .OnAbort = agree,
};

static HRESULT subscribe(CVssWriter **ret, unsigned number) {
        VSS_ID class = { 0xc40d0000U + number, 0, 0x4000, { 0x80 } };
        HRESULT hr;

        hr = CVssWriter_Create(&callbacks, NULL, ret);
        if (SUCCEEDED(hr))
                hr = CVssWriter_Initialize(*ret, class, "Library Writer", VSS_UT_USERDATA,
                                           VSS_ST_OTHER, VSS_APP_FRONT_END, 0,
                                           VSS_AWS_NO_ALTERNATE_WRITER, false, NULL);
        if (SUCCEEDED(hr))
                hr = CVssWriter_Subscribe(*ret, 0, VSS_SM_BACKUP_EVENTS_FLAG);
        return hr;
}

int main(int argc, char **argv) {
        static CVssWriter *writers[4096];
        unsigned first, n, i;
        HRESULT hr = S_OK;

        if (argc != 4 || FAILED(VssSetBusAddress(argv[1])))
                return 2;
        first = (unsigned)strtoul(argv[2], NULL, 10);
        n = (unsigned)strtoul(argv[3], NULL, 10);
        if (n > ARRAY_SIZE(writers))
                return 2;
        for (i = 0; i < n && SUCCEEDED(hr); i++)
                hr = subscribe(&writers[i], first + i);
        if (SUCCEEDED(hr))
                (void)puts("subscribed");
        else
                (void)printf("%u: %#x %s\n", i, (unsigned)hr, VssLastErrorMessage());
        (void)fflush(stdout);
        while (SUCCEEDED(hr) && getchar() != EOF)
                ;
        while (i > 0)
                CVssWriter_Release(writers[--i]);
        return FAILED(hr);
}
