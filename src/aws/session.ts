import { z } from 'zod'
import { Credentials, secretRef, type SecretRef, type SecretResolver } from '../catalog/index.ts'
import { awsFailure } from './failure.ts'

const secret = secretRef as unknown as z.ZodType<SecretRef>

/** What all that talks to AWS takes besides its region. */
export const awsParams = {
  endpoint: z
    .url({ protocol: /^https?$/ })
    .meta({
      expected: 'an http:// or https:// address',
      description:
        'Another address than AWS’s own, for every service that is asked. For one service only, set the variable AWS_ENDPOINT_URL_<SERVICE> instead.',
      examples: ['https://aws.internal.example:4566'],
    })
    .optional(),
  credentials: z
    .strictObject({
      accessKeyId: secret.describe('Where the access key’s id is.'),
      secretAccessKey: secret.describe('Where the secret access key is.'),
      sessionToken: secret.describe('Where the session token of temporary credentials is.').optional(),
    })
    .describe('Default: where the AWS SDK looks by itself (environment, shared files, SSO, instance and container roles).')
    .optional(),
} as const

export const regionName = z
  .string()
  .regex(/^[a-z]{2,4}(?:-[a-z]+)+-\d+$/)
  .meta({ expected: 'the name of an AWS region', description: 'The AWS region.', examples: ['us-west-2'] })

export interface AwsTarget {
  readonly region: string
  readonly endpoint?: string | undefined
  readonly credentials?:
    | { readonly accessKeyId: SecretRef; readonly secretAccessKey: SecretRef; readonly sessionToken?: SecretRef | undefined }
    | undefined
}

export const connectionAttempts = 3
const connectionTimeoutMs = 5000
export const requestTimeoutMs = 20_000

/** What a client of the SDK is made with, and the one way in which its calls fail. */
export class AwsSession {
  readonly target: AwsTarget
  readonly #secrets: Credentials
  readonly #signal: AbortSignal

  constructor(target: AwsTarget, context: SecretResolver, signal: AbortSignal) {
    this.target = target
    this.#secrets = new Credentials(context, signal)
    this.#signal = signal
  }

  /** Throttling and broken connections are retried by the SDK, which waits as AWS asks it to. */
  async clientOptions() {
    const { region, endpoint, credentials } = this.target
    return {
      region,
      maxAttempts: connectionAttempts,
      requestHandler: { connectionTimeout: connectionTimeoutMs, requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined
        ? {}
        : {
            credentials: {
              accessKeyId: await this.#secrets.text(credentials.accessKeyId),
              secretAccessKey: await this.#secrets.text(credentials.secretAccessKey),
              ...(credentials.sessionToken === undefined
                ? {}
                : { sessionToken: await this.#secrets.text(credentials.sessionToken) }),
            },
          }),
    }
  }

  /** One call, or several that need the same permission (`ec2:StartInstances`). Throws HoldfastErrors only, or why it was aborted. */
  async call<T>(permission: string, send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted()
    try {
      return await send({ abortSignal: this.#signal })
    } catch (error) {
      this.#signal.throwIfAborted()
      throw awsFailure(error, permission, this.target, (message) => this.#secrets.redact(message))
    }
  }
}
