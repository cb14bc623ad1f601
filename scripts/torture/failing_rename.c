/* Makes the Nth rename to a path under a folder fail, once or from then on, though it is a raw system call.

   failing_rename ERRNO N[+] FOLDER LOG program arguments…

   The kernel asks us about each rename, renameat and renameat2 of the program (seccomp's user notification, no
   privileges needed), and we let it pass or fail. LOG gets a line for each that counts. Ends as the program does. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int number_of(const char *name) {
    static const struct { const char *name; int number; } known[] = {
        {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EINTR", EINTR}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}, {"EACCES", EACCES}, {"EXDEV", EXDEV}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(name, known[i].name)) return known[i].number;
    fprintf(stderr, "failing_rename: no errno %s\n", name);
    exit(2);
}

static int filter(void) {
#define ASK(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_rename
        ASK(SYS_rename),
#endif
#ifdef SYS_renameat
        ASK(SYS_renameat),
#endif
        ASK(SYS_renameat2),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void pass(int socket, int file) {
    char byte = 0, space[CMSG_SPACE(sizeof file)] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof file);
    memcpy(CMSG_DATA(header), &file, sizeof file);
    if (sendmsg(socket, &message, 0) != 1) _exit(125);
}

static int passed(int socket) {
    int file = -1;
    char byte, space[CMSG_SPACE(sizeof file)];
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    if (recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message)) memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof file);
    return file;
}

/* Whether the rename's target lies under the folder: the paths are the program's memory. */
static int leads_to(const struct seccomp_notif *asked, const char *folder) {
#ifdef SYS_rename
    int at = asked->data.nr == SYS_rename ? 1 : 3;
#else
    int at = 3;
#endif
    char name[64], path[4096] = {0};
    snprintf(name, sizeof name, "/proc/%d/mem", asked->pid);
    int memory = open(name, O_RDONLY | O_CLOEXEC);
    if (memory < 0) return 0;
    /* The text may end at the end of what can be read: a page at a time. */
    size_t size = 0;
    while (size < sizeof path - 1 && !memchr(path, 0, size)) {
        unsigned long from = asked->data.args[at] + size, room = 4096 - from % 4096;
        if (room > sizeof path - 1 - size) room = sizeof path - 1 - size;
        ssize_t got = pread(memory, path + size, room, (off_t)from);
        if (got <= 0) break;
        size += (size_t)got;
    }
    close(memory);
    return !strncmp(path, folder, strlen(folder));
}

int main(int argc, char **argv) {
    if (argc < 6) return fprintf(stderr, "usage: failing_rename ERRNO N[+] FOLDER LOG program…\n"), 2;
    int error_number = number_of(argv[1]), sticky = strchr(argv[2], '+') != 0, sockets[2], status = 0;
    long nth = atol(argv[2]), count = 0;
    FILE *log = fopen(argv[4], "w");
    if (!log || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets)) return perror("failing_rename"), 2;
    pid_t program = fork();
    if (program == 0) {
        int listener = filter();
        if (listener < 0) { perror("failing_rename: seccomp"); _exit(124); }
        pass(sockets[1], listener);
        close(listener);
        execvp(argv[5], argv + 5);
        perror("failing_rename: exec");
        _exit(127);
    }
    close(sockets[1]);
    int listener = passed(sockets[0]);
    struct seccomp_notif_sizes sizes;
    if (listener < 0 || syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes)) {
        kill(program, SIGKILL);
        return 124;
    }
    struct seccomp_notif *asked = malloc(sizes.seccomp_notif);
    struct seccomp_notif_resp *answer = malloc(sizes.seccomp_notif_resp);
    for (;;) {
        struct pollfd wait = {.fd = listener, .events = POLLIN};
        if (poll(&wait, 1, 20) > 0 && wait.revents & POLLIN) {
            memset(asked, 0, sizes.seccomp_notif);
            memset(answer, 0, sizes.seccomp_notif_resp);
            if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, asked) == 0) {
                answer->id = asked->id;
                answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
                if (leads_to(asked, argv[3])) {
                    count++;
                    int fails = sticky ? count >= nth : count == nth;
                    fprintf(log, "rename %ld %s\n", count, fails ? "fails" : "passes");
                    fflush(log);
                    if (fails) { answer->flags = 0; answer->error = -error_number; }
                }
                ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer);
            }
            continue;
        }
        if (waitpid(program, &status, WNOHANG) == program) break;
    }
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
    return 1;
}
