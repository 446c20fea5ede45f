import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { HoldfastError, userName } from '../kernel/index.ts'
import { isJsonObject, parseJsonObject } from './json-object.ts'
import { scrypt, type KdfParameters } from './scrypt.ts'
import { seal, sealKeys, tryUnseal, type MasterKey } from './seal.ts'
import { formatTime } from './tree/time.ts'

/** What restic calibrates to on usual machines: about half a second, 32 MiB. */
export const defaultKdf: KdfParameters = { N: 32768, r: 8, p: 5 }

const saltBytes = 64
/** A key file must not be able to ask for all of the memory or for hours. The work, N·r·p, is 50 times restic's usual. */
const limits = { memoryBytes: 1024 ** 3, work: 64 * 1024 ** 2 }

function memoryBytes({ N, r, p }: KdfParameters): number {
  return 128 * r * (N + p + 2)
}

function notAKey(what: string, why: string): HoldfastError {
  return new HoldfastError('object-damaged', { message: `${what} is not a key: ${why}`, details: { what } })
}

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
      created: formatTime(BigInt(created.getTime()) * 1_000_000n),
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
  const { mac, encrypt } = parseJsonObject(plain, (why) => notAKey(what, why))
  const { k, r } = isJsonObject(mac) ? mac : {}
  const master = { encrypt: fromBase64(encrypt), macK: fromBase64(k), macR: fromBase64(r) }
  const sane = master.encrypt.length === 32 && master.macK.length === 16 && master.macR.length === 16
  if (!sane || [master.encrypt, master.macK, master.macR].some((part) => part.every((byte) => byte === 0)))
    throw new HoldfastError('object-damaged', { message: `${what} holds an invalid master key`, details: { what } })
  return master
}

function parseKeyFile(file: Uint8Array, what: string): { kdf: KdfParameters; salt: Buffer; data: Buffer } {
  const { kdf, N, r, p, salt, data } = parseJsonObject(file, (why) => notAKey(what, why))
  if (kdf !== 'scrypt')
    throw new HoldfastError('unsupported-repository', { message: `${what} uses a key derivation other than scrypt` })
  if (![N, r, p].every((n) => Number.isInteger(n) && (n as number) > 0) || typeof salt !== 'string' || typeof data !== 'string')
    throw notAKey(what, 'fields are missing')
  const parameters = { N: N as number, r: r as number, p: p as number }
  const powerOfTwo = Number.isInteger(Math.log2(parameters.N)) && parameters.N > 1
  if (!powerOfTwo || memoryBytes(parameters) > limits.memoryBytes || parameters.N * parameters.r * parameters.p > limits.work)
    throw new HoldfastError('unsupported-repository', { message: `${what} asks for an impossible key derivation` })
  const saltRaw = fromBase64(salt)
  if (saltRaw.length !== saltBytes)
    throw new HoldfastError('object-damaged', { message: `${what} has a salt of ${saltRaw.length} bytes, not ${saltBytes}` })
  return { kdf: parameters, salt: saltRaw, data: fromBase64(data) }
}

async function deriveKey(password: string, salt: Uint8Array, kdf: KdfParameters): Promise<MasterKey> {
  const key = await scrypt(password, salt, 64, kdf)
  return { encrypt: key.subarray(0, 32), macK: key.subarray(32, 48), macR: key.subarray(48, 64) }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

/** Nothing of what is no text. */
function fromBase64(text: unknown): Buffer {
  return Buffer.from(typeof text === 'string' ? text : '', 'base64')
}
