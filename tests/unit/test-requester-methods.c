/* Every method of IVssBackupComponents, one row each: what its arguments are on the wire, what its
 * outputs are after an answer, a refusal, and arguments that it must not take. The answers of the
 * service are made from the signatures in the XML. */

#include "contract-service.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* Also the library's: what is mapped of a document that came as a descriptor. */
static atomic_bool no_file_is_mapped;

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
        if (fd >= 0 && atomic_load(&no_file_is_mapped)) {
                errno = ENOMEM;
                return MAP_FAILED;
        }
        return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

/* All outputs that methods have. Before a call every byte is SENTINEL; "empty" is zero for all. */
struct outputs {
        VSS_ID id, class;
        UINT number;
        LONG deleted;
        BOOL supported;
        HRESULT failure, application;
        VSS_WRITER_STATE state;
        char *text, *more_text;
        IVssAsync *async;
        IVssEnumObject *objects;
        VSS_SNAPSHOT_PROP properties;
        IVssExamineWriterMetadata *metadata;
        IVssWriterComponents *components;
};
#define SENTINEL 0xa5

static const struct member {
        const char *name;
        size_t offset, size;
} members[] = {
#define MEMBER(m) \
        { #m, offsetof(struct outputs, m), sizeof(((struct outputs *)0)->m) }
        MEMBER(id),         MEMBER(class),       MEMBER(number),    MEMBER(deleted),
        MEMBER(supported),  MEMBER(failure),     MEMBER(state),     MEMBER(text),
        MEMBER(async),      MEMBER(objects),     MEMBER(metadata),  MEMBER(components),
        MEMBER(properties), MEMBER(application), MEMBER(more_text),
};

/* How the next call of a row differs from a good one. */
static struct {
        struct outputs out;
        size_t null_output; /* offset of the member whose pointer is NULL; SIZE_MAX: none */
        unsigned bad_text;  /* which of the texts is replaced, from 1; 0: none */
        const char *with;   /* .. by this */
        bool replaced_optional;
        unsigned n_texts; /* counts them */
} next;

static void *out_pointer(size_t offset) {
        return offset == next.null_output ? NULL : (char *)&next.out + offset;
}
#define OUT(member) out_pointer(offsetof(struct outputs, member))

static const char *in_text(const char *text, bool optional) {
        if (++next.n_texts != next.bad_text)
                return text;
        next.replaced_optional = optional;
        return next.with;
}
#define TEXT(text) in_text((text), false)
#define MAYBE(text) in_text((text), true)

#define KEY some_id, VSS_CT_FILEGROUP, MAYBE("path"), TEXT("name")
#define KEY_TEXT "s:" SOME_ID_TEXT " u:2 s:path s:name"

/* X(row, wire name, arguments on the wire, call) */
#define METHODS(X)                                                                                 \
        X(SetContext, "i:5", IVssBackupComponents_SetContext(b, 5))                                \
        X(SetBackupState, "b:1 b:0 u:2 b:1",                                                       \
          IVssBackupComponents_SetBackupState(b, true, false, VSS_BT_INCREMENTAL, true))           \
        X(SetRestoreState, "u:2", IVssBackupComponents_SetRestoreState(b, VSS_RTYPE_IMPORT))       \
        X(EnableWriterClasses, "as:" SOME_ID_TEXT "," OTHER_ID_TEXT,                               \
          IVssBackupComponents_EnableWriterClasses(b, ids, 2))                                     \
        X(DisableWriterClasses, "as:", IVssBackupComponents_DisableWriterClasses(b, NULL, 0))      \
        X(DisableWriterInstances, "as:" SOME_ID_TEXT,                                              \
          IVssBackupComponents_DisableWriterInstances(b, ids, 1))                                  \
        X(GatherWriterMetadata, "", IVssBackupComponents_GatherWriterMetadata(b, OUT(async)))      \
        X(GetWriterMetadataCount, "", IVssBackupComponents_GetWriterMetadataCount(b, OUT(number))) \
        X(GetWriterMetadata, "u:7",                                                                \
          IVssBackupComponents_GetWriterMetadata(b, 7, OUT(id), OUT(metadata)))                    \
        X(FreeWriterMetadata, "", IVssBackupComponents_FreeWriterMetadata(b))                      \
        X(AddComponent, "s:" OTHER_ID_TEXT " " KEY_TEXT,                                           \
          IVssBackupComponents_AddComponent(b, other_id, KEY))                                     \
        X(SetBackupOptions, KEY_TEXT " s:options",                                                 \
          IVssBackupComponents_SetBackupOptions(b, KEY, TEXT("options")))                          \
        X(SetPreviousBackupStamp, KEY_TEXT " s:stamp",                                             \
          IVssBackupComponents_SetPreviousBackupStamp(b, KEY, TEXT("stamp")))                      \
        X(SetBackupSucceeded, "s:" OTHER_ID_TEXT " " KEY_TEXT " b:1",                              \
          IVssBackupComponents_SetBackupSucceeded(b, other_id, KEY, true))                         \
        X(GetWriterComponentsCount, "",                                                            \
          IVssBackupComponents_GetWriterComponentsCount(b, OUT(number)))                           \
        X(GetWriterComponents, "u:7",                                                              \
          IVssBackupComponents_GetWriterComponents(b, 7, OUT(components)))                         \
        X(SaveAsXML, "", IVssBackupComponents_SaveAsXML(b, OUT(text)))                             \
        X(StartSnapshotSet, "", IVssBackupComponents_StartSnapshotSet(b, OUT(id)))                 \
        X(AddToSnapshotSet, "s:/srv s:" SOME_ID_TEXT,                                              \
          IVssBackupComponents_AddToSnapshotSet(b, TEXT("/srv"), some_id, OUT(id)))                \
        X(IsVolumeSupported, "s: s:/srv",                                                          \
          IVssBackupComponents_IsVolumeSupported(b, GUID_NULL, TEXT("/srv"), OUT(supported)))      \
        X(PrepareForBackup, "", IVssBackupComponents_PrepareForBackup(b, OUT(async)))              \
        X(DoSnapshotSet, "", IVssBackupComponents_DoSnapshotSet(b, OUT(async)))                    \
        X(GatherWriterStatus, "", IVssBackupComponents_GatherWriterStatus(b, OUT(async)))          \
        X(GetWriterStatusCount, "", IVssBackupComponents_GetWriterStatusCount(b, OUT(number)))     \
        X(GetWriterStatus, "u:7",                                                                  \
          IVssBackupComponentsEx3_GetWriterStatusEx(b, 7, OUT(id), OUT(class), OUT(text),          \
                                                    OUT(state), OUT(failure), OUT(application),    \
                                                    OUT(more_text)))                               \
        X(FreeWriterStatus, "", IVssBackupComponents_FreeWriterStatus(b))                          \
        X(GetSnapshotProperties, "s:" SOME_ID_TEXT,                                                \
          IVssBackupComponents_GetSnapshotProperties(b, some_id, OUT(properties)))                 \
        X(Query, "s:" SOME_ID_TEXT " u:1 u:3",                                                     \
          IVssBackupComponents_Query(b, some_id, VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT,             \
                                     OUT(objects)))                                                \
        X(DeleteSnapshots, "s:" SOME_ID_TEXT " u:2 b:1",                                           \
          IVssBackupComponents_DeleteSnapshots(b, some_id, VSS_OBJECT_SNAPSHOT_SET, 77,            \
                                               OUT(deleted), OUT(id)))                             \
        X(BackupComplete, "", IVssBackupComponents_BackupComplete(b, OUT(async)))                  \
        X(AbortBackup, "", IVssBackupComponents_AbortBackup(b))                                    \
        X(SetSelectedForRestore, KEY_TEXT " b:1",                                                  \
          IVssBackupComponents_SetSelectedForRestore(b, KEY, true))                                \
        X(SetSelectedForRestoreEx, KEY_TEXT " b:0 s:" OTHER_ID_TEXT,                               \
          IVssBackupComponentsEx_SetSelectedForRestoreEx(b, KEY, false, other_id))                 \
        X(AddRestoreSubcomponent, KEY_TEXT " s:below s:it b:0",                                    \
          IVssBackupComponents_AddRestoreSubcomponent(b, KEY, TEXT("below"), TEXT("it"), false))   \
        X(SetRestoreOptions, KEY_TEXT " s:options",                                                \
          IVssBackupComponents_SetRestoreOptions(b, KEY, TEXT("options")))                         \
        X(SetAdditionalRestores, KEY_TEXT " b:1",                                                  \
          IVssBackupComponents_SetAdditionalRestores(b, KEY, true))                                \
        X(SetAuthoritativeRestore, KEY_TEXT " b:1",                                                \
          IVssBackupComponentsEx2_SetAuthoritativeRestore(b, KEY, true))                           \
        X(SetRollForward, KEY_TEXT " u:3 s:point",                                                 \
          IVssBackupComponentsEx2_SetRollForward(b, KEY, VSS_RF_PARTIAL, MAYBE("point")))          \
        X(SetRestoreName, KEY_TEXT " s:new",                                                       \
          IVssBackupComponentsEx2_SetRestoreName(b, KEY, TEXT("new")))                             \
        X(AddNewTarget, KEY_TEXT " s:/a s:* b:1 s:/b",                                             \
          IVssBackupComponents_AddNewTarget(b, KEY, TEXT("/a"), TEXT("*"), true, TEXT("/b")))      \
        X(SetRangesFilePath, KEY_TEXT " u:4 s:/r",                                                 \
          IVssBackupComponents_SetRangesFilePath(b, KEY, 4, TEXT("/r")))                           \
        X(PreRestore, "", IVssBackupComponents_PreRestore(b, OUT(async)))                          \
        X(AddAlternativeLocationMapping, KEY_TEXT " s:/a s:* b:0 s:/b",                            \
          IVssBackupComponents_AddAlternativeLocationMapping(b, KEY, TEXT("/a"), TEXT("*"), false, \
                                                             TEXT("/b")))                          \
        X(SetFileRestoreStatus, KEY_TEXT " u:3",                                                   \
          IVssBackupComponents_SetFileRestoreStatus(b, KEY, VSS_RS_FAILED))                        \
        X(PostRestore, "", IVssBackupComponents_PostRestore(b, OUT(async)))                        \
        X(ExposeSnapshot, "s:" SOME_ID_TEXT " s:part i:1048576 s:/mnt",                            \
          IVssBackupComponents_ExposeSnapshot(b, some_id, MAYBE("part"),                           \
                                              VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY, MAYBE("/mnt"),     \
                                              OUT(text)))                                          \
        X(UnexposeSnapshot, "s:" SOME_ID_TEXT,                                                     \
          IVssBackupComponentsEx2_UnexposeSnapshot(b, some_id))                                    \
        X(BreakSnapshotSet, "s:" SOME_ID_TEXT, IVssBackupComponents_BreakSnapshotSet(b, some_id))  \
        X(BreakSnapshotSetEx, "s:" SOME_ID_TEXT " u:2",                                            \
          IVssBackupComponentsEx2_BreakSnapshotSetEx(b, some_id, 2, OUT(async)))                   \
        X(RevertToSnapshot, "s:" SOME_ID_TEXT " b:1",                                              \
          IVssBackupComponents_RevertToSnapshot(b, some_id, TRUE))                                 \
        X(QueryRevertStatus, "s:/srv",                                                             \
          IVssBackupComponents_QueryRevertStatus(b, TEXT("/srv"), OUT(async)))                     \
        X(ImportSnapshots, "", IVssBackupComponents_ImportSnapshots(b, OUT(async)))                \
        X(PreFastRecovery, "s:" SOME_ID_TEXT " u:1",                                               \
          IVssBackupComponentsEx2_PreFastRecovery(b, some_id, 1, OUT(async)))                      \
        X(FastRecovery, "s:" SOME_ID_TEXT " u:1",                                                  \
          IVssBackupComponentsEx2_FastRecovery(b, some_id, 1, OUT(async)))                         \
        X(AddSnapshotToRecoverySet, "s:" SOME_ID_TEXT " u:0 s:/srv",                               \
          IVssBackupComponentsEx3_AddSnapshotToRecoverySet(b, some_id, 0, MAYBE("/srv")))          \
        X(RecoverSet, "u:256", IVssBackupComponentsEx3_RecoverSet(b, 256, OUT(async)))             \
        X(GetRootAndLogicalPrefixPaths, "s:/srv/a b:1",                                            \
          IVssBackupComponentsEx4_GetRootAndLogicalPrefixPaths(b, TEXT("/srv/a"), OUT(text),       \
                                                               OUT(more_text), 77))                \
        X(GetSessionId, "", IVssBackupComponentsEx3_GetSessionId(b, OUT(id)))

#define DEFINE_CALL(name, wire, call)                         \
        static HRESULT call_##name(IVssBackupComponents *b) { \
                const VSS_ID ids[] = { some_id, other_id };   \
                                                              \
                (void)ids;                                    \
                return call;                                  \
        }
