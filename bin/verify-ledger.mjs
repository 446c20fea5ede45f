#!/usr/bin/env node
// Verifies an export of Holdfast's ledger (`holdfast ledger export`) without Holdfast: this one file, and Node.js 18 or newer.
// What it checks, and what it cannot: docs/formats/ledger-export.md.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { createReadStream, readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const usage = `usage: node verify-ledger.mjs EXPORT (--key KEY | --keys FILE)... [--head HASH]... [--after EXPORT]... [--json]
       node verify-ledger.mjs --help

  EXPORT          a file that \`holdfast ledger export\` wrote; - for standard input
  --key KEY       a public key that is known (ed25519:...)
  --keys FILE     all public keys that stand in a file, such as the catalog
  --head HASH     the hash of a record, noted before, that must be there
  --after EXPORT  an older export: all that it holds must still be there
  --json          the result as JSON

exit code: 0 everything is as it was written, 1 it is not, or nothing was verified, 2 usage, or a file that cannot be read`

const genesis = '0'.repeat(64)
const hashText = /^[0-9a-f]{64}$/
const keyText = /ed25519:[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/g

/**
 * Verifies an export.
 * lines: an iterable, or async iterable, of the lines as Buffers, each with its line feed.
 * known: { keys: Iterable<string>, heads?: Iterable<string> }
 * Gives { verdict: 'ok' | 'damaged', records, signatures, ledgers, findings: [{ code, line, ... }] }.
 */
export async function verifyExport(lines, known) {
  return (await examineExport(lines, known)).result
}

/** As verifyExport, with the hashes of all records. */
async function examineExport(lines, { keys, heads = [] }) {
  const known = new Set(keys)
  const findings = []
  const signatures = { known: 0, unknown: 0, unsigned: 0, wrong: 0 }
  const ledgers = new Map()
  const digest = createHash('sha256')
  let line = 0
  let end
  const find = (code, more = {}) => {
    findings.push({ code, line, ...more })
  }

  for await (const bytes of lines) {
    line++
    if (end) {
      find('behind-the-end')
      continue
    }
    const text = decode(bytes)
    const value = text === undefined ? undefined : parse(text)
    if (value === undefined) {
      find('not-an-export-line')
    } else if (line === 1) {
      readHeader(value)
    } else if (isMembers(value.end)) {
      readEnd(value)
      continue
    } else {
      readLine(value, text)
    }
    digest.update(bytes)
  }
  if (!end) find('cut-off')
  const hashes = new Set()
  for (const ledger of ledgers.values()) for (const hash of ledger.hashes.values()) hashes.add(hash)
  for (const head of heads) if (!hashes.has(head)) find('head-missing', { head })
  for (const [id, ledger] of ledgers) for (const seen of ledger.seen) checkSeen(id, seen)
  const records = [...ledgers.values()].reduce((sum, ledger) => sum + ledger.hashes.size, 0)
  if (records === 0) find('nothing-verified')
  const result = {
    verdict: findings.length === 0 ? 'ok' : 'damaged',
    time: end?.time,
    records,
    signatures,
    ledgers: [...ledgers].map(([id, ledger]) => ({
      id,
      repository: ledger.repository,
      records: ledger.count,
      head: ledger.hashes.get(ledger.place) ?? null,
    })),
    findings,
  }
  return { result, hashes }

  function readHeader({ format, version, ledgers: named }) {
    const isNamed =
      Array.isArray(named) && named.every((one) => typeof one?.id === 'string' && typeof one.repository === 'string')
    if (format !== 'holdfast-ledger-export' || version !== 1 || !isNamed) {
      find('not-an-export')
      return
    }
    // hashes: by place. last: that of the newest record that could be read.
    const empty = { count: 0, place: 0, last: genesis, signingBegan: false, lost: 0 }
    for (const { id, repository } of named)
      ledgers.set(id, { ...empty, repository, hashes: new Map(), writers: new Map(), seen: [] })
  }

  function readLine({ ledger: id, record, damaged }, text) {
    const ledger = ledgers.get(id)
    if (ledger && isPlace(damaged)) {
      takePlace(ledger, { ledger: id, seq: damaged })
      ledger.lost++
      find('damaged-when-exported', { ledger: id, seq: damaged })
    } else if (!ledger || !isMembers(record) || !isPlace(record.seq)) {
      find('not-an-export-line')
    } else {
      const canonical = canonicalJson(record)
      // Only one text stands for one record.
      if (text === `{"ledger":${JSON.stringify(id)},"record":${canonical}}`) readRecord(ledger, id, record, canonical)
      else find('not-canonical', { ledger: id })
    }
  }

  /** Behind a hole the next place is that behind the record that stands there. */
  function takePlace(ledger, about) {
    const expected = ledger.place + 1
    if (about.seq !== expected) find('out-of-order', { ...about, expected })
    // What is missing has this finding: its writers' gaps are none of their own.
    if (about.seq > expected) ledger.lost += about.seq - expected
    ledger.count++
    ledger.place = Math.max(ledger.place, about.seq)
  }

  function readRecord(ledger, id, record, canonical) {
    const { seq, prev, writer, signature, seen } = record
    const about = { ledger: id, seq }
    const hash = sha256(canonical)
    takePlace(ledger, about)
    // Behind a damaged record the chain goes on from the newest readable one.
    if (prev !== ledger.last) find('chain-broken', about)
    ledger.last = hash
    if (!ledger.hashes.has(seq)) ledger.hashes.set(seq, hash)
    if (writer === undefined && signature === undefined) {
      if (ledger.signingBegan) find('unsigned', about)
      else signatures.unsigned++
      return
    }
    if (!isMembers(writer) || !isPlace(writer.n) || !isSignedBy(writer.key, signedText(canonical, signature), signature)) {
      signatures.wrong++
      find('wrong-signature', about)
      return
    }
    if (known.has(writer.key)) signatures.known++
    else {
      signatures.unknown++
      find('unknown-key', { ...about, key: writer.key })
    }
    ledger.signingBegan = true
    if (record.ledger !== id) find('other-ledger', { ...about, other: record.ledger })
    followWriter(ledger, about, writer, hash)
    for (const [other, head] of Object.entries(seen ?? {})) ledger.seen.push({ seq, other, head })
  }

  function followWriter(ledger, about, { key, n, prev }, hash) {
    const last = ledger.writers.get(key) ?? { n: 0, hash: genesis, lost: 0 }
    if (n > last.n + 1 + ledger.lost - last.lost) find('writer-gap', { ...about, key, from: last.n + 1, to: n - 1 })
    else if (n <= last.n || (n === last.n + 1 && prev !== last.hash)) find('writer-fork', { ...about, key, n })
    ledger.writers.set(key, { n: Math.max(n, last.n), hash, lost: ledger.lost })
  }

  /** A record names the newest one of another ledger that its writer had seen: it must be there. */
  function checkSeen(id, { seq, other, head }) {
    const named = ledgers.get(other)
    if (named && named.hashes.get(head?.seq) !== head?.hash)
      find('seen-missing', { ledger: other, seq: head?.seq, by: id, bySeq: seq })
  }

  function readEnd(value) {
    end = value.end
    const { key, signature } = value
    const counts = Object.fromEntries([...ledgers].map(([id, { count }]) => [id, count]))
    if (end.lines !== line - 1 || end.sha256 !== digest.copy().digest('hex')) find('not-as-exported')
    if (canonicalJson(end.records) !== canonicalJson(counts)) find('records-missing', { expected: end.records, found: counts })
    if (!isSignedBy(key, `holdfast-ledger-export\n${canonicalJson(end)}`, signature))
      find('wrong-signature', { of: 'the export' })
    else if (!known.has(key)) find('unknown-key', { of: 'the export', key })
  }
}

/** Whether it is an object with members, and no list. */
function isMembers(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** Whether it can be the number of a record. */
function isPlace(value) {
  return Number.isSafeInteger(value) && value > 0
}

/** The text of a line without its line feed; undefined when it has none, or is not UTF-8. */
function decode(bytes) {
  if (bytes.at(-1) !== 10) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, -1))
  } catch {
    return undefined
  }
}

