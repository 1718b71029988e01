// The two ends of bench/gateway, each one thread over raw sockets, so that neither is what is measured.
//
//   http-load upstream PORT                 answers chat completions: 16 chunks and what ends them, or one plain reply;
//                                           between chunks it waits as many microseconds as the request's "user" says
//   http-load load PORT KIND RATE CONNECTIONS SECONDS [HEADER...]
//
// Build it with cc -O2 http-load.c -lm. KIND is "plain", or "stream" with the microseconds between chunks behind it, such as "stream2000". With a RATE it asks so many
// times a second, at random (Poisson) times that are the same in every run, whether or not earlier requests have ended; latencies
// count from the time at which a request was due, and what failed, or has not ended 5 s after the last one was due, counts as without end (null).
// With RATE 0 each connection asks again as soon as it has its reply. Prints JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { CHUNKS = 16, EVENTS = 256, MAX_FDS = 8192, BUFFER = 1 << 16 };

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static struct sockaddr_in local(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int poll_fd;

static void watch(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (fd >= MAX_FDS || epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd})) fail("epoll_ctl");
}

/** Waits for sockets until a time, or for good where that is 0. */
static int wait_until(struct epoll_event *events, int64_t until_ns) {
  int64_t left = until_ns ? until_ns - now_ns() : 0;
  if (left < 0) left = 0;
  struct timespec t = {left / 1000000000, left % 1000000000};
  int n = epoll_pwait2(poll_fd, events, EVENTS, until_ns ? &t : NULL, NULL);
  if (n < 0 && errno != EINTR) fail("epoll");
  return n < 0 ? 0 : n;
}

/** All of it: what is sent here always fits the socket's buffer, as the other end reads at once. */
static void write_all(int fd, const char *bytes, size_t n) {
  while (n > 0) {
    ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
    if (sent < 0) return; // the reader notices
    bytes += sent;
    n -= sent;
  }
}

// ---- upstream

struct reply {
  char in[BUFFER];
  size_t length;
  int left, fd; // chunks to come
  bool usage;
  int64_t spacing_ns, due_ns;
};

static char plain[4096], head[512], chunk[512], finish[512], counted[512], done[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
static struct reply *replies[MAX_FDS];
static int replies_end; // above the highest

#define CHUNK "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"upstream/fast\",\"choices\":["

static void framed(char *out, const char *json) {
  sprintf(out, "%zx\r\ndata: %s\n\n\r\n", strlen(json) + 8, json);
}

static void prepare(void) {
  char body[2048];
  sprintf(head, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
  framed(chunk, CHUNK "{\"index\":0,\"delta\":{\"content\":\" token\"},\"logprobs\":null,\"finish_reason\":null}]}");
  framed(finish, CHUNK "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}");
  framed(counted, CHUNK "],\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":16,\"total_tokens\":216}}");
  char text[256] = "";
  for (int i = 0; i < CHUNKS; i++) strcat(text, " token");
  sprintf(body,
          "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"upstream/fast\",\"choices\":[{\"index\":0,"
          "\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
          "\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":16,\"total_tokens\":216}}",
          text);
  sprintf(plain, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s", strlen(body), body);
}

/** The chunks that are due, and how the stream ends after the last; one write. */
static void send_chunks(struct reply *r, bool first) {
  char out[BUFFER];
  char *end = first ? stpcpy(out, head) : out;
  do {
    end = stpcpy(end, chunk);
    r->left--;
  } while (r->left > 0 && r->spacing_ns == 0);
  if (r->left == 0) end = stpcpy(stpcpy(stpcpy(end, finish), r->usage ? counted : ""), done);
  write_all(r->fd, out, end - out);
}

static void answer(struct reply *r) {
  r->in[r->length] = 0;
  char *body = strstr(r->in, "\r\n\r\n");
  if (body == NULL) return;
  body += 4;
  char *length = strcasestr(r->in, "\ncontent-length:");
  size_t wanted = length != NULL && length < body ? strtoul(length + 16, NULL, 10) : 0;
  if (body + wanted > r->in + r->length) return;
  r->length = 0;
  if (strncmp(r->in, "POST", 4) != 0) {
    const char none[] = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    write_all(r->fd, none, sizeof none - 1);
  } else if (strstr(body, "\"stream\":true") == NULL) {
    write_all(r->fd, plain, strlen(plain));
  } else {
    char *user = strstr(body, "\"user\":\"");
    r->spacing_ns = user == NULL ? 0 : 1000 * strtol(user + 8, NULL, 10);
    r->usage = strstr(body, "\"include_usage\":true") != NULL;
    r->left = CHUNKS;
    r->due_ns = now_ns();
    send_chunks(r, true);
  }
}

static void serve(int port) {
  prepare();
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = local(port);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) fail("listen");
  watch(listener);
  struct epoll_event events[EVENTS];
  for (int64_t next_ns = 0;;) {
    int n = wait_until(events, next_ns);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        watch(fd);
        replies[fd] = calloc(1, sizeof(struct reply));
        replies[fd]->fd = fd;
        if (fd >= replies_end) replies_end = fd + 1;
        continue;
      }
      struct reply *r = replies[fd];
      ssize_t got = recv(fd, r->in + r->length, BUFFER - 1 - r->length, 0);
      if (got <= 0) {
        close(fd);
        free(r);
        replies[fd] = NULL;
        continue;
      }
      r->length += got;
      answer(r);
    }
    // A few hundred streams at once: looking at each is cheaper than keeping them in order.
    next_ns = 0;
    int64_t now = now_ns();
    for (int fd = 0; fd < replies_end; fd++) {
      struct reply *r = replies[fd];
      if (r == NULL || r->left == 0) continue;
      if (r->due_ns + r->spacing_ns <= now) {
        r->due_ns += r->spacing_ns;
        send_chunks(r, false);
      }
      if (r->left > 0 && (next_ns == 0 || r->due_ns + r->spacing_ns < next_ns)) next_ns = r->due_ns + r->spacing_ns;
    }
  }
}

