#pragma once

/* Files as they are found, in one of three forms: lines for people, one JSON document, names with a
 * NUL behind each. */

#include "cli/output-json.h"
#include <vss/vsslinux.h>

enum file_output_form {
        FILE_OUTPUT_TEXT,
        FILE_OUTPUT_JSON,
        FILE_OUTPUT_NULL, /* where each file is to be read, as xargs -0 takes it */
};

struct file_output {
        enum file_output_form form;
        struct json json;
        size_t n_problems;
};

void file_output_begin(struct file_output *o, enum file_output_form form);
void file_output_end(struct file_output *o, VssSelection *selection);
/* The files of one component. */
HRESULT file_output_component(struct file_output *o, VssSelection *selection, UINT component,
                              VSS_BACKUP_TYPE type);
