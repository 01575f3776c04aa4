#pragma once

/* Inside VssSelection_ListFiles only: one call of it, and what it is made of. */

#include "libvssclient/component-changes.h"
#include "libvssclient/component-selection.h"
#include "libvssclient/files/file-walk.h"

struct listing {
        VssSelection *selection;
        const VSS_SELECTED_COMPONENT *component;
        const VSS_SELECTED_COMPONENT *carrier; /* the explicit one that it is, or is part of */
        const struct writer_metadata *metadata;
        const VSS_FILE_REQUEST *request;
        VSS_BACKUP_TYPE type; /* that the writer does */
        struct component_changes changes;
        struct listed_files *listed;
        struct file_walk walk;
        bool problems;
        HRESULT end;            /* what a handler ended it with */
        struct vss_error error; /* the problem that ended it */
};

/* Tells what the listing cannot do. 0, or the end of it. */
int listing_problem(void *listing, const VSS_FILE_PROBLEM *problem);
/* A part that cannot be used is a problem of its own; the rest goes on. Drops e. */
int listing_tell(void *listing, const char *path, struct vss_error *e);

/* The lists of the writer and of the machine, into the walk. */
int listing_read_rules(struct listing *l);
