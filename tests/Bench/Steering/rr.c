/*
 * Both ends of the steering bench: one byte there and back, on kept connections (as netperf's TCP_RR) or on one each (TCP_CRR). One thread each.
 *
 *   rr listen ADDRESS PORT plain|transparent     answers each byte with a byte
 *   rr drive                                     runs what standard input asks for
 *
 * Standard input, one line at a time, each answered with a line:
 *   cpu                                          both: NANOSECONDS this process has used
 *   rr ADDRESS PORT CONNECTIONS MILLISECONDS     drive: TRANSACTIONS; the connections stay open for the next time
 *   crr ADDRESS PORT CONNECTIONS MILLISECONDS    drive: TRANSACTIONS
 * The end of standard input ends it.
 *
 * CPU time is perf's task clock where it may be had: unlike the process clock it contains soft interrupts also on kernels that account them apart,
 * and on a veth pair the receiver's whole way through the stack, steering too, runs in soft interrupts of the sender.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Few enough that a source port comes back only when its last use is long over, and that conntrack's table (65,536 at least) holds them all. */
enum { FIRST_PORT = 10000, PORTS = 20000, POOLS = 8, IN_POOL = 256, EVENTS = 256, SILENCE_MS = 3000 };

struct pool { struct sockaddr_in to; int count; int fds[IN_POOL]; };

static struct pool pools[POOLS];
static int pool_count, poller, clock_fd = -1;
static unsigned next_port;

static void die(const char *what) {
    fprintf(stderr, "rr: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void open_clock(void) {
    struct perf_event_attr wanted = { .size = sizeof wanted, .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_TASK_CLOCK };
    clock_fd = (int)syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0);
}

static uint64_t cpu_ns(void) {
    uint64_t value;
    if (clock_fd >= 0 && read(clock_fd, &value, sizeof value) == sizeof value) return value;
    return now_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static struct sockaddr_in address(const char *host, const char *port) {
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
    errno = EINVAL;
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1) die(host);
    return a;
}

static void set(int fd, int level, int option) {
    int one = 1;
    if (setsockopt(fd, level, option, &one, sizeof one) != 0) die("setsockopt");
}

static void watch(int fd, int operation, uint32_t what) {
    struct epoll_event event = { .events = what, .data.fd = fd };
    if (epoll_ctl(poller, operation, fd, &event) != 0) die("epoll_ctl");
}

/* One line without its end; 0 at the end of the input. Unbuffered: epoll must see what is left. */
static int read_line(char *line, size_t room) {
    for (size_t n = 0; n + 1 < room;) {
        if (read(STDIN_FILENO, line + n, 1) != 1) return 0;
        if (line[n] == '\n') { line[n] = 0; return 1; }
        n++;
    }
    return 0;
}

static void tell(uint64_t number) {
    printf("%llu\n", (unsigned long long)number);
    fflush(stdout);
}

/* ---- listen ---- */

static void answer(int fd) {
    char bytes[64];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n > 0 && send(fd, bytes, (size_t)n, MSG_NOSIGNAL) == n) return;
    if (n < 0 && errno == EAGAIN) return;
    close(fd);
}

static void listen_forever(const char *host, const char *port, int transparent) {
    struct sockaddr_in at = address(host, port);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (listener < 0) die("socket");
    set(listener, SOL_SOCKET, SO_REUSEADDR);
    if (transparent) set(listener, IPPROTO_IP, IP_TRANSPARENT);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 4096) != 0) die("listen");
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    watch(STDIN_FILENO, EPOLL_CTL_ADD, EPOLLIN);
    puts("listening");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) {
                char line[64];
                if (!read_line(line, sizeof line)) return;
                tell(cpu_ns());
            } else if (fd == listener) {
                int accepted;
                while ((accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    set(accepted, IPPROTO_TCP, TCP_NODELAY);
                    watch(accepted, EPOLL_CTL_ADD, EPOLLIN);
                }
            } else {
                answer(fd);
            }
        }
    }
}

/* ---- drive ---- */

