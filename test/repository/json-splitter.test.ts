import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { createJsonSplitter, type MemberUse } from '../../src/repository/json-splitter.ts';

type Taken = [key: string, text: string, inner: string | undefined];

function split(
  bytes: Uint8Array,
  pieceBytes: number,
  useOf: (key: string) => MemberUse,
  textLimitBytes = 1e6,
): Taken[] {
  const taken: Taken[] = [];
  const onMember = (...member: Taken) => void taken.push(member);
  const splitter = createJsonSplitter({ name: 'object', useOf, onMember, textLimitBytes });
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    splitter.write(bytes.subarray(offset, offset + pieceBytes));
  }
  splitter.end();
  return taken;
}

const whole = (): MemberUse => 'whole';
const splitText = (text: string, useOf = whole) => split(Buffer.from(text), 3, useOf);

describe('a JSON object in chunks', () => {
  it('is cut into the very members that a parser finds, wherever the chunks end', () => {
    const members = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue(), { maxKeys: 6 });
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 40 }), fc.constantFrom(0, 1, 3), (object, pieceBytes, indent) => {
        const taken = split(Buffer.from(JSON.stringify(object, undefined, indent)), pieceBytes, whole);
        const parsed = taken.map(([key, text]): [string, unknown] => [key, JSON.parse(text)]);
        expect(parsed).toEqual(Object.entries(JSON.parse(JSON.stringify(object))));
      }),
    );
  });

  it('is cut into the members of a member', () => {
    const text = '{"a": {"x": [1, {"y": "}"}], "z": {}}, "b": {}, "c": null, "d": {"deep": [[[{}]]]}, "e": 1}';
    const uses: Record<string, MemberUse> = { d: 'not at all', e: 'whole' };
    expect(splitText(text, (key = '') => uses[key] ?? 'by member')).toEqual([
      ['a', '[1, {"y": "}"}]', 'x'],
      ['a', '{}', 'z'],
      ['e', '1', undefined],
    ]);
  });

  it.each([
    ['', 'it is cut off'],
    ['{"a":1', 'it is cut off'],
    ['{"a":{"b":1}', 'it is cut off'],
    ['[1]', '"[" where an object should be'],
    ['null', '"n" where an object should be'],
    ['{"a" 1}', '"1" where a colon should be'],
    ['{"a":1 "b":2}', `"\\"" where a comma or the end should be`],
    ['{"a":1,}', '"}" where a name should be'],
    ['{a:1}', '"a" where a name or the end should be'],
    ['{"a":}', 'a has no value'],
    ['{"a":1}}', '"}" where nothing should be'],
    ['{"a":1}{', '"{" where nothing should be'],
    ['{"\\x":1}', 'object is not JSON'],
  ])('%s is refused', (text, message) => {
    expect(() => splitText(text)).toThrow(IntegrityError);
    expect(() => splitText(text)).toThrow(message);
  });

  it('is refused when a member that should be an object is none', () => {
    expect(() => splitText('{"Files":[]}', () => 'by member')).toThrow('Files is not an object');
  });

  it('is refused when it is not UTF-8', () => {
    expect(() => split(Buffer.from('{"a":"\xff"}', 'latin1'), 100, whole)).toThrow('it is not UTF-8');
  });

  it('is refused when a text is too long, but may be passed over at any length', () => {
    const bytes = Buffer.from(`{"a":"${'x'.repeat(2000)}"}`);
    expect(() => split(bytes, 100, whole, 1000)).toThrow('a has more than 1000 bytes');
    expect(split(bytes, 100, () => 'not at all', 1000)).toEqual([]);
  });

  it('may be nested however deeply where it is passed over', () => {
    const depth = 1_000_000;
    expect(splitText(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`, () => 'not at all')).toEqual([]);
  });
});
