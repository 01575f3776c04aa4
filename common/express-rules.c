/* The table of what an express writer may say. */

#include "common/express-rules.h"

#define BIT(value) (1u << (value))

static const struct {
        bool mask;        /* value is one, not a member of an enumeration */
        uint32_t known;   /* bits, or members as bits */
        uint32_t allowed; /* of them */
        HRESULT hr;
        const char *sentence;
} rules[_EXPRESS_RULE_MAX] = {
        [EXPRESS_USAGE] = { .known = BIT(VSS_UT_UNDEFINED) | BIT(VSS_UT_BOOTABLESYSTEMSTATE) |
                                     BIT(VSS_UT_SYSTEMSERVICE) | BIT(VSS_UT_USERDATA) |
                                     BIT(VSS_UT_OTHER),
                            .allowed = BIT(VSS_UT_BOOTABLESYSTEMSTATE) | BIT(VSS_UT_SYSTEMSERVICE) |
                                       BIT(VSS_UT_USERDATA),
                            .hr = E_INVALIDARG,
                            .sentence = "is for bootable system state, a system service or user "
                                        "data" },
        [EXPRESS_COMPONENT_TYPE] = { .known = BIT(VSS_CT_DATABASE) | BIT(VSS_CT_FILEGROUP),
                                     .allowed = BIT(VSS_CT_FILEGROUP),
                                     .hr = VSS_E_NOT_SUPPORTED,
                                     .sentence = "has file groups only" },
        [EXPRESS_COMPONENT_FLAGS] = { .mask = true,
                                      .known = VSS_CF_BACKUP_RECOVERY |
                                               VSS_CF_APP_ROLLBACK_RECOVERY |
                                               VSS_CF_NOT_SYSTEM_STATE,
                                      .allowed = VSS_CF_NOT_SYSTEM_STATE,
                                      .hr = VSS_E_NOT_SUPPORTED,
                                      .sentence = "cannot write to a copy, so that its components "
                                                  "cannot need recovery" },
        [EXPRESS_BACKUP_TYPES] = { .mask = true,
                                   .known = VSS_FSBT_ALL_BACKUP_REQUIRED |
                                            VSS_FSBT_ALL_SNAPSHOT_REQUIRED |
                                            VSS_FSBT_CREATED_DURING_BACKUP,
                                   .allowed = VSS_FSBT_FULL_BACKUP_REQUIRED |
                                              VSS_FSBT_ALL_SNAPSHOT_REQUIRED |
                                              VSS_FSBT_CREATED_DURING_BACKUP,
                                   .hr = VSS_E_NOT_SUPPORTED,
                                   .sentence = "takes part in full backups only: leave out the "
                                               "bits of the other types, as in "
                                               "VSS_FSBT_FULL_BACKUP_REQUIRED | "
                                               "VSS_FSBT_ALL_SNAPSHOT_REQUIRED" },
        [EXPRESS_RESTORE_METHOD] = { .known = BIT(VSS_RME_RESTORE_STOP_START + 1) - 1,
                                     .allowed = BIT(VSS_RME_RESTORE_IF_NOT_THERE) |
                                                BIT(VSS_RME_RESTORE_IF_CAN_REPLACE) |
                                                BIT(VSS_RME_STOP_RESTORE_START) |
                                                BIT(VSS_RME_RESTORE_AT_REBOOT) |
                                                BIT(VSS_RME_RESTORE_AT_REBOOT_IF_CANNOT_REPLACE) |
                                                BIT(VSS_RME_RESTORE_STOP_START),
                                     .hr = VSS_E_NOT_SUPPORTED,
                                     .sentence = "cannot have a restore method that is undefined, "
                                                 "custom or to an alternate location" },
        [EXPRESS_WRITER_RESTORE] = { .known = BIT(VSS_WRE_ALWAYS + 1) - 1,
                                     .allowed = BIT(VSS_WRE_NEVER),
                                     .hr = VSS_E_NOT_SUPPORTED,
                                     .sentence = "gets no events in a restore: writerRestore is "
                                                 "VSS_WRE_NEVER" },
        [EXPRESS_SCHEMA] = { .mask = true,
                             .known = UINT32_MAX,
                             .allowed = VSS_BS_COPY | VSS_BS_INDEPENDENT_SYSTEM_STATE,
                             .hr = VSS_E_NOT_SUPPORTED,
                             .sentence = "has a backup schema of VSS_BS_COPY and "
                                         "VSS_BS_INDEPENDENT_SYSTEM_STATE at most" },
};

