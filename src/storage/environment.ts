/**
 * Variables by name, as `process.env` has them. The command line hands them in, so that a program that embeds Seawall decides
 * what its stores may see.
 *
 * Read here: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` (also WAL-G's `AWS_ACCESS_KEY`, `AWS_SECRET_KEY`), `AWS_SESSION_TOKEN`,
 * `AWS_PROFILE`, `AWS_REGION`, `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT`,
 * `AWS_REQUEST_CHECKSUM_CALCULATION`, `AWS_RESPONSE_CHECKSUM_VALIDATION`;
 * `STORAGE_EMULATOR_HOST`; `AZURE_STORAGE_CONNECTION_STRING`, `AZURE_STORAGE_ACCOUNT`, `AZURE_STORAGE_KEY`,
 * `AZURE_STORAGE_ACCESS_KEY`, `AZURE_STORAGE_SAS_TOKEN`, `AZURE_ENDPOINT_SUFFIX`, `AZURE_ENVIRONMENT_NAME`; the proxies `HTTP_PROXY`,
 * `HTTPS_PROXY` and `NO_PROXY`.
 *
 * When none of its credentials is among them, each SDK goes through the rest of its own chain, and that reads the
 * process environment and files itself (profiles, workload identity, metadata services).
 */
export type Environment = Readonly<Record<string, string | undefined>>;
