#define _GNU_SOURCE
#include "CLibvirt.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

// Errors are read with virGetLastError by who made the call; nothing is to be written to stderr.
static void ignore_error(void *opaque, virErrorPtr error) {
    (void)opaque;
    (void)error;
}

static char failure[512];

const char *clibvirt_load(clibvirt_functions *functions, const char *log_file) {
    void *library = dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);
    // QEMU's monitor has a library of its own beside it.
    void *monitor = library == NULL ? NULL : dlopen("libvirt-qemu.so.0", RTLD_NOW | RTLD_LOCAL);
    if (monitor == NULL) {
        snprintf(failure, sizeof failure, "%s", dlerror());
        return failure;
    }
#define CLIBVIRT_FIND(name) CLIBVIRT_FIND_IN(library, name)
#define CLIBVIRT_FIND_IN(library, name)                                              \
    functions->name = (__typeof__(functions->name))dlsym(library, #name);            \
    if (functions->name == NULL) {                                                   \
        snprintf(failure, sizeof failure, "this libvirt is too old: it lacks " #name); \
        return failure;                                                              \
    }
    CLIBVIRT_FUNCTIONS(CLIBVIRT_FIND)
    CLIBVIRT_FIND(virSetErrorFunc)
    CLIBVIRT_FIND_IN(monitor, virDomainQemuMonitorCommand)
    // libvirt reads its environment when it is initialised. An operator's own wish goes before ours.
    char outputs[512];
    snprintf(outputs, sizeof outputs, "3:file:%s", log_file);
    setenv("LIBVIRT_LOG_OUTPUTS", outputs, 0);
    if (functions->virInitialize() < 0) return "libvirt could not be initialised";
    functions->virSetErrorFunc(NULL, ignore_error);
    if (functions->virEventRegisterDefaultImpl() < 0) return "libvirt has no event loop";
    return NULL;
}

typedef struct {
    const clibvirt_functions *functions;
    clibvirt_lifecycle lifecycle;
    void *opaque;
} listener;

static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *opaque) {
    (void)connection;
    const listener *listener = opaque;
    char uuid[VIR_UUID_STRING_BUFLEN];
    if (listener->functions->virDomainGetUUIDString(domain, uuid) == 0) listener->lifecycle(uuid, event, detail, listener->opaque);
    return 0;
}

int clibvirt_listen(const clibvirt_functions *functions, virConnectPtr connection, clibvirt_lifecycle lifecycle, void *opaque) {
    listener *heard = malloc(sizeof *heard);
    if (heard == NULL) return -1;
    *heard = (listener){functions, lifecycle, opaque};
    int ticket = functions->virConnectDomainEventRegisterAny(
        connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), heard, free);
    if (ticket < 0) free(heard);
    return ticket < 0 ? -1 : 0;
}

static void on_heartbeat(int timer, void *opaque) {
    (void)timer;
    (void)opaque;
}

int clibvirt_add_heartbeat(const clibvirt_functions *functions, int milliseconds) {
    return functions->virEventAddTimeout(milliseconds, on_heartbeat, NULL, NULL) < 0 ? -1 : 0;
}

int clibvirt_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
