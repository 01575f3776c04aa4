/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VSS_VSMETADATA_H
#define VSS_VSMETADATA_H

/*
 * What a writer says of itself: the Writer Metadata Document. A writer makes it
 * (IVssCreateWriterMetadata, in OnIdentify; IVssExpressWriter for one without a process), a
 * requester reads it (IVssExamineWriterMetadata and what it hands out). Programs include
 * <vss/vswriter.h> or <vss/vsbackup.h>, which include this.
 *
 * Any function may return E_INVALIDARG for a NULL object, a NULL output, a NULL or empty string
 * where one is required, a value outside its enumeration, and text that an XML document cannot
 * hold; and E_OUTOFMEMORY. The lists below name what comes on top. On failure an output pointer is
 * NULL, an output number 0, an output id GUID_NULL; and VssLastErrorMessage (vsslinux.h) has a
 * sentence. Strings that are handed out belong to the caller: SysFreeString. Objects that are
 * handed out are the caller's to release; they hold on to what they need and outlive the object
 * that they came from.
 */

#include <vss/vss.h>
#include <vss/vsserror.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

typedef enum VSS_USAGE_TYPE {
        VSS_UT_UNDEFINED = 0,
        VSS_UT_BOOTABLESYSTEMSTATE = 1,
        VSS_UT_SYSTEMSERVICE = 2,
        VSS_UT_USERDATA = 3,
        VSS_UT_OTHER = 4,
} VSS_USAGE_TYPE;

typedef enum VSS_SOURCE_TYPE {
        VSS_ST_UNDEFINED = 0,
        VSS_ST_TRANSACTEDDB = 1,
        VSS_ST_NONTRANSACTEDDB = 2,
        VSS_ST_OTHER = 3,
} VSS_SOURCE_TYPE;

typedef enum VSS_COMPONENT_TYPE {
        VSS_CT_UNDEFINED = 0,
        VSS_CT_DATABASE = 1,
        VSS_CT_FILEGROUP = 2,
} VSS_COMPONENT_TYPE;

/* A mask; DWORD in calls. */
typedef enum VSS_COMPONENT_FLAGS {
        VSS_CF_BACKUP_RECOVERY = 0x1,       /* the writer writes to the copy once it is there */
        VSS_CF_APP_ROLLBACK_RECOVERY = 0x2, /* the same, for copies to roll back to */
        VSS_CF_NOT_SYSTEM_STATE = 0x4,
} VSS_COMPONENT_FLAGS;

typedef enum VSS_RESTOREMETHOD_ENUM {
        VSS_RME_UNDEFINED = 0,
        VSS_RME_RESTORE_IF_NOT_THERE = 1,
        VSS_RME_RESTORE_IF_CAN_REPLACE = 2,
        VSS_RME_STOP_RESTORE_START = 3,
        VSS_RME_RESTORE_TO_ALTERNATE_LOCATION = 4,
        VSS_RME_RESTORE_AT_REBOOT = 5,
        VSS_RME_RESTORE_AT_REBOOT_IF_CANNOT_REPLACE = 6,
        VSS_RME_CUSTOM = 7,
        VSS_RME_RESTORE_STOP_START = 8,
} VSS_RESTOREMETHOD_ENUM;

typedef enum VSS_WRITERRESTORE_ENUM {
        VSS_WRE_UNDEFINED = 0,
        VSS_WRE_NEVER = 1,            /* no restore events */
        VSS_WRE_IF_REPLACE_FAILS = 2, /* restore events if a file cannot be replaced; the service,
                                         which does not copy the files, sends them always */
        VSS_WRE_ALWAYS = 3,
} VSS_WRITERRESTORE_ENUM;

/* Making a document. */

/* The document that OnIdentify fills; the library's, holds until the handler returns. */
typedef struct IVssCreateWriterMetadata IVssCreateWriterMetadata;
typedef IVssCreateWriterMetadata IVssCreateWriterMetadataEx;

/*
 * The methods below may be called in any order, but for what each names. Nothing can be removed; a
 * failing call leaves the document as it was.
 *
 * A path is that of a local directory, absolute, without wildcards, with or without a '/' at its
 * end. It may hold variables, ${NAME} or %NAME%, which stay as they are in the document: of a fixed
 * table (sysconfdir, localstatedir, runstatedir, datadir, spooldir, statedir, logdir, homedir,
 * ProgramData, AllUsersProfile) and of /etc/vss/environment; ${percent} and ${dollar} are those
 * signs. One that is not defined is E_INVALIDARG. A filespec is a file's name with the wildcards
 * '*' and '?', without '/'. A component is named by its logical path (NULL or empty: none; else
 * parts separated by '\', none of them empty) and its name (without '\').
 */

