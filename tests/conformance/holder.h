#pragma once

/* One bus connection for many busctl runs.
 *
 * A session belongs to the connection that made it, and a busctl connects, calls once and goes: no
 * session would outlive the call that made it. So the holder has one connection to the bus and
 * listens at an address of its own, where each busctl thinks to be on the bus: what it calls is
 * passed on, byte for byte but for the serial, by the holder's connection, and the answer passed
 * back. It knows nothing of the service. */

#include <sys/types.h>

/* A child process; listens when this returns. address: of the bus; listen: "unix:path=...". */
pid_t holder_start(const char *address, const char *listen);
