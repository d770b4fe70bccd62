import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import { amfObject, type AmfValue } from '../../../../src/transports/rtmp/wire/amf-value.js';
import { writeAmf0 } from '../../../../src/transports/rtmp/wire/amf0.js';
import { readCommand, writeCommand } from '../../../../src/transports/rtmp/wire/command.js';

describe('readCommand', () => {
  const connect = writeCommand('connect', 1, amfObject({ app: 'live' }), 'jwt', 'jwt', 'a.b.c');

  it('reads name, transaction, object and arguments', () => {
    expect(readCommand(20, connect)).toEqual({
      name: 'connect',
      transactionId: 1,
      object: amfObject({ app: 'live' }),
      args: ['jwt', 'jwt', 'a.b.c'],
    });
  });

  it('reads the same command out of a type-17 message', () => {
    expect(readCommand(17, Buffer.concat([Buffer.from([0]), connect]))).toEqual(readCommand(20, connect));
  });

  it('reads a type-17 command whose arguments are AMF3', () => {
    const payload = Buffer.concat([
      Buffer.from([0]),
      writeAmf0('publish', 5, null),
      Buffer.from('1106076361' + '6d', 'hex'),
    ]);
    expect(readCommand(17, payload)).toEqual({ name: 'publish', transactionId: 5, object: null, args: ['cam'] });
  });

  it('takes a missing command object for null', () => {
    expect(readCommand(20, writeAmf0('createStream', 2))).toEqual({
      name: 'createStream',
      transactionId: 2,
      object: null,
      args: [],
    });
  });

  it.each<[string, AmfValue[], string]>([
    ['no name', [], 'command-name'],
    ['an empty name', ['', 1], 'command-name'],
    ['a number for a name', [7, 1], 'command-name'],
    ['an object for a name', [amfObject({}), 1], 'command-name'],
    ['no transaction', ['publish'], 'command-transaction'],
    ['a string for a transaction', ['publish', '1'], 'command-transaction'],
    ['null for a transaction', ['publish', null], 'command-transaction'],
    ['NaN for a transaction', ['publish', NaN], 'command-transaction'],
    ['infinity for a transaction', ['publish', Infinity], 'command-transaction'],
  ])('refuses %s', (_, values, code) => {
    expect(() => readCommand(20, writeAmf0(...values))).toThrow(new RegExp(`^${code}`));
  });

  it('leaves odd types of arguments to whoever reads them (node-media-server issue 67)', () => {
    const payload = writeCommand('publish', 5, null, amfObject({ toString: 1 }), null);
    expect(readCommand(20, payload).args).toEqual([amfObject({ toString: 1 }), null]);
  });

  it('reads back whatever was written', () => {
    const id = fc.integer({ min: 0, max: 2 ** 31 });
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), id, fc.array(fc.string()), (name, transactionId, args) => {
        expect(readCommand(20, writeCommand(name, transactionId, null, ...args))).toEqual({
          name,
          transactionId,
          object: null,
          args,
        });
      }),
      { numRuns: 200 },
    );
  });

  it('answers any bytes with a command or a WireError', () => {
    const types = fc.constantFrom(17 as const, 20 as const);
    fc.assert(
      fc.property(types, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (type, at, byte, size) => {
        const bytes = Buffer.concat([Buffer.from([0]), connect]).subarray(type === 17 ? 0 : 1);
        bytes[at % bytes.length] = byte;
        try {
          readCommand(type, bytes.subarray(0, size % (bytes.length + 1)));
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
