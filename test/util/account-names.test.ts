import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readAccountNames } from '../../src/util/account-names.ts';

describe('the names of accounts', () => {
  it('are read from the files of the machine, the first name of a number', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seawall-accounts-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [users, groups] = [join(folder, 'passwd'), join(folder, 'group')];
    writeFileSync(
      users,
      '# a remark: no:1:user\nroot:x:0:0::/root:/bin/sh\ntoor:*:0:0::/:\n+::::::\npostgres:x:101:104::/:\n',
    );
    writeFileSync(groups, 'root:x:0:\npostgres:x:104:other,more');
    const names = await readAccountNames(users, groups);
    expect([...names.users]).toEqual([
      [0, 'root'],
      [101, 'postgres'],
    ]);
    expect([...names.groups]).toEqual([
      [0, 'root'],
      [104, 'postgres'],
    ]);
  });

  it('are none where there are no such files', async () => {
    const names = await readAccountNames('/does/not/exist', '/does/not/exist');
    expect([names.users.size, names.groups.size]).toEqual([0, 0]);
  });

  it('hold that of the user at work', async () => {
    const { uid, username } = userInfo();
    expect((await readAccountNames()).users.get(uid)).toBe(username);
  });
});
