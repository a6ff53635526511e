import { findDataDirectory, isStandby } from '../../wal/cluster.ts';
import { fetchWal } from '../../wal/fetch.ts';
import { type FetchVerdict, judgeFailedFetch } from '../../wal/undecided.ts';
import type { CommandDefinition } from '../command.ts';
import { exitStatuses } from '../exit-codes.ts';
import { agentCommandOf, spoolCallOf } from '../spool-call.ts';

const statusOfVerdict: Readonly<Record<FetchVerdict, number>> = {
  absent: exitStatuses.absent.status,
  busy: exitStatuses.busy.status,
  undecided: exitStatuses.undecided.status,
};

/** `restore_command = 'seawall wal-fetch "%f" "%p"'` */
export const walFetchCommand: CommandDefinition = {
  name: 'wal-fetch',
  arguments: [
    { notation: '<name>', description: 'the WAL file that is wanted, %f in restore_command' },
    { notation: '<destination>', description: 'where it goes, %p in restore_command' },
  ],
  summary: 'bring one WAL file back; for restore_command',
  description:
    'Ends with 0 when the file is at its destination, whole and verified; with 74 only when the repository answered that there is no such file; with 200 when there was no clear answer, so that PostgreSQL stops instead of taking it for the end of the archive (75 on a standby, see --fetch-on-undecided).',
  settings: ['fetchDeadline', 'fetchOnUndecided', 'agent', 'agentIdle', 'prefetchSegments', 'prefetchSize', 'jobs'],
  isCalledOften: true,
  examples: [`restore_command = 'seawall wal-fetch "%f" "%p" --repository s3://bucket/prefix'`],
  async run(call) {
    const [fileName = '', destination = ''] = call.args;
    const fetch = async () => {
      await using repository = await call.openRepository();
      const { environment, settings } = call;
      const options = {
        fileName,
        destination,
        dataDirectory: environment['PGDATA'],
        deadlineMs: settings.fetchDeadline,
      };
      await fetchWal(repository, options, call.context);
    };
    const spoolCall = spoolCallOf(call, 'fetch');
    if (spoolCall === undefined) return await fetch();
    const { fetchWithAgent } = await import('../../wal/fetch-with-agent.ts');
    const agent = agentCommandOf('fetch', call);
    await fetchWithAgent({ call: spoolCall, fileName, destination, agent, fetch }, call.context);
  },
  async failureStatus(error, call) {
    const dataDirectory = await findDataDirectory(call.args[1] ?? '', call.environment['PGDATA']);
    const facts = { policy: call.settings.fetchOnUndecided, isStandby: await isStandby(dataDirectory) };
    return statusOfVerdict[judgeFailedFetch(error, facts)];
  },
};
