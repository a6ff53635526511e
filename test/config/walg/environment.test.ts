import { describe, expect, it } from 'vitest';
import { settingNames, settingsTable } from '../../../src/config/settings.ts';
import { refuseWalgSettings, warningOnWalgSettings, withPlainNames } from '../../../src/config/walg/environment.ts';
import {
  ineffectiveNames,
  needlessNames,
  passedOnNames,
  refusedNames,
  storageNames,
} from '../../../src/config/walg/names.ts';

describe('storage settings with WALG_ or WALE_ in front', () => {
  it('count where the plain name is not set', () => {
    const environment = {
      WALG_AWS_ACCESS_KEY_ID: 'a',
      WALE_AWS_ACCESS_KEY_ID: 'b',
      WALE_AWS_REGION: 'c',
      AWS_ENDPOINT: 'd',
      WALG_AWS_ENDPOINT: 'e',
      WALG_COMPRESSION_METHOD: 'lz4',
    };
    expect(withPlainNames(environment)).toEqual({ ...environment, AWS_ACCESS_KEY_ID: 'a', AWS_REGION: 'c' });
  });
});

describe('the warning on settings without effect', () => {
  it('names those, and the unknown ones, in one sentence', () => {
    const environment = {
      WALG_NETWORK_RATE_LIMIT: '1000',
      WALG_S3_RETENTION_PERIOD: '30',
      S3_MAX_RETRIES: '15',
      WALG_COMPRESION_METHOD: 'lz4',
      PREFIX: 'x',
      AWS_ROLE_ARN: 'arn:x',
      WALG_S3_PREFIX: 's3://b/p',
    };
    expect(warningOnWalgSettings(environment, ['PREFIX', 'WALG_S3_PREFIX'])).toBe(
      'settings of WAL-G without effect in Seawall: AWS_ROLE_ARN, S3_MAX_RETRIES, WALG_NETWORK_RATE_LIMIT, WALG_S3_RETENTION_PERIOD; unknown settings: PREFIX, WALG_COMPRESION_METHOD',
    );
  });

  it('names the repositories that are passed over', () => {
    const environment = {
      WALG_FILE_PREFIX: '/srv/wal',
      WALG_S3_PREFIX: 's3://b/p',
      WALE_S3_PREFIX: 's3://b/p',
      WALE_GS_PREFIX: 'gs://b',
    };
    expect(warningOnWalgSettings(environment, [])).toBe(
      'repositories beside that of WALG_S3_PREFIX, not looked at: WALG_FILE_PREFIX, WALE_GS_PREFIX',
    );
  });

  it('is not given for what is honoured, needless, empty, or set to what happens anyway', () => {
    const environment = {
      WALG_COMPRESSION_METHOD: 'zstd',
      WALG_PREVENT_WAL_OVERWRITE: 'true',
      WALG_UPLOAD_WAL_METADATA: 'NOMETADATA',
      WALG_TAR_DISABLE_FSYNC: 'false',
      WALG_DISK_RATE_LIMIT: '',
      WALG_AWS_REGION: 'x',
      SEAWALL_AGENT: 'off',
      PATH: '/bin',
    };
    const fileNames = ['SEAWALL_AGENT', 'WALG_COMPRESSION_METHOD', 'PGSERVICE', 'AWS_CONFIG_FILE', 'AZURE_CLIENT_ID'];
    expect(warningOnWalgSettings(environment, fileNames)).toBeUndefined();
  });
});

describe('the tables of WAL-G’s names', () => {
  it('say one thing of each name, and nothing of those that are settings here', () => {
    const tables = [passedOnNames, needlessNames, Object.keys(ineffectiveNames), Object.keys(refusedNames)];
    const aliases = settingNames.flatMap((name) => settingsTable[name].aliases);
    // The storage settings are passed on under their plain names even where they are settings, or refused.
    const names = tables.flatMap((table) => table.filter((name) => !storageNames.includes(name)));
    expect(names.filter((name, index) => names.indexOf(name) !== index || aliases.includes(name))).toEqual([]);
  });
});

describe('a setting without which the outcome would be another one', () => {
  it.each(['S3_SSE_C', 'GCS_ENCRYPTION_KEY', 'WALG_FAILOVER_STORAGES'])('%s is refused', (name) => {
    expect(() => refuseWalgSettings({ [name]: 'x' })).toThrow(`WAL-G's setting ${name} is not supported`);
    expect(() => refuseWalgSettings({ [name]: '' })).not.toThrow();
  });

  it('a target storage other than the default is refused', () => {
    expect(() => refuseWalgSettings({ WALG_TARGET_STORAGE: 'default' })).not.toThrow();
    expect(() => refuseWalgSettings({ WALG_TARGET_STORAGE: 'b' })).toThrow('there is no storage "b"');
  });
});
