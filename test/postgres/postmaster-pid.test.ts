import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { parsePostmasterPid } from '../../src/postgres/postmaster-pid.ts';

const lines = [
  '4711',
  '/var/lib/postgresql/18/main',
  '1795248000',
  '5432',
  '/run/postgresql',
  'localhost',
  ' 123 4',
  'ready   ',
];

describe('parsePostmasterPid', () => {
  it('reads what a running server has written', () => {
    expect(parsePostmasterPid(`${lines.join('\n')}\n`)).toEqual({
      processId: 4711,
      dataDirectory: '/var/lib/postgresql/18/main',
      startedAt: new Date('2026-11-21T08:00:00Z'),
      port: 5432,
      socketDirectory: '/run/postgresql',
      listenAddress: 'localhost',
      status: 'ready',
    });
  });

  it('reads what a server has written that is just starting', () => {
    const expected = { processId: 4711, startedAt: new Date('2026-11-21T08:00:00Z') };
    for (const count of [3, 4, 5, 6, 7]) {
      expect(parsePostmasterPid(`${lines.slice(0, count).join('\n')}\n`), `${count} lines`).toMatchObject(expected);
    }
    expect(parsePostmasterPid(lines.slice(0, 3).join('\n'))).toMatchObject({ port: undefined, status: undefined });
    expect(parsePostmasterPid(lines.with(7, 'standby ').join('\n')).status).toBe('standby');
    expect(parsePostmasterPid(lines.with(7, 'else').join('\n')).status).toBeUndefined();
  });

  it('reads a server without sockets or addresses', () => {
    const text = lines.with(4, '').with(5, '').join('\n');
    expect(parsePostmasterPid(text)).toMatchObject({ socketDirectory: undefined, listenAddress: undefined });
  });

  it('knows the process of a server in single-user mode', () => {
    expect(parsePostmasterPid(lines.with(0, '-4711').join('\n')).processId).toBe(4711);
  });

  it.for([[''], ['4711'], ['4711\n/data'], ['4711\n/data\n'], ['x\n/data\n1795248000\n'], ['0\n/data\n1795248000\n']])(
    'refuses %j',
    ([text]) => {
      expect(() => parsePostmasterPid(text ?? '')).toThrow(IntegrityError);
    },
  );
});
