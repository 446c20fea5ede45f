import { expect, test } from 'vitest'
import { readSettings, replaceSettings } from './settings-file.ts'

const text = `# a comment
max_connections = 100 # another
Primary_ConnInfo = 'host=a password=''x'' # no comment'
include 'other.conf'
restore_command='cp a b'
`

test('settings are read as PostgreSQL reads them', () => {
  expect(readSettings(text)).toEqual([
    { name: 'max_connections', value: '100' },
    { name: 'primary_conninfo', value: "host=a password='x' # no comment" },
    { name: 'restore_command', value: 'cp a b' },
  ])
})

test('replacing takes out every assignment of a name, whatever its case, and quotes the new ones', () => {
  const replaced = replaceSettings(text, new Set(['primary_conninfo', 'restore_command']), { restore_command: "it's C:\\x" })
  expect(replaced).toBe(`# a comment
max_connections = 100 # another
include 'other.conf'
restore_command = 'it''s C:\\\\x'
`)
})