/*
 * IVssCreateWriterMetadata::AddIncludeFiles: reserved; files belong to components.
 *
 * Errors: E_NOTIMPL, always.
 * Since 0.2.
 */
HRESULT IVssCreateWriterMetadata_AddIncludeFiles(IVssCreateWriterMetadata *metadata,
                                                 LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                 bool bRecursive, LPCWSTR wszAlternateLocation);

/* IVssCreateWriterMetadata::AddExcludeFiles: files that are never to be backed up, even if a
 * component names them. Parameters as AddFilesToFileGroup. Since 0.1. */
HRESULT IVssCreateWriterMetadata_AddExcludeFiles(IVssCreateWriterMetadata *metadata,
                                                 LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                 bool bRecursive);

/*
 * IVssCreateWriterMetadata::AddComponent: defines a component.
 *
 * ct: database or file group. wszLogicalPath: NULL or empty: none; parts are separated by '\'.
 * wszComponentName: required, without '\'. wszCaption: for display, or NULL. pbIcon, cbIcon: a
 * picture (.ico) of cbIcon bytes, or NULL and 0. bRestoreMetadata: reserved, false.
 * bNotifyOnBackupComplete: reserved, false. bSelectable: the requester may choose it; then it also
 * stands for those below it. bSelectableForRestore: may be restored alone. dwComponentFlags:
 * VSS_CF_...
 * Errors: VSS_E_OBJECT_ALREADY_EXISTS (also one that differs in the case of letters only).
 * Since 0.1.
 */
HRESULT IVssCreateWriterMetadata_AddComponent(IVssCreateWriterMetadata *metadata,
                                              VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
                                              LPCWSTR wszComponentName, LPCWSTR wszCaption,
                                              const BYTE *pbIcon, UINT cbIcon,
                                              bool bRestoreMetadata, bool bNotifyOnBackupComplete,
                                              bool bSelectable, bool bSelectableForRestore,
                                              DWORD dwComponentFlags);

/*
 * IVssCreateWriterMetadata::AddDatabaseFiles: adds data files to a database.
 *
 * wszLogicalPath, wszDatabaseName: of a component added before. wszPath, wszFilespec: the files;
 * directories below are not entered. dwBackupTypeMask: VSS_FSBT_..., usually
 * VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED.
 * Errors: E_INVALIDARG (not a database), VSS_E_OBJECT_NOT_FOUND (no such component).
 * Since 0.2.
 */
HRESULT IVssCreateWriterMetadata_AddDatabaseFiles(IVssCreateWriterMetadata *metadata,
                                                  LPCWSTR wszLogicalPath, LPCWSTR wszDatabaseName,
                                                  LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                  DWORD dwBackupTypeMask);

/* IVssCreateWriterMetadata::AddDatabaseLogFiles: adds log files to a database. As
 * AddDatabaseFiles. Since 0.2. */
HRESULT IVssCreateWriterMetadata_AddDatabaseLogFiles(IVssCreateWriterMetadata *metadata,
                                                     LPCWSTR wszLogicalPath,
                                                     LPCWSTR wszDatabaseName, LPCWSTR wszPath,
                                                     LPCWSTR wszFilespec, DWORD dwBackupTypeMask);

/*
 * IVssCreateWriterMetadata::AddFilesToFileGroup: adds a set of files to a file group.
 *
 * wszLogicalPath, wszGroupName: of a component added before. wszPath: a directory.
 * wszFilespec: file names with '*' and '?'; both may be bytes that are not UTF-8, as names of files
 * are, and so may wszAlternateLocation. bRecursive: also below the directory.
 * wszAlternateLocation: the directory where the files lie now, if that is not where they are to be
 * restored, or NULL. dwBackupTypeMask: VSS_FSBT_...; the usual value is
 * VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED.
 * Errors: E_INVALIDARG (not a file group), VSS_E_OBJECT_NOT_FOUND (no such component).
 * Since 0.1.
 */
HRESULT IVssCreateWriterMetadata_AddFilesToFileGroup(IVssCreateWriterMetadata *metadata,
                                                     LPCWSTR wszLogicalPath, LPCWSTR wszGroupName,
                                                     LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                     bool bRecursive, LPCWSTR wszAlternateLocation,
                                                     DWORD dwBackupTypeMask);

/*
 * IVssCreateWriterMetadata::SetRestoreMethod: how this writer's files are restored. A second call
 * replaces the first.
 *
 * method: VSS_RME_..., not undefined. wszService: the systemd unit, for VSS_RME_STOP_RESTORE_START
 * and VSS_RME_RESTORE_STOP_START only, else NULL. wszUserProcedure: reserved, or NULL.
 * writerRestore: VSS_WRE_..., not undefined. bRebootRequired: a restart of the machine is needed
 * afterwards.
 * Since 0.1.
 */
