/*
 * The origin of the benches: one thread, epoll, HTTP/1.1 keep-alive, nothing else, so that it is never what limits a run.
 *
 *   origin PORT
 *
 *   GET  /bulk/N   N bytes of body
 *   PUT  /bulk/N   reads the body (Content-Length), answers with the number of bytes read
 *   anything else  1024 bytes of JSON with nine headers; a request body is read and thrown away
 *
 * Level-triggered: a connection is registered once and, while an answer waits for room in the socket, switched to EPOLLOUT.
 * One request is answered at a time; pipelined bytes stay in the buffer until the answer before them is out.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 8192, EVENTS = 512, BODY = 1024, CHUNK = 256 * 1024 };

struct connection {
    int fd;
    size_t have;           /* bytes in `in` */
    uint64_t body_left;    /* request body still to be read and thrown away */
    uint64_t body_read;    /* of the request at hand */
    uint64_t fill_left;    /* bulk answer body still to be sent */
    size_t out_len;        /* answer head (and small body) in `out` */
    size_t out_sent;
    int bulk_put;          /* answer with the byte count once the body is in */
    int answering;         /* an answer is due or under way */
    int waits_for_room;    /* registered for EPOLLOUT */
    int peer_closed;
    char in[HEAD_MAX];
    char out[2048];
};

static char answer[2048];
static size_t answer_len;
static char fill[CHUNK];
static char sink[CHUNK];
static int poller;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void build_answer(void) {
    char body[BODY + 1];
    int n = snprintf(body, sizeof body, "{\"id\":25,\"name\":\"resource\",\"items\":[");
    while (n < BODY - 32) n += snprintf(body + n, sizeof body - n, "{\"k\":\"value-%03d\"},", n);
    n += snprintf(body + n, sizeof body - n, "0],\"pad\":\"");
    while (n < BODY - 2) body[n++] = 'x';
    body[n++] = '"';
    body[n++] = '}';
    answer_len = (size_t)snprintf(answer, sizeof answer,
        "HTTP/1.1 200 OK\r\n"
        "Server: origin\r\n"
        "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        "Content-Length: %d\r\n"
        "Cache-Control: private, max-age=0\r\n"
        "ETag: \"5f3c-18a2b7d1e40\"\r\n"
        "Vary: Accept-Encoding\r\n"
        "X-Request-Cost: 12\r\n"
        "X-Served-By: cell-7\r\n"
        "\r\n%.*s", BODY, BODY, body);
}

static void watch(struct connection *c, uint32_t what) {
    struct epoll_event event = { .events = what, .data.ptr = c };
    if (epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event) != 0) die("epoll_ctl");
    c->waits_for_room = (what & EPOLLOUT) != 0;
}

static void drop(struct connection *c) {
    close(c->fd);
    free(c);
}

/* The value of a header inside the head, or NULL. The head ends with a NUL in place of its last line feed. */
static const char *header(const char *head, const char *name) {
    size_t len = strlen(name);
    for (const char *line = strchr(head, '\n'); line != NULL; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            for (line += len + 1; *line == ' ' || *line == '\t'; line++) { }
            return line;
        }
    }
    return NULL;
}

static void prepare_answer(struct connection *c) {
    c->out_sent = 0;
    if (c->bulk_put) {
        char text[32];
        int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)c->body_read);
        c->out_len = (size_t)snprintf(c->out, sizeof c->out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", n, text);
    } else if (c->fill_left > 0) {
        c->out_len = (size_t)snprintf(c->out, sizeof c->out, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %llu\r\n\r\n",
            (unsigned long long)c->fill_left);
    } else {
        memcpy(c->out, answer, answer_len);
        c->out_len = answer_len;
    }
}

/* Reads a request head out of the buffer. 1: there is one, 0: more bytes needed, -1: not HTTP that we serve. */
static int take_head(struct connection *c) {
    char *end = memmem(c->in, c->have, "\r\n\r\n", 4);
    if (end == NULL) return c->have == HEAD_MAX ? -1 : 0;
    size_t len = (size_t)(end - c->in) + 4;
    end[3] = 0;
    if (header(c->in, "transfer-encoding") != NULL) return -1;
    const char *length = header(c->in, "content-length");
    c->body_left = length != NULL ? strtoull(length, NULL, 10) : 0;
    c->body_read = 0;
    c->bulk_put = strncmp(c->in, "PUT /bulk/", 10) == 0;
    c->fill_left = strncmp(c->in, "GET /bulk/", 10) == 0 ? strtoull(c->in + 10, NULL, 10) : 0;
    int expects = header(c->in, "expect") != NULL;
    c->have -= len;
    memmove(c->in, c->in + len, c->have);
    c->answering = 1;
    if (expects && c->body_left > 0) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (send(c->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL) < 0) return -1;
    }
    return 1;
}

/* 1: all sent, 0: the socket is full, -1: the peer is gone. */
static int send_answer(struct connection *c) {
    while (c->out_sent < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        c->out_sent += (size_t)n;
    }
    while (c->fill_left > 0) {
        ssize_t n = send(c->fd, fill, c->fill_left < CHUNK ? c->fill_left : CHUNK, MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        c->fill_left -= (uint64_t)n;
    }
    return 1;
}

/* Runs the connection as far as the bytes at hand go. -1: close it. */
static int advance(struct connection *c) {
    for (;;) {
        if (!c->answering) {
            int head = take_head(c);
            if (head <= 0) return head < 0 || c->peer_closed ? -1 : 0;
            c->out_len = 0;
        }
        if (c->body_left > 0) {
            size_t taken = c->have < c->body_left ? c->have : (size_t)c->body_left;
            c->have -= taken;
            memmove(c->in, c->in + taken, c->have);
            c->body_left -= taken;
            c->body_read += taken;
            if (c->body_left > 0) return c->peer_closed ? -1 : 0;
        }
        if (c->out_len == 0) prepare_answer(c);
        int sent = send_answer(c);
        if (sent < 0) return -1;
        if (sent == 0) {
            if (!c->waits_for_room) watch(c, EPOLLOUT);
            return 0;
        }
        if (c->waits_for_room) watch(c, EPOLLIN);
        c->answering = 0;
    }
}

static int on_readable(struct connection *c) {
    /* A request body goes past the head buffer straight into the sink. */
    while (c->answering && c->body_left > 0 && c->have == 0) {
        ssize_t n = recv(c->fd, sink, c->body_left < CHUNK ? c->body_left : CHUNK, 0);
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        if (n == 0) return -1;
        c->body_left -= (uint64_t)n;
        c->body_read += (uint64_t)n;
        if (c->body_left == 0) return advance(c);
    }
    ssize_t n = recv(c->fd, c->in + c->have, HEAD_MAX - c->have, 0);
    if (n < 0) return errno == EAGAIN ? 0 : -1;
    if (n == 0) c->peer_closed = 1;
    c->have += (size_t)n;
    return advance(c);
}

static void accept_all(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *c = malloc(sizeof *c);
        if (c == NULL) die("malloc");
        memset(c, 0, offsetof(struct connection, in));
        c->fd = fd;
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: origin PORT\n");
        return 2;
    }
    build_answer();
    for (size_t i = 0; i < sizeof fill; i++) fill[i] = (char)('a' + i % 26);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
    if (listen(listener, 4096) != 0) die("listen");

    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) != 0) die("epoll_ctl");

    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(poller, events, EVENTS, -1);
        if (n < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c == NULL) accept_all(listener);
            else if ((c->waits_for_room ? advance(c) : on_readable(c)) < 0) drop(c);
        }
    }
}