METHODS(DEFINE_CALL)

static const struct row {
        const char *name, *wire;
        HRESULT (*call)(IVssBackupComponents *b);
} rows[] = {
#define ROW(method, arguments, expression) { #method, arguments, call_##method },
        METHODS(ROW)
};

static IVssBackupComponents *backup;

static void begin_test(void) {
        script = (struct script){ .completes = VSS_S_ASYNC_PENDING, .status = VSS_S_ASYNC_PENDING };
        contract = xmlReadFile(SOURCE_ROOT "/dbus/org.vssd.Vss1.BackupComponents.xml", NULL,
                               XML_PARSE_NONET);
        ck_assert_ptr_nonnull(contract);
        make_documents();
        fake_start(&bus, answer, &script);
        backup = new_backup();
}

static void end_test(void) {
        IVssBackupComponents_Release(backup);
        fake_stop(&bus);
        xmlFreeDoc(contract);
        free(metadata_text);
        free(components_text);
}

static void set_script(HRESULT refuse, bool nonsense) {
        (void)pthread_mutex_lock(&bus.lock);
        script.refuse = refuse;
        script.nonsense = nonsense;
        arguments[0] = '\0';
        bus.calls[0] = '\0';
        n_calls = 0;
        (void)pthread_mutex_unlock(&bus.lock);
}

