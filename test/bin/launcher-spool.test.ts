import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Half } from '../../src/wal/spool.ts';
import { cold, fetch, hot, push, segment, shells, useLauncher } from '../support/launcher.ts';

describe.each(shells)('the fast path under %s', (shell) => {
  const launcher = useLauncher(shell);
  const { launch, halfFor, note, fetched } = launcher;

  it('ends wal-push with 0 when the file is noted as durable, without Node', async () => {
    await note(await halfFor(push));
    expect(await launch(push)).toEqual({ ...hot, signal: null });
  });

  it('ends wal-push with 0 with nothing on the PATH, since it calls no other program', async () => {
    await note(await halfFor(push, { PATH: '/nowhere' }));
    expect(await launch(push, { PATH: '/nowhere' })).toEqual({ ...hot, signal: null });
  });

  it('renames a fetched segment to its destination, without Node, once', async () => {
    const path = fetched(await halfFor(fetch));
    writeFileSync(launcher.space.path('pg_wal', 'RECOVERYXLOG'), 'old');
    expect(await launch(fetch)).toMatchObject(hot);
    expect(readFileSync(launcher.space.path('pg_wal', 'RECOVERYXLOG'), 'utf8')).toBe('the bytes of a segment');
    expect(existsSync(path)).toBe(false);
    expect(await launch(fetch)).toMatchObject(cold);
  });

  it('asks Node where there is no note, no spool, no server', async () => {
    const half = await halfFor(push);
    launcher.space.addReady(segment);
    expect(await launch(push)).toMatchObject(cold);
    rmSync(half.path, { recursive: true, maxRetries: 20 });
    expect(await launch(push)).toMatchObject(cold);
    rmSync(launcher.space.path('pg_wal', 'pgsql_tmp_seawall'), { recursive: true, maxRetries: 20 });
    expect(await launch(push)).toMatchObject(cold);
    rmSync(launcher.space.path('postmaster.pid'));
    expect(await launch(push)).toMatchObject(cold);
    expect(await launch(fetch)).toMatchObject(cold);
  });

  it('believes no note of another run of the server', async () => {
    await note(await halfFor(push));
    launcher.space.startServer(1_795_248_001);
    expect(await launch(push)).toMatchObject(cold);
    launcher.space.startServer(1_795_248_000, 1);
    expect(await launch(push)).toMatchObject(cold);
    launcher.space.startServer(1_795_248_000);
    expect(await launch(push)).toMatchObject(hot);
  });

  it('believes no note once the file of the segment is written to again', async () => {
    await note(await halfFor(push));
    utimesSync(join(launcher.space.walDirectory, segment), new Date(), new Date());
    expect(await launch(push)).toMatchObject(cold);
    rmSync(join(launcher.space.walDirectory, segment));
    // bash takes a missing file for an old one; what the note says is true anyway.
    expect((await launch(push)).exitCode).toBe(0);
  });

  it('leaves a note with a warning to Node, which prints it', async () => {
    await note(await halfFor(push), [{ fields: {}, message: 'archived already' }]);
    expect(await launch(push)).toMatchObject(cold);
  });

  it.each([
    ['a symbolic link in place of the spool', () => replaceByLink(launcher.space.path('pg_wal', 'pgsql_tmp_seawall'))],
    ['a symbolic link in place of the run', (half: Half) => replaceByLink(dirname(half.path))],
    ['a symbolic link in place of the half', (half: Half) => replaceByLink(half.path)],
    ['a pointer to elsewhere', (half: Half) => point(half, `../../../elsewhere`)],
    ['a pointer to nothing', (half: Half) => point(half, '')],
    ['a pointer that is rubbish', (half: Half) => writeFileSync(join(dirname(half.path), half.direction), '\0\0')],
    [
      'a directory in place of the pointer',
      (half: Half) => {
        rmSync(join(dirname(half.path), half.direction));
        mkdirSync(join(dirname(half.path), half.direction));
      },
    ],
  ])('goes on to Node with %s', async (_what, spoil) => {
    const half = await halfFor(push);
    await note(half);
    const fetchHalf = await halfFor(fetch);
    fetched(fetchHalf);
    cpSync(half.path, launcher.space.path('elsewhere'), { recursive: true, preserveTimestamps: true });
    spoil(half);
    expect(await launch(push)).toMatchObject(cold);
    if (!isSpoiled(fetchHalf)) spoil(fetchHalf);
    expect(await launch(fetch)).toMatchObject(cold);
  });

  it.runIf(process.getuid?.() === 0)(
    'goes on to Node when the half, or a directory above it, is of another user',
    async () => {
      const half = await halfFor(push);
      await note(half);
      for (const path of [half.path, dirname(half.path), dirname(dirname(half.path))]) {
        expect(await launch(push)).toMatchObject(hot);
        chownSync(path, 65534, 65534);
        expect(await launch(push), path).toMatchObject(cold);
        chownSync(path, 0, 0);
      }
    },
  );

  it('takes no link and no directory for a fetched segment, and overwrites no directory', async () => {
    const half = await halfFor(fetch);
    const path = fetched(half);
    mkdirSync(launcher.space.path('pg_wal', 'RECOVERYXLOG'));
    expect(await launch(fetch)).toMatchObject(cold);
    rmSync(launcher.space.path('pg_wal', 'RECOVERYXLOG'), { recursive: true, maxRetries: 20 });
    renameSync(path, `${path}.away`);
    symlinkSync(`${path}.away`, path);
    expect(await launch(fetch)).toMatchObject(cold);
    rmSync(path);
    mkdirSync(path);
    expect(await launch(fetch)).toMatchObject(cold);
    expect(existsSync(launcher.space.path('pg_wal', 'RECOVERYXLOG'))).toBe(false);
  });

  it.runIf(process.getuid?.() !== 0)('goes on to Node when the rename fails', async () => {
    fetched(await halfFor(fetch));
    chmodSync(launcher.space.walDirectory, 0o500);
    expect(await launch(fetch)).toMatchObject(cold);
    chmodSync(launcher.space.walDirectory, 0o700);
  });
});

/** What both halves have above them. */
function isSpoiled(half: Half): boolean {
  return [dirname(half.path), dirname(dirname(half.path))].some((path) => lstatSync(path).isSymbolicLink());
}

function replaceByLink(path: string): void {
  renameSync(path, `${path}.away`);
  symlinkSync(`${path}.away`, path);
}

function point(half: Half, name: string): void {
  const path = join(dirname(half.path), half.direction);
  const [, settings = ''] = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, `${name}\n${settings}\n`);
}
