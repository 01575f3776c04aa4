/* vss-adopted: makes the mapping of an adopted volume. vss-adopted@NAME.service runs it with the
 * NAME, the initramfs with "--root DEVICE", and mounts what it prints. Whatever it cannot do leaves
 * the plain partition; the exit status says only whether that is what was wanted. */

#include "daemon/adoption/activation.h"
#include <stdio.h>

/* The journal and the kernel's log take the digit for the priority. */
#define PRIORITY_ERROR "<3>"

static int complain(struct vss_error *error, int r) {
        fprintf(stderr, PRIORITY_ERROR "vss-adopted: %s: the plain partition is used\n",
                error->message ? error->message : strerror(-r));
        vss_error_done(error);
        return EXIT_FAILURE;
}

/* Nobody can end it there but itself; the script goes on with the plain partition then. */
#define ROOT_SECONDS 120

static int run_root(const char *device) {
        _cleanup_(freep) char *mapping = NULL;
        struct vss_error error = { 0 };
        int r;

        (void)alarm(ROOT_SECONDS);
        r = activation_run_root(device, &mapping, &error);
        if (r < 0)
                return complain(&error, r);
        return r > 0 && puts(mapping) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(const char *name) {
        struct vss_error error = { 0 };
        int r;

        r = activation_run(name, &error);
        if (r < 0)
                return complain(&error, r);
        if (r == 0)
                printf("%s is not mapped: it was not to be\n", name);
        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        if (argc == 3 && streq(argv[1], "--root"))
                return run_root(argv[2]);
        if (argc == 2 && argv[1][0] != '-')
                return run(argv[1]);
        fprintf(stderr, "Usage: vss-adopted NAME | --root DEVICE\n");
        return 2;
}
