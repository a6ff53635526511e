import { askDaemon, fetchFrame, pushFrame } from './daemon-client.ts';

/**
 * A program like walg-daemon-client, for archive_command and restore_command: `<socket> wal-push <name>` or
 * `<socket> wal-fetch <name> <destination>`. Ends with 0, with 74 for what does not exist, and with 1 otherwise.
 */
const [socket = '', command, name = '', destination = ''] = process.argv.slice(2);
const answer = await askDaemon(socket, command === 'wal-push' ? pushFrame(name) : fetchFrame(name, destination));
process.exitCode = answer === 'O' ? 0 : answer === 'N' ? 74 : 1;
