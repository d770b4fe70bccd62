#define _GNU_SOURCE
#include "amf.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { TX_CONNECT = 1, TX_RELEASE, TX_FCPUBLISH, TX_CREATE, TX_START, TX_FCUNPUBLISH, TX_DELETE };
enum { CHURN_MESSAGES = 12 }; /* what a publisher of a churn sends before it leaves */

static int is_publisher(void) { return opt.mode == PUBLISH || (opt.mode == CHURN && !opt.plays); }

/* Puts in the connection's number for %d and its token for %T. */
static const char *expand(char out[MAX_TEXT], const char *text, int index) {
  size_t size = 0;
  for (; *text && size + 16 < MAX_TEXT; text++) {
    if (text[0] == '%' && text[1] == 'd') size += snprintf(out + size, MAX_TEXT - size, "%d", index), text++;
    else if (text[0] == '%' && text[1] == 'T' && opt.token_count)
      size += snprintf(out + size, MAX_TEXT - size, "%s", opt.tokens[index % opt.token_count]), text++;
    else out[size++] = *text;
  }
  if (size + 16 >= MAX_TEXT) die("app or stream name too long");
  out[size] = 0;
  return out;
}

static int send_command(struct conn *c, struct amf *a) {
  return conn_put_message(c, CS_COMMAND, COMMAND, 0, a->bytes, a->size);
}

static void is_up(struct conn *c) {
  c->state = UP;
  counts.up++;
  sample(&counts.set_up, now_us() - c->opened_us);
}

void client_open(struct conn *c, int index) {
  memset(c, 0, sizeof *c);
  c->index = index;
  c->chunk_size = FIRST_CHUNK_SIZE;
  c->opened_us = now_us();
  c->state = WAIT_TCP;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) die("socket: %s", strerror(errno));
  no_delay(c->fd);
  if (connect(c->fd, (void *)&opt.peer, sizeof opt.peer) && errno != EINPROGRESS) {
    conn_drop(c, strerror(errno));
    return;
  }
  c->wants_write = 1;
  conn_watch(c, 1);
}

void client_tcp_up(struct conn *c) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) {
    conn_drop(c, strerror(error));
    return;
  }
  c->wants_write = 0;
  conn_watch(c, 0);
  c->state = WAIT_HANDSHAKE;
  c->handshake = zeroed(1 + 2 * HANDSHAKE_PART);
  uint8_t c0c1[1 + HANDSHAKE_PART] = {3};
  for (int i = 9; i <= HANDSHAKE_PART; i++) c0c1[i] = i * 31 + c->index;
  conn_put(c, c0c1, sizeof c0c1);
}

static void send_connect(struct conn *c) {
  char app[MAX_TEXT], url[MAX_TEXT + 160];
  struct amf a;
  expand(app, opt.app, c->index);
  snprintf(url, sizeof url, "rtmp://%s/%s", opt.host_port, app);
  amf_command(&a, "connect", TX_CONNECT);
  amf_object(&a);
  amf_pair(&a, "app", app);
  amf_pair(&a, "type", "nonprivate");
  amf_pair(&a, "flashVer", "FMLE/3.0 (compatible; rtmpload)");
  amf_pair(&a, "tcUrl", url);
  if (!is_publisher()) {
    amf_pair_number(&a, "capabilities", 15);
    amf_pair_number(&a, "audioCodecs", 4071);
    amf_pair_number(&a, "videoCodecs", 252);
    amf_pair_number(&a, "videoFunction", 1);
  }
  amf_object_end(&a);
  /* In one write, as encoders do. */
  uint8_t chunk_size[4], *first, *second;
  uint32_t first_size, second_size;
  put_be(chunk_size, CHUNK_SIZE, 4);
  first = chunked(CS_CONTROL, SET_CHUNK_SIZE, 0, chunk_size, 4, &first_size);
  second = chunked(CS_COMMAND, COMMAND, 0, a.bytes, a.size, &second_size);
  uint8_t *both = zeroed(first_size + second_size);
  memcpy(both, first, first_size);
  memcpy(both + first_size, second, second_size);
  c->state = WAIT_CONNECT;
  conn_put(c, both, first_size + second_size);
  free(both);
  free(first);
  free(second);
}

/* Takes S0, S1 and S2; 1 when they are all there and the connection still is. */
int client_handshake(struct conn *c, const uint8_t **at, const uint8_t *end) {
  int need = 1 + 2 * HANDSHAKE_PART - c->handshake_size, part = end - *at < need ? (int)(end - *at) : need;
  memcpy(c->handshake + c->handshake_size, *at, part);
  c->handshake_size += part;
  *at += part;
  if (part < need) return 0;
  if (c->handshake[0] != 3) {
    conn_drop(c, "S0 is not 3");
    return 0;
  }
  if (conn_put(c, c->handshake + 1, HANDSHAKE_PART)) return 0;
  free(c->handshake);
  c->handshake = NULL;
  if (opt.mode == IDLE && opt.stage == STAGE_HANDSHAKE) is_up(c);
  else send_connect(c);
  return c->state != DEAD;
}