HRESULT IVssCreateWriterMetadata_SetRestoreMethod(IVssCreateWriterMetadata *metadata,
                                                  VSS_RESTOREMETHOD_ENUM method, LPCWSTR wszService,
                                                  LPCWSTR wszUserProcedure,
                                                  VSS_WRITERRESTORE_ENUM writerRestore,
                                                  bool bRebootRequired);

/*
 * IVssCreateWriterMetadata::AddAlternateLocationMapping: where files go that cannot be restored to
 * their place.
 *
 * wszSourcePath, wszSourceFilespec, bRecursive: those of a set of files added before, exactly.
 * wszDestination: the directory, as a path.
 * Errors: E_INVALIDARG (no such set of files), VSS_E_OBJECT_NOT_FOUND (SetRestoreMethod was not
 * called before).
 * Since 0.2.
 */
HRESULT IVssCreateWriterMetadata_AddAlternateLocationMapping(IVssCreateWriterMetadata *metadata,
                                                             LPCWSTR wszSourcePath,
                                                             LPCWSTR wszSourceFilespec,
                                                             bool bRecursive,
                                                             LPCWSTR wszDestination);

/*
 * IVssCreateWriterMetadata::AddComponentDependency: a component of this writer needs one of
 * another: both are to be backed up, and restored, together. No order is implied.
 *
 * wszForLogicalPath, wszForComponentName: of a component added before. onWriterId: the other
 * writer's class, not this one's. wszOnLogicalPath, wszOnComponentName: its component, which is not
 * looked for; a logical path that begins with '\\HOST\' names one on another machine.
 * Errors: VSS_E_OBJECT_NOT_FOUND (no such component of this writer).
 * Since 0.2.
 */
HRESULT IVssCreateWriterMetadata_AddComponentDependency(IVssCreateWriterMetadata *metadata,
                                                        LPCWSTR wszForLogicalPath,
                                                        LPCWSTR wszForComponentName,
                                                        VSS_ID onWriterId, LPCWSTR wszOnLogicalPath,
                                                        LPCWSTR wszOnComponentName);

/*
 * IVssCreateWriterMetadata::SetBackupSchema: what the writer can do. Without a call: full backups
 * only.
 *
 * dwSchemaMask: VSS_BS_... VSS_BS_EXCLUSIVE_INCREMENTAL_DIFFERENTIAL needs both _DIFFERENTIAL and
 * _INCREMENTAL; VSS_BS_TIMESTAMPED and VSS_BS_LAST_MODIFY one of them; VSS_BS_LOG a set of log
 * files by the time OnIdentify returns, else Identify fails.
 * Errors: VSS_E_NOT_SUPPORTED (VSS_BS_LSN, which is reserved).
 * Since 0.2.
 */
HRESULT IVssCreateWriterMetadata_SetBackupSchema(IVssCreateWriterMetadata *metadata,
                                                 DWORD dwSchemaMask);

/* IVssCreateWriterMetadata::SaveAsXML: the document so far. Since 0.2. */
HRESULT IVssCreateWriterMetadata_SaveAsXML(IVssCreateWriterMetadata *metadata, BSTR *pbstrXML);

/*
 * IVssCreateWriterMetadataEx::AddExcludeFilesFromSnapshot: files that need not be in the copy. The
 * writer itself deletes them from it in OnPostSnapshot; this only reports them. It does not keep a
 * requester from backing them up: see AddExcludeFiles.
 *
 * Parameters as AddFilesToFileGroup.
 * Since 0.2.
 */
HRESULT IVssCreateWriterMetadataEx_AddExcludeFilesFromSnapshot(IVssCreateWriterMetadata *metadata,
                                                               LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                               bool bRecursive);

/* Express writers: metadata alone, registered once, without a process and without events. */

/* Registers and unregisters an express writer. */
typedef struct IVssExpressWriter IVssExpressWriter;

/* The document of an express writer. */
typedef struct IVssCreateExpressWriterMetadata IVssCreateExpressWriterMetadata;

/*
 * CreateVssExpressWriter: makes the object.
 *
 * ppWriter: receives it with one reference, the caller's.
 * Errors: E_ACCESSDENIED.
 * Since 0.2.
 */
HRESULT CreateVssExpressWriter(IVssExpressWriter **ppWriter);

/* The name under which the DLL exports CreateVssExpressWriter; the same function. Since 0.2. */
HRESULT CreateVssExpressWriterInternal(IVssExpressWriter **ppWriter);

