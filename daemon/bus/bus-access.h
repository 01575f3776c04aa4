#pragma once

/* Who may call what: one rule per class of methods. A place for polkit to be asked later. */

#include "daemon/bus/bus-client.h"

/* Looks the group up; blocks, so before the loop runs. Without it only root may. */
void bus_access_init(void);
const char *bus_class_to_string(enum bus_class c);
/* E_ACCESSDENIED with a sentence that says who may. The client is identified. */
int bus_access_check(const struct bus_client *client, enum bus_class c, struct vss_error *reterr);