/* The next call is a good one. */
static void reset(void) {
        memset(&next, 0, sizeof(next));
        memset(&next.out, SENTINEL, sizeof(next.out));
        next.null_output = SIZE_MAX;
}

static bool is_all(const struct member *m, unsigned char byte) {
        const unsigned char *p = (const unsigned char *)&next.out + m->offset;

        for (size_t i = 0; i < m->size; i++)
                if (p[i] != byte)
                        return false;
        return true;
}

static void release_outputs(void) {
        const struct outputs sentinel;
        char *garbage;

        memset((void *)(uintptr_t)&sentinel, SENTINEL, sizeof(sentinel));
        garbage = sentinel.text;
        if (next.out.text != garbage)
                SysFreeString(next.out.text);
        if (next.out.more_text != garbage)
                SysFreeString(next.out.more_text);
        if ((char *)next.out.async != garbage)
                IVssAsync_Release(next.out.async);
        if ((char *)next.out.objects != garbage)
                IVssEnumObject_Release(next.out.objects);
        if ((char *)next.out.metadata != garbage)
                IVssExamineWriterMetadata_Release(next.out.metadata);
        if ((char *)next.out.components != garbage)
                IVssWriterComponentsExt_Release(next.out.components);
        if (next.out.properties.m_pwszSnapshotDeviceObject != garbage)
                VssFreeSnapshotProperties(&next.out.properties);
}

