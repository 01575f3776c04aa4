#pragma once

/* A writer's state in words. */

#include <vss/vss.h>

#define WRITER_STATE_TEXT_MAX 40

/* "stable", "waiting for thaw", "failed at prepare snapshot". Returns buf. */
char *writer_state_text(VSS_WRITER_STATE state, char buf[static WRITER_STATE_TEXT_MAX]);
