/* The real daemon over storage that is not there: see fake-storage.h. */

#include "daemon/vssd.h"
#include "tests/bus/fake-memory.h"
#include "tests/bus/fake-storage.h"

int main(int argc, char **argv) {
        static const struct provider *const providers[] = { &fake_provider, NULL };

        fake_memory_init();
        fake_storage_init();
        return vssd_main(argc, argv, providers);
}
