import { expect, it, vi } from 'vitest';
import { createLogger } from '../../src/cli/logger.ts';

it('a line of the log is one line, whatever it lists', () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const blocks = Array.from({ length: 12 }, (_, index) => index);
  createLogger({ logLevel: 'info', logFormat: 'text' }).warn({ blocks, at: { one: 1 } }, 'damaged pages');
  const lines = write.mock.calls.map(([text]) => String(text));
  write.mockRestore();
  expect(lines).toEqual([
    'seawall: warn: damaged pages blocks=[ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 ] at={ one: 1 }\n',
  ]);
});
