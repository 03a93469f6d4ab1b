#define _GNU_SOURCE
#include "include/CPrograms.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void limit(int resource, unsigned long value) {
    struct rlimit both = {.rlim_cur = value, .rlim_max = value};
    setrlimit(resource, &both);
}

// Between fork and exec only what POSIX calls async-signal-safe: another thread may have held any lock when the process was copied.
static void child(const char *path, char *const argv[], int in, int out, int err, int namespace_descriptor,
                  const struct program_limits *limits, int report) {
    // One heap for all threads: glibc would reserve 64 MiB of address space for each, which is more than a `qemu-img` that copies with a
    // dozen of them may have.
    static char *const environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C",
                                        (char *)"MALLOC_ARENA_MAX=1", NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
    // A group of its own, which a deadline ends as a whole, in the session of this process: orphans are told from children by it.
    if (setpgid(0, 0) < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) goto failed;
    if (namespace_descriptor >= 0 && setns(namespace_descriptor, CLONE_NEWNET) < 0) goto failed;
    // The report's descriptor closes by itself at exec; all others must not be seen by the program.
    if (dup3(report, 3, O_CLOEXEC) < 0 && report != 3) goto failed;
    if (syscall(SYS_close_range, 4u, ~0u, 0u) != 0) {
        for (int number = 4; number < 1024; number++) close(number);
    }
    report = 3;
    if (limits->memory_bytes > 0) limit(RLIMIT_AS, limits->memory_bytes);
    if (limits->cpu_seconds > 0) limit(RLIMIT_CPU, limits->cpu_seconds);
    if (limits->file_bytes > 0) limit(RLIMIT_FSIZE, limits->file_bytes);
    if (limits->open_files > 0) limit(RLIMIT_NOFILE, limits->open_files);
    limit(RLIMIT_CORE, 0);
    execve(path, argv, environment);
failed:;
    int code = errno;
    ssize_t ignored = write(report, &code, sizeof code);
    (void)ignored;
    _exit(127);
}

int program_spawn(const char *path, char *const argv[], int in, int out, int err, int namespace_descriptor,
                  const struct program_limits *limits, pid_t *pid) {
    // Numbers above those that the child's own descriptors take, so that no dup2 overwrites one that is still needed.
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return errno;
    int moved[4] = {fcntl(in, F_DUPFD_CLOEXEC, 10), fcntl(out, F_DUPFD_CLOEXEC, 10), fcntl(err, F_DUPFD_CLOEXEC, 10),
                    fcntl(report[1], F_DUPFD_CLOEXEC, 10)};
    int moved_namespace = namespace_descriptor < 0 ? -1 : fcntl(namespace_descriptor, F_DUPFD_CLOEXEC, 10);
    close(report[1]);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t made = fork();
    int code = errno;
    if (made == 0) child(path, argv, moved[0], moved[1], moved[2], moved_namespace, limits, moved[3]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (int at = 0; at < 4; at++) close(moved[at]);
    if (moved_namespace >= 0) close(moved_namespace);
    if (made < 0) {
        close(report[0]);
        return code;
    }
    // Nothing is read when exec succeeded.
    ssize_t count;
    do count = read(report[0], &code, sizeof code);
    while (count < 0 && errno == EINTR);
    close(report[0]);
    *pid = made;
    if (count != sizeof code) return 0;
    kill(made, SIGKILL);
    siginfo_t info;
    waitid(P_PID, (id_t)made, &info, WEXITED);
    return code;
}

int program_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno; }

ssize_t program_write(int descriptor, const void *bytes, size_t count) {
    sigset_t broken, before;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    ssize_t written = write(descriptor, bytes, count);
    int code = errno;
    // The signal is pending for this thread alone, and is taken back.
    struct timespec none = {0, 0};
    if (written < 0 && code == EPIPE) sigtimedwait(&broken, NULL, &none);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = code;
    return written;
}

int program_process_descriptor(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
