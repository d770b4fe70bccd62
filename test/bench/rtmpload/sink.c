#define _GNU_SOURCE
#include "amf.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int sink_slots_used;

/* The origin's socket, on loopback. */
int sink_listen(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in here = {
      .sin_family = AF_INET, .sin_port = htons(opt.listen_port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (void *)&here, sizeof here) || listen(fd, 4096)) die("listen: %s", strerror(errno));
  return fd;
}

static struct conn *free_slot(void) {
  static int next;
  for (int tries = 0; tries < SINK_CONNECTIONS; tries++) {
    struct conn *c = &conns[next];
    next = (next + 1) % SINK_CONNECTIONS;
    if (c->state == DEAD) return c;
  }
  return NULL;
}

void sink_accept(int listener) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    struct conn *c = free_slot();
    if (!c) {
      close(fd);
      return;
    }
    memset(c, 0, sizeof *c);
    c->fd = fd;
    c->index = c - conns;
    c->chunk_size = FIRST_CHUNK_SIZE;
    c->opened_us = now_us();
    c->state = WAIT_HANDSHAKE;
    c->handshake = zeroed(1 + HANDSHAKE_PART);
    if (c->index >= sink_slots_used) sink_slots_used = c->index + 1;
    no_delay(fd);
    conn_watch(c, 1);
  }
}

/* Takes C0 and C1, answers, skips C2; 1 when it is over and the connection still there. */
int sink_handshake(struct conn *c, const uint8_t **at, const uint8_t *end) {
  int first = 1 + HANDSHAKE_PART;
  while (*at < end && c->handshake_size < first + HANDSHAKE_PART) {
    int need = (c->handshake_size < first ? first : first + HANDSHAKE_PART) - c->handshake_size;
    int part = end - *at < need ? (int)(end - *at) : need;
    if (c->handshake_size < first) memcpy(c->handshake + c->handshake_size, *at, part);
    c->handshake_size += part;
    *at += part;
    if (c->handshake_size == first && part > 0) {
      uint8_t answer[1 + 2 * HANDSHAKE_PART] = {3};
      memcpy(answer + first, c->handshake + 1, HANDSHAKE_PART);
      if (conn_put(c, answer, sizeof answer)) return 0;
    }
  }
  if (c->handshake_size < first + HANDSHAKE_PART) return 0;
  free(c->handshake);
  c->handshake = NULL;
  c->state = UP;
  return 1;
}

static void result(struct conn *c, struct amf *a) { conn_put_message(c, CS_COMMAND, COMMAND, 0, a->bytes, a->size); }

static int status(struct conn *c, uint32_t stream_id, const char *code) {
  struct amf a;
  amf_command(&a, "onStatus", 0);
  amf_null(&a);
  amf_object(&a);
  amf_pair(&a, "level", "status");
  amf_pair(&a, "code", code);
  amf_pair(&a, "description", "ok");
  amf_object_end(&a);
  return conn_put_message(c, CS_DATA, COMMAND, stream_id, a.bytes, a.size);
}

static void on_connect(struct conn *c, double transaction) {
  uint8_t bandwidth[5] = {0, 0x4c, 0x4b, 0x40, 2}, chunk_size[4];
  struct amf a;
  put_be(chunk_size, CHUNK_SIZE, 4);
  if (conn_put_message(c, CS_CONTROL, WINDOW_ACK_SIZE, 0, bandwidth, 4)) return;
  if (conn_put_message(c, CS_CONTROL, SET_PEER_BANDWIDTH, 0, bandwidth, 5)) return;
  if (conn_put_message(c, CS_CONTROL, SET_CHUNK_SIZE, 0, chunk_size, 4)) return;
  amf_command(&a, "_result", transaction);
  amf_object(&a);
  amf_pair(&a, "fmsVer", "FMS/3,0,1,123");
  amf_pair_number(&a, "capabilities", 31);
  amf_object_end(&a);
  amf_object(&a);
  amf_pair(&a, "level", "status");
  amf_pair(&a, "code", "NetConnection.Connect.Success");
  amf_pair(&a, "description", "ok");
  amf_pair_number(&a, "objectEncoding", 0);
  amf_object_end(&a);
  result(c, &a);
}

static void on_play(struct conn *c, uint32_t stream_id) {
  uint8_t begin[6] = {0, 0};
  put_be(begin + 2, stream_id, 4);
  c->stream_id = stream_id;
  if (conn_put_message(c, CS_CONTROL, USER_CONTROL, 0, begin, sizeof begin)) return;
  if (status(c, stream_id, "NetStream.Play.Start") || conn_put_clip_head(c)) return;
  c->playing = 1;
  counts.up++;
}

static int wants_empty_result(const char *name) {
  return !strcmp(name, "releaseStream") || !strcmp(name, "FCPublish") || !strcmp(name, "FCUnpublish") ||
         !strcmp(name, "_checkbw");
}

void sink_command(struct conn *c, const char *name, double transaction, uint32_t stream_id) {
  struct amf a;
  if (!strcmp(name, "connect")) on_connect(c, transaction);
  else if (!strcmp(name, "createStream")) {
    amf_command(&a, "_result", transaction);
    amf_null(&a);
    amf_number(&a, 1);
    result(c, &a);
  } else if (!strcmp(name, "publish") && !c->publishing) {
    if (status(c, stream_id, "NetStream.Publish.Start")) return;
    c->publishing = 1;
    counts.up++;
  } else if (!strcmp(name, "play") && clip.count && !c->playing) on_play(c, stream_id);
  else if (transaction > 0 && wants_empty_result(name)) {
    amf_command(&a, "_result", transaction);
    amf_null(&a);
    amf_undefined(&a);
    result(c, &a);
  }
}
