import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { parseRequest, takeFrame } from '../../../src/wal/daemon/frames.ts';
import { checkFrame, fetchFrame, frame, pushFrame } from '../../support/daemon-client.ts';

function requestOf(bytes: Buffer) {
  const taken = takeFrame(bytes);
  if (taken === undefined) throw new Error('the frame is not complete');
  expect(taken.rest).toHaveLength(0);
  return parseRequest(taken.frame);
}

const segment = '000000010000000000000002';

describe("a request to WAL-G's daemon", () => {
  it('is read from the bytes that its clients send', () => {
    expect(checkFrame().toString('hex')).toBe('430008434845434b');
    expect(requestOf(checkFrame())).toEqual({ kind: 'check', hasBody: true });
    expect(requestOf(Buffer.from('430003', 'hex'))).toEqual({ kind: 'check', hasBody: false });

    expect(pushFrame(segment).subarray(0, 4).toString('hex')).toBe('46001b30');
    expect(requestOf(pushFrame(segment))).toEqual({ kind: 'push', path: segment });

    const fetch = fetchFrame(segment, 'pg_wal/RECOVERYXLOG');
    expect(fetch.subarray(0, 6).toString('hex')).toBe('660033020018');
    expect(requestOf(fetch)).toEqual({ kind: 'fetch', fileName: segment, destination: 'pg_wal/RECOVERYXLOG' });
  });

  it('with a name shorter than 24 bytes, which walg_archive fills up, is read up to the zero', () => {
    const body = Buffer.concat([Buffer.from('00000002.history\0'), Buffer.from([0xff, 0x80, 0x41, 0x42, 0, 0, 0])]);
    expect(requestOf(frame('F', body))).toEqual({ kind: 'push', path: '00000002.history' });
  });

  it('is told from what follows it, and from what has not come yet', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (body, rest) => {
        const whole = frame('C', Buffer.from(body));
        const taken = takeFrame(Buffer.concat([whole, rest]));
        expect([...(taken?.frame.body ?? [])]).toEqual([...body]);
        expect([...(taken?.rest ?? [])]).toEqual([...rest]);
        for (const length of [0, 1, 2, whole.length - 1]) expect(takeFrame(whole.subarray(0, length))).toBeUndefined();
      }),
    );
  });

  it.each([
    ['a frame shorter than its header', Buffer.from('430002', 'hex')],
    ['an empty frame', Buffer.from('460000', 'hex')],
    ['an unknown type', frame('O', Buffer.alloc(0))],
    ['a type that is no letter', frame('\xff', Buffer.from('x'))],
    ['no arguments', frame('f', Buffer.alloc(0))],
    ['one argument', frame('f', Buffer.from([1, 0, 1, 0x41]))],
    ['three arguments', frame('f', Buffer.from([3, 0, 1, 0x41, 0, 1, 0x41, 0, 1, 0x41]))],
    ['an argument that is cut off', frame('f', Buffer.from([2, 0, 1, 0x41, 0, 9, 0x41]))],
    ['a length that is cut off', frame('f', Buffer.from([2, 0, 1, 0x41, 0]))],
    ['bytes behind the last argument', frame('f', Buffer.from([2, 0, 1, 0x41, 0, 1, 0x41, 0]))],
    ['a name that is not UTF-8', frame('F', Buffer.from([0xff, 0xfe]))],
  ])('with %s is refused', (_, bytes) => {
    expect(() => requestOf(bytes)).toThrow(UsageError);
  });

  it('of any bytes is read, refused or not complete yet, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom('C', 'F', 'f', 'x'), (body, type) => {
        try {
          requestOf(frame(type, Buffer.from(body)));
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});
