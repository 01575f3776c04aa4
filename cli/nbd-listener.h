#pragma once

/* Where an export is to be had: a socket that is listened to before the server is there, so that
 * who connects at once waits for it, and what is wrong with an address is ours to say. */

#include "common/util.h"

#define NBD_PORT "10809"

struct nbd_listener {
        int fd;     /* -1: none */
        char *path; /* of a Unix socket, which goes with the listener; NULL: TCP */
        char *uri;  /* for clients (the NBD URI specification) */
        bool loopback;
};

/* One of them: a path for a Unix socket, which only its owner may connect to; "ADDRESS",
 * "ADDRESS:PORT", "[ADDRESS]:PORT" or ":PORT". Both NULL: this machine's own, by TCP. tls: for the
 * URI. 0; -EINVAL with *ret_error a static sentence; another negative errno: the socket could not
 * be had. */
int nbd_listener_open(struct nbd_listener *ret, const char *path, const char *address, bool tls,
                      const char **ret_error);
void nbd_listener_close(struct nbd_listener *l);