/* A bit for each output that a good call fills. */
static unsigned outputs_of(const struct row *row) {
        unsigned touched = 0;
        HRESULT hr;

        reset();
        set_script(S_OK, false);
        hr = row->call(backup);
        ck_assert_msg(SUCCEEDED(hr), "%s: %s", row->name, VssLastErrorMessage());
        for (size_t i = 0; i < ARRAY_SIZE(members); i++)
                if (!is_all(&members[i], SENTINEL)) {
                        touched |= 1u << i;
                        ck_assert_msg(!is_all(&members[i], 0), "%s: %s is empty", row->name,
                                      members[i].name);
                }
        release_outputs();
        return touched;
}

static void assert_empty(const struct row *row, unsigned touched, const char *when) {
        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
                bool is_output = touched & (1u << i),
                     skipped = members[i].offset == next.null_output;

                ck_assert_msg(is_all(&members[i], is_output && !skipped ? 0 : SENTINEL),
                              "%s: %s, %s", row->name, members[i].name, when);
        }
}

static void assert_nothing_sent(const struct row *row) {
        (void)pthread_mutex_lock(&bus.lock);
        ck_assert_msg(n_calls == 0, "%s: sent", row->name);
        (void)pthread_mutex_unlock(&bus.lock);
}

START_TEST(arguments_reach_the_wire_in_their_order) {
        const struct row *row = &rows[_i];

        reset();
        set_script(S_OK, false);
        ck_assert_msg(SUCCEEDED(row->call(backup)), "%s: %s", row->name, VssLastErrorMessage());
        (void)pthread_mutex_lock(&bus.lock);
        ck_assert_str_eq(arguments, row->wire);
        ck_assert_ptr_nonnull(strstr(bus.calls, row->name));
        (void)pthread_mutex_unlock(&bus.lock);
        release_outputs();
}
END_TEST

