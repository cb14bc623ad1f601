/* Makes the Nth call of an operation on a file under a folder fail, once or from then on.

   LD_PRELOAD=this FAULT=op:ERRNO:N[+] FAULT_DIR=folder [FAULT_LOG=file] program
   op: write, half (half of it is written, then it fails), short (half of it is written), fsync, ftruncate, open (of
   a file that is to be created), flock, mkdir, unlink; count: none fails. FAULT_LOG gets a line for each call that
   counts.
   The worker is spared: it is not the one that writes. Raw system calls are not reached: failing_rename.c. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static long count, nth;
static int ready, error_number, sticky;
static char op[32];
static const char *folder, *log_file;

static int is_worker(void) {
    static int known = -1;
    if (known < 0) {
        char line[4096];
        int file = syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY);
        long size = file < 0 ? 0 : syscall(SYS_read, file, line, sizeof line - 1);
        if (file >= 0) syscall(SYS_close, file);
        line[size > 0 ? size : 0] = 0;
        size_t first = strlen(line);
        known = (long)first + 1 < size && !strcmp(line + first + 1, "worker");
    }
    return known;
}

static int number_of(const char *name) {
    static const struct { const char *name; int number; } known[] = {
        {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EINTR", EINTR}, {"EDQUOT", EDQUOT}, {"EINVAL", EINVAL}, {"EROFS", EROFS},
        {"ENOLCK", ENOLCK}, {"EOPNOTSUPP", EOPNOTSUPP}, {"EACCES", EACCES}, {"EMFILE", EMFILE}, {"EFBIG", EFBIG}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(name, known[i].name)) return known[i].number;
    fprintf(stderr, "failing_io: no errno %s\n", name);
    abort();
}

static void set_up(void) {
    if (ready) return;
    ready = 1;
    const char *fault = getenv("FAULT");
    folder = getenv("FAULT_DIR");
    log_file = getenv("FAULT_LOG");
    char name[16] = {0}, n[16] = {0};
    if (!fault || !folder || sscanf(fault, "%31[^:]:%15[^:]:%15s", op, name, n) != 3) { op[0] = 0; return; }
    error_number = number_of(name);
    nth = atol(n);
    sticky = strchr(n, '+') != 0;
}

static int under(const char *path) { return folder && !strncmp(path, folder, strlen(folder)); }

static int holds(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    long size = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return under(path);
}

static int counting(void) { return !strcmp(op, "count"); }

static int asked(const char *name) { set_up(); return *op && (counting() || !strcmp(op, name)) && !is_worker(); }

static int hit(const char *name) {
    long n = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    int fails = !counting() && (sticky ? n >= nth : n == nth);
    if (log_file) {
        char line[64];
        int size = snprintf(line, sizeof line, "%s %ld %s\n", name, n, fails ? "fails" : "passes");
        int file = syscall(SYS_openat, AT_FDCWD, log_file, O_WRONLY | O_APPEND | O_CREAT, 0644);
        if (file >= 0) { syscall(SYS_write, file, line, size); syscall(SYS_close, file); }
    }
    return fails;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define FAIL do { errno = error_number; return -1; } while (0)

ssize_t write(int file, const void *bytes, size_t size) {
    REAL(write);
    set_up();
    if (!*op || !holds(file)) return real(file, bytes, size);
    if (asked("short") && size > 1 && hit("short")) return real(file, bytes, size / 2);
    if (asked("half") && hit("half")) {
        if (size > 1 && real(file, bytes, size / 2) < 0) return -1;
        FAIL;
    }
    if (asked("write") && hit("write")) FAIL;
    return real(file, bytes, size);
}

int fsync(int file) { REAL(fsync); if (asked("fsync") && holds(file) && hit("fsync")) FAIL; return real(file); }
int fdatasync(int file) { REAL(fdatasync); if (asked("fsync") && holds(file) && hit("fsync")) FAIL; return real(file); }
int ftruncate(int file, off_t size) { REAL(ftruncate); if (asked("ftruncate") && holds(file) && hit("ftruncate")) FAIL; return real(file, size); }
int ftruncate64(int file, off64_t size) { REAL(ftruncate64); if (asked("ftruncate") && holds(file) && hit("ftruncate")) FAIL; return real(file, size); }
int flock(int file, int how) { REAL(flock); if (asked("flock") && holds(file) && hit("flock")) FAIL; return real(file, how); }
int mkdir(const char *path, mode_t mode) { REAL(mkdir); if (asked("mkdir") && under(path) && hit("mkdir")) FAIL; return real(path, mode); }
int unlink(const char *path) { REAL(unlink); if (asked("unlink") && under(path) && hit("unlink")) FAIL; return real(path); }

static int open_fails(const char *path, int flags) {
    return asked("open") && (flags & O_CREAT) && under(path) && hit("open");
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }
int open(const char *path, int flags, ...) { REAL(open); MODE; if (open_fails(path, flags)) FAIL; return real(path, flags, mode); }
int open64(const char *path, int flags, ...) { REAL(open64); MODE; if (open_fails(path, flags)) FAIL; return real(path, flags, mode); }
