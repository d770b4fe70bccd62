/*
 * rtmpload: a one-thread epoll RTMP load client and a counting origin, for loopback only.
 *
 *   clip.c    an FLV file as ready-made RTMP messages
 *   conn.c    one connection: what is sent, and the chunk reader
 *   client.c  what a client says: publish, play, churn, idle
 *   sink.c    what the origin answers
 *   main.c    command line, event loop, report
 */
#ifndef RTMPLOAD_H
#define RTMPLOAD_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum mode { PUBLISH, PLAY, CHURN, IDLE, SINK };
enum stage { STAGE_HANDSHAKE, STAGE_CONNECT };
enum state { WAIT_TCP, WAIT_HANDSHAKE, WAIT_CONNECT, WAIT_CREATE, WAIT_START, UP, DEAD };

/* Message types (RTMP 1.0 sections 5.4 and 7.1). */
enum { SET_CHUNK_SIZE = 1, ACK = 3, USER_CONTROL = 4, WINDOW_ACK_SIZE = 5, SET_PEER_BANDWIDTH = 6 };
enum { AUDIO = 8, VIDEO = 9, AMF3_COMMAND = 17, DATA = 18, COMMAND = 20 };
/* Chunk streams that both sides use. */
enum { CS_CONTROL = 2, CS_COMMAND = 3, CS_AUDIO = 4, CS_DATA = 5, CS_VIDEO = 6, CS_STREAM = 8 };

enum {
  HANDSHAKE_PART = 1536,
  FIRST_CHUNK_SIZE = 128,
  CHUNK_SIZE = 4096,
  MAX_CSID = 63,
  MAX_TEXT = 2048,
  MAX_COMMAND = 1 << 20,
  MAX_QUEUE = 64 << 20,
  READ_SIZE = 256 << 10,
  HEADER_SIZE = 20, /* the longest chunk header: 3 + 11 + 4, and a little */
  SINK_CONNECTIONS = 8192,
};

/*
 * A video frame carries the time of its sending: an SEI (user_data_unregistered) in front of it, of 36 bytes:
 * 06 05 20, the UUID, 16 hex digits of CLOCK_MONOTONIC microseconds, 80. The offsets are into the FLV tag body.
 */
enum {
  SEI_AT = 9,
  SEI_SIZE = 36,
  UUID_AT = SEI_AT + 3,
  STAMP_AT = UUID_AT + 16,
  STAMP_SIZE = 16,
  STAMP_END = STAMP_AT + STAMP_SIZE
};
extern const uint8_t SEI_UUID[16];

struct options {
  enum mode mode;
  enum stage stage;
  int plays;                                            /* churn: play instead of publish */
  int connections;                                      /* at once */
  int total;                                            /* churn: in all */
  int ramp_ms;                                          /* between two starts */
  double per_second;                                    /* churn: starts at most, 0 = as fast as it goes */
  double max_s;                                         /* ends the program whatever happens */
  int listen_port;                                      /* sink */
  struct sockaddr_in peer;                              /* client: where to */
  char host_port[128], app[MAX_TEXT], stream[MAX_TEXT]; /* with %d and %T */
  char **tokens;
  int token_count;
};
extern struct options opt;

/* A message as it goes out: one type-0 chunk and type-3 ones. Timestamp and stream id are written in when it is sent.
 */
struct message {
  uint8_t *bytes;
  uint32_t size, timestamp;
  uint8_t type, stamped;
};
struct clip {
  struct message *messages;
  int count, first_media; /* what stands before is metadata and decoder configuration, sent at the start */
  uint32_t duration_ms;
};
extern struct clip clip;
void clip_load(const char *file, int for_players);
uint8_t *chunked(uint8_t csid, uint8_t type, uint32_t stream_id, const uint8_t *body, uint32_t size,
                 uint32_t *out_size);
void clip_stamp(struct message *m, uint32_t timestamp, uint32_t stream_id);

/* One chunk stream of the reader. Only control and command bodies are kept; of a video the first bytes. */
struct chunk_stream {
  uint32_t stream_id, size, got, left_in_chunk;
  uint8_t type, extended;
  uint16_t head_size;
  uint8_t head[48];
  uint8_t *body;
};
struct conn {
  int fd, index;
  enum state state;
  uint32_t stream_id;
  int publishing, playing, finished; /* the first two at the sink, the last in a churn */
  uint8_t *handshake;
  int handshake_size;
  uint32_t chunk_size, ack_window;
  uint64_t received, acked;
  uint8_t header[HEADER_SIZE]; /* a header that was cut by the end of a read */
  int header_size;
  struct chunk_stream *streams[MAX_CSID + 1], *current;
  uint8_t *queue;
  size_t queue_end, queue_start, queue_capacity;
  int wants_write;
  uint64_t opened_us, first_media_us, base_us; /* base: when the clip began here */
  int next_message;
  uint32_t base_timestamp;
  uint64_t window_video, last_video_us;
};
extern struct conn *conns;
extern int epoll_fd;

/* Sends; 0, or -1 when the connection is gone. */
int conn_put(struct conn *c, const uint8_t *bytes, size_t size);
int conn_put_message(struct conn *c, uint8_t csid, uint8_t type, uint32_t stream_id, const uint8_t *body,
                     uint32_t size);
int conn_put_clip(struct conn *c, struct message *m, uint32_t timestamp);
int conn_put_clip_head(struct conn *c);
void conn_play_clip(struct conn *c, uint64_t now);
int conn_flush(struct conn *c);
void conn_readable(struct conn *c);
void conn_drop(struct conn *c, const char *why);
void conn_watch(struct conn *c, int is_new);
void no_delay(int fd);

void client_open(struct conn *c, int index);
void client_tcp_up(struct conn *c);
int client_handshake(struct conn *c, const uint8_t **at, const uint8_t *end);
void client_command(struct conn *c, const char *name, double transaction, const uint8_t *body, uint32_t size);
void client_media(struct conn *c, const struct chunk_stream *s);

int sink_listen(void);
void sink_accept(int listener);
int sink_handshake(struct conn *c, const uint8_t **at, const uint8_t *end);
void sink_command(struct conn *c, const char *name, double transaction, uint32_t stream_id);
extern int sink_slots_used;

/* Times in microseconds. The window's are forgotten at "begin", the others never. */
struct samples {
  uint32_t *values;
  size_t count, capacity;
};
void sample(struct samples *s, uint64_t value);
extern struct counts {
  int up, failed, closed_early, with_media, churn_done, churn_ok;
  uint64_t window_received, window_sent, window_messages, window_video, window_audio, window_reads, window_stalls,
      window_max_gap;
  struct samples set_up, first_media, latency;
} counts;

uint64_t now_us(void);
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void *zeroed(size_t size);
uint64_t be(const uint8_t *bytes, int size);
void put_be(uint8_t *bytes, uint64_t value, int size);

#endif