/* IUnknown::AddRef. Returns the new number of references. Since 0.2. */
ULONG IVssExpressWriter_AddRef(IVssExpressWriter *express);

/* IUnknown::Release. Returns the number of references left. NULL is allowed. Since 0.2. */
ULONG IVssExpressWriter_Release(IVssExpressWriter *express);

/*
 * IVssExpressWriter::CreateMetadata: begins the document of an express writer, in place of what
 * the object had before.
 *
 * writerId: the class, a constant of the product. writerName: its name. usageType:
 * VSS_UT_BOOTABLESYSTEMSTATE, VSS_UT_SYSTEMSERVICE or VSS_UT_USERDATA. versionMajor, versionMinor:
 * of the metadata. reserved: 0. ppMetadata: receives the document.
 * Since 0.2.
 */
HRESULT IVssExpressWriter_CreateMetadata(IVssExpressWriter *express, VSS_ID writerId,
                                         LPCWSTR writerName, VSS_USAGE_TYPE usageType,
                                         DWORD versionMajor, DWORD versionMinor, DWORD reserved,
                                         IVssCreateExpressWriterMetadata **ppMetadata);

/*
 * IVssExpressWriter::LoadMetadata: takes a document that was saved, in place of what the object
 * had before.
 *
 * metadata: as IVssCreateExpressWriterMetadata_SaveAsXML gave it. reserved: 0.
 * Errors: E_INVALIDARG (also a document that an express writer may not have),
 * VSS_E_INVALID_XML_DOCUMENT.
 * Since 0.2.
 */
HRESULT IVssExpressWriter_LoadMetadata(IVssExpressWriter *express, LPCWSTR metadata,
                                       DWORD reserved);

/*
 * IVssExpressWriter::Register: hands the document to the service, which keeps it, over its own
 * restarts, too.
 *
 * Errors: E_ACCESSDENIED, VSS_E_BAD_STATE (neither CreateMetadata nor LoadMetadata was called),
 * VSS_E_OBJECT_ALREADY_EXISTS (the class is registered), VSS_E_UNEXPECTED.
 * Since 0.2.
 */
HRESULT IVssExpressWriter_Register(IVssExpressWriter *express);

/*
 * IVssExpressWriter::Unregister: has the service forget an express writer. Needs no document.
 *
 * writerId: its class.
 * Errors: E_ACCESSDENIED, VSS_E_OBJECT_NOT_FOUND, VSS_E_UNEXPECTED.
 * Since 0.2.
 */
HRESULT IVssExpressWriter_Unregister(IVssExpressWriter *express, VSS_ID writerId);

/* IUnknown::AddRef. Returns the new number of references. Since 0.2. */
ULONG IVssCreateExpressWriterMetadata_AddRef(IVssCreateExpressWriterMetadata *metadata);

/* IUnknown::Release. Returns the number of references left. NULL is allowed. Since 0.2. */
ULONG IVssCreateExpressWriterMetadata_Release(IVssCreateExpressWriterMetadata *metadata);

/* IVssCreateExpressWriterMetadata::AddExcludeFiles: as IVssCreateWriterMetadata. Since 0.2. */
HRESULT IVssCreateExpressWriterMetadata_AddExcludeFiles(IVssCreateExpressWriterMetadata *metadata,
                                                        LPCWSTR wszPath, LPCWSTR wszFilespec,
                                                        bool bRecursive);

/*
 * IVssCreateExpressWriterMetadata::AddComponent: as IVssCreateWriterMetadata, for file groups only.
 *
 * Errors: VSS_E_NOT_SUPPORTED (a database; VSS_CF_BACKUP_RECOVERY, VSS_CF_APP_ROLLBACK_RECOVERY),
 * VSS_E_OBJECT_ALREADY_EXISTS.
 * Since 0.2.
 */
HRESULT IVssCreateExpressWriterMetadata_AddComponent(
        IVssCreateExpressWriterMetadata *metadata, VSS_COMPONENT_TYPE ct, LPCWSTR wszLogicalPath,
        LPCWSTR wszComponentName, LPCWSTR wszCaption, const BYTE *pbIcon, UINT cbIcon,
        bool bRestoreMetadata, bool bNotifyOnBackupComplete, bool bSelectable,
        bool bSelectableForRestore, DWORD dwComponentFlags);

/*
 * IVssCreateExpressWriterMetadata::AddFilesToFileGroup: as IVssCreateWriterMetadata.
 *
 * dwBackupTypeMask: without the _BACKUP_REQUIRED bits of differential, incremental and log
 * backups; VSS_FSBT_FULL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED is usual.
 * Errors: VSS_E_NOT_SUPPORTED (those bits; an alternate location), VSS_E_OBJECT_NOT_FOUND (no such
 * component).
 * Since 0.2.
 */
