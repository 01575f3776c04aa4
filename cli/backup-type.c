/* Names of types. */

#include "cli/backup-type.h"

#include "cli/exit-status.h"
#include "cli/message.h"

static const struct {
        const char *name;
        VSS_BACKUP_TYPE type;
} types[] = {
        { "full", VSS_BT_FULL },
        { "copy", VSS_BT_COPY },
        { "incremental", VSS_BT_INCREMENTAL },
        { "differential", VSS_BT_DIFFERENTIAL },
        { "log", VSS_BT_LOG },
};

int backup_type_from_text(VSS_BACKUP_TYPE *ret, const char *text) {
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (streq(types[i].name, text)) {
                        *ret = types[i].type;
                        return EXIT_DONE;
                }
        message(MESSAGE_ERROR,
                "'%s' is no type of a backup: full, copy, incremental, differential and log are",
                text);
        return EXIT_USAGE;
}

const char *backup_type_text(VSS_BACKUP_TYPE type) {
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (types[i].type == type)
                        return types[i].name;
        return "other";
}
