/** Message types of RTMP. @see RTMP 1.0 §5.4, §7.1 */
export const MESSAGE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  sharedObjectAmf3: 16,
  commandAmf3: 17,
  dataAmf0: 18,
  sharedObjectAmf0: 19,
  commandAmf0: 20,
  aggregate: 22,
} as const;

/** The chunk stream that control messages belong on. @see RTMP 1.0 §5.4 */
export const CONTROL_CHUNK_STREAM = 2;
/** The chunk stream on which the gateway puts commands of its own. */
export const COMMAND_CHUNK_STREAM = 3;

/** One whole RTMP message, without any chunking. */
export interface Message {
  /** 2–65599; where it was read or is to be written. */
  readonly chunkStreamId: number;
  /** Milliseconds, unsigned 32 bit. */
  readonly timestamp: number;
  /** 0–255, see MESSAGE. */
  readonly type: number;
  /** Message stream id, unsigned 32 bit; 0 is the connection itself. */
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Whether a message speaks to the hop, not to the stream: types 1 to 6. */
export function isControl(type: number): boolean {
  return type >= MESSAGE.setChunkSize && type <= MESSAGE.setPeerBandwidth;
}

/** Whether a message is a command in either AMF dialect. */
export function isCommand(type: number): boolean {
  return type === MESSAGE.commandAmf0 || type === MESSAGE.commandAmf3;
}
