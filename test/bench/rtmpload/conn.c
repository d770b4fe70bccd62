#define _GNU_SOURCE
#include "rtmpload.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn *conns;
int epoll_fd;

void no_delay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void conn_watch(struct conn *c, int is_new) {
  struct epoll_event event = {.events = EPOLLIN | (c->wants_write ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(epoll_fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &event);
}

static void count_end(struct conn *c, const char *why) {
  if (opt.mode == SINK) {
    if (c->publishing || c->playing) counts.up--;
    return;
  }
  if (opt.mode == CHURN) counts.churn_done++;
  if (c->finished) return;
  int *which = c->state == UP ? &counts.closed_early : &counts.failed;
  if (++*which < 4) fprintf(stderr, "connection %d ended in state %d: %s\n", c->index, c->state, why);
}

void conn_drop(struct conn *c, const char *why) {
  if (c->state == DEAD) return;
  count_end(c, why);
  close(c->fd);
  free(c->handshake);
  free(c->queue);
  for (int i = 0; i <= MAX_CSID; i++) {
    if (!c->streams[i]) continue;
    free(c->streams[i]->body);
    free(c->streams[i]);
  }
  memset(c, 0, sizeof *c);
  c->state = DEAD;
}

int conn_flush(struct conn *c) {
  while (c->queue_start < c->queue_end) {
    ssize_t taken = send(c->fd, c->queue + c->queue_start, c->queue_end - c->queue_start, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0 && errno != EAGAIN) {
      conn_drop(c, strerror(errno));
      return -1;
    }
    if (taken < 0) {
      if (!c->wants_write) {
        c->wants_write = 1;
        conn_watch(c, 0);
      }
      return 0;
    }
    c->queue_start += taken;
  }
  c->queue_start = c->queue_end = 0;
  if (c->wants_write) {
    c->wants_write = 0;
    conn_watch(c, 0);
  }
  return 0;
}

static void enqueue(struct conn *c, const uint8_t *bytes, size_t size) {
  if (c->queue_end + size > c->queue_capacity) {
    memmove(c->queue, c->queue + c->queue_start, c->queue_end - c->queue_start);
    c->queue_end -= c->queue_start;
    c->queue_start = 0;
  }
  if (c->queue_end + size > c->queue_capacity) {
    c->queue_capacity = 2 * (c->queue_end + size);
    c->queue = realloc(c->queue, c->queue_capacity);
    if (!c->queue) die("out of memory");
  }
  memcpy(c->queue + c->queue_end, bytes, size);
  c->queue_end += size;
}

int conn_put(struct conn *c, const uint8_t *bytes, size_t size) {
  counts.window_sent += size;
  if (c->queue_start == c->queue_end) {
    ssize_t taken = send(c->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken == (ssize_t)size) return 0;
    if (taken < 0 && errno != EAGAIN) {
      conn_drop(c, strerror(errno));
      return -1;
    }
    if (taken < 0) taken = 0;
    bytes += taken;
    size -= taken;
    counts.window_stalls++;
  }
  if (c->queue_end - c->queue_start + size > MAX_QUEUE) {
    conn_drop(c, "the send queue is full");
    return -1;
  }
  enqueue(c, bytes, size);
  return conn_flush(c);
}

int conn_put_message(struct conn *c, uint8_t csid, uint8_t type, uint32_t stream_id, const uint8_t *body,
                     uint32_t size) {
  uint32_t out_size;
  uint8_t *out = chunked(csid, type, stream_id, body, size, &out_size);
  int result = conn_put(c, out, out_size);
  free(out);
  return result;
}

int conn_put_clip(struct conn *c, struct message *m, uint32_t timestamp) {
  clip_stamp(m, timestamp, c->stream_id);
  counts.window_messages++;
  if (m->stamped) counts.window_video++;
  if (m->type == AUDIO) counts.window_audio++;
  return conn_put(c, m->bytes, m->size);
}

/* What a stream begins with; then the clip's media is due from now on. */
int conn_put_clip_head(struct conn *c) {
  for (int i = 0; i < clip.first_media; i++) {
    if (conn_put_clip(c, &clip.messages[i], 0)) return -1;
  }
  c->next_message = clip.first_media;
  c->base_us = now_us();
  c->base_timestamp = 0;
  return 0;
}

/* Sends what is due at `now`, round and round. */
void conn_play_clip(struct conn *c, uint64_t now) {
  for (;;) {
    struct message *m = &clip.messages[c->next_message];
    uint32_t timestamp = c->base_timestamp + m->timestamp;
    if (c->base_us + (uint64_t)timestamp * 1000 > now || conn_put_clip(c, m, timestamp)) return;
    if (++c->next_message == clip.count) {
      c->next_message = clip.first_media;
      c->base_timestamp += clip.duration_ms;
    }
  }
}

static void on_command(struct conn *c, struct chunk_stream *s) {
  const uint8_t *body = s->body;
  uint32_t size = s->size;
  if (s->type == AMF3_COMMAND && size) body++, size--;
  if (size < 3 || body[0] != 2) return;
  uint32_t length = be(body + 1, 2);
  if (length + 12 > size) return;
  char name[32] = {0};
  memcpy(name, body + 3, length < 31 ? length : 31);
  uint64_t bits = be(body + 4 + length, 8);
  double transaction;
  memcpy(&transaction, &bits, 8);
  if (opt.mode == SINK) sink_command(c, name, transaction, s->stream_id);
  else client_command(c, name, transaction, body, size);
}

static void on_message(struct conn *c, struct chunk_stream *s) {
  const uint8_t *body = s->body;
  switch (s->type) {
  case SET_CHUNK_SIZE:
    if (s->size >= 4) c->chunk_size = be(body, 4) & 0x7fffffff;
    if (!c->chunk_size) c->chunk_size = FIRST_CHUNK_SIZE;
    break;
  case USER_CONTROL: /* a ping wants a pong */
    if (s->size >= 6 && body[1] == 6) {
      uint8_t pong[6] = {0, 7, body[2], body[3], body[4], body[5]};
      conn_put_message(c, CS_CONTROL, USER_CONTROL, 0, pong, 6);
    }
    break;
  case WINDOW_ACK_SIZE:
    if (s->size >= 4) c->ack_window = be(body, 4);
    break;
  case SET_PEER_BANDWIDTH:
    if (s->size >= 4) conn_put_message(c, CS_CONTROL, WINDOW_ACK_SIZE, 0, body, 4);
    break;
  case AMF3_COMMAND:
  case COMMAND:
    on_command(c, s);
    break;
  case VIDEO:
  case AUDIO:
    client_media(c, s);
    break;
  }
}

static int keeps_body(uint8_t type) { return type <= SET_PEER_BANDWIDTH || type == COMMAND || type == AMF3_COMMAND; }

/* Reads a chunk header at `*at`: 1 done, 0 more bytes are needed, -1 the connection is gone. */
static int read_header(struct conn *c, const uint8_t **at, const uint8_t *end) {
  static const int SIZES[4] = {11, 7, 3, 0};
  const uint8_t *h = *at + 1;
  int format = **at >> 6, csid = **at & 63, size = SIZES[format];
  if (csid < 2) {
    conn_drop(c, "a chunk stream id above 63");
    return -1;
  }
  if (end - h < size) return 0;
  struct chunk_stream *s = c->streams[csid];
  int extended = size ? be(h, 3) == 0xffffff : s && s->extended;
  if (end - h < size + 4 * extended) return 0;
  if (!s) s = c->streams[csid] = zeroed(sizeof *s);
  s->extended = extended;
  if (format <= 1) {
    s->size = be(h + 3, 3);
    s->type = h[6];
  }
  if (format == 0) s->stream_id = h[7] | h[8] << 8 | h[9] << 16 | (uint32_t)h[10] << 24;
  *at = h + size + 4 * extended;
  if (s->got == 0) {
    free(s->body);
    s->body = NULL;
    s->head_size = 0;
    if (keeps_body(s->type) && s->size > MAX_COMMAND) {
      conn_drop(c, "a command that is too long");
      return -1;
    }
    if (keeps_body(s->type)) s->body = zeroed(s->size + 1);
  }
  uint32_t left = s->size - s->got;
  s->left_in_chunk = left < c->chunk_size ? left : c->chunk_size;
  c->current = s;
  return 1;
}

static const uint8_t *read_body(struct conn *c, const uint8_t *at, const uint8_t *end) {
  struct chunk_stream *s = c->current;
  uint32_t part = (uint32_t)(end - at) < s->left_in_chunk ? (uint32_t)(end - at) : s->left_in_chunk;
  if (s->body) memcpy(s->body + s->got, at, part);
  else if (s->type == VIDEO && s->head_size < sizeof s->head) {
    uint32_t head = sizeof s->head - s->head_size < part ? sizeof s->head - s->head_size : part;
    memcpy(s->head + s->head_size, at, head);
    s->head_size += head;
  }
  s->got += part;
  s->left_in_chunk -= part;
  if (s->left_in_chunk) return at + part;
  c->current = NULL;
  if (s->got == s->size) {
    s->got = 0;
    on_message(c, s);
  }
  return at + part;
}

static void acknowledge(struct conn *c) {
  if (c->state == DEAD || !c->ack_window || c->received - c->acked < c->ack_window) return;
  uint8_t total[4];
  c->acked = c->received;
  put_be(total, c->received, 4);
  conn_put_message(c, CS_CONTROL, ACK, 0, total, 4);
}

void conn_readable(struct conn *c) {
  static uint8_t buffer[HEADER_SIZE + READ_SIZE];
  int kept = c->header_size;
  memcpy(buffer, c->header, kept);
  ssize_t got = recv(c->fd, buffer + kept, READ_SIZE, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    conn_drop(c, got ? strerror(errno) : "the peer closed");
    return;
  }
  counts.window_reads++;
  counts.window_received += got;
  c->received += got;
  c->header_size = 0;
  const uint8_t *at = buffer, *end = buffer + kept + got;
  if (c->state == WAIT_HANDSHAKE) {
    int done = opt.mode == SINK ? sink_handshake(c, &at, end) : client_handshake(c, &at, end);
    if (!done) return;
  }
  while (at < end && c->state != DEAD) {
    int header = c->current ? 1 : read_header(c, &at, end);
    if (header < 0) return;
    if (header == 0) {
      c->header_size = end - at;
      memcpy(c->header, at, c->header_size);
      break;
    }
    at = read_body(c, at, end);
  }
  acknowledge(c);
}
