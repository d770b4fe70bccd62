import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { amfObject } from '../../../src/transports/rtmp/wire/amf0.js';
import { ChunkReader } from '../../../src/transports/rtmp/wire/chunk-reader.js';
import { ChunkTable } from '../../../src/transports/rtmp/wire/chunk-table.js';
import { writeMessage } from '../../../src/transports/rtmp/wire/chunk-writer.js';
import { readCommand, writeCommand, type Command } from '../../../src/transports/rtmp/wire/command.js';
import { ClientHandshake } from '../../../src/transports/rtmp/wire/handshake.js';
import { COMMAND_CHUNK_STREAM, MESSAGE } from '../../../src/transports/rtmp/wire/message.js';
import { enhancedFields, type EnhancedFields } from '../../../src/transports/rtmp/origin-commands.js';

/** Connects to an app of a server on loopback as an Enhanced RTMP client does, and gives what the answer says of that. */
export async function askEnhanced(port: number, app: string): Promise<EnhancedFields> {
  const socket = connect(port, '127.0.0.1');
  const handshake = new ClientHandshake(randomBytes);
  const reader = new ChunkReader(new ChunkTable(), { maxBytes: 65_536 });
  socket.write(handshake.start());
  let isShaken = false;
  const payload = writeCommand(
    'connect',
    1,
    amfObject({
      app,
      tcUrl: `rtmp://127.0.0.1:${port}/${app}`,
      fourCcList: { kind: 'strict-array', items: ['hvc1', 'av01', 'vp09'] },
      capsEx: 2,
    }),
  );
  const message = {
    chunkStreamId: COMMAND_CHUNK_STREAM,
    timestamp: 0,
    type: MESSAGE.commandAmf0,
    streamId: 0,
    payload,
  };
  try {
    for await (const bytes of socket as AsyncIterable<Buffer>) {
      if (isShaken) reader.push(bytes);
      else {
        const step = handshake.push(bytes);
        if (step.reply !== undefined) socket.write(step.reply);
        if (step.rest !== undefined) reader.push(step.rest);
        if (!step.done) continue;
        isShaken = true;
        socket.write(writeMessage(message, 128));
      }
      const answer = answerOf(reader);
      if (answer !== undefined) return enhancedFields(answer);
    }
    throw new Error('the server closed before it answered');
  } finally {
    socket.destroy();
  }
}

function answerOf(reader: ChunkReader): Command | undefined {
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.type !== MESSAGE.commandAmf0) continue;
    const command = readCommand(20, next.payload);
    if (command.transactionId === 1) return command;
  }
  return undefined;
}
