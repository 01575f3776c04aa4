#pragma once

/* nbdkit, serving one device, read-only, as a child that ends with us, whoever is connected. */

#include "common/util.h"
#include <sys/types.h>

#define NBD_SERVER "nbdkit"

/* device_fd: a block device or a file, open for reading; listener_fd is listened to. Both stay the
 * caller's. tls: a directory with certificates (nbdkit-tls(1)), and clients are served that
 * have one of the same authority; NULL: no encryption. 0 with *ret_pid and *ret_leash, a
 * descriptor: when that is closed, as our end does it, too, the server is killed. Or a negative
 * errno: -ENOENT: it is not installed. */
int nbd_server_start(pid_t *ret_pid, int *ret_leash, int device_fd, int listener_fd,
                     const char *tls);
/* Waits until it answers at the listener. 0; -ECHILD: it has ended, with *ret_wait_status; -EINTR:
 * a signal came; -ETIMEDOUT; another negative errno. */
int nbd_server_await(pid_t pid, int listener_fd, int *ret_wait_status);
/* 1: it runs; 0: it has ended, with *ret_wait_status as waitpid() has it. */
int nbd_server_look(pid_t pid, int *ret_wait_status);
/* Asks it to end, and sees to it that it does. */
void nbd_server_stop(pid_t pid);
