// A library that is loaded into a cloud (LD_PRELOAD), and writes down what a power cut would leave of its files.
//
// Each fsync and fdatasync below POWER_ROOT becomes an event in POWER_LOG. `NNNNNN.meta` says what was synced, which of its bytes are new since
// the sync before (they follow each other in `NNNNNN.data`), and every name below POWER_ROOT at that moment. Nothing else survives a cut, so
// whatever may have written the bytes, a program that the cloud has started too, is of no account. Nothing is synced in truth.
//
// POWER_BOOT names a file that the process reads instead of the kernel's id of this start: after a cut it is another.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK 4096
#define PATH 4200

static const char *root, *events, *boot;
static pid_t owner;
static unsigned count;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    boot = getenv("POWER_BOOT");
    const char *folder = getenv("POWER_LOG");
    root = getenv("POWER_ROOT");
    if (folder == NULL || root == NULL) return;
    // A program that the cloud starts may inherit the environment, and is not the cloud.
    char path[PATH], number[16] = "";
    snprintf(path, sizeof path, "%s/owner", folder);
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) return;
    if (read(file, number, sizeof number - 1) == 0) dprintf(file, "%d", getpid());
    close(file);
    if (number[0] != 0 && atoi(number) != getpid()) return;
    events = folder;
    owner = getpid();
}

static int open_raw(const char *path, int flags) { return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600); }

// The same number may belong to another file later; with the time of its birth it is the file's alone.
static void name_of(const struct statx *status, char *name, size_t size) {
    snprintf(name, size, "%llu.%lld.%u", (unsigned long long)status->stx_ino, (long long)status->stx_btime.tv_sec, status->stx_btime.tv_nsec);
}

static void list(FILE *meta, const char *folder) {
    DIR *open = opendir(folder);
    if (open == NULL) return;
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char path[PATH], name[64], target[PATH] = "";
        struct statx status;
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path) continue;
        if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) continue;
        name_of(&status, name, sizeof name);
        char kind = S_ISDIR(status.stx_mode) ? 'D' : S_ISREG(status.stx_mode) ? 'F' : S_ISLNK(status.stx_mode) ? 'L' : 0;
        if (kind == 0) continue;
        if (kind == 'L' && readlink(path, target, sizeof target - 1) < 0) continue;
        fprintf(
            meta, "%c\t%s\t%s\t%llu\t%u\t%u\t%u\t%s\n", kind, path, name, (unsigned long long)status.stx_size, status.stx_mode & 07777,
            status.stx_uid, status.stx_gid, target);
        if (kind == 'D') list(meta, path);
    }
    closedir(open);
}

// Closing a database would drop the process's locks on it, so these stay open.
static int open_again(int file, const char *path, const char *name) {
    static struct { char name[64]; int file; } kept[8];
    static int number;
    for (int at = 0; at < number; at++) if (strcmp(kept[at].name, name) == 0) return kept[at].file;
    char own[64];
    snprintf(own, sizeof own, "/proc/self/fd/%d", file);
    int again = open_raw(own, O_RDONLY);
    if (again >= 0 && strstr(path, ".db") != NULL && number < 8) {
        snprintf(kept[number].name, sizeof kept[number].name, "%s", name);
        kept[number++].file = again;
    }
    return again;
}

static int is_kept(const char *path) { return strstr(path, ".db") != NULL; }

// Writes the bytes of `from` that differ from those of the last sync, as far as one of the two has any there.
static void note_parts(FILE *meta, int data, int walked, int from, int mirror, off_t size) {
    off_t run = -1, end = 0;
    for (off_t at = 0; at < size;) {
        off_t start = lseek(walked, at, SEEK_DATA);
        if (start < 0 || start >= size) break;
        off_t stop = lseek(walked, start, SEEK_HOLE);
        if (stop < 0 || stop > size) stop = size;
        for (off_t block = start / BLOCK * BLOCK; block < stop; block += BLOCK) {
            char now[BLOCK] = {0}, then[BLOCK] = {0};
            size_t length = (size_t)(size - block < BLOCK ? size - block : BLOCK);
            if (pread(from, now, length, block) < 0 || pread(mirror, then, length, block) < 0) continue;
            if (memcmp(now, then, length) == 0) continue;
            if (pwrite(mirror, now, length, block) != (ssize_t)length || write(data, now, length) != (ssize_t)length) abort();
            if (run >= 0 && block != end) {
                fprintf(meta, "part\t%lld\t%lld\n", (long long)run, (long long)(end - run));
                run = -1;
            }
            if (run < 0) run = block;
            end = block + (off_t)length;
        }
        at = stop > at ? stop : at + BLOCK;
    }
    if (run >= 0) fprintf(meta, "part\t%lld\t%lld\n", (long long)run, (long long)(end - run));
}

