#pragma once

/* The two barriers of the window, as one word that says in which phase it is. It only goes
 * forward, each step is taken by whoever wins it, and everybody else sleeps until it is taken:
 *
 *      PARKED -> SUSPENDING -> COMMITTING -> RESUMING
 *         |          |             |
 *         |          +-------------+---------> BACK      a failure, a deadline, the guard
 *         +----------------------------------> QUIT      nothing was begun
 *
 * Unlike a pthread barrier it has a deadline, and one participant that never comes does not hold
 * up the others: the gate goes BACK without it. */

#include "daemon/window/futex.h"

enum gate_phase {
        GATE_PARKED,     /* the threads wait for the beginning */
        GATE_SUSPENDING, /* every row suspends its origin */
        GATE_COMMITTING, /* all are suspended: every row runs its commits */
        GATE_RESUMING,   /* all are committed: every row resumes its origin */
        GATE_BACK,       /* the way back: inactive tables are dropped, origins resumed */
        GATE_QUIT,       /* the threads end without having done anything */
};

struct gate {
        futex_word phase;
};

enum gate_phase gate_phase(struct gate *g);
/* True if this call took the step; false if the gate was not (any more) at `from`. */
bool gate_step(struct gate *g, enum gate_phase from, enum gate_phase to);
/* Sleeps until the gate is past `phase` or the deadline is. Returns where it is: `phase` itself
 * means that the deadline passed. */
enum gate_phase gate_wait(struct gate *g, enum gate_phase phase, uint64_t deadline_usec);
