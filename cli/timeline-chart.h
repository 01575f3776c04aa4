#pragma once

/* How a set was made, drawn (SVG 1.1): a bar for each step of each provider, writer and volume over
 * the time of the whole set, its phases as bands behind them; and below it the write-freeze window
 * alone, which is tiny up there. The same input gives the same bytes. */

#include <stdio.h>
#include <vss/vsslinux.h>

/* title, subtitle: text as it is to be shown. 0, -ENOMEM. */
int timeline_chart_print(const VSS_SET_TIMELINE *t, const char *title, const char *subtitle,
                         FILE *stream);
