#pragma once

/* What device-mapper has to say by itself, on all devices of the host: a copy that the kernel has
 * given up, a pool below its mark. The descriptor becomes readable with the next event after it was
 * armed. */

/* -errno: there is no device-mapper here, or an older one (Linux 4.13 has it). */
int mapper_events_open(int *ret_fd);
/* From here on it waits for the next one. */
int mapper_events_arm(int fd);
