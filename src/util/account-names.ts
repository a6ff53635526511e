import { readFile } from 'node:fs/promises';

/** Names of users and groups by their numbers. */
export interface AccountNames {
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
}

/**
 * The accounts that this machine's own files name. Those of a directory service are not among them, and where there are no such files,
 * nobody has a name: a number says as much.
 *
 * @see passwd(5), group(5)
 */
export async function readAccountNames(usersPath = '/etc/passwd', groupsPath = '/etc/group'): Promise<AccountNames> {
  return { users: await namesIn(usersPath), groups: await namesIn(groupsPath) };
}

async function namesIn(path: string): Promise<Map<number, string>> {
  const names = new Map<number, string>();
  const text = await readFile(path, 'utf8').catch(() => '');
  for (const [, name = '', id = ''] of text.matchAll(/^([^:#\n]+):[^:\n]*:(\d+):/gm)) {
    if (!names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}
