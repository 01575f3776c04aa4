/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef VSS_VSFILES_H
#define VSS_VSFILES_H

/*
 * From components to files: which components a backup must have, which volumes, and which files
 * they are. Not part of the Volume Shadow Copy Service, where every requester does this for itself.
 *
 *      VssSelection_Create (the writers' metadata), VssSelection_Choose..., VssSelection_Complete,
 *      VssSelection_AddComponents, (PrepareForBackup, DoSnapshotSet), VssSelection_SetSource (the
 *      set), VssSelection_ListFiles for each that is explicit, VssSelection_Release
 *
 * One selection is for one thread at a time. Paths of files are bytes, not always UTF-8, and may
 * hold anything but NUL. Programs include <vss/vsslinux.h>, which includes this.
 */

#include <stddef.h>
#include <vss/vsbackup.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

typedef struct VssSelection VssSelection;

typedef enum VSS_SELECTION_REASON {
        VSS_SR_CHOSEN = 1,       /* VssSelection_Choose named it, or its writer */
        VSS_SR_MANDATORY = 2,    /* its writer takes part, and it may not be left out */
        VSS_SR_DEPENDENCY = 3,   /* a component that is in needs it */
        VSS_SR_SUBCOMPONENT = 4, /* it is below one that is in: implicit */
} VSS_SELECTION_REASON;

/* A component that is in the backup. Strings are the selection's. */
typedef struct VSS_SELECTED_COMPONENT {
        VSS_ID instance_id;
        VSS_ID writer_id;
        const char *writer_name;
        VSS_COMPONENT_TYPE type;
        const char *logical_path; /* NULL: none */
        const char *name;
        const char *caption; /* NULL: none */
        bool is_explicit;    /* is added with AddComponent; else it is part of one that is */
        VSS_SELECTION_REASON reason;
        UINT because;  /* index of the component that needs it, or that it is part of; for
                          VSS_SR_MANDATORY one of its writer; its own for VSS_SR_CHOSEN */
        UINT carrier;  /* index of the explicit component that it is part of; or its own */
        UINT writer;   /* index in the writers given to VssSelection_Create */
        UINT position; /* IVssExamineWriterMetadata_GetComponent's index */
} VSS_SELECTED_COMPONENT;

/* A dependency that could not be followed. */
typedef struct VSS_MISSING_COMPONENT {
        UINT because;     /* index of the component that needs it */
        VSS_ID writer_id; /* the class of what it needs */
        const char *logical_path;
        const char *name;
        bool remote; /* on another machine: a fact to report. Else no writer has it */
} VSS_MISSING_COMPONENT;

/*
 * VssSelection_Create: an empty selection.
 *
 * writers, count: the metadata of that many writers, as IVssBackupComponents_GetWriterMetadata
 * gives it; what the selection needs of it, it keeps. selection: receives it.
 * Errors: E_INVALIDARG, E_OUTOFMEMORY.
 * Since 0.2.
 */
HRESULT VssSelection_Create(IVssExamineWriterMetadata *const *writers, UINT count,
                            VssSelection **selection);

/*
 * VssSelection_CreateForBackup: an empty selection over what a backup gathered.
 *
 * backup: after GatherWriterMetadata. selection: receives it.
 * Errors: those of IVssBackupComponents_GetWriterMetadata.
 * Since 0.2.
 */
HRESULT VssSelection_CreateForBackup(IVssBackupComponents *backup, VssSelection **selection);

/*
 * VssSelection_CreateForDocument: the selection of a backup that was made, which is complete: the
 * components of its document are chosen, explicitly, with what is part of them; nothing is added.
 * VssSelection_ListFiles has the document's type of backup and what the writers said of it, unless
 * it is given others.
 *
 * wszDocument: what IVssBackupComponents_SaveAsXML gave, at any time after PrepareForBackup.
 * writers, count: the metadata that was saved with it. selection: receives it.
 * Errors: E_INVALIDARG, E_OUTOFMEMORY, VSS_E_INVALID_XML_DOCUMENT, VSS_E_CORRUPT_XML_DOCUMENT,
 * VSS_E_OBJECT_NOT_FOUND (a component that the metadata does not have).
 * Since 0.2.
 */