/** Only canonical JSON stands in an export. */
function parse(text) {
  try {
    const value = JSON.parse(text)
    return isMembers(value) && canonicalJson(value) === text ? value : undefined
  } catch {
    return undefined
  }
}

/** RFC 8785 for what occurs in a ledger. */
function canonicalJson(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const members = Object.keys(value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`).join(',')}}`
}

function signedText(canonical, signature) {
  return `holdfast-ledger-record\n${canonical.replace(`,"signature":${JSON.stringify(signature)}`, '')}`
}

function isSignedBy(key, text, signature) {
  try {
    const bytes = Buffer.from(signature, 'base64url')
    // Of the texts that decode to the same bytes only one is the signature.
    if (bytes.toString('base64url') !== signature) return false
    return verify(null, Buffer.from(text), publicKeyOf(key), bytes)
  } catch {
    return false
  }
}

const publicKeys = new Map()

function publicKeyOf(key) {
  const read = publicKeys.get(key)
  if (read) return read
  const made = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: key.slice('ed25519:'.length) } })
  publicKeys.set(key, made)
  return made
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex')
}

/** The lines of a stream as Buffers, each with its line feed; what stands behind the last one is a line without. */
export async function* linesOf(stream) {
  let rest = []
  for await (const chunk of stream) {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, at + 1)])
      rest = []
      from = at + 1
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
  }
  if (rest.length > 0) yield Buffer.concat(rest)
}

