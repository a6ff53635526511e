import { defineConfig } from 'rolldown';

/**
 * What a call by PostgreSQL needs for a repository in a directory. It goes into one file, with all that it imports: PostgreSQL waits
 * for the call, and each module that Node loads takes a third of a millisecond.
 */
const loadedByPostgres =
  /\/dist\/(cli\/(run|commands\/wal-(fetch|push)|walg\/(personality|wal-fetch|wal-push))|wal\/(push|fetch)-with-agent|storage\/drivers\/filesystem)\.js$/;

const output = { dir: 'dist/bundle', format: 'esm', sourcemap: true };
const isPackage = (id) => !id.startsWith('.') && !id.startsWith('/');

/** Bundles the program that bin/seawall starts; the library is what tsc makes of src. */
export default defineConfig([
  {
    input: { main: 'dist/cli/main.js' },
    platform: 'node',
    // Packages stay outside, but for the small one that PostgreSQL's calls always need.
    external: (id) => isPackage(id) && id !== 'p-map',
    output: {
      ...output,
      cleanDir: true,
      codeSplitting: {
        groups: [{ debugName: 'wal', name: (id, modules) => (isLoadedByPostgres(id, modules) ? 'wal' : null) }],
      },
    },
    // That a file of the group is also imported later changes nothing: it is there.
    onLog(level, log, report) {
      if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') report(level, log);
    },
  },
  {
    // The program of a thread, which shares no file with the other: a thread would load all of it.
    input: { 'packing-thread-program': 'dist/codec/lz4/packing-thread-program.js' },
    platform: 'node',
    external: isPackage,
    output,
  },
]);

/** Whether it is one of those modules, or imported by one, other than by import(). */
function isLoadedByPostgres(id, modules) {
  if (loadedByPostgres.test(id)) return true;
  return (modules.getModuleInfo(id)?.importers ?? []).some((importer) => isLoadedByPostgres(importer, modules));
}
