import { HoldfastError, randomHex } from '../kernel/index.ts'
import { parseJsonObject, shownJson } from './json-object.ts'
import { degreeOf, isIrreducible, polynomialDegree, randomPolynomial } from './polynomial.ts'
import { seal, tryUnseal, type SealKeys } from './seal.ts'

export interface RepositoryConfig {
  readonly version: 1 | 2
  /** 64 hex digits, random, for ever. */
  readonly id: string
  /** Irreducible over GF(2), of degree 53: where content is cut. */
  readonly chunkerPolynomial: bigint
}

/** `polynomial` from another repository makes both cut alike, so that copies share blobs. */
export function generateConfig(polynomial: bigint = randomPolynomial()): RepositoryConfig {
  return { version: 2, id: randomHex(32), chunkerPolynomial: polynomial }
}

/** The stored form: sealed JSON, never compressed. */
export function encodeConfig(keys: SealKeys, { version, id, chunkerPolynomial }: RepositoryConfig): Uint8Array {
  return seal(keys, Buffer.from(JSON.stringify({ version, id, chunker_polynomial: chunkerPolynomial.toString(16) })))
}

/** Throws `object-damaged` when it does not authenticate, `unsupported-repository` for versions and chunkers we do not honour. */
export function decodeConfig(keys: SealKeys, stored: Uint8Array): RepositoryConfig {
  const fields = parseJsonObject(unsealConfig(keys, stored), unreadable)
  const { version, id, chunker_polynomial: hex, chunker } = fields
  if (version !== 1 && version !== 2)
    throw unsupported(`its format has version ${shownJson(version)}, not 1 or 2`, 'use a newer Holdfast')
  // rustic's additions. Anything but the standard chunker would cut elsewhere than we do.
  if (chunker !== undefined && chunker !== 'rabin') throw unsupported(`its content is cut by ${shownJson(chunker)}, not by Rabin`)
  for (const [name, standard] of Object.entries({ chunk_size: 1 << 20, chunk_min_size: 512 << 10, chunk_max_size: 8 << 20 })) {
    if (fields[name] !== undefined && fields[name] !== standard)
      throw unsupported(`it sets ${name} to ${shownJson(fields[name])}`)
  }
  if (typeof id !== 'string' || !/^[0-9a-f]{64}$/.test(id) || typeof hex !== 'string' || !/^[0-9a-f]{1,16}$/.test(hex))
    throw unreadable('it has no valid id or chunker polynomial')
  const chunkerPolynomial = BigInt(`0x${hex}`)
  if (degreeOf(chunkerPolynomial) !== polynomialDegree)
    throw unsupported(`its chunker polynomial has the degree ${degreeOf(chunkerPolynomial)}, not ${polynomialDegree}`)
  if (!isIrreducible(chunkerPolynomial)) throw unsupported('its chunker polynomial is not irreducible')
  return { version, id, chunkerPolynomial }
}

function unreadable(why: string): HoldfastError {
  return new HoldfastError('object-damaged', {
    message: `the repository's config is not readable: ${why}`,
    hint: 'bring back the file `config` from a copy of the repository',
    details: { kind: 'config' },
  })
}

function unsealConfig(keys: SealKeys, stored: Uint8Array): Uint8Array {
  const plaintext = tryUnseal(keys, stored)
  if (plaintext !== undefined) return plaintext
  throw new HoldfastError('object-damaged', {
    message: `the repository's config does not authenticate: its ${stored.length} bytes were altered or truncated`,
    // No check gets further than this, and nothing else says where content is cut.
    hint: 'bring back the file `config` from a copy of the repository',
    details: { kind: 'config' },
  })
}

function unsupported(why: string, hint?: string): HoldfastError {
  return new HoldfastError('unsupported-repository', {
    message: `this repository cannot be used: ${why}`,
    ...(hint === undefined ? {} : { hint }),
  })
}
