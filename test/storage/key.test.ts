import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { checkKey, checkPrefix, compareKeys } from '../../src/storage/key.ts';

describe('a key', () => {
  it('may hold any printable character', () => {
    for (const key of [
      'a',
      'a/b',
      'wal_005/000000010000000000000001.zst',
      'a b',
      'é/日本/\u{1f40b}',
      '...',
      'a..',
      '.a',
      '-',
    ]) {
      expect(() => checkKey(key), key).not.toThrow();
    }
  });

  it('has 1 to 1024 bytes, not characters', () => {
    expect(() => checkKey('é'.repeat(512))).not.toThrow();
    expect(() => checkKey('é'.repeat(513))).toThrow('longer than 1024 bytes');
    expect(() => checkKey('')).toThrow(UsageError);
  });

  it('is refused with the rule that it breaks', () => {
    expect(() => checkKey('/a')).toThrow('begins with a slash');
    expect(() => checkKey('a/')).toThrow('empty part');
    expect(() => checkKey('a//b')).toThrow('empty part');
    expect(() => checkKey('..')).toThrow('has a part ".."');
    expect(() => checkKey('a/./b')).toThrow('has a part "."');
    expect(() => checkKey('a\u0000')).toThrow('control character');
    expect(() => checkKey('a\ud800')).toThrow('not valid Unicode');
  });

  it('that is accepted never leaves the folder it is joined to', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '\\', ' ') }), (key) => {
        const accepted = isAccepted(() => checkKey(key));
        fc.pre(accepted);
        expect(join('/base', key).startsWith('/base/')).toBe(true);
        expect(key.split('/').every((part) => part !== '' && part !== '.' && part !== '..')).toBe(true);
      }),
    );
  });
});

describe('a prefix', () => {
  it('may be empty, end in the middle of a part, or end at a slash', () => {
    for (const prefix of ['', 'a', 'a/', 'a/b', 'a/..', 'a/.']) expect(() => checkPrefix(prefix), prefix).not.toThrow();
  });

  it('is refused when no key can begin with it', () => {
    for (const prefix of ['/', 'a//', '../', 'a/../b', './a'])
      expect(() => checkPrefix(prefix), prefix).toThrow(UsageError);
  });

  it('is accepted whenever it begins a key', () => {
    const keys = fc
      .string({ unit: fc.constantFrom('.', '/', 'a', 'é') })
      .filter((key) => isAccepted(() => checkKey(key)));
    fc.assert(
      fc.property(keys, fc.nat(), (key, length) => {
        expect(() => checkPrefix(key.slice(0, length % (key.length + 1)))).not.toThrow();
      }),
    );
  });
});

describe('the order of keys', () => {
  it('is that of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (left, right) => {
        expect(Math.sign(compareKeys(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)));
      }),
    );
  });

  it('puts characters above U+FFFF last, unlike the order of JavaScript', () => {
    expect(['\u{1f40b}', '\uffee'].sort()).toEqual(['\u{1f40b}', '\uffee']);
    expect(['\u{1f40b}', '\uffee'].sort(compareKeys)).toEqual(['\uffee', '\u{1f40b}']);
  });
});

function isAccepted(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