START_TEST(every_error_name_becomes_its_code_and_outputs_are_emptied) {
        const struct row *row = &rows[_i];
        unsigned touched = outputs_of(row);
        const struct vss_hresult_info *table;
        char sentence[80];
        size_t n;

        table = vss_hresult_table(&n);
        (void)snprintf(sentence, sizeof(sentence), "The reason of %s", row->name);
        for (size_t i = 0; i < n; i++) {
                HRESULT expected = table[i].hr == E_UNEXPECTED ? VSS_E_UNEXPECTED : table[i].hr;

                if (!table[i].bus_name)
                        continue;
                reset();
                set_script(table[i].hr, false);
                ck_assert_msg(row->call(backup) == expected, "%s: %s", row->name, table[i].symbol);
                ck_assert_str_eq(VssLastErrorMessage(), sentence);
                assert_empty(row, touched, table[i].symbol);
        }
}
END_TEST

START_TEST(an_answer_of_other_types_is_refused_and_outputs_are_emptied) {
        const struct row *row = &rows[_i];
        unsigned touched = outputs_of(row);

        if (touched == 0)
                return;
        reset();
        set_script(S_OK, true);
        ck_assert_msg(row->call(backup) == VSS_E_UNEXPECTED, "%s", row->name);
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), "same version"));
        assert_empty(row, touched, "nonsense");
}
END_TEST

START_TEST(a_null_object_is_refused_and_outputs_are_emptied) {
        const struct row *row = &rows[_i];
        unsigned touched = outputs_of(row);

        reset();
        set_script(S_OK, false);
        ck_assert_msg(row->call(NULL) == E_INVALIDARG, "%s", row->name);
        ck_assert_ptr_nonnull(strstr(VssLastErrorMessage(), row->name));
        assert_empty(row, touched, "object NULL");
        assert_nothing_sent(row);
}
END_TEST

static bool may_be_null(const struct member *m) {
        return m->offset == offsetof(struct outputs, application) ||
               m->offset == offsetof(struct outputs, more_text);
}

static bool is_reserved(const struct row *row) {
        return streq(row->name, "PreFastRecovery") || streq(row->name, "FastRecovery");
}

START_TEST(a_null_output_is_refused_unless_it_is_optional) {
        const struct row *row = &rows[_i];
        unsigned touched = outputs_of(row);

        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
                HRESULT hr, expected = E_INVALIDARG;

                if (!(touched & (1u << i)))
                        continue;
                if (streq(row->name, "GetWriterStatus") && may_be_null(&members[i]))
                        expected = S_OK;
                if (streq(row->name, "QueryRevertStatus"))
                        expected = E_POINTER;
                if (is_reserved(row)) /* all its arguments are: it is the service's to refuse */
                        expected = E_NOTIMPL;
                reset();
                set_script(expected == E_NOTIMPL ? expected : S_OK, false);
                next.null_output = members[i].offset;
                hr = row->call(backup);
                ck_assert_msg(hr == expected, "%s: %s", row->name, members[i].name);
                if (expected == S_OK || expected == E_NOTIMPL) {
                        release_outputs();
                        continue;
                }
                assert_empty(row, touched, members[i].name);
                assert_nothing_sent(row);
        }
}
END_TEST

