#!/bin/sh
# Archives a running PostgreSQL server into a directory, takes a base backup, and restores it on trial.
#
# Run it on the server's machine, as the user who runs PostgreSQL, with psql and seawall on the PATH, and with:
#   PGDATA                  the data directory; PGHOST, PGPORT, PGUSER as psql needs them
#   SEAWALL_REPOSITORY      file:///srv/wal: an existing directory that this user may write, best on a volume of its own
# archive_mode must be on already, which takes a restart of the server; everything else needs none.
set -eu

# The repository answers, and these credentials are allowed to list it.
seawall list

# From now on the server archives every segment. Its own environment must hold the credentials, too.
psql --quiet --command "ALTER SYSTEM SET archive_command = 'seawall wal-push \"%p\" --repository $SEAWALL_REPOSITORY'" \
  --command 'SELECT pg_reload_conf()' >/dev/null

# A base backup; it ends when the backup and all the WAL that it needs are in the repository.
seawall basebackup "$PGDATA"
seawall list

# A trial: what a restore would do, then the restore itself, next to the original. It is not started here.
seawall restore LATEST "$PGDATA-trial" --plan
seawall restore LATEST "$PGDATA-trial"
rm -rf "$PGDATA-trial"