HRESULT IVssCreateExpressWriterMetadata_AddFilesToFileGroup(
        IVssCreateExpressWriterMetadata *metadata, LPCWSTR wszLogicalPath, LPCWSTR wszGroupName,
        LPCWSTR wszPath, LPCWSTR wszFilespec, bool bRecursive, LPCWSTR wszAlternateLocation,
        DWORD dwBackupTypeMask);

/*
 * IVssCreateExpressWriterMetadata::SetRestoreMethod: as IVssCreateWriterMetadata.
 *
 * Errors: VSS_E_NOT_SUPPORTED (VSS_RME_UNDEFINED, VSS_RME_RESTORE_TO_ALTERNATE_LOCATION,
 * VSS_RME_CUSTOM; a writerRestore other than VSS_WRE_NEVER).
 * Since 0.2.
 */
HRESULT IVssCreateExpressWriterMetadata_SetRestoreMethod(IVssCreateExpressWriterMetadata *metadata,
                                                         VSS_RESTOREMETHOD_ENUM method,
                                                         LPCWSTR wszService,
                                                         LPCWSTR wszUserProcedure,
                                                         VSS_WRITERRESTORE_ENUM writerRestore,
                                                         bool bRebootRequired);

/* IVssCreateExpressWriterMetadata::AddComponentDependency: as IVssCreateWriterMetadata. Errors:
 * VSS_E_OBJECT_NOT_FOUND (no such component of this writer). Since 0.2. */
HRESULT IVssCreateExpressWriterMetadata_AddComponentDependency(
        IVssCreateExpressWriterMetadata *metadata, LPCWSTR wszForLogicalPath,
        LPCWSTR wszForComponentName, VSS_ID onWriterId, LPCWSTR wszOnLogicalPath,
        LPCWSTR wszOnComponentName);

/*
 * IVssCreateExpressWriterMetadata::SetBackupSchema: as IVssCreateWriterMetadata.
 *
 * dwSchemaMask: VSS_BS_COPY and VSS_BS_INDEPENDENT_SYSTEM_STATE, or VSS_BS_UNDEFINED.
 * Errors: VSS_E_NOT_SUPPORTED (any other bit).
 * Since 0.2.
 */
HRESULT IVssCreateExpressWriterMetadata_SetBackupSchema(IVssCreateExpressWriterMetadata *metadata,
                                                        DWORD dwSchemaMask);

/* IVssCreateExpressWriterMetadata::SaveAsXML: the document so far. Since 0.2. */
HRESULT IVssCreateExpressWriterMetadata_SaveAsXML(IVssCreateExpressWriterMetadata *metadata,
                                                  BSTR *pbstrXML);

/* Reading a document. */

/* What a writer says of one component. */
typedef struct VSS_COMPONENTINFO {
        VSS_COMPONENT_TYPE type;
        BSTR bstrLogicalPath; /* NULL: none */
        BSTR bstrComponentName;
        BSTR bstrCaption; /* NULL: none */
        BYTE *pbIcon;     /* NULL: none */
        UINT cbIcon;
        bool bRestoreMetadata;
        bool bNotifyOnBackupComplete;
        bool bSelectable;
        bool bSelectableForRestore;
        DWORD dwComponentFlags; /* VSS_CF_... */
        UINT cFileCount;        /* sets of files of a file group, else 0 */
        UINT cDatabases;        /* sets of data files of a database, else 0 */
        UINT cLogFiles;         /* sets of log files of a database, else 0 */
        UINT cDependencies;
} VSS_COMPONENTINFO;
typedef const VSS_COMPONENTINFO *PVSSCOMPONENTINFO;

/* A document, read-only. Indexes count from 0 in the order of the document. One object is all of
 * them. */
typedef struct IVssExamineWriterMetadata IVssExamineWriterMetadata;
typedef IVssExamineWriterMetadata IVssExamineWriterMetadataEx;
typedef IVssExamineWriterMetadata IVssExamineWriterMetadataEx2;

/* A component in it, a set of files, another writer's component that is needed. */
typedef struct IVssWMComponent IVssWMComponent;
typedef struct IVssWMFiledesc IVssWMFiledesc;
typedef struct IVssWMDependency IVssWMDependency;

/*
 * CreateVssExamineWriterMetadata: reads a document that was saved; no writer is asked.
 *
 * bstrXML: as IVssExamineWriterMetadata_SaveAsXML gave it, here or on Windows; UTF-8 (of a file
 * that may be UTF-16, VssDocumentFromBytes makes it). ppMetadata: receives the object with one
 * reference, the caller's. Errors: VSS_E_INVALID_XML_DOCUMENT, VSS_E_UNEXPECTED. Since 0.2.
 */
