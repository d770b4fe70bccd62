/*
 *   rtmpload publish --url rtmp://127.0.0.1:1935/live/s%d -n 20 --flv CLIP
 *   rtmpload play    --url rtmp://127.0.0.1:1935/live/s%d -n 20
 *   rtmpload churn   --url rtmp://127.0.0.1:1935/live/c%d --role publish|play --total 1000 --conc 8 [--rate 50] --flv
 * CLIP rtmpload idle    --url rtmp://127.0.0.1:1935/live/i%d -n 1000 [--stage handshake|connect] rtmpload sink --listen
 * 1936 [--flv CLIP]
 *
 * URL: rtmp://ADDRESS:PORT/APP/STREAM, the address one of 127.0.0.0/8. APP and STREAM may carry a query; %d is the
 * connection's number, %T its token (line number modulo count of --tokens FILE).
 * On stdin, one word a line: "begin" zeroes the window, "end" prints the report of the window, "quit" or the end of
 * stdin ends the program, and so do --max-s seconds. Answers are JSON lines. Times are microseconds.
 */
#define _GNU_SOURCE
#include "rtmpload.h"
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct options opt = {.stage = STAGE_CONNECT, .connections = 1, .total = 1000, .ramp_ms = 10, .max_s = 300};
struct counts counts;
static uint64_t started_us, window_us;
static struct rusage window_usage;
static int is_running = 1, is_ready, is_reported;

uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(2);
}

void *zeroed(size_t size) {
  void *memory = calloc(1, size);
  if (!memory) die("out of memory");
  return memory;
}

uint64_t be(const uint8_t *bytes, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; i++) value = value << 8 | bytes[i];
  return value;
}

void put_be(uint8_t *bytes, uint64_t value, int size) {
  for (int i = size - 1; i >= 0; i--, value >>= 8) bytes[i] = value;
}

