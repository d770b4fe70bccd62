import { callFailed, commandResult, onFcPublish } from './replies.js';
import type { Command } from './wire/command.js';
import type { Message } from './wire/message.js';

/**
 * Answers a command that asks for nothing that has to be decided, as encoders and players expect (facts: some stall without
 * an answer). `lastStreamId` is the id the newest createStream gets; an id costs nothing, so a client may have as many as it likes. An unknown command is refused and goes nowhere.
 */
export function answerCommand(command: Command, lastStreamId: number): readonly Message[] {
  const { name, transactionId } = command;
  switch (name) {
    case 'createStream':
    case 'initStream':
      return [commandResult(transactionId, null, lastStreamId)];
    case 'FCPublish':
      return [...answered(transactionId), onFcPublish(transactionId)];
    case 'releaseStream':
    case 'FCUnpublish':
    case 'FCSubscribe':
    case 'FCUnsubscribe':
    case 'getStreamLength':
    case '_checkbw':
      return answered(transactionId);
    case 'deleteStream':
    case 'closeStream':
    case 'receiveAudio':
    case 'receiveVideo':
    case 'pause':
    case 'pauseRaw':
    case 'seek':
    case '_result':
    case '_error':
      return [];
    default:
      return transactionId === 0 ? [] : [callFailed(transactionId)];
  }
}

/** GStreamer uses transaction id 0 for what it wants no answer to. */
function answered(transactionId: number): readonly Message[] {
  return transactionId === 0 ? [] : [commandResult(transactionId, null)];
}
