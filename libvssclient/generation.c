/* A counted counter. */

#include "libvssclient/generation.h"
#include <stdatomic.h>

struct generation {
        atomic_uint refs;
        atomic_uint current;
};

int generation_new(struct generation **ret) {
        struct generation *g = malloc(sizeof(*g));

        if (!g)
                return -ENOMEM;
        atomic_init(&g->refs, 1);
        atomic_init(&g->current, 0);
        *ret = g;
        return 0;
}

struct generation *generation_ref(struct generation *g) {
        atomic_fetch_add(&g->refs, 1);
        return g;
}

struct generation *generation_unref(struct generation *g) {
        if (g && atomic_fetch_sub(&g->refs, 1) == 1)
                free(g);
        return NULL;
}

void generation_advance(struct generation *g) {
        atomic_fetch_add(&g->current, 1);
}

unsigned generation_current(const struct generation *g) {
        return atomic_load(&g->current);
}
