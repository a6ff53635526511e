import { expect, it } from 'vitest';
import { runSeawall } from '../support/seawall.ts';

it('an empty SEAWALL_CONFIG counts as not set', async () => {
  const result = await runSeawall(['config', 'show'], { env: { SEAWALL_CONFIG: '' } });
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
});
