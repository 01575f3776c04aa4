/* See activation.h. Stateless. */

#include "daemon/adoption/activation.h"
#include "daemon/adoption/adoption-units.h"
#include "daemon/adoption/fstab.h"
#include "daemon/adoption/mapping.h"
#include "daemon/adoption/unit-name.h"
#include "daemon/adoption/whole-file.h"
#include "daemon/providers/block.h"

#define CMDLINE_MAX ((size_t)64 * 1024)
#define UNIT_MAX ((size_t)64 * 1024)
#define BOOT_LOADER_MAX ((size_t)16 * 1024 * 1024)

const char *activation_cmdline = "/proc/cmdline";
const char *activation_boot_loader = "/boot/grub/grub.cfg";
const char *activation_units[] = {
        "/run/systemd/generator",      "/run/systemd/generator.early",
        "/run/systemd/generator.late", "/run/systemd/system",
        "/etc/systemd/system",         "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system",     NULL,
};

/* The last word of the kernel's command line that begins so: what follows. 0: there is none. */
static int find_word(const char *begin, char **ret, struct vss_error *reterr) {
        _cleanup_(freep) char *text = NULL, *found = NULL;
        char *rest, *word;
        size_t size;
        int r;

        r = whole_file_read(activation_cmdline, CMDLINE_MAX, &text, &size, reterr);
        if (r < 0)
                return r;
        rest = text;
        while ((word = strsep(&rest, " \t\n")))
                if (strncmp(word, begin, strlen(begin)) == 0 &&
                    str_replace(&found, word + strlen(begin)) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, activation_cmdline);
        if (!found)
                return 0;
        *ret = TAKE_PTR(found);
        return 1;
}

int activation_boot_loader_names(const struct adopted *a, struct vss_error *reterr) {
        static const char root[] = "root=";
        _cleanup_(freep) char *text = NULL;
        char *rest, *word;
        size_t size;
        int r;

        r = whole_file_read(activation_boot_loader, BOOT_LOADER_MAX, &text, &size, reterr);
        if (r < 0)
                return r;
        rest = text;
        while ((word = strsep(&rest, " \t\n'\"")))
                if (strncmp(word, root, strlen(root)) == 0 &&
                    adopted_is_mapping(a, word + strlen(root)))
                        return 1;
        return 0;
}

static bool is_forbidden(void) {
        _cleanup_(freep) char *word = NULL;

        return find_word("vss.adopt=", &word, NULL) > 0 && (streq(word, "no") || streq(word, "0"));
}

int activation_find_root(char **ret, struct vss_error *reterr) {
        return find_word("root=", ret, reterr);
}

/* Does the first field lead to the partition? As the kernel calls it, or by a link. */
static int look_at_spec(const char *spec, dev_t partition, bool *ret_leads, bool *ret_is_link) {
        _cleanup_(freep) char *path = NULL;

        if (unit_device_of_spec(&path, spec) < 0)
                return -ENOMEM;
        *ret_is_link = fstab_is_link(path);
        *ret_leads = path[0] == '/' && block_of_path(path) == partition;
        return 0;
}

int activation_check_fstab(const struct adopted *a, const struct identity *i,
                           struct vss_error *reterr) {
        _cleanup_(fstab_done) struct fstab f = { 0 };
        int r;

        r = fstab_read(&f, reterr);
        if (r < 0)
                return r;
        for (size_t k = 0; k < f.n; k++) {
                const struct fstab_row *row = &f.rows[k];
                bool leads, is_link;

                if (look_at_spec(row->spec, i->devno, &leads, &is_link) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, fstab_path);
                if (!leads || (is_link && adopted_is_meant(a, row->spec)))
                        continue;
                if (is_link)
                        return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                             "%s calls it %s for %s, which is new since it was "
                                             "adopted; run 'vssctl volumes adopt %s'",
                                             fstab_path, row->spec, row->target, row->target);
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "%s has %s as it is on %s; write UUID=%s there, or run "
                                     "'vssctl volumes adopt %s'",
                                     fstab_path, row->spec, row->target, str_or_empty(i->uuid),
                                     row->target);
        }
        return 0;
}

/* The generator wrote its order for the unit. */
static bool is_ordered(const char *unit) {
        _cleanup_(freep) char *path = NULL;

        return str_format(&path, "%s/%s.d/" ADOPTION_DROP_IN, activation_units[0], unit) >= 0 &&
               access(path, F_OK) == 0;
}

