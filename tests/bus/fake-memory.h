#pragma once

/* Memory of the test daemon that a test can make run out; see fake-memory.c. */

#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

void fake_memory_init(void);

/* The test's side: the n-th allocation of that daemon fails, once; 0: none. To its first thread, so
 * that it is done before that thread looks at anything that comes afterwards. 0 or -1. */
static inline long fake_memory_arm(pid_t daemon, int n) {
        siginfo_t info = { .si_signo = SIGRTMIN, .si_code = SI_QUEUE };

        info.si_value.sival_int = n;
        return syscall(SYS_rt_tgsigqueueinfo, daemon, daemon, SIGRTMIN, &info);
}
