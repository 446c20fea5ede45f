import { readdirSync } from 'node:fs'
import { isAbsolute, normalize, resolve } from 'node:path'

/**
 * Where the targets of a backup stand in its tree: a directory whose children are further directories, or targets themselves.
 * A target is backed up whole; what leads to it has its own metadata and only the children that are needed.
 */
export type TargetNode =
  | { readonly kind: 'target'; readonly path: Buffer }
  | { readonly kind: 'directory'; readonly path: Buffer; readonly children: Map<string, TargetNode> }

/** A directory of the tree above the targets. Names are `latin1` text, so that every byte is kept and text order is byte order. */
type Directory = Extract<TargetNode, { kind: 'directory' }>

/**
 * restic's layout: an absolute target appears with every component from the root, a relative one from its first component on; `.`, `..`
 * and `/` stand for what they contain. A target inside another one is part of it.
 *
 * @param targets paths as given; relative ones count from `workingDirectory`
 */
export function layOutTargets(targets: readonly (string | Buffer)[], workingDirectory: string): Directory {
  const root: Directory = { kind: 'directory', path: Buffer.from('/'), children: new Map() }
  for (const target of targets.flatMap((target) => expand(target, workingDirectory))) place(root, target)
  return root
}

interface Placed {
  /** Names from the root of the tree. */
  readonly components: readonly string[]
  /** The path of the directory above the first component. */
  readonly base: string
}

/** Paths are handled as latin1 text, one character for each byte. */
function expand(target: string | Buffer, workingDirectory: string): Placed[] {
  const clean = normalize(Buffer.from(target).toString('latin1')).replace(/(?<=.)\/+$/, '')
  const here = Buffer.from(workingDirectory).toString('latin1')
  const upwards = isAbsolute(clean) ? '/' : (/^(?:\.\.(?:\/|$))*/.exec(clean)?.[0] ?? '')
  const base = isAbsolute(clean) ? '/' : resolve(here, upwards)
  const components = clean
    .slice(upwards.length)
    .split('/')
    .filter((name) => name !== '' && name !== '.')
  if (components.length > 0) return [{ components, base }]
  return readdirSync(Buffer.from(base, 'latin1'), { encoding: 'buffer' }).map((name) => ({
    components: [name.toString('latin1')],
    base,
  }))
}

function place(root: Directory, { components, base }: Placed): void {
  let directory = root
  let path = base
  for (const [index, name] of components.entries()) {
    path = path === '/' ? `/${name}` : `${path}/${name}`
    const bytes = Buffer.from(path, 'latin1')
    const key = freeName(directory, name, bytes)
    const there = directory.children.get(key)
    // Part of a target that is backed up whole.
    if (there?.kind === 'target') return
    if (index === components.length - 1) {
      directory.children.set(key, { kind: 'target', path: bytes })
      return
    }
    const next: Directory = there ?? { kind: 'directory', path: bytes, children: new Map() }
    directory.children.set(key, next)
    directory = next
  }
}

/** Relative targets of different directories may share a name: all but the first get `-1`, `-2`, … as with restic. */
function freeName(directory: Directory, name: string, path: Buffer): string {
  for (let number = 0; ; number++) {
    const key = number === 0 ? name : `${name}-${number}`
    const there = directory.children.get(key)
    if (there === undefined || there.path.equals(path)) return key
  }
}
