import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { runProcess } from '../../src/kernel/index.ts'

export interface TlsFiles extends AsyncDisposable {
  readonly certificate: string
  readonly key: string
  /** From now on, until it is disposed, this process and those that it starts trust it. */
  trust(): Promise<void>
}

/** A certificate for the loopback, by name and address, signed by itself, and its key, which everybody may read. */
export async function tlsFiles(folder: string): Promise<TlsFiles> {
  const [certificate, key] = [join(folder, 'server.crt'), join(folder, 'server.key')]
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=test']
  const made = await runProcess('openssl', [
    ...args,
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-keyout',
    key,
    '-out',
    certificate,
  ])
  if (made.exitCode !== 0) throw new Error(made.stderr)
  await chmod(folder, 0o755)
  await chmod(key, 0o644)
  const before = { all: getCACertificates('default'), extra: process.env.NODE_EXTRA_CA_CERTS }
  return {
    certificate,
    key,
    async trust() {
      setDefaultCACertificates([...before.all, await readFile(certificate, 'utf8')])
      process.env.NODE_EXTRA_CA_CERTS = certificate
    },
    async [Symbol.asyncDispose]() {
      setDefaultCACertificates(before.all)
      if (before.extra === undefined) delete process.env.NODE_EXTRA_CA_CERTS
      else process.env.NODE_EXTRA_CA_CERTS = before.extra
    },
  }
}
