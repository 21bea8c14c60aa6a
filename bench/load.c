/* A closed-loop HTTP/1.1 client for benchmarks: each connection asks again as soon as its answer is complete.
 *
 *   cc -O2 -o load load.c && ./load PORT PATH KEY BODY_FILE CONNECTIONS SECONDS EVENTS [FIRST]
 *
 * Posts BODY_FILE to 127.0.0.1 and prints one JSON object; times are microseconds. EVENTS > 0: the answer must be a stream
 * of about so many events (gateways may merge or drop a few) that ends in [DONE]. Anything else but a whole 200 is an error.
 * FIRST: the first event is the one with this text in it; the text's first character stands in it once.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 16384, READ_BYTES = 262144, READY = 256, MERGED_EVENTS = 5 };
enum part { HEAD, BODY, SIZE, DATA, AFTER_DATA, TRAILER };
enum end { GONE = -1, UNFINISHED, COMPLETE };
static const uint64_t PATIENCE_NS = 15000000000ull; /* for answers that are still open when the time is over */

struct connection {
    int socket, status, will_close;
    enum part part;
    long left;                    /* bytes of the body, or of a chunk; -1: until the connection closes */
    uint64_t asked_ns, first_event_ns;
    long events;
    int line_at, done_at, first_at, is_done; /* how much of "data:", of "[DONE]" and of FIRST has matched */
    size_t head_bytes;
    char head[HEAD_BYTES], refusal[200];
};

struct times { uint64_t *at; size_t count, room; };

static int poller, wanted_events;
static struct sockaddr_in server;
static char *request, *first_text, first_error[300];
static size_t request_bytes;
static struct times latencies, first_events;
static long errors, all_events;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void keep(struct times *times, uint64_t value) {
    if (times->count == times->room) {
        times->room = times->room ? times->room * 2 : 65536;
        times->at = realloc(times->at, times->room * sizeof *times->at);
    }
    times->at[times->count++] = value;
}

static void ask(struct connection *c) {
    c->part = HEAD;
    c->status = c->will_close = c->is_done = c->line_at = c->done_at = c->first_at = 0;
    c->head_bytes = c->events = c->first_event_ns = 0;
    c->asked_ns = now_ns();
    for (size_t sent = 0; sent < request_bytes;) {
        ssize_t taken = send(c->socket, request + sent, request_bytes - sent, MSG_NOSIGNAL);
        if (taken <= 0) return; /* the peer is gone: reading will tell */
        sent += taken;
    }
}

static int connect_again(struct connection *c) {
    int one = 1;
    if (c->socket >= 0) close(c->socket);
    c->socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->socket, (void *)&server, sizeof server)) {
        close(c->socket);
        return c->socket = -1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    return epoll_ctl(poller, EPOLL_CTL_ADD, c->socket, &event);
}

/* Looks for FIRST, until it came. */
static void look(struct connection *c, const char *text, size_t length) {
    for (size_t i = 0; i < length && !c->first_event_ns; i++) {
        c->first_at = text[i] == first_text[c->first_at] ? c->first_at + 1 : text[i] == first_text[0];
        if (!first_text[c->first_at]) c->first_event_ns = now_ns();
    }
}

/* Counts lines that begin with "data:", and looks for "[DONE]" in them; skips the rest of each line quickly. */
static void scan(struct connection *c, const char *text, size_t length) {
    static const char DATA_FIELD[] = "data:", LAST[] = "[DONE]";
    if (first_text && !c->first_event_ns) look(c, text, length);
    for (size_t i = 0; wanted_events && i < length; i++) {
        if (c->line_at >= 0) {
            c->line_at = text[i] == DATA_FIELD[c->line_at] ? c->line_at + 1 : -1;
            if (c->line_at == 5) {
                c->line_at = -1;
                c->events++;
                if (!first_text && !c->first_event_ns) c->first_event_ns = now_ns();
            }
        }
        c->done_at = text[i] == LAST[c->done_at] ? c->done_at + 1 : text[i] == LAST[0];
        if (c->done_at == 6) c->is_done = 1, c->done_at = 0;
        if (text[i] == '\n') {
            c->line_at = 0;
        } else if (c->line_at < 0 && !c->done_at) {
            const char *end = memchr(text + i + 1, '\n', length - i - 1), *limit = end ? end : text + length;
            const char *bracket = memchr(text + i + 1, '[', limit - text - i - 1);
            i = (bracket ? bracket : limit) - text - 1;
        }
    }
}

/* Takes the head out of what came; gives how many bytes of `text` it used, or -1 when it is too long. */
static long take_head(struct connection *c, const char *text, size_t length) {
    size_t before = c->head_bytes, room = HEAD_BYTES - 1 - before, taken = length < room ? length : room;
    memcpy(c->head + before, text, taken);
    c->head[c->head_bytes += taken] = 0;
    char *end = strstr(c->head, "\r\n\r\n"), *field;
    if (!end) return taken < length ? -1 : (long)taken;
    long used = end + 4 - c->head - before;
    *end = 0;
    c->status = atoi(c->head + 9);
    c->will_close = strcasestr(c->head, "\r\nconnection: close") != NULL;
    c->left = (field = strcasestr(c->head, "\r\ncontent-length:")) ? atol(field + 17) : -1;
    c->part = strcasestr(c->head, "\r\ntransfer-encoding: chunked") ? SIZE : BODY;
    if (c->part == SIZE) c->left = 0;
    if (c->status != 200) snprintf(c->refusal, sizeof c->refusal, "%.*s", (int)(length - used), text + used);
    return used;
}

