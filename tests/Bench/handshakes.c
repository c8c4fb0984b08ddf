/*
 * New TLS connections, one after the other on each of several threads: connect, handshake, one request, its whole answer, close_notify, close.
 *
 *   handshakes PORT SECONDS THREADS full|resumed PATH STATUS
 *
 * Prints RESULT connections µs p50 p99 refused broken: p50 and p99 of a connection's life in µs; refused: answers with another status, and
 * connections that were resumed and should not be, or the other way round. A ticket is used more than once: what is counted is the server's work.
 * Certificates are not checked, but the handshake's signature is, as by every client.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 256, LIVES = 1 << 20 };

static struct sockaddr_in server;
static double deadline;
static int resumes;
static char request[1024], status_line[32];
static unsigned lives[LIVES];
static long done, refused, broken;
static __thread SSL_SESSION *latest;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int on_session(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    if (latest != NULL) SSL_SESSION_free(latest);
    latest = session; /* 1: the reference is ours */
    return 1;
}

/* Reads a whole answer. 1: as expected, 0: another status, -1: broken. */
static int read_answer(SSL *ssl) {
    char in[8192];
    size_t have = 0;
    for (;;) {
        int n = SSL_read(ssl, in + have, (int)(sizeof in - 1 - have));
        if (n <= 0) return -1;
        have += (size_t)n;
        in[have] = 0;
        char *end = strstr(in, "\r\n\r\n");
        if (end == NULL) continue;
        char *length = strcasestr(in, "content-length:");
        size_t body = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
        if (have >= (size_t)(end - in) + 4 + body) return strncmp(in, status_line, strlen(status_line)) == 0;
    }
}

/* One connection's life; counts is 0 for the one that fetches the first ticket. */
static void live(SSL_CTX *context, int counts) {
    double began = now();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, good = -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (resumes && latest != NULL) SSL_set_session(ssl, latest);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) == 0 && SSL_connect(ssl) == 1 && SSL_write(ssl, request, (int)strlen(request)) > 0) {
        good = read_answer(ssl);
        if (good == 1 && counts && SSL_session_reused(ssl) != resumes) good = 0;
        SSL_shutdown(ssl);
    }
    if (good < 0) ERR_print_errors_fp(stderr);
    SSL_free(ssl);
    close(fd);
    if (!counts) return;
    if (good < 0) __atomic_add_fetch(&broken, 1, __ATOMIC_RELAXED);
    if (good == 0) __atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
    long at = __atomic_fetch_add(&done, 1, __ATOMIC_RELAXED);
    if (at < LIVES) lives[at] = (unsigned)((now() - began) * 1e6);
}

static void *work(void *context) {
    if (resumes) live(context, 0);
    while (now() < deadline && __atomic_load_n(&broken, __ATOMIC_RELAXED) < 100) live(context, 1);
    return NULL;
}

static int by_size(const void *a, const void *b) {
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    if (argc != 7 || atoi(argv[3]) < 1 || atoi(argv[3]) > THREADS) {
        fprintf(stderr, "usage: handshakes PORT SECONDS THREADS full|resumed PATH STATUS\n");
        return 2;
    }
    server = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    resumes = strcmp(argv[4], "resumed") == 0;
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: resources.default.svc.cluster.local\r\nUser-Agent: handshakes\r\nAccept: application/json\r\n\r\n", argv[5]);
    snprintf(status_line, sizeof status_line, "HTTP/1.1 %s ", argv[6]);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
    double began = now();
    deadline = began + atoi(argv[2]);
    pthread_t threads[THREADS];
    int count = atoi(argv[3]);
    for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, work, context);
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    double took = now() - began;
    long kept = done < LIVES ? done : LIVES;
    qsort(lives, (size_t)kept, sizeof lives[0], by_size);
    printf("RESULT %ld %.0f %u %u %ld %ld\n", done, took * 1e6, lives[kept / 2], lives[kept * 99 / 100], refused, broken);
    return 0;
}
