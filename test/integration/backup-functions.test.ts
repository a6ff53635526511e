import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createContext } from '../../src/context.ts';
import { PostgresError } from '../../src/errors.ts';
import { startBackup, stopBackup } from '../../src/postgres/backup-functions.ts';
import { connectPostgres, type PostgresConnection } from '../../src/postgres/connection.ts';
import { formatLsn } from '../../src/postgres/lsn.ts';
import { readServerFacts } from '../../src/postgres/server-facts.ts';
import { startCluster } from '../support/postgres.ts';
import { postgresMajors } from '../support/postgres-binaries.ts';
import type { Server } from '../support/postgres-server.ts';
import { waitFor } from '../support/wait-for.ts';

describe.each(postgresMajors)('on PostgreSQL %i', (major) => {
  let cluster: Server;
  const connect = (environment: Record<string, string> = {}): Promise<PostgresConnection> =>
    connectPostgres(
      { environment: { ...cluster.clientEnvironment, ...environment }, applicationName: 'seawall test' },
      createContext(),
    );

  beforeAll(async () => {
    cluster = await startCluster({ major, archiveCommand: 'true', segmentSizeMib: 4, checksums: major % 2 === 0 });
    const place = cluster.makeDirectory('tablespace');
    await cluster.query(`CREATE TABLESPACE elsewhere LOCATION '${place}'`);
    await cluster.query('CREATE ROLE weak LOGIN');
  });

  afterAll(() => cluster.destroy());

  it('the server says what a backup needs to know', async () => {
    await using connection = await connect();
    const [identifier] = await cluster.query('SELECT system_identifier::text AS text FROM pg_control_system()');
    const facts = await readServerFacts(connection);
    expect(facts).toMatchObject({
      majorVersion: major,
      systemIdentifier: BigInt(String(identifier?.['text'])),
      timeline: 1,
      isInRecovery: false,
      dataDirectory: cluster.dataDirectory,
      segmentSizeBytes: 4 * 1024 * 1024,
      blockSizeBytes: 8192,
      hasDataChecksums: major % 2 === 0,
      archiveMode: 'on',
      archiver: 'true',
      walLevel: 'replica',
      hasFullPageWrites: true,
    });
    expect(Math.floor(facts.versionNumber / 10_000)).toBe(major);
  });

  it('a backup starts and stops with its label and tablespace map', async () => {
    await using connection = await connect();
    const started = await startBackup(connection, { label: "it's a backup", fast: true, majorVersion: major });
    const stopped = await stopBackup(connection, major);
    const label = Buffer.from(stopped.label).toString();
    expect(label).toContain(`START WAL LOCATION: ${formatLsn(started.startLsn)} (file 00000001`);
    expect(label).toContain("LABEL: it's a backup\nSTART TIMELINE: 1\n");
    expect(started.timeline).toBe(1);
    expect(Buffer.from(stopped.tablespaceMap).toString()).toMatch(
      new RegExp(`^\\d+ ${cluster.directory}/tablespace\n$`),
    );
    expect(stopped.stopLsn).toBeGreaterThan(started.startLsn);
    expect(stopped.stoppedAt.getTime()).toBeGreaterThan(started.startedAt.getTime());
    expect(Math.abs(Date.now() - stopped.stoppedAt.getTime())).toBeLessThan(60_000);
    expect(existsSync(`${cluster.dataDirectory}/backup_label`)).toBe(false);
  });

  it('leaving the session ends backup mode', async () => {
    const connection = await connect();
    await startBackup(connection, { label: 'left', fast: true, majorVersion: major });
    await connection[Symbol.asyncDispose]();
    await waitFor('the server to notice', () => cluster.log().includes('aborting backup due to backend exiting'));
    await using other = await connect();
    await expect(stopBackup(other, major)).rejects.toThrow(/^cannot stop the backup: .*backup is not in progress/);
  });

  it('a role without rights is told what it lacks', async () => {
    await using connection = await connect({ PGUSER: 'weak' });
    expect((await readServerFacts(connection)).dataDirectory).toBeUndefined();
    const starting = startBackup(connection, { label: 'weak', fast: true, majorVersion: major });
    await expect(starting).rejects.toThrow(/^cannot start the backup: permission denied for function/);
    await expect(starting).rejects.toMatchObject({ hint: expect.stringMatching(/^Connect as a superuser/) });
    await expect(starting).rejects.toBeInstanceOf(PostgresError);
  });
});
