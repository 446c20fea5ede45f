/** What kept a sandbox drill from production, in words. */
export function isolationText({
  network,
  because,
  allowed,
}: {
  readonly network: 'own' | 'shared'
  readonly because: string | undefined
  readonly allowed: { readonly steps: readonly string[]; readonly hosts: readonly string[] }
}): string {
  const commands =
    network === 'own'
      ? 'commands in a network namespace of their own'
      : `commands on this machine’s own network (${because ?? 'no reason is known'})`
  const out = [...allowed.steps.map((step) => `step ${step}`), ...allowed.hosts].join(', ')
  return `folders of its own, private sockets, ${commands}${out === '' ? '' : `; let out: ${out}`}`
}
