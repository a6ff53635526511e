import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Compression } from './compression.ts';

/** Where one contestant works in one repetition. */
export interface Place {
  /** Its own folder: repository, spool, configuration. */
  readonly folder: string;
  readonly dataDirectory: string;
  readonly compression: Compression;
  /** Where Seawall's repository is, when not in the folder. */
  readonly repositoryUrl?: string | undefined;
}

/** The commands of one contestant at one place. */
export interface Commands {
  readonly archiveCommand: string;
  readonly restoreCommand: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** A process that must run meanwhile, of the server's user. */
  readonly daemon?: readonly string[];
}

/** Somebody who archives and restores. */
export interface Contestant {
  readonly name: string;
  /** The programs that must be on the PATH; ours is always there. */
  readonly programs: readonly string[];
  /** Whether it is a peer, or a yardstick that is not safe (`cp` syncs nothing). */
  readonly kind: 'ours' | 'peer' | 'yardstick';
  /** The codecs that it knows; both unless told. */
  readonly codec?: Compression['codec'];
  /** Makes the folders and files that it needs. */
  prepare(place: Place): Promise<Commands> | Commands;
}

/** Makes a folder of a contestant. */
export function makeFolder(parent: string, name: string): string {
  const path = join(parent, name);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
