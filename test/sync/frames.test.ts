/** Decodes messages of a firehose, recorded and hostile. */
import { describe, expect, test } from 'vitest';
import { encodeCbor } from '../../src/index.ts';
import { decodeFrame, MAX_FRAME, mentions } from '../../src/sync/follow/frames.ts';
import { recordedFrames, recordedMessages, session } from '../core/repo/proof/recorded-session.ts';

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const header = (t: string): Uint8Array => encodeCbor({ op: 1, t });

describe('decodeFrame', () => {
  test('reads every message of a recorded session', () => {
    const messages = recordedMessages();
    const decoded = recordedFrames().map(decodeFrame);
    expect(decoded.length).toBeGreaterThan(180);
    expect(decoded.map(({ type }) => type)).toEqual(messages.map(({ type }) => type));
    expect(decoded.map((message) => 'seq' in message && message.seq)).toEqual(messages.map(({ seq }) => seq));
    expect(decoded.filter((message) => 'did' in message && message.did === session.did).length).toBeGreaterThan(100);
  });

  test('reads errors and infos, and leaves out what it does not know', () => {
    const error = join(encodeCbor({ op: -1 }), encodeCbor({ error: 'FutureCursor', message: 'no' }));
    expect(decodeFrame(error)).toEqual({ type: 'notice', isError: true, name: 'FutureCursor', text: 'no' });
    const info = join(header('#info'), encodeCbor({ name: 'OutdatedCursor' }));
    expect(decodeFrame(info)).toEqual({ type: 'notice', isError: false, name: 'OutdatedCursor', text: '' });
    expect(decodeFrame(join(header('#new'), encodeCbor({ seq: 1 })))).toEqual({ type: 'unknown' });
    expect(decodeFrame(join(encodeCbor({ op: 7, t: '#commit' }), encodeCbor({})))).toEqual({ type: 'unknown' });
    const account = join(
      header('#account'),
      encodeCbor({ seq: 4, did: 'did:plc:a', active: false, status: 'deleted' }),
    );
    expect(decodeFrame(account)).toEqual({
      type: 'account',
      seq: 4,
      did: 'did:plc:a',
      active: false,
      status: 'deleted',
    });
  });

  test.each<[string, Uint8Array]>([
    ['no bytes', new Uint8Array()],
    ['no header', new Uint8Array(300)],
    ['a header that is a text', join(encodeCbor('op'), encodeCbor({}))],
    ['a header without an end', header('#commit').subarray(0, 5)],
    ['a header of a megabyte', join(encodeCbor({ op: 1, t: 'x'.repeat(1_000_000) }), encodeCbor({}))],
    ['no body', header('#commit')],
    ['a body that is a list', join(header('#commit'), encodeCbor([1]))],
    ['two bodies', join(header('#commit'), encodeCbor({ seq: 1 }), encodeCbor({ seq: 2 }))],
    ['a seq that is a text', join(header('#identity'), encodeCbor({ seq: '1', did: 'did:plc:a' }))],
    ['no seq', join(header('#commit'), encodeCbor({ repo: 'did:plc:a' }))],
    ['too many bytes', new Uint8Array(MAX_FRAME + 1)],
  ])('rejects %s', (_, frame) => {
    expect(() => decodeFrame(frame)).toThrow(expect.objectContaining({ code: 'HostFailed' }));
  });

  test('survives every cut of a message', () => {
    const frame = recordedFrames()[5]!;
    for (let length = 0; length < frame.length; length += 7) {
      expect(() => decodeFrame(frame.subarray(0, length))).toThrow(expect.objectContaining({ code: 'HostFailed' }));
    }
  });
});

test('mentions finds a DID anywhere, and no part of one', () => {
  const did = new TextEncoder().encode('did:plc:abc');
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  expect(mentions(text('xxdid:plc:abcx'), did)).toBe(true);
  expect(mentions(text('did:plc:abc'), did)).toBe(true);
  expect(mentions(text('ddid:plc:abc'), did)).toBe(true);
  expect(mentions(text('did:plc:ab did:plc:ac'), did)).toBe(false);
  expect(mentions(text('did'), did)).toBe(false);
});