HRESULT CreateVssExamineWriterMetadata(LPCWSTR bstrXML, IVssExamineWriterMetadata **ppMetadata);

/* The name under which the DLL exports CreateVssExamineWriterMetadata; the same function.
 * Since 0.2. */
HRESULT CreateVssExamineWriterMetadataInternal(LPCWSTR bstrXML,
                                               IVssExamineWriterMetadata **ppMetadata);

/* IUnknown::AddRef. Returns the new number of references. Since 0.2. */
ULONG IVssExamineWriterMetadata_AddRef(IVssExamineWriterMetadata *metadata);

/* IUnknown::Release. Returns the number of references left. NULL is allowed. Since 0.2. */
ULONG IVssExamineWriterMetadata_Release(IVssExamineWriterMetadata *metadata);

/*
 * IVssExamineWriterMetadata::GetIdentity: who the writer is.
 *
 * pidInstance: of the run in which the document was made. pidWriter: its class. pbstrWriterName:
 * its name, not unique. pUsage: VSS_UT_... pSource: VSS_ST_...
 * Errors: VSS_E_INVALID_XML_DOCUMENT, VSS_E_UNEXPECTED.
 * Since 0.2.
 */
HRESULT IVssExamineWriterMetadata_GetIdentity(IVssExamineWriterMetadata *metadata,
                                              VSS_ID *pidInstance, VSS_ID *pidWriter,
                                              BSTR *pbstrWriterName, VSS_USAGE_TYPE *pUsage,
                                              VSS_SOURCE_TYPE *pSource);

/* IVssExamineWriterMetadataEx::GetIdentityEx: as GetIdentity, and more. pbstrInstanceName: the name
 * that tells instances of the class apart, over restarts too (NULL: none). Since 0.2. */
HRESULT IVssExamineWriterMetadataEx_GetIdentityEx(IVssExamineWriterMetadata *metadata,
                                                  VSS_ID *pidInstance, VSS_ID *pidWriter,
                                                  BSTR *pbstrWriterName, BSTR *pbstrInstanceName,
                                                  VSS_USAGE_TYPE *pUsage, VSS_SOURCE_TYPE *pSource);

/* IVssExamineWriterMetadataEx2::GetVersion: of the writer's metadata. pdwMajorVersion,
 * pdwMinorVersion: 0 and 0 if it gave none. Since 0.2. */
HRESULT IVssExamineWriterMetadataEx2_GetVersion(IVssExamineWriterMetadata *metadata,
                                                DWORD *pdwMajorVersion, DWORD *pdwMinorVersion);

/*
 * IVssExamineWriterMetadata::GetFileCounts: how much there is.
 *
 * pcIncludeFiles: reserved, 0. pcExcludeFiles: sets of files that are excluded. pcComponents:
 * components.
 * Errors: VSS_E_INVALID_XML_DOCUMENT, VSS_E_UNEXPECTED.
 * Since 0.2.
 */
HRESULT IVssExamineWriterMetadata_GetFileCounts(IVssExamineWriterMetadata *metadata,
                                                UINT *pcIncludeFiles, UINT *pcExcludeFiles,
                                                UINT *pcComponents);

/* IVssExamineWriterMetadata::GetIncludeFile: reserved; there are none. Errors:
 * VSS_E_OBJECT_NOT_FOUND, always. Since 0.2. */
HRESULT IVssExamineWriterMetadata_GetIncludeFile(IVssExamineWriterMetadata *metadata, UINT iFile,
                                                 IVssWMFiledesc **ppFiledesc);

/*
 * IVssExamineWriterMetadata::GetExcludeFile: a set of files that is never to be backed up, even if
 * a component names them.
 *
 * iFile: 0 to the count less one. ppFiledesc: receives it; the caller releases it.
 * Errors: VSS_E_INVALID_XML_DOCUMENT, VSS_E_OBJECT_NOT_FOUND (no such index), VSS_E_UNEXPECTED.
 * Since 0.2.
 */
HRESULT IVssExamineWriterMetadata_GetExcludeFile(IVssExamineWriterMetadata *metadata, UINT iFile,
                                                 IVssWMFiledesc **ppFiledesc);

/* IVssExamineWriterMetadataEx2::GetExcludeFromSnapshotCount: sets of files that the writer deletes
 * from copies. Since 0.2. */
HRESULT IVssExamineWriterMetadataEx2_GetExcludeFromSnapshotCount(
        IVssExamineWriterMetadata *metadata, UINT *pcExcludedFromSnapshot);