// ---- load

enum state { IDLE, HEAD, BODY, SIZE, DATA, GAP, TRAILER };

struct exchange {
  enum state state;
  int64_t due_ns, first_ns;
  size_t left, line;
  int events;
  bool newline;
  char head[4096];
};

static struct exchange *exchanges[MAX_FDS];
static int idle[MAX_FDS], idle_count, connections;
static int port, wanted_events;
static char request[BUFFER];
static size_t request_length;
static float *ttft_ms, *total_ms;
static long asked, ended, failed, most;

/** Begins a request on an idle connection, or a new one. */
static void ask(int64_t due_ns) {
  int fd;
  if (idle_count > 0) {
    fd = idle[--idle_count];
  } else {
    fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = local(port);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    watch(fd);
    exchanges[fd] = calloc(1, sizeof(struct exchange));
    connections++;
  }
  *exchanges[fd] = (struct exchange){.state = HEAD, .due_ns = due_ns};
  asked++;
  write_all(fd, request, request_length);
}

static void end(struct exchange *e, bool good) {
  e->state = IDLE;
  if (!good || ended >= most || e->events < wanted_events) {
    if (failed++ == 0) fprintf(stderr, "failed after %d events: %.300s\n", e->events, e->head);
    return;
  }
  ttft_ms[ended] = (e->first_ns - e->due_ns) / 1e6;
  total_ms[ended++] = (now_ns() - e->due_ns) / 1e6;
}

/** Reads the head, which has come whole; false where it is no answer of status 200. */
static bool read_head(struct exchange *e) {
  char *length = strcasestr(e->head, "\ncontent-length:");
  e->left = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
  e->state = strcasestr(e->head, "\ntransfer-encoding: chunked") != NULL ? SIZE : BODY;
  e->line = 0;
  return strncmp(e->head + 8, " 200", 4) == 0 && (e->state == SIZE || e->left > 0);
}

