/* Preloaded into the daemon: writes down what it does to the files of log and ledger, and when it syncs them, in the order
 * in which that takes effect. A sync itself is only written down; what a power cut may take is then worked out from the
 * record. Calls go to the kernel directly, so nothing here depends on how the C library names them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int record_fd = -1;
/* Of each open file: 0 not looked at yet, 1 of no interest, 2 recorded. */
static unsigned char standing[FILES];
static char names[FILES][64];

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POWER_CUT_RECORD");
    if (path) record_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_of_interest(const char *name) {
    size_t length = strlen(name);
    if (strncmp(name, "log.sqlite", 10) != 0 && strncmp(name, "ledger.sqlite", 13) != 0) return 0;
    /* Shared memory is made again, and the lock says nothing. */
    return length < 64 && !strstr(name, "-shm") && !strstr(name, ".lock");
}

static const char *name_of(int fd) {
    if (record_fd < 0 || fd < 0 || fd >= FILES) return NULL;
    if (standing[fd] == 0) {
        char link[64], path[4096];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
        path[length > 0 ? length : 0] = 0;
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        standing[fd] = is_of_interest(name) ? 2 : 1;
        if (standing[fd] == 2) strcpy(names[fd], name);
    }
    return standing[fd] == 2 ? names[fd] : NULL;
}

static void put(const void *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = syscall(SYS_write, record_fd, bytes, length);
        if (written <= 0) abort();
        bytes = (const char *)bytes + written;
        length -= (size_t)written;
    }
}

/* A letter, the name's length and the name, a place, the length of the bytes, the bytes. */
static void note(char what, const char *name, uint64_t place, const void *bytes, uint32_t length) {
    char head[1 + 1 + 64 + 8 + 4];
    size_t n = strlen(name), at = 0;
    head[at++] = what;
    head[at++] = (char)n;
    memcpy(head + at, name, n), at += n;
    memcpy(head + at, &place, 8), at += 8;
    memcpy(head + at, &length, 4), at += 4;
    put(head, at);
    put(bytes, length);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    pthread_mutex_lock(&lock);
    const char *name = name_of(fd);
    pthread_mutex_unlock(&lock);
    if (!name) return syscall(SYS_write, fd, bytes, length);
    pthread_mutex_lock(&lock);
    off_t place = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t written = syscall(SYS_write, fd, bytes, length);
    int error = errno;
    if (written > 0) note('W', name, (uint64_t)place, bytes, (uint32_t)written);
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t place) {
    pthread_mutex_lock(&lock);
    const char *name = name_of(fd);
    ssize_t written = syscall(SYS_pwrite64, fd, bytes, length, place);
    int error = errno;
    if (name && written > 0) note('W', name, (uint64_t)place, bytes, (uint32_t)written);
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t place) { return write_at(fd, bytes, length, place); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t place) { return write_at(fd, bytes, length, place); }

static int truncated(int fd, off_t length) {
    pthread_mutex_lock(&lock);
    const char *name = name_of(fd);
    int done = (int)syscall(SYS_ftruncate, fd, length), error = errno;
    if (name && done == 0) note('T', name, (uint64_t)length, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int ftruncate(int fd, off_t length) { return truncated(fd, length); }
int ftruncate64(int fd, off_t length) { return truncated(fd, length); }

static int synced(int fd) {
    pthread_mutex_lock(&lock);
    const char *name = name_of(fd);
    if (name) note('S', name, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd) { return synced(fd); }
int fdatasync(int fd) { return synced(fd); }

int unlink(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0), error = errno;
    if (record_fd >= 0 && done == 0 && is_of_interest(name)) note('U', name, 0, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < FILES) standing[fd] = 0;
    int done = (int)syscall(SYS_close, fd), error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}
