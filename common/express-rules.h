#pragma once

/* What the document of an express writer may hold: it has no process, so nothing that needs one.
 * For the library, as the document is made, and for the service, before it takes one over. */

#include "common/writer-metadata.h"

enum express_rule {
        EXPRESS_USAGE,           /* VSS_USAGE_TYPE */
        EXPRESS_COMPONENT_TYPE,  /* VSS_COMPONENT_TYPE */
        EXPRESS_COMPONENT_FLAGS, /* VSS_CF_... */
        EXPRESS_BACKUP_TYPES,    /* VSS_FSBT_... */
        EXPRESS_RESTORE_METHOD,  /* VSS_RESTOREMETHOD_ENUM */
        EXPRESS_WRITER_RESTORE,  /* VSS_WRITERRESTORE_ENUM */
        EXPRESS_SCHEMA,          /* VSS_BS_... */
        _EXPRESS_RULE_MAX,
};

/* VSS_E_NOT_SUPPORTED, for the usage type E_INVALIDARG. A value that is none of its enumeration's
 * passes: that is for others to say. */
int express_rules_check(enum express_rule rule, uint32_t value, struct vss_error *reterr);
/* The alternate location, too. */
int express_rules_check_files(const struct writer_metadata_files *f, struct vss_error *reterr);
/* A whole document, which is named in the message. */
int express_rules_check_document(const struct writer_metadata *m, struct vss_error *reterr);
