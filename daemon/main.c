/* vssd: the Volume Shadow Copy Service, with the providers of real storage. */

#include "daemon/vssd.h"

int main(int argc, char **argv) {
        static const struct provider *const providers[] = {
                &provider_dm,
                &provider_lvm_thick,
                &provider_lvm_thin,
                NULL,
        };

        return vssd_main(argc, argv, providers);
}