/* 1: it mounts the partition. What cannot be read, systemd has not loaded either. */
static int look_at_unit(const char *path, dev_t partition) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line;
        size_t size;

        if (whole_file_read(path, UNIT_MAX, &text, &size, NULL) < 0)
                return 0;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                bool leads, is_link;

                line += strspn(line, " \t");
                if (strncmp(line, "What", strlen("What")) != 0)
                        continue;
                line += strlen("What");
                line += strspn(line, " \t");
                if (*line++ != '=')
                        continue;
                line += strspn(line, " \t");
                line[strcspn(line, " \t\r")] = '\0';
                if (look_at_spec(line, partition, &leads, &is_link) < 0)
                        return -ENOMEM;
                if (leads)
                        return 1;
        }
        return 0;
}

static int check_folder(const char *folder, const struct identity *i, struct vss_error *reterr) {
        _cleanup_(closedirp) DIR *d = opendir(folder);
        struct dirent *entry;

        while (d && (entry = readdir(d))) {
                const char *end = strrchr(entry->d_name, '.');
                _cleanup_(freep) char *path = NULL;
                int r;

                if (!end || !streq(end, ".mount") || is_ordered(entry->d_name))
                        continue;
                if (str_format(&path, "%s/%s", folder, entry->d_name) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, folder);
                r = look_at_unit(path, i->devno);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, path);
                if (r > 0)
                        return vss_error_set(
                                reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                "%s mounts it and does not wait for a mapping; have it "
                                "mounted by a line of %s with UUID=%s",
                                path, fstab_path, str_or_empty(i->uuid));
        }
        return 0;
}

int activation_check_units(const struct identity *i, struct vss_error *reterr) {
        int r = 0;

        for (size_t k = 0; r >= 0 && activation_units[k]; k++)
                r = check_folder(activation_units[k], i, reterr);
        return r;
}

int activation_run(const char *name, struct vss_error *reterr) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(identity_done) struct identity i = { 0 };
        const struct adopted *a;
        struct mapper_info device;
        int r;

        r = adopted_list_read(&list, reterr);
        if (r < 0)
                return r;
        a = adopted_list_find(&list, name);
        if (!a)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "no partition is adopted as '%s'", name);
        if (a->pending || is_forbidden())
                return 0;
        r = mapping_find_partition(a, &i, reterr);
        if (r >= 0)
                r = activation_check_fstab(a, &i, reterr);
        if (r >= 0)
                r = activation_check_units(&i, reterr);
        if (r >= 0)
                r = mapping_make(a, &i, true, &device, reterr);
        return r < 0 ? r : 1;
}

/* A mapping that nobody is told of would keep the partition from being mounted. */
static int run_root(const struct adopted *a, const struct identity *i, char **ret,
                    struct vss_error *reterr) {
        _cleanup_(freep) char *name = NULL, *node = NULL;
        struct mapper_info device;
        int r;

        if (adopted_mapping_name(&name, a) < 0 ||
            str_format(&node, "%s/mapper/%s", mapping_dev, name) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, a->name);
        r = mapping_check_identity(a, i, reterr);
        if (r >= 0)
                r = mapping_make(a, i, false, &device, reterr);
        if (r < 0)
                return r;
        /* udev makes the node; in an initramfs without its rules somebody else has to. */
        if (!mapping_await(node, device.devno))
                r = mapper_make_node(name, reterr);
        if (r < 0) {
                (void)mapper_remove(name, false, NULL); /* r says why */
                return r;
        }
        *ret = TAKE_PTR(node);
        return 1;
}

int activation_run_root(const char *device, char **ret, struct vss_error *reterr) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(identity_done) struct identity i = { 0 };
        dev_t devno = block_of_path(device);
        int r;

        r = adopted_list_read(&list, reterr);
        if (r < 0 || is_forbidden())
                return r < 0 ? r : 0;
        for (size_t k = 0; k < list.n; k++) {
                if (!list.items[k].root || list.items[k].pending)
                        continue;
                if (devno == 0)
                        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                                             "%s is no block device", device);
                r = identity_read(&i, devno, reterr);
                return r < 0 ? r : run_root(&list.items[k], &i, ret, reterr);
        }
        /* The hook takes nothing along but lines of a root. */
        if (list.complaints)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, EBADMSG, "%s", list.complaints[0]);
        return 0;
}
