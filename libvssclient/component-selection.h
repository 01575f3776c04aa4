#pragma once

/* VssSelection: the components of a backup, and what is needed to list their files. Everything
 * that is not asked for is not made: the mounts and the lists are read with the first files. */

#include "libvssclient/files/file-rules.h"
#include "libvssclient/files/mount-table.h"
#include "libvssclient/files/selection.h"
#include "libvssclient/wm-document.h"
#include <vss/vsfiles.h>

struct selected_writer_rules {
        struct file_rules *excludes, *blanks; /* NULL: not read yet */
};

struct VssSelection {
        struct wm_document **documents; /* of the writers; references */
        size_t n_documents;
        struct selection *selection;

        /* Made when it is complete. */
        VSS_SELECTED_COMPONENT *components;
        UINT n_components;
        VSS_MISSING_COMPONENT *missing;
        UINT n_missing;

        /* Of a document. */
        IVssComponent **states; /* of each explicit component, by its index; NULL: none */
        VSS_BACKUP_TYPE type;   /* VSS_BT_UNDEFINED: none */

        struct mount_table *mounts; /* NULL: not read yet */
        struct selected_writer_rules *rules;
        struct file_rules *machine_excludes, *machine_blanks; /* NULL: not read yet */
};

const struct writer_metadata *selection_metadata(const VssSelection *s, size_t writer);
/* From the selection, which is complete, to what is handed out. -ENOMEM. */
int selection_make_lists(VssSelection *s);
/* The way into everything that needs a complete selection. */
HRESULT selection_enter(const VssSelection *s, const char *function);