static void send_create(struct conn *c) {
  char stream[MAX_TEXT];
  struct amf a;
  expand(stream, opt.stream, c->index);
  c->state = WAIT_CREATE;
  for (int i = 0; is_publisher() && i < 2; i++) {
    amf_command(&a, i ? "FCPublish" : "releaseStream", i ? TX_FCPUBLISH : TX_RELEASE);
    amf_null(&a);
    amf_string(&a, stream);
    if (send_command(c, &a)) return;
  }
  amf_command(&a, "createStream", TX_CREATE);
  amf_null(&a);
  send_command(c, &a);
}

static void send_start(struct conn *c) {
  char stream[MAX_TEXT];
  struct amf a;
  expand(stream, opt.stream, c->index);
  c->state = WAIT_START;
  amf_command(&a, is_publisher() ? "publish" : "play", TX_START);
  amf_null(&a);
  amf_string(&a, stream);
  if (is_publisher()) amf_string(&a, "live");
  else amf_number(&a, -2000);
  if (conn_put_message(c, CS_STREAM, COMMAND, c->stream_id, a.bytes, a.size) || is_publisher()) return;
  uint8_t buffer_length[10] = {0, 3};
  put_be(buffer_length + 2, c->stream_id, 4);
  put_be(buffer_length + 6, 1000, 4);
  conn_put_message(c, CS_CONTROL, USER_CONTROL, 0, buffer_length, sizeof buffer_length);
}

static void leave(struct conn *c) {
  char stream[MAX_TEXT];
  struct amf a;
  amf_command(&a, is_publisher() ? "FCUnpublish" : "closeStream", TX_FCUNPUBLISH);
  amf_null(&a);
  if (is_publisher()) amf_string(&a, expand(stream, opt.stream, c->index));
  if (send_command(c, &a)) return;
  amf_command(&a, "deleteStream", TX_DELETE);
  amf_null(&a);
  amf_number(&a, c->stream_id);
  if (send_command(c, &a)) return;
  counts.churn_ok++;
  c->finished = 1;
  shutdown(c->fd, SHUT_WR);
  conn_drop(c, "finished");
}

static void on_start(struct conn *c) {
  if (c->state != WAIT_START) return;
  is_up(c);
  if (!is_publisher() || conn_put_clip_head(c) || opt.mode != CHURN) return;
  for (int i = clip.first_media; i < clip.first_media + CHURN_MESSAGES && i < clip.count; i++) {
    if (conn_put_clip(c, &clip.messages[i], clip.messages[i].timestamp)) return;
  }
  leave(c);
}

static int says(const uint8_t *body, uint32_t size, const char *text) {
  return memmem(body, size, text, strlen(text)) != NULL;
}

void client_command(struct conn *c, const char *name, double transaction, const uint8_t *body, uint32_t size) {
  if (!strcmp(name, "_result") && transaction == TX_CONNECT && c->state == WAIT_CONNECT) {
    if (opt.mode == IDLE) is_up(c);
    else send_create(c);
  } else if (!strcmp(name, "_result") && transaction == TX_CREATE && c->state == WAIT_CREATE) {
    /* The stream id, any number the server likes, is the last value. */
    uint64_t bits = be(body + size - 8, 8);
    double id;
    memcpy(&id, &bits, 8);
    c->stream_id = (uint32_t)id;
    send_start(c);
  } else if (!strcmp(name, "_error") && (transaction == TX_CONNECT || transaction == TX_CREATE)) {
    conn_drop(c, "refused with _error");
  } else if (!strcmp(name, "onStatus")) {
    if (says(body, size, "NetStream.Publish.Start") || says(body, size, "NetStream.Play.Start")) on_start(c);
    else if (says(body, size, "error")) conn_drop(c, "refused with onStatus");
  }
}

static void measure_frame(struct conn *c, const struct chunk_stream *s, uint64_t now) {
  uint64_t sent = 0;
  for (int i = STAMP_AT; i < STAMP_END; i++)
    sent = sent << 4 | (s->head[i] <= '9' ? s->head[i] - '0' : s->head[i] - 'a' + 10);
  sample(&counts.latency, now > sent ? now - sent : 0);
  if (c->last_video_us && now - c->last_video_us > counts.window_max_gap)
    counts.window_max_gap = now - c->last_video_us;
  c->last_video_us = now;
}

/* A whole audio or video message has come: here or, of a publisher, at the sink. */
void client_media(struct conn *c, const struct chunk_stream *s) {
  if (s->type == AUDIO) counts.window_audio++;
  if (s->type == VIDEO) counts.window_video++, c->window_video++;
  uint64_t now = now_us();
  if (!c->first_media_us) {
    c->first_media_us = now;
    counts.with_media++;
    sample(&counts.first_media, now - c->opened_us);
    if (opt.mode == CHURN) {
      leave(c);
      return;
    }
  }
  int is_stamped =
      s->type == VIDEO && s->head_size >= STAMP_END && !memcmp(s->head + UUID_AT, SEI_UUID, sizeof SEI_UUID);
  if (is_stamped) measure_frame(c, s, now);
}
