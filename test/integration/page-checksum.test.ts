import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { pageSizeBytes } from '../../src/postgres/page-checksum.ts';
import { parseRelationFileName } from '../../src/postgres/relation-file.ts';
import { verifyPages } from '../../src/postgres/verify-pages.ts';
import { startCluster } from '../support/postgres.ts';

describe.for([14, 18] as const)('page checksums of PostgreSQL %i', (major) => {
  it('agree with those of the server on every page of a cluster', async () => {
    await using server = await startCluster({ major });
    await server.query('create table facts as select i, md5(i::text) as text from generate_series(1, 20000) i');
    await server.query('create index on facts (text)');
    await server.query('vacuum facts');
    await server.query('checkpoint');
    const [position] = await server.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
    await server.stop('fast');

    const nextLsn = parseLsn(position?.lsn ?? '');
    let pages = 0;
    for (const [path, bytes] of relationFiles(server.dataDirectory)) {
      // The shutdown checkpoint leaves no page behind that is newer than this.
      expect(verifyPages(bytes, 0, nextLsn), path).toEqual({ damaged: [], newest: undefined });
      pages += bytes.length / pageSizeBytes;
    }
    expect(pages).toBeGreaterThan(1000);
  });
});

/** Path and bytes of every relation file in the default databases and the shared catalogue. */
function* relationFiles(dataDirectory: string): Generator<[string, Buffer]> {
  const databases = readdirSync(join(dataDirectory, 'base')).map((name) => join('base', name));
  for (const directory of ['global', ...databases]) {
    for (const name of readdirSync(join(dataDirectory, directory))) {
      if (parseRelationFileName(name) === undefined) continue;
      yield [join(directory, name), readFileSync(join(dataDirectory, directory, name))];
    }
  }
}