static unsigned count_texts(const struct row *row) {
        reset();
        set_script(S_OK, false);
        ck_assert(SUCCEEDED(row->call(backup)));
        release_outputs();
        return next.n_texts;
}

static void refuse_text(const struct row *row, unsigned which, const char *with, unsigned touched) {
        reset();
        set_script(S_OK, false);
        next.bad_text = which;
        next.with = with;
        ck_assert_msg(row->call(backup) == E_INVALIDARG, "%s: text %u", row->name, which);
        assert_empty(row, touched, "text");
        assert_nothing_sent(row);
}

static bool has_empty_text(void) {
        size_t n;
        bool has;

        (void)pthread_mutex_lock(&bus.lock);
        n = strlen(arguments);
        has = strstr(arguments, "s: ") || (n >= 2 && streq(arguments + n - 2, "s:"));
        (void)pthread_mutex_unlock(&bus.lock);
        return has;
}

START_TEST(texts_are_checked_and_null_is_the_empty_string_where_it_is_allowed) {
        const struct row *row = &rows[_i];
        unsigned touched = outputs_of(row), n = count_texts(row);
        char *long_text = malloc(WIRE_STRING_MAX + 2);

        ck_assert_ptr_nonnull(long_text);
        memset(long_text, 'a', WIRE_STRING_MAX + 1);
        long_text[WIRE_STRING_MAX + 1] = '\0';
        for (unsigned i = 1; i <= n; i++) {
                refuse_text(row, i, "\xc3(", touched); /* libdbus would abort the process */
                refuse_text(row, i, long_text, touched);
                reset();
                next.bad_text = i;
                if (SUCCEEDED(row->call(backup))) {
                        ck_assert_msg(next.replaced_optional, "%s: text %u may be NULL", row->name,
                                      i);
                        ck_assert_msg(has_empty_text(), "%s: '%s'", row->name, arguments);
                        release_outputs();
                } else {
                        ck_assert_msg(!next.replaced_optional, "%s: text %u", row->name, i);
                        refuse_text(row, i, NULL, touched);
                }
        }
        free(long_text);
}
END_TEST

/* Each method of the XML has a row here, but for those that are tried elsewhere. */
START_TEST(every_method_has_a_row) {
        static const char *const elsewhere[] = { "InitializeForBackup", "InitializeForRestore",
                                                 "GetWriterMetadataEx", "GetWriterStatusEx",
                                                 "Release" };

        for (xmlNode *m =
                     xmlFirstElementChild(xmlFirstElementChild(xmlDocGetRootElement(contract)));
             m; m = xmlNextElementSibling(m)) {
                xmlChar *name = xmlGetProp(m, BAD_CAST "name");
                bool found = false;

                for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                        found |= xmlStrEqual(name, BAD_CAST rows[i].name);
                for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
                        found |= xmlStrEqual(name, BAD_CAST elsewhere[i]);
                ck_assert_msg(found, "%s", (const char *)name);
                xmlFree(name);
        }
}
END_TEST

static IVssWriterComponents *fetch(void) {
        IVssWriterComponents *components = NULL;

        ck_assert_int_eq(IVssBackupComponents_GetWriterComponents(backup, 0, &components), S_OK);
        return components;
}

static void assert_stale(IVssWriterComponents *components, HRESULT expected) {
        UINT n;

        ck_assert_int_eq(IVssWriterComponents_GetComponentCount(components, &n), expected);
        ck_assert_uint_eq(n, expected == S_OK ? 1 : 0);
}

