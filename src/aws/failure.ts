import { HoldfastError, messageOf, systemCode, type ErrorCode } from '../kernel/index.ts'

/** The parts of an error of the AWS SDK that say what happened. */
interface SdkError extends Error {
  readonly $fault?: 'client' | 'server'
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly $retryable?: { readonly throttling?: boolean }
  readonly Code?: string
}

interface Kind {
  readonly code: ErrorCode
  readonly names: RegExp
  readonly what: string
  hint(permission: string): string
  readonly retryable?: true
}

const kinds: readonly Kind[] = [
  {
    code: 'permission-denied',
    names: /^(?:Expired|RequestExpired|TokenRefreshRequired|SSOTokenProviderFailure)/,
    what: 'the AWS credentials have expired',
    hint: () => 'get new ones (`aws sso login`, or assume the role again), then run it again',
  },
  {
    code: 'permission-denied',
    names:
      /^(?:AuthFailure|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|IncompleteSignature|InvalidAccessKeyId|InvalidToken|InvalidSignature|MissingAuthenticationToken)/,
    what: 'AWS does not accept the credentials',
    hint: () => '`aws sts get-caller-identity` shows whose they are; check the access key, and the clock of this machine',
  },
  {
    code: 'permission-denied',
    names: /^(?:Client\.)?(?:AccessDenied|UnauthorizedOperation|NotAuthorized|OptInRequired|AllAccessDisabled|Forbidden$|403$)/,
    what: 'AWS refuses it',
    hint: (permission) => `allow ${permission} to the role or user that these credentials belong to`,
  },
  {
    code: 'command-failed',
    names:
      /^(?:Throttl|RequestThrottled|RequestLimitExceeded|TooManyRequests|SlowDown|PriorRequestNotComplete|BandwidthLimitExceeded|EC2ThrottledException|LimitExceeded$)/,
    what: 'AWS is throttling',
    hint: () => "give the step a 'retry' with a longer backoff",
    retryable: true,
  },
  {
    code: 'command-failed',
    names: /^(?:InsufficientInstanceCapacity|InsufficientHostCapacity|InsufficientCapacity|InsufficientDBInstanceCapacity)/,
    what: 'the region has no capacity left',
    hint: () => 'try again in some minutes, or use another instance type or zone; a capacity reservation would have kept it',
    retryable: true,
  },
  {
    code: 'not-found',
    names: /NotFound|Malformed$|^NoSuch/,
    what: 'AWS does not know it',
    hint: () => 'check its name, the region, and the account that the credentials belong to',
  },
  {
    code: 'secret-unavailable',
    names: /^CredentialsProviderError$|^ProviderError$/,
    what: 'no AWS credentials are found',
    hint: () => "set AWS_PROFILE or AWS_ACCESS_KEY_ID, run `aws sso login`, or name them with 'credentials'",
  },
]

const networkCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
])

/** An error of the SDK in Holdfast's terms. `details.answered` says whether AWS has refused it as a whole; without it nobody knows what became of it. */
export function awsFailure(
  error: unknown,
  permission: string,
  { region, endpoint }: { readonly region: string; readonly endpoint?: string | undefined },
  redact: (text: string) => string,
): HoldfastError {
  if (error instanceof HoldfastError) return error
  const { name, $fault, $metadata, $retryable } = (error instanceof Error ? error : new Error(String(error))) as SdkError
  const where = endpoint === undefined ? region : `${new URL(endpoint).host} (${region})`
  const said = redact(messageOf(error)).replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '').slice(0, 300)
  const status = $metadata?.httpStatusCode
  const answered = $fault === 'client' || (status !== undefined && status >= 400 && status < 500)
  const details = { permission, region, aws: name, answered, ...(status === undefined ? {} : { status }) }
  const kind =
    kinds.find(({ names }) => names.test(name)) ??
    ($retryable?.throttling === true || status === 429 ? kinds.find(({ what }) => what === 'AWS is throttling') : undefined)
  if (kind !== undefined) {
    return new HoldfastError(kind.code, {
      message: `${permission} in ${where}: ${kind.what}: ${said === '' || said === 'UnknownError' ? name : said}`,
      hint: kind.hint(permission),
      retryable: kind.retryable === true,
      // A refused request was not carried out, also where a busy server refused it.
      details: { ...details, answered: true },
      cause: error,
    })
  }
  const unreachable = networkCodes.has(systemCode(error) ?? '') || name === 'TimeoutError' || name === 'AbortError'
  return new HoldfastError('command-failed', {
    message: unreachable
      ? `${permission}: AWS cannot be reached at ${where}: ${said}`
      : `${permission} in ${where}: ${name}: ${said}`,
    hint: unreachable ? 'check the network, the region and the endpoint' : 'the AWS console of that region may show more',
    retryable: unreachable || $fault === 'server' || (status !== undefined && status >= 500),
    details,
    cause: error,
  })
}

/** Undefined for what AWS does not know. */
export async function orMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'not-found') return undefined
    throw error
  }
}

/** Whether AWS said no to a call, so that it was not carried out. */
export function isRefusal(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && error.details.answered === true
}
