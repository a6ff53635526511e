import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/** Loaded before a program (`--import`): writes the URL of every module that it loads to the file SEAWALL_TEST_MODULES. */
const logPath = process.env['SEAWALL_TEST_MODULES'];
if (logPath === undefined) throw new Error('SEAWALL_TEST_MODULES names no file');

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(logPath, `${url}\n`);
    return nextLoad(url, context);
  },
});
