import { sha256Hex } from '../../kernel/index.ts'
import { expect, test } from 'vitest'
import { ManifestReader, type ManifestFile } from './manifest.ts'

const body = `{ "PostgreSQL-Backup-Manifest-Version": 2,
"System-Identifier": 7711161590535588694,
"Files": [
{ "Path": "backup_label", "Size": 201, "Last-Modified": "2026-11-23 00:45:16 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "${'a'.repeat(64)}" },
{ "Encoded-Path": "ff2f61", "Size": 3, "Last-Modified": "2026-11-23 00:45:15 GMT" }
],
"WAL-Ranges": [
{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120" }
],
`
const manifest = `${body}"Manifest-Checksum": "${sha256Hex(body)}"}\n`

function read(text: string, pieceBytes = 50): { reader: ManifestReader; files: ManifestFile[] } {
  const files: ManifestFile[] = []
  const reader = new ManifestReader((file) => files.push(file))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.update(bytes.subarray(at, at + pieceBytes))
  reader.end()
  return { reader, files }
}

test.each([1, 7, 50, 10_000])(
  'a manifest is read in pieces of %i bytes, and its large numbers keep every digit',
  (pieceBytes) => {
    const { reader, files } = read(manifest, pieceBytes)
    expect(reader.systemIdentifier).toBe('7711161590535588694')
    expect(reader.walRanges).toEqual([{ timeline: 1, startLsn: '0/2000028', endLsn: '0/2000120' }])
    expect(files.map(({ path, sizeBytes, checksum }) => [path, sizeBytes, checksum])).toEqual([
      ['backup_label', 201, 'a'.repeat(64)],
      ['\ufffd/a', 3, undefined],
    ])
  },
)

test.each([
  ['an altered size', manifest.replace('"Size": 201', '"Size": 202')],
  ['an altered identifier', manifest.replace('7711161590535588694', '7711161590535588695')],
  ['a cut end', manifest.slice(0, -80)],
  ['a missing line', manifest.replace(/\{ "Encoded-Path.*\n/, '')],
])('%s is found', (_, altered) => {
  expect(() => read(altered)).toThrow(expect.objectContaining({ code: 'object-damaged' }))
})