static void note_file(FILE *meta, int data, int file, const char *path, const char *name, off_t size) {
    char mirror_path[PATH];
    snprintf(mirror_path, sizeof mirror_path, "%s/mirror/%s", events, name);
    int mirror = open_raw(mirror_path, O_RDWR | O_CREAT), again = open_again(file, path, name);
    if (mirror < 0 || again < 0 || ftruncate(mirror, size) != 0) abort();
    note_parts(meta, data, again, again, mirror, size);
    // What was given back since: there the file has zeros.
    note_parts(meta, data, mirror, again, mirror, size);
    close(mirror);
    if (!is_kept(path)) close(again);
}

// Notes a sync. Returns 0 for a file that is none of the cloud's.
static int note(int file) {
    if (events == NULL || getpid() != owner) return 0;
    char own[64], path[PATH];
    snprintf(own, sizeof own, "/proc/self/fd/%d", file);
    ssize_t length = readlink(own, path, sizeof path - 1);
    size_t prefix = strlen(root);
    if (length < (ssize_t)prefix || strncmp(path, root, prefix) != 0) return 0;
    path[length] = 0;
    if (path[prefix] != 0 && path[prefix] != '/') return 0;
    struct statx status;
    if (statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) return 0;
    if (!S_ISREG(status.stx_mode) && !S_ISDIR(status.stx_mode)) return 0;
    char name[64], meta_path[PATH], data_path[PATH], done[PATH];
    name_of(&status, name, sizeof name);
    pthread_mutex_lock(&turn);
    unsigned number = count + 1;
    snprintf(meta_path, sizeof meta_path, "%s/%06u.part", events, number);
    snprintf(data_path, sizeof data_path, "%s/%06u.data", events, number);
    snprintf(done, sizeof done, "%s/%06u.meta", events, number);
    int descriptor = open_raw(meta_path, O_WRONLY | O_CREAT | O_TRUNC), data = open_raw(data_path, O_WRONLY | O_CREAT | O_TRUNC);
    FILE *meta = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (meta == NULL || data < 0) abort();
    fprintf(meta, "%s\t%s\t%s\t%llu\n", S_ISDIR(status.stx_mode) ? "folder" : "file", path, name, (unsigned long long)status.stx_size);
    if (S_ISREG(status.stx_mode)) note_file(meta, data, file, path, name, (off_t)status.stx_size);
    list(meta, root);
    close(data);
    if (fclose(meta) != 0 || rename(meta_path, done) != 0) abort();
    // The event counts from now on: an answer that a client has afterwards relies on it.
    count = number;
    pthread_mutex_unlock(&turn);
    return 1;
}

int fsync(int file) { return note(file) ? 0 : (int)syscall(SYS_fsync, file); }
int fdatasync(int file) { return note(file) ? 0 : (int)syscall(SYS_fdatasync, file); }

static const char *redirected(const char *path) {
    return boot != NULL && path != NULL && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0 ? boot : path;
}

#define OPEN(NAME, AT, GIVEN)                                         \
    int NAME GIVEN {                                                  \
        mode_t mode = 0;                                              \
        if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {         \
            va_list rest;                                             \
            va_start(rest, flags);                                    \
            mode = va_arg(rest, mode_t);                              \
            va_end(rest);                                             \
        }                                                             \
        return (int)syscall(SYS_openat, AT, redirected(path), flags, mode); \
    }

OPEN(open, AT_FDCWD, (const char *path, int flags, ...))
OPEN(open64, AT_FDCWD, (const char *path, int flags, ...))
OPEN(openat, at, (int at, const char *path, int flags, ...))
OPEN(openat64, at, (int at, const char *path, int flags, ...))
