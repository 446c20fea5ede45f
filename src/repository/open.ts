import { HoldfastError, isHoldfastError, sha256Hex, shortId } from '../kernel/index.ts'
import type { Backend } from '../storage/index.ts'
import { decodeConfig, encodeConfig, generateConfig } from './config.ts'
import type { Repository } from './contract.ts'
import { decodeKeyFile, encodeKeyFile, generateMasterKey } from './key-file.ts'
import type { KdfParameters } from './scrypt.ts'
import type { LockTimes } from './locks/held-lock.ts'
import { OpenedRepository } from './opened-repository.ts'
import { sealKeys, type MasterKey } from './seal.ts'

export interface CreateOptions {
  /** Work of the key derivation; default as restic's. */
  readonly kdf?: KdfParameters
  /** Another repository's, so that both cut alike and copies share blobs. */
  readonly chunkerPolynomial?: bigint
}

/** As many keys are tried with one password; each costs about half a second. restic's figure. */
const maxKeysTried = 20

/**
 * Makes a repository: folders, a key, then the config, without which it does not exist. Throws `repository-exists` where there is one, or
 * its remains.
 */
export async function createRepository(
  backend: Backend,
  password: string,
  { kdf, chunkerPolynomial }: CreateOptions = {},
  signal?: AbortSignal,
): Promise<Repository> {
  if (password === '')
    throw new HoldfastError('usage', { message: 'the password is empty', hint: 'give one that nobody guesses' })
  await refuseExisting(backend, signal)
  await backend.prepare?.(signal)
  const masterKey = generateMasterKey()
  const key = await encodeKeyFile(masterKey, password, kdf && { kdf })
  const keyId = sha256Hex(key)
  await backend.put('keys', keyId, key, signal && { signal })
  const config = generateConfig(chunkerPolynomial)
  await backend.put('config', '', encodeConfig(sealKeys(masterKey), config), { ifAbsent: true, ...(signal && { signal }) })
  return new OpenedRepository({ backend, masterKey, keyId, config })
}

async function refuseExisting(backend: Backend, signal?: AbortSignal): Promise<void> {
  const { location } = backend
  const details = { location }
  if ((await backend.stat('config', '', signal)) !== undefined)
    throw new HoldfastError('repository-exists', {
      message: `there is a repository at ${location} already`,
      hint: 'use it as it is, or choose another place',
      details,
    })
  for (const kind of ['keys', 'snapshots'] as const) {
    for await (const _ of backend.list(kind, '', signal)) {
      throw new HoldfastError('repository-exists', {
        message: `${location} has no config, but something in ${kind}: a repository that lost its config, or one whose making was interrupted`,
        hint: `bring back its config from a copy; only when it never held a snapshot, empty ${location} and run this again`,
        details,
      })
    }
  }
}

/**
 * Opens a repository. Throws `no-repository` where there is nothing, `not-a-repository` where there is something else, `wrong-password`
 * when no key opens, `unsupported-repository`, and `object-damaged` for a damaged config.
 */
export async function openRepository(
  backend: Backend,
  password: string,
  signal?: AbortSignal,
  options: { readonly lockTimes?: LockTimes } = {},
): Promise<Repository> {
  if ((await backend.stat('config', '', signal)) === undefined) throw await noRepository(backend, signal)
  const { masterKey, keyId } = await unlockMasterKey(backend, password, signal)
  const config = decodeConfig(sealKeys(masterKey), await backend.get('config', '', signal && { signal }))
  return new OpenedRepository({ backend, masterKey, keyId, config, ...options })
}

async function noRepository(backend: Backend, signal?: AbortSignal): Promise<HoldfastError> {
  const { location } = backend
  const occupancy = (await backend.occupancy?.(signal)) ?? 'missing'
  if (occupancy === 'occupied')
    return new HoldfastError('not-a-repository', {
      message: `${location} is not a repository: it has no config`,
      hint: `check the path; \`holdfast --repo ${location} init\` would make one there`,
      details: { location },
    })
  return new HoldfastError('no-repository', {
    message: occupancy === 'empty' ? `${location} is empty: there is no repository` : `there is no repository at ${location}`,
    hint: `check the path (is the medium mounted?), or make one with \`holdfast --repo ${location} init\``,
    details: { location },
  })
}

async function unlockMasterKey(
  backend: Backend,
  password: string,
  signal?: AbortSignal,
): Promise<{ masterKey: MasterKey; keyId: string }> {
  let tried = 0
  let damaged: unknown
  for await (const { name } of backend.list('keys', '', signal)) {
    if (tried++ >= maxKeysTried) break
    signal?.throwIfAborted()
    try {
      const file = await backend.get('keys', name, signal && { signal })
      const masterKey = await decodeKeyFile(file, password, `key ${shortId(name)}`)
      if (masterKey) return { masterKey, keyId: name }
      // What was altered is opened by no password: that must not send anybody looking for another one.
      if (sha256Hex(file) !== name) damaged ??= alteredKey(name, file.length)
    } catch (error) {
      // Another key may open it; if none does, the damage is told.
      if (!isHoldfastError(error, 'object-damaged') && !isHoldfastError(error, 'unsupported-repository')) throw error
      damaged ??= error
    }
  }
  if (damaged !== undefined) throw damaged
  if (tried === 0)
    throw new HoldfastError('object-damaged', {
      message: `${backend.location} has no key: without one nothing in it can be read`,
      hint: 'bring back a file of its folder `keys` from a copy',
    })
  throw new HoldfastError('wrong-password', {
    message: `the password does not open ${tried === 1 ? 'the key' : `any of the ${tried} keys`} of ${backend.location}`,
    hint: 'check the password file; white space at the ends of a password file does not count',
  })
}

function alteredKey(name: string, sizeBytes: number): HoldfastError {
  return new HoldfastError('object-damaged', {
    message: `key ${shortId(name)} does not match its name: its ${sizeBytes} bytes were altered or truncated, so no password opens it`,
    hint: `bring back keys/${name} from a copy of the repository`,
    details: { kind: 'keys', name },
  })
}
