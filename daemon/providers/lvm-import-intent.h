#pragma once

/* What is noted before a copy that a host has handed over gets a device here: a line with the name
 * of its node, and what lvm-intent.h has of it:
 *
 *      import ShadowCopyN
 */

#include "daemon/providers/lvm-copy.h"
#include <vss/vss.h>

#define LVM_INTENT_IMPORT "import"
#define LVM_IMPORT_NODE "ShadowCopy"

struct lvm_import_intent {
        char *node;
        struct lvm_copy copy;
        VSS_ID snapshot;
};

void lvm_import_intent_done(struct lvm_import_intent *i);
/* record: its id, and the device, which ends with the node's name. */
int lvm_import_intent_format(const char *provider, const struct lvm_copy *copy,
                             const struct snapshot_record *record, char **ret);
/* -EBADMSG: not such a text, or another provider's. */
int lvm_import_intent_parse(struct lvm_import_intent *ret, const char *provider, const char *data);
