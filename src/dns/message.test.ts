import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isHoldfastError } from '../kernel/index.ts'
import { classes, decodeMessage, encodeMessage, opcodes, types, type Message } from './message.ts'
import { encodeName } from './name.ts'
import { encodeValue, valueProblem, valueText } from './rdata.ts'

const label = fc.stringMatching(/^[a-z0-9_]{1,20}$/)
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => `${labels.join('.')}.`)
const record = fc.record({
  name,
  type: fc.constantFrom(types.A, types.TXT, types.TSIG),
  class: fc.constantFrom(...Object.values(classes)),
  ttl: fc.nat(),
  data: fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data)),
})
const records = fc.array(record, { maxLength: 4 })
const message: fc.Arbitrary<Message> = fc.record({
  id: fc.nat(0xffff),
  opcode: fc.constantFrom(...Object.values(opcodes)),
  bits: fc.constantFrom(0, 0x8000, 0x8400, 0x0100),
  rcode: fc.nat(15),
  questions: fc.array(fc.record({ name, type: fc.nat(255), class: fc.constant(classes.IN) }), { maxLength: 2 }),
  answers: records,
  authority: records,
  additional: records,
})

test('what is written is read as it was', () => {
  fc.assert(
    fc.property(message, (written) => {
      expect(decodeMessage(encodeMessage(written))).toMatchObject(written)
    }),
  )
})

test('bytes that are no message are an error that names the place, and never anything worse', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.tuple(message, fc.nat(), fc.nat(255)).map(([written, at, value]) => {
      const damaged = encodeMessage(written)
      damaged[at % damaged.length] = value
      return damaged
    }),
  )
  fc.assert(
    fc.property(bytes, (damaged) => {
      const offset = offsetOfDamage(damaged)
      expect(offset === undefined || (offset >= 0 && offset <= damaged.length)).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

/** Undefined for what can be read; NaN for an error of another kind. */
function offsetOfDamage(bytes: Uint8Array): number | undefined {
  try {
    decodeMessage(bytes)
    return undefined
  } catch (error) {
    return isHoldfastError(error, 'command-failed') ? Number(error.details.offset) : Number.NaN
  }
}

const header = (answers: number) => [0, 1, 0x84, 0, 0, 0, 0, answers, 0, 0, 0, 0]

test('compressed names are followed, also within the data of an alias', () => {
  const bytes = Buffer.from([
    ...header(2),
    ...encodeName('api.example.'),
    0,
    5,
    0,
    1,
    0,
    0,
    0,
    60,
    0,
    6,
    3,
    0x6e,
    0x65,
    0x77,
    0xc0,
    16,
    0xc0,
    12,
    0,
    1,
    0,
    1,
    0,
    0,
    0,
    60,
    0,
    4,
    10,
    0,
    0,
    1,
  ])
  const { answers } = decodeMessage(bytes)
  expect(answers.map((one) => [one.name, valueText(one.type, one.data)])).toEqual([
    ['api.example.', 'new.example.'],
    ['api.example.', '10.0.0.1'],
  ])
})

test('a name that points at itself does not go round for ever', () => {
  expect(() => decodeMessage(Buffer.from([...header(1), 0xc0, 12]))).toThrow('malformed at byte 12: a name continues at byte 12')
})

test.each([
  ['A', '10.0.0.256', 'is not an IPv4 address'],
  ['A', '2001:db8::1', 'is not an IPv4 address'],
  ['AAAA', '10.0.0.1', 'is not an IPv6 address'],
  ['AAAA', 'fe80::1%eth0', 'is not an IPv6 address'],
  ['CNAME', 'http://api', 'is not a host name'],
  ['TXT', '', undefined],
] as const)('as %s, %j: %s', (type, value, problem) => {
  expect(valueProblem(type, value)).toBe(problem)
})

test.each(['::', '::1', '2001:db8::', '1:2:3:4:5:6:7:8', '2001:db8:0:1::2', '::ffff:a00:1'])(
  '%s is read as it was written',
  (address) => {
    expect(valueText(types.AAAA, encodeValue('AAAA', address))).toBe(address)
  },
)