HRESULT VssSelection_CreateForDocument(LPCWSTR wszDocument,
                                       IVssExamineWriterMetadata *const *writers, UINT count,
                                       VssSelection **selection);

/* VssSelection_Release: frees a selection. NULL is allowed. Since 0.2. */
void VssSelection_Release(VssSelection *selection);

/*
 * VssSelection_Choose: a component is wanted in the backup; or all of a writer.
 *
 * writer: an instance id, or a class id: then the first writer of the class that has the component;
 * GUID_NULL: of all writers. wszLogicalPath, wszComponentName: which; with the name NULL every
 * component of the writer, of each writer of the class, or of all writers.
 * Errors: E_INVALIDARG (a part of another that cannot be chosen alone: the message names that),
 * VSS_E_OBJECT_NOT_FOUND, VSS_E_BAD_STATE (after VssSelection_Complete).
 * Since 0.2.
 */
HRESULT VssSelection_Choose(VssSelection *selection, VSS_ID writer, LPCWSTR wszLogicalPath,
                            LPCWSTR wszComponentName);

/*
 * VssSelection_Complete: adds what must not be missing: of each writer that takes part the
 * components that are not selectable, the subcomponents of what is in, and what is depended on,
 * also in other writers, until nothing more is needed.
 *
 * components, missing: receive the numbers for the two functions below; each may be NULL.
 * Returns S_FALSE if dependencies could not be followed, S_OK else.
 * Errors: VSS_E_BAD_STATE (second call).
 * Since 0.2.
 */
HRESULT VssSelection_Complete(VssSelection *selection, UINT *components, UINT *missing);

/*
 * VssSelection_GetComponent: a component of the backup, by writer and in the writer's order.
 *
 * index: 0 to the number less one. Returns NULL out of range, or before VssSelection_Complete; else
 * what is the selection's.
 * Errors: none. Since 0.2.
 */
const VSS_SELECTED_COMPONENT *VssSelection_GetComponent(VssSelection *selection, UINT index);

/*
 * VssSelection_GetMissing: one of the dependencies that could not be followed.
 *
 * index: as VssSelection_GetComponent's, and so is what it returns.
 * Errors: none. Since 0.2.
 */
const VSS_MISSING_COMPONENT *VssSelection_GetMissing(VssSelection *selection, UINT index);

/*
 * VssSelection_AddComponents: IVssBackupComponents_AddComponent for each explicit component.
 *
 * backup: its metadata was gathered and it works in component mode.
 * Errors: those of AddComponent; VSS_E_BAD_STATE (before VssSelection_Complete).
 * Since 0.2.
 */
HRESULT VssSelection_AddComponents(VssSelection *selection, IVssBackupComponents *backup);

/*
 * VssSelection_ListVolumes: the volumes that must be in the set, so that every file that has to be
 * read from a copy can be: those that the components' paths lie on, and those mounted below paths
 * that are recursive.
 *
 * type: of the backup. volumes: receives mount points, an array that ends with NULL, to be freed
 * with VssFreeStrings. Paths that cannot be used are left out; VssSelection_ListFiles tells of
 * them. Errors: VSS_E_BAD_STATE, VSS_E_UNEXPECTED (the mounts could not be read). Since 0.2.
 */
HRESULT VssSelection_ListVolumes(VssSelection *selection, VSS_BACKUP_TYPE type, char ***volumes);

/* VssFreeStrings: frees an array of strings that ends with NULL. NULL is allowed. Since 0.2. */
void VssFreeStrings(char **strings);

/*
 * VssSelection_SetSource: files are listed from the copies of this set; what lies on a volume that
 * is not in it, from the original where the writer allows that. Without a call, all originals are.
 *
 * set: its id; GUID_NULL: the originals.
 * Errors: VSS_E_OBJECT_NOT_FOUND, those of any call.
 * Since 0.2.
 */
HRESULT VssSelection_SetSource(VssSelection *selection, VSS_ID set);

