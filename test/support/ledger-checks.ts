import { expect } from 'vitest';
import { type LedgerState, predictLedger, readLedger } from './ledger.ts';
import type { Server } from './postgres-server.ts';

/** The ledger holds what was recorded, row by row, and that is what its transactions must have left. */
export async function expectLedger(server: Server, expected: LedgerState): Promise<void> {
  expect(await readLedger(server)).toEqual(expected);
  expect(await predictLedger(server, expected.batches)).toEqual(expected);
}
