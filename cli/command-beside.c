/* See command-beside.h. */

#include "cli/command-beside.h"

#include "cli/exit-status.h"
#include "cli/message.h"
#include "cli/run-command.h"

#include <stdio.h>

static int add_variable(char ***env, const char *name, const char *value) {
        _cleanup_(freep) char *s = NULL;
        int r;

        r = str_format(&s, "%s=%s", name, str_or_empty(value));
        return r < 0 ? r : strv_append(env, s);
}

static int add_numbered(char ***env, const char *name, size_t number, const char *value) {
        _cleanup_(freep) char *s = NULL;
        int r;

        r = str_format(&s, "%s_%zu", name, number);
        return r < 0 ? r : add_variable(env, s, value);
}

/* Ours, without variables of an outer set, and with those of this one. */
static int make_environment(char ***ret, const struct command_beside *c) {
        _cleanup_(strv_freep) char **env = NULL;
        _cleanup_(freep) char *copies = NULL;
        char id[VSS_ID_STRING_SIZE];
        int r;

        STRV_FOREACH (e, environ) {
                if (strncmp(*e, "VSS_", 4) == 0)
                        continue;
                r = strv_append(&env, *e);
                if (r < 0)
                        return r;
        }

        r = add_variable(&env, "VSS_SET_ID", VssIdToString(c->set, id));
        for (size_t i = 0; r >= 0 && i < c->n; i++) {
                const VSS_SNAPSHOT_INFO *info = c->copies[i];
                const char *copy = info->properties.m_pwszSnapshotDeviceObject;
                _cleanup_(freep) char *longer = NULL;

                r = str_format(&longer, "%s%s%s", str_or_empty(copies), i > 0 ? ":" : "",
                               str_or_empty(copy));
                if (r >= 0)
                        r = add_numbered(&env, "VSS_SNAPSHOT", i + 1,
                                         VssIdToString(info->properties.m_SnapshotId, id));
                if (r >= 0)
                        r = add_numbered(&env, "VSS_VOLUME", i + 1,
                                         c->volumes ? c->volumes[i] : info->volume_display_name);
                if (r >= 0)
                        r = add_numbered(&env, "VSS_COPY", i + 1, copy);
                if (r >= 0)
                        r = add_numbered(&env, "VSS_DEVICE", i + 1, info->block_device);
                if (r >= 0) {
                        free(copies);
                        copies = TAKE_PTR(longer);
                }
        }
        if (r >= 0)
                r = add_variable(&env, "VSS_COPIES", copies);
        if (r >= 0 && c->document)
                r = add_variable(&env, "VSS_DOCUMENT", c->document);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(env);
        return 0;
}

int command_beside_run(const struct command_beside *c, char *const *command) {
        _cleanup_(strv_freep) char **env = NULL;
        int wait_status, sig, r;

        if (make_environment(&env, c) < 0)
                return message_out_of_memory();
        r = run_command(command, env, &wait_status, &sig);
        if (r < 0) {
                message(MESSAGE_ERROR, "cannot run %s: %s", command[0], strerror(-r));
                return EXIT_FAILED;
        }
        r = exit_status_from_command(wait_status);
        return r != EXIT_DONE && sig != 0 ? EXIT_SIGNAL + sig : r;
}
