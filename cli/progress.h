#pragma once

/* One line on the terminal that says what is being done and since when. Elsewhere it is silent. */

#include <stdbool.h>
#include <vss/vss.h>

void progress_init(bool shown);
/* phase: as IVssAsync_GetProgress names it, or a sentence of our own. */
void progress_show(const char *phase, unsigned percent);
/* Takes the line away, so that something else can be printed. */
void progress_clear(void);
