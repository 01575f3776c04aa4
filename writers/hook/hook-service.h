#pragma once

/* The writers of a directory of ini files: registered, kept in step with the files, and with the
 * service when it comes later than us. */

#include "writers/hook/hook-writer.h"
#include <systemd/sd-event.h>

struct hook_service;

/* directory, record_directory: borrowed. */
int hook_service_new(struct hook_service **ret, sd_event *event, const char *directory,
                     const char *record_directory);
/* Thaws what is frozen and leaves the service. */
struct hook_service *hook_service_free(struct hook_service *s);
DEFINE_CLEANUP(struct hook_service, hook_service_free);

/* Takes the files as they are now; an application in the middle of a snapshot puts that off to its
 * end. A file that cannot be used is logged, and what it said before stays in force. */
void hook_service_reload(struct hook_service *s);
/* Commands that can be are stopped; from now on there is only hook_service_free(). */
void hook_service_stop(struct hook_service *s);
