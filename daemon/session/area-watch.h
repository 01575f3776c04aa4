#pragma once

/* The stores of copies are watched: each second, and when device-mapper has something to say. They
 * grow before they overflow; where there is no room the oldest copies of their volume are deleted;
 * who is told of it hears of each step (area_event). Owned by the session manager. */

#include "daemon/session/session.h"

struct area_watch;

int area_watch_new(struct area_watch **ret, struct session_manager *m);
struct area_watch *area_watch_free(struct area_watch *w);
/* Copies have come; if there is a store among them that can grow, it is watched from here on. */
void area_watch_begin(struct area_watch *w, const struct snapshot_record *records, size_t n);
/* Nothing more is begun. */
void area_watch_stop(struct area_watch *w);
/* Is there a store that may have to grow? Only a running service can see to that. */
bool area_watch_is_needed(const struct area_watch *w);