/** What says that an older export is not whole: then what is missing in it would not be missed in the newer one. */
const notWhole = new Set([
  'not-an-export',
  'not-an-export-line',
  'not-canonical',
  'behind-the-end',
  'cut-off',
  'not-as-exported',
  'records-missing',
  'nothing-verified',
])

/** The hashes of all records of an older export. */
async function hashesOf(path) {
  const { result, hashes } = await examineExport(linesOf(createReadStream(path)), { keys: [] })
  const wrong = result.findings.find(({ code }) => notWhole.has(code))
  if (wrong) throw new Error(`${path} is no whole export (line ${wrong.line}: ${wrong.code}): nothing can be held against it`)
  return hashes
}

async function main(args) {
  /** @type {{ keys: string[], heads: string[] }} */
  const given = { keys: [], heads: [] }
  let path
  let json = false
  while (args.length > 0) {
    const arg = args.shift()
    const value = () => {
      if (args.length === 0) fail(`${arg} needs a value`)
      return args.shift()
    }
    if (arg === '--help' || arg === '-h') {
      process.stdout.write(`${usage}\n`)
      return
    }
    if (arg === '--json') json = true
    else if (arg === '--key') given.keys.push(value())
    else if (arg === '--keys') given.keys.push(...(readFileSync(value(), 'utf8').match(keyText) ?? []))
    else if (arg === '--head') given.heads.push(value())
    else if (arg === '--after') for (const hash of await hashesOf(value())) given.heads.push(hash)
    else if (path === undefined && (arg === '-' || !arg.startsWith('-'))) path = arg
    else fail(`what is '${arg}'?`)
  }
  if (path === undefined) fail('which export?')
  if (given.keys.length === 0) fail('no public key is given: without one nothing is proven')
  for (const key of given.keys) if (key.replace(keyText, '') !== '') fail(`'${key}' is not a public key`)
  for (const head of given.heads) if (!hashText.test(head)) fail(`'${head}' is not a hash: 64 hex digits`)
  const result = await verifyExport(linesOf(path === '-' ? process.stdin : createReadStream(path)), given)
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : textOf(result, given))
  process.exitCode = result.verdict === 'ok' ? 0 : 1
}

function textOf({ verdict, time, records, signatures, ledgers, findings }, { heads }) {
  const { known, unsigned } = signatures
  const lines = findings.slice(0, 50).map(({ code, line, ...more }) => `line ${line}: ${code} ${JSON.stringify(more)}`)
  if (findings.length > 50) lines.push(`and ${findings.length - 50} more`)
  lines.push(
    `${verdict}: ${records} records, ${known} signed by known keys, ${unsigned} from before signing began; exported ${time ?? 'at an unknown time'}`,
  )
  for (const { repository, id, records: count, head } of ledgers)
    lines.push(`${repository} (${id.slice(0, 8)}): ${count} records, head ${head}`)
  if (heads.length === 0)
    lines.push('note: whether an older state was put in place of this one shows only with --after or --head')
  // What a name in the export would make a terminal do is taken out.
  return `${lines.join('\n').replace(/[^\n\P{C}]/gu, '?')}\n`
}

/** Why a file could not be read, in words. */
function whyNot(error) {
  if (!(error instanceof Error)) return String(error)
  if (error.code === 'ENOENT') return `there is no file ${error.path}`
  if (error.code === 'EISDIR') return `${error.path ?? 'the export'} is a folder: name the file`
  if (error.code === 'EACCES') return `${error.path} may not be read by this user`
  return error.message
}

function fail(message) {
  process.stderr.write(`verify-ledger: ${message}\n\n${usage}\n`)
  process.exit(2)
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    process.stderr.write(`verify-ledger: ${whyNot(error)}\n`)
    process.exit(2)
  })
}
