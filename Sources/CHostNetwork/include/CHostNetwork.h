#ifndef NOVELLA_HOST_NETWORK_H
#define NOVELLA_HOST_NETWORK_H

#include <stddef.h>

/// Calls `body` on a thread that lives for this call alone and is in the network namespace.
/// Returns 0, or the errno of what failed before `body` was called.
int novella_in_namespace(int namespace_descriptor, void (*body)(void *), void *context);

/// Sends an Ethernet frame out of a device of the thread's network namespace. Returns 0 or an errno.
int novella_send_frame(const char *device, const unsigned char *bytes, size_t count);

#endif
