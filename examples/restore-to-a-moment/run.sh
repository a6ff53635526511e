#!/bin/sh
# Somebody drops a table. This brings the cluster back, in a second directory, to the moment before, and looks at it there.
#
# Run it on the server's machine, as the user who runs PostgreSQL, with psql, pg_ctl and seawall on the PATH, and with:
#   PGDATA                  the data directory; PGHOST, PGPORT, PGUSER as psql needs them
#   SEAWALL_REPOSITORY      the repository into which the server archives (see the other examples)
set -eu
restored=$PGDATA-restored
restored_port=5499

psql --quiet --command 'CREATE TABLE letters AS SELECT chr(n) AS letter FROM generate_series(97, 122) AS n'
seawall basebackup "$PGDATA"

# The moment to come back to, and then the accident.
moment=$(psql --quiet --tuples-only --no-align --command 'SELECT clock_timestamp()')
sleep 1
psql --quiet --command 'DROP TABLE letters'

# What has happened since the last full segment is in the server only: let it finish this one, and wait until it is archived.
psql --quiet --command 'SELECT pg_switch_wal()' >/dev/null
while [ "$(psql --quiet --tuples-only --no-align --command \
  "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'")" != 0 ]; do
  sleep 1
done

# The plan first. Then the restore: LATEST is the newest backup that ended before the moment. A copy that only pauses there would
# still hold the lock of the DROP that had begun; promoted, it drops what had not been committed.
seawall restore LATEST "$restored" --target-time "$moment" --target-action promote --plan
seawall restore LATEST "$restored" --target-time "$moment" --target-action promote

# It recovers to the moment and opens there, while the original goes on. archive_mode is off in the copy.
pg_ctl start --silent --wait --pgdata "$restored" --log "$restored.log" \
  --options "-c port=$restored_port -c listen_addresses='' -c unix_socket_directories='${PGHOST:-/tmp}'"
until [ "$(PGPORT=$restored_port psql --quiet --tuples-only --no-align --command 'SELECT pg_is_in_recovery()')" = f ]; do
  sleep 1
done
echo 'letters that were lost, and are here:'
PGPORT=$restored_port psql --command "SELECT string_agg(letter, '' ORDER BY letter) AS letters FROM letters"

# From here on: copy the table back to the original with pg_dump --table letters.
pg_ctl stop --silent --pgdata "$restored" --mode fast
rm -rf "$restored" "$restored.log"