void sample(struct samples *s, uint64_t value) {
  if (s->count == s->capacity) {
    s->capacity = s->capacity ? 2 * s->capacity : 4096;
    s->values = realloc(s->values, s->capacity * sizeof *s->values);
    if (!s->values) die("out of memory");
  }
  s->values[s->count++] = value > UINT32_MAX ? UINT32_MAX : value;
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static uint32_t quantile(const struct samples *s, double share) {
  return s->count ? s->values[(size_t)((s->count - 1) * share)] : 0;
}

static void print_samples(const char *name, struct samples *s) {
  if (s->count) qsort(s->values, s->count, sizeof *s->values, ascending);
  printf(",\"%s\":{\"n\":%zu,\"p50\":%u,\"p90\":%u,\"p99\":%u,\"max\":%u}", name, s->count, quantile(s, .5),
         quantile(s, .9), quantile(s, .99), quantile(s, 1));
}

static void say(const char *event) {
  printf("{\"event\":\"%s\",\"up\":%d,\"failed\":%d}\n", event, counts.up, counts.failed);
  fflush(stdout);
}

static void begin_window(void) {
  counts.window_received = counts.window_sent = counts.window_messages = counts.window_video = counts.window_audio = 0;
  counts.window_reads = counts.window_stalls = counts.window_max_gap = 0;
  counts.latency.count = 0;
  for (int i = 0; i < opt.connections; i++) conns[i].window_video = 0;
  window_us = now_us();
  getrusage(RUSAGE_SELF, &window_usage);
}

static double seconds_between(struct timeval from, struct timeval to) {
  return (to.tv_sec - from.tv_sec) + (to.tv_usec - from.tv_usec) / 1e6;
}

static int is_live(const struct conn *c) { return c->state == UP && (opt.mode != SINK || c->publishing || c->playing); }

static void report(void) {
  struct rusage usage;
  uint64_t least = UINT64_MAX, most = 0;
  int live = 0;
  getrusage(RUSAGE_SELF, &usage);
  for (int i = 0; i < opt.connections; i++) {
    if (!is_live(&conns[i])) continue;
    live++;
    if (conns[i].window_video < least) least = conns[i].window_video;
    if (conns[i].window_video > most) most = conns[i].window_video;
  }
  printf(
      "{\"event\":\"report\",\"window_s\":%.4f,\"cpu_s\":%.4f,\"live\":%d,\"up\":%d,\"failed\":%d,\"closed_early\":%d",
      (now_us() - window_us) / 1e6,
      seconds_between(window_usage.ru_utime, usage.ru_utime) + seconds_between(window_usage.ru_stime, usage.ru_stime),
      live, counts.up, counts.failed, counts.closed_early);
  printf(",\"rx_bytes\":%" PRIu64 ",\"tx_bytes\":%" PRIu64 ",\"tx_messages\":%" PRIu64 ",\"video\":%" PRIu64
         ",\"audio\":%" PRIu64 ",\"reads\":%" PRIu64 ",\"stalls\":%" PRIu64 ",\"video_min\":%" PRIu64
         ",\"video_max\":%" PRIu64 ",\"max_gap_us\":%" PRIu64 ",\"churn_done\":%d,\"churn_ok\":%d",
         counts.window_received, counts.window_sent, counts.window_messages, counts.window_video, counts.window_audio,
         counts.window_reads, counts.window_stalls, live ? least : 0, most, counts.window_max_gap, counts.churn_done,
         counts.churn_ok);
  print_samples("setup_us", &counts.set_up);
  print_samples("first_media_us", &counts.first_media);
  print_samples("latency_us", &counts.latency);
  printf("}\n");
  fflush(stdout);
}

static void on_word(const char *word) {
  if (!strcmp(word, "begin")) begin_window(), say("begun");
  else if (!strcmp(word, "end")) report();
  else if (!strcmp(word, "quit")) is_running = 0;
}

static void read_stdin(void) {
  static char line[64];
  static size_t size;
  char bytes[256];
  ssize_t got = read(0, bytes, sizeof bytes);
  if (got <= 0) is_running = 0;
  for (ssize_t i = 0; i < got; i++) {
    if (bytes[i] != '\n') {
      if (size < sizeof line - 1) line[size++] = bytes[i];
      continue;
    }
    line[size] = 0;
    size = 0;
    on_word(line);
  }
}

static void read_tokens(const char *file) {
  FILE *in = fopen(file, "r");
  if (!in) die("cannot open %s", file);
  char *line = NULL;
  size_t capacity = 0;
  while (getline(&line, &capacity, in) > 0) {
    line[strcspn(line, "\n")] = 0;
    if (!*line) continue;
    opt.tokens = realloc(opt.tokens, (opt.token_count + 1) * sizeof *opt.tokens);
    if (!opt.tokens) die("out of memory");
    opt.tokens[opt.token_count++] = strdup(line);
  }
  free(line);
  fclose(in);
}

static void read_url(const char *url) {
  char address[64];
  int port, used = 0;
  if (sscanf(url, "rtmp://%63[0-9.]:%d/%n", address, &port, &used) != 2 || !used)
    die("--url rtmp://ADDRESS:PORT/APP/STREAM");
  const char *app = url + used, *slash = strchr(app, '/');
  if (!slash || slash - app >= MAX_TEXT || strlen(slash) >= MAX_TEXT) die("--url needs an app and a stream");
  snprintf(opt.host_port, sizeof opt.host_port, "%s:%d", address, port);
  snprintf(opt.app, sizeof opt.app, "%.*s", (int)(slash - app), app);
  snprintf(opt.stream, sizeof opt.stream, "%s", slash + 1);
  opt.peer.sin_family = AF_INET;
  opt.peer.sin_port = htons(port);
  if (inet_pton(AF_INET, address, &opt.peer.sin_addr) != 1) die("%s is no IPv4 address", address);
  if (ntohl(opt.peer.sin_addr.s_addr) >> 24 != 127) die("loopback only");
}

static enum mode read_mode(const char *word) {
  static const char *const NAMES[] = {"publish", "play", "churn", "idle", "sink"};
  for (int i = 0; word && i <= SINK; i++) {
    if (!strcmp(word, NAMES[i])) return i;
  }
  die("usage: rtmpload publish|play|churn|idle|sink OPTIONS; see main.c");
}

static void read_options(int argc, char **argv) {
  const char *flv = NULL, *url = NULL;
  opt.mode = read_mode(argv[1]);
  for (int i = 2; i < argc; i += 2) {
    const char *name = argv[i], *value = argv[i + 1];
    if (!value) die("%s needs a value", name);
    if (!strcmp(name, "--url")) url = value;
    else if (!strcmp(name, "--flv")) flv = value;
    else if (!strcmp(name, "--tokens")) read_tokens(value);
    else if (!strcmp(name, "-n") || !strcmp(name, "--conc")) opt.connections = atoi(value);
    else if (!strcmp(name, "--total")) opt.total = atoi(value);
    else if (!strcmp(name, "--ramp-ms")) opt.ramp_ms = atoi(value);
    else if (!strcmp(name, "--rate")) opt.per_second = atof(value);
    else if (!strcmp(name, "--role")) opt.plays = !strcmp(value, "play");
    else if (!strcmp(name, "--stage")) opt.stage = strcmp(value, "handshake") ? STAGE_CONNECT : STAGE_HANDSHAKE;
    else if (!strcmp(name, "--listen")) opt.listen_port = atoi(value);
    else if (!strcmp(name, "--max-s")) opt.max_s = atof(value);
    else die("no option %s", name);
  }
  if (opt.mode == SINK) opt.connections = SINK_CONNECTIONS;
  else read_url(url ? url : "");
  if (opt.connections < 1) die("-n must be at least 1");
  if (flv) clip_load(flv, opt.mode == SINK);
  else if (opt.mode == PUBLISH || (opt.mode == CHURN && !opt.plays)) die("--flv is needed");
}

/* Starts the clients that are due; returns how many were ever started. */
static int start_clients(uint64_t now) {
  static int started;
  static uint64_t last_us;
  if (opt.mode == CHURN) {
    for (int i = 0; i < opt.connections && started < opt.total; i++) {
      if (opt.per_second > 0 && started > (now - started_us) / 1e6 * opt.per_second) break;
      if (conns[i].state == DEAD) client_open(&conns[i], started++);
    }
    return started;
  }
  while (started < opt.connections && now >= last_us + (uint64_t)opt.ramp_ms * 1000) {
    client_open(&conns[started], started);
    started++;
    last_us = now;
    if (opt.ramp_ms) break;
  }
  return started;
}

static int sends_clip(void) { return opt.mode == PUBLISH || (opt.mode == SINK && clip.count && counts.up); }

static void send_clips(uint64_t now) {
  int count = opt.mode == SINK ? sink_slots_used : opt.connections;
  for (int i = 0; i < count; i++) {
    if (conns[i].state == UP && (opt.mode == PUBLISH || conns[i].playing)) conn_play_clip(&conns[i], now);
  }
}

static void on_event(struct conn *c, uint32_t events) {
  if (c->state == DEAD) return;
  if (c->state == WAIT_TCP) {
    client_tcp_up(c);
    return;
  }
  if (events & EPOLLOUT && conn_flush(c)) return;
  if (c->state != DEAD && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) conn_readable(c);
}

static void announce(int started) {
  int reached = opt.mode == PLAY ? counts.with_media : counts.up;
  if (!is_ready && opt.mode != CHURN && started == opt.connections && reached + counts.failed >= opt.connections) {
    is_ready = 1;
    say("ready");
  }
  if (!is_reported && opt.mode == CHURN && counts.churn_done >= opt.total) {
    is_reported = 1;
    report();
  }
}

static void run(const int *listener) {
  struct epoll_event events[512];
  int started = 0;
  while (is_running) {
    uint64_t now = now_us();
    if (now > started_us + (uint64_t)(opt.max_s * 1e6)) return;
    if (opt.mode != SINK && !is_reported) started = start_clients(now);
    if (sends_clip()) send_clips(now);
    int is_busy = sends_clip() || opt.mode == CHURN || (opt.mode != SINK && started < opt.connections);
    int count = epoll_wait(epoll_fd, events, 512, is_busy ? 1 : 200);
    for (int i = 0; i < count; i++) {
      void *who = events[i].data.ptr;
      if (!who) read_stdin();
      else if (who == listener) sink_accept(*listener);
      else on_event(who, events[i].events);
    }
    if (opt.mode != SINK) announce(started);
  }
}

static void watch(int fd, void *who) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

int main(int argc, char **argv) {
  struct rlimit files;
  int listener = -1;
  read_options(argc, argv);
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  conns = zeroed(opt.connections * sizeof *conns);
  for (int i = 0; i < opt.connections; i++) conns[i].state = DEAD;
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  watch(0, NULL);
  started_us = now_us();
  begin_window();
  if (opt.mode == SINK) {
    listener = sink_listen();
    watch(listener, &listener);
    say("ready");
  }
  run(&listener);
  return 0;
}