/** Takes the next bytes of a reply; false if it makes no sense. */
static bool feed(struct exchange *e, const char *bytes, ssize_t n) {
  for (const char *p = bytes, *until = bytes + n; p < until;) {
    if (e->state == BODY || e->state == DATA) {
      size_t take = (size_t)(until - p) < e->left ? (size_t)(until - p) : e->left;
      if (e->first_ns == 0) e->first_ns = now_ns();
      for (size_t i = 0; i < take; i++) {
        e->events += p[i] == '\n' && e->newline;
        e->newline = p[i] == '\n';
      }
      p += take;
      e->left -= take;
      if (e->left == 0 && e->state == BODY) end(e, true);
      else if (e->left == 0) e->state = GAP;
      continue;
    }
    char c = *p++;
    switch (e->state) {
    case HEAD:
      if (e->line == sizeof e->head - 1) return false;
      e->head[e->line++] = c;
      if (c == '\n' && e->line >= 4 && memcmp(e->head + e->line - 4, "\r\n\r\n", 4) == 0 && !read_head(e)) return false;
      break;
    case SIZE:
      if (c == '\n') e->state = e->left == 0 ? TRAILER : DATA;
      else if (c != '\r') e->left = 16 * e->left + (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
      e->line = 0;
      break;
    case GAP:
      if (c == '\n') e->state = SIZE;
      break;
    case TRAILER:
      if (c == '\n' && e->line == 0) end(e, true);
      else e->line = c == '\n' ? 0 : e->line + (c != '\r');
      break;
    default:
      return false; // more than was asked for
    }
  }
  return true;
}

static int by_size(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/** Quantiles over those that ended and those that did not. */
static void print(const char *name, float *ms, long unended) {
  qsort(ms, ended, sizeof *ms, by_size);
  printf(",\"%s\":{", name);
  for (int q = 50; q <= 99; q += 49) {
    long at = (ended + unended) * q / 100;
    printf(at < ended ? "%s\"p%d\":%.4f" : "%s\"p%d\":null", q == 50 ? "" : ",", q, at < ended ? ms[at] : 0);
  }
  printf("}");
}

/** Until the next request after one, at random. */
static int64_t gap_ns(double rate) { return -log(1 - drand48()) / rate * 1e9; }

static int load(const char *kind, double rate, int clients, double seconds, int headers, char **header) {
  char body[4096], words[2048] = "";
  for (int i = 0; i < 180; i++) strcat(words, " word");
  bool stream = strncmp(kind, "stream", 6) == 0;
  sprintf(body,
          "{\"model\":\"fast\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful assistant.\"},{\"role\":\"user\",\"content\":\"%s\"}],"
          "\"temperature\":0.7,\"max_tokens\":%d,\"user\":\"%s\",\"stream\":%s}",
          words, CHUNKS, stream ? kind + 6 : "", stream ? "true" : "false");
  char *at = request + sprintf(request, "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n", port);
  for (int i = 0; i < headers; i++) at += sprintf(at, "%s\r\n", header[i]);
  at += sprintf(at, "content-length: %zu\r\n\r\n%s", strlen(body), body);
  request_length = at - request;
  wanted_events = stream ? CHUNKS + 2 : 0;
  most = rate > 0 ? 2 * rate * seconds + 1000 : 200000 * seconds;
  ttft_ms = malloc(most * sizeof *ttft_ms);
  total_ms = malloc(most * sizeof *total_ms);

  struct epoll_event events[EVENTS];
  char in[BUFFER];
  srand48(7);
  int64_t start_ns = now_ns(), due_ns = start_ns, stop_ns = start_ns + seconds * 1e9, last_ns = start_ns;
  for (int i = 0; rate == 0 && i < clients; i++) ask(start_ns);
  for (int64_t now; (now = now_ns()) < stop_ns + 5000000000LL && (now < stop_ns || ended + failed < asked);) {
    for (; rate > 0 && due_ns <= now && due_ns < stop_ns; due_ns += gap_ns(rate)) {
      if (idle_count == 0 && connections >= clients) break; // it waits, and its latency counts that
      ask(due_ns);
    }
    int n = wait_until(events, rate > 0 && due_ns < stop_ns && due_ns > now ? due_ns : now + 100000000);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      struct exchange *e = exchanges[fd];
      ssize_t got = recv(fd, in, sizeof in, 0);
      if (got <= 0 || !feed(e, in, got)) {
        if (e->state != IDLE) end(e, false);
        close(fd);
        free(e);
        exchanges[fd] = NULL;
        connections--;
        for (int k = 0; k < idle_count; k++) {
          if (idle[k] == fd) idle[k--] = idle[--idle_count];
        }
        if (rate == 0 && now_ns() < stop_ns) ask(now_ns());
      } else if (e->state == IDLE) {
        idle[idle_count++] = fd;
        last_ns = now_ns();
        if (rate == 0 && last_ns < stop_ns) ask(last_ns);
      }
    }
  }
  if (ended == 0) {
    fprintf(stderr, "no request came to its end\n");
    return 1;
  }
  long unended = asked - ended - failed;
  for (; rate > 0 && due_ns < stop_ns; due_ns += gap_ns(rate)) unended++;
  printf("{\"requests\":%ld,\"failed\":%ld,\"unended\":%ld,\"seconds\":%.3f", ended, failed, unended, (last_ns - start_ns) / 1e9);
  print("ttftMs", ttft_ms, unended + failed);
  print("totalMs", total_ms, unended + failed);
  printf("}\n");
  return 0;
}

int main(int argc, char **argv) {
  poll_fd = epoll_create1(0);
  port = argc > 2 ? atoi(argv[2]) : 0;
  if (argc == 3 && strcmp(argv[1], "upstream") == 0) serve(port);
  if (argc >= 7 && strcmp(argv[1], "load") == 0) return load(argv[3], atof(argv[4]), atoi(argv[5]), atof(argv[6]), argc - 7, argv + 7);
  fprintf(stderr, "http-load upstream PORT | http-load load PORT KIND RATE CONNECTIONS SECONDS [HEADER...]\n");
  return 2;
}
