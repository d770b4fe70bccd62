/* Writes AMF0 commands into a fixed buffer. */
#ifndef AMF_H
#define AMF_H

#include "rtmpload.h"
#include <string.h>

struct amf {
  uint8_t bytes[2 * MAX_TEXT + 512];
  uint32_t size;
};

static inline void amf_raw(struct amf *a, const void *bytes, size_t size) {
  if (a->size + size > sizeof a->bytes) die("command too long");
  memcpy(a->bytes + a->size, bytes, size);
  a->size += size;
}
static inline void amf_key(struct amf *a, const char *text) {
  uint8_t length[2];
  put_be(length, strlen(text), 2);
  amf_raw(a, length, 2);
  amf_raw(a, text, strlen(text));
}
static inline void amf_string(struct amf *a, const char *text) {
  amf_raw(a, "\x02", 1);
  amf_key(a, text);
}
static inline void amf_number(struct amf *a, double value) {
  uint64_t bits;
  uint8_t bytes[9] = {0};
  memcpy(&bits, &value, 8);
  put_be(bytes + 1, bits, 8);
  amf_raw(a, bytes, 9);
}
static inline void amf_null(struct amf *a) { amf_raw(a, "\x05", 1); }
static inline void amf_undefined(struct amf *a) { amf_raw(a, "\x06", 1); }
static inline void amf_object(struct amf *a) { amf_raw(a, "\x03", 1); }
static inline void amf_object_end(struct amf *a) { amf_raw(a, "\0\0\x09", 3); }
static inline void amf_pair(struct amf *a, const char *key, const char *text) {
  amf_key(a, key);
  amf_string(a, text);
}
static inline void amf_pair_number(struct amf *a, const char *key, double value) {
  amf_key(a, key);
  amf_number(a, value);
}
/* Starts a command: name, transaction, and null as command object unless the caller writes one. */
static inline void amf_command(struct amf *a, const char *name, double transaction) {
  a->size = 0;
  amf_string(a, name);
  amf_number(a, transaction);
}

#endif