/* One byte of what is between the data of chunks; COMPLETE after the last one. */
static enum end take_framing(struct connection *c, char byte) {
    if (c->part == SIZE) {
        int digit = byte >= '0' && byte <= '9' ? byte - '0' : (byte | 32) >= 'a' && (byte | 32) <= 'f' ? (byte | 32) - 'a' + 10 : -1;
        if (digit >= 0) c->left = c->left * 16 + digit; /* nobody here sends chunk extensions */
        if (byte == '\n') c->part = c->left ? DATA : TRAILER;
    } else if (byte == '\n') {
        if (c->part == TRAILER) return COMPLETE;
        c->part = SIZE;
        c->left = 0;
    }
    return UNFINISHED;
}

static enum end take(struct connection *c, const char *text, size_t length) {
    while (length) {
        long used = 1;
        if (c->part == HEAD) {
            if ((used = take_head(c, text, length)) < 0) return GONE;
            if (c->part == BODY && c->left == 0) return COMPLETE;
        } else if (c->part == BODY || c->part == DATA) {
            used = c->left >= 0 && c->left < (long)length ? c->left : (long)length;
            scan(c, text, used);
            if (c->left >= 0 && !(c->left -= used)) {
                if (c->part == BODY) return COMPLETE;
                c->part = AFTER_DATA;
            }
        } else if (take_framing(c, *text) == COMPLETE) {
            return COMPLETE;
        }
        text += used;
        length -= used;
    }
    return UNFINISHED;
}

static enum end read_some(struct connection *c) {
    static char text[READ_BYTES];
    ssize_t got = recv(c->socket, text, sizeof text, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return UNFINISHED;
    if (got > 0) return take(c, text, got);
    return got == 0 && c->part == BODY && c->left < 0 ? COMPLETE : GONE;
}

/* Keeps the times of a good answer, or counts an error. */
static void judge(struct connection *c, enum end end) {
    int is_stream = !wanted_events || (c->events >= wanted_events - MERGED_EVENTS && c->is_done);
    if (end == COMPLETE && c->status == 200 && is_stream) {
        keep(&latencies, now_ns() - c->asked_ns);
        if (c->first_event_ns) keep(&first_events, c->first_event_ns - c->asked_ns);
        all_events += c->events;
    } else if (!errors++) {
        snprintf(first_error, sizeof first_error, "%s, status %d, %ld events%s: %s", end == GONE ? "broken off" : "complete",
                 c->status, c->events, c->is_done ? " and [DONE]" : "", c->status == 200 ? "" : c->refusal);
    }
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double percentile_us(const struct times *times, double part) {
    return times->count ? times->at[(size_t)(part * (times->count - 1) + 0.5)] / 1000.0 : 0;
}

static void report(double seconds) {
    qsort(latencies.at, latencies.count, sizeof *latencies.at, by_size);
    qsort(first_events.at, first_events.count, sizeof *first_events.at, by_size);
    for (char *at = first_error; *at; at++)
        if (*at == '"' || *at == '\\' || (unsigned char)*at < 32) *at = '\'';
    printf("{\"ok\":%zu,\"errors\":%ld,\"seconds\":%.6f,\"rps\":%.2f,\"p50\":%.1f,\"p99\":%.1f,\"first_p50\":%.1f,"
           "\"first_p99\":%.1f,\"events\":%ld,\"error\":\"%s\"}\n",
           latencies.count, errors, seconds, latencies.count / seconds, percentile_us(&latencies, .5),
           percentile_us(&latencies, .99), percentile_us(&first_events, .5), percentile_us(&first_events, .99), all_events,
           first_error);
}

static void make_request(char **given) {
    FILE *file = fopen(given[4], "rb");
    static char body[1 << 20];
    size_t length = file ? fread(body, 1, sizeof body, file) : 0;
    if (!length) {
        fprintf(stderr, "load: nothing to read in %s\n", given[4]);
        exit(2);
    }
    request = malloc(length + 4096);
    request_bytes = sprintf(request,
                            "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nAuthorization: Bearer %s\r\nAccept: */*\r\n"
                            "Content-Type: application/json\r\nUser-Agent: load\r\nContent-Length: %zu\r\n\r\n",
                            given[2], given[1], given[3], length);
    memcpy(request + request_bytes, body, length);
    request_bytes += length;
    fclose(file);
}

int main(int count, char **given) {
    if (count != 8 && count != 9) {
        fprintf(stderr, "usage: load PORT PATH KEY BODY_FILE CONNECTIONS SECONDS EVENTS [FIRST]\n");
        return 2;
    }
    make_request(given);
    int connections = atoi(given[5]), open = 0;
    wanted_events = atoi(given[7]);
    first_text = count > 8 ? given[8] : NULL;
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(given[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    poller = epoll_create1(0);
    struct connection *all = calloc(connections, sizeof *all);
    uint64_t began = now_ns(), end = began + (uint64_t)(atof(given[6]) * 1e9), last = began;
    for (int i = 0; i < connections; i++) {
        all[i].socket = -1;
        if (connect_again(&all[i])) {
            fprintf(stderr, "load: no connection to port %s\n", given[1]);
            return 3;
        }
        ask(&all[i]);
        open++;
    }
    while (open) {
        struct epoll_event ready[READY];
        int number = epoll_wait(poller, ready, READY, 1000);
        if (now_ns() > end + PATIENCE_NS) {
            snprintf(first_error, sizeof first_error, "%d answers never ended", open);
            errors += open;
            break;
        }
        for (int i = 0; i < number; i++) {
            struct connection *c = ready[i].data.ptr;
            enum end ended = read_some(c);
            if (ended == UNFINISHED) continue;
            judge(c, ended);
            last = now_ns();
            int is_lost = (ended == GONE || c->will_close) && connect_again(c);
            if (is_lost || last >= end) open--;
            else ask(c);
        }
    }
    report((last - began) / 1e9);
}
