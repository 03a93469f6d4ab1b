#define _GNU_SOURCE
#include "include/CHostNetwork.h"
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

struct visit {
    int namespace_descriptor;
    void (*body)(void *);
    void *context;
    int code;
};

static void *visitor(void *argument) {
    struct visit *visit = argument;
    if (setns(visit->namespace_descriptor, CLONE_NEWNET) != 0) {
        visit->code = errno;
        return NULL;
    }
    visit->body(visit->context);
    return NULL;
}

int novella_in_namespace(int namespace_descriptor, void (*body)(void *), void *context) {
    struct visit visit = {.namespace_descriptor = namespace_descriptor, .body = body, .context = context, .code = 0};
    pthread_t thread;
    int code = pthread_create(&thread, NULL, visitor, &visit);
    if (code != 0) return code;
    pthread_join(thread, NULL);
    return visit.code;
}

int novella_send_frame(const char *device, const unsigned char *bytes, size_t count) {
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_halen = 6, .sll_ifindex = (int)if_nametoindex(device)};
    if (address.sll_ifindex == 0) return errno;
    // Protocol 0: nothing is received.
    int packets = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (packets < 0) return errno;
    ssize_t sent = sendto(packets, bytes, count, 0, (struct sockaddr *)&address, sizeof address);
    int code = sent == (ssize_t)count ? 0 : errno;
    close(packets);
    return code;
}
