#pragma once

/* nbdkit, serving one device, read-only, as a child that ends with us. */

#include "common/util.h"
#include <sys/types.h>

#define NBD_SERVER "nbdkit"

/* device_fd: a block device or a file, open for reading; listener_fd is listened to. Both stay the
 * caller's. tls: a directory with certificates (nbdkit-tls(1)), without which no client is served;
 * NULL: no encryption. 0 with *ret_pid, or a negative errno: -ENOENT: it is not installed. */
int nbd_server_start(pid_t *ret_pid, int device_fd, int listener_fd, const char *tls);
/* 1: it runs; 0: it has ended, with *ret_wait_status as waitpid() has it. */
int nbd_server_look(pid_t pid, int *ret_wait_status);
/* Asks it to end, and sees to it that it does. */
void nbd_server_stop(pid_t pid);
