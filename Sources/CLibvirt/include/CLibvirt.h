// libvirt's functions, found when the program runs: it must start where libvirt is not installed. Only the headers are needed to build.
#ifndef NOVELLA_CLIBVIRT_H
#define NOVELLA_CLIBVIRT_H

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

// Every function of libvirt that the driver calls.
#define CLIBVIRT_FUNCTIONS(F)           \
    F(virInitialize)                    \
    F(virGetLastError)                  \
    F(virResetLastError)                \
    F(virEventRegisterDefaultImpl)      \
    F(virEventRunDefaultImpl)           \
    F(virEventAddTimeout)               \
    F(virConnectOpen)                   \
    F(virConnectClose)                  \
    F(virConnectIsAlive)                \
    F(virConnectGetVersion)             \
    F(virConnectGetCapabilities)        \
    F(virConnectGetCPUModelNames)       \
    F(virConnectListAllDomains)         \
    F(virConnectDomainEventRegisterAny) \
    F(virDomainLookupByUUIDString)      \
    F(virDomainDefineXML)               \
    F(virDomainUndefineFlags)           \
    F(virDomainCreate)                  \
    F(virDomainDestroy)                 \
    F(virDomainShutdown)                \
    F(virDomainSuspend)                 \
    F(virDomainResume)                  \
    F(virDomainManagedSave)             \
    F(virDomainManagedSaveRemove)       \
    F(virDomainHasManagedSaveImage)     \
    F(virDomainGetState)                \
    F(virDomainGetUUIDString)           \
    F(virDomainGetXMLDesc)              \
    F(virDomainGetDiskErrors)           \
    F(virDomainGetMetadata)             \
    F(virDomainListGetStats)            \
    F(virDomainStatsRecordListFree)     \
    F(virDomainAttachDeviceFlags)       \
    F(virDomainDetachDeviceFlags)       \
    F(virDomainDetachDeviceAlias)       \
    F(virDomainBlockResize)             \
    F(virDomainSetUserPassword)         \
    F(virDomainBackupBegin)             \
    F(virDomainGetJobStats)             \
    F(virDomainAbortJob)                \
    F(virTypedParamsFree)               \
    F(virTypedParamsGetULLong)          \
    F(virTypedParamsGetString)          \
    F(virDomainFree)

#define CLIBVIRT_FIELD(name) __typeof__(name) *name;

typedef struct {
    CLIBVIRT_FUNCTIONS(CLIBVIRT_FIELD)
    __typeof__(virDomainQemuMonitorCommand) *virDomainQemuMonitorCommand;
    __typeof__(virSetErrorFunc) *virSetErrorFunc;
} clibvirt_functions;

/// Loads libvirt and initialises it, once a process. Its log goes to the file.
///
/// Returns null, or what went wrong: a text that lives as long as the process.
const char *clibvirt_load(clibvirt_functions *functions, const char *log_file);

/// What happened to a domain: its UUID as text, virDomainEventType and the detail of it. Called on the thread of the event loop.
typedef void (*clibvirt_lifecycle)(const char *uuid, int event, int detail, void *opaque);

/// Calls back for every domain of the connection, until the connection is closed. Returns -1 on failure.
int clibvirt_listen(const clibvirt_functions *functions, virConnectPtr connection, clibvirt_lifecycle lifecycle, void *opaque);

/// Keeps the event loop turning, so that a loop that has nothing to watch sees what is added to it.
int clibvirt_add_heartbeat(const clibvirt_functions *functions, int milliseconds);

/// Makes this process the parent of its children's orphans, so that dead guests are not left to an init that hardly looks.
/// Returns 0, or -1.
int clibvirt_become_subreaper(void);

#endif
