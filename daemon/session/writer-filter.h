#pragma once

/* Which writers a session asks: EnableWriterClasses, DisableWriterClasses,
 * DisableWriterInstances. At first all are enabled. The first Enable switches to "only these" and
 * forgets earlier disabled classes; later ones accumulate, and Disable subtracts. */

#include "common/vss-error.h"
#include "daemon/writers/writer.h"

struct id_set {
        VSS_ID *ids;
        size_t n;
};

struct writer_filter {
        bool only_listed; /* classes: those listed; else all but those listed */
        struct id_set classes;
        struct id_set instances; /* disabled ones */
};

void writer_filter_done(struct writer_filter *f);
int writer_filter_enable_classes(struct writer_filter *f, const VSS_ID *ids, size_t n,
                                 struct vss_error *reterr);
int writer_filter_disable_classes(struct writer_filter *f, const VSS_ID *ids, size_t n,
                                  struct vss_error *reterr);
int writer_filter_disable_instances(struct writer_filter *f, const VSS_ID *ids, size_t n,
                                    struct vss_error *reterr);
bool writer_filter_passes(const struct writer_filter *f, const struct writer_identity *id);
