#include "rtmpload.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint8_t SEI_UUID[16] = {'r', 't', 'm', 'p', 'l', 'o', 'a', 'd', '-', 's', 't', 'a', 'm', 'p', '0', '1'};
enum { SET_DATA_FRAME_SIZE = 16 };
struct clip clip = {.first_media = -1};

static uint8_t *chunked_by(uint32_t chunk_size, uint8_t csid, uint8_t type, uint32_t stream_id, const uint8_t *body,
                           uint32_t size, uint32_t *out_size) {
  uint8_t *bytes = zeroed(12 + size + size / chunk_size + 1), *at = bytes + 12;
  bytes[0] = csid;
  put_be(bytes + 4, size, 3);
  bytes[7] = type;
  for (int i = 0; i < 4; i++) bytes[8 + i] = stream_id >> (8 * i);
  for (uint32_t done = 0; done < size;) {
    uint32_t part = size - done < chunk_size ? size - done : chunk_size;
    if (done) *at++ = 0xc0 | csid;
    memcpy(at, body + done, part);
    at += part;
    done += part;
  }
  *out_size = at - bytes;
  return bytes;
}

/* A message as chunks, timestamp 0. SetChunkSize itself fits into one of any size. The caller frees it. */
uint8_t *chunked(uint8_t csid, uint8_t type, uint32_t stream_id, const uint8_t *body, uint32_t size,
                 uint32_t *out_size) {
  return chunked_by(CHUNK_SIZE, csid, type, stream_id, body, size, out_size);
}

/* Writes timestamp, stream id and, into a video frame, the time of now. */
void clip_stamp(struct message *m, uint32_t timestamp, uint32_t stream_id) {
  put_be(m->bytes + 1, timestamp, 3);
  for (int i = 0; i < 4; i++) m->bytes[8 + i] = stream_id >> (8 * i);
  if (!m->stamped) return;
  uint64_t now = now_us();
  for (int i = 0; i < STAMP_SIZE; i++) m->bytes[12 + STAMP_AT + i] = "0123456789abcdef"[now >> (60 - 4 * i) & 15];
}

static uint8_t *with_sei(const uint8_t *body, uint32_t size) {
  uint8_t *out = zeroed(size + 4 + SEI_SIZE);
  memcpy(out, body, 5);
  put_be(out + 5, SEI_SIZE, 4);
  memcpy(out + SEI_AT, "\x06\x05\x20", 3);
  memcpy(out + UUID_AT, SEI_UUID, sizeof SEI_UUID);
  memset(out + STAMP_AT, '0', STAMP_SIZE);
  out[STAMP_END] = 0x80;
  memcpy(out + SEI_AT + SEI_SIZE, body + 5, size - 5);
  return out;
}

static uint8_t *with_set_data_frame(const uint8_t *body, uint32_t size) {
  uint8_t *out = zeroed(SET_DATA_FRAME_SIZE + size);
  memcpy(out, "\x02\x00\x0d@setDataFrame", SET_DATA_FRAME_SIZE);
  memcpy(out + SET_DATA_FRAME_SIZE, body, size);
  return out;
}

static void add(uint8_t type, uint32_t timestamp, int is_head, int stamped, const uint8_t *body, uint32_t size) {
  if (clip.count % 1024 == 0) {
    clip.messages = realloc(clip.messages, (clip.count + 1024) * sizeof *clip.messages);
    if (!clip.messages) die("out of memory");
  }
  uint8_t csid = type == AUDIO ? CS_AUDIO : type == VIDEO ? CS_VIDEO : CS_DATA;
  struct message *m = &clip.messages[clip.count];
  *m = (struct message){.type = type, .timestamp = timestamp, .stamped = stamped};
  m->bytes = chunked(csid, type, 1, body, size, &m->size);
  if (!is_head && clip.first_media < 0) clip.first_media = clip.count;
  if (timestamp + 33 > clip.duration_ms) clip.duration_ms = timestamp + 33;
  clip.count++;
}

static void add_tag(uint8_t type, uint32_t timestamp, const uint8_t *body, uint32_t size, int for_players) {
  int is_avc = type == VIDEO && size > 5 && (body[0] & 15) == 7;
  if (is_avc && body[1] == 2) return; /* end of sequence: the clip goes round */
  if (is_avc && body[1] == 1) {
    uint8_t *stamped = with_sei(body, size);
    add(type, timestamp, 0, 1, stamped, size + 4 + SEI_SIZE);
    free(stamped);
  } else if (type == DATA && !for_players) {
    uint8_t *wrapped = with_set_data_frame(body, size);
    add(type, timestamp, 1, 0, wrapped, SET_DATA_FRAME_SIZE + size);
    free(wrapped);
  } else {
    int is_config = size > 1 && body[1] == 0 && (type == VIDEO || body[0] >> 4 == 10);
    add(type, timestamp, type == DATA || is_config, 0, body, size);
  }
}

/* Reads an FLV file. Players get its metadata bare, an origin gets it behind @setDataFrame. */
void clip_load(const char *file, int for_players) {
  FILE *in = fopen(file, "rb");
  if (!in) die("cannot open %s", file);
  fseek(in, 0, SEEK_END);
  size_t size = ftell(in), at = 13;
  rewind(in);
  uint8_t *data = zeroed(size + 1);
  if (size < 13 || fread(data, 1, size, in) != size || memcmp(data, "FLV", 3)) die("%s is no FLV file", file);
  fclose(in);
  while (at + 11 <= size) {
    const uint8_t *tag = data + at;
    uint32_t body = be(tag + 1, 3), timestamp = be(tag + 4, 3) | (uint32_t)tag[7] << 24;
    if (at + 11 + body > size) break;
    if (tag[0] == AUDIO || tag[0] == VIDEO || tag[0] == DATA) add_tag(tag[0], timestamp, tag + 11, body, for_players);
    at += 11 + body + 4;
  }
  free(data);
  if (clip.first_media < 0) die("no media in %s", file);
}
