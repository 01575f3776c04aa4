/* vss-adopted-generator: see adoption-units.h. systemd runs it early at boot, before anything is
 * mounted, and at each reload, with three directories. It never keeps a machine from starting: what
 * it cannot do it says, in the kernel's log at boot, and the mounts are the plain ones. */

#include "daemon/adoption/adoption-units.h"
#include <fcntl.h>
#include <stdio.h>

static void complain(const char *message) {
        int fd = open("/dev/kmsg", O_WRONLY | O_NOCTTY | O_CLOEXEC);

        if (fd < 0)
                fd = STDERR_FILENO;
        (void)dprintf(fd, "<3>vss-adopted-generator: %s\n", message); /* nobody else to tell */
}

int main(int argc, char *argv[]) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        _cleanup_(fstab_done) struct fstab fstab = { 0 };
        int r;

        if (argc != 2 && argc != 4) {
                fprintf(stderr, "Usage: vss-adopted-generator DIRECTORY [DIRECTORY DIRECTORY]\n");
                return EXIT_FAILURE;
        }
        r = adopted_list_read(&list, &error);
        if (r >= 0 && list.n > 0)
                r = fstab_read(&fstab, &error);
        if (r >= 0)
                r = adoption_units_write(argv[1], &list, &fstab, &error);
        STRV_FOREACH (complaint, list.complaints)
                complain(*complaint);
        if (r < 0)
                complain(str_or_empty(error.message));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