static int connect_to(const struct sockaddr_in *to, int flags) {
    for (int tries = 0; tries < 100; tries++) {
        int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
        if (fd < 0) die("socket");
        struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(FIRST_PORT + next_port++ % PORTS)) };
        set(fd, SOL_SOCKET, SO_REUSEADDR);
        set(fd, IPPROTO_TCP, TCP_NODELAY);
        if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0
            && (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 || errno == EINPROGRESS)) return fd;
        if (errno != EADDRINUSE && errno != EADDRNOTAVAIL) die("connect");
        close(fd); /* a kept connection has that port */
    }
    die("no free source port");
    return -1;
}

static void ask(int fd) {
    if (send(fd, "x", 1, MSG_NOSIGNAL) != 1) die("send");
}

static int wait_for(struct epoll_event *events) {
    int count = epoll_wait(poller, events, EVENTS, SILENCE_MS);
    if (count > 0) return count;
    errno = ETIMEDOUT;
    die("the other end is silent");
    return 0;
}

static uint64_t request_response(struct sockaddr_in to, int connections, uint64_t end) {
    struct pool *pool = pools;
    while (pool < pools + pool_count && memcmp(&pool->to, &to, sizeof to) != 0) pool++;
    if (pool == pools + pool_count) {
        if (pool_count++ == POOLS || connections > IN_POOL) { errno = E2BIG; die("connections"); }
        pool->to = to;
    }
    while (pool->count < connections) watch(pool->fds[pool->count++] = connect_to(&to, 0), EPOLL_CTL_ADD, EPOLLIN);
    uint64_t done = 0;
    int open = pool->count, stop = 0;
    for (int i = 0; i < open; i++) ask(pool->fds[i]);
    while (open > 0) {
        struct epoll_event events[EVENTS];
        int count = wait_for(events);
        if (!stop) stop = now_ns(CLOCK_MONOTONIC) >= end;
        for (int i = 0; i < count; i++) {
            char byte;
            if (recv(events[i].data.fd, &byte, 1, 0) != 1) die("recv on a kept connection");
            done++;
            if (stop) open--; else ask(events[i].data.fd);
        }
    }
    return done;
}

static void begin(const struct sockaddr_in *to) {
    watch(connect_to(to, SOCK_NONBLOCK), EPOLL_CTL_ADD, EPOLLOUT);
}

/* A FIN from here, and one from there that is waited for: no reset, and no half-closed connection is left behind. */
static uint64_t connect_request_response(struct sockaddr_in to, int connections, uint64_t end) {
    uint64_t done = 0;
    int open = connections, stop = 0;
    for (int i = 0; i < open; i++) begin(&to);
    while (open > 0) {
        struct epoll_event events[EVENTS];
        int count = wait_for(events);
        if (!stop) stop = now_ns(CLOCK_MONOTONIC) >= end;
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            char byte;
            if (events[i].events & EPOLLOUT) {
                ask(fd); /* fails with the reason where the connection did */
                watch(fd, EPOLL_CTL_MOD, EPOLLIN);
                continue;
            }
            ssize_t n = recv(fd, &byte, 1, 0);
            if (n == 1) {
                shutdown(fd, SHUT_WR);
                continue;
            }
            if (n < 0) die("recv");
            close(fd);
            done++;
            if (stop) open--; else begin(&to);
        }
    }
    return done;
}

static void drive(void) {
    char line[128], what[8], host[32], port[8];
    int connections, ms;
    while (read_line(line, sizeof line)) {
        if (strcmp(line, "cpu") == 0) {
            tell(cpu_ns());
            continue;
        }
        errno = EINVAL;
        if (sscanf(line, "%7s %31s %7s %d %d", what, host, port, &connections, &ms) != 5) die(line);
        uint64_t end = now_ns(CLOCK_MONOTONIC) + (uint64_t)ms * 1000000u;
        tell((strcmp(what, "rr") == 0 ? request_response : connect_request_response)(address(host, port), connections, end));
    }
}

int main(int argc, char **argv) {
    open_clock();
    poller = epoll_create1(0);
    if (argc == 5 && strcmp(argv[1], "listen") == 0) listen_forever(argv[2], argv[3], strcmp(argv[4], "transparent") == 0);
    else if (argc == 2 && strcmp(argv[1], "drive") == 0) drive();
    else return 2;
    return 0;
}
