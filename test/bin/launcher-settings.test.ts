import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { secretVariables } from '../../src/config/secret-files.ts';
import { secretSettingVariables, settingNames, settingsTable, variableOf } from '../../src/config/settings.ts';
import { isSecretName, storageNames } from '../../src/config/walg/names.ts';
import { prefixNames } from '../../src/config/walg/repository.ts';
import { cold, fetch, hot, push, segment, shells, useLauncher } from '../support/launcher.ts';
import { seawallPath } from '../support/seawall.ts';

describe.each(shells)('the settings of a call under %s', (shell) => {
  const launcher = useLauncher(shell);
  const { launch, settingsOf, halfFor, note, markTimes } = launcher;

  it('believes no note that other flags or variables have led to', async () => {
    const flags = [...push, '--retry-deadline', '1 min'];
    await note(await halfFor(flags));
    expect(await launch(flags)).toMatchObject(hot);
    for (const args of [
      push,
      [...flags, '--no-agent'],
      [...push, '--retry-deadline', '1', 'min'],
      [...push, '--retry-deadline=1 min'],
    ]) {
      expect(await launch(args), args.join(' ')).toMatchObject(cold);
    }
    for (const env of [
      { SEAWALL_REPOSITORY: '/srv/other' },
      { AWS_ENDPOINT_URL: 'http://other' },
      { HOME: '/other' },
    ]) {
      expect(await launch(flags, env as Record<string, string>)).toMatchObject(cold);
    }
    expect(await launch(flags, { SEAWALL_LOG_LEVEL: '' })).toMatchObject(hot);
  });

  it('believes no note when the configuration file has changed, appeared or gone', async () => {
    const config = launcher.space.path('config.yaml');
    const withConfig = [...push, '--config', config];
    writeFileSync(config, 'jobs: 1\n');
    utimesSync(config, 1_795_000_000.123_456_7, 1_795_000_000.123_456_7);
    const half = await halfFor(withConfig);
    await note(half);
    const times = join(half.path, 'times');
    markTimes(half, config, 1_795_000_000.123_456_7, 0.000_005);
    expect(await launch(withConfig)).toMatchObject(hot);
    for (const time of [1_795_000_001.2, 1_794_999_999]) {
      utimesSync(config, time, time);
      expect(await launch(withConfig)).toMatchObject(cold);
    }
    rmSync(config);
    expect(await launch(withConfig)).toMatchObject(cold);
    writeFileSync(config, 'jobs: 1\n');
    rmSync(times, { recursive: true, maxRetries: 20 });
    utimesSync(config, 1_795_000_000.123_456_7, 1_795_000_000.123_456_7);
    expect(await launch(withConfig)).toMatchObject(cold);
  });

  it('believes no note when the configuration file is a link that is led to another file of the same time', async () => {
    const [config, one, other] = [
      launcher.space.path('config.yaml'),
      launcher.space.path('one.yaml'),
      launcher.space.path('other.yaml'),
    ];
    for (const file of [one, other]) {
      writeFileSync(file, '');
      utimesSync(file, 1_795_000_000, 1_795_000_000);
    }
    symlinkSync(one, config);
    const withConfig = [...push, '--config', config];
    const half = await halfFor(withConfig);
    await note(half);
    markTimes(half, one, 1_795_000_000, 0.001);
    expect(await launch(withConfig)).toMatchObject(hot);
    rmSync(config);
    symlinkSync(other, config);
    expect(await launch(withConfig)).toMatchObject(cold);
  });

  it('knows the configuration file by flag, by variable and by its usual place', async () => {
    writeFileSync(launcher.space.path('c.yaml'), '');
    for (const [args, env] of [
      [['--config', 'c.yaml'], {}],
      [['--config=c.yaml'], {}],
      [[], { SEAWALL_CONFIG: 'c.yaml' }],
    ] as const) {
      expect(await settingsOf([...push, ...args], env)).toMatch(/ 6:c\.yaml$/);
    }
    expect(await settingsOf([...push, '--config', 'absent'])).not.toMatch(/ 6:absent$/);
  });

  it('serves the name wal-g, with options before the command and with the configuration file of WAL-G', async () => {
    const env = { HOME: launcher.space.path('home'), WALG_FILE_PREFIX: '/srv/wal' };
    mkdirSync(launcher.space.path('home'));
    const config = launcher.space.path('home', '.walg.yaml');
    writeFileSync(config, 'WALG_ZSTD_LEVEL: best');
    utimesSync(config, 1_795_000_000, 1_795_000_000);
    const calls = [
      ['wal-g', ...push],
      ['wal-g', '--walg-zstd-level', 'best', ...push],
      ['wal-g', '--walg-zstd-level=best', '--turbo', ...push],
    ];
    for (const args of calls) {
      const settings = await settingsOf(args, env);
      expect(settings).toMatch(/^1wal-g .*\/home\/\.walg\.yaml$/);
      const half = await halfFor(args, env);
      markTimes(half, config, 1_795_000_000, 1);
      await note(half);
      expect(await launch(args, env)).toMatchObject(hot);
      expect(await launch(args.slice(1), env)).toMatchObject(cold);
    }
    const link = join(launcher.packageDirectory, 'bin', 'wal-g');
    rmSync(link, { force: true });
    symlinkSync('seawall', link);
    expect(await launch(calls[2]?.slice(1) ?? [], env, 'wal-g')).toMatchObject(hot);
  });

  it('knows only the calls of a server', async () => {
    for (const args of [
      ['wal-push', segment],
      ['wal-push', `/elsewhere/pg_wal/${segment}`],
      ['wal-push', 'pg_wal/'],
      ['wal-push', 'pg_wal/../x'],
      ['wal-push', `pg_wal/${segment} `],
      ['wal-push', '--retry-deadline', '1s', `pg_wal/${segment}`],
      ['wal-fetch', segment, `/elsewhere/pg_wal/${segment}`],
      ['wal-fetch', '00000002.history', 'pg_wal/RECOVERYHISTORY'],
      ['wal-fetch', '../../0000000000000000002', 'pg_wal/RECOVERYXLOG'],
      ['wal-fetch', segment],
      ['wal-push'],
      ['list'],
      [],
    ]) {
      expect(await settingsOf(args, { SEAWALL_CALL_SETTINGS: 'from somebody else' }), args.join(' ')).toBe('none');
    }
  });

  it('gives the agent the settings of a call with the same flags', async () => {
    const settings = await settingsOf([...push, '--jobs', '3']);
    for (const args of [['agent'], ['agent', 'push'], ['agent', 'fetch'], fetch]) {
      expect(await settingsOf([...args, '--jobs', '3'])).toBe(settings);
    }
  });

  it('tells apart what looks alike', async () => {
    const calls: [readonly string[], Record<string, string>][] = [
      [['--jobs', '1'], {}],
      [['--jobs 1'], {}],
      [['--jobs=1'], {}],
      [['--', 'jobs', '1'], {}],
      [[], { SEAWALL_JOBS: '1' }],
      [[], { SEAWALL_JOBS: '1 SEAWALL_AGENT=2:on' }],
      [[], { SEAWALL_JOBS: '1', SEAWALL_AGENT: 'on' }],
      [[''], {}],
      [['*'], {}],
      [['$HOME'], {}],
    ];
    const all = await Promise.all(calls.map(([args, env]) => settingsOf([...push, ...args], env)));
    expect(new Set(all).size).toBe(calls.length);
  });

  it.each(['SEAWALL_LIBSODIUM_KEY', 'WALG_LIBSODIUM_KEY', 'SEAWALL_OPENPGP_KEY', 'WALG_PGP_KEY'])(
    'believes no note of an agent that had another key in %s, and writes none down',
    async (variable) => {
      const one = await settingsOf(push, { [variable]: 'c0nfidential, the first' });
      const other = await settingsOf(push, { [variable]: 'c0nfidential, the other' });
      expect(one).toMatch(/ keys=\d{1,5}$/);
      expect(other).not.toBe(one);
      expect(await settingsOf(push, { [variable]: 'c0nfidential, the first' })).toBe(one);
      expect(await settingsOf(push)).not.toContain('keys=');
      expect(await settingsOf(push, { SEAWALL_OPENPGP_PASSPHRASE: 'c0nfidential' })).not.toContain('c0nf');
    },
  );

  it('writes no secret down, and still tells one Azure account from another', async () => {
    const connection = (account: string, key: string) =>
      `DefaultEndpointsProtocol=https;AccountName=${account};AccountKey=${key};SharedAccessSignature=${key};BlobEndpoint=http://h/${account}?sig=${key}`;
    const secrets = Object.fromEntries(secretVariables.map((name) => [name, 'c0nfidential']));
    const env = { ...secrets, AZURE_STORAGE_CONNECTION_STRING: connection('one', 'c0nfidential') };
    const settings = await settingsOf(push, env);
    expect(settings).not.toContain('c0nfidential');
    expect(settings).toContain('AccountName=one');
    const other = { ...env, AZURE_STORAGE_CONNECTION_STRING: connection('two', 'c0nfidential') };
    expect(await settingsOf(push, other)).not.toBe(settings);
    const renewed = { ...env, AZURE_STORAGE_CONNECTION_STRING: connection('one', 'another') };
    expect(await settingsOf(push, renewed)).toBe(settings);
  });
});

