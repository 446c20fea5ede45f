import { randomBytes, scrypt } from 'node:crypto'
import { hostname } from 'node:os'
import { HoldfastError, messageOf, userName } from '../kernel/index.ts'
import { seal, sealKeys, tryUnseal, type MasterKey } from './seal.ts'

/** Work of the key derivation. Memory is 128·N·r bytes. */
export interface KdfParameters {
  readonly N: number
  readonly r: number
  readonly p: number
}

/** What restic calibrates to on usual machines: about half a second, 32 MiB. */
export const defaultKdf: KdfParameters = { N: 32768, r: 8, p: 5 }

const saltBytes = 64
/** A key file must not be able to ask for all of the memory or for hours. */
const limits = { memoryBytes: 1024 ** 3, p: 1024 }

export function generateMasterKey(): MasterKey {
  return { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) }
}

export interface KeyFileOptions {
  readonly kdf?: KdfParameters
  readonly created?: Date
  /** Whose key it is said to be, and where it was made: for people. */
  readonly user?: string
  readonly host?: string
}

/** The JSON of a key file that opens `master` with `password`. Stored as it is; its name is its SHA-256. */
export async function encodeKeyFile(
  master: MasterKey,
  password: string,
  { kdf = defaultKdf, created = new Date(), user = userName(), host = hostname() }: KeyFileOptions = {},
): Promise<Uint8Array> {
  const salt = randomBytes(saltBytes)
  const wrapping = await deriveKey(password, salt, kdf)
  const data = seal(sealKeys(wrapping), Buffer.from(masterKeyJson(master)))
  return Buffer.from(
    JSON.stringify({
      created: created.toISOString(),
      username: user,
      hostname: host,
      kdf: 'scrypt',
      N: kdf.N,
      r: kdf.r,
      p: kdf.p,
      salt: toBase64(salt),
      data: toBase64(data),
    }),
  )
}

/** As restic writes it, inside its seal and with `cat masterkey`. */
export function masterKeyJson(master: MasterKey): string {
  return JSON.stringify({
    mac: { k: toBase64(master.macK), r: toBase64(master.macR) },
    encrypt: toBase64(master.encrypt),
  })
}

/**
 * The master key in a key file; undefined when the password does not open it. Throws `object-damaged` when the file is not a key at all,
 * `unsupported-repository` when it wants an unknown or absurd key derivation.
 */
export async function decodeKeyFile(file: Uint8Array, password: string, what: string): Promise<MasterKey | undefined> {
  const key = parseKeyFile(file, what)
  const wrapping = await deriveKey(password, key.salt, key.kdf)
  const plain = tryUnseal(sealKeys(wrapping), key.data)
  if (plain === undefined) return undefined
  const { mac, encrypt } = JSON.parse(Buffer.from(plain).toString('utf8')) as {
    mac: { k: string; r: string }
    encrypt: string
  }
  const master = { encrypt: fromBase64(encrypt), macK: fromBase64(mac.k), macR: fromBase64(mac.r) }
  const sane = master.encrypt.length === 32 && master.macK.length === 16 && master.macR.length === 16
  if (!sane || [master.encrypt, master.macK, master.macR].some((part) => part.every((byte) => byte === 0)))
    throw new HoldfastError('object-damaged', { message: `${what} holds an invalid master key`, details: { what } })
  return master
}

function parseKeyFile(file: Uint8Array, what: string): { kdf: KdfParameters; salt: Buffer; data: Buffer } {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(file).toString('utf8'))
  } catch (error) {
    throw new HoldfastError('object-damaged', { message: `${what} is not a key: ${messageOf(error)}`, details: { what } })
  }
  const { kdf, N, r, p, salt, data } = (parsed ?? {}) as Record<string, unknown>
  if (kdf !== 'scrypt')
    throw new HoldfastError('unsupported-repository', { message: `${what} uses a key derivation other than scrypt` })
  if (![N, r, p].every((n) => Number.isInteger(n) && (n as number) > 0) || typeof salt !== 'string' || typeof data !== 'string')
    throw new HoldfastError('object-damaged', { message: `${what} is not a key: fields are missing`, details: { what } })
  const parameters = { N: N as number, r: r as number, p: p as number }
  const powerOfTwo = Number.isInteger(Math.log2(parameters.N)) && parameters.N > 1
  if (!powerOfTwo || 128 * parameters.N * parameters.r > limits.memoryBytes || parameters.p > limits.p)
    throw new HoldfastError('unsupported-repository', { message: `${what} asks for an impossible key derivation` })
  const saltRaw = fromBase64(salt)
  if (saltRaw.length !== saltBytes)
    throw new HoldfastError('object-damaged', { message: `${what} has a salt of ${saltRaw.length} bytes, not ${saltBytes}` })
  return { kdf: parameters, salt: saltRaw, data: fromBase64(data) }
}

async function deriveKey(password: string, salt: Uint8Array, { N, r, p }: KdfParameters): Promise<MasterKey> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  scrypt(password, salt, 64, { N, r, p, maxmem: 128 * N * r * 2 + 1024 * 1024 * p }, (error, key) => {
    if (error) reject(error)
    else resolve(key)
  })
  const key = await promise
  return { encrypt: key.subarray(0, 32), macK: key.subarray(32, 48), macR: key.subarray(48, 64) }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64')
}
