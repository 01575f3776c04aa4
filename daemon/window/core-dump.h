#pragma once

/* Whether a crash of this process may leave a core dump. The kernel writes one before anything of
 * the process ends: its robust mutexes, its sockets, what a pidfd tells. So in a window the guard
 * would learn of the crash when the dump is written; and where that is to lie on a volume that is
 * suspended, at the deadline. */

/* Each is undone by an allow; windows can overlap. */
void core_dump_forbid(void);
void core_dump_allow(void);
