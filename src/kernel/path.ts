/** Whether a path is that folder or something below it. Both absolute and normalized; `/srv/repo/..copy` is below `/srv/repo`, `/srv/repository` is not. */
export function isPathWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}
