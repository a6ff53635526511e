import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Half, makeHalf } from '../../src/wal/spool.ts';
import {
  forgetFile,
  isNotedPushed,
  listPushed,
  noteFailed,
  notePushed,
  readPushed,
  takeFailure,
} from '../../src/wal/spool-notes.ts';
import { makeSpoolSpace, type SpoolSpace } from '../support/spool-space.ts';

const fileName = '000000010000000000000002';

let space: SpoolSpace;
let half: Half;
let path: string;
let modifiedAt: Date;
beforeEach(async () => {
  space = makeSpoolSpace();
  half = (await makeHalf(space.call('push'))) as Half;
  space.addReady(fileName);
  path = join(space.walDirectory, fileName);
  modifiedAt = statSync(path).mtime;
});
afterEach(() => space[Symbol.dispose]());

describe('the note of a pushed file', () => {
  it('is an empty file that is a second younger than its file', async () => {
    await notePushed(half, fileName, { modifiedAt, warnings: [] });
    expect(readdirSync(join(half.path, 'pushed'))).toEqual([fileName]);
    const note = statSync(join(half.path, 'pushed', fileName));
    expect([note.size, note.mtimeMs - modifiedAt.getTime()]).toEqual([0, 1000]);
    expect(await readPushed(half, fileName, path)).toEqual([]);
    expect(await isNotedPushed(half, fileName)).toBe(true);
  });

  it('holds the warnings', async () => {
    const warnings = [{ fields: { fileName, location: 's3://b/ü' }, message: 'archived already\nwith a line break' }];
    await notePushed(half, fileName, { modifiedAt, warnings });
    expect(await readPushed(half, fileName, path)).toEqual(warnings);
  });

  it('counts for nothing once the file was written to again, or is gone', async () => {
    await notePushed(half, fileName, { modifiedAt, warnings: [] });
    const later = new Date(modifiedAt.getTime() + 1000);
    utimesSync(path, later, later);
    expect(await readPushed(half, fileName, path)).toBeUndefined();
    expect(await readPushed(half, fileName, `${path}0`)).toBeUndefined();
  });

  it('is no note when it is rubbish', async () => {
    expect(await readPushed(half, fileName, path)).toBeUndefined();
    for (const rubbish of ['rubbish\n', 'rubbish', '{}\nrubbish']) {
      writeFileSync(join(half.path, 'pushed', fileName), rubbish);
      expect(await readPushed(half, fileName, path), rubbish).toBeUndefined();
    }
    mkdirSync(join(half.path, 'pushed', '000000010000000000000003'));
    expect(await readPushed(half, '000000010000000000000003', path)).toBeUndefined();
  });

  it('is listed by the name of its file; other names are not', async () => {
    await notePushed(half, fileName, { modifiedAt, warnings: [] });
    for (const name of ['rubbish', '.hidden', '00000001000000000000000g', `${fileName}.ready`]) {
      writeFileSync(join(half.path, 'pushed', name), '');
    }
    expect(await listPushed(half)).toEqual([fileName]);
  });
});

describe('the note of a failure', () => {
  it('is taken once', async () => {
    await noteFailed(half, fileName, 'no room');
    await noteFailed(half, fileName, 'cannot reach the store');
    expect(readFileSync(join(half.path, 'failed', fileName), 'utf8')).toBe('cannot reach the store');
    expect(await takeFailure(half, fileName)).toBe('cannot reach the store');
    expect(await takeFailure(half, fileName)).toBeUndefined();
  });

  it('is forgotten with the file', async () => {
    await noteFailed(half, fileName, 'no room');
    await notePushed(half, fileName, { modifiedAt, warnings: [] });
    await forgetFile(half, fileName);
    await forgetFile(half, fileName);
    expect([await takeFailure(half, fileName), await listPushed(half)]).toEqual([undefined, []]);
  });
});
