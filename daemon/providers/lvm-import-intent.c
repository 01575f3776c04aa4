/* See lvm-import-intent.h. Stateless. */

#include "daemon/providers/lvm-import-intent.h"
#include "daemon/providers/lvm-intent.h"

#define HEAD LVM_INTENT_IMPORT " "

void lvm_import_intent_done(struct lvm_import_intent *i) {
        free(i->node);
        lvm_copy_done(&i->copy);
        *i = (struct lvm_import_intent){ 0 };
}

static bool node_is_valid(const char *node) {
        const size_t prefix = strlen(LVM_IMPORT_NODE);

        return strncmp(node, LVM_IMPORT_NODE, prefix) == 0 && node[prefix] != '\0' &&
               strspn(node + prefix, "0123456789") == strlen(node + prefix);
}

int lvm_import_intent_format(const char *provider, const struct lvm_copy *copy,
                             const struct snapshot_record *record, char **ret) {
        const char *slash = strrchr(str_or_empty(record->device), '/');
        struct lvm_copy borrowed = *copy, *copies[] = { &borrowed };
        _cleanup_(freep) char *rest = NULL;
        int r;

        if (!slash || !node_is_valid(slash + 1))
                return -EBADMSG;
        r = lvm_intent_format(
                provider,
                &(struct lvm_intent_subject){ .snapshots = &record->id, .copies = copies, .n = 1 },
                &rest);
        return r < 0 ? r : str_format(ret, HEAD "%s\n%s", slash + 1, rest);
}

int lvm_import_intent_parse(struct lvm_import_intent *ret, const char *provider, const char *data) {
        _cleanup_(lvm_intent_done) struct lvm_intent i = { 0 };
        _cleanup_(freep) char *node = NULL;
        const char *end = strchr(data, '\n');
        int r;

        if (strncmp(data, HEAD, strlen(HEAD)) != 0 || !end)
                return -EBADMSG;
        node = strndup(data + strlen(HEAD), (size_t)(end - data) - strlen(HEAD));
        if (!node)
                return -ENOMEM;
        r = lvm_intent_parse(&i, provider, end + 1);
        if (r < 0)
                return r;
        if (i.n != 1 || i.n_snapshots != 1 || !i.copies[0].lv_uuid || !node_is_valid(node))
                return -EBADMSG;
        ret->node = TAKE_PTR(node);
        ret->snapshot = i.snapshots[0];
        ret->copy = i.copies[0];
        i.copies[0] = (struct lvm_copy){ 0 };
        return 0;
}
