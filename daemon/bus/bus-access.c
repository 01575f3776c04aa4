/* Who may call what: see bus-access.h. */

#include "daemon/bus/bus-access.h"

#include "daemon/bus/bus-private.h"
#include "daemon/log/log.h"

#include <grp.h>

enum rule {
        RULE_ANYBODY,
        RULE_ROOT,   /* on a private bus the daemon's own user, too */
        RULE_BACKUP, /* root, members of the group, on a private bus the daemon's own user */
};

static const struct {
        const char *name;  /* the last part of a polkit action some day */
        const char *doing; /* for "may not ..." */
        enum rule rule;
} classes[_BUS_CLASS_MAX] = {
        [BUS_CLASS_OPEN] = { "open", "look at the service", RULE_ANYBODY },
        [BUS_CLASS_QUERY] = { "query", "look at volumes, copies and writers", RULE_BACKUP },
        [BUS_CLASS_CREATE] = { "create", "make copies", RULE_BACKUP },
        [BUS_CLASS_MANAGE] = { "manage", "delete copies", RULE_BACKUP },
        [BUS_CLASS_ADOPT] = { "adopt", "adopt and release volumes", RULE_BACKUP },
        [BUS_CLASS_REGISTER_WRITER] = { "register-writer", "take part as a writer", RULE_BACKUP },
        [BUS_CLASS_PROVIDERS] = { "providers", "register and unregister providers", RULE_ROOT },
        [BUS_CLASS_PROPERTIES] = { "properties", "read properties", RULE_BACKUP },
};

static struct {
        bool there;
        gid_t gid;
} group;

void bus_access_init(void) {
        char buf[4096];
        struct group entry, *found = NULL;

        group.there = getgrnam_r(BUS_ACCESS_GROUP, &entry, buf, sizeof(buf), &found) == 0 && found;
        if (group.there)
                group.gid = found->gr_gid;
        else
                log_notice("There is no group %s: only root may use the service", BUS_ACCESS_GROUP);
}

const char *bus_class_to_string(enum bus_class c) {
        return classes[c].name;
}

static bool client_is_root(const struct bus_client *c) {
        if (c->state != BUS_CLIENT_KNOWN)
                return false;
        return c->uid == 0 || (c->bus->options.allow_self && c->uid == geteuid());
}

static bool client_may_backup(const struct bus_client *c) {
        if (c->state != BUS_CLIENT_KNOWN)
                return false;
        if (client_is_root(c))
                return true;
        return group.there && bus_client_has_group(c, group.gid);
}

int bus_access_check(const struct bus_client *client, enum bus_class c, struct vss_error *reterr) {
        switch (classes[c].rule) {
        case RULE_ANYBODY: return 0;
        case RULE_ROOT:
                if (client_is_root(client))
                        return 0;
                break;
        case RULE_BACKUP:
                if (client_may_backup(client))
                        return 0;
                break;
        }
        if (client->state != BUS_CLIENT_KNOWN)
                return vss_error_set(reterr, E_ACCESSDENIED, EACCES,
                                     "The bus could not say who %s is, so it may not %s",
                                     client->name, classes[c].doing);
        if (classes[c].rule == RULE_ROOT)
                return vss_error_set(reterr, E_ACCESSDENIED, EACCES,
                                     "The user with uid %lu may not %s: root may",
                                     (unsigned long)client->uid, classes[c].doing);
        return vss_error_set(
                reterr, E_ACCESSDENIED, EACCES,
                "The user with uid %lu may not %s: root and members of the group %s may",
                (unsigned long)client->uid, classes[c].doing, BUS_ACCESS_GROUP);
}
