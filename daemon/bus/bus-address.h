#pragma once

/* Where the bus is: the address that was given, or as the environment or custom has it. */
const char *bus_address(const char *given);