/* IVssExamineWriterMetadataEx2::GetExcludeFromSnapshotFile: one of them. As GetExcludeFile, but
 * that an index that is not there is E_INVALIDARG. Since 0.2. */
HRESULT IVssExamineWriterMetadataEx2_GetExcludeFromSnapshotFile(IVssExamineWriterMetadata *metadata,
                                                                UINT iFile,
                                                                IVssWMFiledesc **ppFiledesc);

/*
 * IVssExamineWriterMetadata::GetComponent: a component.
 *
 * iComponent: 0 to the count less one. ppComponent: receives it; the caller releases it.
 * Errors: VSS_E_INVALID_XML_DOCUMENT, VSS_E_OBJECT_NOT_FOUND (no such index), VSS_E_UNEXPECTED.
 * Since 0.2.
 */
HRESULT IVssExamineWriterMetadata_GetComponent(IVssExamineWriterMetadata *metadata, UINT iComponent,
                                               IVssWMComponent **ppComponent);

/*
 * IVssExamineWriterMetadata::GetRestoreMethod: how the writer's files are restored.
 *
 * pMethod: VSS_RME_... pbstrService: the unit to stop and start; NULL if none, and with every
 * method but VSS_RME_STOP_RESTORE_START and VSS_RME_RESTORE_STOP_START, whatever the document says.
 * pbstrUserProcedure: NULL if none. pwriterRestore: VSS_WRE_... pbRebootRequired: a restart of the
 * machine is needed afterwards. pcMappings: sets of files with an alternate place.
 * Returns S_FALSE if the document names no method; then undefined values, NULL, false, 0.
 * Errors: VSS_E_INVALID_XML_DOCUMENT, VSS_E_UNEXPECTED.
 * Since 0.2.
 */
HRESULT IVssExamineWriterMetadata_GetRestoreMethod(IVssExamineWriterMetadata *metadata,
                                                   VSS_RESTOREMETHOD_ENUM *pMethod,
                                                   BSTR *pbstrService, BSTR *pbstrUserProcedure,
                                                   VSS_WRITERRESTORE_ENUM *pwriterRestore,
                                                   bool *pbRebootRequired, UINT *pcMappings);

/* IVssExamineWriterMetadata::GetAlternateLocationMapping: a set of files and where it may be
 * restored to instead: its GetAlternateLocation. As GetExcludeFile. Since 0.2. */
HRESULT IVssExamineWriterMetadata_GetAlternateLocationMapping(IVssExamineWriterMetadata *metadata,
                                                              UINT iMapping,
                                                              IVssWMFiledesc **ppFiledesc);

/* IVssExamineWriterMetadata::GetBackupSchema: VSS_BS_..., what the writer can do. Errors:
 * VSS_E_INVALID_XML_DOCUMENT. Since 0.2. */
HRESULT IVssExamineWriterMetadata_GetBackupSchema(IVssExamineWriterMetadata *metadata,
                                                  DWORD *pdwSchemaMask);

/* IVssExamineWriterMetadata::SaveAsXML: the document as text, to be kept with the backup: a restore
 * needs it. Errors: VSS_E_UNEXPECTED. Since 0.2. */
HRESULT IVssExamineWriterMetadata_SaveAsXML(IVssExamineWriterMetadata *metadata, BSTR *pbstrXML);

/*
 * IVssExamineWriterMetadata::LoadFromXML: replaces the document of the object; what was handed out
 * before stays as it was.
 *
 * bstrXML: as for CreateVssExamineWriterMetadata.
 * Returns S_FALSE if the text is no XML at all; the object is then as it was.
 * Errors: VSS_E_INVALID_XML_DOCUMENT (XML, but no such document), VSS_E_UNEXPECTED.
 * Since 0.2.
 */
HRESULT IVssExamineWriterMetadata_LoadFromXML(IVssExamineWriterMetadata *metadata, LPCWSTR bstrXML);

/* IUnknown::AddRef. Returns the new number of references. Since 0.2. */
ULONG IVssWMComponent_AddRef(IVssWMComponent *component);

/* IUnknown::Release. Returns the number of references left. NULL is allowed. Since 0.2. */
ULONG IVssWMComponent_Release(IVssWMComponent *component);

/*
 * IVssWMComponent::GetComponentInfo: what the writer says of the component.
 *
 * ppInfo: receives a structure that IVssWMComponent_FreeComponentInfo frees.
 * Errors: VSS_E_INVALID_XML_DOCUMENT, VSS_E_UNEXPECTED.
 * Since 0.2.
 */
HRESULT IVssWMComponent_GetComponentInfo(IVssWMComponent *component, PVSSCOMPONENTINFO *ppInfo);