describe('the launcher', () => {
  const concernOthers = ['userData', 'withoutFilesMetadata', 'withoutRelationNames', 'daemonPushDeadline'];

  it('knows the variable of every setting that is no secret, and the names that other tools have for it', () => {
    const script = readFileSync(seawallPath, 'utf8');
    for (const [text, name, ...same] of script.matchAll(/\$\{(\w+):\+ (\w+)=\$\{#(\w+)\}:\$(\w+)\}/g)) {
      expect(same, text).toEqual([name, name, name]);
    }
    const known = new Set(script.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g));
    const variables = [
      ...settingNames
        .filter((name) => !concernOthers.includes(name))
        .flatMap((name) => [variableOf(name), ...settingsTable[name].aliases]),
      ...storageNames.flatMap((name) => [name, `WALG_${name}`, `WALE_${name}`]),
      ...prefixNames,
      'WALG_STORAGE_PREFIX',
      'WALG_CONFIG_PATH',
    ];
    const secrets = [...secretVariables, ...secretSettingVariables];
    const isSecret = (name: string): boolean => secrets.includes(name) || isSecretName(name);
    expect(variables.filter((name) => !known.has(name) && !isSecret(name))).toEqual([]);
    expect([...known].filter(isSecretName)).toEqual([]);
    expect(readdirSync(dirname(seawallPath))).toEqual(['seawall']);
  });
});
