/* See gate.h. Owned by the window; no memory of its own. */

#include "daemon/window/gate.h"

enum gate_phase gate_phase(struct gate *g) {
        return (enum gate_phase)atomic_load(&g->phase);
}

bool gate_step(struct gate *g, enum gate_phase from, enum gate_phase to) {
        uint32_t expected = from;

        if (!atomic_compare_exchange_strong(&g->phase, &expected, to))
                return false;
        futex_wake_all(&g->phase);
        return true;
}

enum gate_phase gate_wait(struct gate *g, enum gate_phase phase, uint64_t deadline_usec) {
        for (;;) {
                enum gate_phase now = gate_phase(g);

                if (now != phase)
                        return now;
                if (futex_wait(&g->phase, phase, deadline_usec) == -ETIMEDOUT)
                        return gate_phase(g);
        }
}
