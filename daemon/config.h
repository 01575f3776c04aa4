#pragma once

/* /etc/vss/vssd.conf: what an administrator may change. */

#include "daemon/session/session.h"

#define CONFIG_DEFAULT_PATH "/etc/vss/vssd.conf"

struct config {
        struct session_config session;
        uint64_t provider_usec;    /* the most that any call of another's provider may take */
        uint64_t stop_usec;        /* a clean stop waits so long for what is under way */
        uint64_t exit_idle_usec;   /* without sessions, writers and work; USEC_INFINITY: never */
        uint64_t area_start_bytes; /* of a store; 0: as its volume is large */
        char **stores;             /* [Stores]: "VOLUME=PLACE..." (dm-place.h) */
        char **nfs_clients;        /* [Shares] NfsClients=: exposed-share.h */
};

void config_defaults(struct config *c);
void config_done(struct config *c);
/* Reads the file over what c holds. A missing file is fine unless it is required. Anything in it
 * that is not understood is an error with its line: a freeze limit that is ignored is worse than a
 * service that says so. E_INVALIDARG. */
int config_load(struct config *c, const char *path, bool required, struct vss_error *reterr);
/* The same from text; path is for messages. */
int config_parse(struct config *c, const char *text, const char *path, struct vss_error *reterr);
