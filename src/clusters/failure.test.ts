import { expect, test } from 'vitest'
import { asUnknown, noAnswer, refusal } from './failure.ts'

const asked = { cluster: 'dr', server: 'https://dr.example:6443', what: 'patch Deployment shop/web' }
const status = (message: string, more: object = {}) => JSON.stringify({ kind: 'Status', message, ...more })

test.each([
  [401, 'permission-denied', 'credentials are not accepted', false],
  [403, 'permission-denied', 'forbidden', false],
  [404, 'not-found', 'does not exist', false],
  [409, 'command-failed', 'conflicts', false],
  [422, 'command-failed', 'refused (422)', false],
  [429, 'command-failed', 'too much to do', true],
])('an answer of %i is %s, and nothing was done', (code, expected, what, retryable) => {
  const error = refusal(code, status('what it says.'), asked)
  expect(error).toMatchObject({ code: expected, retryable, details: { answered: true } })
  expect(error.message).toMatch(/^patch Deployment shop\/web \(cluster dr\): .*: what it says$/)
  expect(error.message).toContain(what)
  expect(asUnknown(error)).toBe(error)
})

test.each([500, 503, 504])('after an answer of %i nobody knows whether a change was made', (code) => {
  const error = refusal(code, 'upstream connect error', asked)
  expect(error).toMatchObject({ code: 'command-failed', retryable: true, message: expect.stringContaining('upstream') as string })
  expect(asUnknown(error)).toMatchObject({ code: 'outcome-unknown', retryable: true })
})

test.each([
  ['ECONNREFUSED', 'cannot be reached', 'command-failed'],
  ['ENOTFOUND', 'cannot be reached', 'command-failed'],
  ['UND_ERR_CONNECT_TIMEOUT', 'cannot be reached', 'command-failed'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate is not trusted', 'command-failed'],
  ['ECONNRESET', 'cannot be reached', 'outcome-unknown'],
  ['UND_ERR_SOCKET', 'cannot be reached', 'outcome-unknown'],
])('without an answer, because of %s, it %s, and a change is %s', (code, what, expected) => {
  // As fetch gives it.
  const error = noAnswer(
    new TypeError('fetch failed', { cause: Object.assign(new Error('what the system said'), { code }) }),
    asked,
  )
  expect(error.message).toContain(what)
  expect(error.message).toContain('what the system said')
  expect(error.hint).toBeDefined()
  expect(asUnknown(error)).toMatchObject({ code: expected })
})