/* Bits of VSS_FILE.flags. */
#define VSS_FILE_FROM_COPY ((DWORD)0x1) /* source is in a copy, not the original */
#define VSS_FILE_NOT_ENTERED                                                 \
        ((DWORD)0x2) /* a mount point whose volume is not in the set, or is  \
                        not on this machine's disks, or is listed by another \
                        way: what is below it is not listed here */
#define VSS_FILE_MAY_BE_BLANK                                              \
        ((DWORD)0x4) /* the writer, or the machine's list, keeps it out of \
                        copies: it may be gone, or hold nothing of use */
#define VSS_FILE_RANGES_FILE                                                 \
        ((DWORD)0x8) /* not a file of the component: it says which ranges of \
                        one are to be kept, and must be kept with it */

struct stat;

/* A file to be backed up. Everything in it holds until OnFile returns. */
typedef struct VSS_FILE {
        LPCWSTR path;   /* where it belongs, and is restored to */
        LPCWSTR source; /* where it is to be read */
        int directory;  /* the directory of source, open: openat(directory, name, O_NOFOLLOW) cannot
                           be led elsewhere */
        LPCWSTR name;   /* the last part of source; "." for the directory of the file set itself */
        const struct stat *status; /* of source, a link not followed. Sockets, FIFOs and devices are
                                      listed: they carry no data */
        DWORD flags;               /* VSS_FILE_... */
        LPCWSTR ranges;            /* only these bytes, "offset:length,...", or the path of a ranges
                                      file; NULL: all */
        LPCWSTR metadata;          /* the writer's, for these ranges; NULL: none */
} VSS_FILE;

/* A file, a directory or a whole file set that cannot be backed up; or something that the writer
 * says of this backup against its own metadata: more is listed then, not less. */
typedef struct VSS_FILE_PROBLEM {
        LPCWSTR path;    /* as VSS_FILE, or as the writer wrote it */
        HRESULT code;    /* VSS_E_OBJECT_NOT_FOUND: named, but not there; VSS_E_NOT_SUPPORTED: not
                            on this machine's disks; E_INVALIDARG: no usable path, or a
                            contradiction; ... */
        LPCWSTR message; /* a sentence */
} VSS_FILE_PROBLEM;

/* How files are listed. */
typedef struct VSS_FILE_REQUEST {
        size_t size;          /* sizeof(VSS_FILE_REQUEST) */
        VSS_BACKUP_TYPE type; /* VSS_BT_UNDEFINED: the document's, else full */
        bool alone;           /* not the files of those that the component stands for */
        IVssComponent *state; /* of the explicit component, its own or its carrier's, after
                                 DoSnapshotSet: the writer's partial and differenced files;
                                 NULL: those of the document, if there is one */
        void *user;           /* for the handlers */
        /* A failure ends the listing, which returns it. */
        HRESULT (*OnFile)(void *user, const VSS_FILE *file);
        /* NULL: the first problem ends the listing with its code and message. */
        HRESULT (*OnProblem)(void *user, const VSS_FILE_PROBLEM *problem);
} VSS_FILE_REQUEST;

/*
 * VssSelection_ListFiles: the files of a component, and of those that it stands for, one by one; a
 * directory comes before what is in it. Links are never followed; file sets that are recursive also
 * give directories. Files that the writer or the machine (/etc/vss/files-not-to-backup.d) excludes
 * are left out. A file that several file sets have is listed once, with the first. In a log backup
 * are log files alone.
 *
 * What the writer said of this backup beats the file sets: of a partial file there are ranges, and
 * it is read where the file set that has it says; of differenced files there are those that were
 * modified at the writer's time or later. Both may also add files. Ranges files are the originals:
 * a writer may write them after the copy was made.
 *
 * component: an index as VssSelection_GetComponent's. A component that is explicit stands for
 * itself and all whose carrier it is, another for itself. If the writer does not do backups of the
 * type the list is that of a full one. request: how, and whom to tell.
 * Returns S_FALSE if OnProblem was called, S_OK else.
 * Errors: E_INVALIDARG, VSS_E_BAD_STATE (before VssSelection_Complete), what the handlers return.
 * Since 0.2.
 */
HRESULT VssSelection_ListFiles(VssSelection *selection, UINT component,
                               const VSS_FILE_REQUEST *request);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
