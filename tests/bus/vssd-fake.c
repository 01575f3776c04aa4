/* The real daemon over storage that is not there: see fake-storage.h. */

#include "daemon/vssd.h"
#include "tests/bus/fake-memory.h"
#include "tests/bus/fake-storage.h"

int main(int argc, char **argv) {
        const struct provider *providers[] = { &fake_provider, NULL };

        fake_memory_init();
        fake_storage_init();
        if (fake_knob("areas"))
                providers[0] = fake_growing_provider();
        if (fake_knob("pool"))
                providers[0] = fake_pooled_provider();
        return vssd_main(argc, argv, providers);
}
