/* Results and wait statuses as exit statuses: two small tables. */

#include "cli/exit-status.h"

#include "common/util.h"

#include <sys/wait.h>
#include <vss/vsserror.h>

int exit_status_from_hresult(HRESULT hr) {
        static const struct {
                HRESULT hr;
                int status;
        } special[] = {
                { E_ACCESSDENIED, EXIT_ACCESS_DENIED },
                { E_OUTOFMEMORY, EXIT_NO_RESOURCES },
                { VSS_E_INSUFFICIENT_STORAGE, EXIT_NO_RESOURCES },
                { VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED, EXIT_NO_RESOURCES },
                { VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED, EXIT_NO_RESOURCES },
        };

        if (SUCCEEDED(hr))
                return EXIT_DONE;
        for (size_t i = 0; i < ARRAY_SIZE(special); i++)
                if (special[i].hr == hr)
                        return special[i].status;
        return EXIT_FAILED;
}

int exit_status_from_command(int wait_status) {
        if (!WIFEXITED(wait_status))
                return EXIT_COMMAND_MAX;
        if (WEXITSTATUS(wait_status) == 0)
                return EXIT_DONE;
        return WEXITSTATUS(wait_status) > EXIT_COMMAND_MAX - EXIT_COMMAND
                       ? EXIT_COMMAND_MAX
                       : EXIT_COMMAND + WEXITSTATUS(wait_status);
}
