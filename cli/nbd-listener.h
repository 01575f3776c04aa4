#pragma once

/* Where an export is to be had: a socket that is listened to before the server is there, so that
 * who connects at once waits for it, and what is wrong with an address is ours to say. A Unix
 * socket is its owner's alone. By TCP nobody is asked who they are, and on the loopback address
 * everybody on this machine is behind it: that is for who asks for it. */

#include "common/util.h"

#define NBD_PORT "10809"

struct nbd_listener {
        int fd;     /* -1: none */
        char *path; /* of a Unix socket, which goes with the listener; NULL: TCP */
        char *uri;  /* for clients (the NBD URI specification) */
};

/* One of them: a path for a Unix socket, where one that nobody listens to is taken away first; or
 * "ADDRESS", "ADDRESS:PORT", "[ADDRESS]:PORT" or ":PORT". tls: for the URI. 0; -EINVAL with
 * *ret_error a static sentence; another negative errno: the socket could not be had. */
int nbd_listener_open(struct nbd_listener *ret, const char *path, const char *address, bool tls,
                      const char **ret_error);
/* Where the Unix sockets lie that nobody has named: root's alone. */
int nbd_listener_make_directory(const char *directory);
void nbd_listener_close(struct nbd_listener *l);
