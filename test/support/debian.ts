import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

/** Installs packages where it can (Debian, root); false where it cannot. Which of them are there then, the caller looks. */
export function installDebian(packages: readonly string[], purpose: string): boolean {
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) return false
  console.log(`installing ${packages.join(', ')} for ${purpose}`)
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  apt('update')
  withoutServices(() => apt('install', '-y', '--no-install-recommends', ...packages))
  return true
}

/** Whoever runs this starts what they need, on ports of their own: no name server, SSH server or database of the machine shall come of this. */
function withoutServices(install: () => void): void {
  const policy = '/usr/sbin/policy-rc.d'
  const isOurs = !existsSync(policy)
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    install()
  } finally {
    if (isOurs) rmSync(policy)
  }
}
