import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The layers, lowest first; those in one row are neighbours that do not know each other. */
const layers = [
  ['util', 'errors.ts', 'context.ts'],
  ['postgres', 'codec', 'storage'],
  ['repository'],
  ['wal', 'backup', 'restore', 'retention', 'verify', 'copy', 'objects'],
  ['metrics', 'config'],
  ['index.ts'],
  ['cli'],
];

const root = new URL('../src/', import.meta.url).pathname;
const files = globSync('**/*.ts', { cwd: root });
const importPattern = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/g;

describe('architecture', () => {
  it('knows the layer of every file', () => {
    expect(files.filter((file) => rankOf(file) === -1)).toEqual([]);
  });

  it('lets imports run only towards lower layers, never between neighbours', () => {
    const wrong = edges().filter(({ from, to }) => {
      if (roomOf(from) === roomOf(to)) return false;
      const isLeaf = (file: string): boolean => rankOf(file) === 0;
      if (isLeaf(from) && isLeaf(to)) return roomOf(from) !== 'util' && roomOf(to) === 'util';
      return rankOf(to) >= rankOf(from);
    });
    expect(wrong).toEqual([]);
  });

  it('has no circle of imports', () => {
    expect(findCircle()).toEqual([]);
  });

  it('keeps the process, the console, pino and commander in the command line', () => {
    const offenders = files.filter(
      (file) =>
        roomOf(file) !== 'cli' && /\bprocess\.(?!pid\b)|\bconsole\.|from '(?:pino|commander)'/.test(codeOf(file)),
    );
    expect(offenders).toEqual([]);
  });

  it('imports each cloud SDK in its own driver only', () => {
    const homes: Record<string, RegExp> = {
      '@aws-sdk/client-kms': /^codec\/aws-kms/,
      '@aws-sdk/client-s3': /^storage\/drivers\/s3/,
      '@aws-sdk/lib-storage': /^storage\/drivers\/s3/,
      '@google-cloud/': /^storage\/drivers\/gcs/,
      '@azure/': /^storage\/drivers\/azure/,
    };
    const offenders = files.flatMap((file) =>
      Object.entries(homes)
        .filter(([sdk, home]) => readFileSync(join(root, file), 'utf8').includes(`'${sdk}`) && !home.test(file))
        .map(([sdk]) => `${file} imports ${sdk}`),
    );
    expect(offenders).toEqual([]);
  });
});

function roomOf(file: string): string {
  return file.split('/')[0] ?? '';
}

function rankOf(file: string): number {
  return layers.findIndex((row) => row.includes(roomOf(file)));
}

function codeOf(file: string): string {
  return readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}

function importsOf(file: string): string[] {
  return [...codeOf(file).matchAll(importPattern)]
    .map((match) => match[1] ?? match[2] ?? '')
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => normalize(join(dirname(file), specifier)));
}

function edges(): { from: string; to: string }[] {
  return files.flatMap((from) => importsOf(from).map((to) => ({ from, to })));
}

function findCircle(): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of importsOf(file)) {
      const circle = visit(next, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  return files.map((file) => visit(file, [])).find((circle) => circle.length > 0) ?? [];
}
