import { describe, inject, it } from 'vitest';

/** What a test needs to reach each of the three storage services. The keys are made up for the run. */
export interface ServiceEndpoints {
  readonly s3: {
    readonly endpoint: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  readonly gcs: { readonly apiEndpoint: string; readonly projectId: string };
  readonly azure: { readonly connectionString: string; readonly endpoint: string; readonly accountKey: string };
}

export type ServiceName = keyof ServiceEndpoints;

/** What the broker of `services-setup.ts` answers for a service. */
type ServiceAnswer<Name extends ServiceName> =
  | { readonly endpoint: ServiceEndpoints[Name] }
  | { readonly absence: string };

declare module 'vitest' {
  interface ProvidedContext {
    servicesUrl: string;
  }
}

/**
 * A suite on a real service, which is started on the first call for it. Where it cannot be had, the suite is one test that is skipped
 * with the reason, or that fails when SEAWALL_TEST_REQUIRE (a comma list of s3, gcs, azure) names the service.
 */
export async function describeService<Name extends ServiceName>(
  name: Name,
  title: string,
  suite: (endpoint: ServiceEndpoints[Name]) => void,
): Promise<void> {
  const response = await fetch(new URL(name, inject('servicesUrl')));
  const answer = (await response.json()) as ServiceAnswer<Name>;
  describe(title, () => {
    if ('endpoint' in answer) return suite(answer.endpoint);
    it(`needs the service ${name}: ${answer.absence}`, ({ skip }) => {
      if (isRequired(name)) throw new Error(answer.absence);
      skip(answer.absence);
    });
  });
}

function isRequired(name: ServiceName): boolean {
  return (process.env['SEAWALL_TEST_REQUIRE'] ?? '').split(',').includes(name);
}