static HRESULT (*const changes[])(IVssBackupComponents *, IVssAsync **) = {
        IVssBackupComponents_PrepareForBackup, IVssBackupComponents_DoSnapshotSet,
        IVssBackupComponents_BackupComplete,   IVssBackupComponents_PreRestore,
        IVssBackupComponents_PostRestore,
};

START_TEST(components_hold_until_the_writers_may_have_changed_them) {
        IVssWriterComponents *before = fetch(), *meanwhile, *after;
        IVssAsync *async;

        assert_stale(before, S_OK);
        /* One that was refused changes nothing. */
        set_script(VSS_E_BAD_STATE, false);
        ck_assert_int_eq(changes[_i](backup, &async), VSS_E_BAD_STATE);
        assert_stale(before, S_OK);
        set_script(S_OK, false);
        ck_assert_int_eq(changes[_i](backup, &async), S_OK);
        assert_stale(before, VSS_E_BAD_STATE);
        /* What is fetched while it runs holds until its end. */
        meanwhile = fetch();
        assert_stale(meanwhile, S_OK);
        (void)pthread_mutex_lock(&bus.lock);
        script.completes = S_OK;
        send_completed(&bus, &script);
        (void)pthread_mutex_unlock(&bus.lock);
        ck_assert_int_eq(IVssAsync_Wait(async, INFINITE), S_OK);
        assert_stale(meanwhile, VSS_E_BAD_STATE);
        after = fetch();
        assert_stale(after, S_OK);
        IVssAsync_Release(async);
        IVssWriterComponentsExt_Release(before);
        IVssWriterComponentsExt_Release(meanwhile);
        IVssWriterComponentsExt_Release(after);
}
END_TEST

START_TEST(components_outlive_their_parent) {
        IVssWriterComponents *components = fetch();

        IVssBackupComponents_Release(backup);
        assert_stale(components, S_OK);
        IVssWriterComponentsExt_Release(components);
        backup = new_backup();
}
END_TEST

static void damage(char **text) {
        (*text)[0] = 'x';
}

START_TEST(a_damaged_document_empties_all_outputs) {
        IVssExamineWriterMetadata *metadata = (IVssExamineWriterMetadata *)&bus;
        IVssWriterComponents *components = (IVssWriterComponents *)&bus;
        VSS_ID id = some_id;

        damage(&metadata_text);
        damage(&components_text);
        ck_assert_int_eq(IVssBackupComponents_GetWriterMetadata(backup, 0, &id, &metadata),
                         VSS_E_INVALID_XML_DOCUMENT);
        ck_assert_ptr_null(metadata);
        ck_assert(vss_id_is_null(id));
        ck_assert(FAILED(IVssBackupComponents_GetWriterComponents(backup, 0, &components)));
        ck_assert_ptr_null(components);
}
END_TEST

/* So that it comes as a descriptor. */
static void enlarge(char **text) {
        const size_t n = strlen(*text), more = DOCUMENT_INLINE_MAX;
        char *grown = realloc(*text, n + more + 1);

        ck_assert_ptr_nonnull(grown);
        memset(grown + n, '\n', more);
        grown[n + more] = '\0';
        *text = grown;
}

START_TEST(a_document_that_cannot_be_mapped_is_no_memory) {
        IVssExamineWriterMetadata *metadata = NULL;
        IVssWriterComponents *components = NULL;
        VSS_ID id = some_id;
        BSTR xml = NULL;

        enlarge(&metadata_text);
        enlarge(&components_text);
        ck_assert_int_eq(IVssBackupComponents_GetWriterMetadata(backup, 0, &id, &metadata), S_OK);
        IVssExamineWriterMetadata_Release(metadata);
        ck_assert_int_eq(IVssBackupComponents_GetWriterComponents(backup, 0, &components), S_OK);
        IVssWriterComponentsExt_Release(components);

        metadata = (IVssExamineWriterMetadata *)&bus;
        components = (IVssWriterComponents *)&bus;
        xml = (BSTR)&bus;
        atomic_store(&no_file_is_mapped, true);
        ck_assert_int_eq(IVssBackupComponents_GetWriterMetadata(backup, 0, &id, &metadata),
                         E_OUTOFMEMORY);
        ck_assert_int_eq(IVssBackupComponents_GetWriterComponents(backup, 0, &components),
                         E_OUTOFMEMORY);
        ck_assert_int_eq(IVssBackupComponents_SaveAsXML(backup, &xml), E_OUTOFMEMORY);
        atomic_store(&no_file_is_mapped, false);
        ck_assert_ptr_null(metadata);
        ck_assert_ptr_null(components);
        ck_assert_ptr_null(xml);
        ck_assert(vss_id_is_null(id));
}
END_TEST

