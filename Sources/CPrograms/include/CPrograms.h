#ifndef NOVELLA_PROGRAMS_H
#define NOVELLA_PROGRAMS_H

#include <sys/types.h>

/// The most that a program may use; 0: as much as this process.
struct program_limits {
    unsigned long memory_bytes;
    unsigned long cpu_seconds;
    unsigned long file_bytes;
    unsigned long open_files;
};

/// Starts a program without a shell, in a process group of its own, with nothing but the three descriptors open.
/// The program first enters a network namespace (a descriptor, or -1 for the caller's).
/// Returns 0 and the process id, or an errno.
int program_spawn(const char *path, char *const argv[], int standard_input, int standard_output, int standard_error,
                  int namespace_descriptor, const struct program_limits *limits, pid_t *pid);

/// Makes two ends of a pipe that no program inherits: reading, writing. Returns 0 or an errno.
int program_pipe(int ends[2]);

/// Does the same as write(2), without the signal that ends a process whose reader has gone.
ssize_t program_write(int descriptor, const void *bytes, size_t count);

/// Returns a descriptor that becomes readable when the process has ended; -1 and errno.
int program_process_descriptor(pid_t pid);

#endif
