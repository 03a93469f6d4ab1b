#define _GNU_SOURCE
#include "include/CHostNetwork.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void limit(int resource, unsigned long value) {
    struct rlimit both = {.rlim_cur = value, .rlim_max = value};
    setrlimit(resource, &both);
}

// Between fork and exec only what POSIX calls async-signal-safe: another thread may have held any lock when the process was copied.
static void child(const char *path, char *const argv[], int in, int out, int err, int namespace_descriptor,
                  const struct novella_limits *limits, int report) {
    static char *const environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C", NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
    if (setsid() < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) goto failed;
    if (namespace_descriptor >= 0 && setns(namespace_descriptor, CLONE_NEWNET) < 0) goto failed;
    // The report's descriptor closes by itself at exec; all others must not be seen by the program.
    if (dup3(report, 3, O_CLOEXEC) < 0 && report != 3) goto failed;
    if (syscall(SYS_close_range, 4u, ~0u, 0u) != 0) {
        for (int number = 4; number < 1024; number++) close(number);
    }
    report = 3;
    limit(RLIMIT_AS, limits->memory_bytes);
    limit(RLIMIT_CPU, limits->cpu_seconds);
    limit(RLIMIT_FSIZE, limits->file_bytes);
    limit(RLIMIT_NOFILE, limits->open_files);
    limit(RLIMIT_CORE, 0);
    execve(path, argv, environment);
failed:;
    int code = errno;
    ssize_t ignored = write(report, &code, sizeof code);
    (void)ignored;
    _exit(127);
}

int novella_spawn(const char *path, char *const argv[], int in, int out, int err, int namespace_descriptor,
                  const struct novella_limits *limits, pid_t *pid) {
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

int novella_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno; }

int novella_process_descriptor(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

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