static char *received; /* the document of the last call */

static DBusMessage *keep_document(struct fake_bus *b, DBusMessage *call) {
        _cleanup_(document_unrefp) struct document *document = NULL;
        struct vss_error error = { 0 };
        DBusMessageIter iter;

        if (dbus_message_has_signature(call, "v")) {
                ck_assert(dbus_message_iter_init(call, &iter));
                ck_assert_msg(document_read(&iter, "xml", DOCUMENT_MAX, &document, &error) >= 0,
                              "%s", error.message);
                freep(&received);
                if (document)
                        received = strdup(document_text(document));
        }
        return answer(b, call);
}

START_TEST(a_document_of_any_size_arrives) {
        const size_t size = 3 * DOCUMENT_INLINE_MAX;
        char *text = malloc(size + 1);

        ck_assert_ptr_nonnull(text);
        memset(text, 'a', size);
        text[size] = '\0';
        (void)pthread_mutex_lock(&bus.lock);
        bus.on_call = keep_document;
        (void)pthread_mutex_unlock(&bus.lock);
        ck_assert_int_eq(IVssBackupComponents_InitializeForRestore(backup, "<a/>"), S_OK);
        ck_assert_str_eq(received, "<a/>");
        ck_assert_int_eq(IVssBackupComponents_InitializeForBackup(backup, text), S_OK);
        ck_assert_str_eq(received, text);
        ck_assert_int_eq(IVssBackupComponents_InitializeForBackup(backup, NULL), S_OK);
        ck_assert_ptr_null(received);
        ck_assert_int_eq(IVssBackupComponents_InitializeForRestore(backup, "\xff"),
                         VSS_E_INVALID_XML_DOCUMENT);
        ck_assert_int_eq(IVssBackupComponents_InitializeForRestore(NULL, "<a/>"), E_INVALIDARG);
        free(text);
        freep(&received);
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("requester-methods");
        TCase *t = tcase_create("methods"), *document = tcase_create("document");
        const int n = ARRAY_SIZE(rows);

        tcase_add_checked_fixture(t, begin_test, end_test);
        tcase_set_timeout(t, 30);
        tcase_add_test(t, every_method_has_a_row);
        tcase_add_loop_test(t, arguments_reach_the_wire_in_their_order, 0, n);
        tcase_add_loop_test(t, every_error_name_becomes_its_code_and_outputs_are_emptied, 0, n);
        tcase_add_loop_test(t, an_answer_of_other_types_is_refused_and_outputs_are_emptied, 0, n);
        tcase_add_loop_test(t, a_null_object_is_refused_and_outputs_are_emptied, 0, n);
        tcase_add_loop_test(t, a_null_output_is_refused_unless_it_is_optional, 0, n);
        tcase_add_loop_test(t, texts_are_checked_and_null_is_the_empty_string_where_it_is_allowed,
                            0, n);
        suite_add_tcase(s, t);
        tcase_add_checked_fixture(document, begin_test, end_test);
        tcase_add_loop_test(document, components_hold_until_the_writers_may_have_changed_them, 0,
                            ARRAY_SIZE(changes));
        tcase_add_test(document, components_outlive_their_parent);
        tcase_add_test(document, a_damaged_document_empties_all_outputs);
        tcase_add_test(document, a_document_of_any_size_arrives);
        tcase_add_test(document, a_document_that_cannot_be_mapped_is_no_memory);
        suite_add_tcase(s, document);
        return s;
}

int main(void) {
        SRunner *runner = srunner_create(suite());
        int failed;

        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? 1 : 0;
}
