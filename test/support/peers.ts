import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe } from 'vitest'
import { findLibfaketime, findLibfiu } from '../../src/faults/index.ts'
import { findChaosMesh, installChaosMesh } from './chaos-mesh-install.ts'
import { findChaosToolkit, installChaosToolkit } from './chaostoolkit.ts'
import { findKubernetes, installKubernetes } from './kubernetes-install.ts'
import { findMoto, installMoto } from './moto-install.ts'

export interface Peer {
  readonly debianPackage: string
  /** What does not run without it, for the message. */
  readonly suites: string
  /** Its path: the program, or for PostgreSQL the folder of its programs. */
  find(): string | undefined
  /** For what does not come from Debian: gets it, once its package is there. */
  install?(): void
}

/** The real programs that the tests run beside npm's. */
export const peers = {
  restic: {
    debianPackage: 'restic',
    suites: 'the restic interoperability suites',
    // RESTIC=/path/to/restic runs them against another one than the system's.
    find: () => (process.env.RESTIC === undefined ? inPath('restic') : existing(process.env.RESTIC)),
  },
  systemd: {
    debianPackage: 'systemd-container',
    suites: 'the systemd suite, which also needs root',
    find: () => (process.getuid?.() === 0 ? inPath('systemd-nspawn') : undefined),
  },
  'postgresql-15': {
    debianPackage: 'postgresql-15',
    suites: 'the PostgreSQL 15 suites',
    find: () => existing('/usr/lib/postgresql/15/bin'),
  },
  poppler: { debianPackage: 'poppler-utils', suites: 'the suite of printed runbooks', find: () => inPath('pdftotext') },
  chromium: {
    debianPackage: 'chromium-headless-shell',
    suites: 'the suite of reports in a browser',
    find: () => inPath('chromium-headless-shell') ?? inPath('chromium'),
  },
  moto: { debianPackage: 'python3-venv', suites: 'the AWS suites', find: findMoto, install: installMoto },
  chaostoolkit: {
    debianPackage: 'python3-venv',
    suites: 'the suite that runs the same experiments with Chaos Toolkit',
    find: findChaosToolkit,
    install: installChaosToolkit,
  },
  kubernetes: {
    // For the Go that compiles it, where there is none.
    debianPackage: 'python3-venv',
    suites: 'the Kubernetes suites',
    find: findKubernetes,
    install: installKubernetes,
  },
  'chaos-mesh': {
    // For the Go that gets it, where there is none.
    debianPackage: 'python3-venv',
    suites: 'the suite of Chaos Mesh',
    find: findChaosMesh,
    install: installChaosMesh,
  },
  iproute2: { debianPackage: 'iproute2', suites: 'the split-brain suite', find: () => inPath('ip') ?? existing('/usr/sbin/ip') },
  nftables: {
    debianPackage: 'nftables',
    suites: 'the suite of network faults, which also needs root',
    find: () => (process.getuid?.() === 0 ? (inPath('nft') ?? existing('/usr/sbin/nft')) : undefined),
  },
  'stress-ng': { debianPackage: 'stress-ng', suites: 'the suite of stress', find: () => inPath('stress-ng') },
  libfaketime: {
    debianPackage: 'libfaketime',
    suites: 'the suite of skewed clocks',
    find: () => findLibfaketime(),
  },
  libfiu: { debianPackage: 'libfiu0', suites: 'the suite of I/O errors', find: () => findLibfiu()?.posix },
  ping: { debianPackage: 'iputils-ping', suites: 'the suite of network faults', find: () => inPath('ping') },
  mariadb: {
    debianPackage: 'mariadb-server',
    suites: 'the suite of connections of MariaDB',
    find: () => inPath('mariadbd') ?? existing('/usr/sbin/mariadbd'),
  },
  redis: { debianPackage: 'redis-server', suites: 'the suite of connections of Redis', find: () => inPath('redis-server') },
  runit: { debianPackage: 'runit', suites: 'the service control suite', find: () => inPath('runsvdir') },
  bind9: { debianPackage: 'bind9', suites: 'the DNS suites', find: () => inPath('named') ?? existing('/usr/sbin/named') },
  'bind9-dnsutils': {
    debianPackage: 'bind9-dnsutils',
    suites: 'the DNS suites',
    find: () => inPath('nsupdate'),
  },
  haproxy: {
    debianPackage: 'haproxy',
    suites: 'the HAProxy suite',
    find: () => inPath('haproxy') ?? existing('/usr/sbin/haproxy'),
  },
  unzip: { debianPackage: 'unzip', suites: 'the suite of zip archives', find: () => inPath('unzip') },
  socat: { debianPackage: 'socat', suites: 'the HAProxy suite', find: () => inPath('socat') },
  sshd: { debianPackage: 'openssh-server', suites: 'the SSH suite', find: () => existing('/usr/sbin/sshd') ?? inPath('sshd') },
} as const satisfies Record<string, Peer>

export type PeerName = keyof typeof peers

/** A suite that needs a peer; skipped, with its reason in its name, where the peer is missing. Under CI=true the set-up has failed before. */
export function describeWith(name: PeerName, title: string, suite: (path: string) => void): void {
  const path = peers[name].find()
  if (path === undefined) describe.skip(`${title} (not run: ${name} is missing)`, () => suite(''))
  else describe(title, () => suite(path))
}

function inPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path))
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined
}
