import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HoldfastError, systemCode, writeFileDurably } from '../kernel/index.ts'

/** The private key of this installation, as far as it is needed. */
export interface Signer {
  /** `ed25519:` and the 32 bytes of the public key in base64url. */
  readonly key: string
  /** Base64url. */
  sign(text: string): string
}

/**
 * The key of this installation, made on first need: an Ed25519 private key, PKCS #8 in PEM, readable by its owner alone. Of several
 * processes that make one at once, all get the same. Throws `signing-key-unusable` for a file that holds none: it is never replaced, since
 * records by the old key would then be by nobody that is known.
 */
export async function openSigner(path: string): Promise<Signer> {
  return (await readSigner(path)) ?? (await makeSigner(path))
}

/** Undefined when no key was made yet. */
async function readSigner(path: string): Promise<Signer | undefined> {
  let pem: string
  try {
    pem = await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return signerOf(key)
  } catch (cause) {
    throw unusable(path, cause)
  }
  throw unusable(path)
}

function unusable(path: string, cause?: unknown): HoldfastError {
  return new HoldfastError('signing-key-unusable', {
    message: `${path} holds no Ed25519 key`,
    hint: 'put the key back from a copy; or move the file away for a new key, and name that in the catalog: ledger.keys',
    cause,
    details: { path },
  })
}

async function makeSigner(path: string): Promise<Signer> {
  const { privateKey } = generateKeyPairSync('ed25519')
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  try {
    await writeFileDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { exclusive: true })
    return signerOf(privateKey)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
  return openSigner(path)
}

function signerOf(privateKey: KeyObject): Signer {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  return { key: `ed25519:${x}`, sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url') }
}

const publicKeys = new Map<string, KeyObject>()

/** Whether `signature` (base64url) was made over `text` with `key`; false for a key that is none. */
export function isSignedBy(key: string, text: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64url')
  // Of the texts that decode to the same bytes only one is the signature.
  if (bytes.toString('base64url') !== signature) return false
  try {
    return verify(null, Buffer.from(text), publicKey(key), bytes)
  } catch {
    return false
  }
}

function publicKey(key: string): KeyObject {
  const known = publicKeys.get(key)
  if (known) return known
  const made = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: key.slice('ed25519:'.length) } })
  publicKeys.set(key, made)
  return made
}
