import { describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { IntegrityError } from '../../src/errors.ts';
import { toLsn } from '../../src/postgres/lsn.ts';
import type { BackupRecord } from '../../src/repository/backup-catalogue.ts';
import { chainOf, chainProblem, readChainLookup } from '../../src/repository/backup-chain.ts';
import { sentinelKey } from '../../src/repository/layout.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { formatSentinel } from '../../src/repository/sentinel.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { type BackupFacts, backupRecord } from '../support/backup-record.ts';

const full = 'base_000000010000000000000002';
const first = 'base_000000010000000000000004_D_000000010000000000000002';
const second = 'base_000000010000000000000006_D_000000010000000000000004';
/** As WAL-RUS names a delta upon a delta. */
const third = 'base_000000010000000000000008_D_000000010000000000000006_D_000000010000000000000004';

/** A chain of four, each with what a test wants to be different. */
function chain(different: Readonly<Record<string, Partial<BackupFacts>>> = {}): Map<string, BackupRecord> {
  const upon = (name: string, count: number, segment: bigint) => {
    return { parent: { name, fullName: full, count, startLsn: toLsn(segment * 0x100_0000n + 0x28n) } };
  };
  const facts: BackupFacts[] = [
    { name: full, finishLsn: '0/2000100' },
    { name: first, finishLsn: '0/4000100', ...upon(full, 1, 2n) },
    { name: second, finishLsn: '0/6000100', ...upon(first, 2, 4n) },
    { name: third, finishLsn: '0/8000100', ...upon(second, 3, 6n) },
  ];
  return new Map(facts.map((fact) => [fact.name, backupRecord({ ...fact, ...different[fact.name] })]));
}

function namesOf(backups: ReadonlyMap<string, BackupRecord>, name: string): string[] {
  const backup = backups.get(name);
  if (backup === undefined) throw new Error(`no ${name}`);
  return chainOf(backup, { backups }).map((link) => link.name);
}

describe('a chain of backups', () => {
  it('leads from a delta down to the full backup', () => {
    expect(namesOf(chain(), third)).toEqual([third, second, first, full]);
    expect(namesOf(chain(), full)).toEqual([full]);
  });

  it('without one of its backups is refused, and names it and the way out', () => {
    const backups = chain();
    backups.delete(first);
    const refused = () => namesOf(backups, third);
    expect(refused).toThrow(IntegrityError);
    expect(refused).toThrow(`${second} is a delta upon ${first}, which is not in the repository`);
    expect(refused).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(`${first} back from another copy`) }),
    );
    expect(namesOf(backups, full)).toEqual([full]);
  });

  it('with a damaged one tells of the damage', () => {
    const backups = chain();
    const backup = backups.get(second);
    backups.delete(first);
    const cause = new IntegrityError('the sentinel is damaged');
    const problem = backup && chainProblem(backup, { backups, damaged: new Map([[first, cause]]) });
    expect(problem?.message).toContain(`${first}, which cannot be read`);
    expect(problem?.cause).toBe(cause);
  });

  const parent = { name: full, fullName: full, count: 1, startLsn: toLsn(0x200_0028n) };
  it.each<[string, Record<string, Partial<BackupFacts>>, string]>([
    ['of two clusters', { [full]: { systemIdentifier: 5n } }, 'which is of the cluster 5 instead of 77'],
    [
      'whose parent began elsewhere',
      { [first]: { parent: { ...parent, startLsn: toLsn(0x200_0030n) } } },
      `${full}, which began at 0/2000028, while the delta was made upon one that began at 0/2000030`,
    ],
    ['whose parent ended behind the start of the delta', { [full]: { finishLsn: '0/4000060' } }, 'ended at 0/4000060'],
    [
      'with a wrong count',
      { [second]: { parent: { ...parent, name: first, count: 3, startLsn: toLsn(0x400_0028n) } } },
      'step 2',
    ],
    ['of two versions of PostgreSQL', { [full]: { pgVersion: 170_002 } }, 'which is of PostgreSQL 17, not 18'],
    [
      'with another full backup than it says',
      { [first]: { parent: { ...parent, fullName: 'base_000000010000000000000001' } } },
      'says that its full backup is base_000000010000000000000001, but the chain leads to',
    ],
    [
      'that goes round in a circle',
      { [full]: { parent: { ...parent, name: third, count: 4, startLsn: toLsn(0x800_0028n) } } },
      'which stands upon it in turn',
    ],
    [
      'of a backup upon itself',
      { [full]: { parent } },
      `${full} is a delta upon ${full}, which stands upon it in turn`,
    ],
  ])('%s is refused', (_what, different, message) => {
    expect(() => namesOf(chain(different), third)).toThrow(IntegrityError);
    expect(() => namesOf(chain(different), third)).toThrow(message);
  });

  it('of which the sentinels do not name the cluster is not refused for that', () => {
    expect(namesOf(chain({ [first]: { systemIdentifier: undefined } }), third).length).toBe(4);
  });
});

describe('what a backup stands on', () => {
  it('is read as far as it is there', async () => {
    const repository = createRepository(createMemoryStore(), createCodec('none'));
    const backups = chain();
    for (const [name, backup] of backups) await repository.store.put(sentinelKey(name), formatSentinel(backup));
    const newest = backups.get(third);
    if (newest === undefined) throw new Error('no newest backup');
    const whole = await readChainLookup(repository, newest);
    expect(chainOf(newest, whole).length).toBe(4);

    await repository.store.put(sentinelKey(first), Buffer.from('{'));
    expect(chainProblem(newest, await readChainLookup(repository, newest))?.message).toContain('cannot be read');
    await repository.store.delete([sentinelKey(first)]);
    expect(chainProblem(newest, await readChainLookup(repository, newest))?.message).toContain(
      'is not in the repository',
    );
  });
});
