#pragma once

/* A large Writer Metadata Document on the way that it goes: a writer of the library's fills it in
 * OnIdentify, the service gathers it, a requester examines every entry and saves it. For the bench
 * and the test of what that costs. The writer and the requester may be one process. */

#include "common/util.h"

#include <vss/vsbackup.h>
#include <vss/vswriter.h>

/* Of every so many entries one is an exclude; the others are of components of so many. */
#define DOCUMENT_WAY_EXCLUDES 10
#define DOCUMENT_WAY_OF_A_COMPONENT 1000

struct document_way_writer {
        CVssWriter *writer;
        size_t n;       /* entries that OnIdentify adds */
        double made_ms; /* OnIdentify's last run took so long; elapsed */
};

struct document_way_times { /* elapsed, in ms */
        double gather, get, examine, save;
};

/* Each returns false after a sentence on stderr. */
bool document_way_start_writer(struct document_way_writer *w, size_t n);
void document_way_stop_writer(struct document_way_writer *w);
/* Of one writer, with n entries. *ret_xml is the caller's to free (SysFreeString). */
bool document_way_go(size_t n, struct document_way_times *ret, BSTR *ret_xml);

double document_way_now_ms(void);
