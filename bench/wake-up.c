// What a token's way costs in system calls alone: one thread reads memory for a step's time, then wakes another by an eventfd,
// which writes a chunk to a socket on loopback, while a third one reads memory all the time, as a model does. Prints the
// microseconds of processor time that waking took, and all that the woken thread used, for each token.
//
// Usage: wake-up STEP_US SECONDS
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WEIGHTS = 100 << 20, CHUNK = 261 };

static int wake, epoll, server, client;
static volatile int over;
static volatile uint64_t sink;
static double woken_us;

static double clock_us(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void check(int ok, const char *what) {
  if (!ok) {
    perror(what);
    exit(1);
  }
}

/** Reads memory until that time on the monotonic clock, or until all is over. */
static void read_weights(const char *weights, double until_us) {
  static const int PIECE = 1 << 20;
  for (int at = 0; !over && clock_us(CLOCK_MONOTONIC) < until_us; at = (at + PIECE) % WEIGHTS)
    for (int i = 0; i < PIECE; i += 64) sink += weights[at + i];
}

static char *new_weights(void) {
  char *weights = malloc(WEIGHTS);
  check(weights != NULL, "malloc");
  memset(weights, 1, WEIGHTS);
  return weights;
}

static void *worker(void *unused) {
  read_weights(new_weights(), 1e18);
  return unused;
}

static void *reader(void *unused) {
  char bytes[4096];
  while (read(client, bytes, sizeof bytes) > 0) continue;
  return unused;
}

static void *writer(void *unused) {
  char chunk[CHUNK];
  memset(chunk, 'x', sizeof chunk);
  struct iovec parts[] = {{"105\r\n", 5}, {chunk, sizeof chunk}, {"\r\n", 2}};
  double start_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
  while (!over) {
    struct epoll_event event;
    uint64_t count;
    check(epoll_wait(epoll, &event, 1, -1) == 1, "epoll_wait");
    check(read(wake, &count, sizeof count) == sizeof count, "read");
    check(writev(server, parts, 3) > 0, "writev");
  }
  woken_us = clock_us(CLOCK_THREAD_CPUTIME_ID) - start_us;
  return unused;
}

static void connect_both(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  check(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0, "listen");
  check(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
  client = socket(AF_INET, SOCK_STREAM, 0);
  check(connect(client, (struct sockaddr *)&address, size) == 0, "connect");
  server = accept(listener, NULL, NULL);
  check(setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: wake-up STEP_US SECONDS\n");
    return 2;
  }
  double step_us = atof(argv[1]), end_us = clock_us(CLOCK_MONOTONIC) + atof(argv[2]) * 1e6, waking_us = 0;
  int tokens = 0;
  connect_both();
  wake = eventfd(0, EFD_NONBLOCK);
  epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) == 0, "epoll_ctl");
  pthread_t threads[3];
  pthread_create(&threads[0], NULL, reader, NULL);
  pthread_create(&threads[1], NULL, writer, NULL);
  pthread_create(&threads[2], NULL, worker, NULL);
  const char *weights = new_weights();
  while (!over) {
    double now_us = clock_us(CLOCK_MONOTONIC);
    read_weights(weights, now_us + step_us);
    over = now_us > end_us;
    double start_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
    uint64_t one = 1;
    check(write(wake, &one, sizeof one) == sizeof one, "write");
    waking_us += clock_us(CLOCK_THREAD_CPUTIME_ID) - start_us;
    tokens++;
  }
  pthread_join(threads[1], NULL);
  printf("%.1f %.1f\n", waking_us / tokens, woken_us / tokens);
}
