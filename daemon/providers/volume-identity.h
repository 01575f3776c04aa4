#pragma once

/* By what a volume is known to whoever mounts it: the UUID of its file system, or what stands for
 * that where there is none; and giving it another one, by the file system's own tools. Stateless.
 */

#include "common/vss-error.h"

struct volume_identity {
        char *type; /* "ext4", "LVM2_member", "gpt"; NULL: nothing known, or ambiguous */
        char *uuid; /* NULL: it has none */
};

/* Where the tools are; a test has its own there. NULL: the system's directories. */
extern const char *volume_identity_tools;

void volume_identity_done(struct volume_identity *i);
/* device: its path. What has no signature has no identity: success, both NULL. */
int volume_identity_read(struct volume_identity *ret, const char *device, struct vss_error *reterr);
/* Whether it could be given another one: VSS_E_BREAK_REVERT_ID_FAILED with the reason and the way
 * out. Where there is none nothing has to be. name: for the message. */
int volume_identity_check(const struct volume_identity *i, const char *name,
                          struct vss_error *reterr);
/* The UUID of that file system becomes this one, if it is not yet. The device can be written, and
 * nobody has it mounted. Interrupted at any point, the file system has the one or the other. */
int volume_identity_write(const char *device, const char *type, const char *uuid,
                          struct vss_error *reterr);
