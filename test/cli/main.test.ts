import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../support/run-command.ts';

const main = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url));

describe('main', () => {
  it('says that Node is too old', async () => {
    const pretend = 'data:text/javascript,Object.defineProperty(process.versions, "node", { value: "22.20.0" })';
    const result = await runCommand(process.execPath, ['--import', pretend, main, 'list']);
    expect(result).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining('Node.js 22.20.0, and Seawall needs 24'),
    });
  });
});
