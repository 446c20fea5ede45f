import { expect, test } from 'vitest'
import { settingsOf } from './data-directory.ts'

test('how a server was started is read from what it wrote down, to start it so again', () => {
  const ours =
    '/usr/bin/postgres "-D" "/data" "-c" "port=5432" "-c" "listen_addresses=" "-c" "unix_socket_directories=/run/a b"\n'
  expect(settingsOf(ours)).toEqual({ port: '5432', listen_addresses: '', unix_socket_directories: '/run/a b' })
  const debian = '/usr/lib/postgresql/15/bin/postgres "-D" "/data" "-p" "5433" "--config-file=/etc/pg \\"a\\".conf"\n'
  expect(settingsOf(debian)).toEqual({ port: '5433', config_file: '/etc/pg "a".conf' })
  expect(settingsOf('')).toEqual({})
})
