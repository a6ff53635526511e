import { pushWal } from '../../wal/push.ts';
import type { CommandDefinition } from '../command.ts';
import { agentCommandOf, spoolCallOf } from '../spool-call.ts';

/** `archive_command = 'seawall wal-push "%p"'` */
export const walPushCommand: CommandDefinition = {
  name: 'wal-push',
  arguments: [{ notation: '<path>', description: "the WAL file's path, %p in archive_command" }],
  summary: 'store one WAL file; for archive_command',
  description:
    'Ends with 0 only when the bytes are durable in the repository. Never overwrites: a file that is there already is compared, and other bytes are an error. The status is never above 125, so the archiver counts every failure and tries again.',
  settings: ['compression', 'compressionLevel', 'compressionEngine', 'pushDeadline', 'agent', 'agentIdle', 'jobs'],
  isCalledOften: true,
  examples: [`archive_command = 'seawall wal-push "%p" --repository s3://bucket/prefix'`],
  async run(call) {
    const [path = ''] = call.args;
    const push = async () => {
      await using repository = await call.openRepository();
      const options = { path, dataDirectory: call.environment['PGDATA'], deadlineMs: call.settings.pushDeadline };
      return await pushWal(repository, options, call.context);
    };
    const spoolCall = spoolCallOf(call, 'push');
    if (spoolCall === undefined) {
      await push();
      return;
    }
    const { pushWithAgent } = await import('../../wal/push-with-agent.ts');
    const agent = agentCommandOf('push', call);
    await pushWithAgent({ call: spoolCall, path, agent, push }, call.context);
  },
};