int express_rules_check(enum express_rule rule, uint32_t value, struct vss_error *reterr) {
        uint32_t bits = value;

        if (!rules[rule].mask)
                bits = value < 32 ? BIT(value) : 0;
        if (!(bits & rules[rule].known & ~rules[rule].allowed))
                return 0;
        return vss_error_set(reterr, rules[rule].hr, 0, "An express writer %s",
                             rules[rule].sentence);
}

int express_rules_check_files(const struct writer_metadata_files *f, struct vss_error *reterr) {
        if (!str_empty(f->alternate_path))
                return vss_error_set(reterr, VSS_E_NOT_SUPPORTED, 0,
                                     "An express writer copies no files, so that none lie at an "
                                     "alternate location");
        return express_rules_check(EXPRESS_BACKUP_TYPES, f->backup_type_mask, reterr);
}

static int check_component(const struct writer_metadata *m, size_t i, struct vss_error *reterr) {
        const struct writer_metadata_component *c = writer_metadata_component(m, i);
        size_t n = writer_metadata_n_files(m, WRITER_METADATA_FILES, i);
        int r;

        r = express_rules_check(EXPRESS_COMPONENT_TYPE, c->type, reterr);
        if (r >= 0)
                r = express_rules_check(EXPRESS_COMPONENT_FLAGS, c->flags, reterr);
        for (size_t j = 0; j < n && r >= 0; j++) {
                struct writer_metadata_files files;

                if (writer_metadata_get_files(m, WRITER_METADATA_FILES, i, j, &files))
                        r = express_rules_check_files(&files, reterr);
        }
        return r;
}

static int check_document(const struct writer_metadata *m, struct vss_error *reterr) {
        const struct writer_metadata_restore *restore = writer_metadata_restore(m);
        int r;

        r = express_rules_check(EXPRESS_USAGE, writer_metadata_identity(m)->usage, reterr);
        if (r >= 0)
                r = express_rules_check(EXPRESS_SCHEMA, writer_metadata_schema(m), reterr);
        if (r >= 0 && restore)
                r = express_rules_check(EXPRESS_RESTORE_METHOD, restore->method, reterr);
        if (r >= 0 && restore)
                r = express_rules_check(EXPRESS_WRITER_RESTORE, restore->writer_restore, reterr);
        for (size_t i = 0; i < writer_metadata_n_components(m) && r >= 0; i++)
                r = check_component(m, i, reterr);
        if (r >= 0 && writer_metadata_n_files(m, WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT, 0) > 0)
                r = vss_error_set(reterr, VSS_E_NOT_SUPPORTED, 0,
                                  "An express writer cannot exclude files from a copy");
        if (r >= 0 && writer_metadata_n_files(m, WRITER_METADATA_MAPPINGS, 0) > 0)
                r = vss_error_set(reterr, VSS_E_NOT_SUPPORTED, 0,
                                  "An express writer cannot have alternate location mappings");
        return r;
}

int express_rules_check_document(const struct writer_metadata *m, struct vss_error *reterr) {
        struct vss_error error = { 0 };
        int r;

        r = check_document(m, &error);
        if (r < 0) {
                r = vss_error_prefix(&error, "%s", writer_metadata_identity(m)->name);
                vss_error_move(reterr, &error);
        }
        return r;
}