/* IVssWMComponent::FreeComponentInfo: frees what GetComponentInfo gave, its strings with it. NULL
 * is allowed. Since 0.2. */
HRESULT IVssWMComponent_FreeComponentInfo(IVssWMComponent *component, PVSSCOMPONENTINFO pInfo);

/*
 * IVssWMComponent::GetFile: a set of files of a file group.
 *
 * iFile: 0 to cFileCount less one. ppFiledesc: receives it; the caller releases it.
 * Errors: VSS_E_INVALID_XML_DOCUMENT, VSS_E_OBJECT_NOT_FOUND (no such index), VSS_E_UNEXPECTED.
 * Since 0.2.
 */
HRESULT IVssWMComponent_GetFile(IVssWMComponent *component, UINT iFile,
                                IVssWMFiledesc **ppFiledesc);

/* IVssWMComponent::GetDatabaseFile: a set of data files of a database, up to cDatabases. As
 * GetFile. Since 0.2. */
HRESULT IVssWMComponent_GetDatabaseFile(IVssWMComponent *component, UINT iDBFile,
                                        IVssWMFiledesc **ppFiledesc);

/* IVssWMComponent::GetDatabaseLogFile: a set of log files of a database, up to cLogFiles. As
 * GetFile. Since 0.2. */
HRESULT IVssWMComponent_GetDatabaseLogFile(IVssWMComponent *component, UINT iDbLogFile,
                                           IVssWMFiledesc **ppFiledesc);

/* IVssWMComponent::GetDependency: another writer's component that is to be backed up, and
 * restored, together with this one; up to cDependencies. ppDependency: receives it; the caller
 * releases it. As GetFile. Since 0.2. */
HRESULT IVssWMComponent_GetDependency(IVssWMComponent *component, UINT iDependency,
                                      IVssWMDependency **ppDependency);

/* IUnknown::AddRef. Returns the new number of references. Since 0.2. */
ULONG IVssWMFiledesc_AddRef(IVssWMFiledesc *files);

/* IUnknown::Release. Returns the number of references left. NULL is allowed. Since 0.2. */
ULONG IVssWMFiledesc_Release(IVssWMFiledesc *files);

/* IVssWMFiledesc::GetPath: the directory, variables unexpanded. Since 0.2. */
HRESULT IVssWMFiledesc_GetPath(IVssWMFiledesc *files, BSTR *pbstrPath);

/* IVssWMFiledesc::GetFilespec: the files' names, '*' and '?' being wildcards; "*.*" means "*".
 * Since 0.2. */
HRESULT IVssWMFiledesc_GetFilespec(IVssWMFiledesc *files, BSTR *pbstrFilespec);

/* IVssWMFiledesc::GetRecursive: also below the directory. Since 0.2. */
HRESULT IVssWMFiledesc_GetRecursive(IVssWMFiledesc *files, bool *pbRecursive);

/*
 * IVssWMFiledesc::GetAlternateLocation: another directory. Of a component's files: where they are
 * read from in a backup. Of a mapping: where they are restored to. Of a new target: where the
 * requester restores them to.
 *
 * Returns S_FALSE and NULL if there is none.
 * Since 0.2.
 */
HRESULT IVssWMFiledesc_GetAlternateLocation(IVssWMFiledesc *files, BSTR *pbstrAlternateLocation);

/* IVssWMFiledesc::GetBackupTypeMask: VSS_FSBT_..., for which backups the files are needed, and
 * whether they are to be read from the copy. Since 0.2. */
HRESULT IVssWMFiledesc_GetBackupTypeMask(IVssWMFiledesc *files, DWORD *pdwTypeMask);

/* IUnknown::AddRef. Returns the new number of references. Since 0.2. */
ULONG IVssWMDependency_AddRef(IVssWMDependency *dependency);

/* IUnknown::Release. Returns the number of references left. NULL is allowed. Since 0.2. */
ULONG IVssWMDependency_Release(IVssWMDependency *dependency);

/* IVssWMDependency::GetWriterId: the class of the writer that is needed. Since 0.2. */
HRESULT IVssWMDependency_GetWriterId(IVssWMDependency *dependency, VSS_ID *pWriterId);

/* IVssWMDependency::GetLogicalPath: of its component; begins with '\\HOST\' if it is on another
 * machine. Returns S_FALSE and NULL if there is none. Since 0.2. */
HRESULT IVssWMDependency_GetLogicalPath(IVssWMDependency *dependency, BSTR *pbstrLogicalPath);

/* IVssWMDependency::GetComponentName: of its component. Returns S_FALSE and NULL if there is none.
 * Since 0.2. */
HRESULT IVssWMDependency_GetComponentName(IVssWMDependency *dependency, BSTR *pbstrComponentName);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
