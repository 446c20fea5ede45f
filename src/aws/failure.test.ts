import { expect, test } from 'vitest'
import { HoldfastError } from '../kernel/index.ts'
import { awsFailure, isRefusal } from './failure.ts'

/** An error as the SDK makes it. */
function sdkError(name: string, more: object = {}, message = 'what AWS said.'): Error {
  return Object.assign(new Error(message), { name, ...more })
}

const failed = (error: unknown, target: { region: string; endpoint?: string } = { region: 'eu-west-1' }) =>
  awsFailure(error, 'rds:PromoteReadReplica', target, (text) => text.replaceAll('s3cret', '***'))

test.each([
  ['ExpiredToken', 'permission-denied', 'have expired'],
  ['InvalidClientTokenId', 'permission-denied', 'does not accept the credentials'],
  ['AccessDenied', 'permission-denied', 'refuses it'],
  ['UnauthorizedOperation', 'permission-denied', 'refuses it'],
  ['DBInstanceNotFoundFault', 'not-found', 'does not know it'],
  ['NoSuchHostedZone', 'not-found', 'does not know it'],
  ['InvalidInstanceID.Malformed', 'not-found', 'does not know it'],
  ['CredentialsProviderError', 'secret-unavailable', 'no AWS credentials are found'],
])('%s is %s, whatever HTTP status it came with', (name, code, what) => {
  const error = failed(sdkError(name, { $fault: 'client', $metadata: { httpStatusCode: 400 } }))
  expect(error).toMatchObject({ code, retryable: false })
  expect(error.message).toBe(`rds:PromoteReadReplica in eu-west-1: ${error.message.split(': ')[1]}: what AWS said`)
  expect(error.message).toContain(what)
  expect(error.hint).toBeDefined()
})

test.each(['Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'SlowDown', 'TooManyRequestsException'])(
  '%s may be tried again, and was not carried out',
  (name) => {
    const error = failed(sdkError(name, { $fault: 'server', $metadata: { httpStatusCode: 503 } }))
    expect(error).toMatchObject({ code: 'command-failed', retryable: true })
    expect(isRefusal(error)).toBe(true)
  },
)

test('whether a call was carried out is not known of a server that failed or did not answer', () => {
  for (const error of [
    sdkError('InternalFailure', { $fault: 'server', $metadata: { httpStatusCode: 500 } }),
    sdkError('TimeoutError'),
    Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }),
  ]) {
    expect(failed(error)).toMatchObject({ code: 'command-failed', retryable: true })
    expect(isRefusal(failed(error))).toBe(false)
  }
  expect(isRefusal(failed(sdkError('InvalidDBInstanceState', { $fault: 'client', $metadata: { httpStatusCode: 400 } })))).toBe(
    true,
  )
})

test('the endpoint is named, and no secret is', () => {
  const error = failed(Object.assign(new Error('connect to s3cret'), { code: 'ECONNREFUSED' }), {
    region: 'us-west-2',
    endpoint: 'http://127.0.0.1:5000/path',
  })
  expect(error.message).toBe('rds:PromoteReadReplica: AWS cannot be reached at 127.0.0.1:5000 (us-west-2): connect to ***')
})

test('an error of our own stays what it is', () => {
  const own = new HoldfastError('secret-unavailable', { message: 'none' })
  expect(failed(own)).toBe(own)
})
