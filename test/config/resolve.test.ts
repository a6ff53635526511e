import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../src/config/resolve.ts';
import { ConfigError, UsageError } from '../../src/errors.ts';

const file = { path: '/etc/seawall/config.yaml', values: { repository: 'file:///file', jobs: '3' } } as const;

describe('resolveSettings', () => {
  it('takes a flag before the environment, the environment before the file, the file before the default', () => {
    const environment = { SEAWALL_REPOSITORY: 'file:///variable' };
    const both = resolveSettings({ flags: { repository: 'file:///flag' }, environment, file });
    expect(both.values.repository).toBe('file:///flag');
    expect(both.origins.repository).toBe('--repository');
    const variable = resolveSettings({ flags: {}, environment, file });
    expect(variable.values.repository).toBe('file:///variable');
    expect(variable.origins.repository).toBe('SEAWALL_REPOSITORY');
    const fromFile = resolveSettings({ flags: {}, environment: {}, file });
    expect(fromFile.values.repository).toBe('file:///file');
    expect(fromFile.origins.repository).toBe('/etc/seawall/config.yaml');
    const none = resolveSettings({ flags: {}, environment: {} });
    expect(none.values.repository).toBeUndefined();
    expect(none.values.compressionLevel).toBe(3);
    expect(none.origins.compressionLevel).toBe('default');
  });

  it('takes our own variable before the names of other tools', () => {
    const environment = { AWS_REGION: 'eu-west-1', SEAWALL_S3_REGION: 'eu-central-1' };
    expect(resolveSettings({ flags: {}, environment }).values.s3Region).toBe('eu-central-1');
    const other = resolveSettings({ flags: {}, environment: { AWS_REGION: 'eu-west-1' } });
    expect(other.values.s3Region).toBe('eu-west-1');
    expect(other.origins.s3Region).toBe('AWS_REGION');
  });

  it('takes the certificates for S3 before those for all of AWS', () => {
    const environment = { AWS_CA_BUNDLE: '/all.pem', WALG_S3_CA_CERT_FILE: '/s3.pem' };
    expect(resolveSettings({ flags: {}, environment }).values.s3CaCertFile).toBe('/s3.pem');
  });

  it('treats an empty variable as not set', () => {
    expect(resolveSettings({ flags: {}, environment: { SEAWALL_JOBS: '' }, file }).values.jobs).toBe(3);
  });

  it('reads sizes, durations and switches', () => {
    const flags = { partSize: '64MiB', fetchDeadline: '2min', s3PathStyle: 'on' };
    const { values } = resolveSettings({ flags, environment: {} });
    expect(values).toMatchObject({ partSize: 64 * 1024 * 1024, fetchDeadline: 120_000, s3PathStyle: true });
  });

  it("takes any JSON as user data, WAL-G's way, and keeps its text", () => {
    const userDataFrom = (text: string) =>
      resolveSettings({ flags: {}, environment: { WALG_SENTINEL_USER_DATA: text } }).values.userData;
    for (const text of ['{"ticket": 18446744073709551615}', '"nightly"', '7', 'null']) {
      expect(userDataFrom(text)).toBe(text);
    }
    expect(() => userDataFrom('{"size": [1e400]}')).toThrow(/a number below 1e308/);
    expect(() => userDataFrom('nightly')).toThrow(/WALG_SENTINEL_USER_DATA\): must be JSON, a text in double quotes/);
  });

  it('names the flag, the variable or the file of a bad value and says what is allowed', () => {
    const bad = (sources: Partial<Parameters<typeof resolveSettings>[0]>) => () =>
      resolveSettings({ flags: {}, environment: {}, ...sources });
    expect(bad({ flags: { compressionLevel: '20' } })).toThrow(
      new UsageError('bad value "20" for --compression-level: must be a whole number from 1 to 19'),
    );
    expect(bad({ environment: { SEAWALL_COMPRESSION: 'zip' } })).toThrow(
      new ConfigError('bad value "zip" for SEAWALL_COMPRESSION: must be one of zstd, lz4, brotli, lzma, none'),
    );
    expect(bad({ environment: { WALG_TAR_SIZE_THRESHOLD: 'x' } })).toThrow(
      /for partSize \(from WALG_TAR_SIZE_THRESHOLD\)/,
    );
    expect(bad({ file: { path: '/x.yaml', values: { pushDeadline: '-1' } } })).toThrow(
      /for pushDeadline \(from \/x\.yaml\): must be a duration/,
    );
  });
});
