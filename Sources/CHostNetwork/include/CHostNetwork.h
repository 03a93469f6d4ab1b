#ifndef NOVELLA_HOST_NETWORK_H
#define NOVELLA_HOST_NETWORK_H

#include <sys/types.h>

/// What a child process may use at most.
struct novella_limits {
    unsigned long memory_bytes;
    unsigned long cpu_seconds;
    unsigned long file_bytes;
    unsigned long open_files;
};

/// Starts a program without a shell, in a session of its own, with nothing but the three descriptors open.
/// A network namespace (a descriptor, or -1 for the caller's) is entered before the program starts.
/// Returns 0 and the process id, or an errno.
int novella_spawn(const char *path, char *const argv[], int standard_input, int standard_output, int standard_error,
                  int namespace_descriptor, const struct novella_limits *limits, pid_t *pid);

/// Two ends of a pipe that no program inherits: reading, writing. Returns 0 or an errno.
int novella_pipe(int ends[2]);

/// A descriptor that becomes readable when the process has ended; -1 and errno.
int novella_process_descriptor(pid_t pid);

/// Calls `body` on a thread that lives for this call alone and is in the network namespace.
/// Returns 0, or the errno of what failed before `body` was called.
int novella_in_namespace(int namespace_descriptor, void (*body)(void *), void *context);

/// Sends an Ethernet frame out of a device of the thread's network namespace. Returns 0 or an errno.
int novella_send_frame(const char *device, const unsigned char *bytes, size_t count);

#endif
